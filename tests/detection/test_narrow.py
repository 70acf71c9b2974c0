"""Lines in narrow cells, as a till's printer sets them, often with pieces of letters missing."""

from __future__ import annotations

import numpy as np
import pytest

from ocrkit.detection import DetectorOptions
from ocrkit.detection.narrow import narrow_pitches, spaces_by_gap
from ocrkit.detection.words import split_words

CELL, HEIGHT = 12.0, 20.0
WIDTHS = {"M": 11.0, "I": 2.5, "L": 8.0}  # px; of other letters 9
TEXT = (
    "TAX INVOICE NUMBER II",
    "DESCRIPTION OF ITEMS",
    "FRIED RICE IN A TIN",
    "MINI MILK WITH CHILI",
    "TOTAL INCL TAX IIIII",
)


def set_in(cell, broken=False, wide=()):
    """Boxes of the letters and their lines' numbers; in cells, twice as wide in the `wide` lines, or 2 px apart."""
    boxes, line = [], []
    for number, text in enumerate(TEXT):
        x, times = 0.0, 1 + (number in wide)
        for i, letter in enumerate(text):
            width = times * WIDTHS.get(letter, 9.0)
            left = times * (i + 0.5) * cell - width / 2 if cell else x
            x += 5 if letter == " " else width + 2
            if letter == " ":
                continue
            parts = [(0, 0.3), (0.6, 1)] if broken and letter in "NOD" else [(0, 1)]
            boxes += [[left + a * width, 40 * number, left + b * width, 40 * number + HEIGHT] for a, b in parts]
            line += [number] * len(parts)
    return np.array(boxes), np.array(line)


def pitches(boxes, line):
    return narrow_pitches(boxes, np.ones(len(boxes), bool), line, DetectorOptions())


@pytest.mark.parametrize("broken", [False, True])
def test_letters_at_even_steps_tell_narrow_cells_and_broken_ones_as_well(broken):
    np.testing.assert_allclose(pitches(*set_in(CELL, broken)), CELL, rtol=0.01)


def test_letters_of_other_faces_stand_in_no_narrow_cells():
    assert not pitches(*set_in(0.0)).any()


def test_a_heading_stands_in_cells_twice_as_wide():
    np.testing.assert_allclose(pitches(*set_in(CELL, wide=[0])), CELL * np.array([2, 1, 1, 1, 1]), rtol=0.01)


@pytest.mark.parametrize(("broken", "wide"), [(False, ()), (True, ()), (False, (0,))])
def test_narrow_and_broken_letters_are_of_their_words(broken, wide):
    boxes, line = set_in(CELL, broken, wide)
    words = split_words(boxes, np.ones(len(boxes), bool), line, DetectorOptions())
    assert np.bincount(words.line).tolist() == [len(text.split()) for text in TEXT]
    assert words.pitch.all()


@pytest.mark.parametrize(
    ("gap", "space"),
    [
        (9.5, 0.0),  # two narrow letters, whose middles are a cell apart
        (12.5, 1.0),  # two wide ones around a blank
        (11.0, 0.3),  # as said before, as their middles are one and a half cells apart
        (8.0, 0.3),  # the same between figures of other faces, with half a cell of blank
    ],
)
def test_the_gap_between_two_letters_tells_and_in_doubt_their_middles(gap, space):
    width = {9.5: 2.5, 12.5: 11.0, 11.0: 7.0, 8.0: 10.0}[gap]
    boxes = np.array([[0, 0, width, HEIGHT], [width + gap, 0, 2 * width + gap, HEIGHT]])
    line, height = np.zeros(2, int), np.full(2, HEIGHT)
    found = spaces_by_gap(np.array([1, 0.3]), boxes, line, height, np.array([np.inf, gap / HEIGHT]), np.full(2, CELL))
    assert found[1] == space


def test_a_colon_may_stand_anywhere_in_its_cell():
    boxes = np.array([[0, 0, 9, HEIGHT], [18, 6, 21, HEIGHT]])
    line, height = np.zeros(2, int), np.full(2, HEIGHT)
    found = spaces_by_gap(np.array([1, 0.6]), boxes, line, height, np.array([np.inf, 9 / HEIGHT]), np.full(2, CELL))
    assert found[1] == 0.6
