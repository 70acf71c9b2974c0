"""Create the store of runs once, before anybody needs it: `python -m ocrkit.experiment.setup`.

Two MLflow clients that meet a missing SQLite file both create its tables, and all but one crash. So one creates the
store under a temporary name and a lock, the others wait, and afterwards the check costs milliseconds.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from ocrkit.experiment import paths

EXPERIMENT = "ocrkit"
_ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
)
# Neither MLflow nor DVC may call home; read when they are imported.
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


def ensure_store() -> str:
    """Create MLflow's store and this project's experiment where they are missing; safe with any number at once.

    Returns:
        The experiment's id.
    """
    os.environ.update(QUIET)
    store = paths.store_file()
    if not store.exists():
        store.parent.mkdir(parents=True, exist_ok=True)
        with (store.parent / ".mlflow.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not store.exists():
                _create(store)
    return _open_experiment(store)


def _create(store: Path) -> None:
    from mlflow import MlflowClient

    with tempfile.TemporaryDirectory(dir=store.parent, prefix=".mlflow.") as folder:
        unfinished = Path(folder) / store.name
        client = MlflowClient(f"sqlite:///{unfinished}")
        client.create_experiment(EXPERIMENT, artifact_location=paths.artifact_folder().as_uri())
        os.replace(unfinished, store)


def _open_experiment(store: Path) -> str:
    """The experiment's id. MLflow writes absolute addresses of files; where the project was moved, they are mended."""
    here = paths.artifact_folder().as_uri()
    with closing(sqlite3.connect(store, timeout=60)) as database, database:
        query = "SELECT experiment_id, artifact_location FROM experiments WHERE name = ?"
        experiment, recorded = database.execute(query, (EXPERIMENT,)).fetchone()
        if recorded != here:
            for table, column in _ADDRESSES:
                new = f"? || substr({column}, ?)"
                where = f"{column} = ? OR {column} LIKE ? || '/%'"
                database.execute(
                    f"UPDATE {table} SET {column} = {new} WHERE {where}", (here, len(recorded) + 1, recorded, recorded)
                )
    return str(experiment)


if __name__ == "__main__":
    ensure_store()
    print(f"Runs are kept in {paths.store_file()}.")
