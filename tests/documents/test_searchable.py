"""One document in, one searchable PDF out: nothing of a PDF is lost, and images go in by their own bytes."""

import hashlib
import io
import os
import struct
import sys

import numpy as np
import pikepdf
import PIL.Image
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from ocrkit import Reader
from ocrkit.detection import DetectedLine
from ocrkit.document import Document, Page
from ocrkit.documents.searchable import write_searchable
from ocrkit.errors import OcrkitError
from ocrkit.images import load_image
from ocrkit.images.stored import g4_strip, png_chunks
from ocrkit.recognition import Guess

BLOCKS = [(40, 60, 90, 80), (110, 60, 160, 80), (40, 120, 90, 140)]  # of ink: two words, and one below
SCAN = np.full((400, 300), 255, np.uint8)
for x0, y0, x1, y1 in BLOCKS:
    SCAN[y0:y1, x0:x1] = 0
A5 = (300, 400)  # points: a scan at 72 dpi


class Words:
    """Reads every box as `word`."""

    name = "words"

    def recognize(self, crops):
        spans = [np.linspace(0, crop.shape[1], 5) for crop in crops]
        return [Guess("word", 0.99, np.stack([x[:-1], x[1:]], axis=1)) for x in spans]


def boxes_of_ink(image) -> list[DetectedLine]:
    """The black blocks of an upright page, line by line."""
    dark = (image if image.ndim == 2 else image.min(axis=2)) < 100
    rows = np.flatnonzero(np.diff(np.pad(dark.any(axis=1), 1).astype(int)))
    lines = []
    for top, bottom in rows.reshape(-1, 2):
        columns = np.flatnonzero(np.diff(np.pad(dark[top:bottom].any(axis=0), 1).astype(int))).reshape(-1, 2)
        lines.append(DetectedLine(np.array([(left, top, right, bottom) for left, right in columns], float)))
    return lines


@pytest.fixture
def reader() -> Reader:
    return Reader(recognizer=Words(), detector=boxes_of_ink)


def png(image) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def put_scan(canvas, left=0.0, bottom=0.0, width=A5[0], height=A5[1]):
    canvas.drawImage(ImageReader(io.BytesIO(png(SCAN))), left, bottom, width, height)


def write_rich(path, **saving):
    """A page of text, a scan, a scan with a heading, and all that a PDF may hold besides."""
    canvas = Canvas(str(path), pagesize=A5, pageCompression=1)
    canvas.setTitle("Rich, with commas")
    canvas.drawString(40, 350, "Vector text, as it was written.")
    canvas.bookmarkPage("text")
    canvas.addOutlineEntry("Text", "text", 0)
    canvas.linkURL("https://example.org", (40, 300, 100, 320))
    canvas.acroForm.textfield(name="who", x=40, y=200, width=100, height=20, value="Ann")
    canvas.showPage()
    put_scan(canvas)
    canvas.bookmarkPage("scan")
    canvas.addOutlineEntry("Scan", "scan", 1)
    canvas.showPage()
    put_scan(canvas, 0, 0, 240, 320)
    canvas.drawString(40, 350, "A heading in letters")
    canvas.showPage()
    canvas.save()
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.attachments["note.txt"] = pikepdf.AttachedFileSpec(pdf, b"a note", filename="note.txt")
        pdf.Root.PageLabels = Dictionary(Nums=Array([0, Dictionary(S=Name.r)]))
        pdf.Root.MarkInfo = Dictionary(Marked=True)
        pdf.Root.StructTreeRoot = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
        pdf.pages[1].obj.CropBox = Array([0, 0, 300, 399])
        pdf.pages[1].obj.UserUnit = 1.5
        with pdf.open_metadata() as metadata:
            metadata["dc:title"], metadata["dc:creator"] = "Rich, with commas", ["Somebody"]
        pdf.save(path, **saving)
    return path


