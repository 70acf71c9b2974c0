"""PAGE XML of 2019: the form of Transkribus, eScriptorium and OCR-D."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime

import numpy as np

from ocrkit.document import Document, Line, Page, Word, box_to_quad
from ocrkit.errors import OcrkitError
from ocrkit.formats.xml import around, clean, finish, paragraphs, points

_NAMESPACE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"


def to_page_xml(document: Document, number: int | None = None) -> str:
    """Page `number` of `document` as PAGE XML (https://www.primaresearch.org/schema/PAGE/); confidences are 0 to 1.

    Every paragraph is a region. Corners are whole pixels within the page.

    Raises:
        OcrkitError: there are several pages and no number is given, or none has it, or the page could not be read.
    """
    page = _only(document, number)
    root = ET.Element("PcGts", {"xmlns": _NAMESPACE, _INSTANCE: f"{_NAMESPACE} {_NAMESPACE}/pagecontent.xsd"})
    ET.register_namespace("xsi", "http://www.w3.org/2001/XMLSchema-instance")
    metadata = ET.SubElement(root, "Metadata")
    ET.SubElement(metadata, "Creator").text = clean(document.engine or "ocrkit")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    ET.SubElement(metadata, "Created").text = now
    ET.SubElement(metadata, "LastChange").text = now
    size = {"imageWidth": str(page.width), "imageHeight": str(page.height)}
    node = ET.SubElement(root, "Page", {"imageFilename": clean(document.source), **size})
    blocks = paragraphs(page)
    if blocks:
        order = ET.SubElement(ET.SubElement(node, "ReadingOrder"), "OrderedGroup", id="order")
        for b in range(len(blocks)):
            ET.SubElement(order, "RegionRefIndexed", index=str(b), regionRef=f"region_{b + 1}")
    for b, lines in enumerate(blocks, 1):
        region = _placed(node, "TextRegion", f"region_{b}", box_to_quad(around([line.box for line in lines])), page)
        for i, line in enumerate(lines, 1):
            _add_line(region, line, f"{b}_{i}", page)
        _add_text(region, "\n".join(line.text for line in lines))
    return finish(root)


def _only(document: Document, number: int | None) -> Page:
    if number is None and len(document.pages) != 1:
        raise OcrkitError(f"PAGE XML holds one page, and there are {len(document.pages)}: say which.")
    for page in document.pages:
        if number in (None, page.number):
            if page.error and not page.width:
                raise OcrkitError(page.error)
            return page
    raise OcrkitError(f"There is no page {number}.")


def _add_line(region: ET.Element, line: Line, name: str, page: Page) -> None:
    node = _placed(region, "TextLine", f"line_{name}", line.quad, page)
    for j, word in enumerate(line.words, 1):
        _add_text(_placed(node, "Word", f"word_{name}_{j}", word.quad, page), word.text, word)
    _add_text(node, line.text)


def _placed(parent: ET.Element, kind: str, name: str, quad: np.ndarray, page: Page) -> ET.Element:
    node = ET.SubElement(parent, kind, id=name)
    ET.SubElement(node, "Coords", points=points(np.clip(quad, 0, (page.width, page.height))))
    return node


def _add_text(node: ET.Element, text: str, word: Word | None = None) -> None:
    sure = {} if word is None else {"conf": f"{min(1.0, max(0.0, word.confidence)):.4f}"}
    ET.SubElement(ET.SubElement(node, "TextEquiv", sure), "Unicode").text = clean(text)
