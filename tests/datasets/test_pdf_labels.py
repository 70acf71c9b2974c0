"""Pages of PDFs labelled by their own text: what it says, where its ink is, and which pages and words are none."""

import io
import logging

import cv2
import numpy as np
import pikepdf
import PIL.Image
import pytest
from click.testing import CliRunner
from pikepdf import Array, Dictionary, Name
from reportlab.pdfgen.canvas import Canvas

from ocrkit.cli import main
from ocrkit.datasets import load_pages, word_samples
from ocrkit.datasets.validate import validate
from ocrkit.errors import BadDataset
from ocrkit.images import PDF_MAX_SHORT_SIDE_PX, load_image, to_grey

SIZE = (300, 200)
WORDS = [("Quantity", 40, 150, 12), ("p.", 120, 150, 12), ("9,90", 40, 100, 24), ("gypsy", 150, 60, 8)]


def write(folder, name, draw, size=SIZE, pages=1):
    """A PDF of so many pages, on each of which `draw` has drawn."""
    canvas = Canvas(str(folder / name), pagesize=size, invariant=1)
    for _ in range(pages):
        canvas.setFont("Helvetica", 12)
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return folder / name


def write_stream(folder, stream, fonts=("Times-Roman",), entries=None, size=SIZE):
    """A PDF of one page with these contents, its fonts called F0 and so on."""
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=size)
        called = {f"/F{i}": font if isinstance(font, Dictionary) else standard(font) for i, font in enumerate(fonts)}
        for font in called.values():
            if "/ToUnicode" in font:
                font.ToUnicode = pdf.make_stream(bytes(font.ToUnicode))
            for name, glyph in font.get("/CharProcs", {}).items():
                font.CharProcs[name] = pdf.make_stream(bytes(glyph))
        page.Resources = Dictionary(Font=Dictionary(called))
        page.Contents = pdf.make_stream(stream)
        for name, value in (entries or {}).items():
            page.obj[name] = value
        pdf.save(folder / "a.pdf", static_id=True)


def standard(name, **more):
    return Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name("/" + name), **more)


def told(pairs):
    """A map from a font's codes to what they mean."""
    rows = b"\n".join(b"<%02x> <%b>" % (code, text.encode("utf-16-be").hex().encode()) for code, text in pairs)
    head = b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <ff> endcodespacerange "
    return head + b"%d beginbfchar %b endbfchar endcmap end" % (len(pairs), rows)


def draw_words(canvas):
    for text, x, y, size in WORDS:
        canvas.setFont("Helvetica", size)
        canvas.drawString(x, y, text)


def ink_around(image, box, around=6):
    """The bounds of all ink that touches a word's box, whose neighbours are farther than `around` px."""
    x0, y0, x1, y1 = np.asarray(box).astype(int) + np.array([-around, -around, around, around])
    dark = to_grey(image)[max(0, y0) : y1, max(0, x0) : x1] < 223
    rows, columns = np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))
    left, top = max(0, x0), max(0, y0)
    return np.array([left + columns[0], top + rows[0], left + columns[-1] + 1, top + rows[-1] + 1])


