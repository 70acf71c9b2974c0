"""Leaders: rows of points that lead the eye from an item to its price, and dotted or dashed rules. They are no text."""

from __future__ import annotations

import numpy as np

from ocrkit.detection.options import DetectorOptions
from ocrkit.detection.pairs import components, of_those, pairs_beside, pairs_within, shared
from ocrkit.detection.regions import Regions, letter_height

_FILL = 0.6  # share of its box that a point's ink covers, at least
_ROUND = 1.5  # times as long as its shorter side a point is, at most
_ALIKE = 1.3  # times as wide or as high as the next point one is, at most
_BLUR = 1.0  # px, by which either may be longer, and a step or a foot off
_GAP = (0.3, 9.0)  # of its width; from one point to the next
_LEVEL = 0.3  # of its width; how far one point ends above the next, at most
_HIGHER = 1.5  # times as high as a point what stands between two is, at most
_EVEN = 0.05  # of a row's usual step; how far another is off it, or off several of them where points are lost
_REGULAR = 0.75  # of a row's steps that are so even, at least; letters as high and full as each other differ in width
_LEAST = 6  # points; fewer may be an ellipsis
_MOST = 12_000  # dots of a page; more are those of a screen or of dirt, and looking at all their pairs takes minutes
_SHORT = 4  # points of a row whose steps are those of such rows
_WIDE, _FEWEST = 4.0, 2  # times its width, from which on a point's step is no ellipsis's; points of a row of that step
_NEAR = 1.5  # times the usual gap of a row; from its end to what is part of it
_TOUCHING = 4.0  # times as wide as a point two or three that touch are, at most
_PIECES = 8  # of a dashed or worn rule, at least
_PIECE_HEIGHT = 0.3  # heights; of one of them, at most
_PIECE_GAP = 0.8  # heights; from one to the next, at most
_RULE_LENGTH = 8.0  # heights; of such a rule, at least
_POINT_GAP = 0.8  # of its height; from one point of a dotted line down the page to the next, at most
_POINT_SHARED = 0.6  # of the larger one's size, that both have in common across, at least
_DRAWN = 0.4  # of its length, that its pieces cover, at least


def leaders(regions: Regions, options: DetectorOptions) -> np.ndarray:
    """Whether each region is one of a row of even points with nothing between them, `(N,)`.

    Letters of bold or blurred print are as full, and may stand as evenly, but are not low beside all the rest.
    """
    size, point = regions.boxes[:, 2:] - regions.boxes[:, :2], _points(regions)
    none = np.zeros(len(regions), bool)
    if not _LEAST <= len(point) <= _MOST:
        return none
    left, right = (point[i] for i in pairs_within(regions.boxes[point], _GAP[1] * size[point, 0]))
    gap, wide = regions.boxes[right, 0] - regions.boxes[left, 2], np.minimum(size[left, 0], size[right, 0])
    alike = np.abs(regions.boxes[left, 3] - regions.boxes[right, 3]) <= np.maximum(_LEVEL * wide, _BLUR)
    alike &= (_GAP[0] * wide <= gap) & (gap <= _GAP[1] * wide)
    left, right = left[alike], right[alike]
    larger, smaller = np.maximum(size[left], size[right]), np.minimum(size[left], size[right])
    alike = (larger <= _ALIKE * smaller + _BLUR).all(1)
    left, right, pair, between = _next(regions.boxes, left[alike], right[alike])
    gaps = _even_rows(regions.boxes, left, right)
    low = regions.heights <= options.leader_size * letter_height(regions[np.isnan(gaps)], options)
    gaps[~low] = np.nan
    found = np.isfinite(gaps)
    found |= _beside(regions.boxes, gaps) | _first(regions.boxes, gaps)
    found[between[np.isfinite(gaps[left[pair]])]] = True
    return found & low


def dashed_rules(regions: Regions, height_px: float) -> np.ndarray:
    """Whether each region is a piece of a level rule that is dashed, or worn, `(N,)`.

    As marks of the row above or below they would be in its words' boxes. `height_px` is that of the page's typical
    letter.
    """
    low = np.flatnonzero(regions.heights <= max(_PIECE_HEIGHT * height_px, 2 * _BLUR))
    found = np.zeros(len(regions), bool)
    if not _PIECES <= len(low) <= _MOST:
        return found
    boxes = regions.boxes[low]
    left, right, _ = pairs_beside(boxes, _PIECE_GAP * height_px, 0)
    level = (np.abs(boxes[left] - boxes[right])[:, [1, 3]] <= _BLUR).all(1)
    row = components(len(low), left[level], right[level])
    start, end = np.full(len(low), np.inf), np.zeros(len(low))
    np.minimum.at(start, row, boxes[:, 0])
    np.maximum.at(end, row, boxes[:, 2])
    length, drawn = (end - start)[row], np.bincount(row, boxes[:, 2] - boxes[:, 0])[row]
    long = (length >= _RULE_LENGTH * height_px) & (drawn >= _DRAWN * length)
    found[low[long & (np.bincount(row)[row] >= _PIECES)]] = True
    return found


def dotted_sides(regions: Regions) -> np.ndarray:
    """Whether each region is a point of a dotted line down the page, as of a frame, `(N,)`.

    No print stands so close one above the other.
    """
    point = _points(regions)
    found = np.zeros(len(regions), bool)
    if not _PIECES <= len(point) <= _MOST:
        return found
    down = regions.boxes[point][:, [1, 0, 3, 2]]
    high, large = down[:, 2] - down[:, 0], (down[:, 2:] - down[:, :2]).max(1)
    above, below, shared = pairs_beside(down, _POINT_GAP * high, 0)
    alike = (down[below, 0] >= down[above, 2]) & (shared >= _POINT_SHARED * np.maximum(*large[[above, below]]))
    column = components(len(point), above[alike], below[alike])
    found[point[np.bincount(column)[column] >= _PIECES]] = True
    return found


