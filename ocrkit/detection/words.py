"""Lines -> words: which gaps of a line are spaces.

Print has one of many spacings: a typewriter leaves more room between two letters than tight bold print leaves between
two words. So no width in itself makes a space. Each line's gaps are explained by a mixture of two kinds, letter gaps
around one width and word gaps around a larger one, for every pair of widths on a grid, and once more with the gaps a
typewriter's cells would leave; these styles are weighed by how well they explain the line and by how well they explain
the other lines of the page (empirical Bayes), so that a line of two words borrows from its neighbours. The constants
were fitted to the half of FUNSD kept for development and to rendered pages of many fonts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ocrkit.detection.narrow import narrow_pitches, spaces_by_gap
from ocrkit.detection.options import DetectorOptions
from ocrkit.detection.pitch import cell_runs, even_around, line_pitches, space_by_pitch
from ocrkit.detection.sides import rules_between

_CELL_GAP = 1.5  # usual gaps of a line; the blank of two cells beside their rule, at least
_LETTER_GAPS = np.arange(0, 0.56, 0.05)  # heights of the line
_WORD_GAPS = np.arange(0.15, 1.21, 0.075)  # heights of the line
_LEAST_DIFFERENCE = 0.15  # heights
_SPACES = 0.37  # share of gaps that are spaces
_LETTER_WIDTH = 0.8  # heights; a wider piece of ink is letters that touch
_TOUCHING_WEIGHT = 0.44  # gaps' worth of evidence in two letters that touch
_TYPEWRITTEN = 0.28  # share of lines whose letters stand in cells of one width
_AGAINST_CELLS = 0.01  # times as likely it is that a line is set in cells whose letters stand at other steps
_PAGE_PRIOR = 3.2  # lines' worth of belief in the usual spacings
_TAB = 1.3  # heights; a gap as wide as this is no space
_LONG_STRETCH = 16  # gaps between two of these, from which on their spaces may be of another width
_BLUR_PX = 0.5  # by which a box is wider than its ink
_LEAST_SPACES = 0.2  # that a line may have, from which on it tells how wide they are
_FULL_LINE = 6.6  # gaps from which on a line counts as one line's worth of evidence


@dataclass(frozen=True, eq=False)
class Words:
    """Words of a page, line after line and from left to right.

    Attributes:
        boxes: `(N, 4)` px; where to look: a little wider than the ink, a dash as high as its line.
        ink: `(N, 4)` px; where the ink is.
        line: `(N,)` number of each word's line, rising.
        letters: `(N,)` number of its letters or pieces of letters.
        space: `(N,)` probability that the gap before the word is a space; 1 before a line's first.
        pitch: `(N,)` px; width of the cells that its line's characters stand in, 0 where they stand in none.
    """

    boxes: np.ndarray
    ink: np.ndarray
    line: np.ndarray
    letters: np.ndarray
    space: np.ndarray
    pitch: np.ndarray

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, keep: np.ndarray) -> Words:
        return Words(*(of[keep] for of in (self.boxes, self.ink, self.line, self.letters, self.space, self.pitch)))

    def __add__(self, other: Words) -> Words:
        """These words and after them the other's, on lines of their own."""
        return Words(
            np.concatenate([self.boxes, other.boxes]),
            np.concatenate([self.ink, other.ink]),
            np.concatenate([self.line, other.line + self.line.max(initial=-1) + 1]),
            np.concatenate([self.letters, other.letters]),
            np.concatenate([self.space, other.space]),
            np.concatenate([self.pitch, other.pitch]),
        )

    @classmethod
    def none(cls) -> Words:
        """No words."""
        return cls(np.zeros((0, 4)), np.zeros((0, 4)), np.zeros(0, int), np.zeros(0, int), np.zeros(0), np.zeros(0))