def test_words_are_what_is_printed_and_their_boxes_hold_the_ink_and_no_more(tmp_path):
    path = write(tmp_path, "manual.pdf", draw_words)
    (page,) = load_pages(tmp_path, "pdf")
    assert (page.id, page.document, page.simulated, page.left_out) == ("manual-p0001", "manual", False, {})
    assert page.texts == [text for text, *_ in WORDS]
    assert (page.image() == load_image(path)).all()
    for word in page.words:
        ink = ink_around(page.image(), word.box)
        assert (np.abs(word.box - ink) <= 1).all(), (word.text, word.box, ink)
    assert validate([page]) == []


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("box", [None, (30, 40, 280, 190)])
def test_turned_and_cropped_pages_give_the_same_words_upright(tmp_path, rotate, box):
    write(tmp_path, "a.pdf", draw_words)
    expected = list(word_samples(load_pages(tmp_path, "pdf")))
    with pikepdf.open(tmp_path / "a.pdf", allow_overwriting_input=True) as pdf:
        pdf.pages[0].Rotate = rotate
        if box is not None:
            pdf.pages[0].CropBox = Array(box)
        pdf.save(tmp_path / "a.pdf")
    (page,) = load_pages(tmp_path, "pdf")
    height, width = page.image().shape[:2]
    assert (width > height) == (rotate in (0, 180))
    samples = sorted(word_samples([page]), key=lambda sample: sample.text)  # PDFium reads turned lines backwards
    for got, wanted in zip(samples, sorted(expected, key=lambda sample: sample.text), strict=True):
        assert got.text == wanted.text
        assert np.abs(np.subtract(got.image.shape, wanted.image.shape)).max() <= 1
        # The same letters; PDFium sets each on whole pixels, so that they may lie a pixel beside where they were.
        around = cv2.copyMakeBorder(wanted.image, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=255)
        assert cv2.matchTemplate(around, got.image[1:-1, 1:-1], cv2.TM_CCOEFF_NORMED).max() > 0.8


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_text_that_is_turned_on_its_page_starts_at_its_own_top_left(tmp_path, degrees):
    def draw(canvas):
        canvas.drawString(20, 20, "upright")
        canvas.translate(150, 100)
        canvas.rotate(degrees)
        canvas.drawString(0, 0, "turned")

    write(tmp_path, "a.pdf", draw)
    (page,) = load_pages(tmp_path, "pdf")
    assert page.texts == ["upright", "turned"]
    across = page.words[1].quad[1] - page.words[1].quad[0]
    towards = np.array([np.cos(np.radians(degrees)), -np.sin(np.radians(degrees))])
    assert across @ towards == pytest.approx(np.linalg.norm(across))
    assert (np.abs(page.words[1].box - ink_around(page.image(), page.words[1].box)) <= 1).all()


def hidden(draw):
    def both(canvas):
        canvas.drawString(20, 20, "seen")
        draw(canvas)

    return both


def white(canvas):
    canvas.setFillGray(1)
    canvas.drawString(50, 100, "hidden")


def covered(canvas):
    canvas.drawString(50, 100, "hidden")
    canvas.rect(40, 90, 100, 40, fill=1)


def cut_off(canvas):
    path = canvas.beginPath()
    path.rect(0, 0, 40, 40)
    canvas.clipPath(path, stroke=0)
    canvas.drawString(50, 100, "hidden")


@pytest.mark.parametrize("draw", [white, covered, cut_off, lambda canvas: canvas.drawString(-90, 100, "hidden")])
def test_text_that_is_not_seen_is_no_label_and_is_counted(tmp_path, draw):
    write(tmp_path, "a.pdf", hidden(draw))
    (page,) = load_pages(tmp_path, "pdf")
    assert (page.texts, page.left_out) == (["seen"], {"not seen on the page": 1})


def test_a_word_of_which_a_part_is_hidden_is_ink_without_a_text(tmp_path):
    def draw(canvas):
        canvas.drawString(20, 20, "seen")
        canvas.drawString(285, 100, "beyond")  # the page ends after two letters

    write(tmp_path, "a.pdf", draw)
    (page,) = load_pages(tmp_path, "pdf")
    assert [word.text for word in page.words] == ["seen", ""]


def test_text_in_forms_within_forms_counts_where_they_are_placed(tmp_path):
    def draw(canvas):
        canvas.drawString(20, 20, "page")
        canvas.beginForm("inner")
        canvas.setFont("Helvetica", 10)
        canvas.drawString(5, 5, "inside")
        canvas.endForm()
        canvas.translate(100, 60)
        canvas.scale(2, 2)
        canvas.doForm("inner")

    write(tmp_path, "a.pdf", draw)
    (page,) = load_pages(tmp_path, "pdf")
    assert page.texts == ["page", "inside"]
    assert (np.abs(page.words[1].box - ink_around(page.image(), page.words[1].box)) <= 1).all()


