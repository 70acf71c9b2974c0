"""Whatever has documents read: jails on this machine; see `ocrkit.service.cluster` for those on others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from ocrkit.errors import OcrkitError
from ocrkit.options import options_class
from ocrkit.service.database import DiskFull
from ocrkit.service.jail import READER, Jails
from ocrkit.service.queue import Job, QueueOptions
from ocrkit.service.results import Result, ResultWriter, StoredPage
from ocrkit.service.store import Shared
from ocrkit.service.walls import Limits

_MODELS = 2  # that are kept warm at once: the one in use, and the one before or after it


@options_class
class WorkOptions:
    """How documents are read.

    Attributes:
        jails: at once.
        mode: of the jails; see `ocrkit.service.jail`.
        limits: of a document.
        queue: leases and tries.
        dask: address of a scheduler whose workers read; empty: this machine reads.
        shared: place of documents and results; empty: the store's own folder.
        model: folder of the one that is warm from the beginning; empty: none is.
        make: "module:function" that makes the reader.
    """

    jails: int = 1
    mode: str = "fork"
    limits: Limits = Limits()
    queue: QueueOptions = QueueOptions()
    dask: str = ""
    shared: str = ""
    model: str = ""
    make: str = READER


class Reads(Protocol):
    """Whatever has a job's document read and its result written into the shared store."""

    def read(self, job: Job, on_page: Callable[[int], object]) -> None:
        """Read it; `on_page` is told how many pages have been read by now, where that is known.

        Raises:
            Refused: see `Jails.read`.
            ReaderDied: see `Jails.read`.
            StoreFailed: the document or the result cannot be kept.
            NoJail: no jail can be had.
        """
        ...

    @property
    def pids(self) -> list[int]:
        """The processes that are kept warm here."""
        return []

    def close(self) -> None:
        """Let go of what was started."""


class LocalReads:
    """Jails on this machine, by model.

    Args:
        shared: where documents and results lie.
        options: of the jails.
    """

    def __init__(self, shared: Shared, options: WorkOptions) -> None:
        self._shared, self._options = shared, options
        self._jails: dict[str, Jails] = {}
        self._lock = threading.Lock()
        if options.model:
            self.jails(options.model)

    def jails(self, folder: str) -> Jails:
        """Those of the model in a folder."""
        with self._lock:
            if folder not in self._jails:
                # The oldest goes only where nobody reads in it any more: else its documents would fail.
                made = Jails(folder, self._options.mode, self._options.limits, self._options.make)
                self._jails[folder] = made
                for old in list(self._jails)[:-_MODELS]:
                    if self._jails[old].is_idle():
                        self._jails.pop(old).close()
            return self._jails[folder]

    def read(self, job: Job, on_page: Callable[[int], object]) -> None:
        """Read it in a jail of its model."""
        read_into(self._shared, self.jails(job.model.folder), job, on_page)

    @property
    def pids(self) -> list[int]:
        """The zygotes, or kept jails."""
        with self._lock:
            return [pid for jails in self._jails.values() for pid in jails.pids]

    def close(self) -> None:
        """End all jails."""
        with self._lock:
            for jails in self._jails.values():
                jails.close()


def read_into(shared: Shared, jails: Jails, job: Job, on_page: Callable[[int], object]) -> Result | None:
    """Have the document of `job` read, unless its result is there already."""
    if shared.has_result(job.id):
        with suppress(OcrkitError):  # a damaged one is made anew
            shared.result(job.id)
            return None
    document = shared.read_file(job.file)
    with shared.temporary() as file, ResultWriter(file, job) as writer:

        def add(page: StoredPage, picture: bytes) -> None:
            try:
                writer.add(page, picture)
            except OSError as error:
                raise DiskFull(f"The result cannot be written: {error.strerror or error}.") from None
            on_page(len(writer.pages))

        said = jails.read(document, job.options, add)
        try:
            result = writer.finish(said.pages, said.searchable, said.why)
        except OSError as error:
            raise DiskFull(f"The result cannot be written: {error.strerror or error}.") from None
        shared.write_result(job.id, file)
    return result
