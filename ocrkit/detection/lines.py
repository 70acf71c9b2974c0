"""Letters -> lines: each letter takes the nearest one to its right that stands on the same line."""

from __future__ import annotations

import numpy as np

from ocrkit.detection.options import DetectorOptions
from ocrkit.detection.pairs import components, of_those, pairs_beside, pairs_within, shared
from ocrkit.detection.words import group_quantile

_POINTS = 3  # of an ellipsis
_BRACE = 4.0  # times as high as a comma a brace is, at most


def with_low_letters(boxes: np.ndarray, letter: np.ndarray, height_px: float, options: DetectorOptions) -> np.ndarray:
    """`letter` with those marks that are low letters of print smaller than the page's: they stand on a letter's foot.

    Such print's tall letters pass for letters of the page and its low ones for marks, and one by one they follow.

    Args:
        boxes: `(N, 4)` px.
        letter: `(N,)`, false for punctuation.
        height_px: of the page's typical letter.
        options: `low_letter`, `low_gap`, `low_foot` and `min_small_px` matter here.
    """
    heights = boxes[:, 3] - boxes[:, 1]
    some = letter & (heights < height_px) | (heights >= max(options.min_small_px, options.low_letter**2 * height_px))
    number = np.flatnonzero(some)
    left, right = (number[i] for i in pairs_within(boxes[number], options.low_gap * height_px))
    higher = np.maximum(heights[left], heights[right])
    beside = np.abs(boxes[left, 3] - boxes[right, 3]) <= np.maximum(options.low_foot * higher, 1)
    beside &= boxes[right, 0] - boxes[left, 2] <= options.low_gap * higher
    beside &= np.minimum(heights[left], heights[right]) >= options.low_letter * higher
    left, right = left[beside], right[beside]
    letter = letter.copy()
    while (found := letter[left] != letter[right]).any():
        letter[left[found]] = letter[right[found]] = True
    return letter


def string_lines(
    boxes: np.ndarray, letter: np.ndarray, sign: np.ndarray, height_px: float, options: DetectorOptions
) -> tuple[np.ndarray, np.ndarray]:
    """Number of the line each box stands on, -1 for punctuation that belongs to no letter; and which are letters.

    Links follow the letters one by one, so a line may be skewed or curled; its own height sets its reach, so titles
    and footnotes are strung alike.

    Args:
        boxes: `(N, 4)` px.
        letter: `(N,)`, false for punctuation.
        sign: `(N,)`, true for what is a letter whatever stands beside it.
        height_px: of the page's typical letter.
        options: `overlap`, `height_ratio`, `reach`, those of notes, those of marks and `punctuation_reach` matter here.
    """
    heights = boxes[:, 3] - boxes[:, 1]
    reach = options.reach * options.height_ratio * np.where(letter, heights, height_px)
    left, right, down = pairs_beside(boxes, reach, options.underscore_off * heights.max(initial=0))
    higher = np.maximum(heights[left], heights[right])
    flat = ~letter & (boxes[:, 2] - boxes[:, 0] >= options.dash_aspect * heights)
    off = np.where(flat[left] | flat[right], options.underscore_off, options.mark_off)
    at_hand = down >= -off * higher
    left, right, higher, down = left[at_hand], right[at_hand], higher[at_hand], down[at_hand]
    gap = np.maximum(boxes[right, 0] - boxes[left, 2], 0)
    lower = np.minimum(heights[left], heights[right])

    both = letter[left] & letter[right]
    number, word = _raised(boxes, left[both], right[both], options)
    letter = letter.copy()
    letter[number] = False
    both &= letter[left] & letter[right]
    letter[_opening(boxes, left[both], right[both], options)] = False
    both &= letter[left] & letter[right]
    alike = (down >= options.overlap * higher) & (higher <= options.height_ratio * lower)
    # An equals sign is low beside tall letters, but stands half-way up these.
    equals = sign & (boxes[:, 2] - boxes[:, 0] >= heights)
    alike |= (equals[left] | equals[right]) & (down >= options.sign_inside * lower)
    chained = both & alike & (gap <= options.reach * higher)
    chain = _chain(boxes, left[chained], right[chained], gap[chained], (down / higher)[chained])
    beside = left[chained][chain], right[chained][chain]
    from_, to = np.append(beside[0], word), np.append(beside[1], number)

    near_by = np.flatnonzero(gap <= options.punctuation_reach * higher)
    close = np.flatnonzero(chained)[chain]
    close = close[gap[close] <= options.mark_gap * higher[close]]
    runs = components(len(boxes), left[close], right[close])
    chains = components(len(boxes), from_, to)
    left, right, gap = left[near_by], right[near_by], gap[near_by]
    high = _high_marks(boxes, letter, chains, runs, (left[both[near_by]], right[both[near_by]]), height_px, options)
    letter[high[~sign[high]]] = False

    # Punctuation joins the one letter it is nearest to, on either side.
    one = letter[left] != letter[right]
    mark, owner = np.where(letter[left], right, left)[one], np.where(letter[left], left, right)[one]
    mark, owner = _owned(boxes, flat, mark, owner, height_px, options)
    quote, point = _behind_marks(boxes, letter, (chains, runs), (mark, owner), options)
    letter[quote] = False
    # The points of an ellipsis go with the first of them, however far from its word they are; and with what follows.
    dot, first = _ellipses(boxes, np.flatnonzero(~letter), options)
    begins = (boxes[owner, 2] <= boxes[mark, 2]) & (boxes[owner, 3] >= boxes[mark, 1])
    begun = of_those(len(boxes), mark[begins])[first]
    dot, first = dot[begun], first[begun]
    other = ~of_those(len(boxes), dot)[mark] | (boxes[owner, 0] >= boxes[mark, 2])
    one, twin = _twins(boxes, ~letter[left] & ~letter[right], (left, right), options)
    from_ = np.concatenate([from_, owner[other], point, first, one])
    to = np.concatenate([to, mark[other], quote, dot, twin])

    line = components(len(boxes), from_, to)
    links = np.append(beside[0], owner[other]), np.append(beside[1], mark[other])
    line = _with_rows_apart(boxes, letter, line, links, options)
    has_letter = np.bincount(line, letter, minlength=len(boxes)) > 0
    return np.where(has_letter[line], line, -1), letter


