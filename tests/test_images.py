"""Whatever people have becomes upright pixels, or one sentence."""

import io
import struct
import zlib

import numpy as np
import PIL.Image
import pytest
from reportlab.pdfgen.canvas import Canvas

from ocrkit.errors import BadImage, MissingExtra
from ocrkit.images import MAX_PIXELS, PDF_MAX_SIDE_PX, iter_pages, load_image, to_grey

# An upright picture that no turn or flip leaves as it was: a dark quarter at the top left.
UPRIGHT = np.full((40, 60), 255, np.uint8)
UPRIGHT[:20, :30] = 0


def encoded(picture, form="PNG", **options) -> bytes:
    if isinstance(picture, np.ndarray):
        picture = PIL.Image.fromarray(picture)
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises these sides and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")


def exif(orientation: int) -> PIL.Image.Exif:
    tags = PIL.Image.Exif()
    tags[0x0112] = orientation
    return tags


def locked_pdf() -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, encrypt="secret")
    canvas.drawString(100, 100, "Hello")
    canvas.save()
    return buffer.getvalue()


BAD = {
    "empty.png": (b"", "{} is empty."),
    "notes.png": (b"Dear Sir,\nthis is a letter.\n" * 9, "{} is neither an image in a known format nor a PDF."),
    "cut.jpg": (encoded(np.random.default_rng(0).integers(0, 255, (200, 200), np.uint8), "JPEG")[:6000],
                "{} is cut off: the file ends before its picture does."),
    "cut.png": (encoded(np.random.default_rng(0).integers(0, 255, (200, 200), np.uint8))[:6000],
                "{} is cut off: the file ends before its picture does."),
    "huge.png": (png_header(20_000, 20_000),
                 "{} has more than 120 million pixels: scale it down or cut it into pages first."),
    "large.png": (png_header(12_000, 11_000),
                  "{} has more than 120 million pixels: scale it down or cut it into pages first."),
    "broken.pdf": (b"%PDF-1.7\nnothing more", "{} is damaged: no PDF reader could open it."),
    "locked.pdf": (locked_pdf(), "{} is locked with a password."),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_in_one_sentence(name, tmp_path):
    content, sentence = BAD[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadImage) as caught:
        load_image(path)
    assert str(caught.value) == sentence.format(path)


def test_a_missing_file_and_a_folder_are_refused_in_one_sentence(tmp_path):
    with pytest.raises(BadImage, match=r"^There is no file .*none\.png\.$"):
        load_image(tmp_path / "none.png")
    with pytest.raises(BadImage, match="is a folder, not a file"):
        load_image(tmp_path)


RGBA = np.dstack([np.zeros((40, 60, 3), np.uint8), 255 - UPRIGHT])
GOOD = {
    "grey": encoded(UPRIGHT),
    "bilevel": encoded(PIL.Image.fromarray(UPRIGHT).convert("1")),
    "palette": encoded(PIL.Image.fromarray(UPRIGHT).convert("P")),
    "16-bit": encoded(UPRIGHT.astype(np.uint16) * 257),
    "12-bit in 16": encoded(UPRIGHT.astype(np.uint16) * 16),
    "CMYK": encoded(PIL.Image.fromarray(UPRIGHT).convert("RGB").convert("CMYK"), "JPEG", quality=95),
    "CMYK TIFF": encoded(PIL.Image.fromarray(UPRIGHT).convert("RGB").convert("CMYK"), "TIFF"),
    "float TIFF": encoded(PIL.Image.fromarray(UPRIGHT.astype(np.float32) / 255), "TIFF"),
    "alpha": encoded(RGBA),
    "grey and alpha": encoded(PIL.Image.fromarray(RGBA).convert("LA")),
    "WebP": encoded(PIL.Image.fromarray(UPRIGHT).convert("RGB"), "WEBP", lossless=True),
    "animation": encoded(UPRIGHT, "GIF", save_all=True, append_images=[PIL.Image.new("L", (60, 40))]),
    "damaged EXIF": encoded(UPRIGHT, "JPEG", quality=95, exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff"),
}


@pytest.mark.parametrize("kind", GOOD)
def test_every_kind_of_image_shows_the_same_picture(kind):
    pages = list(iter_pages(GOOD[kind]))
    assert len(pages) == 1
    image = pages[0].image
    assert image.dtype == np.uint8
    assert image.shape in ((40, 60), (40, 60, 3))
    np.testing.assert_allclose(to_grey(image), UPRIGHT, atol=12)


@pytest.mark.parametrize(
    ("orientation", "rotation"), [(1, 0), (2, 0), (3, 180), (4, 0), (5, 0), (6, 90), (7, 0), (8, 270)]
)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
def test_exif_orientation_is_applied(form, orientation, rotation):
    stored = {
        1: UPRIGHT,
        2: UPRIGHT[:, ::-1],
        3: UPRIGHT[::-1, ::-1],
        4: UPRIGHT[::-1],
        5: UPRIGHT.T,
        6: np.rot90(UPRIGHT),
        7: UPRIGHT[::-1, ::-1].T,
        8: np.rot90(UPRIGHT, -1),
    }[orientation]
    page = next(iter_pages(encoded(np.ascontiguousarray(stored), form, exif=exif(orientation))))
    np.testing.assert_allclose(page.image, UPRIGHT, atol=30)
    assert page.rotation == rotation


def test_a_jpeg_keeps_its_bytes_and_others_do_not():
    jpeg = encoded(UPRIGHT, "JPEG")
    assert next(iter_pages(jpeg)).original == jpeg
    assert next(iter_pages(encoded(UPRIGHT))).original is None
    assert next(iter_pages(encoded(UPRIGHT, "JPEG", exif=exif(2)))).original is None  # mirrored


def test_resolution_is_what_the_file_says():
    assert next(iter_pages(encoded(UPRIGHT, "JPEG", dpi=(300, 300)))).dpi == 300
    assert next(iter_pages(encoded(UPRIGHT))).dpi is None


def test_a_tiff_gives_its_pages_and_one_bad_page_leaves_the_others():
    frames = [PIL.Image.fromarray(np.full((8, 8), level, np.uint8)) for level in (10, 20, 30)]
    tiff = encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:], compression="tiff_deflate")
    assert [int(page.image[0, 0]) for page in iter_pages(tiff)] == [10, 20, 30]

    strip = zlib.compress(b"\x14" * 64)
    assert strip in tiff
    pages = list(iter_pages(tiff.replace(strip, b"\0" * len(strip))))
    assert [page.number for page in pages] == [1, 2, 3]
    assert [page.error is None for page in pages] == [True, False, True]
    assert pages[1].error == "Page 2 of The data is damaged and cannot be decoded."


