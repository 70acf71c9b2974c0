"""Pages of PDFs: a page that is one scan as the scan's own pixels, any other as PDFium draws it."""

from __future__ import annotations

import io
import logging
import math
import mmap
import re
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import cv2
import numpy as np

from ocrkit.document import Image
from ocrkit.errors import BadImage
from ocrkit.images.page import (
    MAX_SIDE,
    PageImage,
    check_numbers,
    check_size,
    inside,
    no_memory,
    page_name,
    squared,
    to_grey,
)
from ocrkit.images.pdf_contents import is_invisible, kinds_of_notes, pictures, placement, shows_notes

if TYPE_CHECKING:
    import pypdfium2

PDF_DPI = 200  # print of 10 points is then 28 px high
PDF_MAX_PIXELS = 50_000_000  # a drawn page has no more: posters, plans and the longest web pages are drawn smaller
PDF_MAX_SHORT_SIDE_PX = 2800  # A2 is drawn so that its long side has 4000 px

_TILE_PX = 16_384  # drawn at once: PDFium leaves out areas, but for rectangles, beyond 32,767 px
_PICTURE_STARTS = (b"\xff\xd8\xff", b"\x89PNG", b"II*\0", b"MM\0*", b"GIF8", b"RIFF")  # may hold "%PDF-" in a comment
_MOST_LOST = 20  # pages one after the other that are not there; then the rest is taken to be missing, too
_COVERED = 0.005  # of a side, by which a scan may be larger or smaller than its page
_LARGE = 0.25  # of the page, that pictures cover which are drawn at their own resolution
_ALIKE = 0.02  # by which resolutions may differ that are taken for one
_LEVEL = 1e-3  # sine of the angle by which a scan may be turned on its page
_LOOK_PX = 100  # long side at which a scan is compared with how its page is drawn
_LIKE = 12.0  # grey levels by which the two may differ on average: averaging differs, negatives and masks do more
_UNIT = re.compile(rb"/UserUnit\s+(\d*\.?\d+)")
_OBJECT_STREAM = re.compile(rb"/ObjStm\b.{0,300}?stream\r?\n", re.DOTALL)
_MOST_OBJECTS_BYTES = 1 << 24  # of one object stream, unpacked

logging.getLogger("pypdfium2").setLevel(logging.ERROR)  # it would say on standard error that it draws no XFA forms


def is_pdf(start: bytes) -> bool:
    """Whether a file that starts so is a PDF; some programs write a line or two in front of its mark."""
    return b"%PDF-" in start and not start.startswith(_PICTURE_STARTS)


@contextmanager
def opened_pdf(file: BinaryIO, name: str) -> Iterator[pypdfium2.PdfDocument]:
    """The PDF in `file`, with its forms.

    Raises:
        BadImage: no PDF, locked, or without pages.
    """
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(file)
    except pypdfium2.PdfiumError:
        raise BadImage(f"{name} {_why_closed(file)}.") from None
    with pdf:
        pdf.init_forms()
        if not len(pdf):
            raise BadImage(f"{name} has no pages.")
        yield pdf


def pdf_pages(file: BinaryIO, name: str, numbers: Collection[int] | None = None) -> Iterator[PageImage]:
    """The pages of a PDF, with what is filled into its forms and noted on it; one that cannot be drawn has an `error`.

    Args:
        file: starts as a PDF does.
        name: what to call it.
        numbers: of the pages that are wanted, from 1; `None` is all of them.

    Raises:
        BadImage: no PDF, locked, without pages or one of `numbers`, or its only page cannot be drawn.
    """
    import pypdfium2

    with opened_pdf(file, name) as pdf:
        count = len(pdf)
        check_numbers(numbers, count, name)
        has_units = _has_units(file)
        lost = 0
        for index in range(count):
            if numbers is not None and index + 1 not in numbers:
                continue
            what = name if count == 1 else page_name(index + 1, name)
            try:
                yield _page(pdf, index, what, _unit(pdf, index) if has_units else 1.0)
                lost = 0
            except (pypdfium2.PdfiumError, BadImage, ValueError, MemoryError, OverflowError) as error:
                sentence = _sentence(error, what)
                if count == 1:
                    raise BadImage(sentence) from None
                yield PageImage(index + 1, error=sentence)
                lost = lost + 1 if isinstance(error, _Missing) else 0
            if lost == _MOST_LOST and index + 1 < count:
                rest = f"Pages {index + 2} to {count}" if index + 2 < count else f"Page {count}"
                yield PageImage(index + 2, error=f"{rest} of {inside(name)} cannot be found either, and are left out.")
                return


