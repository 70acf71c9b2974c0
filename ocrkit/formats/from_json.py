"""A document back from the JSON that it was told in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ocrkit.document import Document, Line, Page, Word
from ocrkit.errors import OcrkitError, quoted, reason


def load_document(source: str | Path | Mapping[str, Any]) -> Document:
    """The document that `Document.to_dict` told, in a JSON file, as JSON, or as it was returned.

    Raises:
        OcrkitError: there is no such file, or it tells something else.
    """
    name = "The JSON"
    try:
        if isinstance(source, Mapping):
            told = source
        elif isinstance(source, str) and source.lstrip().startswith("{"):
            told = json.loads(source)
        else:
            name = str(source)
            told = json.loads(Path(source).read_text(encoding="utf-8"))
        return Document(tuple(map(_page, told["pages"])), str(told["source"]), str(told["engine"]))
    except OSError as error:
        raise OcrkitError(f"{name} cannot be read: {reason(error)}.") from None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise OcrkitError(f"{name} does not tell one document as `ocrkit read` does: {quoted(str(error))}.") from None


def _page(told: Mapping[str, Any]) -> Page:
    sheet = told.get("sheet_pt")
    return Page(
        int(told["number"]),
        int(told["width"]),
        int(told["height"]),
        tuple(map(_line, told["lines"])),
        rotation=int(told.get("rotation", 0)),
        turn=int(told.get("turn", 0)),
        dpi=None if told.get("dpi") is None else float(told["dpi"]),
        sheet_pt=None if sheet is None else (float(sheet[0]), float(sheet[1])),
        error=told.get("error"),
        left_out={str(reason): int(count) for reason, count in told.get("left_out", {}).items()},
    )


def _line(told: Mapping[str, Any]) -> Line:
    words = tuple(map(_word, told["words"]))
    if not words:
        raise ValueError("a line has no words")
    return Line(words, int(told.get("paragraph", 0)))


def _word(told: Mapping[str, Any]) -> Word:
    quad = np.array(told["quad"], float)
    if quad.shape != (4, 2) or not np.isfinite(quad).all():
        raise ValueError(f"{told['quad']} is not four corners")
    return Word(str(told["text"]), quad, float(told.get("confidence", 1)), bool(told.get("doubtful", False)))
