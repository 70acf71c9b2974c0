"""What this process may still write down once donated documents are open in it.

Opening a vault is remembered for the rest of the process: nobody can say what of a page is still in its memory. From
then on no file is written through `ocrkit.files` and nothing is recorded in MLflow unless the code that does so says
that it holds no document's content, or that it sums up at least `LEAST_DOCUMENTS` of them.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Protocol

from ocrkit.document import counted
from ocrkit.errors import PrivateData, withhold_data

LEAST_DOCUMENTS = 5
# Set by the runner of notebooks: a file that appears as soon as the kernel has opened a vault.
MARK = "OCRKIT_VAULT_MARK"

# Set for processes that are started later: they may get pages from this one.
_CHILD = "OCRKIT_VAULT_IS_OPEN"
_LOGGER = logging.getLogger(__name__)

_TMPFS = Path("/dev/shm")
# Where no temporary file may be made, it is looked for here, and the error names the reason.
_NOWHERE = "/nonexistent/no-temporary-files-while-donated-documents-are-open"
_SPILL = ("target", "spill")  # of Dask's workers: shares of memory from which on they write data to disk


class Opened(Protocol):
    """A vault as those see it who record what was done with it."""

    id: str

    def tags(self) -> Mapping[str, str]:
        """Where the log ends, the table's epoch and which objects were read: what a record of a run says."""
        ...

    def learnt(self) -> Mapping[str, Any] | None:
        """What was read to learn from, for a model's card; `None` where nothing was."""
        ...

    def record_model(self, identity: str, name: str) -> str:
        """Write into the log which model came of it; a sentence about what was withdrawn meanwhile, if anything."""
        ...


_opened: dict[str, Opened] = {}
_ever = bool(os.environ.get(_CHILD))
if _ever:
    withhold_data()
_allowed: ContextVar[bool] = ContextVar("allowed", default=False)


def vaults() -> tuple[Opened, ...]:
    """The vaults that this process has opened, in order."""
    return tuple(_opened.values())


def is_open() -> bool:
    """Whether this process has ever opened a vault."""
    return _ever


def begin(vault: Opened) -> None:
    """Note that `vault` is open, and close the ways by which memory gets to disk without anybody writing a file.

    Core dumps end; temporary files go to memory, or nowhere; Dask's workers spill nothing; messages quote no data.
    Processes that are started later inherit all of it.
    """
    global _ever  # noqa: PLW0603  # of the whole process, and never taken back
    _ever = True
    _opened[vault.id] = vault
    withhold_data()
    _no_core_dumps()
    os.environ["TMPDIR"] = tempfile.tempdir = str(_TMPFS) if _is_memory(_TMPFS) else _NOWHERE
    for name in _SPILL:
        os.environ[f"DASK_DISTRIBUTED__WORKER__MEMORY__{name.upper()}"] = "False"
    with suppress(ImportError):  # what was imported already has read its environment
        import dask

        dask.config.set({f"distributed.worker.memory.{name}": False for name in _SPILL})
    os.environ[_CHILD] = "1"
    mark = os.environ.get(MARK)
    if mark:
        with suppress(FileNotFoundError):  # of a runner that has ended
            Path(mark).touch()
    elif "ipykernel" in sys.modules:
        _LOGGER.warning("Jupyter saves what cells show: clear all outputs before you save this notebook.")


def tags() -> dict[str, str]:
    """What a record of a run says of the vaults that are open, so that it witnesses their logs."""
    joined: dict[str, list[str]] = {}
    for vault in vaults():
        for name, value in vault.tags().items():
            joined.setdefault(name, []).append(value)
    return {name: ",".join(values) for name, values in joined.items()}


def has_private_temporary_folder() -> bool:
    """Whether temporary files stay in memory."""
    return _is_memory(Path(tempfile.gettempdir()))


def check_documents(documents: int, what: str) -> None:
    """Refuse `what` where it is about fewer documents than it may be, once a vault is open.

    Raises:
        PrivateData: it is.
    """
    if _ever and documents < LEAST_DOCUMENTS:
        raise PrivateData(
            f"{what} would be about {counted(documents, 'donated document')}: while a vault is open, "
            f"nothing is told of fewer than {LEAST_DOCUMENTS}."
        )


def check_write(path: str | Path) -> None:
    """Refuse to write a file that nobody has said is free of donated content.

    Raises:
        PrivateData: a vault is open, and this is not within `aggregate` or `without_content`.
    """
    if _ever and not _allowed.get():
        raise PrivateData(f"{path} is not written: it could hold donated documents, which stay in their vault.")


@contextmanager
def aggregate(documents: int, what: str) -> Iterator[None]:
    """Around the writing of figures that sum up `documents` documents.

    Raises:
        PrivateData: a vault is open, and they are too few.
    """
    check_documents(documents, what)
    with without_content():
        yield


@contextmanager
def without_content() -> Iterator[None]:
    """Around the writing of what holds nothing of any document, such as weights or the name of a run."""
    token = _allowed.set(True)
    try:
        yield
    finally:
        _allowed.reset(token)


def swap_in_clear() -> list[str]:
    """The swap areas that are neither in memory nor encrypted: pages in memory may get there."""
    try:
        lines = Path("/proc/swaps").read_text("utf-8").splitlines()[1:]
    except OSError:  # not Linux
        return []
    return [area for line in lines if not _is_sealed(area := line.split()[0])]


def _is_sealed(area: str) -> bool:
    name = Path(os.path.realpath(area)).name
    if name.startswith("zram"):
        return True
    with suppress(OSError):
        return Path(f"/sys/block/{name}/dm/uuid").read_text("utf-8").startswith("CRYPT-")
    return False


def _no_core_dumps() -> None:
    try:
        import resource
    except ImportError:  # Windows writes none
        return
    # A kernel that pipes dumps into a program does so whatever the limit, unless that is 1 byte (fs/coredump.c).
    with suppress(OSError):
        piped = Path("/proc/sys/kernel/core_pattern").read_text("utf-8").startswith("|")
        resource.setrlimit(resource.RLIMIT_CORE, (int(piped), int(piped)))
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _is_memory(folder: Path) -> bool:
    """Whether a folder is one that can be written to, on a file system in memory."""
    try:
        mounts = Path("/proc/self/mounts").read_text("utf-8").splitlines()
    except OSError:
        return False
    points = {line.split()[1].replace("\\040", " "): line.split()[2] for line in mounts}
    here = folder.resolve()
    kind = next((points[str(part)] for part in (here, *here.parents) if str(part) in points), "")
    return kind in ("tmpfs", "ramfs") and os.access(here, os.W_OK)
