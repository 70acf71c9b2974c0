"""Halftone: the dots that a screened tint consists of are taken away, or they would pass for letters and their marks.

Those that stand at even steps, on a ground that may be that of light print, become their mean. Of others, those of
tints around half of ink touch each other and are made grey again; those of lighter ones stand free, and become paper;
of darker ones the holes between the dots do, and become ink.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import cv2
import numpy as np

from ocrkit.document import Image
from ocrkit.options import options_class

_STRIPE, _SAMPLED = 41, 8  # rows; of so many some are looked at first
_RING = np.pad(np.zeros((3, 3), np.uint8), 1, constant_values=1)  # around the largest dot
_LARGEST = 9  # px of ink in that
_ROWS = 3  # of pixels, of which one at least has dots
_CELL = 8  # px; side of the squares in which dots at even steps are looked for
_STRIP = 256, 64  # columns; of so many some are looked at first
_BETWEEN = 3, 13  # such cells, across and down, that print may interrupt
_BLOCK = np.ones((3, 3), np.uint8)
_EXTREMES = 0.02, 0.98  # of an area's greys: its ink and its paper
_TONES = 16  # that are told apart


@options_class
class ScreenOptions:
    """When an area is taken for a screened tint.

    Attributes:
        pitch: px; from one dot to the next of a screen at even steps, from and to.
        even_step: grey levels by which pixels half as far apart differ in the mean, at least.
        even_dots: of that, by which those one pitch apart differ, at most.
        even_dots_around: the same in the rest of such an area.
        even_dots_beside: the same beside it, and on it beside letters.
        even_edge: grey levels; from one pixel to the next, where a dot at even steps begins or ends.
        even_blur: share of such an area that is about half-way between ink and paper, from which on its dots are
            blurred, and none is taken away by itself.
        even_tone: share of such an area that is ink, below which its print is dark and clearer without any dots.
        even_share: of the page, that such areas have, below which there are none.
        step: grey levels; from one pixel to the next, where a dot begins or ends.
        steps: share of the pixels of an area where one does, both across and down, at least; small print has up to 0.3.
        least_steps: the same of a long area where one does as often in the mean of both ways.
        even_steps: share of the pixels of each row, or column, of such an area where one does, at least.
        even_px: height and width of such an area, at least; lines of print with so many steps are lower.
        window_px: side of the area that is looked at.
        small_window_px: the same beside such an area, where letters take room from its dots.
        blur_px: sigma by which dots become a tint.
        least_share: of the page that is screened, below which it is left as it is.
        dots: share of the pixels of an area where a free dot has its middle, at least; small print has up to 0.017.
        dark: share of an area with free dots that is ink, from which on these are a tint and not taken away.
        dark_around: the same of what surrounds such an area of the screen, at least; what is darker than it is print.
        large_dot: share of the free dots, that are no larger than a large one.
        dot_size: times as large as that a dot may be.
    """

    pitch: tuple[int, int] = (3, 6)
    even_step: float = 20.0
    even_dots: float = 0.3
    even_dots_around: float = 0.6
    even_dots_beside: float = 0.85
    even_edge: int = 30
    even_blur: float = 0.1
    even_tone: float = 0.33
    even_share: float = 0.002
    step: int = 60
    steps: float = 0.34
    least_steps: float = 0.2
    even_steps: float = 0.1
    even_px: int = 17
    window_px: int = 25
    small_window_px: int = 9
    blur_px: float = 2.0
    least_share: float = 0.003
    dots: float = 0.02
    dark: float = 0.42
    dark_around: float = 0.36
    large_dot: float = 0.9
    dot_size: float = 1.3


def unscreened(grey: Image, options: ScreenOptions) -> Image:
    """`grey` with its screened areas as tints or, where they are light, as paper; the same image without any."""
    evened, free = _with_even_tints(grey, options)
    blurred, tints = _with_tints(evened, free, options)
    light = _without_free_dots(blurred, tints, free, options)
    # Of tints darker than half of ink it is the holes that stand free.
    negative = cv2.bitwise_not(light)
    dark = _without_free_dots(negative, tints, free, options)
    return light if dark is negative else cv2.bitwise_not(dark)


def _with_even_tints(grey: Image, options: ScreenOptions) -> tuple[Image, np.ndarray | None]:
    """`grey` with each area of dots at even steps, unless it is light, as the mean over one dot and its ground.

    A mean leaves nothing of the dots, and more of print on them than a wider blur. The second result tells where such
    areas are light, `(H, W)`; `None` without any at all.
    """
    whole, part = _STRIP
    strips = grey[:, : grey.shape[1] // whole * whole].reshape(len(grey), -1, whole)[:, :, :part]
    if not _even_dots(strips.reshape(len(grey), -1), options)[0]:
        return grey, None
    pitch, cells = _even_dots(grey, options, _steps(grey, options.even_edge))
    if not pitch:
        return grey, None
    box = np.convolve(np.ones(pitch), [0.5, 0.5] if pitch % 2 == 0 else [1.0]) / pitch
    mean = cv2.sepFilter2D(grey, -1, box, box, borderType=cv2.BORDER_REPLICATE)
    light, half = np.zeros_like(cells), np.quantile(grey[::4, ::4], _EXTREMES).mean()
    for some in _by_tone(cells, _cells(mean) < half):
        _, labels, stats, _ = cv2.connectedComponentsWithStats(some)
        for area, (x, y, wide, high, _) in enumerate(stats[1:].tolist(), 1):
            own = labels[y : y + high, x : x + wide] == area
            place = (slice(y * _CELL, (y + high) * _CELL), slice(x * _CELL, (x + wide) * _CELL))
            dots, tint = (image[place][_wide(own)] for image in (grey, mean))
            light[y : y + high, x : x + wide] |= own & _stand_free(dots, tint, options)
    free, tinted = (_around(areas, grey.shape) for areas in (light, cells & ~light))
    return np.where(tinted, mean, grey), free & ~tinted


def _by_tone(cells: np.ndarray, dark: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those of the cells in rows that are `dark` at one place, and the others: areas of two tones may touch.

    Light print leaves a dark area lighter, but not all along. All are `uint8` masks.
    """
    dark = cv2.morphologyEx(cells & dark, cv2.MORPH_OPEN, _BLOCK)
    rows = cv2.morphologyEx(cells, cv2.MORPH_CLOSE, np.ones((1, _BETWEEN[1]), np.uint8))
    run = np.cumsum(np.diff(rows, axis=1, prepend=0) == 1).reshape(rows.shape) * rows
    dark = cells & np.isin(run, run[dark > 0])
    return dark, cells & ~dark


