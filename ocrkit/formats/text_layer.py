"""The invisible layer of text of a page, whose every word lies on its ink."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ocrkit.document import Line
from ocrkit.formats.cell_font import DESCENT, CellFont

_INVISIBLE = 3  # text render mode
_FURTHEST_OUT = 0.6  # of a line's height, from the median of its words' tops or bottoms: what is further out is a fault
_LEAST_GAP = 0.2  # of the size; Poppler sees no space below 0.15
_WORDS_FOR_SLOPE = 4  # a line of fewer says little about the course of its text
_LEVEL_DEG = 15
_LEVEL_TOLERANCE = 0.25  # of the text's height
_TINY = 1e-3  # units; keeps boxes without area from dividing by zero


def text_layer(
    font: CellFont,
    name: str,
    lines: Sequence[Line],
    scale: np.ndarray,
    height: float,
    matrix: tuple[float, ...] | None = None,
) -> bytes:
    """What draws the words of `lines` without a mark on a sheet whose origin is its lower left corner.

    Args:
        font: encodes the words.
        name: what the page calls the font, such as `/F0`.
        lines: in pixels of the page's image.
        scale: units of the sheet a pixel, across and down.
        height: of the sheet, in units.
        matrix: takes the sheet to the page that it is on; `None` where the two are the same.
    """
    moved = "" if matrix is None else " ".join([*map(number, matrix), "cm "])
    shown = b"".join(_line(font, name, line, scale, height) for line in lines)
    return b"q %bBT %d Tr\n%bET Q\n" % (moved.encode("ascii"), _INVISIBLE, shown) if shown else b""


def _line(font: CellFont, name: str, line: Line, scale: np.ndarray, height: float) -> bytes:
    """The words, each stretched over its own width, with a narrow space behind it.

    All words of a line get one size, from the lowest bottom to the highest top, and one baseline along its course:
    given each word's own, Poppler takes "no" and "Typing" for different kinds of text and puts them out of order. The
    space is shown together with its word: what is shown as a single character PDFium, and so Chrome, takes to run as
    most text of the page does, and one long line in the margin would then tear level lines apart.
    """
    words = [word for word in line.words if word.text]
    if not words:
        return b""
    quads = np.array([0, height]) + np.array([word.quad for word in words], float) * scale * [1, -1]
    along = _direction(quads)
    up = np.array([-along[1], along[0]])
    centres = quads.mean(1)
    widths, heights = (np.linalg.norm(quads[:, i] - quads[:, 0], axis=1) for i in (1, 3))
    right, middle = centres @ along, centres @ up
    usual = max(float(np.median(heights)), _TINY)
    course = _course(right, middle, _LEVEL_TOLERANCE * usual)
    low, high = _reach(middle - course, heights)
    size = max(high - low, _TINY)
    decimals = max(0, 2 - math.floor(math.log10(size)))  # a hundredth of the size, and finer
    lefts, rights = _parted(right - widths / 2, right + widths / 2, _LEAST_GAP * size)
    origins = np.round(np.stack([lefts, course + low + DESCENT * size], axis=1), decimals)
    start = [number(value, 6) for value in (*along, *up)]
    start += [number(value, decimals) for value in origins[0] @ np.stack([along, up])]
    shown = [f"{name} {number(size, decimals)} Tf {' '.join(start)} Tm\n".encode("ascii")]
    for i, word in enumerate(words):
        if i:
            across, above = origins[i] - origins[i - 1]
            shown.append(f"{number(across, decimals)} {number(above, decimals)} Td ".encode("ascii"))
        stretch = max(rights[i] - lefts[i], _TINY) / (font.width(len(word.text)) * size)
        text = word.text if i == len(words) - 1 and len(word.text) > 1 else f"{word.text} "
        shown.append(f"{number(100 * stretch, 1)} Tz".encode("ascii") + font.encoded(text) + b"Tj\n")
    return b"".join(shown)


def _reach(middles: np.ndarray, heights: np.ndarray) -> tuple[float, float]:
    """The lowest bottom and the highest top of a line's words, leaving out those that stand far out."""
    bottoms, tops = middles - heights / 2, middles + heights / 2
    slack = _FURTHEST_OUT * float(np.median(heights))
    low = max(float(bottoms.min()), float(np.median(bottoms)) - slack)
    return low, max(low, min(float(tops.max()), float(np.median(tops)) + slack))


def _direction(quads: np.ndarray) -> np.ndarray:
    """Unit vector along the text: level unless the quads lean a lot, since Poppler reads no slanted text in order.

    Text up, down or upside down on the page counts as level in its own way.
    """
    along = (quads[:, 1] - quads[:, 0]).sum(0)
    length = math.hypot(*along)
    if not length:
        return np.array([1.0, 0.0])
    along = along / length
    upright = np.round(along)  # to the nearest of the four right angles, or to a diagonal
    return upright if upright @ along > math.cos(math.radians(_LEVEL_DEG)) and abs(upright).sum() == 1 else along


def _course(right: np.ndarray, middle: np.ndarray, tolerance: float) -> np.ndarray:
    """How high each word's middle goes: all alike while that misses the ink by less than `tolerance`, else on a slope.

    Where the words miss that, too, by more than `tolerance`, on a curve. Poppler loses the order of words that climb
    along a line, so only text that truly slants or curls is set so.
    """
    level = np.full(len(right), np.median(middle))
    if len(right) < _WORDS_FOR_SLOPE or np.ptp(right) == 0:
        return level
    places = (right - right.mean()) / np.ptp(right)
    slope = np.polyval(np.polyfit(places, middle, 1), places)
    if len(right) > _WORDS_FOR_SLOPE:
        curve = np.polyval(np.polyfit(places, middle, 2), places)
        if np.ptp(curve - slope) > 2 * tolerance:
            return curve
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


def number(value: float, decimals: int = 4) -> str:
    """A number as short as it can be said with so many decimals."""
    text = f"{value:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("", "-0") else text
