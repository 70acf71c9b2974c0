"""Overlays show each word's outline in the colour of its confidence."""

import numpy as np
import pytest

from ocrkit.document import Document, Page
from ocrkit.errors import OcrkitError
from ocrkit.formats.overlay import confidence_colour, draw_page


def test_colours_run_from_red_to_green():
    low, high = confidence_colour(0.0), confidence_colour(1.0)
    assert low[0] > 150 > low[1]
    assert high[1] > 150 > high[0]


def test_the_outline_lies_on_the_box_and_the_page_is_not_touched(document):
    page = document.pages[0]
    before = page.image.copy()
    drawn = draw_page(page)
    np.testing.assert_array_equal(page.image, before)
    assert drawn.shape == (200, 400, 3)
    x0, y0, x1, _ = page.words[0].box.astype(int)
    assert tuple(drawn[y0, (x0 + x1) // 2]) != (255, 255, 255)
    assert tuple(drawn[y0 - 10, x0]) == (255, 255, 255)


def test_a_page_without_image_cannot_be_drawn():
    with pytest.raises(OcrkitError, match="Page 1 has no image"):
        draw_page(Page(1, 10, 10))


def test_a_notebook_shows_pages_text_and_errors_escaped(document):
    html = document._repr_html_()
    assert html.count("data:image/png;base64,") == 1
    assert "&lt;more&gt;" in html
    assert "Page 2 of letter.pdf is damaged." in html
    assert "and 2 more pages" in Document(document.pages[:1] * 5)._repr_html_()
