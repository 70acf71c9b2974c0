"""ALTO: the elements, their order and the attributes that the 4.2 schema demands."""

import xml.etree.ElementTree as ET

import pytest

NS = "{http://www.loc.gov/standards/alto/ns-v4#}"
# From the schema: which children an element may have, in this order, and which attributes it must have.
CHILDREN = {
    "alto": ["Description", "Styles", "Tags", "Layout"],
    "Description": ["MeasurementUnit", "sourceImageInformation", "OCRProcessing", "Processing"],
    "sourceImageInformation": ["fileName", "fileIdentifier", "documentIdentifier"],
    "Processing": ["processingCategory", "processingDateTime", "processingAgency", "processingSoftware"],
    "processingSoftware": ["softwareCreator", "softwareName", "softwareVersion", "applicationDescription"],
    "Layout": ["Page"],
    "Page": ["TopMargin", "LeftMargin", "RightMargin", "BottomMargin", "PrintSpace"],
    "PrintSpace": ["Shape", "TextBlock"],
    "TextBlock": ["Shape", "TextLine"],
    "String": ["Shape"],
    "Shape": ["Polygon"],
}
PLACE = {"HPOS", "VPOS", "WIDTH", "HEIGHT"}
ALLOWED = {
    "alto": {"SCHEMAVERSION", "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"},
    "Processing": {"ID"},
    "Page": {"ID", "PHYSICAL_IMG_NR", "WIDTH", "HEIGHT", "QUALITY", "QUALITY_DETAIL"},
    "PrintSpace": {"ID", *PLACE},
    "TextBlock": {"ID", *PLACE},
    "TextLine": {"ID", *PLACE},
    "String": {"ID", "CONTENT", "WC", *PLACE},
    "Polygon": {"POINTS"},
    "SP": PLACE,
}
QUALITIES = {"OK", "Missing", "Missing in original", "Damaged", "Retained", "Target", "As in original"}
NEEDED = {
    "Page": {"ID", "PHYSICAL_IMG_NR"},
    "Processing": {"ID"},
    "TextBlock": {"ID"},
    "String": {"CONTENT"},
}


@pytest.fixture
def root(document):
    return ET.fromstring(document.to_alto())


def test_elements_stand_where_the_schema_puts_them(root):
    assert root.tag == f"{NS}alto"
    for node in root.iter():
        name = node.tag.removeprefix(NS)
        children = [child.tag.removeprefix(NS) for child in node]
        if name in CHILDREN:
            places = [CHILDREN[name].index(child) for child in children]
            assert places == sorted(places)
        elif name == "TextLine":
            assert children[::2] == ["String"] * (len(children) // 2 + 1)
            assert children[1::2] == ["SP"] * (len(children) // 2)
        else:
            assert not children
        assert NEEDED.get(name, set()) <= set(node.attrib) <= ALLOWED.get(name, set())
        assert all(float(node.get(side, 0)) >= 0 for side in (*PLACE, "PHYSICAL_IMG_NR"))
        assert 0 <= float(node.get("WC", 0)) <= 1
        assert node.get("QUALITY", "OK") in QUALITIES
    ids = [node.get("ID") for node in root.iter() if node.get("ID")]
    assert len(ids) == len(set(ids))


def test_words_spaces_and_confidences_are_kept(root, document):
    strings = list(root.iter(f"{NS}String"))
    assert [node.get("CONTENT") for node in strings] == [word.text for word in document.words]
    assert [float(node.get("WC")) for node in strings] == pytest.approx([word.confidence for word in document.words])
    first, space = strings[0], next(root.iter(f"{NS}SP"))
    assert [first.get(side) for side in ("HPOS", "VPOS", "WIDTH", "HEIGHT")] == ["40", "40", "96", "24"]
    assert [space.get(side) for side in ("HPOS", "VPOS", "WIDTH", "HEIGHT")] == ["136", "40", "12", "24"]


def test_an_unread_page_says_why(root):
    page = list(root.iter(f"{NS}Page"))[1]
    assert page.get("QUALITY") == "Damaged"
    assert page.get("QUALITY_DETAIL") == "Page 2 of letter.pdf is damaged."
