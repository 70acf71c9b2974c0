"""Raised figures behind words."""

from __future__ import annotations

import numpy as np
import pytest

from ocrkit.detection import DetectorOptions
from ocrkit.detection.lines import string_lines


@pytest.mark.parametrize(("figures", "is_number"), [(1, True), (2, True), (6, False)])
def test_raised_figures_are_a_notes_number_and_the_letters_of_a_word_are_not(figures, is_number):
    word = [[0, 0, 12, 30]]
    raised = [[16 + 12 * i, 0, 26 + 12 * i, 13] for i in range(figures)]
    boxes = np.array([*word, *raised], float)
    line, letter = string_lines(boxes, np.ones(len(boxes), bool), np.zeros(len(boxes), bool), 30, DetectorOptions())
    assert len(set(line.tolist())) == 1
    assert letter.tolist() == [True, *[not is_number] * figures]
