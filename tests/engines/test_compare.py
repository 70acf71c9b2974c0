import math

import numpy as np
import pytest

from ocrkit.datasets import LabelledPage, LabelledWord
from ocrkit.document import Line, Page, Word, box_to_quad
from ocrkit.engines import EngineFailed, compare, leaderboard_html
from ocrkit.metrics import PrecisionRecall

BLANK = np.full((100, 200), 255, np.uint8)
TEXTS = ("Total", "9.90")
BOXES = ((10, 10, 60, 30), (80, 10, 120, 30))


def labelled(identity, texts=TEXTS, **kind):
    words = tuple(LabelledWord(text, box_to_quad(box)) for text, box in zip(texts, BOXES))
    return LabelledPage(identity, words, pixels=BLANK, **kind)


class Echo:
    """An engine that always gives the same words."""

    version = "1"

    def __init__(self, name, *words, error=None):
        self.name, self.words, self.error = name, words, error
        self.reads = 0

    def read(self, image):
        self.reads += 1
        if self.error:
            raise self.error
        words = tuple(Word(text, box_to_quad(box)) for text, box in self.words)
        return Page(1, image.shape[1], image.shape[0], (Line(words),) if words else ())

    def recognize(self, crops):
        return [""] * len(crops)


PERFECT = tuple(zip(TEXTS, BOXES))


@pytest.mark.parametrize(
    ("found", "words", "boxes", "edits"),
    [
        (PERFECT, (2, 2, 2), (2, 2, 2), 0),
        ((("TOTAL", BOXES[0]), ("9.90", BOXES[1])), (2, 2, 2), (1, 2, 2), 0),  # bags and edits caseless, boxes exact
        ((("Total 9.90", (10, 10, 120, 30)),), (2, 2, 2), (0, 2, 1), 0),  # one box around both: words there, boxes not
        (PERFECT[::-1], (2, 2, 2), (2, 2, 2), 0),  # another order costs nothing
        ((("9.90", BOXES[0]), ("Total", BOXES[1])), (2, 2, 2), (0, 2, 2), 10),  # right words at the wrong places
        ((), (0, 2, 0), (0, 2, 0), 10),  # nothing found
    ],
)
def test_scores_of_a_page(found, words, boxes, edits):
    (score,) = compare([Echo("echo", *found)], [labelled("p")]).scores
    assert score.words == PrecisionRecall(*words)
    assert score.boxes == PrecisionRecall(*boxes)
    assert (score.edits, score.characters) == (edits, len("total 9.90"))


def test_pages_labelled_by_line_count_words_but_no_boxes():
    line = LabelledWord("TOTAL 9.90", box_to_quad((10, 10, 120, 30)))
    page = LabelledPage("receipt", lines=(line,), pixels=BLANK, category="register_tapes")
    comparison = compare([Echo("echo", *PERFECT)], [page])
    row = comparison.rows()[0]
    assert comparison.scores[0].boxes is None
    assert (row["words"], row["recall"], row["cer"]) == (2, 1.0, 0.0)
    assert math.isnan(row["box_recall"])


def test_untranscribed_words_are_not_asked_for():
    (score,) = compare([Echo("echo", *PERFECT)], [labelled("p", ("Total", ""))]).scores
    assert score.words == PrecisionRecall(1, 1, 2)
    assert score.boxes == PrecisionRecall(1, 1, 2)


def test_rows_are_read_from_top_to_bottom_and_left_to_right():
    places = {"d": (50, 42, 60, 52), "a": (10, 11, 20, 21), "c": (10, 40, 20, 50), "b": (50, 8, 60, 18)}
    words = tuple(LabelledWord(text, box_to_quad(box)) for text, box in places.items())
    page = LabelledPage("p", words, pixels=BLANK)
    (score,) = compare([Echo("echo", ("a b c d", (10, 10, 60, 50)))], [page]).scores
    assert score.edits == 0


def test_failures_count_as_nothing_found_and_are_shown():
    broken = Echo("broken", error=EngineFailed("It took longer than 60 s."))
    comparison = compare([Echo("echo", *PERFECT), broken], [labelled("p1"), labelled("p2")])
    row = next(row for row in comparison.rows() if row["engine"] == "broken")
    assert (row["failures"], row["recall"], row["f1"], row["cer"]) == (2, 0.0, 0.0, 1.0)
    assert math.isnan(row["seconds_per_page"])
    assert "p2: EngineFailed: It took longer than 60 s." in leaderboard_html(comparison)


def test_real_and_simulated_pages_are_never_rolled_up_together():
    pages = [labelled("r1", category="scanned_docs"), labelled("r2"), labelled("s1", ("No", "match"), simulated=True)]
    rows = compare([Echo("echo", *PERFECT)], pages).rows()
    table = {(row["data"], row["category"]): (row["pages"], row["f1"]) for row in rows}
    assert table == {
        ("real", "all"): (2, 1.0),
        ("real", "other"): (1, 1.0),
        ("real", "scanned_docs"): (1, 1.0),
        ("simulated", "all"): (1, 0.0),
        ("simulated", "other"): (1, 0.0),
    }
    html = leaderboard_html(compare([Echo("echo", *PERFECT)], pages))
    assert html.index("Real documents") < html.index("Simulated documents")


def test_engines_take_turns_in_going_first_after_a_reading_that_is_not_timed():
    engines = [Echo("a", *PERFECT), Echo("b", *PERFECT)]
    comparison = compare(engines, (labelled(f"p{i}") for i in range(3)))
    assert [score.engine for score in comparison.scores] == ["a", "b", "b", "a", "a", "b"]
    assert [engine.reads for engine in engines] == [4, 4]


def test_the_paired_difference_tells_engines_apart_and_twins_not():
    good, twin, poor = Echo("good", *PERFECT), Echo("twin", *PERFECT), Echo("poor", PERFECT[0])
    comparison = compare([good, twin, poor], [labelled(f"p{i}") for i in range(5)])
    gap = comparison.difference("good", "poor")
    assert gap.value == pytest.approx(1 - 2 / 3)
    assert gap.low > 0
    assert comparison.difference("good", "twin").low == comparison.difference("good", "twin").high == 0
    html = leaderboard_html(comparison)
    assert "good against poor: F1 +0.333 (+0.333 to +0.333), better" in html
    assert "good against twin: F1 +0.000 (+0.000 to +0.000), not told apart" in html


def test_the_leaderboard_escapes_what_engines_and_pages_are_called():
    html = leaderboard_html(compare([Echo("<b>", error=ValueError("<script>"))], [labelled("<i>")]), title="A & B")
    assert "<script>" not in html
    assert "&lt;b&gt;, &lt;i&gt;: ValueError: &lt;script&gt;" in html
    assert "<h1>A &amp; B</h1>" in html


def test_one_page_tells_no_interval_and_no_winner():
    comparison = compare([Echo("good", *PERFECT), Echo("none")], [labelled("p")])
    assert math.isnan(comparison.rows()[0]["f1_low"])
    assert "good against none: F1 +1.000 on too few pages to tell them apart." in leaderboard_html(comparison)


def test_no_pages_give_no_rows():
    assert compare([Echo("echo")], []).rows() == []