def _why_closed(file: BinaryIO) -> str:
    """Why PDFium opens a PDF not; its own word for that may be about the file before."""
    import pikepdf

    file.seek(0)
    try:
        with pikepdf.open(file) as pdf:
            return "is damaged: no PDF reader could open it" if len(pdf.pages) else "has no pages"
    except pikepdf.PasswordError:
        return "is locked with a password"
    except (pikepdf.PdfError, RuntimeError, ValueError, OSError):
        return "is damaged: no PDF reader could open it"


class _Missing(BadImage):
    """A page that the file counts and does not hold."""


def _sentence(error: Exception, what: str) -> str:
    if isinstance(error, BadImage):
        return str(error)
    if isinstance(error, MemoryError):
        return str(no_memory(what))
    return f"{what} is damaged and cannot be rendered."


def _page(pdf: pypdfium2.PdfDocument, index: int, what: str, unit: float) -> PageImage:
    """Page `index`, whose units are `unit` points."""
    import pypdfium2
    from pypdfium2 import raw

    try:
        page = pdf[index]
    except pypdfium2.PdfiumError:
        raise _Missing(f"{what} cannot be found: damaged file.") from None
    if not page.formenv and raw.FPDF_ANNOT_WIDGET in kinds_of_notes(page):
        # Fields of a form that the file has lost are drawn only as a part of the page, which is then opened anew.
        raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY)
        page.close()
        page = pdf[index]
    try:
        width, height = (side * unit for side in page.get_size())
        if not (0 < width < math.inf and 0 < height < math.inf):
            raise BadImage(f"{what} has no size.")
        found = _scan(page)
        if found is not None:
            image, jpeg, turn = found
            image, dpi = squared(image, (image.shape[1] * 72 / width, image.shape[0] * 72 / height))
            return PageImage(index + 1, image, jpeg, turn, dpi, (width, height))
        dpi = min(
            max(PDF_DPI, _pictures_dpi(page) / unit),
            72 * PDF_MAX_SHORT_SIDE_PX / min(width, height),
            72 * (PDF_MAX_PIXELS / (width * height)) ** 0.5,
            72 * MAX_SIDE / max(width, height),
        )
        # Counted here, since PDFium's own wrapper rounds up: A4 at 200 dpi would be 1655 px wide, and every line of a
        # scan be smeared over two.
        size = max(1, round(width * dpi / 72)), max(1, round(height * dpi / 72))
        check_size(*size, what)
        return PageImage(index + 1, drawn(page, *size), dpi=dpi, sheet_pt=(width, height))
    finally:
        page.close()


def drawn(page: pypdfium2.PdfPage, width: int, height: int) -> Image:
    """The page as PDFium draws it, exactly so many px wide and high, with its notes and filled-in forms."""
    from pypdfium2 import PdfBitmap, raw

    image = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, _TILE_PX):
        for left in range(0, width, _TILE_PX):
            tile = image[top : top + _TILE_PX, left : left + _TILE_PX]
            bitmap = PdfBitmap.new_native(tile.shape[1], tile.shape[0], raw.FPDFBitmap_BGR, rev_byteorder=True)
            if not bitmap.raw:
                raise MemoryError
            bitmap.fill_rect((255, 255, 255, 255), 0, 0, tile.shape[1], tile.shape[0])
            where = (bitmap, page, -left, -top, width, height, 0, raw.FPDF_ANNOT | raw.FPDF_REVERSE_BYTE_ORDER)
            raw.FPDF_RenderPageBitmap(*where)
            if page.formenv:
                raw.FPDF_FFLDraw(page.formenv, *where)
            tile[:] = bitmap.to_numpy()[..., :3]
    return image


