"""Which parts of a line stand raised above its baseline: apostrophes, quotation marks, and the numbers of notes.

The recogniser sees a word as a whole, and what is small and raised in it looks much alike to it. Where the parts of ink
stand is known, so a word can be read in two where something raised parts it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ocrkit.detection.lines import rows_slope
from ocrkit.detection.options import DetectorOptions
from ocrkit.detection.pairs import pairs_within, shared
from ocrkit.detection.words import group_quantile


@dataclass(frozen=True, eq=False)
class Parts:
    """The connected parts of a word that has raised ones.

    Attributes:
        boxes: `(K, 4)` px, from left to right.
        raised: `(K,)` whether each stands above the baseline, and above no other part as the dot of an i does.
        capital: px; height of the line's capitals.
    """

    boxes: np.ndarray
    raised: np.ndarray
    capital: float


def raised_parts(boxes: np.ndarray, letter: np.ndarray, line: np.ndarray, options: DetectorOptions) -> np.ndarray:
    """Height in px of the line's capitals for each part that stands raised in its line, 0 for the others, `(N,)`.

    Args:
        boxes: `(N, 4)` px.
        letter: `(N,)`, false for punctuation.
        line: `(N,)` line numbers, -1 for boxes on no line.
        options: `capital_share`, `raised_foot`, `raised_top`, `raised_height` and `over_letter` matter here.
    """
    capital = np.zeros(len(boxes))
    chosen, (x0, y0, x1, y1) = letter & (line >= 0), boxes.T
    if not chosen.any():
        return capital
    slope = rows_slope(boxes, letter, line)
    feet, tops = y1 - slope * x0, y0 - slope * x0
    names, number = np.unique(line[chosen], return_inverse=True)
    at = np.minimum(np.searchsorted(names, line), len(names) - 1)
    baseline = group_quantile(feet[chosen], number, 0.5)[at]
    height = group_quantile((y1 - y0)[chosen], number, options.capital_share)[at]
    raised = (line == names[at]) & (baseline - feet >= options.raised_foot * height)
    raised &= (baseline - tops >= options.raised_top * height) & (y1 - y0 <= options.raised_height * height)
    if raised.any():
        # The dots of an i and the accents stand above their letters.
        first, second = pairs_within(boxes)
        dot, below = np.append(first, second), np.append(second, first)
        over = raised[dot] & (line[dot] == line[below]) & (y0[below] >= (y0[dot] + y1[dot]) / 2)
        over &= shared(boxes, dot, below, axis=0) >= options.over_letter * (x1 - x0)[dot]
        raised[dot[over]] = False
    capital[raised] = height[raised]
    return capital
