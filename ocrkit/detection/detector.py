"""The detector as a whole: a page in, lines of word boxes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import cv2
import numpy as np

from ocrkit.detection.bands import Band, bands
from ocrkit.detection.check_boxes import are_check_boxes, beside_words
from ocrkit.detection.faint_colons import with_faint_colons
from ocrkit.detection.leaders import dashed_rules, dotted_sides, leaders
from ocrkit.detection.lines import (
    are_broken,
    regular_lines,
    rows_slope,
    stand_aside,
    string_lines,
    with_accents,
    with_low_letters,
    without_faint_marks,
)
from ocrkit.detection.lone import lone_signs
from ocrkit.detection.options import DetectorOptions
from ocrkit.detection.pairs import clashes, shared
from ocrkit.detection.prune import are_blocks, prune, with_colons
from ocrkit.detection.raised import Parts, raised_parts
from ocrkit.detection.regions import (
    Regions,
    grey_level,
    ink_map,
    ink_regions,
    inked_part,
    letter_height,
    local_mean,
    measured_regions,
    mser_map,
    rule_map,
    underline_map,
    with_badges,
    with_feet,
    without_grounds,
)
from ocrkit.detection.settle import outside_lines, settle, without_clashes
from ocrkit.detection.sides import rules_between, standing_sides
from ocrkit.detection.strokes import strokes_through
from ocrkit.detection.touching import rows_apart
from ocrkit.detection.underlined import without_underlines
from ocrkit.detection.words import Words, split_words
from ocrkit.document import Image

T = TypeVar("T")

_CELL = 0.999  # probability of a space where an upright rule parts two cells, at least
_DEFAULT = DetectorOptions()
_ASIDE = [1, 0, 3, 2]  # x and y of a box changed
_FAINT = 0.15  # of a dash's ink, below which a row is blur
_DASH = 2.5  # width of a dash over its height, blur and all, at least
_SHRUNK = 0.4  # of its box's height, that the ink of a dash covers, at least; of a faint 7 its bar may be all
_ROUNDED = 0.25  # px; by which a dash's box is wider than its ink, as rows touched by ink count whole


@dataclass(frozen=True, eq=False)
class DetectedLine:
    """The words of one line.

    Attributes:
        boxes: `(N, 4)` px, from left to right, or from top to bottom.
        aside: whether the line runs up or down an upright page, as numbers do along its margin.
        spaces: `(N,)` probability that there is a space before each word, as far as the gap can tell; `None` for even
            odds.
        struck: `(N,)` whether each word is struck through; `None` for none.
        ink: `(N, 4)` px; where each word's ink is, inside its box or a dash's; `None` where the boxes are that.
        parts: for each word its connected parts, where some of them stand raised; `None` for those without, or for all.
        sign: whether it is one sign that stands alone in a row of print, see `lone_signs`.
        cleared: `(N,)` whether a stroke through each word was erased; `None` for none.
        pitch: px; width of the cells that its characters stand in, as a typewriter's do; 0 where they stand in none.
        check: whether it is one empty check box.
        strokes: `(K, 4)` px; those that strike its words through; `None` for none.
        cells: `(N,)` number of the table's cell that each word stands in, between upright rules; `None` for one cell.
    """

    boxes: np.ndarray
    aside: bool = False
    spaces: np.ndarray | None = None
    ink: np.ndarray | None = None
    struck: np.ndarray | None = None
    sign: bool = False
    parts: Sequence[Parts | None] | None = None
    cleared: np.ndarray | None = None
    pitch: float = 0.0
    check: bool = False
    strokes: np.ndarray | None = None
    cells: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Stages:
    """How the words of one polarity were found, step by step; coordinates are pixels of `page`.

    Attributes:
        page: `uint8` `(H, W)`, letters darker than their ground, at text scale.
        ink: `uint8` mask of what is darker than its surroundings.
        rules: the part of `ink` that is table rules and underlines.
        regions: candidates for letters.
        letters: those that may be text.
        letter: `(N,)` whether each of `letters` is as high as a letter; the others are punctuation.
        aside: `(N,)` whether each stands in a run up or down the page.
        line: `(N,)` the line of each, -1 for none.
        words: the lines cut at their spaces.
        checks: `(N, 4)` px; what may be empty check boxes, which are none of `letters`.
        badges: `uint8` mask of grounds hardly higher than the print on them; `None` where none were looked for.
    """

    page: Image
    ink: np.ndarray
    rules: np.ndarray
    regions: Regions
    letters: Regions
    letter: np.ndarray
    aside: np.ndarray
    line: np.ndarray
    words: Words
    checks: np.ndarray
    badges: np.ndarray | None = None


def detect(image: Image, options: DetectorOptions = _DEFAULT, threads: int = 1) -> list[DetectedLine]:
    """Where the words are, line by line; the lines come in no order that means anything.

    Args:
        image: `uint8`, `(H, W)` grey or `(H, W, 3)` RGB; upright, any size.
        options: thresholds.
        threads: from two on, dark print and light print, and then small print, are looked for side by side.
    """
    grey = dark_on_light(image, options)
    return [line for band in bands(grey, options) for line in _lines(grey, band, options, threads)]


def _lines(whole: Image, band: Band, options: DetectorOptions, threads: int) -> list[DetectedLine]:
    """The lines of a `band` of the `whole` page, which has dark print on light ground."""
    grey = whole[band.top : band.bottom]
    page, scale, height, ink = _scaled(grey, options)
    if not height:
        return []
    # OpenCV and NumPy let other threads run in whatever takes long.
    with ThreadPoolExecutor(1) if threads > 1 else nullcontext() as pool:
        in_light = _beside(pool, partial(find_light, page, height, options))
        dark = _stages(page, 0, height, options, ink)
        if are_broken(dark.letters.boxes, dark.letter, dark.line, options):
            ink = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((options.broken_gap_px + 1, 1), np.uint8))
            height = _height(ink, options)
            dark = _stages(page, 0, height, options, ink)
        small = _beside(pool, partial(small_words, grey, scale, dark, height, options))
        aside = words_aside(dark, height, options)
        light = in_light()
        level = settle(_of_one_ink(dark, light, options), height, options)
        level = without_clashes(level + outside_lines(small(), level, options), height, options)
    lines = level.line.max(initial=-1)
    slope = rows_slope(dark.letters.boxes, dark.letter, dark.line)
    level += lone_signs(dark.letters, level, slope, options)
    level += lone_signs(light.letters, level, slope, options)
    signs = level.line.max(initial=-1)
    level += beside_words(dark.checks, level, options)
    origin = np.array([0, band.top, 0, band.top])
    strokes, through = strokes_through(level, dark.page, dark.ink, height, options)
    # The ground between lines of light print is as long and thin.
    on = np.flatnonzero(np.any(through, axis=0)).tolist()
    ground = [i for i in on if not _stands_out(_crop(dark.page, level.boxes[i]), options)]
    through[:, ground] = False
    struck = np.asarray(np.any(through, axis=0))
    strokes = strokes / scale + origin
    parts = parts_of(level, (dark, light), scale, origin, options)
    ends = rules_between(level.ink, level.line, dark.rules | light.rules) > 0
    ends[:-1] &= level.space[1:] > _CELL  # else letters cross it
    cells: np.ndarray = np.cumsum(ends) - ends
    edges = np.tile(grey.shape[::-1], 2)
    found: list[DetectedLine] = []
    # Where more seems to run up or down than stands level, it is a texture, or the page lies on its side; but for runs.
    most = len(level) * (options.words_aside if dark.aside.any() else 1)
    for words in (level, aside) if len(aside) < most else (level,):
        boxes, ink = (np.clip(places / scale, 0, edges) for places in (words.boxes, words.ink))
        ink = tight(grey, ink, max(1.0, 1 / scale), options) + origin
        boxes += origin
        middle = boxes[:, 1::2].mean(1)
        own = (band.start <= middle) & (middle < band.end)
        found += [
            DetectedLine(
                boxes[of_line],
                words is aside,
                words.space[of_line],
                ink[of_line],
                None if words is aside else struck[of_line],
                words is level and words.line[of_line[0]] > lines,
                None if words is aside else [parts.get(i) for i in of_line.tolist()],
                pitch=0.0 if words is aside else float(words.pitch[of_line[0]]) / scale,
                check=words is level and words.line[of_line[0]] > signs,
                strokes=None if words is aside else strokes[through[:, of_line].any(1)],
                cells=None if words is aside else cells[of_line],
            )
            for of_line in np.split(np.flatnonzero(own), np.flatnonzero(np.diff(words.line[own])) + 1)
            if len(of_line)
        ]
    return found


def _beside(pool: Executor | None, work: Callable[[], T]) -> Callable[[], T]:
    """What gives the result of some `work`, which another thread does meanwhile if there is a `pool`."""
    if pool is not None:
        return pool.submit(work).result
    result = work()
    return lambda: result


def tight(grey: Image, boxes: np.ndarray, slack_px: float, options: DetectorOptions = _DEFAULT) -> np.ndarray:
    """The boxes `(N, 4)` moved onto the edges of their ink, which lie within `slack_px` of their sides."""
    moved = boxes.copy()
    corner = np.maximum(np.floor(boxes[:, :2] - slack_px), 0)
    # How far into the box its edges may lie, px from the corner.
    start = np.maximum(np.ceil(boxes[:, :2] - corner + slack_px), 0)
    end = np.maximum(np.floor(boxes[:, 2:] - corner - slack_px), 0)
    places = np.hstack([corner, np.ceil(boxes[:, 2:] + slack_px), start, end]).astype(int).tolist()
    for i, (left, top, right, bottom, start_x, start_y, end_x, end_y) in enumerate(places):
        crop = grey[top:bottom, left:right]
        if not crop.size:
            continue
        edges = np.sort(crop[[0, -1]], axis=None)
        middle = len(edges) // 2
        off = crop - np.float32((int(edges[middle - 1]) + int(edges[middle])) / 2)
        np.abs(off, out=off)
        x0, y0, x1, y1 = boxes[i].tolist()
        thin = min(x1 - x0, y1 - y0) <= options.thin_px
        ink = off > (options.thin_edge_share if thin else options.edge_share) * off.max()
        x, y, width, height = cv2.boundingRect(ink.view(np.uint8))
        if width and x <= start_x:
            moved[i, 0] = left + x
        if width and y <= start_y:
            moved[i, 1] = top + y
        if x + width > end_x:
            moved[i, 2] = left + x + width
        if y + height > end_y:
            moved[i, 3] = top + y + height
        # On a page that was shrunk a dash's box is a pixel or two of that page higher than its ink.
        low = y1 - y0 <= options.dash_px or _SHRUNK * (y1 - y0) <= height <= options.thin_px
        dash = low and width >= _DASH * height
        if dash or (thin and y1 - y0 < x1 - x0):
            stroke = _stroke(off[:, int(x0) - left : int(np.ceil(x1)) - left])
            if stroke is not None:
                moved[i, 1::2] = top + stroke
    return moved


def _stroke(ink: np.ndarray) -> np.ndarray | None:
    """From where to where a dash reaches down its `ink`, px: its darkest row's worth of ink around their middle.

    It is a row or two of pixels, of which a whole one more or less would be a good part of its box. `None` where paper
    is in its middle, as in that of an equals sign.
    """
    rows = ink.mean(1)
    rows[rows < _FAINT * rows.max()] = 0
    if not rows.any():
        return np.array([0.0, len(ink)])
    middle = np.average(np.arange(len(rows)) + 0.5, weights=rows)
    if rows[int(middle)] < 0.5 * rows.max():
        return None
    return middle + (float(rows.sum() / rows.max()) + _ROUNDED) * np.array([-0.5, 0.5])


def dark_on_light(image: Image, options: DetectorOptions = _DEFAULT) -> Image:
    """`image` in grey, made a negative if it is light print on dark ground as a whole.

    Print covers less than its ground, so it lies further from the mean of its surroundings, and on its own side of it:
    the third moment of the differences tells the side.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 else image
    ground = float(np.median(grey[::8, ::8]))
    if (ground >= options.bright_ground) if has_even_ground(grey, options) else (cv2.mean(grey)[0] >= 128):
        return grey
    difference = grey[::4, ::4].astype(float) - local_mean(grey, options)[::4, ::4]
    return cv2.bitwise_not(grey) if np.mean(difference**3) > 0 else grey


