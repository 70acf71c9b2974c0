"""What the cells of a line tell of its words."""

import numpy as np
import pytest

from ocrkit.documents.cells import in_cells
from ocrkit.documents.joins import Piece
from ocrkit.recognition import Guess


def in_a_cell_each(text, read, pitch=10.0):
    """A piece whose ink fills a cell for each of `text`, read as `read`, whose characters stand over theirs."""
    first = len(text) - len(read.replace(" ", ""))  # cells that the first character fills
    middles = 10 * (np.maximum(np.arange(len(read)) + first, 0) + 0.5)
    middles[0] = 5 * (first + 1)
    box = np.array([0, 0, 10 * len(text), 20], float)
    guess = Guess(read, 0.9, np.stack([middles, middles], 1))
    return Piece(box, 0, np.zeros((20, 10 * len(text)), np.uint8), guess, pitch=pitch)


@pytest.mark.parametrize(
    ("text", "read", "pitch", "meant"),
    [
        ("input", "in put", 10.0, "input"),  # between cells that are not blank
        ("input", "in put", 0.0, "in put"),  # in no cells the gap may be a space
        ("__init", "_init", 10.0, "__init"),
        ("___all", "_all", 10.0, "___all"),
        ("is_file", "is_file", 10.0, "is_file"),
        ("__init", "_init", 0.0, "_init"),
        ("--test", "-test", 10.0, "--test"),
        ("--test", "—test", 10.0, "--test"),
        ("d-i", "d—i", 10.0, "d-i"),  # in cells a hyphen is as long as a dash
        ("d–i", "d–i", 0.0, "d–i"),
        ("—", "—", 10.0, "—"),  # alone it may be one
    ],
)
def test_a_word_in_cells_has_no_blank_and_as_many_strokes_as_cells(text, read, pitch, meant):
    (((found),),) = in_cells([[in_a_cell_each(text, read, pitch)]])
    assert found.guess.text == meant
    assert len(found.guess.spans) == len(meant)