def type_3():
    """Squares, and no word of what they mean, as old TeX writes its fonts of dots."""
    return Dictionary(
        Type=Name.Font,
        Subtype=Name.Type3,
        FontBBox=Array([0, 0, 10, 10]),
        FontMatrix=Array([0.1, 0, 0, 0.1, 0, 0]),
        FirstChar=65,
        LastChar=66,
        Widths=Array([10, 10]),
        Encoding=Dictionary(Type=Name.Encoding, Differences=Array([65, Name.a65, Name.a66])),
        CharProcs=Dictionary(a65=b"10 0 0 0 9 9 d1 0 0 9 9 re f", a66=b"10 0 0 0 9 9 d1 0 0 5 9 re f"),
    )


@pytest.mark.parametrize(
    ("stream", "font", "texts"),
    [
        # TeX sets words apart by moves, without blanks.
        (b"[(no)-250(blanks,)-333(w)15(ell)]TJ", "Times-Roman", ["no", "blanks,", "well"]),
        # Ghostscript writes some blanks as letter spacing, which PDFium does not take for one.
        (b"(an) Tj 9.5 0 Td 3 Tc (yo) Tj 0 Tc 13 0 Td (ther) Tj", "Times-Roman", ["any", "other"]),
        # Cells of a table.
        (b"(one) Tj 60 0 Td (two) Tj", "Times-Roman", ["one", "two"]),
        # A note's number stands with its word, a line below does not.
        (b"(word) Tj 22 4 Td (1) Tj -22 -18 Td (below) Tj", "Times-Roman", ["word1", "below"]),
        # A word divided at the end of its line, with a hyphen or a soft one.
        (b"(divi-) Tj -20 -14 Td (ded) Tj", "Times-Roman", ["divi-", "ded"]),
        (b"(diviA) Tj -20 -14 Td (ded) Tj",
         standard("Courier", ToUnicode=told([(65, "\u00ad"), *((c, chr(c)) for c in b"dive")])), ["divi-", "ded"]),
        # Ligatures, by Adobe's encoding and by a map.
        (b"(of\256ce) Tj", "Times-Roman", ["office"]),
        (b"(A) Tj", standard("Courier", ToUnicode=told([(65, "ffi")])), ["ffi"]),
        # Accents set over the letters before or behind which they stand.
        (b"[(Sch)-56(\310)389(opf)]TJ", "Times-Roman", ["Schöpf"]),
        (b"[(fa)-56(\313)400(c)-50(ade)]TJ", "Times-Roman", ["façade"]),
        # Points that lead to a page.
        (b"(Index) Tj 40 0 Td (. . . . . . .) Tj 60 0 Td (12) Tj", "Times-Roman", ["Index", "12"]),
        # Private characters: the word is there, and nobody knows what it says.
        (b"(Axx BAB y) Tj",
         standard("Courier", ToUnicode=told([(65, "\ue001"), *((c, chr(c)) for c in b"Bxy ")])), ["", "", "y"]),
    ],
)  # fmt: skip
def test_words_as_producers_write_them(tmp_path, stream, font, texts):
    around = b"BT /F1 12 Tf 50 20 Td (Here and there and so on) Tj ET BT /F0 12 Tf 50 100 Td %b ET"
    write_stream(tmp_path, around % stream, (font, "Helvetica"))
    (page,) = load_pages(tmp_path, "pdf")
    assert [word.text for word in page.words] == ["Here", "and", "there", "and", "so", "on", *texts]


def test_letters_of_a_font_without_a_map_are_not_passed_off_as_its_codes(tmp_path, caplog):
    write_stream(
        tmp_path, b"BT /F0 12 Tf 50 100 Td (ABBA) Tj /F1 12 Tf 0 -50 Td (two words) Tj ET", (type_3(), "Helvetica")
    )
    (page,) = load_pages(tmp_path, "pdf")
    assert [word.text for word in page.words] == ["", "two", "words"]
    (finding,) = validate([page])
    assert finding.message == "1 of 3 labels are empty"
    write_stream(tmp_path, b"BT /F0 12 Tf 50 100 Td (ABBA) Tj 0 -50 Td (AB) Tj ET", (type_3(),))
    with pytest.raises(BadDataset, match="holds no labels in pdf form"):
        load_pages(tmp_path, "pdf")
    assert "0 of 1 pages are used; left out: 1 with fonts that do not tell their letters" in caplog.text


