"""Engines by name."""

from __future__ import annotations

from typing import Any

from ocrkit.engines.base import Engine
from ocrkit.engines.own import OwnEngine
from ocrkit.engines.rapidocr import RapidOcrEngine
from ocrkit.engines.tesseract import TesseractEngine
from ocrkit.errors import BadParams

ENGINES: dict[str, type[OwnEngine] | type[TesseractEngine] | type[RapidOcrEngine]] = {
    engine.name: engine for engine in (OwnEngine, TesseractEngine, RapidOcrEngine)
}


def missing_engines() -> dict[str, str]:
    """Engines that cannot be used here, each with a sentence why."""
    return {name: reason for name, engine in ENGINES.items() if (reason := engine.missing())}


def load_engine(name: str, **options: Any) -> Engine:
    """The engine called `name`, ready to read.

    Args:
        name: one of `ENGINES`.
        options: of its class, such as `threads`.

    Raises:
        BadParams: there is no such engine.
        MissingExtra: its program or package is not installed.
    """
    if name not in ENGINES:
        raise BadParams(f"There is no engine {name!r}; choose among {', '.join(ENGINES)}.")
    return ENGINES[name](**options)
