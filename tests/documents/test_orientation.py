"""Which pages are read once more on their heads, and which of them are turned."""

import numpy as np
import pytest

from ocrkit.documents.joins import Piece
from ocrkit.documents.orientation import OrientationOptions, stands_on_its_head
from ocrkit.documents.reading import Reading
from ocrkit.recognition.decode import Guess

NO_SPANS = np.zeros((0, 2))
BOXES = OrientationOptions().asked_boxes


def page_of(confidences):
    crop = np.zeros((10, 40), np.uint8)
    pieces = [Piece(np.array([0, 0, 40, 10]), 0.0, crop, Guess("word", sure, NO_SPANS)) for sure in confidences]
    return Reading(crop, pieces=pieces)


@pytest.mark.parametrize(
    ("upright", "on_head", "asked", "turned"),
    [
        ([0.95] * 13 + [0.2] * 11, 1.0, False, False),  # most could not be read better
        ([0.95] * 12 + [0.2] * 12, 1.0, True, True),
        ([0.95] * 12 + [0.2] * 12, 0.2, True, False),
        ([0.6] * 24, 0.95, True, True),
        ([0.6] * 24, 0.3, True, False),
        ([0.2] * 11, 1.0, False, False),  # too few to tell
    ],
)
def test_a_page_is_asked_on_its_head_only_where_the_answer_could_turn_it(upright, on_head, asked, turned):
    batches = []

    def recognize(crops):
        batches.append(len(crops))
        return [Guess("word", on_head, NO_SPANS) for _ in crops]

    assert stands_on_its_head(page_of(upright), recognize, OrientationOptions()) == turned
    assert batches == ([BOXES] if asked else [])
