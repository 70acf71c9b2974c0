"""Files beyond this machine, by addresses such as `s3://bucket/scans`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ocrkit.errors import MissingExtra, OcrkitError

_SCHEME = "://"
_WITHOUT_FOLDERS = {"s3", "s3a", "gs", "gcs", "abfs", "az"}  # where to make one would make a bucket


def is_remote(path: str) -> bool:
    """Whether `path` is an address rather than a path of this machine."""
    return _SCHEME in path


def file_system(address: str) -> tuple[Any, str]:
    """fsspec's file system of an address, and the path within it.

    Raises:
        MissingExtra: what speaks to it is not installed.
        OcrkitError: there is no such kind of address.
    """
    scheme = address.partition(_SCHEME)[0]
    try:
        from fsspec.core import url_to_fs

        with told(address):
            fs, path = url_to_fs(address)
    except ImportError as error:
        extra = "s3" if scheme in ("s3", "s3a") or error.name == "fsspec" else None
        wanted = f"pip install 'ocrkit[{extra}]'" if extra else "install the package that fsspec names for it"
        raise MissingExtra(f"Addresses that begin with {scheme}:// need one package more: {wanted}.") from None
    return fs, path


@contextmanager
def told(address: str) -> Iterator[None]:
    """What the libraries that speak to `address` raise, as a sentence.

    Raises:
        OcrkitError: with what they said.
    """
    try:
        yield
    except (OcrkitError, ImportError, MemoryError):
        raise
    except FileNotFoundError:
        raise OcrkitError(f"There is nothing at {address}.") from None
    except PermissionError:
        raise OcrkitError(f"{address} may not be accessed with the keys that are set.") from None
    except Exception as error:  # each storage has classes of its own
        said = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise OcrkitError(f"{address} cannot be reached: {said}.") from None


def fetched(address: str) -> bytes:
    """The content of the file at an address.

    Raises:
        OcrkitError: it cannot be fetched.
    """
    fs, path = file_system(address)
    with told(address):
        return bytes(fs.cat_file(path))


def send(fs: Any, path: str, content: bytes | Path) -> None:
    """Write a file; those of object storages appear when all of it is there."""
    if not _WITHOUT_FOLDERS.intersection([fs.protocol] if isinstance(fs.protocol, str) else fs.protocol):
        fs.makedirs(path.rpartition("/")[0], exist_ok=True)
    if isinstance(content, bytes):
        fs.pipe_file(path, content)
    else:
        fs.put_file(str(content), path)


def identity(fs: Any, path: str) -> str:
    """What changes when the file does, as its storage tells it without sending the file."""
    info = fs.info(path)
    tag = next((info[key] for key in ("ETag", "etag", "md5Hash", "md5") if info.get(key)), None)
    return str(tag or fs.ukey(path)).strip('"')
