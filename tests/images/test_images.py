"""Whatever people have becomes upright pixels, or one sentence."""

import io
import struct
import zlib

import numpy as np
import PIL.Image
import PIL.TiffImagePlugin
import pytest
from reportlab.pdfgen.canvas import Canvas

from ocrkit.errors import BadImage, MissingExtra
from ocrkit.images import (
    MAX_PIXELS,
    PDF_MAX_SHORT_SIDE_PX,
    count_pages,
    image_sizes,
    iter_pages,
    load_image,
    load_stored,
    to_grey,
)

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


def test_a_symbolic_link_that_leads_nowhere_or_to_itself_is_called_that(tmp_path):
    (tmp_path / "round.png").symlink_to("back.png")
    (tmp_path / "back.png").symlink_to("round.png")
    (tmp_path / "stale.png").symlink_to("gone.png")
    for name in ("round.png", "round.png/page.png"):
        with pytest.raises(
            BadImage, match=rf"{name} cannot be opened: it is a symbolic link that leads back to itself\.$"
        ):
            load_image(tmp_path / name)
    with pytest.raises(BadImage, match=r"stale\.png is a symbolic link to gone\.png, which is not there\.$"):
        load_image(tmp_path / "stale.png")


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
    assert len(pages) == count_pages(GOOD[kind]) == 1
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


@pytest.mark.parametrize("form", ["JPEG", "PNG", "JPEG2000"])
def test_a_picture_in_a_form_that_pdf_knows_keeps_its_bytes(form):
    data = encoded(UPRIGHT, form)
    assert next(iter_pages(data)).original == data


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(encoded(UPRIGHT, "JPEG", exif=exif(2)), id="mirrored"),
        pytest.param(encoded(UPRIGHT, "WEBP"), id="WebP"),
        pytest.param(encoded(UPRIGHT, "TIFF", compression="tiff_lzw"), id="TIFF"),
        pytest.param(encoded(np.dstack([UPRIGHT] * 4)), id="PNG that is seen through"),
    ],
)
def test_others_do_not(data):
    assert next(iter_pages(data)).original is None


def test_resolution_is_what_the_file_says():
    assert next(iter_pages(encoded(UPRIGHT, "JPEG", dpi=(300, 300)))).dpi == 300
    assert next(iter_pages(encoded(UPRIGHT))).dpi is None


def test_a_tiff_gives_its_pages_and_one_bad_page_leaves_the_others():
    frames = [PIL.Image.fromarray(np.full((8, 8), level, np.uint8)) for level in (10, 20, 30)]
    tiff = encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:], compression="tiff_deflate")
    assert [int(page.image[0, 0]) for page in iter_pages(tiff)] == [10, 20, 30]
    assert count_pages(tiff) == 3

    strip = zlib.compress(b"\x14" * 64)
    assert strip in tiff
    pages = list(iter_pages(tiff.replace(strip, b"\0" * len(strip))))
    assert [page.number for page in pages] == [1, 2, 3]
    assert [page.error is None for page in pages] == [True, False, True]
    assert pages[1].error == "Page 2 of the data is damaged and cannot be decoded."


def test_pdf_pages_are_rendered_one_by_one_and_posters_smaller():
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(72, 144))
    canvas.showPage()
    canvas.setPageSize((7200, 3600))
    canvas.showPage()
    canvas.save()
    assert count_pages(buffer.getvalue()) == 2
    small, poster = iter_pages(buffer.getvalue())
    assert small.image.shape[:2] == (400, 200)
    assert small.dpi == pytest.approx(200)
    assert min(poster.image.shape[:2]) == PDF_MAX_SHORT_SIDE_PX


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


@pytest.mark.parametrize("missing", [1, 100, 500])
def test_a_heic_photo_of_tiles_that_is_cut_off_is_refused_and_what_phones_put_behind_it_is_not_missed(missing):
    heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed: pip install 'ocrkit[heic]'")
    heif.register_heif_opener()
    picture = PIL.Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 300, 3), np.uint8))
    photo = encoded(picture, "HEIF", tile_size=128)
    # Decoded by pillow-heif 1.8.1 all the same, its last tile green.
    with pytest.raises(BadImage, match=r"^The data is cut off: the file ends before its picture does\.$"):
        list(iter_pages(photo[:-missing]))
    (page,) = iter_pages(photo + b"SEFH\xff\xff\xff\xff and what else a maker thinks of")
    assert page.image is not None
    assert page.image.shape[:2] == (200, 300)


def test_a_box_that_says_it_is_shorter_than_its_head_is_got_past():
    photo = b"\0\0\0\x10ftypavif\0\0\0\0" + b"\0\0\0\x01mdat" + bytes(8) + b"\0\0\0\x02free"
    with pytest.raises(BadImage, match="neither an image in a known format nor a PDF"):
        list(iter_pages(photo))


