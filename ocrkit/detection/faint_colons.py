"""Colons of worn print one of whose dots is too faint for ink, or much smaller: beside the other one it is believed."""

from __future__ import annotations

import cv2
import numpy as np

from ocrkit.detection.options import DetectorOptions
from ocrkit.detection.regions import Regions
from ocrkit.document import Image

_DOT = 0.3  # heights; of a dot, at most
_APART = (0.4, 0.8)  # heights; from the middle of one dot to that of the other
_GAP = (0.25, 2.5)  # heights; between the letter before it and a dot
_FREE = 0.25  # heights; nothing stands nearer beside it
_FAINTER = 0.3  # of its contrast, that the fainter dot has, at least
_LEAST = 10.0  # grey levels; by which the fainter dot is darker than its paper, at least
_SPREAD = 4.0  # times as much as a quarter of the paper around it; the same
_EDGE = 0.5  # of its darkness; what is less dark is beyond its edge
_MOST_DOTS = 1000  # on a page; more are dirt


def with_faint_colons(
    regions: Regions,
    letter: np.ndarray,
    sign: np.ndarray,
    page: Image,
    ink: np.ndarray,
    height_px: float,
    options: DetectorOptions,
) -> tuple[Regions, np.ndarray, np.ndarray]:
    """The same, but a dot that stands free behind a letter, as one of a colon does, and its fainter twin are a letter.

    The lower one of them stands at the foot of the letters before.

    Args:
        regions: of a page.
        letter: `(N,)`, false for punctuation.
        sign: `(N,)`, true for colons and equals signs.
        page: `uint8` `(H, W)`, letters darker than their ground.
        ink: `uint8` mask of it.
        height_px: of the page's typical letter.
        options: `level` matters here.
    """
    boxes = regions.boxes.copy()
    x0, y0, x1, y1 = regions.boxes.T
    is_dot = ~letter & (np.maximum(x1 - x0, y1 - y0) <= _DOT * height_px)
    if is_dot.sum() > _MOST_DOTS:
        return regions, letter, sign
    tall = np.flatnonzero(letter & ~sign)
    level, free = max(1.0, options.level * height_px), round(_FREE * height_px)
    nearest, farthest = (apart * height_px for apart in _APART)
    colon, kept = np.zeros(len(boxes), bool), np.ones(len(boxes), bool)
    for dot in np.flatnonzero(is_dot).tolist():
        left, top, right, foot = regions.boxes[dot].tolist()
        # The dot of an i stands over a stem, a full stop beside a letter.
        beside = ink[max(int(top - nearest), 0) : int(foot + nearest), max(int(left) - free, 0) : int(right) + free]
        if cv2.countNonZero(beside) > 2 * regions.area[dot] + 2 or not kept[dot]:
            continue
        gap = left - x1[tall]
        before = (gap >= _GAP[0] * height_px) & (gap <= _GAP[1] * height_px)
        before &= (y0[tall] <= top + level) & (foot <= y1[tall] + level)
        if not before.any():
            continue
        baseline = float(np.median(y1[tall[before]]))  # brackets and a g hang below it
        near = (x0 < right + free) & (x1 > left - free) & (y0 < baseline + level) & (y1 > baseline - height_px)
        near[dot] = False
        if (near & ~is_dot).any():
            continue
        below = baseline - foot
        span = (-farthest, -nearest) if below <= level else (max(below - level, nearest), min(below + level, farthest))
        least = _FAINTER * regions.contrast[dot]
        rows = _faint_dot(page, (left, right), (top + foot) / 2, span, least, height_px)
        if rows is not None:
            boxes[dot, 1::2] = min(top, rows[0]), max(foot, rows[1])
            colon[dot] = True
            kept &= ~near
    return Regions(boxes, regions.area, regions.contrast)[kept], (letter | colon)[kept], (sign | colon)[kept]


def _faint_dot(
    page: Image, sides: tuple[float, float], middle: float, span: tuple[float, float], least: float, height_px: float
) -> tuple[float, float] | None:
    """From where to where down the page a dot reaches whose middle lies in this `span` of px from another's.

    It is darker by `least` grey levels than its paper, which is on all sides of it; `None` for none.

    Args:
        page: `uint8` `(H, W)`.
        sides: px; the left and right one of the other dot.
        middle: px from the page's top; that of the other dot.
        span: px; less than 0 above it.
        least: grey levels.
        height_px: of the page's typical letter.
    """
    left, right = int(sides[0]), max(int(np.ceil(sides[1])), int(sides[0]) + 2)
    reach, highest = max(3, round(_FREE * height_px)), round(_DOT * height_px)
    top, foot = int(middle + span[0]) - highest, int(np.ceil(middle + span[1])) + highest
    if span[0] >= span[1] or min(top, left - reach) < 0 or foot > len(page) or right + reach > page.shape[1]:
        return None
    around = page[top:foot, left - reach : right + reach].astype(float)
    paper = np.median(around)
    darker = paper - around
    rows = np.sort(darker[:, reach:-reach], axis=1)[:, -2:].mean(1)
    off = top + np.arange(len(rows)) + 0.5 - middle
    darkest = int(np.where((off >= span[0]) & (off <= span[1]), rows, 0).argmax())
    if rows[darkest] < max(least, _LEAST, _SPREAD * (paper - np.quantile(around, 0.25))):
        return None
    edge = _EDGE * rows[darkest]
    light = np.flatnonzero(rows < edge)
    start, end = light[light < darkest].max(initial=-1) + 1, light[light > darkest].min(initial=len(rows))
    beside = np.delete(darker[start:end], np.s_[reach - 2 : 2 - reach], axis=1)
    alone = start > 0 and end < len(rows) and end - start <= highest and beside.max(initial=0) <= edge
    return (float(top + start), float(top + end)) if alone else None
