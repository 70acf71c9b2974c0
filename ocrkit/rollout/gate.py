"""Who reads a document: the champion, or, for a growing share of them, the challenger; the other reads it afterwards.

The answer that is given never waits for the second reading, and never suffers from the challenger: where it fails or is
too slow, the champion reads instead.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue
from threading import Event, Lock, Thread
from typing import Literal, Protocol

from ocrkit.document import Image, Page
from ocrkit.errors import OcrkitError
from ocrkit.rollout.assign import in_group
from ocrkit.rollout.follow import Follower
from ocrkit.rollout.ledger import Ledger, Numbers, Observation, pseudonym
from ocrkit.rollout.policy import Policy
from ocrkit.rollout.state import Pin, State

_LOGGER = logging.getLogger(__name__)

_NOT_LOADED = "the challenger was not loaded yet"
_TOO_MANY = "too many waited for their second reading"

Role = Literal["champion", "challenger"]


class PageReader(Protocol):
    """What reads pages, such as an `ocrkit.engines.Engine`; its method `close`, if it has one, is called at the end."""

    def read(self, image: Image) -> Page:
        """The words of a page image, or an `OcrkitError`."""
        ...


# Gives the engine of a pin: "serve" to answer with, "shadow" to read again with, which should yield to all else.
Load = Callable[[Pin, Literal["serve", "shadow"]], PageReader]


@dataclass(frozen=True)
class Served:
    """An answer, and who gave it.

    Attributes:
        page: what was read.
        pin: the version that read it, to be written into the result.
        role: of it in the rollout.
        epoch: of the state it was served by.
        seconds: for reading.
    """

    page: Page
    pin: Pin
    role: Role
    epoch: int
    seconds: float


@dataclass(frozen=True)
class _Second:
    """A document that waits for its second reading."""

    state: State
    key: str
    kind: str
    image: Image
    role: Role
    page: Page
    seconds: float


def by_share(state: State, key: str) -> bool:
    """Whether the challenger reads for a key by the state's own share."""
    return in_group(state.salt, key, state.share)


