"""Searchable PDF: the page image, and under it invisible text whose every word lies on its ink."""

from __future__ import annotations

import base64
import io
import math
import struct
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

# A font of one glyph, half as wide as high, that fills its cell from 311 units below the baseline to 711 above it, out
# of 1000. PDF readers take a word's rectangle from the font's metrics, so a copy with other numbers there puts it on
# the word's box, for any letters of any script. Made with fontTools' FontBuilder; compressed.
_CELL_FONT = (
    "c-n<fJxjw-6g@AAQCq7NL`4u%aBvU`BDx5IMFa;6b#%}WV_TYNXj7<z;OO8W_%{T9f#@KF{sJ8wIym?PB7#Wj$%my<!TWgkopaxP_n!M80HkmZ8Cr"
    "2SzqIwTc?*aIMh^^IcaTPd{E~dRY@Hs>*)yNykL0rzQ$N(x8xHXe_ezBU<qr46uiWz$+ieM-2;zcHu}%z~XNLSC<hI^&*jFVVA=i#|+kE;^pUFGq*"
    "Um}9<vmSu!+Hp{a_^mOFYZsQy+fAYFknGj_>xB;LrOw?BY8oaAXei?mHJI2wUy*X8Yn9XUtD2`8UNd_>g%*{I%u&5$rG!+qF$s_`%xD44JV$Y7tyJ"
    "NxAd_xt=o-#x6|vA2~jdN-)6J9tnh=j9DK!7sMtwz1@)sh;V_v<GSV0eJ1V1$q%fUe3FF8mSj80b1=F$`C9~YL^m@^#*Q#z5K>;Q#t_Dg(Wi*L()K"
    "P>%UqcmcU(O%DJMe$s0$*B%"
)
_ASCENT, _DESCENT = 711, -311
_STEPS = (
    16  # to a line's size, in which its words' reach above and below the baseline is told: for most print within 1 px
)
_TALLEST = 2.9  # times the size; Poppler takes no font that is taller
_HIGHEST_BASE = 0.5  # above most words' bottoms, times the size
_CELL_WIDTH = 0.5
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
        canvas.setProducer("ocrkit with ReportLab")
        canvas.setAuthor("")  # nobody knows; ReportLab would say "anonymous" and "unspecified"
        canvas.setSubject("")
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

    All words of a line get one size, the median of their heights, and one baseline along its course: given each word's
    own, Poppler takes "no" and "Typing" for different kinds of text and puts them out of order. How far a word reaches
    above and below that baseline is its font's affair.
    """
    quads = np.array([0, height]) + np.array([word.quad for word in line.words], float) * [points, -points]
    along = _direction(quads)
    up = np.array([-along[1], along[0]])
    centres = quads.mean(1)
    widths, heights = (np.linalg.norm(quads[:, i] - quads[:, 0], axis=1) for i in (1, 3))
    right, middle = centres @ along, centres @ up
    size = max(float(np.median(heights)), _TINY)
    course = _course(right, middle, _LEVEL_TOLERANCE * size)
    bottoms = middle - heights / 2 - course
    # No font reaches up from above its baseline, so that has to be where the highest word ends, if it is a word.
    base = min(bottoms.max(), float(np.median(bottoms)) + _HIGHEST_BASE * size)
    below, above = base - bottoms, bottoms + heights - base
    lefts, rights = _parted(right - widths / 2, right + widths / 2, _LEAST_GAP * size)
    gaps = np.append(lefts[1:] - rights[:-1], 0)

    for i, word in enumerate(line.words):
        origin = lefts[i] * along + (course[i] + base) * up
        text.setFont(_cell_font(_steps(above[i] / size), _steps(below[i] / size)), size)
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
    missing = np.maximum(least - (lefts[1:] - rights[:-1]), 0)
    most_left, most_right = widths[:-1] / 3, widths[1:] / 3
    lefts, rights = lefts.copy(), lefts + widths
    # What a colon is too narrow to give, its neighbour gives.
    lefts[1:] += np.minimum(np.maximum(missing / 2, missing - most_left), most_right)
    rights[:-1] -= np.minimum(np.maximum(missing / 2, missing - most_right), most_left)
    return lefts, rights


def _show(text: PDFTextObject, characters: str, size: float, length: float) -> None:
    known = "".join(c if ord(c) < 0x10000 else "\ufffd" for c in characters)  # reportlab's maps end there
    length = max(length, _TINY)
    text.setHorizScale(100 * length / (_CELL_WIDTH * size * len(known)))
    text.textOut(known)


def _steps(share: float) -> int:
    return round(min(max(share * _STEPS, 1), _TALLEST * _STEPS))


@cache
def _cell_font(above: int, below: int) -> str:
    """The name of the registered font whose cell reaches so many steps above and below the baseline."""
    name = f"OcrkitCells{above}-{below}"
    ascent, descent = 1000 * above // _STEPS, -1000 * below // _STEPS
    data = zlib.decompress(base64.b85decode(_CELL_FONT))
    for made, wanted in (
        (_ASCENT, ascent),
        (_DESCENT, descent),
        (_ASCENT - _DESCENT, ascent - descent),  # an outline goes from point to point by differences
        (_DESCENT - _ASCENT, descent - ascent),
    ):
        data = data.replace(struct.pack(">h", made), struct.pack(">h", wanted))
    font = TTFont(name, io.BytesIO(data))
    font.face.name = name.encode()  # reportlab writes fonts of one name only once
    font.face.charToGlyph = dict.fromkeys(range(0x20, 0x10000), 0)
    pdfmetrics.registerFont(font)
    return name


@contextmanager
def _binary_streams() -> Iterator[None]:
    """Without reportlab's ASCII armour, which makes a file a quarter larger and hides a JPEG's bytes."""
    before = rl_config.useA85
    rl_config.useA85 = 0
    try:
        yield
    finally:
        rl_config.useA85 = before
