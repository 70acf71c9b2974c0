"""Searchable PDF, read again with the two readers most people's programs use: Poppler and PDFium."""

import io
import re
import shutil
import subprocess

import numpy as np
import pikepdf
import PIL.Image
import pypdfium2
import pytest

from ocrkit import Reader
from ocrkit.alphabet import CHARACTERS
from ocrkit.detection import DetectedLine
from ocrkit.document import Document, Line, Page, Word, box_to_quad
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
        words = [(x0, 400 * 0.72 - y1, x1, 400 * 0.72 - y0) for x0, y0, x1, y1 in rectangles]
    np.testing.assert_allclose(np.array(words) / 0.72, [word.box for word in line.words], atol=1.6)


def test_text_on_a_slanting_line_follows_its_ink(tmp_path):
    words = [Word(f"word{i}", box_to_quad((50 + 80 * i, 50 + 10 * i, 110 + 80 * i, 70 + 10 * i))) for i in range(6)]
    path = of_lines(Line(tuple(words)), dpi=72).save_pdf(tmp_path / "a.pdf")
    with pypdfium2.PdfDocument(path) as pdf:
        text = pdf[0].get_textpage()
        tops = [400 - text.get_rect(i)[3] for i in range(text.count_rects())]
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


def test_a_fax_of_standard_resolution_stands_on_a_sheet_of_its_true_height(tmp_path):
    """204 x 98 dpi, as T.4 and libtiff's fax tools have it: 1728 x 441 pixels are 8.47 x 4.5 inches."""
    buffer = io.BytesIO()
    PIL.Image.new("1", (1728, 441), 1).save(buffer, "TIFF", dpi=(204, 98), compression="group4")
    (read,) = iter_pages(buffer.getvalue())
    page = Page(1, *read.image.shape[1::-1], image=read.image, dpi=read.dpi, sheet_pt=read.sheet_pt)
    path = Document((page,)).save_pdf(tmp_path / "fax.pdf")
    with pypdfium2.PdfDocument(path) as pdf:
        assert pdf[0].get_size() == pytest.approx((610, 324), abs=0.5)


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
    nowhere = np.full(4, np.nan)
    found = np.array([boxes.get(word.text, nowhere) * scale for word in page.words])
    expected = np.array([word.box for word in page.words])
    beside = np.abs(found - expected)[:, ::2].max(1)
    # From the lowest to the highest of its line: more than its own box, which lies within.
    covered = (found[:, 1] <= expected[:, 1] + 3) & (found[:, 3] >= expected[:, 3] - 3)
    taller = (found[:, 3] - found[:, 1]) / (expected[:, 3] - expected[:, 1])
    good = (beside <= 3) & covered
    record_property(
        "measured",
        f"{image}, {boxes_of.__name__}: {good.mean():.3f} of {len(words)} words covered, and within 3 px at both ends, "
        f"by rectangles {np.median(taller[good]):.2f} times as high",
    )
    # Boxes that overlap a neighbour's are cut apart, or readers would glue the words together.
    assert np.mean(good) >= 0.95
    assert np.median(taller[good]) < 1.4


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


def aside(words, left=10, top=600) -> Line:
    """A line that runs up the left margin."""
    placed, y = [], top
    for word in words:
        height = 12 * len(word)
        placed.append(Word(word, np.array([(left, y), (left, y - height), (left + 20, y - height), (left + 20, y)])))
        y -= height + 12
    return Line(tuple(placed))


@pytest.mark.parametrize("words", [["level", "lines", "stay", "whole"], ["a", "b", "c", "d"], ["one"] * 9])
def test_level_lines_stay_whole_beside_a_long_line_in_the_margin(words, tmp_path, a_line):
    """PDFium (8149), and so Chrome, takes a single character to run as most text of the page does: spaces of their own
    object tore every word onto its own line here."""
    level = [a_line([*words, str(i)], left=100, top=40 + 50 * i) for i in range(10)]
    margin = aside(["running", "up", "the", "margin", "of", "the", "page", "for", "its", "whole", "length"], top=900)
    page = Page(1, 600, 950, (*level, margin), image=np.full((950, 600), 255, np.uint8))
    path = Document((page,)).save_pdf(tmp_path / "a.pdf")
    lines = [line.split() for line in pdfium_text(path).splitlines()]
    assert [line for line in lines if line][:10] == [[*words, str(i)] for i in range(10)]


def test_a_turned_line_comes_word_by_word_from_pdftotext_raw_as_the_docs_say(tmp_path, a_line):
    """Poppler 22.12 breaks what runs up the page into its words with `-raw`, and keeps level lines whole."""
    page = Page(1, 600, 950, (a_line(["level", "line"], top=40), aside(["up", "the", "side"], top=900)), image=BLANK)
    path = Document((page,)).save_pdf(tmp_path / "a.pdf")
    lines = [line.strip() for line in pdftotext(path, "-raw").splitlines()]
    assert [line for line in lines if line.strip("\f")] == ["level line", "up", "the", "side"]


