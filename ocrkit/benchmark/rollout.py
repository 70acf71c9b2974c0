"""What a rollout's rules do over many replays of traffic whose truth is known: false alarms, and how soon it is found.

Documents are coins here: which of two readers is better on each is drawn by known chances. So what is measured are the
rules of `ocrkit.rollout.policy`, not readers.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from math import nan
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from ocrkit.datasets import book_page
from ocrkit.engines.base import Engine
from ocrkit.engines.process import EngineProcess
from ocrkit.engines.registry import load_engine
from ocrkit.rollout import Follower, Gate, Ledger, Pin, Policy, State, Summary, Tally, bucket, decide

KINDS = {"letter": 0.4, "receipt": 0.3, "form": 0.2, "photo": 0.1}  # of the documents


@dataclass(frozen=True)
class Challenger:
    """How a made-up challenger does.

    Attributes:
        wins: chance of being the better one on a document on which the two differ.
        kinds: other chances for some kinds.
        differs: share of the documents on which they differ.
        fails: chance of giving no answer.
        empty: chance of finding no word.
        slow: chance of taking longer than the limit of the guard, where the champion's own is one in a hundred.
    """

    wins: float = 0.5
    kinds: Mapping[str, float] = field(default_factory=dict)
    differs: float = 0.3
    fails: float = 0.0
    empty: float = 0.0
    slow: float = 0.01


ALIKE = Challenger()
CHALLENGERS = {
    "alike": ALIKE,
    "better on 60 %": Challenger(0.6),
    "better on 70 %": Challenger(0.7),
    "worse on receipts only": Challenger(0.7, {"receipt": 0.3}),
    "crashing": Challenger(0.6, fails=1.0),
    "crashing on half": Challenger(0.6, fails=0.5),
    "sleeping": Challenger(0.6, slow=1.0),
    "blank on half": Challenger(0.6, empty=0.5),
}
KEYS = 100_000


@dataclass(frozen=True)
class Replay:
    """How a rollout of a made-up challenger went.

    Attributes:
        outcome: `won`, `stopped`, or `running` at the end.
        share: the largest that it had.
        documents: read by both until the end.
        differing: labelled ones on which they differed, until it was first let up; `None`: it never was.
    """

    outcome: str
    share: float
    documents: int
    differing: int | None


def replay(
    challenger: Challenger,
    policy: Policy,
    seed: int,
    days: int = 14,
    documents: int = 150,
    labelled: float = 1.0,
) -> Replay:
    """Two weeks of traffic; the rules are asked after every document, which is the most looks there can be.

    Args:
        challenger: how it does.
        policy: of the rollout.
        seed: of the coins.
        days: of the traffic.
        documents: a day, that both read.
        labelled: share of them whose truth becomes known.
    """
    r = Random(seed)
    state = State(1, Pin("ocrkit-reader", "1"), Pin("ocrkit-reader", "2"), 0, policy.shares, str(seed), 0.0)
    counts = _Counts()
    first: int | None = None
    for number in range(days * documents):
        kind = r.choices(list(KINDS), list(KINDS.values()))[0]
        counts.see(kind, challenger, r, r.random() < labelled)
        move = decide(state, counts.summary(), policy)
        if move.to == "stop":
            return Replay("stopped", state.share, number + 1, first)
        if move.to == "up":
            first = counts.differing if first is None else first
            state = state.up(0.0, move.reason)
            counts.at_step = 0
            if not state.is_running:
                return Replay("won", 1.0, number + 1, first)
    return Replay("running", state.share, days * documents, first)


def shares(runs: Sequence[Replay]) -> dict[str, float]:
    """How many replays ended how, as shares; and when those were let up or stopped, as medians."""
    stopped = [run for run in runs if run.outcome == "stopped"]
    up = [run.differing for run in runs if run.differing is not None]
    return {
        "let_up": len(up) / len(runs),
        "differing_until": median(up) if up else nan,
        "stopped": len(stopped) / len(runs),
        "below_25_%": sum(run.share < 0.25 for run in stopped) / len(runs),
        "documents_until": median(run.documents for run in stopped) if stopped else nan,
        "at_most": max((run.documents for run in stopped), default=nan),
        "won": sum(run.outcome == "won" for run in runs) / len(runs),
    }


def assigned(steps: Sequence[float]) -> dict[str, float]:
    """The share of `KEYS` keys that is in the group at each step of a rollout."""
    places = sorted(bucket("salt", str(number)) for number in range(KEYS))
    return {f"{step:g}": bisect_left(places, step) / KEYS for step in steps}


def shadow_cost(pages: int) -> dict[str, float]:
    """How long answers take with a second reader behind them, in times those without one: median and p95.

    Both gates read the book page by turns. The second reading is done by a process that yields to all others.
    """
    image = book_page().image()
    champion, challenger = Pin("ocrkit-reader", "1"), Pin("ocrkit-reader", "2")
    alone = State(1, champion, None, 0, (0.0, 1.0), "", 0.0, "won")
    shadowed = State(1, champion, challenger, 0, (0.0, 1.0), "salt", 0.0)
    times: dict[bool, list[float]] = {False: [], True: []}
    with TemporaryDirectory() as folder, ExitStack() as stack:
        gates = {}
        for state in (alone, shadowed):
            ledger, follower = Ledger(Path(folder)), Follower(lambda state=state: state, every_s=0)  # type: ignore[misc]
            gates[state is shadowed] = stack.enter_context(closing(Gate(follower, _load, ledger, Policy())))
        for gate in gates.values():
            gate.read(image, "warm up")
            gate.wait()
        for number in range(2 * pages):
            which = bool((number + number // 2) % 2)
            begun = time.perf_counter()
            gates[which].read(image, str(number))
            times[which].append(time.perf_counter() - begun)
            # Documents do not come faster than they are read, or the second readings would be left out.
            gates[which].wait() if number % 4 == 3 else None
    ratio = [float(np.quantile(times[True], q) / np.quantile(times[False], q)) for q in (0.5, 0.95)]
    return {"answers": pages, "median": ratio[0], "p95": ratio[1]}


def _load(pin: Pin, role: str) -> Engine:
    if role == "shadow":
        return EngineProcess(_yielding)
    return load_engine("ours")


def _yielding() -> Engine:
    os.nice(19)
    return load_engine("ours")


class _Counts:
    """What the ledger would have counted."""

    def __init__(self) -> None:
        self.at_step = self.documents = self.differing = self.answered = self.slow = 0
        self.kinds: dict[str, int] = {}
        self.tallies: dict[str, dict[str, Tally]] = {"verdicts": {}, "failures": {}, "empties": {}}

    def see(self, kind: str, challenger: Challenger, r: Random, labelled: bool) -> None:
        self.documents += 1
        self.at_step += 1
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        failed = r.random() < challenger.fails
        self._add("failures", kind, -int(failed))
        if failed:
            return
        self.answered += 1
        self.slow += r.random() < challenger.slow
        empty = r.random() < challenger.empty
        self._add("empties", kind, -int(empty))
        if labelled:
            differs = r.random() < challenger.differs
            self.differing += differs
            better = r.random() < challenger.kinds.get(kind, challenger.wins)
            self._add("verdicts", kind, (1 if better else -1) if differs else 0)

    def summary(self) -> Summary:
        return Summary(
            at_step=self.at_step,
            kinds=self.kinds,
            verdicts=self.tallies["verdicts"],
            failures=self.tallies["failures"],
            empties=self.tallies["empties"],
            slow=(self.slow, self.answered),
            slow_s=1.0,
        )

    def _add(self, what: str, kind: str, outcome: int) -> None:
        tally = Tally(int(outcome > 0), int(outcome < 0), int(outcome == 0))
        self.tallies[what][kind] = self.tallies[what].get(kind, Tally()) + tally
