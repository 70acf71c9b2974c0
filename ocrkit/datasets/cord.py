"""CORD, photos and scans of Indonesian receipts: `json/<id>.json` beside `image/<id>.png`.

Park et al., "CORD: A consolidated receipt dataset for post-OCR parsing" (2019); the layout is that of docTR's archives.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ocrkit.datasets._files import image_beside, labelled, read_json, reading
from ocrkit.datasets.sample import LabelledPage


def load_cord(folder: Path) -> Iterator[LabelledPage]:
    """The receipts of one split's folder, by id.

    Raises:
        BadDataset: another layout, or labels that cannot be read.
    """
    for path in sorted((folder / "json").glob("*.json")):
        labels = read_json(path)
        with reading(path, "in CORD form: it needs valid_line[].words[] with text and quad"):
            entries = [
                {"text": word["text"], "quad": [[word["quad"][f"{axis}{i}"] for axis in "xy"] for i in range(1, 5)]}
                for line in labels["valid_line"]
                for word in line["words"]
            ]
        yield LabelledPage(
            id=path.stem,
            words=labelled(entries, path),
            path=image_beside(folder / "image", path.stem),
            category="register_tapes",
            source="CORD",
        )
