"""Which boxes of a page come near each other, without comparing every one with every other."""

from __future__ import annotations

import numpy as np


def pairs_within(boxes: np.ndarray, reach: np.ndarray | float = 0) -> tuple[np.ndarray, np.ndarray]:
    """Indices of all pairs of which the second box starts between the first's start and `reach` past its end.

    Args:
        boxes: `(N, 4)` px.
        reach: px, one for all or `(N,)`.
    """
    order = np.argsort(boxes[:, 0], kind="stable")
    until = np.searchsorted(boxes[order, 0], (boxes[:, 2] + reach)[order])
    count = np.maximum(until - np.arange(len(boxes)) - 1, 0)
    first = np.repeat(np.arange(len(boxes)), count)
    second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
    return order[first], order[second]


def shared(boxes: np.ndarray, first: np.ndarray, second: np.ndarray, axis: int) -> np.ndarray:
    """Length in px that the two boxes of each pair have in common along `axis` (0 = x); negative is the gap."""
    start, end = np.ascontiguousarray(boxes[:, [axis, 2 + axis]].T)
    return np.minimum(end[first], end[second]) - np.maximum(start[first], start[second])


def clashes(boxes: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Indices of all pairs that have more than `share` of the smaller one's area in common."""
    first, second = pairs_within(boxes)
    across, down = (shared(boxes, first, second, axis) for axis in (0, 1))
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    clash = (down > 0) & (across * down > share * np.minimum(area[first], area[second]))
    return first[clash], second[clash]