def test_pdf_pages_are_rendered_one_by_one_and_posters_smaller():
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(72, 144))
    canvas.showPage()
    canvas.setPageSize((7200, 3600))
    canvas.showPage()
    canvas.save()
    small, poster = iter_pages(buffer.getvalue())
    assert small.image.shape[:2] == (400, 200)
    assert small.dpi == pytest.approx(200)
    assert max(poster.image.shape) == PDF_MAX_SIDE_PX


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (UPRIGHT, UPRIGHT),
        (UPRIGHT[..., None], UPRIGHT),
        (UPRIGHT > 0, UPRIGHT),
        (UPRIGHT / 255, UPRIGHT),
        (UPRIGHT.astype(np.int64), UPRIGHT),
        (np.dstack([UPRIGHT] * 3), np.dstack([UPRIGHT] * 3)),
        (RGBA, np.dstack([UPRIGHT] * 3)),
    ],
)
def test_arrays_are_taken_as_images(array, expected):
    np.testing.assert_array_equal(load_image(array), expected)


@pytest.mark.parametrize("array", [np.zeros(5), np.zeros((0, 5)), np.zeros((4, 4, 2)), np.array([["a"]])])
def test_an_array_that_is_no_image_is_refused(array):
    with pytest.raises(BadImage, match="is not an image"):
        load_image(array)


def test_a_pillow_image_and_one_pixel_are_images():
    assert load_image(PIL.Image.fromarray(UPRIGHT)).shape == (40, 60)
    assert load_image(encoded(np.zeros((1, 1), np.uint8))).shape == (1, 1)


def test_the_largest_allowed_image_is_named_in_whole_millions():
    assert MAX_PIXELS % 10**6 == 0


def test_a_heic_photo_is_read_where_its_package_is_installed():
    heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed: pip install 'ocrkit[heic]'")
    heif.register_heif_opener()
    photo = encoded(PIL.Image.fromarray(UPRIGHT).convert("RGB"), "HEIF", quality=95)
    (page,) = iter_pages(photo)
    np.testing.assert_allclose(to_grey(page.image), UPRIGHT, atol=30)


def test_a_heic_photo_without_its_package_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr("ocrkit.images.find_spec", lambda name: None)
    path = tmp_path / "IMG_0001.HEIC"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 99)
    with pytest.raises(MissingExtra, match=r"IMG_0001.HEIC is a HEIC photo: pip install 'ocrkit\[heic\]' to read it"):
        load_image(path)


@pytest.mark.parametrize("thing", [None, 7, [UPRIGHT], io.BytesIO(b"x")])
def test_what_is_neither_file_nor_picture_is_refused_by_its_type(thing):
    with pytest.raises(BadImage, match=f"not of type {type(thing).__name__}"):
        load_image(thing)
