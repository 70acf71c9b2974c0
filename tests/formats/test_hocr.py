"""hOCR: well formed, complete, boxes and confidences where the specification wants them."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from ocrkit.document import Document, Line, Page, Word, box_to_quad

XHTML = "{http://www.w3.org/1999/xhtml}"


def of_class(root, kind):
    return [node for node in root.iter() if node.get("class") == kind]


def test_hocr_holds_every_word_with_box_and_confidence(document):
    root = ET.fromstring(document.to_hocr())
    assert root.tag == f"{XHTML}html"
    words = of_class(root, "ocrx_word")
    assert [node.text for node in words] == [word.text for word in document.words]
    assert words[0].get("title") == "bbox 40 40 136 64; x_wconf 95"
    assert of_class(root, "ocr_page")[0].get("title") == 'image "letter.pdf"; bbox 0 0 400 200; ppageno 0'


def test_hocr_nests_page_area_paragraph_line_word(document):
    root = ET.fromstring(document.to_hocr())
    counts = {kind: len(of_class(root, kind)) for kind in ("ocr_page", "ocr_carea", "ocr_par", "ocr_line")}
    assert counts == {"ocr_page": 2, "ocr_carea": 2, "ocr_par": 2, "ocr_line": 3}
    parents = {child: parent.get("class") for parent in root.iter() for child in parent}
    for kind, above in (("ocrx_word", "ocr_line"), ("ocr_line", "ocr_par"), ("ocr_par", "ocr_carea")):
        assert {parents[node] for node in of_class(root, kind)} == {above}


def test_hocr_names_its_system_and_capabilities_and_no_id_twice(document):
    text = document.to_hocr()
    meta = dict(re.findall(r'<meta name="([^"]+)" content="([^"]+)"', text))
    assert meta["ocr-system"] == "ocrkit test"
    used = {f"ocr{kind}" for kind in re.findall(r'class="ocr([a-z_]+)"', text)}
    assert used <= set(meta["ocr-capabilities"].split())
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(("first", "degrees"), [(0, 0), (1, 270), (3, 90)])
def test_a_line_up_or_down_the_page_says_how_it_is_turned(first, degrees):
    quad = np.roll(box_to_quad((300, 20, 320, 120)), -first, axis=0)
    page = Page(1, 400, 200, lines=(Line((Word("2974", quad),)),))
    (line,) = of_class(ET.fromstring(Document((page,)).to_hocr()), "ocr_line")
    assert line.get("title") == "bbox 300 20 320 120" + (f"; textangle {degrees}" if degrees else "")
    block = ET.fromstring(Document((page,)).to_alto()).find(".//{*}TextBlock")
    assert block.get("ROTATION") == (str(degrees) if degrees else None)


def test_characters_that_xml_forbids_are_replaced():
    word = Word("a\x00b", box_to_quad((0, 0, 9, 9)))
    page = Page(1, 10, 10, (Line((word,)),), image=np.zeros((10, 10), np.uint8))
    assert "a\ufffdb" in Document((page,), 'quoted "name"').to_hocr()
