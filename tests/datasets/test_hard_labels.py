"""Labels as they come: from phones and Macs, of other forms than said, and none of them lost without a word."""

import json
import unicodedata

import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner

from ocrkit.cli import main
from ocrkit.datasets import LabelledPage, LabelledWord, load_crops, load_pages, word_samples
from ocrkit.datasets.validate import statistics, validate
from ocrkit.document import box_to_quad
from ocrkit.errors import BadDataset, OcrkitError, quoted

PAGE = np.full((90, 60), 255, np.uint8)  # 60 px wide, 90 px high, as it is shown
PAGE[20:30, 10:40] = 0  # the one word


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def photo(path, orientation=1) -> None:
    """The page, stored so that an EXIF orientation makes it upright."""
    turns = {1: 0, 3: 2, 6: 1, 8: 3}[orientation]
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    PIL.Image.fromarray(np.ascontiguousarray(np.rot90(PAGE, turns))).save(path, exif=exif)


def label_studio(folder, size=(60, 90), results=None, name="page.png") -> None:
    value = {"x": 100 * 10 / 60, "y": 100 * 20 / 90, "width": 50, "height": 100 * 10 / 90, "rotation": 0}
    region = {"id": "a", "original_width": size[0], "original_height": size[1], "image_rotation": 0}
    results = results or [{**region, "type": "textarea", "value": {**value, "text": ["word"]}}]
    task = {"data": {"ocr": f"/data/upload/1/0a1b2c3d-{name}"}, "annotations": [{"result": results}]}
    (folder / "export.json").write_text(json.dumps([task]), encoding="utf-8")


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_photo_is_labelled_as_label_studio_shows_it(orientation, tmp_path):
    photo(tmp_path / "page.png", orientation)
    label_studio(tmp_path)
    (sample,) = word_samples(load_pages(tmp_path, "label-studio"))
    assert (sample.image.shape, sample.image.max()) == ((10, 30), 0)


def alto(folder, sides) -> None:
    place = "HPOS='10' VPOS='20' WIDTH='30' HEIGHT='10'"
    named = "<sourceImageInformation><fileName>page.png</fileName></sourceImageInformation>"
    head = f"<Description><MeasurementUnit>pixel</MeasurementUnit>{named}</Description>"
    page = f"<Page WIDTH='{sides[0]}' HEIGHT='{sides[1]}'><String CONTENT='word' {place}/></Page>"
    (folder / "a.xml").write_text(f"<alto>{head}<Layout>{page}</Layout></alto>")


def page_of_sides(folder, sides) -> None:
    line = "<TextLine><Coords points='10,20 40,20 40,30 10,30'/>{}</TextLine>"
    word = "<Word><Coords points='10,20 40,20 40,30 10,30'/><TextEquiv><Unicode>word</Unicode></TextEquiv></Word>"
    page = f"<Page imageFilename='page.png' imageWidth='{sides[0]}' imageHeight='{sides[1]}'>"
    text = f"<PcGts>{page}<TextRegion>{line.format(word)}</TextRegion></Page></PcGts>"
    (folder / "a.xml").write_text(text)


@pytest.mark.parametrize(("form", "write"), [("alto", alto), ("page-xml", page_of_sides)])
@pytest.mark.parametrize("orientation", [1, 6, 8])
def test_a_page_of_the_sides_that_a_photo_is_shown_with_is_labelled_as_it_is_shown(form, write, orientation, tmp_path):
    photo(tmp_path / "page.png", orientation)
    write(tmp_path, (60, 90))
    (sample,) = word_samples(load_pages(tmp_path, form))
    assert (sample.image.shape, sample.image.max()) == ((10, 30), 0)


@pytest.mark.parametrize(("form", "write"), [("alto", alto), ("page-xml", page_of_sides)])
def test_labels_of_a_picture_that_was_scaled_since_are_scaled(form, write, tmp_path):
    photo(tmp_path / "page.png")
    PIL.Image.fromarray(PAGE.repeat(2, 0).repeat(2, 1)).save(tmp_path / "page.png")
    write(tmp_path, (60, 90))
    (sample,) = word_samples(load_pages(tmp_path, form))
    assert (sample.image.shape, sample.image.max()) == ((20, 60), 0)


def test_crops_are_as_they_are_shown(tmp_path):
    photo(tmp_path / "page.png", 6)
    (tmp_path / "labels.csv").write_text("file,text\npage.png,word\n")
    (tmp_path / "gt.txt").write_text('page.png, "word"\n')
    np.testing.assert_array_equal(load_crops(tmp_path)[0].image, PAGE)
    for form in ("crops", "icdar"):
        (page,) = load_pages(tmp_path, form)
        np.testing.assert_array_equal(page.image(), PAGE)
        assert page.words[0].box.tolist() == [0, 0, 60, 90]


