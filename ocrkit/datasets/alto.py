"""ALTO 2 to 4, the libraries' form of text with coordinates: `*.xml`, a page each, with the images beside it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ocrkit.datasets._files import labelled, labelled_picture, named_image, points, read_xml
from ocrkit.datasets.sample import LabelledPage
from ocrkit.errors import BadDataset, BadImage, quoted
from ocrkit.files import folder_name


def load_alto(folder: Path) -> Iterator[LabelledPage]:
    """The pages of a folder, by file, with the `String`s as words; a hyphen at a line's end (`HYP`) is no part of them.

    Tenths of millimetres and 1200ths of inches become pixels by the page's size in both, as the schema advises.

    Raises:
        BadDataset: files that are no ALTO of one page, lack coordinates or have no image.
        BadImage: an image whose size is needed and that cannot be read.
    """
    for path in sorted(folder.glob("*.xml")):
        root = read_xml(path, "alto")
        pages = root.findall(".//{*}Page")
        if len(pages) != 1:
            raise BadDataset(f"{path} holds {len(pages)} pages; write a file for each, with an image of its own.")
        named = root.findtext(".//{*}sourceImageInformation/{*}fileName") or path.name
        image = named_image(path, named)
        in_pixels = root.findtext(".//{*}MeasurementUnit", "mm10").strip() == "pixel"  # mm10 is the schema's default
        scale, upright = _pixels_a_unit(pages[0], image, path, in_pixels)
        try:
            entries = [_entry(string) for string in pages[0].iterfind(".//{*}String")]
        except (OverflowError, ValueError) as error:
            raise BadDataset(f"{path} holds coordinates that are no numbers: {quoted(str(error))}.") from None
        yield LabelledPage(
            id=path.stem,
            words=labelled(entries, path, scale),
            path=image,
            upright=upright,
            source=folder_name(folder),
        )


def _pixels_a_unit(page: ET.Element, image: Path, path: Path, in_pixels: bool) -> tuple[np.ndarray, bool]:
    """Pixels a unit, `(2,)`, across and down; and whether they are those of the picture turned as its EXIF says."""
    try:
        return labelled_picture(image, page.get("WIDTH"), page.get("HEIGHT"))
    except (ValueError, BadImage) as error:
        if in_pixels:  # of a size that nobody tells, or an image that whoever needs its pixels gets the error of
            return np.ones(2), False
        if isinstance(error, BadImage):
            raise
        raise BadDataset(f"{path} does not measure in pixels, and its Page lacks the WIDTH and HEIGHT.") from None


def _entry(string: ET.Element) -> dict[str, Any]:
    """The outline of a `String` where it has one, else its box; without either there is no place in the entry."""
    entry: dict[str, Any] = {"text": string.get("CONTENT", "")}
    outline = string.find("{*}Shape/{*}Polygon")
    if outline is not None:
        return entry | {"polygon": points(outline.get("POINTS", ""))}
    place = [string.get(key) for key in ("HPOS", "VPOS", "WIDTH", "HEIGHT")]
    if None in place:
        return entry
    x, y, width, height = np.asarray(place, float)
    return entry | {"box": [x, y, x + width, y + height]}