def inventory(path) -> dict:
    """What a reader of the PDF could miss."""
    with pikepdf.open(path) as pdf, pdf.open_outline() as outline:
        pages = [page.obj for page in pdf.pages]
        return {
            "outline": [(item.title, [kid.title for kid in item.children]) for item in outline.root],
            "links": [str(note.A.URI) for page in pages for note in page.get("/Annots", []) if "/A" in note],
            "fields": [(str(field.T), str(field.V)) for field in pdf.Root.AcroForm.Fields],
            "attachments": {name: file.get_file().read_bytes() for name, file in pdf.attachments.items()},
            "labels": [page.label for page in pdf.pages],
            "title": str(pdf.docinfo.Title),
            "metadata": pdf.Root.Metadata.read_bytes(),
            "tags": (bool(pdf.Root.MarkInfo.Marked), str(pdf.Root.StructTreeRoot.Type)),
            "boxes": [
                [str(page.get(key)) for key in ("/MediaBox", "/CropBox", "/Rotate", "/UserUnit")] for page in pages
            ],
            "pictures": [
                hashlib.sha256(picture.read_raw_bytes()).hexdigest()
                for page in pdf.pages
                for picture in page.images.values()
            ],
            "linearized": pdf.is_linearized,
            "packed": "/Type" in pdf.trailer,
        }


def contents(page) -> list[bytes]:
    drawn = page.obj.Contents
    return [stream.read_raw_bytes() for stream in (drawn if isinstance(drawn, Array) else [drawn])]


def texts(path) -> list[list[str]]:
    with pypdfium2.PdfDocument(path) as pdf:
        return [page.get_textpage().get_text_range().split() for page in pdf]


@pytest.mark.parametrize(
    "saving",
    [
        {},
        {"linearize": True},
        {"object_stream_mode": pikepdf.ObjectStreamMode.generate},
    ],
    ids=["plain", "linearised", "in object streams"],
)
def test_nothing_of_a_pdf_is_lost(saving, reader, tmp_path):
    source = write_rich(tmp_path / "rich.pdf", **saving)
    digest = hashlib.sha256(source.read_bytes()).digest()
    output = tmp_path / "out.pdf"
    done = write_searchable(source, output, reader)
    assert inventory(output) == inventory(source)
    with pikepdf.open(source) as before, pikepdf.open(output) as after:
        for old, new in zip(before.pages, after.pages):
            assert contents(new)[-len(contents(old)) :] == contents(old)
            assert set(old.resources.get("/Font", {}).keys()) <= set(new.resources.get("/Font", {}).keys())
        assert contents(before.pages[0]) == contents(after.pages[0])
    assert hashlib.sha256(source.read_bytes()).digest() == digest
    assert (done.count, dict(done.left_alone), done.unchanged) == (3, {1: "text already there"}, False)
    assert output.stat().st_size - source.stat().st_size < 2048 + 40 * len(done.document.words) + 600  # of two pages


def test_a_page_with_text_is_read_on_its_pictures_only(reader, tmp_path):
    output = tmp_path / "out.pdf"
    write_searchable(write_rich(tmp_path / "rich.pdf"), output, reader)
    vector, scan, mixed = texts(output)
    assert "Vector" in vector
    assert "word" not in vector
    assert scan == ["word"] * 3
    assert mixed.count("word") == 3  # though the reader sees words in the heading, too
    assert mixed[-4:] == ["A", "heading", "in", "letters"] or mixed[:4] == ["A", "heading", "in", "letters"]


def test_a_pdf_of_text_becomes_a_copy(reader, tmp_path):
    canvas = Canvas(str(tmp_path / "text.pdf"))
    canvas.drawString(40, 350, "Only letters, and nothing to read.")
    canvas.save()
    done = write_searchable(tmp_path / "text.pdf", tmp_path / "out.pdf", reader, sidecar=tmp_path / "out.txt")
    assert (tmp_path / "out.pdf").read_bytes() == (tmp_path / "text.pdf").read_bytes()
    assert done.unchanged
    assert done.document.pages == ()
    assert (tmp_path / "out.txt").read_text() == "Only letters, and nothing to read.\n"


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("unit", [1, 2])
def test_words_lie_on_their_ink_however_the_page_is_turned_and_cut(rotate, unit, reader, tmp_path):
    """The scan is drawn so that it stands upright on the page as it is shown, whose origin is off."""
    width, height = A5 if rotate in (0, 180) else A5[::-1]
    canvas = Canvas(str(tmp_path / "scan.pdf"), pagesize=(width + 60, height + 80))
    canvas.translate(20 + width / 2, 30 + height / 2)
    canvas.rotate(rotate)
    put_scan(canvas, -A5[0] / 2, -A5[1] / 2)
    canvas.save()
    with pikepdf.open(tmp_path / "scan.pdf", allow_overwriting_input=True) as pdf:
        page = pdf.pages[0].obj
        page.CropBox, page.Rotate, page.UserUnit = Array([20, 30, 20 + width, 30 + height]), rotate, unit
        pdf.save()
    write_searchable(tmp_path / "scan.pdf", tmp_path / "out.pdf", reader)
    with pypdfium2.PdfDocument(tmp_path / "out.pdf") as pdf:
        text = pdf[0].get_textpage()
        rectangles = [text.get_rect(i) for i in range(text.count_rects())]
        found = [on_sheet(pdf[0], rectangle) for rectangle in rectangles]
    np.testing.assert_allclose(sorted(found), sorted(BLOCKS), atol=4)