def test_the_layer_of_text_is_small_and_all_its_words_are_of_one_font(tmp_path):
    rng = np.random.default_rng(0)
    lines = []
    for i in range(40):
        tops = 20 + 25 * i + rng.integers(0, 6, 10)
        boxes = [(20 + 80 * j, top, 80 + 80 * j, 36 + 25 * i + rng.integers(0, 6)) for j, top in enumerate(tops)]
        texts = ["".join(rng.choice(list(CHARACTERS), rng.integers(2, 9))) for _ in boxes]
        lines.append(Line(tuple(Word(text, box_to_quad(box)) for text, box in zip(texts, boxes))))
    blank = np.full((1100, 850), 255, np.uint8)
    empty = of_lines(image=blank).save_pdf(tmp_path / "empty.pdf").stat().st_size
    path = of_lines(*lines, image=blank).save_pdf(tmp_path / "a.pdf")
    assert path.stat().st_size - empty <= 2048 + 40 * 400
    with pikepdf.open(path) as pdf:
        assert len(pdf.pages[0].resources.Font) == 1
        assert sum(isinstance(thing, pikepdf.Dictionary) and "/FontFile2" in thing for thing in pdf.objects) == 1


@pytest.mark.parametrize("reader", [pdftotext, pdfium_text])
def test_words_of_a_line_that_curls_stay_in_order_and_on_their_ink(reader, tmp_path):
    """Ten words on an arc that sags by twice their height, as at the fold of a book."""
    lefts = 30 + 80 * np.arange(10)
    tops = 60 + 40 * (1 - ((np.arange(10) - 4.5) / 4.5) ** 2)
    words = [Word(f"word{i}", box_to_quad((x, y, x + 60, y + 20))) for i, (x, y) in enumerate(zip(lefts, tops))]
    path = of_lines(Line(tuple(words)), image=np.full((200, 900), 255, np.uint8), dpi=72).save_pdf(tmp_path / "a.pdf")
    assert reader(path).split() == [word.text for word in words]
    boxes = poppler_boxes(path) if reader is pdftotext else pdfium_boxes(path)
    np.testing.assert_allclose([boxes[word.text] for word in words], [word.box for word in words], atol=3)


def test_a_sheet_of_a_pdf_keeps_its_size_and_a_longer_one_than_pdf_knows_has_larger_units(tmp_path):
    for sheet, shown, unit in (((612, 9000), (612, 9000), None), ((595.276, 841.89), (595.276, 841.89), None),
                               ((612, 28_800), (306, 14_400), 2)):  # fmt: skip
        page = Page(1, 60, 900, image=np.zeros((900, 60), np.uint8), dpi=33, sheet_pt=sheet)
        path = Document((page,)).save_pdf(tmp_path / "a.pdf")
        with pypdfium2.PdfDocument(path) as pdf:
            assert pdf[0].get_size() == pytest.approx(shown, abs=0.001)
        with pikepdf.open(path) as pdf:
            assert pdf.pages[0].obj.get("/UserUnit") == unit
        (again,) = iter_pages(path)
        assert again.sheet_pt == pytest.approx(sheet, abs=0.01)


def test_a_page_longer_than_jpeg_and_opencv_know_is_written(tmp_path):
    image = np.full((70_000, 40), 255, np.uint8)
    image[69_000:69_500] = 90
    image[:30] = np.random.default_rng(0).integers(0, 255, (30, 40))
    word = Word("end", box_to_quad((5, 69_100, 35, 69_120)))
    path = of_lines(Line((word,)), image=image, dpi=200).save_pdf(tmp_path / "a.pdf")
    assert pdfium_text(path) == "end"
    (again,) = iter_pages(path)
    height, width = again.image.shape[:2]
    row = again.image[:, width // 2].reshape(height, -1)[:, 0]
    assert np.flatnonzero(row[1000:] < 150)[[0, -1]] + 1000 == pytest.approx(
        np.array([69_000, 69_500]) * height / 70_000, abs=2
    )


def test_the_bytes_of_a_photo_with_another_behind_it_go_in_alone(tmp_path):
    photo = PIL.Image.fromarray(np.random.default_rng(1).integers(0, 255, (300, 400, 3), np.uint8))
    buffer = io.BytesIO()
    photo.save(buffer, "MPO", save_all=True, append_images=[photo.resize((200, 150))])
    data = buffer.getvalue()
    first = data[: data.index(b"\xff\xd8\xff", 2)]
    document = Document(
        tuple(
            Page(1, 400, 300, image=page.image, original=page.original, rotation=page.rotation)
            for page in iter_pages(data)
        )
    )
    written = document.save_pdf(tmp_path / "a.pdf").read_bytes()
    assert len(document.pages) == 1
    assert first in written
    assert len(written) < len(first) + 2000
    with pypdfium2.PdfDocument(written) as pdf:
        shown = pdf[0].render(scale=400 / pdf[0].get_size()[0]).to_numpy()[..., 2::-1]
    assert np.abs(shown.astype(int) - document.pages[0].image).mean() < 3


def test_black_and_white_takes_a_bit_a_pixel_and_comes_back_the_same(tmp_path):
    noise = (np.random.default_rng(0).integers(0, 2, (800, 601)) * 255).astype(np.uint8)
    path = of_lines(image=noise, dpi=100).save_pdf(tmp_path / "a.pdf")
    assert path.stat().st_size < 800 * 601 / 8 + 2000
    (again,) = iter_pages(path)
    np.testing.assert_array_equal(again.image, noise)


def test_lone_halves_of_characters_are_written_as_what_cannot_be_told(tmp_path, a_line):
    path = of_lines(a_line(["a\ud800b", "😀"])).save_pdf(tmp_path / "a.pdf")
    assert pdfium_text(path) == "a\ufffdb \ufffd "
