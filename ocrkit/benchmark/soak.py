"""Many pages in one process: does memory stay flat, and speed what it was?"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

WARM_UP = 50  # pages until every shape has been seen


@dataclass(frozen=True, eq=False)
class Soak:
    """A page after another in one process.

    Attributes:
        resident_mb: memory after each page, `(N,)`.
        cpu_seconds: of processor time for each, `(N,)`.
        period: after so many pages the same ones come again.
    """

    resident_mb: np.ndarray
    cpu_seconds: np.ndarray
    period: int

    @property
    def growth(self) -> float:
        """Most memory after the first `WARM_UP` pages over the most until then, less 1."""
        return float(self.resident_mb[WARM_UP:].max() / self.resident_mb[:WARM_UP].max()) - 1

    @property
    def slowdown(self) -> float:
        """Median, over the pages, of the time in the second half of all rounds over that in the first, less 1."""
        rounds = self.cpu_seconds[: len(self.cpu_seconds) // self.period * self.period].reshape(-1, self.period)
        first, second = np.array_split(rounds, 2)
        return float(np.median(np.median(second, 0) / np.median(first, 0))) - 1


def soak(read: Callable[[Path], object], files: Sequence[Path], pages: int, shown: Callable[[int], object]) -> Soak:
    """Read `files` in turn, again and again, until `pages` are done.

    Args:
        read: what reads one.
        files: fewer than half of `pages`, so that each is read twice.
        pages: more than `WARM_UP`.
        shown: called with 1 after each page.
    """
    memory, seconds = [], []
    for number in range(pages):
        begun = time.process_time()
        read(files[number % len(files)])
        seconds.append(time.process_time() - begun)
        memory.append(resident_mb())
        shown(1)
    return Soak(np.array(memory), np.array(seconds), len(files))


def resident_mb() -> float:
    """Memory this process holds now, as Linux tells it."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
