"""Answers of several people -> one label a task, how reliable it is, and how good each person is."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ocrkit.labelling.jobs import Vote
from ocrkit.metrics import Interval, aligned, bootstrap_interval, edit_distance, wilson_interval

_ROUNDS, _STILL = 200, 1e-6
_PRIOR_RIGHT, _PRIOR_WRONG = 4.0, 1.0  # what is thought of a person before their first answer
_SURE = 0.9  # probability of a label below which a third person is asked
# How many ways there are to be wrong, of which people rarely choose the same by chance.
_WRONG_WAYS = 10.0


@dataclass(frozen=True)
class Result:
    """What people together say of a task.

    Attributes:
        value: the answer; `None` where nobody gave one.
        probability: that it is right, by the model of the people.
        votes: answers there are.
        agreeing: of them, those that say just this.
        joined: put together from answers that all differ, character by character.
    """

    task: int
    value: Mapping[str, Any] | None
    probability: float
    votes: int
    agreeing: int
    joined: bool = False

    @property
    def is_sure(self) -> bool:
        """Whether nobody needs to look at it again."""
        return self.value is not None and not self.joined and self.probability >= _SURE


@dataclass(frozen=True)
class Person:
    """How good a person's answers are: `rate` by the model, `gold` by the tasks whose answer is known."""

    worker: int
    answers: int
    rate: Interval
    gold: Interval | None
    seconds: float


@dataclass(frozen=True)
class Labels:
    """Everything that the answers of a job say."""

    results: Mapping[int, Result]
    people: Mapping[int, Person]

    def unsure(self) -> list[Result]:
        """Tasks for `adjudicate`, the least sure first."""
        return sorted((r for r in self.results.values() if not r.is_sure), key=lambda r: r.probability)


