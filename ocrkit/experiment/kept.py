"""Runs outlive a store that is down: what cannot be logged is kept in a folder, in the form `ocrkit runs import` reads.

A run whose store does not answer at the start lies there as a whole; of one whose store goes down on the way, the rest
lies there and is later added to the run that the store has already.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from errno import ENOSPC
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

from mlflow import MlflowClient
from mlflow.entities import DatasetInput, Metric, Param
from mlflow.entities import Run as MlflowRun
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import DBAPIError

from ocrkit import processes
from ocrkit.errors import OcrkitError
from ocrkit.experiment import paths, setup
from ocrkit.files import make_folder
from ocrkit.record import PROCESS, Record, Step, load_record, load_steps, save_steps, save_table

# Tags of a record: the run of the store that it goes on with, or the experiment that it belongs to.
CONTINUES, EXPERIMENT = "record.continues", "record.experiment"
_HALF = ".artifact.uploading.*"  # what MLflow 3.17 calls a file that it writes, until it is whole
_ERRORS = (MlflowException, DBAPIError, OSError, sqlite3.Error)
_DOWN = ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE")


def is_down(error: Exception) -> bool:
    """Whether an error says that the store does not answer, rather than that the question was wrong."""
    return isinstance(error, OSError | sqlite3.Error | DBAPIError) or getattr(error, "error_code", "") in _DOWN


class StoreDown(OcrkitError):
    """MLflow's store does not answer."""


class KeptRun(MlflowClient):
    """MLflow's client as far as a run needs it, of which every word goes to a record in `folder`."""

    def __init__(self, folder: Path) -> None:
        # Without the parent's own start, which would look for a store.
        self._folder = folder

    @property
    def _record(self) -> Record:
        return load_record(self._folder)

    def get_run(self, run_id: str) -> Any:
        """The run's tags, which is all that is known of it."""
        return SimpleNamespace(data=SimpleNamespace(tags=dict(self._record.tags)))

    def log_batch(  # type: ignore[override]  # a run logs its tags one by one
        self, run_id: str, metrics: Sequence[Metric] = (), params: Sequence[Param] = ()
    ) -> None:
        """Keep numbers and values."""
        if params:
            record = self._record
            record.params = {**record.params, **{param.key: param.value for param in params}}
            record.save(self._folder)
        if metrics:
            rows: dict[int, dict[str, float]] = {}
            for metric in metrics:
                rows.setdefault(metric.step, {})[metric.key] = metric.value
            steps = [Step(step, metrics[0].timestamp / 1000, numbers) for step, numbers in rows.items()]
            save_steps(self._folder, [*load_steps(self._folder), *steps])

    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None:  # type: ignore[override]
        """Keep the digests of what the run was made from."""
        record = self._record
        record.inputs = {**record.inputs, **{used.dataset.name: used.dataset.digest for used in datasets}}
        record.save(self._folder)

    def set_tag(self, run_id: str, key: str, value: Any, synchronous: bool | None = None) -> None:
        """Keep a tag."""
        record = self._record
        record.tags = {**record.tags, key: str(value)}
        record.save(self._folder)

    def log_table(self, run_id: str, data: Any, artifact_file: str) -> None:
        """Keep a table."""
        import pandas as pd

        save_table(self._folder, Path(artifact_file).stem, pd.DataFrame(data).to_dict("list"))

    def log_artifact(self, run_id: str, local_path: str, artifact_path: str | None = None) -> None:
        """Keep a copy of a file; figures and images come this way too."""
        shutil.copy(local_path, make_folder(self._folder / "artifacts" / (artifact_path or "")))

    def log_artifacts(self, run_id: str, local_dir: str, artifact_path: str | None = None) -> None:
        """Keep a copy of what a folder holds."""
        shutil.copytree(local_dir, self._folder / "artifacts" / (artifact_path or ""), dirs_exist_ok=True)

    def set_terminated(
        self, run_id: str, status: str | None = None, end_time: int | None = None, verbose: bool = True
    ) -> None:
        """Keep how the run ended."""
        record = self._record
        record.status, record.ended = status or "FINISHED", time.time()  # type: ignore[assignment]
        record.save(self._folder)