def has_even_ground(grey: Image, options: DetectorOptions = _DEFAULT) -> bool:
    """Whether most of a page is as bright as its paper; a photo shows a page and what that lies on, or no page."""
    few = grey[::8, ::8]
    return bool(np.mean(np.abs(few - np.float32(np.median(few))) <= options.even_ground) >= options.even_share)


def to_text_scale(grey: Image, options: DetectorOptions = _DEFAULT) -> tuple[Image, float, float]:
    """The page resized so that its letters have a height the thresholds are made for.

    Returns:
        The resized page, the factor applied, and the height in px of its typical letter (0 without any).
    """
    return _scaled(grey, options)[:3]


def _scaled(grey: Image, options: DetectorOptions) -> tuple[Image, float, float, np.ndarray]:
    """What `to_text_scale` returns, and the `ink_map` of the resized page."""
    scale = _most_scale(grey, options)
    page = _resize(grey, scale)
    ink = ink_map(page, options)
    height = _height(ink, options)
    # Letters much larger than the window fall to pieces, so their height shows only once they have shrunk.
    while height > 1.1 * options.max_text_px:
        scale *= options.max_text_px / height
        page = _resize(grey, scale)
        ink = ink_map(page, options)
        height = _height(ink, options)
    if 0 < height < options.min_text_px and scale == 1:
        page, scale, height = _resize(grey, 2.0), 2.0, 2 * height
        ink = ink_map(page, options)
    return page, scale, height, ink


