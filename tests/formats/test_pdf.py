"""Searchable PDF, read again with the two readers most people's programs use: Poppler and PDFium."""

import io
import re
import shutil
import subprocess

import numpy as np
import PIL.Image
import pypdfium2
import pytest

from ocrkit import Reader
from ocrkit.alphabet import CHARACTERS
from ocrkit.detection import DetectedLine
from ocrkit.document import Document, Line, Page, Word, box_to_quad
from ocrkit.documents.reader import ReadOptions
from ocrkit.errors import OcrkitError
from ocrkit.images import iter_pages
from ocrkit.recognition import Guess

BLANK = np.full((400, 600), 255, np.uint8)


def pdftotext(path, *options) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed (package poppler-utils)")
    command = ["pdftotext", *options, str(path), "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def pdfium_text(path) -> str:
    with pypdfium2.PdfDocument(path) as pdf:
        return "\f".join(page.get_textpage().get_text_range() for page in pdf)


def of_lines(*lines, image=BLANK, **page) -> Document:
    height, width = image.shape[:2]
    return Document((Page(1, width, height, tuple(lines), image=image, **page),), "page.png")


def encoded(image, form, **options) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(image).save(buffer, form, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("reader", [pdftotext, pdfium_text])
def test_every_character_of_the_alphabet_comes_back_with_spaces_and_order(reader, tmp_path, a_line):
    characters = CHARACTERS.replace(" ", "")
    words = [characters[i : i + 5] for i in range(0, len(characters), 5)]
    lines = [a_line(words[i : i + 6], top=20 + 40 * i // 6) for i in range(0, len(words), 6)]
    path = of_lines(*lines).save_pdf(tmp_path / "a.pdf")
    assert reader(path).split() == words


@pytest.mark.parametrize("reader", [pdftotext, pdfium_text])
def test_characters_of_other_scripts_come_back_too(reader, tmp_path, a_line):
    words = ["Ελλάδα", "Москва", "日本語"]
    path = of_lines(a_line(words)).save_pdf(tmp_path / "a.pdf")
    assert reader(path).split() == words


@pytest.mark.parametrize("reader", [pdftotext, pdfium_text])
def test_words_that_touch_or_overlap_stay_apart(reader, tmp_path):
    touching = [Word(t, box_to_quad((x, 50, x + 60, 70))) for t, x in (("one", 50), ("two", 110), ("three", 165))]
    path = of_lines(Line(tuple(touching))).save_pdf(tmp_path / "a.pdf")
    assert reader(path).split() == ["one", "two", "three"]


@pytest.mark.parametrize("reader", [pdftotext, pdfium_text])
def test_small_and_tall_words_of_a_line_keep_their_order(reader, tmp_path):
    """Boxes of ink: "no" has neither ascenders nor descenders, "Typing" both."""
    lines = []
    for i in range(4):
        y = 50 + 40 * i
        boxes = [("no", (50, y + 6, 75, y + 18)), ("Typing", (85, y, 160, y + 24)), ("on", (170, y + 6, 195, y + 18))]
        lines.append(Line(tuple(Word(text, box_to_quad(box)) for text, box in boxes)))
    path = of_lines(*lines).save_pdf(tmp_path / "a.pdf")
    assert reader(path).split() == ["no", "Typing", "on"] * 4


def test_selection_rectangles_lie_on_the_words_boxes(tmp_path, a_line):
    line = a_line(["Every", "word", "on", "ink"], left=57, top=83)
    path = of_lines(line, dpi=100).save_pdf(tmp_path / "a.pdf")
    found = [box * 100 / 72 for box in poppler_boxes(path).values()]
    np.testing.assert_allclose(found, [word.box for word in line.words], atol=1.6)

    with pypdfium2.PdfDocument(path) as pdf:
        text = pdf[0].get_textpage()
        rectangles = [text.get_rect(i) for i in range(text.count_rects())]
        words = [(x0, 400 * 0.72 - y1, x1, 400 * 0.72 - y0) for x0, y0, x1, y1 in rectangles][::2]  # spaces between
    np.testing.assert_allclose(np.array(words) / 0.72, [word.box for word in line.words], atol=1.6)


def test_text_on_a_slanting_line_follows_its_ink(tmp_path):
    words = [Word(f"word{i}", box_to_quad((50 + 80 * i, 50 + 10 * i, 110 + 80 * i, 70 + 10 * i))) for i in range(6)]
    path = of_lines(Line(tuple(words)), dpi=72).save_pdf(tmp_path / "a.pdf")
    with pypdfium2.PdfDocument(path) as pdf:
        text = pdf[0].get_textpage()
        tops = [400 - text.get_rect(i)[3] for i in range(0, text.count_rects(), 2)]
    np.testing.assert_allclose(tops, [word.box[1] for word in words], atol=3)


@pytest.mark.parametrize(("orientation", "rotation"), [(1, 0), (3, 180), (6, 90), (8, 270)])
def test_a_jpeg_goes_in_byte_for_byte_and_stands_upright(orientation, rotation, tmp_path):
    upright = np.full((300, 400, 3), 255, np.uint8)
    upright[:150, :200] = (200, 30, 30)
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    jpeg = encoded(np.ascontiguousarray(np.rot90(upright, rotation // 90)), "JPEG", quality=90, exif=exif)
    loaded = next(iter_pages(jpeg))
    page = Page(1, 400, 300, image=loaded.image, original=loaded.original, rotation=loaded.rotation, dpi=72)
    path = Document((page,)).save_pdf(tmp_path / "a.pdf")
    assert jpeg in path.read_bytes()
    assert b"/DCTDecode" in path.read_bytes()
    with pypdfium2.PdfDocument(path) as pdf:
        shown = pdf[0].render(scale=1).to_numpy()[..., 2::-1]
    assert rotation == loaded.rotation
    assert np.abs(shown.astype(int) - upright).mean() < 3


@pytest.mark.parametrize("options", [{"progressive": True}, {"quality": 60}])
def test_unusual_jpegs_are_shown_as_they_are(options, tmp_path):
    picture = PIL.Image.new("RGB", (60, 40), (30, 160, 60)).convert("CMYK")
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", **options)
    loaded = next(iter_pages(buffer.getvalue()))
    page = Page(1, 60, 40, image=loaded.image, original=loaded.original, dpi=72)
    path = Document((page,)).save_pdf(tmp_path / "a.pdf")
    with pypdfium2.PdfDocument(path) as pdf:
        shown = pdf[0].render(scale=1).to_numpy()[..., 2::-1]
    assert (
        np.abs(shown.astype(int) - loaded.image).max() < 60
    )  # colours of ink differ by profile; turned into their negative they would by 150


def test_what_jpeg_would_spoil_is_kept_exactly(tmp_path):
    drawing = np.where(np.arange(400)[:, None] // 7 % 2 == np.arange(600) // 7 % 2, 0, 255).astype(np.uint8)
    path = of_lines(image=drawing, dpi=72).save_pdf(tmp_path / "a.pdf")
    with pypdfium2.PdfDocument(path) as pdf:
        image = next(iter(pdf[0].get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])))
        np.testing.assert_array_equal(image.get_bitmap().to_numpy().squeeze(), drawing)


@pytest.mark.parametrize(
    ("shape", "dpi", "inches"),
    [
        ((3300, 2550), 300, (8.5, 11)),
        ((4000, 3000), 72, (11.69 * 3 / 4, 11.69)),  # a camera's 72 dpi would be a sheet of 55 inches
        ((2339, 1654), None, (8.27, 11.69)),
        ((100, 200), None, (200 / 72, 100 / 72)),
    ],
)
def test_the_sheet_has_a_sensible_size(shape, dpi, inches, tmp_path):
    page = Page(1, shape[1], shape[0], image=np.zeros(shape, np.uint8), dpi=dpi)
    path = Document((page,)).save_pdf(tmp_path / "a.pdf")
    with pypdfium2.PdfDocument(path) as pdf:
        assert np.array(pdf[0].get_size()) / 72 == pytest.approx(inches, abs=0.01)


def test_pages_keep_their_numbers_and_an_unread_one_is_an_empty_sheet(document, tmp_path, a_line):
    three = Document((*document.pages, Page(3, 600, 400, (a_line(["end"]),), image=BLANK)))
    text = pdfium_text(three.save_pdf(tmp_path / "a.pdf")).split("\f")
    assert len(text) == 3
    assert text[1] == ""
    assert text[2] == "end"


def test_the_same_document_gives_the_same_bytes(document, tmp_path):
    first = document.save_pdf(tmp_path / "a.pdf").read_bytes()
    assert document.save_pdf(tmp_path / "b.pdf").read_bytes() == first


def test_without_an_image_there_is_no_pdf_and_nothing_is_written(tmp_path):
    with pytest.raises(OcrkitError, match="Page 1 has no image to put into a PDF"):
        Document((Page(1, 60, 40),)).save_pdf(tmp_path / "a.pdf")
    with pytest.raises(OcrkitError, match="at least one page"):
        Document(()).save_pdf(tmp_path / "a.pdf")
    assert list(tmp_path.iterdir()) == []


class Numbers:
    """Reads the boxes of a page as w000, w001 ..., so that every word is known again."""

    name = "numbers"

    def recognize(self, crops):
        spans = [np.linspace(0, crop.shape[1], 5) for crop in crops]
        return [Guess(f"w{i:03}", 0.99, np.stack([x[:-1], x[1:]], axis=1)) for i, x in enumerate(spans)]


def poppler_boxes(path) -> dict:
    """Word -> box in points, as `pdftotext -bbox` says."""
    sides = " ".join(f'{side}="([-.0-9]+)"' for side in ("xMin", "yMin", "xMax", "yMax"))
    found = re.findall(f"<word {sides}>([^<]+)<", pdftotext(path, "-bbox"))
    return {word: np.array(box, float) for *box, word in found}


def pdfium_boxes(path) -> dict:
    with pypdfium2.PdfDocument(path) as pdf:
        text, height = pdf[0].get_textpage(), pdf[0].get_size()[1]
        words = re.finditer(r"\S+", text.get_text_range())
        places = {w.group(): np.array([text.get_charbox(i) for i in range(*w.span())]) for w in words}
        return {
            word: np.array([x0.min(), height - y1.max(), x1.max(), height - y0.min()])
            for word, (x0, y0, x1, y1) in ((word, place.T) for word, place in places.items())
        }


@pytest.mark.parametrize("boxes_of", [poppler_boxes, pdfium_boxes])
@pytest.mark.parametrize("image", ["sroie/train/012.jpg", "funsd/training_data/images/0000989556.png"])
def test_words_of_a_real_page_are_selected_where_they_stand_and_in_order(
    boxes_of, image, tmp_path, shared_data, record_property
):
    document = Reader(recognizer=Numbers()).read(shared_data / image)
    path = document.save_pdf(tmp_path / "a.pdf")
    (page,) = document.pages
    words = [word.text for word in page.words]
    assert len(words) > 80
    assert pdfium_text(path).split() == words
    assert pdftotext(path, "-raw").split() == words  # without it, Poppler makes its own guess at columns
    with pypdfium2.PdfDocument(path) as pdf:
        scale = page.width / pdf[0].get_size()[0]
    boxes = boxes_of(path)
    # A word that the reader glued to its neighbour cannot be selected by itself.
    nowhere = np.full(4, np.inf)
    inwards = np.array([(boxes.get(word.text, nowhere) * scale - word.box) * [1, 1, -1, -1] for word in page.words])
    beside = np.maximum(-inwards, inwards - ReadOptions().word_margin).max(1)  # outside the box, or inside the ink
    record_property(
        "measured", f"{image}, {boxes_of.__name__}: {np.mean(beside <= 3):.3f} of {len(words)} words within 3 px"
    )
    # Boxes that overlap a neighbour's are cut apart, or readers would glue the words together.
    assert np.mean(beside <= 3) >= 0.95


def test_a_pdf_says_what_it_is_and_who_made_it(document, tmp_path):
    with pypdfium2.PdfDocument(document.save_pdf(tmp_path / "a.pdf")) as pdf:
        said = pdf.get_metadata_dict()
    assert (said["Title"], said["Creator"], said["Author"], said["Subject"]) == ("letter.pdf", "ocrkit", "", "")


def test_every_page_of_a_file_becomes_a_page_with_its_own_words(tmp_path):
    frames = [np.full((200, 300 + 50 * i), 255, np.uint8) for i in range(3)]
    for i, frame in enumerate(frames):
        for x in range(30, 60 + 60 * i, 60):
            frame[80:110, x : x + 30] = 0
    reader = Reader(recognizer=Numbers(), detector=lambda image: [DetectedLine(blocks(image))])
    tiff = encoded(frames[0], "TIFF", save_all=True, append_images=[PIL.Image.fromarray(f) for f in frames[1:]])
    path = reader.read(tiff).save_pdf(tmp_path / "a.pdf")
    assert [page.split() for page in pdfium_text(path).split("\f")] == [
        ["w000"],
        ["w000", "w001"],
        ["w000", "w001", "w002"],
    ]


def blocks(image) -> np.ndarray:
    """Boxes of the black blocks drawn above."""
    starts = np.flatnonzero(np.diff((image[90] == 0).astype(int)) == 1) + 1
    return np.array([(x, 80, x + 30, 110) for x in starts], float)
