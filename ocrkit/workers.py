"""Work spread over processes of this machine, or over a Dask cluster, in one way.

A piece of work is an importable function of one plain value, so that it can be sent anywhere. It runs on one thread:
many pieces at once gain more than many threads a piece.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar, cast

from ocrkit.errors import MissingExtra, OcrkitError
from ocrkit.processes import end_with_parent

T = TypeVar("T")
R = TypeVar("R")
Tell = Callable[[int], None]  # called with how much more is done while a piece of work is under way
Work = Callable[[T, Tell], R]

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}
# Of processes that read pictures: what they let go of goes back to the system at once, not to a heap that only grows.
_LEAN = {"MALLOC_MMAP_THRESHOLD_": "262144", "MALLOC_TRIM_THRESHOLD_": "262144"}  # bytes; read by glibc alone
_LONGEST_FOLDER = 70  # bytes, which leave room for the names that multiprocessing adds
_TRIES = 2  # of a piece of work during which its process ended
_LOOK_S = 5.0  # between looks at whether a cluster still has workers
_DESERTED_S = 60.0  # a cluster without a worker for so long gets none


@dataclass(frozen=True)
class Lost:
    """In place of a result: each process that tried to make it ended, such as for lack of memory."""

    reason: str


def spread(
    work: Work[T, R],
    items: Sequence[T],
    workers: int,
    scheduler: str | None = None,
    tell: Tell = lambda more: None,
    preload: Sequence[str] = (),
) -> Iterator[tuple[T, R | Lost]]:
    """Each of `items` with what `work` makes of it, in whatever order they are finished.

    One worker is this process. More are processes that share nothing with this one, and end with it; one that ends
    before its time is replaced, and what it was at is tried once more.

    Args:
        work: an importable function of an item and of what to tell while it is under way. It raises nothing.
        items: plain values.
        workers: processes; those of a local Dask cluster.
        scheduler: address of a Dask scheduler, or `local` for a cluster on this machine; `None` for no Dask.
        tell: is called with what the work tells; of work on Dask nothing is told.
        preload: modules that processes share, which saves each the time and the memory; none that starts threads.

    Raises:
        MissingExtra: Dask is not installed.
        OcrkitError: no Dask scheduler answers there, or it lost all its workers.
    """
    if scheduler is not None:
        return _on_dask(work, items, workers, scheduler)
    if workers <= 1 or len(items) <= 1:
        return ((item, work(item, tell)) for item in items)
    return _on_processes(work, items, min(workers, len(items)), tell, preload)


# --- processes -------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class _Process:
    """A process, and the piece of work it is at."""

    process: Any
    item: Any = None
    tries: int = 0


def _on_processes(
    work: Work[T, R], items: Sequence[T], workers: int, tell: Tell, preload: Sequence[str]
) -> Iterator[tuple[T, R | Lost]]:
    # Not a pool of `concurrent.futures`, which is broken for all when one process ends, and does not say at what.
    todo = deque((item, _TRIES) for item in items)
    crew: dict[Connection, _Process] = {}
    context = _context(preload)
    try:
        while todo or crew:
            while todo and len(crew) < workers:
                connection, process = _started(context, work)
                crew[connection] = process
                _give(connection, process, todo)
            for connection in cast(list[Connection], wait(list(crew))):
                process = crew[connection]
                try:
                    finished, said = connection.recv()
                except (EOFError, ConnectionError):
                    _end({connection: crew.pop(connection)})
                    if process.tries > 1:
                        todo.append((process.item, process.tries - 1))
                    else:
                        yield process.item, Lost(_ending(process.process.exitcode))
                    continue
                if not finished:
                    tell(said)
                    continue
                item = process.item
                if todo:
                    _give(connection, process, todo)  # before anybody looks at what was made
                else:
                    _end({connection: crew.pop(connection)})
                yield item, said
    finally:
        _end(crew)


def _context(preload: Sequence[str]) -> Any:
    """Processes that are split from a server which has no threads, or from nothing where that cannot be had.

    A fork of this process would take over its memory, and the locks of its threads.
    """
    # The server listens at a socket in the folder for temporary files, whose path systems let be 107 bytes long.
    fits = len(os.fsencode(tempfile.gettempdir())) <= _LONGEST_FOLDER
    if "forkserver" not in multiprocessing.get_all_start_methods() or not fits:
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))  # of no effect where the server runs already
    return context


def _started(context: Any, work: Work[Any, Any]) -> tuple[Connection, _Process]:
    connection, its = context.Pipe()
    process = context.Process(target=_serve, args=(its, work), daemon=True)
    with _set(ONE_THREAD | _LEAN), _deaf():  # for the server, whose libraries look at it when they are loaded
        process.start()
    its.close()
    return connection, _Process(process)


@contextmanager
def _set(variables: Mapping[str, str]) -> Iterator[None]:
    kept = {name: os.environ[name] for name in variables if name in os.environ}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]
        os.environ.update(kept)


@contextmanager
def _deaf() -> Iterator[None]:
    """Ctrl-C waits until the end of the context, and what is started in it never hears of it.

    It goes to all processes of a terminal; one that it ended while it was being started would be a riddle to this one.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # whose own start would let Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _give(connection: Connection, process: _Process, todo: deque[tuple[Any, int]]) -> None:
    process.item, process.tries = todo.popleft()
    with suppress(ConnectionError):  # it has ended, as the next look at it tells
        connection.send(process.item)