def on_sheet(page, rectangle) -> list[float]:
    """A rectangle in the page's own units, in points of the sheet as it is shown, from its top left."""
    left, bottom, right, top = page.get_cropbox()
    corners = np.array(rectangle).reshape(2, 2)
    x, y = corners.T
    shown = {
        0: (x - left, top - y),
        90: (y - bottom, x - left),
        180: (right - x, y - bottom),
        270: (top - y, right - x),
    }[page.get_rotation()]
    (x0, x1), (y0, y1) = sorted(shown[0]), sorted(shown[1])
    return [x0, y0, x1, y1]


def with_layer(source, output, as_form):
    """`source`, a scan, with somebody else's invisible text: at the page's end, or as OCRmyPDF's form."""
    with pikepdf.open(source) as pdf:
        page = pdf.pages[0]
        font = pdf.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
        layer = b"BT 3 Tr /Theirs 12 Tf 40 300 Td (theirs) Tj T* (more) ' ET"
        if as_form:
            form = pdf.make_stream(layer, Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, *A5]))
            form.Resources = Dictionary(Font=Dictionary(Theirs=font))
            page.resources.XObject.OCR = form
            page.contents_add(b"q 1 0 0 1 0 0 cm /OCR Do Q")
        else:
            page.resources.Font.Theirs = font
            page.contents_add(b"q " + layer + b" Q")
        pdf.save(output)


@pytest.fixture
def scan(tmp_path):
    canvas = Canvas(str(tmp_path / "scan.pdf"), pagesize=A5)
    put_scan(canvas)
    canvas.save()
    return tmp_path / "scan.pdf"


@pytest.mark.parametrize("as_form", [False, True])
def test_an_invisible_layer_stays_unless_it_is_to_be_redone(as_form, scan, reader, tmp_path):
    source, output = tmp_path / "theirs.pdf", tmp_path / "out.pdf"
    with_layer(scan, source, as_form)
    done = write_searchable(source, output, reader)
    assert output.read_bytes() == source.read_bytes()
    assert done.left_alone_because() == {"invisible text already there; --redo replaces it": "1"}
    for mode in ("redo", "force"):
        write_searchable(source, output, reader, mode=mode)
        assert texts(output) == [["word"] * 3]
        assert b"Theirs" not in output.read_bytes()
        assert np.array_equal(load_image(output), SCAN)


def test_redoing_our_own_layer_gives_the_same_file(scan, reader, tmp_path):
    once, twice, thrice = (tmp_path / f"{i}.pdf" for i in range(3))
    write_searchable(scan, once, reader)
    write_searchable(once, twice, reader, mode="redo")
    write_searchable(twice, thrice, reader, mode="redo")
    assert twice.stat().st_size <= once.stat().st_size + 50
    assert thrice.stat().st_size == twice.stat().st_size
    assert texts(thrice) == [["word"] * 3]


def test_force_reads_what_has_text_and_says_that_it_stays(reader, tmp_path):
    output = tmp_path / "out.pdf"
    done = write_searchable(write_rich(tmp_path / "rich.pdf"), output, reader, mode="force")
    assert not done.left_alone
    vector, *_ = texts(output)
    assert {"word", "Vector"} <= set(vector)
    assert done.warnings[0] == (
        f"Page 1 of {tmp_path / 'rich.pdf'} has text of its own, which stays: its words may be found twice."
    )


def test_only_the_pages_asked_for_are_read(reader, tmp_path):
    source, output = write_rich(tmp_path / "rich.pdf"), tmp_path / "out.pdf"
    done = write_searchable(source, output, reader, pages={2}, sidecar=tmp_path / "out.txt")
    assert [page.number for page in done.document] == [2]
    assert done.left_alone_because() == {"not asked for": "1, 3"}
    assert [page.count("word") for page in texts(output)] == [0, 3, 0]
    first, second, third = (tmp_path / "out.txt").read_text().split("\n\f")
    assert "Vector text" in first
    assert second == "word word\nword"
    assert "A heading in letters" in third
    with pytest.raises(OcrkitError, match=r"rich\.pdf has 3 pages, and no page 7"):
        write_searchable(source, tmp_path / "none.pdf", reader, pages={2, 7})
    assert not (tmp_path / "none.pdf").exists()


