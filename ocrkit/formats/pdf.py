"""Searchable PDF: the page image, and under it invisible text whose every word lies on its ink."""

from __future__ import annotations

import base64
import io
import math
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import PIL.Image
from reportlab import rl_config
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics, pdfutils
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.pdfgen.textobject import PDFTextObject

from ocrkit.document import Document, Line, Page
from ocrkit.errors import OcrkitError
from ocrkit.files import write_whole

_LONG_SIDE_INCHES = 11.69  # A4, for images that do not say how large their paper was
_BELIEVABLE_INCHES = (1.0, 48.0)
_LOWEST_DPI = 72.0
_JPEG_QUALITY = 90

# A font of one glyph, half as wide as high, filling its cell from 200 units below the baseline to 800 above it. PDF
# readers take a word's rectangle from the font's metrics, so with this font it is exactly the word's box, for any
# letters of any script. Made with fontTools' FontBuilder; compressed.
_CELL_FONT = (
    "c-muNWME+6VrXDsW>D}C);Dth=eB`?fl&h}nvk5ESir!;;0EOP0QoxUIhAS5d5k}R{5?RvR7PrIN+P$j1(3Z4h|My90<2<;dO-FQAXdr9Eva"
    "Dq0%S2Tb^r;Moc!cOAk7Qp?*Q?06DtaU_Ob!_96-K8USe)4lMY)xkbeWn*C@y@E&<8|UC0D7L;=JCVJpefxAFWoUm2L0Uoc>R{}zm2m=%BwW{"
    "5V39%hCAKzBl2^95`YGGK(7%>tES!Z4PJ@eAVw23DX75`jGsKv)nr0Nr*1CdaG*cBul)Wng=mfmj6MZy?RWAORK!yXgOaFow917eqsS3)CYjs3"
    "^$z<plGKKN2uM34u&u;RJ@T7?AJJkjzlTkj;?EP{QEMkjjt)gvDUnki!8D008SHJ(m"
)
_DESCENT = 0.2
_INVISIBLE = 3  # text render mode
_LEAST_GAP = 0.2  # of the text's height; Poppler sees no space below 0.15
_WORDS_FOR_SLOPE = 4  # a line of fewer says little about the slope of its text
_LEVEL_DEG = 15
_LEVEL_TOLERANCE = 0.25  # of the text's height
_TINY = 1e-3  # points; keeps boxes without area from dividing by zero


def save_pdf(document: Document, path: Path) -> Path:
    """Write `document` as a searchable PDF; returns the path.

    Raises:
        OcrkitError: a page has no image, or the file cannot be written.
    """
    return write_pdf(document.pages, path, title=Path(document.source).name)


def write_pdf(pages: Iterable[Page], path: Path, title: str = "") -> Path:
    """Write pages as they come, so that only one page's pixels need to be in memory; returns the path.

    A page's original JPEG goes in byte for byte; other images losslessly or as JPEG, whichever is smaller. A page that
    could not be read becomes an empty sheet. The same pages always give the same bytes.

    Raises:
        OcrkitError: a page has no image, there is no page, or the file cannot be written.
    """
    buffer = io.BytesIO()
    with _binary_streams():
        canvas = Canvas(buffer, pageCompression=1, invariant=1)
        canvas.setTitle(title)
        canvas.setCreator("ocrkit")
        empty = True
        for page in pages:
            _add_page(canvas, page)
            empty = False
        if empty:
            raise OcrkitError("A PDF needs at least one page.")
        canvas.save()
    return write_whole(path, buffer.getvalue())


def _add_page(canvas: Canvas, page: Page) -> None:
    if page.error:
        canvas.setPageSize((0.7071 * 72 * _LONG_SIDE_INCHES, 72 * _LONG_SIDE_INCHES))
        canvas.showPage()
        return
    points = 72 / _dpi(page)
    width, height = page.width * points, page.height * points
    canvas.setPageSize((width, height))
    canvas.saveState()
    _draw_image(canvas, page, width, height)
    canvas.restoreState()
    text = canvas.beginText()
    text.setTextRenderMode(_INVISIBLE)
    for line in page.lines:
        _add_line(text, line, points, height)
    canvas.drawText(text)
    canvas.showPage()


def _dpi(page: Page) -> float:
    """The file's word for it where it gives a believable sheet; else such that the long side is A4's."""
    long_side = max(page.width, page.height)
    low, high = _BELIEVABLE_INCHES
    if page.dpi and low <= long_side / page.dpi <= high:
        return page.dpi
    return max(_LOWEST_DPI, long_side / _LONG_SIDE_INCHES)


def _draw_image(canvas: Canvas, page: Page, width: float, height: float) -> None:
    """Fill the sheet; an original that was stored turned is turned by the drawing, its bytes untouched."""
    if page.original is not None and _fits_pdf(page.original):
        reader, turn = ImageReader(io.BytesIO(page.original)), page.rotation
    elif page.image is not None:
        reader, turn = _compressed(page.image), 0
    else:
        raise OcrkitError(f"Page {page.number} has no image to put into a PDF.")
    canvas.translate(*{0: (0, 0), 90: (0, height), 180: (width, height), 270: (width, 0)}[turn])
    canvas.rotate(-turn)
    canvas.drawImage(reader, 0, 0, *((height, width) if turn in (90, 270) else (width, height)))