def _with_rows_apart(
    boxes: np.ndarray,
    letter: np.ndarray,
    line: np.ndarray,
    links: tuple[np.ndarray, np.ndarray],
    options: DetectorOptions,
) -> np.ndarray:
    """The line numbers `(N,)`, those of two rows that some mark is tied to both of by these surer `links` alone."""
    two = _two_rows(boxes, letter, line, options)
    if not two.any():
        return line
    apart = np.where(two[line], len(boxes) + components(len(boxes), *links), line)
    return np.unique(apart, return_inverse=True)[1]


def _two_rows(boxes: np.ndarray, letter: np.ndarray, line: np.ndarray, options: DetectorOptions) -> np.ndarray:
    """Whether many letters of each line stand above others of it, `(lines,)`: two lines were taken for one."""
    number = np.flatnonzero(letter)
    number = number[np.lexsort((boxes[number, 0], line[number]))]
    a, b = number[:-1], number[1:]
    narrower = (boxes[:, 2] - boxes[:, 0])[np.stack([a, b])].min(0)
    above = (line[a] == line[b]) & (shared(boxes, a, b, axis=0) >= 0.5 * narrower) & (shared(boxes, a, b, axis=1) <= 0)
    lines = line.max(initial=-1) + 1
    return np.bincount(line[a], above, lines) > options.two_rows * np.bincount(line[number], minlength=lines)


def _chain(boxes: np.ndarray, left: np.ndarray, right: np.ndarray, gap: np.ndarray, fit: np.ndarray) -> np.ndarray:
    """Which pairs of letters follow each other on a line: each left one and the right one that is nearest to it.

    A stroke of a pen that reaches from one line to the next would make one of both; so what has neighbours on two lines
    goes with the one it fits best.

    Args:
        boxes: `(N, 4)` px.
        left: `(K,)` numbers of the pairs' left ones.
        right: those of the right ones.
        gap: `(K,)` px between them.
        fit: `(K,)`; the larger, the more they stand level.
    """
    chain = _nearest(left, gap)
    left, right, fit = left[chain], right[chain], fit[chain]
    end, other, link = np.append(left, right), np.append(right, left), np.tile(np.arange(len(left)), 2)
    lowest_top, highest_foot = np.full(len(boxes), -np.inf), np.full(len(boxes), np.inf)
    np.maximum.at(lowest_top, end, boxes[other, 1])
    np.minimum.at(highest_foot, end, boxes[other, 3])
    between = np.flatnonzero((lowest_top >= highest_foot)[end])
    kept = np.ones(len(left), bool)
    kept[link[between]] = False
    kept[link[between[_nearest(end[between], -fit[link[between]])]]] = True
    return chain[kept]


