"""A document comes back from its JSON, whole or with a sentence."""

import json

import pytest

from ocrkit.document import Document, Page
from ocrkit.errors import OcrkitError


def test_a_document_comes_back_from_json_whichever_way_it_is_given(document, tmp_path):
    told = document.to_dict()
    path = tmp_path / "letter.json"
    path.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    for source in (told, json.dumps(told), path, str(path)):
        again = Document.load(source)
        assert again.to_dict() == told
        assert again.text == document.text


def test_what_a_page_was_read_from_comes_back_too():
    page = Page(3, 40, 60, rotation=270, turn=90, dpi=300, sheet_pt=(9.6, 14.4), left_out={"noise": 2})
    (again,) = Document.load(Document((page,)).to_dict()).pages
    assert (again.number, again.rotation, again.turn, again.dpi, again.sheet_pt, again.left_out) == (
        3, 270, 90, 300, (9.6, 14.4), {"noise": 2},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("{", "The JSON does not tell one document as `ocrkit read` does"),
        ("{}", "The JSON does not tell one document"),
        ({"source": "", "engine": "", "pages": 3}, "does not tell one document"),
        ({"source": "", "engine": "", "pages": [{"number": 1, "width": 9, "height": 9, "lines": [{"words": []}]}]},
         "a line has no words"),
        ("nowhere.json", "nowhere.json cannot be read: No such file or directory."),
    ],
)  # fmt: skip
def test_what_is_no_document_is_said(source, sentence):
    with pytest.raises(OcrkitError, match=sentence):
        Document.load(source)
