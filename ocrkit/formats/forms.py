"""The forms that a document can be written in, by name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ocrkit.document import Document

SUFFIXES = {"text": ".txt", "json": ".json", "hocr": ".hocr", "alto": ".xml", "pdf": ".pdf"}


def render(document: Document, form: str) -> str:
    """`document` in a form of text: any of `SUFFIXES` but "pdf"."""
    if form == "json":
        return json.dumps(document.to_dict(), ensure_ascii=False, indent=2) + "\n"
    if form == "hocr":
        return document.to_hocr()
    return document.to_alto() if form == "alto" else document.text + "\n"
