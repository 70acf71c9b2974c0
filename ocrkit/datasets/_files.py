"""What the adapters share: reading label files with an error a user can act on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ocrkit.datasets.sample import LabelledWord
from ocrkit.document import box_to_quad
from ocrkit.errors import BadDataset

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        BadDataset: it cannot be read or is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise BadDataset(f"The labels in {path} cannot be read: {error}.") from None


def image_beside(folder: Path, stem: str) -> Path:
    """The image called `stem` in `folder`, whatever its format.

    Raises:
        BadDataset: there is none.
    """
    for suffix in IMAGE_SUFFIXES:
        for path in (folder / f"{stem}{suffix}", folder / f"{stem}{suffix.upper()}"):
            if path.is_file():
                return path
    raise BadDataset(f"The labels of {stem!r} have no image in {folder}.")


def labelled(entries: Iterable[Mapping[str, Any]], origin: Path) -> tuple[LabelledWord, ...]:
    """Labels from `{"text", "quad"}` or `{"text", "box"}` entries; reversed boxes are put the right way round.

    Raises:
        BadDataset: an entry lacks a text, or four numbers or corners.
    """
    words = []
    for entry in entries:
        try:
            quad = np.asarray(entry["quad"], float) if "quad" in entry else _upright(entry["box"])
            if quad.shape != (4, 2) or not np.isfinite(quad).all():
                raise ValueError("not four corners")
            words.append(LabelledWord(str(entry["text"]), quad))
        except (KeyError, TypeError, ValueError):
            raise BadDataset(f"{origin} holds a label without a text and four corners: {entry!r}.") from None
    return tuple(words)


def _upright(box: Any) -> np.ndarray:
    x0, y0, x1, y1 = (float(value) for value in box)
    return box_to_quad((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)))
