"""A small document whose every word's place is known."""

import numpy as np
import pytest

from ocrkit.document import Document, Line, Page, Word, box_to_quad

TEXT = (("Élodie's", "“café”"), ("costs", "€5", "&", "<more>"), ("Next", "paragraph"))


def line_of(words, left=40, top=40, paragraph=0, height=24) -> Line:
    """Words of letters half as wide as high, a letter's width apart."""
    placed, x = [], left
    for i, word in enumerate(words):
        width = 12 * len(word)
        placed.append(Word(word, box_to_quad((x, top, x + width, top + height)), 0.95 - 0.3 * i))
        x += width + 12
    return Line(tuple(placed), paragraph)


@pytest.fixture
def a_line():
    """The function that lays words on a line."""
    return line_of


@pytest.fixture
def document() -> Document:
    """Two pages: three lines in two paragraphs, and a page that could not be read."""
    lines = tuple(line_of(words, top=40 + 40 * i, paragraph=int(i == 2)) for i, words in enumerate(TEXT))
    page = Page(1, 400, 200, lines, image=np.full((200, 400), 255, np.uint8))
    return Document((page, Page(2, 0, 0, error="Page 2 of letter.pdf is damaged.")), "letter.pdf", "ocrkit test")