def with_accents(
    boxes: np.ndarray, letter: np.ndarray, line: np.ndarray, options: DetectorOptions
) -> tuple[np.ndarray, np.ndarray]:
    """The line numbers and letters, accents and dots that stand over a letter as marks of its line.

    Beside low letters an accent is level with nothing, and may be as high as a letter of its own.

    Args:
        boxes: `(N, 4)` px.
        letter: `(N,)`, false for punctuation.
        line: `(N,)` line numbers, -1 for boxes on no line.
        options: `accent_height` and `accent_gap` matter here.
    """
    if not letter.any():
        return line, letter
    x0, y0, x1, y1 = boxes.T
    height = y1 - y0
    alone = np.bincount(line + 1, minlength=line.max(initial=-1) + 2)[line + 1] <= 2
    first, second = pairs_within(boxes)
    mark, below = np.append(first, second), np.append(second, first)
    over = (alone | (line < 0))[mark] & letter[below] & ~alone[below] & (line[below] >= 0)
    lowest, highest = options.accent_height
    names = np.unique(line[letter])
    at = np.minimum(np.searchsorted(names, line[below]), len(names) - 1)
    tall, wide = height[mark] / height[below], (x1 - x0)[mark] / height[below]
    over &= (x0[below] <= x0[mark] + 1) & (x1[mark] - 1 <= x1[below]) & (wide <= 1)
    over &= (tall <= highest) & (np.maximum(tall, wide) >= lowest)
    over &= height[below] <= options.accent_below * group_quantile(height[letter], line[letter] + 1, 0.9)[at]
    gap = (y0[below] - y1[mark]) / height[below]
    over &= (gap >= -options.level) & (gap <= options.accent_gap)
    # A comma of the line above stands at the foot of a letter before it.
    left, right = pairs_within(boxes, options.reach * height)
    foot = letter[left] & (y0[right] <= y1[left]) & (y1[left] <= y1[right])
    over &= ~of_those(len(boxes), right[foot & (y0[left] < y0[right])])[mark]
    mark, below, gap = mark[over], below[over], gap[over]
    nearest = _nearest(mark, gap)
    line, letter = line.copy(), letter.copy()
    line[mark[nearest]], letter[mark[nearest]] = line[below[nearest]], False
    has_letter = np.bincount(line + 1, letter, minlength=line.max() + 2) > 0
    return np.where(has_letter[line + 1], line, -1), letter


def _high_marks(
    boxes: np.ndarray,
    letter: np.ndarray,
    chains: np.ndarray,
    runs: np.ndarray,
    pairs: tuple[np.ndarray, np.ndarray],
    height_px: float,
    options: DetectorOptions,
) -> np.ndarray:
    """Those of `pairs` of letters near each other that are marks.

    The commas and apostrophes of some faces are as high as low letters, but they are level with no letter.

    Args:
        boxes: `(N, 4)` px.
        letter: `(N,)`, false for punctuation.
        chains: `(N,)` number of the letters strung together that each is one of.
        runs: `(N,)` the same of those that stand close.
        pairs: left and right ones.
        height_px: of the page's typical letter.
        options: those of marks.
    """
    widths, heights = (boxes[:, 2:] - boxes[:, :2]).T
    length, run_length = np.bincount(chains)[chains], np.bincount(runs)[runs]
    tallest = np.zeros(len(boxes))
    np.maximum.at(tallest, chains, np.where(letter, heights, 0))
    left, right = pairs
    small = heights[left] < heights[right]
    mark, owner = np.where(small, left, right), np.where(small, right, left)
    line = np.minimum(tallest[chains[owner]], options.mark_line * heights[owner])
    # A comma behind a brace alone, not letters beside a scratch or a stroke of a pen.
    far = heights[mark] <= options.mark_height * height_px
    far &= (options.height_ratio * heights[mark] < heights[owner]) & (heights[owner] < _BRACE * heights[mark])
    far &= widths[mark] <= widths[owner]
    # A typewriter's comma is strung to the word behind it, but hangs below the line as no letter does that is so low.
    top, foot = boxes[mark, 1], boxes[mark, 3]
    hangs = (mark == right) & (widths[mark] < heights[mark]) & (top < boxes[owner, 3])
    hangs &= (top >= boxes[owner, 1::2].mean(1)) & (foot - boxes[owner, 3] >= options.level * heights[owner])
    low = (heights[mark] <= options.mark_height * line) & (run_length[mark] <= options.mark_run)
    low &= chains[mark] != chains[owner]
    low &= hangs | ((length[mark] <= 2 * options.mark_run) & ((length[mark] < length[owner]) | far))
    low &= widths[mark] <= options.mark_aspect * heights[mark]  # wider ones are letters that touch
    mark, owner = mark[low], owner[low]
    return mark[_beside(boxes, mark, owner, options)[0]]


