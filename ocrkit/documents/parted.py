"""Two words in one box -> words: where a narrow space passed for a gap between letters.

A face may set its spaces hardly wider than the gap between an r and a w. Neither the gap nor the recogniser, which
reads both as one, can tell it then; that one half is among the commonest words, the other a word too and the whole none
can. (Of any two words names and torn print make too many: Petal ing, Bar bee.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ocrkit.documents.joins import JoinOptions, Piece, Read
from ocrkit.documents.shapes import filled_rows, ink_of, ink_runs
from ocrkit.options import options_class
from ocrkit.recognition.decode import Guess

_STROKES = str.maketrans("l1|", "III")  # which look alike where they stand alone
_INSIDE = frozenset(" -–/@_")  # beside which a word has gaps of its own
_APOSTROPHES = "'’‘"
_SINGLE = "IAa&"  # that are words where they stand alone
_EDGES = "\"'“”‘’()[].,;:!?"


@options_class
class PartOptions:
    """When a word is read in two halves, and when that reading is believed.

    Attributes:
        letters: of the whole, at least.
        gap: of the word's height; between the halves, at least.
        wider: times as wide as any other gap of the word, at least.
        confidence: of each half, at least.
        loss: of confidence, at most.
        sure_letters: of a half that is a word because the recogniser knows it, at least.
    """

    letters: int = 3
    gap: float = 0.12
    wider: float = 1.6
    confidence: float = 0.5
    loss: float = 0.15
    sure_letters: int = 3


@dataclass(frozen=True, eq=False)
class _Half:
    """Where to look for half of a word, and where its ink is, `(4,)` px each."""

    box: np.ndarray
    ink: np.ndarray


def part_pieces(
    rows: Sequence[Sequence[Piece]], read: Read, options: PartOptions, joins: JoinOptions
) -> list[list[Piece]]:
    """The rows, those of their pieces that are no words and have two words as their halves parted."""
    trials = {piece: halves for row in rows for piece in row if (halves := _halves(piece, options, joins))}
    if not trials:
        return [list(row) for row in rows]
    found = iter(read(np.array([half.box for halves in trials.values() for half in halves])))
    parted: dict[Piece, list[Piece]] = {}
    for piece, halves in trials.items():
        a, b = next(found), next(found)
        if _are_words(piece.guess, a.guess, b.guess, options, joins):
            parted[piece] = [
                replace(half, space=space, ink=place.ink, struck=piece.struck, cleared=piece.cleared)
                for half, place, space in zip((a, b), halves, (piece.space, 1.0))
            ]
    return [[half for piece in row for half in parted.get(piece, [piece])] for row in rows]


def _halves(piece: Piece, options: PartOptions, joins: JoinOptions) -> list[_Half]:
    """The parts beside the piece's widest gap, if it is by far that, and one of them is read as a common word."""
    guess = piece.guess
    letters = sum(map(str.isalnum, guess.text))
    if guess.known or piece.sign or letters < options.letters or set(guess.text) & _INSIDE:
        return []
    if len(guess.spans) != len(guess.text):
        return []
    ink = ink_of(piece)
    starts, ends = ink_runs(ink)
    if len(starts) < 2:
        return []
    gaps = starts[1:] - ends[:-1]
    at = int(gaps.argmax())
    others = np.delete(gaps, at)
    height = float(piece.place[3] - piece.place[1])
    if gaps[at] < options.gap * height or (len(others) and gaps[at] < options.wider * others.max()):
        return []
    # Where characters stand is known to a step of the network.
    count = int((guess.spans.mean(1) < (ends[at] + starts[at + 1]) / 2).sum())
    cuts = range(max(1, count - 1), min(len(guess.text), count + 2))
    if not any(_is_common(part, joins) for k in cuts for part in (guess.text[:k], guess.text[k:])):
        return []
    middle = piece.left + (ends[at] + starts[at + 1]) / 2
    (x0, y0, x1, y1), top = piece.box, piece.place[1]
    halves = []
    for box, start, end in (
        ((x0, y0, middle, y1), starts[0], ends[at]),
        ((middle, y0, x1, y1), starts[at + 1], ends[-1]),
    ):
        rows = filled_rows(ink, start, end)
        place = [piece.left + start, top + rows[0], piece.left + end, top + rows[-1] + 1]
        halves.append(_Half(np.array(box), np.array(place, float)))
    return halves


def _are_words(whole: Guess, a: Guess, b: Guess, options: PartOptions, joins: JoinOptions) -> bool:
    """Whether both halves are words that have the whole's letters."""
    if _letters(a.text) + _letters(b.text) != _letters(whole.text):
        return False
    lower = min(a.confidence, b.confidence)
    sure = lower >= options.confidence and lower >= whole.confidence - options.loss
    common = [_is_common(guess.text, joins) for guess in (a, b)]
    words = [is_common or _is_known(guess, options) for is_common, guess in zip(common, (a, b))]
    return sure and any(common) and all(words) and b.text[0] not in _APOSTROPHES


def _is_common(text: str, joins: JoinOptions) -> bool:
    text = text.strip(_EDGES)
    return (len(text) == 1 and text in _SINGLE) or text.lower() in joins.words


def _is_known(guess: Guess, options: PartOptions) -> bool:
    text = guess.text.strip(_EDGES)
    return guess.known and len(text) >= options.sure_letters and text.replace("'", "").replace("’", "").isalpha()


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).translate(_STROKES).casefold()
