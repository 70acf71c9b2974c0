"""MLflow's registry: every model that was to be the champion, as versions of the recogniser and of the whole reader.

The alias `champion` stands at the version in use, `challenger` at the one that would replace it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ocrkit import processes
from ocrkit.experiment import track
from ocrkit.recognition.model import find_model, identity, read_card
from ocrkit.record import PROCESS

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion

    from ocrkit.experiment.track import Run
    from ocrkit.studies.served import Served

CHAMPION, CHALLENGER = "champion", "challenger"
REGISTRY = "registry"  # lock of who moves these two
# Tags of a version: the sessions in which it learnt from donated documents, and, where some of these were withdrawn,
# the day from which on it is no champion.
SESSIONS, RETIRE = "vault.sessions", "vault.retire_by"


def is_overdue(version: ModelVersion) -> bool:
    """Whether a model that learnt from withdrawn documents had to go by now."""
    return bool(version.tags.get(RETIRE)) and version.tags[RETIRE] < str(datetime.now(UTC).date())


class Registry:
    """The registered models of a store.

    Args:
        client: of the store.
        experiment: id of the experiment that the models are filed under.
    """

    def __init__(self, client: MlflowClient, experiment: str) -> None:
        self.client, self.experiment = client, experiment

    def champion(self) -> ModelVersion:
        """The reader in use; where there is none yet, the default released model becomes it without a contest.

        So it does where the one in use learnt from documents that were withdrawn, and its time is over.
        """
        from ocrkit.studies.served import MODELS, READER

        if (found := self._at(READER.name, CHAMPION)) and not is_overdue(found):
            return found
        folder = find_model(None)
        for model in MODELS:
            version = self._version(model, folder)
            self.client.set_registered_model_alias(model.name, CHAMPION, version.version)
            why = "The released model is the first champion."
            if found:
                why = f"Version {found.version} is retired: it learnt from documents that were withdrawn."
            self.note(version, why, {"gate": "none"})
        return self._named(READER.name, CHAMPION)

    def challenger(self, folder: Path) -> ModelVersion:
        """The reader with the model in `folder`, registered once, and called challenger from now on.

        Raises:
            BadModel: `folder` holds no model.
        """
        from ocrkit.studies.served import MODELS, READER

        for model in MODELS:
            version = self._version(model, folder)
            self.client.set_registered_model_alias(model.name, CHALLENGER, version.version)
        return self._named(READER.name, CHALLENGER)

    def crown(self) -> None:
        """The challenger becomes the champion."""
        from ocrkit.studies.served import MODELS

        for model in MODELS:
            version = self._named(model.name, CHALLENGER)
            self.client.set_registered_model_alias(model.name, CHAMPION, version.version)
            self.client.delete_registered_model_alias(model.name, CHALLENGER)

    def settle(self) -> None:
        """End what a process that was killed while it crowned a challenger left: an alias that has lost its meaning."""
        from ocrkit.studies.served import MODELS

        for model in MODELS:
            champion, challenger = self._at(model.name, CHAMPION), self._at(model.name, CHALLENGER)
            if champion and challenger and champion.version == challenger.version:
                self.client.delete_registered_model_alias(model.name, CHALLENGER)

    def point(self, alias: str, version: str) -> None:
        """Let an alias stand at a version of the reader, and at that of the recogniser with the same model.

        Nothing is written where it stands there already.
        """
        from ocrkit.studies.served import MODELS, READER

        digest = self.client.get_model_version(READER.name, version).tags.get("digest")
        for model in MODELS:
            for one in self.client.search_model_versions(f"name = '{model.name}'"):
                wanted = str(one.version) == version if model is READER else one.tags.get("digest") == digest
                if wanted and ((now := self._at(model.name, alias)) is None or now.version != one.version):
                    self.client.set_registered_model_alias(model.name, alias, one.version)

    def forget(self, alias: str) -> None:
        """Take an alias away where it stands."""
        from ocrkit.studies.served import MODELS

        for model in MODELS:
            if self._at(model.name, alias):
                self.client.delete_registered_model_alias(model.name, alias)

    def note(self, version: ModelVersion, why: str, tags: Mapping[str, str]) -> None:
        """Write on a version's page why it is what it is; the last line, what model it is, stays."""
        about = f"{why}\n\n{str(version.description).splitlines()[-1]}"
        self.client.update_model_version(version.name, version.version, about)
        for name, value in tags.items():
            self.client.set_model_version_tag(version.name, version.version, name, value)

    def _named(self, name: str, alias: str) -> ModelVersion:
        return self.client.get_model_version_by_alias(name, alias)

    def _at(self, name: str, alias: str) -> ModelVersion | None:
        models = self.client.search_registered_models(f"name = '{name}'")
        return self._named(name, alias) if models and alias in models[0].aliases else None

    def _version(self, model: Served, folder: Path) -> ModelVersion:
        """The version that reads with the same model; made where there is none."""
        card, digest = read_card(folder), identity(folder)
        if not self.client.search_registered_models(f"name = '{model.name}'"):
            self.client.create_registered_model(model.name, description=model.description)
        for version in self.client.search_model_versions(f"name = '{model.name}'"):
            if version.tags.get("digest") == digest:
                return version
        tags = {"model": folder.name, "digest": digest}
        if sessions := [learnt["session"] for learnt in card.get("vaults", ())]:
            tags[SESSIONS] = ",".join(sessions)
        logged = log_model(self.client, self.experiment, model, folder, tags | {"made_by": track.user()})
        return self.client.create_model_version(
            model.name,
            f"models:/{logged.model_id}",
            logged.source_run_id,
            tags,
            description=f"The model `{folder.name}`, trained on {card.get('trained_on', 'nobody wrote what')}; "
            f"registered by {track.user()}.",
            model_id=logged.model_id,
        )


