import numpy as np
import pytest

from ocrkit.alphabet import Alphabet
from ocrkit.recognition.decode import Calibration, Guess, greedy, greedy_texts


def logits_of(path: list[int], classes: int = 4, sure: float = 8.0) -> np.ndarray:
    logits = np.zeros((1, len(path), classes), np.float32)
    logits[0, np.arange(len(path)), path] = sure
    return logits


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ([0, 0, 0], ""),  # nothing
        ([1, 1, 0, 2], "ab"),  # repeats collapse
        ([1, 0, 1], "aa"),  # a blank keeps doubles apart
        ([3, 2, 1], "cba"),  # without blanks
        ([1, 2, 2, 1], "aba"),
    ],
)
def test_best_path_is_collapsed(path, text):
    (guess,) = greedy(logits_of(path), Alphabet("abc"), np.array([4.0]))
    assert guess.text == text
    assert greedy_texts(logits_of(path), Alphabet("abc")) == [text]
    assert guess.spans.shape == (len(text), 2)


def test_spans_tell_where_each_character_stands():
    (guess,) = greedy(logits_of([0, 1, 1, 2, 0, 2]), Alphabet("abc"), np.array([2.0]))
    assert guess.text == "abb"
    assert guess.spans.tolist() == [[2, 6], [6, 8], [10, 12]]


def test_confidence_is_high_when_sure_and_low_when_not():
    sure, unsure = (greedy(logits_of([1, 0, 2], sure=s), Alphabet("abc"), np.array([1.0]))[0] for s in (12.0, 0.5))
    assert sure.confidence > 0.99
    assert unsure.confidence < 0.5
    (humble,) = greedy(logits_of([1, 0, 2], sure=4.0), Alphabet("abc"), np.array([1.0]), temperature=2.0)
    (plain,) = greedy(logits_of([1, 0, 2], sure=4.0), Alphabet("abc"), np.array([1.0]))
    assert humble.text == plain.text
    assert humble.confidence < plain.confidence


@pytest.mark.parametrize(
    ("slope", "offset"),
    [(1.0, 0.0), (1.0, 0.3), (0.5, -2.0), (3.0, 5.0), (1e-2, -20.0), (1e2, 20.0)],  # the last two are a card's bounds
)
def test_a_calibration_keeps_the_order_and_stays_within_0_and_1(slope, offset):
    sure = np.linspace(0, 1, 101)
    calibrated = [Calibration(slope, offset)(confidence) for confidence in sure]
    assert calibrated[0] == 0
    assert calibrated[-1] == 1
    assert np.all(np.diff(calibrated) >= 0)
    if (slope, offset) == (1.0, 0.0):
        assert calibrated == pytest.approx(sure)


def test_a_calibration_takes_the_log_odds_times_the_slope_and_adds_the_offset():
    log_odds = np.log(0.8 / 0.2) * 1.5 - 0.4
    assert Calibration(1.5, -0.4)(0.8) == pytest.approx(1 / (1 + np.exp(-log_odds)))


def test_a_confidence_that_was_rounded_above_1_is_calibrated_as_1():
    assert Calibration(1.5, 0.2)(1 + 1e-9) == 1
    (guess,) = Calibration(1.0, 1.0).of_guesses([Guess("a", 0.5, np.zeros((1, 2)))])
    assert guess.text == "a"
    assert guess.confidence == pytest.approx(np.e / (1 + np.e))
