import json

import numpy as np
import PIL.Image
import pytest

from ocrkit.datasets import LabelledPage, LabelledWord, book_page, funsd_protocol_label, load_pages, word_samples
from ocrkit.document import box_to_quad
from ocrkit.errors import BadDataset, BadImage

PAGE = np.tile(np.arange(200, dtype=np.uint8), (100, 1))


def write_funsd(folder, words):
    (folder / "annotations").mkdir()
    (folder / "images").mkdir()
    (folder / "annotations" / "one.json").write_text(json.dumps({"form": [{"words": words}]}))
    PIL.Image.fromarray(PAGE).save(folder / "images" / "one.png")


def test_funsd_form_keeps_untranscribed_words_and_turns_reversed_boxes_round(tmp_path):
    write_funsd(tmp_path, [{"text": "Date:", "box": [50, 30, 10, 10]}, {"text": "", "box": [60, 10, 90, 30]}])
    (page,) = load_pages(tmp_path, "funsd")
    assert (page.id, page.category, page.source, page.simulated) == ("one", "scanned_docs", "FUNSD", False)
    assert page.words[0].box.tolist() == [10, 10, 50, 30]
    assert page.texts == ["Date:"]
    assert len(page.words) == 2
    assert (page.image() == PAGE).all()


@pytest.mark.parametrize("form", ["json", "icdar"])
def test_sroie_form_labels_lines_not_words(tmp_path, form):
    if form == "json":
        line = {"text": "TOTAL 9,90", "quad": [[1, 2], [90, 2], [90, 20], [1, 20]]}
        (tmp_path / "r1.json").write_text(json.dumps({"lines": [line]}))
    else:
        (tmp_path / "r1.txt").write_bytes("\ufeff1,2,90,2,90,20,1,20,TOTAL 9,90\r\n".encode())
    PIL.Image.fromarray(PAGE).save(tmp_path / "r1.jpg")
    (page,) = load_pages(tmp_path, "sroie")
    assert page.words == ()
    assert page.lines[0].text == "TOTAL 9,90"
    assert page.lines[0].box.tolist() == [1, 2, 90, 20]
    assert page.texts == ["TOTAL", "9,90"]
    assert page.category == "register_tapes"


def test_icdar_labels_may_be_latin_1(tmp_path):
    (tmp_path / "r1.txt").write_bytes("1,2,90,2,90,20,1,20,CAFÉ £9".encode("latin-1"))
    PIL.Image.fromarray(PAGE).save(tmp_path / "r1.jpg")
    (page,) = load_pages(tmp_path, "sroie")
    assert page.texts == ["CAFÉ", "£9"]


def test_phone_form_reads_stored_pixels_without_turning_them(tmp_path):
    quad = [[10, 50], [10, 10], [20, 10], [20, 50]]  # text that runs up the page
    (tmp_path / "p.json").write_text(json.dumps({"words": [{"text": "Été", "quad": quad}]}))
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    PIL.Image.fromarray(PAGE).save(tmp_path / "p.jpg", exif=exif, quality=95)
    (page,) = load_pages(tmp_path, "phone")
    assert page.image().shape == PAGE.shape
    assert np.abs(page.image().astype(int) - PAGE).max() < 8
    (sample,) = word_samples([page])
    assert sample.image.shape == (10, 40)


@pytest.mark.parametrize(
    ("form", "name", "content", "message"),
    [
        ("tiff", None, None, "no form 'tiff'"),  # unknown form
        ("sroie", None, None, "no labels in sroie form"),  # empty folder
        ("sroie", "a.json", "{", "cannot be read"),  # cut-off JSON
        ("sroie", "a.json", "[]", "needs lines"),  # another JSON
        ("phone", "a.json", '{"lines": []}', "needs words"),  # another form
        ("sroie", "a.json", '{"lines": [{"text": "x", "quad": [[1, 2], [3, 4]]}]}', "four corners"),
        ("sroie", "a.txt", "1,2,3,word", "four corners"),  # too few numbers
        ("phone", "a.json", '{"words": []}', "no image"),  # image missing
    ],
)
def test_bad_folders_are_refused_in_one_sentence(tmp_path, form, name, content, message):
    if name:
        (tmp_path / name).write_text(content)
    with pytest.raises(BadDataset, match=message):
        load_pages(tmp_path, form)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadDataset, match="no folder"):
        load_pages(tmp_path / "nowhere", "funsd")


