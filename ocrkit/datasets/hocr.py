"""hOCR, as Tesseract writes it: `*.hocr`, `*.html` or `*.xhtml`, a page each, with the images beside it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from ocrkit.datasets._files import labelled, labelled_picture, named_image, read_xml
from ocrkit.datasets.sample import LabelledPage
from ocrkit.errors import BadDataset, BadImage
from ocrkit.files import folder_name

_SUFFIXES = (".hocr", ".html", ".xhtml")
_BOX = re.compile(r"(?:^|;)\s*bbox\s+(-?\d+)\s+(-?\d+)\s+(-?\d+)\s+(-?\d+)")
_IMAGE = re.compile(r"(?:^|;)\s*image\s+(?:\"([^\"]*)\"|'([^']*)'|([^;]+))")


def load_hocr(folder: Path) -> Iterator[LabelledPage]:
    """The pages of a folder, by file, with the words that have a text.

    Raises:
        BadDataset: files that are no hOCR of one page, lack coordinates or have no image.
    """
    for path in sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES):
        pages = _of_class(read_xml(path, "html"), "ocr_page")
        if len(pages) != 1:
            raise BadDataset(f"{path} holds {len(pages)} pages; write a file for each, with an image of its own.")
        named = _IMAGE.search(pages[0].get("title", ""))
        image = named_image(path, next(filter(None, named.groups()), "").strip() if named else path.name)
        scale, upright = _pixels_a_unit(pages[0], image)
        entries = [_entry(word) for word in _of_class(pages[0], "ocrx_word")]
        yield LabelledPage(
            id=path.stem,
            words=labelled([entry for entry in entries if entry["text"]], path, scale),
            path=image,
            upright=upright,
            source=folder_name(folder),
        )


def _pixels_a_unit(page: ET.Element, image: Path) -> tuple[np.ndarray, bool]:
    """Pixels a unit, `(2,)`, across and down; and whether they are those of the picture turned as its EXIF says."""
    if box := _BOX.search(page.get("title", "")):
        x0, y0, x1, y1 = map(int, box.groups())
        with suppress(ValueError, BadImage):  # no sides, or whoever needs the pixels gets the error
            return labelled_picture(image, x1 - x0, y1 - y0)
    return np.ones(2), False


def _of_class(root: ET.Element, kind: str) -> list[ET.Element]:
    return [node for node in root.iter() if kind in node.get("class", "").split()]


def _entry(word: ET.Element) -> dict[str, Any]:
    entry: dict[str, Any] = {"text": "".join(word.itertext()).strip()}
    box = _BOX.search(word.get("title", ""))
    return entry if box is None else entry | {"box": [int(side) for side in box.groups()]}
