"""Words that are struck through: the stroke is erased before they are read, or they would read as others.

With its stroke a line of print is one piece of ink, so letters are looked for anew once it is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np

from ocrkit.detection import DetectedLine
from ocrkit.document import Image

_INK = 0.4  # of the strongest contrast in a box, from which on a pixel is ink
_LENGTH = 2.5  # heights of a word; of a stroke, at least
_SHORT = 0.8  # the same of one beside such a stroke, and as high
_NEXT = 8.0  # heights, within which that stands
_LEVEL_PX = 1  # by which the two may differ in height and thickness
_THICK = 0.35  # of that height; of a stroke, at most
_EDGE = 0.12  # of that height; a stroke runs no nearer to a word's top or foot
_BEYOND = 1.5  # heights; a stroke ends no farther from the words it strikes out
_BESIDE = (2, 3)  # px above and below a stroke, where a letter's ink goes on that crosses it


def unstruck(
    grey: Image, detected: Sequence[DetectedLine], detect: Callable[[Image], Sequence[DetectedLine]]
) -> tuple[Image, Sequence[DetectedLine]]:
    """The page without the strokes through words, and its lines with what is `cleared`; the same without any.

    Args:
        grey: `uint8`, `(H, W)`.
        detected: what was found on it.
        detect: finds lines.
    """
    struck = [line.boxes[line.struck] for line in detected if line.struck is not None and line.struck.any()]
    cleared, strokes = without_strokes(grey, struck) if struck else (grey, np.zeros((0, 4)))
    if not len(strokes):
        return grey, detected
    left, top, right, bottom = strokes.T

    def was_struck(line: DetectedLine) -> np.ndarray:
        x0, y0, x1, y1 = line.boxes.T[:, :, None]
        covered = np.minimum(x1, right) - np.maximum(x0, left) >= 0.5 * (x1 - x0)
        return (covered & (y0 <= bottom) & (y1 >= top)).any(1)

    return cleared, [line if line.aside else replace(line, cleared=was_struck(line)) for line in detect(cleared)]


def without_strokes(grey: Image, struck: Sequence[np.ndarray]) -> tuple[Image, np.ndarray]:
    """`grey` without the level strokes through words, but for where a letter crosses them; and these strokes, `(K, 4)`.

    Args:
        grey: `uint8`, `(H, W)`.
        struck: for each line the boxes `(N, 4)` px of the words that are struck through.
    """
    cleared, strokes = grey.copy(), []
    for boxes in struck:
        height = float(np.median(boxes[:, 3] - boxes[:, 1]))
        top = max(0, int(boxes[:, 1].min()) - 2)
        crop = grey[top : int(np.ceil(boxes[:, 3].max())) + 2]
        if not crop.size:
            continue
        paper = int(np.median(crop))
        off = np.abs(crop.astype(np.int16) - paper)
        ink = (off > _INK * off.max()).astype(np.uint8)
        middles = boxes[:, [0, 2]].mean(1)
        long, found = _level_strokes(ink, _LENGTH * height)
        found = [
            (x, y, wide, high)
            for x, y, wide, high in found
            if _may_strike(y, high, height, len(crop))
            and ((x <= middles) & (middles <= x + wide)).any()
            and _ends_at_letters(ink, (x, y, wide, high), _BEYOND * height)
        ]
        # Words by themselves may have strokes of their own, as short as they are.
        short, others = _level_strokes(ink, _SHORT * height) if found else (long, [])
        beside = [one for one in others if any(_goes_on(one, other, height) for other in found)]
        for strokes_of, parts in ((long, found), (short, beside)):
            for x, y, wide, high in parts:
                stroke = strokes_of[y : y + high, x : x + wide] > 0
                cleared[top : top + len(crop), x : x + wide][_free(stroke, ink[:, x : x + wide] > 0, y)] = paper
                strokes.append((x, top + y, x + wide, top + y + high))
    return cleared, np.array(strokes, float).reshape(-1, 4)


def _level_strokes(ink: np.ndarray, length_px: float) -> tuple[np.ndarray, list[tuple[int, int, int, int]]]:
    """The level runs of `ink` that are so long, a mask, and the left edge, top, width and height of each."""
    runs = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, max(3, int(length_px))), np.uint8))
    return runs, [(x, y, wide, high) for x, y, wide, high, _ in cv2.connectedComponentsWithStats(runs)[2][1:].tolist()]


def _may_strike(top: int, high: int, height: float, rows: int) -> bool:
    """Whether a stroke is thin and runs through the middle of `rows` of words so high."""
    return high <= _THICK * height and _EDGE * height <= top and top + high <= rows - _EDGE * height


def _ends_at_letters(ink: np.ndarray, stroke: tuple[int, int, int, int], beyond_px: float) -> bool:
    """Whether letters reach above or below a stroke up to its ends; a form's rule goes on."""
    x, y, wide, high = stroke
    part = ink[:, x : x + wide] > 0
    letters = np.flatnonzero(part[: max(y - 2, 0)].any(0) | part[y + high + 2 :].any(0))
    return len(letters) > 0 and max(letters[0], wide - letters[-1]) <= beyond_px


def _goes_on(one: tuple[int, int, int, int], other: tuple[int, int, int, int], height: float) -> bool:
    """Whether `one` stroke is as high, as thick and near enough beside the `other` to strike out the next word."""
    gap = max(other[0] - one[0] - one[2], one[0] - other[0] - other[2])
    level = abs(one[1] - other[1]) <= _LEVEL_PX and abs(one[3] - other[3]) <= _LEVEL_PX
    return 0 < gap <= _NEXT * height and level


def _free(stroke: np.ndarray, ink: np.ndarray, top: int) -> np.ndarray:
    """Where a `stroke`, whose first row is row `top` of the `ink` around it, is crossed by no letter, `bool`."""
    columns = np.arange(stroke.shape[1])
    first = top + stroke.argmax(0)
    last = top + len(stroke) - 1 - stroke[::-1].argmax(0)
    above, below = np.zeros((2, len(columns)), bool)
    for off in _BESIDE:
        above |= ink[np.maximum(first - off, 0), columns]
        below |= ink[np.minimum(last + off, len(ink) - 1), columns]
    crossed = np.convolve(above & below, np.ones(3), "same") > 0
    rows = np.arange(len(ink))[:, None]
    return (rows >= first - 1) & (rows <= last + 1) & ~crossed & stroke.any(0)
