"""Where the sealed objects lie, a local folder or a bucket; and files that are there whole, also after a power cut."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from ocrkit.errors import BadVault, MissingExtra, OcrkitError
from ocrkit.files import part_beside

# A service that does not answer is asked twice, and not for minutes.
_PATIENCE = {"retries": {"max_attempts": 2}, "connect_timeout": 5, "read_timeout": 30}


class StoreDown(OcrkitError):
    """The place of the objects does not answer, or refuses."""


class Store:
    """Sealed objects by random names.

    Args:
        url: as fsspec takes it, such as `s3://bucket/prefix`; a path is a local folder.

    Raises:
        MissingExtra: the package for that kind of place is not installed.
        BadVault: there is no such kind of place.
    """

    def __init__(self, url: str) -> None:
        try:
            from fsspec.core import url_to_fs
        except ImportError:
            raise MissingExtra("Donated documents need fsspec: pip install 'ocrkit[vault]'.") from None
        self.url = url
        options = {"config_kwargs": _PATIENCE} if url.startswith("s3://") else {}
        try:
            self._fs, self._root = url_to_fs(url, **options)
        except ImportError as error:
            raise MissingExtra(f"{url} needs another package: {error}.") from None
        except ValueError as error:
            raise BadVault(f"{url} is no place for objects: {error}.") from None
        self._is_local = "file" in self._protocols()

    def put(self, data: bytes) -> str:
        """Keep `data` under a new random name, which is returned once it is safe.

        Raises:
            StoreDown: it cannot be kept.
        """
        name = secrets.token_hex(16)
        if self._is_local:
            path = Path(self._path(name))
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreDown(f"The vault's objects in {self.url} cannot be written: {error.strerror}.") from None
            write_synced(path, data)
        else:
            self._do("written", self._fs.pipe_file, self._path(name), data)
        return name

    def get(self, name: str) -> bytes:
        """The bytes under `name`.

        Raises:
            BadVault: there are none.
            StoreDown: they cannot be read.
        """
        try:
            return bytes(self._do("read", self._fs.cat_file, self._path(name)))
        except FileNotFoundError:
            raise BadVault(
                f"The object {name} is not in {self.url}: the vault was copied in part, or somebody deleted it."
            ) from None

    def delete(self, names: Iterable[str]) -> None:
        """Remove what is there of `names`.

        Raises:
            StoreDown: something cannot be removed.
        """
        for name in names:
            with suppress(FileNotFoundError):
                self._do("deleted", self._fs.rm_file, self._path(name))

    def names(self) -> set[str]:
        """The names of all that is kept; what writers that were killed left half-written is not among them.

        Raises:
            StoreDown: the place cannot be listed.
        """
        self._do("listed", self._fs.invalidate_cache)
        return {Path(path).name for path in self._do("listed", self._fs.find, self._root)} - {""}

    def _protocols(self) -> tuple[str, ...]:
        named = self._fs.protocol
        return (named,) if isinstance(named, str) else tuple(named)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name[:2]}/{name}"

    def _do(self, what: str, work: Any, *arguments: Any) -> Any:
        try:
            return work(*arguments)
        except FileNotFoundError:
            raise
        except Exception as error:  # a bucket's client raises its own, whatever went wrong
            reason = getattr(error, "strerror", None) or " ".join(str(error).split())
            raise StoreDown(f"The vault's objects in {self.url} cannot be {what}: {reason.rstrip('.')}.") from None


def write_synced(path: Path, data: bytes) -> None:
    """Write `data` so that after a crash or power cut `path` holds either all of it or what it held before.

    Raises:
        StoreDown: it cannot be written; then nothing has changed.
    """
    try:
        with part_beside(path, partial(Path.touch, mode=0o600)) as part:
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise StoreDown(f"{path} cannot be written: {error.strerror or error}. Nothing was changed.") from None
    except OcrkitError as error:
        raise StoreDown(f"{error} Nothing was changed.") from None


def _sync_folder(folder: Path) -> None:
    """Make sure that names in `folder` outlast a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