def test_a_heic_photo_without_its_package_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr("ocrkit.images.pictures.find_spec", lambda name: None)
    path = tmp_path / "IMG_0001.HEIC"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 99)
    with pytest.raises(MissingExtra, match=r"IMG_0001.HEIC is a HEIC photo: pip install 'ocrkit\[heic\]' to read it"):
        load_image(path)


@pytest.mark.parametrize("thing", [None, 7, [UPRIGHT], io.BytesIO(b"x")])
def test_what_is_neither_file_nor_picture_is_refused_by_its_type(thing):
    with pytest.raises(BadImage, match=f"not of type {type(thing).__name__}"):
        load_image(thing)


def frames(*tagged, **options) -> bytes:
    """A TIFF of pictures, each with the tags that are given beside it."""
    buffer = io.BytesIO()
    with PIL.TiffImagePlugin.AppendingTiffWriter(buffer, True) as tiff:
        for picture, tags in tagged:
            directory = PIL.TiffImagePlugin.ImageFileDirectory_v2()
            for tag, value in tags.items():
                directory[tag] = value
            PIL.Image.fromarray(picture).save(tiff, "TIFF", tiffinfo=directory, **options)
            tiff.newFrame()
    return buffer.getvalue()


PHYS = struct.pack(">I4sIIB", 9, b"pHYs", 204, 98, 0)
PHYS += struct.pack(">I", zlib.crc32(PHYS[4:]))
SMALL = np.ascontiguousarray(UPRIGHT[::2, ::2])
NEW, OLD = 254, 255  # NewSubfileType and SubfileType


@pytest.mark.parametrize(
    ("pictures", "widths"),
    [
        ([(UPRIGHT, {NEW: 0}), (SMALL, {NEW: 1}), (SMALL[:5, :5], {NEW: 1})], [60]),  # a pyramid
        ([(SMALL, {NEW: 1}), (UPRIGHT, {NEW: 0})], [60]),  # a thumbnail in front
        ([(UPRIGHT, {NEW: 2}), (SMALL, {NEW: 3}), (SMALL, {NEW: 2})], [60, 30]),  # two pages, the first with a copy
        ([(UPRIGHT, {}), (SMALL, {NEW: 4})], [60]),  # a mask
        ([(UPRIGHT, {OLD: 1}), (SMALL, {OLD: 2})], [60]),
        ([(SMALL, {NEW: 1})], [30]),  # a copy of what is not there is the best there is
    ],
)
def test_smaller_copies_and_masks_in_a_tiff_are_no_pages(pictures, widths):
    pages = list(iter_pages(frames(*pictures)))
    assert count_pages(frames(*pictures)) == len(pages)
    assert [page.image.shape[1] for page in pages] == widths
    assert [page.number for page in pages] == list(range(1, len(widths) + 1))


@pytest.mark.parametrize(
    ("dpi", "size", "finest"),
    [
        ((204, 98), (60, 83), 204),  # fax of standard resolution
        ((204, 196), (60, 42), 204),
        ((200, 400), (120, 40), 400),
        ((300, 300), (60, 40), 300),
        ((300, 72), (60, 40), 300),  # too oblong to be true
        ((0, 0), (60, 40), None),
    ],
)
def test_oblong_pixels_become_square(dpi, size, finest):
    page = next(iter_pages(encoded(UPRIGHT, "TIFF", dpi=dpi)))
    assert page.image.shape[::-1] == size
    assert page.dpi == (finest and pytest.approx(finest))


@pytest.mark.parametrize(
    "data",
    [
        frames((UPRIGHT, {282: 204.0, 283: 98.0, 296: 1})),  # a TIFF whose unit is none
        encoded(UPRIGHT, "JPEG")[:13] + b"\0\0\xcc\0\x62" + encoded(UPRIGHT, "JPEG")[18:],
        encoded(UPRIGHT)[:33] + PHYS + encoded(UPRIGHT)[33:],
    ],
)
def test_pixels_whose_ratio_alone_is_told_become_square(data):
    page = next(iter_pages(data))
    assert (page.image.shape, page.dpi) == ((83, 60), None)


def test_oblong_pixels_of_a_turned_picture_become_square():
    stored = np.ascontiguousarray(np.rot90(UPRIGHT))
    page = next(iter_pages(encoded(stored, "JPEG", dpi=(200, 100), exif=exif(6))))
    assert page.image.shape == (40, 120)