def space_probability(
    gaps: np.ndarray, line: np.ndarray, touching: np.ndarray, may_be_cells: np.ndarray | None = None
) -> np.ndarray:
    """Probability that each gap is a space between words.

    Args:
        gaps: `(N, 2)` widths of the gaps between a line's letters, in heights of that line: as they are, and less what
            narrow letters leave free in a typewriter's cells.
        line: `(N,)` number of the gap's line; the gaps of a line stand together.
        touching: how many pairs of letters touch, for each of the lines in the order of `line`.
        may_be_cells: whether the letters of each line may stand in a typewriter's cells; `None` where nobody knows.
    """
    letter, word = (kind.ravel() for kind in np.indices((len(_LETTER_GAPS), len(_WORD_GAPS))))
    usable = _WORD_GAPS[word] - _LETTER_GAPS[letter] >= _LEAST_DIFFERENCE
    pairs = letter[usable], word[usable]
    usual, wide = _LETTER_GAPS[pairs[0]], _WORD_GAPS[pairs[1]]
    prior = np.exp(-0.222 * ((usual - 0.167) / 0.1) ** 2 - 0.141 * ((wide - 0.98 - 2.8 * usual) / 0.1) ** 2)
    prior = np.append((1 - _TYPEWRITTEN) * prior, _TYPEWRITTEN * prior) / prior.sum()

    both, of_word = (np.hstack(kind) for kind in zip(*(_densities(way, *pairs) for way in gaps.T)))
    of_none = _densities(np.zeros(1), *pairs)[0]
    first = np.flatnonzero(np.diff(line, prepend=-1))
    count = np.diff(np.append(first, len(line)))
    likelihood = np.add.reduceat(np.log(both), first, axis=0)
    likelihood += _TOUCHING_WEIGHT * touching[:, None] * np.tile(np.log(of_none), 2)
    weight = np.minimum(count / _FULL_LINE, 1)
    spaces = of_word / both
    likely = np.ones_like(likelihood)
    if may_be_cells is not None:
        likely[~may_be_cells, len(usual) :] = _AGAINST_CELLS
    style = _posterior(likelihood, prior * likely)
    space = (np.repeat(style, count, axis=0) * spaces).sum(1)
    for _ in range(2):
        # A line without a space, as of a number in a table, tells nothing of how wide they are.
        told = weight * np.minimum(np.add.reduceat(space, first) / _LEAST_SPACES, 1)
        style = _posterior(likelihood, (told @ style + _PAGE_PRIOR * prior) * likely)
        space = (np.repeat(style, count, axis=0) * spaces).sum(1)
    return space