def _points(regions: Regions) -> np.ndarray:
    """Numbers of the regions that are about as wide as high, and full."""
    size = regions.boxes[:, 2:] - regions.boxes[:, :2]
    small, large = size.min(1, initial=np.inf), size.max(1, initial=0.0)
    return np.flatnonzero((large <= _ROUND * small + _BLUR) & (regions.area >= _FILL * size.prod(1)))


def _even_rows(boxes: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The usual gap of the row that each box is a point of, `(N,)` px; nan for others."""
    row, gaps = components(len(boxes), left, right), np.full(len(boxes), np.nan)
    step, gap = (boxes[right] - boxes[left])[:, [0, 2]].mean(1), boxes[right, 0] - boxes[left, 2]
    of_row, steps_px, wide = row[left], [], []
    for number in np.flatnonzero(np.bincount(of_row) >= _LEAST - 1):
        own = np.flatnonzero(of_row == number)
        usual = float(np.median(step[own]))
        steps = np.maximum(1, np.round(step[own] / usual))
        even = np.abs(step[own] - usual * steps) <= _EVEN * usual + _BLUR
        if even.mean() < _REGULAR:
            continue
        # Where points are lost there are others on both sides; the point of a word stands alone before them.
        single = even & (steps == 1)
        points = of_those(len(boxes), np.append(left[own[single]], right[own[single]]))
        own = own[even & (single | (points[left[own]] & points[right[own]]))]
        part = components(len(boxes), left[own], right[own])
        points = of_those(len(boxes), np.append(left[own], right[own]))
        points = np.flatnonzero(points & (np.bincount(part, points)[part] >= _LEAST))
        gaps[points] = np.median(gap[own])
        if len(points):
            steps_px.append(usual)
            wide.append(float(np.median((boxes[:, 2] - boxes[:, 0])[points])))
    if not steps_px:
        return gaps
    # Where a long item leaves little room for them there are few, set as the others are.
    usual = float(np.median(steps_px))
    least = _FEWEST if usual >= _WIDE * np.median(wide) else _SHORT
    even = np.abs(step - usual) <= _EVEN * usual + _BLUR
    left, right, gap = left[even], right[even], gap[even]
    row = components(len(boxes), left, right)
    points = np.unique(np.append(left, right))
    points = points[(np.bincount(row)[row[points]] >= least) & np.isnan(gaps[points])]
    gaps[points] = usual - np.median(wide)
    return gaps


def _beside(boxes: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """Whether each box stands at the end of a row of points with these `gaps` and is as low and wider: some that touch.

    What is no wider is the point of a word.
    """
    height, wide, ends = boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0], np.zeros(len(boxes), bool)
    found = np.isfinite(gaps)
    if not found.any():
        return ends
    feet, most = np.sort(boxes[found, 3]), float(height[found].max())
    after = np.searchsorted(feet, boxes[:, 3]).clip(1, len(feet) - 1)
    off = np.minimum(np.abs(boxes[:, 3] - feet[after - 1]), np.abs(boxes[:, 3] - feet[after]))
    low = np.flatnonzero((height <= _HIGHER * most + _BLUR) & (off <= max(_LEVEL * most, _BLUR)))
    left, right = (low[i] for i in pairs_within(boxes[low], _NEAR * float(gaps[found].max())))
    one = found[left] != found[right]
    left, right = left[one], right[one]
    point, other = np.where(found[left], left, right), np.where(found[left], right, left)
    beside = np.abs(boxes[point, 3] - boxes[other, 3]) <= np.maximum(_LEVEL * height[point], _BLUR)
    beside &= height[other] <= _HIGHER * height[point] + _BLUR
    beside &= (_ALIKE * wide[point] + _BLUR < wide[other]) & (wide[other] <= _TOUCHING * wide[point])
    beside &= boxes[right, 0] - boxes[left, 2] <= _NEAR * gaps[point]
    ends[other[beside]] = True
    return ends


def _first(boxes: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """Whether each box stands before a row of points as far as these do from each other.

    It may stand as close to the word before it as that word's own point, which would seldom be at their step.
    """
    first = np.zeros(len(boxes), bool)
    found, height, wide = np.isfinite(gaps), boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]
    if not found.any():
        return first
    point, most = np.flatnonzero(found), float(height[found].max())
    low = np.flatnonzero(found | ((height <= _HIGHER * most + _BLUR) & (wide <= _HIGHER * most + _BLUR)))
    left, right = (low[i] for i in pairs_within(boxes[low], _NEAR * float(gaps[point].max())))
    at = ~found[left] & found[right]
    left, right = left[at], right[at]
    level = np.abs(boxes[left, 3] - boxes[right, 3]) <= np.maximum(_LEVEL * wide[right], _BLUR)
    step = (boxes[right] - boxes[left])[:, [0, 2]].mean(1)
    even = np.abs(step - gaps[right] - wide[right]) <= _EVEN * (gaps[right] + wide[right]) + _BLUR
    first[left[level & even]] = True
    return first


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
    free = ~of_those(len(left), pair[high])
    number = np.cumsum(free) - 1
    inside = free[pair]
    return left[free], right[free], number[pair[inside]], other[inside]
