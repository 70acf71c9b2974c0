"""Create the store of runs once, before anybody needs it: `python -m ocrkit.experiment.setup`.

Two MLflow clients that meet a missing SQLite file both create its tables, and all but one crash. So one creates the
store under a temporary name and a lock, the others wait, and afterwards the check costs milliseconds.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shlex
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from ocrkit.errors import OcrkitError
from ocrkit.experiment import paths
from ocrkit.files import part_beside, sweep

if TYPE_CHECKING:
    from mlflow import MlflowClient

PIPELINE, TRAININGS, CHAMPION, LABELLING = "Pipeline", "Trainings", "Champion", "Labelling"
# What each experiment says on its page.
EXPERIMENTS = {
    PIPELINE: "From invented words to read documents. A run is a pipeline, the runs below it are its stages; the "
    "stage `leaderboard` says who reads best, and its report is attached.",
    TRAININGS: "Trainings that were recorded elsewhere. Tick several, then Compare: "
    "the curves of all have the words seen below.",
    CHAMPION: "Every time a challenger was weighed against the champion: what was compared, and why it was promoted "
    "or refused.",
    LABELLING: "Jobs that people answered: how well they agree, how fast they are, what it costs. A run each time that "
    "a job was collected.",
}
# MLflow's page for runs with curves, rather than the one for chats with a language model.
_KIND = {"mlflow.experimentKind": "custom_model_development"}
_ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)
# A server that is down must not hold a stage up: MLflow itself would try for minutes at every call.
_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}


class OtherSchema(OcrkitError):
    """The store was written by another version of MLflow."""


def ensure_store(experiment: str = PIPELINE) -> str:
    """Create MLflow's store and one of its experiments where they are missing; safe with any number at once.

    Args:
        experiment: a name in `EXPERIMENTS`.

    Returns:
        The experiment's id.

    Raises:
        OtherSchema: another version of MLflow wrote the store.
        NoProject: there can be no store in the project's folder.
        Exception: MLflow's, SQLite's or the system's own, of which `ocrkit.experiment.kept.is_down` knows whether the
            store is down.
    """
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)
    if paths.server():
        from mlflow import MlflowClient

        logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # silent about each second try
        return _found_or_created(MlflowClient(paths.tracking_uri()), experiment)
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # tracebacks of what is raised anyway
    paths.tracking_uri()  # refuses a folder in which there can be no store
    store = paths.store_file()
    if not store.exists():
        store.parent.mkdir(parents=True, exist_ok=True)
        with locked("mlflow"):
            if not store.exists():
                _create(store)
    sweep(store.parent)  # of one who was killed once the store was there and before what it was made in was gone
    _check_schema(store)
    _mend_addresses(store)
    return _recorded(store, experiment) or _created(store, experiment)


def _create(store: Path) -> None:
    from mlflow import MlflowClient

    with part_beside(store, Path.mkdir) as folder:
        unfinished = folder / store.name
        _found_or_created(MlflowClient(paths.address_of(unfinished)), PIPELINE, paths.artifact_folder().as_uri())
        os.replace(unfinished, store)


def _created(store: Path, experiment: str) -> str:
    from mlflow import MlflowClient

    with locked("mlflow"):
        return _found_or_created(MlflowClient(paths.address_of(store)), experiment, paths.artifact_folder().as_uri())


def _found_or_created(client: MlflowClient, experiment: str, artifacts: str | None = None) -> str:
    if found := client.get_experiment_by_name(experiment):
        return str(found.experiment_id)
    tags = {**_KIND, "mlflow.note.content": EXPERIMENTS[experiment]}
    return str(client.create_experiment(experiment, artifacts, tags))


@contextmanager
def locked(what: str) -> Iterator[None]:
    """One process of this machine at a time does this in the project; with no other lock of that name in it."""
    with (paths.store_root() / f".{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _recorded(store: Path, experiment: str) -> str:
    """The experiment's id, asked of the file itself, which takes milliseconds; empty where there is none."""
    with closing(sqlite3.connect(store, timeout=60)) as database:
        row = database.execute("SELECT experiment_id FROM experiments WHERE name = ?", (experiment,)).fetchone()
    return str(row[0]) if row else ""


def _check_schema(store: Path) -> None:
    """Refuse a store that another version of MLflow wrote, before MLflow does so in the middle of a run."""
    with closing(sqlite3.connect(store, timeout=60)) as database:
        if not database.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            raise OtherSchema(f"{store} holds no runs of MLflow: move it away to begin with an empty store.")
        (written,) = database.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
    known, newest = _schemas()
    if written == newest:
        return
    if written in known:
        raise OtherSchema(
            f"{store} was written by an older MLflow: copy it to a safe place, then run "
            f"`mlflow db upgrade {shlex.quote(paths.address_of(store))}`."
        )
    raise OtherSchema(
        f"{store} was written by a newer MLflow than the one installed, {version('mlflow')}: install the version that "
        f"wrote it (`make setup` in the checkout that did), or move the file away to begin with an empty store."
    )


@cache
def _schemas() -> tuple[set[str], str]:
    """All schemas of the store that the installed MLflow knows, and the newest."""
    folder = Path(str(files("mlflow.store.db_migrations"))) / "versions"
    texts = [path.read_text("utf-8") for path in folder.glob("*.py")]
    known = {found[1] for text in texts if (found := re.search(r"^revision\s*=\s*['\"](\w+)", text, re.MULTILINE))}
    older = {name for text in texts for name in re.findall(r"^down_revision\s*=\s*['\"](\w+)", text, re.MULTILINE)}
    (newest,) = known - older
    return known, newest


def _mend_addresses(store: Path) -> None:
    """MLflow writes absolute addresses of files; where the project was moved, they are mended."""
    here = paths.artifact_folder().as_uri()
    with closing(sqlite3.connect(store, timeout=60)) as database, database:
        query = "SELECT artifact_location FROM experiments WHERE name = ? AND artifact_location != ?"
        for (recorded,) in database.execute(query, (PIPELINE, here)).fetchall():
            for table, column in _ADDRESSES:
                new = f"? || substr({column}, ?)"
                where = f"{column} = ? OR {column} LIKE ? || '/%'"
                database.execute(
                    f"UPDATE {table} SET {column} = {new} WHERE {where}", (here, len(recorded) + 1, recorded, recorded)
                )


if __name__ == "__main__":
    try:
        ensure_store()
    except OcrkitError as error:
        sys.exit(str(error))
    print(f"Runs are kept in {paths.server() or paths.store_file()}.")
