"""Pages of PDFs as pixels: scans as they were scanned, everything else as it is drawn, with all that was filled in."""

import io
import zlib

import cv2
import numpy as np
import PIL.Image
import pypdfium2
import pytest
from reportlab.pdfgen.canvas import Canvas

from ocrkit.errors import BadImage
from ocrkit.images import PDF_MAX_PIXELS, PDF_MAX_SHORT_SIDE_PX, iter_pages, load_image, to_grey

A4 = (595.276, 841.89)
SCAN = np.full((2339, 1654), 255, np.uint8)  # A4 at 200 dpi, which is a hair more than A4
for top in range(100, 2300, 60):
    cv2.putText(SCAN, "A line of a letter", (100, top), cv2.FONT_HERSHEY_SIMPLEX, 1.4, 0, 2)
SCAN = np.where(SCAN > 127, 255, 0).astype(np.uint8)
SCAN[:300, :200] = 0
IMAGE = b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/Device%b/BitsPerComponent %d/Filter/%b"


def raw_pdf(*pages, count=None, more=()) -> bytes:
    """A PDF of `pages`, each entries of its dictionary, what is drawn, and the dictionaries and data of its streams."""
    objects = [b"<</Type/Catalog/Pages 2 0 R%b>>" % b"".join(more), b""]
    kids = []
    for entries, drawn, *streams in pages:
        numbers = []
        for about, data in [(b"", drawn), *streams]:
            objects.append(b"<<%b/Length %d>>stream\n%b\nendstream" % (about, len(data), data))
            numbers.append(len(objects))
        names = b"".join(b"/I%d %d 0 R" % (row, number) for row, number in enumerate(numbers[1:]))
        resources = b"/Resources<</XObject<<%b>>>>" % names
        objects.append(b"<</Type/Page/Parent 2 0 R/Contents %d 0 R%b%b>>" % (numbers[0], resources, entries))
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<</Type/Pages/Count %d/Kids[%b]>>" % (count or len(kids), b" ".join(kids))
    parts, offsets = [b"%PDF-1.6\n"], []
    for number, content in enumerate(objects, 1):
        offsets.append(sum(map(len, parts)))
        parts.append(b"%d 0 obj\n%b\nendobj\n" % (number, content))
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    end = b"xref\n0 %d\n0000000000 65535 f \n%btrailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF"
    return b"".join(parts) + end % (size, table, size, sum(map(len, parts)))


def bilevel(image, more=b""):
    data = zlib.compress(np.packbits(image > 0, axis=1).tobytes())
    return IMAGE % (*image.shape[::-1], b"Gray", 1, b"FlateDecode") + more, data


def jpeg(image):
    buffer = io.BytesIO()
    PIL.Image.fromarray(image).save(buffer, "JPEG", quality=95, subsampling=0)
    colours = b"Gray" if image.ndim == 2 else b"RGB"
    return IMAGE % (image.shape[1], image.shape[0], colours, 8, b"DCTDecode"), buffer.getvalue()


def page(stream, size=A4, matrix=None, entries=b""):
    """A page that its image fills, unless a matrix says otherwise."""
    matrix = b" ".join(b"%g" % value for value in matrix or (size[0], 0, 0, size[1], 0, 0))
    return b"/MediaBox[0 0 %g %g]%b" % (*size, entries), b"q %b cm /I0 Do Q" % matrix, stream


W, H = A4
SCANS = {
    "black and white": (page(bilevel(SCAN)), SCAN, 0),
    "with 1 for black": (page(bilevel(255 - SCAN, b"/Decode[1 0]")), SCAN, 0),
    "the page turned": (page(bilevel(SCAN), entries=b"/Rotate 90"), np.rot90(SCAN, -1), 90),
    "the image turned": (page(bilevel(SCAN), (H, W), (0, W, -H, 0, H, 0)), np.rot90(SCAN), 270),
    "both on their heads": (page(bilevel(SCAN), matrix=(-W, 0, 0, -H, W, H), entries=b"/Rotate 180"), SCAN, 0),
    "under invisible text": ((page(bilevel(SCAN))[0], b"q 595.276 0 0 841.89 0 0 cm /I0 Do Q BT 3 Tr ET",
                              bilevel(SCAN)), SCAN, 0),
}  # fmt: skip


