"""Straight or curled apostrophes and quotation marks: a page has one kind, and its marks tell it together.

One mark is a handful of pixels, and the recogniser, which sees a word at a time, takes many a curled apostrophe for a
straight one; double marks, which are larger, are read more surely. Two things tell the kind: which share of the marks
is read as curled, and how far the ink of the page's typical mark moves sideways from its top to its foot. A typical
mark has, at every height, the median of all: what noise does to each of them is not in it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
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
_LOW = "„"  # opens a quotation in German and other languages, which “ closes, or ”
_OPENING = re.compile(r"[\W_]*?([„“])[\W_]*\w")
_CLOSING = re.compile(r"(?<=[^\s\d])[\"“”](?=[\W_]*$)")
_QUOTED = re.compile(r"(?P<first>['\"])[^'\"’”]*(?P<last>[’”])[.,;:?!]?")
_FAINT = 0.25  # of the ink of a mark; what is fainter is blur
_THIN = 0.15  # of a mark's widest row; what has less is its blurred end
_STEPS = 8
_AT_FIRST = 2  # marks read as either kind before any is seen, so that the first few tell little


@options_class
class QuoteOptions:
    """When all of a page's marks are taken for curled ones, or for straight ones.

    All odds are natural logarithms, for curled marks: a logistic regression over 422 pages that count alike, of which
    136 are of those that `ocrkit benchmark print` tunes on, and the others in other typefaces, a browser's and PDFs'.

    Attributes:
        measured: marks whose ink is looked at, at most.
        least_px: height of a mark, below which its form is not seen.
        height: of a mark, multiples of its line's capitals, from and to; what is higher is a letter.
        bend: of its height, by which the ink of a mark that may be of either kind moves sideways.
        bend_range: what more and what less counts no more than these, shares of a mark's height.
        bend_odds: of a mark that bends e times as much.
        single: of e times as many apostrophes that are read as curled as are read as straight.
        double: of e times as many quotation marks.
        sure: odds from which on all marks are of one kind.
        mixed: of a page's marks, that are read as straight, and that bend less than the others; between these shares
            it may have both kinds, as of prose and of programs, and stays as it is read,
        mixed_apart: if nowhere else among their bends is so wide a gap, a share of the range of these.
        mixed_marks: at least; the bends of fewer are apart by chance.
        low_share: of a page's other quotation marks, that there are low ones, at least, where these open quotations.
    """

    measured: int = 60
    least_px: float = 3.5
    height: tuple[float, float] = (0.2, 0.46)
    bend: float = 0.018
    bend_range: tuple[float, float] = (0.004, 0.1)
    bend_odds: float = 1.2
    single: float = 1.9
    double: float = 2.4
    sure: float = 0.6
    mixed: tuple[float, float] = (0.3, 0.7)
    mixed_apart: float = 0.28
    mixed_marks: int = 8
    low_share: float = 0.25


def with_quotes(rows: Sequence[Sequence[Piece]], options: QuoteOptions) -> list[list[Piece]]:
    """The rows with curled marks throughout where the page has these, or straight ones; otherwise as they were read.

    Where low marks open quotations („so“), all others are curled, and what closes these is of the kind that most are.
    """
    texts = [piece.guess.text for row in rows for piece in row]
    if not any(sign in text for text in texts for sign in _MARKS):
        return [list(row) for row in rows]
    paths = _paths(rows, options)
    # What stands behind a digit may be feet and inches, which tells nothing.
    signs = "".join(sign for text in texts for before, sign in pairwise(f" {text}") if not before.isdigit())
    odds = _odds_of_readings(signs, options) + _odds_of_ink(paths, options)
    told = abs(odds) >= options.sure and not _are_mixed(signs, paths, options)
    way = _paired if not told else _curled if odds > 0 else _straight
    named = iter(_closed(texts) if _open_low(signs, options) else map(way, texts))
    return [[_renamed(piece, next(named)) for piece in row] for row in rows]


def _renamed(piece: Piece, text: str) -> Piece:
    return piece if text == piece.guess.text else replace(piece, guess=replace(piece.guess, text=text))


def _open_low(signs: str, options: QuoteOptions) -> bool:
    """Whether low marks among a page's `signs` open its quotations: a few among many others are misread."""
    low, double = signs.count(_LOW), sum(map(signs.count, '"“”'))
    return low > 0 and low >= options.low_share * double


