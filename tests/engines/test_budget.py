"""Every way of losing a word, counted under its own name."""

import numpy as np
import pytest

from ocrkit.datasets import LabelledPage, LabelledWord
from ocrkit.document import Word, box_to_quad
from ocrkit.engines.budget import CAUSES, error_budget


def label(text, *box):
    return LabelledWord(text, box_to_quad(box))


def word(text, *box):
    return Word(text, box_to_quad(box))


def page(words=(), lines=()):
    return LabelledPage("p", words=tuple(words), lines=tuple(lines), category="other", source="test")


TOTAL, DUE = label("Total", 0, 0, 50, 10), label("due:", 60, 0, 100, 10)


@pytest.mark.parametrize(
    ("found", "causes"),
    [
        ([word("Total", 0, 0, 50, 10), word("due:", 60, 0, 100, 10)], {"read": 2}),
        ([word("TOTAL", 0, 0, 50, 10), word("due", 61, 0, 100, 10)], {"case": 1, "marks": 1}),
        ([word("Tolal", 0, 0, 50, 10), word("due:", 60, 0, 100, 10)], {"misread": 1, "read": 1}),
        ([word("To", 0, 0, 22, 10), word("tal", 26, 0, 50, 10)], {"split": 1, "missed": 1}),
        ([word("Total due:", 0, 0, 100, 10)], {"joined": 2}),
        ([word("Total", 0, 6, 50, 22)], {"misplaced": 1, "missed": 1}),
        ([], {"missed": 2}),
    ],
)
def test_words_with_boxes_of_their_own(found, causes):
    budget = error_budget(page([TOTAL, DUE]), found)
    assert budget.total() == 2
    assert set(budget) <= set(CAUSES)
    assert {cause: budget[cause] for cause in causes} == causes


@pytest.mark.parametrize(
    ("texts", "causes"),
    [
        (["TOTAL", "12.50"], {"read": 2}),
        (["TOTAL", "12", ".50"], {"read": 1, "split": 1}),
        (["TOTAL12.50"], {"joined": 2}),
        (["TOTAL", "17.50"], {"read": 1, "misread": 1}),
        ([], {"missed": 2}),
    ],
)
def test_words_of_labelled_lines(texts, causes):
    line = label("Total 12.50", 0, 0, 200, 10)
    found = [word(text, 10 + 60 * i, 0, 60 + 60 * i, 10) for i, text in enumerate(texts)]
    elsewhere = word("12.50", 10, 40, 60, 50)
    assert error_budget(page(lines=[line]), [*found, elsewhere]) == causes


def test_an_empty_page_has_nothing_to_lose():
    assert error_budget(page(), [word("noise", 0, 0, 9, 9)]).total() == 0
    assert np.isfinite(error_budget(page([TOTAL]), []).total())
