"""Processes that `multiprocessing` starts."""

from __future__ import annotations

import os
from multiprocessing import parent_process
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