def encrypted(pdf, path):
    pdf.save(path, encryption=pikepdf.Encryption(owner="owner", user="user"))


def protected(pdf, path):
    pdf.save(path, encryption=pikepdf.Encryption(owner="owner", user=""))


def signed(pdf, path):
    field = Dictionary(T="sign here", Kids=Array([Dictionary(V=Dictionary(Type=Name.Sig, Contents=b"signature"))]))
    field.FT = Name.Sig
    pdf.Root.AcroForm = Dictionary(Fields=Array([pdf.make_indirect(field)]), SigFlags=3)
    pdf.save(path)


def empty(pdf, path):
    del pdf.pages[:]
    pdf.save(path)


def cut(pdf, path):
    pdf.save(path)
    path.write_bytes(path.read_bytes()[:300])


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (encrypted, "is locked with a password."),
        (protected, "is encrypted, and would lose its protection: decrypt it first (qpdf --decrypt)."),
        (signed, "is signed, and any change would break the signature."),
        (empty, "has no pages."),
        (cut, "is damaged: no PDF reader could open it."),
    ],
)
def test_what_cannot_be_written_again_is_refused_in_a_sentence_and_left_as_it_is(
    spoil, sentence, scan, reader, tmp_path
):
    source = tmp_path / "spoilt.pdf"
    with pikepdf.open(scan) as pdf:
        spoil(pdf, source)
    before = source.read_bytes()
    with pytest.raises(OcrkitError) as raised:
        write_searchable(source, tmp_path / "out.pdf", reader)
    assert str(raised.value) == f"{source} {sentence}"
    assert source.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scan.pdf", "spoilt.pdf"]


def test_a_field_for_a_signature_that_nobody_gave_is_no_hindrance(scan, reader, tmp_path):
    with pikepdf.open(scan) as pdf:
        pdf.Root.AcroForm = Dictionary(Fields=Array([Dictionary(FT=Name.Sig, T="sign here")]))
        pdf.save(tmp_path / "unsigned.pdf")
    write_searchable(tmp_path / "unsigned.pdf", tmp_path / "out.pdf", reader)
    assert texts(tmp_path / "out.pdf") == [["word"] * 3]


def test_a_damaged_table_of_objects_is_repaired_and_said(scan, reader, tmp_path):
    broken = scan.read_bytes().replace(b"startxref\n", b"startxref\n9")
    (tmp_path / "broken.pdf").write_bytes(broken)
    done = write_searchable(tmp_path / "broken.pdf", tmp_path / "out.pdf", reader)
    assert done.warnings == (f"{tmp_path / 'broken.pdf'} was damaged, and is repaired as far as can be.",)
    assert texts(tmp_path / "out.pdf") == [["word"] * 3]
    assert (tmp_path / "broken.pdf").read_bytes() == broken


@pytest.mark.parametrize("kind", ["itself", "another spelling", "symbolic link", "hard link"])
def test_the_source_is_never_the_output(kind, scan, reader, tmp_path):
    same = {
        "itself": scan,
        "another spelling": tmp_path / "." / ".." / tmp_path.name / "scan.pdf",
        "symbolic link": tmp_path / "symbolic.pdf",
        "hard link": tmp_path / "hard.pdf",
    }[kind]
    if kind == "symbolic link":
        same.symlink_to(scan)
    elif kind == "hard link":
        os.link(scan, same)
    before = scan.read_bytes()
    with pytest.raises(OcrkitError, match="is what is to be read: name another place"):
        write_searchable(scan, same, reader)
    with pytest.raises(OcrkitError, match="is what is to be read: name another place"):
        write_searchable(scan, tmp_path / "out.pdf", reader, sidecar=same)
    assert scan.read_bytes() == before


