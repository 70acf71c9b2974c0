"""How far words' boxes stand off their ink."""

import numpy as np
import pytest

from ocrkit.document import Line, Word, box_to_quad
from ocrkit.documents.geometry import widened


@pytest.mark.parametrize(
    ("text", "width", "height", "margin"),
    [
        ("area", 60, 10, 2.0),  # as asked for
        ("–", 10, 2, 0.2),
        ("+", 6, 8, 1.04),  # a sign as wide as a letter, as that
        ("a", 8, 8, 1.22),  # a letter by itself, no more than seven tenths larger
        ("mm", 20, 6, 1.45),  # letters as low as dashes
        ("I", 2, 10, 0.2),
    ],
)
def test_a_margin_never_outgrows_its_word(text, width, height, margin):
    word = Word(text, box_to_quad((0, 0, width, height)), 0.9)
    (line,) = widened([Line((word,), 0)], lambda _: 2.0)
    assert np.asarray(line.words[0].box) == pytest.approx([-margin, -margin, width + margin, height + margin], abs=0.01)
