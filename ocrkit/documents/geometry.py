"""Images and lines turned by quarters, moved and widened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from statistics import median

import numpy as np

from ocrkit.document import Image, Line

_SLIM = 0.1  # of a mark's or a stroke's shorter side, as a wider margin would be more than a dash
_THIN_PX = 6  # of its shorter side, at most; low words of small print are as low as dashes are
_STROKE = 3.0  # height over width of an I or a one, at least
_LETTERS = frozenset("&$#%@€£§¥+")  # signs that are as high and as wide as letters
_MORE = 0.7  # of its area, by which a word may grow; a letter by itself is as wide as high


def turned(image: Image, degrees: int) -> Image:
    """`image` turned clockwise by a multiple of 90 degrees."""
    return np.ascontiguousarray(np.rot90(image, -degrees // 90))


def turning(shape: tuple[int, ...], degrees: int) -> np.ndarray:
    """Homography `(3, 3)` from the points of an image of `shape` to those of the image turned clockwise."""
    height, width = shape[:2]
    rows = {
        0: [[1, 0, 0], [0, 1, 0]],
        90: [[0, -1, height], [1, 0, 0]],
        180: [[-1, 0, width], [0, -1, height]],
        270: [[0, 1, 0], [-1, 0, width]],
    }
    return np.array([*rows[degrees], [0, 0, 1]], float)


def moved(lines: Sequence[Line], move: Callable[[np.ndarray], np.ndarray]) -> tuple[Line, ...]:
    """The lines with the corners of their words where `move` takes points `(N, 2)`."""
    quads = [word.quad for line in lines for word in line.words]
    return _with_quads(lines, move(np.concatenate(quads)).reshape(-1, 4, 2) if quads else ())


def widened(lines: Sequence[Line], margin_px: Callable[[float], float]) -> tuple[Line, ...]:
    """The lines with their words' upright boxes wider on every side, those of dashes, dots and strokes by less.

    Args:
        lines: each of some words.
        margin_px: how much wider, for a median height in px of a line's words.
    """
    if not lines:
        return ()
    words = [word for line in lines for word in line.words]
    quads = np.array([word.quad for word in words])
    counts = [len(line.words) for line in lines]
    heights = np.split(np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1), np.cumsum(counts)[:-1])
    margins = np.repeat([margin_px(median(of_line.tolist())) for of_line in heights], counts)
    sides = np.linalg.norm(np.diff(quads[:, :3], axis=1), axis=2)
    shorter, around = sides.min(1), sides.sum(1)
    marks = [not any(sign.isalnum() or sign in _LETTERS for sign in word.text) for word in words]
    thin = np.array(marks) | (sides[:, 1] >= _STROKE * sides[:, 0])
    margin = np.minimum(margins, np.where(thin & (shorter <= _THIN_PX), _SLIM, 0.25) * shorter)
    margin = np.minimum(margin, (np.sqrt(around**2 + 4 * _MORE * sides.prod(1)) - around) / 4)
    return _with_quads(lines, quads + margin[:, None, None] * np.sign(quads - quads.mean(1, keepdims=True)))


def _with_quads(lines: Sequence[Line], quads: Iterable[np.ndarray]) -> tuple[Line, ...]:
    """The lines with these quads `(4, 2)` for their words."""
    there = iter(quads)
    return tuple(
        replace(line, words=tuple(replace(word, quad=quad) for word, quad in zip(line.words, there))) for line in lines
    )
