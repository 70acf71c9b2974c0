"""Writing files so that they are there whole or not at all, saying why when they cannot be, and telling them apart."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from errno import EDQUOT, EISDIR, ENOSPC
from pathlib import Path
from secrets import token_hex
from typing import Any, BinaryIO

from ocrkit import privacy
from ocrkit.errors import BadDataset, OcrkitError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_PART = re.compile(r"\..*\.[0-9a-f]{8}\.part")  # the hidden name of what is being written
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # of renameat2(2)
_swept: set[str] = set()  # folders that this process has looked through for what killed ones left


def write_whole(path: str | Path, content: bytes | str) -> Path:
    """Write `content` (text as UTF-8) under a temporary name, then rename; returns the path.

    Raises:
        OcrkitError: the folder or file cannot be written, or the disk is full. Nothing half-written stays behind and
            an older file of that name is kept.
        PrivateData: donated documents are open, and nobody has said that this holds nothing of them.
    """
    with whole_file(path) as file:
        file.write(content.encode("utf-8", "replace") if isinstance(content, str) else content)
    return Path(path)


@contextmanager
def whole_file(path: str | Path) -> Iterator[BinaryIO]:
    """A hidden file beside `path` to write into, which becomes `path` once all is written; removed where that fails.

    What a killed process left of such files is removed by the next process that writes into the folder.

    Raises:
        OcrkitError: see `write_whole`.
    """
    path = Path(path)
    privacy.check_write(path)
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            with path.open("wb") as file:  # a device or pipe, such as /dev/stdout, must not be renamed over
                yield file
            return
        with part_beside(path, Path.touch) as part:
            with part.open("wb") as file:
                yield file
            os.replace(part, path)
    except OSError as error:
        raise OcrkitError(f"{shown(path)} cannot be written: {error.strerror or error}.") from None


@contextmanager
def whole_folder(path: Path, replace: bool = False) -> Iterator[Path]:
    """A hidden folder beside `path` to write into, which becomes `path` once all is written; removed where that fails.

    What a killed process left of such folders is removed by the next process that writes beside it.

    Args:
        path: of the folder.
        replace: take the place of a folder that is there, in one step; what it held is lost.

    Raises:
        OcrkitError: it cannot be made, the disk is full, or `path` holds something by then and is not to be replaced.
    """
    make_folder(path.parent)
    with part_beside(path, Path.mkdir) as part:
        folder = make_folder(part / path.name)
        try:
            yield folder
        except OSError as error:
            if error.errno not in (ENOSPC, EDQUOT):  # what was read, say, is missing
                raise
            raise OcrkitError(f"{path} cannot be written: {error.strerror}.") from None
        try:
            if replace and path.exists():
                _exchange(folder, path)
            else:
                folder.replace(path)
        except OSError as error:
            raise OcrkitError(f"{path} cannot be written: {error.strerror or error}.") from None


def shown(path: str | Path) -> Path:
    """`path` as messages name it: in the folder that the hidden one of `whole_folder` is to become."""
    return Path(*(name for name in Path(path).parts if not _PART.fullmatch(name)))


@contextmanager
def part_beside(path: Path, make: Callable[[Path], None]) -> Iterator[Path]:
    """A hidden file or folder beside `path`, locked as long as its process lives and needs it, then removed.

    Raises:
        OcrkitError: it cannot be made.
    """
    sweep(path.parent)
    try:
        part, lock = _made(path, make)
    except OSError as error:
        folder = shown(path).parent
        why = error.strerror or error if os.path.lexists(path.parent) else f"there is no folder {folder}"
        raise OcrkitError(f"{shown(path)} cannot be written: {why}.") from None
    try:
        yield part
    finally:
        _remove(part)
        if lock is not None:
            os.close(lock)


def _made(path: Path, make: Callable[[Path], None]) -> tuple[Path, int | None]:
    while True:
        # Of a long name only the end, so that what is put around it fits into the 255 bytes that a name may have.
        part = path.parent / f".{path.name[-50:]}.{token_hex(4)}.part"
        make(part)
        try:
            lock = _locked(part)
            if os.path.lexists(part):
                return part, lock
            os.close(lock)
        except (BlockingIOError, FileNotFoundError):
            pass  # another process took it for left behind, just before it was locked
        except OSError:
            return part, None  # no locks here: then nothing is taken for left behind either


def sweep(folder: Path) -> None:
    """Remove what killed processes left half-written in `folder`, once; what a living one writes is locked."""
    if (name := os.path.abspath(folder)) in _swept:
        return
    _swept.add(name)
    with suppress(OSError):  # it is missing or closed to us: then nothing of ours is in it
        for part in filter(_PART.fullmatch, os.listdir(folder)):
            with suppress(OSError):
                lock = _locked(folder / part)
                _remove(folder / part)
                os.close(lock)


def _locked(path: Path) -> int:
    """A descriptor that locks a file or folder until it is closed, if only by the end of the process.

    Raises:
        OSError: another process has the lock, or the system has none.
    """
    if fcntl is None:
        raise OSError("no locks")
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _exchange(one: Path, other: Path) -> None:
    """Swap two folders: in one step where the system can, else so that a failure leaves them as they were."""
    from ctypes import CDLL

    swap = getattr(CDLL(None), "renameat2", None)
    names = os.fsencode(one), os.fsencode(other)
    if swap and swap(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return
    aside = one.with_name(f"{one.name}.old")
    other.rename(aside)
    try:
        one.rename(other)
    except OSError:
        aside.rename(other)
        raise


def same_file(one: str | Path, other: str | Path) -> bool:
    """Whether two paths lead to one file, by whatever names and links."""
    with suppress(OSError, ValueError):  # one is not there
        return os.path.samefile(one, other)
    return False


def refuse_to_overwrite(targets: Iterable[Path], inputs: Iterable[str | Path], force: bool) -> None:
    """Check that writing `targets` loses nobody's file: no input, and nothing that is there unless by `force`.

    Raises:
        OcrkitError: something would be lost.
    """
    inputs = list(inputs)
    # Devices and pipes lose nothing; a link to nowhere, or round in a circle, is somebody's, too.
    there = [path for path in targets if os.path.isfile(path) or (os.path.islink(path) and not os.path.exists(path))]
    for path in there:
        if any(same_file(path, source) for source in inputs):
            raise OcrkitError(f"{path} is what is to be read: name another place for the result.")
    if there and not force:
        more = f" and {len(there) - 1} more are" if len(there) > 1 else " is"
        raise OcrkitError(f"{there[0]}{more} there already: name another place, or write over with --force.")


def check_writable(paths: Iterable[Path]) -> None:
    """Find out before the work, rather than after it, whether its results can be written to `paths`.

    Raises:
        OcrkitError: there is no such folder, it is closed to us, or a folder has the name of a file.
    """
    for path in paths:
        if path.is_dir():
            raise OcrkitError(f"{path} cannot be written: {os.strerror(EISDIR)}.")
        if path.is_file() or not path.exists():  # a device or pipe is written to as it is
            with part_beside(path, Path.touch):
                pass


def folder_name(folder: Path) -> str:
    """The name of a folder, also of `.` and of what a symbolic link leads to."""
    with suppress(OSError, RuntimeError):  # the working folder was deleted, or links go round in a circle
        return folder.resolve().name
    return folder.name


def make_folder(path: str | Path) -> Path:
    """Make the folder `path` and those above it where they are missing; returns it.

    Raises:
        OcrkitError: it cannot be made.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OcrkitError(f"The folder {shown(path)} cannot be made: {error.strerror or error}.") from None
    return path


def plain(value: Any) -> Any:
    """`value` as JSON can hold it: NumPy's numbers as Python's, tuples as lists, no finite number as `None`."""
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "dtype") and hasattr(value, "item"):  # NumPy's, which need not be imported to be told
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def checksum(path: Path, algorithm: str = "sha256") -> str:
    """Digest of a file's content, in hexadecimal.

    Raises:
        BadDataset: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            # For telling files apart only, which MD5 may do where it is forbidden for secrets.
            return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise BadDataset(f"{path} cannot be read: {error.strerror or error}.") from None


def digest(path: Path) -> str:
    """The MD5 that DVC gives a file or folder, computed from the bytes that are there.

    A folder's is the MD5 of the sorted list of its files and theirs, with `.dir` appended, as in dvc-data.
    """
    if path.is_file():
        return checksum(path, "md5")
    files = {p.relative_to(path).as_posix(): p for p in path.rglob("*") if p.is_file()}
    entries = [{"md5": digest(files[name]), "relpath": name} for name in sorted(files)]
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"