def picture(canvas):
    grey = PIL.Image.new("L", (40, 40), 128)
    buffer = io.BytesIO()
    grey.save(buffer, "PNG")
    buffer.seek(0)
    canvas.drawInlineImage(PIL.Image.open(buffer), 50, 50, 100, 100)


def invisible(canvas):
    text = canvas.beginText(50, 100)
    text.setTextRenderMode(3)
    text.textLine("read")
    canvas.drawText(text)


@pytest.mark.parametrize(
    ("draw", "reason"),
    [
        (invisible, "invisible text, which somebody's OCR read"),
        (picture, "pictures, whose print has no label"),
        (lambda canvas: canvas.acroForm.textfield(value="filled in", x=50, y=100), "notes or fields"),
    ],
)
def test_pages_with_print_that_their_text_does_not_label_are_left_out_and_named(tmp_path, caplog, draw, reason):
    write(tmp_path, "a.pdf", hidden(draw))
    write(tmp_path, "b.pdf", draw_words)
    with caplog.at_level(logging.WARNING, "ocrkit"):
        pages = load_pages(tmp_path, "pdf")
    assert [page.id for page in pages] == ["b-p0001"]
    assert f"a.pdf: 0 of 1 pages are used; left out: 1 with {reason}" in caplog.text


def test_ten_pages_of_a_file_measure_it_and_all_train(tmp_path, caplog):
    def draw(canvas):
        if canvas.getPageNumber() not in (2, 25):
            canvas.drawString(20, 20, f"page {canvas.getPageNumber()}")

    write(tmp_path, "a.pdf", draw, pages=25)
    pages = load_pages(tmp_path, "pdf")
    assert [page.id[-2:] for page in pages] == ["03", "05", "08", "11", "14", "17", "19", "21", "23", "24"]
    assert {page.document for page in pages} == {"a"}
    assert "10 of 25 pages are used; left out: 2 with no text" in caplog.text
    assert len(load_pages(tmp_path, "pdf", "train")) == 23
    again = load_pages(tmp_path, "pdf")
    for one, other in zip(pages, again, strict=True):
        assert (one.texts, one.image().tobytes()) == (other.texts, other.image().tobytes())


def test_a_large_page_is_drawn_smaller_with_its_boxes(tmp_path):
    def draw(canvas):
        canvas.setFont("Helvetica", 90)
        canvas.drawString(300, 1000, "Poster")

    write(tmp_path, "a.pdf", draw, (2000, 3000))
    (page,) = load_pages(tmp_path, "pdf")
    assert min(page.image().shape[:2]) == PDF_MAX_SHORT_SIDE_PX
    assert (np.abs(page.words[0].box - ink_around(page.image(), page.words[0].box)) <= 1).all()


def locked(path):
    write(path.parent, path.name, draw_words)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.save(path, encryption=pikepdf.Encryption(owner="a", user="b"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (locked, "a.pdf is locked with a password"),
        (lambda path: path.write_bytes(b"%PDF-1.7\nrubbish"), "a.pdf is damaged"),
        (lambda path: path.write_bytes(b""), "a.pdf is empty"),
        (lambda path: path.write_bytes(b"a letter"), "a.pdf is no PDF"),
        (lambda path: None, "holds no labels in pdf form"),
    ],
)
def test_files_that_cannot_be_used_end_the_command_with_one_sentence(tmp_path, make, message):
    make(tmp_path / "a.pdf")
    done = CliRunner().invoke(main, ["data", "stats", str(tmp_path), "--form", "pdf"])
    assert done.exit_code == 2
    assert message in done.output
