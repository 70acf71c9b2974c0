"""Pieces of ink and strokes: shortcuts find what looking at every pixel does."""

import cv2
import numpy as np
import pytest

from ocrkit.detection.regions import ink_regions, measured_regions, stroke_map


def blots(share: float, shape: tuple[int, int] = (90, 130)) -> np.ndarray:
    """A mask that a `share` of is ink, with some strokes through it and along its edges."""
    rng = np.random.default_rng(round(100 * share))
    ink = np.where(rng.random(shape) < share, np.uint8(255), np.uint8(0))
    for row, start, end in ((0, 0, 30), (7, 40, 120), (50, 100, 130), (89, 60, 70)):
        ink[row, start:end] = 255
    for column, start, end in ((129, 0, 45), (3, 10, 40), (64, 70, 90)):
        ink[start:end, column] = 255
    return ink


@pytest.mark.parametrize("share", [0, 0.01, 0.1, 0.3, 0.6, 1])
def test_pieces_of_ink_are_those_that_opencv_counts(share):
    ink = blots(share)
    x, y, width, height, area = cv2.connectedComponentsWithStats(ink, connectivity=8)[2][1:].T
    found = ink_regions(ink)
    assert np.array_equal(found.boxes, np.stack([x, y, x + width, y + height], 1))
    assert np.array_equal(found.area, area)


def test_a_page_without_ink_has_no_pieces():
    blank = np.zeros((20, 30), np.uint8)
    assert len(ink_regions(blank)) == len(measured_regions(255 - blank, blank, 3)) == 0


def test_the_contrast_of_a_piece_is_that_of_its_pixels_to_the_paper_around_them():
    grey = np.full((40, 60), 200, np.uint8)
    grey[10:20, 10:14], grey[10:20, 30:34] = 40, 90
    ink = np.where(grey < 200, np.uint8(255), np.uint8(0))
    assert measured_regions(grey, ink, 3).contrast.tolist() == [160, 110]


@pytest.mark.parametrize("along", [0, 1])
@pytest.mark.parametrize("length", [1, 5, 11, 12, 13, 29, 30, 31, 45, 46, 80, 200])
@pytest.mark.parametrize("share", [0, 0.1, 0.4, 0.8])
def test_no_stroke_is_missed_where_only_some_of_its_pixels_are_looked_at_first(share, length, along):
    ink, slack = blots(share), (1, 3) if along else (3, 1)
    bar = np.ones((length, 1) if along else (1, length), np.uint8)
    everywhere = cv2.morphologyEx(cv2.dilate(ink, np.ones(slack, np.uint8)), cv2.MORPH_OPEN, bar)
    assert np.array_equal(stroke_map(ink, length, along), everywhere)