def _height(ink: np.ndarray, options: DetectorOptions) -> float:
    regions = ink_regions(ink)
    # The points of leaders, where there are many, pass for low letters, and the rims of boxes for high ones.
    regions = regions[~leaders(regions, options)]
    height = letter_height(regions, options)
    blocks = are_blocks(regions, ink, options.max_text_px, options)
    if height >= regions.heights[blocks].min(initial=np.inf):
        height = letter_height(regions[~blocks], options)
    if not height:  # every letter touches a rule
        rules = rule_map(ink, round(options.rule_length * options.max_text_px), round(options.max_text_px / 2))
        height = letter_height(ink_regions(cv2.subtract(ink, rules)), options)
    return height


def _resize(grey: Image, scale: float) -> Image:
    if scale == 1:
        return grey
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    width, height = (max(1, round(side * scale)) for side in grey.shape[::-1])
    return cv2.resize(grey, (width, height), interpolation=how)


def find_dark(page: Image, height: float, options: DetectorOptions = _DEFAULT) -> Stages:
    """Words darker than their ground on a `page` at text scale whose typical letter is `height` px high."""
    return _stages(page, 0, height, options, ink_map(page, options))


def find_light(page: Image, height: float, options: DetectorOptions = _DEFAULT) -> Stages:
    """Words lighter than their ground; such ground is darker by far than the page."""
    least_paper = 255 - options.dark_ground * grey_level(page[::4, ::4], options.paper_share)
    negative = cv2.bitwise_not(page)
    ink, badges = with_badges(ink_map(negative, options, least_paper), negative, height, options, least_paper)
    return replace(_stages(negative, least_paper, height, options, ink), badges=badges)