def _beside(
    boxes: np.ndarray, mark: np.ndarray, owner: np.ndarray, options: DetectorOptions
) -> tuple[np.ndarray, np.ndarray]:
    """Whether each mark stands near its owner, and how far off it counts as in px."""
    height = boxes[owner, 3] - boxes[owner, 1]
    middle = (boxes[mark, 1] + boxes[mark, 3]) / 2
    over, under = np.maximum([boxes[owner, 1] - middle, middle - boxes[owner, 3]], 0)
    gap = np.maximum(np.maximum(boxes[owner, 0] - boxes[mark, 2], boxes[mark, 0] - boxes[owner, 2]), 0)
    # Beside a face's low letters an apostrophe stands higher than dots and dirt may, which are smaller.
    wide, high = (boxes[mark, 2:] - boxes[mark, :2]).T
    apostrophe = (wide <= options.mark_slim * high + 0.5) & (high >= options.mark_least * height)
    highest = np.where(apostrophe, options.mark_over, options.mark_off)
    near = (over <= highest * height) & (under <= options.mark_off * height)
    # A comma hangs as high above the next line's letters: whatever is nearer than that has it first.
    farther = np.where(over > options.mark_off * height, height, 0)
    return near & (gap <= options.punctuation_reach * height), gap + over + under + farther


def _owned(
    boxes: np.ndarray,
    flat: np.ndarray,
    mark: np.ndarray,
    owner: np.ndarray,
    height_px: float,
    options: DetectorOptions,
) -> tuple[np.ndarray, np.ndarray]:
    """Of those pairs that are of one line the marks, once each, and the letter that each is nearest to.

    What is `flat`, `(N,)`, is a dash beside its letter or an underscore, which stands close to it and below its foot.
    Several underscores that touch are no dash, nor are those of one line a dash of the next.
    """
    near, distance = _beside(boxes, mark, owner, options)
    height, middle = boxes[owner, 3] - boxes[owner, 1], (boxes[mark, 1] + boxes[mark, 3]) / 2
    gap = np.maximum(np.maximum(boxes[owner, 0] - boxes[mark, 2], boxes[mark, 0] - boxes[owner, 2]), 0)
    below = middle - boxes[owner, 3]
    under = flat[mark] & (gap <= options.underscore_reach * height)
    under &= (below >= -options.level * height) & (below <= options.underscore_off * height)
    long = boxes[:, 2] - boxes[:, 0] > options.dash_width * height_px
    near &= ~(flat & (long | of_those(len(boxes), mark[under])))[mark]
    near |= under
    # What is left of a frame around a number has the number's point in its box, too.
    lowest = np.full(len(boxes), np.inf)
    np.minimum.at(lowest, mark[near], height[near])
    near &= height <= options.owner_ratio * lowest[mark]
    joined = _nearest(mark[near], distance[near])
    return mark[near][joined], owner[near][joined]


def _behind_marks(
    boxes: np.ndarray,
    letter: np.ndarray,
    strung: tuple[np.ndarray, np.ndarray],
    joined: tuple[np.ndarray, np.ndarray],
    options: DetectorOptions,
) -> tuple[np.ndarray, np.ndarray]:
    """The marks that another one parts from the letter before, and that; see `_behind_points` and `_behind_quotes`."""
    quote, point = _behind_points(boxes, letter, strung, joined, options)
    runs, letter = strung[1], letter.copy()
    with_quote = of_those(len(boxes), runs[quote])[runs]
    letter[quote] = letter[with_quote] = False
    comma, closing = _behind_quotes(boxes, letter, strung, joined, options)
    halves = np.flatnonzero(with_quote & ~of_those(len(boxes), quote))
    return np.concatenate([quote, comma, halves]), np.concatenate([point, closing, halves])


def _behind_quotes(
    boxes: np.ndarray,
    letter: np.ndarray,
    strung: tuple[np.ndarray, np.ndarray],
    joined: tuple[np.ndarray, np.ndarray],
    options: DetectorOptions,
) -> tuple[np.ndarray, np.ndarray]:
    """The points and commas that a quotation mark parts from the letter before, and the mark; as `_behind_points`."""
    heights = boxes[:, 3] - boxes[:, 1]
    length, run_length = (np.bincount(number)[number] for number in strung)
    mark, owner = joined
    raised = (boxes[owner, 3] - boxes[mark, 3] >= options.note_foot * heights[owner]) & (
        boxes[mark, 0] >= boxes[owner, 0]
    )
    owner_of = np.full(len(boxes), -1)
    owner_of[mark[raised]] = owner[raised]
    free = ~letter | ((length <= options.mark_run) & (run_length <= options.mark_run))
    free[mark] = False
    some = np.flatnonzero(free | (owner_of >= 0))
    reach = options.punctuation_reach * np.where(owner_of >= 0, options.mark_line * heights[owner_of], 0)
    left, right = (some[i] for i in pairs_within(boxes[some], reach[some]))
    behind = (owner_of[left] >= 0) & free[right] & (boxes[right, 0] >= boxes[left, 2])
    left, right = left[behind], right[behind]
    before = owner_of[left]
    foot = (boxes[right, 3] - boxes[before, 3]) / heights[before]
    low = (foot >= -options.level) & (foot <= options.underscore_off)
    low &= boxes[right, 1] >= boxes[before, 3] - options.note_foot * heights[before]
    low &= (boxes[right, 2] - boxes[right, 0]) <= options.mark_slim * heights[before]
    left, right = left[low], right[low]
    nearest = _nearest(right, boxes[right, 0] - boxes[left, 2])
    return right[nearest], left[nearest]


