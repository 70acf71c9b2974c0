"""The champion of MLflow's registry, for the reading service: asked for now and then, pinned by number."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ocrkit.errors import OcrkitError
from ocrkit.experiment import setup
from ocrkit.experiment.kept import connect
from ocrkit.files import make_folder
from ocrkit.recognition.model import identity, released_folder
from ocrkit.service.intake import Choose
from ocrkit.service.queue import Pinned
from ocrkit.studies.registry import Registry

_LOG = logging.getLogger("ocrkit.service")
EVERY_S = 30.0


def choose_champion(folder: Path, ask: Callable[[Path], Pinned] | None = None, every_s: float = EVERY_S) -> Choose:
    """A function that says which model reads a document: the champion, asked for again every `every_s`.

    Where the registry does not answer, the last champion reads on.

    Args:
        folder: for models that no release brings.
        ask: gives the champion now; by default asks MLflow.
        every_s: between questions.

    Raises:
        StoreDown: the registry does not answer the first time.
    """
    ask = ask or champion
    pinned, asked = ask(folder), time.monotonic()
    lock = threading.Lock()

    def choose(digest: str) -> Pinned:
        nonlocal pinned, asked
        with lock:
            if time.monotonic() - asked >= every_s:
                asked = time.monotonic()
                try:
                    pinned = ask(folder)
                except OcrkitError as error:
                    _LOG.warning("registry does not answer", extra={"reason": str(error)})
            return pinned

    return choose


def champion(folder: Path) -> Pinned:
    """The registry's champion, its files in `folder` or in a release.

    Raises:
        StoreDown: the registry does not answer.
        BadModel: its files are damaged.
    """
    experiment, client = connect(setup.CHAMPION)
    version = Registry(client, experiment).champion()
    digest, name = version.tags["digest"], version.tags["model"]
    return Pinned(str(_files(folder, str(version.source), name, digest)), name, digest, int(version.version))


def _files(folder: Path, source: str, name: str, digest: str) -> Path:
    for released in released_folder().glob("*/card.json"):
        if identity(released.parent) == digest:
            return released.parent
    kept = folder.absolute() / digest
    if not kept.is_dir():
        from mlflow.artifacts import download_artifacts

        with tempfile.TemporaryDirectory(dir=make_folder(folder)) as temporary:
            fetched = Path(download_artifacts(f"{source}/artifacts/{name}", dst_path=temporary))
            if identity(fetched) != digest:
                raise OcrkitError(f"The registry's champion is another model than its version says: {source}.")
            shutil.move(fetched, kept)
    return kept
