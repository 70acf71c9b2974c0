"""Scanned and photographed pages: labels and corners lie where the picture shows them."""

from dataclasses import replace
from random import Random

import cv2
import numpy as np
import pytest

from ocrkit.datasets.sample import LabelledPage, LabelledWord
from ocrkit.documents.scan import rectify
from ocrkit.synth.camera import CameraOptions, ScannerOptions, copy, photograph

WIDTH, HEIGHT = 600, 800
CLEAR = CameraOptions(curl=0, shadow=0, light=0, blur_px=0.2, noise=0, jpeg=0)
CLEAN_SCAN = ScannerOptions(skew_deg=1.5, bilevel=0, faded=0, dirt=0, blur_px=0.3, noise=0, jpeg=0)


@pytest.fixture(scope="module")
def page():
    """White paper with black blocks for words."""
    image = np.full((HEIGHT, WIDTH, 3), 250, np.uint8)
    words = []
    for x in (40, 250, 460):
        for y in range(40, 760, 90):
            image[y : y + 24, x : x + 90] = 0
            words.append(
                LabelledWord(f"{x}/{y}", np.array([[x, y], [x + 90, y], [x + 90, y + 24], [x, y + 24]], float))
            )
    return LabelledPage("blocks", tuple(words), (), None, image, "letter_sized", "simulated", simulated=True)


def around(image, quad, grow):
    """Grey levels inside `quad` made larger by `grow` px on all sides."""
    middle = quad.mean(0)
    along = np.stack([quad[1] - quad[0], quad[3] - quad[0]])
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    signs = np.sign((quad - middle) @ along.T)
    mask = np.zeros(image.shape[:2], np.uint8)
    points = quad + grow * signs @ along - 0.5
    cv2.fillConvexPoly(mask, np.round(points * 16).astype(np.int32), 255, shift=4)
    return mask > 0


def assert_blocks_fill_their_quads(image, labels, tolerance):
    grey = image if image.ndim == 2 else image.mean(axis=2)
    for label in labels:
        inside = around(grey, label.quad, -tolerance - 1)
        ring = around(grey, label.quad, tolerance + 4) & ~around(grey, label.quad, tolerance + 1)
        assert grey[inside].max() < 0.5 * grey[ring].min(), label.text


@pytest.mark.parametrize("seed", range(4))
def test_a_flat_pages_corners_bring_its_boxes_back(page, seed):
    photo = photograph(page, Random(seed), CLEAR)
    target = np.array([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]], np.float32)
    matrix = cv2.getPerspectiveTransform(photo.corners.astype(np.float32), target)
    for before, after in zip(page.words, photo.page.words):
        back = cv2.perspectiveTransform(after.quad[None].astype(np.float32), matrix)[0]
        np.testing.assert_allclose(back, before.quad, atol=0.1)
    height, width = photo.image.shape[:2]
    assert np.all((photo.corners > 0) & (photo.corners < (width, height)))
    assert cv2.contourArea(photo.corners.astype(np.float32)) > 0.2 * width * height
    assert photo.page.image() is photo.image


@pytest.mark.parametrize("seed", range(4))
def test_the_rectified_photo_shows_the_words_where_the_page_had_them(page, seed):
    photo = photograph(page, Random(seed), CLEAR)
    flat = cv2.resize(rectify(photo.image, photo.corners), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    grey = flat.mean(axis=2)
    dark = (grey < 0.5 * np.median(grey)).astype(np.uint8)
    dark[:8], dark[-8:], dark[:, :8], dark[:, -8:] = 0, 0, 0, 0
    count, _, found, _ = cv2.connectedComponentsWithStats(dark)
    assert count - 1 == len(page.words)
    seen = sorted((x, y, x + w, y + h) for x, y, w, h, _ in found[1:])
    for word in page.words:
        nearest = min(seen, key=lambda box: np.abs(word.box - box).max())
        np.testing.assert_allclose(nearest, word.box, atol=2)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("curl", [0.0, 1.0], ids=["flat", "curled"])
def test_quads_follow_the_page(page, seed, curl):
    photo = photograph(page, Random(seed), replace(CLEAR, curl=curl))
    assert_blocks_fill_their_quads(photo.image, photo.page.words, tolerance=1.5)


def test_a_curled_pages_lines_are_not_straight(page):
    photo = photograph(page, Random(2), replace(CLEAR, curl=1.0))
    target = np.array([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]], np.float32)
    matrix = cv2.getPerspectiveTransform(photo.corners.astype(np.float32), target)
    quads = np.concatenate([word.quad for word in photo.page.words])
    back = cv2.perspectiveTransform(quads[None].astype(np.float32), matrix)[0]
    assert np.abs(back - np.concatenate([word.quad for word in page.words])).max() > 3


@pytest.mark.parametrize("seed", range(3))
def test_a_scan_turns_labels_with_the_page(page, seed):
    scanned = copy(page, Random(seed), CLEAN_SCAN)
    assert scanned.image().shape == (HEIGHT, WIDTH)
    assert_blocks_fill_their_quads(scanned.image(), scanned.words, tolerance=1.0)


def test_the_same_seed_is_the_same_photo_and_the_same_scan(page):
    for make in (lambda r: photograph(page, r).image, lambda r: copy(page, r).image()):
        np.testing.assert_array_equal(make(Random(5)), make(Random(5)))
        one, other = make(Random(5)), make(Random(6))
        assert one.shape != other.shape or np.any(one != other)
