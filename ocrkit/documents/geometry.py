"""Images and lines turned by quarters, moved and widened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ocrkit.document import Image, Line

_SLIM = 0.1  # of a word's shorter side, as a wider margin would be more than a dash
_LOW_PX = 6  # words that are no higher are dashes and dots


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
    there = iter(move(np.concatenate(quads)).reshape(-1, 4, 2) if quads else ())
    return tuple(
        replace(line, words=tuple(replace(word, quad=quad) for word, quad in zip(line.words, there))) for line in lines
    )


def widened(line: Line, margin_px: float) -> Line:
    """The line with its words' upright boxes wider by `margin_px` on every side, those of dashes and dots by less."""

    quads = np.array([word.quad for word in line.words])
    shorter = np.linalg.norm(np.diff(quads[:, :3], axis=1), axis=2).min(1)
    margin = np.minimum(margin_px, np.where(shorter <= _LOW_PX, _SLIM, 0.25) * shorter)
    quads = quads + margin[:, None, None] * np.sign(quads - quads.mean(1, keepdims=True))
    return replace(line, words=tuple(replace(word, quad=quad) for word, quad in zip(line.words, quads)))
