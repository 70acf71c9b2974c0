"""Lines in cells of one width, as typewriters and program listings are set."""

from __future__ import annotations

import numpy as np
import pytest

from ocrkit.detection import DetectorOptions
from ocrkit.detection.pitch import line_pitches
from ocrkit.detection.words import split_words

CELL = 12.0
WIDTHS = {"m": 11.0, "i": 3.0, "l": 3.0}  # px; of other letters 9
TEXT = (
    "in the old mill house",
    "a little milk is left",
    "she will fill the jug",
    "until the pail is full",
    "and carry it to a field",
    "still warm from milking",
)


def set_in(text, line, cell):
    """Boxes of a line's letters, 14 px high; in cells, or 2 px apart and spaces 6 px wide."""
    boxes, x = [], 0.0
    for i, letter in enumerate(text):
        wide = WIDTHS.get(letter, 9.0)
        if letter != " ":
            left = (i + 0.5) * cell - wide / 2 if cell else x
            boxes.append([left, 40 * line, left + wide, 40 * line + 14])
        x += 4 if letter == " " else wide + 2
    return boxes


def page(cell):
    lines = [set_in(text, number, cell) for number, text in enumerate(TEXT)]
    boxes = np.array([box for line in lines for box in line])
    return boxes, np.repeat(np.arange(len(lines)), [len(line) for line in lines])


def words_of(boxes, letter, line):
    words = split_words(boxes, letter, line, DetectorOptions())
    return words, np.bincount(words.line).tolist()


@pytest.mark.parametrize("cell", [CELL, 0.0])
def test_letters_at_even_steps_tell_the_width_of_their_cells(cell):
    boxes, line = page(cell)
    pitch, likely = line_pitches(boxes, np.ones(len(boxes), bool), line, DetectorOptions())
    np.testing.assert_allclose(pitch, cell, rtol=0.01)
    assert likely.all() == bool(cell)


@pytest.mark.parametrize("cell", [CELL, 0.0])
def test_narrow_letters_stand_apart_in_their_cells_and_yet_in_one_word(cell):
    boxes, line = page(cell)
    words, count = words_of(boxes, np.ones(len(boxes), bool), line)
    assert count == [len(text.split()) for text in TEXT]
    if cell:
        assert set(words.space.tolist()) == {1.0}  # certain


@pytest.mark.parametrize(
    ("width", "height", "foot", "spaces"),
    [
        (4, 1, 9, 1),  # a piece of a thin rule
        (2, 2, 12, 1),  # between low letters
        (3, 3, 1, 1),  # above all letters
        (4, 4, 20, 1),  # below the line
        (4, 4, 14, 0),  # a point
        (2, 6, 6, 0),  # an apostrophe
        (7, 2, 9, 0),  # a hyphen
    ],
)
def test_dirt_in_a_blank_cell_hides_no_space(width, height, foot, spaces):
    boxes, line = page(CELL)
    x = (TEXT[1].index(" ", 3) + 0.5) * CELL - width / 2
    mark = [x, 40 + foot - height, x + width, 40 + foot]
    at = int(np.searchsorted(boxes[:, 0] + 1e4 * line, x + 1e4))
    letter = np.insert(np.ones(len(boxes), bool), at, False)
    _, count = words_of(np.insert(boxes, at, mark, axis=0), letter, np.insert(line, at, 1))
    assert count[1] == len(TEXT[1].split()) - 1 + spaces


def test_a_sign_between_blank_cells_is_a_word_and_a_speck_there_is_a_space():
    boxes, line = page(CELL)
    place = (TEXT[0].index(" ") + 0.5) * CELL
    end = (len(TEXT[3]) + 1.5) * CELL
    speck, asterisk = [place - 0.5, 3, place + 0.5, 4], [end - 3, 124, end + 3, 131]
    extra = np.array([speck, asterisk])
    order = np.lexsort((np.append(boxes[:, 0], extra[:, 0]), np.append(line, [0, 3])))
    both = np.concatenate([boxes, extra])[order]
    letter = np.append(np.ones(len(boxes), bool), [False, False])[order]
    _, count = words_of(both, letter, np.append(line, [0, 3])[order])
    assert count == [len(text.split()) + (number == 3) for number, text in enumerate(TEXT)]


