"""Writing files so that they are there whole or not at all, saying why when they cannot be, and telling them apart."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ocrkit import privacy
from ocrkit.errors import BadDataset, OcrkitError


def write_whole(path: str | Path, content: bytes | str) -> Path:
    """Write `content` (text as UTF-8) under a temporary name, then rename; returns the path.

    Raises:
        OcrkitError: the folder or file cannot be written, or the disk is full. Nothing half-written stays behind and
            an older file of that name is kept.
        PrivateData: donated documents are open, and nobody has said that this holds nothing of them.
    """
    path = Path(path)
    privacy.check_write(path)
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    # Of a long name only the end, so that what is put around it fits into the 255 bytes that a name may have.
    temporary = path.parent / f".{path.name[-50:]}.{os.getpid()}.part"
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_bytes(data)  # a device or pipe, such as /dev/stdout, must not be renamed over
            return path
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except OSError as error:
        raise OcrkitError(f"{path} cannot be written: {error.strerror or error}.") from None
    finally:
        with suppress(OSError):  # its folder is missing or closed to us: then nothing of ours is in it
            temporary.unlink(missing_ok=True)
    return path


def refuse_to_overwrite(targets: Iterable[Path], inputs: Iterable[str | Path], force: bool) -> None:
    """Check that writing `targets` loses nobody's file: no input, and nothing that is there unless by `force`.

    Raises:
        OcrkitError: something would be lost.
    """
    inputs = [path for path in inputs if os.path.isfile(path)]
    there = [path for path in targets if os.path.isfile(path)]  # devices and pipes lose nothing
    for path in there:
        if any(os.path.samefile(path, source) for source in inputs):
            raise OcrkitError(f"{path} is what is to be read: name another place for the result.")
    if there and not force:
        more = f" and {len(there) - 1} more are" if len(there) > 1 else " is"
        raise OcrkitError(f"{there[0]}{more} there already: name another place, or write over with --force.")


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
        raise OcrkitError(f"The folder {path} cannot be made: {error.strerror or error}.") from None
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


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A hidden folder beside `path` to write into, which becomes `path` once all is written; removed where that fails.

    Raises:
        OcrkitError: it cannot be made, or `path` holds something by then.
    """
    make_folder(path.parent)
    try:
        hidden = TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise OcrkitError(f"{path} cannot be written: {error.strerror or error}.") from None
    with hidden as parent:
        folder = make_folder(Path(parent) / path.name)
        yield folder
        try:
            folder.replace(path)
        except OSError as error:
            raise OcrkitError(f"{path} cannot be written: {error.strerror or error}.") from None


def digest(path: Path) -> str:
    """The MD5 that DVC gives a file or folder, computed from the bytes that are there.

    A folder's is the MD5 of the sorted list of its files and theirs, with `.dir` appended, as in dvc-data.
    """
    if path.is_file():
        return checksum(path, "md5")
    files = {p.relative_to(path).as_posix(): p for p in path.rglob("*") if p.is_file()}
    entries = [{"md5": digest(files[name]), "relpath": name} for name in sorted(files)]
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"
