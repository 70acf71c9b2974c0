"""Signs that stand alone in a row of print: the dash of an empty cell, a list's bullet, a one or an I of a table.

By themselves they look like dirt and strokes, so lines are not begun by them and `settle` drops them; what tells them
is the print in their row: a stroke's top and foot are those of its letters, a dash stands half-way up.
"""

from __future__ import annotations

import numpy as np

from ocrkit.detection.options import DetectorOptions
from ocrkit.detection.pairs import components, pairs_beside
from ocrkit.detection.regions import Regions
from ocrkit.detection.words import Words

_HAIRLINE_PX = 2  # height
_ALIKE = 0.1  # of the size of a dash, by which others of its page differ from it, at most,
_ROUNDED = (0.5, 1.0)  # or px of its width and of its height, which is told by whole rows
_STROKE, _DASH, _BULLET, _EQUALS, _ELLIPSIS = 1, 2, 3, 4, 5  # kinds of signs by their shape


def lone_signs(letters: Regions, words: Words, slope: float, options: DetectorOptions) -> Words:
    """Words of one sign each, a line of its own for each.

    Args:
        letters: what may be text, of one ink.
        words: those that were found.
        slope: how far the page's lines go down for each px to the right.
        options: `faint_sign`, `sign_rows`, `sign_apart`, `min_dash`, `most_signs`, and those of the shapes of signs, of
            long dashes and of cells matter here.
    """
    sure = words[words.letters > 1]
    within = _within(letters.boxes, words.boxes)
    if not len(sure) or not within.any():
        return Words.none()
    free = letters[~within]
    if not len(free):
        return Words.none()
    height = np.median(sure.ink[:, 3] - sure.ink[:, 1])
    free, points = _with_ellipses(free, height, options)
    kinds = _kinds(free, points, height, options)
    free, kinds = free[kinds > 0], kinds[kinds > 0]
    if not 0 < len(free) <= options.most_signs:
        return Words.none()
    single = words[words.letters == 1]
    sure += single[_between_dashes(single.ink, free.boxes[kinds == _DASH], options)]
    clear = free.contrast >= options.faint_sign * np.median(letters.contrast[within])
    clear &= ~_in_rules(free.boxes, kinds, height, options)
    free, kinds = free[clear], kinds[clear]
    reach = options.sign_apart * np.maximum(free.boxes[:, 2:] - free.boxes[:, :2], 1).max(1)
    # A long dash stands off its words by a space, which is short beside it.
    long = (kinds == _DASH) & (free.widths >= options.long_dash * height)
    across = np.where(long, options.dash_apart * height, reach)
    apart = _apart(free.boxes, np.concatenate([free.boxes, words.ink]), across, reach)
    free, kinds = free[apart], kinds[apart]
    others = np.concatenate([free.boxes, words.ink])
    cell = _apart(free.boxes, others, np.full(len(free), options.cell_apart * height), np.zeros(len(free)))
    cell &= _in_columns(free.boxes, others, kinds == _DASH, height, options)

    x0, y0, x1, y1 = (side[:, None] for side in free.boxes.T)
    left, top, right, bottom = sure.ink.T
    tall = bottom - top
    gap = np.maximum(np.maximum(left - x1, x0 - right), 0)
    # As on a page that lies level: the rows of a table are long.
    down = slope * ((x0 + x1) - (left + right)) / 2
    y0, y1 = y0 - down, y1 - down
    place = ((y0 + y1) / 2 - top) / tall
    in_row = np.where(cell, options.cell_rows, options.sign_rows)[:, None]
    near = (gap <= in_row * tall) & (place > 0) & (place < 1)
    off = options.level * tall + 1
    half_way = (place > options.dash_place[0]) & (place < options.dash_place[1])
    stroke = (np.abs(y0 - top) <= off) & (np.abs(y1 - bottom) <= off)
    dash = half_way & (x1 - x0 >= options.min_dash * tall) & (x1 - x0 <= options.longest_dash * tall)
    bullet = (left >= x1) & (gap <= options.bullet_reach * tall) & (place < options.dash_place[1])
    bullet |= cell[:, None] & (place > options.star_place) & (place < options.dash_place[1])
    equals, ellipsis = cell[:, None] & half_way, cell[:, None] & (place >= options.dash_place[1] - options.level)
    fits = near & np.choose(kinds[:, None] - 1, [stroke, dash, bullet, equals, ellipsis])
    beside = np.where(fits, gap, np.inf).argmin(1) if len(free) else np.zeros(0, int)
    between = (near & half_way & (left >= x1)).any(1) & (near & half_way & (right <= x0)).any(1)
    held = cell | between | (fits & (gap <= options.dash_reach * tall)).any(1)
    found = fits.any(1) & ~_are_stray(free.boxes, fits.any(1) & (kinds == _DASH), held)
    ink, beside = free.boxes[found], beside[found]
    around, down = ink.copy(), down[np.flatnonzero(found), beside]
    around[:, 1], around[:, 3] = np.minimum(ink[:, 1], top[beside] + down), np.maximum(ink[:, 3], bottom[beside] + down)
    around += options.margin * tall[beside, None] * [-1, -1, 1, 1]
    one = np.ones(len(ink), int)
    return Words(around, ink, np.arange(len(ink)), one, one.astype(float), np.zeros(len(ink)))


