"""Marks and the letters that they belong to."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from ocrkit.detection import DetectorOptions
from ocrkit.detection.leaders import dashed_rules, dotted_sides, leaders
from ocrkit.detection.lines import string_lines, with_accents, with_low_letters, without_faint_marks
from ocrkit.detection.prune import prune, small_points, with_colons
from ocrkit.detection.regions import Regions
from ocrkit.detection.settle import outside_lines, without_clashes
from ocrkit.detection.words import Words, split_words

WORD = [[0, 10, 10, 30], [12, 16, 22, 30], [24, 16, 34, 30]]  # a capital and two small letters
WORN = [(0, 30), (33, 38), (40, 90), (96, 99), (102, 130), (135, 150), (151, 160), (165, 190)]  # a rule


def strung(boxes, letter):
    boxes = np.array(boxes, float)
    return string_lines(boxes, np.array(letter), np.zeros(len(boxes), bool), 20, DetectorOptions())


@pytest.mark.parametrize(("off", "lines"), [(0, [0, 0]), (10, [1, 1])])
def test_all_points_of_an_ellipsis_are_of_the_word_before_it_and_of_the_line_of_what_is_close_behind(off, lines):
    points = [[38 + 12 * i, 27, 41 + 12 * i, 30] for i in range(3)]
    behind = [[74 + off, 16, 84 + off, 30], [86 + off, 16, 96 + off, 30]]  # farther from the word than a line reaches
    line, _ = strung([*WORD, *points, *behind], [True] * 3 + [False] * 3 + [True] * 2)
    assert line.tolist() == [0] * 6 + lines


def test_the_word_behind_an_ellipsis_is_one_of_its_own():
    points = [[38 + 12 * i, 27, 41 + 12 * i, 30] for i in range(3)]
    behind = [[80, 16, 90, 30], [92, 16, 102, 30]]
    line, _ = strung([*WORD, *points, *behind], [True] * 3 + [False] * 3 + [True] * 2)
    boxes, letter = np.array([*WORD, *points, *behind], float), np.array([True] * 3 + [False] * 3 + [True] * 2)
    words = split_words(boxes, letter, line, DetectorOptions())
    assert words.ink[:, [0, 2]].tolist() == [[0, 65], [80, 102]]


@pytest.mark.parametrize(("wide", "joined"), [(13, True), (5, False)])
def test_an_equals_sign_between_tall_letters_is_of_their_line(wide, joined):
    tall = [[0, 10, 10, 31], [44, 10, 54, 31]]
    boxes = np.array([*tall, [22, 18, 22 + wide, 25]], float)
    sign = np.array([False, False, True])
    line, _ = string_lines(boxes, np.ones(3, bool), sign, 15, DetectorOptions())
    assert bool(line[2] == line[0]) is joined


@pytest.mark.parametrize(("points", "joined"), [(3, True), (6, False)])
def test_a_dotted_rule_is_no_ellipsis(points, joined):
    dots = [[52 + 13 * i, 27, 55 + 13 * i, 30] for i in range(points)]
    line, _ = strung([*WORD, [38, 27, 41, 30], *dots[: points - 1]], [True] * 3 + [False] * points)
    assert bool(line[-1] == line[0]) is joined


@pytest.mark.parametrize(
    ("mark", "is_letter"),
    [
        ([35, 25, 38, 36], False),  # a comma of three quarters of the height of an n beside it
        ([35, 16, 45, 30], True),  # a letter
    ],
)
def test_a_mark_as_high_as_low_letters_is_known_by_the_highest_of_its_line(mark, is_letter):
    line, letter = strung([*WORD, mark], [True] * 4)
    assert bool(letter[-1]) is is_letter
    assert len(set(line.tolist())) == 1


@pytest.mark.parametrize(("mark", "is_letter"), [([39, 25, 44, 35], False), ([39, 20, 44, 30], True)])
def test_a_typewriters_comma_is_no_letter_of_the_word_behind_it(mark, is_letter):
    behind = [[75, 16, 85, 35], *([75 + 12 * i, 16, 85 + 12 * i, 30] for i in range(1, 5))]
    line, letter = strung([*WORD, mark, *behind], [True] * 9)
    assert bool(letter[3]) is is_letter  # what stands on the line may be one
    assert len(set(line.tolist())) == 1


LOW = [[0, 16, 12, 30], [14, 16, 26, 30]]  # letters without ascenders, at whose tops apostrophes end


@pytest.mark.parametrize(
    ("before", "marks", "behind"),
    [
        (LOW, [[28, 8, 31, 16]], [[34, 16, 46, 30]]),  # an apostrophe
        ([], [[-10, 8, -7, 16], [-5, 8, -2, 16]], LOW),  # an opening quotation mark
        ([*LOW, [28, 27, 31, 30]], [[36, 8, 39, 16], [41, 8, 44, 16]], []),  # a closing one behind a point
        ([*LOW, [28, 27, 31, 30]], [[41, 8, 49, 15]], []),  # whose halves touch
        (LOW, [[28, 6, 31, 15]], [[34, 16, 46, 30]]),  # an apostrophe of a face with high capitals
    ],
)
def test_marks_that_end_where_low_letters_begin_are_of_their_line(before, marks, behind):
    boxes = [*before, *marks, *behind]
    high = [box[3] - box[1] > 4 for box in boxes]
    line, letter = strung(boxes, high)
    assert set(line.tolist()) == {0}
    assert not letter[len(before) : len(before) + len(marks)].any()


@pytest.mark.parametrize(("gap", "found"), [(14, True), (40, False)])
def test_a_quotation_mark_behind_a_comma_is_of_its_line_as_in_the_cells_of_a_typewriter(gap, found):
    halves = [[36 + gap, 8, 39 + gap, 15], [41 + gap, 8, 44 + gap, 15]]
    line, letter = strung([*LOW, [32, 27, 36, 33], *halves], [True] * 2 + [False] + [True] * 2)
    assert (line[-2:] == line[0]).tolist() == [found] * 2
    assert letter[-2:].tolist() == [not found] * 2


def test_a_speck_as_high_as_the_apostrophes_of_a_face_with_high_capitals_is_of_no_line():
    line, _ = strung([*LOW, [28, 9, 31, 12], [34, 16, 46, 30]], [True, True, False, True])
    assert line.tolist() == [0, 0, -1, 0]


@pytest.mark.parametrize(("height", "line"), [(120, 0), (60, 1)])
def test_the_point_of_a_number_does_not_belong_to_what_is_left_of_the_frame_around_it(height, line):
    frame, figure, point = [0, 0, 40, height], [14, 10, 24, 30], [26, 27, 29, 30]
    lines, _ = strung([figure, frame, point], [True, True, False])
    assert lines.tolist() == [0, 1, line]


def test_a_comma_close_above_the_next_line_is_no_apostrophe_of_that():
    comma, below = [34, 27, 38, 36], [[8, 39, 20, 59], [30, 39, 42, 59]]
    line, _ = strung([*LOW, comma, *below], [True, True, False, True, True])
    assert line.tolist() == [0, 0, 0, 1, 1]


def test_letters_of_the_line_above_are_no_marks():
    above = [[0, 0, 10, 14], [12, 0, 22, 14], [24, 0, 27, 14]]
    line, letter = strung([*above, *np.add(LOW, [28, 0, 28, 0]).tolist()], [True] * 5)
    assert letter.all()
    assert line[0] != line[-1]


def test_a_comma_above_a_low_letter_does_not_join_its_line_to_that_below():
    above = [[20, 5, 44, 17], [45, 7, 58, 17], [58, 12, 60, 17]]
    below = [[13, 23, 39, 33], [41, 19, 52, 30], [54, 23, 62, 30]]
    line, _ = strung([*above, *below], [True] * 6)
    assert line.tolist() == [0, 0, 0, 1, 1, 1]


def test_a_row_of_stars_beside_a_word_is_no_part_of_it():
    stars = [[-12 * i - 10, 8, -12 * i - 4, 15] for i in range(5)]
    line, _ = strung([*stars, *LOW], [False] * 5 + [True] * 2)
    assert (line[:5] == line[-1]).sum() <= 1


@pytest.mark.parametrize(
    ("beside", "is_letter"),
    [
        ([12, 22, 20, 30], True),  # an n beside a tall letter, in print much smaller than the page's
        ([12, 26, 15, 34], False),  # a comma, which ends below it
        ([12, 27, 15, 30], False),  # a point
        ([50, 22, 58, 30], False),  # far off
    ],
)
def test_low_letters_of_small_print_are_no_marks(beside, is_letter):
    boxes = np.array([[0, 16, 10, 30], beside, [beside[0] + 10, beside[1], beside[2] + 10, beside[3]]], float)
    letter = with_low_letters(boxes, np.array([True, False, False]), 17, DetectorOptions())
    assert letter.tolist() == [True, is_letter, is_letter]


def regions(*boxes):
    corners = np.array(boxes, float)
    area = (corners[:, 2:] - corners[:, :2]).prod(1)
    return Regions(corners, area, np.full(len(corners), 100.0))


@pytest.mark.parametrize(
    ("around", "letters", "kept"),
    [
        ([0, 0, 60, 50], WORD, False),  # a stamp's ring, or a stroke of a pen, over letters of several lines
        ([0, 0, 60, 50], WORD[:1], True),  # the first letter of a chapter, and one beside its foot
        ([0, 8, 60, 36], WORD, True),  # hardly higher than these: a bracket, or large print that they touch
    ],
)
def test_what_holds_letters_much_lower_than_it_is_no_letter(around, letters, kept):
    found, letter, _ = prune(
        replace(regions(around, *letters), area=np.full(1 + len(letters), 30.0)), 20.0, DetectorOptions()
    )
    assert letter.all()
    assert found.boxes.tolist() == [around] * kept + letters


@pytest.mark.parametrize(
    ("points", "colon", "marks"),
    [
        ([[0, 0, 3, 2], [0, 10, 3, 14]], [0, 0, 3, 14], 0),  # the edge of whose lower point is blurred
        ([[0, 4, 1, 6], [0, 9, 1, 10]], [0, 4, 1, 10], 0),  # of small print
        ([[0, 5, 3, 7], [0, 8, 3, 12]], None, 2),  # pieces of a letter of worn print
        ([[0, 4, 1, 6], [0, 20, 1, 21]], None, 1),  # one pixel alone is noise
    ],
)
def test_two_points_one_above_the_other_are_a_colon(points, colon, marks):
    joined, _, sign = with_colons(regions(*points), np.zeros(2, bool), np.zeros(2, bool), 15.0, DetectorOptions())
    assert joined.boxes[sign].tolist() == ([colon] if colon else [])
    assert (~sign).sum() == marks


@pytest.mark.parametrize(
    ("specks", "points"),
    [
        ([[36, 29, 37, 30]], 1),  # behind the last letter, at its foot
        ([[36, 18, 37, 19]], 0),  # higher up
        ([[66, 29, 67, 30]], 0),  # too far off
        ([[36, 29, 37, 30], [36, 25, 37, 26]], 2),  # of a colon, whose upper point is no dirt
        ([[36, 29, 37, 30], [40, 22, 41, 23]], 0),  # one in dirt
        ([[36, 29, 37, 30], [40, 22, 41, 23], [136, 29, 137, 30], [236, 28, 237, 29], [336, 30, 337, 31]], 4),
    ],
)
def test_a_pixel_at_the_foot_of_a_letter_is_a_point_where_few_stand_higher(specks, points):
    letters = [[x + box[0], box[1], x + box[2], box[3]] for x in range(0, 400, 100) for box in WORD]
    page = regions(*letters, *specks)
    sizes = (page.boxes[:, 2:] - page.boxes[:, :2]).prod(1)
    found, _, _ = with_colons(*prune(replace(page, area=sizes), 9.0, DetectorOptions()), 9.0, DetectorOptions())
    assert (found.area == 1).sum() + 2 * (found.area == 2).sum() == points


def test_dirt_beyond_number_has_no_points_and_takes_little_memory():
    places = np.random.default_rng(0).integers(0, [2480, 3508], (60_000, 2))
    boxes = np.concatenate([WORD, np.hstack([places, places + 1]), [[36, 29, 37, 30]]]).astype(float)
    speck = np.arange(len(boxes)) >= len(WORD)
    page = Regions(boxes, np.where(speck, 1, 100), np.full(len(boxes), 100.0))
    tracemalloc.start()
    try:
        assert not small_points(page, ~speck, speck, DetectorOptions()).any()
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("sign", "letter", "gaps", "words"),
    [
        ([0, 12, 6, 18], False, (None, 14), 2),  # an asterisk before a word
        ([0, 12, 6, 18], False, (None, 2), 1),  # an opening quotation mark
        ([0, 17, 4, 28], True, (14, 14), 3),  # a colon between two spaces
        ([0, 17, 4, 28], True, (8.8, 8.8), 3),  # between two that are rather spaces
        ([0, 17, 4, 28], True, (2, 14), 2),  # at its word
        ([0, 26, 4, 30], False, (14, 14), 2),  # a point goes with the word before it
    ],
)
def test_colons_and_asterisks_between_sure_spaces_are_words(sign, letter, gaps, words):
    before, behind = gaps
    boxes, letters = [], []
    x = 0
    if before is not None:
        boxes += [[12 * i, 10, 12 * i + 10, 30] for i in range(4)]
        letters += [True] * 4
        x = 46 + before
    boxes.append([x + sign[0], sign[1], x + sign[2], sign[3]])
    letters.append(letter)
    x += sign[2] + behind
    boxes += [[x + 12 * i, 10, x + 12 * i + 10, 30] for i in range(4)]
    letters += [True] * 4
    line = np.zeros(len(boxes), int)
    assert len(split_words(np.array(boxes, float), np.array(letters), line, DetectorOptions())) == words


@pytest.mark.parametrize("wide_first", [True, False])
def test_columns_that_stand_close_have_spaces_of_their_own(wide_first):
    boxes, x = [], 0.0
    for space in (15, 6) if wide_first else (6, 15):
        for _ in range(8):
            boxes += [[x + 12 * i, 10, x + 12 * i + 10, 30] for i in range(4)]
            x += 46 + space
        x += 40
    line, letter = np.zeros(len(boxes), int), np.ones(len(boxes), bool)
    assert len(split_words(np.array(boxes), letter, line, DetectorOptions())) == 16


@pytest.mark.parametrize(
    ("mark", "foot", "words"),
    [
        ([61, 18, 65, 22], 30, 3),  # a middle dot
        ([61, 26, 65, 30], 30, 2),  # a point
        ([61, 26, 65, 30], 36, 2),  # one behind a letter that hangs below the line
        ([53, 18, 57, 22], 30, 2),  # closer to one of the two
        ([59, 19, 67, 22], 30, 3),  # a dash
        ([61, 8, 65, 12], 30, 2),  # as high as a quotation mark
    ],
)
def test_a_dot_half_way_up_and_half_way_between_two_words_is_a_word(mark, foot, words):
    boxes = [[x + 12 * i, 10, x + 12 * i + 10, 30] for x in (0, 80, 141, 202) for i in range(4)]
    boxes[3][3] = foot
    boxes.append(mark)
    letters = [True] * 16 + [False]
    line = np.zeros(len(boxes), int)
    found = split_words(np.array(boxes, float), np.array(letters), line, DetectorOptions())
    assert len(found) == words + 2


def points(number, pitch=9):
    return [[38 + pitch * i, 27, 41 + pitch * i, 30] for i in range(number)]


@pytest.mark.parametrize(
    ("boxes", "found"),
    [
        (points(9), 9),  # a leader
        ([*points(9), [120, 27, 128, 30]], 10),  # its end, of two points that touch
        ([*points(9), [123, 27, 126, 30]], 9),  # the point of a word beside it
        ([*points(5), *points(12)[6:]], 11),  # one of its points is lost
        (points(3), 0),  # an ellipsis
        ([[35, 27, 38, 30], *points(9, 9)[1:]], 8),  # the point of a word, not at their step
        ([[36, 27, 39, 30], *[[45 + 9 * i, 27, 48 + 9 * i, 30] for i in range(8)]], 9),  # a leader's, close to a word
        (
            [box for i in range(7) for box in ([20 * i, 27, 20 * i + 3, 30], [20 * i + 5, 10, 20 * i + 16, 30])],
            0,
        ),  # a.b.c.
        ([*points(4, 5), [58, 27, 66, 30], *points(9, 5)[6:], [60, 20, 61, 21]], 8),  # two that touch, and dirt
        ([[0, 25 + i % 2 * 5, 3, 28 + i % 2 * 5] for i in range(9)], 0),  # not in a row
        ([[x, 27, x + 3, 30] for x in (38, 46, 57, 71, 80, 93, 103, 118, 126)], 0),  # at uneven steps
        ([[40 + 22 * i, 16, 54 + 22 * i, 30] for i in range(9)], 0),  # bold letters of a typewriter
    ],
)
def test_low_points_at_even_steps_with_no_letter_between_them_are_a_leader(boxes, found):
    boxes = np.array([*WORD, *boxes], float)
    regions = Regions(boxes, (boxes[:, 2:] - boxes[:, :2]).prod(1) * 0.8, np.full(len(boxes), 200.0))
    inside = leaders(regions, DetectorOptions())
    assert not inside[:3].any()
    assert inside.sum() == found


def test_a_page_of_heavy_letters_at_even_steps_alone_has_no_leader():
    letters, points = [[40 + 22 * i, 16, 54 + 22 * i, 30] for i in range(9)], [[0, 50, 3, 53], [57, 27, 60, 30]]
    boxes = np.array([*letters, *points], float)
    regions = Regions(boxes, (boxes[:, 2:] - boxes[:, :2]).prod(1) * 0.8, np.full(len(boxes), 200.0))
    assert not leaders(regions, DetectorOptions()).any()


@pytest.mark.parametrize(
    ("boxes", "found"),
    [
        ([[20 * i, 33, 20 * i + 12, 36] for i in range(9)], 9),
        ([[x, 33 + i % 2, end, 36] for i, (x, end) in enumerate(WORN)], 8),
        ([[20 * i, 33, 20 * i + 12, 36] for i in range(7)], 0),  # too few
        ([[40 * i, 33, 40 * i + 12, 36] for i in range(9)], 0),  # of the cells of a table
        ([[20 * i, 33 + 4 * (i % 2), 20 * i + 12, 36 + 4 * (i % 2)] for i in range(9)], 0),  # not level
        ([[20 * i, 33, 20 * i + 12, 43] for i in range(9)], 0),  # as high as letters' parts
    ],
)
def test_level_pieces_close_to_each_other_are_a_dashed_or_worn_rule(boxes, found):
    boxes = np.array([*WORD, *boxes], float)
    regions = Regions(boxes, (boxes[:, 2:] - boxes[:, :2]).prod(1), np.full(len(boxes), 200.0))
    pieces = dashed_rules(regions, 20.0)
    assert not pieces[:3].any()
    assert pieces.sum() == found


@pytest.mark.parametrize(("box", "kept"), [((50, 0, 53, 60), False), ((50, 0, 58, 60), True), ((50, 8, 53, 38), True)])
def test_a_stroke_far_higher_than_wide_is_a_sheets_edge_and_no_letter(box, kept):
    boxes = np.array([*WORD, box], float)  # the others are a bracket over lines and a bar
    regions = Regions(boxes, (boxes[:, 2:] - boxes[:, :2]).prod(1) * 0.7, np.full(len(boxes), 200.0))
    assert len(prune(regions, 20.0, DetectorOptions())[0]) == len(WORD) + kept


def test_slim_letters_of_a_heading_are_no_sheets_edge():
    boxes = np.array([*WORD, (100, 20, 105, 80), (115, 20, 120, 80), (135, 38, 170, 80)], float)
    regions = Regions(boxes, (boxes[:, 2:] - boxes[:, :2]).prod(1) * 0.7, np.full(len(boxes), 200.0))
    assert len(prune(regions, 20.0, DetectorOptions())[0]) == len(boxes)


def test_thousands_of_slim_strokes_are_the_hatching_of_a_drawing():
    strokes = [[100 + 15 * (i % 40), 100 * (i // 40), 105 + 15 * (i % 40), 100 * (i // 40) + 60] for i in range(1200)]
    boxes = np.array([*WORD, *strokes], float)
    regions = Regions(boxes, (boxes[:, 2:] - boxes[:, :2]).prod(1) * 0.7, np.full(len(boxes), 200.0))
    assert len(prune(regions, 20.0, DetectorOptions())[0]) == len(WORD)


def words_of_a_line(boxes, letters):
    boxes, ones = np.array(boxes, float), np.ones(len(boxes))
    return Words(boxes, boxes, np.zeros(len(boxes), int), np.array(letters), ones, 0 * ones)


@pytest.mark.parametrize(("letters", "kept"), [(2, 0), (3, 1)])
def test_a_word_of_small_print_that_lies_on_words_of_as_many_letters_is_none(letters, kept):
    small = words_of_a_line([[10, 10, 44, 30]], [letters])
    page = words_of_a_line([[10, 10, 20, 30], [28, 10, 48, 30]], [1, 1])
    assert len(outside_lines(small, page, DetectorOptions())) == kept


@pytest.mark.parametrize(
    ("whole", "kept"),
    [
        ([10, 10, 54, 34], 0),  # with a comma
        ([4, 2, 44, 30], 0),  # with an opening mark
        ([10, 10, 64, 30], 1),  # with another letter
    ],
)
def test_a_word_of_small_print_that_lies_in_the_same_word_with_marks_is_none(whole, kept):
    small, page = words_of_a_line([[10, 10, 44, 30]], [9]), words_of_a_line([whole], [5])
    assert len(outside_lines(small, page, DetectorOptions())) == kept


def test_a_word_of_small_print_below_the_g_of_a_large_word_is_one():
    small = words_of_a_line([[10 + 50 * i, 70, 44 + 50 * i, 90] for i in range(5)], [3] * 5)
    large = words_of_a_line([[0, 10, 90, 85]], [5])
    assert len(outside_lines(small, large, DetectorOptions())) == 5


@pytest.mark.parametrize(("height", "typical", "kept"), [(60, 20, [1, 2]), (25, 20, [0, 2]), (60, 40, [0, 2])])
def test_a_signature_over_a_line_of_more_letters_is_no_word(height, typical, kept):
    boxes = np.array([[0, 40 - height, 100, 40], [10, 20, 60, 40], [120, 20, 180, 40]], float)
    ones = np.ones(3)
    words = Words(boxes, boxes, np.array([0, 1, 1]), np.array([7, 5, 8]), ones, 0 * ones)
    assert without_clashes(words, typical, DetectorOptions()).boxes.tolist() == boxes[kept].tolist()


@pytest.mark.parametrize(("rows", "found"), [(2, True), (150, False)])
def test_dots_beyond_number_are_a_screen_and_no_leaders(rows, found):
    dots = [[40 + 9 * i, 27 + 40 * row, 43 + 9 * i, 30 + 40 * row] for row in range(rows) for i in range(90)]
    boxes = np.array([*WORD, *dots], float)
    regions = Regions(boxes, (boxes[:, 2:] - boxes[:, :2]).prod(1) * 0.8, np.full(len(boxes), 200.0))
    assert leaders(regions, DetectorOptions())[3:].all() == found
    assert leaders(regions, DetectorOptions()).any() == found


@pytest.mark.parametrize(
    ("step", "number", "found"),
    [
        (13, 3, 11),  # wide steps, as on the row above
        (13, 1, 9),
        (9, 3, 8),  # an ellipsis
        (9, 4, 12),
    ],
)
def test_a_row_of_few_points_is_a_leader_where_longer_ones_are(step, number, found):
    long, short = points(8, step), [[38 + step * i, 67, 41 + step * i, 70] for i in range(number)]
    boxes = np.array([*WORD, *long, *short], float)
    regions = Regions(boxes, (boxes[:, 2:] - boxes[:, :2]).prod(1) * 0.8, np.full(len(boxes), 200.0))
    assert leaders(regions, DetectorOptions()).sum() == (found if number > 1 else 8)


@pytest.mark.parametrize(
    ("mark", "joined"),
    [
        ([27, 8, 32, 13], True),  # an accent over the second of them
        ([27, 2, 32, 7], False),  # too far above
        ([27, 9, 30, 12], True),  # the dot of an i, a fifth as high
        ([27, 13, 28, 14], False),  # a speck
        ([20, 8, 32, 13], False),  # beside it
    ],
)
def test_an_accent_over_a_low_letter_is_of_its_line(mark, joined):
    boxes = np.array([[0, 10, 10, 30], [12, 16, 22, 30], [24, 16, 36, 30], mark], float)
    letter, line = np.array([True] * 4), np.array([0, 0, 0, 1])
    line, letter = with_accents(boxes, letter, line, DetectorOptions())
    assert (line[-1] == 0, not letter[-1]) == (joined, joined)


def test_a_comma_of_the_line_above_is_no_accent():
    boxes = np.array([[0, -16, 10, 4], [12, 0, 15, 8], [0, 10, 10, 30], [12, 12, 24, 30], [26, 12, 36, 30]], float)
    line, _ = with_accents(boxes, np.ones(5, bool), np.array([0, 1, 2, 2, 2]), DetectorOptions())
    assert line[1] != line[3]


@pytest.mark.parametrize(("gap", "found"), [(6, True), (30, False)])
def test_a_comma_behind_a_quotation_mark_is_of_its_line(gap, found):
    quote = [[36, 8, 39, 16], [41, 8, 44, 16]]
    line, _ = strung([*LOW, *quote, [44 + gap, 26, 47 + gap, 34]], [True] * 2 + [True] * 2 + [False])
    assert bool(line[-1] == line[0]) is found


def test_letters_beside_a_scratch_are_no_marks_and_a_comma_behind_a_brace_is_one():
    _, letter = strung([[0, 0, 8, 26], [12, 20, 16, 28]], [True, True])
    assert letter.tolist() == [True, False]
    _, letter = strung([[-12, 0, -8, 60], *LOW], [True] * 3)
    assert letter.all()
    _, letter = strung([[0, 0, 60, 60], [64, 20, 74, 40]], [True, True])  # a figure in the reach of a stroke of a pen
    assert letter.all()


@pytest.mark.parametrize(
    ("mark", "contrast", "kept"),
    [
        ([-8, 32, -2, 40], 25.0, False),  # the corner of a tint below the word's line
        ([-8, 32, -2, 40], 60.0, True),
        ([36, 26, 39, 30], 25.0, True),  # a faint point of worn print
    ],
)
def test_marks_beyond_their_line_that_are_much_fainter_than_its_letters_are_left_out(mark, contrast, kept):
    letter, line = np.array([True] * 3 + [False]), np.zeros(4, int)
    boxes, levels = np.array([*WORD, mark], float), np.array([100.0, 95.0, 105.0, contrast])
    found = without_faint_marks(boxes, levels, letter, line, DetectorOptions())
    assert found.tolist() == [0, 0, 0, 0 if kept else -1]


def rows(*tops, letters=12):
    """Lines of low letters 10 px high and wide, 3 px apart."""
    left = 13.0 * np.arange(letters)
    return np.concatenate([np.stack([left, top + 0 * left, left + 10, top + 10 + 0 * left], axis=1) for top in tops])


def test_a_stroke_from_one_line_to_the_next_does_not_make_them_one():
    letters = rows(0, 12)
    line, _ = strung([*letters, [155, 4, 158, 18]], [True] * (len(letters) + 1))
    upper, lower = (set(of_row.tolist()) for of_row in line[: len(letters)].reshape(2, -1))
    assert len(upper) == len(lower) == 1
    assert upper != lower


def test_two_specks_between_lines_do_not_make_them_one():
    upper, lower = rows(0), rows(16)
    specks = [[34, 11, 36, 15], [38, 11, 40, 15]]  # each nearer to another line, with a blank beyond
    boxes = [*np.delete(upper, 3, axis=0), *np.delete(lower, 2, axis=0), *specks]
    line, _ = strung(boxes, [True] * (len(boxes) - 2) + [False] * 2)
    assert set(line[:11].tolist()).isdisjoint(line[11:22].tolist())


def test_a_short_second_line_that_specks_tie_to_a_long_one_is_one_of_its_own():
    upper, lower = rows(0, letters=70), rows(16)
    specks = [[34, 11, 36, 15], [38, 11, 40, 15]]
    boxes = [*np.delete(upper, 3, axis=0), *np.delete(lower, 2, axis=0), *specks]
    line, _ = strung(boxes, [True] * (len(boxes) - 2) + [False] * 2)
    assert set(line[: len(upper) - 1].tolist()).isdisjoint(line[len(upper) - 1 : -2].tolist())


@pytest.mark.parametrize(
    ("step", "points", "rule"),
    [
        (7, 12, True),
        (7, 5, False),  # too few
        (12, 12, False),  # bullets of a list
    ],
)
def test_points_close_below_each_other_are_a_dotted_line_down_the_page(step, points, rule):
    top = 20.0 + step * np.arange(points)
    boxes = np.stack([40 + 0.02 * top, top, 45 + 0.02 * top, top + 5], 1)  # a little askew
    beside = np.array([[60, 20, 64, 30], [66, 23, 72, 30]])
    regions = Regions(np.vstack([boxes, beside]), np.full(points + 2, 22.0), np.full(points + 2, 150.0))
    assert dotted_sides(regions).tolist() == [rule] * points + [False, False]