def _behind_points(
    boxes: np.ndarray,
    letter: np.ndarray,
    strung: tuple[np.ndarray, np.ndarray],
    joined: tuple[np.ndarray, np.ndarray],
    options: DetectorOptions,
) -> tuple[np.ndarray, np.ndarray]:
    """The halves of quotation marks that a point or a comma parts from the letter before, and these.

    A typewriter's cells, and many a face, set them farther off from it than a mark may be.

    Args:
        boxes: `(N, 4)` px.
        letter: `(N,)`, false for punctuation.
        strung: numbers of the letters strung together that each is one of, and of those that stand close.
        joined: marks, and the letters they belong to.
        options: those of marks.
    """
    heights = boxes[:, 3] - boxes[:, 1]
    length, run_length = (np.bincount(number)[number] for number in strung)
    mark, owner = joined
    at_foot = np.abs(boxes[mark, 3] - boxes[owner, 3]) <= options.mark_off * heights[owner]
    point = at_foot & (boxes[mark, 0] >= boxes[owner, 0])
    owner_of = np.full(len(boxes), -1)
    owner_of[mark[point]] = owner[point]
    free = np.where(letter, (length <= options.mark_run) & (run_length <= options.mark_run), owner_of < 0)
    free[mark] = False
    some = np.flatnonzero(free | (owner_of >= 0))
    reach = options.punctuation_reach * np.where(owner_of >= 0, options.mark_line * heights[owner_of], 0)
    left, right = (some[i] for i in pairs_within(boxes[some], reach[some]))
    behind = (owner_of[left] >= 0) & free[right]
    left, right = left[behind], right[behind]
    before = owner_of[left]
    raised = boxes[before, 3] - boxes[right, 3] >= options.note_foot * heights[before]
    raised &= boxes[right, 3] >= boxes[before, 1] - options.mark_off * heights[before]
    raised &= boxes[right, 1] >= boxes[before, 1] - options.mark_size_beside * heights[before]
    # Both halves of a mark may touch.
    raised &= _is_slim(boxes, right, options.mark_line * heights[before], options, options.mark_wide)
    raised &= heights[right] >= options.mark_least * heights[before]
    left, right = left[raised], right[raised]
    nearest = _nearest(right, boxes[right, 0] - boxes[left, 2])
    return right[nearest], left[nearest]


def _ellipses(boxes: np.ndarray, marks: np.ndarray, options: DetectorOptions) -> tuple[np.ndarray, np.ndarray]:
    """Of `marks`, by their numbers, those that are points of one ellipsis, all but the first ones, and these."""
    left, right = (
        marks[i] for i in pairs_within(boxes[marks], options.point_reach * (boxes[:, 2] - boxes[:, 0])[marks])
    )
    size = boxes[:, 2:] - boxes[:, :2]
    width = np.minimum(size[left, 0], size[right, 0])
    larger, smaller = np.maximum(size[left], size[right]), np.minimum(size[left], size[right])
    alike = (larger <= options.mark_ratio * smaller + 0.5).all(1)
    alike &= (size[left].max(1) <= options.mark_ratio * size[left].min(1) + 1) & (boxes[right, 0] >= boxes[left, 2])
    alike &= np.abs(boxes[left, 3] - boxes[right, 3]) <= options.point_level * width
    alike &= boxes[right, 0] - boxes[left, 2] <= options.point_reach * width
    left, right = left[alike], right[alike]
    run = components(len(boxes), left, right)
    of_three = np.bincount(run)[run[left]] == _POINTS  # more are a dotted rule
    left, right = left[of_three], right[of_three]
    first = np.full(len(boxes), len(boxes))
    members = np.append(left, right)
    order = np.argsort(boxes[members, 0])[::-1]
    first[run[members[order]]] = members[order]
    point = np.flatnonzero(of_those(len(boxes), right))
    return point, first[run[point]]


