"""Workers of Dask on other machines: they read, in jails of their own, what lies in the shared store.

Dask only carries the work. What is to be done, by whom, how often and until when is the lease table's to say: a task is
never retried by the scheduler, and one that a lost worker had is read again when its lease says so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path
from typing import Any

from ocrkit.errors import MissingExtra, OcrkitError
from ocrkit.recognition.model import identity, released_folder
from ocrkit.service.jail import READER, Closed, Jails, ReaderDied, Refused
from ocrkit.service.queue import Job, Pinned
from ocrkit.service.readers import WorkOptions, read_into
from ocrkit.service.store import Shared
from ocrkit.service.walls import NoJail

_LOOK_S = 0.5
_START_S = 30.0  # for a scheduler to answer


class DaskReads:
    """Readers on the workers of a scheduler.

    Args:
        shared: where documents and results lie, for the workers too.
        options: of the work; `dask` is the scheduler's address.

    Raises:
        MissingExtra: Dask is not installed.
        OcrkitError: the scheduler does not answer.
    """

    def __init__(self, shared: Shared, options: WorkOptions) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise MissingExtra("Workers elsewhere need Dask: pip install 'ocrkit[service]'.") from None
        self._place, self._options = shared.place, options
        self._closed = threading.Event()
        try:
            self._client = Client(options.dask, timeout=_START_S, name="ocrkit")
        except (OSError, ValueError):
            raise OcrkitError(f"No Dask scheduler answers at {options.dask}.") from None

    def read(self, job: Job, on_page: Callable[[int], object]) -> None:
        """Have it read by whichever worker is free."""
        from distributed.scheduler import KilledWorker

        task = self._client.submit(
            read_here, self._place, job, self._options, key=f"ocrkit-{job.id}-{job.tries}", pure=False, retries=0
        )
        deadline = time.monotonic() + self._patience_s(job)
        try:
            while not task.done():
                if self._closed.wait(_LOOK_S / 5):
                    raise Closed("The service was stopped.")
                if time.monotonic() > deadline:
                    raise ReaderDied("No worker has read it in time.")
            _told(task.result(timeout=_START_S))
        except (KilledWorker, CancelledError, TimeoutError) as error:
            raise ReaderDied(f"The worker that read it was lost ({type(error).__name__}).") from None
        finally:
            with suppress(Exception):  # a scheduler that is gone has forgotten it by itself
                task.cancel(force=True)

    @property
    def pids(self) -> list[int]:
        """None: whatever is kept warm is elsewhere."""
        return []

    def close(self) -> None:
        """Let go of the scheduler; its workers go on."""
        self._closed.set()
        with suppress(Exception):
            self._client.close(timeout=5)

    def _patience_s(self, job: Job) -> float:
        limits = self._options.limits
        return 2 * limits.wall_s * (limits.all_pages_times if job.options.all_pages else 1) + _START_S


def read_here(place: str, job: Job, options: WorkOptions) -> tuple[str, str]:
    """What a worker does: have a document read in a jail of its own, and its result written into the shared store.

    Returns:
        What kind of failure, and a sentence; both empty where all went well. Failures are told rather than raised, so
        that Dask does not judge them.
    """
    try:
        read_into(Shared(place), _jails(job.model, options), job, lambda page: None)
    except _FAILURES as error:
        return type(error).__name__, str(error)
    except OcrkitError as error:
        return OcrkitError.__name__, str(error)
    return "", ""


_FAILURES: tuple[type[OcrkitError], ...] = (Refused, ReaderDied, NoJail)
_KEPT: dict[str, Jails] = {}
_LOCK = threading.Lock()


def _jails(model: Pinned, options: WorkOptions) -> Jails:
    """This worker's jails for a model, which lies where the service has it, or among the released ones."""
    with _LOCK:
        if model.identity not in _KEPT:
            found = model.folder
            if options.make == READER:
                found = found if Path(found).is_dir() else str(released_folder() / model.name)
                if identity(Path(found)) != model.identity:
                    raise OcrkitError(f"The worker has another model that is called {model.name}.")
            _KEPT[model.identity] = Jails(found, options.mode, options.limits, options.make)
        return _KEPT[model.identity]


def _told(answer: Any) -> None:
    kind, sentence = answer
    if kind:
        raise next((one for one in _FAILURES if one.__name__ == kind), OcrkitError)(sentence)
