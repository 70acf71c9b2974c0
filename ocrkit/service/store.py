"""Where a service keeps what it was given and what came of it.

    store/
      queue.db      jobs; see `ocrkit.service.queue`
      index.db      words; see `ocrkit.service.index`
      files/ab/…    documents by the digest of their bytes
      results/ab/…  results by the job's id

Queue and index lie on the machine that serves. Documents and results may lie elsewhere, in any file system that fsspec
knows, for workers on other machines.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import IO, Any, cast

from ocrkit.errors import OcrkitError
from ocrkit.files import make_folder
from ocrkit.service.database import DiskFull, StoreFailed
from ocrkit.service.results import SEARCHABLE, Result, picture_name, read_part, read_result

DEFAULT = Path("service")


class Shared:
    """Documents and results, by name: in a local folder, or wherever fsspec leads.

    Args:
        place: a folder, or an address such as `s3://bucket/folder`.

    Raises:
        StoreFailed: it cannot be reached.
    """

    def __init__(self, place: str | Path) -> None:
        from fsspec.core import url_to_fs

        self.place = str(place)
        try:
            self._system, self._root = url_to_fs(self.place)
        except (ImportError, ValueError, OSError) as error:
            raise StoreFailed(f"{place} is no place for documents: {error}.") from None
        self._local = "file" in self._system.protocol

    def read_file(self, digest: str) -> bytes:
        """The bytes of a document."""
        with self._open(_file(digest)) as file:
            return file.read()

    def has_file(self, digest: str) -> bool:
        """Whether a document is there."""
        return bool(self._system.exists(self._path(_file(digest))))

    def write_file(self, digest: str, source: IO[bytes]) -> None:
        """Keep a document."""
        self._write(_file(digest), source)

    def erase_file(self, digest: str) -> None:
        """Remove a document, if it is there."""
        self._erase(_file(digest))

    def result(self, identity: str) -> Result:
        """The words of a result."""
        with self._open(_result(identity)) as file:
            return read_result(file)

    def picture(self, identity: str, number: int) -> bytes:
        """The picture of a page of a result; empty where it has none."""
        with self._open(_result(identity)) as file:
            return read_part(file, picture_name(number))

    def searchable(self, identity: str) -> bytes:
        """The document with its text, of a result that has it whole."""
        with self._open(_result(identity)) as file:
            return read_part(file, SEARCHABLE)

    def has_result(self, identity: str) -> bool:
        """Whether a result is there."""
        return bool(self._system.exists(self._path(_result(identity))))

    def result_bytes(self, identity: str) -> bytes:
        """A result as it is kept."""
        with self._open(_result(identity)) as file:
            return file.read()

    def write_result(self, identity: str, source: IO[bytes]) -> None:
        """Keep a result."""
        self._write(_result(identity), source)

    def erase_result(self, identity: str) -> None:
        """Remove a result, if it is there."""
        self._erase(_result(identity))

    @contextmanager
    def temporary(self) -> Iterator[IO[bytes]]:
        """A file without a name to write a result into, on the disk where it will lie if that is ours."""
        with _said(self.place):
            folder = make_folder(Path(self._root) / "incoming") if self._local else None
            with TemporaryFile(dir=folder) as file:
                yield cast(IO[bytes], file)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextmanager
    def _open(self, name: str) -> Iterator[IO[bytes]]:
        with _said(name):
            try:
                file = self._system.open(self._path(name), "rb")
            except FileNotFoundError:
                raise StoreFailed(f"{self.place} has no {name} any more.") from None
            with file:
                yield file

    def _write(self, name: str, source: IO[bytes]) -> None:
        """Write a file whole, or not at all."""
        source.seek(0)
        path = self._path(name)
        with _said(name):
            if not self._local:  # object stores show nothing before it is whole
                self._system.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
                with self._system.open(path, "wb") as file:
                    _copy(source, file)
                return
            make_folder(Path(path).parent)
            with NamedTemporaryFile(dir=make_folder(Path(self._root) / "incoming"), delete=False) as part:
                try:
                    _copy(source, cast(IO[bytes], part))
                    part.flush()
                    os.fsync(part.fileno())
                    os.replace(part.name, path)
                except BaseException:
                    with suppress(OSError):
                        os.unlink(part.name)
                    raise

    def _erase(self, name: str) -> None:
        with _said(name), suppress(FileNotFoundError):
            self._system.rm_file(self._path(name))


class Store(Shared):
    """The folder of a service, made where it is missing.

    Args:
        folder: for queue and index, and for everything else where `shared` names no other place.
        shared: place of documents and results.
    """

    def __init__(self, folder: str | Path = DEFAULT, shared: str | None = None) -> None:
        self.folder = make_folder(Path(folder).absolute())
        super().__init__(shared or self.folder)
        if shared is None:
            # Nobody but who runs the service has a business in other people's documents.
            with suppress(OSError):
                self.folder.chmod(0o700)

    @property
    def queue(self) -> Path:
        """The queue's database."""
        return self.folder / "queue.db"

    @property
    def index(self) -> Path:
        """The index's database."""
        return self.folder / "index.db"

    def sweep(self, older_than_s: float = 3600.0) -> None:
        """Remove what uploads that broke off have left."""
        import time

        for part in self.folder.glob("incoming/*"):
            with suppress(OSError):
                if time.time() - part.stat().st_mtime > older_than_s:
                    part.unlink()


@contextmanager
def _said(name: str) -> Iterator[None]:
    """What the machine refuses, as sentences."""
    try:
        yield
    except OcrkitError:
        raise
    except OSError as error:
        if error.errno in (ENOSPC, EDQUOT, EFBIG):
            raise DiskFull(f"{name} cannot be written, since the disk is full: make room, then go on.") from None
        raise StoreFailed(f"{name}: {error.strerror or error}.") from None


def _copy(source: IO[bytes], target: Any) -> None:
    while part := source.read(1 << 20):
        target.write(part)


def _file(digest: str) -> str:
    return f"files/{digest[:2]}/{digest}"


def _result(identity: str) -> str:
    return f"results/{identity[:2]}/{identity}.zip"