def _raised(
    boxes: np.ndarray, left: np.ndarray, right: np.ndarray, options: DetectorOptions
) -> tuple[np.ndarray, np.ndarray]:
    """Of those pairs whose right one is raised, as a note's number behind its word, the right and the left ones."""
    all_pairs = left, right
    heights = boxes[:, 3] - boxes[:, 1]
    reach = boxes[:, 2] + options.note_reach * heights
    # A mark stands above a low letter; what else does is of the line above.
    slim = _is_slim(boxes, right, heights[left], options)
    off = np.where(slim, options.mark_off * heights[left], 0)
    near = (boxes[right, 0] <= reach[left]) & (boxes[right, 1] < boxes[left, 3])
    near &= boxes[left, 1] - off < boxes[right, 3]
    left, right = left[near], right[near]
    height = heights[left]
    size = heights[right] / height
    foot, top = (boxes[left, 3] - boxes[right, 3]) / height, (boxes[right, 1] - boxes[left, 1]) / height
    gap = (boxes[right, 0] - boxes[left, 2]) / height
    raised = (options.note_size[0] <= size) | (slim[near] & (options.mark_least <= size))
    raised &= (size <= options.note_size[1]) & (foot >= options.note_foot)
    raised &= (top <= options.note_top) & (gap >= -options.note_overlap)
    # What is as high as a letter beside it and stands lower is part of two lines that touch.
    drop = foot / np.minimum(size, 1)  # of the left one below the right one, in heights of the lower
    touching = (options.note_size[0] <= size) & (size <= 1 / options.note_size[0]) & (np.abs(drop) >= options.note_drop)
    ends_lower = np.where(drop > 0, left, right)[touching]
    raised &= ~of_those(len(boxes), np.append(ends_lower, _commas(boxes, *all_pairs, options)))[right]
    raised &= _run_length(boxes, *all_pairs, options)[right] <= options.note_figures
    left, right, gap = left[raised], right[raised], gap[raised]
    nearest = _nearest(right, gap)
    return right[nearest], left[nearest]


def _commas(boxes: np.ndarray, left: np.ndarray, right: np.ndarray, options: DetectorOptions) -> np.ndarray:
    """Of those pairs whose right one is a slim mark at the left one's foot, the right ones: they are no apostrophes."""
    height = boxes[left, 3] - boxes[left, 1]
    foot, gap = boxes[right, 3] - boxes[left, 3], boxes[right, 0] - boxes[left, 2]
    beside = (foot >= -options.level * height) & (boxes[right, 1] < boxes[left, 3]) & (gap <= options.mark_gap * height)
    return right[beside & (gap >= -options.note_overlap * height) & _is_slim(boxes, right, height, options)]


def _opening(boxes: np.ndarray, left: np.ndarray, right: np.ndarray, options: DetectorOptions) -> np.ndarray:
    """Of those pairs whose left one is raised as an opening quotation mark is before its word, the left ones."""
    heights = boxes[:, 3] - boxes[:, 1]
    run = _run_length(boxes, left, right, options)
    height, gap = heights[right], boxes[right, 0] - boxes[left, 2]
    raised = boxes[right, 3] - boxes[left, 3] >= options.note_foot * height
    raised &= _is_slim(boxes, left, height, options)
    raised &= boxes[left, 3] >= boxes[right, 1] - options.mark_off * height
    raised &= boxes[left, 1] <= boxes[right, 1] + options.note_top * height
    raised &= (gap >= 0) & (gap <= options.mark_gap * height) & (run[left] <= options.mark_run)
    opening = left[raised]
    # The first one of a double mark stands beside the second.
    second = of_those(len(boxes), opening)[right] & (run[left] <= options.mark_run)
    level = np.abs(boxes[left, 3] - boxes[right, 3]) <= options.note_level * np.minimum(heights[left], heights[right])
    close = boxes[right, 0] - boxes[left, 2] <= options.mark_gap * heights[right]
    return np.append(opening, left[second & level & close])


def _is_slim(
    boxes: np.ndarray, mark: np.ndarray, height: np.ndarray, options: DetectorOptions, widest: float | None = None
) -> np.ndarray:
    """Whether each mark is slimmer than a letter, and lower by far than the letter of some `height` beside it.

    `widest` is its width over its height, at most; `None` for a single mark's.
    """
    wide, high = (boxes[mark, 2:] - boxes[mark, :2]).T
    return (high <= options.mark_size_beside * height) & (wide <= (widest or options.mark_slim) * high)


