"""Processes: those that `multiprocessing` starts, and whether one that another process began is there still."""

from __future__ import annotations

import os
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread


def end_with_parent() -> None:
    """Let this process end with the one that started it, however that ends; call it first in a worker.

    A worker that waits for tasks would not notice otherwise: it holds the other end of its queue itself.
    """
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def name() -> str:
    """A name for this process that no other has, on any machine and at any time; empty where the system has none."""
    return _name_of(os.getpid())


def has_ended(name: str) -> bool:
    """Whether the process of a name has certainly ended; nobody can tell of another machine, container or boot."""
    try:
        place, number, _ = name.split()
        if place != _place():
            return False
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError):
        return False
    now = _name_of(int(number))
    return bool(now) and now != name


def _name_of(number: int) -> str:
    """Its number, between what the numbers are counted in and what tells it from later ones of the same number."""
    try:
        state, *fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        return f"{_place()} {number} {'ended' if state in 'ZX' else fields[18]}"  # when it began
    except OSError:  # gone, closed to us, or no Linux
        return ""


def _place() -> str:
    """The boot of this machine, and the space of process numbers in it that this process sees."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
