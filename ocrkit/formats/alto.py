"""ALTO 4: the libraries' and archives' form of text with coordinates."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np

from ocrkit.document import Document, Line, Page
from ocrkit.formats.xml import angle, around, clean, finish, leans, paragraphs, pixels, points

_NAMESPACE = "http://www.loc.gov/standards/alto/ns-v4#"
_SCHEMA = f"{_NAMESPACE} http://www.loc.gov/standards/alto/v4/alto-4-2.xsd"


def to_alto(document: Document) -> str:
    """`document` as ALTO 4.2 (https://www.loc.gov/standards/alto/); confidences are `WC`, 0 to 1; unit pixel."""
    root = ET.Element(
        "alto",
        {
            "xmlns": _NAMESPACE,
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:schemaLocation": _SCHEMA,
            "SCHEMAVERSION": "4.2",
        },
    )
    description = ET.SubElement(root, "Description")
    ET.SubElement(description, "MeasurementUnit").text = "pixel"
    image = ET.SubElement(description, "sourceImageInformation")
    ET.SubElement(image, "fileName").text = clean(document.source)
    step = ET.SubElement(description, "Processing", ID="reading")
    ET.SubElement(step, "processingCategory").text = "contentGeneration"
    software = ET.SubElement(step, "processingSoftware")
    ET.SubElement(software, "softwareName").text = clean(document.engine or "ocrkit")
    layout = ET.SubElement(root, "Layout")
    for page in document.pages:
        _add_page(layout, page)
    return finish(root)


def _add_page(layout: ET.Element, page: Page) -> None:
    size = {"WIDTH": str(page.width), "HEIGHT": str(page.height)}
    quality = {"QUALITY": "Damaged", "QUALITY_DETAIL": clean(page.error)} if page.error else {}
    identity = {"ID": f"page_{page.number}", "PHYSICAL_IMG_NR": str(page.number)}
    node = ET.SubElement(layout, "Page", {**identity, **size, **quality})
    space = ET.SubElement(node, "PrintSpace", {"ID": f"space_{page.number}", "HPOS": "0", "VPOS": "0", **size})
    for b, lines in enumerate(paragraphs(page), 1):
        box = around([line.box for line in lines])
        turned = {"ROTATION": str(angle(lines[0]))} if angle(lines[0]) else {}
        block = ET.SubElement(space, "TextBlock", {"ID": f"block_{page.number}_{b}", **_place(box), **turned})
        for i, line in enumerate(lines, 1):
            _add_line(block, line, f"{page.number}_{b}_{i}")


def _add_line(block: ET.Element, line: Line, id_: str) -> None:
    node = ET.SubElement(block, "TextLine", {"ID": f"line_{id_}", **_place(line.box)})
    before = None
    for j, word in enumerate(line.words, 1):
        if before is not None:
            gap = (before[2], min(before[1], word.box[1]), max(before[2], word.box[0]), max(before[3], word.box[3]))
            ET.SubElement(node, "SP", _place(np.array(gap)))
        confidence = f"{min(1.0, max(0.0, word.confidence)):.4f}"
        content = {"ID": f"word_{id_}_{j}", "CONTENT": clean(word.text), "WC": confidence}
        string = ET.SubElement(node, "String", {**content, **_place(word.box)})
        if leans(word):
            ET.SubElement(ET.SubElement(string, "Shape"), "Polygon", POINTS=points(word.quad))
        before = word.box


def _place(box: np.ndarray) -> dict[str, str]:
    x0, y0, x1, y1 = pixels(box)
    return {"HPOS": str(x0), "VPOS": str(y0), "WIDTH": str(x1 - x0), "HEIGHT": str(y1 - y0)}
