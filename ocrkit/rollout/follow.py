"""What a service knows of the rollout: the last state that could be read, asked for anew every so often."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

from ocrkit.errors import OcrkitError
from ocrkit.files import write_whole
from ocrkit.rollout.state import BadState, State

_LOGGER = logging.getLogger(__name__)


class Follower:
    """Holds the state of a rollout for those who serve by it; where nobody answers, the last one stays in force.

    A state is replaced as a whole, and never by one of an earlier epoch, so that nobody serves by half of a move. One
    of the same epoch may differ: a promotion without a rollout changes the champion, and moves nothing else.

    Args:
        source: gives the state as it stands now, or raises an `OcrkitError`.
        every_s: how often it is asked, in a thread of its own; 0: only by `refresh`.
        keep: file in which the last state outlives this process; `None`: it does not.

    Raises:
        OcrkitError: nobody answers and there is no state from before.
    """

    def __init__(self, source: Callable[[], State], every_s: float = 30.0, keep: Path | None = None) -> None:
        self._source, self._keep = source, keep
        self._stop = Event()
        self._complained = False
        self.asked_at = 0.0  # of the last answer, seconds since 1970
        self.state = self._first()
        if every_s:
            Thread(target=self._run, args=(every_s,), daemon=True, name="rollout").start()

    def refresh(self) -> State:
        """Ask now; what was known stays where nobody answers, with a warning."""
        try:
            state = self._source()
        except OcrkitError as error:
            if not self._complained:
                _LOGGER.warning("%s The last known versions stay in use: %s.", error, self._told())
            self._complained = True
            return self.state
        self._complained, self.asked_at = False, time.time()
        if state.epoch >= self.state.epoch and state != self.state:
            self.state = state
            self._write(state)
        return self.state

    def close(self) -> None:
        """Ask no more."""
        self._stop.set()

    def _run(self, every_s: float) -> None:
        while not self._stop.wait(every_s):
            self.refresh()

    def _first(self) -> State:
        try:
            state = self._source()
        except OcrkitError as error:
            if (kept := self._read()) is None:
                raise
            _LOGGER.warning("%s The versions of before stay in use: %s.", error, kept.champion)
            return kept
        self.asked_at = time.time()
        self._write(state)
        return state

    def _read(self) -> State | None:
        try:
            return State.from_json(self._keep.read_text("utf-8")) if self._keep else None
        except (OSError, BadState):
            return None

    def _write(self, state: State) -> None:
        if self._keep:
            try:
                write_whole(self._keep, state.to_json() + "\n")
            except OcrkitError as error:
                _LOGGER.warning("%s After a restart the state of the rollout must be asked for anew.", error)

    def _told(self) -> str:
        return str(self.state.champion) + (f" and {self.state.challenger}" if self.state.is_running else "")