def _between_dashes(boxes: np.ndarray, dashes: np.ndarray, options: DetectorOptions) -> np.ndarray:
    """Whether each of `boxes` `(N, 4)` stands midway between two dashes alike, as the number of a page does, `(N,)`."""
    left, top, right, bottom = dashes.T
    x0, y0, x1, y1 = boxes.T[:, :, None]
    place = ((top + bottom) / 2 - y0) / (y1 - y0)
    near = options.number_reach * (y1 - y0)
    level = (place > options.dash_place[0]) & (place < options.dash_place[1])
    gaps = x0 - right, left - x1
    before, behind = (level & (gap >= 0) & (gap <= near) for gap in gaps)
    found = np.zeros(len(boxes), bool)
    for i in np.flatnonzero(before.any(1) & behind.any(1)).tolist():
        one, other = (np.stack([gap[i], right - left], 1)[at[i]] for gap, at in zip(gaps, (before, behind)))
        found[i] = (np.abs(one[:, None] - other) <= options.number_off * near[i]).all(2).any()
    return found


def _kinds(regions: Regions, points: np.ndarray, height: float, options: DetectorOptions) -> np.ndarray:
    """What each region's shape may be, `(N,)`: one of the kinds above, 0 for none of them; `points` are several."""
    tall, wide = regions.heights, regions.widths
    fill = regions.area / np.maximum(tall * wide, 1)
    stroke = (wide <= options.stroke_width * tall) & (tall >= options.min_letter * height)
    # A line of pixels that goes down by one fills half of its box.
    full = (fill >= 0.6) | ((fill >= 0.5) & (tall <= _HAIRLINE_PX))
    # So does a thin one that leans with its page; the two bars of an equals sign are higher.
    full |= ~points & (fill >= 0.5) & (fill * tall <= 0.15 * height) & (wide >= 2 * tall)
    dash = (wide >= options.min_dash * height) & (wide >= 1.5 * tall) & (tall <= 0.3 * height + 0.5) & full
    # A pen's dash, as some book faces have, rises: it fills less of its box, but is longer and thinner than two bars,
    # and shorter beside its height than three points.
    rising = (wide >= 3 * tall) & (wide <= 4 * tall) & (fill >= 0.45) & (fill * tall <= 0.22 * height)
    dash |= rising & (wide >= 0.75 * height)
    small, large = np.minimum(tall, wide), np.maximum(tall, wide)
    bullet = (small >= 0.6 * large) & (large >= 0.2 * height) & (large <= 0.75 * height) & (fill >= 0.4)
    lowest, highest = options.equals_height
    equals = (wide >= options.equals_aspect * tall) & (wide <= height)
    equals &= (tall >= lowest * height) & (tall <= highest * height)
    thinnest, fullest = options.equals_fill
    equals &= (fill >= thinnest) & (fill <= fullest)
    ellipsis = (wide >= options.ellipsis_aspect * tall) & (wide >= options.ellipsis_width * height)
    ellipsis &= (tall < options.point_size * height) & (fill < options.ellipsis_fill)
    return np.select(
        [stroke, dash, bullet, equals, ellipsis],
        [_STROKE, _DASH, _BULLET, _EQUALS, _ELLIPSIS],
        0,
    )


def _with_ellipses(regions: Regions, height: float, options: DetectorOptions) -> tuple[Regions, np.ndarray]:
    """The regions, three points alike that stand level at even steps, and by themselves, as one; which are these."""
    wide, high = regions.widths, regions.heights
    point = np.flatnonzero(
        (np.maximum(wide, high) < options.point_size * height)
        & (np.minimum(wide, high) >= 0.5 * np.maximum(wide, high))
    )
    boxes = regions.boxes[point]
    first, second, down = pairs_beside(boxes, options.point_apart * height, 0.0)
    level = (down >= 0.5 * np.minimum(boxes[first, 3] - boxes[first, 1], boxes[second, 3] - boxes[second, 1])) & (
        boxes[second, 0] >= boxes[first, 2]
    )
    first, second = first[level], second[level]
    # Of a leader's points most have one on both sides, too.
    follower = np.full(len(point), -1)
    nearest = np.lexsort((boxes[second, 0], first))[::-1]
    follower[first[nearest]] = second[nearest]
    started = np.flatnonzero(follower >= 0)
    led = np.zeros(len(point), bool)
    led[follower[started]] = True
    triples = [
        (a, b, c)
        for a in started[~led[started]].tolist()
        if (c := follower[b := follower[a]]) >= 0
        and follower[c] < 0
        and _is_even(boxes[[a, b, c], 0], options.point_even * height)
    ]
    if not triples:
        return regions, np.zeros(len(regions), bool)
    members = point[np.array(triples)]
    corners = (regions.boxes[members, :2].min(1), regions.boxes[members, 2:].max(1))
    whole = Regions(np.hstack(corners), regions.area[members].sum(1), regions.contrast[members].min(1))
    others = regions[np.setdiff1d(np.arange(len(regions)), members)]
    return others + whole, np.arange(len(others) + len(whole)) >= len(others)


