"""Whether numbers of today come from where those of the beginning came from: Kolmogorov and Smirnov on windows."""

from __future__ import annotations

from collections.abc import Sequence
from math import log, sqrt

import numpy as np


def distance(first: Sequence[float] | np.ndarray, second: Sequence[float] | np.ndarray) -> float:
    """The largest difference between the two samples' distribution functions, 0 to 1; `(N,)` and `(M,)` numbers."""
    a, b = np.sort(np.asarray(first, float)), np.sort(np.asarray(second, float))
    both = np.concatenate([a, b])
    shares = [np.searchsorted(sample, both, side="right") / len(sample) for sample in (a, b)]
    return float(np.abs(shares[0] - shares[1]).max())


def limit(first: int, second: int, alpha: float) -> float:
    """The distance that samples of these sizes from one source exceed with a chance of at most about `alpha`.

    By the asymptotic two-sample bound, Smirnov (1948); good from some twenty numbers each.
    """
    return sqrt(-log(alpha / 2) / 2 * (first + second) / (first * second))
