"""Words in doubt, read once more together with the word beside them.

By itself a crop shows neither how high a capital is nor whether it holds a word at all: `so` and `SO` look alike once
both are as high as the recogniser wants them. Beside a word that is surely read both show. Only a reading with the same
letters is believed: of other ones more were right without the neighbour (62) than with it (39).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ocrkit.documents.joins import Piece, Read, around
from ocrkit.options import options_class


@options_class
class ContextOptions:
    """Which words are read with a neighbour.

    Attributes:
        doubtful: confidence below which any word is.
        unsure: the same of a word whose letters are all `alike`.
        alike: letters whose capitals are but larger.
        sure: confidence of the neighbour's reading, at least.
        characters: of the neighbour, at least.
        gap: heights; widest one between the two.
    """

    doubtful: float = 0.4
    unsure: float = 0.75
    alike: str = "cosuvwxzpk"
    sure: float = 0.6
    characters: int = 2
    gap: float = 1.0


def in_context(rows: Sequence[Sequence[Piece]], read: Read, options: ContextOptions) -> list[list[Piece]]:
    """The rows' pieces, those in doubt as their surer neighbour shows them where that is in their case alone.

    Args:
        rows: pieces from left to right.
        read: reads boxes of the page.
        options: what is read again.
    """
    found = [list(row) for row in rows]
    trials = [
        (row, i, beside)
        for row in found
        for i, piece in enumerate(row)
        if _in_doubt(piece, options) and (beside := _neighbour(row, i, options)) is not None
    ]
    if not trials:
        return found
    together = np.array([around(row[i].box, row[j].box) for row, i, j in trials])
    read_again = []
    for (row, i, j), whole in zip(trials, read(together)):
        words = whole.guess.text.split(" ")
        if len(words) == 2 and words[j > i].casefold() == row[j].guess.text.casefold():
            read_again.append((row, i, words[i > j], whole.guess.confidence))
    for row, i, text, confidence in read_again:
        guess = row[i].guess
        if text.casefold() == guess.text.casefold() and confidence > guess.confidence:
            row[i] = replace(row[i], guess=replace(guess, text=text, confidence=confidence))
    return found


def _in_doubt(piece: Piece, options: ContextOptions) -> bool:
    guess, letters = piece.guess, [sign for sign in piece.guess.text.casefold() if sign.isalpha()]
    if piece.sign or piece.struck or not any(map(str.isalnum, guess.text)) or " " in guess.text:
        return False
    alike = bool(letters) and all(sign in options.alike for sign in letters)
    return guess.confidence < (options.unsure if alike else options.doubtful)


def _neighbour(row: Sequence[Piece], i: int, options: ContextOptions) -> int | None:
    """The number of the surer one of the two pieces beside the `i`th that are near and surely read, if there is one."""
    piece = row[i]

    def fits(other: Piece) -> bool:
        height = max(piece.box[3] - piece.box[1], other.box[3] - other.box[1])
        gap = max(piece.box[0], other.box[0]) - min(piece.box[2], other.box[2])
        text = other.guess.text
        return (
            gap <= options.gap * height
            and len(text) >= options.characters
            and " " not in text
            and other.guess.confidence >= options.sure
        )

    beside = [j for j in (i - 1, i + 1) if 0 <= j < len(row) and fits(row[j])]
    return max(beside, key=lambda j: row[j].guess.confidence, default=None)
