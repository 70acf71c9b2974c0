"""Whether the marks a label begins and ends with are printed: what ink stands at the ends of a word.

A detector drops faint points and a labelled line's box may end before its colon. A crop without a mark that its label
has teaches a network to invent it, so words are first widened to the ink that belongs to them (`widened`), and what
still lacks a mark is told (`shows_marks`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LOW, _HIGH, _LEVEL, _STACKED = ".,…_", "'\"’‘”“*°º^", "-–—~=", ":;"
MARKS = frozenset(LOW + _HIGH + _LEVEL + _STACKED)


@dataclass(frozen=True)
class MarkOptions:
    """What ink counts as a mark. "Heights" are multiples of the height of the line's letters.

    Attributes:
        min_area: square heights; smaller pieces of ink are noise.
        max_height: heights; higher pieces are no text of this line.
        above: heights above the letters where a piece's middle may be.
        below: heights below their feet where it may be.
        letter_reach: heights; widest gap to a piece as high as half a letter that still belongs to the word.
        mark_reach: heights; widest gap to a mark that the label has at that end.
        end: heights; how far from the end of a word's ink its last mark may end.
        low: share of the letters' height, from their feet up, that a point or comma stays in.
        high: share, from their tops down, that a quotation mark stays in.
        small: heights; highest dash, widest half of a colon.
    """

    min_area: float = 0.008
    max_height: float = 1.7
    above: float = 0.15
    below: float = 0.35
    letter_reach: float = 0.35
    mark_reach: float = 0.9
    end: float = 0.3
    low: float = 0.5
    high: float = 0.7
    small: float = 0.45


_DEFAULT = MarkOptions()


@dataclass(frozen=True)
class Band:
    """Where the letters of a line stand: `top` and `bottom` px of the page."""

    top: float
    bottom: float

    @property
    def height(self) -> float:
        """In px, at least 1."""
        return max(1.0, self.bottom - self.top)


def belonging(pieces: np.ndarray, ends: tuple[float, float], band: Band, options: MarkOptions = _DEFAULT) -> np.ndarray:
    """Those of the pieces of ink `(N, 4)` that may be text of a line between `ends`, from left to right, `(M, 4)`."""
    width, height = pieces[:, 2] - pieces[:, 0], pieces[:, 3] - pieces[:, 1]
    x, y = (pieces[:, 0] + pieces[:, 2]) / 2, (pieces[:, 1] + pieces[:, 3]) / 2
    size = band.height
    kept = (width * height >= options.min_area * size**2) & (height <= options.max_height * size)
    kept &= (y >= band.top - options.above * size) & (y <= band.bottom + options.below * size)
    kept &= (ends[0] <= x) & (x <= ends[1])
    return pieces[kept][np.argsort(pieces[kept, 0], kind="stable")]


def widened(
    text: str,
    ink: np.ndarray,
    pieces: np.ndarray,
    neighbours: tuple[float, float],
    band: Band,
    options: MarkOptions = _DEFAULT,
) -> np.ndarray:
    """The box of a word's ink, widened to ink beside it that is part of it.

    Args:
        text: the word's label: a mark further off belongs to it only where the label has one at that end.
        ink: `(4,)` px around the letters that were found.
        pieces: see `belonging`.
        neighbours: px; where the ink of the word before it ends and that of the word behind it begins, infinities where
            there is none. A piece that is nearer to them is theirs.
        band: of the line's letters.
        options: thresholds.
    """
    box, size = ink.copy(), band.height
    middle = (pieces[:, 0] + pieces[:, 2]) / 2
    tall = pieces[:, 3] - pieces[:, 1] >= options.low * size
    behind, before = middle > box[2], middle < box[0]
    for edge, beside in ((text[-1], np.flatnonzero(behind)), (text[0], np.flatnonzero(before)[::-1])):
        for i in beside:
            x0, _, x1, _ = pieces[i]
            gap, to_other = (x0 - box[2], neighbours[1] - x1) if behind[i] else (box[0] - x1, x0 - neighbours[0])
            reach = options.mark_reach if edge in MARKS and not tall[i] else options.letter_reach
            if (tall[i] or edge in MARKS) and gap <= min(reach * size, to_other):
                box = np.concatenate([np.minimum(box[:2], pieces[i, :2]), np.maximum(box[2:], pieces[i, 2:])])
    return box


def shows_marks(
    text: str, ink: np.ndarray, pieces: np.ndarray, band: Band, options: MarkOptions = _DEFAULT
) -> np.ndarray:
    """Whether the first and the last character of `text`, where they are marks, have ink of their kind, `(2,)`.

    Args:
        text: the word's label.
        ink: `(4,)` px, all ink of the word.
        pieces: of ink, `(N, 4)`; see `belonging`.
        band: of the line's letters.
        options: thresholds.
    """
    middle = (pieces[:, 0] + pieces[:, 2]) / 2
    inside = pieces[(middle >= ink[0]) & (middle <= ink[2])]
    reach = options.end * band.height
    first, last = inside[inside[:, 0] <= ink[0] + reach], inside[inside[:, 2] >= ink[2] - reach]
    return np.array([_shows(text[0], first, band, options), _shows(text[-1], last, band, options)])


def low_runs(letters: np.ndarray, band: Band, options: MarkOptions = _DEFAULT) -> np.ndarray:
    """Left edges in px of the points and commas that stand free among the boxes `letters`, `(N, 4)`."""
    low = letters[:, 1] >= band.bottom - options.low * band.height
    covered = (letters[:, None, 0] < letters[None, :, 2]) & (letters[:, None, 2] > letters[None, :, 0]) & ~low
    return letters[low & ~covered.any(1), 0]


def _shows(mark: str, pieces: np.ndarray, band: Band, options: MarkOptions) -> bool:
    """Whether one of the pieces may be `mark`; of characters that are no marks nothing is known."""
    size = band.height
    width, height = pieces[:, 2] - pieces[:, 0], pieces[:, 3] - pieces[:, 1]
    if mark in LOW:
        return bool((pieces[:, 1] >= band.bottom - options.low * size).any())
    if mark in _HIGH:
        return bool((pieces[:, 3] <= band.top + options.high * size).any())
    if mark in _LEVEL:
        return bool((height <= options.small * size).any())
    if mark in _STACKED:
        small = (width <= options.small * size) & (height <= options.max_height * size)
        dots = pieces[small & (height <= options.small * size + (options.low * size if mark == ";" else 0))]
        merged = small & (height >= options.low * size) & (width <= options.small / 2 * size + 1)
        return bool(merged.any()) or any(
            min(a[2], b[2]) > max(a[0], b[0]) for i, a in enumerate(dots) for b in dots[i + 1 :]
        )
    return True
