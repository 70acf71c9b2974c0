"""Searchable PDF: the page image, and under it invisible text whose every word lies on its ink."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ocrkit.document import Document, Line, Page
from ocrkit.errors import OcrkitError
from ocrkit.files import write_whole
from ocrkit.formats.pdf_file import CellFont, PdfFile, add_image, add_jpeg, number, text_string

_LONG_SIDE_INCHES = 11.69  # A4, for images that do not say how large their paper was
_BELIEVABLE_INCHES = (1.0, 48.0)
_LOWEST_DPI = 72.0
_LARGEST_UNITS = 14_400  # a side of a sheet, in units; a longer one has larger units

_STEPS = 16  # to a line's size, in which its words' reach from the baseline is told: for most print within 1 px
_TALLEST = 2.9  # times the size; Poppler takes no font that is taller
_HIGHEST_BASE = 0.5  # above most words' bottoms, times the size
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
    file, font = PdfFile(), CellFont(_STEPS)
    tree, fonts = file.reserve(), file.reserve()
    sheets = [_add_page(file, font, page, tree, fonts) for page in pages]
    if not sheets:
        raise OcrkitError("A PDF needs at least one page.")
    file.put(fonts, f"<<{font.write(file)}>>")
    file.put(tree, f"<</Type/Pages/Count {len(sheets)}/Kids[{' '.join(f'{sheet} 0 R' for sheet in sheets)}]>>")
    root = file.add(f"<</Type/Catalog/Pages {tree} 0 R>>")
    info = file.add(f"<</Title{text_string(title)}/Creator(ocrkit)/Producer(ocrkit)>>")
    return write_whole(path, file.finished(root, info))


def _add_page(file: PdfFile, font: CellFont, page: Page, tree: int, fonts: int) -> int:
    """Add a sheet with its picture and its text; returns the number of its object."""
    blank = page.error is not None and page.image is None  # a page in another script has its picture, and no words
    width, height = (0.7071 * 72 * _LONG_SIDE_INCHES, 72 * _LONG_SIDE_INCHES) if blank else _sheet(page)
    unit = max(1, math.ceil(max(width, height) / _LARGEST_UNITS))
    size = np.array([width, height]) / unit
    names: dict[str, int] = {}
    content = ""
    if not blank:
        content = _draw_image(file, page, size, names)
        scale = size / (page.width, page.height)
        lines = "".join(_line(font, line, scale, size[1]) for line in page.lines)
        content += f"BT {_INVISIBLE} Tr\n{lines}ET\n"
    shown = file.stream("", content.encode("ascii"))
    pictures = "".join(f"{name} {picture} 0 R" for name, picture in names.items())
    units = f"/UserUnit {unit}" if unit > 1 else ""
    return file.add(
        f"<</Type/Page/Parent {tree} 0 R/MediaBox[0 0 {number(size[0])} {number(size[1])}]{units}"
        f"/Contents {shown} 0 R/Resources<</XObject<<{pictures}>>/Font {fonts} 0 R>>>>"
    )


def _sheet(page: Page) -> tuple[float, float]:
    """Width and height in points: the sheet's own, or as the file says where that is believable, or with A4's side."""
    if page.sheet_pt:
        return page.sheet_pt
    long_side = max(page.width, page.height)
    low, high = _BELIEVABLE_INCHES
    believed = page.dpi and low <= long_side / page.dpi <= high
    dpi = page.dpi if page.dpi and believed else max(_LOWEST_DPI, long_side / _LONG_SIDE_INCHES)
    return 72 * page.width / dpi, 72 * page.height / dpi


def _draw_image(file: PdfFile, page: Page, size: np.ndarray, names: dict[str, int]) -> str:
    """Fill a sheet of `size` units; an original that was stored turned is turned by the drawing, its bytes untouched.

    Puts the pictures under the `names` by which the page knows them.
    """
    width, height = size
    picture = None if page.original is None else add_jpeg(file, page.original)
    if picture is not None:
        names["/I0"] = picture
        matrix = {
            0: (width, 0, 0, height, 0, 0),
            90: (0, -height, width, 0, 0, height),
            180: (-width, 0, 0, -height, width, height),
            270: (0, height, -width, 0, width, 0),
        }[page.rotation]
        return f"q {' '.join(map(number, matrix))} cm /I0 Do Q\n"
    if page.image is None:
        raise OcrkitError(f"Page {page.number} has no image to put into a PDF.")
    shown = ""
    scale = size / (page.width, page.height)
    for row, (part, (x0, y0, x1, y1)) in enumerate(add_image(file, page.image)):
        names[f"/I{row}"] = part
        across, down = (x1 - x0) * scale[0], (y1 - y0) * scale[1]
        place = (across, 0, 0, down, x0 * scale[0], height - y1 * scale[1])
        shown += f"q {' '.join(map(number, place))} cm /I{row} Do Q\n"
    return shown


def _line(font: CellFont, line: Line, scale: np.ndarray, height: float) -> str:
    """The words, each stretched over its own width, with a narrow space behind it.

    All words of a line get one size, the median of their heights, and one baseline along its course: given each word's
    own, Poppler takes "no" and "Typing" for different kinds of text and puts them out of order. How far a word reaches
    above and below that baseline is its font's affair. The space is shown together with its word: what is shown as a
    single character PDFium, and so Chrome, takes to run as most text of the page does, and one long line in the margin
    would then tear level lines apart.
    """
    quads = np.array([0, height]) + np.array([word.quad for word in line.words], float) * scale * [1, -1]
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
    shown = ""
    for i, word in enumerate(line.words):
        if not word.text:
            continue
        origin = lefts[i] * along + (course[i] + base) * up
        stretch = max(rights[i] - lefts[i], _TINY) / (font.width(len(word.text)) * size)
        name = font.name(_steps(above[i] / size), _steps(below[i] / size))
        placed = " ".join(map(number, (*along, *up, *origin)))
        text = word.text if word is line.words[-1] and len(word.text) > 1 else f"{word.text} "
        shown += f"{name} {number(size)} Tf {number(100 * stretch)} Tz {placed} Tm {font.encoded(text)} Tj\n"
    return shown


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


def _steps(share: float) -> int:
    return round(min(max(share * _STEPS, 1), _TALLEST * _STEPS))
