"""What a word's line tells about it that its crop does not."""

import numpy as np
import pytest

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
    ],
)
def test_a_page_has_one_kind_of_marks(read, meant):
    assert texts(with_quotes([[piece(text) for text in read]], QuoteOptions())) == meant


def test_dots_of_a_screen_become_a_tint_and_nothing_else_changes():
    page = np.full((200, 400), 255, np.uint8)
    page[150:160, 20:300:9] = 0  # strokes
    assert unscreened(page, ScreenOptions()) is page
    page[:80].reshape(20, 4, 100, 4)[:, :3, :, :3] = 0
    tint = unscreened(page, ScreenOptions())
    assert np.ptp(tint[20:60, 20:380].astype(int)) < 60
    np.testing.assert_array_equal(tint[130:], page[130:])
