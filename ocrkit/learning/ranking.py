"""Weights of the ranking that chooses among what looks at a word found, from labelled words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ocrkit.datasets.sample import Sample
from ocrkit.errors import BadDataset, MissingExtra
from ocrkit.recognition.lexicon import Lexicon
from ocrkit.recognition.options import DecodeOptions
from ocrkit.recognition.ranking import FEATURES, Ranking, features_of, grouped, likeliest
from ocrkit.recognition.recognizer import Recognizer

PRIOR = {"together": 1.0, "lexicon": 1.0}  # the choice without ranking
_LEAST_SPREAD = 0.02  # of a feature; weights of those that hardly vary stay small


@dataclass(frozen=True, eq=False)
class Choice:
    """A word of which looks found several texts.

    Attributes:
        texts: that were found, once tidied.
        features: of each, `(len(texts), len(FEATURES))`.
        right: which of them is the truth; `None` where none is.
        document: that the word is of.
        row: where the word stands among all that were read.
    """

    texts: tuple[str, ...]
    features: np.ndarray
    right: int | None
    document: str
    row: int


def choices_of(
    recognizer: Recognizer, samples: Sequence[Sample], lexicon: Lexicon, options: DecodeOptions
) -> list[Choice]:
    """The choices that `recognizer` has to make among what it finds in words at two looks."""
    found = recognizer.candidates([sample.image for sample in samples])
    made = []
    for row, looks in found.items():
        texts = grouped(looks, options)
        truth = samples[row].text
        right = list(texts).index(truth) if truth in texts else None
        features = features_of(texts, lexicon, options)
        made.append(Choice(tuple(texts), features, right, samples[row].document, row))
    return made


def fit_ranking(choices: Sequence[Choice], penalty: float = 1.0) -> Ranking:
    """The weights of greatest likelihood of the truths among what was found, drawn towards `PRIOR`.

    Texts with blanks are left out: crops are labelled word by word, which says nothing of the blanks on a page.

    Args:
        choices: of words that are in no reported score; those without the truth among their texts teach nothing.
        penalty: of a squared weight, once the features are scaled to a spread of 1.

    Raises:
        BadDataset: no choice teaches anything.
        MissingExtra: SciPy is not installed.
    """
    try:
        from scipy import optimize
    except ImportError:
        raise MissingExtra("Fitting a ranking needs SciPy: pip install 'ocrkit[train]'.") from None
    taught = [part for choice in choices if (part := _without_blanks(choice)) is not None]
    if not taught:
        raise BadDataset("In no word a truth was found beside other texts: there is nothing to rank by.")
    rows = np.concatenate([features for features, _ in taught])
    sizes = np.array([len(features) for features, _ in taught])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    word = np.repeat(np.arange(len(sizes)), sizes)
    right = starts + np.array([place for _, place in taught])
    means = np.add.reduceat(rows, starts) / sizes[:, None]
    scale = np.maximum((rows - means[word]).std(0), _LEAST_SPREAD)
    prior = np.array([PRIOR.get(name, 0.0) for name in FEATURES]) * scale
    scaled = rows / scale

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        sums = scaled @ weights
        top = np.maximum.reduceat(sums, starts)
        shares = np.exp(sums - top[word])
        total = np.add.reduceat(shares, starts)
        slope = scaled.T @ (shares / total[word]) - scaled[right].sum(0)
        off = weights - prior
        unlikely = float((top + np.log(total) - sums[right]).sum())
        return unlikely + penalty * float(off @ off), slope + 2 * penalty * off

    fitted = optimize.minimize(loss, prior, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x / scale
    return Ranking({name: round(float(weight), 3) for name, weight in zip(FEATURES, fitted)})


def cross_validated(choices: Sequence[Choice], folds: int = 6, penalty: float = 1.0) -> list[str]:
    """What is chosen in each word by weights that were fitted to other documents' words."""
    numbers: dict[str, int] = {}
    for choice in choices:
        numbers.setdefault(choice.document, len(numbers))
    chosen: dict[int, str] = {}
    for fold in range(folds):
        held = [choice for choice in choices if numbers[choice.document] % folds == fold]
        others = [choice for choice in choices if numbers[choice.document] % folds != fold]
        if held:
            weights = fit_ranking(others, penalty).weights
            chosen |= {id(word): word.texts[likeliest(word.features, weights)] for word in held}
    return [chosen[id(choice)] for choice in choices]


def as_json(ranking: Ranking, words: Mapping[str, int]) -> dict[str, Any]:
    """For the file that the package reads its weights from.

    Args:
        ranking: as fitted.
        words: how many of each set were read for it.
    """
    return {"fitted_on": dict(words), "weights": dict(zip(FEATURES, ranking.weights.tolist()))}


def _without_blanks(choice: Choice) -> tuple[np.ndarray, int] | None:
    kept = [place for place, text in enumerate(choice.texts) if " " not in text]
    if choice.right not in kept or len(kept) < 2:
        return None
    return choice.features[kept], kept.index(choice.right)
