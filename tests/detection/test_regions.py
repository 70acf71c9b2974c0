"""Pieces of ink and strokes: shortcuts find what looking at every pixel does."""

import cv2
import numpy as np
import pytest

from ocrkit.detection.options import DetectorOptions
from ocrkit.detection.regions import (
    grey_level,
    ink_map,
    ink_regions,
    measured_regions,
    stroke_map,
    underline_map,
    with_feet,
)


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


def test_pieces_in_a_few_rows_of_a_page_are_those_that_opencv_counts():
    ink = np.zeros((201, 90), np.uint8)
    for row, start, end in ((3, 5, 40), (4, 40, 60), (6, 10, 20), (101, 0, 90), (199, 20, 30), (200, 30, 50)):
        ink[row, start:end] = 255
    x, y, width, height, area = cv2.connectedComponentsWithStats(ink, connectivity=8)[2][1:].T
    found = ink_regions(ink)
    assert np.array_equal(found.boxes, np.stack([x, y, x + width, y + height], 1))
    assert np.array_equal(found.area, area)


def test_regions_are_the_same_however_much_paper_lies_around_them():
    rng = np.random.default_rng(1)
    ink = np.pad(blots(0.1), 12)
    grey = np.where(ink > 0, 90, 220).astype(np.uint8) - rng.integers(0, 9, ink.shape, np.uint8)
    around = ((56, 31), (40, 77))
    alone, inside = measured_regions(grey, ink, 3), measured_regions(np.pad(grey, around), np.pad(ink, around), 3)
    assert np.allclose(inside.boxes - [40, 56, 40, 56], alone.boxes, atol=1e-9)
    assert np.allclose(inside.contrast, alone.contrast)


def test_a_page_without_ink_has_no_pieces():
    blank = np.zeros((20, 30), np.uint8)
    assert len(ink_regions(blank)) == len(measured_regions(255 - blank, blank, 3)) == 0


def test_the_contrast_of_a_piece_is_that_of_its_pixels_to_the_paper_around_them():
    grey = np.full((40, 60), 200, np.uint8)
    grey[10:20, 10:14], grey[10:20, 30:34] = 40, 90
    ink = np.where(grey < 200, np.uint8(255), np.uint8(0))
    assert measured_regions(grey, ink, 3).contrast.tolist() == [160, 110]


def test_pieces_at_the_end_of_a_row_and_the_beginning_of_the_next_are_two():
    grey = np.full((9, 30), 200, np.uint8)
    grey[3, 26:], grey[4, :4] = 40, 90
    found = measured_regions(grey, np.where(grey < 200, np.uint8(255), np.uint8(0)), 3)
    assert found.boxes.tolist() == [[26, 3, 30, 4], [0, 4, 4, 5]]
    assert (found.area.tolist(), found.contrast.tolist()) == ([4, 4], [160, 110])


@pytest.mark.parametrize("share", [0, 0.02, 0.37, 0.5, 1])
@pytest.mark.parametrize("kind", [np.uint8, np.int16])
def test_the_level_of_a_share_of_pixels_is_its_quantile(share, kind):
    grey = np.random.default_rng(3).integers(0, 256 if kind is np.uint8 else 900, (60, 50)).astype(kind)
    for part in (grey, grey[::4, ::3], grey[grey > 90], grey[:1, :1]):
        assert grey_level(part, share) == pytest.approx(np.quantile(part, share), abs=1e-9)


def test_the_level_of_no_pixels_is_zero():
    assert grey_level(np.zeros(0, np.uint8), 0.5) == 0


@pytest.mark.parametrize("along", [0, 1])
@pytest.mark.parametrize("length", [1, 5, 11, 12, 13, 29, 30, 31, 45, 46, 80, 200])
@pytest.mark.parametrize("share", [0, 0.1, 0.4, 0.8])
def test_no_stroke_is_missed_where_only_some_of_its_pixels_are_looked_at_first(share, length, along):
    ink, slack = blots(share), (1, 3) if along else (3, 1)
    bar = np.ones((length, 1) if along else (1, length), np.uint8)
    everywhere = cv2.morphologyEx(cv2.dilate(ink, np.ones(slack, np.uint8)), cv2.MORPH_OPEN, bar)
    assert np.array_equal(stroke_map(ink, length, along), everywhere)


def worn_print(paper: int, ink: int) -> np.ndarray:
    """A line of print of that much `ink`, and of half of it in every fifth row, as a worn printer sets it."""
    print_on = cv2.putText(np.zeros((60, 400), np.uint8), "TOTAL 23.80", (20, 40), cv2.FONT_HERSHEY_PLAIN, 2, 1, 2)
    worn = np.full(60, ink)
    worn[::5] = ink // 2
    return (paper - print_on * worn[:, None]).astype(np.uint8)


def test_strokes_of_faint_print_are_whole():
    page = worn_print(250, 100)

    def pieces(options: DetectorOptions) -> int:
        return len(ink_regions(ink_map(page, options)))

    whole = pieces(DetectorOptions(contrast=5))
    assert pieces(DetectorOptions()) == whole
    assert pieces(DetectorOptions(faint_share=1.0)) > 2 * whole  # by the first threshold alone


