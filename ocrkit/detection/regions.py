"""Pixels -> regions: connected pieces of ink, dark on light and light on dark."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from ocrkit.detection.options import DetectorOptions
from ocrkit.detection.pairs import pairs_beside, pairs_within
from ocrkit.document import Image

_log = logging.getLogger(__name__)
_BAD_DIVERSITY = ("5.0.0",)  # versions of OpenCV
_EVERY = 4  # px; of the surroundings' pixels one in so many squared is looked at
_LONGEST_BAR = 2.0  # of a rule's least length; bars of letters that touch are no longer
_CROSSED = 0.35  # of such bars, that have letters above and below
_FEET = 3  # letters beside each other that a rule runs through, at least
_EVEN_PX = 5  # side of the smallest part of a ground that is looked at
_NEAR_DARK_PX = 9  # side of a square around what is dark; most letters' strokes lie in it
_LOOKED_AT = 4  # px; of a stroke's pixels one in so many is looked at first


@dataclass(frozen=True, eq=False)
class Regions:
    """Candidates for letters.

    Attributes:
        boxes: `(N, 4)` px.
        area: `(N,)` px of ink in each.
        contrast: `(N,)` grey levels between the ink and the paper around it.
    """

    boxes: np.ndarray
    area: np.ndarray
    contrast: np.ndarray

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, keep: np.ndarray) -> Regions:
        return Regions(self.boxes[keep], self.area[keep], self.contrast[keep])

    @classmethod
    def none(cls) -> Regions:
        """No regions."""
        return cls(np.zeros((0, 4)), np.zeros(0), np.zeros(0))

    def __add__(self, other: Regions) -> Regions:
        pairs = ((self.boxes, other.boxes), (self.area, other.area), (self.contrast, other.contrast))
        return Regions(*(np.concatenate(pair) for pair in pairs))

    @property
    def heights(self) -> np.ndarray:
        """`(N,)` px."""
        return self.boxes[:, 3] - self.boxes[:, 1]

    @property
    def widths(self) -> np.ndarray:
        """`(N,)` px."""
        return self.boxes[:, 2] - self.boxes[:, 0]


def local_mean(grey: Image, options: DetectorOptions) -> Image:
    """What each pixel's surroundings are like: mostly paper."""
    return cv2.blur(grey, (options.window_px, options.window_px), borderType=cv2.BORDER_REPLICATE)


def grey_level(grey: np.ndarray, share: float) -> float:
    """The level that a `share` of the pixels of `grey`, whole numbers, do not exceed, as `np.quantile` tells it."""
    # To count levels is many times as fast as to sort pixels, and OpenCV counts bytes twice as fast as NumPy.
    if grey.dtype == np.uint8 and grey.size:
        counts = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel().astype(int)
    else:
        counts = np.bincount(grey.ravel(), minlength=256)
    up_to = np.cumsum(counts)
    place = share * (grey.size - 1)
    before = math.floor(place)
    low, high = np.searchsorted(up_to, (before, min(before + 1, grey.size - 1)), side="right").tolist()
    part = place - before
    return low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part)


def noise_level(grey: Image) -> float:
    """Standard deviation of the noise in grey levels.

    From second differences, which are blind to slopes (Immerkær, "Fast noise variance estimation", 1996), by their
    median, which is blind to print.
    """
    second = np.array([1.0, -2.0, 1.0])
    differences = cv2.sepFilter2D(grey, cv2.CV_16S, second, second)
    return grey_level(np.abs(differences[::3, ::3]), 0.5) / (0.6745 * 6)


def ink_map(grey: Image, options: DetectorOptions, least_paper: float = 0) -> np.ndarray:
    """`uint8` mask, 255 where `grey` is darker than its surroundings by `contrast` grey levels.

    Only where the ground has at least `least_paper` grey levels, near by or, around letters as wide as the window,
    farther off. Faint print on paper, of which that would be pieces, is whole, see `_with_faint`.
    """
    bare = _bare(grey, options, least_paper)
    if bare is not None and bare.all():
        return np.zeros_like(grey)
    noise = noise_level(grey)
    darker = cv2.subtract(local_mean(grey, options), grey)
    ink = cv2.threshold(darker, math.floor(_contrast(noise, options)), 255, cv2.THRESH_BINARY)[1]
    return _on_paper(ink, bare) if least_paper else _with_faint(ink, darker, noise, options)


