"""What lets a challenger rise, and what sends it back at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, log
from typing import Annotated, Literal

from ocrkit.errors import BadParams
from ocrkit.options import options_class
from ocrkit.rollout.evidence import Tally, chance_of_losses, log_e_share
from ocrkit.rollout.ledger import Summary
from ocrkit.rollout.state import State, percent
from ocrkit.values import Count, Positive, Whole, Within

ALL = "all kinds"


@options_class
class Policy:
    """How a rollout goes.

    Attributes:
        shares: of the documents, that the challenger answers at each step; the first is 0, shadow, the last is 1.
        documents: that both must have read at a step before the next.
        alpha: chance that a challenger which is no better is ever let up, however often it is looked at.
        kind_documents: labelled ones that every kind needs for the first step up, twice as many for the second, and so
            on; a kind that fewer than one document in twenty is of needs none.
        doubt: the way up waits while a kind has so many losses that a draw would show them less often than this.
        slower: how many times the champion's p95 the challenger's may be.
        timeout_s: for a page, after which a reader has failed on it.
        guard_alpha: chance of error of each guard over all looks.
        drift_alpha: chance of error, at each look, of all comparisons of distributions together.
        backlog: documents that may wait for their second reading; beyond it they are only served.
    """

    shares: tuple[float, ...] = (0.0, 0.01, 0.05, 0.25, 1.0)
    documents: Count = 50
    alpha: Annotated[float, Within(gt=0, lt=1)] = 0.05
    kind_documents: Whole = 20
    doubt: Annotated[float, Within(gt=0, le=0.5)] = 0.2
    slower: Positive = 1.5
    timeout_s: Positive = 60.0
    guard_alpha: Annotated[float, Within(gt=0, lt=1)] = 0.05
    drift_alpha: Annotated[float, Within(gt=0, lt=1)] = 0.001
    backlog: Count = 8

    def __post_init__(self) -> None:
        """A policy that leaves shadow out, goes down, or never ends would not be safe, or no rollout."""
        if len(self.shares) < 2 or self.shares[0] != 0:
            raise BadParams(f"rollout.shares must begin with 0, which is shadow, not with {self.shares[:1]}.")
        if any(after <= before for before, after in zip(self.shares, self.shares[1:])) or self.shares[-1] != 1:
            raise BadParams(f"rollout.shares must rise up to 1, which is everybody, unlike {list(self.shares)}.")


@dataclass(frozen=True)
class Check:
    """One rule, whether it is kept, and by which numbers."""

    rule: str
    passed: bool
    finding: str


@dataclass(frozen=True)
class Move:
    """What is next.

    Attributes:
        to: `up` a step, `stay`, or `stop`, which gives everything back to the champion.
        checks: every rule that was looked at.
    """

    to: Literal["up", "stay", "stop"]
    checks: tuple[Check, ...]

    @property
    def reason(self) -> str:
        """The rules that decided, for people."""
        if self.to == "up":
            return "Every rule for the next step is kept."
        return f"Not kept: {'; '.join(f'{check.rule} ({check.finding})' for check in self.broken)}."

    @property
    def broken(self) -> list[Check]:
        """The rules that are not kept."""
        return [check for check in self.checks if not check.passed]


def decide(state: State, seen: Summary, policy: Policy) -> Move:
    """What is next for a rollout that runs: a guard stops it; only evidence on labelled documents lets it up."""
    guards = tuple(_guards(seen, policy))
    if not all(guard.passed for guard in guards):
        return Move("stop", guards)
    rules = tuple(_rules(state, seen, policy))
    return Move("up" if all(rule.passed for rule in rules) else "stay", (*guards, *rules))


def total(tallies: Iterator[Tally] | list[Tally]) -> Tally:
    """The sum of some tallies."""
    return sum(tallies, Tally())


def _guards(seen: Summary, policy: Policy) -> Iterator[Check]:
    """What stops a rollout, without correction for looking at many kinds: false alarms cost little, harm costs much."""
    for what, tallies in (("failures", seen.failures), ("empty pages", seen.empties)):
        for kind, tally in {ALL: total(list(tallies.values())), **tallies}.items():
            if kind == ALL or tally.losses > tally.wins:
                finding = f"{tally.losses} on the challenger's side alone, {tally.wins} on the champion's"
                yield Check(_of(f"no more {what}", kind), not tally.is_worse(policy.guard_alpha), finding)
    for kind, tally in {ALL: total(list(seen.verdicts.values())), **seen.verdicts}.items():
        if kind == ALL or tally.losses > tally.wins:
            yield Check(_of("not worse", kind), not tally.is_worse(policy.guard_alpha), _told(tally))
    hits, trials = seen.slow
    too_slow = trials > 0 and log_e_share(hits, trials, 0.05) >= -log(policy.guard_alpha)
    finding = (
        f"{hits} of {trials} documents took longer than {seen.slow_s:.2f} s" if trials else "too few documents yet"
    )
    yield Check(f"p95 at most {policy.slower:g} times the champion's", not too_slow, finding)
    for one in seen.drifts:
        finding = f"moved by {one.challenger:.2f}, the champion's by {one.champion:.2f}, limit {one.limit:.2f}"
        yield Check(_of(f"no drift of {one.feature.replace('_', ' ')}", one.kind), not one.is_the_challengers, finding)


def _rules(state: State, seen: Summary, policy: Policy) -> Iterator[Check]:
    """What a step up needs."""
    finding = f"{seen.at_step} read by both at this step, {policy.documents} are asked for"
    yield Check("enough documents", seen.at_step >= policy.documents, finding)
    overall = total(list(seen.verdicts.values()))
    finding = f"{_told(overall)}, e-value {_power(overall.log_e)} of {1 / policy.alpha:.0f}"
    yield Check("better on labelled documents", overall.is_better(policy.alpha), finding)
    documents, asked = sum(seen.kinds.values()), policy.kind_documents * (state.step + 1)
    for kind in sorted({*seen.kinds, *seen.verdicts}):
        tally = seen.verdicts.get(kind, Tally())
        if tally.documents < asked and 20 * seen.kinds.get(kind, 0) >= documents:
            finding = f"{tally.documents} labelled, {asked} are asked for"
            yield Check(_of("enough labelled documents", kind), False, finding)
        elif tally.losses > tally.wins:
            chance = chance_of_losses(tally.wins, tally.losses)
            yield Check(
                _of("no doubt", kind), chance >= policy.doubt, f"{_told(tally)}, by chance in {percent(chance)}"
            )


def _of(rule: str, kind: str) -> str:
    return rule if kind == ALL else f"{rule} on {kind}"


def _told(tally: Tally) -> str:
    return f"{tally.wins} better, {tally.losses} worse, {tally.ties} alike"


def _power(log_e: float) -> str:
    return f"{exp(log_e):.3g}" if log_e < 600 else "beyond 1e260"
