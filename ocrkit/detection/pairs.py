"""Which boxes of a page come near each other, without comparing every one with every other."""

from __future__ import annotations

import numpy as np


def pairs_within(boxes: np.ndarray, reach: np.ndarray | float = 0) -> tuple[np.ndarray, np.ndarray]:
    """Indices of all pairs of which the second box starts between the first's start and `reach` past its end.

    Args:
        boxes: `(N, 4)` px.
        reach: px, one for all or `(N,)`.
    """
    order, count, second = _followers(boxes, reach)
    return np.repeat(order, count), order[second]


def pairs_beside(
    boxes: np.ndarray, reach: np.ndarray | float, off_px: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Those pairs of `pairs_within` that stand no more than `off_px` apart from top to foot, and how far they overlap.

    That is what `shared` tells along the second axis. Most pairs are of different lines, so they are left out first.
    """
    order, count, second = _followers(boxes, reach)
    top, bottom = np.ascontiguousarray(boxes[order][:, [1, 3]].T)
    down = np.minimum(np.repeat(bottom, count), bottom[second]) - np.maximum(np.repeat(top, count), top[second])
    near = np.flatnonzero(down >= -off_px)
    return np.repeat(order, count)[near], order[second[near]], down[near]


def _followers(boxes: np.ndarray, reach: np.ndarray | float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The boxes' indices from left to right, how many of the next ones each reaches, and the places of all these."""
    order = np.argsort(boxes[:, 0], kind="stable")
    until = np.searchsorted(boxes[order, 0], (boxes[:, 2] + reach)[order])
    count = np.maximum(until - np.arange(len(boxes)) - 1, 0)
    before = np.cumsum(count) - count
    second = np.arange(count.sum()) + np.repeat(np.arange(1, len(boxes) + 1) - before, count)
    return order, count, second


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


def components(number: int, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """For each of `number` nodes the component it is in when edges join `a` to `b`, counted by their first nodes.

    SciPy has this too, at a quarter of a second of every cold start.
    """
    first = np.arange(number)  # of the nodes known to be joined to each
    while (first[a] != first[b]).any():
        least = np.minimum(first[a], first[b])
        for end in (a, b):
            np.minimum.at(first, first[end], least)
        first = first[first]
    return (np.cumsum(of_those(number, first)) - 1)[first]


def of_those(number: int, chosen: np.ndarray) -> np.ndarray:
    """Whether each of `number` things is one of those `chosen` by their numbers, `(number,)`."""
    those = np.zeros(number, bool)
    those[chosen] = True
    return those