def _densities(gap: np.ndarray, letter: np.ndarray, word: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How likely any gap and a word gap of widths `(N,)` are, for each of the pairs of usual widths: `(N, pairs)` each.

    `letter` and `word` are the numbers of each pair's widths.
    """
    gap = gap[:, None]
    spread = 0.056 + 0.264 * _LETTER_GAPS
    of_letter = 0.956 * _normal(gap, _LETTER_GAPS, spread) + 0.044 * _normal(gap, _LETTER_GAPS, 3 * spread)
    beyond = _WORD_GAPS - gap
    wide = np.where(beyond < 0, np.exp(np.minimum(beyond, 0) / 1.8) / 1.8, 0)  # tabs and columns
    of_word = 0.963 * _normal(gap, _WORD_GAPS, 0.037 + 0.129 * _WORD_GAPS) + 0.037 * wide + 1e-9
    of_letter, of_word = ((1 - _SPACES) * of_letter)[:, letter], (_SPACES * of_word)[:, word]
    return np.add(of_letter, of_word, out=of_letter), of_word


def _normal(x: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * ((x - mean) / spread) ** 2) / (spread * np.sqrt(2 * np.pi))


def _posterior(log_likelihood: np.ndarray, prior: np.ndarray) -> np.ndarray:
    joint = log_likelihood + np.log(prior)
    odds = np.exp(joint - joint.max(1, keepdims=True))
    return odds / odds.sum(1, keepdims=True)


def split_words(
    boxes: np.ndarray,
    letter: np.ndarray,
    line: np.ndarray,
    options: DetectorOptions,
    sides: np.ndarray | None = None,
    rules: np.ndarray | None = None,
) -> Words:
    """The lines cut at their spaces.

    Args:
        boxes: `(N, 4)` px.
        letter: `(N,)`, false for punctuation, which makes no word.
        line: `(N,)` line numbers, -1 for boxes on no line.
        options: `min_word`, `min_dash`, `slim_colon`, `punctuation_reach` and `margin` matter here.
        sides: `(N, 2)` px; the left and right ones that gaps are measured from, see `standing_sides`; `None` for those
            of the boxes.
        rules: `uint8` mask, `(H, W)`; upright ones part words as columns do; `None` for none.
    """
    sides = boxes[:, [0, 2]] if sides is None else sides
    order = np.lexsort((sides[:, 0], line))
    order = order[line[order] >= 0]
    if not len(order):
        return Words.none()
    boxes, letter, line = boxes[order], letter[order], np.unique(line[order], return_inverse=True)[1]
    sides = sides[order]
    height = line_heights(boxes, letter, line)[line]
    pitches, may_be_cells = line_pitches(boxes, letter, line, options)
    pitch = pitches[line]
    kept = ~_rules(boxes, letter, line, height, pitch, options) & ~_specks(boxes, letter, line, height, pitch, options)
    boxes, letter, line, height, pitch, sides = (of[kept] for of in (boxes, letter, line, height, pitch, sides))
    gap = _gaps(boxes, sides, line, height, rules)
    probability = _space_probabilities(boxes, sides, line, height, gap, pitch, may_be_cells, options)
    narrow = np.where(pitch > 0, 0, narrow_pitches(boxes, letter, line, options)[line])
    probability = spaces_by_gap(probability, boxes, line, height, gap, narrow)
    space = probability > 0.5

    # A mark that stands alone goes with the nearer of its neighbours, a point or a comma with the one before it; a dash
    # stays a word.
    first = np.flatnonzero(space)
    tallest = np.maximum.reduceat((boxes[:, 3] - boxes[:, 1]) / height, first)
    before, after = gap[first], np.append(gap[first[1:]], np.inf)
    low, near = tallest < options.min_word, np.minimum(before, after) < options.punctuation_reach
    low &= ~_dashes(boxes, height, first, options)
    # So do a colon or a middle dot between two spaces, and an asterisk, or what passes for a letter, between sure ones.
    stars = _stars(boxes, letter, height, first, options)
    sure = np.minimum(probability[first], np.append(probability[first[1:]], 1.0)) >= options.sure_space
    single = np.diff(np.append(first, len(boxes))) == 1
    slim = single & (boxes[first, 2] - boxes[first, 0] <= options.slim_colon * height[first])
    low &= ~_middle_dots(boxes, letter, height, first, np.stack([before, after]), options)
    low &= ~((letter[first] & (slim | sure)) | (stars & sure) | (pitch[first] > 0))
    at_foot = boxes[first, 3] >= boxes[first - 1, 3] - options.level * height[first]
    to_left = low & near & ((before <= after) | (at_foot & (before < options.punctuation_reach)))
    to_right = low & near & ~to_left
    space[first[to_left]] = False
    space[first[1:][to_right[:-1]]] = False

    first = np.flatnonzero(space)
    dash = _dashes(boxes, height, first, options)
    ink = np.hstack([np.minimum.reduceat(boxes[:, :2], first), np.maximum.reduceat(boxes[:, 2:], first)])
    around = ink.copy()
    # A dash or an equals sign is made as high as its line, or nobody could tell it from any other bars.
    missing = height[first] - (around[:, 3] - around[:, 1])
    around[:, [1, 3]] += np.where(missing > 0.5 * height[first], missing / 2, 0)[:, None] * [-1, 1]
    margin = options.margin * height[first, None] * [-1, -1, 1, 1]
    high = letter | (boxes[:, 3] - boxes[:, 1] >= options.min_letter * height)
    around_each = np.stack([gap[first], np.append(gap[first[1:]], np.inf)])
    dots = _middle_dots(boxes, letter, height, first, around_each, options)
    letters = np.add.reduceat(high.astype(int), first) + (dash | dots | _stars(boxes, letter, height, first, options))
    # Between two spaces that are certain any mark is a word.
    clear = ((ink[:, 2:] - ink[:, :2]).max(1) >= options.min_dash * height[first]) & (pitch[first] > 0)
    letters = np.maximum(letters, clear)
    words = Words(around + margin, ink, line[first], letters, probability[first], np.maximum(pitch, narrow)[first])
    return words[words.letters > 0]


def _laid_out(sides: np.ndarray, line: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each box begins, and how far those up to it reach; lines end to end, so that one maximum serves all."""
    offset = line * (sides[:, 1].max() + 1)
    return sides[:, 0] + offset, np.maximum.accumulate(sides[:, 1] + offset)


def _gaps(
    boxes: np.ndarray, sides: np.ndarray, line: np.ndarray, height: np.ndarray, rules: np.ndarray | None
) -> np.ndarray:
    """Gap `(N,)` in heights before each box: infinite before a line's first, a tab or more behind an upright rule."""
    starts, ends = _laid_out(sides, line)
    gap = np.append(np.inf, starts[1:] - ends[:-1]) / height
    gap[np.diff(line, prepend=-1) > 0] = np.inf
    if rules is not None:
        behind = _cell_starts(boxes, line, height, gap, rules)
        gap[behind] = np.maximum(gap[behind], _TAB)
    return gap


def _space_probabilities(
    boxes: np.ndarray,
    sides: np.ndarray,
    line: np.ndarray,
    height: np.ndarray,
    gap: np.ndarray,
    pitch: np.ndarray,
    may_be_cells: np.ndarray,
    options: DetectorOptions,
) -> np.ndarray:
    """Probability `(N,)` of a space before each box.

    Args:
        boxes: `(N, 4)` px, line after line.
        sides: `(N, 2)` px; where each begins and ends, as gaps have it.
        line: `(N,)` line numbers.
        height: `(N,)` px, of each line.
        gap: `(N,)` heights; before each box, infinite before a line's first.
        pitch: `(N,)` px; width of the cells that a line's letters stand in, 0 for none.
        may_be_cells: see `space_probability`.
        options: those of cells.
    """
    probability = np.isinf(gap).astype(float)
    inside = np.isfinite(gap) & (gap > 0)
    if not inside.any():
        return probability
    # Letters that touch are one piece of ink, several letters wide.
    piece = np.flatnonzero(gap > 0)
    starts, ends = _laid_out(sides, line)
    width = (np.append(ends[piece[1:] - 1], ends[-1]) - starts[piece]) / height[piece]
    stretch, line_of = _stretches(gap[piece], line[piece])
    touching = np.bincount(stretch, np.maximum(width // _LETTER_WIDTH - 1, 0))
    free = np.maximum(_cell_width(width, line[piece]) - width, 0) / 2
    within = inside[piece]
    narrow = free[within] + free[np.flatnonzero(within) - 1]
    both = np.stack([gap[inside], np.maximum(gap[inside] - narrow, -0.1)], 1)
    known = np.unique(stretch[within])
    probability[inside] = space_probability(both, stretch[within], touching[known], may_be_cells[line_of[known]])
    runs = cell_runs(boxes, line)[piece]
    usual = np.where(runs > 0, runs, pitch[piece])
    cells = np.where(within & (usual > 0), _cells(boxes, width * height[piece], gap * height, piece, usual), 0)
    told = (cells > 0) & ((runs > 0) | even_around(cells, line[piece], options))
    probability[piece[told]] = space_by_pitch(cells[told], probability[piece[told]])
    return probability


def _stretches(gap: np.ndarray, line: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number `(N,)` of the stretch of its line that each piece of ink is in, and the line of each stretch.

    Columns that stand close are one line here, and each is justified by spaces of its own width.

    Args:
        gap: `(N,)` heights; before each piece, infinite before a line's first.
        line: `(N,)` line numbers, rising.
    """
    begins = np.flatnonzero(gap >= _TAB)
    size = np.diff(np.append(begins, len(gap)))
    long = size >= _LONG_STRETCH
    passed: np.ndarray = np.cumsum(long) - long  # long parts before each, from the page's first line on
    new = np.isinf(gap[begins])
    cut = new | (long & (passed > np.maximum.accumulate(np.where(new, passed, 0))))
    return np.repeat(np.cumsum(cut) - 1, size), line[begins[cut]]


def _rules(
    boxes: np.ndarray,
    letter: np.ndarray,
    line: np.ndarray,
    height: np.ndarray,
    pitch: np.ndarray,
    options: DetectorOptions,
) -> np.ndarray:
    """Whether each box is a short rule, `(N,)`: as low as an underscore, but not as wide as cells, or as a dash."""
    wide, high = (boxes[:, 2:] - boxes[:, :2]).T
    baseline = group_quantile(boxes[letter, 3], line[letter], 0.5)[line]
    low = ~letter & (wide >= options.dash_aspect * high) & (boxes[:, 1] >= baseline - options.level * height)
    cell = np.maximum(pitch, 1e-9)
    over = wide / cell - np.maximum(np.round(wide / cell), 1)
    fills = (-options.cell_blank <= over) & (over <= options.cell_over + _BLUR_PX / cell)
    beside = (wide <= options.dash_width * height) & (boxes[:, [1, 3]].mean(1) <= baseline + options.mark_off * height)
    return low & ~np.where(pitch > 0, fills, beside)


def _specks(
    boxes: np.ndarray,
    letter: np.ndarray,
    line: np.ndarray,
    height: np.ndarray,
    pitch: np.ndarray,
    options: DetectorOptions,
) -> np.ndarray:
    """Whether each box is dirt between letters, `(N,)`: smaller than a point, and not at the foot of its line.

    Where letters stand in cells it fills a blank one, so there it is told more strictly: a typewriter's marks are as
    bold as its letters, and none stands above or below all of them.
    """
    starts, ends = _laid_out(boxes[:, [0, 2]], line)
    free = ~letter & (starts > np.append(-np.inf, ends[:-1])) & (np.append(starts[1:], np.inf) > ends)
    foot, place = _usual_feet(boxes[:, 3], letter, line), np.arange(len(boxes))
    before = np.maximum.accumulate(np.where(letter, place, -1))
    behind = np.minimum.accumulate(np.where(letter, place, len(boxes))[::-1])[::-1]
    baseline = np.full(len(boxes), np.inf)
    for nearest in (before, behind):
        known = (nearest >= 0) & (nearest < len(boxes))
        beside = np.where(known, nearest, 0)
        known &= line[beside] == line
        baseline = np.where(known, np.minimum(baseline, foot[beside]), baseline)
    foot = boxes[:, 3]
    raised = foot < baseline - options.level * height
    wide, high = (boxes[:, 2:] - boxes[:, :2]).T
    small = wide * high <= np.where(pitch > 0, options.cell_speck_area, options.speck_area) * height**2
    # Of a line with few tall letters, `height` is that of the low ones, above which its marks stand.
    highest = group_quantile(high[letter], line[letter], options.capital_share)[line]
    outside = (foot < baseline - options.cell_mark_top * np.maximum(highest, pitch)) | (boxes[:, 1] > baseline)
    outside &= wide <= pitch / 2  # or it is an underscore
    tiny = (pitch > 0) & (wide * high <= options.speck_area * height**2)
    return free & ((small & raised) | outside | tiny)


def _usual_feet(foot: np.ndarray, letter: np.ndarray, line: np.ndarray) -> np.ndarray:
    """`foot` `(N,)`, each letter's the median of its own and of those up to two before and behind it in its line.

    Some letters hang below the line, and halves of quotation marks may pass for letters.
    """
    number = np.flatnonzero(letter)
    near = number[np.clip(np.arange(len(number))[:, None] + np.arange(-2, 3), 0, max(len(number) - 1, 0))]
    feet = np.where(line[near] == line[number][:, None], foot[near], np.nan)
    usual = foot.copy()
    usual[number] = np.nanmedian(feet, axis=1)
    return usual


def _cells(boxes: np.ndarray, width: np.ndarray, gap: np.ndarray, piece: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """How many cells the middle of each piece of ink, or of its first letter, is off that of what stands before it.

    Args:
        boxes: `(N, 4)` px.
        width: px; of each of the pieces.
        gap: `(N,)` px; before each box.
        piece: numbers of the boxes that begin a piece.
        pitch: px; width of the cells that each piece stands in, 0 for none.

    Returns:
        One number a piece; only for those in cells this means anything.
    """
    half = np.minimum(width, pitch) / 2
    off = np.append(0, half[:-1]) + half + np.where(np.isfinite(gap[piece]), gap[piece], 0)
    return off / np.maximum(pitch, 1e-9)


def _dashes(boxes: np.ndarray, height: np.ndarray, first: np.ndarray, options: DetectorOptions) -> np.ndarray:
    """Whether each of the words that start at `first` is one dash and nothing else."""
    width, thickness = ((boxes[first, 2:] - boxes[first, :2]) / height[first, None]).T
    single = np.diff(np.append(first, len(boxes))) == 1
    return single & (width >= options.min_dash) & (width >= 1.5 * thickness) & (thickness < 0.4)


def _stars(
    boxes: np.ndarray, letter: np.ndarray, height: np.ndarray, first: np.ndarray, options: DetectorOptions
) -> np.ndarray:
    """Whether each of the words that start at `first` is one mark as large as an asterisk, above its line's foot."""
    size = (boxes[first, 2:] - boxes[first, :2]) / height[first, None]
    single = np.diff(np.append(first, len(boxes))) == 1
    beside = np.where(first + 1 < len(boxes), first + 1, first - 1)
    raised = boxes[first, 3] <= boxes[beside, 3] - options.star_foot * height[first]
    return single & ~letter[first] & raised & (size.min(1) >= options.min_star)


def _middle_dots(
    boxes: np.ndarray,
    letter: np.ndarray,
    height: np.ndarray,
    first: np.ndarray,
    gaps: np.ndarray,
    options: DetectorOptions,
) -> np.ndarray:
    """Whether each of the words that start at `first` is a dot half-way up its line and half-way between two others.

    It parts what is no sentence, as in a letterhead. `gaps` are those before and behind, `(2, words)` heights.
    """
    size = (boxes[first, 2:] - boxes[first, :2]) / height[first, None]
    single = np.diff(np.append(first, len(boxes))) == 1
    round_ = size.max(1) <= options.dot_round * size.min(1) + _BLUR_PX / height[first]
    # Of a letter that hangs below the line, the foot of the point behind it is half-way up.
    foot = np.minimum(boxes[first - 1, 3], boxes[np.append(first[1:], first[-1]), 3])
    up = (foot - boxes[first, 1::2].mean(1)) / height[first]
    lowest, highest = options.dot_middle
    between = np.isfinite(gaps).all(0) & (np.ptp(np.where(np.isfinite(gaps), gaps, 0), 0) <= options.dot_off)
    return single & ~letter[first] & round_ & (lowest <= up) & (up <= highest) & between


def _cell_starts(
    boxes: np.ndarray, line: np.ndarray, height: np.ndarray, gap: np.ndarray, rules: np.ndarray
) -> np.ndarray:
    """Numbers of the pieces that begin a table's cell, behind an upright rule.

    Letters that go on at their usual distance cross the rule: their cell is too narrow for them, or the paper is ruled.
    What the rule covers is no gap, and one that letters cross in most rows parts none, as it may hide an i.
    """
    widths = rules_between(boxes, line, rules)
    behind = 1 + np.flatnonzero(widths)
    if not len(behind):
        return behind
    usual = np.array([np.median(gap[(line == line[i]) & np.isfinite(gap)]) for i in behind.tolist()])
    parts = gap[behind] - widths[behind - 1] / height[behind] > _CELL_GAP * usual
    place = (boxes[behind, 0] / np.median(height)).astype(int)
    return behind[parts & (np.bincount(place, parts) >= np.bincount(place) / 2)[place]]


def _cell_width(width: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Usual width of a letter on each piece's line, heights; a customary one where the line has few."""
    single = (width > 0.25) & (width < 0.95)
    lines = line.max() + 1
    usual = np.full(lines, 0.6)
    many = np.bincount(line[single], minlength=lines) >= 3
    single &= many[line]
    usual[many] = group_quantile(width[single], line[single], 0.5)
    return usual[line]


def line_heights(boxes: np.ndarray, letter: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Height in px of each line's capitals: seven letters in ten are no higher."""
    return group_quantile((boxes[:, 3] - boxes[:, 1])[letter], line[letter], 0.7)


def group_quantile(values: np.ndarray, group: np.ndarray, share: float) -> np.ndarray:
    """The value that `share` of a group's values do not exceed, for each group that has any, in order."""
    order = np.lexsort((values, group))
    count = np.bincount(group)
    count, start = count[count > 0], (np.cumsum(count) - count)[count > 0]
    return values[order][start + np.minimum((count * share).astype(int), count - 1)]
