import numpy as np
import pytest

from ocrkit.datasets import Sample
from ocrkit.engines.words import read_words, word_rows


class Fixed:
    """An engine that always says the same."""

    version = "1"

    def __init__(self, name, texts):
        self.name, self.texts = name, texts

    def recognize(self, crops):
        return self.texts[: len(crops)]


def test_engines_read_the_same_crops_and_get_a_row_each():
    samples = [Sample(np.zeros((5, 5), np.uint8), text) for text in ("Total", "9.90", "CASH", "x")]
    engines = [Fixed("good", ["Total", "9.90", "CASH", "x"]), Fixed("poor", ["TOTAL", "9.90", "CASH", ""])]
    good, poor = word_rows(read_words(engines, samples, repeats=3), samples)
    assert (good["engine"], good["words"], good["exact"], good["caseless"], good["cer"]) == ("good", 4, 1, 1, 0)
    assert (poor["exact"], poor["caseless"]) == (0.5, 0.75)
    assert poor["exact_low"] < 0.5 < poor["exact_high"]
    assert poor["caseless_low"] < 0.75 < poor["caseless_high"]
    assert poor["cer"] == pytest.approx(5 / 14)  # four letters of other case and one left out