@pytest.mark.parametrize("kind", SCANS)
def test_a_page_that_is_one_scan_gives_the_scans_own_pixels(kind):
    """PDFium 8149 through pypdfium2 5.15 draws A4 at 200 dpi 1655 px wide, every line smeared over two."""
    content, expected, rotation = SCANS[kind]
    (read,) = iter_pages(raw_pdf(content))
    np.testing.assert_array_equal(read.image, expected)
    assert (read.rotation, read.original) == (rotation, None)
    assert sorted(read.sheet_pt) == pytest.approx(sorted(A4), abs=0.01)


@pytest.mark.parametrize("image", [SCAN, np.dstack([SCAN, SCAN, 255 - SCAN])])
def test_a_scan_that_is_a_jpeg_keeps_its_bytes(image):
    about, data = jpeg(image)
    (read,) = iter_pages(raw_pdf(page((about, data))))
    assert read.original == data
    assert read.image.shape == image.shape
    assert np.abs(read.image.astype(int) - image).mean() < 2


# Those that are drawn, and the dots per inch at which: the image's own, where it covers a quarter of the page or more.
OTHERS = {
    "cut": (page(bilevel(SCAN), matrix=(2 * W, 0, 0, 2 * H, 0, 0)), 200),
    "on half of its page": (page(bilevel(SCAN), matrix=(W * 0.75, 0, 0, H * 0.75, 0, 0)), 200 / 0.75),
    "small on its page": (page(bilevel(SCAN), matrix=(W / 3, 0, 0, H / 3, 0, 0)), 200),
    "mirrored": (page(bilevel(SCAN), matrix=(-W, 0, 0, H, W, 0)), 200),
    "leaning": (page(bilevel(SCAN), matrix=(W, 20, -20, H, 0, 0)), 200),
    "under a stroke": ((page(bilevel(SCAN))[0], b"q 595.276 0 0 841.89 0 0 cm /I0 Do Q 9 w 9 9 m 500 500 l S",
                        bilevel(SCAN)), 200),
}  # fmt: skip