def test_a_photo_labelled_as_it_is_stored_stays_so(tmp_path):
    photo(tmp_path / "page.png", 6)
    label_studio(tmp_path, size=(90, 60))
    (page,) = load_pages(tmp_path, "label-studio")
    assert page.image().shape == (60, 90)


def test_labels_of_another_picture_of_that_name_are_refused(tmp_path):
    photo(tmp_path / "page.png")
    label_studio(tmp_path, size=(200, 80))
    with pytest.raises(BadDataset, match="labels another page"):
        load_pages(tmp_path, "label-studio")


DECOMPOSED = unicodedata.normalize("NFD", "Größe")
COMPOSED = unicodedata.normalize("NFC", "Größe")


def crops(folder, name):
    photo(folder / f"{name[0]}.png")
    (folder / "labels.csv").write_text(f"file,text\n{name[1]}.png,word\n", encoding="utf-8")


def icdar(folder, name):
    photo(folder / f"{name[0]}.png")
    (folder / "gt.txt").write_text(f'{name[1]}.png, "word"\n', encoding="utf-8")


def named_in_json(folder, name):
    photo(folder / f"{name[0]}.png")
    label_studio(folder, name=f"{name[1]}.png")


def page_xml(folder, name, words="<Word><Coords points='10,20 40,20 40,30'/>{}</Word>", text="word"):
    photo(folder / f"{name[0]}.png")
    equiv = f"<TextEquiv><Unicode>{text}</Unicode></TextEquiv>"
    line = f"<TextLine><Coords points='10,20 40,20 40,30 10,30'/>{words.format(equiv)}{equiv}</TextLine>"
    page = f"<Page imageFilename='{name[1]}.png'><TextRegion>{line}</TextRegion></Page>"
    (folder / "a.xml").write_text(f"<PcGts>{page}</PcGts>", encoding="utf-8")


def phone(folder, name):
    photo(folder / f"{name[0]}.png")
    (folder / f"{name[1]}.json").write_text(json.dumps({"words": [{"text": "word", "box": [10, 20, 40, 30]}]}))


NAMED = {"crops": crops, "icdar": icdar, "label-studio": named_in_json, "page-xml": page_xml, "phone": phone}


@pytest.mark.parametrize("name", [(DECOMPOSED, COMPOSED), (COMPOSED, DECOMPOSED)])
@pytest.mark.parametrize("form", NAMED)
def test_names_are_the_same_however_their_marks_are_written(form, name, tmp_path):
    NAMED[form](tmp_path, name)
    (page,) = load_pages(tmp_path, form)
    assert page.texts == ["word"]
    assert page.image().size == PAGE.size
    if form == "crops":
        assert len(load_crops(tmp_path)) == 1


@pytest.mark.parametrize(
    ("words", "text", "by_word", "texts"),
    [
        ("<Word><Coords points='1,1 9,1 9,9'/></Word>", "two words", False, ["two", "words"]),
        ("<Word><Coords points='1,1 9,1 9,9'/>{}</Word><Word><Coords points='1,1 9,1 9,9'/></Word>", "one two",
         False, ["one", "two"]),
        ("<Word><Coords points='1,1 9,1 9,9'/>{}</Word>", "word", True, ["word"]),
    ],
)  # fmt: skip
def test_a_line_of_page_xml_whose_words_say_nothing_reads_as_it_says_itself(words, text, by_word, texts, tmp_path):
    page_xml(tmp_path, ("a", "a"), words, text)
    (page,) = load_pages(tmp_path, "page-xml")
    assert (bool(page.words), page.texts) == (by_word, texts)


def test_labels_that_give_no_word_are_counted_with_their_reasons(caplog, tmp_path):
    boxes = [(10, 20, 40, 30), (500, 20, 540, 30), (10, 20, 10.5, 21), (10, 20, 40, 30)]
    words = tuple(LabelledWord(text, box_to_quad(box)) for text, box in zip(["word", "off", "dot", ""], boxes))
    page = LabelledPage("p", words, pixels=PAGE, left_out={"transcripts without a place": 2})
    assert [sample.text for sample in word_samples([page])] == ["word"]
    reasons = "2 transcripts without a place; 1 not transcribed; 1 outside the page; 1 too small to be cut"
    assert caplog.messages == [f"Labels left out: {reasons}."]
    assert statistics([page])["labels without a crop"] == {
        "transcripts without a place": 2, "not transcribed": 1, "outside the page": 1, "too small to be cut": 1,
    }  # fmt: skip
    said = [finding.message for finding in validate([page])]
    assert "2 labels left out: transcripts without a place" in said
    assert "the box of 'off' lies outside the page" in said
    assert "the box of 'dot' is too small to be cut out" in said