class LastingClient:
    """MLflow's client for one run; once the store does not answer, the rest of the run is kept in a folder.

    Args:
        client: of the store; None where it does not answer already.
        record: the run as far as it is known, its id that of the run.
    """

    def __init__(self, client: MlflowClient | None, record: Record) -> None:
        folder = paths.unsent_folder() / record.id
        self._record, self._folder = record, folder
        self._client = KeptRun(folder) if (folder / "run.json").exists() else client or self._keep()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            try:
                return getattr(self._client, name)(*arguments, **named)
            except _ERRORS as error:
                if isinstance(self._client, KeptRun) or not is_down(error):
                    raise
            self._record.tags = {**self._record.tags, CONTINUES: self._record.id}
            self._client = self._keep()
            return getattr(self._client, name)(*arguments, **named)

        return call

    @property
    def is_kept(self) -> bool:
        """Whether the store is down, so that the run is kept in a folder."""
        return isinstance(self._client, KeptRun)

    def _keep(self) -> KeptRun:
        self._record.save(self._folder)
        # Printed rather than warned, so that the report of a notebook has it as well as the terminal.
        print(
            f"MLflow's store {paths.tracking_uri()} does not answer: this run is kept in {self._folder}; "
            f"when it answers again, `ocrkit runs import {paths.unsent_folder()}/*` logs it."
        )
        return KeptRun(self._folder)


def connect(experiment: str) -> tuple[str, MlflowClient]:
    """The id of an experiment of MLflow's store, and a client of it.

    Raises:
        StoreDown: it does not answer.
    """
    try:
        return setup.ensure_store(experiment), MlflowClient(paths.tracking_uri())
    except _ERRORS as error:
        raise _told(error) from None


@contextmanager
def alone(what: str) -> Iterator[None]:
    """See `setup.locked`.

    Raises:
        StoreDown: the store does not answer, then or on the way.
    """
    try:
        with setup.locked(what):
            yield
    except _ERRORS as error:
        raise _told(error) from None


def _told(error: Exception) -> Exception:
    """What to raise in place of an error of MLflow's store: itself, if the store is not down."""
    if not is_down(error):
        return error
    full = " (its disk is full)" if "disk is full" in str(error) or getattr(error, "errno", 0) == ENOSPC else ""
    return StoreDown(f"MLflow's store {paths.tracking_uri()} does not answer{full}: start it, then do this again.")


def begin(record: Record, experiment: str) -> LastingClient:
    """Make the run in an experiment of MLflow, and give `record` its id; where the store is down, the run is kept.

    Runs of the experiment that were left open by a process which was killed are closed.
    """
    try:
        number, client = connect(experiment)
        for run in filter(is_left, client.search_runs([number], "attributes.status = 'RUNNING'")):
            close_left(client, run)
        record.id = client.create_run(number, tags=dict(record.tags), run_name=record.name).info.run_id
    except (StoreDown, *_ERRORS) as error:
        if not isinstance(error, StoreDown) and not is_down(error):
            raise
        record.tags = {**record.tags, EXPERIMENT: experiment}
        return LastingClient(None, record)
    return LastingClient(client, record)


def is_left(run: MlflowRun) -> bool:
    """Whether a run is open and the process that made it has certainly ended, so without a word."""
    return run.info.status == "RUNNING" and processes.has_ended(run.data.tags.get(PROCESS, ""))


def close_left(client: MlflowClient, run: MlflowRun, status: str = "KILLED") -> None:
    """End a run whose process has ended, and remove what that wrote by halves."""
    place = urlsplit(run.info.artifact_uri)
    for part in Path(unquote(place.path)).rglob(_HALF) if place.scheme in ("", "file") else ():
        part.unlink(missing_ok=True)
    client.set_terminated(run.info.run_id, status)


def go_on(run_id: str) -> LastingClient:
    """The client for a run that another process made, here or in MLflow."""
    return LastingClient(MlflowClient(paths.tracking_uri()), Record(run_id, {}, {}, {}, id=run_id))
