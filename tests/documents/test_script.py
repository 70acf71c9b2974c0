"""Pages in a script that the model cannot read."""

from __future__ import annotations

import numpy as np
import pytest

from ocrkit.documents.script import ScriptOptions, is_unreadable
from ocrkit.recognition.decode import Guess


def guesses(texts, confidence, known):
    return [Guess(text, confidence, np.zeros((0, 2)), i < known) for i, text in enumerate(texts)]


ODD = ["cYacT.", "ceMbn", "noXoX", "apyr3", "JeTa,", "KaJk.", "HecH4", "cBo8y", "6bIe", "doMe;", "xKe4a", "yaHaJ"]


@pytest.mark.parametrize(
    ("texts", "confidence", "known", "unreadable"),
    [
        (ODD, 0.5, 0, True),
        (ODD, 0.5, 7, False),  # a listing that is hardly read: most of its words are known
        (ODD, 0.9, 0, False),
        (["plain"] * 12, 0.5, 0, False),
        (ODD[:5], 0.5, 0, False),  # too few to tell
        ([*ODD, *["3–4"] * 30], 0.5, 0, False),  # ranges, of which the page's edge cuts some
        ([*ODD, *["Mbl"] * 12], 0.5, 0, True),
    ],
)
def test_odd_words_that_are_neither_sure_nor_known_are_of_another_script(texts, confidence, known, unreadable):
    assert is_unreadable(guesses(texts, confidence, known), ScriptOptions()) == unreadable
