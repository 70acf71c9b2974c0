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

_DASHES = "-–—_"
_LOW = frozenset("acemnorsuvwxz")  # no part of them stands above an x
_TALL = frozenset("bdfhklt") | frozenset("ABCDEFGHIJKLMNOPRSTUVWXYZ0123456789")
_BELOW = frozenset("gjpqy,;()[]{}/|@$_JQ")


@options_class
class ShapeOptions:
    """When a reading is put right by its size.

    Attributes:
        en_dash, em_dash: width over the height of its line's capitals, from which on a lone dash is that.
        small_letter: of the height of its line's capitals; words of letters without ascenders that are no higher are
            not in capitals.
    """

    en_dash: float = 0.47
    em_dash: float = 1.0
    small_letter: float = 0.87


def by_shape(rows: Sequence[Sequence[Piece]], options: ShapeOptions) -> list[list[Piece]]:
    """The rows with dashes named by their length, and letters of doubtful case by their height."""
    usual = _capital_height([piece for row in rows for piece in row])
    if not usual:
        return [list(row) for row in rows]
    return [_row(row, _capital_height(row) or usual, options) for row in rows]


def _row(row: Sequence[Piece], capital_px: float, options: ShapeOptions) -> list[Piece]:
    read = []
    for piece in row:
        text, (x0, y0, x1, y1) = piece.guess.text, piece.place
        if len(text) == 1 and text in _DASHES:
            length = (x1 - x0) / capital_px
            text = "—" if length >= options.em_dash else "–" if length >= options.en_dash else "-"
        elif y1 - y0 <= options.small_letter * capital_px and any(map(str.isupper, text)) and _may_be_low(text):
            text = text.lower()
        read.append(piece if text == piece.guess.text else replace(piece, guess=replace(piece.guess, text=text)))
    return read


def _may_be_low(text: str) -> bool:
    letters = {c for c in text.lower() if c not in ".,-–"}
    return bool(letters) and letters <= _LOW


def _capital_height(pieces: Sequence[Piece]) -> float:
    """Median height in px of the words with a part as tall as a capital and none below the line; 0 without any."""
    heights = [
        float(piece.place[3] - piece.place[1])
        for piece in pieces
        if len(piece.guess.text) > 1 and _TALL & set(piece.guess.text) and not _BELOW & set(piece.guess.text)
    ]
    return float(np.median(heights)) if heights else 0.0