def key_of(value: Mapping[str, Any]) -> str:
    """An answer as one text, equal for equal answers."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def majority(votes: Sequence[Vote]) -> dict[int, Mapping[str, Any]]:
    """The answer that most people gave to each task; of several, the one that came first."""
    by_task: dict[int, Counter[str]] = defaultdict(Counter)
    for vote in votes:
        by_task[vote.task][key_of(vote.value)] += 1
    return {task: json.loads(counts.most_common(1)[0][0]) for task, counts in by_task.items()}


def results(votes: Sequence[Vote]) -> Labels:
    """Labels and people's rates by the EM of Dawid & Skene with one coin a person.

    A person gives the right answer with their own rate, and otherwise one of about ten wrong ones. Known answers (gold)
    are taken as right. Where all answers to a task are texts that differ, the text is put together from their
    characters, each person's weighing by their rate.

    Dawid & Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm" (1979); the one coin
    as in Zhang et al., "Spectral methods meet EM" (2014). Joining as in Fiscus, ROVER (1997).
    """
    by_task: dict[int, list[tuple[int, str]]] = defaultdict(list)  # who says what
    for vote in votes:
        by_task[vote.task].append((vote.worker, key_of(vote.value)))
    known = {vote.task: key_of(vote.gold) for vote in votes if vote.gold is not None}
    counts = Counter(vote.worker for vote in votes)
    rates = dict.fromkeys(sorted(counts), _PRIOR_RIGHT / (_PRIOR_RIGHT + _PRIOR_WRONG))
    posteriors: dict[int, dict[str, float]] = {}
    right: Counter[int] = Counter()
    for _ in range(_ROUNDS):
        posteriors = {
            task: {known[task]: 1.0} if task in known else _posterior(given, rates) for task, given in by_task.items()
        }
        right = Counter()
        for task, given in by_task.items():
            for worker, key in given:
                right[worker] += posteriors[task].get(key, 0.0)  # type: ignore[assignment]
        new = {w: (right[w] + _PRIOR_RIGHT) / (counts[w] + _PRIOR_RIGHT + _PRIOR_WRONG) for w in rates}
        moved = max((abs(new[w] - rates[w]) for w in rates), default=0.0)
        rates = new
        if moved < _STILL:
            break
    return Labels(
        {task: _result(task, given, posteriors[task], rates) for task, given in by_task.items() if task not in known},
        {w: _person(w, [vote for vote in votes if vote.worker == w], right[w]) for w in rates},
    )


def _posterior(given: Sequence[tuple[int, str]], rates: Mapping[int, float]) -> dict[str, float]:
    """The probability of each answer that was given; what is missing to 1 is that of none of them."""
    wrong = {worker: math.log((1 - rates[worker]) / _WRONG_WAYS) for worker, _ in given}
    none = sum(wrong.values())  # everybody was wrong, and the right answer is one that nobody gave
    logs: dict[str, float] = defaultdict(lambda: none)
    for worker, key in given:
        logs[key] += math.log(rates[worker]) - wrong[worker]
    top = max(*logs.values(), none)
    whole = sum(math.exp(value - top) for value in logs.values()) + math.exp(none - top)
    return {key: math.exp(value - top) / whole for key, value in logs.items()}


def _result(
    task: int, given: Sequence[tuple[int, str]], posterior: Mapping[str, float], rates: Mapping[int, float]
) -> Result:
    best = max(posterior, key=lambda key: posterior[key])
    values = [json.loads(key) for _, key in given]
    texts = [value["text"] for value in values if "text" in value]
    if len(texts) >= 3 and len(set(texts)) == len(values):
        text = rover(texts, [rates[worker] for worker, _ in given])
        if text and text not in texts:
            return Result(task, {"text": text}, posterior[best], len(given), 0, joined=True)
        best = key_of({"text": text}) if text else best
    agreeing = sum(key == best for _, key in given)
    return Result(task, json.loads(best), posterior[best], len(given), agreeing)


def _person(worker: int, votes: Sequence[Vote], right: float) -> Person:
    gold = [vote.value == vote.gold for vote in votes if vote.gold is not None]
    return Person(
        worker,
        len(votes),
        wilson_interval(round(right), len(votes)),
        wilson_interval(sum(gold), len(gold)) if gold else None,
        float(np.median([vote.seconds for vote in votes])),
    )


def rover(texts: Sequence[str], weights: Sequence[float] | None = None) -> str:
    """One text from several of the same word: they are aligned to the one nearest to all, and vote place by place.

    Args:
        texts: of different people.
        weights: what each vote counts; equal by default.
    """
    weights = list(weights or [1.0] * len(texts))
    if not texts:
        return ""
    middle = min(texts, key=lambda text: sum(w * edit_distance(text, other) for other, w in zip(texts, weights)))
    # Place i stands for the i-th character of the middle one, place i + 1/2 for what others have behind it.
    places: dict[float, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for text, weight in zip(texts, weights):
        place, between = -1, ""
        for ours, theirs in [*aligned(middle, text), ("$", "$")]:
            if ours:
                places[place + 0.5][between] += weight
                place, between = place + 1, ""
                if place < len(middle):
                    places[place][theirs] += weight
            else:
                between += theirs
    return "".join(max(votes, key=lambda c: votes[c]) for _, votes in sorted(places.items()))


def alpha(votes: Sequence[Vote], distance: Callable[[str, str], float] | None = None) -> Interval:
    """Krippendorff's alpha of the answers: 1 where all agree, 0 where they do as by chance; `nan` without pairs.

    The interval is that of a bootstrap over tasks.

    Args:
        votes: answers; tasks with one only do not count.
        distance: between two answers as texts, 0 to 1; by default whether they differ. See `text_distance`.

    Krippendorff, "Content Analysis", 4th edition (2018), chapter 12.
    """
    by_task: dict[int, list[str]] = defaultdict(list)
    for vote in votes:
        by_task[vote.task].append(key_of(vote.value))
    units = [unit for unit in by_task.values() if len(unit) > 1]
    if not units:
        return Interval(float("nan"), float("nan"), float("nan"))
    differ = distance or (lambda a, b: float(a != b))
    observed = []
    for unit in units:
        pairs = sum(differ(a, b) for i, a in enumerate(unit) for b in unit[i + 1 :])
        observed.append((2 * pairs / (len(unit) - 1), len(unit)))
    everything = Counter(text for unit in units for text in unit)
    expected = _expected(everything, distance)
    if expected == 0:
        return Interval(1.0, 1.0, 1.0)
    table = np.array(observed)
    return bootstrap_interval(table, lambda means: 1 - means[:, 0] / means[:, 1] / expected)


def _expected(counts: Counter[str], distance: Callable[[str, str], float] | None, most: int = 150) -> float:
    """How far two answers of any tasks are apart on average; of many, `most` drawn ones stand for all."""
    total = sum(counts.values())
    if distance is None:
        return 1 - sum(n * (n - 1) for n in counts.values()) / (total * (total - 1))
    drawn = list(counts.elements())
    if total > most:
        drawn = [drawn[i] for i in np.random.default_rng(7).choice(total, most, replace=False)]
    pairs = [distance(a, b) for i, a in enumerate(drawn) for b in drawn[i + 1 :]]
    return float(np.mean(pairs))


def text_distance(a: str, b: str) -> float:
    """Share of characters that differ between two answers as `key_of` writes them; 1 where one of them is no text."""
    one, other = json.loads(a), json.loads(b)
    if one.keys() != other.keys() or "text" not in one:
        return float(one != other)
    return edit_distance(one["text"], other["text"]) / max(len(one["text"]), len(other["text"]), 1)
