"""Straight or curled apostrophes and quotation marks: a page has one kind, and its marks tell it together.

One mark is a handful of pixels, and the recogniser, which sees a word at a time, takes many a curled apostrophe for a
straight one; double marks, which are larger, are read more surely. The ink of many marks tells it better: a straight
one stands upright, and a curled one bends, so that its ink moves sideways from its top to its foot.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from ocrkit.alphabet import curled
from ocrkit.document import Image
from ocrkit.documents.joins import Piece
from ocrkit.options import options_class

_MARKS = "'\"’‘“”"
_STROKES = {mark: 1 + (mark in '"“”') for mark in _MARKS}
_TO_STRAIGHT = str.maketrans("’‘“”", "''\"\"")
_ENDS = {"'": "’", '"': "”"}  # what straight marks are taken for at a word's end
_QUOTED = re.compile(r"(?P<first>['\"])[^'\"’”]*(?P<last>[’”])[.,;:?!]?")
_FAINT = 0.25  # of the ink of a mark; what is fainter is blur


@options_class
class QuoteOptions:
    """When all of a page's marks are taken for curled ones, or for straight ones.

    Attributes:
        measured: marks whose ink is looked at, from and to.
        least_px: height of a mark, below which its form is not seen.
        height: of a mark, multiples of its line's capitals, from and to; what is higher is a letter.
        bend: of its height, by which the ink of a mark moves sideways that may be of either kind; the median counts.
        bend_spread: what more or less of it counts e times as much for curled or for straight marks.
        bend_odds: what it counts at most; natural logarithm, as all odds here.
        upright: of its height, by which the ink of a straight mark moves sideways, at most.
        mixed: of a page's marks, that stand upright; between these shares it has both kinds, and stays as it is read,
        mixed_apart: if the others bend by so much more, as shares of their height, in the mean; marks that are all
            near the edge between the kinds are of one.
        single: odds that the page has curled marks of an apostrophe read as curled, and of one read as straight, as
            most curled ones are.
        double: the same of quotation marks.
        sure: odds from which on all marks are of one kind.
    """

    measured: tuple[int, int] = (2, 60)
    least_px: float = 3.5
    height: tuple[float, float] = (0.2, 0.46)
    bend: float = 0.028
    bend_spread: float = 0.0025
    bend_odds: float = 4.0
    upright: float = 0.018
    mixed: tuple[float, float] = (0.3, 0.7)
    mixed_apart: float = 0.03
    single: tuple[float, float] = (1.8, -0.1)
    double: tuple[float, float] = (3.3, -1.4)
    sure: float = 2.0


def with_quotes(rows: Sequence[Sequence[Piece]], options: QuoteOptions) -> list[list[Piece]]:
    """The rows with curled marks throughout where the page has these, or straight ones; otherwise as they were read."""
    texts = [piece.guess.text for row in rows for piece in row]
    if not any(sign in text for text in texts for sign in _MARKS):
        return [list(row) for row in rows]
    bends = _bends(rows, options)
    odds = _odds(texts, options)
    way = _curled if odds >= options.sure else None
    if len(bends) >= options.measured[0]:
        bend = float(np.median(bends))
        odds += float(np.clip((bend - options.bend) / options.bend_spread, -options.bend_odds, options.bend_odds))
        told = abs(odds) >= options.sure and not _are_mixed(bends, options)
        way = (_curled if odds > 0 else _straight) if told else None
    way = way or _paired
    return [[replace(p, guess=replace(p.guess, text=way(p.guess.text))) for p in row] for row in rows]


def _are_mixed(bends: np.ndarray, options: QuoteOptions) -> bool:
    upright = bends <= options.upright
    if not options.mixed[0] < upright.mean() < options.mixed[1]:
        return False
    return bool(bends[~upright].mean() - bends[upright].mean() >= options.mixed_apart)


def _odds(texts: Sequence[str], options: QuoteOptions) -> float:
    """Logarithm of the odds that a page has curled marks, as far as they are read; feet and inches tell nothing."""
    single, double = "'’‘", '"“”'
    odds = 0.0
    for before, sign in (pair for text in texts for pair in pairwise(f" {text}")):
        for signs, (curled_odds, straight_odds) in ((single, options.single), (double, options.double)):
            if sign in signs and not before.isdigit():
                odds += straight_odds if sign == signs[0] else curled_odds
    return odds


def _bends(rows: Sequence[Sequence[Piece]], options: QuoteOptions) -> np.ndarray:
    """How far the ink of each raised mark moves sideways, as a share of its height, `(N,)`."""
    found: list[float] = []
    for piece in (piece for row in rows for piece in row):
        strokes = sum(_STROKES.get(character, 0) for character in piece.guess.text)
        # More raised parts than its marks have strokes are of broken letters.
        if piece.parts is None or not 0 < piece.parts.raised.sum() <= strokes:
            continue
        left, top = piece.left, (piece.box[1] + piece.box[3] - len(piece.crop)) / 2
        for x0, y0, x1, y1 in piece.parts.boxes[piece.parts.raised]:
            share = (y1 - y0) / piece.parts.capital
            clear = y1 - y0 >= options.least_px and x1 - x0 <= 1.2 * (y1 - y0)
            if clear and options.height[0] <= share <= options.height[1]:
                start = max(0, round(x0 - left) - 1)
                bend = _bend(piece.crop[max(0, round(y0 - top)) : round(y1 - top), start : round(x1 - left) + 1])
                found += [] if bend is None else [bend]
                if len(found) == options.measured[1]:
                    return np.array(found)
    return np.array(found)


def _bend(mark: Image) -> float | None:
    """Standard deviation of the middles of a mark's rows, weighed by their ink, as a share of its height."""
    if len(mark) < 4 or mark.shape[1] < 3:
        return None
    darker = mark.max() - mark.astype(float)
    ink = darker if np.median(mark[:, [0, -1]]) > mark.mean() else darker.max() - darker
    ink[ink < _FAINT * ink.max()] = 0
    weight = ink.sum(1)
    if not weight.any():
        return None
    middle = ink @ np.arange(ink.shape[1]) / np.maximum(weight, 1e-9)
    mean = np.average(middle, weights=weight)
    return float(np.sqrt(np.average((middle - mean) ** 2, weights=weight))) / len(mark)


def _paired(text: str) -> str:
    """The text with the mark that ends it of the kind of the one that begins it, which is told more surely."""
    ended = _QUOTED.fullmatch(text)
    if ended is None or ended["first"] not in _ENDS or ended["last"] not in _ENDS[ended["first"]]:
        return text
    return text[: ended.start("last")] + ended["first"] + text[ended.end("last") :]


def _straight(text: str) -> str:
    return text.translate(_TO_STRAIGHT)


def _curled(text: str) -> str:
    """The text with curled marks; what stands behind a digit may be feet and inches."""
    behind = [" ", *text]
    return "".join(
        old if before.isdigit() and old in "'\"" else new for before, old, new in zip(behind, text, curled(text))
    )
