"""Words that are struck through: the stroke is erased before they are read, or they would read as others.

With its stroke a line of print is one piece of ink, so letters are looked for anew once it is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain

import cv2
import numpy as np

from ocrkit.detection import DetectedLine
from ocrkit.document import Image

_INK = 0.4  # of the strongest contrast around a stroke, from which on a pixel is ink
_LENGTH = 0.8  # heights of its words; of a level part of the ink that may be of a stroke, at least
_NEXT = 8.0  # heights, within which a part stands beside another one that is as high, as it strikes out the next word
_LEVEL_PX = 1  # by which the two may differ in height and thickness, or a part lie off its stroke
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
    struck = [line for line in detected if line.strokes is not None and len(line.strokes)]
    cleared, strokes = without_strokes(grey, struck) if struck else (grey, np.zeros((0, 4)))
    if not len(strokes):
        return grey, detected
    left, top, right, bottom = strokes.T

    def was_struck(line: DetectedLine) -> np.ndarray:
        x0, y0, x1, y1 = line.boxes.T[:, :, None]
        covered = np.minimum(x1, right) - np.maximum(x0, left) >= 0.5 * (x1 - x0)
        return (covered & (y0 <= bottom) & (y1 >= top)).any(1)

    return cleared, [line if line.aside else replace(line, cleared=was_struck(line)) for line in detect(cleared)]


def without_strokes(grey: Image, lines: Sequence[DetectedLine]) -> tuple[Image, np.ndarray]:
    """`grey` without the strokes through words, but for where a letter crosses them; and what was erased, `(K, 4)`.

    Args:
        grey: `uint8`, `(H, W)`.
        lines: those of its lines that have `strokes`.
    """
    cleared, erased = grey.copy(), []
    for line in lines:
        if line.strokes is None:
            continue
        height = float(np.median(line.boxes[:, 3] - line.boxes[:, 1]))
        top = max(0, int(line.strokes[:, 1].min() - height))
        crop = grey[top : int(np.ceil(line.strokes[:, 3].max() + height))]
        paper = int(np.median(crop))
        off = np.abs(crop.astype(np.int16) - paper)
        ink = (off > _INK * off.max()).astype(np.uint8)
        runs = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, max(3, int(_LENGTH * height) | 1)), np.uint8))
        parts = [part for *part, _ in cv2.connectedComponentsWithStats(runs)[2][1:].tolist()]
        own = [[part for part in parts if _is_of(part, stroke)] for stroke in line.strokes - [0, top, 0, top]]
        # Words by themselves may have strokes of their own, as short as they are.
        beside = [part for part in parts if any(_goes_on(part, pieces, height) for pieces in own)]
        for x, y, wide, high in [*chain(*own), *beside]:
            stroke = runs[y : y + high, x : x + wide] > 0
            cleared[top : top + len(crop), x : x + wide][_free(stroke, ink[:, x : x + wide] > 0, y)] = paper
            erased.append((x, top + y, x + wide, top + y + high))
    return cleared, np.array(erased, float).reshape(-1, 4)


def _is_of(part: Sequence[int], stroke: np.ndarray) -> bool:
    """Whether a level `part` of the ink, its left edge, top, width and height, lies within a `stroke`, `(4,)`."""
    x, y, wide, high = part
    left, top, right, bottom = stroke
    return bool(x < right and x + wide > left and top - _LEVEL_PX <= y and y + high <= bottom + _LEVEL_PX)


def _goes_on(part: Sequence[int], stroke: Sequence[Sequence[int]], height: float) -> bool:
    """Whether a `part` is as high, as thick and near enough beside a `stroke` of such to strike out the next word."""
    if not stroke:
        return False
    left, top, wide, high = np.array(stroke).T
    gap = max(left.min() - part[0] - part[2], part[0] - (left + wide).max())
    level = abs(part[1] - top.min()) <= _LEVEL_PX and abs(part[1] + part[3] - (top + high).max()) <= _LEVEL_PX
    return bool(0 < gap <= _NEXT * height and level)


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
