"""Where letters begin and end for the gaps between them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ocrkit.detection import DetectorOptions, detect
from ocrkit.detection.regions import ink_regions
from ocrkit.detection.sides import standing_sides

HOOK = (-16, 52, 6, 56)  # of a j, from its stem to the left, below the line at 40


def drawn(hooked: tuple[int, ...]) -> np.ndarray:
    """Strokes on a line, 20 px apart and 20 px high, of which some have a hook below it."""
    ink = np.zeros((70, 200), np.uint8)
    for i in range(8):
        x = 30 + 20 * i
        ink[20 : 56 if i in hooked else 40, x : x + 6] = 255
        if i in hooked:
            ink[HOOK[1] : HOOK[3], x + HOOK[0] : x + HOOK[2]] = 255
    return ink


@pytest.mark.parametrize("hooked", [(), (4,), (0,), (7,), (3, 5)])
def test_what_hangs_below_the_line_is_no_side_of_a_letter(hooked):
    ink = drawn(hooked)
    boxes = ink_regions(ink).boxes
    boxes = boxes[np.argsort(boxes[:, 2])]
    whole = np.ones(len(boxes), bool)
    sides = standing_sides(boxes, whole, np.zeros(len(boxes), int), ink, DetectorOptions())
    assert sides.tolist() == [[30 + 20 * i, 36 + 20 * i] for i in range(8)]


def test_the_end_of_a_bracket_below_the_line_is_no_hook():
    ink = drawn(())
    ink[40:50, 110:113] = 255
    ink[48:50, 108:113] = 255
    boxes = ink_regions(ink).boxes
    sides = standing_sides(boxes, np.ones(8, bool), np.zeros(8, int), ink, DetectorOptions())
    assert sides.tolist() == boxes[:, [0, 2]].tolist()


def test_only_letters_on_lines_are_looked_at():
    ink = drawn((4,))
    boxes = ink_regions(ink).boxes
    for letter, line in ((True, -1), (False, 0)):
        sides = standing_sides(boxes, np.full(8, letter), np.full(8, line), ink, DetectorOptions())
        assert sides.tolist() == boxes[:, [0, 2]].tolist()


@pytest.mark.parametrize("hook", [True, False])
def test_the_hook_of_a_j_hides_no_space(hook):
    page = np.full((200, 700), 255, np.uint8)
    wide = cv2.getTextSize("nono", cv2.FONT_HERSHEY_SIMPLEX, 1.1, 3)[0][0]
    starts = [20 + (wide + 14) * word for word in range(5)]
    for row in range(3):
        for x in starts:
            cv2.putText(page, "nono", (x, 50 + 55 * row), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 0, 3)
    if hook:  # of the third word's first letter, which reaches under the second word
        page[100:116, starts[2] + 2 : starts[2] + 6] = 0
        page[113:117, starts[2] - 14 : starts[2] + 6] = 0
    words = [box for line in detect(page) for box in line.boxes]
    assert len(words) == 15
