"""Underscores that lie on an underline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ocrkit.documents.joins import Piece
from ocrkit.documents.underscores import UnderscoreOptions, with_underscores
from ocrkit.recognition.decode import Guess

LEFT, TOP, FOOT, LINE = 20, 20, 40, 44  # px; of the words, and of their underline


def page(thick, gap=14, underlined=True, words=("annual", "report.pdf")):
    """Two words of 60 px, `gap` px apart, on a line of 2 px that is `thick` px between them, and their pieces."""
    grey = np.full((70, 200), 255, np.uint8)
    lefts = LEFT, LEFT + 60 + gap
    for left in lefts:
        for x in range(left, left + 60, 10):
            grey[TOP:FOOT, x : x + 6] = 0
        grey[TOP:FOOT, left + 54 : left + 60] = 0
    if underlined:
        grey[LINE : LINE + 2, LEFT : lefts[1] + 60] = 0
    grey[LINE + 2 - thick : LINE + 2, LEFT + 60 : lefts[1]] = 0
    row = [
        replace(
            piece(grey, np.array([left, TOP, left + 60, FOOT], float)), guess=Guess(text, 0.9, np.zeros((len(text), 2)))
        )
        for left, text in zip(lefts, words)
    ]
    return grey, row


def piece(grey, box):
    x0, y0, x1, y1 = box.astype(int)
    return Piece(box, float(x0), grey[y0:y1, x0:x1], Guess("", 0.9, np.zeros((0, 2))), ink=box)


def joined(grey, row):
    def read(boxes):
        return [piece(grey, box) for box in boxes]

    return with_underscores([row], grey, read, UnderscoreOptions())[0]


def test_a_line_that_is_thicker_between_two_words_has_an_underscore_on_it():
    [name] = joined(*page(thick=4))
    assert name.guess.text == "annual_report.pdf"
    assert len(name.guess.spans) == len(name.guess.text)
    assert name.place.tolist() == [LEFT, TOP, LEFT + 134, FOOT]


@pytest.mark.parametrize(
    ("grey", "row"),
    [
        page(thick=2),  # underlined words with a space between them
        page(thick=4, underlined=False),
        page(thick=4, gap=40),
        page(thick=20),  # a letter that stands on the line
        page(thick=4, words=("Annual", "Report")),  # a heading, whose underline is worn
    ],
)
def test_other_underlined_words_stay_apart(grey, row):
    assert joined(grey, row) == row


def test_a_line_that_is_not_quite_level_has_none_on_it():
    grey, row = page(thick=2)
    behind = np.s_[LEFT + 74 : LEFT + 134]
    grey[LINE, behind] = 255
    grey[LINE + 2, behind] = 0
    assert joined(grey, row) == row