def _fits_pdf(jpeg: bytes) -> bool:
    try:
        pdfutils.readJPEGInfo(io.BytesIO(jpeg))
    except Exception:  # a kind of JPEG that PDF does not know, such as arithmetic coding
        return False
    return True


def _compressed(image: np.ndarray) -> ImageReader:
    picture = PIL.Image.fromarray(image)
    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    lossless_size = len(zlib.compress(image.tobytes(), 1))
    return ImageReader(picture if lossless_size <= jpeg.getbuffer().nbytes else jpeg)


def _add_line(text: PDFTextObject, line: Line, points: float, height: float) -> None:
    """The words, each stretched over its own width, and between neighbours a space stretched over the gap.

    All words of a line get one size, the median of theirs, and sit on its course. Given each word's own size, Poppler
    takes "no" and "Typing" for different kinds of text and puts them out of order.
    """
    quads = np.array([0, height]) + np.array([word.quad for word in line.words], float) * [points, -points]
    along = _direction(quads)
    up = np.array([-along[1], along[0]])
    centres = quads.mean(1)
    widths, heights = (np.linalg.norm(quads[:, i] - quads[:, 0], axis=1) for i in (1, 3))
    right, middle = centres @ along, centres @ up
    course = _course(right, middle, _LEVEL_TOLERANCE * float(np.median(heights)))
    bottom, top = (np.median(middle - course + side * heights / 2) for side in (-1, 1))
    size = max(top - bottom, _TINY)
    lefts, rights = _parted(right - widths / 2, right + widths / 2, _LEAST_GAP * size)
    gaps = np.append(lefts[1:] - rights[:-1], 0)

    text.setFont(_cell_font(), size)
    for i, word in enumerate(line.words):
        origin = lefts[i] * along + (course[i] + bottom + _DESCENT * size) * up
        text.setTextTransform(*along, *up, *origin)
        _show(text, word.text, size, rights[i] - lefts[i])
        if i + 1 < len(line.words):
            _show(text, " ", size, gaps[i])


def _direction(quads: np.ndarray) -> np.ndarray:
    """Unit vector along the text: level unless the quads lean a lot, since Poppler reads no slanted text in order."""
    along = (quads[:, 1] - quads[:, 0]).sum(0)
    length = math.hypot(*along)
    level = not length or along[0] > length * math.cos(math.radians(_LEVEL_DEG))
    return np.array([1.0, 0.0]) if level else along / length


def _course(right: np.ndarray, middle: np.ndarray, tolerance: float) -> np.ndarray:
    """How high each word's middle goes: all alike while that misses the ink by less than `tolerance`, else on a slope.

    Poppler loses the order of words that climb along a line, so only text that truly slants is set so.
    """
    level = np.full(len(right), np.median(middle))
    if len(right) < _WORDS_FOR_SLOPE or np.ptp(right) == 0:
        return level
    slope = np.polyval(np.polyfit(right, middle, 1), right)
    return slope if np.ptp(slope) > 2 * tolerance else level


def _parted(lefts: np.ndarray, rights: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours at least `least` apart, both shortened by half of what is missing, and no word to nothing.

    PDF readers glue words together that almost touch, whether or not there is a space between them.
    """
    widths = np.maximum(rights - lefts, _TINY)
    missing = np.maximum(least - (lefts[1:] - rights[:-1]), 0) / 2
    lefts, rights = lefts.copy(), lefts + widths
    lefts[1:] += np.minimum(missing, widths[1:] / 3)
    rights[:-1] -= np.minimum(missing, widths[:-1] / 3)
    return lefts, rights


def _show(text: PDFTextObject, characters: str, size: float, length: float) -> None:
    known = "".join(c if ord(c) < 0x10000 else "\ufffd" for c in characters)  # reportlab's maps end there
    length = max(length, _TINY)
    text.setHorizScale(100 * length / pdfmetrics.stringWidth(known, _cell_font(), size))
    text.textOut(known)


@cache
def _cell_font() -> str:
    """The registered font's name."""
    font = TTFont("OcrkitCells", io.BytesIO(zlib.decompress(base64.b85decode(_CELL_FONT))))
    font.face.charToGlyph = dict.fromkeys(range(0x20, 0x10000), 0)
    pdfmetrics.registerFont(font)
    return "OcrkitCells"


@contextmanager
def _binary_streams() -> Iterator[None]:
    """Without reportlab's ASCII armour, which makes a file a quarter larger and hides a JPEG's bytes."""
    before = rl_config.useA85
    rl_config.useA85 = 0
    try:
        yield
    finally:
        rl_config.useA85 = before
