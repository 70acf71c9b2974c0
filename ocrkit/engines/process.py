"""An engine in a process of its own: its memory can be told, and it can be stopped when it hangs."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

from ocrkit.document import Image, Page
from ocrkit.engines.base import NO_STEPS, Engine, EngineFailed
from ocrkit.errors import OcrkitError
from ocrkit.processes import end_with_parent

_START_S = 120.0  # for the imports and models of an engine


class EngineProcess(Engine):
    """Works like the engine that `make` makes, which it starts at once and again after each end.

    Args:
        make: gives the engine; sent to the process, so of importable functions and plain values.
        timeout_s: for a page; for crops a second more each.

    Raises:
        OcrkitError: what `make` raises.
        EngineFailed: the process ended, or did not start in time.
    """

    def __init__(self, make: Callable[[], Engine], timeout_s: float = 60.0) -> None:
        self.timeout_s = timeout_s
        self.peak_mb = 0.0
        self._make = make
        self._start()

    def read(self, image: Image) -> Page:
        """The words of a page image, without any pixels."""
        self.steps = NO_STEPS
        page, self.steps = self._ask("read", image, self.timeout_s)
        return page

    def recognize(self, crops: Sequence[Image]) -> list[str]:
        """The text of each word crop."""
        texts = self._ask("recognize", list(crops), self.timeout_s + len(crops))
        if len(texts) != len(crops):
            raise EngineFailed(f"It gave {len(texts)} texts for {len(crops)} words.")
        return texts

    def close(self) -> None:
        """End the process, and what it has started itself."""
        self._connection.close()
        with suppress(ProcessLookupError):
            os.killpg(cast(int, self._process.pid), signal.SIGKILL)
        self._process.kill()  # it may not have become the head of its group yet
        self._process.join()

    def _start(self) -> None:
        # A fork would take over this process's memory, and the locks of its threads.
        context = get_context("spawn")
        self._connection, its = context.Pipe()
        self._process = context.Process(target=_serve, args=(its, self._make), daemon=True)
        self._process.start()
        its.close()
        try:
            self.name, self.version, self.usd_per_page, self.model, self.is_private = self._answer(_START_S)
        except OcrkitError:
            self.close()
            raise

    def _ask(self, task: str, argument: Any, timeout_s: float) -> Any:
        if not self._process.is_alive():
            self._start()
        self._connection.send((task, argument))
        return self._answer(timeout_s)

    def _answer(self, timeout_s: float) -> Any:
        try:
            if not self._connection.poll(timeout_s):
                self.close()
                raise EngineFailed(f"It took longer than {timeout_s:g} s and was stopped.")
            answer, peak_mb = self._connection.recv()
        except (EOFError, ConnectionError):
            self.close()
            raise EngineFailed(f"Its process ended unexpectedly, with status {self._process.exitcode}.") from None
        self.peak_mb = max(self.peak_mb, peak_mb)
        if isinstance(answer, Exception):
            raise answer
        return answer


def _serve(connection: Connection, make: Callable[[], Engine]) -> None:
    """What the process does: make the engine, then answer what it is asked until nobody is left to ask."""
    end_with_parent()
    os.setsid()  # the head of a group, which is ended with all programs that it has started
    engine: Engine | None = None
    task, argument = "", cast(Any, None)
    answer: Any
    with suppress(EOFError, ConnectionError):
        while True:
            try:
                if engine is None:
                    engine = make()
                    answer = engine.name, engine.version, engine.usd_per_page, engine.model, engine.is_private
                elif task == "read":
                    page = engine.read(argument)
                    if not isinstance(page, Page):
                        raise TypeError(f"it gave a {type(page).__name__} where a Page is wanted")
                    answer = replace(page, image=None, original=None), dict(engine.steps)
                else:
                    answer = engine.recognize(argument)
            except OcrkitError as error:
                answer = error
            except Exception as error:  # a class that the other side may not know
                answer = EngineFailed(f"{type(error).__name__}: {error}")
            connection.send((answer, _peak_mb()))
            task, argument = connection.recv()


def _peak_mb() -> float:
    """The most memory that this process held, and the largest program it started, MB."""
    # Not from `getrusage`, which starts with what the process that started this one held.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    own_kb = int(status["VmHWM"].split()[0])
    return (own_kb + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024