class Gate:
    """Reads documents by the state of a rollout.

    Args:
        follower: knows the state.
        load: gives engines; a challenger's should be a process of its own that is stopped when it takes too long, such
            as `ocrkit.engines.start_engine` makes.
        ledger: where the numbers of documents go that both have read.
        policy: says how many documents may wait for their second reading.
        chosen: whether the challenger reads for a key; by the state's share, if not otherwise by
            `ocrkit.rollout.flags.assignment`.
        clock: seconds since 1970, that comparisons are dated by.
        timer: seconds, that readings are timed by.

    Raises:
        OcrkitError: the champion cannot be loaded.
    """

    def __init__(
        self,
        follower: Follower,
        load: Load,
        ledger: Ledger,
        policy: Policy,
        chosen: Callable[[State, str], bool] = by_share,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._follower, self._load, self._ledger, self._chosen = follower, load, ledger, chosen
        self._clock, self._timer = clock, timer
        self._engines: dict[tuple[Pin, str], PageReader] = {}
        self._broken: dict[tuple[Pin, str], str] = {}
        self._waiting: Queue[_Second] = Queue(policy.backlog)
        self._skipped: Counter[tuple[str, str]] = Counter()
        self._stop, self._reading = Event(), Lock()
        self._champion = follower.state.champion
        self._engines[self._champion, "serve"] = load(self._champion, "serve")
        self._thread = Thread(target=self._run, daemon=True, name="shadow")
        self._thread.start()

    def read(self, image: Image, key: str, kind: str = "other") -> Served:
        """Read a page image, `uint8` `(H, W)` or `(H, W, 3)` RGB, and say who did.

        Args:
            image: the page.
            key: of its user, device or document; the same key gets the same reader at each step.
            kind: of document, such as `receipt`: letters, digits, `_` and `-`.

        Raises:
            OcrkitError: the champion could not read it.
        """
        state = self._follower.state
        with self._reading:
            wanted = state.is_running and state.share > 0 and self._chosen(state, key)
            served = self._by_challenger(state, image, key, kind) if wanted else None
            if served is None:
                served = self._by_champion(state, image)
                if not wanted:
                    self._offer(state, key, kind, image, served)
        return served

    def wait(self) -> None:
        """Until every document that waits has been read again."""
        self._waiting.join()

    def wait_until_loaded(self) -> None:
        """Until everything that the state names is loaded, or is known not to load."""
        while any(name not in self._engines and name not in self._broken for name in _needed(self._follower.state)):
            time.sleep(0.005)

    def close(self) -> None:
        """Stop all engines; what waits for its second reading is left out."""
        self._stop.set()
        self._thread.join()
        self._count_skipped()
        for engine in self._engines.values():
            _close(engine)

    def _by_champion(self, state: State, image: Image) -> Served:
        pin = self._present_champion(state)
        page, seconds = self._timed(self._engines[pin, "serve"], image)
        return Served(page, pin, "champion", state.epoch, seconds)

    def _by_challenger(self, state: State, image: Image, key: str, kind: str) -> Served | None:
        """Its answer; `None` where it gave none, which counts against it, or is not loaded yet, which does not."""
        pin = state.challenger
        assert pin is not None, "a rollout that runs has a challenger"
        engine, broken = self._engines.get((pin, "serve")), self._broken.get((pin, "serve"))
        if engine is None and broken is None:
            self._skipped[state.salt, _NOT_LOADED] += 1
            return None
        begun = self._timer()
        try:
            page, seconds = self._timed(engine, image, broken)
        except Exception:  # whatever a challenger does, its document is read
            failed = Numbers(self._timer() - begun, failed=True)
            champion = self._by_champion(state, image)
            numbers = Numbers.of(champion.page, champion.seconds)
            self._keep(state, key, kind, "champion", numbers, failed, len(champion.page.words))
            return champion
        served = Served(page, pin, "challenger", state.epoch, seconds)
        self._offer(state, key, kind, image, served)
        return served

    def _present_champion(self, state: State) -> Pin:
        """The pin to serve with: a new champion's as soon as it is loaded, until then the last one's."""
        if (state.champion, "serve") in self._engines:
            self._champion = state.champion
        return self._champion

    def _offer(self, state: State, key: str, kind: str, image: Image, served: Served) -> None:
        if not state.is_running:
            return
        second = _Second(state, key, kind, image, served.role, served.page, served.seconds)
        try:
            self._waiting.put_nowait(second)
        except Full:
            self._skipped[state.salt, _TOO_MANY] += 1

    def _run(self) -> None:
        """Load what the state names, and read again what waits."""
        while not self._stop.is_set():
            self._load_all()
            self._count_skipped()
            try:
                second = self._waiting.get(timeout=0.2)
            except Empty:
                continue
            try:
                self._read_again(second)
            except OcrkitError as error:
                _LOGGER.warning("A document could not be compared: %s", error)
            finally:
                self._waiting.task_done()

    def _load_all(self) -> None:
        wanted = _needed(self._follower.state)
        for name in wanted:
            if name not in self._engines and name not in self._broken:
                try:
                    self._engines[name] = self._load(*name)  # type: ignore[arg-type]
                except Exception as error:  # an engine of another package may raise anything
                    self._broken[name] = str(error)
                    _LOGGER.warning("%s cannot be loaded: %s", name[0], error)
        for name in [name for name in self._engines if name not in wanted and name != (self._champion, "serve")]:
            with self._reading:  # nobody reads with it at this moment, and from now on nobody finds it
                engine = self._engines.pop(name)
            _close(engine)

    def _read_again(self, second: _Second) -> None:
        state, other = second.state, second.state.challenger if second.role == "champion" else second.state.champion
        assert other is not None, "nothing waits where there is no challenger"
        mine = Numbers.of(second.page, second.seconds)
        begun = self._timer()
        differing = mine.words
        engine, broken = self._engines.get((other, "shadow")), self._broken.get((other, "shadow"))
        if engine is None and broken is None:
            self._skipped[state.salt, _NOT_LOADED] += 1
            return
        try:
            page, seconds = self._timed(engine, second.image, broken)
            its = Numbers.of(page, seconds)
            differing = _differing(second.page, page)
        except Exception:  # likewise
            its = Numbers(self._timer() - begun, failed=True)
        champion, challenger = (mine, its) if second.role == "champion" else (its, mine)
        self._keep(state, second.key, second.kind, second.role, champion, challenger, differing)

    def _keep(
        self, state: State, key: str, kind: str, role: Role, champion: Numbers, challenger: Numbers, differing: int
    ) -> None:
        name, now = pseudonym(state.salt, key), self._clock()
        seen = Observation(name, state.step, kind, role, champion, challenger, differing, now)
        try:
            self._ledger.observe(state.salt, seen)
        except OcrkitError as error:  # an answer must not be lost with its numbers
            _LOGGER.warning("A comparison was not kept: %s", error)

    def _timed(self, engine: PageReader | None, image: Image, broken: str | None = None) -> tuple[Page, float]:
        """What an engine reads, and how long it took; one that could not be loaded fails with the reason."""
        if engine is None:
            raise OcrkitError(broken or _NOT_LOADED)
        begun = self._timer()
        page = engine.read(image)
        return page, self._timer() - begun

    def _count_skipped(self) -> None:
        while self._skipped:
            (salt, why), count = self._skipped.popitem()
            with suppress(OcrkitError):
                self._ledger.skip(salt, why, count)


def _needed(state: State) -> list[tuple[Pin, str]]:
    """The engines that a state needs, each for its role."""
    needed = [(state.champion, "serve")]
    if state.is_running and state.challenger:
        needed.append((state.challenger, "shadow"))
        if state.share > 0:
            needed += [(state.challenger, "serve"), (state.champion, "shadow")]
    return needed


def _differing(first: Page, second: Page) -> int:
    """Words that one page has and the other has not, as multisets."""
    a, b = (Counter(word.text for word in page.words) for page in (first, second))
    return (a - b).total() + (b - a).total()


def _close(engine: PageReader) -> None:
    close = getattr(engine, "close", None)
    if close:
        close()
