"""Engines by name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import cv2

from ocrkit.engines.azure import AzureReadEngine
from ocrkit.engines.base import Engine
from ocrkit.engines.google_vision import GoogleVisionEngine
from ocrkit.engines.own import OwnEngine
from ocrkit.engines.process import EngineProcess
from ocrkit.engines.rapidocr import RapidOcrEngine
from ocrkit.engines.tesseract import TesseractEngine
from ocrkit.engines.textract import TextractEngine
from ocrkit.errors import BadParams

# Those that work on this machine, then those that documents are sent to, for money.
LOCAL = (OwnEngine, TesseractEngine, RapidOcrEngine)
CLOUD = (TextractEngine, GoogleVisionEngine, AzureReadEngine)
ENGINES: dict[str, Any] = {engine.name: engine for engine in (*LOCAL, *CLOUD)}
LOCAL_NAMES = tuple(engine.name for engine in LOCAL)


def missing_engines(names: Iterable[str] = LOCAL_NAMES) -> dict[str, str]:
    """Those of `names` that cannot be used here, each with a sentence why.

    Raises:
        BadParams: there is no such engine.
    """
    return {name: reason for name in names if (reason := _class(name).missing())}


def load_engine(name: str, threads: int = 1, **options: Any) -> Engine:
    """The engine called `name`, ready to read in this process.

    Args:
        name: one of `ENGINES`.
        threads: that it may use, of OpenCV too; a service's threads are its own affair.
        options: others of its class.

    Raises:
        BadParams: there is no such engine.
        MissingExtra: its program or package is not installed, or a service lacks its key.
    """
    engine = _class(name)
    if engine in CLOUD:
        return engine(**options)
    cv2.setNumThreads(threads)
    return engine(threads, **options)


def start_engine(name: str, threads: int = 1, timeout_s: float = 60.0, **options: Any) -> EngineProcess:
    """The engine of `load_engine` in a process of its own, with `timeout_s` seconds for a page.

    The process is spawned, so a script calls this below `if __name__ == "__main__":` only.
    """
    return EngineProcess(partial(load_engine, name, threads, **options), timeout_s)


def _class(name: str) -> Any:
    if name not in ENGINES:
        raise BadParams(f"There is no engine {name!r}; choose among {', '.join(ENGINES)}.")
    return ENGINES[name]
