"""Which gaps of a line are spaces, as its own gaps and those of the page's other lines tell."""

from __future__ import annotations

import numpy as np
import pytest

from ocrkit.detection.words import space_probability

NAME = [0.1, 0.15, 0.1, 0.12, 0.4, 0.12, 0.08, 0.1]  # heights; gaps of a cell of two words
NUMBER = [0.1, 0.15, 0.12, 0.18, 0.08, 0.1, 0.12, 0.15]


@pytest.mark.parametrize("numbers", [0, 20, 60])
def test_a_tables_numbers_do_not_hide_how_wide_the_spaces_of_its_names_are(numbers):
    gaps = np.concatenate([NAME * 10, NUMBER * numbers])
    lines = 10 + numbers
    line = np.repeat(np.arange(lines), len(NAME))
    space = space_probability(np.stack([gaps, gaps], axis=1), line, np.zeros(lines), np.zeros(lines, bool))
    assert np.flatnonzero(space > 0.5).tolist() == [8 * i + 4 for i in range(10)]