def test_what_is_faint_on_a_page_of_dark_print_stays_as_it_is():
    page = np.vstack([worn_print(250, 200)] * 5 + [worn_print(250, 100)])
    alone = DetectorOptions(faint_share=1.0)
    assert np.array_equal(ink_map(page, DetectorOptions()), ink_map(page, alone))


def test_the_dots_of_a_faint_screen_are_no_pieces_of_letters():
    page = np.full((120, 400), 250, np.uint8)
    page[:, ::16] -= 20  # what is half as dark, from dot to dot
    for x, y in ((0, 0), (1, 0), (0, 1), (1, 1)):
        page[y::8, x::8] = 190
    plain = ink_map(page, DetectorOptions(faint_share=1.0))
    assert np.array_equal(ink_map(page, DetectorOptions()), plain)
    assert not np.array_equal(ink_map(page, DetectorOptions(faint_piece=0)), plain)


LETTERS = ((10, 5, 20), (22, 10, 20), (34, 10, 22), (50, 5, 20))  # where each begins on the line, its top and foot


def mask(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    """Ink in these boxes, x0 y0 x1 y1."""
    ink = np.zeros((60, 120), np.uint8)
    for x0, y0, x1, y1 in boxes:
        ink[y0:y1, x0:x1] = 255
    return ink


@pytest.mark.parametrize(
    ("beside", "found"),
    [
        ([(x, top + 18, x + 3, 40) for x, top, _ in LETTERS], True),
        ([(x, top + 18, x + 3, 48) for x, top, _ in LETTERS], False),  # letters that touch, by a bar of each
        ([(10, 0, 13, 40)], False),  # the foot of a large L
        ([(10, 22, 13, 40), (65, 22, 68, 40), (10, 22, 68, 24)], False),  # a box
        ([], False),  # a dash
    ],
)
def test_an_underline_is_a_thin_line_that_something_as_high_as_print_stands_on(beside, found):
    line = (8, 40, 70, 42)
    ink = mask(line, *beside)
    beside_it = mask((8, 39, 70, 43))  # a px wider, as all strokes are found
    assert np.array_equal(underline_map(ink, 15, DetectorOptions()), ink & beside_it if found else mask())


@pytest.mark.parametrize(
    ("pieces", "found"),
    [
        ([(8, 40, 70, 42)], True),
        ([(8, 40, 30, 42), (32, 40, 70, 42)], True),  # worn
        ([(8, 40, 30, 42), (36, 40, 70, 42)], False),
        ([(x, 40, x + 10, 42) for x in range(8, 70, 12)], False),  # letters' feet, or a dashed rule
    ],
)
def test_letters_may_stand_on_their_underline_and_it_may_be_worn(pieces, found):
    letters = [(x, 22, x + 8, 40) for x in (10, 20, 36, 48, 60)]
    ink = mask(*pieces, *letters)
    beside_it = mask((8, 39, 70, 43))
    assert np.array_equal(underline_map(ink, 17, DetectorOptions()), ink & beside_it if found else mask())


@pytest.mark.parametrize(
    ("beside", "found"), [((73, 22, 77, 42), False), ((73, 22, 77, 40), True), ((80, 22, 84, 42), True)]
)
def test_feet_that_touch_are_no_underline_where_a_letter_beside_them_reaches_as_low(beside, found):
    letters = [(x, 22, x + 9, 40) for x in (10, 20, 36, 48, 60)]
    ink = mask((8, 40, 70, 42), beside, *letters)
    assert underline_map(ink, 17, DetectorOptions()).any() == found


@pytest.mark.parametrize(("lines", "found"), [(3, True), (2, False)])
def test_lines_of_a_column_that_begin_and_end_alike_are_rules_though_print_is_close_below(lines, found):
    ink = np.zeros((20 * lines + 20, 100), np.uint8)
    for foot in range(17, 20 * lines + 17, 20):
        ink[foot : foot + 2, 10:80] = 255
        ink[foot - 12 : foot + 6, 30:33] = 255  # a bracket that touches it and reaches below
        ink[foot + 5 : foot + 18, 40:55] = 255  # the next row
    assert underline_map(ink, 15, DetectorOptions())[37, 20:25].all() == found


@pytest.mark.parametrize(
    ("feet", "grown"),
    [
        ([20, 20, 20, 20, 20], [23, 23, 23, 23, 23]),  # the rule runs through all of them
        ([18, 18, 20, 18, 18], [18, 18, 20, 18, 18]),  # it touches a comma
    ],
)
def test_low_letters_that_a_rule_runs_through_reach_down_to_its_lower_edge(feet, grown):
    ink, rules = np.zeros((40, 120), np.uint8), np.zeros((40, 120), np.uint8)
    rules[20:23, 5:115] = 255
    for i, foot in enumerate(feet):
        ink[foot - 5 : foot, 20 + 12 * i : 28 + 12 * i] = 255
    found = with_feet(ink_regions(ink), rules, 10.0, DetectorOptions())
    assert sorted(found.boxes[:, 3].tolist()) == sorted(grown)
