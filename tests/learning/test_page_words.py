"""Words cut from invented pages are what the detector finds, and their labels what is seen in them."""

import re
from itertools import islice

import cv2
import numpy as np
import pytest
from reportlab.pdfgen.canvas import Canvas

from ocrkit.datasets import LabelledPage, LabelledWord
from ocrkit.document import box_to_quad
from ocrkit.learning.page_words import page_words, pdf_words, words_as_found
from ocrkit.synth.corpus import Vocabulary
from ocrkit.synth.fonts import audit, font_folders
from ocrkit.synth.printed import PrintedPages
from ocrkit.synth.printed.layouts import Layout
from ocrkit.synth.printed.signs import signs
from ocrkit.synth.printed.typefaces import TYPEFACES, other_typefaces

WORDS = ("the", "of", "and", "parcel", "depot", "i", "bridge", "waited", "quietly", "yesterday")
VOCABULARY = Vocabulary(WORDS, names=("nora", "whitfield"), places=("leeds",), streets=("mill",), companies=("finch",))


def page_of(*words, texts=None):
    """A white page with `words` `(text, x)` on one line, and the box of each word's ink."""
    image, labels = np.full((120, 700), 255, np.uint8), []
    for number, (text, x) in enumerate(words):
        drawn = np.full_like(image, 255)
        cv2.putText(drawn, text, (x, 70), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 0, 2, cv2.LINE_AA)
        rows, columns = np.nonzero(drawn < 200)
        box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], float)
        image = np.minimum(image, drawn)
        labels.append(LabelledWord(texts[number] if texts else text, box_to_quad(box)))
    return LabelledPage("page-1", tuple(labels), pixels=image)


def test_words_are_cut_as_they_are_found():
    found = list(words_as_found(page_of(("parcel", 40), ("depot,", 220), ("bridge", 400))))
    assert [sample.text for sample in found] == ["parcel", "depot,", "bridge"]
    assert {sample.document for sample in found} == {"page-1"}
    for sample in found:
        assert sample.image.min() < 60
        assert 15 < sample.image.shape[0] < 48


def test_words_that_are_found_as_one_are_one_sample_with_a_blank():
    (sample,) = words_as_found(page_of(("parcel", 40), ("depot", 111)))
    assert sample.text == "parcel depot"


def test_what_is_no_whole_word_is_left_out():
    page = page_of(("parcel", 40), ("depot", 300))
    wide = page.words[0].box + np.array([0, 0, 60, 0])  # as of a word that was found in part
    labels = (LabelledWord("parcels!", box_to_quad(wide)), page.words[1])
    found = list(words_as_found(LabelledPage("page-2", labels, pixels=page.pixels)))
    assert [sample.text for sample in found] == ["depot"]
    assert list(words_as_found(LabelledPage("page-3", (), pixels=page.pixels))) == []
    untold = page_of(("parcel", 40), ("depot", 111), ("bridge", 300), texts=["parcel", "", "bridge"])
    assert [sample.text for sample in words_as_found(untold)] == ["bridge"]


def test_words_of_pdfs_are_those_of_their_text_however_the_page_was_copied(tmp_path):
    canvas = Canvas(str(tmp_path / "letter.pdf"), pagesize=(420, 300), invariant=1)
    lines = ["The parcel is at the depot,", "and we waited for it quietly.", "We have it: 24 cm × 8½ cm!"]
    for _ in range(8):
        canvas.setFont("Times-Roman", 13)
        for number, line in enumerate(lines):
            canvas.drawString(40, 240 - 60 * number, line)
        canvas.showPage()
    canvas.save()
    found = list(pdf_words(tmp_path, seed=1))
    whole = {word for line in lines for word in line.split()}
    assert len(found) > 0.8 * 8 * len(" ".join(lines).split())
    assert np.mean([sample.text in whole for sample in found]) > 0.9  # the others are two words that were found as one
    assert {sample.document for sample in found} == {f"letter-p{page:04d}" for page in range(1, 9)}
    assert len({sample.image.shape[0] for sample in found if sample.text == "depot,"}) > 3
    again = list(pdf_words(tmp_path, seed=1))
    assert all(np.array_equal(one.image, other.image) for one, other in zip(found, again, strict=True))


@pytest.fixture(scope="module")
def verdicts():
    return audit(font_folders(("packages",)))


def test_no_page_is_set_in_a_typeface_that_print_is_reported_in(verdicts):
    others = other_typefaces(verdicts)
    assert others
    for face in TYPEFACES:
        assert not [name for name in others if name.replace(" ", "").startswith(face.name.replace(" ", ""))]


def test_pages_of_signs_have_the_rare_ones_too(verdicts):
    texts = " ".join(sample.text for sample in page_words(VOCABULARY, verdicts, 19, seed=3))
    assert all(texts.count(sign) for sign in "†‡≤≥×±½„")
    assert texts.count("†") > 4


def test_words_of_pages_are_the_same_each_time(verdicts):
    some, again = (list(islice(page_words(VOCABULARY, verdicts, 5, seed=3), 400)) for _ in range(2))
    assert len(some) > 200
    assert len({sample.document for sample in some}) >= 2
    assert [sample.text for sample in some] == [sample.text for sample in again]
    assert all(np.array_equal(one.image, other.image) for one, other in zip(some, again))
    assert max(sample.image.shape[0] for sample in some) <= 48


def test_pages_of_signs_hold_what_prose_has_little_of(verdicts):
    layouts = {"signs": Layout(signs, "tune")}
    printed = PrintedPages(VOCABULARY, "tune", 3, other_typefaces(verdicts), layouts)
    pages = [printed[number] for number in range(8)]
    texts = [word.text for page in pages for word in page.page.words]
    alone = {text for text in texts if len(text) == 1 and not text.isalnum()}
    assert {"–", "—", "-", "&"} <= alone
    assert any(re.fullmatch(r"\d+[–—]\d+", text) for text in texts)
    assert any(re.fullmatch(r"[A-Z]\.", text) for text in texts)
    assert any(text.startswith("„") for text in texts)
    assert any("½" in text for text in texts)
    kinds = set().union(*(kind for page in pages for kind in page.kinds))
    assert {"struck", "underlined", "superscript"} <= kinds
    for page in pages:
        height, width = page.page.image().shape[:2]
        boxes = np.array([word.box for word in page.page.words])
        assert (boxes[:, :2] >= -2).all()
        assert (boxes[:, 2] <= width + 2).all()
        assert (boxes[:, 3] <= height + 2).all()
