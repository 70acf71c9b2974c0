"""What a page of a PDF shows: pictures, text that is seen, and text that is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pypdfium2

_DEEPEST = 15  # forms within forms
_INVISIBLE = 3  # text render mode


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture on a page.

    Attributes:
        corners: `(4, 2)` in the page's units: of its lower left, lower right, upper right and upper left pixel.
        dpi: pixels per unit times 72, the finer of across and down.
    """

    corners: np.ndarray
    dpi: float

    @property
    def area(self) -> float:
        """In the page's units, squared."""
        (ax, ay), (bx, by) = self.corners[1] - self.corners[0], self.corners[3] - self.corners[0]
        return float(abs(ax * by - ay * bx))


def placement(thing: pypdfium2.PdfObject) -> pypdfium2.PdfMatrix:
    """The matrix that takes a thing to its page, through the forms that it lies in."""
    matrix = thing.get_matrix()
    while thing.container is not None:
        thing = thing.container
        matrix = matrix.multiply(thing.get_matrix())
    return matrix


def pictures(page: pypdfium2.PdfPage) -> Iterator[Picture]:
    """The pictures of a page that have a size, and are not damaged."""
    from pypdfium2 import PdfiumError, raw

    for thing in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=_DEEPEST):
        with suppress(PdfiumError):
            (a, b, c, d, e, f), (width, height) = placement(thing).get(), thing.get_px_size()
            across, down = np.hypot(a, b), np.hypot(c, d)
            if not (0 < across < np.inf and 0 < down < np.inf):
                continue
            corners = np.array([(e, f), (e + a, f + b), (e + a + c, f + b + d), (e + c, f + d)])
            yield Picture(corners, float(72 * max(width / across, height / down)))


def pictured(page: pypdfium2.PdfPage) -> float:
    """The share of a page that its pictures cover, those that lie on others counted, too."""
    left, bottom, right, top = page.get_bbox()
    return sum(picture.area for picture in pictures(page)) / ((right - left) * (top - bottom))


def kinds_of_notes(page: pypdfium2.PdfPage) -> list[int]:
    """PDFium's numbers for the kinds of notes on the page, the fields of forms among them."""
    from pypdfium2 import raw

    kinds = []
    for number in range(raw.FPDFPage_GetAnnotCount(page)):
        note = raw.FPDFPage_GetAnnot(page, number)
        kinds.append(raw.FPDFAnnot_GetSubtype(note))
        raw.FPDFPage_CloseAnnot(note)
    return kinds


def shows_notes(page: pypdfium2.PdfPage) -> bool:
    """Whether the page has notes or fields that show more than links do."""
    from pypdfium2 import raw

    return bool(set(kinds_of_notes(page)) - {raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP})


def texts(page: pypdfium2.PdfPage) -> Iterator[pypdfium2.PdfObject]:
    """The things on a page that are text, also those within forms."""
    from pypdfium2 import raw

    return page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT], max_depth=_DEEPEST)


def has_text(page: pypdfium2.PdfPage) -> tuple[bool, bool]:
    """Whether a page has letters or digits that are seen, and such that are not."""
    seen = unseen = False
    text = page.get_textpage()
    for index in range(text.count_chars()):
        if chr(character(text, index)).isalnum():
            if _is_invisible(text, index):
                unseen = True
            else:
                seen = True
            if seen and unseen:
                break
    text.close()
    return seen, unseen


def boxes_of_seen_text(page: pypdfium2.PdfPage) -> np.ndarray:
    """Left, bottom, right and top of the cell of each character that is seen, `(N, 4)`, in the page's units."""
    from pypdfium2 import raw

    text = page.get_textpage()
    box = raw.FS_RECTF()
    boxes = []
    for index in range(text.count_chars()):
        if chr(character(text, index)).isspace() or _is_invisible(text, index):
            continue
        if raw.FPDFText_GetLooseCharBox(text, index, box):
            boxes.append((box.left, box.bottom, box.right, box.top))
    text.close()
    return np.array(boxes, float).reshape(-1, 4)


def text_of(page: pypdfium2.PdfPage, seen_only: bool = False) -> str:
    """The text of a page in the file's order, all of it or what is seen of it, without blanks around it."""
    text = page.get_textpage()
    try:
        if seen_only:
            indices = (index for index in range(text.count_chars()) if not _is_invisible(text, index))
            found = "".join(chr(character(text, index)) for index in indices)
        else:
            found = text.get_text_range()
    finally:
        text.close()
    return found.replace("\r\n", "\n").strip()


def is_invisible(thing: pypdfium2.PdfObject) -> bool:
    """Whether a thing is text that is not seen."""
    from pypdfium2 import raw

    return thing.type == raw.FPDF_PAGEOBJ_TEXT and raw.FPDFTextObj_GetTextRenderMode(thing) == _INVISIBLE


def character(text: pypdfium2.PdfTextPage, index: int) -> int:
    """The code point of a character of a page, U+FFFD where there is none."""
    from pypdfium2 import raw

    code = raw.FPDFText_GetUnicode(text, index)
    return int(code) if 0 < code < 0x110000 else 0xFFFD


def _is_invisible(text: pypdfium2.PdfTextPage, index: int) -> bool:
    from pypdfium2 import raw

    thing = raw.FPDFText_GetTextObject(text, index)
    return bool(thing) and raw.FPDFTextObj_GetTextRenderMode(thing) == _INVISIBLE
