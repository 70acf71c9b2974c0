"""Colons one of whose dots is faint."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ocrkit.detection import DetectorOptions
from ocrkit.detection.faint_colons import with_faint_colons
from ocrkit.detection.regions import Regions

LETTERS = [(20, 20, 32, 40), (36, 20, 48, 40)]
LOWER, UPPER = (58, 37, 61, 40), (58, 26, 61, 29)  # the dots of a colon


def colons(*boxes: tuple[tuple[int, int, int, int], int], letters=LETTERS) -> list[list[float]]:
    """The colons found where these boxes are darker than the paper by so many grey levels, from 20 on as ink."""
    page = np.full((60, 120), 240, np.uint8)
    for (x0, y0, x1, y1), dark in [*((box, 120) for box in letters), *boxes]:
        page[y0:y1, x0:x1] -= dark
    dots = [(box, dark) for box, dark in boxes if dark >= 20]
    found = np.array([*letters, *(box for box, _ in dots)], float)
    area = np.prod(found[:, 2:] - found[:, :2], axis=1)
    letter = np.arange(len(found)) < len(letters)
    regions = Regions(found, area, np.array([*[120.0] * len(letters), *(dark for _, dark in dots)]))
    ink = cv2.threshold(page, 220, 255, cv2.THRESH_BINARY_INV)[1]
    got, letter, sign = with_faint_colons(regions, letter, np.zeros(len(found), bool), page, ink, 20, DetectorOptions())
    assert (letter == (np.arange(len(got)) < len(letters)) | sign).all()
    return got.boxes[sign].tolist()


@pytest.mark.parametrize(
    ("dots", "found"),
    [
        ([(LOWER, 40), (UPPER, 14)], True),
        ([(LOWER, 14), (UPPER, 40)], True),
        ([(LOWER, 40), ((58, 28, 60, 29), 30)], True),  # much smaller, and ink
        ([(LOWER, 40)], False),
        ([(UPPER, 40)], False),
        ([(LOWER, 40), (UPPER, 8)], False),
        ([(LOWER, 100), (UPPER, 14)], False),  # blur beside a dark point
        ([(LOWER, 40), ((58, 20, 61, 34), 14)], False),  # the stem of a faint letter
        ([(LOWER, 40), ((50, 26, 70, 29), 14)], False),  # a faint rule
        ([((58, 45, 61, 48), 40), ((58, 34, 61, 37), 14)], False),  # below the line
    ],
)
def test_a_dot_and_a_fainter_one_behind_a_letter_are_a_colon(dots, found):
    places = [box for box, _ in dots]
    whole = [float(f(of)) for f, of in zip((min, min, max, max), zip(*places))]
    assert colons(*dots) == ([whole] if found else [])


@pytest.mark.parametrize("hanging", [(36, 20, 48, 46), (50, 18, 52, 46)])
def test_the_baseline_is_that_of_most_letters_before_it(hanging):
    letters = [(4, 20, 16, 40), *LETTERS[:1], hanging]
    assert len(colons((LOWER, 40), (UPPER, 14), letters=letters)) == 1


@pytest.mark.parametrize("letters", [[], [(20, 20, 32, 40), (42, 20, 54, 40)], [*LETTERS, (64, 20, 76, 40)]])
def test_such_a_colon_stands_free_and_has_a_letter_before_it(letters):
    assert colons((LOWER, 40), (UPPER, 14), letters=letters) == []


def test_among_a_thousand_specks_none_is_one():
    specks = [((x, y, x + 2, y + 2), 30) for x in range(0, 120, 3) for y in range(42, 60, 3)]
    assert colons((LOWER, 40), (UPPER, 14), *specks * 5) == []
