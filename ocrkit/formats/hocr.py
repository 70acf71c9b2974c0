"""hOCR 1.2: text and boxes inside an XHTML page."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np

from ocrkit.document import Document, Page
from ocrkit.formats.xml import angle, around, clean, finish, paragraphs, pixels

_DOCTYPE = (
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" '
    '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n'
)
_CAPABILITIES = "ocr_page ocr_carea ocr_par ocr_line ocrx_word ocrp_wconf"


def to_hocr(document: Document) -> str:
    """`document` as hOCR 1.2 (http://kba.github.io/hocr-spec/1.2/); confidences are `x_wconf`, 0 to 100."""
    html = ET.Element("html", {"xmlns": "http://www.w3.org/1999/xhtml", "xml:lang": "en", "lang": "en"})
    head = ET.SubElement(html, "head")
    ET.SubElement(head, "title").text = clean(document.source)
    ET.SubElement(head, "meta", {"http-equiv": "Content-Type", "content": "text/html; charset=utf-8"})
    ET.SubElement(head, "meta", name="ocr-system", content=clean(document.engine or "ocrkit"))
    ET.SubElement(head, "meta", name="ocr-capabilities", content=_CAPABILITIES)
    ET.SubElement(head, "meta", name="ocr-number-of-pages", content=str(len(document.pages)))
    body = ET.SubElement(html, "body")
    for page in document.pages:
        _add_page(body, page, document.source)
    return finish(html, _DOCTYPE)


def _add_page(body: ET.Element, page: Page, source: str) -> None:
    name = clean(source).replace('"', "")
    title = f'image "{name}"; bbox 0 0 {page.width} {page.height}; ppageno {page.number - 1}'
    node = _element(body, "div", "ocr_page", f"page_{page.number}", title)
    for b, lines in enumerate(paragraphs(page), 1):
        box = around([line.box for line in lines])
        area = _element(node, "div", "ocr_carea", f"block_{page.number}_{b}", _bbox(box))
        paragraph = _element(area, "p", "ocr_par", f"par_{page.number}_{b}", _bbox(box))
        for i, line in enumerate(lines, 1):
            id_ = f"{page.number}_{b}_{i}"
            turned = f"; textangle {angle(line)}" if angle(line) else ""
            span = _element(paragraph, "span", "ocr_line", f"line_{id_}", _bbox(line.box) + turned)
            for j, word in enumerate(line.words, 1):
                title = f"{_bbox(word.box)}; x_wconf {round(100 * word.confidence)}"
                _element(span, "span", "ocrx_word", f"word_{id_}_{j}", title).text = clean(word.text)


def _element(parent: ET.Element, tag: str, kind: str, id_: str, title: str) -> ET.Element:
    return ET.SubElement(parent, tag, {"class": kind, "id": id_, "title": title})


def _bbox(box: np.ndarray) -> str:
    return "bbox {} {} {} {}".format(*pixels(box))
