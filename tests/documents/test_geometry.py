"""How far words' boxes stand off their ink."""

import numpy as np
import pytest

from ocrkit.document import Line, Word, box_to_quad
from ocrkit.documents.geometry import widened


@pytest.mark.parametrize(
    ("width", "height", "margin"),
    [
        (60, 10, 2.0),  # as asked for
        (10, 2, 0.2),  # a dash
        (8, 8, 0.9),  # a letter by itself, no more than half as large again
    ],
)
def test_a_margin_never_outgrows_its_word(width, height, margin):
    word = Word("a", box_to_quad((0, 0, width, height)), 0.9)
    (line,) = widened([Line((word,), 0)], lambda _: 2.0)
    assert np.asarray(line.words[0].box) == pytest.approx([-margin, -margin, width + margin, height + margin], abs=0.01)