def _twins(
    boxes: np.ndarray,
    marks: np.ndarray,
    pairs: tuple[np.ndarray, np.ndarray],
    options: DetectorOptions,
) -> tuple[np.ndarray, np.ndarray]:
    """Of those `pairs` that are `marks`, `(N,)`, the left and right ones of double marks such as quotation marks."""
    left, right = pairs[0][marks], pairs[1][marks]
    size = boxes[:, 2:] - boxes[:, :2]
    larger, smaller = np.maximum(size[left], size[right]), np.minimum(size[left], size[right])
    alike = (larger <= options.mark_ratio * smaller + 0.5).all(1) & (larger[:, 0] < larger[:, 1])
    alike &= np.abs(boxes[left, 1] - boxes[right, 1]) <= options.note_level * larger[:, 1]
    alike &= boxes[right, 0] - boxes[left, 2] <= options.mark_gap * larger[:, 1]
    left, right = left[alike], right[alike]
    run = components(len(boxes), left, right)
    two = np.bincount(run)[run[left]] <= options.mark_run  # more are a row of stars
    return left[two], right[two]


def _run_length(boxes: np.ndarray, left: np.ndarray, right: np.ndarray, options: DetectorOptions) -> np.ndarray:
    """How many letters follow each other close on one level, of which each is one, `(N,)`: letters of a word do."""
    heights = boxes[:, 3] - boxes[:, 1]
    lower = np.minimum(heights[left], heights[right])
    close = boxes[right, 0] - boxes[left, 2] <= options.note_reach * lower
    close &= np.abs(boxes[right, 3] - boxes[left, 3]) <= options.note_level * lower
    run = components(len(boxes), left[close], right[close])
    return np.bincount(run)[run]


def stand_aside(boxes: np.ndarray, height_px: float, options: DetectorOptions) -> np.ndarray:
    """Whether each box stands in a run of letters one below the other, closer than any beside it, `(N,)`.

    Letters of a word stand closer together than lines do, so a turned table on an upright page shows by its gaps.
    """
    gaps, links = [], []
    for way in (boxes, boxes[:, [1, 0, 3, 2]]):
        size = np.maximum(way[:, 2] - way[:, 0], way[:, 3] - way[:, 1])
        left, right, down = pairs_beside(way, options.reach * height_px, 0)
        lower = np.minimum((way[:, 3] - way[:, 1])[left], (way[:, 3] - way[:, 1])[right])
        beside = down >= options.overlap * lower
        left, right = left[beside], right[beside]
        gap = np.maximum(way[right, 0] - way[left, 2], 0) + 1
        nearest = np.full(len(boxes), np.inf)
        for end in (left, right):
            np.minimum.at(nearest, end, gap)
        gaps.append(nearest)
        close = gap <= options.close_aside * np.minimum(size[left], size[right])
        links.append((left[close], right[close]))
    aside = (gaps[1] < options.aside_ratio * gaps[0]) & np.isfinite(gaps[1])
    left, right = links[1]
    both = aside[left] & aside[right]
    run = components(len(boxes), left[both], right[both])
    aside &= np.bincount(run, minlength=len(boxes))[run] >= options.min_run_aside
    # Where most do, the page as a whole lies on its side.
    return aside & (options.min_turned <= aside.sum() <= options.most_turned * len(boxes))


def without_faint_marks(
    boxes: np.ndarray, contrast: np.ndarray, letter: np.ndarray, line: np.ndarray, options: DetectorOptions
) -> np.ndarray:
    """The lines `(N,)`, but -1 for marks above or below their line's letters that are much fainter than these.

    They are the corners of tints, the rings that JPEG leaves around letters, or dirt; beside letters worn print has
    parts as faint.

    Args:
        boxes: `(N, 4)` px.
        contrast: `(N,)` grey levels.
        letter: `(N,)`, false for punctuation.
        line: `(N,)` line numbers, -1 for none.
        options: `faint_mark` and `level` matter here.
    """
    on_line = letter & (line >= 0)
    if not on_line.any():
        return line
    usual = np.zeros(line.max() + 2)
    usual[np.unique(line[on_line])] = group_quantile(contrast[on_line], line[on_line], 0.5)
    left_out, middle = line.copy(), boxes[:, [0, 2]].mean(1)
    for i in np.flatnonzero(~letter & (contrast < options.faint_mark * usual[line])).tolist():
        own = np.flatnonzero(on_line & (line == line[i]))
        if not len(own):
            continue
        _, top, _, foot = boxes[own[np.abs(middle[own] - middle[i]).argmin()]]
        slack = options.level * (foot - top)
        if boxes[i, 3] <= top + slack or boxes[i, 1] >= foot - slack:
            left_out[i] = -1
    return left_out


