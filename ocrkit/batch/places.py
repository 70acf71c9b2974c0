"""Where results go: a folder of this machine, or one at an address; each result is there whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Protocol

from ocrkit.batch.remote import file_system, is_remote, send, told
from ocrkit.errors import OcrkitError
from ocrkit.files import checksum, make_folder

OWN = ".ocrkit"  # in a folder of results, what a next run needs to know
_RECORDS = f"{OWN}/records"
_PARTS = f"{OWN}/parts"  # results under way; on the same file system, so that they can be moved into place


class Place(Protocol):
    """A folder of results, known by plain values, so that it can be sent to other machines."""

    @property
    def root(self) -> str:
        """Its path or address."""
        ...

    def path(self, name: str) -> str:
        """What a result is called in messages."""
        ...

    def size(self, name: str) -> int | None:
        """Bytes of a result that is there."""
        ...

    def fingerprint(self, name: str) -> str:
        """What tells whether a result that is there was changed since it was put."""
        ...

    def fingerprint_of(self, made: Path) -> str:
        """The same of a file that is to be put."""
        ...

    def put(self, made: Path, name: str) -> None:
        """Move a file of this machine into place."""
        ...

    def staging(self) -> AbstractContextManager[Path]:
        """A context whose value is a fresh folder of this machine for what is being made."""
        ...

    def record(self, name: str) -> str | None:
        """What was noted of a result."""
        ...

    def write_record(self, name: str, text: str) -> None:
        """Note something of a result."""
        ...

    def records(self) -> Iterator[str]:
        """All notes."""
        ...

    def held(self) -> AbstractContextManager[None]:
        """A context in which no other run writes there."""
        ...


def open_place(root: str) -> Place:
    """The folder at a path or an address."""
    return RemotePlace(root.rstrip("/")) if is_remote(root) else LocalPlace(root)


def _record_name(name: str) -> str:
    # Of whatever length and characters the result's name is.
    return f"{_RECORDS}/{hashlib.sha256(os.fsencode(name)).hexdigest()[:40]}.json"


@dataclass(frozen=True)
class LocalPlace:
    """A folder of this machine."""

    root: str

    def path(self, name: str) -> str:
        """The result's path."""
        return os.path.join(self.root, name)

    def size(self, name: str) -> int | None:
        """Bytes of a file, or `None` where there is none."""
        try:
            return os.stat(self.path(name)).st_size
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise OcrkitError(f"{self.path(name)} cannot be written: {error.strerror or error}.") from None

    def fingerprint(self, name: str) -> str:
        """SHA-256 of the content."""
        return self.fingerprint_of(Path(self.path(name)))

    def fingerprint_of(self, made: Path) -> str:
        """SHA-256 of the content."""
        return checksum(made) if made.is_file() else ""

    def put(self, made: Path, name: str) -> None:
        """Move a file into place, whole."""
        target = Path(self.path(name))
        make_folder(target.parent)
        try:
            os.replace(made, target)
        except OSError as error:
            raise OcrkitError(f"{target} cannot be written: {error.strerror or error}.") from None

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A fresh folder on the same file system."""
        parts = make_folder(self.path(_PARTS))
        try:
            folder = Path(mkdtemp(dir=parts))
        except OSError as error:
            raise OcrkitError(f"{self.root} cannot be written: {error.strerror or error}.") from None
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def record(self, name: str) -> str | None:
        """What was noted of a result; nothing where that cannot be read."""
        with suppress(OSError):
            return Path(self.path(_record_name(name))).read_text("utf-8", "replace")
        return None

    def write_record(self, name: str, text: str) -> None:
        """Note it, whole or not at all."""
        with self.staging() as folder:
            made = folder / "record"
            try:
                made.write_text(text, "utf-8")
            except OSError as error:
                raise OcrkitError(f"{self.path(name)} cannot be written: {error.strerror or error}.") from None
            self.put(made, _record_name(name))

    def records(self) -> Iterator[str]:
        """All notes that can be read."""
        for path in sorted(Path(self.path(_RECORDS)).glob("*.json")):
            with suppress(OSError):
                yield path.read_text("utf-8", "replace")

    @contextmanager
    def held(self) -> Iterator[None]:
        """For this run alone, and without what a killed one left half-made.

        Raises:
            OcrkitError: another run is at it, or nothing can be written there.
        """
        make_folder(self.root)
        folder = os.open(self.root, os.O_RDONLY)
        try:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)  # let go of by the system when a run is killed
            except BlockingIOError:
                raise OcrkitError(f"Another run writes into {self.root}: wait for it, or end it.") from None
            except OSError:  # a file system without locks
                pass
            if not os.access(self.root, os.W_OK | os.X_OK):
                raise OcrkitError(f"{self.root} cannot be written: Permission denied.")
            shutil.rmtree(self.path(_PARTS), ignore_errors=True)
            try:
                yield
            finally:
                shutil.rmtree(self.path(_PARTS), ignore_errors=True)
                with suppress(OSError):  # holds records
                    os.rmdir(self.path(OWN))
        finally:
            os.close(folder)


@dataclass(frozen=True)
class RemotePlace:
    """A folder at an address; what is put there appears whole, as its storage promises."""

    root: str

    def path(self, name: str) -> str:
        """The result's address."""
        return f"{self.root}/{name}"

    def size(self, name: str) -> int | None:
        """Bytes of a file, or `None` where there is none."""
        fs, path = file_system(self.path(name))
        with told(self.path(name)):
            try:
                fs.invalidate_cache()  # what another worker has put
                return int(fs.info(path)["size"] or 0) if fs.isfile(path) else None
            except FileNotFoundError:
                return None

    def fingerprint(self, name: str) -> str:
        """Its size: more would have to be sent here first."""
        return str(self.size(name))

    def fingerprint_of(self, made: Path) -> str:
        """Its size."""
        return str(made.stat().st_size)

    def put(self, made: Path, name: str) -> None:
        """Send a file; it appears when all of it is there."""
        fs, path = file_system(self.path(name))
        with told(self.path(name)):
            send(fs, path, made)

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A fresh folder of this machine."""
        with TemporaryDirectory(prefix="ocrkit-") as folder:
            yield Path(folder)

    def record(self, name: str) -> str | None:
        """What was noted of a result."""
        fs, path = file_system(self.path(_record_name(name)))
        with told(self.root):
            try:
                return bytes(fs.cat_file(path)).decode("utf-8", "replace")
            except FileNotFoundError:
                return None

    def write_record(self, name: str, text: str) -> None:
        """Note it."""
        fs, path = file_system(self.path(_record_name(name)))
        with told(self.path(name)):
            send(fs, path, text.encode())

    def records(self) -> Iterator[str]:
        """All notes."""
        fs, path = file_system(self.path(_RECORDS))
        with told(self.root):
            try:
                fs.invalidate_cache()
                found = [name for name in fs.find(path) if name.endswith(".json")]
                contents = fs.cat(found) if found else {}
            except FileNotFoundError:
                return
        for content in contents.values():
            yield bytes(content).decode("utf-8", "replace")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nothing to hold: a distant storage has no locks, and shows nothing half-made.

        Raises:
            OcrkitError: it cannot be reached.
        """
        fs, path = file_system(self.root)
        with told(self.root):
            fs.exists(path)
        yield


__all__ = ["LocalPlace", "Place", "RemotePlace", "open_place"]
