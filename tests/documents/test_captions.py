"""Captions: outlined letters on grounds of no even brightness, drawn here and read with the released model."""

import numpy as np
import pytest
from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont

from ocrkit import Reader
from ocrkit.detection import detect
from ocrkit.documents.captions import CaptionOptions, with_captions


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(threads=1)


def font(name: str, size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(f"{get_data_path()}/fonts/ttf/DejaVu{name}.ttf", size)


def slope_with_noise(width: int = 1000, height: int = 640) -> Image.Image:
    """Dark above, light below, and rough everywhere."""
    rng = np.random.default_rng(4)
    rough = 0.65 * np.linspace(0, 255, height)[:, None] + 0.35 * rng.normal(128, 60, (height, width)).clip(0, 255)
    return Image.fromarray(rough.astype(np.uint8)).convert("RGB")


def stripes(width: int = 1000, height: int = 640) -> Image.Image:
    """Blurred bands aslant, from black to white."""
    y, x = np.indices((height, width))
    return Image.fromarray((127 + 127 * np.sin((x + 2 * y) / 60)).astype(np.uint8)).convert("RGB")


def blue(width: int = 1000, height: int = 640) -> Image.Image:
    return Image.new("RGB", (width, height), (120, 180, 230))


CAPTIONS = [  # ground, face, size, letters, outline, its width
    (slope_with_noise, "Sans-Bold", 70, "white", "black", 3),
    (slope_with_noise, "Sans-Bold", 60, "black", "white", 4),
    (slope_with_noise, "Serif-Bold", 60, "yellow", (60, 20, 20), 3),
    (stripes, "Sans-Bold", 64, "white", "black", 4),
    (stripes, "Sans", 50, "yellow", "black", 2),
    (stripes, "Sans-Bold", 64, (200, 30, 30), "white", 5),
    (blue, "Sans-Bold", 70, "white", "black", 4),
]


@pytest.mark.parametrize(("ground", "face", "size", "fill", "outline", "width"), CAPTIONS)
def test_outlined_words_on_a_picture_are_read(ground, face, size, fill, outline, width, reader):
    picture, texts = ground(), ("Harvest fair", "from nine to five")
    for text, top in zip(texts, (60, 500)):
        ImageDraw.Draw(picture).text((80, top), text, fill, font(face, size), stroke_width=width, stroke_fill=outline)
    page = reader.read(np.asarray(picture)).pages[0]
    assert [word.text for word in page.words] == " ".join(texts).split()
    left, top, _, bottom = np.array([word.box for word in page.lines[0].words]).T
    assert abs(left.min() - 80) < 0.2 * size
    assert 60 <= top.min() <= bottom.max() <= 60 + 1.4 * size


@pytest.mark.parametrize("degrees", [-3, 4])
def test_a_caption_may_lie_askew(degrees, reader):
    picture = stripes()
    pen = ImageDraw.Draw(picture)
    pen.text((200, 280), "Lost cat", "white", font("Sans-Bold", 90), stroke_width=5, stroke_fill="black")
    askew = picture.rotate(degrees, resample=Image.Resampling.BICUBIC)
    assert [word.text for word in reader.read(np.asarray(askew)).words] == ["Lost", "cat"]


@pytest.mark.parametrize("ground", [slope_with_noise, stripes, blue])
def test_a_picture_without_words_has_no_caption(ground):
    grey = np.asarray(ground().convert("L"))
    page, lines = with_captions(grey, [], detect, CaptionOptions())
    assert page is grey
    assert not len(lines)


@pytest.mark.parametrize("text", ["9.80 08 60", "four boxes"])
def test_holes_of_letters_on_paper_are_no_captions(text):
    picture = Image.new("L", (900, 200), 255)
    ImageDraw.Draw(picture).text((40, 40), text, 0, font("Sans-Bold", 90))
    grey = np.asarray(picture)
    detected = detect(grey)
    assert with_captions(grey, detected, detect, CaptionOptions()) == (grey, detected)


def test_a_page_of_print_is_left_as_it_is():
    picture = slope_with_noise(1000, 1000)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((100, 100, 900, 900), "white")
    for row in range(8):
        pen.text((130, 150 + 80 * row), "these are words of a page", "black", font("Sans", 36))
    grey = np.asarray(picture.convert("L"))
    detected = detect(grey)
    assert with_captions(grey, detected, detect, CaptionOptions())[0] is grey


@pytest.mark.parametrize("tint", [(206, 206, 206), (120, 180, 230)])
def test_a_table_with_tinted_rows_is_no_picture(tint):
    picture = Image.new("RGB", (1000, 700), "white")
    pen = ImageDraw.Draw(picture)
    for row in range(9):
        if row % 2:
            pen.rectangle((60, 40 + 70 * row, 940, 100 + 70 * row), tint)
        for column, text in enumerate(("Outside", "(2,782.51)", "20,883.19")):
            pen.text((90 + 300 * column, 48 + 70 * row), text, "black", font("Sans", 34))
    grey = np.asarray(picture.convert("L"))
    detected = detect(grey)
    assert with_captions(grey, detected, detect, CaptionOptions()) == (grey, detected)
