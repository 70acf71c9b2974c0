"""Work that other processes do, and that does not always end well."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path


def squared(number: int, tell) -> int:
    tell(number)
    return number * number


def ended_by_odd_numbers(item: tuple[int, str], tell) -> int:
    """The process is killed by odd numbers, by 1 only the first time."""
    number, folder = item
    mark = Path(folder) / str(number)
    if number % 2 and not (number == 1 and mark.exists()):
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def threads(number: int, tell) -> tuple[int, int, int]:
    """How many threads libraries may use here, and how many there are besides this one and the one that waits."""
    import cv2

    return int(os.environ["OMP_NUM_THREADS"]), cv2.getNumThreads(), threading.active_count() - 2


def is_deaf(number: int, tell) -> bool:
    """Whether Ctrl-C has been kept from this process since it was started."""
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
