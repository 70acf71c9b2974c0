"""Letter-spaced words, such as `R E P O R T` over a page: found letter by letter, and read closed up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ocrkit.document import Image
from ocrkit.documents.crops import Recognize
from ocrkit.documents.joins import Piece, around
from ocrkit.options import options_class


@options_class
class SpacedOptions:
    """When letters that stand apart are a word; "heights" are the median one of these letters.

    Attributes:
        gap: heights; between two of them, from and to.
        even: times as wide as the median gap of a word the others are, at most, and it as they.
        letters: of a word, at least; it has to be one that the recogniser knows.
        short: of one level with such a word and as wide apart, at least.
        alike: of its gap or height; by which that one may differ.
        column: heights; how far the middles of a column's letters lie apart, at most; where as many letters that
            are no word stand in all of a word's columns, these are the cells of a table.
        margin: heights; of the paper beside a letter, that is left when they are closed up.
    """

    gap: tuple[float, float] = (0.25, 2.0)
    even: float = 1.45
    letters: int = 4
    short: int = 2
    alike: float = 0.25
    column: float = 0.25
    margin: float = 0.06


@dataclass(frozen=True, eq=False)
class _Run:
    """Letters of a row at even gaps: the row, its pieces, and px of their median gap, top and foot."""

    row: int
    pieces: list[Piece]
    gap: float
    top: float
    foot: float

    @property
    def height(self) -> float:
        return self.foot - self.top

    @property
    def has_letters(self) -> bool:
        return any(piece.guess.text.isalpha() for piece in self.pieces)

    def is_like(self, other: _Run, alike: float) -> bool:
        """Whether it is level with another, and as high and as wide apart."""
        return (
            min(self.foot, other.foot) - max(self.top, other.top) >= 0.5 * min(self.height, other.height)
            and abs(self.height - other.height) <= alike * other.height
            and abs(self.gap - other.gap) <= alike * other.gap
        )

    def is_in_columns(self, other: _Run, off: float) -> bool:
        """Whether a letter of another run, which may have a number, too, stands above or below each of its own."""
        middles, others = (np.array([piece.place[[0, 2]].mean() for piece in run.pieces]) for run in (self, other))
        off_px = np.abs(middles[:, None] - others).min(1).max()
        as_many = len(others) - len(middles) <= 1
        return as_many and other.row != self.row and other.has_letters and bool(off_px <= off * self.height)


def with_spaced(
    rows: Sequence[Sequence[Piece]], grey: Image, recognize: Recognize, options: SpacedOptions
) -> list[list[Piece]]:
    """The rows with one piece for the letters of each letter-spaced word that the recogniser knows.

    Args:
        rows: pieces found on one line together, in any order.
        grey: the page, `uint8`, `(H, W)`.
        recognize: reads crops.
        options: what is such a word.
    """
    done = [sorted(row, key=lambda piece: float(piece.box[0])) for row in rows]
    runs = [run for number, row in enumerate(done) for run in _runs(number, row, options)]
    if not any(len(run.pieces) >= options.letters for run in runs):
        return done
    guesses = recognize([_closed_up(run, grey, options) for run in runs])
    known = [guess.known and len(guess.text) == len(run.pieces) for run, guess in zip(runs, guesses)]
    cells = [run for run, is_known in zip(runs, known) if not is_known]
    words = [
        (run, guess)
        for run, guess, is_known in zip(runs, guesses, known)
        if is_known and not any(run.is_in_columns(other, options.column) for other in cells)
    ]
    long = [run for run, _ in words if len(run.pieces) >= options.letters]
    for run, guess in words:
        if run in long or any(run.is_like(other, options.alike) for other in long):
            row, (first, *_, last) = done[run.row], run.pieces
            spans = np.array([piece.place[[0, 2]] - first.left for piece in run.pieces])
            word = replace(
                first,
                box=around(first.box, last.box),
                ink=around(first.place, last.place),
                crop=grey[slice(*_rows(run, options)), int(first.left) : int(np.ceil(last.place[2]))],
                guess=replace(guess, spans=spans),
            )
            row[row.index(first) : row.index(last) + 1] = [word]
    return done


def _runs(number: int, row: Sequence[Piece], options: SpacedOptions) -> list[_Run]:
    """The longest runs of letters of a row, from left to right, each between wider gaps or other words."""
    found: list[list[Piece]] = [[]]
    for piece in row:
        if len(piece.guess.text) > 1 or piece.sign:  # an unread letter is one, too
            found.append([])
        else:
            found[-1].append(piece)
    runs = []
    for letters in found:
        if len(letters) < options.short:
            continue
        places = np.array([piece.place for piece in letters])
        height = float(np.median(places[:, 3] - places[:, 1]))
        gaps = places[1:, 0] - places[:-1, 2]
        wide = np.flatnonzero(gaps > options.even * np.median(gaps)) + 1
        for part in np.split(np.arange(len(letters)), wide):
            gap = gaps[part[:-1]]
            if len(part) < options.short:
                continue
            usual = float(np.median(gap))
            even = gap.max() <= options.even * usual and usual <= options.even * gap.min()
            if even and options.gap[0] * height <= usual <= options.gap[1] * height:
                own = places[part]
                runs.append(_Run(number, [letters[i] for i in part], usual, own[:, 1].min(), own[:, 3].max()))
    return runs


def _rows(run: _Run, options: SpacedOptions) -> tuple[int, int]:
    margin = options.margin * run.height
    return max(int(run.top - margin), 0), int(np.ceil(run.foot + margin))


def _closed_up(run: _Run, grey: Image, options: SpacedOptions) -> Image:
    """The letters of a run side by side as in other words."""
    margin = options.margin * run.height
    columns = [
        slice(max(int(piece.place[0] - margin), 0), int(np.ceil(piece.place[2] + margin))) for piece in run.pieces
    ]
    return np.hstack([grey[slice(*_rows(run, options)), column] for column in columns])
