"""SROIE, scanned till receipts labelled line by line: `<id>.jpg` beside `<id>.json` or ICDAR's own `<id>.txt`.

Huang et al., "ICDAR 2019 Competition on Scanned Receipt OCR and Information Extraction" (2019).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ocrkit.datasets._files import image_beside, labelled, read_json, reading
from ocrkit.datasets.sample import LabelledPage
from ocrkit.errors import BadDataset, quoted


def load_sroie(folder: Path) -> Iterator[LabelledPage]:
    """The receipts of a folder, by id, with `lines` set and no words.

    Raises:
        BadDataset: labels that cannot be read.
    """
    for path in sorted([*folder.glob("*.json"), *folder.glob("*.txt")]):
        yield LabelledPage(
            id=path.stem,
            lines=labelled(_json_lines(path) if path.suffix == ".json" else _icdar_lines(path), path),
            path=image_beside(folder, path.stem),
            category="register_tapes",
            source="SROIE",
        )


def _json_lines(path: Path) -> list[dict[str, Any]]:
    labels = read_json(path)
    with reading(path, "in SROIE form: it needs lines[] with text and quad"):
        return list(labels["lines"])


def _icdar_lines(path: Path) -> list[dict[str, Any]]:
    """`x1,y1,x2,y2,x3,y3,x4,y4,transcript` a line; the transcript may hold commas, the file be UTF-8 or Latin-1."""
    entries = []
    try:
        data = path.read_bytes()
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("latin-1")
        rows = [line.split(",", 8) for line in text.splitlines() if line.strip()]
        for *numbers, transcript in rows:
            corners = [float(value) for value in numbers]
            entries.append({"text": transcript, "quad": list(zip(corners[::2], corners[1::2]))})
    except (OSError, ValueError) as error:
        raise BadDataset(f"The labels in {path} cannot be read: {quoted(str(error))}.") from None
    return entries