def test_a_page_without_pixels_says_so():
    with pytest.raises(BadImage, match="neither"):
        LabelledPage("empty").image()


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Total:", "Total:"),  # as it is
        ("1–2", "1-2"),  # en dash
        ("", None),  # not transcribed
        ("two words", None),
        ("☐", None),  # check box
        ("ο", None),  # Greek omicron, used for a round check box
        ("yes\uf702", None),  # private-use check box inside a word
    ],
)
def test_funsd_protocol_label(text, label):
    assert funsd_protocol_label(text) == label


def test_word_samples_cut_upright_boxes_exactly_and_add_margin_by_height():
    word = LabelledWord("x", box_to_quad((20, 30, 60, 50)))
    page = LabelledPage("p", (word,), pixels=PAGE, source="here")
    (tight,) = word_samples([page])
    (wide,) = word_samples([page], margin=0.5)
    assert (tight.image == PAGE[30:50, 20:60]).all()
    assert (wide.image == PAGE[20:60, 10:70]).all()
    assert (tight.text, tight.source, tight.document) == ("x", "here", "p")


def test_word_samples_of_leaning_quads_stand_upright():
    page = np.zeros((100, 100), np.uint8)
    page[20:80, 40:60] = np.linspace(50, 250, 60, dtype=np.uint8)[:, None]  # bright at the foot
    upward = np.array([[40, 80], [40, 20], [60, 20], [60, 80]])  # text that runs from the foot to the top
    (sample,) = word_samples([LabelledPage("p", (LabelledWord("x", upward),), pixels=page)])
    assert sample.image.shape == (20, 60)
    assert sample.image[10, 2] > 230
    assert sample.image[10, 57] < 70


@pytest.mark.parametrize(
    ("box", "text"),
    [
        ((-50, 10, -5, 30), "left of the page"),
        ((300, 10, 350, 30), "right of the page"),
        ((10, 10, 10.4, 30), "a sliver"),
        ((10, 10, 50, 30), " "),  # blank label
    ],
)
def test_words_that_cannot_be_cut_or_read_give_no_sample(box, text):
    page = LabelledPage("p", (LabelledWord(text, box_to_quad(box)),), pixels=PAGE)
    assert list(word_samples([page])) == []


def test_the_book_page_is_labelled_inside_its_bounds():
    pytest.importorskip("skimage")
    page = book_page()
    assert len(page.readable) == 47
    assert " ".join(page.texts).startswith("Region-based segmentation Let us first determine markers")
    assert page.texts[-1] == "np.zeros_like(coins)"
    corners = np.concatenate([word.quad for word in page.words])
    assert (corners >= 0).all()
    assert (corners <= [384, 191]).all()
    # Ink lies inside the quads: every word is darker in the middle of its crop than the paper around it.
    for sample in word_samples([page]):
        assert sample.image.min() < np.median(sample.image) - 15


def test_development_data_loads_completely(shared_data):
    forms = load_pages(shared_data / "funsd" / "training_data", "funsd")
    receipts = load_pages(shared_data / "sroie" / "val", "sroie")
    photos = load_pages(shared_data / "phone", "phone")
    assert (len(forms), len(receipts), len(photos)) == (110, 50, 5)
    assert sum(len(page.readable) for page in forms) == 16275
    assert sum(1 for _ in word_samples(forms[:5], label=funsd_protocol_label)) > 500
    assert all(page.lines and not page.words for page in receipts)
    assert sum(1 for _ in word_samples(photos)) == sum(len(page.words) for page in photos)
