import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from ocrkit.alphabet import Alphabet
from ocrkit.cli import main
from ocrkit.datasets import LabelledPage, LabelledWord, load_crops, load_pages, word_samples
from ocrkit.document import box_to_quad
from ocrkit.errors import OcrkitError
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


def with_label(page, text, grow=(0, 0, 0, 0)):
    """The page of one line with another label, its box grown to the left, top, right and bottom."""
    line = page.lines[0]
    return replace(page, lines=(replace(line, text=text, quad=box_to_quad(line.box + np.array(grow))),))


@pytest.mark.parametrize(
    ("drawn", "box"),
    [
        ("Date:", (0, 0, -14, 0)),  # the line's box ends before its colon
        ("Date.", (0, 0, -12, 0)),
        ("No. 12", (0, 0, 0, 0)),  # a mark within the line
        ("-Date", (12, 0, 0, 0)),  # a mark that the box begins behind
    ],
)
def test_a_word_is_cut_with_the_marks_its_label_has(drawn, box):
    page, _ = page_of([drawn])
    cut, rejected = words_of_lines(with_label(page, drawn, box), None)
    assert not rejected
    assert [word.text for word in cut.words] == drawn.split()
    ink = np.flatnonzero((page.pixels[30:80] < 128).any(0))
    assert cut.words[0].box[0] <= ink[0]
    assert cut.words[-1].box[2] > ink[-1]


@pytest.mark.parametrize(
    ("drawn", "label", "mark"),
    [
        ("Date", "Date:", ":"),
        ("Date", "Date.", "."),
        ("Date", "Date,", ","),
        ("Date", "'Date", "'"),
        ("Date", "Date-", "-"),
        ("TOTAL Date", "TOTAL Date;", ";"),
    ],
)
def test_a_word_without_ink_for_a_mark_of_its_label_is_left_out_with_the_reason(drawn, label, mark):
    page, _ = page_of([drawn])
    cut, rejected = words_of_lines(with_label(page, label), None)
    assert [(r.text, r.reason) for r in rejected] == [(label.split()[-1], f"no ink where its label has {mark}")]
    assert [word.text for word in cut.words] == label.split()[:-1]


@pytest.mark.parametrize("label", ["Date:", "Date.", "'Date'", "(Date)", "Date-", "Date;", "12,50"])
def test_a_word_with_ink_for_its_marks_is_kept(label):
    page, _ = page_of([label])
    cut, rejected = words_of_lines(page, None)
    assert [word.text for word in cut.words] == [label]
    assert not rejected


def test_a_blank_that_a_typist_leaves_before_a_comma_parts_no_words():
    page, _ = page_of(["SALES , TOTAL"])
    cut, rejected = words_of_lines(with_label(page, "SALES, TOTAL"), None)
    assert [word.text for word in cut.words] == ["SALES,", "TOTAL"]
    assert not rejected


def test_a_label_is_not_moved_by_a_word_where_a_narrow_space_hides_and_a_stroke_parts_what_is_one():
    page, _ = page_of(["22324 Cactus | Aquarelle 250"])
    cut, rejected = words_of_lines(with_label(page, "223 24 Cactus Aquarelle 250"), None)
    assert not cut.words
    assert "too wide or too narrow" in rejected[0].reason


def test_specks_far_from_all_letters_part_no_words():
    page, _ = page_of(["TOTAL SALES", "12.50"])
    image = page.pixels.copy()
    first, price = page.lines
    image[38:68, 600:700] = image[80:110, 28:128]  # a price far behind its item, with specks between them
    image[50:53, 300:303] = image[51:54, 400:403] = 0
    line = replace(first, text="TOTAL SALES 12.50", quad=box_to_quad((28, 38, 600 + price.box[2] - 28, 68)))
    cut, rejected = words_of_lines(replace(page, lines=(line,), pixels=image), None)
    assert [word.text for word in cut.words] == ["TOTAL", "SALES", "12.50"]
    assert cut.words[1].box[2] < 300
    assert not rejected


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


