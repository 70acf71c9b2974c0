"""What the cells of a line tell of its words."""

from dataclasses import replace

import numpy as np
import pytest

from ocrkit.documents.cells import in_cells
from ocrkit.documents.joins import Piece
from ocrkit.recognition import Guess


def figures(text, comma):
    """A piece with a run of ink for each of `text`, 8 px wide, a comma's 2 px wide and `comma` px behind a figure."""
    crop, x, spans = np.full((24, 200), 255, np.uint8), 0, []
    for character in text:
        width = {",": 2, " ": 4}.get(character, 8)
        x += comma if character == "," else 0
        crop[16 if character == "," else 2 : 22, x : x + width] = 255 if character == " " else 0
        spans.append([x, x + width])
        x += width + (6 - comma if character == "," else 2)
    box = np.array([0, 2, x - 2, 22], float)
    return Piece(box, 0, crop[:, : x - 2], Guess(text, 0.9, np.array(spans, float)), pitch=10.0)


@pytest.mark.parametrize(
    ("text", "comma", "meant"),
    [
        ("54, 56", 0, "54, 56"),
        ("124, 150, 3", 0, "124, 150, 3"),
        ("54, 56", 4, "54,56"),  # as far off as a cell of its own
        ("5 4, 56", 0, "54, 56"),  # a blank elsewhere is none
    ],
)
def test_figures_whose_commas_are_in_no_cells_keep_the_blanks_behind_these(text, comma, meant):
    [[found]] = in_cells([[figures(text, comma)]])
    assert found.guess.text == meant
    assert len(found.guess.spans) == len(meant)


def in_a_cell_each(text, read, pitch=10.0):
    """A piece whose ink fills a cell for each of `text`, read as `read`, whose characters stand over theirs."""
    first = len(text) - len(read.replace(" ", ""))  # cells that the first character fills
    number = np.cumsum([character != " " for character in read]) - 1  # a blank has no cell
    middles = 10 * (np.maximum(number + first, 0) + 0.5)
    middles[0] = 5 * (first + 1)
    box = np.array([0, 0, 10 * len(text), 20], float)
    guess = Guess(read, 0.9, np.stack([middles, middles], 1))
    return Piece(box, 0, np.zeros((20, 10 * len(text)), np.uint8), guess, pitch=pitch)


def test_a_word_in_cells_keeps_a_blank_that_fills_one_as_dirt_may_hide():
    piece = in_a_cell_each("in-put", "in-put")
    hidden = replace(piece, guess=replace(piece.guess, text="in put"))
    (((found),),) = in_cells([[hidden]])
    assert found.guess.text == "in put"


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