def _is_even(starts: np.ndarray, slack_px: float) -> bool:
    steps = np.diff(starts)
    return bool(np.ptp(steps) <= slack_px + 1)


def _in_columns(
    boxes: np.ndarray, others: np.ndarray, dash: np.ndarray, height: float, options: DetectorOptions
) -> np.ndarray:
    """Whether others stand above or below each box, in a column of a table, `(N,)`; `boxes` are the first of them.

    These must be of its size: dirt along a page's edge is of any. The rest, words, may be of another. What begins where
    they do is in their column where it is a `dash`, `(N,)`; bullets do so in lists, too.
    """
    size = boxes[:, 2:] - boxes[:, :2]
    larger, smaller = np.maximum(size[:, None], size), np.minimum(size[:, None], size)
    alike = np.ones((len(boxes), len(others)), bool)
    alike[:, : len(boxes)] = (larger <= options.column_alike * smaller + 1).all(2)
    x, y = (boxes[:, [0, 1]] + boxes[:, [2, 3]]).T[:, :, None] / 2
    middle, level = (others[:, [0, 1]] + others[:, [2, 3]]).T / 2
    aligned = np.abs(x - middle) <= options.column_off * height
    aligned |= np.abs(boxes[:, 2, None] - others[:, 2]) <= options.column_off * height
    aligned |= dash[:, None] & (np.abs(boxes[:, 0, None] - others[:, 0]) <= options.column_off * height)
    apart = np.abs(y - level)
    return (alike & aligned & (apart >= height) & (apart <= options.column_reach * height)).sum(
        1
    ) >= options.column_cells


def _are_stray(boxes: np.ndarray, dash: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Whether each box is a dash that neither words nor a table `held`, and that no other one is as large as, `(N,)`.

    A page's dashes are of one face; dirt, and what is left of broken rules, is of any size.
    """
    number = np.flatnonzero(dash)
    size = (boxes[:, 2:] - boxes[:, :2])[number]
    alike = (np.abs(size[:, None] - size) <= np.maximum(_ALIKE * size, _ROUNDED)).all(2)
    stray = np.zeros(len(boxes), bool)
    stray[number] = ~held[number] & (alike.sum(1) <= 1)
    return stray


def _in_rules(boxes: np.ndarray, kinds: np.ndarray, height: float, options: DetectorOptions) -> np.ndarray:
    """Whether each sign is one of a dashed rule across the page, or of a dotted one down it, `(N,)`.

    The dashes of empty cells stand a column apart, bullets a line.
    """
    wide, high = (boxes[:, 2:] - boxes[:, :2]).T
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    rule = np.zeros(len(boxes), bool)
    for kind, along in ((_DASH, 0), (_BULLET, 1)):
        number = np.flatnonzero(kinds == kind)
        size = (wide, high)[along][number]
        a, b = np.triu_indices(len(number), 1)
        off, step = (np.abs(middle[number[a], axis] - middle[number[b], axis]) for axis in (1 - along, along))
        larger, smaller = np.maximum(size[a], size[b]), np.minimum(size[a], size[b])
        near = (step <= np.minimum(options.rule_step * larger, options.rule_step_most * height)) & (
            larger <= 2 * smaller
        )
        near &= off <= options.rule_off * height
        run = components(len(number), a[near], b[near])
        rule[number] = np.bincount(run)[run] >= options.rule_signs if len(number) else False
    return rule


def _within(boxes: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Whether the middle of each box lies in one of `words`, `(N,)`."""
    x, y = ((boxes[:, :2] + boxes[:, 2:]) / 2).T[:, :, None]
    x0, y0, x1, y1 = words.T
    return ((x0 <= x) & (x <= x1) & (y0 <= y) & (y <= y1)).any(1)


def _apart(boxes: np.ndarray, others: np.ndarray, across_px: np.ndarray, down_px: np.ndarray) -> np.ndarray:
    """Whether nothing of `others`, of which `boxes` are the first, stands near each box, `(N,)`."""
    x0, y0, x1, y1 = boxes.T[:, :, None]
    left, top, right, bottom = others.T
    near = np.maximum(left - x1, x0 - right) < across_px[:, None]
    near &= np.maximum(top - y1, y0 - bottom) < down_px[:, None]
    near[np.arange(len(boxes)), np.arange(len(boxes))] = False
    return ~near.any(1)
