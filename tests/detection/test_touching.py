"""Rows so close that letters of one touch those of the next."""

from __future__ import annotations

import numpy as np
import pytest

from ocrkit.detection import DetectorOptions, detect
from ocrkit.detection.regions import Regions, ink_regions
from ocrkit.detection.touching import rows_apart
from tests.detection.test_detect import assert_found, draw

HEIGHT = 20  # of letters, px


def letters(left: int, foot: int, number: int) -> list[tuple[int, int, int, int]]:
    return [(x, foot - HEIGHT, x + 14, foot) for x in range(left, left + 20 * number, 20)]


def regions_of(boxes: list[tuple[int, int, int, int]], stroke_px: int = 3) -> tuple[Regions, np.ndarray]:
    """Frames at the `boxes`, as letters are, and their ink."""
    ink = np.zeros((120, 300), np.uint8)
    for x0, y0, x1, y1 in boxes:
        ink[y0:y1, x0:x1] = 255
        ink[y0 + stroke_px : y1 - stroke_px, x0 + stroke_px : x1 - stroke_px] = 0
    return ink_regions(ink), ink


def test_words_of_rows_that_a_tail_touches_are_those_of_either_row():
    drawn = draw(["buying many bags", "HER FRIEND BEN"], "typewriter", leading=0.95)
    assert_found(drawn, detect(drawn.image))


def test_letters_of_two_rows_that_touch_are_cut_where_the_lower_one_begins():
    rows = [*letters(20, 40, 4), *letters(20, 68, 4)]
    tail = (45, 40, 48, 48)  # from the second letter of the upper row to that below
    regions, ink = regions_of([*rows, tail])
    found = rows_apart(regions, ink, HEIGHT, DetectorOptions())
    assert (len(regions), len(found)) == (7, 8)
    assert sorted(map(tuple, found.boxes[-2:].astype(int).tolist())) == [(40, 20, 54, 48), (40, 48, 54, 68)]


@pytest.mark.parametrize(
    "sign",
    [
        (20, 20, 60, 68),  # an initial
        (20, 20, 25, 68),  # a bracket, as wide all the way down
        (20, 5, 34, 80),  # what begins and ends with neither row
    ],
)
def test_a_sign_beside_two_rows_is_whole(sign):
    regions, ink = regions_of([*letters(70, 40, 4), *letters(70, 68, 4), sign])
    assert len(rows_apart(regions, ink, HEIGHT, DetectorOptions())) == len(regions)


def test_a_t_behind_an_apostrophe_is_whole():
    regions, ink = regions_of([*letters(20, 60, 3), (83, 34, 86, 46), (92, 30, 104, 60), *letters(112, 60, 3)])
    assert len(rows_apart(regions, ink, HEIGHT, DetectorOptions())) == len(regions)
