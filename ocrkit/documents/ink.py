"""The ink of a piece, and the gaps in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ocrkit.documents.joins import Piece

if TYPE_CHECKING:
    from ocrkit.recognition import Guess

_INK = 0.45  # of a crop's contrast, from which on a pixel is ink


def reach_of(contrast: np.ndarray, rows: np.ndarray, starts: np.ndarray, ends: np.ndarray, run: int) -> float:
    """How far a run of ink reaches by its own contrast, px: a thin one's is less than its word's, whose ink it is.

    Args:
        contrast: of the piece, `(H, W)`.
        rows: that the run fills.
        starts: the first columns of all runs.
        ends: the ones behind their last.
        run: its number. It reaches no farther than halfway to its neighbours.
    """
    least = (ends[run - 1] + starts[run]) // 2 if run else 0
    most = (ends[run] + starts[run + 1]) // 2 if run + 1 < len(starts) else contrast.shape[1]
    profile = contrast[rows, least:most].max(0)
    return float(np.count_nonzero(profile > _INK * profile.max()))


def ink_of(piece: Piece) -> np.ndarray:
    """Where the ink is in the rows of the crop from the ink's top to its foot, `bool`."""
    off = contrast_of(piece)
    return off > _INK * off.max(initial=0)


def contrast_of(piece: Piece) -> np.ndarray:
    """How far the same rows of the crop are from their ground, grey levels."""
    top, bottom = (piece.place[[1, 3]] - (piece.box[1] + piece.box[3] - len(piece.crop)) / 2).round().astype(int)
    rows = piece.crop[max(top, 0) : bottom].astype(np.int16)
    if not rows.size:
        return np.zeros((0, 0), np.int16)
    # The median; np.median takes ten times as long.
    edges = np.sort(piece.crop[[0, -1]], axis=None)
    middle = len(edges) // 2
    return np.abs(rows - (int(edges[middle - 1]) + int(edges[middle])) // 2)


def runs(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where columns that hold ink begin, and where they end."""
    filled = np.concatenate([[False], ink.any(0), [False]]) if ink.size else np.zeros(2, bool)
    return np.flatnonzero(~filled[:-1] & filled[1:]), np.flatnonzero(filled[:-1] & ~filled[1:])


def runs_of(guess: Guess, starts: np.ndarray) -> np.ndarray:
    """Number of the run of ink that each character stands in, -1 before the first; `starts` are where these begin.

    Where there are as many runs as characters it is one each: the recogniser knows but roughly where each stands.
    """
    if len(starts) == len(guess.text):
        return np.arange(len(starts))
    return np.searchsorted(starts, guess.spans.mean(1), "right") - 1


def widest_gap(guess: Guess, starts: np.ndarray, ends: np.ndarray, before: int, behind: int) -> int | None:
    """Number of the run of ink before the widest gap between two characters, `None` where there is no gap.

    Args:
        guess: with a span for each character.
        starts: the first columns of all runs.
        ends: the ones behind their last.
        before: the character to the left of the gap.
        behind: the one to its right.
    """
    left, right = guess.spans[[before, behind]].mean(1)
    gaps = np.flatnonzero((left < starts[1:]) & (ends[:-1] < right))
    return int(gaps[(starts[gaps + 1] - ends[gaps]).argmax()]) if len(gaps) else None


def filled_rows(ink: np.ndarray, start: int, end: int) -> np.ndarray:
    """Which rows hold ink from one column to another."""
    return np.flatnonzero(ink[:, start:end].any(1))


def with_blank(piece: Piece, at: int, start: int, end: int) -> Piece:
    """The piece with a blank behind `at` characters, where a gap is from `start` to `end`, px of the crop."""
    text, middle = piece.guess.text, (start + end) / 2
    spans = np.insert(piece.guess.spans, at, [middle, middle], axis=0)
    spans[at - 1, 1], spans[at + 1, 0] = start, end
    return replace(piece, guess=replace(piece.guess, text=f"{text[:at]} {text[at:]}", spans=spans))
