"""What the cells of a typewriter's or a program's line tell of a word in it: that it has no blank, and its length."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ocrkit.documents.ink import ink_of, runs, widest_gap
from ocrkit.documents.joins import Piece

_STROKES = re.compile(r"_+|(?<=\w)-+|-+(?=\w)")
_HYPHENS = str.maketrans("–—", "--")
_SLIM = frozenset(".,:;'!|()[]{}")
_OFF_CELL = 0.45  # of a cell; a comma whose middle is nearer to the end of what is before it stands in none
_TWO = 1.7  # cells; from the middle of one character to that of the next, at least, if a blank fills one between them
_SLIM_BLANK, _BLANK = 0.3, 0.08  # of a cell beside such a character at a word's end, and beside another


def in_cells(rows: Sequence[Sequence[Piece]]) -> list[list[Piece]]:
    """The rows, words in cells without blanks, and with hyphens and underscores only, as many as they have room for."""
    return [[_with_strokes(_with_hyphens(_solid(piece))) if piece.pitch else piece for piece in row] for row in rows]


def _solid(piece: Piece) -> Piece:
    """The piece without its blanks, but for whole cells, and for those behind commas if these stand in no cells.

    Where dirt or letters that touch hide a blank cell from the detector, the words on both sides of it are one piece.
    In most faces figures are as wide as a comma and the blank behind it, so a list of them may pass for set in cells.
    """
    guess = piece.guess
    blanks = {i for i, character in enumerate(guess.text) if character == " "}
    if not blanks:
        return piece
    if len(guess.spans) == len(guess.text):
        middle = guess.spans.mean(1)
        blanks -= {i for i in blanks if 0 < i < len(middle) - 1 and middle[i + 1] - middle[i - 1] >= _TWO * piece.pitch}
        behind_commas = {i for i in blanks if guess.text[:i].endswith(",") and i + 1 < len(guess.text)}
        if any(_is_off_cell(piece, i) for i in behind_commas):
            blanks -= behind_commas
    kept = [i for i in range(len(guess.text)) if i not in blanks]
    return replace(piece, guess=replace(guess, text="".join(guess.text[i] for i in kept), spans=guess.spans[kept]))


def _is_off_cell(piece: Piece, blank: int) -> bool:
    """Whether the comma before the blank stands closer to what is before it than in a cell of its own."""
    starts, ends = runs(ink_of(piece))
    comma = widest_gap(piece.guess, starts, ends, blank - 1, blank + 1)
    if not comma:
        return False
    return bool((starts[comma] + ends[comma]) / 2 - ends[comma - 1] < _OFF_CELL * piece.pitch)


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