def _scan(page: pypdfium2.PdfPage) -> tuple[Image, bytes | None, int] | None:
    """The image that all of the page is, upright; its JPEG where it is one; degrees clockwise by which it was turned.

    `None` where the page shows anything else, or shows its image otherwise than its pixels are: cut, masked, negative.
    """
    import pypdfium2

    scan = _only_image(page)
    if scan is None:
        return None
    matrix = placement(scan)
    turn, bounds = _turn(matrix.get()), matrix.on_rect(0, 0, 1, 1)
    if turn is None or not _covers(bounds, page.get_bbox()):
        return None
    turn = (turn + page.get_rotation()) % 360
    try:
        width, height = scan.get_px_size()
        check_size(width, height, "")
        pixels = scan.get_bitmap().to_numpy()
    except (pypdfium2.PdfiumError, BadImage):
        return None
    if pixels.ndim == 3:
        pixels = pixels[..., 2::-1]  # PDFium has blue first, and gives some grey as three equal channels
        if pixels.shape[2] == 1 or (pixels == pixels[..., :1]).all():
            pixels = pixels[..., 0]
    stored = np.ascontiguousarray(np.rot90(pixels, -turn // 90))
    image = _fitted(stored, bounds, page)
    if _looks_like(image, page):
        return image, _jpeg(scan) if image is stored else None, turn
    negative = cv2.bitwise_not(image)  # as of a stencil, or where the file says that 1 is black
    return (negative, None, turn) if _looks_like(negative, page) else None


def _fitted(image: Image, bounds: tuple[float, ...], page: pypdfium2.PdfPage) -> Image:
    """The upright image of a scan with these `bounds` on its page, cut or widened by whole pixels to be all the page.

    The image itself where that is less than half a pixel.
    """
    sheet = page.get_bbox()
    turns = page.get_rotation() // 90
    beyond = np.roll([sheet[0] - bounds[0], bounds[3] - sheet[3], bounds[2] - sheet[2], sheet[1] - bounds[1]], turns)
    sides = np.roll([bounds[2] - bounds[0], bounds[3] - bounds[1]], turns)
    pixels = np.round(beyond * np.tile(np.array(image.shape[1::-1]) / sides, 2)).astype(int)
    if not pixels.any():
        return image
    cut, missing = np.maximum(pixels, 0), np.maximum(-pixels, 0)
    height, width = image.shape[:2]
    part = image[cut[1] : height - cut[3], cut[0] : width - cut[2]]
    left, top, right, bottom = map(int, missing)
    return cv2.copyMakeBorder(part, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(255, 255, 255))


def _only_image(page: pypdfium2.PdfPage) -> pypdfium2.PdfImage | None:
    """The image of a page that shows nothing else; a layer of invisible text does not show."""
    from pypdfium2 import raw

    if shows_notes(page):
        return None
    image = None
    for thing in page.get_objects():
        if thing.type == raw.FPDF_PAGEOBJ_IMAGE and image is None:
            image = thing
        elif thing.type != raw.FPDF_PAGEOBJ_FORM and not is_invisible(thing):
            return None
    return image


def _pictures_dpi(page: pypdfium2.PdfPage) -> float:
    """The finest resolution of pictures that together are so much of a page that there may be print on them, or 0."""
    left, bottom, right, top = page.get_bbox()
    shown = sorted(pictures(page), key=lambda picture: -picture.dpi)
    for picture in shown:
        # A scan may come in strips or layers of the same resolution.
        alike = sum(other.area for other in shown if abs(other.dpi / picture.dpi - 1) < _ALIKE)
        if alike >= _LARGE * (right - left) * (top - bottom):
            return picture.dpi
    return 0.0


def _turn(matrix: tuple[float, ...]) -> int | None:
    """Degrees clockwise by which a matrix turns what it places; `None` where it leans or mirrors it."""
    a, b, c, d = matrix[:4]
    if max(abs(b), abs(c)) <= _LEVEL * min(abs(a), abs(d)):
        return {(1, 1): 0, (-1, -1): 180}.get((_sign(a), _sign(d)))
    if max(abs(a), abs(d)) <= _LEVEL * min(abs(b), abs(c)):
        return {(-1, 1): 90, (1, -1): 270}.get((_sign(b), _sign(c)))
    return None


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _covers(inner: tuple[float, ...], outer: tuple[float, ...]) -> bool:
    """Whether two boxes, left, bottom, right and top, are the same but for a hair."""
    a, b = np.asarray(inner), np.asarray(outer)
    sides = np.tile([b[2] - b[0], b[3] - b[1]], 2)
    return bool((np.abs(a - b) <= _COVERED * sides).all())


def _looks_like(image: Image, page: pypdfium2.PdfPage) -> bool:
    """Whether the page, drawn small, looks like its scan."""
    scale = _LOOK_PX / max(image.shape)
    width, height = (max(1, round(side * scale)) for side in image.shape[1::-1])
    shown = to_grey(drawn(page, width, height)).astype(float)
    small = cv2.resize(to_grey(image), (width, height), interpolation=cv2.INTER_AREA)
    return float(np.abs(shown - small).mean()) <= _LIKE


def _jpeg(scan: pypdfium2.PdfImage) -> bytes | None:
    """The bytes of a scan that is a JPEG of grey or RGB as other programs read it."""
    from pypdfium2 import raw

    plain = (raw.FPDF_COLORSPACE_DEVICEGRAY, raw.FPDF_COLORSPACE_DEVICERGB, raw.FPDF_COLORSPACE_ICCBASED)
    if scan.get_filters() != ["DCTDecode"] or scan.get_metadata().colorspace not in plain:
        return None
    data = bytes(scan.get_data())
    return data if data.startswith(b"\xff\xd8\xff") else None


def _has_units(file: BinaryIO) -> bool:
    """Whether any page counts in units other than points; PDFium does not tell."""
    with _bytes_of(file) as data:
        if data.find(b"/UserUnit", 0) >= 0:
            return True
        return any(b"/UserUnit" in _unpacked(data, found.end()) for found in _OBJECT_STREAM.finditer(data))


@contextmanager
def _bytes_of(file: BinaryIO) -> Iterator[mmap.mmap]:
    """All of a file, without a copy of it in memory."""
    try:
        number = file.fileno()
    except io.UnsupportedOperation:  # it is in memory already
        with mmap.mmap(-1, max(1, file.seek(0, io.SEEK_END))) as data:
            file.seek(0)
            data.write(file.read())
            yield data
        return
    with mmap.mmap(number, 0, access=mmap.ACCESS_READ) as data:
        yield data


def _unpacked(data: mmap.mmap, start: int) -> bytes:
    try:
        packed = data[start : max(start, data.find(b"endstream", start))]
        return zlib.decompressobj().decompress(packed, _MOST_OBJECTS_BYTES)
    except zlib.error:
        return b""


def _unit(pdf: pypdfium2.PdfDocument, index: int) -> float:
    """Points in a unit of page `index`, found where PDFium writes that page alone, as plain text."""
    import pypdfium2

    alone, written = pypdfium2.PdfDocument.new(), io.BytesIO()
    try:
        alone.import_pages(pdf, [index])
        alone.save(written)
    except pypdfium2.PdfiumError:
        return 1.0
    finally:
        alone.close()
    found = _UNIT.search(written.getvalue())
    unit = float(found[1]) if found else 1.0
    return unit if 0 < unit < 1e6 else 1.0
