import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest

from ocrkit import __version__
from ocrkit.datasets import LabelledPage, LabelledWord
from ocrkit.document import Line, Page, Word, box_to_quad
from ocrkit.engines import Engine, EngineFailed, compare, leaderboard_html
from ocrkit.engines.gallery import wins
from ocrkit.engines.leaderboard import challenge, failures
from ocrkit.errors import BadParams
from ocrkit.metrics import PrecisionRecall

BLANK = np.full((100, 200), 255, np.uint8)
TEXTS = ("Total", "9.90")
BOXES = ((10, 10, 60, 30), (80, 10, 120, 30))


def labelled(identity, texts=TEXTS, **kind):
    words = tuple(LabelledWord(text, box_to_quad(box)) for text, box in zip(texts, BOXES))
    return LabelledPage(identity, words, pixels=BLANK, **kind)


class Echo(Engine):
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
    assert (row["words"], row["recall"], row["cer"]) == (2, 1.0, 0.0)
    assert math.isnan(row["box_recall"])
    assert math.isnan(row["swa"])
    assert comparison.scores[0].right == (True,)


def test_what_lies_outside_of_all_labels_counts_where_only_some_lines_are_labelled_unless_it_is_not_to():
    line = LabelledWord("TOTAL 9.90", box_to_quad((10, 10, 120, 30)))
    page = LabelledPage("book", lines=(line,), pixels=BLANK)
    engine = Echo("echo", *PERFECT, ("Page", (10, 60, 60, 80)), ("7", (80, 60, 90, 80)))
    (whole,) = compare([engine], [page]).scores
    comparison = compare([engine], [page], labelled_only=True)
    (labelled_lines,) = comparison.scores
    assert (whole.words, whole.edits) == (PrecisionRecall(2, 2, 4), len(" page 7"))
    assert (labelled_lines.words, labelled_lines.edits) == (PrecisionRecall(2, 2, 2), 0)
    assert comparison.to_dict()["labelled_only"]
    assert "words outside of all labels are left out" in leaderboard_html(comparison, "A board")


@pytest.mark.parametrize(
    ("texts", "found", "words"),
    [
        (("Total", "9.90"), ("Total9.90", (10, 10, 120, 30)), PrecisionRecall(0, 2, 1)),  # between the labels' middles
        (("Total", ""), ("9.90", BOXES[1]), PrecisionRecall(0, 1, 0)),  # nobody knows what stands there
        ((), ("9.90", BOXES[1]), PrecisionRecall(0, 0, 0)),
    ],
)
def test_what_is_read_at_transcribed_labels_alone_counts_if_it_is_said_so(texts, found, words):
    comparison = compare([Echo("echo", found)], [labelled("p", texts)], labelled_only=True)
    assert comparison.scores[0].words == words
    assert comparison.rows()


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
    pages = [labelled("p1"), labelled("p2")]
    comparison = compare([Echo("echo", *PERFECT), broken], pages)
    row = next(row for row in comparison.rows() if row["engine"] == "broken")
    assert (row["failures"], row["recall"], row["f1"], row["cer"]) == (2, 0.0, 0.0, 1.0)
    assert math.isnan(row["seconds_per_page"])
    board = leaderboard_html(comparison)
    assert "broken failed on 2 of 2 pages, which count as nothing found." in board
    assert "broken failed on 2 of 2 pages: It took longer than 60 s. (p1, p2)" in board
    costs = {row["engine"]: (row["failures"], row["time_ratio"]) for row in comparison.costs()}
    assert costs["echo"] == (0, 1.0)
    assert costs["broken"][0] == 2
    assert math.isnan(costs["broken"][1])
    assert wins(comparison, pages, "echo", "broken") == []  # an engine that failed has misread nothing


def test_failures_are_told_by_their_reason_and_only_some_of_many_pages_by_name():
    def read(image):
        engine.reads += 1
        raise EngineFailed("It took longer than 60 s." if engine.reads % 3 == 1 else "Its process ended.")

    engine = Echo("broken")
    engine.read = read
    comparison = compare([engine], [labelled(f"p{number}") for number in range(1, 10)])
    assert failures(comparison) == [
        "broken failed on 6 of 9 pages: Its process ended. (p1, p2, p4, p5, p7 and so on)",
        "broken failed on 3 of 9 pages: It took longer than 60 s. (p3, p6, p9)",
    ]