def _odds_of_readings(signs: str, options: QuoteOptions) -> float:
    """By how many marks among a page's `signs` are read as either; few marks tell little."""
    odds = 0.0
    for kinds, worth in (("'’‘", options.single), ('"“”', options.double)):
        straight, *curls = map(signs.count, kinds)
        odds += worth * math.log((sum(curls) + _AT_FIRST) / (straight + _AT_FIRST))
    return odds


def _are_mixed(signs: str, paths: np.ndarray, options: QuoteOptions) -> bool:
    """Whether marks of both kinds are among a page's `signs`, and those that bend stand clear of those that do not."""
    marks = [sign for sign in signs if sign in _MARKS]
    least, most = options.mixed
    straight = sum(mark in "'\"" for mark in marks)
    if len(paths) < options.mixed_marks or not least * len(marks) <= straight <= most * len(marks):
        return False
    bends = paths.std(1)
    order = np.argsort(bends)
    first, last = math.ceil(least * len(bends)), math.floor(most * len(bends))
    gaps = np.diff(bends[order])[first - 1 : last]
    apart = first + int(gaps.argmax())
    clear = gaps.max() >= options.mixed_apart * np.ptp(bends)
    upright, bent = (_odds_of_ink(paths[part], options) for part in (order[:apart], order[apart:]))
    return bool(clear and upright < 0 < bent)


def _odds_of_ink(paths: np.ndarray, options: QuoteOptions) -> float:
    if not len(paths):
        return 0.0
    bend = float(np.clip(np.median(paths, 0).std(), *options.bend_range))
    return options.bend_odds * math.log(bend / options.bend)


def _paths(rows: Sequence[Sequence[Piece]], options: QuoteOptions) -> np.ndarray:
    """Where the ink of each raised mark goes from its top to its foot, `(N, _STEPS)`, as a share of its height."""
    found: list[np.ndarray] = []
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
                path = _path(piece.crop[max(0, round(y0 - top)) : round(y1 - top), start : round(x1 - left) + 1])
                found += [] if path is None else [path]
                if len(found) == options.measured:
                    return np.array(found)
    return np.array(found)


def _path(mark: Image) -> np.ndarray | None:
    """The middles of a mark's ink at `_STEPS` heights, about their mean, as shares of its height."""
    if len(mark) < 4 or mark.shape[1] < 3:
        return None
    darker = mark.max() - mark.astype(float)
    ink = darker if np.median(mark[:, [0, -1]]) > mark.mean() else darker.max() - darker
    ink[ink < _FAINT * ink.max()] = 0
    weight = ink.sum(1)
    rows = np.flatnonzero(weight > _THIN * weight.max())
    if len(rows) < 3:
        return None
    middles = ink[rows] @ np.arange(ink.shape[1]) / weight[rows]
    path = np.interp(np.linspace(rows[0], rows[-1], _STEPS), rows, middles)
    return (path - path.mean()) / len(mark)


def _paired(text: str) -> str:
    """The text with the mark that ends it of the kind of the one that begins it, which is told more surely."""
    ended = _QUOTED.fullmatch(text)
    if ended is None or ended["first"] not in _ENDS or ended["last"] not in _ENDS[ended["first"]]:
        return text
    return text[: ended.start("last")] + ended["first"] + text[ended.end("last") :]


def _closed(texts: Sequence[str]) -> list[str]:
    """The texts with curled marks: what closes a quotation is ” where a raised mark opened it, or else as most are."""
    low, opened = [], _LOW
    for text in texts:
        opening = _OPENING.match(_curled(text))
        opened = opening[1] if opening else opened
        low.append(opened == _LOW)
        opened = _LOW if _CLOSING.search(text) else opened
    closing = Counter(mark for text, is_low in zip(texts, low) if is_low for mark in _CLOSING.findall(text))
    usual = max("“”", key=closing.__getitem__)
    return [_CLOSING.sub(usual if is_low else "”", _curled(text)) for text, is_low in zip(texts, low)]


def _straight(text: str) -> str:
    return text.translate(_TO_STRAIGHT)


def _curled(text: str) -> str:
    """The text with curled marks; what stands behind a digit may be feet and inches."""
    behind = [" ", *text]
    return "".join(
        old if before.isdigit() and old in "'\"" else new for before, old, new in zip(behind, text, curled(text))
    )
