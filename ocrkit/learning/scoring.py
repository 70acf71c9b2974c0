"""How well words were read: scores with intervals, by kind of word, confusions, calibration, worst errors."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ocrkit.datasets.sample import Sample
from ocrkit.files import plain
from ocrkit.metrics import (
    Interval,
    ReliabilityBin,
    bootstrap_interval,
    confusion_counts,
    correct_words,
    edit_distance,
    expected_calibration_error,
    reliability_table,
)
from ocrkit.privacy import LEAST_DOCUMENTS
from ocrkit.recognition.decode import Guess
from ocrkit.recognition.recognizer import Recognizer, recognize_turned

_READ_AT_ONCE = 1024  # words
_LENGTHS = ((0, "0"), (1, "1"), (2, "2"), (4, "3-4"), (7, "5-7"), (11, "8-11"))  # longest, name; 12 and more are last


@dataclass(frozen=True)
class Score:
    """Words read: how many, the share exactly and caselessly right, and the character error rate, with intervals."""

    words: int
    exact: Interval
    caseless: Interval
    cer: Interval


@dataclass(frozen=True)
class Evaluation:
    """What is known about one set of words.

    Attributes:
        total: of all words.
        groups: attribute -> its value -> score of the words that have it.
        confusions: true and read character, how often; the most frequent first, an empty one was invented or missed.
        calibration_error: expected calibration error of the confidences.
        reliability: confidence against accuracy.
        worst: numbers of the wrong words, the most confident first.
    """

    total: Score
    groups: dict[str, dict[str, Score]]
    confusions: list[tuple[str, str, int]]
    calibration_error: float
    reliability: list[ReliabilityBin]
    worst: list[int]


def score(truths: Sequence[str], texts: Sequence[str]) -> Score:
    """Of texts read where `truths` stand; intervals hold 95 % of bootstrap resamples of the words."""
    edits = np.array([(edit_distance(t, g), len(t)) for t, g in zip(truths, texts, strict=True)], float).reshape(-1, 2)
    return Score(
        len(truths),
        bootstrap_interval(correct_words(truths, texts)),
        bootstrap_interval(correct_words(truths, texts, caseless=True)),
        bootstrap_interval(edits, lambda means: means[:, 0] / np.where(means[:, 1] > 0, means[:, 1], np.nan)),
    )


def evaluate(
    truths: Sequence[str], guesses: Sequence[Guess], attributes: Mapping[str, Sequence[str]] | None = None
) -> Evaluation:
    """Scores of `guesses`, in all and by length, kind of characters and `attributes`.

    Args:
        truths: what stands there; empty where nothing does.
        guesses: one for each.
        attributes: name -> value of each word, such as the class of its font.

    Raises:
        ValueError: sequences of different length.
    """
    texts = [guess.text for guess in guesses]
    confidence = np.array([guess.confidence for guess in guesses])
    correct = correct_words(truths, texts)
    of_words = {
        "length": [length_class(truth) for truth in truths],
        "characters": [character_class(truth) for truth in truths],
        **(attributes or {}),
    }
    wrong = np.flatnonzero(~correct)
    return Evaluation(
        score(truths, texts),
        {name: _by(values, truths, texts) for name, values in of_words.items()},
        [(*pair, count) for pair, count in confusion_counts(truths, texts).most_common()],
        expected_calibration_error(confidence, correct),
        reliability_table(confidence, correct),
        wrong[np.argsort(-confidence[wrong], kind="stable")].tolist(),
    )


def _by(values: Sequence[str], truths: Sequence[str], texts: Sequence[str]) -> dict[str, Score]:
    members: dict[str, list[tuple[str, str]]] = {}
    for value, truth, text in zip(values, truths, texts, strict=True):
        members.setdefault(value, []).append((truth, text))
    return {value: score(*zip(*pairs)) for value, pairs in sorted(members.items(), key=lambda item: -len(item[1]))}


def length_class(text: str) -> str:
    """The range of lengths `text` belongs to."""
    return next((name for longest, name in _LENGTHS if len(text) <= longest), "12+")


def character_class(text: str) -> str:
    """`letters`, `digits` or `punctuation` where there is nothing else, `accented` with a letter beyond A to Z,
    `mixed` otherwise; `nothing` for no text.
    """
    if any(c.isalpha() and not c.isascii() for c in text):
        return "accented"
    kinds = {"L": "letters", "N": "digits"}
    found = {kinds.get(unicodedata.category(c)[0], "punctuation") for c in text if not c.isspace()}
    return "mixed" if len(found) > 1 else next(iter(found), "nothing")


def read_samples(
    recognizer: Recognizer, samples: Sequence[Sample], progress: Callable[[int], object] = lambda words: None
) -> tuple[list[Guess], Evaluation]:
    """What was read in `samples`, and how good it is; by font class where the source tells it.

    Args:
        recognizer: that reads.
        samples: labelled words.
        progress: called with the number of words that were read since it was called last.
    """
    guesses: list[Guess] = []
    for start in range(0, len(samples), _READ_AT_ONCE):
        crops = [sample.image for sample in samples[start : start + _READ_AT_ONCE]]
        guesses += recognizer.calibration.of_guesses(recognize_turned(recognizer.recognize, crops))
        progress(len(crops))
    # The generator writes the class behind its own name; crops without text have none, nor have real words.
    kinds = [sample.source.partition("/")[2] or "none" for sample in samples]
    attributes = {"font": kinds} if set(kinds) != {"none"} else {}
    evaluation = evaluate([sample.text for sample in samples], guesses, attributes)
    return guesses, _of_many(evaluation, samples) if any(sample.private for sample in samples) else evaluation


def _of_many(evaluation: Evaluation, samples: Sequence[Sample]) -> Evaluation:
    """An evaluation of donated words without what comes from too few documents to be told: groups and confusions."""
    documents: dict[str, dict[str, set[str]]] = {"length": {}, "characters": {}}
    signs: dict[str, set[str]] = {}
    for sample in samples:
        for attribute, value in (("length", length_class(sample.text)), ("characters", character_class(sample.text))):
            documents[attribute].setdefault(value, set()).add(sample.document)
        for sign in sample.text:
            signs.setdefault(sign, set()).add(sample.document)
    return replace(
        evaluation,
        groups={
            attribute: {
                name: s for name, s in evaluation.groups[attribute].items() if len(its[name]) >= LEAST_DOCUMENTS
            }
            for attribute, its in documents.items()
        },
        confusions=[c for c in evaluation.confusions if len(signs.get(c[0], samples)) >= LEAST_DOCUMENTS],
    )


def as_json(evaluations: Mapping[str, Evaluation]) -> dict[str, Any]:
    """For files and cards: plain values, `None` in place of `nan`."""
    return {name: plain(asdict(evaluation)) for name, evaluation in evaluations.items()}
