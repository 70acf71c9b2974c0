"""PAGE XML: the elements, their order and attributes, as the schema of 2019 has them."""

import importlib.util
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from ocrkit.document import Document, Line, Page, Word, box_to_quad
from ocrkit.errors import OcrkitError

NS = "{http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15}"
# From the schema: which children an element may have, in this order.
CHILDREN = {
    "PcGts": ["Metadata", "Page"],
    "Metadata": ["Creator", "Created", "LastChange"],
    "Page": ["ReadingOrder", "TextRegion"],
    "ReadingOrder": ["OrderedGroup"],
    "OrderedGroup": ["RegionRefIndexed"],
    "TextRegion": ["Coords", "TextLine", "TextEquiv"],
    "TextLine": ["Coords", "Word", "TextEquiv"],
    "Word": ["Coords", "TextEquiv"],
    "TextEquiv": ["Unicode"],
}
POINTS = re.compile(r"([0-9]+,[0-9]+ )+([0-9]+,[0-9]+)")  # as the schema says


@pytest.fixture
def text(document):
    return document.to_page_xml(1)


def test_elements_stand_where_the_schema_puts_them(text):
    root = ET.fromstring(text)
    assert root.tag == f"{NS}PcGts"
    for node in root.iter():
        places = [CHILDREN[node.tag.removeprefix(NS)].index(child.tag.removeprefix(NS)) for child in node]
        assert places == sorted(places)
    ids = [node.get("id") for node in root.iter() if node.get("id")]
    assert len(ids) == len(set(ids))
    assert all(POINTS.fullmatch(node.get("points")) for node in root.iter(f"{NS}Coords"))
    references = [node.get("regionRef") for node in root.iter(f"{NS}RegionRefIndexed")]
    assert references == [node.get("id") for node in root.iter(f"{NS}TextRegion")]


def test_it_is_valid_by_the_schema(text, document):
    """The package `ocrd_validators`, which is none of ours, brings the schema of 2019."""
    found = importlib.util.find_spec("ocrd_validators")
    if found is None:
        pytest.skip("no schema of PAGE XML: pip install --no-deps ocrd-validators")
    from lxml import etree

    schema = etree.XMLSchema(etree.parse(Path(found.submodule_search_locations[0]) / "page.xsd"))
    empty = Document((Page(1, 10, 10),), "empty.png").to_page_xml()
    for told in (text, empty):
        schema.assertValid(etree.fromstring(told.encode()))


def test_words_keep_texts_corners_and_confidences(text, document):
    words = list(ET.fromstring(text).iter(f"{NS}Word"))
    assert [word.findtext(f"{NS}TextEquiv/{NS}Unicode") for word in words] == [w.text for w in document.words]
    confidences = [float(word.find(f"{NS}TextEquiv").get("conf")) for word in words]
    assert confidences == pytest.approx([word.confidence for word in document.words])
    assert words[0].find(f"{NS}Coords").get("points") == "40,40 136,40 136,64 40,64"


def test_corners_beyond_the_page_are_put_on_its_edge():
    word = Word("edge", box_to_quad((-3, 5, 104, 20)))
    told = Document((Page(1, 100, 50, (Line((word,)),)),)).to_page_xml()
    assert 'points="0,5 100,5 100,20 0,20"' in told


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (None, "PAGE XML holds one page, and there are 2: say which."),
        (2, "Page 2 of letter.pdf is damaged."),
        (3, "There is no page 3."),
    ],
)
def test_what_is_no_page_is_said(number, sentence, document):
    with pytest.raises(OcrkitError, match=re.escape(sentence)):
        document.to_page_xml(number)


def test_a_page_whose_image_is_turned_text_keeps_the_corners_of_its_words():
    quad = np.roll(box_to_quad((300, 20, 320, 120)), -3, axis=0)
    told = Document((Page(1, 400, 200, (Line((Word("2974", quad),)),)),)).to_page_xml()
    assert 'points="300,120 300,20 320,20 320,120"' in told
