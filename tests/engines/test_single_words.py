import numpy as np
import pytest

from ocrkit.datasets import Sample
from ocrkit.engines import EngineFailed
from ocrkit.engines.single_words import read_words, word_rows


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


def test_an_engine_that_fails_has_read_nothing_and_stops_no_other():
    class Hangs(Fixed):
        def recognize(self, crops):
            raise EngineFailed("It took longer than 2 s and was stopped.")

    samples = [Sample(np.zeros((5, 5), np.uint8), "Total")]
    readings = read_words([Hangs("hangs", []), Fixed("good", ["Total"])], samples)
    hangs, good = word_rows(readings, samples)
    assert (readings[0].error, readings[1].error) == ("It took longer than 2 s and was stopped.", None)
    assert (hangs["exact"], hangs["cer"], good["exact"]) == (0, 1, 1)
    assert np.isnan(hangs["ms_per_word"])