@pytest.mark.parametrize("kind", OTHERS)
def test_a_page_that_shows_its_image_otherwise_is_drawn(kind):
    content, dpi = OTHERS[kind]
    (read,) = iter_pages(raw_pdf(content))
    assert read.original is None
    assert read.dpi == pytest.approx(dpi, rel=1e-3)
    np.testing.assert_allclose(read.image.shape[:2], np.array([2339, 1654]) * dpi / 200, atol=1)
    assert not np.array_equal(to_grey(read.image), SCAN)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_a_scan_a_hair_larger_or_smaller_than_its_page_keeps_its_place_to_the_pixel(rotate):
    """Three px of the scan lie beyond the page on its left, and two px of the page are bare at its foot."""
    left, foot = 3 * W / 1654, 2 * H / 2339
    placed = page(bilevel(SCAN), matrix=(W, 0, 0, H, -left, foot), entries=b"/Rotate %d" % rotate)
    (read,) = iter_pages(raw_pdf(placed))
    expected = np.full_like(SCAN, 255)
    expected[:-2, :-3] = SCAN[2:, 3:]
    np.testing.assert_array_equal(read.image, np.rot90(expected, -rotate // 90))
    assert read.original is None


def test_a_scan_of_oblong_pixels_is_squared():
    (read,) = iter_pages(raw_pdf(page(bilevel(SCAN[::2]))))
    assert read.image.shape == SCAN.shape
    assert np.mean((read.image > 127) == (SCAN > 127)) > 0.98


def test_units_of_a_page_count():
    """PDFium has no word for UserUnit, and gives such a page the sides that it has in units."""
    pdf = raw_pdf(page(bilevel(SCAN), (W / 2, H / 2), entries=b"/UserUnit 2"), page(bilevel(SCAN)))
    sheets = [read.sheet_pt for read in iter_pages(pdf)]
    np.testing.assert_allclose(sheets, [A4, A4], atol=0.01)


def packed_pdf(*objects: bytes) -> bytes:
    """A PDF whose `objects`, of which the first is the catalogue, are packed into a stream, as most programs do it."""
    places, body = [], b""
    for number, content in enumerate(objects, 1):
        places.append(b"%d %d" % (number, len(body)))
        body += content + b" "
    head = b" ".join(places) + b" "
    data = zlib.compress(head + body)
    count = len(objects)
    start, at = b"%PDF-1.6\n", 9
    stream = b"%d 0 obj<</Type/ObjStm/N %d/First %d/Length %d/Filter/FlateDecode>>stream\n%b\nendstream endobj\n"
    packed = stream % (count + 1, count, len(head), len(data), data)
    rows = [b"\0\0\0\0\0", *(b"\2" + (count + 1).to_bytes(2, "big") + i.to_bytes(2, "big") for i in range(count))]
    rows += [b"\1" + at.to_bytes(2, "big") + b"\0\0", b"\1" + (at + len(packed)).to_bytes(2, "big") + b"\0\0"]
    table = b"".join(rows)
    about = b"/Type/XRef/Size %d/W[1 2 2]/Root 1 0 R/Length %d" % (count + 3, len(table))
    xref = b"%d 0 obj<<%b>>stream\n%b\nendstream endobj\n" % (count + 2, about, table)
    return start + packed + xref + b"startxref\n%d\n%%%%EOF" % (at + len(packed))


def test_units_count_also_where_a_pages_dictionary_is_packed(tmp_path):
    pages = b"<</Type/Pages/Count 1/Kids[3 0 R]>>", b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 36]/UserUnit 1.5>>"
    pdf = packed_pdf(b"<</Type/Catalog/Pages 2 0 R>>", *pages)
    path = tmp_path / "packed.pdf"
    path.write_bytes(pdf)
    for source in (pdf, path):
        (read,) = iter_pages(source)
        assert (read.sheet_pt, read.image.shape[:2]) == ((108, 54), (150, 300))


def filled_form() -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(420, 100), pageCompression=0)
    canvas.drawString(30, 10, " ")
    canvas.acroForm.textfield(name="Hives", value="MMMM", x=110, y=40, width=220, height=22, fontSize=12,
                              fillColor=None, borderColor=None, borderWidth=0)  # fmt: skip
    canvas.save()
    return buffer.getvalue()


FIELD = b"/MediaBox[0 0 420 100]/Annots[<</Type/Annot/Subtype/Widget/T(a)/Rect[110 40 330 62]/F 4%b>>]"
FORM = b"/AcroForm<</Fields[]/DR<</Font<</H<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>/DA(/H 12 Tf 0 g)>>"
FORMS = {
    "as it was filled in": filled_form(),
    "its form lost, as pages taken out of a file have it": filled_form().replace(b"/AcroForm", b"/Lost"),
    "a value without an appearance": raw_pdf((FIELD % b"/FT/Tx/V(MMMM)", b""), more=[FORM]),
    "a choice without an appearance": raw_pdf((FIELD % b"/FT/Ch/V(MM)/Opt[(MM)(x)]", b""), more=[FORM]),
}


@pytest.mark.parametrize("kind", FORMS)
def test_what_was_filled_into_a_form_is_drawn(kind):
    (read,) = iter_pages(FORMS[kind])
    grey = to_grey(read.image)
    assert np.mean(grey[105:165, 310:900] < 128) > 0.005
    assert grey[:90].min() > 200


