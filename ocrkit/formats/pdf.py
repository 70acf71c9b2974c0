"""Searchable PDF of page images: each as it was stored, and invisible text whose every word lies on its ink."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pikepdf
from pikepdf import Array, Dictionary, Name, Object

from ocrkit.document import Document, Page
from ocrkit.errors import OcrkitError
from ocrkit.formats.cell_font import CellFont
from ocrkit.formats.pdf_pictures import add_image, add_original
from ocrkit.formats.pdf_saving import packed, save
from ocrkit.formats.text_layer import number, text_layer

_LONG_SIDE_INCHES = 11.69  # A4, for images that do not say how large their paper was
_BELIEVABLE_INCHES = (1.0, 48.0)
_LOWEST_DPI = 72.0
_LARGEST_UNITS = 14_400  # a side of a sheet, in units; a longer one has larger units
_FONT = "/F0"


def save_pdf(document: Document, path: Path, original: Path | None = None) -> Path:
    """Write `document` as a searchable PDF, on the pages of `original` if that is a PDF; returns the path.

    Raises:
        OcrkitError: a page has no image, `original` cannot take text, or the file cannot be written.
    """
    if original is not None:
        from ocrkit.formats.graft import graft_document

        return graft_document(document, original, path)
    return write_pdf(document.pages, path, title=Path(document.source).name)


def write_pdf(pages: Iterable[Page], path: Path, title: str = "", pdfa: bool = False) -> Path:
    """Write pages as they come, so that only one page's pixels need to be in memory; returns the path.

    A page's original goes in byte for byte where PDF knows its form; other images losslessly or as JPEG, whichever is
    smaller. A page that could not be read becomes an empty sheet. The same pages always give the same bytes, but for
    the dates of PDF/A.

    Args:
        pages: with their images.
        path: written over, if there is something.
        title: of the PDF.
        pdfa: make PDF/A-2b.

    Raises:
        OcrkitError: a page has no image, there is no page, or the file cannot be written.
        MissingExtra: PDF/A is wanted, and what checks it is not installed.
    """
    with pikepdf.new() as pdf:
        font = CellFont(pdf)
        for page in pages:
            pdf.pages.append(pikepdf.Page(_sheet(pdf, font, page)))
        if not pdf.pages:
            raise OcrkitError("A PDF needs at least one page.")
        font.finish()
        title = title.encode("utf-8", "replace").decode("utf-8")
        pdf.trailer.Info = pdf.make_indirect(Dictionary(Title=title, Creator="ocrkit", Producer="ocrkit"))
        return save(pdf, path, new=True, pdfa=pdfa)


def _sheet(pdf: pikepdf.Pdf, font: CellFont, page: Page) -> Dictionary:
    """A sheet with the page's picture and its text."""
    blank = page.error is not None and page.image is None  # a page in another script has its picture, and no words
    width, height = (0.7071 * 72 * _LONG_SIDE_INCHES, 72 * _LONG_SIDE_INCHES) if blank else _sheet_pt(page)
    unit = max(1, math.ceil(max(width, height) / _LARGEST_UNITS))
    size = np.array([width, height]) / unit
    resources = Dictionary(XObject=Dictionary())
    content = b"" if blank else _draw_image(pdf, page, size, resources.XObject)
    if layer := b"" if blank else text_layer(font, _FONT, page.lines, size / (page.width, page.height), size[1]):
        resources.Font = Dictionary({_FONT: font.object})
    sheet = Dictionary(
        Type=Name.Page,
        MediaBox=Array([0, 0, *(round(float(side), 4) for side in size)]),
        Contents=packed(pdf, content + layer),
        Resources=resources,
    )
    if unit > 1:
        sheet.UserUnit = unit
    return sheet


def _sheet_pt(page: Page) -> tuple[float, float]:
    """Width and height in points: the sheet's own, or as the file says where that is believable, or with A4's side."""
    if page.sheet_pt:
        return page.sheet_pt
    long_side = max(page.width, page.height)
    low, high = _BELIEVABLE_INCHES
    believed = page.dpi and low <= long_side / page.dpi <= high
    dpi = page.dpi if page.dpi and believed else max(_LOWEST_DPI, long_side / _LONG_SIDE_INCHES)
    return 72 * page.width / dpi, 72 * page.height / dpi


def _draw_image(pdf: pikepdf.Pdf, page: Page, size: np.ndarray, pictures: Object) -> bytes:
    """Fill a sheet of `size` units; an original that was stored turned is turned by the drawing, its bytes untouched.

    Puts the pictures under the names by which the page knows them.
    """
    width, height = size
    picture = None if page.original is None else add_original(pdf, page.original)
    if picture is not None:
        pictures.I0 = picture
        matrix = {
            0: (width, 0, 0, height, 0, 0),
            90: (0, -height, width, 0, 0, height),
            180: (-width, 0, 0, -height, width, height),
            270: (0, height, -width, 0, width, 0),
        }[page.rotation]
        return _drawn("/I0", matrix)
    if page.image is None:
        raise OcrkitError(f"Page {page.number} has no image to put into a PDF.")
    shown = b""
    scale = size / (page.width, page.height)
    for row, (part, (x0, y0, x1, y1)) in enumerate(add_image(pdf, page.image)):
        name = f"/I{row}"
        pictures[name] = part
        across, down = (x1 - x0) * scale[0], (y1 - y0) * scale[1]
        shown += _drawn(name, (across, 0, 0, down, x0 * scale[0], height - y1 * scale[1]))
    return shown


def _drawn(name: str, matrix: tuple[float, ...]) -> bytes:
    return f"q {' '.join(map(number, matrix))} cm {name} Do Q\n".encode("ascii")
