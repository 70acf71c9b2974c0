"""Temperature: found where it is known, and better on words it was not fitted on."""

import numpy as np
import pytest

from ocrkit.alphabet import Alphabet
from ocrkit.learning.calibration import fit_calibration, fit_temperature
from ocrkit.metrics import expected_calibration_error
from ocrkit.recognition.decode import Calibration, greedy, log_softmax

DIGITS = Alphabet("0123456789")


def words(seed: int, too_sure: float) -> tuple[list[np.ndarray], list[str]]:
    """One-character words, each right as often as its logits say, which are then made `too_sure` times as steep."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (3000, 1, DIGITS.classes))
    chosen = [rng.choice(DIGITS.classes, p=np.exp(row[0])) for row in log_softmax(logits)]
    return list(logits * too_sure), [DIGITS.decode([c]) for c in chosen]


@pytest.mark.parametrize("too_sure", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_what_made_the_logits_too_sure(too_sure, record_property):
    outputs, truths = words(0, too_sure)
    temperature = fit_temperature(outputs, truths, DIGITS)
    assert temperature == pytest.approx(too_sure, rel=0.1)
    outputs, truths = words(1, too_sure)
    errors = []
    for divisor in (1.0, temperature):
        guesses = greedy(np.stack(outputs), DIGITS, np.ones(len(outputs)), divisor)
        right = np.array([guess.text == truth for guess, truth in zip(guesses, truths)])
        errors.append(expected_calibration_error(np.array([guess.confidence for guess in guesses]), right))
    assert errors[1] < 0.03
    assert too_sure == 1.0 or errors[1] < errors[0] / 2
    record_property("measured", f"calibration error {errors[0]:.3f}, {errors[1]:.3f} at {temperature:.2f}")


@pytest.mark.parametrize(("slope", "offset"), [(1.0, 0.0), (1.5, 0.3), (0.6, -0.8)])
def test_the_map_of_confidences_is_found_where_it_is_known(slope, offset):
    rng = np.random.default_rng(0)
    confidences = rng.uniform(0.02, 0.98, 20_000)
    right = [rng.random() < Calibration(slope, offset)(confidence) for confidence in confidences]
    found = fit_calibration(confidences, right)
    assert (found.slope, found.offset) == pytest.approx((slope, offset), abs=0.06)


@pytest.mark.parametrize("right", [True, False])
def test_a_map_of_few_words_all_read_alike_is_not_sure_of_others(right):
    found = fit_calibration([0.9, 0.95, 0.99], [right] * 3)
    assert 0.05 < found(0.95) < 0.95
