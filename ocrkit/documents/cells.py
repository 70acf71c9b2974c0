"""What the cells of a typewriter's or a program's line tell of a word in it: that it has no blank, and its length."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ocrkit.documents.joins import Piece

_STROKES = re.compile(r"_+|(?<=\w)-+|-+(?=\w)")
_HYPHENS = str.maketrans("–—", "--")
_SLIM = frozenset(".,:;'!|()[]{}")
_SLIM_BLANK, _BLANK = 0.3, 0.08  # of a cell beside such a character at a word's end, and beside another


def in_cells(rows: Sequence[Sequence[Piece]]) -> list[list[Piece]]:
    """The rows, words in cells without blanks, and with hyphens and underscores only, as many as they have room for."""
    return [[_with_strokes(_with_hyphens(_solid(piece))) if piece.pitch else piece for piece in row] for row in rows]


def _solid(piece: Piece) -> Piece:
    guess = piece.guess
    kept = [i for i, character in enumerate(guess.text) if character != " "]
    if len(kept) == len(guess.text):
        return piece
    return replace(piece, guess=replace(guess, text=guess.text.replace(" ", ""), spans=guess.spans[kept]))


def _with_hyphens(piece: Piece) -> Piece:
    """The piece, hyphens in place of the dashes of a word: in cells they are as long."""
    guess = piece.guess
    hyphened = guess.text.translate(_HYPHENS)
    if hyphened == guess.text or not any(map(str.isalnum, hyphened)):
        return piece
    return replace(piece, guess=replace(guess, text=hyphened))


def _with_strokes(piece: Piece) -> Piece:
    """The piece with underscores or hyphens that touch, and were read as one, each in its cell."""
    guess = piece.guess
    left, _, right, _ = piece.place
    if not _STROKES.search(guess.text) or len(guess.spans) != len(guess.text):
        return piece
    blank = sum(_SLIM_BLANK if guess.text[end] in _SLIM else _BLANK for end in (0, -1))
    cells = round((right - left) / piece.pitch + blank)
    middle = (guess.spans.mean(1) + piece.left - left) / piece.pitch  # of each character, cells from the left
    text, position = "", 0
    for run in _STROKES.finditer(guess.text):
        start = middle[run.start() - 1] + 0.5 if run.start() else 0.0
        end = middle[run.end()] - 0.5 if run.end() < len(middle) else float(cells)
        text += guess.text[position : run.start()] + run[0][0] * max(len(run[0]), round(end - start))
        position = run.end()
    text += guess.text[position:]
    if len(text) == len(guess.text) or len(text) != cells:
        return piece
    edges = np.linspace(left, right, len(text) + 1) - piece.left
    return replace(piece, guess=replace(guess, text=text, spans=np.stack([edges[:-1], edges[1:]], axis=1)))
