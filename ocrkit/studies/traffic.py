"""Two weeks of made-up traffic for a rollout: real gates, ledgers and rules, over pages that are read once each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from ocrkit.datasets import LabelledPage
from ocrkit.document import Image, Page
from ocrkit.engines.base import Engine, EngineFailed
from ocrkit.engines.compare import score_page
from ocrkit.rollout import Follower, Gate, Ledger, Pin, Policy, State, decide
from ocrkit.rollout.ledger import pseudonym
from ocrkit.studies.figures import Evidence

_DAY_S = 86_400.0
_CHAMPION, _CHALLENGER = Pin("ocrkit-reader", "1"), Pin("ocrkit-reader", "2")


class Remembering(Engine):
    """An engine that reads each picture once and remembers what it read.

    Args:
        engine: that reads.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, self._read = engine, dict[int, tuple[Image, Page]]()
        self.name, self.version = engine.name, engine.version

    def read(self, image: Image) -> Page:
        """The words of a page; the picture is known by being the same object."""
        if id(image) not in self._read:
            self._read[id(image)] = image, self._engine.read(image)
        return self._read[id(image)][1]


class Losing(Remembering):
    """Loses every second word of some pictures: a challenger that is worse on one kind of document.

    Args:
        engine: that reads.
        pictures: on which it loses words; told by being the same objects.
    """

    def __init__(self, engine: Engine, pictures: Sequence[Image]) -> None:
        super().__init__(engine)
        self._pictures = {id(picture) for picture in pictures}

    def read(self, image: Image) -> Page:
        """The words of a page, or half of them."""
        page = super().read(image)
        if id(image) not in self._pictures:
            return page
        lines = (replace(line, words=line.words[::2]) for line in page.lines)
        return replace(page, lines=tuple(line for line in lines if line.words))


class Crashing(Remembering):
    """Gives no answer from a certain document on.

    Args:
        engine: that reads.
        after: documents.
    """

    def __init__(self, engine: Engine, after: int) -> None:
        super().__init__(engine)
        self._left = after

    def read(self, image: Image) -> Page:
        """The words of a page, while it lasts."""
        self._left -= 1
        if self._left < 0:
            raise EngineFailed("It crashed.")
        return super().read(image)


@dataclass(frozen=True)
class Story:
    """How two weeks went.

    Attributes:
        days: one row a day: the stage at its end, documents, how many the challenger answered.
        moves: one row a move: the day, the stage it led to, and why.
        lost: documents with words for which an answer without any was given.
        evidence: to be drawn.
    """

    days: tuple[Mapping[str, float | str], ...]
    moves: tuple[Mapping[str, float | str], ...]
    lost: int
    evidence: Evidence


def replay(
    pages: Sequence[LabelledPage],
    images: Mapping[str, Image],
    engines: Mapping[str, Engine],
    policy: Policy,
    folder: Path,
    days: int = 14,
    documents: int = 60,
    look_every: int = 10,
    seed: int = 0,
) -> Story:
    """Serve made-up traffic by a rollout, and let the policy look at it every few documents.

    Args:
        pages: of which every document is one; the truth of each becomes known.
        images: of the pages, by their ids.
        engines: `champion` and `challenger`; read each page again and again, so they should remember.
        policy: of the rollout.
        folder: for its ledger.
        days: of the traffic, which ends with the rollout.
        documents: a day.
        look_every: documents between two looks.
        seed: of the traffic.
    """
    r, now = Random(seed), [0.0]
    better = {page.id: _better(page, images[page.id], engines) for page in pages}
    state = [State(1, _CHAMPION, _CHALLENGER, 0, policy.shares, f"traffic {seed}", 0.0)]
    by_pin = {_CHAMPION: engines["champion"], _CHALLENGER: engines["challenger"]}
    follower, ledger = Follower(lambda: state[0], every_s=0), Ledger(folder)
    rows: list[dict[str, float | str]] = []
    lost = 0
    ledger.moved(state[0].salt, 0, state[0].stage, "running", "The challenger is tried.", 0.0)
    # Remembered readings take no time that could be compared, so the timer stands still and every replay is the same.
    gate = Gate(follower, lambda pin, _: by_pin[pin], ledger, policy, clock=lambda: now[0], timer=lambda: 0.0)
    with closing(gate):
        for day in range(days):
            answered = 0
            for number in range(documents):
                now[0] = (day + number / documents) * _DAY_S
                page, key = r.choice(pages), f"{day}/{number}"
                gate.wait_until_loaded()  # so that every replay is the same
                served = gate.read(images[page.id], key, page.category)
                gate.wait()
                answered += served.role == "challenger"
                lost += not served.page.words and bool(page.texts)
                if state[0].is_running:
                    name = pseudonym(state[0].salt, key)
                    ledger.judge(state[0].salt, name, page.category, better[page.id], now[0])
                    if number % look_every == look_every - 1:
                        state[0] = _looked(state[0], ledger, policy, now[0])
                        follower.refresh()
            rows.append({"day": day + 1, "stage": state[0].stage, "documents": documents, "challenger": answered})
            if not state[0].is_running:
                break
    return Story(tuple(rows), tuple(_told(ledger, state[0].salt)), lost, evidence_of(ledger, state[0].salt, policy))


def evidence_of(ledger: Ledger, rollout: str, policy: Policy) -> Evidence:
    """What the ledger knows of a rollout, to be drawn."""
    return Evidence(
        verdicts=tuple(ledger.verdicts(rollout)),
        moves=tuple((at, stage, outcome) for at, _, stage, outcome, _ in ledger.moves(rollout)),
        guards=tuple(ledger.harm(rollout)),
        alpha=policy.alpha,
        guard_alpha=policy.guard_alpha,
    )


def _looked(state: State, ledger: Ledger, policy: Policy, now: float) -> State:
    move = decide(state, ledger.summary(state.salt, state.step, policy.slower, policy.drift_alpha), policy)
    if move.to == "stay":
        return state
    new = state.stopped(now, move.reason) if move.to == "stop" else state.up(now, move.reason)
    ledger.moved(new.salt, new.step, new.stage, new.outcome, new.reason, now)
    return new


def _told(ledger: Ledger, rollout: str) -> list[dict[str, float | str]]:
    moves = ledger.moves(rollout)
    return [
        {"days_since_start": round(at / _DAY_S, 1), "to": stage, "why": reason} for at, _, stage, _, reason in moves
    ]


def _better(page: LabelledPage, image: Image, engines: Mapping[str, Engine]) -> int:
    f1 = {}
    for role, engine in engines.items():
        try:
            found: Page | str = engine.read(image)
        except EngineFailed as error:
            found = str(error)
        f1[role] = score_page(role, page, found, 0.0).words.f1
    return (f1["challenger"] > f1["champion"]) - (f1["challenger"] < f1["champion"])