def _stages(page: Image, least_paper: float, height: float, options: DetectorOptions, ink: np.ndarray) -> Stages:
    ink = without_grounds(ink, page, round(options.ground_size * height), options)
    rules, regions = np.zeros_like(ink), Regions.none()
    if cv2.countNonZero(ink) > height**2:  # more than a letter or two
        length, thickness = round(options.rule_length * height), round(options.rule_thickness * height)
        part = inked_part(ink, length + 2)  # OpenCV's openings take what is beyond the edges for ink
        rules[part] = rule_map(ink[part], length, thickness)
        rules[part] |= underline_map(ink[part], height, options)
        regions = _find_regions(page, ink, rules, least_paper, height, options)
    check = are_check_boxes(regions, ink, height, options)
    checks = regions.boxes[check]
    regions = regions[~(check | are_blocks(regions, ink, height, options))]
    regions = without_underlines(regions, cv2.subtract(ink, rules), height, options)
    letters, letter, sign = with_colons(*prune(regions, height, options), height, options)
    letters, letter, sign = with_faint_colons(letters, letter, sign, page, ink, height, options)
    letter = with_low_letters(letters.boxes, letter, height, options)
    aside = stand_aside(letters.boxes, height, options)
    level = np.flatnonzero(~aside)
    line = np.full(len(letters), -1)
    line[level], letter[level] = string_lines(letters.boxes[level], letter[level], sign[level], height, options)
    line, letter = with_accents(letters.boxes, letter, line, options)
    line = without_faint_marks(letters.boxes, letters.contrast, letter, line, options)
    line = regular_lines(letters.boxes, letter, line, options)
    sides = standing_sides(letters.boxes, letter, line, cv2.subtract(ink, rules), options)
    words = split_words(letters.boxes, letter, line, options, sides, rules)
    return Stages(page, ink, rules, regions, letters, letter, aside, line, words, checks)


