"""A recogniser that needs no model."""

import numpy as np
import pytest

from ocrkit.recognition import Guess


class SaysInk:
    """Reads every crop as the same word."""

    name = "ink"

    def recognize(self, crops):
        return [Guess("ink", 0.9, np.zeros((3, 2))) for _ in crops]


@pytest.fixture
def says_ink(monkeypatch):
    """The recogniser that every reader of the test gets."""
    recognizer = SaysInk()
    monkeypatch.setattr("ocrkit.recognition.load_recognizer", lambda model, runtime, threads: recognizer)
    return recognizer
