"""Evaluation: words told apart by length, characters and attributes, and what went wrong named."""

import math

import numpy as np
import pytest

from ocrkit.datasets.sample import Sample
from ocrkit.learning.report import report_markdown, sign
from ocrkit.learning.scoring import character_class, evaluate, length_class
from ocrkit.recognition.decode import Guess


def guess(text: str, confidence: float = 0.9) -> Guess:
    return Guess(text, confidence, np.zeros((len(text), 2)))


@pytest.mark.parametrize(
    ("text", "kind", "length"),
    [
        ("", "nothing", "0"),
        ("a", "letters", "1"),
        ("12", "digits", "2"),
        ("9.90", "mixed", "3-4"),
        ("...", "punctuation", "3-4"),
        ("total", "letters", "5-7"),
        ("two words", "letters", "8-11"),  # a blank is no kind of its own
        ("Ändern-12-345", "accented", "12+"),
        ("A4", "mixed", "2"),
    ],
)
def test_words_are_told_apart_by_characters_and_length(text, kind, length):
    assert (character_class(text), length_class(text)) == (kind, length)


TRUTHS = ["total", "Total", "12", "été", ""]
GUESSES = [guess("total"), guess("total", 0.8), guess("l2", 0.95), guess("ete", 0.3), guess("")]


def test_scores_add_up_over_all_groups():
    found = evaluate(TRUTHS, GUESSES, {"font": ["serif", "sans", "sans", "mono", "none"]})
    assert (found.total.words, found.total.exact.value, found.total.caseless.value) == (5, 0.4, 0.6)
    assert found.total.cer.value == pytest.approx(4 / 15)
    assert found.total.exact.low < 0.4 < found.total.exact.high
    for scores in found.groups.values():
        assert sum(score.words for score in scores.values()) == 5
        assert sum(score.words * score.exact.value for score in scores.values()) == pytest.approx(2)
    assert found.groups["font"]["sans"].words == 2
    assert found.groups["characters"]["accented"].exact.value == 0
    assert math.isnan(found.groups["characters"]["nothing"].cer.value)  # no characters to be wrong about


def test_what_is_read_where_nothing_stands_has_no_error_rate():
    assert math.isnan(evaluate(["", ""], [guess("ab"), guess("")]).total.cer.value)


def test_errors_are_named_and_the_most_confident_come_first():
    found = evaluate(TRUTHS, GUESSES)
    assert found.worst == [2, 1, 3]
    assert found.confusions[0] == ("é", "e", 2)
    assert ("T", "t", 1) in found.confusions
    assert sum(row.count for row in found.reliability) == 5
    assert 0 < found.calibration_error < 1


def test_not_one_guess_for_each_truth_is_refused():
    with pytest.raises(ValueError, match="zip"):
        evaluate(["a", "b"], [guess("a")])


def test_a_report_shows_every_set_and_signs_that_markdown_would_take():
    text = report_markdown("x", {"ours": evaluate(["a|b", "c"], [guess("alb"), guess("c")])})
    assert "## ours" in text
    assert "| `\\|` | `l` | 1 |" in text
    assert [sign(""), sign(" "), sign("a")] == ["nothing", "blank", "`a`"]


def test_pictures_of_a_report_are_drawn_even_of_nothing():
    pytest.importorskip("matplotlib")
    from ocrkit.learning.report import png, reliability_diagram, worst_sheet

    wrong = (Sample(np.full((20, 60), 90, np.uint8), "$x_1$"), guess("", 0.5))
    for picture in (reliability_diagram({}), worst_sheet([]), worst_sheet([wrong] * 3)):
        assert png(picture).startswith(b"\x89PNG")


@pytest.mark.filterwarnings("error")
def test_characters_that_the_font_of_the_pictures_lacks_stand_by_their_codes():
    pytest.importorskip("matplotlib")
    from ocrkit.learning.report import png, reliability_diagram, worst_sheet

    wrong = Sample(np.full((32, 60), 200, np.uint8), "7 中"), guess("7 €\n")
    sheet = worst_sheet([wrong])
    assert (sheet.axes[0].get_title(), sheet.axes[0].get_xlabel()) == ("7 [U+4E2D]", "7 €[U+000A]  0.90")
    png(sheet)
    png(reliability_diagram({"中": evaluate(["a"], [guess("a")])}))


def test_the_reliability_diagram_has_dots_where_words_were_right_larger_for_more_words():
    pytest.importorskip("matplotlib")
    from ocrkit.learning.report import reliability_diagram

    found = evaluate(["a"] * 10, [guess("b", 0.45), *[guess("a", 0.95)] * 9])
    (axis,) = reliability_diagram({"ours": found}).axes
    (dots,) = axis.collections
    assert dots.get_offsets().tolist() == [[0.45, 0.0], [pytest.approx(0.95), 1.0]]
    assert np.diff(dots.get_sizes()) > 0
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["ours: 10 words, error 0.090"]