def _end(crew: dict[Connection, _Process]) -> None:
    for connection, process in crew.items():
        connection.close()
        process.process.kill()
    for process in crew.values():
        process.process.join()


def _ending(status: int | None) -> str:
    if status is not None and status < 0:
        return f"was ended by signal {signal.Signals(-status).name}"
    return f"ended unexpectedly, with status {status}"


def _serve(connection: Connection, work: Work[Any, Any]) -> None:
    """What a process does: one piece of work after the other, for as long as the one that started it is there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the one that started this one ends it
    os.environ.update(ONE_THREAD)  # read by the libraries that the first piece of work loads
    if opencv := sys.modules.get("cv2"):  # which looked at it when it was loaded, maybe by another's server
        opencv.setNumThreads(1)
    end_with_parent()
    with suppress(EOFError, ConnectionError):
        while True:
            item = connection.recv()
            connection.send((True, work(item, lambda more: connection.send((False, more)))))


# --- Dask ------------------------------------------------------------------------------------------------------------


@contextmanager
def dask_client(scheduler: str, workers: int, extra: str) -> Iterator[Any]:
    """A client of the scheduler at an address, or of `local`: a cluster of `workers` processes on this machine.

    Args:
        scheduler: address, or `local`.
        workers: of a local cluster.
        extra: that installs Dask for what is to be done.

    Raises:
        MissingExtra: Dask is not installed.
        OcrkitError: no scheduler with a worker answers there, or all workers are lost on the way.
    """
    try:
        from distributed import CancelledError, Client, KilledWorker, LocalCluster
    except ImportError:
        raise MissingExtra(f"Work on a Dask cluster needs Dask: pip install 'ocrkit[{extra}]'.") from None

    cluster: Any = nullcontext(scheduler)
    if scheduler == "local":
        cluster = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
    with cluster as at:
        try:
            client = Client(at, timeout="5s")
            client.wait_for_workers(1, timeout=30)
        except (OSError, ValueError):
            raise OcrkitError(f"No Dask scheduler with a worker answers at {scheduler}.") from None
        try:
            with client:
                yield client
        except (KilledWorker, CancelledError):
            raise OcrkitError("The Dask cluster lost its workers; run it again to go on where it stopped.") from None


def _on_dask(work: Work[T, R], items: Sequence[T], workers: int, scheduler: str) -> Iterator[tuple[T, R | Lost]]:
    with dask_client(scheduler, workers, "cluster") as client:
        from distributed import KilledWorker

        todo, running = deque(items), dict[Any, T]()
        try:
            while todo or running:
                # Two for each worker: the next one waits while the last one's result is on its way.
                while todo and len(running) < 2 * max(1, sum(client.nthreads().values())):
                    item = todo.popleft()
                    running[client.submit(_quietly, work, item, pure=False)] = item
                for future in _finished(client, list(running)):
                    item = running.pop(future)
                    try:
                        yield item, future.result()
                    except KilledWorker:  # each time that it was tried
                        yield item, Lost("ended unexpectedly on several workers of the cluster")
        finally:
            client.cancel(list(running))


def _quietly(work: Work[T, R], item: T) -> R:
    os.environ.update(ONE_THREAD)  # read by the libraries that the first piece of work loads
    return work(item, lambda more: None)


def _finished(client: Any, futures: list[Any]) -> list[Any]:
    """Those that are done, at least one, as long as the cluster has a worker."""
    from distributed import wait as wait_for

    deserted = time.monotonic()
    while True:
        with suppress(TimeoutError):
            return list(wait_for(futures, timeout=_LOOK_S, return_when="FIRST_COMPLETED").done)
        if client.nthreads():
            deserted = time.monotonic()
        elif time.monotonic() - deserted > _DESERTED_S:
            raise OcrkitError("The Dask cluster lost its workers; run it again to go on where it stopped.")
