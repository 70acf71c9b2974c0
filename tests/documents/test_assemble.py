"""Reading order, columns, rows and paragraphs, on layouts whose right order is known."""

import random

import numpy as np
import pytest

from ocrkit.document import Word, box_to_quad
from ocrkit.documents.assemble import assemble

HEIGHT = 20


def placed(text, x, y, height=HEIGHT):
    """The words of `text` from `x` on, each letter half as wide as high, one letter's width apart."""
    words = []
    for token in text.split():
        width = len(token) * height / 2
        words.append(Word(token, box_to_quad((x, y, x + width, y + height))))
        x += width + height / 2
    return words


def shuffled(lines):
    """Lines and the words in them in any order, as a detector may give them."""
    dice = random.Random(3)
    lines = [dice.sample(line, len(line)) for line in lines]
    return dice.sample(lines, len(lines))


def texts(lines):
    return [line.text for line in lines]


def test_nothing_gives_nothing():
    assert assemble([]) == ()
    assert assemble([[], []]) == ()


def test_lines_run_from_top_to_bottom_and_words_from_left_to_right():
    rows = ["the quick brown fox", "jumps over", "the lazy dog"]
    lines = assemble(shuffled([placed(row, 50, 100 + 30 * i) for i, row in enumerate(rows)]))
    assert texts(lines) == rows
    assert {line.paragraph for line in lines} == {0}


def test_pieces_of_a_row_become_one_line():
    """A receipt: names at the left, prices at the right, nothing but prices in their column."""
    names = ["COFFEE LARGE", "TEA", "MILK 2 L", "SUM OF ALL", "CASH"]
    items = list(zip(names, ["4.20", "3.10", "1.95", "9.25", "10.00"]))
    found = []
    for i, (name, price) in enumerate(items):
        found += [placed(name, 50, 100 + 30 * i), placed(price, 500, 102 + 30 * i)]
    assert texts(assemble(shuffled(found))) == [f"{name} {price}" for name, price in items]


def test_a_tall_stain_beside_two_rows_does_not_join_them():
    rows = ["the first row", "the second row", "the third row"]
    found = [placed(row, 100, 100 + 30 * i) for i, row in enumerate(rows)]
    stain = [Word("|", box_to_quad((20, 90, 28, 190)))]
    assert [text for text in texts(assemble(shuffled([*found, stain]))) if text != "|"] == rows


LEFT = [f"left column row number {i}" for i in range(6)]
RIGHT = [f"right column row number {i}" for i in range(6)]
TITLE, FOOT = (
    "A title that runs over the whole width of the page and both columns",
    "And a footer line that does the same as the title at the head of it",
)


@pytest.mark.parametrize("offset", [0, 9, 15])
@pytest.mark.parametrize("joined", [False, True])
def test_columns_are_read_one_after_the_other(offset, joined):
    """Whether or not the columns' lines stand level, and whether or not the detector ran over the gutter."""
    found = [placed(TITLE, 50, 40), placed(FOOT, 50, 400)]
    for i, (left, right) in enumerate(zip(LEFT, RIGHT)):
        pieces = placed(left, 50, 120 + 30 * i), placed(right, 450, 120 + offset + 30 * i)
        found += [pieces[0] + pieces[1]] if joined else pieces
    assert texts(assemble(shuffled(found))) == [TITLE, *LEFT, *RIGHT, FOOT]


@pytest.mark.parametrize("offset", [0, 9])
def test_three_columns_are_read_one_after_the_other(offset):
    columns = [[f"{name} column row number {i}" for i in range(6)] for name in ("left", "middle", "right")]
    found = [
        placed(row, 50 + 400 * at, 120 + offset * at + 30 * i)
        for at, column in enumerate(columns)
        for i, row in enumerate(column)
    ]
    assert texts(assemble(shuffled(found))) == [row for column in columns for row in column]


def test_wide_gaps_within_lines_and_bullets_do_not_end_a_gutter():
    """A heading set to both margins of its column, beside the items of a list."""
    found = [placed(row, 50, 120 + 30 * i) for i, row in enumerate(LEFT)]
    found[2] = placed("wide", 50, 180) + placed("gaps", 150, 180) + placed("here", 250, 180)
    for i, row in enumerate(RIGHT):
        found.append(placed("•", 450, 120 + 30 * i) + placed(row, 490, 120 + 30 * i))
    bulleted = [f"• {row}" for row in RIGHT]
    assert texts(assemble(shuffled(found))) == [*LEFT[:2], "wide gaps here", *LEFT[3:], *bulleted]


def test_rows_far_above_a_table_make_no_gutter_with_its_head():
    """An invoice: what it is about at the right of the sender, and a table further down."""
    sender = ["Bright and Sons Ltd", "Unit 7 Harbour Works", "Bristol BS1 6QH"]
    about = ["Invoice number 4711", "of 12 May 2025", "Your ref 7781 B"]
    found = []
    for i, (left, right) in enumerate(zip(sender, about)):
        found += [placed(left, 50, 100 + 30 * i), placed(right, 700, 100 + 30 * i)]
    found += [placed("What was done and when", 50, 500), placed("Amount in pounds", 700, 500)]
    rows = [f"{left} {right}" for left, right in zip(sender, about)]
    assert texts(assemble(shuffled(found))) == [*rows, "What was done and when Amount in pounds"]


@pytest.mark.parametrize("degrees", [-4, 2, 5])
def test_slanting_pages_keep_their_order(degrees):
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    rows = [f"row {i} with a price" for i in range(6)]
    found = []
    for i, row in enumerate(rows):
        for piece in placed(row, 50, 100 + 30 * i), placed(f"{i}.00", 800, 100 + 30 * i):
            upright = [(word.text, np.mean(word.quad @ turn, axis=0), np.ptp(word.quad, axis=0) / 2) for word in piece]
            found.append([Word(text, box_to_quad((*(c - half), *(c + half)))) for text, c, half in upright])
    joined = [a + b for a, b in zip(found[::2], found[1::2])]
    assert texts(assemble(shuffled(joined))) == [f"{row} {i}.00" for i, row in enumerate(rows)]


def test_a_wide_blank_or_another_size_starts_a_paragraph():
    found = [
        placed("A TITLE", 50, 20, height=40),
        placed("first paragraph begins", 50, 80),
        placed("and goes on", 50, 106),
        placed("second one", 50, 170),
    ]
    assert [line.paragraph for line in assemble(shuffled(found))] == [0, 1, 1, 2]
