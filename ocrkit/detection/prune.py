"""Regions -> letters and punctuation: what cannot be text leaves before anything costly is done with it."""

from __future__ import annotations

import numpy as np

from ocrkit.detection.options import DetectorOptions
from ocrkit.detection.pairs import of_those, pairs_within, shared
from ocrkit.detection.regions import Regions

_MOST_STROKES = 1000  # of a page's headings, far higher than wide


def prune(regions: Regions, height_px: float, options: DetectorOptions) -> tuple[Regions, np.ndarray, np.ndarray]:
    """The regions that may be text, a `(N,)` mask of those of them that are as high as letters, and one of points.

    All but letters are dots, commas, dashes and accents: they join a line but never start one. Points are those of
    print so small that they are a pixel (`small_points`).
    """
    heights, widths = regions.heights, regions.widths
    clear = regions.contrast >= options.min_surround
    fits = (heights <= options.max_letter * height_px) & (widths <= options.max_width * height_px)
    fits &= ~_are_edges(regions, height_px, options)
    solid = (regions.area > options.blot_fill * heights * widths) & (widths > options.blot_aspect * heights)
    blot = solid & (np.minimum(heights, widths) > options.blot_size * height_px)
    letter = heights >= options.min_letter * height_px
    thin = (widths >= options.dash_aspect * heights) & (regions.area >= options.dash_fill * heights * widths)
    mark = ~letter & (widths <= np.where(thin, options.underscores_width, options.mark_width) * height_px)
    mark &= np.maximum(heights, widths) >= options.mark_size * height_px
    keep = clear & fits & ~blot & (letter | mark)
    keep[keep] = ~_around_letters(regions.boxes[keep], letter[keep], options)
    # The points of small print and of its colons, not dirt in the blanks between words.
    speck = keep & (regions.area < options.min_area)
    usual = np.median(regions.contrast[keep & letter]) if (keep & letter).any() else np.inf
    point = small_points(regions, keep & letter, speck & (regions.contrast >= options.faint_mark * usual), options)
    keep &= ~speck | point | (regions.contrast >= options.speck_contrast * usual)
    if keep.sum() > options.max_letters:
        keep &= regions.area >= options.min_area
    if keep.sum() > options.max_letters:
        keep &= regions.contrast > np.partition(regions.contrast[keep], -options.max_letters)[-options.max_letters]
    return regions[keep], letter[keep], point[keep]


def are_blocks(regions: Regions, ink: np.ndarray, height_px: float, options: DetectorOptions) -> np.ndarray:
    """Whether each region is a block far larger than letters, whose four sides are drawn: a chart's bar, a picture.

    As a letter it would make a line with others of its kind, in which the labels above and below them are lost. Of a
    large block there is only the rim in `ink`, so how full it is does not tell.
    """
    found = np.zeros(len(regions), bool)
    for i in np.flatnonzero(np.minimum(regions.heights, regions.widths) > options.blot_size * height_px).tolist():
        x0, y0, x1, y1 = regions.boxes[i].round().astype(int).tolist()
        box = ink[y0:y1, x0:x1] > 0
        rim = 2 + round(options.block_skew * max(box.shape))
        sides = box[:rim].any(0), box[-rim:].any(0), box[:, :rim].any(1), box[:, -rim:].any(1)
        # A bold D has such sides as well, but is neither hollow nor full.
        hollow, full = options.block_full
        large = min(box.shape) > options.block_large * height_px and not hollow < regions.area[i] / box.size < full
        found[i] = min(side.mean() for side in sides) >= (options.block_round if large else options.block_side)
    return found


def _are_edges(regions: Regions, height_px: float, options: DetectorOptions) -> np.ndarray:
    """Whether each region is a part of a sheet's edge or of a frame, `(N,)`: far higher than wide, and no letter.

    The I and l of a heading in a thin face are as slim, but stand level with what is half as high or more beside them.
    Where there are thousands, they hatch a drawing.
    """
    heights, boxes = regions.heights, regions.boxes
    slim = (heights >= options.edge_height * height_px) & (heights >= options.edge_aspect * regions.widths)
    stroke = np.flatnonzero(slim)[:, None]
    if len(stroke) > _MOST_STROKES:
        return slim
    gap = np.maximum(boxes[:, 0] - boxes[stroke, 2], boxes[stroke, 0] - boxes[:, 2])
    beside = (gap > 0) & (gap <= options.edge_gap * heights[stroke])
    beside &= np.abs(boxes[:, 3] - boxes[stroke, 3]) <= options.level * heights[stroke]
    beside &= np.maximum(heights, heights[stroke]) <= 2 * np.minimum(heights, heights[stroke])
    slim[slim] = ~beside.any(1)
    return slim


