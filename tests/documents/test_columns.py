"""Numbers of two columns in one box."""

from __future__ import annotations

import numpy as np
import pytest

from ocrkit.documents.columns import ColumnOptions, at_columns
from ocrkit.documents.joins import Piece
from ocrkit.recognition.decode import Guess

WIDTH, HEIGHT, GAP = 8, 20, 2  # px; of a figure, and between two


def number(text, right, row):
    """A piece that ends at `right`, in a row of so many."""
    step = WIDTH + GAP
    crop = np.full((HEIGHT + 4, step * len(text) - GAP), 255, np.uint8)
    lefts = np.arange(len(text)) * step
    for x in lefts.tolist():
        crop[2:-2, x : x + WIDTH] = 0
    box = np.array([right - crop.shape[1], 30 * row, right, 30 * row + HEIGHT], float)
    spans = np.stack([lefts, lefts + WIDTH], axis=1).astype(float)
    return Piece(box, float(box[0]), crop, Guess(text, 0.9, spans), space=1.0, ink=box)


def table(text, column_end=300):
    """Rows of three columns, the second of which ends at `column_end`; one row has `text` in place of its last two."""
    rows = [[number("12", 200, row), number("34", column_end, row), number("5,678", 400, row)] for row in range(5)]
    rows[2][1:] = [number(text, 400, 2)]
    return rows


def reading(*texts):
    """What reads halves as these texts, in order."""

    def read(boxes):
        assert len(boxes) == len(texts)
        return [
            Piece(box, box[0], np.zeros((1, 1), np.uint8), Guess(text, 0.9, np.zeros((0, 2))))
            for box, text in zip(boxes, texts)
        ]

    return read


def test_numbers_without_a_space_between_their_columns_are_parted_where_the_first_one_ends():
    rows = at_columns(table("9912,244,526"), reading("99", "12,244,526"), ColumnOptions())
    assert [[piece.guess.text for piece in row] for row in rows[1:3]] == [
        ["12", "34", "5,678"],
        ["12", "99", "12,244,526"],
    ]
    assert [piece.place.tolist() for piece in rows[2][1:]] == [[282, 60, 300, 80], [302, 60, 400, 80]]
    assert rows[2][2].space == 1


def test_a_range_among_numbers_that_begin_where_it_does_stays_whole():
    texts = ["10", "15", "10-20", "12.50", "13.25"]
    rows = [[number(text, 100 + len(text) * (WIDTH + GAP) - GAP, row)] for row, text in enumerate(texts)]
    assert at_columns(rows, pytest.fail, ColumnOptions()) == rows


@pytest.mark.parametrize(
    ("rows", "halves"),
    [
        (table("991224452678"), ()),  # one number, for all that its row tells
        (table("99x2,244,526"), ()),
        (table("9912,244,526", column_end=295), ()),
        (table("9912,244,526"), ("9g", "12,244,526")),
        (table("9912,244,526")[1:3], ()),  # one row is no column
    ],
)
def test_what_may_be_one_number_or_is_none_stays_whole(rows, halves):
    assert at_columns(rows, reading(*halves) if halves else pytest.fail, ColumnOptions()) == rows