@pytest.mark.parametrize(
    ("width", "kept"),
    [
        (0.9, True),
        (1.95, True),  # of two that touch
        (1.1, True),  # blurred by half a pixel
        (1.15, False),
        (1.4, False),  # the end of a rule
        (3.3, False),
    ],
)
def test_what_fills_cells_below_the_line_is_underscores_and_all_else_a_rule(width, kept):
    boxes, line = page(CELL)
    left = len(TEXT[-1]) * CELL
    boxes = np.concatenate([boxes, [[left, 215, left + width * CELL, 217]]])
    line = np.append(line, line[-1])
    words, _ = words_of(boxes, np.append(np.ones(len(boxes) - 1, bool), False), line)
    assert (words.ink[-1, 2] > left) == kept


@pytest.mark.parametrize(
    ("word", "hanging", "top", "is_mark"),
    [
        ("we", False, 239, True),  # an apostrophe in a line of low letters alone
        ("we", False, 236, False),  # dirt above them
        ("eg", True, 239, True),  # behind a letter that hangs below the line
    ],
)
def test_an_apostrophe_in_a_cell_beside_low_letters_is_no_dirt(word, hanging, top, is_mark):
    boxes, line = page(CELL)
    low = np.array(set_in(f"{word} re so", 6, CELL))
    low[:, 1] += 4
    low[1, 3] += 4 * hanging
    mark = [2.5 * CELL - 1.5, top, 2.5 * CELL + 1.5, top + 6]
    boxes, line = np.concatenate([boxes, low, [mark]]), np.append(line, [6] * (len(low) + 1))
    letter = np.arange(len(boxes)) < len(boxes) - 1
    _, count = words_of(boxes, letter, line)
    assert count[6] == (2 if is_mark else 3)


def letters_of_words(parts, cells):
    """The letters of each word of a line of `parts`, each in cells or not, 6 px apart, below lines in no cells."""
    boxes, x = [], 0.0
    for part, cell in zip(parts, cells):
        own = [[x + left, top, x + right, low] for left, top, right, low in set_in(part, len(TEXT), cell)]
        boxes += own
        x = own[-1][2] + 6
    others, line = page(0.0)
    boxes = np.vstack([others, np.array(boxes)])
    line = np.append(line, np.full(len(boxes) - len(line), len(TEXT)))
    words = split_words(boxes, np.ones(len(boxes), bool), line, DetectorOptions())
    return words.letters[words.line == len(TEXT)].tolist()


def test_a_name_in_cells_is_one_word_in_a_line_of_other_print():
    assert letters_of_words(["see the file", "libmillimetre", "on a field"], [0.0, CELL, 0.0]) == [3, 3, 4, 13, 2, 1, 5]


def test_short_lines_alone_tell_no_pitch_of_a_page_with_other_print():
    lines = [set_in(text, number, 0.0) for number, text in enumerate(TEXT)]
    lines += [set_in("familiar", len(TEXT) + number, CELL) for number in range(9)]
    boxes = np.array([box for line in lines for box in line])
    line = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    with np.errstate(all="raise"):
        pitch, _ = line_pitches(boxes, np.ones(len(boxes), bool), line, DetectorOptions())
    assert not pitch.any()


@pytest.mark.parametrize(("comma", "in_cells"), [(0.5, True), (0.1, False)])
def test_a_list_of_figures_is_in_cells_only_if_its_commas_are(comma, in_cells):
    """Figures of most faces are of one width, and a comma and a space together are as wide; in cells they are two."""
    boxes, letter, of = [], [], []
    for row in range(5):
        x = 0.0
        for sign in "1673, 2415, 5078, 3196, 4027":
            if sign == " ":
                x += CELL if in_cells else 0.0
                continue
            wide, middle = (2.0, comma) if sign == "," else (9.0, 0.5)
            top = 40 * row + (12 if sign == "," else 0)
            boxes.append(
                [
                    x + middle * CELL - wide / 2,
                    top,
                    x + middle * CELL + wide / 2,
                    40 * row + (17 if sign == "," else 14),
                ]
            )
            letter.append(sign != ",")
            of.append(row)
            x += CELL
    others, line = page(0.0)
    boxes, line = np.vstack([boxes, others + np.array([0, 240, 0, 240])]), np.append(of, line + 5)
    pitch, _ = line_pitches(boxes, np.append(letter, np.ones(len(others), bool)), line, DetectorOptions())
    assert (pitch[:5] > 0).all() == in_cells
    assert not pitch[5:].any()