def test_labels_in_small_letters_are_kept_or_left_out():
    page, _ = page_of(["or Was the"])
    cut, rejected = words_of_lines(page, spelling(["or", "was", "the"]))
    assert [word.text for word in cut.words] == ["or", "the"]
    assert [(r.text, r.reason) for r in rejected] == [("Was", "the case of its print is unclear")]


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
    assert "exists already" in again.output


@pytest.fixture
def labelled_lines(tmp_path):
    """Four pages of two documents in sroie form."""
    folder = tmp_path / "lines"
    folder.mkdir()
    contents = (
        ["TOTAL SALES"] * 2,
        ["THANK YOU FOR COMING"],
        ["CHANGE"] * 6,
        ["CASH 1 2 3 4 5", "RM", "PLEASE KEEP THIS"],
    )
    for name, lines in zip(("a_1", "a_2", "b_1", "c_1"), contents):  # so unlike that none is taken for a copy
        page, _ = page_of(lines)
        cv2.imwrite(str(folder / f"{name}.png"), page.pixels)
        lines = [{"text": line.text, "quad": line.quad.tolist()} for line in page.lines]
        (folder / f"{name}.json").write_text(json.dumps({"lines": lines}))
    return folder


def test_documents_are_held_out_whole_and_always_the_same(labelled_lines, tmp_path, monkeypatch):
    monkeypatch.setattr("ocrkit.recognition.recognizer.load_recognizer", lambda model, threads: None)
    command = ["data", "words", str(labelled_lines), "--form", "sroie", "--held-out", "0.6", "--document", "^[a-z]"]
    splits = []
    for name in ("first", "again"):
        done = CliRunner().invoke(main, [*command, "-o", str(tmp_path / name)])
        assert done.exit_code == 0, done.output
        splits.append(
            [{crop.document for crop in load_crops(tmp_path / name / part)} for part in ("train", "held-out")]
        )
    assert splits[0] == splits[1]
    learnt, held_out = splits[0]
    assert learnt | held_out == {"a", "b", "c"}
    assert not learnt & held_out


@pytest.mark.parametrize("table", ["labels.csv", "rejected.csv"])
def test_what_was_broken_off_can_be_run_again(labelled_lines, tmp_path, monkeypatch, table):
    from ocrkit.datasets import write

    command = ["data", "words", str(labelled_lines), "--form", "sroie", "--test", "-o", str(tmp_path / "w")]
    whole = write.write_whole

    def broken(path, content):
        if Path(path).name == table:
            raise OcrkitError("the disk is full.")
        return whole(path, content)

    monkeypatch.setattr(write, "write_whole", broken)
    assert CliRunner().invoke(main, command).exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["lines"]
    monkeypatch.setattr(write, "write_whole", whole)
    assert CliRunner().invoke(main, command).exit_code == 0
    assert len(load_crops(tmp_path / "w")) == 24


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--test", "--held-out", "0.5"], "exclude each other"),
        (["--test", "--document", "["], "no regular expression"),
        (["--test", "--document", "^z"], "finds nothing in the id 'a_1'"),
        (["--held-out", "0.001"], "too few documents to hold 0% of them out"),
    ],
)
def test_what_cannot_be_split_is_said(labelled_lines, tmp_path, options, sentence):
    done = CliRunner().invoke(
        main, ["data", "words", str(labelled_lines), "--form", "sroie", "-o", str(tmp_path / "w"), *options]
    )
    assert done.exit_code == 2
    assert sentence in done.output


def test_words_need_lines(tmp_path):
    from ocrkit.datasets.write import write_crops

    page, _ = page_of(["TOTAL SALES"])
    write_crops(word_samples([words_of_lines(page, None)[0]]), tmp_path / "w")
    done = CliRunner().invoke(
        main, ["data", "words", str(tmp_path / "w"), "--form", "crops", "-o", str(tmp_path / "x")]
    )
    assert done.exit_code == 2
    assert "labels words already" in done.output
