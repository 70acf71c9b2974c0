"""What a crop cannot tell and its line can: how long a dash is, and whether an `o` is a capital.

The recogniser sees every word at one height. Beside the other words of its line a dash shows its length, and letters
that are alike in both cases show theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ocrkit.documents.joins import Piece
from ocrkit.options import options_class

_DASHES = "-–—"
_LOW = frozenset("acemnorsuvwxz")  # no part of them stands above an x
_ALIKE = frozenset("COSUVWXZ")  # but for their height
_TALL = frozenset("bdfhklt") | frozenset("ABCDEFGHIJKLMNOPRSTUVWXYZ0123456789")
_BELOW = frozenset("gjpqy,;()[]{}/|@$_JQ")


@options_class
class ShapeOptions:
    """When a reading is put right by its size.

    Attributes:
        hyphen, en_dash, em_dash: width over the height of its line's capitals, up to or from which on a dash that
            stands alone is that; en dashes only on a page that has hyphens, too, as a typewriter's hyphen is as long.
        small_letter: of the height of its line's capitals; words of letters without ascenders that are no higher are
            not in capitals.
    """

    hyphen: float = 0.44
    en_dash: float = 0.47
    em_dash: float = 1.0
    small_letter: float = 0.87


def by_shape(rows: Sequence[Sequence[Piece]], options: ShapeOptions) -> list[list[Piece]]:
    """The rows with dashes named by their length, and letters of doubtful case by their height."""
    usual = _capital_height([piece for row in rows for piece in row])
    if not usual:
        return [list(row) for row in rows]
    capitals = [_capital_height(row) or usual for row in rows]
    has_hyphens = any(
        _is_dash(piece) and _width(piece) <= options.hyphen * capital
        for row, capital in zip(rows, capitals)
        for piece in row
    )
    return [[_named(piece, capital, has_hyphens, options) for piece in row] for row, capital in zip(rows, capitals)]


def _named(piece: Piece, capital_px: float, has_hyphens: bool, options: ShapeOptions) -> Piece:
    text = piece.guess.text
    if _is_dash(piece):
        length = _width(piece) / capital_px
        text = "—" if length >= options.em_dash else "–" if has_hyphens and length >= options.en_dash else "-"
    elif float(piece.place[3] - piece.place[1]) <= options.small_letter * capital_px and _may_be_low(text):
        text = text.lower()
    return piece if text == piece.guess.text else replace(piece, guess=replace(piece.guess, text=text))


def _is_dash(piece: Piece) -> bool:
    return len(piece.guess.text) == 1 and piece.guess.text in _DASHES


def _width(piece: Piece) -> float:
    return float(piece.place[2] - piece.place[0])


def _may_be_low(text: str) -> bool:
    letters = set(text) - set(".,-–")
    capitals = {letter for letter in letters if letter.isupper()}
    return bool(capitals) and capitals <= _ALIKE and {letter.lower() for letter in letters} <= _LOW


def _capital_height(pieces: Sequence[Piece]) -> float:
    """Median height in px of the words with a part as tall as a capital and none below the line; 0 without any."""
    heights = [
        float(piece.place[3] - piece.place[1])
        for piece in pieces
        if len(piece.guess.text) > 1 and _TALL & set(piece.guess.text) and not _BELOW & set(piece.guess.text)
    ]
    return float(np.median(heights)) if heights else 0.0
