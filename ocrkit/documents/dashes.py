"""Hyphens, en dashes and em dashes: what each of a page's dashes is, told by the lengths of all of them.

The recogniser sees a word at a time, at one height, and knows little of how long its dash is. Faces differ: the em dash
of one is as long as the en dash of another. So the lengths of a page's dashes are parted into up to three groups, the
likeliest ones: by where each dash stands and what it was read as, by how alike those of one group are, and by how long
the three kinds are in most typefaces.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations
from statistics import median
from typing import NamedTuple

import numpy as np

from ocrkit.documents.ink import contrast_of, filled_rows, ink_of, reach_of, runs, runs_of
from ocrkit.documents.joins import Piece
from ocrkit.options import options_class

DASHES = "-–—"
_TIMES_OR_YEARS = re.compile(r"\W*(?:(\d?\d:\d\d)[-–—]\d?\d:\d\d|(?:1\d|20)\d\d[-–—](?:1\d|20)\d\d)\W*")
_WHOLE = re.compile(r"\d[.,][-–—]+\*?$")  # a sum without pence
_MOST_EDGES = 24  # between lengths, of which any two may part the kinds
_SUM = re.compile(r"[$£€]?[.,]?\d")  # behind its minus
_GIVEN = re.compile(r"\\[^\W\d_]{2,}[^{]*\{")  # a command of TeX and the brace of what it is given

# Means and covariances of the natural logarithms of the lengths of the three, in heights of capitals: of 252 faces,
# and of 33 of one width.
_FACES = (
    (np.array([-0.93, -0.42, 0.11]), np.array([[36, 12, 2], [12, 28, 22], [2, 22, 45]]) / 1000),
    (np.array([-0.65, -0.41, -0.17]), np.array([[36, 10, 2], [10, 14, 7], [2, 7, 18]]) / 1000),
)
# How many of a hundred dashes that are read as either of the three, at each kind of place, are a hyphen, an en dash and
# an em dash.
_ODDS = {
    "letters": ((96, 1, 3), (5, 15, 80), (1, 4, 95)),
    "figures": ((60, 38, 2), (10, 88, 2), (10, 60, 30)),
    "range": ((25, 73, 2), (5, 93, 2), (5, 65, 30)),
    "date": ((95, 4, 1), (60, 39, 1), (50, 40, 10)),
    "whole": ((20, 70, 10), (5, 85, 10), (5, 65, 30)),
    "mark": ((15, 10, 75), (5, 15, 80), (1, 4, 95)),
    "alone": ((40, 35, 25), (8, 50, 42), (3, 17, 80)),
    "end": ((50, 5, 45), (10, 20, 70), (2, 8, 90)),
    "other": ((60, 10, 30), (10, 40, 50), (2, 8, 90)),
}
# The same of a typewriter's, whose hyphen often stands for all.
_TYPED_ODDS = _ODDS | {
    "figures": ((85, 13, 2), (30, 68, 2), (20, 60, 20)),
    "range": ((70, 28, 2), (20, 78, 2), (10, 70, 20)),
    "alone": ((70, 15, 15), (30, 35, 35), (10, 20, 70)),
    "mark": ((40, 10, 50), (20, 20, 60), (2, 8, 90)),
}


@options_class
class DashOptions:
    """What is a dash, and how far apart the lengths of equal ones may be.

    Attributes:
        height: of its line's capitals, at most.
        top: of its word's height, from the top down, where a dash inside it begins, at least.
        length: of its line's capitals, at least; shorter ones are kept as they are read.
        spread: of equal dashes' lengths, a standard deviation of their logarithms.
        spread_px: the same of each, px, as pixels round it and blur moves it.
        most: by what one of another length lessens a group's likelihood, a logarithm, at most: capitals may be
            mismeasured.
    """

    height: float = 0.22
    top: float = 0.25
    length: float = 0.15
    spread: float = 0.09
    spread_px: float = 0.8
    most: float = 3.0


class _Dash(NamedTuple):
    """A dash: its piece, the numbers of the characters that it was read as, its length in px and in capitals."""

    piece: Piece
    own: tuple[int, ...]
    px: float
    length: float


def is_dash(piece: Piece) -> bool:
    """Whether the piece is read as one hyphen or dash alone."""
    return len(piece.guess.text) == 1 and piece.guess.text in DASHES


def with_dashes(
    rows: Sequence[Sequence[Piece]], capitals: Sequence[float], is_typewritten: bool, options: DashOptions
) -> list[list[Piece]]:
    """The rows, each dash named by its length among those of the page; those in cells apart, as in another face."""
    found = [dash for row, capital in zip(rows, capitals) for piece in row for dash in _dashes(piece, capital, options)]
    kinds: dict[Piece, list[tuple[_Dash, str]]] = {}
    for typed in (False, True):
        group = [dash for dash in found if (is_typewritten or bool(dash.piece.pitch)) == typed]
        for dash, kind in zip(group, _kinds(group, typed, options)):
            kinds.setdefault(dash.piece, []).append((dash, kind))
    return [[_named(piece, kinds[piece]) if piece in kinds else piece for piece in row] for row in rows]


def _named(piece: Piece, dashes: Sequence[tuple[_Dash, str]]) -> Piece:
    guess = piece.guess
    text, kept = list(guess.text), np.ones(len(guess.text), bool)
    for dash, kind in dashes:
        if kind == "-" and len(dash.own) > 1:
            continue
        text[dash.own[0]], kept[list(dash.own[1:])] = kind, False
    found = "".join(character for character, is_kept in zip(text, kept) if is_kept)
    return piece if found == guess.text else replace(piece, guess=replace(guess, text=found, spans=guess.spans[kept]))


def _dashes(piece: Piece, capital_px: float, options: DashOptions) -> list[_Dash]:
    """The dash that a piece is, or those of its word that are ink of their own."""
    guess = piece.guess
    if is_dash(piece):
        px = float(piece.place[2] - piece.place[0])
        return [_Dash(piece, (0,), px, px / capital_px)] if px >= options.length * capital_px else []
    if len(guess.spans) != len(guess.text) or not any(character in DASHES for character in guess.text):
        return []
    ink, contrast = ink_of(piece), contrast_of(piece)
    starts, ends = runs(ink)
    if len(starts) < 2:
        return []
    run, found = np.maximum(runs_of(guess, starts), 0), []
    for k in np.unique(run[[character in DASHES for character in guess.text]]).tolist():
        own = tuple(np.flatnonzero(run == k).tolist())
        rows = filled_rows(ink, starts[k], ends[k])
        px = reach_of(contrast, rows, starts, ends, k)
        thin = len(rows) <= options.height * capital_px and rows[0] > options.top * len(ink)
        other = any(guess.text[i] not in DASHES for i in own) or _is_programs(guess.text, own[0])
        if thin and not other and px >= options.length * capital_px:
            found.append(_Dash(piece, own, px, px / capital_px))
    return found


def _is_programs(text: str, place: int) -> bool:
    """Whether the dash at `place` is a program's.

    It is part of an arrow (`->`, `<-`), begins an option of one or two characters, or is in what a command is given.
    """
    arrow = text[place + 1 : place + 2] == ">" or text[:place].endswith("<")
    given = _GIVEN.search(text) is not None
    return arrow or given or (place == 0 and 2 <= len(text) <= 3 and text[1].isalpha())


def _place(dash: _Dash) -> str:
    """What kind of place it stands in, one of those that `_ODDS` has."""
    text, (first, *_, last) = dash.piece.guess.text, (dash.own[0], dash.own[-1])
    before, behind = text[:first][-1:], text[last + 1 :][:1]
    if len(text) == len(dash.own):
        return "alone"
    if before.isdigit() and behind.isdigit():
        several = sum(character in DASHES for character in text) > len(dash.own)
        return "date" if several else "range" if _TIMES_OR_YEARS.fullmatch(text) else "figures"
    if before in "([" and _SUM.match(text, last + 1):  # or at the beginning
        return "figures"
    if before.isalpha() and (behind.isalpha() or not behind):
        return "letters" if behind else "end"
    if _WHOLE.search(text):
        return "whole"
    return "mark" if before and not before.isalnum() and before not in "([" else "other"


def _kinds(dashes: Sequence[_Dash], is_typed: bool, options: DashOptions) -> list[str]:
    """The likeliest kind of each.

    Their logarithms in order are parted in two places, of those where the gaps are widest; groups may be empty.
    """
    if not dashes:
        return []
    lengths, px = np.log([dash.length for dash in dashes]), np.array([dash.px for dash in dashes])
    order = np.argsort(lengths, kind="stable")
    lengths, pixels, spread = lengths[order], np.log(px[order]), np.hypot(options.spread, options.spread_px / px[order])
    odds = _TYPED_ODDS if is_typed else _ODDS
    # A run of ink that was read as two is long.
    read = [DASHES.index(dash.piece.guess.text[dash.own[0]]) if len(dash.own) == 1 else 2 for dash in dashes]
    shares = np.log(np.array([odds[_place(dash)][kind] for dash, kind in zip(dashes, read)])[order] / 100)
    sums = np.concatenate([np.zeros((1, 3)), shares.cumsum(0)])
    gaps = np.diff(lengths)
    widest = np.sort(np.argsort(-gaps, kind="stable")[:_MOST_EDGES])
    edges = [0, *(widest[gaps[widest] > 0] + 1).tolist(), len(lengths)]

    @cache
    def alike(start: int, end: int) -> tuple[float, float]:
        """The typical length of a group, and how likely its lengths are of one that is near it."""
        typical, own = median(lengths[start:end].tolist()), spread[start:end]
        # In px, too: a row's capitals may be measured too low.
        off = [np.abs(each[start:end] - median(each[start:end].tolist())) for each in (lengths, pixels)]
        nearness = np.minimum((np.minimum(*off) / own) ** 2 / 2, options.most).sum()
        return typical, float(np.log(own.mean() * np.sqrt(2 * np.pi / (end - start))) - nearness)

    def likelihood(first: int, second: int) -> float:
        """Of the partition into hyphens, en dashes from `first` on and em dashes from `second` on."""
        bounds = ((0, first), (first, second), (second, len(lengths)))
        groups = [(kind, *alike(start, end)) for kind, (start, end) in enumerate(bounds) if end > start]
        fits = sum(sums[end, kind] - sums[start, kind] for kind, (start, end) in enumerate(bounds))
        fits += sum(likeness for _, _, likeness in groups)
        present = tuple(kind for kind, _, _ in groups)
        mean, inverse, constant = _faces(is_typed)[present]
        off = np.array([typical for _, typical, _ in groups]) - mean
        return float(fits + constant - off @ inverse @ off / 2)

    partitions = ((first, second) for i, first in enumerate(edges) for second in edges[i:])
    first, second = max(partitions, key=lambda parts: likelihood(*parts))
    kinds = [""] * len(dashes)
    for place, which in enumerate(order.tolist()):
        kinds[which] = DASHES[(place >= first) + (place >= second)]
    return kinds


@cache
def _faces(is_typed: bool) -> dict[tuple[int, ...], tuple[np.ndarray, np.ndarray, float]]:
    """Mean, inverse covariance and constant of the density of the lengths of faces, by which kinds are there."""
    mean, covariance = _FACES[is_typed]
    found = {}
    for present in (kinds for number in (1, 2, 3) for kinds in combinations(range(3), number)):
        part = covariance[np.ix_(present, present)]
        constant = -float(np.linalg.slogdet(2 * np.pi * part)[1]) / 2
        found[present] = mean[list(present)], np.linalg.inv(part), constant
    return found
