"""Paper that curls: one smooth bend is fitted to all the lines of a page, and undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.polynomial.legendre import legvander

from ocrkit.detection import DetectedLine
from ocrkit.document import Image
from ocrkit.options import options_class

_FIT_ROUNDS = 8  # by then it has settled to a hundredth of a px
_STRIP_PX = 512  # of a page's height, straightened at once: maps of whole pages would take eight bytes a px
_LONGEST_PX = 32_766  # of a page that OpenCV can straighten


@options_class
class DewarpOptions:
    """When a page counts as curled; "heights" are multiples of the height of its typical word.

    Attributes:
        line_words: words of a line that is looked at, at least.
        line_length: heights; the same.
        min_words: of all those lines together, at least; to fewer, some bend fits by chance.
        across: highest degree of the bend along the lines.
        down: the same from line to line.
        stiffness: pull of the coefficients towards zero, for each word and squared degree.
        loose: heights; words farther than this off their line's curve count less and less, as those with ascenders do.
        min_bow: heights; how far a quarter of the lines bow, at least; of 175 flat scans none reaches 0.08.
        max_left: share of the lines' crookedness that is left once the bend has been taken out of them, at most.
        rounds: times a bend is fitted; none to take every page for flat.
    """

    line_words: int = 3
    line_length: float = 8.0
    min_words: int = 30
    across: int = 4
    down: int = 2
    stiffness: float = 1e-4
    loose: float = 0.15
    min_bow: float = 0.1
    max_left: float = 0.7
    rounds: int = 2


@dataclass(frozen=True, eq=False)
class Bend:
    """How far below its place on the flat page each point of a curled one is seen.

    Attributes:
        box: `(4,)` px; the part of the page that lines cover. Beyond it the bend stays as it is at its edge.
        shifts: `(across, 1 + down)` px; weights of the products of Legendre polynomials, of degree 1 and up across the
            box, so that they leave it as a whole where it is, and of degree 0 and up down it.
    """

    box: np.ndarray
    shifts: np.ndarray

    def seen(self, points: np.ndarray) -> np.ndarray:
        """Where points `(N, 2)` of the flat page are on the curled one."""
        across, down = _polynomials(points[:, 0], points[:, 1], self.box, self.shifts.shape)
        return points + np.stack([np.zeros(len(points)), ((across @ self.shifts) * down).sum(1)], axis=1)

    def seen_boxes(self, boxes: np.ndarray) -> np.ndarray:
        """Where boxes `(N, 4)` on the flat page are on the curled one, moved as their middles are."""
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2
        return boxes + np.tile(self.seen(middles) - middles, 2)

    def straighten(self, image: Image) -> Image:
        """The curled page made flat, `uint8` of the same shape."""
        height, width = image.shape[:2]
        # Points are counted from the edges of pixels, OpenCV's from their middles.
        x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
        across, down = _polynomials(x + 0.5, y + 0.5, self.box, self.shifts.shape)
        shifts = (self.shifts.T @ across.T).astype(np.float32)
        flat = np.empty_like(image)
        for top in range(0, height, _STRIP_PX):
            strip = slice(top, top + _STRIP_PX)
            rows = down[strip].astype(np.float32) @ shifts + y[strip, None]
            columns = np.broadcast_to(x, rows.shape)
            flat[strip] = cv2.remap(image, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return flat


def dewarp(
    page: Image, find_lines: Callable[[Image], Sequence[DetectedLine]], options: DewarpOptions = DewarpOptions()
) -> tuple[Image, Sequence[DetectedLine], Bend | None]:
    """The page made flat, its lines there and the bend it had; where none is clear, the page itself and `None`.

    Where a page bends most, lines are found in pieces or not at all. Once it is straightened they are, so the bend is
    fitted again to what stands there, taken back to where it is seen; the page is always straightened in one step.

    Args:
        page: `uint8`, `(H, W)` or `(H, W, 3)` RGB.
        find_lines: finds them in an image; lines that run up or down the page tell nothing.
        options: when a page counts as curled.
    """
    flat, lines, bend = page, find_lines(page), None
    seen = level_boxes(lines)
    for _ in range(options.rounds if max(page.shape) <= _LONGEST_PX else 0):
        found = find_bend(seen, options)
        if found is None:
            break
        bend, flat = found, found.straighten(page)
        lines = find_lines(flat)
        seen = [found.seen_boxes(boxes) for boxes in level_boxes(lines)]
    return flat, lines, bend


def level_boxes(lines: Sequence[DetectedLine]) -> list[np.ndarray]:
    """The boxes `(N, 4)` of each line that holds any and does not run up or down the page."""
    return [line.boxes for line in lines if len(line.boxes) and not line.aside]


def find_bend(lines: Sequence[np.ndarray], options: DewarpOptions = DewarpOptions()) -> Bend | None:
    """The bend that makes the lines of a page straight and level; `None` where they are not clearly bent.

    The middle of each word tells where its line runs. All lines share one polynomial in two directions, each with a
    height of its own; a robust least squares fit, its weights and the lines' heights taken from the round before.
    What is judged is how they bow, not how they lean, so a page that is only askew is left as it is.

    Args:
        lines: boxes `(N, 4)` px of the words of each line, as the detector finds them.
        options: when a page counts as curled.
    """
    sizes = [boxes[:, 3] - boxes[:, 1] for boxes in lines]
    height = float(np.median(np.concatenate(sizes))) if sizes else 0.0
    long = [
        boxes
        for boxes in lines
        if len(boxes) >= options.line_words
        and np.ptp(boxes[:, [0, 2]]) >= options.line_length * height
        and np.ptp(boxes[:, 0] + boxes[:, 2]) > 0
    ]
    if not height or sum(map(len, long)) < options.min_words:
        return None
    boxes, line = np.concatenate(long), np.repeat(np.arange(len(long)), [len(boxes) for boxes in long])
    x, y = (boxes[:, :2] + boxes[:, 2:]).T / 2
    box = np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)])
    shape = options.across, 1 + options.down
    degree = np.add.outer(np.arange(1, 1 + shape[0]), np.arange(shape[1])).ravel()
    stiffness = np.diag(options.stiffness * len(x) * degree**2)

    shift, weight = np.zeros(len(x)), np.ones(len(x))
    for _ in range(_FIT_ROUNDS):
        level = _means(y - shift, line, weight)
        across, down = _polynomials(x, level, box, shape)
        terms = (across[:, :, None] * down[:, None, :]).reshape(len(x), -1)
        free = np.stack([term - _means(term, line, weight) for term in terms.T])
        shifts = np.linalg.solve(free * weight @ free.T + stiffness, free * weight @ (y - _means(y, line, weight)))
        shift = terms @ shifts
        left = y - shift - _means(y - shift, line, weight)
        weight = 1 / (1 + (left / (options.loose * height)) ** 2)

    bow = np.abs(_off_chord(x, shift, line))
    spread = np.maximum.reduceat(bow, np.flatnonzero(np.diff(line, prepend=-1)))
    crooked, still = (np.abs(_off_chord(x, way, line)).mean() for way in (y, y - shift))
    bent = np.quantile(spread, 0.75) >= options.min_bow * height and still <= options.max_left * crooked
    return Bend(box, shifts.reshape(shape)) if bent else None


def _polynomials(
    x: np.ndarray, y: np.ndarray, box: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Legendre polynomials across `box` at `x` `(N,)`, and down it at `y` `(M,)`: `(N, P)` and `(M, Q)`."""
    x0, y0, x1, y1 = box
    across = legvander(np.clip(2 * (x - x0) / (x1 - x0) - 1, -1, 1), shape[0])[:, 1:]
    return across, legvander(np.clip(2 * (y - y0) / (y1 - y0) - 1, -1, 1), shape[1] - 1)


def _means(values: np.ndarray, line: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """For each of `values` `(N,)` the weighted mean of its line."""
    return (np.bincount(line, weight * values) / np.bincount(line, weight))[line]


def _off_chord(x: np.ndarray, y: np.ndarray, line: np.ndarray) -> np.ndarray:
    """How far each point lies below the straight line through its line's points, `(N,)`, by least squares."""
    x, y = (way - _means(way, line, np.ones(len(way))) for way in (x, y))
    return y - (np.bincount(line, x * y) / np.bincount(line, x * x))[line] * x
