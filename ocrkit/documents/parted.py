"""Several words in one box -> each by itself, where narrow spaces left them together.

The recogniser shows two as one word that nobody knows. Their gap is wider than any other in the box, and what stands
on its two sides, read by itself, are words. A measure, as `250 g` or `6 x 2 kg`, shows by its figures where it may be
parted, and need not be read again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from ocrkit.documents.ink import ink_of, runs, widest_gap, with_blank
from ocrkit.documents.joins import JoinOptions, Piece, Read
from ocrkit.options import options_class
from ocrkit.recognition.decode import Guess
from ocrkit.recognition.lexicon import MARKS


@options_class
class PartOptions:
    """When a box is read as two words.

    Attributes:
        gap: of the height of its ink; the gap between the two, at least.
        widest, wider_px: times as wide as any other gap in it that is, and by how much wider, at least.
        ends: marks, behind which a letter is of another word.
        confidence: of either of the two, at least.
        margin: of the height of its ink; blank that is left around a word when it is read.
        measure_gap: of the height of its ink; each gap between a figure and a letter of a measure, at least.
        only_gap: the same where it has no other gaps to compare them with, as in `5G` and `4 x 2`.
    """

    gap: float = 0.14
    widest: float = 1.5
    wider_px: int = 2
    ends: str = ",;!?"
    confidence: float = 0.6
    margin: float = 0.1
    measure_gap: float = 0.2
    only_gap: float = 0.4


_JOINS = JoinOptions()
_SHORT = frozenset(_JOINS.words)  # most words that are joined are short ones
_LETTERS = frozenset("aAI")  # that are words by themselves
_NUMBERED = re.compile(r"\d{1,2}\.")  # before a heading
_MEASURE = re.compile(r"(?!\d+(?:st|nd|rd|th)$)\d[\d.,/]*(?:[a-z]{1,3}\d[\d.,/]*)*(?:[a-z]{1,3})?", re.IGNORECASE)
_LINE_NUMBER = re.compile(r"\w{1,4}(?=\\[^\W\d_]{2}|}%?$)")
_CODE = re.compile(r"[\dA-F]{3,}")  # in hexadecimal


def part_words(rows: Sequence[Sequence[Piece]], read: Read, options: PartOptions) -> list[list[Piece]]:
    """The rows, pieces that hold several words with a blank between these."""
    parts = [[_as_measure(piece, options) for piece in row] for row in _with_numbers_apart(rows, read, options)]
    trials = [(piece, *seam) for row in parts for piece in row if (seam := _seam(piece, options)) is not None]
    if not trials:
        return parts
    boxes = [half for piece, _, start, end in trials for half in _halves(piece, start, end, options)]
    halves = iter(read(np.array(boxes)))
    parted = {}
    for piece, at, start, end in trials:
        text, guesses = piece.guess.text, [next(halves).guess, next(halves).guess]
        if all(_is_word(guess, part, options) for guess, part in zip(guesses, (text[:at], text[at:]))):
            parted[piece] = with_blank(piece, at, start, end)
    return [[parted.get(piece, piece) for piece in row] for row in parts]


def _with_numbers_apart(rows: Sequence[Sequence[Piece]], read: Read, options: PartOptions) -> list[list[Piece]]:
    """The rows, a line's number parted from the command of a listing that stands as close behind it as another letter.

    It is set smaller, so both are read anew.
    """
    trials = [(piece, *seam) for row in rows for piece in row[:1] if (seam := _numbered_seam(piece)) is not None]
    if not trials:
        return [list(row) for row in rows]
    halves = iter(read(np.array([half for trial in trials for half in _halves(*trial, options)])))
    parted: dict[Piece, list[Piece]] = {}
    for piece, start, end in trials:
        number, command = next(halves), next(halves)
        surely = min(number.guess.confidence, command.guess.confidence) >= options.confidence
        if surely and number.guess.text.isdecimal() and command.guess.text.startswith(("\\", "}")):
            x0, y0, x1, y1 = piece.place
            rows_inked = np.flatnonzero(ink_of(piece)[:, :start].any(1))
            top, foot = y0 + rows_inked[0], y0 + rows_inked[-1] + 1
            places = np.array([x0, top, piece.left + start, foot]), np.array([piece.left + end, y0, x1, y1])
            parted[piece] = [
                replace(part, ink=place, pitch=piece.pitch, struck=piece.struck, cleared=piece.cleared)
                for part, place in zip((number, command), places)
            ]
    return [[part for piece in row for part in parted.get(piece, [piece])] for row in rows]


def _numbered_seam(piece: Piece) -> tuple[int, int] | None:
    """Where the gap before the command begins and ends, px of the crop; `None` where no number may stand before one."""
    guess = piece.guess
    number = _LINE_NUMBER.match(guess.text)
    if number is None or len(guess.spans) != len(guess.text):
        return None
    starts, ends = runs(ink_of(piece))
    gap = widest_gap(guess, starts, ends, number.end() - 1, number.end())
    return None if gap is None else (int(ends[gap]), int(starts[gap + 1]))


def _as_measure(piece: Piece, options: PartOptions) -> Piece:
    """The piece with a blank wherever a figure meets a letter, if it is a measure and all its widest gaps are there."""
    guess = piece.guess
    text = guess.text
    if piece.pitch or len(guess.spans) != len(text) or not _MEASURE.fullmatch(text) or _CODE.fullmatch(text):
        return piece
    parts = sum(a.isalpha() != b.isalpha() for a, b in pairwise(text))
    if not parts:
        return piece
    starts, ends = runs(ink_of(piece))
    if len(starts) < 2:
        return piece
    gaps = starts[1:] - ends[:-1]
    at = np.searchsorted(guess.spans.mean(1), (starts[1:] + ends[:-1]) / 2)
    meets = [0 < i < len(text) and text[i - 1].isalpha() != text[i].isalpha() for i in at]
    seams = np.flatnonzero(meets)
    others = np.delete(gaps, seams)
    share = options.measure_gap if len(others) else options.only_gap
    least = max(share * (piece.place[3] - piece.place[1]), options.widest * others.max(initial=0))
    if len(np.unique(at[seams])) != parts or gaps[seams].min() < least:
        return piece
    for seam in reversed(seams):
        piece = with_blank(piece, int(at[seam]), int(ends[seam]), int(starts[seam + 1]))
    return piece


def _seam(piece: Piece, options: PartOptions) -> tuple[int, int, int] | None:
    """The number of characters before the gap in a piece that may part two words, and where it begins and ends.

    In px of the crop; `None` where there is none.
    """
    guess, text = piece.guess, piece.guess.text
    if guess.known or piece.pitch or " " in text or len(text) < 3 or len(guess.spans) != len(text):
        return None
    if not any(_may_be_two(text[:i], text[i:], options) for i in range(1, len(text))):
        return None
    starts, ends = runs(ink_of(piece))
    if len(starts) < 2:
        return None
    gaps = starts[1:] - ends[:-1]
    widest, height = int(gaps.argmax()), piece.place[3] - piece.place[1]
    others = np.delete(gaps, widest).max(initial=0)
    if gaps[widest] < max(options.gap * height, options.widest * others, others + options.wider_px):
        return None
    start, end = int(ends[widest]), int(starts[widest + 1])
    at = int(np.searchsorted(guess.spans.mean(1), (start + end) / 2))
    return (at, start, end) if _may_be_two(text[:at], text[at:], options) else None


def _may_be_two(left: str, right: str, options: PartOptions) -> bool:
    """Whether a space may be missing: behind a mark that ends a word or a number, or beside a short word."""
    if not left or not right[:1].isalpha():
        return False
    short = any(part.strip(MARKS).casefold() in _SHORT or part.strip(MARKS) in _LETTERS for part in (left, right))
    return left[-1] in options.ends or (left[-1].isalpha() and short) or bool(_NUMBERED.fullmatch(left))


def _halves(piece: Piece, start: int, end: int, options: PartOptions) -> tuple[np.ndarray, np.ndarray]:
    """The boxes `(4,)` px of what stands before and behind a gap."""
    x0, y0, x1, y1 = piece.box
    margin = options.margin * (piece.place[3] - piece.place[1])
    return np.array([x0, y0, piece.left + start + margin, y1]), np.array([piece.left + end - margin, y0, x1, y1])


def _is_word(guess: Guess, part: str, options: PartOptions) -> bool:
    """Whether a half by itself is the word that the whole shows in that place."""
    core, whole = (text.strip(MARKS) for text in (guess.text, part))
    alike = "".join(filter(str.isalnum, core)).casefold() == "".join(filter(str.isalnum, whole)).casefold()
    return alike and guess.confidence >= options.confidence and (guess.known or core in _LETTERS or core.isdecimal())