def _with_faint(ink: np.ndarray, darker: np.ndarray, noise: float, options: DetectorOptions) -> np.ndarray:
    """`ink` with what is half as dark where it makes one letter of several pieces, none of which is dark.

    A worn printer's strokes are hardly darker than `contrast`, so that of many a letter only pieces are. What is whole
    stays as it is, and what is wider than high is letters that blur ties. The dots of a screen are no pieces. `darker`
    tells by how many grey levels each pixel is darker than its surroundings.

    With two thresholds, as edges are linked in Canny, "A computational approach to edge detection" (1986).
    """
    dark = cv2.threshold(darker, options.faint_ink, 255, cv2.THRESH_BINARY)[1]
    alone = cv2.countNonZero(cv2.subtract(ink, cv2.dilate(dark, _square(_NEAR_DARK_PX))))
    least = max(options.faint_contrast, options.noise_contrast * noise)
    if alone <= options.faint_share * cv2.countNonZero(ink) or least >= options.contrast:
        return ink
    regions, runs = _components(ink)
    if np.median(regions.area) < options.faint_piece:
        return ink
    shade = cv2.threshold(darker, math.floor(least), 255, cv2.THRESH_BINARY)[1]
    parts, part, stats, _ = cv2.connectedComponentsWithStats(shade, connectivity=8)
    first = runs.edges[runs.order[runs.first]]
    letter = np.bincount(part.ravel()[runs.at[first]], minlength=parts) > 1
    letter &= stats[:, cv2.CC_STAT_WIDTH] <= options.faint_aspect * stats[:, cv2.CC_STAT_HEIGHT]
    letter[part[dark > 0]] = False
    return ink | np.where(letter[part], np.uint8(255), np.uint8(0))