def _stand_free(dots: np.ndarray, mean: np.ndarray, options: ScreenOptions) -> bool:
    """Whether the dots of an area are taken away one by one, as light ones are that are not blurred.

    Args:
        dots: its greys, `(N,)`.
        mean: the same, each the mean over one dot and its ground.
        options: `even_blur` and `even_tone` matter here.
    """
    ink, paper = np.quantile(dots, _EXTREMES)
    blurred = np.mean(np.abs(dots - (ink + paper) / 2) <= (paper - ink) / 4)
    return bool(blurred < options.even_blur) and _tone(dots, mean) < options.even_tone


def _wide(cells: np.ndarray) -> np.ndarray:
    """The cells as pixels."""
    return cells.repeat(_CELL, 0).repeat(_CELL, 1)


def _around(cells: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Whether each pixel of an image of `shape` is in the cells, or in those beside them that print interrupts."""
    wide = cv2.dilate(cv2.morphologyEx(cells, cv2.MORPH_CLOSE, np.ones(_BETWEEN, np.uint8)), _BLOCK)
    return np.pad(_wide(wide), [(0, side - _CELL * number) for side, number in zip(shape, wide.shape)]) > 0


def _tone(dots: np.ndarray, mean: np.ndarray) -> float:
    """Which share of an area is ink, but for its print: of the greys of its `dots` and of their `mean`, `(N,)` each."""
    ink, paper = np.quantile(dots, _EXTREMES)
    share = (paper - mean[(mean > ink) & (mean < paper)].astype(float)) / max(paper - ink, 1)
    counts, edges = np.histogram(share, _TONES, (0.0, 1.0))
    most = 1 + int(counts[1:-1].argmax())  # print is ink or paper alone
    return float(edges[most : most + 2].mean())


def _even_dots(grey: Image, options: ScreenOptions, steps: Sequence[np.ndarray] = ()) -> tuple[int, np.ndarray]:
    """The pitch in px of most dots at even steps, 0 without any, and a `uint8` mask of the cells where they are.

    Pixels one pitch apart are alike there, across or down, and those half as far apart are not. With the `steps` of
    both ways dots must begin and end all along, and those two pitches apart be alike, too, as strokes of lines of small
    print are not.
    """
    least, most = options.pitch
    rows, columns = (side // _CELL for side in grey.shape)
    found, best = np.zeros((rows, columns), np.uint8), 0
    if not found.size:
        return best, found
    off = {(apart, way): _unlike(grey, apart, way) for apart in range(least // 2, most + 1) for way in (0, 1)}

    def where(pitch: int, most: float, all_along: Sequence[np.ndarray] = ()) -> np.ndarray:
        halves = [off[pitch // 2, way] for way in (0, 1)]
        alike = [(half >= options.even_step) & (off[pitch, way] <= most * half) for way, half in enumerate(halves)]
        for way, along in enumerate(all_along):
            alike[way] &= along & (_unlike(grey, 2 * pitch, way) <= 1.5 * most * halves[way])
        return (alike[0] | alike[1]).astype(np.uint8)

    all_along = [_cells(_even([way], options)) >= 128 for way in steps]

    for pitch in range(least, most + 1):
        strong = np.pad(where(pitch, options.even_dots, all_along), 1)  # beyond the page's edge there are none
        even = cv2.morphologyEx(strong, cv2.MORPH_OPEN, _BLOCK)[1:-1, 1:-1]
        if even.sum() > found.sum():
            found, best = even, pitch
    if found.sum() < options.even_share * found.size:
        return 0, found
    # Where steps are no whole pixels there are stretches in which dots are less even.
    _, areas = cv2.connectedComponents(found | where(best, options.even_dots_around), connectivity=4)
    found = np.isin(areas, areas[found > 0]).astype(np.uint8)
    # Letters on a screen leave too little of it.
    beside = cv2.dilate(found, np.ones(_BETWEEN, np.uint8))
    return best, found | (where(best, options.even_dots_beside) & beside)


def _unlike(grey: Image, apart_px: int, way: int) -> np.ndarray:
    """By how many grey levels pixels that lie `apart_px` across, or down, differ in the mean around each cell."""
    ahead, behind = (grey[apart_px:], grey[:-apart_px]) if way else (grey[:, apart_px:], grey[:, :-apart_px])
    off = np.zeros_like(grey)
    off[: ahead.shape[0], : ahead.shape[1]] = cv2.absdiff(ahead, behind)
    return cv2.blur(_cells(off), (3, 3)).astype(np.float32)


def _cells(mask: np.ndarray) -> np.ndarray:
    """The mean of each whole cell, `uint8`."""
    rows, columns = (side // _CELL for side in mask.shape)
    return cv2.resize(mask[: rows * _CELL, : columns * _CELL], (columns, rows), interpolation=cv2.INTER_AREA)


def _with_tints(grey: Image, free: np.ndarray | None, options: ScreenOptions) -> tuple[Image, np.ndarray | None]:
    """`grey` with the areas whose dots touch as tints, and where these are, `(H, W)`; `None` without any.

    Where dots are known to stand `free`, `(H, W)`, there are none.
    """
    few = grey[: len(grey) // 8 * 8].reshape(-1, 8, grey.shape[1])[:, :2]  # a pair of rows of every eight
    rows = np.ascontiguousarray(few).reshape(-1, grey.shape[1])
    if rows.size <= len(rows):
        return grey, None  # no two pixels lie side by side
    dotted = cv2.absdiff(rows[:, 1:], rows[:, :-1]) > options.step
    if dotted.mean() < options.steps * options.least_share:
        return grey, None
    steps = _steps(grey, options.step)
    fewer, mean = _shares(steps, options.window_px)
    areas = cv2.threshold(fewer, 255 * options.steps, 255, cv2.THRESH_BINARY)[1]
    # Dots may touch in one way only; small print has as many steps, but not all along.
    uneven = cv2.threshold(fewer, 255 * options.least_steps, 255, cv2.THRESH_BINARY)[1]
    uneven = cv2.bitwise_and(uneven, cv2.threshold(mean, 255 * options.steps, 255, cv2.THRESH_BINARY)[1])
    if cv2.countNonZero(uneven) < options.least_share * areas.size:
        return grey, None
    along = cv2.morphologyEx(uneven, cv2.MORPH_OPEN, np.ones((5, 3 * options.window_px), np.uint8))
    even = _even(steps, options)
    areas = cv2.bitwise_and(cv2.bitwise_or(areas, along), even)
    if cv2.countNonZero(areas) < options.least_share * areas.size:
        return grey, None
    # Letters on a tint leave too little of it in a window, but for a small one.
    small = cv2.threshold(_shares(steps, options.small_window_px)[0], 255 * options.steps, 255, cv2.THRESH_BINARY)[1]
    beside = cv2.dilate(areas, np.ones((options.window_px, 3 * options.window_px), np.uint8))
    areas = cv2.bitwise_or(areas, cv2.bitwise_and(cv2.bitwise_and(small, beside), even))
    wide = _widened(areas, options)
    if free is not None:
        wide &= ~free
    return np.where(wide, cv2.GaussianBlur(grey, (0, 0), options.blur_px), grey), wide


def _steps(grey: Image, least: int) -> list[np.ndarray]:
    """`uint8` masks, 255 where a dot begins or ends: `least` levels from one pixel to the next across, and down."""
    found = []
    for way in (0, 1):
        steps = np.zeros_like(grey)
        ahead, behind = (grey[1:], grey[:-1]) if way else (grey[:, 1:], grey[:, :-1])
        spot = (slice(1, None), slice(None)) if way else (slice(None), slice(1, None))
        steps[spot] = cv2.threshold(cv2.absdiff(ahead, behind), least, 255, cv2.THRESH_BINARY)[1]
        found.append(steps)
    return found


def _shares(steps: Sequence[np.ndarray], side_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Of windows around each pixel, the share where a dot begins or ends: the way with fewer, and the mean of both."""
    across, down = (cv2.blur(way, (side_px, side_px)) for way in steps)
    return cv2.min(across, down), cv2.addWeighted(across, 0.5, down, 0.5, 0)


def _even(steps: Sequence[np.ndarray], options: ScreenOptions) -> np.ndarray:
    """`uint8` mask, 255 where dots begin and end, in each of the ways, in all rows and columns of an area.

    Between lines of small print, which may have as many steps, there are rows without, or a rule that has them one way.
    """
    masks = []
    for turned in (False, True):
        side, run = (options.window_px, _ROWS), (options.even_px, 1)
        fewer = reduce(cv2.min, [cv2.blur(way, side[::-1] if turned else side) for way in steps])
        dotted = cv2.threshold(fewer, 255 * options.even_steps, 255, cv2.THRESH_BINARY)[1]
        masks.append(cv2.morphologyEx(dotted, cv2.MORPH_OPEN, np.ones(run[::-1] if turned else run, np.uint8)))
    return cv2.bitwise_and(*masks)


def _without_free_dots(grey: Image, tints: np.ndarray | None, free: np.ndarray | None, options: ScreenOptions) -> Image:
    rows = grey[: len(grey) // _STRIPE * _STRIPE].reshape(-1, _STRIPE, grey.shape[1])[:, :_SAMPLED]
    if not rows.size:
        return grey  # lower than a stripe
    middles = _middles(rows.reshape(-1, grey.shape[1]), options).reshape(rows.shape)[:, len(_RING) // 2 : -2]
    if not middles.size or np.count_nonzero(middles) < options.dots * options.least_share * middles.size:
        return grey
    dots = _middles(grey, options)
    share = cv2.blur(dots, (options.window_px, options.window_px))
    areas = cv2.threshold(share, 255 * options.dots, 255, cv2.THRESH_BINARY)[1]
    if cv2.countNonZero(areas) < options.least_share * areas.size:
        return grey
    paper = cv2.dilate(grey, np.ones(_RING.shape, np.uint8))
    ink = cv2.threshold(cv2.subtract(paper, grey), options.step, 255, cv2.THRESH_BINARY)[1]
    tone = cv2.blur(ink, (options.window_px, options.window_px))
    dark = cv2.bitwise_and(areas, cv2.threshold(tone, 255 * options.dark, 255, cv2.THRESH_BINARY)[1])
    # Where letters stand on it a tint looks darker than it is.
    around = (3 * options.window_px,) * 2
    mean = cv2.blur(cv2.bitwise_and(tone, areas), around) / np.maximum(cv2.blur(areas, around), 1)
    dark[mean < options.dark_around] = 0
    light = _erased(grey, paper, ink, dots, _widened(areas, options), options)
    tint = _widened(dark, options)
    if tints is not None:
        tint |= _of_tints(areas, tints, options)
    if free is not None:
        tint &= ~free
    return np.where(tint, cv2.GaussianBlur(grey, (0, 0), options.blur_px), light)


def _of_tints(areas: np.ndarray, tints: np.ndarray, options: ScreenOptions) -> np.ndarray:
    """Where `areas` of free dots are part of screens that are `tints` for the most part, of uneven dots."""
    screened = ((areas > 0) | tints).astype(np.uint8)
    closed = cv2.morphologyEx(screened, cv2.MORPH_CLOSE, np.ones((options.window_px,) * 2, np.uint8))
    number, labels = cv2.connectedComponents(closed, connectivity=4)
    of_tints, of_all = (np.bincount(labels[where], minlength=number) for where in (tints, screened > 0))
    most = 2 * of_tints > of_all
    most[0] = False
    # Large letters leave none of it between their strokes.
    whole = np.ones((3 * options.window_px,) * 2, np.uint8)
    return cv2.morphologyEx(most[labels].astype(np.uint8), cv2.MORPH_CLOSE, whole) > 0


def _erased(
    grey: Image, paper: Image, ink: np.ndarray, dots: np.ndarray, areas: np.ndarray, options: ScreenOptions
) -> Image:
    """`grey` without the `ink` in `areas` that is no larger than their free `dots`, also where letters are close by."""
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(ink, 4, cv2.CV_32S, cv2.CCL_SAUF)
    size = stats[:, cv2.CC_STAT_AREA]
    # Points and apostrophes of print stand free, too, but are larger.
    free = size[labels[(dots > 0) & areas]]
    free = free[free <= _LARGEST]
    if not len(free):
        return grey
    most = options.dot_size * np.quantile(free, options.large_dot)
    small = areas & (size <= most)[labels]
    around = cv2.dilate(small.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.where(small | (around & (ink == 0)), paper, grey)


def _middles(grey: Image, options: ScreenOptions) -> np.ndarray:
    """`uint8` mask, 255 where a pixel and no pixel of the ring around it is dark: the middle of a dot that is free."""
    return cv2.threshold(cv2.subtract(cv2.erode(grey, _RING), grey), options.step, 255, cv2.THRESH_BINARY)[1]


def _widened(areas: np.ndarray, options: ScreenOptions) -> np.ndarray:
    """Whether each pixel lies in one of the areas, which letters on a tint interrupt."""
    areas = cv2.morphologyEx(areas, cv2.MORPH_CLOSE, np.ones((1, 3 * options.window_px), np.uint8))
    return cv2.dilate(areas, np.ones((options.window_px // 2, options.window_px), np.uint8)) > 0
