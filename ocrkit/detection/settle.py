"""Words -> the words that stay: what only looked like a word, seen from the words around it."""

from __future__ import annotations

import numpy as np

from ocrkit.detection.options import DetectorOptions
from ocrkit.detection.pairs import clashes, of_those, shared
from ocrkit.detection.words import Words, group_quantile


def settle(words: Words, height_px: float, options: DetectorOptions) -> Words:
    """The words without noise, and of two that lie on each other only the one of more letters.

    The holes of dark letters look like light letters, the ground between light letters like dark ones, and the dots
    of worn print or a drawing's strokes like letters of their own.
    """
    size = words.boxes[:, 2:] - words.boxes[:, :2]
    alone = np.bincount(words.line)[words.line] == 1
    noise = alone & ((size[:, 1] < options.min_alone * height_px) | (size[:, 0] < options.min_aspect * size[:, 1]))
    # A line of a program may be a brace.
    brace = (words.ink[:, 3] - words.ink[:, 1] >= height_px) & (size[:, 0] >= options.min_brace * size[:, 1])
    noise &= ~(brace & (words.pitch > 0))
    stroke = size[:, 0] < 0.75 * options.min_aspect * size[:, 1]  # narrower than any digit
    return without_clashes(words[~noise | (_in_a_row(words, alone, options) & ~stroke)], height_px, options)


def without_clashes(words: Words, height_px: float, options: DetectorOptions) -> Words:
    """Of two words that lie on each other only the one of more letters, and of as many the larger one.

    What is far higher than the other and than print of `height_px`, as a signature over a line of it, is so only if its
    line has more letters. Light words are no higher than print, so they do not give way to pieces of their ground.
    """
    first, second = clashes(words.boxes, options.clash)
    height = words.boxes[:, 3] - words.boxes[:, 1]
    area = (words.boxes[:, 2:] - words.boxes[:, :2]).prod(1)
    weaker = np.where(words.letters[first] < words.letters[second], first, second)
    even = words.letters[first] == words.letters[second]
    weaker[even] = np.where(area[first] < area[second], first, second)[even]
    higher = np.where(height[first] > height[second], first, second)
    lower = first + second - higher
    _, line = np.unique(words.line, return_inverse=True)
    letters = np.bincount(line, words.letters)[line]
    over = height[higher] >= options.clash_height * np.maximum(height[lower], height_px)
    over &= letters[higher] < letters[lower]
    weaker[over] = higher[over]
    return words[np.setdiff1d(np.arange(len(words)), weaker)]


def outside_lines(small: Words, words: Words, options: DetectorOptions) -> Words:
    """The words of `small` letters, but for lines that are mostly the low letters (a, o, r) of lines of `words`.

    Those that lie on several words of as many letters together are these, without their points; in one that is far
    larger they may be the next line, below its g. So is what lies by itself in a word that goes beyond it by no more
    than a mark, in whatever number of letters either was found: where letters touch these are fewer.
    """
    both = np.concatenate([small.boxes, words.boxes])
    first, second = np.sort(clashes(both, 0), axis=0)  # the small word of each such pair first
    between = (first < len(small)) & (second >= len(small))
    first, second = first[between], second[between]
    area = shared(both, first, second, axis=0) * shared(both, first, second, axis=1)
    size = (both[:, 2:] - both[:, :2]).prod(1)
    same = area > options.clash * size[second]
    found = np.bincount(first, words.letters[second - len(small)] * same, len(small)) >= small.letters
    own = same & _are_alike(small.ink[first], words.ink[second - len(small)], options)
    found |= of_those(len(small), first[own & (np.bincount(second)[second] == 1)])
    higher = _heights(words, 1.0)[second - len(small)] > options.risen * _heights(small, 0.5)[first]
    covered = np.bincount(first, area * higher, len(small)) > options.clash * size[: len(small)]
    _, line = np.unique(small.line, return_inverse=True)
    return small[(2 * np.bincount(line, covered)[line] <= np.bincount(line)[line]) & ~found]


def _are_alike(small: np.ndarray, whole: np.ndarray, options: DetectorOptions) -> np.ndarray:
    """Whether each of the `whole` words, `(N, 4)` px, goes beyond the small one by no more than a mark, `(N,)`."""
    beyond = (whole - small) * [-1, -1, 1, 1] / (small[:, 3] - small[:, 1])[:, None]
    return (beyond <= options.mark_beyond).all(1) & (beyond >= -options.level).all(1)


def _heights(words: Words, share: float) -> np.ndarray:
    """Height in px that `share` of the words in the line of each do not exceed, `(N,)`."""
    _, line = np.unique(words.line, return_inverse=True)
    return group_quantile(words.boxes[:, 3] - words.boxes[:, 1], line, share)[line]


def _in_a_row(words: Words, alone: np.ndarray, options: DetectorOptions) -> np.ndarray:
    """Whether a word of several letters, neither much lower nor higher, stands beside each that is `alone`, `(N,)`."""
    y0, y1 = words.boxes[:, 1], words.boxes[:, 3]
    height = y1 - y0
    one, other = np.flatnonzero(alone)[:, None], np.flatnonzero(words.letters > 1)
    covered = np.minimum(y1[one], y1[other]) - np.maximum(y0[one], y0[other])
    level = (covered > options.same_row * height[one]) & (height[one] > 0.5 * height[other]) & (one != other)
    beside = np.zeros(len(words), bool)
    beside[alone] = level.any(1)
    return beside
