"""Confidence that means something: the temperature, and the map on it, by which it agrees best with what was right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ocrkit.alphabet import Alphabet
from ocrkit.datasets.sample import Sample
from ocrkit.errors import MissingExtra
from ocrkit.recognition.decode import Calibration, greedy_texts, log_softmax
from ocrkit.recognition.recognizer import Recognizer, recognize_turned

_BOUNDS = (0.2, 5.0)  # of a temperature, and of a slope
_FARTHEST = 5.0  # offset


def fit_temperature(outputs: Sequence[np.ndarray], truths: Sequence[str], alphabet: Alphabet) -> float:
    """The temperature of least negative log likelihood of "this word is right", given the confidence of `greedy`.

    Args:
        outputs: logits `(T, classes)` of each word.
        truths: what each says; words that are in no reported score.
        alphabet: of the network.

    Raises:
        MissingExtra: SciPy is not installed.

    Guo et al., "On Calibration of Modern Neural Networks" (2017), section 4.2, for words instead of classes.
    """
    optimize = _scipy_optimize()
    texts = [greedy_texts(logits[None], alphabet)[0] for logits in outputs]
    right = np.array([text == truth for text, truth in zip(texts, truths, strict=True)])
    lengths = np.array([max(1, len(text)) for text in texts])

    def loss(log_temperature: float) -> float:
        divisor = np.exp(log_temperature)
        path = np.array([log_softmax(logits / divisor).max(-1).sum() for logits in outputs])
        confidence = np.clip(np.exp(path / lengths), 1e-6, 1 - 1e-6)
        return -float(np.log(np.where(right, confidence, 1 - confidence)).mean())

    found = optimize.minimize_scalar(loss, bounds=np.log(_BOUNDS), method="bounded", options={"xatol": 1e-3})
    return float(np.exp(found.x))


def temperature_of(recognizer: Recognizer, samples: Sequence[Sample]) -> float:
    """`fit_temperature` for what `recognizer` puts out for `samples`."""
    outputs = recognizer.logits([sample.image for sample in samples])
    return fit_temperature(outputs, [sample.text for sample in samples], recognizer.alphabet)


def fit_calibration(confidences: Sequence[float], right: Sequence[bool]) -> Calibration:
    """The map of least negative log likelihood of "this word is right", as a model's confidences are given it.

    Args:
        confidences: of words that are in no reported score, as the recogniser gives them.
        right: whether each was.

    Raises:
        MissingExtra: SciPy is not installed.

    Platt (1999), whose targets keep a little off 0 and 1: few words, all of them right, make a model sure of no other.
    """
    optimize = _scipy_optimize()
    sure, correct = np.clip(confidences, 1e-6, 1 - 1e-6), np.asarray(right, bool)
    log_odds = np.log(sure / (1 - sure))
    target = np.where(correct, (correct.sum() + 1) / (correct.sum() + 2), 1 / ((~correct).sum() + 2))

    def loss(fit: np.ndarray) -> float:
        read = fit[0] * log_odds + fit[1]
        return float((np.logaddexp(0, read) - target * read).mean())

    bounds = [_BOUNDS, (-_FARTHEST, _FARTHEST)]
    slope, offset = optimize.minimize(loss, [1.0, 0.0], method="L-BFGS-B", bounds=bounds).x
    return Calibration(round(float(slope), 4), round(float(offset), 4))


def calibration_on(recognizer: Recognizer, samples: Sequence[Sample]) -> Calibration:
    """`fit_calibration` for what `recognizer` reads in `samples`."""
    guesses = recognize_turned(recognizer.recognize, [sample.image for sample in samples])
    right = [guess.text == sample.text for guess, sample in zip(guesses, samples)]
    return fit_calibration([guess.confidence for guess in guesses], right)


def _scipy_optimize() -> Any:
    try:
        from scipy import optimize
    except ImportError:
        raise MissingExtra("Calibrating a network needs SciPy: pip install 'ocrkit[train]'.") from None
    return optimize