def regular_lines(boxes: np.ndarray, letter: np.ndarray, line: np.ndarray, options: DetectorOptions) -> np.ndarray:
    """The line numbers, -1 where the line's letters do not stand on common edges as print does.

    Nine in ten neighbours in print end or begin at one height; in grass, marble or a face half of them do. A line is
    judged by its own neighbours and by the page's. Pieces of letters, as of faint print, stand at no common height, so
    a line that seems to be none is judged again with those one above the other as one letter.
    """
    good, pairs, page = _levelled(boxes, letter, line, options)
    regular = _level_share(good, pairs, page, options) >= options.min_level_share
    strung = line >= 0
    if not regular[line[strung]].all():
        whole = _whole_letters(boxes[strung], letter[strung], line[strung], options)
        good, pairs, page = _levelled(*whole, options, len(regular))
        regular |= _level_share(good, pairs, page, options) >= options.min_level_share_whole
    return np.where((line >= 0) & regular[line], line, -1)


def _levelled(
    boxes: np.ndarray,
    letter: np.ndarray,
    line: np.ndarray,
    options: DetectorOptions,
    lines: int = 0,
) -> tuple[np.ndarray, np.ndarray, float]:
    """How many pairs of neighbours on each line stand level along the page's slope, and all of them; the page's share.

    On a page of print most letters have a neighbour; in that share lone blobs speak against it like neighbours out of
    line.
    """
    order, left, right = _neighbours(boxes, letter, line)
    step = boxes[right] - boxes[left]
    slope = np.median(step[:, 3] / np.maximum(step[:, 0], 1)) if len(step) else 0.0
    off = np.abs(step - slope * step[:, :1])[:, [1, 3]].min(1)
    higher = (boxes[:, 3] - boxes[:, 1])[np.stack([left, right])].max(0)
    level = off <= options.level * higher + 0.5
    lines = max(lines, line.max(initial=0) + 1)
    good, pairs = np.bincount(line[left], level, lines), np.bincount(line[left], minlength=lines)
    return good, pairs, float((good.sum() + 1) / (max(pairs.sum(), len(order) / 3) + 1))


def _level_share(good: np.ndarray, pairs: np.ndarray, page: float, options: DetectorOptions) -> np.ndarray:
    return (good + options.page_weight * page) / (pairs + options.page_weight)


def _whole_letters(
    boxes: np.ndarray, letter: np.ndarray, line: np.ndarray, options: DetectorOptions
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same, pieces of a line that stand one above the other, and are about as wide, as one."""
    a, b = pairs_within(boxes)
    width = boxes[:, 2] - boxes[:, 0]
    narrow, wide = np.minimum(width[a], width[b]), np.maximum(width[a], width[b])
    one = (line[a] == line[b]) & (shared(boxes, a, b, axis=0) >= 0.5 * narrow)
    one &= wide <= options.piece_ratio * np.maximum(narrow, options.piece_px)
    group = components(len(boxes), a[one], b[one])
    corners = np.full((group.max() + 1, 4), [np.inf, np.inf, -np.inf, -np.inf])
    np.minimum.at(corners[:, :2], group, boxes[:, :2])
    np.maximum.at(corners[:, 2:], group, boxes[:, 2:])
    of_group = np.zeros(len(corners), int)
    of_group[group] = line
    return corners, np.bincount(group, letter) > 0, of_group


def are_broken(boxes: np.ndarray, letter: np.ndarray, line: np.ndarray, options: DetectorOptions) -> bool:
    """Whether a page's letters are in pieces, as a worn printer of dots sets them: some stand above the rest of theirs.

    Where many are on no line they are dirt, which may lie anyhow.
    """
    own = letter & (line >= 0)
    if not own.any() or own.sum() < options.broken_strung * letter.sum():
        return False
    whole = _whole_letters(boxes[own], letter[own], line[own], options)[0]
    return bool(own.sum() - len(whole) >= options.broken_share * own.sum())


def rows_slope(boxes: np.ndarray, letter: np.ndarray, line: np.ndarray) -> float:
    """How far a page's lines go down for each px to the right, as far as their letters' feet tell, of long lines most.

    Between two neighbours a page that lies a degree askew goes down by less than a pixel.
    """
    chosen = letter & (line >= 0)
    x, foot, of = (boxes[chosen, 0] + boxes[chosen, 2]) / 2, boxes[chosen, 3], line[chosen]
    count = np.maximum(np.bincount(of), 1)
    x = x - (np.bincount(of, x) / count)[of]
    foot = foot - (np.bincount(of, foot) / count)[of]
    return float((x * foot).sum() / max((x * x).sum(), 1.0))


def _neighbours(boxes: np.ndarray, letter: np.ndarray, line: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The letters on lines, line after line and from left to right; and those with a next one, and it."""
    order = np.lexsort((boxes[:, 0], line))
    order = order[letter[order] & (line[order] >= 0)]
    left, right = order[:-1], order[1:]
    same = line[left] == line[right]
    return order, left[same], right[same]


def _nearest(who: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Index of the entry of least distance for each distinct `who`."""
    order = np.lexsort((distance, who))
    return order[np.flatnonzero(np.diff(who[order], prepend=-1))]
