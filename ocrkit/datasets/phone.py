"""Photos and simulated pages labelled word by word: `<id>.jpg` beside `<id>.json` with `words[] {text, quad}`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ocrkit.datasets._files import image_beside, labelled, read_json
from ocrkit.datasets.sample import LabelledPage
from ocrkit.errors import BadDataset


def load_phone(folder: Path) -> Iterator[LabelledPage]:
    """The photos of a folder, by id; quads are in stored pixels, start at the text's own top-left and may lean.

    Raises:
        BadDataset: labels that cannot be read.
    """
    for path in sorted(folder.glob("*.json")):
        try:
            labels = read_json(path)
            entries = labels["words"]
        except (KeyError, TypeError):
            raise BadDataset(f"{path} is not in phone form: it needs words[] with text and quad.") from None
        yield LabelledPage(
            id=path.stem,
            words=labelled(entries, path),
            path=image_beside(folder, path.stem),
            category=labels.get("category", "letter_sized"),
            source=folder.name,
            simulated=bool(labels.get("simulated", False)),
        )