def test_notes_on_a_page_are_drawn_also_over_a_scan():
    drawn = b"/Annots[<</Type/Annot/Subtype/Square/Rect[100 100 300 300]/C[0 0 0]/IC[0 0 0]/F 4>>]"
    (read,) = iter_pages(raw_pdf(page(bilevel(SCAN), entries=drawn)))
    assert read.image[-500, 500].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("points", "shape"),
    [
        ((612, 9000), (25000, 1700)),  # a web page saved as one, at 200 dpi
        ((72, 144), (400, 200)),
        ((7200, 3600), (PDF_MAX_SHORT_SIDE_PX, 2 * PDF_MAX_SHORT_SIDE_PX)),  # a poster
    ],
)
def test_long_pages_are_drawn_readably_and_posters_smaller(points, shape):
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=points)
    canvas.showPage()
    canvas.save()
    (read,) = iter_pages(buffer.getvalue())
    assert read.image.shape[:2] == shape
    assert read.image.size <= 3 * PDF_MAX_PIXELS
    assert read.sheet_pt == points


@pytest.mark.parametrize("points", [(200, 12_960), (12_960, 200)])
def test_areas_far_down_or_across_a_long_page_are_drawn(points):
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=points)
    canvas.roundRect(points[0] - 100, 36, 36, 36, 6, stroke=0, fill=1)
    canvas.showPage()
    canvas.save()
    (read,) = iter_pages(buffer.getvalue())
    assert max(read.image.shape) == 36_000
    left, bottom = np.array([points[0] - 100, 36]) * 200 // 72
    side, height = 100, len(read.image)
    assert (read.image[height - bottom - side : height - bottom, left : left + side] < 128).mean() > 0.95
    assert (read.image < 128).sum() <= 3 * (side + 2) ** 2


def test_a_pdf_that_counts_more_pages_than_it_holds_says_so_once():
    pages = list(iter_pages(raw_pdf((b"/MediaBox[0 0 72 72]", b""), count=100_000)))
    assert pages[0].image.shape == (200, 200, 3)
    assert len(pages) < 50
    assert pages[1].error == "Page 2 of the data cannot be found: damaged file."
    assert pages[-1].error == "Pages 22 to 100000 of the data cannot be found either, and are left out."


@pytest.mark.parametrize("size", [(1e9, 1e9), (1, 1e12)])
def test_a_page_without_bounds_is_drawn_small_or_refused(size):
    read, small = iter_pages(raw_pdf((b"/MediaBox[0 0 %d %d]" % size, b""), (b"/MediaBox[0 0 72 72]", b"")))
    assert small.image.shape == (200, 200, 3)
    assert read.error or read.image.size <= 3 * PDF_MAX_PIXELS


def test_a_jpeg_that_speaks_of_pdf_in_its_comment_is_a_jpeg():
    buffer = io.BytesIO()
    PIL.Image.fromarray(SCAN[:50, :50]).save(buffer, "JPEG", comment=b"made from %PDF-1.4")
    assert load_image(buffer.getvalue()).shape == (50, 50)


def test_a_pdf_may_begin_with_a_line_of_something_else():
    assert load_image(b"\n\nHTTP/1.1 200\n" + raw_pdf((b"/MediaBox[0 0 72 72]", b""))).shape == (200, 200, 3)


def test_forms_of_another_kind_write_nothing_to_standard_error(capfd, caplog):
    pdf = raw_pdf((b"/MediaBox[0 0 72 72]", b""), more=[b"/AcroForm<</Fields[]/XFA(x)>>"])
    load_image(pdf)
    assert (capfd.readouterr().err, caplog.records) == ("", [])
    assert pypdfium2.PdfDocument(pdf).get_formtype() != 0


def test_a_locked_pdf_is_refused():
    buffer = io.BytesIO()
    canvas = Canvas(buffer, encrypt="secret")
    canvas.save()
    with pytest.raises(BadImage, match="is locked with a password"):
        load_image(buffer.getvalue())