def _of_one_ink(dark: Stages, light: Stages, options: DetectorOptions) -> Words:
    """The dark and the light words, without the ground between one's letters where it passed for the other's."""
    words = dark.words + light.words
    is_light = np.arange(len(words)) >= len(dark.words)
    first, second = clashes(words.boxes, options.clash)
    both = is_light[first] != is_light[second]
    first, second = first[both], second[both]
    # Of two that reach equally far up and down either may be print; the holes of letters lie inside of their word.
    top, bottom = words.ink[:, 1::2].T
    inner = np.where(top[first] < top[second], second, first)
    outer = first + second - inner
    inside = np.isin(np.arange(len(words)), inner[bottom[inner] < bottom[outer]])
    ground = [
        i
        for i in np.unique(np.append(first, second)).tolist()
        if not _stands_out(
            _crop((light if is_light[i] else dark).page, words.boxes[i]),
            options,
            options.inner_edge if inside[i] else 0.5,
        )
    ]
    kept = np.setdiff1d(np.arange(len(words)), ground)
    kept = np.setdiff1d(kept, _bands(words, inner, outer, kept, options))
    if light.badges is not None:
        print_on = np.where(is_light[first], first, second)
        on_badge = [_crop(light.badges, words.ink[i]).mean() > 128 for i in print_on.tolist()]
        kept = np.setdiff1d(kept, (first + second - print_on)[np.array(on_badge, bool) & np.isin(print_on, kept)])
    return words[np.setdiff1d(kept, _between_lines(words, is_light, options))]


def _between_lines(words: Words, is_light: np.ndarray, options: DetectorOptions) -> np.ndarray:
    """Those words of one ink that reach into a line of the other's above and one below, which have more letters.

    They are the paper between these lines, which is a shade lighter there than elsewhere, as on a curled page.
    """
    first, second = clashes(words.boxes, 0)
    both = is_light[first] != is_light[second]
    word, other = np.append(first[both], second[both]), np.append(second[both], first[both])
    top, bottom = words.boxes[:, 1::2].T
    height = bottom - top
    _, line = np.unique(words.line, return_inverse=True)
    letters = np.bincount(line, words.letters)[line]
    into = shared(words.boxes, word, other, axis=1) >= options.between * np.minimum(height[word], height[other])
    into &= letters[other] > letters[word]
    above = into & (top[other] < top[word]) & (bottom[other] < bottom[word])
    below = into & (top[other] > top[word]) & (bottom[other] > bottom[word])
    return np.intersect1d(word[above], word[below])


def _bands(
    words: Words, inner: np.ndarray, outer: np.ndarray, kept: np.ndarray, options: DetectorOptions
) -> np.ndarray:
    """Those of the `outer` words that are but the ground of the words within them, which have more letters."""
    height = words.ink[:, 3] - words.ink[:, 1]
    standing = np.isin(inner, kept) & (height[outer] >= options.band_height * height[inner])
    inside = np.bincount(outer[standing], words.letters[inner[standing]], minlength=len(words))
    return np.flatnonzero(inside > words.letters)


def _crop(page: Image, box: np.ndarray) -> Image:
    x0, y0, x1, y1 = np.round(np.clip(box, 0, np.tile(page.shape[::-1], 2))).astype(int)
    return page[y0:y1, x0:x1]


