"""Donated documents and MLflow: runs that witness a vault's log, and models that learnt from what was withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocrkit.errors import BadModel, BadVault
from ocrkit.experiment import params, paths, setup
from ocrkit.experiment.kept import StoreDown, connect
from ocrkit.recognition.model import read_card
from ocrkit.studies.registry import CHAMPION, RETIRE, SESSIONS, is_overdue
from ocrkit.studies.sections import SECTIONS

if TYPE_CHECKING:
    from mlflow import MlflowClient

_PAGE = 500  # runs that are asked for at once


def _client() -> MlflowClient:
    """A client of the project's store, if there is one: none is made for the asking.

    Raises:
        StoreDown: it does not answer, or there is none.
        NoProject: there is no project around.
    """
    if not paths.server() and not paths.store_file().exists():
        raise StoreDown(f"there is no store in {paths.store_root()}.")
    return connect(setup.CHAMPION)[1]


def check_consent(folder: Path) -> None:
    """Refuse the model in `folder` where it learnt from documents that were withdrawn.

    The roster of the vault tells, which git has; no key is needed.

    Raises:
        BadModel: it has, or the vault it learnt from cannot be asked.
    """
    learnt: Sequence[dict[str, Any]] = read_card(folder).get("vaults", ())
    if not learnt:
        return
    from ocrkit.vault.public import read_roster

    vault = paths.root() / params.params("vault", SECTIONS).folder
    try:
        roster = read_roster(vault)
    except BadVault as error:
        raise BadModel(
            f"{folder} learnt from donated documents, and nobody can tell whether they were withdrawn: {error} "
            f"`vault.folder` in params.yaml says where the vault lies."
        ) from None
    for its in learnt:
        if its["vault"] != roster["vault"]:
            raise BadModel(f"{folder} learnt from documents of another vault than {vault}, which cannot be asked.")
        gone = set(its["objects"]) - set(roster["objects"])
        if gone:
            raise BadModel(
                f"{folder} learnt from {len(gone)} documents that were withdrawn by their donors: train it anew."
            )


def witnesses(vault: str) -> list[tuple[int, str]]:
    """How many entries a vault's log had, and the digest of the last, when each run of MLflow's store was recorded.

    Raises:
        StoreDown: it does not answer.
        NoProject: there is no project around.
    """
    client = _client()
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    found, token = [], None
    while True:
        runs = client.search_runs(experiments, f"tags.`vault.id` = '{vault}'", max_results=_PAGE, page_token=token)
        for run in runs:
            tags = run.data.tags
            if tags.get("vault.entries", "").isdecimal() and int(tags["vault.entries"]):
                found.append((int(tags["vault.entries"]), tags["vault.head"]))
        if not (token := runs.token):
            return found


def tag_withdrawn(sessions: Sequence[str]) -> list[str]:
    """Tag all versions in the registry that learnt in one of `sessions`; a sentence on each.

    Raises:
        StoreDown: the registry does not answer.
        NoProject: there is no project around.
    """
    from ocrkit.studies.served import MODELS

    days = params.params("vault", SECTIONS).retire_days
    retire_by = str(datetime.now(UTC).date() + timedelta(days=days))
    client = _client()
    said = []
    for model in MODELS:
        for version in client.search_model_versions(f"name = '{model.name}'"):
            if set(version.tags.get(SESSIONS, "").split(",")) & set(sessions) and RETIRE not in version.tags:
                client.set_model_version_tag(model.name, version.version, RETIRE, retire_by)
                is_champion = CHAMPION in client.get_model_version(model.name, version.version).aliases
                role = "is the champion and must be replaced" if is_champion else "is no champion and stays none"
                said.append(f"{model.name} version {version.version} {role}: retired after {retire_by}.")
    return said


def overdue() -> list[str]:
    """A sentence on each champion that learnt from withdrawn documents and whose time is over.

    Raises:
        StoreDown: the registry does not answer.
        NoProject: there is no project around.
    """
    from ocrkit.studies.served import MODELS

    client = _client()
    return [
        f"{model.name} version {version.version} is the champion still, and had to be retired by "
        f"{version.tags[RETIRE]}: `ocrkit promote` replaces it."
        for model in MODELS
        for version in client.search_model_versions(f"name = '{model.name}'")
        if is_overdue(version) and CHAMPION in client.get_model_version(model.name, version.version).aliases
    ]
