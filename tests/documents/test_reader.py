"""The reader's own work between detector and recogniser, with both replaced where that says more."""

import io
import zlib

import cv2
import numpy as np
import PIL.Image
import pypdfium2
import pytest

from ocrkit import Reader
from ocrkit.detection import DetectedLine
from ocrkit.documents.crops import crop_places, split_words
from ocrkit.documents.options import ReadOptions
from ocrkit.errors import BadImage
from ocrkit.recognition import Guess

PAGE = np.full((200, 400), 255, np.uint8)
cv2.putText(PAGE, "Hello  there", (20, 60), cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2)
cv2.putText(PAGE, "world", (20, 120), cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2)
BOXES = [(20, 35, 105, 65), (135, 35, 235, 65), (20, 95, 110, 125)]


def detector(*lines):
    return lambda image: [DetectedLine(np.array(boxes, float)) for boxes in lines]


def tiff(*frames) -> bytes:
    buffer = io.BytesIO()
    first, *others = map(PIL.Image.fromarray, frames)
    first.save(buffer, "TIFF", save_all=True, append_images=others, compression="tiff_deflate")
    return buffer.getvalue()


def test_a_page_becomes_lines_of_words_with_their_boxes(says):
    reader = Reader(detector=detector([BOXES[2]], BOXES[:2]), recognizer=says("world", "Hello", "there"))
    document = reader.read(PAGE)
    assert document.text == "Hello there\nworld"
    np.testing.assert_array_equal([word.box for word in document.words], BOXES + np.array([-1, -1, 1, 1]))
    assert document.pages[0].image is not None
    assert (document.source, document.engine) == ("", "ocrkit a test's")


def test_all_words_of_a_page_go_to_the_recogniser_at_once_grey_and_with_a_margin(says):
    recognizer = says("something")
    options = ReadOptions(margin=0.12)
    find = detector(BOXES[:2], [BOXES[2]])
    Reader(detector=find, recognizer=recognizer, options=options).read(np.dstack([PAGE] * 3))
    assert [crop.ndim for crop in recognizer.crops] == [2, 2, 2]
    heights = [crop.shape[0] for crop in recognizer.crops]
    assert heights == [30 + 2 * 4] * 3  # 0.12 x 30 px, rounded outwards


@pytest.mark.parametrize(
    ("down", "up", "text", "first_corner"),
    [
        ("632120763", "", "632120763", (391, 9)),  # a word that runs down the page begins at its box's top right
        ("", "2974", "2974", (369, 121)),
        ("0599", "6650", "0599", (391, 9)),  # digits are read on their heads as well
        ("1", "", "", None),
        ("-----", "", "", None),
    ],
)
def test_a_line_up_or_down_the_page_comes_last_and_turned(says, down, up, text, first_corner):
    aside = DetectedLine(np.array([(370, 10, 390, 120)], float), aside=True)
    recognizer, turns = says(), iter([("Hello", "everybody"), (down,), (up,)])
    recognizer.recognize = lambda crops: says(*next(turns)).recognize(crops)
    document = Reader(detector=lambda image: [*detector(BOXES[:2])(image), aside], recognizer=recognizer).read(PAGE)
    assert document.text == "\n\n".join(filter(None, ["Hello everybody", text]))
    if text:
        assert tuple(document.words[-1].quad[0]) == first_corner


@pytest.mark.parametrize(("downwards", "order"), [(True, "8225 4638"), (False, "4638 8225")])
def test_pieces_of_a_line_aside_are_read_in_its_direction(says, downwards, order):
    pieces = [[(370, 10, 390, 50)], [(372, 80, 391, 120)]]
    lines = [*detector(BOXES[:2])(PAGE), *(DetectedLine(np.array(boxes, float), aside=True) for boxes in pieces[::-1])]
    texts, nothing = ("4638", "8225"), ("", "")
    answers = iter([("Hello", "everybody"), *((texts, nothing) if downwards else (nothing, texts))])
    recognizer = says()
    recognizer.recognize = lambda crops: says(*next(answers)).recognize(crops)
    read = Reader(detector=lambda image: lines, recognizer=recognizer).read(PAGE)
    assert " ".join(line.text for line in read.pages[0].lines[1:]) == order
    assert {line.paragraph for line in read.pages[0].lines[1:]} == {1}


