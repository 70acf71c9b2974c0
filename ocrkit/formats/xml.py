"""What the XML forms share: paragraphs, whole pixels, characters XML allows, and the finished text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import groupby

import numpy as np

from ocrkit.document import Line, Page, Word, box_to_quad

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def paragraphs(page: Page) -> list[list[Line]]:
    """The page's lines, grouped by paragraph in reading order."""
    return [list(lines) for _, lines in groupby(page.lines, key=lambda line: line.paragraph)]


def angle(line: Line) -> int:
    """Degrees counter-clockwise by which the line's text is turned: 90 up the page, 270 down it, else 0."""
    along = line.words[0].quad[1] - line.words[0].quad[0]
    if abs(along[1]) <= abs(along[0]):
        return 0
    return 90 if along[1] < 0 else 270


def pixels(box: np.ndarray) -> tuple[int, int, int, int]:
    """`x0 y0 x1 y1` rounded to whole pixels."""
    x0, y0, x1, y1 = (round(float(value)) for value in box)
    return x0, y0, x1, y1


def points(quad: np.ndarray) -> str:
    """Corners as `x,y x,y`, rounded to whole pixels."""
    return " ".join(f"{round(float(x))},{round(float(y))}" for x, y in quad)


def leans(word: Word) -> bool:
    """Whether a word's corners are not those of the box around it, to a pixel."""
    return bool((np.abs(word.quad[:, None] - box_to_quad(word.box)).max(2).min(1) > 1).any())


def around(boxes: list[np.ndarray]) -> np.ndarray:
    """The smallest box `(4,)` around `boxes`."""
    stack = np.array(boxes)
    return np.concatenate([stack[:, :2].min(0), stack[:, 2:].max(0)])


def clean(text: str) -> str:
    """`text` without the control characters that XML forbids."""
    return _NOT_XML.sub("\ufffd", text)


def finish(root: ET.Element, doctype: str = "") -> str:
    """The document as text with its XML declaration, indented."""
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{doctype}{ET.tostring(root, encoding="unicode")}\n'
