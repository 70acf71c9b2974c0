"""Lines -> words: which gaps of a line are spaces.

Print has one of many spacings: a typewriter leaves more room between two letters than tight bold print leaves between
two words. So no width in itself makes a space. Each line's gaps are explained by a mixture of two kinds, letter gaps
around one width and word gaps around a larger one, for every pair of widths on a grid; the pairs are weighed by how
well they explain the line and by how well they explain the other lines of the page (empirical Bayes), so that a line
of two words borrows from its neighbours. The constants were fitted to the FUNSD pages kept for development.
"""

from __future__ import annotations

import numpy as np

from ocrkit.detection.options import DetectorOptions

_LETTER_GAPS = np.arange(0, 0.56, 0.05)  # of a line's height
_WORD_GAPS = np.arange(0.15, 1.21, 0.075)
_LEAST_DIFFERENCE = 0.1
_SPACES = 0.43  # share of gaps that are spaces
_PAGE_PRIOR = 8.0  # lines' worth of belief in the usual spacings
_FULL_LINE = 8  # gaps from which on a line counts as one line's worth of evidence


def space_probability(gaps: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Probability that each gap is a space between words.

    Args:
        gaps: `(N,)` widths of the gaps between a line's letters, in heights of that line.
        line: `(N,)` number of the gap's line; the gaps of a line stand together.
    """
    letter, word = (style.ravel() for style in np.meshgrid(_LETTER_GAPS, _WORD_GAPS, indexing="ij"))
    usable = word - letter >= _LEAST_DIFFERENCE
    letter, word = letter[usable], word[usable]
    prior = np.exp(-0.37 * ((letter - 0.144) / 0.1) ** 2 - 0.344 * ((word - 0.796 - 2.69 * letter) / 0.1) ** 2)
    prior /= prior.sum()

    gap = gaps[:, None]
    spread = 0.034 + 0.16 * letter
    of_letter = 0.8 * _normal(gap, letter, spread) + 0.2 * _normal(gap, letter, 3 * spread)
    wide = np.where(gap > word, np.exp(np.minimum(word - gap, 0) / 2.8) / 2.8, 0)  # tabs and columns
    of_word = 0.95 * _normal(gap, word, 0.013 + 0.19 * word) + 0.05 * wide + 1e-9
    both = (1 - _SPACES) * of_letter + _SPACES * of_word

    first = np.flatnonzero(np.diff(line, prepend=-1))
    count = np.diff(np.append(first, len(line)))
    likelihood = np.add.reduceat(np.log(both), first, axis=0)
    weight = np.minimum(count / _FULL_LINE, 1)
    style = _posterior(likelihood, prior)
    for _ in range(2):
        style = _posterior(likelihood, weight @ style + _PAGE_PRIOR * prior)
    return (np.repeat(style, count, axis=0) * (_SPACES * of_word / both)).sum(1)


def _normal(x: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * ((x - mean) / spread) ** 2) / (spread * np.sqrt(2 * np.pi))


def _posterior(log_likelihood: np.ndarray, prior: np.ndarray) -> np.ndarray:
    joint = log_likelihood + np.log(prior)
    odds = np.exp(joint - joint.max(1, keepdims=True))
    return odds / odds.sum(1, keepdims=True)


def split_words(boxes: np.ndarray, letter: np.ndarray, line: np.ndarray, options: DetectorOptions) -> np.ndarray:
    """Number of the word each box belongs to, `(N,)`; words are numbered from left to right, line after line.

    Args:
        boxes: `(N, 4)` px.
        letter: `(N,)`, false for punctuation.
        line: `(N,)` line numbers.
        options: `min_word` and `punctuation_reach` matter here.
    """
    order = np.lexsort((boxes[:, 0], line))
    sorted_line = line[order]
    height = line_heights(boxes, letter, line)[sorted_line]
    # Lines laid end to end on one axis, so that one running maximum serves them all.
    offset = sorted_line * (boxes[:, 2].max() + 1)
    starts, ends = boxes[order, 0] + offset, np.maximum.accumulate(boxes[order, 2] + offset)
    gap = np.append(np.inf, starts[1:] - ends[:-1]) / height
    gap[np.diff(sorted_line, prepend=-1) > 0] = np.inf
    inside = np.isfinite(gap) & (gap > 0)
    space = np.isinf(gap)
    if inside.any():
        space[inside] = space_probability(gap[inside], sorted_line[inside]) > 0.5
    # A comma that stands alone goes with the nearer of its neighbours.
    first = np.flatnonzero(space)
    tallest = np.maximum.reduceat((boxes[order, 3] - boxes[order, 1]) / height, first)
    before, after = gap[first], np.append(gap[first[1:]], np.inf)
    low, near = tallest < options.min_word, np.minimum(before, after) < options.punctuation_reach
    to_left = low & near & (before <= after)
    to_right = low & near & ~to_left
    space[first[to_left]] = False
    space[first[1:][to_right[:-1]]] = False
    word = np.empty(len(boxes), int)
    word[order] = np.cumsum(space) - 1
    return word


def line_heights(boxes: np.ndarray, letter: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Height in px of each line's capitals: seven letters in ten are no higher."""
    heights = boxes[letter, 3] - boxes[letter, 1]
    order = np.lexsort((heights, line[letter]))
    count = np.bincount(line[letter])
    rank = np.cumsum(count) - count + np.minimum(count * 7 // 10, count - 1)
    return heights[order][rank]
