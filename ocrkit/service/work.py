"""The work: claim a document, have it read in a jail, keep the result, index its words, say that it is done.

Each step may be the last one of this process, and each may be done twice: a result is written whole and always the
same, the index takes a page in place of what it knew of it, and only who holds the lease may say how it ended.
"""

from __future__ import annotations

import json
import logging
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from ocrkit.errors import OcrkitError
from ocrkit.service import logs
from ocrkit.service.database import DiskFull, StoreFailed
from ocrkit.service.index import Index
from ocrkit.service.jail import Closed, ReaderDied, Refused
from ocrkit.service.queue import Job, Queue
from ocrkit.service.readers import LocalReads, Reads, WorkOptions
from ocrkit.service.results import Result
from ocrkit.service.store import Store
from ocrkit.service.walls import NoJail

_LOG = logging.getLogger("ocrkit.service")
_IDLE_S = 0.25  # between looks at a queue in which nothing is due
_FULL_S = 60.0  # wait where the disk is full


class Work:
    """Threads that work on a store's queue, each on one document at a time.

    Args:
        store: whose queue it is.
        options: how documents are read.

    Raises:
        NoJail: no jail can be had; before anything is claimed.
        OcrkitError: the model or the store cannot be used.
    """

    def __init__(self, store: Store, options: WorkOptions) -> None:
        self.store, self.options = store, options
        self.queue, self.index = Queue(store.queue, options.queue), Index(store.index)
        self._stop = threading.Event()
        self._held: dict[str, tuple[Job, int]] = {}
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._reads: Reads = self._reader()

    def _reader(self) -> Reads:
        if self.options.dask:
            from ocrkit.service.cluster import DaskReads

            return DaskReads(self.store, self.options)
        return LocalReads(self.store, self.options)

    def start(self) -> None:
        """Begin; returns at once."""
        names = [f"jail {number}" for number in range(1, self.options.jails + 1)]
        self._threads = [
            threading.Thread(target=self._loop, args=(number,), name=name, daemon=True)
            for number, name in enumerate(names, 1)
        ]
        self._threads.append(threading.Thread(target=self._beat, name="leases", daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Claim nothing more, end the jails, give back what they read, and wait until that is done."""
        self._stop.set()
        self._reads.close()
        for thread in self._threads:
            thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether anybody works."""
        return any(thread.is_alive() for thread in self._threads)

    @property
    def pids(self) -> list[int]:
        """The zygotes, and kept jails, of this process."""
        return self._reads.pids

    def drain(self, patience_s: float | None = None) -> bool:
        """Work until nothing is due and nothing is being read; whether that was reached in time."""
        deadline = None if patience_s is None else time.monotonic() + patience_s
        while not self.queue.is_idle():
            if deadline is not None and time.monotonic() > deadline:
                return False
            if not self.is_alive:
                return False
            time.sleep(_IDLE_S / 2)
        return True

    def _loop(self, number: int) -> None:
        while not self._stop.is_set():
            try:
                job = self.queue.claim(number)
                if job is None:
                    self._stop.wait(_IDLE_S)
                else:
                    self._work(job)
            except StoreFailed as error:  # nothing can even be written down; the lease ends by itself
                _LOG.error("store failed", extra={"reason": str(error)})
                self._stop.wait(1.0)
        self.queue.database.close()
        self.index.database.close()

    def _work(self, job: Job) -> None:
        begun = time.monotonic()
        with self._lock:
            self._held[job.id] = job, 0
        told = {"document": job.id, "jail": job.jail, "try": job.tries}
        try:
            self._reads.read(job, lambda page: self._hold(job, page))
            result = self.store.result(job.id)
            add_to_index(self.index, job, result)
            if self.queue.done(job, len(result.pages), time.monotonic() - begun, result.left_out):
                _LOG.info("done", extra=told | {"pages": len(result.pages), "seconds": time.monotonic() - begun})
            else:
                self._undo(job)
        except Refused as error:
            self.queue.failed(job, str(error), for_good=True)
            _LOG.warning("refused", extra=told)
        except ReaderDied as error:
            self.queue.failed(job, str(error))
            _LOG.warning("reader died: %s", error, extra=told)
        except DiskFull as error:
            self.queue.give_back(job, str(error), _FULL_S)
            _LOG.error("disk full", extra=told | {"reason": str(error)})
            self._stop.wait(1.0)
        except Closed:
            self.queue.give_back(job, "The service was stopped while it was read.")
        except NoJail as error:
            self.queue.give_back(job, str(error), _FULL_S)
            _LOG.error("no jail", extra=told | {"reason": str(error)})
        except OcrkitError as error:
            self.queue.failed(job, str(error))
            _LOG.error("failed", extra=told | {"reason": str(error)})
        except Exception as error:
            self.queue.failed(job, f"The service failed: {type(error).__name__}: {error}")
            _LOG.exception("service failed", extra=told)
        finally:
            with self._lock:
                self._held.pop(job.id, None)

    def _undo(self, job: Job) -> None:
        """Remove what was made for somebody who has meanwhile had it forgotten."""
        try:
            self.queue.job(job.id)
        except OcrkitError:
            self.store.erase_result(job.id)
            self.index.forget([job.id])

    def _hold(self, job: Job, page: int) -> None:
        with self._lock:
            if job.id in self._held:
                self._held[job.id] = job, page
        with suppress(StoreFailed):
            self.queue.beat(job, page)

    def _beat(self) -> None:
        while not self._stop.wait(self.options.queue.lease_s / 4):
            with self._lock:
                held = list(self._held.values())
            for job, page in held:
                with suppress(StoreFailed):  # the next beat may come through
                    self.queue.beat(job, page)
        self.queue.database.close()


def add_to_index(index: Index, job: Job, result: Result) -> None:
    """Let the words of a result be found."""
    for page in result.pages:
        index.add(job.id, page.number, page.words, (page.width, page.height), job.kind, job.added)


def forget(store: Store, queue: Queue, index: Index, identity: str) -> None:
    """Forget a document: result, words, file, job, and every byte that the databases held of it.

    What interrupts it is made up for by `mend`.

    Raises:
        UnknownDocument: there is none.
        StoreFailed: a database is in use all the time; try again.
    """
    _forget(store, queue, index, [queue.forgetting(identity)])


def mend(store: Store, queue: Queue, index: Index) -> None:
    """Finish what the end of a process has interrupted: forget what was half forgotten, index what is done."""
    store.sweep()
    if half := queue.half_forgotten():
        _forget(store, queue, index, half)
    known = index.documents()
    for job in queue.jobs("done", limit=10_000_000):
        if job.id not in known and job.pages:
            with suppress(OcrkitError):
                add_to_index(index, job, store.result(job.id))


def _forget(store: Store, queue: Queue, index: Index, jobs: list[Job]) -> None:
    for job in jobs:
        store.erase_result(job.id)
        if not queue.is_used(job.file):
            store.erase_file(job.file)
    index.forget([job.id for job in jobs])
    queue.forgotten([job.id for job in jobs])


def main(arguments: list[str]) -> None:
    """Work on a store until standard input is closed: `python -m ocrkit.service.work FOLDER OPTIONS`."""
    logs.structured()
    folder, options = Path(arguments[0]), WorkOptions(**json.loads(arguments[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal; whoever started this one ends it
    try:
        work = Work(Store(folder, options.shared or None), options)
    except OcrkitError as error:
        _tell({"error": str(error), "jail": isinstance(error, NoJail)})
        sys.exit(1)
    work.start()
    _tell({"ready": True})
    with suppress(OSError):
        while sys.stdin.buffer.read(65536):
            pass
    work.stop()


def _tell(told: dict[str, object]) -> None:
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
