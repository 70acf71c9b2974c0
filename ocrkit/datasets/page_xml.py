"""PAGE XML, the form of Transkribus, eScriptorium and OCR-D: `*.xml` with the images beside it or in the folder above.

Pletschacher and Antonacopoulos, "The PAGE (Page Analysis and Ground-Truth Elements) format framework" (2010); the
versions of 2013 to 2019, which write `Coords` as an attribute.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from ocrkit.datasets._files import labelled, labelled_picture, named_image, points, read_xml
from ocrkit.datasets.sample import LabelledPage
from ocrkit.errors import BadDataset, BadImage, quoted
from ocrkit.files import folder_name


def load_page_xml(folder: Path) -> Iterator[LabelledPage]:
    """The pages of a folder, by file; words where every transcribed line has them with their texts, else lines.

    Regions come in the file's reading order, those it does not name after them. Polygons become the smallest
    rectangles around them.

    Raises:
        BadDataset: files that are no PAGE XML, lack coordinates or have no image.
    """
    for path in sorted(folder.glob("*.xml")):
        page = read_xml(path, "PcGts").find("{*}Page")
        if page is None:
            raise BadDataset(f"{path} has no Page.")
        try:
            lines = _lines(page)
            whole = all(_is_split(line) for line in lines if _text(line))
            units = [word for line in lines for word in line.iterfind("{*}Word")] if whole else lines
            image = named_image(path, page.get("imageFilename", ""))
            scale, upright = _pixels_a_unit(page, image)
            labels = labelled([_entry(unit) for unit in units], path, scale)
        except ValueError as error:
            why = quoted(str(error))
            raise BadDataset(f"{path} counts with something else than whole numbers: {why}.") from None
        except RecursionError:
            raise BadDataset(f"{path} has groups within groups, too many to follow.") from None
        yield LabelledPage(
            id=path.stem,
            words=labels if whole else (),
            lines=() if whole else labels,
            path=image,
            upright=upright,
            source=folder_name(folder),
        )


def _lines(page: ET.Element) -> list[ET.Element]:
    """The lines of all text regions, in reading order."""
    order = page.find("{*}ReadingOrder")
    ranks = {name: rank for rank, name in enumerate([] if order is None else _references(order))}
    regions = sorted(page.iterfind(".//{*}TextRegion"), key=lambda region: ranks.get(region.get("id", ""), len(ranks)))
    return [line for region in regions for line in region.iterfind("{*}TextLine")]


def _references(group: ET.Element) -> Iterator[str]:
    """Ids of regions in a group of the reading order, groups within it included."""
    for child in sorted(group, key=lambda child: int(child.get("index", 0))):
        if "regionRef" in child.attrib:
            yield child.attrib["regionRef"]
        yield from _references(child)


def _is_split(line: ET.Element) -> bool:
    """Whether the words of a line have all of its transcript."""
    words = line.findall("{*}Word")
    return bool(words) and all(map(_text, words))


def _pixels_a_unit(page: ET.Element, image: Path) -> tuple[np.ndarray, bool]:
    """Pixels a unit, `(2,)`, across and down; and whether they are those of the picture turned as its EXIF says."""
    with suppress(ValueError, BadImage):  # the page tells no sides, or whoever needs the pixels gets the error
        return labelled_picture(image, page.get("imageWidth"), page.get("imageHeight"))
    return np.ones(2), False


def _entry(unit: ET.Element) -> dict[str, Any]:
    coords = unit.find("{*}Coords")
    return {"text": _text(unit), "polygon": points("" if coords is None else coords.get("points", ""))}


def _text(unit: ET.Element) -> str:
    """The transcript of a word or line; the one of the lowest index where there are several."""
    transcripts = sorted(unit.iterfind("{*}TextEquiv"), key=lambda equiv: int(equiv.get("index", 0)))
    return (transcripts[0].findtext("{*}Unicode") or "") if transcripts else ""