def test_a_thousand_pages_and_a_sheet_of_14_400_units(reader, tmp_path):
    with pikepdf.new() as pdf:
        for _ in range(999):
            pdf.add_blank_page(page_size=(72, 72))
        pdf.add_blank_page(page_size=(14_400, 14_400))
        pdf.save(tmp_path / "long.pdf")
    done = write_searchable(tmp_path / "long.pdf", tmp_path / "out.pdf", reader, pages={1, 1000})
    assert done.count == 1000
    assert done.left_alone_because() == {"not asked for": "2-999"}
    assert [(page.number, page.error) for page in done.document] == [(1, None), (1000, None)]


def test_a_full_disk_leaves_nothing_half_written(scan, reader, tmp_path, monkeypatch):
    def full(self, file, **options):
        file.write(b"%PDF")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pikepdf.Pdf, "save", full)
    with pytest.raises(OcrkitError, match=r"out\.pdf cannot be written: No space left on device"):
        write_searchable(scan, tmp_path / "out.pdf", reader)
    assert [path.name for path in tmp_path.iterdir()] == ["scan.pdf"]


def g4_tiff(*images, negative=False, mirrored=False) -> bytes:
    """A TIFF of fax code, a strip for each of its pages."""
    pictures = [PIL.Image.fromarray(image).convert("1") for image in images]
    buffer = io.BytesIO()
    pictures[0].save(buffer, "TIFF", compression="group4", dpi=(72, 72), save_all=True, append_images=pictures[1:])
    data = buffer.getvalue()
    if negative or mirrored:
        strip = g4_strip(data)
        code = bytes(int(f"{byte:08b}"[::-1], 2) for byte in strip.code) if mirrored else strip.code
        tags = [(256, strip.width), (257, strip.height), (258, 1), (259, 4), (262, int(negative)),
                (266, 2 if mirrored else 1), (273, 8), (277, 1), (278, strip.height), (279, len(code))]  # fmt: skip
        entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
        start = struct.pack("<2sHI", b"II", 42, 8 + len(code))
        data = start + code + struct.pack("<H", len(tags)) + entries + bytes(4)
    return data


def saved(image, form, **options) -> bytes:
    buffer = io.BytesIO()
    (image if isinstance(image, PIL.Image.Image) else PIL.Image.fromarray(image)).save(buffer, form, **options)
    return buffer.getvalue()