def test_pages_labelled_by_line_make_nobody_surer_of_boxes():
    line = LabelledPage("l", lines=(LabelledWord("TOTAL 9.90", box_to_quad((10, 10, 120, 30))),), pixels=BLANK)
    (row,) = compare([Echo("echo", *PERFECT)], [labelled("w"), line, replace(line, id="m")]).rows()
    assert (row["swa"], row["box_recall"]) == (1.0, 1.0)
    assert math.isnan(row["swa_low"])
    assert math.isnan(row["box_recall_high"])
    assert row["f1_low"] == row["f1"] == 1.0


def test_real_and_simulated_pages_are_never_rolled_up_together():
    pages = [labelled("r1", category="scanned_docs"), labelled("r2"), labelled("s1", ("No", "match"), simulated=True)]
    rows = compare([Echo("echo", *PERFECT)], pages).rows()
    table = {(row["data"], row["category"]): (row["pages"], row["f1"]) for row in rows}
    assert table == {
        ("real", "all"): (2, 1.0),
        ("real", "other"): (1, 1.0),
        ("real", "scanned_docs"): (1, 1.0),
        ("simulated", "all"): (1, 0.0),  # one category by itself is the same as all
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
    assert "good against poor on 5 pages: F1 +0.333 (+0.333 to +0.333), better" in html
    assert "good against twin on 5 pages: F1 +0.000 (+0.000 to +0.000), not told apart" in html


def test_swa_counts_only_words_whose_box_was_found():
    found = (("Total", BOXES[0]), ("9.9O", BOXES[1]))
    rows = compare([Echo("slips", *found), Echo("misses", found[0])], [labelled("p")]).rows()
    assert [(row["swa"], row["box_recall"]) for row in rows] == [(0.5, 0.5), (1.0, 0.5)]


def test_every_measure_has_an_interval_in_every_category():
    pages = [labelled(f"{category}{i}", category=category) for category in ("other", "screenshots") for i in range(3)]
    pages.append(labelled("hard", ("No", "match"), category="other"))
    rows = compare([Echo("echo", *PERFECT)], pages).rows()
    assert [row["category"] for row in rows] == ["all", "other", "screenshots"]
    for name in ("precision", "recall", "f1", "swa", "cer", "box_recall", "box_precision"):
        everything, mixed, even = ((row[f"{name}_low"], row[name], row[f"{name}_high"]) for row in rows)
        assert everything[0] < everything[1] < everything[2]
        assert mixed[2] - mixed[0] > everything[2] - everything[0]  # fewer pages, less sure
        assert even[0] == even[1] == even[2]


def test_a_challenger_is_told_where_it_is_worse():
    slips = (("Tota1", BOXES[0]), ("9.90", BOXES[1]))

    class Torn(Echo):
        """Reads well only what is dark at the bottom."""

        def read(self, image):
            self.words = slips if image[-1, -1] else PERFECT
            return super().read(image)

    dark = np.where(np.arange(100)[:, None] < 50, BLANK, 0).astype(np.uint8)
    words = labelled("p").words
    pages = [LabelledPage(f"light{i}", words, pixels=BLANK, category="screenshots") for i in range(4)]
    pages += [LabelledPage(f"dark{i}", words, pixels=dark, category="other") for i in range(40)]
    comparison = compare([Echo("old", *slips), Echo("good", *PERFECT), Torn("torn")], pages)
    says = challenge(comparison, "old", "torn")
    assert says.startswith("torn against old on 44 pages: F1 +0.455 (+")
    assert "), better; worse in no category; " in says
    assert says.endswith(" times its time on the same pages.")
    assert ", worse; worse in screenshots; " in challenge(comparison, "good", "torn")
    verdicts = {(r["category"], r["engine"], r["against"]): r["verdict"] for r in comparison.differences()}
    assert verdicts["other", "old", "torn"] == "worse"
    assert verdicts["screenshots", "old", "torn"] == "not told apart"


def test_galleries_hold_what_one_read_right_and_the_other_wrong_page_by_page():
    pages = [labelled("1", ("Total", "<9>"), source=f"folder {i}") for i in range(3)]  # whose ids are told apart by it
    good = Echo("good", ("Total", BOXES[0]), ("<9>", BOXES[1]))
    comparison = compare([good, Echo("poor", ("T&tal", BOXES[0]))], pages)
    found = wins(comparison, pages, "good", "poor")
    assert [(won.page, won.wrong) for won in found] == [(page, wrong) for wrong in ("T&tal", "") for page in pages]
    assert wins(comparison, pages, "poor", "good") == []
    html = leaderboard_html(comparison, pages=pages)
    assert "good right, poor wrong: 6" in html
    assert "poor right, good wrong: 0" in html
    assert "<b>Total</b><br><s>T&amp;tal</s>" in html
    assert "<b>&lt;9&gt;</b><br><s>(nothing)</s>" in html
    assert html.count("<img") == 6


def test_the_ladder_is_shown_below_where_there_is_one():
    score = {"value": 0.413, "low": 0.404, "high": 0.424}
    rung = {"name": "0. First", "story": "Words & fonts.", "scores": {"FUNSD words": score}}
    ladder = {"tests": {"FUNSD words": {"words": 8254}}, "rungs": [rung]}
    html = leaderboard_html(compare([Echo("echo")], [labelled("p")]), ladder=ladder)
    assert "0. First<small>Words &amp; fonts.</small>" in html
    assert "41.3%<small>40.4% to 42.4%</small>" in html
    assert "<small>8,254 crops, 95 % interval</small>" in html
    assert "ladder" not in leaderboard_html(compare([Echo("echo")], [labelled("p")])).lower()


def test_the_figures_are_plain_json_in_which_what_is_not_defined_is_null():
    figures = compare([Echo("good", *PERFECT), Echo("none")], [labelled("p")]).to_dict()
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    assert figures["scores"][0]["f1_low"] is None
    assert figures["differences"][0]["verdict"] == "too few pages"
    assert {row["engine"]: row["version"] for row in figures["engines"]} == {"good": "1", "none": "1"}


def test_the_leaderboard_escapes_what_engines_and_pages_are_called():
    html = leaderboard_html(compare([Echo("<b>", error=ValueError("<script>"))], [labelled("<i>")]), title="A & B")
    assert "<script>" not in html.split("<main>")[1].split("</main>")[0]
    assert "&lt;b&gt; failed on 1 of 1 pages: ValueError: &lt;script&gt; (&lt;i&gt;)" in html
    assert "<h1>A &amp; B</h1>" in html


def test_one_page_tells_no_interval_and_no_winner():
    comparison = compare([Echo("good", *PERFECT), Echo("none")], [labelled("p")])
    assert math.isnan(comparison.rows()[0]["f1_low"])
    html = leaderboard_html(comparison)
    assert "good against none on 1 page: F1 +1.000, too few pages." in html
    assert "1.000<small>no interval</small>" in html


def test_the_share_of_words_read_has_an_interval_and_a_difference_its_number_of_pages():
    pages = [labelled(f"p{i}") for i in range(6)] + [labelled("hard", ("No", "match"))]
    comparison = compare([Echo("good", *PERFECT), Echo("none")], pages)
    good, none = comparison.budgets()
    assert good["read_low"] < good["read"] == 12 / 14 < good["read_high"]
    assert (none["read_low"], none["read"], none["read_high"]) == (0, 0, 0)
    assert [row["pages"] for row in comparison.differences()] == [7]


def test_two_engines_of_one_name_are_refused():
    with pytest.raises(BadParams, match="Two engines are called 'echo'"):
        compare([Echo("echo"), Echo("echo")], [labelled("p")])


def test_the_leaderboard_says_when_where_and_on_how_much_it_was_made():
    pages = [labelled("p1"), labelled("p2"), labelled("s", simulated=True)]
    html = leaderboard_html(compare([Echo("echo", *PERFECT)], pages))
    facts = dict(re.findall("<dt>(.+?)</dt><dd>(.+?)</dd>", html.split("</dl>")[0]))
    assert facts["Compared on"] == "2 real pages, 4 words; 1 simulated page, 2 words"
    assert re.fullmatch(r"\d{1,2} [A-Z][a-z]+ 20\d\d, \d\d:\d\d UTC", facts["Made"])
    assert facts["ocrkit"].startswith(__version__)
    assert re.search(r", \d+ cores?, ", facts["Machine"])


def test_no_pages_give_no_rows():
    assert compare([Echo("echo")], []).rows() == []
