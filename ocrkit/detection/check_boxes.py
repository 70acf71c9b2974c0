"""Empty check boxes: hollow squares as high as letters, beside the words that say what they stand for.

A recogniser takes one for an O, a D or a bracket, and a detector for the first letter of its word.
"""

from __future__ import annotations

import numpy as np

from ocrkit.detection.options import DetectorOptions
from ocrkit.detection.regions import Regions
from ocrkit.detection.words import Words

_CORNER_PX = 2  # side of what is looked at in each corner


def are_check_boxes(regions: Regions, ink: np.ndarray, height_px: float, options: DetectorOptions) -> np.ndarray:
    """Whether each region is an empty square whose four sides and corners are drawn, `(N,)`.

    Args:
        regions: of `ink`.
        ink: `uint8` mask.
        height_px: of the page's typical letter.
        options: those of check boxes.
    """
    tall, wide = regions.heights, regions.widths
    least, most = options.check_size
    fits = (tall >= max(least * height_px, options.check_px)) & (tall <= most * height_px)
    fits &= (wide <= options.check_aspect * tall) & (tall <= options.check_aspect * wide)
    number = np.flatnonzero(fits)
    found = np.zeros(len(regions), bool)
    if not len(number):
        return found
    x0, y0, x1, y1 = regions.boxes[number].round().astype(int).T
    near = np.arange(_CORNER_PX)
    columns = np.stack([x0[:, None] + near, x1[:, None] - 1 - near], axis=1)
    rows = np.stack([y0[:, None] + near, y1[:, None] - 1 - near], axis=1)
    corners = ink[rows[:, :, None, :, None], columns[:, None, :, None, :]] > 0  # (N, up and down, across, 2, 2)
    drawn = corners.mean((3, 4)).min((1, 2)) >= options.check_corner
    hollow = [i for i in np.flatnonzero(drawn).tolist() if _is_hollow(ink[y0[i] : y1[i], x0[i] : x1[i]] > 0, options)]
    small = tall[number] < options.check_clear_px
    for i in hollow:
        apart = options.check_apart if small[i] else options.clear_check_apart
        found[number[i]] = _stands_free(regions.boxes[number[i]], regions.boxes, apart, options.check_free)
    # Where most stand among letters, they are letters: the o of a square face, or a small n whose serifs meet.
    for of_size in (small, ~small):
        if (of_size & found[number]).sum() < options.check_share * of_size[hollow].sum():
            found[number[of_size]] = False
    if found.sum() < options.least_checks:  # one alone may be anything
        found[:] = False
    return found


def _stands_free(square: np.ndarray, boxes: np.ndarray, apart: float, free: float) -> bool:
    """Whether level with a square `(4,)` nothing is nearer than so much of its height, nor `free` of it on one side."""
    x0, y0, x1, y1 = square
    middle, tall = (y0 + y1) / 2, y1 - y0
    level = (boxes[:, 1] <= middle) & (middle <= boxes[:, 3]) & (boxes[:, 3] - boxes[:, 1] >= tall / 3)
    starts, ends = boxes[level, 0], boxes[level, 2]
    gaps = x0 - ends[ends <= x0 + 1].max(initial=-np.inf), starts[starts >= x1 - 1].min(initial=np.inf) - x1
    return bool(min(gaps) >= apart * tall and max(gaps) >= free * tall)


def _is_hollow(square: np.ndarray, options: DetectorOptions) -> bool:
    """Whether the ink of a region `(h, w)` is its four sides, and hardly any is inside of them."""
    height, width = square.shape
    side = max(1, round(options.check_stroke * min(height, width)))
    for across in (square, square.T):
        for strip in (across[: side + 1], across[-side - 1 :]):
            if np.count_nonzero(strip.any(0)) < options.check_drawn * across.shape[1]:
                return False
    inside = square[side + 1 : height - side - 1, side + 1 : width - side - 1]
    return bool(inside.size and np.count_nonzero(inside) <= options.check_inside * inside.size)


def beside_words(squares: np.ndarray, words: Words, options: DetectorOptions) -> Words:
    """Those of `squares` `(N, 4)` px that a word stands beside, each a word on a line of its own."""
    if not len(squares) or not len(words):
        return Words.none()
    x0, y0, x1, y1 = (side[:, None] for side in squares.T)
    left, top, right, bottom = words.ink.T
    middle, tall = (y0 + y1) / 2, y1 - y0
    gap = np.maximum(left - x1, x0 - right)
    near = (top <= middle) & (middle <= bottom) & (gap >= 0) & (gap <= options.check_reach * tall)
    ink = squares[near.any(1)]
    margin = options.margin * (ink[:, 3:] - ink[:, 1:2]) * [-1, -1, 1, 1]
    ones = np.ones(len(ink))
    return Words(ink + margin, ink, np.arange(len(ink)), ones.astype(int), ones, np.zeros(len(ink)))
