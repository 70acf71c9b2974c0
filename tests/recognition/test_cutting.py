from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from ocrkit.alphabet import Alphabet
from ocrkit.cli import main
from ocrkit.datasets import LabelledPage, LabelledWord, load_crops, load_pages, word_samples
from ocrkit.document import box_to_quad
from ocrkit.recognition.cutting import words_of_lines


def page_of(lines, tracking=0):
    """A page with the lines drawn below each other, and where each of their words was drawn."""
    image = np.full((60 + 40 * len(lines), 900), 255, np.uint8)
    labels, words = [], []
    for number, text in enumerate(lines):
        x, y = 30, 60 + 40 * number
        for word in text.split():
            start = x
            for letter in word:
                (width, _), _ = cv2.getTextSize(letter, cv2.FONT_HERSHEY_SIMPLEX, 0.7, 2)
                cv2.putText(image, letter, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 0, 2)
                x += width + tracking
            words.append((word, start, x))
            x += 16
        labels.append(LabelledWord(text, box_to_quad((28, y - 22, x - 14, y + 8))))
    return LabelledPage("receipt", lines=tuple(labels), pixels=image, source="drawn"), words


def test_lines_are_cut_at_their_widest_gaps():
    page, drawn = page_of(["TOTAL SALES 12.50", "CHANGE", "THANK YOU"])
    cut, rejected = words_of_lines(page, None)
    assert [word.text for word in cut.words] == [text for text, _, _ in drawn]
    assert not rejected
    assert not cut.lines
    for word, (_, x0, x1) in zip(cut.words, drawn):
        assert x0 - 6 < word.box[0] < x0 + 8
        assert x1 - 10 < word.box[2] < x1 + 6


def test_boxes_stand_off_their_ink_as_the_detectors_do():
    from ocrkit.detection import detect

    page, _ = page_of(["TOTAL SALES 12.50", "THANK YOU"])
    cut, _ = words_of_lines(page, None)
    found = np.concatenate([line.boxes for line in detect(page.pixels)])
    for word in cut.words:
        assert np.abs(found - word.box).max(1).min() < 2


@pytest.mark.parametrize(
    ("text", "box", "reason"),
    [
        ("ABC DEF GHI JKL MNO PQR", None, "alike"),  # a label with more spaces than the print
        ("A B C D E F G H I J K", None, "10 spaces in the label, but"),
        ("TOTAL SALES", (28, 38, 400, 68), "in a part of it only"),
        ("TOTAL SALES", (600, 38, 800, 68), "no letters"),
    ],
)
def test_what_cannot_be_cut_is_listed_with_the_reason(text, box, reason):
    page, _ = page_of(["TOTAL SALES"])
    line = page.lines[0]
    wrong = replace(line, text=text, quad=line.quad if box is None else box_to_quad(box))
    cut, rejected = words_of_lines(replace(page, lines=(wrong,)), None)
    assert not cut.words
    assert reason in rejected[0].reason
    assert (rejected[0].page, rejected[0].text) == ("receipt", text)


def spelling(reads):
    """A recogniser that is sure of `reads`, one text for each crop it is given, in their order."""
    alphabet = Alphabet()
    texts = iter(reads)

    def logits(crops):
        outputs = []
        for crop in crops:
            steps = max(48, round(crop.shape[1] * 8 / crop.shape[0]))
            output = np.full((steps, alphabet.classes), -9.0)
            output[:, 0] = 0
            for i, number in enumerate(alphabet.encode(next(texts))):
                output[2 * i + 1, number] = 9
            outputs.append(output)
        return outputs

    return SimpleNamespace(alphabet=alphabet, logits=logits)


def test_labels_take_the_case_of_the_print():
    page, _ = page_of(["THANK YOU", "(INCLUSIVE"])
    cut, rejected = words_of_lines(page, spelling(["Thank", "you", "(INCLUSIVE"]))
    assert [word.text for word in cut.words] == ["Thank", "you", "(INCLUSIVE"]
    assert not rejected


def test_a_word_that_does_not_look_like_its_label_is_left_out():
    page, _ = page_of(["TOTAL 12.50", "NO INVOICENO"])
    cut, rejected = words_of_lines(page, spelling(["GRAND", "12.50", "No", "InvoiceNo"]))
    assert [word.text for word in cut.words] == ["12.50", "No"]
    assert [(r.text, r.reason) for r in rejected] == [
        ("TOTAL", "the crop does not look like its label"),
        ("INVOICENO", "the case of its print is unclear"),
    ]


def test_the_verb_writes_a_folder_of_crops_that_can_be_learnt_from(tmp_path, shared_data, record_property):
    source = shared_data / "sroie" / "train"
    folder = tmp_path / "few"
    folder.mkdir()
    few = load_pages(source, "sroie")[:2]
    for page in few:
        for path in (page.path, source / f"{page.id}.json"):
            (folder / path.name).symlink_to(path)
    done = CliRunner().invoke(
        main, ["data", "words", str(folder), "--form", "sroie", "--test", "-o", str(tmp_path / "w")]
    )
    assert done.exit_code == 0, done.output
    crops = load_crops(tmp_path / "w")
    assert {crop.document for crop in crops} == {page.id for page in few}
    words = sum(len(page.texts) for page in few)
    assert len(crops) > 0.8 * words
    record_property("measured", f"words kept of two receipts: {len(crops)} of {words}")
    header = (tmp_path / "w" / "rejected.csv").read_text("utf-8-sig").splitlines()[0]
    assert header == "page,text,x0,y0,x1,y1,reason"
    again = CliRunner().invoke(main, ["data", "words", str(folder), "--form", "sroie", "-o", str(tmp_path / "w")])
    assert again.exit_code == 2
    assert "holds labelled crops already" in again.output


def test_words_need_lines(tmp_path):
    from ocrkit.datasets.write import write_crops

    page, _ = page_of(["TOTAL SALES"])
    write_crops(word_samples([words_of_lines(page, None)[0]]), tmp_path / "w")
    done = CliRunner().invoke(
        main, ["data", "words", str(tmp_path / "w"), "--form", "crops", "-o", str(tmp_path / "x")]
    )
    assert done.exit_code == 2
    assert "labels words already" in done.output