def test_a_number_on_its_side_is_found_read_and_kept_in_a_pdf(tmp_path):
    page = np.full((700, 620), 255, np.uint8)
    for row in range(8):
        cv2.putText(page, f"This is line {row} of a letter", (30, 60 + 70 * row), 0, 0.9, 0, 2, cv2.LINE_AA)
    strip = np.full((40, 300), 255, np.uint8)
    cv2.putText(strip, "2074956978", (10, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 0, 2, cv2.LINE_AA)
    page[200:500, 570:610] = np.rot90(strip, 3)
    document = Reader().read(page)
    assert document.text.endswith("\n\n2074956978")
    assert len(document.pages[0].lines) == 9
    with pypdfium2.PdfDocument(document.save_pdf(tmp_path / "a.pdf")) as pdf:
        assert pdf[0].get_textpage().get_text_range().split()[-1] == "2074956978"


def test_words_of_a_straightened_page_stay_on_the_image(says):
    x = np.arange(0, 800, 40.0)
    bow = 30 * np.sin(np.pi * x / 800)
    lines = [
        DetectedLine(np.stack([x, y + bow, x + 30, y + bow + 20], axis=1)) for y in (0, 60, 120, 180, 240, 300, 450)
    ]
    found = Reader(detector=lambda image: lines, recognizer=says("word")).read(np.full((500, 800), 255, np.uint8))
    quads = np.array([word.quad for word in found.words])
    assert len(quads) > 100
    assert (quads >= 0).all()
    assert (quads <= (800, 500)).all()


def test_words_at_an_edge_stay_on_the_page(says):
    places = [(0, 10, 80, 60), (340, 150, 400, 200)]
    options = ReadOptions(word_margin=5)
    words = Reader(detector=detector(places), recognizer=says("a", "b"), options=options).read(PAGE).words
    np.testing.assert_array_equal([word.box for word in words], [(0, 5, 85, 65), (335, 145, 400, 200)])


def test_empty_and_unsure_guesses_are_dropped(says):
    find = detector(BOXES[:2], [BOXES[2]])
    assert Reader(detector=find, recognizer=says("")).read(PAGE).words == []
    unsure = says("noise", confidence=0.3)
    assert Reader(detector=find, recognizer=unsure).read(PAGE).words == []
    everything = ReadOptions(min_confidence=0.0, sure_confidence=0.0, likely_confidence=0.0)
    assert len(Reader(detector=find, recognizer=unsure, options=everything).read(PAGE).words) == 3


@pytest.mark.parametrize(
    ("text", "confidence", "words"), [("coo@e", 0.65, 0), ("cookie", 0.65, 3), ("cookie", 0.55, 0)]
)
def test_where_nothing_is_surely_read_and_no_long_word_likely_there_is_no_print(text, confidence, words, says):
    find = detector(BOXES[:2], [BOXES[2]])
    assert len(Reader(detector=find, recognizer=says(text, confidence=confidence)).read(PAGE).words) == words


def test_of_a_texture_with_thousands_of_boxes_only_some_are_read(says):
    recognizer = says("$", confidence=0.5)
    cloth = [[(x, y, x + 12, y + 10) for x in range(0, 390, 13)] for y in range(0, 190, 4)]
    assert Reader(detector=detector(*cloth), recognizer=recognizer).read(PAGE).words == []
    assert len(recognizer.crops) < 400 < len(cloth) * len(cloth[0])


def test_the_words_of_a_negative_are_read_dark_on_light(says):
    recognizer = says("word")
    Reader(recognizer=recognizer).read(255 - PAGE)
    assert len(recognizer.crops) == 3
    assert all(np.median(crop) > 200 for crop in recognizer.crops)


SHEET = cv2.copyMakeBorder(cv2.resize(PAGE, None, fx=2, fy=2), 100, 100, 40, 40, cv2.BORDER_CONSTANT, value=255)


@pytest.mark.parametrize("quarters", [0, 1])
def test_words_of_a_photographed_page_lie_on_their_ink_in_the_photo(quarters, says):
    """A sheet on a brown desk, seen from the side, and the same with the camera turned."""
    height, width = SHEET.shape
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    corners = np.array([[160, 120], [1010, 70], [1090, 730], [90, 690]], np.float32)
    place = cv2.getPerspectiveTransform(flat, corners)
    sheet = cv2.warpPerspective(np.dstack([SHEET] * 3), place, (1200, 800))
    on_sheet = cv2.warpPerspective(np.full_like(SHEET, 255), place, (1200, 800)) > 128
    photo = np.where(on_sheet[..., None], sheet, np.uint8((110, 80, 55)))

    class ReadsUpright(says):
        """Letters stand upright where the page is wider than high, as this one is."""

        def recognize(self, crops):
            aspects = [crop.shape[1] / crop.shape[0] for crop in crops]
            self.confidence = 0.95 if np.median(aspects) > 1 else 0.1
            return super().recognize(crops)

    page = Reader(recognizer=ReadsUpright("something")).read(np.ascontiguousarray(np.rot90(photo, quarters))).pages[0]
    assert (page.width, page.height, page.rotation) == (1200, 800, 90 * quarters)
    straight = Reader(recognizer=says("something")).read(SHEET).pages[0]
    assert len(page.words) == len(straight.words) == 3
    for word, wanted in zip(page.words, straight.words):
        there = cv2.perspectiveTransform(wanted.quad[None].astype(np.float32), place)[0]
        np.testing.assert_allclose(word.quad, there, atol=6)


def test_a_flat_colour_scan_is_read_in_its_own_pixels(says):
    colour = Reader(recognizer=says("word")).read(np.dstack([PAGE] * 3)).pages[0]
    grey = Reader(recognizer=says("word")).read(PAGE).pages[0]
    np.testing.assert_array_equal([word.quad for word in colour.words], [word.quad for word in grey.words])


def test_the_own_detector_finds_drawn_words(says):
    document = Reader(recognizer=says("word")).read(PAGE)
    assert [len(line.words) for line in document.pages[0].lines] == [2, 1]


@pytest.mark.parametrize("page", [np.full((300, 300), 255, np.uint8), np.zeros((1, 1), np.uint8), PAGE[:7]])
def test_a_blank_or_tiny_page_is_an_empty_page(page, says):
    document = Reader(recognizer=says("word")).read(page)
    assert document.text == ""
    assert (document.pages[0].height, document.pages[0].width) == page.shape


def test_pages_are_read_as_they_come_and_a_bad_one_leaves_the_others(says):
    blank = np.full((40, 40), 20, np.uint8)
    data = tiff(PAGE, blank, PAGE)
    strip = zlib.compress(blank.tobytes())
    assert strip in data
    reader = Reader(recognizer=says("word"))
    document = reader.read(data.replace(strip, b"\0" * len(strip)))
    assert [len(page.words) for page in document] == [3, 0, 3]
    assert document.pages[1].error == "Page 2 of the data is damaged and cannot be decoded."

    pages = reader.pages(data)
    assert next(pages).number == 1  # before the second is even decoded


def test_what_cannot_be_read_at_all_is_refused(says, tmp_path):
    with pytest.raises(BadImage, match="There is no file"):
        Reader(recognizer=says("word")).read(tmp_path / "none.png")


@pytest.mark.parametrize(
    ("box", "place"),
    [
        ((10.4, 20, 30, 30), (9, 19, 31, 31)),
        ((0, 0, 100, 50), (0, 0, 100, 50)),  # clipped
        ((98, 10, 140, 20), (97, 9, 100, 21)),
        ((120, 60, 140, 70), (99, 49, 100, 50)),  # outside: one pixel
    ],
)
def test_crops_stay_inside_the_image(box, place):
    assert tuple(crop_places(np.array([box], float), (50, 100), 0.1)[0]) == place


def test_a_guess_with_blanks_becomes_a_word_for_each_run_of_characters():
    text = "of the  of"
    spans = np.stack([np.arange(10) * 10.0, np.arange(10) * 10.0 + 10], axis=1)
    words = split_words(Guess(text, 0.8, spans), np.array([105, 20, 203, 40]), crop_left=100)
    assert [word.text for word in words] == ["of", "the", "of"]
    np.testing.assert_allclose(
        [word.box for word in words], [(105, 20, 120, 40), (130, 20, 160, 40), (180, 20, 203, 40)]
    )
    assert {word.confidence for word in words} == {0.8}
    assert split_words(Guess("  ", 0.8, spans), np.array([0, 0, 9, 9]), 0) == []


def test_the_number_of_votes_behind_a_row_of_stars_is_kept(says):
    boxes = [*((20 + 30 * i, 38, 42 + 30 * i, 60) for i in range(4)), (150, 35, 220, 65)]
    lines = [DetectedLine(np.array(boxes, float), spaces=np.ones(5)), *detector([BOXES[2]])(PAGE)]
    reader = Reader(detector=lambda image: lines, recognizer=says(*"****", "(700)", "world"))
    assert reader.read(PAGE).text == "(700)\n\nworld"
