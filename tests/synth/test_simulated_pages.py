"""Invented documents: every word where its box says, in reading order, in characters the recogniser knows."""

import json

import cv2
import numpy as np
import pytest

from ocrkit.alphabet import CHARACTERS
from ocrkit.datasets.forms import load_pages
from ocrkit.datasets.sample import CATEGORIES
from ocrkit.errors import BadDataset
from ocrkit.images import load_stored
from ocrkit.synth.camera import CameraOptions
from ocrkit.synth.fonts import FontOptions
from ocrkit.synth.pages import KINDS, PageGenerator, PageOptions, write_pages


@pytest.fixture
def generator(vocabulary, verdicts):
    """Makes a generator with the options given."""
    return lambda **options: PageGenerator(vocabulary, verdicts, PageOptions(fonts=FontOptions(split="all"), **options))


def boxes(labels):
    return [tuple(int(edge) for edge in label.box) for label in labels]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_makes_words_of_the_alphabet_within_the_page(generator, kind):
    pages = generator(kinds=(kind,))
    for index in range(3):
        page = pages[index]
        height, width = page.image().shape[:2]
        assert len(page.readable) > 10
        assert set("".join(page.texts)) <= set(CHARACTERS) - {" "}
        assert page.simulated
        assert page.category in CATEGORIES
        quads = np.stack([word.quad for word in page.words])
        assert np.all(quads > -0.06 * width)
        assert np.all(quads < np.array([width, height]) * 1.06)


def test_the_same_number_is_the_same_page_and_another_is_another(generator):
    one, other = generator(), generator()
    for index in (3, 0):
        a, b = one[index], other[index]
        np.testing.assert_array_equal(a.image(), b.image())
        assert [(word.text, word.quad.tolist()) for word in a.words] == [(w.text, w.quad.tolist()) for w in b.words]
    assert one[0].texts != one[6].texts
    assert one[0].texts != generator(seed=8)[0].texts


@pytest.mark.parametrize("kind", KINDS)
def test_boxes_hold_all_ink_and_fit_it_tightly(generator, kind):
    pages = generator(kinds=(kind,), scanned=0.0)
    for index in range(3):
        sheet, page = pages.sheet(index), pages[index]
        differs = np.any(page.image() != sheet.ground, axis=2)
        left_over = differs.copy()
        for label, (x0, y0, x1, y1) in zip(page.words, boxes(page.words)):
            ink = sheet.ink[y0:y1, x0:x1]
            assert ink.max() > 60, label.text
            for edge in (ink[0], ink[-1], ink[:, 0], ink[:, -1]):
                assert edge.any(), label.text
            left_over[y0:y1, x0:x1] = False
        assert not left_over.any()
        np.testing.assert_array_equal(pages[index].image(), page.image())


@pytest.mark.parametrize("kind", KINDS)
def test_lines_are_their_words_from_left_to_right(generator, kind):
    page = generator(kinds=(kind,), scanned=0.0)[1]
    words = iter(page.readable)
    for line in page.lines:
        members = [next(words) for _ in line.text.split()]
        assert " ".join(word.text for word in members) == line.text
        x0, y0, x1, y1 = np.array(boxes(members)).T
        assert np.all(x0[1:] >= x1[:-1])
        assert boxes([line]) == [(x0.min(), y0.min(), x1.max(), y1.max())]
    assert next(words, None) is None


@pytest.mark.parametrize("kind", ["receipt", "letter"])
def test_lines_of_one_column_follow_one_another_downwards(generator, kind):
    page = generator(kinds=(kind,), scanned=0.0)[2]
    middles = [(box[1] + box[3]) / 2 for box in boxes(page.lines)]
    assert middles == sorted(middles)


def test_two_columns_are_read_one_after_the_other(generator):
    page = generator(kinds=("columns",), scanned=0.0)[0]
    width = page.image().shape[1]
    lines = [box for box in boxes(page.lines) if box[2] - box[0] < 0.5 * width]
    right = [box[0] > width / 2 for box in lines if box[1] > 0.3 * page.image().shape[0]]
    turn = right.index(True)
    assert turn > 5
    # The page's number stands in the middle, after both columns.
    assert all(right[turn:-1])


def test_what_a_scanner_does_keeps_the_ink_in_its_boxes(generator):
    page = generator(kinds=("letter",), scanned=1.0)[0]
    image = page.image().astype(float)
    assert image.ndim == 2
    assert page.category == "scanned_docs"
    paper = np.median(image)
    for word in page.readable:
        x0, y0, x1, y1 = np.clip(np.round(word.box).astype(int), 0, None)
        assert paper - image[y0:y1, x0:x1].min() > 40, word.text


def test_a_kind_that_does_not_exist_is_named(generator):
    with pytest.raises(BadDataset, match="poster"):
        generator(kinds=("poster",))


@pytest.mark.parametrize("camera", [None, CameraOptions(jpeg=0)], ids=["as they are", "photographed"])
def test_written_pages_are_read_back_with_their_words_lines_and_corners(generator, camera, tmp_path):
    pages = generator(kinds=("receipt", "letter"))
    write_pages(tmp_path / "pages", pages, 2, camera)
    read = {page.id: page for page in load_pages(tmp_path / "pages", "phone")}
    for index in range(2):
        photo = pages.photo(index, camera) if camera else None
        page = photo.page if photo else pages[index]
        np.testing.assert_array_equal(load_stored(read[page.id].path), page.image())
        assert read[page.id].texts == page.texts
        quads = [np.stack([word.quad for word in them.words]) for them in (read[page.id], page)]
        np.testing.assert_allclose(*quads, atol=0.01)
        labels = json.loads((tmp_path / "pages" / f"{page.id}.json").read_text("utf-8"))
        assert " ".join(line["text"] for line in labels["lines"]).split() == page.texts
        assert (labels["category"], labels["simulated"]) == (page.category, True)
        if photo is None:
            assert labels["corners"] is None
        else:
            np.testing.assert_allclose(labels["corners"], photo.corners, atol=0.01)
            area = cv2.contourArea(np.array(labels["corners"], np.float32), oriented=True)
            assert area > 0.2 * np.prod(page.image().shape[:2])  # positive: clockwise in pixels
