"""Strokes that strike words through, told from underlines, from rules, and from the bars of letters that touch."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ocrkit.detection.options import DetectorOptions
from ocrkit.detection.regions import grey_level, ink_regions, stroke_map
from ocrkit.detection.words import Words
from ocrkit.document import Image


def strokes_through(
    words: Words, page: Image, ink: np.ndarray, height: float, options: DetectorOptions
) -> tuple[np.ndarray, np.ndarray]:
    """The strokes that run through words, `(K, 4)` px, and whether each strikes out each of the words, `(K, N)`.

    Args:
        words: level ones.
        page: `uint8` `(H, W)`, letters darker than their ground, at text scale.
        ink: `uint8` mask of what is darker than its surroundings.
        height: px of the page's typical letter.
        options: thresholds.
    """
    strokes = ink_regions(stroke_map(ink, round(options.strike_length * height), 0))
    thin = strokes.heights <= options.strike_thickness * height + 2  # a map's strokes are a px wider on either side
    boxes = strokes.boxes[thin]
    left, top, right, bottom = boxes.T[:, :, None]
    x0, y0, x1, y1 = words.ink.T
    along = np.maximum(np.minimum(x1, right) - np.maximum(x0, left), 0)
    along[(y0 > bottom + 1) | (y1 < top - 1)] = 0
    crossing = [
        bool(on.any()) and _crosses_letters(page, ink, stroke, height, options)
        for stroke, on in zip(boxes.astype(int).tolist(), along)
    ]
    boxes, along = boxes[crossing], along[crossing]
    along[:, along.sum(0) < options.strike_whole * (x1 - x0)] = 0
    through: np.ndarray = along > 0
    return boxes, through


def _crosses_letters(
    page: Image, ink: np.ndarray, stroke: Sequence[int], height: float, options: DetectorOptions
) -> bool:
    """Whether a level stroke runs through the bodies of letters, of which a part stands on it and a part hangs from it.

    An underline or a rule has whole letters on it, and under it, where it touches any, and a rule goes on beyond them;
    the bars of letters that touch each other are lighter between them in blurred ink, and end where these letters do.
    """
    left, top, right, bottom = stroke
    reach = round(2 * height)
    rows, columns = (slice(max(start - reach, 0), end + reach) for start, end in ((top, bottom), (left, right)))
    around = page[rows, columns]
    paper, darkest = grey_level(around, 0.5), float(around.min())
    dark = page[top:bottom, left + 1 : right - 1] < paper - options.strike_ink * (paper - darkest)
    bar = np.ones((1, max(3, min(right - left - 2, reach))), np.uint8)
    if cv2.morphologyEx(dark.view(np.uint8), cv2.MORPH_OPEN, bar).any(0).mean() < options.strike_even:
        return False
    above, below = ink[rows.start : top + 1, left:right], ink[bottom - 1 : rows.stop, left:right]
    parts = np.stack([_reach_of(above, -1), _reach_of(below, 0)])
    parts[parts <= options.strike_part * height] = 0
    if (parts > 0).mean(1).min() < options.strike_share:
        return False
    crossed = np.flatnonzero(parts.any(0))
    beyond = crossed[0], right - left - 1 - crossed[-1]
    over, under = (float(np.median(part[part > 0])) for part in parts)
    return (
        max(beyond) <= options.strike_beyond * height
        and (max(beyond) > 0 or right - left >= options.strike_sure * height)
        and max(over, under) <= options.strike_most * height
        and over + bottom - top - 2 + under <= options.strike_letter * height
    )


def _reach_of(ink: np.ndarray, row: int) -> np.ndarray:
    """For each column of `ink` the height in px of what holds some ink of a `row` of it; 0 where nothing does."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(ink))
    heights = np.zeros(len(stats))
    held = labels[row][labels[row] > 0]
    heights[held] = stats[held, cv2.CC_STAT_HEIGHT]
    return heights[labels].max(0)
