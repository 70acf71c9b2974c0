"""What stays of a page that was read."""

import numpy as np
import pytest

from ocrkit.documents.joins import Piece
from ocrkit.documents.options import ReadOptions
from ocrkit.documents.page import keep_words
from ocrkit.recognition import Guess


def piece(text, *place, confidence=0.9):
    guess = Guess(text, confidence, np.zeros((len(text), 2)))
    return Piece(np.array(place, float), place[0], np.zeros((9, 9), np.uint8), guess)


@pytest.mark.parametrize(("size", "kept"), [(10, True), (30, False)])
def test_a_bullet_is_lower_than_its_text_and_a_hole_for_a_ring_binder_is_not(size, kept):
    bullet = piece("•", 10, 20 - size / 2, 10 + size, 20 + size / 2)
    words, left_out = keep_words([[bullet], [piece("parcel", 60, 5, 160, 35)]], [], ReadOptions())
    assert [bool(row) for row in words] == [kept, True]
    assert left_out["noise"] == (not kept)


@pytest.mark.parametrize(("behind", "kept"), [(500, True), (1000, False)])
def test_a_bullet_between_the_cells_of_a_table_row_needs_no_text_close_behind_it(behind, kept):
    cells = [[piece("parcel", 0, 5, 100, 35)], [piece("12.50", behind, 5, behind + 80, 35)]]
    words, _ = keep_words([*cells, [piece("•", 300, 15, 310, 25)]], [], ReadOptions())
    assert bool(words[-1]) == kept


@pytest.mark.parametrize(
    ("text", "width", "height", "kept"),
    [(":", 4, 16, True), (":", 4, 8, False), ("(", 10, 30, True), ("(", 20, 30, False)],
)
def test_flat_colons_and_brackets_as_wide_as_the_rim_of_a_hole_are_dirt(text, width, height, kept):
    mark = piece(text, 200, 20 - height / 2, 200 + width, 20 + height / 2)
    words, _ = keep_words([[mark], [piece("parcel", 0, 5, 100, 35)]], [], ReadOptions())
    assert bool(words[0]) == kept


@pytest.mark.parametrize(("confidence", "kept"), [(0.93, True), (0.35, False)])
def test_a_brace_as_wide_as_a_typewriters_is_kept_where_it_is_surely_read(confidence, kept):
    brace = piece("{", 200, 5, 218, 35, confidence=confidence)
    words, _ = keep_words([[piece("parcel", 0, 5, 100, 35), brace]], [], ReadOptions())
    assert [word.text for word in words[0]] == ["parcel", "{"][: 1 + kept]
