"""Overlays show each word's outline in the colour of its confidence."""

from dataclasses import replace

import numpy as np
import pytest

from ocrkit.document import Document, Line, Page, Word, box_to_quad
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


def test_a_notebook_says_how_much_of_a_page_was_left_out(document):
    assert "Left out" not in document._repr_html_()
    page = replace(document.pages[0], left_out={"noise": 3, "struck": 0, "unreadable": 1})
    assert "Left out: 3 (noise), 1 (unreadable)<" in Document([page])._repr_html_()


def test_words_are_drawn_on_their_ink_and_nowhere_else(document):
    (page, _) = document.pages
    drawn = document.render(1)
    assert drawn.shape == (200, 400, 3)
    marked = (drawn < 250).any(axis=2)
    inside = np.zeros_like(marked)
    for word in page.words:
        x0, y0, x1, y1 = word.box.astype(int)
        inside[y0 : y1 + 1, x0 : x1 + 1] = True
        assert marked[y0:y1, x0:x1].mean() > 0.1, word
    assert not marked[~inside].any()


def test_words_up_the_page_are_drawn_along_it():
    quad = np.roll(box_to_quad((100, 20, 130, 180)), -3, axis=0)
    drawn = Document((Page(1, 200, 200, (Line((Word("lll.....", quad),)),)),)).render()
    rows = np.flatnonzero((drawn < 200).any(axis=(1, 2)))
    tall = (drawn[100:] < 200).any(axis=2).sum()  # the tall letters come first, and so at the foot
    assert tall > 2 * (drawn[:100] < 200).any(axis=2).sum()
    assert rows.max() > 150


@pytest.mark.parametrize(("number", "sentence"), [(2, "Page 2 of letter.pdf is damaged."), (3, "There is no page 3.")])
def test_a_page_that_cannot_be_drawn_is_said(number, sentence, document):
    with pytest.raises(OcrkitError, match=sentence):
        document.render(number)


def test_pages_are_shown_in_the_image_viewer_and_where_there_is_none_that_is_said(document, monkeypatch):
    shown = []
    monkeypatch.setattr("PIL.ImageShow.show", lambda picture, title: shown.append((picture.size, title)) or True)
    document.show()
    assert shown == [((400, 200), "Page 1 of letter.pdf")]
    monkeypatch.setattr("PIL.ImageShow.show", lambda picture, title: False)
    with pytest.raises(OcrkitError, match="no image viewer"):
        document.show()
    with pytest.raises(OcrkitError, match="No page has an image"):
        Document.load(document.to_dict()).show()