def log_model(
    client: MlflowClient, experiment: str, model: Served, folder: Path, tags: Mapping[str, str], run: str | None = None
) -> LoggedModel:
    """Log the model in `folder` as MLflow keeps it: code, files, signature and example.

    Those that a process which was killed has left half-logged are marked as failed.

    Args:
        client: of the store.
        experiment: id of the experiment that it is filed under.
        model: whether it reads words or documents.
        folder: of the model.
        tags: for its page.
        run: id of the run that it came out of, which then shows it.
    """
    from mlflow import pyfunc
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model

    from ocrkit.studies.served import PACKAGE, requirements

    facts = {name: str(value) for name, value in read_card(folder).items() if isinstance(value, str | int | float)}
    facts.pop("alphabet", None)
    for left in client.search_logged_models([experiment]):  # the latest hundred
        if left.status == "PENDING" and processes.has_ended(left.tags.get(PROCESS, "")):
            client.finalize_logged_model(left.model_id, "FAILED")
    own = {**tags, PROCESS: processes.name()}
    logged = client.create_logged_model(experiment, model.name, source_run_id=run, tags=own, params=facts)
    try:
        with tempfile.TemporaryDirectory() as temporary:
            local = Path(temporary) / "model"
            pyfunc.save_model(
                local,
                python_model=str(model.code),
                artifacts={"model": str(folder)},
                code_paths=[str(PACKAGE)],
                signature=model.signature,
                input_example=model.example,
                pip_requirements=requirements(),
                mlflow_model=Model(model_id=logged.model_id, model_uuid=logged.model_id),
            )
            client.log_model_artifacts(logged.model_id, str(local))
    except BaseException:
        client.finalize_logged_model(logged.model_id, "FAILED")
        raise
    if run:
        client.log_outputs(run, [LoggedModelOutput(logged.model_id, step=0)])
    return client.finalize_logged_model(logged.model_id, "READY")


def log_trained(run: Run, folder: Path) -> None:
    """Log the recogniser in `folder` as what the open `run` of a stage made; says so where the store is down."""
    from ocrkit.studies.served import RECOGNIZER

    if run.is_kept:
        print(f"MLflow's store does not answer, so the model is in {folder} only.")
        return
    experiment = run.client.get_run(run.id).info.experiment_id
    log_model(run.client, experiment, RECOGNIZER, folder, {"digest": identity(folder), "made_by": track.user()}, run.id)