def with_badges(
    ink: np.ndarray, grey: Image, height_px: float, options: DetectorOptions, least_paper: float
) -> tuple[np.ndarray, np.ndarray]:
    """`ink` with what is on badges, told by these alone, and without the paper around them; and where badges are.

    A badge is a ground of at least `least_paper` grey levels that fills its box but for the print on it. It is hardly
    higher than that, so that most of the surroundings of its letters are no part of it, and `ink_map` takes pieces of
    letters for ink, and of what lies beside the badge. `ink` is that of `ink_map`, `height_px` of a typical letter.
    The second result is a `uint8` mask, too.
    """
    ground = cv2.threshold(grey, least_paper, 255, cv2.THRESH_BINARY)[1]
    outlines, _ = cv2.findContours(ground, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    lowest, highest = (times * height_px for times in options.badge_height)
    badges = []
    for outline in outlines:
        x, y, width, height = cv2.boundingRect(outline)
        if height < lowest or width < options.badge_aspect * lowest:
            continue
        # A page that lies askew has its rows askew, so the box is that along the badge.
        _, sides, _ = cv2.minAreaRect(outline)
        high, long = (side + 1 for side in sorted(sides))  # from the middles of pixels
        if lowest <= high <= highest and width > height and long >= options.badge_aspect * high:
            # A letter at its side leaves a notch in it.
            hull = cv2.convexHull(outline)
            whole = cv2.drawContours(np.zeros((height, width), np.uint8), [hull], -1, 255, -1, offset=(-x, -y))
            place = np.s_[y : y + height, x : x + width]
            covered = cv2.countNonZero(cv2.bitwise_and(whole, ground[place]))
            full = cv2.contourArea(outline) >= options.badge_fill * high * long
            if full and covered >= options.badge_ground * high * long:
                badges.append((place, whole))
    around, on_badges = np.zeros_like(ink), np.zeros_like(ink)
    if not badges:
        return ink, on_badges
    contrast = _contrast(noise_level(grey), options)
    for place, whole in badges:
        around[place] = 255
        on_badges[place] |= whole
    ink = cv2.subtract(ink, cv2.dilate(around, _square(options.window_px)))
    for place, whole in badges:
        within = cv2.erode(whole, _square(3)) > 0  # its rim is as blurred as print
        seen = grey[place]
        # One short word, which is all the print of a table's cell, has few pixels of its ground.
        least = min(0.02, options.badge_print * height_px**2 / max(1, int(within.sum())))
        level, darkest = (grey_level(seen[within], share) for share in (0.5, least))
        if level - darkest >= contrast:
            ink[place][within & (seen < level - options.badge_ink * (level - darkest))] = 255
    return ink, on_badges


def _contrast(noise: float, options: DetectorOptions) -> float:
    return max(options.contrast, options.noise_contrast * noise)


def without_grounds(ink: np.ndarray, grey: Image, size_px: int, options: DetectorOptions) -> np.ndarray:
    """`ink` without what is no darker by `contrast` than the lightest part of some square of `size_px` that it is in.

    It is the end of a ground of its own, as of a tinted row: beside lighter ones that is darker than its surroundings,
    though never by `ground_contrast`. On a dark ground no such ink is print, but in pieces it would look like some.
    """
    if not cv2.hasNonZero(ink):
        return ink
    dark = grey_level(grey[::_EVERY, ::_EVERY], options.paper_share) * options.dark_row
    part = inked_part(ink, size_px + options.window_px)
    kept = np.zeros_like(ink)
    kept[part] = _stands_out(ink[part], grey[part], size_px, dark, options)
    return kept


def _stands_out(ink: np.ndarray, grey: Image, size_px: int, dark: float, options: DetectorOptions) -> np.ndarray:
    """`ink` without such grounds, none of which is darker than `dark`."""
    # Means, as single pixels of a ground are lighter where there is noise; none reaches beyond its square.
    lightest = cv2.dilate(cv2.blur(grey, (_EVEN_PX, _EVEN_PX)), _square(max(1, size_px - _EVEN_PX + 1)))
    darker = cv2.subtract(cv2.erode(lightest, _square(size_px)), grey)
    stands_out = cv2.threshold(darker, options.contrast, 255, cv2.THRESH_BINARY)[1]
    darker = cv2.subtract(local_mean(grey, options), grey)
    much_darker = cv2.threshold(darker, options.ground_contrast, 255, cv2.THRESH_BINARY)[1]
    on_dark = cv2.threshold(grey, dark, 255, cv2.THRESH_BINARY_INV)[1]
    return cv2.bitwise_and(ink, cv2.bitwise_or(cv2.bitwise_or(stands_out, much_darker), on_dark))


def _square(side_px: int) -> np.ndarray:
    return np.ones((side_px, side_px), np.uint8)


def _bare(grey: Image, options: DetectorOptions, least_paper: float) -> np.ndarray | None:
    """Where there is no ground of at least `least_paper` grey levels; `None` where any ground will do."""
    if not least_paper:
        return None
    grounds = [local_median(grey, options, times) for times in (1, 4)]
    if max(ground.max() for ground in grounds) < least_paper:
        return np.ones(grey.shape, bool)
    size = grey.shape[::-1]
    return cv2.max(*(cv2.resize(ground, size, interpolation=cv2.INTER_NEAREST) for ground in grounds)) < least_paper


def _on_paper(ink: np.ndarray, bare: np.ndarray | None) -> np.ndarray:
    if bare is not None:
        ink[bare] = 0
    return ink


def local_median(grey: Image, options: DetectorOptions, times: int = 1) -> Image:
    """What most of each pixel's surroundings are like: the ground, however much print stands on it.

    The surroundings are `times` the window's width; of so many times `_EVERY` pixels across, and down, one is told.
    """
    few = np.ascontiguousarray(grey[:: times * _EVERY, :: times * _EVERY])
    return cv2.medianBlur(few, 2 * (options.window_px // (2 * _EVERY)) + 3)


def rule_map(ink: np.ndarray, length_px: int, thickness_px: int) -> np.ndarray:
    """The part of `ink` on straight upright or level strokes at least `length_px` long, thinner than `thickness_px`.

    Table rules and underlines; not the ground of light print, which is as straight and long, but thick, nor the bars
    of small letters that touch each other.
    """
    rules = np.zeros_like(ink)
    for along in (0, 1):
        stroke = stroke_map(ink, length_px, along)
        if not cv2.hasNonZero(stroke):
            continue
        if not along:
            _leave_bars(stroke, ink, length_px, thickness_px)
        thick = cv2.morphologyEx(stroke, cv2.MORPH_OPEN, _bar(thickness_px + 2, 1 - along))
        rules |= cv2.subtract(stroke, thick)
    return rules & ink


def underline_map(ink: np.ndarray, height_px: float, options: DetectorOptions) -> np.ndarray:
    """The part of `ink` on lines below single words, which are shorter than `rule_map`'s: something stands on them.

    Below an underline there is paper; what stands on it is no higher than print, or it is the foot of a large letter or
    the side of a frame. One of a column of lines that begin and end alike, as the blanks of a form do, may have print
    close below it.
    """
    # Odd, as OpenCV's opening shifts by a pixel what an even bar fits in.
    length, piece, gap = (
        round(heights * height_px) | 1
        for heights in (options.underline_length, options.underline_piece, options.underline_gap)
    )
    underlines = stroke_map(ink, piece, along=0)
    enough = np.count_nonzero(underlines, axis=1) >= length / 2
    underlines[~enough] = 0
    if enough.any():
        worn = cv2.morphologyEx(underlines[enough], cv2.MORPH_CLOSE, _bar(gap, 0))
        underlines[enough] = cv2.morphologyEx(worn, cv2.MORPH_OPEN, _bar(length, 0))
    reach, highest = max(2, round(options.underline_reach * height_px)), round(options.underlined_height * height_px)
    boxes = ink_regions(underlines).boxes.astype(int)
    pairs = np.stack(pairs_within(boxes[:, [0, 1, 0, 3]], options.blank_off * height_px))
    alike = np.abs(boxes[pairs[0], 2] - boxes[pairs[1], 2]) <= options.blank_off * height_px
    blank = np.bincount(pairs[:, alike].ravel(), minlength=len(boxes)) >= options.blanks
    for (left, top, right, bottom), is_blank in zip(boxes.tolist(), blank.tolist()):
        over = ink[max(top - reach, 0) : top, left:right].any(0).mean()
        under = 0.0 if is_blank else ink[bottom : bottom + reach, left:right].any(0).mean()
        # The stroke map is wider by two, and nothing more where letters touch at their feet.
        thin = 0 < bottom - top - 2 <= options.underline_thickness * height_px
        low = top < highest or not ink[top - highest : top, left:right].all(0).any()
        least, most = options.filled_share if is_blank else options.underlined_share
        # Feet of bold letters that touch are a line, too, but stand level with those beside them.
        around = ink[top + 1 : bottom - 1, max(left - reach, 0) : right + reach]
        if not is_blank and cv2.countNonZero(around) > cv2.countNonZero(ink[top + 1 : bottom - 1, left:right]):
            most = options.feet_share
        if not (thin and low and under <= options.underline_clear and least <= over <= most):
            underlines[top:bottom, left:right] = 0
    return underlines & ink


def with_feet(regions: Regions, rules: np.ndarray, height_px: float, options: DetectorOptions) -> Regions:
    """The regions, low letters that a rule ran through the feet of down to that rule's lower edge.

    A typewriter seldom stands level with a form's rules, and what is left of its low letters passes for marks. Where
    hardly a piece beside one stands off the rule it runs through their feet; elsewhere commas and tails touch it.

    Args:
        regions: pieces of ink without `rules`.
        rules: `uint8` mask, `(H, W)`.
        height_px: of the page's typical letter.
        options: `foot_height`, `foot_reach`, `foot_near` and `foot_share` matter here.
    """
    if not len(regions) or not cv2.hasNonZero(rules):
        return regions
    boxes = regions.boxes.round().astype(int)
    reach = max(1, round(options.foot_near * height_px))
    ruled = cv2.integral(rules)
    last = np.array([rules.shape[1], rules.shape[0]] * 2)

    def on_rule(rows: int) -> np.ndarray:
        below = np.stack([boxes[:, 0], boxes[:, 3], boxes[:, 2], boxes[:, 3] + rows], 1)
        return _sum(ruled, np.clip(below, 0, last)) / 255

    lowest, highest = options.foot_height
    piece = np.flatnonzero((regions.heights >= lowest * height_px) & (on_rule(reach) > 0))
    if not len(piece):
        return regions
    touches = on_rule(1)[piece] > 0
    left, right, _ = pairs_beside(regions.boxes[piece], options.foot_reach * height_px, 0)
    near = np.bincount(np.append(left, right), minlength=len(piece)) + 1
    cut = touches + np.bincount(np.append(left, right), np.append(touches[right], touches[left]), len(piece))
    low = regions.heights[piece] < highest * height_px
    through = low & touches & (cut >= options.foot_share * near) & (near >= _FEET)
    number, grown = piece[through], regions.boxes.copy()
    depth = np.stack([on_rule(rows)[number] - on_rule(rows - 1)[number] for rows in range(1, reach + 1)], 1)
    ends = depth < 0.5 * (boxes[number, 2] - boxes[number, 0])[:, None]
    grown[number, 3] += np.where(ends.any(1), ends.argmax(1), reach)
    return replace(regions, boxes=grown)


def _leave_bars(stroke: np.ndarray, ink: np.ndarray, length_px: int, thickness_px: int) -> None:
    """Clear the level strokes that are bars of letters: short ones, most of which has ink both above and below."""
    for left, top, right, bottom in ink_regions(stroke).boxes.astype(int).tolist():
        if right - left >= _LONGEST_BAR * length_px or bottom - top > thickness_px:
            continue
        reach = max(1, thickness_px // 2)
        over = ink[max(top - reach, 0) : top, left:right].any(0)
        under = ink[bottom : bottom + reach, left:right].any(0)
        if (over & under).mean() >= _CROSSED:
            stroke[top:bottom, left:right] = 0


def stroke_map(ink: np.ndarray, length_px: int, along: int) -> np.ndarray:
    """`uint8` mask of straight strokes at least `length_px` long, level (`along` 0) or upright (1), a px wider."""
    # One pixel of slack across the stroke lets a slightly skewed rule pass as straight.
    slack, strokes = _bar(3, 1 - along), np.zeros_like(ink)
    lanes = _lanes(ink, slack, length_px, along)
    if len(lanes):
        wide = cv2.dilate(ink, slack)
        if along:
            strokes[:, lanes] = cv2.morphologyEx(wide[:, lanes], cv2.MORPH_OPEN, _bar(length_px, along))
        else:
            strokes[lanes] = cv2.morphologyEx(wide[lanes], cv2.MORPH_OPEN, _bar(length_px, along))
    return strokes


def _lanes(ink: np.ndarray, slack: np.ndarray, length_px: int, along: int) -> np.ndarray:
    """Numbers of the rows (`along` 0) or columns (1) that may hold a stroke; most do not, and need no closer look.

    Of every few pixels of a stroke one is looked at, and all of those must be ink. Beyond the page's edges all is.
    """
    step = _LOOKED_AT if length_px >= 3 * _LOOKED_AT else 1
    few = cv2.dilate(np.ascontiguousarray(ink[::step] if along else ink[:, ::step]), slack)
    # Less by two, as the last pixel that is looked at may lie before the page's edge.
    least = max(1, length_px // step - 2)
    return np.flatnonzero(cv2.erode(few, _bar(least, along)).any(1 - along))


def _bar(length_px: int, axis: int) -> np.ndarray:
    return np.ones((1, length_px) if axis == 0 else (length_px, 1), np.uint8)


def ink_regions(ink: np.ndarray) -> Regions:
    """The connected components of `ink` (8 neighbours), in whole pixels and with no contrast measured."""
    return _components(ink)[0]


def measured_regions(grey: Image, ink: np.ndarray, ring_px: int) -> Regions:
    """The connected components of `ink` with their contrast to the paper in them and within `ring_px` around them.

    Their left and right sides are found to a part of a pixel, as a column that is half as dark as the ink is half
    covered by it: in tiny print two letters stand a pixel apart and two words three.
    """
    regions, runs = _components(ink)
    if not len(regions):
        return regions
    level = grey.ravel()[runs.at]
    of_run = np.add.reduceat(level, runs.edges[:-1], dtype=np.int64)[runs.order]
    ink_level = np.add.reduceat(of_run, runs.first) / regions.area

    ring = regions.boxes.astype(int) + ring_px * np.array([-1, -1, 1, 1])
    ring = np.clip(ring, 0, np.tile(ink.shape[::-1], 2))
    size = (ring[:, 2] - ring[:, 0]) * (ring[:, 3] - ring[:, 1])
    part = rows, columns = inked_part(ink, ring_px)
    ring -= np.tile([columns.start, rows.start], 2)
    paper = cv2.bitwise_and(grey[part], cv2.bitwise_not(ink[part]))
    paper_level = _sum(cv2.integral(paper), ring) / np.maximum(size - _sum(cv2.integral(ink[part]), ring) / 255, 1)
    contrast = paper_level - ink_level

    boxes = regions.boxes.copy()
    number = np.diff(runs.first, append=len(runs.order))
    # In a component's outermost columns are ends of runs alone.
    ends = runs.edges[runs.order], runs.edges[runs.order + 1] - 1
    for side, end, outermost in zip((0, 2), ends, (boxes[:, 0], boxes[:, 2] - 1)):
        edge = runs.at[end] % ink.shape[1] == np.repeat(outermost.astype(int), number)
        darkest = np.minimum.reduceat(np.where(edge, level[end], 255), runs.first)
        bare = 1 - np.clip((paper_level - darkest) / np.maximum(contrast, 1), 0, 1)
        boxes[:, side] += bare if side == 0 else -bare
    return Regions(boxes, regions.area, contrast)


def mser_map(grey: Image, height_px: float, options: DetectorOptions, least_paper: float = 0) -> np.ndarray:
    """`uint8` mask, 255 on the maximally stable extremal regions that are darker than their surroundings.

    Of regions that lie on each other the largest counts all of whose pixels stand out by `contrast` grey levels; larger
    ones are stable, too, but join letters, and letters with rules. Otherwise as `ink_map`.

    Matas et al., "Robust wide-baseline stereo from maximally stable extremal regions" (2002), as OpenCV has it.
    """
    if options.mser_min_diversity and cv2.__version__ in _BAD_DIVERSITY:
        _log.warning(
            "OpenCV %s drops the most stable regions where mser_min_diversity is not 0, so words will be missed.",
            cv2.__version__,
        )
    mser = cv2.MSER.create(
        options.mser_delta,
        options.min_area,
        max(options.min_area + 1, round(options.max_letter * options.max_width * height_px**2)),
        options.mser_max_variation,
        options.mser_min_diversity,
    )
    mser.setPass2Only(True)  # the pass for regions brighter than their surroundings; the page is given as a negative
    regions = mser.detectRegions(cv2.bitwise_not(grey))[0]
    ink = np.zeros_like(grey)
    if len(regions):
        area = np.array([len(pixels) for pixels in regions])
        first = np.append(0, np.cumsum(area)[:-1])
        x, y = np.concatenate(regions).T
        at = y * grey.shape[1] + x
        # Pixel by pixel, since the light is uneven where a region is wide.
        darker = cv2.subtract(local_mean(grey, options), grey).ravel()[at]
        stands_out = np.minimum.reduceat(darker, first) >= _contrast(noise_level(grey), options)
        ink.ravel()[at[np.repeat(stands_out, area)]] = 255
    return _on_paper(ink, _bare(grey, options, least_paper))


@dataclass(frozen=True, eq=False)
class _Runs:
    """The pixels of connected components, by their runs along the page's rows.

    Attributes:
        at: `(P,)` places of all pixels in the flat page, row after row.
        edges: `(R + 1,)` at which of them each run begins, and how many there are.
        order: `(R,)` numbers of the runs, one component's after the other's, each from its uppermost row down.
        first: `(N,)` at which of those each component's begin.
    """

    at: np.ndarray
    edges: np.ndarray
    order: np.ndarray
    first: np.ndarray


def _components(ink: np.ndarray) -> tuple[Regions, _Runs]:
    """The connected components, with no contrast measured, and their pixels."""
    rows, width = _inked_rows(ink), ink.shape[1]
    part = ink if len(rows) > len(ink) / 2 else ink[rows]
    # OpenCV's own statistics look at every pixel of the page, and take six times as long as its labels.
    count, labels = cv2.connectedComponentsWithAlgorithm(part, 8, cv2.CV_32S, cv2.CCL_BBDT)
    at = np.flatnonzero(part.view(bool))
    if count == 1:
        return Regions.none(), _Runs(at, at, at, at)
    edge = np.ones(len(at) + 1, bool)
    edge[1:-1] = at[1:] - at[:-1] > 1
    edge[np.searchsorted(at, np.arange(0, part.size, width))] = True  # a row's last run may reach up to the next row's
    edges = np.flatnonzero(edge)
    start, length = at[edges[:-1]], np.diff(edges)
    label = labels.ravel()[start]
    # Of 16 bits they are sorted more than twice as fast.
    order = np.argsort(label.astype(np.uint16) if count <= 1 << 16 else label, kind="stable")
    number = np.bincount(label)[1:]
    last = np.cumsum(number)
    first = last - number
    if part is not ink:
        at += np.repeat((rows - np.arange(len(rows)))[start // width] * width, length)
        start = at[edges[:-1]]
    row, column = np.divmod(start[order], width)
    x0 = np.minimum.reduceat(column, first)
    x1 = np.maximum.reduceat(column + length[order], first)
    boxes = np.stack([x0, row[first], x1, row[last - 1] + 1], 1).astype(float)
    area = np.bincount(label, length)[1:]
    return Regions(boxes, area, np.zeros(len(area))), _Runs(at, edges, order, first)


def inked_part(ink: np.ndarray, reach_px: int) -> tuple[slice, slice]:
    """Rows and columns of the part of a page that holds all its `ink`, and so many px around it."""
    x, y, width, height = cv2.boundingRect(ink)
    return np.s_[max(y - reach_px, 0) : y + height + reach_px, max(x - reach_px, 0) : x + width + reach_px]


def _inked_rows(ink: np.ndarray) -> np.ndarray:
    """Numbers of the rows of `ink` that hold some, and of those behind them that part them from the next.

    By twos, as OpenCV looks at them, so that the components of these rows come in the order of the page's.
    """
    inked = np.append(ink.view(bool).any(1), [False] * (len(ink) % 2))
    pairs = np.asarray(inked.reshape(-1, 2).any(1))
    pairs[1:] |= pairs[:-1]
    return np.flatnonzero(np.repeat(pairs, 2)[: len(ink)])


def _sum(integral: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    x0, y0, x1, y1 = boxes.T
    return (integral[y1, x1] - integral[y0, x1] - integral[y1, x0] + integral[y0, x0]).astype(float)


def letter_height(regions: Regions, options: DetectorOptions) -> float:
    """Height in px of the page's typical letter: half of the print, by its width, is lower. 0 for an empty page."""
    heights, widths = regions.heights, regions.widths
    filled = regions.area > 0.15 * heights * widths  # frames are not
    likely = filled & (regions.area >= 2 * options.min_area) & (heights >= 4) & (widths < 4 * heights)
    if not likely.any():
        return 0.0
    heights, weights = heights[likely], regions.widths[likely]
    order = np.argsort(heights, kind="stable")
    reached = np.cumsum(weights[order])
    return float(heights[order][np.searchsorted(reached, reached[-1] / 2)])