def _stands_out(crop: Image, options: DetectorOptions, share: float = 0.5) -> bool:
    """Whether what is darkest in a word's box is darker than all but a `share` of the box's upper and lower edge."""
    if not crop.size:
        return False
    edge = grey_level(crop[[0, -1]], share)
    return edge - grey_level(crop, options.ink_share) >= options.min_surround


def parts_of(
    words: Words, inks: Sequence[Stages], scale: float, origin: np.ndarray, options: DetectorOptions = _DEFAULT
) -> dict[int, Parts]:
    """The parts of those of the level `words` that have raised ones, by the words' numbers.

    Their boxes are px of the image, of which what was looked at begins at `origin` `(4,)`, `scale` times as large.
    """
    found: dict[int, Parts] = {}
    for stages in inks:
        boxes = stages.letters.boxes
        middle = (boxes[:, :2] + boxes[:, 2:]) / 2
        capital = raised_parts(boxes, stages.letter, stages.line, options)
        raised = np.flatnonzero(capital)
        (left, top, right, bottom), (x, y) = words.ink.T[:, :, None], middle[raised].T
        holds = (left <= x) & (x <= right) & (top <= y) & (y <= bottom)
        for i in np.flatnonzero(holds.any(1)).tolist():
            x0, y0, x1, y1 = words.ink[i]
            inside = (x0 <= middle[:, 0]) & (middle[:, 0] <= x1) & (y0 <= middle[:, 1]) & (middle[:, 1] <= y1)
            own = np.flatnonzero(inside)
            own = own[np.argsort(boxes[own, 0], kind="stable")]
            found.setdefault(i, Parts(boxes[own] / scale + origin, capital[own] > 0, float(capital[own].max()) / scale))
    return found


def words_aside(stages: Stages, height: float, options: DetectorOptions = _DEFAULT) -> Words:
    """Words whose letters stand one below the other, strung of those that stand on no level line, or hardly a line."""
    few = np.bincount(stages.line + 1, stages.letter)[stages.line + 1] < options.min_letters_aside
    boxes = stages.letters.boxes
    wide = boxes[:, 2] - boxes[:, 0] >= options.min_letter * height  # as high as a letter, seen from the side
    alone = (stages.letter & (few | (stages.line < 0))) | (wide & (stages.line < 0))
    across = boxes[alone][:, _ASIDE]
    letter = np.ones(len(across), bool)
    options = replace(options, reach=options.reach_aside)
    words = split_words(across, letter, string_lines(across, letter, letter, height, options)[0], options)
    long = words[np.isin(words.line, words.line[words.letters >= options.min_letters_aside])]
    # A number of two digits is print where it stands in one row with longer ones.
    short = (words.letters == options.min_letters_aside - 1) & ~np.isin(words.line, long.line)
    covered = np.minimum(words.boxes[:, 3, None], long.boxes[:, 3]) - np.maximum(
        words.boxes[:, 1, None], long.boxes[:, 1]
    )
    heights = words.boxes[:, 3] - words.boxes[:, 1]
    beside = (covered >= options.same_row * heights[:, None]).sum(1) >= 2 if len(long) else np.zeros(len(words), bool)
    words = words[np.isin(words.line, long.line) | (short & beside)]
    return replace(words, boxes=words.boxes[:, _ASIDE], ink=words.ink[:, _ASIDE])


