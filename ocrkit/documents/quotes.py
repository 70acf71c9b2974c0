"""Straight or curled apostrophes and quotation marks: a page has one kind, and its marks tell it together.

One mark is a handful of pixels, and the recogniser, which sees a word at a time, takes many a curled apostrophe for a
straight one; double marks, which are larger, are read more surely.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from ocrkit.alphabet import curled
from ocrkit.documents.joins import Piece
from ocrkit.options import options_class


@options_class
class QuoteOptions:
    """When all of a page's marks are taken for curled ones.

    Attributes:
        fewest: marks read as curled, at least.
        double: share of the quotation marks read as curled, from which on all marks are.
        single: the same of the apostrophes between letters; fewer of them are read right.
    """

    fewest: int = 2
    double: float = 0.55
    single: float = 0.25


def with_quotes(rows: Sequence[Sequence[Piece]], options: QuoteOptions) -> list[list[Piece]]:
    """The rows with curled marks throughout where the page has these; otherwise as they were read."""
    texts = [piece.guess.text for row in rows for piece in row]
    double = [sign in "“”" for text in texts for sign in text if sign in '“”"']
    single = [
        sign == "’"
        for text in texts
        for (before, sign), (_, after) in pairwise(pairwise(text))
        if sign in "'’" and before.isalpha() and after.isalpha()
    ]
    by_double = sum(double) > options.double * len(double)
    by_single = sum(single) >= options.single * max(1, len(single))
    if sum(double) + sum(single) < options.fewest or not (by_double or by_single):
        return [list(row) for row in rows]
    return [[replace(p, guess=replace(p.guess, text=_curled(p.guess.text))) for p in row] for row in rows]


def _curled(text: str) -> str:
    """The text with curled marks; what stands behind a digit may be feet and inches."""
    behind = [" ", *text]
    return "".join(
        old if before.isdigit() and old in "'\"" else new for before, old, new in zip(behind, text, curled(text))
    )
