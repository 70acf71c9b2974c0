"""A recogniser that needs no model."""

import numpy as np
import pytest

from ocrkit.recognition import Guess


class Says:
    """Says its texts in turn, each with its confidence, and remembers the crops it was shown."""

    name = "a test's"

    def __init__(self, *texts, confidence=0.9):
        self.texts, self.confidence, self.crops = texts, confidence, []

    def recognize(self, crops):
        self.crops += crops
        texts = [self.texts[i % len(self.texts)] for i in range(len(crops))]
        return [Guess(text, self.confidence, spans_of(text, crop.shape[1])) for text, crop in zip(texts, crops)]


def spans_of(text, width):
    edges = np.linspace(0, width, len(text) + 1)
    return np.stack([edges[:-1], edges[1:]], axis=1)


@pytest.fixture
def says():
    """The class; give it the texts to say."""
    return Says
