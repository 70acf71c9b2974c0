"""Engines by name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import cv2

from ocrkit.engines.base import Engine
from ocrkit.engines.process import EngineProcess
from ocrkit.errors import BadParams, BadPlugin
from ocrkit.plugins import Plugins

# Each a class of the face `Engine`, made with its number of `threads`.
ENGINES = Plugins("engine", methods=("read", "recognize", "missing"))
# Those that are asked where none is named. Others may send the pages away, or cost money.
LOCAL_NAMES = ("ours", "tesseract", "rapidocr")
_FACE = ("name", "version", "usd_per_page", "model", "steps", "peak_mb", "is_private")


def missing_engines(names: Iterable[str] = LOCAL_NAMES) -> dict[str, str]:
    """Those of `names` that cannot be used here, each with a sentence why.

    Raises:
        BadParams: there is no such engine.
    """
    return {name: reason for name in names if (reason := _missing(name))}


def load_engine(name: str, threads: int = 1, **options: Any) -> Engine:
    """The engine called `name`, ready to read in this process.

    Args:
        name: one of `ENGINES`.
        threads: that it may use, of OpenCV too; a service's threads are its own affair.
        options: others of its class.

    Raises:
        BadParams: there is no such engine.
        MissingExtra: its program or package is not installed, or a service lacks its key.
        BadPlugin: it is another package's, and cannot be made.
    """
    engine = _class(name)
    cv2.setNumThreads(threads)
    with ENGINES.blaming(name):
        made = engine(threads=threads, **options)
        if lacking := [part for part in _FACE if not hasattr(made, part)]:
            raise TypeError(f"it has no {lacking[0]}; its class should inherit ocrkit.engines.Engine")
    return made


def start_engine(name: str, threads: int = 1, timeout_s: float = 60.0, **options: Any) -> EngineProcess:
    """The engine of `load_engine` in a process of its own, with `timeout_s` seconds for a page.

    The process is spawned, so a script calls this below `if __name__ == "__main__":` only.
    """
    return EngineProcess(partial(load_engine, name, threads, **options), timeout_s)


def _missing(name: str) -> str | None:
    try:
        engine = _class(name)
        with ENGINES.blaming(name):
            return engine.missing()
    except BadPlugin as error:
        return str(error)


def _class(name: str) -> Any:
    if name not in ENGINES:
        raise BadParams(f"There is no engine {name!r}; choose among {', '.join(ENGINES)}.")
    return ENGINES[name]
