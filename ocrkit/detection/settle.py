"""Words -> the words that stay: what only looked like a word, seen from the words around it."""

from __future__ import annotations

import numpy as np

from ocrkit.detection.options import DetectorOptions
from ocrkit.detection.pairs import clashes
from ocrkit.detection.words import Words


def settle(words: Words, height_px: float, options: DetectorOptions) -> Words:
    """The words without noise, and of two that lie on each other only the one of more letters.

    The holes of dark letters look like light letters, the ground between light letters like dark ones, and the dots
    of worn print or a drawing's strokes like letters of their own.
    """
    size = words.boxes[:, 2:] - words.boxes[:, :2]
    alone = np.bincount(words.line)[words.line] == 1
    noise = alone & ((size[:, 1] < options.min_alone * height_px) | (size[:, 0] < options.min_aspect * size[:, 1]))
    words = words[~noise]
    first, second = clashes(words.boxes, options.clash)
    area = (words.boxes[:, 2:] - words.boxes[:, :2]).prod(1)
    weaker = np.where(words.letters[first] < words.letters[second], first, second)
    even = words.letters[first] == words.letters[second]
    weaker[even] = np.where(area[first] < area[second], first, second)[even]
    return words[np.setdiff1d(np.arange(len(words)), weaker)]
