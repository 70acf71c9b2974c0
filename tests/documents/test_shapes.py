"""What a word's line tells about it that its crop does not."""

import numpy as np
import pytest

from ocrkit.detection import Parts
from ocrkit.documents.joins import Piece
from ocrkit.documents.quotes import QuoteOptions, with_quotes
from ocrkit.documents.screen import ScreenOptions, unscreened
from ocrkit.documents.shapes import ShapeOptions, by_shape
from ocrkit.recognition import Guess


def piece(text, width=40, height=20):
    spans = np.zeros((len(text), 2))
    return Piece(
        np.array([0, 0, width, height], float), 0, np.zeros((height, width), np.uint8), Guess(text, 0.9, spans)
    )


def texts(rows):
    return [piece.guess.text for row in rows for piece in row]


@pytest.mark.parametrize(
    ("beside", "length", "named"),
    [
        (("-", 8), 8, "-"),
        (("-", 8), 12, "–"),
        (("-", 12), 12, "-"),  # a typewriter's hyphens, which are all as long
        (("-", 8), 24, "—"),
    ],
)
def test_a_dash_is_named_by_its_length(beside, length, named):
    sign, width = beside
    rows = by_shape([[piece("Total")], [piece(sign, width, 2)], [piece("-", length, 2)]], ShapeOptions())
    assert texts(rows)[-1] == named


@pytest.mark.parametrize(
    ("text", "height", "meant"),
    [("SO", 14, "so"), ("Or,", 14, "or,"), ("SO", 20, "SO"), ("SE", 14, "SE"), ("TO", 14, "TO")],
)
def test_capitals_no_higher_than_small_letters_are_these(text, height, meant):
    assert texts(by_shape([[piece("The"), piece(text, 20, height)]], ShapeOptions()))[-1] == meant


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        (["“yes”", "don't", "it’s"], ["“yes”", "don’t", "it’s"]),
        (['"yes"', "don't", "can't", "isn't", "it’s"], ['"yes"', "don't", "can't", "isn't", "it’s"]),
        (["“so”", "5'10\""], ["“so”", "5'10\""]),
        (["don't", "it’s"], ["don't", "it’s"]),  # one mark of either kind tells nothing
    ],
)
def test_a_page_has_one_kind_of_marks(read, meant):
    assert texts(with_quotes([[piece(text) for text in read]], QuoteOptions())) == meant


def marked(text, bent):
    """A piece whose raised mark, drawn 4 px wide and 8 high, bends to the left or stands upright."""
    crop = np.full((30, 60), 255, np.uint8)
    for row in range(8):
        crop[2 + row, 30 - (row // 2 if bent else 0) :][:3] = 0
    parts = Parts(np.array([[2, 2, 20, 24], [26, 2, 34, 10], [38, 8, 56, 24]], float), np.array([0, 1, 0], bool), 22.0)
    guess = Guess(text, 0.9, np.zeros((len(text), 2)))
    return Piece(np.array([0, 0, 60, 30], float), 0, crop, guess, parts=parts)


@pytest.mark.parametrize(("bent", "meant"), [(True, ["d’une", "it’s", "I’m"]), (False, ["d'une", "it's", "I'm"])])
def test_the_ink_of_marks_tells_whether_they_are_curled(bent, meant):
    read = ["d'une", "it's", "I’m"]
    assert texts(with_quotes([[marked(text, bent) for text in read]], QuoteOptions())) == meant


def placed(text, x0, y0, x1, y1, confidence=0.9):
    crop, guess = np.zeros((20, 20), np.uint8), Guess(text, confidence, np.zeros((len(text), 2)))
    return Piece(np.array([x0, y0, x1, y1], float), x0, crop, guess)


@pytest.mark.parametrize(
    ("place", "read", "meant"),
    [
        ((60, 10, 80, 12), "~", "—"),
        ((60, 10, 71, 12), "", "–"),
        ((60, 18, 80, 20), "...", "..."),  # on the baseline
        ((60, 10, 180, 12), "_", "_"),  # beside no word on its right
    ],
)
def test_what_is_low_and_wide_half_way_up_between_two_words_is_a_dash(place, read, meant):
    row = [placed("The", 0, 0, 50, 20), placed(read, *place, confidence=0.2), placed("end", 90, 0, 130, 20)]
    hyphen = [placed("The", 0, 0, 50, 20), placed("-", 60, 10, 66, 12)]
    assert texts(by_shape([row, hyphen], ShapeOptions()))[1] == meant


@pytest.mark.parametrize(("lines", "meant"), [(1, "e"), (2, "•")])
def test_what_is_small_and_round_before_several_lines_is_their_bullet(lines, meant):
    rows = [[placed("e", 0, 6, 8, 14), placed("The", 20, 0, 60, 20)] for _ in range(lines)]
    assert texts(by_shape(rows, ShapeOptions()))[0] == meant


def test_dots_of_a_screen_become_a_tint_and_nothing_else_changes():
    page = np.full((200, 400), 255, np.uint8)
    page[150:160, 20:300:9] = 0  # strokes
    assert unscreened(page, ScreenOptions()) is page
    page[:80].reshape(20, 4, 100, 4)[:, :3, :, :3] = 0
    tint = unscreened(page, ScreenOptions())
    assert np.ptp(tint[20:60, 20:380].astype(int)) < 60
    np.testing.assert_array_equal(tint[130:], page[130:])
