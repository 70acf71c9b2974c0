"""FUNSD, noisy scanned forms: `annotations/<id>.json` beside `images/<id>.png`.

Jaume et al., "FUNSD: A dataset for form understanding in noisy scanned documents" (2019). Research use only: its pages
are for evaluation, never for training weights that are released.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ocrkit.datasets._files import image_beside, labelled, read_json, reading
from ocrkit.datasets.sample import LabelledPage

# Check boxes drawn as letters; no recogniser of text is asked to read them.
_NOT_TEXT = frozenset("☑☐\u03bf\uf703\uf702")


def load_funsd(folder: Path) -> Iterator[LabelledPage]:
    """The pages of one split's folder, by id; words nobody transcribed keep an empty text.

    Raises:
        BadDataset: another layout, or labels that cannot be read.
    """
    for path in sorted((folder / "annotations").glob("*.json")):
        labels = read_json(path)
        with reading(path, "in FUNSD form: it needs form[].words[]"):
            entries = [word for block in labels["form"] for word in block["words"]]
        yield LabelledPage(
            id=path.stem,
            words=labelled(entries, path),
            path=image_beside(folder / "images", path.stem),
            category="scanned_docs",
            source="FUNSD",
        )


def funsd_protocol_label(text: str) -> str | None:
    """The label under which docTR's published FUNSD figures count a word, `None` for one they leave out.

    Left out are empty labels, those with a space, and drawn check boxes; an en dash counts as a hyphen. That makes
    30,345 crops of the 199 pages. Source: docTR, `doctr/datasets/funsd.py` (v1.1.0).
    """
    if not text or " " in text or _NOT_TEXT & set(text):
        return None
    return text.replace("–", "-")
