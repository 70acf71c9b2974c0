"""What the cells of a typewriter's or a program's line tell of a word in it: that it has no blank, and its length."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ocrkit.documents.joins import Piece

_UNDERSCORES = re.compile("_+")
_MOST = 4  # underscores more than were read, for each row of them; farther off, the length is not what it seems


def in_cells(rows: Sequence[Sequence[Piece]]) -> list[list[Piece]]:
    """The rows, words whose characters stand in cells without blanks and with as many underscores as they have room."""
    return [[_with_underscores(_solid(piece)) if piece.pitch else piece for piece in row] for row in rows]


def _solid(piece: Piece) -> Piece:
    guess = piece.guess
    kept = [i for i, character in enumerate(guess.text) if character != " "]
    if len(kept) == len(guess.text):
        return piece
    return replace(piece, guess=replace(guess, text=guess.text.replace(" ", ""), spans=guess.spans[kept]))


def _with_underscores(piece: Piece) -> Piece:
    """The piece with underscores that touch, and were read as one, each in its cell."""
    guess = piece.guess
    found = list(_UNDERSCORES.finditer(guess.text))
    left, _, right, _ = piece.place
    missing = round((right - left) / piece.pitch) - len(guess.text)
    if not found or missing <= 0 or missing % len(found) or missing > _MOST * len(found):
        return piece
    text = _UNDERSCORES.sub(lambda run: run[0] + "_" * (missing // len(found)), guess.text)
    edges = np.linspace(left, right, len(text) + 1) - piece.left
    return replace(piece, guess=replace(guess, text=text, spans=np.stack([edges[:-1], edges[1:]], axis=1)))
