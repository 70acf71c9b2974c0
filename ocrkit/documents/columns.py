"""Numbers of two columns in one box -> each by itself, where a table leaves no space between its columns.

The gap between the two is no wider than that between two figures, so it cannot tell. The rows above and below do: their
numbers end where the first of the two does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ocrkit.documents.ink import ink_of, runs
from ocrkit.documents.joins import Piece, Read
from ocrkit.options import options_class

_NUMBER = re.compile(r"[-–(]?[€$£]?(?:0|[1-9]\d*|[1-9]\d{0,2}(?:[.,]\d{3})+)(?:[.,]\d{1,2})?%?\)?")
_CELL = re.compile(rf"{_NUMBER.pattern}|[-–—]")
_RUN_ON = re.compile(r"[-–($€£]?\d[\d.,%)(–$€£-]*")  # what numbers without a space between them are read as


@options_class
class ColumnOptions:
    """When a number is parted where a column ends.

    Attributes:
        off: of a number's height; how far from it the numbers of a column may end.
        rows: of the nearest that hold a number by the column's edge, above and below together, that are looked at.
        least: of them, in which a number ends there.
        reach: heights; how far above and below.
        confidence: of either part, at least.
    """

    off: float = 0.15
    rows: int = 6
    least: int = 2
    reach: float = 16.0
    confidence: float = 0.5


def at_columns(rows: Sequence[Sequence[Piece]], read: Read, options: ColumnOptions) -> list[list[Piece]]:
    """The rows, numbers that run on into the next column's parted from these."""
    numbers = [piece for row in rows for piece in row if _CELL.fullmatch(piece.guess.text)]
    places = np.array([piece.place for piece in numbers]).reshape(-1, 4)
    trials = [
        (piece, *seam)
        for row in rows
        for piece in row
        if not piece.pitch
        and _RUN_ON.fullmatch(piece.guess.text)
        and not _NUMBER.fullmatch(piece.guess.text)
        and (seam := _column_end(piece, places, options)) is not None
    ]
    if not trials:
        return [list(row) for row in rows]
    boxes = [half for piece, end, start in trials for half in _halves(piece, end, start)]
    halves = iter(read(np.array(boxes)))
    parted: dict[Piece, list[Piece]] = {}
    for piece, end, start in trials:
        parts = next(halves), next(halves)
        if not all(_NUMBER.fullmatch(p.guess.text) and p.guess.confidence >= options.confidence for p in parts):
            continue
        x0, y0, x1, y1 = piece.place
        inks = np.array([[x0, y0, piece.left + end, y1], [piece.left + start, y0, x1, y1]])
        parted[piece] = [
            replace(part, ink=ink, space=space, struck=piece.struck, cleared=piece.cleared)
            for part, ink, space in zip(parts, inks, (piece.space, 1.0))
        ]
    return [[part for piece in row for part in parted.get(piece, [piece])] for row in rows]


def _column_end(piece: Piece, places: np.ndarray, options: ColumnOptions) -> tuple[int, int] | None:
    """Where the gap behind a column's end begins and ends in a piece, px of its crop; `None` without one.

    Args:
        piece: one number, or several.
        places: `(N, 4)` px; of numbers, and of the dashes of cells without.
        options: what is a column.
    """
    _, y0, x1, y1 = piece.place
    height, middle = y1 - y0, (y0 + y1) / 2
    off_px = options.off * height
    down = np.abs(places[:, 1::2].mean(1) - middle)
    others = places[(down > height / 2) & (down <= options.reach * height)]
    down = np.abs(others[:, 1::2].mean(1) - middle)

    def ends_at(edge: float, begins: float = -np.inf) -> bool:
        around = np.flatnonzero((others[:, 0] < edge) & (others[:, 2] > edge - height))
        nearest = others[around[np.argsort(down[around])][: options.rows]]
        ended = (np.abs(nearest[:, 2] - edge) <= off_px) & (nearest[:, 0] >= begins)
        return int(ended.sum()) >= options.least

    if not ends_at(x1):
        return None
    starts, ends = runs(ink_of(piece))
    for end, start in zip(ends[:-1].tolist(), starts[1:].tolist()):
        # Ranges among numbers that begin where they do may end where others do, but these are of one column.
        if ends_at(piece.left + end) and ends_at(x1, begins=piece.left + end):
            return end, start
    return None


def _halves(piece: Piece, end: int, start: int) -> tuple[np.ndarray, np.ndarray]:
    """The boxes `(4,)` px of what stands before and behind a gap: all of it is paper of both."""
    x0, y0, x1, y1 = piece.box
    return np.array([x0, y0, piece.left + start, y1]), np.array([piece.left + end, y0, x1, y1])
