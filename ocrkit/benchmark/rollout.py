"""What a rollout's rules do over many replays of traffic whose truth is known: false alarms, and how soon it is found.

Documents are coins here: which of two readers is better on each is drawn by known chances. So what is measured are the
rules of `ocrkit.rollout.policy`, not readers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import median

from ocrkit.rollout.evidence import Tally
from ocrkit.rollout.ledger import Summary
from ocrkit.rollout.policy import Policy, decide
from ocrkit.rollout.state import Pin, State

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


@dataclass(frozen=True)
class Replay:
    """How a rollout of a made-up challenger went.

    Attributes:
        outcome: `won`, `stopped`, or `running` at the end.
        shares: the largest share that it had.
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
            state = _up(state)
            counts.at_step = 0
            if state.share == 1:
                return Replay("won", 1.0, number + 1, first)
    return Replay("running", state.share, days * documents, first)


def shares(challenger: Challenger, policy: Policy, seeds: Sequence[int], **traffic: float) -> dict[str, float]:
    """How many of the replays end how, as shares; and the medians of those that were let up or stopped."""
    runs = [replay(challenger, policy, seed, **traffic) for seed in seeds]  # type: ignore[arg-type]
    stopped = [run for run in runs if run.outcome == "stopped"]
    up = [run.differing for run in runs if run.differing is not None]
    return {
        "let up": len(up) / len(runs),
        "won": sum(run.outcome == "won" for run in runs) / len(runs),
        "stopped": len(stopped) / len(runs),
        "stopped before 25 %": sum(run.share < 0.25 for run in stopped) / len(runs),
        "differing documents until let up, median": median(up) if up else float("nan"),
        "documents until stopped, median": median(run.documents for run in stopped) if stopped else float("nan"),
        "documents until stopped, most": max((run.documents for run in stopped), default=float("nan")),
    }


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


def _up(state: State) -> State:
    from dataclasses import replace

    return replace(state, epoch=state.epoch + 1, step=state.step + 1)
