"""How far apart a page sets its full stops: what tells three of them from the one sign of an ellipsis.

Faces differ so much that the pitch of three points alone hardly tells: what is wide in one is narrow in another. But a
number's point stands between two figures, and is as wide as these are farther apart than two without one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ocrkit.documents.ink import ink_of, runs
from ocrkit.documents.joins import Piece

_FIGURES = frozenset("023456789")  # a one's ink stands anywhere in its place
_NOTHING, _POINT, _OTHER = "", ".", ","
_KINDS = {"": _NOTHING, ".": _POINT, ",": _OTHER, ":": _OTHER}  # the others are as wide as points in most faces
_ENOUGH = 2  # points, with which the others are not asked


class FullStops(NamedTuple):
    """How far one full stop is from the next where several stand in a row, in px and in heights of capitals."""

    px: float
    capitals: float

    def beside(self, pitch_px: float, capital_px: float) -> float:
        """Their step in px on a line whose capitals are `capital_px` high, where points have `pitch_px`.

        A row's capitals may be mismeasured, and px are of one size of print: what is nearer to the pitch is believed.
        """
        return min(self.px, self.capitals * capital_px, key=lambda step: abs(math.log(pitch_px / step)))


def full_stops(rows: Sequence[Sequence[Piece]], capitals: Sequence[float]) -> FullStops | None:
    """The page's, as its numbers outside a typewriter's cells tell; `None` where these do not.

    Args:
        rows: of its words.
        capitals: px; the height of each row's.
    """
    steps: dict[str, list[tuple[float, float]]] = {_NOTHING: [], _POINT: [], _OTHER: []}
    for row, capital in zip(rows, capitals):
        for piece in row:
            for mark, px in _steps(piece):
                steps[mark].append((px, px / capital))
    over = steps[_POINT] if len(steps[_POINT]) >= _ENOUGH else steps[_POINT] + steps[_OTHER]
    if not over or not steps[_NOTHING]:
        return None
    px, of_capitals = np.median(over, axis=0) - np.median(steps[_NOTHING], axis=0)
    return FullStops(float(px), float(of_capitals)) if min(px, of_capitals) > 0 else None


def _steps(piece: Piece) -> Iterator[tuple[str, float]]:
    """From the middle of each figure to that of the next, px, and what kind of mark is between them."""
    text = piece.guess.text
    if piece.pitch or sum(character in _FIGURES for character in text) < 2:
        return
    starts, ends = runs(ink_of(piece))
    if len(starts) != len(text):
        return
    middles = (starts + ends) / 2
    figures = [i for i, character in enumerate(text) if character.isdigit()]
    for before, behind in pairwise(figures):
        between = text[before + 1 : behind]
        kind = _KINDS.get(between)
        if kind is not None and text[before] in _FIGURES and text[behind] in _FIGURES:
            yield kind, float(middles[behind] - middles[before])
