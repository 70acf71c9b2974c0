"""Printed pages: every word's ink is where its label says, and every fate of a word is told."""

import cv2
import numpy as np
import pytest

from ocrkit.benchmark.printed import Report, overlay, score_page
from ocrkit.benchmark.printed.scores import difference, kinds_of
from ocrkit.datasets import LabelledPage, LabelledWord
from ocrkit.document import Word, box_to_quad
from ocrkit.synth.corpus import Vocabulary
from ocrkit.synth.printed import PrintedPage, PrintedPages
from ocrkit.synth.printed.layouts import LAYOUTS, layouts_of
from ocrkit.synth.printed.typefaces import TYPEFACES

WORDS = ("the", "of", "and", "parcel", "depot", "i", "bridge", "waited", "quietly", "yesterday")
VOCABULARY = Vocabulary(WORDS, names=("nora", "whitfield"))


@pytest.fixture(scope="module")
def pages():
    return PrintedPages(VOCABULARY, "tune", seed=3)


def test_half_of_the_layouts_and_typefaces_are_never_tuned_on():
    assert len(LAYOUTS) == len(TYPEFACES) == 16
    assert len(layouts_of("tune")) == sum(face.half == "tune" for face in TYPEFACES) == 8
    assert not set(layouts_of("tune")) & set(layouts_of("report"))


def test_every_label_is_the_box_of_ink(pages):
    page = pages[5]  # a clean form
    grey = cv2.cvtColor(page.page.image(), cv2.COLOR_RGB2GRAY)
    assert page.copy == "clean"
    assert len(page.kinds) == len(page.page.words) > 20
    for word in page.page.words:
        x0, y0, x1, y1 = word.box.astype(int)
        ink = np.abs(grey[y0:y1, x0:x1].astype(int) - int(np.median(grey[max(y0 - 3, 0), x0:x1]))) > 0
        assert ink.any(0)[[0, -1]].all(), word.text
        assert ink.any(1)[[0, -1]].all(), word.text


def test_a_page_is_the_same_each_time(pages):
    one, other = pages[1], PrintedPages(VOCABULARY, "tune", seed=3)[1]
    np.testing.assert_array_equal(one.page.image(), other.page.image())
    assert [word.text for word in one.page.words] == [word.text for word in other.page.words]


@pytest.mark.parametrize(
    ("truth", "reading", "fate"),
    [
        ("cost,", "cost,", "right"),
        ("don't", "dont", "mark lost"),
        ("it’s", "it's", "mark changed"),
        ("so", "SO", "case"),
        ("journal", "ournal", "end cut"),
        ("middle", "middie", "misread"),
    ],
)
def test_what_is_wrong_with_a_word_is_told(truth, reading, fate):
    assert difference(truth, reading) == fate


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("9,287,688", "number with thousands"),
        ("–", "mark alone"),
        ("I", "one letter or digit"),
        ("l'eau", "elision or contraction"),
        ("“vote,”", "quoted or in brackets"),
        ("two-thirds", "hyphenated"),
    ],
)
def test_words_are_counted_under_what_they_are(text, kind):
    assert kind in kinds_of(text)


def printed(*words):
    labels = tuple(LabelledWord(text, box_to_quad(box)) for text, box in words)
    page = LabelledPage("one", labels, pixels=np.full((60, 400), 255, np.uint8))
    return PrintedPage(page, (frozenset(),) * len(labels), "letter", "Lato", "clean", 10.0, 200)


def read(*words):
    return [Word(text, box_to_quad(box), 0.9) for text, box in words]


def test_every_word_has_one_fate():
    page = printed(
        ("don't", (0, 0, 50, 20)), ("it", (60, 0, 80, 20)), ("is", (90, 0, 110, 20)), ("parted", (120, 0, 180, 20)),
        ("lost", (200, 0, 240, 20)), ("loose", (250, 5, 290, 15)),
    )  # fmt: skip
    found = read(
        ("dont", (1, 0, 51, 20)), ("itis", (60, 0, 110, 20)), ("par", (120, 0, 149, 20)), ("ted", (151, 0, 180, 20)),
        ("loose", (245, 0, 300, 20)), ("dirt", (350, 40, 360, 50)),
    )  # fmt: skip
    score = score_page(page, found)
    assert [o.fate for o in score.outcomes] == [
        "mark lost",
        "joined",
        "joined",
        "split",
        "not found",
        "loose box",
        "extra",
    ]
    assert score.marks["apostrophe"] == (1, 0)
    assert score.sides.tolist() == [[-1, 0, 1, 0]]
    report = Report("tune", [("letter", "Lato", "clean")], {"ours": [score]}, {"ours": 0.1})
    assert report.by_mark() == [{"mark": "apostrophe", "number": 1, "ours": 0.0}]
    assert sum(row["ours"] for row in report.budget()) == 7
    assert overlay(page, score).shape == (60, 400, 3)
