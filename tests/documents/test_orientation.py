"""Whether a page stands on its head: asked of as few boxes as tell."""

import numpy as np
import pytest

from ocrkit.documents.joins import Piece
from ocrkit.documents.orientation import OrientationOptions, stands_on_its_head
from ocrkit.documents.reading import Reading
from ocrkit.recognition import Guess


def guess(confidence: float) -> Guess:
    return Guess("word", confidence, np.zeros((4, 2)))


@pytest.mark.parametrize(
    ("upright", "on_head", "is_on_head", "most_asked"),
    [
        ([0.9] * 30, 0.3, False, 13),  # more than half of the 24 longest gain nothing
        ([0.95] * 20 + [0.5] * 10, 0.3, False, 0),  # nor could they
        ([0.5] * 30, 0.9, True, 24),
        ([0.9] * 10 + [0.4] * 20, 0.99, True, 24),
        ([0.5] * 11, 0.9, False, 0),  # too few boxes
    ],
)
def test_boxes_are_asked_until_their_median_is_known(upright, on_head, is_on_head, most_asked):
    page = np.full((60, 400), 255, np.uint8)
    pieces = [
        Piece(np.array([0.0, 0, 90 - i, 20]), 0.0, page[:20, : 90 - i], guess(sure)) for i, sure in enumerate(upright)
    ]
    asked = []

    def recognize(crops):
        asked.extend(crops)
        return [guess(on_head) for _ in crops]

    assert stands_on_its_head(Reading(page, pieces=pieces), recognize, OrientationOptions()) == is_on_head
    assert len(asked) <= most_asked
