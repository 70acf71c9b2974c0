"""SQLite files that several processes and threads write at once, and in which nothing that was deleted stays."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from ocrkit.errors import OcrkitError
from ocrkit.files import make_folder

_PAGE_BYTES = 16384  # so that rows of a kilobyte or two waste little of it
_PATIENCE_S = 30.0  # for another writer


class StoreFailed(OcrkitError):
    """A file of the service that cannot be read or written."""


class DiskFull(StoreFailed):
    """No room is left for the service's files."""


class Database:
    """A file with a connection for each thread.

    Args:
        path: of the file; made with its folder where it is missing.
        schema: SQL that makes what is missing.
        synchronous: `FULL` keeps what was committed through a power cut, `NORMAL` through the end of any process.
        secure_delete: `ON` overwrites what is deleted at once, `FAST` may leave it on unused pages until `scrub`.

    Raises:
        StoreFailed: it cannot be opened, or is no database.
    """

    def __init__(
        self,
        path: Path,
        schema: str,
        synchronous: Literal["FULL", "NORMAL"] = "FULL",
        secure_delete: Literal["ON", "FAST"] = "ON",
    ) -> None:
        self.path = path
        self._synchronous, self._secure_delete = synchronous, secure_delete
        self._local = threading.local()
        make_folder(path.parent)
        with self.failures():
            self.connection.executescript(schema)

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's; statements outside `writing` commit by themselves."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = sqlite3.connect(self.path, timeout=_PATIENCE_S, isolation_level=None)
            found.row_factory = sqlite3.Row
            try:
                found.execute(f"PRAGMA page_size={_PAGE_BYTES}")  # of a file that is new
                found.execute("PRAGMA journal_mode=WAL")
                found.execute(f"PRAGMA synchronous={self._synchronous}")
                found.execute(f"PRAGMA secure_delete={self._secure_delete}")
            except sqlite3.Error:
                found.close()
                raise
            self._local.connection = found
        return found

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection, its errors as sentences."""
        with self.failures():
            yield self.connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all that is done in it, or nothing.

        Raises:
            DiskFull: no room.
            StoreFailed: another process holds the file for too long, or it is damaged.
        """
        with self.failures():
            connection = self.connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def scrub(self) -> None:
        """Rewrite the file, so that it and its log hold nothing but what is in the tables now.

        Raises:
            StoreFailed: somebody reads it all the time.
        """
        with self.failures():
            self.connection.execute("VACUUM")
            (busy, _, _) = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreFailed(f"{self.path} is in use, so its log still holds what was deleted: try again.")

    def close(self) -> None:
        """Close this thread's connection."""
        if (found := getattr(self._local, "connection", None)) is not None:
            found.close()
            self._local.connection = None

    @contextmanager
    def failures(self) -> Iterator[None]:
        """What SQLite raises, as sentences."""
        try:
            yield
        except sqlite3.Error as error:
            said = str(error)
            if "full" in said:
                raise DiskFull(f"{self.path} cannot grow, since the disk is full: make room, then go on.") from None
            if "locked" in said or "busy" in said:
                raise StoreFailed(f"{self.path} is held by another process: try again.") from None
            raise StoreFailed(f"{self.path} cannot be used: {said}.") from None
