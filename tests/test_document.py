"""The document tree: text, numbers, and what it turns into."""

import json

import numpy as np

from ocrkit.document import Document, Line, Page, Word, box_to_quad, quad_to_box


def word(text, x0, confidence=1.0):
    return Word(text, box_to_quad((x0, 10, x0 + 30, 20)), confidence)


LINES = (Line((word("one", 0), word("two", 40))), Line((word("three", 0),)), Line((word("new", 0),), paragraph=1))


def test_text_has_a_line_a_line_and_a_blank_line_between_paragraphs():
    page = Page(1, 100, 50, LINES)
    assert page.text == "one two\nthree\n\nnew"
    assert Document((page, page)).text == "one two\nthree\n\nnew\n\fone two\nthree\n\nnew"
    assert Document((Page(1, 10, 10),)).text == ""


def test_boxes_and_quads_are_each_others_inverse():
    box = np.array([1.0, 2.0, 30.0, 40.0])
    np.testing.assert_array_equal(quad_to_box(box_to_quad(box)), box)
    np.testing.assert_array_equal(box_to_quad(box), [(1, 2), (30, 2), (30, 40), (1, 40)])


def test_a_line_spans_its_words_and_averages_their_confidence_by_length():
    line = Line((word("ab", 0, 0.5), word("cdef", 40, 0.8)))
    np.testing.assert_array_equal(line.box, (0, 10, 70, 20))
    np.testing.assert_array_equal(line.quad, [(0, 10), (70, 10), (70, 20), (0, 20)])
    assert np.isclose(line.confidence, (2 * 0.5 + 4 * 0.8) / 6)


def test_a_document_goes_through_json():
    document = Document((Page(1, 100, 50, LINES), Page(2, 0, 0, error="damaged")), "a.pdf", "test")
    data = json.loads(json.dumps(document.to_dict()))
    assert data["source"] == "a.pdf"
    assert [page["error"] for page in data["pages"]] == [None, "damaged"]
    first = data["pages"][0]["lines"][0]
    assert first["text"] == "one two"
    assert first["words"][1]["box"] == [40, 10, 70, 20]


def test_representations_are_short_and_show_no_arrays():
    word = Word("Hello", box_to_quad((0, 0, 9, 9)), 0.9)
    page = Page(1, 40, 30, (Line((word,)),), image=np.zeros((30, 40), np.uint8), original=b"x" * 99)
    assert repr(word) == "Word('Hello', 0.90)"
    assert repr(page.lines) == "(Line('Hello'),)"
    assert repr(Document((page,), "a.png")) == "Document('a.png', 1 page, 1 word)"
    assert (
        repr([page, Page(2, 0, 0, error="damaged")])
        == "[Page(1, 40 x 30 px, 1 word), Page(2, 0 x 0 px, error='damaged')]"
    )