def _around_letters(boxes: np.ndarray, letter: np.ndarray, options: DetectorOptions) -> np.ndarray:
    """Whether each box holds several letters much lower than it, `(N,)`: a stamp's, a frame's, a stroke of a pen.

    As a letter it would tie the lines that it crosses to one, and be a word over all of theirs.
    """
    high = np.flatnonzero(letter)
    heights = boxes[:, 3] - boxes[:, 1]
    pairs = np.array(pairs_within(boxes[high]))
    outer, inner = high[np.hstack([pairs, pairs[::-1]])]
    lower = options.around_height * heights[inner] <= heights[outer]
    outer, inner = outer[lower], inner[lower]
    held = (boxes[outer, :2] <= boxes[inner, :2]).all(1) & (boxes[inner, 2:] <= boxes[outer, 2:]).all(1)
    return np.bincount(outer[held], minlength=len(boxes)) >= options.around_letters


def small_points(regions: Regions, letter: np.ndarray, speck: np.ndarray, options: DetectorOptions) -> np.ndarray:
    """Which specks are points at the foot of letters in print so small that a point is one pixel, `(N,)`.

    Dirt lies at any height of a letter: where there is as much of it higher up, none of them is told from it. More than
    `max_letters` are dirt, too, and are not looked at: their pairs would fill the memory.

    Args:
        regions: of the page.
        letter: `(N,)`; those as high as letters.
        speck: `(N,)`; those smaller than `min_area`.
        options: `max_letters`, `punctuation_reach`, `level` and `point_odds` matter here.
    """
    point = np.zeros(len(regions), bool)
    some = np.flatnonzero(letter | speck)
    if not speck.any() or len(some) > options.max_letters:
        return point
    boxes, is_speck = regions.boxes[some], speck[some]
    left, right = pairs_within(boxes, options.reach * (boxes[:, 3] - boxes[:, 1]))

    behind = ~is_speck[left] & is_speck[right]
    (_, top, before_x1, foot), (x0, speck_top, _, speck_foot) = boxes[left[behind]].T, boxes[right[behind]].T
    slack = np.maximum(1, options.level * (foot - top))
    level = np.abs(foot - speck_foot) <= slack
    beside = (x0 - before_x1 <= options.punctuation_reach * (foot - top)) & (x0 >= before_x1 - 1)
    beside &= (speck_top >= top) & (speck_foot <= foot + slack)
    # The dot of an i, and the upper one of a colon, stand above something.
    over = (is_speck[left] | is_speck[right]) & (shared(boxes, left, right, axis=0) > 0)
    above = np.where(boxes[left, 1] < boxes[right, 1], left, right)[over]

    speck_at = right[behind]
    is_beside, is_level, is_above = (of_those(len(some), of) for of in (speck_at[beside], speck_at[level], above))
    at_foot, higher = is_beside & is_level, is_beside & ~is_level & ~is_above
    if at_foot.sum() >= options.point_odds * higher.sum():
        point[some[at_foot]] = True
    return point


def with_colons(
    regions: Regions, letter: np.ndarray, point: np.ndarray, height_px: float, options: DetectorOptions
) -> tuple[Regions, np.ndarray, np.ndarray]:
    """The same, but two marks alike that stand one above the other are one letter: a colon or an equals sign.

    A letter may stand further from its neighbours than punctuation, and be a word of its own. The third result tells
    these signs, `(N,)`. A speck alone is noise unless it is a `point`, but two may be a colon, so only now it leaves.
    """
    mark = np.flatnonzero(~letter)
    boxes = regions.boxes[mark]
    size = np.maximum(boxes[:, 2:] - boxes[:, :2], 1)
    a, b = pairs_within(boxes)
    larger, smaller = np.maximum(size[a], size[b]), np.minimum(size[a], size[b])
    apart = -shared(boxes, a, b, axis=1)
    # One of two small points may be a row of pixels larger; pieces of a letter, which stand closer, are any size.
    fits = (larger <= options.mark_ratio * smaller + (apart >= smaller[:, 1])[:, None]).all(1)
    fits &= shared(boxes, a, b, axis=0) >= 0.5 * smaller[:, 0]
    fits &= apart >= min(0.1 * height_px, 1)
    fits &= np.maximum(boxes[a, 3], boxes[b, 3]) - np.minimum(boxes[a, 1], boxes[b, 1]) <= options.max_colon * height_px
    count = np.bincount(np.append(a[fits], b[fits]), minlength=len(mark))
    fits &= (count[a] == 1) & (count[b] == 1)  # three or more are a dotted rule or a texture
    a, b = mark[a[fits]], mark[b[fits]]
    corners = (
        np.minimum(regions.boxes[a, :2], regions.boxes[b, :2]),
        np.maximum(regions.boxes[a, 2:], regions.boxes[b, 2:]),
    )
    contrast = np.minimum(regions.contrast[a], regions.contrast[b])
    colons = Regions(np.concatenate(corners, axis=1), regions.area[a] + regions.area[b], contrast)
    rest = np.setdiff1d(np.flatnonzero((regions.area >= options.min_area) | point), np.append(a, b))
    sign = np.arange(len(rest) + len(a)) >= len(rest)
    return regions[rest] + colons, np.append(letter[rest], np.ones(len(a), bool)), sign
