"""Confidence that means something: the temperature at which it agrees best with what was right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ocrkit.alphabet import Alphabet
from ocrkit.datasets.sample import Sample
from ocrkit.errors import MissingExtra
from ocrkit.recognition.decode import greedy_texts, log_softmax
from ocrkit.recognition.recognizer import Recognizer

_BOUNDS = (0.2, 5.0)


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
    try:
        from scipy.optimize import minimize_scalar
    except ImportError:
        raise MissingExtra("Calibrating a network needs SciPy: pip install 'ocrkit[train]'.") from None

    texts = [greedy_texts(logits[None], alphabet)[0] for logits in outputs]
    right = np.array([text == truth for text, truth in zip(texts, truths, strict=True)])
    lengths = np.array([max(1, len(text)) for text in texts])

    def loss(log_temperature: float) -> float:
        divisor = np.exp(log_temperature)
        path = np.array([log_softmax(logits / divisor).max(-1).sum() for logits in outputs])
        confidence = np.clip(np.exp(path / lengths), 1e-6, 1 - 1e-6)
        return -float(np.log(np.where(right, confidence, 1 - confidence)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=np.log(_BOUNDS), method="bounded", options={"xatol": 1e-3}).x))


def temperature_of(recognizer: Recognizer, samples: Sequence[Sample]) -> float:
    """`fit_temperature` for what `recognizer` puts out for `samples`."""
    outputs = recognizer.logits([sample.image for sample in samples])
    return fit_temperature(outputs, [sample.text for sample in samples], recognizer.alphabet)