@pytest.mark.parametrize("form", ["JPEG", "TIFF", "PNG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_stored_pixels_are_neither_turned_nor_squared(form, orientation, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(encoded(UPRIGHT, form, dpi=(200, 100), exif=exif(orientation)))
    np.testing.assert_allclose(load_stored(path), UPRIGHT, atol=30)
    shown = (40, 60) if orientation > 4 else (60, 40)
    assert image_sizes(path) == ((60, 40), shown)


def two_in_one(size=(60, 40)) -> tuple[bytes, bytes]:
    """A phone's JPEG with a smaller one behind it (MPO), and the first of them alone."""
    photo = PIL.Image.fromarray(np.random.default_rng(1).integers(0, 255, (*size, 3), np.uint8))
    buffer = io.BytesIO()
    photo.save(buffer, "MPO", save_all=True, append_images=[photo.resize((20, 20))])
    data = buffer.getvalue()
    return data, data[: data.index(b"\xff\xd8\xff", 2)]


def test_a_photo_with_another_behind_it_is_one_page_that_keeps_its_own_bytes():
    data, first = two_in_one()
    (page,) = iter_pages(data)
    assert page.original == first
    assert page.image.shape == (60, 40, 3)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_turned_tiff_that_pillow_opened_by_its_path_is_read_right(compression, orientation, tmp_path):
    """Pillow 11.0 to 13.0 maps the file with the sides that the picture has once turned, and so scrambles its lines."""
    turns = {3: 2, 6: 1, 8: 3}[orientation]
    path = tmp_path / "turned.tif"
    stored = np.ascontiguousarray(np.rot90(UPRIGHT, turns))
    PIL.Image.fromarray(stored).save(path, exif=exif(orientation), compression=compression)
    with PIL.Image.open(path) as picture:
        np.testing.assert_array_equal(load_image(picture), UPRIGHT)


FLOATS = UPRIGHT / 255
HOT = FLOATS.copy()
HOT[0, 0] = np.inf
HOT[0, 1] = 1e9
HOT[0, 2] = np.nan


@pytest.mark.parametrize(
    "array",
    [
        FLOATS * 1.0008,  # as a cubic resize leaves it
        FLOATS * 1.2 - 0.1,
        (FLOATS * 255.4).astype(np.float32),
        FLOATS * 4095.0,
        FLOATS.astype(np.float16),
        UPRIGHT.astype(np.float64) * 1e30,
    ],
)
def test_floats_that_overshoot_their_scale_are_no_darker(array):
    np.testing.assert_array_equal(load_image(array), UPRIGHT)
    if array.dtype != np.float16:
        buffer = io.BytesIO()
        PIL.Image.fromarray(array.astype(np.float32)).save(buffer, "TIFF")
        np.testing.assert_array_equal(load_image(buffer.getvalue()), UPRIGHT)


def test_single_pixels_that_are_no_number_or_too_bright_darken_nothing():
    np.testing.assert_array_equal(load_image(HOT)[1:], UPRIGHT[1:])
    assert load_image(HOT)[0, :3].tolist() == [255, 255, 0]
    assert load_image(np.full((4, 4), np.nan)).max() == 0


@pytest.mark.parametrize("sides", [(9, 300_000), (300_000, 9), (0, 9), (9, 0)])
def test_sides_are_bounded_and_nothing_is_read_without_pixels(sides):
    with pytest.raises(BadImage, match=r"is longer than 200,000 px|is neither an image"):
        load_image(png_header(*sides))
    with pytest.raises(BadImage, match=r"is longer than 200,000 px|is not an image"):
        load_image(np.zeros(sides, np.uint8))


def test_too_little_memory_is_called_so(monkeypatch):
    def full(*args):
        raise MemoryError

    monkeypatch.setattr("ocrkit.images.pictures._picture_to_array", full)
    with pytest.raises(BadImage, match=r"^The data does not fit into the memory that is left"):
        load_image(GOOD["grey"])


def test_what_a_decoder_writes_to_standard_error_is_not_passed_on(capfd):
    noise = np.random.default_rng(0).integers(0, 255, (200, 200), np.uint8)
    tiff = bytearray(encoded(noise, "TIFF", compression="tiff_lzw"))
    tiff[5000:9000] = b"\xff" * 4000
    with pytest.raises(BadImage):
        load_image(bytes(tiff))
    assert capfd.readouterr().err == ""


def test_names_that_no_file_can_have_are_refused_in_one_sentence(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for name, why in (("x" * 300, "File name too long"), (loop, "symbolic link"), ("a\0b", "null"), ("/dev/null", "")):
        with pytest.raises(BadImage, match=f"cannot be opened: .*{why}|is not a regular file"):
            load_image(name)


def test_a_file_that_cannot_be_read_is_called_so():
    with pytest.raises(BadImage, match=r"^/proc/self/mem cannot be read: Input/output error\.$"):
        load_image("/proc/self/mem")