def small_words(grey: Image, scale: float, stages: Stages, height: float, options: DetectorOptions = _DEFAULT) -> Words:
    """Words of letters so much lower than the page's typical ones that they pass for marks: a note below a title.

    Args:
        grey: the page before it was resized by `scale`.
        scale: of the page that `stages` are of; where large letters made it small, this is looked for in more detail.
        stages: what was found.
        height: px; of the page's typical letter.
        options: thresholds.

    Returns:
        Words in the pixels of the stages' page.
    """
    highest = options.min_alone / (1 + 2 * options.margin) * height  # of what `settle` takes for noise
    low = _low(stages.regions, highest, options)
    if len(low) < options.min_small_letters or not (small := letter_height(low, options)):
        return Words.none()
    # Letters that touch at the page's scale pass for one as high as the highest of them, so that many are lower.
    detail = min(1.2 * options.max_text_px / small, _most_scale(grey, options) / scale)
    if detail > options.min_detail:
        page = _resize(grey, scale * detail)
        ink = _letter_map(page, ink_map(page, options), detail * height, options)
        regions = measured_regions(page, ink, max(2, round(small * detail / 3)))
        low = _low(regions[~leaders(regions, options)], detail * height, options)
    else:
        detail = 1.0
    small = letter_height(_low(low, detail * highest, options), options)
    letters, letter, sign = with_colons(*prune(low, small, options), small, options)
    line, letter = string_lines(letters.boxes, letter, sign, small, options)
    line = regular_lines(letters.boxes, letter, line, options)
    words = settle(split_words(letters.boxes, letter, line, options), small, options)
    words = words[np.isin(words.line, words.line[words.letters >= options.min_small_letters])]
    return replace(words, boxes=words.boxes / detail, ink=words.ink / detail, pitch=words.pitch / detail)


def _low(regions: Regions, height_px: float, options: DetectorOptions) -> Regions:
    """The regions lower than `height_px` but for specks and dots."""
    heights, widths = regions.heights, regions.widths
    dot = (regions.area >= options.dot_fill * heights * widths) & (widths > 0.6 * heights) & (heights > 0.6 * widths)
    return regions[(heights >= options.min_small_px) & (heights < height_px) & ~dot]


def _most_scale(grey: Image, options: DetectorOptions) -> float:
    # A page much wider than high is shrunk no more than its left part would be.
    counted = min(grey.size, options.longest_aspect * min(grey.shape) ** 2)
    return min(1.0, (options.max_pixels / counted) ** 0.5)


def _find_regions(
    page: Image, ink: np.ndarray, rules: np.ndarray, least_paper: float, height: float, options: DetectorOptions
) -> Regions:
    if "mser" in options.cues:
        without_rules = np.where(rules > 0, local_mean(page, options), page)
        ink = _letter_map(without_rules, ink, height, options, least_paper)
    letters = cv2.subtract(ink, rules)
    regions = measured_regions(page, letters, max(2, round(height / 3)))
    left = _sides(regions, rules, height, options) | _ends(regions, rules, height, options)
    regions = regions[~(left | leaders(regions, options))]
    regions = with_feet(regions[~(dashed_rules(regions, height) | dotted_sides(regions))], rules, height, options)
    return rows_apart(regions, letters, height, options)


def _letter_map(
    page: Image, ink: np.ndarray, height: float, options: DetectorOptions, least_paper: float = 0
) -> np.ndarray:
    """`uint8` mask of what letters are looked for in: as `cues` say `ink`, the stable regions of `page`, or both."""
    letters = ink if "components" in options.cues else np.zeros_like(ink)
    return letters | mser_map(page, height, options, least_paper) if "mser" in options.cues else letters


def _sides(regions: Regions, rules: np.ndarray, height: float, options: DetectorOptions) -> np.ndarray:
    """Whether each region is an upright stroke from one rule to the next, the side of a field's frame, `(N,)`."""
    x0, y0, x1, y1 = regions.boxes.astype(int).T
    x, last = (x0 + x1) // 2, len(rules) - 1
    thin = regions.widths <= options.rule_thickness / 2 * height
    high = regions.heights >= options.side_height * height
    return thin & high & (rules[np.maximum(y0 - 1, 0), x] > 0) & (rules[np.minimum(y1, last), x] > 0)


def _ends(regions: Regions, rules: np.ndarray, height: float, options: DetectorOptions) -> np.ndarray:
    """Whether each region is what is left of a level rule at its end, `(N,)`: as low as one, and beside its ink.

    As a mark it would be in the box of the word before or behind the rule.
    """
    (x0, y0), (x1, y1) = np.floor(regions.boxes[:, :2]).T.astype(int), np.ceil(regions.boxes[:, 2:]).T.astype(int)
    y, last = (y0 + y1) // 2, rules.shape[1] - 1
    low = np.maximum(regions.heights, regions.widths) <= options.rule_thickness / 2 * height
    return low & ((rules[y, np.minimum(x1, last)] > 0) | (rules[y, np.maximum(x0 - 1, 0)] > 0))
