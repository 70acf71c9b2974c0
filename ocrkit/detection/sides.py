"""Where letters begin and end for the gaps between them: without what hangs below the line; and gaps with a rule.

The hook of a j reaches under the word before it as far as a narrow space is wide, and the tail of a Q under the one
behind it; their letters stand as far off as any others do.
"""

from __future__ import annotations

import cv2
import numpy as np

from ocrkit.detection.options import DetectorOptions

_CROSSED = 0.9  # of two letters' height, that an upright rule between them covers, at least
_AROUND = np.array([-2, -1, 1, 2])  # letters; one beside another may hang, or be the stroke of an exclamation mark


def standing_sides(
    boxes: np.ndarray, letter: np.ndarray, line: np.ndarray, ink: np.ndarray, options: DetectorOptions
) -> np.ndarray:
    """Left and right side `(N, 2)` px of what of each box stands on its line or above it.

    Args:
        boxes: `(N, 4)` px, of connected parts of `ink`.
        letter: `(N,)`, false for punctuation, which tells no line.
        line: `(N,)` line numbers, -1 for none, whose boxes keep their sides.
        ink: `uint8` mask, `(H, W)`.
        options: `level`, `hanging` and `hook` matter here.
    """
    sides = boxes[:, [0, 2]].copy()
    order = np.lexsort((boxes[:, 0], line))
    order = order[letter[order] & (line[order] >= 0)]
    height = (boxes[:, 3] - boxes[:, 1])[order]
    baseline = _feet_around(boxes[order, 3], line[order])
    below = boxes[order, 3] - baseline
    hangs = (below > options.level * height + 1) & (below <= options.hanging * height)
    for i, foot in zip(order[hangs].tolist(), baseline[hangs].tolist()):
        x0, y0, x1, y1 = np.floor(boxes[i, :2]).astype(int).tolist() + np.ceil(boxes[i, 2:]).astype(int).tolist()
        _, parts, found, _ = cv2.connectedComponentsWithStats(ink[y0:y1, x0:x1], connectivity=8)
        own = 1 + np.flatnonzero((found[1:, 2:4] == [x1 - x0, y1 - y0]).all(1))
        # A px of blur below the line is of what stands on it.
        standing = np.flatnonzero((parts[: round(foot) + 1 - y0] == own[:1]).any(0)) if len(own) else own
        if len(standing):
            beyond = np.array([standing[0], x1 - x0 - 1 - standing[-1]])
            sides[i] += np.where(beyond >= options.hook * (y1 - y0), beyond, 0) * [1, -1]
    return sides


def _feet_around(feet: np.ndarray, line: np.ndarray) -> np.ndarray:
    """The median in px of the feet of the letters around each one, `(N,)`, its own where it is alone on its line.

    Letters stand line after line, and from left to right; `feet` and `line` are theirs.
    """
    place = np.arange(len(feet))
    nearest = place + _AROUND[:, None]
    known = (nearest >= 0) & (nearest < len(feet))
    nearest = np.where(known, nearest, place)
    known &= line[nearest] == line
    around = np.where(known, feet[nearest], np.nan)
    around[:, ~known.any(0)] = feet[~known.any(0)]
    return np.nanmedian(around, axis=0)


def rules_between(boxes: np.ndarray, line: np.ndarray, rules: np.ndarray) -> np.ndarray:
    """Width in px of the upright rule between each box and the next of its line, `(N,)`; 0 for none.

    It ends a table's cell: a number at the end of one may stand closer to what the next begins with than two words do.

    Args:
        boxes: `(N, 4)` px, line after line and from left to right.
        line: `(N,)` line numbers.
        rules: `uint8` mask, `(H, W)`.
    """
    after = np.flatnonzero(np.diff(line) == 0)
    # As boxes end within a pixel, that may be a rule's.
    x0, y0, x1, y1 = boxes.T
    whole = np.stack([np.floor(x0) + 1, np.floor(y0), np.ceil(x1) - 1, np.ceil(y1)], 1)
    whole = np.clip(whole, 0, np.tile(rules.shape[::-1], 2)).astype(int)
    before, behind = whole[after], whole[after + 1]
    top, foot = np.minimum(before[:, 1], behind[:, 1]), np.maximum(before[:, 3], behind[:, 3])
    left, right = before[:, 2], np.maximum(behind[:, 0], before[:, 2])
    least = np.maximum(_CROSSED * (foot - top), 1)
    ink = cv2.integral((rules > 0).astype(np.uint8))
    some = ink[foot, right] - ink[top, right] - ink[foot, left] + ink[top, left] >= least
    widths = np.zeros(len(boxes))
    for i in np.flatnonzero(some).tolist():
        across = np.count_nonzero(rules[top[i] : foot[i], left[i] : right[i]], axis=1)
        if np.count_nonzero(across) >= least[i]:
            widths[after[i]] = np.median(across[across > 0])
    return widths
