"""Photos and simulated pages labelled word by word: `<id>.jpg` beside `<id>.json` with `words[] {text, quad}`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ocrkit.datasets._files import image_beside, labelled, read_json, reading
from ocrkit.datasets.sample import LabelledPage
from ocrkit.files import folder_name


def load_phone(folder: Path) -> Iterator[LabelledPage]:
    """The photos of a folder, by id; quads are in stored pixels, start at the text's own top-left and may lean.

    Raises:
        BadDataset: labels that cannot be read.
    """
    for path in sorted(folder.glob("*.json")):
        labels = read_json(path)
        with reading(path, "in phone form: it needs words[] with text and quad"):
            entries = list(labels["words"])
            category = labels.get("category") or "letter_sized"
            if not isinstance(category, str):
                raise TypeError("no category")
        yield LabelledPage(
            id=path.stem,
            words=labelled(entries, path),
            path=image_beside(folder, path.stem),
            category=category,
            source=folder_name(folder),
            simulated=bool(labels.get("simulated", False)),
        )
