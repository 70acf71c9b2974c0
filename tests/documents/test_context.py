"""Words in doubt are read with a neighbour, and only what that shows of their case is believed."""

import numpy as np
import pytest

from ocrkit.documents.context import ContextOptions, in_context
from ocrkit.documents.joins import Piece
from ocrkit.recognition import Guess

CROP = np.zeros((20, 20), np.uint8)


def piece(text, x0, x1, confidence, **known):
    return Piece(np.array([x0, 0, x1, 20.0]), x0, CROP, Guess(text, confidence, np.zeros((len(text), 2))), **known)


def reading(text, confidence=0.9):
    """Reads `text` wherever it is asked to, and remembers where that was."""
    asked = []

    def read(boxes):
        asked.extend(boxes[:, ::2].tolist())
        return [Piece(box, box[0], CROP, Guess(text, confidence, np.zeros((len(text), 2)))) for box in boxes]

    return read, asked


def texts(rows):
    return [(piece.guess.text, piece.guess.confidence) for row in rows for piece in row]


@pytest.mark.parametrize(
    ("text", "confidence", "whole", "shown"),
    [
        ("SO", 0.6, "so far", ("so", 0.9)),  # its letters look alike
        ("VS.", 0.7, "vs. far", ("vs.", 0.9)),
        ("of", 0.3, "of far", ("of", 0.9)),  # confirmed
        ("Union", 0.3, "UNION far", ("UNION", 0.9)),
        ("was", 0.3, "wus far", ("was", 0.3)),  # other letters
        ("SO", 0.6, "so for", ("SO", 0.6)),  # the neighbour is not what it was
        ("SO", 0.6, "sofar", ("SO", 0.6)),
        ("of", 0.3, "of far out", ("of", 0.3)),
    ],
)
def test_a_word_in_doubt_has_the_case_that_its_neighbour_shows(text, confidence, whole, shown):
    row = [piece(text, 0, 20, confidence), piece("far", 26, 60, 0.95)]
    read, asked = reading(whole)
    assert texts(in_context([row], read, ContextOptions())) == [shown, ("far", 0.95)]
    assert asked == [[0, 60]]
    assert row[0].guess.text == text  # what was given stays as it was


def test_the_surer_neighbour_is_asked_whichever_side_it_is_on():
    row = [piece("too", 0, 20, 0.7), piece("SO", 26, 40, 0.6), piece("far", 46, 70, 0.95)]
    read, asked = reading("so far")
    assert texts(in_context([row], read, ContextOptions()))[1] == ("so", 0.9)
    assert asked == [[26, 70]]
    row = [piece("not", 0, 20, 0.95), piece("SO", 26, 40, 0.6), piece("far", 46, 70, 0.7)]
    read, asked = reading("not so")
    assert texts(in_context([row], read, ContextOptions()))[1] == ("so", 0.9)
    assert asked == [[0, 40]]


@pytest.mark.parametrize(
    "row",
    [
        [piece("So", 0, 20, 0.9), piece("far", 26, 60, 0.95)],  # sure
        [piece("Sir", 0, 20, 0.6), piece("far", 26, 60, 0.95)],  # an i is no small I
        [piece("SO", 0, 20, 0.6), piece("far", 50, 80, 0.95)],  # too far off
        [piece("SO", 0, 20, 0.6), piece("far", 26, 60, 0.5)],  # as unsure
        [piece("SO", 0, 20, 0.6), piece("a", 26, 30, 0.95)],  # says nothing of heights
        [piece("-", 0, 20, 0.3), piece("far", 26, 60, 0.95)],
        [piece("SO", 0, 20, 0.6, struck=True), piece("far", 26, 60, 0.95)],
        [piece("SO", 0, 20, 0.6)],
        [],
    ],
)
def test_other_words_are_not_read_again(row):
    read, asked = reading("so far")
    assert texts(in_context([row], read, ContextOptions())) == texts([row])
    assert asked == []