COLOURS = np.dstack([SCAN, np.roll(SCAN, 100, axis=0), np.full_like(SCAN, 200)])
EXACT = {
    "JPEG": (saved(COLOURS, "JPEG", quality=85), "/DCTDecode", lambda data: data),
    "JPEG 2000": (saved(COLOURS, "JPEG2000"), "/JPXDecode", lambda data: data),
    "fax code": (g4_tiff(SCAN), "/CCITTFaxDecode", lambda data: g4_strip(data).code),
    "fax code of a negative": (g4_tiff(SCAN, negative=True), "/CCITTFaxDecode", lambda data: g4_strip(data).code),
    "fax code from right to left": (g4_tiff(SCAN, mirrored=True), "/CCITTFaxDecode", lambda data: g4_strip(data).code),
    "PNG of one bit": (saved(PIL.Image.fromarray(SCAN).convert("1"), "PNG"), "/FlateDecode",
                       lambda data: png_chunks(data)[b"IDAT"]),
    "PNG with a palette": (saved(PIL.Image.fromarray(COLOURS).quantize(7), "PNG"), "/FlateDecode",
                           lambda data: png_chunks(data)[b"IDAT"]),
    "PNG of grey": (saved(SCAN, "PNG"), "/FlateDecode", lambda data: png_chunks(data)[b"IDAT"]),
    "PNG of colours": (saved(COLOURS, "PNG"), "/FlateDecode", lambda data: png_chunks(data)[b"IDAT"]),
    "PNG of 16 bits": (saved(SCAN.astype(np.uint16) * 257, "PNG"), "/FlateDecode",
                       lambda data: png_chunks(data)[b"IDAT"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", EXACT)
def test_a_picture_goes_in_by_its_own_bytes_and_is_shown_as_it_is(kind, reader, tmp_path):
    data, packing, code = EXACT[kind]
    (tmp_path / "picture").write_bytes(data)
    write_searchable(tmp_path / "picture", tmp_path / "out.pdf", reader)
    with pikepdf.open(tmp_path / "out.pdf") as pdf:
        (picture,) = pdf.pages[0].images.values()
        assert str(picture.Filter) == packing
        assert picture.read_raw_bytes() == code(data)
    size = (tmp_path / "out.pdf").stat().st_size
    assert size < len(data) + 2600
    with pypdfium2.PdfDocument(tmp_path / "out.pdf") as pdf:
        shown = pdf[0].render(scale=300 / pdf[0].get_size()[0]).to_numpy()[..., 2::-1]
    expected = load_image(data)
    expected = np.dstack([expected] * 3) if expected.ndim == 2 else expected
    assert np.abs(shown.astype(int) - expected).mean() < 2


def test_each_page_of_a_fax_keeps_its_code(reader, tmp_path):
    pages = [SCAN, np.flipud(SCAN).copy(), 255 - np.eye(300, dtype=np.uint8) * 255]
    (tmp_path / "fax.tif").write_bytes(g4_tiff(*pages))
    write_searchable(tmp_path / "fax.tif", tmp_path / "out.pdf", reader, pages={1, 2})
    with pikepdf.open(tmp_path / "out.pdf") as pdf:
        codes = [next(iter(page.images.values())).read_raw_bytes() for page in pdf.pages]
    assert all(code in (tmp_path / "fax.tif").read_bytes() for code in codes)
    assert [len(page) for page in texts(tmp_path / "out.pdf")] == [3, 3, 0]


def test_oblong_pixels_give_the_right_sheet(reader, tmp_path):
    """A fax of normal resolution: 204 dots per inch across, 98 down."""
    fax = np.full((1078, 1728), 255, np.uint8)
    fax[100:120, 200:400] = 0
    picture = PIL.Image.fromarray(fax).convert("1")
    picture.save(tmp_path / "fax.tif", compression="group4", dpi=(204, 98), strip_size=1 << 20)
    write_searchable(tmp_path / "fax.tif", tmp_path / "out.pdf", reader)
    with pypdfium2.PdfDocument(tmp_path / "out.pdf") as pdf:
        assert pdf[0].get_size() == pytest.approx((1728 / 204 * 72, 1078 / 98 * 72), abs=0.5)
        text = pdf[0].get_textpage()
        assert text.count_rects() == 1
        left, _, right, top = text.get_rect(0)
    assert (left, right) == pytest.approx((200 / 204 * 72, 400 / 204 * 72), abs=2)
    assert 1078 / 98 * 72 - top == pytest.approx(100 / 98 * 72, abs=3)
    with pikepdf.open(tmp_path / "out.pdf") as pdf:
        (image,) = pdf.pages[0].images.values()
        assert (int(image.Width), int(image.Height)) == (1728, 1078)


def test_pdfa_is_made_and_checked_or_refused_with_the_reason(reader, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rfc3987_syntax", None)  # which jsonschema takes, and which takes seconds to load
    validate_written = pytest.importorskip("pikepdf.pdfa", reason="the extra `pdfa` is not installed").validate_written
    (tmp_path / "page.png").write_bytes(png(SCAN))
    page = Page(1, *A5, image=SCAN, dpi=72)
    for source in (Document((page,)).save_pdf(tmp_path / "scan.pdf"), tmp_path / "page.png"):
        write_searchable(source, tmp_path / "out.pdf", reader, pdfa=True)
        report = validate_written(tmp_path / "out.pdf", "2b")
        assert report.passed, report.findings
        assert texts(tmp_path / "out.pdf") == [["word"] * 3]
    canvas = Canvas(str(tmp_path / "text.pdf"))
    canvas.drawString(40, 350, "In a font that every reader of PDF has, and that no file needs to hold.")
    canvas.save()
    with pytest.raises(OcrkitError, match=r"none\.pdf cannot be shown to be PDF/A-2b: "):
        write_searchable(tmp_path / "text.pdf", tmp_path / "none.pdf", reader, pdfa=True)
    assert not (tmp_path / "none.pdf").exists()


def test_a_document_is_saved_over_the_pdf_that_was_read_also_when_it_comes_from_json(reader, tmp_path):
    source = write_rich(tmp_path / "rich.pdf")
    read = reader.read(source)
    for document in (read, Document.load(read.to_dict())):
        output = document.save_pdf(tmp_path / "out.pdf", original=source)
        assert inventory(output) == inventory(source)
        assert [page.count("word") for page in texts(output)] == [0, 3, 3]
    with pytest.raises(OcrkitError, match="is the original: name another place"):
        read.save_pdf(source, original=source)
    (tmp_path / "page.png").write_bytes(png(SCAN))
    with pytest.raises(OcrkitError, match="is no PDF that could take the text"):
        read.save_pdf(tmp_path / "none.pdf", original=tmp_path / "page.png")
