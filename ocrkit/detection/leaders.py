"""Leaders: rows of points that lead the eye from an item to its price, and dotted rules. They are no text."""

from __future__ import annotations

import numpy as np

from ocrkit.detection.pairs import components, pairs_within, shared
from ocrkit.detection.regions import Regions

_FILL = 0.6  # share of its box that a point's ink covers, at least
_ROUND = 1.5  # times as long as its shorter side a point is at most
_ALIKE = 1.4  # times as wide or as high as the next point one is at most
_BLUR = 1.0  # px, that either may be longer
_GAP = (0.3, 6.0)  # of its width; from one point to the next
_NEAR = 2.5  # of its width; from the end of such a row to what is part of it
_TOUCHING = 4.0  # times as wide as a point two or three that touch are at most
_LEVEL = 0.5  # of its width; how far one point ends above the next, at most
_HIGHER = 1.5  # times as high as a point what stands between two is at most
_LEAST = 6  # points; fewer may be an ellipsis


def leaders(regions: Regions, most_px: float = np.inf) -> np.ndarray:
    """Whether each region is one of a row of points with nothing between them, `(N,)`.

    `most_px` is the longest side of a point.
    """
    size = regions.boxes[:, 2:] - regions.boxes[:, :2]
    small, large = size.min(1), size.max(1)
    found = np.zeros(len(regions), bool)
    point = np.flatnonzero(
        (large <= most_px) & (large <= _ROUND * small + _BLUR) & (regions.area >= _FILL * size.prod(1))
    )
    if len(point) < _LEAST:
        return found
    left, right = (point[i] for i in pairs_within(regions.boxes[point], _GAP[1] * size[point, 0]))
    gap, wide = regions.boxes[right, 0] - regions.boxes[left, 2], np.minimum(size[left, 0], size[right, 0])
    alike = np.abs(regions.boxes[left, 3] - regions.boxes[right, 3]) <= np.maximum(_LEVEL * wide, _BLUR)
    alike &= (_GAP[0] * wide <= gap) & (gap <= _GAP[1] * wide)
    left, right = left[alike], right[alike]
    larger, smaller = np.maximum(size[left], size[right]), np.minimum(size[left], size[right])
    alike = (larger <= _ALIKE * smaller + _BLUR).all(1)
    left, right, pair, between = _next(regions.boxes, left[alike], right[alike])
    run = components(len(regions), left, right)
    found[np.append(left, right)] = True
    found &= np.bincount(run, found)[run] >= _LEAST
    found[between[found[left[pair]]]] = True
    return found | _beside(regions.boxes, found)


def _beside(boxes: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Whether each region stands at the end of a row of points and is as low: points that touch each other."""
    height, ends = boxes[:, 3] - boxes[:, 1], np.zeros(len(boxes), bool)
    if not found.any():
        return ends
    feet, most = np.sort(boxes[found, 3]), float(height[found].max())
    after = np.searchsorted(feet, boxes[:, 3]).clip(1, len(feet) - 1)
    off = np.minimum(np.abs(boxes[:, 3] - feet[after - 1]), np.abs(boxes[:, 3] - feet[after]))
    low = np.flatnonzero((height <= _HIGHER * most + _BLUR) & (off <= max(_LEVEL * most, _BLUR)))
    wide = float((boxes[found, 2] - boxes[found, 0]).max())
    left, right = (low[i] for i in pairs_within(boxes[low], _NEAR * wide))
    one = found[left] != found[right]
    left, right = left[one], right[one]
    point, other = np.where(found[left], left, right), np.where(found[left], right, left)
    beside = np.abs(boxes[point, 3] - boxes[other, 3]) <= np.maximum(_LEVEL * height[point], _BLUR)
    beside &= height[other] <= _HIGHER * height[point] + _BLUR
    beside &= boxes[other, 2] - boxes[other, 0] <= _TOUCHING * (boxes[point, 2] - boxes[point, 0])
    beside &= boxes[right, 0] - boxes[left, 2] <= _NEAR * (boxes[point, 2] - boxes[point, 0])
    ends[other[beside]] = True
    return ends


def _next(boxes: np.ndarray, left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, ...]:
    """Those pairs between which nothing higher than a point stands, and what does, by the number of its pair."""
    order = np.lexsort((boxes[right, 0], left))
    left, right = left[order], right[order]
    nearest = np.diff(left, prepend=-1) > 0
    left, right = left[nearest], right[nearest]
    middle, height = (boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3] - boxes[:, 1]
    by_place = np.argsort(middle)
    start, end = (np.searchsorted(middle[by_place], boxes[who, side]) for who, side in ((left, 2), (right, 0)))
    count = np.maximum(end - start, 0)
    pair = np.repeat(np.arange(len(left)), count)
    other = by_place[np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count) + start[pair]]
    level = shared(boxes, left[pair], other, axis=1) > 0
    pair, other = pair[level], other[level]
    high = height[other] > _HIGHER * height[left[pair]] + _BLUR
    free = ~np.isin(np.arange(len(left)), pair[high])
    number = np.cumsum(free) - 1
    inside = free[pair]
    return left[free], right[free], number[pair[inside]], other[inside]