def test_every_verb_that_takes_labels_says_which_it_leaves_out(tmp_path):
    photo(tmp_path / "page.png")
    region = {"original_width": 60, "original_height": 90, "image_rotation": 0}
    places = [{"x": 10, "y": 10, "width": 50, "height": 10}, {"x": 200, "y": 10, "width": 50, "height": 10}, {}]
    results = [
        {"id": str(i), **region, "type": "textarea", "value": {**place, "text": ["word"]}}
        for i, place in enumerate(places)
    ]
    label_studio(tmp_path, results=results)
    form = ("--form", "label-studio")
    assert "1 labels left out: transcripts without a place" in run("data", "validate", tmp_path, *form).output
    assert "1 transcripts without a place; 1 outside the page" in run("data", "stats", tmp_path, *form).output
    done = run("evaluate", "fast-print", tmp_path, *form, "-o", tmp_path / "out")
    assert "Labels left out: 1 transcripts without a place; 1 outside the page." in done.output


def test_messages_quote_the_ends_of_what_is_long():
    assert quoted("short") == "'short'"
    assert len(quoted("x" * 200_000)) <= 80
    assert len(quoted({"text": "x" * 200_000})) <= 80
    assert quoted("a" * 100 + "end'").endswith("end'\"")


@pytest.mark.parametrize("strange", [{"image_rotation": "x" * 200_000}, {"original_width": 10**400}])
def test_what_label_studio_says_of_a_picture_is_quoted_by_its_ends(strange, tmp_path):
    photo(tmp_path / "page.png")
    region = {"original_width": 60, "original_height": 90, **strange}
    label_studio(tmp_path, results=[{"id": "a", **region, "type": "textarea", "value": {"text": ["word"]}}])
    with pytest.raises(BadDataset, match=r"image turned by 'xx|labels another page\.png") as caught:
        load_pages(tmp_path, "label-studio")
    assert len(str(caught.value)) < len(str(tmp_path)) + 250


LONG = int("9" * 400)
DEEP = "[" * 100_000 + "]" * 100_000
WORD = {"text": "a", "box": [1, 2, 3, 4]}


@pytest.mark.parametrize(
    "content",
    [
        {"words": None},
        {"words": [None]},
        {"words": [{**WORD, "text": ["a"]}]},
        {"words": [{**WORD, "box": [LONG, 2, 3, 4]}]},
        {"words": [{**WORD, "box": [1e12, 2, 3, 4]}]},
        {"words": [{**WORD, "box": None}]},
        {"words": [WORD], "category": ["a"]},
        [],
        None,
        "words",
        DEEP,
        '{"words": ' + "9" * 5000 + "}",
    ],
)
def test_json_of_any_other_shape_is_one_short_sentence(content, tmp_path):
    photo(tmp_path / "p.png")
    text = content if isinstance(content, str) and content.startswith(("[", "{")) else json.dumps(content)
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(BadDataset) as caught:
        load_pages(tmp_path, "phone")
    assert len(str(caught.value)) < len(str(tmp_path)) + 250


def test_nothing_where_a_text_or_a_kind_stands_is_none(tmp_path):
    photo(tmp_path / "p.png")
    (tmp_path / "p.json").write_text(json.dumps({"words": [{**WORD, "text": None}], "category": None}))
    (page,) = load_pages(tmp_path, "phone")
    assert (page.words[0].text, page.category) == ("", "letter_sized")


def test_half_of_a_pair_of_code_units_becomes_what_cannot_be_told(tmp_path):
    photo(tmp_path / "p.png")
    (tmp_path / "p.json").write_text('{"words": [{"text": "a\\ud800\\ud83d\\ude00", "box": [1, 2, 30, 14]}]}')
    (page,) = load_pages(tmp_path, "phone")
    assert page.texts == ["a\ufffd😀"]
    for verb in ("validate", "stats"):
        assert not isinstance(run("data", verb, tmp_path, "--form", "phone").exception, UnicodeError)


@pytest.mark.parametrize("name", ["x" * 300 + ".png", "../" * 2000, "loop/p.png"])
def test_names_that_no_file_can_have_are_missing(name, tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "labels.csv").write_text(f"file,text\n{name},a\n")
    with pytest.raises(BadDataset, match="missing images") as caught:
        load_pages(tmp_path, "crops")
    assert len(str(caught.value)) < len(str(tmp_path)) + 200


def test_a_deleted_working_folder_and_links_in_a_circle_are_sentences(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for folder in (".", loop):
        with pytest.raises(OcrkitError):
            load_pages(folder, "crops")


def test_groups_within_groups_of_page_xml_end_somewhere(tmp_path):
    photo(tmp_path / "a.png")
    groups = "<OrderedGroup>" * 5000 + "</OrderedGroup>" * 5000
    page = f"<Page imageFilename='a.png'><ReadingOrder>{groups}</ReadingOrder></Page>"
    (tmp_path / "a.xml").write_text(f"<PcGts>{page}</PcGts>")
    with pytest.raises(BadDataset, match="groups within groups"):
        load_pages(tmp_path, "page-xml")
