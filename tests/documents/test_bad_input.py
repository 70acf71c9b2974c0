"""What goes wrong with documents in real life, from file to read page: no crash, no invented words, bounded memory."""

import io
import struct
import subprocess
import sys
import tracemalloc
from itertools import islice
from random import Random

import cv2
import numpy as np
import PIL.Image
import pytest
from reportlab.pdfgen.canvas import Canvas

from ocrkit import Reader
from ocrkit.document import quad_to_box
from ocrkit.errors import BadImage, BadModel
from ocrkit.metrics import match_boxes
from ocrkit.synth import camera

PAGE = np.full((200, 400), 255, np.uint8)
cv2.putText(PAGE, "Hello  there", (20, 60), cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2)
cv2.putText(PAGE, "world", (20, 120), cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2)


@pytest.fixture
def reader(says):
    """The own detector, and a recogniser that takes every box for a word."""
    return Reader(recognizer=says("word"))


def encoded(picture, form="PNG", **options) -> bytes:
    buffer = io.BytesIO()
    (PIL.Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture).save(buffer, form, **options)
    return buffer.getvalue()


def turned_by_exif(orientation, stored) -> bytes:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    return encoded(np.ascontiguousarray(stored), "JPEG", quality=95, exif=exif)


RGB = PIL.Image.fromarray(PAGE).convert("RGB")
KINDS = {
    "rotated": turned_by_exif(6, np.rot90(PAGE)),
    "mirrored": turned_by_exif(2, PAGE[:, ::-1]),
    "negative": encoded(255 - PAGE),
    "alpha": encoded(np.dstack([np.zeros((200, 400, 3), np.uint8), 255 - PAGE])),
    "16 bits": encoded(PAGE.astype(np.uint16) * 257),
    "CMYK": encoded(RGB.convert("CMYK"), "JPEG", quality=95),
    "animation": encoded(PAGE, "GIF", save_all=True, append_images=[PIL.Image.new("L", (400, 200))]),
    "damaged EXIF": encoded(PAGE, "JPEG", quality=95, exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_page_gives_the_same_words(kind, reader):
    (page,) = reader.read(KINDS[kind])
    assert (page.width, page.height, page.error) == (400, 200, None)
    (plain,) = reader.read(PAGE)
    assert len(plain.words) == len(page.words) == 3
    boxes = [np.array([quad_to_box(word.quad) for word in read.words]) for read in (plain, page)]
    assert len(match_boxes(*boxes, iou=0.7)) == 3


def test_a_page_50_px_wide_is_read(reader):
    page = cv2.resize(PAGE, (50, 25), interpolation=cv2.INTER_AREA)
    assert [(page.width, page.error) for page in reader.read(page)] == [(50, None)]


def test_a_page_of_100_megapixels_needs_bounded_memory(tmp_path, record_property):
    """In a process of its own, whose peak is measured."""
    path = tmp_path / "large.png"
    PIL.Image.new("RGB", (10_000, 10_000), "white").save(path, compress_level=1)
    program = (
        "import re\n"
        "from ocrkit.documents.scan import scan\n"
        f"assert scan({str(path)!r}).image.shape == (10_000, 10_000, 3)\n"
        # Not from `getrusage`, which starts with what the process that started this one held.
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) / 1024)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    record_property("measured", f"scanning 100 megapixels took {float(done.stdout):.0f} MB at most")
    assert float(done.stdout) < 2200


def pdf_of(count, encrypt=None) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(72, 72), encrypt=encrypt)
    for i in range(count):
        canvas.drawString(5, 30, f"page {i}")
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("pdf", "sentence"),
    [
        (pdf_of(1, encrypt="secret"), "The data is locked with a password."),
        (pdf_of(1)[:300], "The data is damaged: no PDF reader could open it."),
    ],
)
def test_a_pdf_that_cannot_be_opened_is_one_sentence(pdf, sentence, reader):
    with pytest.raises(BadImage, match=f"^{sentence}$"):
        reader.read(pdf)


def test_a_long_pdf_is_read_page_by_page(says, record_property):
    reader = Reader(recognizer=says("word"), detector=lambda image: [])
    tracemalloc.start()
    pages = reader.pages(pdf_of(500))
    assert [page.number for page in islice(pages, 3)] == [1, 2, 3]  # the others are not even rendered yet
    first = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    assert sum(1 for _ in pages) == 497
    rest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    record_property("measured", f"PDF of 500 pages: {first / 1e6:.1f} MB for 3 pages, {rest / 1e6:.1f} MB for the rest")
    assert rest < first + 1e6  # one page more is 0.1 MB


def without_bytes_of_page_2(tiff: bytes) -> bytes:
    """The TIFF with zero for the length of its second page's strips."""
    data = bytearray(tiff)
    (directory,) = struct.unpack_from("<I", data, 4)
    for number in (1, 2):
        (entries,) = struct.unpack_from("<H", data, directory)
        for entry in range(directory + 2, directory + 2 + 12 * entries, 12):
            (tag,) = struct.unpack_from("<H", data, entry)
            if number == 2 and tag == 279:  # StripByteCounts
                struct.pack_into("<I", data, entry + 8, 0)
        (directory,) = struct.unpack_from("<I", data, directory + 2 + 12 * entries)
    return bytes(data)


def test_a_page_of_zero_bytes_is_reported_and_the_others_are_kept(reader):
    others = [PIL.Image.fromarray(PAGE)] * 2
    tiff = encoded(PAGE, "TIFF", save_all=True, append_images=others, compression="tiff_deflate")
    document = reader.read(without_bytes_of_page_2(tiff))
    assert [len(page.words) for page in document] == [3, 0, 3]
    assert document.pages[1].error == "Page 2 of the data is damaged and cannot be decoded."


@pytest.mark.parametrize("thing", [None, 3.5, ["a.png"]])
def test_what_is_no_document_at_all_is_refused(thing, reader):
    with pytest.raises(BadImage, match="A document is a path, bytes, a Pillow image or an array"):
        reader.read(thing)


# Pictures that scikit-image ships, none of which shows a letter.
PICTURES = (
    "astronaut",
    "brick",
    "camera",
    "cell",
    "chelsea",
    "coffee",
    "coins",
    "grass",
    "gravel",
    "horse",
    "moon",
    "retina",
)
DESKS = ("_wood", "_marble", "_cloth", "_plain")


@pytest.fixture(scope="module")
def released():
    try:
        return Reader(threads=1)
    except BadModel as missing:
        pytest.skip(f"no released model to read with: {missing}")


@pytest.mark.parametrize("name", PICTURES)
def test_faces_animals_and_landscapes_have_no_words(name, released):
    data = pytest.importorskip("skimage.data", reason="scikit-image, which ships the pictures, is not installed")
    assert released.read(getattr(data, name)()).text == ""


@pytest.mark.parametrize("kind", DESKS)
def test_a_bare_desk_has_no_words(kind, released):
    for seed in (0, 3, 5):
        desk = getattr(camera, kind)(Random(seed), np.random.default_rng(seed))
        assert released.read(np.clip(desk, 0, 255).astype(np.uint8)).text == ""


def test_blank_and_noisy_paper_has_no_words(released):
    noise = np.random.default_rng(0).normal(235, 8, (1500, 1100))
    for page in (np.full((1500, 1100), 255, np.uint8), np.clip(noise, 0, 255).astype(np.uint8)):
        assert released.read(page).text == ""
