"""The forms that a document can be written in, by name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ocrkit.document import Document

# A suffix that two forms share names the first of them.
SUFFIXES = {"text": ".txt", "json": ".json", "hocr": ".hocr", "alto": ".xml", "page-xml": ".xml", "pdf": ".pdf"}


def render(document: Document, form: str) -> str:
    """`document` in a form of text: any of `SUFFIXES` but "pdf".

    Raises:
        OcrkitError: PAGE XML of several pages, or of one that could not be read.
    """
    if form == "json":
        return json.dumps(document.to_dict(), ensure_ascii=False, indent=2) + "\n"
    if form == "hocr":
        return document.to_hocr()
    if form == "page-xml":
        return document.to_page_xml()
    return document.to_alto() if form == "alto" else document.text + "\n"
