"""Boxes that hold two words."""

from __future__ import annotations

import numpy as np
import pytest

from ocrkit.documents.joins import Piece
from ocrkit.documents.parted import PartOptions, part_words
from ocrkit.recognition.decode import Guess

KNOWN = {"if", "the", "you,", "won't", "Supposed", "we", "of", "tea", "pot"}


def boxed(text, gaps, known=False, pitch=0.0):
    """A piece whose letters are 8 px wide and 20 high, with `gaps` px between them."""
    lefts = np.cumsum([0, *(gap + 8 for gap in gaps)])
    crop = np.full((24, int(lefts[-1]) + 8), 255, np.uint8)
    for x in lefts.tolist():
        crop[2:22, x : x + 8] = 0
    spans = np.stack([lefts, lefts + 8], axis=1).astype(float)
    box = np.array([100, 50, 100 + crop.shape[1], 70], float)
    return Piece(box, 100.0, crop, Guess(text, 0.9, spans, known), ink=box, pitch=pitch)


def reading(*texts, confidence=0.9):
    """What reads halves as these texts, in order, and knows a few words."""

    def read(boxes):
        assert len(boxes) == len(texts)
        return [
            Piece(box, box[0], np.zeros((1, 1), np.uint8), Guess(text, confidence, np.zeros((0, 2)), text in KNOWN))
            for box, text in zip(boxes, texts)
        ]

    return read


@pytest.mark.parametrize(
    ("whole", "gaps", "halves", "meant"),
    [
        ("ifthe", [1, 5, 1, 1], ("if", "the"), "if the"),
        ("Iwe", [4, 1], ("I", "we"), "I we"),
        ("you,won't", [1, 1, 1, 5, 1, 1, 1, 1], ("you,", "won't"), "you, won't"),
        ("21.Supposed", [1, 1, 5, *[1] * 7], ("21.", "Supposed"), "21. Supposed"),
        ("ifthe", [1, 5, 1, 1], ("if", "lhe"), "ifthe"),  # what is read otherwise by itself
        ("isthe", [1, 5, 1, 1], ("is", "the"), "isthe"),  # the recogniser does not know one of them
    ],
)
def test_a_gap_wider_than_any_other_parts_two_words(whole, gaps, halves, meant):
    [[found]] = part_words([[boxed(whole, gaps)]], reading(*halves), PartOptions())
    assert found.guess.text == meant
    assert len(found.guess.spans) == len(meant)


@pytest.mark.parametrize(
    "piece",
    [
        boxed("ifthe", [1, 5, 1, 1], known=True),
        boxed("ifthe", [1, 5, 1, 1], pitch=9.0),
        boxed("ifthe", [3, 4, 3, 3]),  # hardly wider than the others
        boxed("ofthen", [1, 1, 1, 5, 1]),  # not beside the short word
        boxed("teapot", [1, 1, 5, 1, 1]),  # most words of two halves are one
        boxed("h2o", [5, 1]),
    ],
)
def test_other_words_are_not_looked_at_again(piece):
    assert part_words([[piece]], reading(), PartOptions()) == [[piece]]


def test_halves_that_are_hardly_read_are_no_words():
    piece = boxed("ifthe", [1, 5, 1, 1])
    assert part_words([[piece]], reading("if", "the", confidence=0.4), PartOptions()) == [[piece]]


@pytest.mark.parametrize(
    ("read", "gaps", "meant"),
    [
        ("250g", [1, 1, 5], "250 g"),
        ("6x2kg", [6, 6, 6, 1], "6 x 2 kg"),
        ("1.5l", [1, 1, 6], "1.5 l"),
        ("250g", [1, 1, 2], "250g"),
        ("250g", [4, 4, 5], "250g"),  # hardly wider than the others
        ("3x1", [6, 1], "3x1"),  # with a gap on one side alone
        ("A4", [6], "A4"),
        ("5G", [4], "5G"),  # as wide as between the letters of wide typefaces
        ("5g", [8], "5 g"),
        ("2nd", [5, 3], "2nd"),
        ("250", [1, 6], "250"),
        ("2AAB", [6, 1, 2], "2AAB"),  # in hexadecimal
    ],
)
def test_a_measure_is_parted_where_figures_meet_letters(read, gaps, meant):
    [[found]] = part_words([[boxed(read, gaps)]], reading(), PartOptions())
    assert found.guess.text == meant
    assert len(found.guess.spans) == len(meant)


@pytest.mark.parametrize(
    ("whole", "gaps", "halves", "meant"),
    [
        (r"a6\def", [1, 4, 1, 1, 1], ("26", r"\def"), ["26", r"\def"]),
        (r"a6\def", [1, 4, 1, 1, 1], ("ab", r"\def"), [r"a6\def"]),  # no number
        (r"26\def", [1, 4, 1, 1, 1], ("26", "ldef"), [r"26\def"]),  # no command
        (r"26\def", [0, 0, 0, 0, 0], (), [r"26\def"]),  # no gap
        (r"\a6\def", [1, 1, 4, 1, 1, 1], (), [r"\a6\def"]),
        ("a6}%xy", [1, 4, 1, 1, 1], (), ["a6}%xy"]),  # no brace that ends a group
    ],
)
def test_a_line_s_number_before_a_command_is_a_word(whole, gaps, halves, meant):
    piece = boxed(whole, gaps, pitch=9.0)
    piece.crop[2:8, :17] = 255  # the number is smaller
    [found] = part_words([[piece]], reading(*halves), PartOptions())
    assert [part.guess.text for part in found] == meant
    if len(meant) == 2:
        assert [part.place.tolist() for part in found] == [[100, 56, 117, 70], [121, 50, 156, 70]]


def test_a_line_s_number_before_a_brace_is_a_word():
    [found] = part_words([[boxed("26}%", [1, 4, 1], pitch=9.0)]], reading("26", "}%"), PartOptions())
    assert [part.guess.text for part in found] == ["26", "}%"]


def test_a_number_within_a_line_stays_with_its_command():
    row = [boxed("if", [1], pitch=9.0), boxed(r"26\def", [1, 4, 1, 1, 1], pitch=9.0)]
    assert part_words([row], reading(), PartOptions()) == [row]


def test_figures_and_letters_in_cells_stand_apart_without_being_words():
    piece = boxed("0x1", [6, 6], pitch=14.0)
    assert part_words([[piece]], reading(), PartOptions()) == [[piece]]
