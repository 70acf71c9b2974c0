"""The index: what is found, where on the page, and that nothing stays of what is forgotten."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from ocrkit.service.index import BadQuery, Index, pack, tokens_of, unpack
from ocrkit.service.results import StoredWord


def words(text: str) -> list[StoredWord]:
    """Words in lines of five, wide as their letters."""
    found = []
    for place, part in enumerate(text.split()):
        x, y = 100.0 * (place % 5), 40.0 * (place // 5)
        box = (x, y, x + 10 * len(part), y + 30)
        quad = ((x, y), (box[2], y), (box[2], y + 30), (x, y + 30))
        found.append(StoredWord(text=part, confidence=0.86, doubtful=False, box=box, quad=quad))
    return found


PAGES = {
    "invoice": "Invoice 2041 from O'Neill & Sons, Straße 5: two boxes of paper, total $ 19.90 (incl. VAT) by ABC-12",
    "letter": "Dear Mr. O'Neill, the boxes of apples came late; paper was missing. Yours, Günther Größe",
    "receipt": "RECEIPT No 77 apples 2 x 1.10 tota1 2.20 EUR thank you café",
    "note": "one two three four five six seven eight nine ten eleven twelve thirteen",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory) -> Index:
    made = Index(tmp_path_factory.mktemp("index") / "index.db")
    for number, (name, text) in enumerate(PAGES.items()):
        made.add(name, 1, words(text), (500, 700), "pdf" if name != "receipt" else "jpeg", added=1000.0 * number)
    return made


def found(index: Index, asked: str, **options) -> list[str]:
    return [hit.document for hit in index.search(asked, **options).hits]


@pytest.mark.parametrize(
    ("asked", "documents"),
    [
        ("boxes", ["letter", "invoice"]),
        ("BOXES paper", ["letter", "invoice"]),
        ('"boxes of paper"', ["invoice"]),
        ('"paper of boxes"', []),
        ('"boxes of', ["letter", "invoice"]),
        ("invoi*", ["invoice"]),
        ("o'neill", ["letter", "invoice"]),
        ("oneill", []),
        ("ABC-12", ["invoice"]),
        ("12", ["invoice"]),
        ("$", ["invoice"]),
        ("19.90", ["invoice"]),
        ("strasse", ["invoice"]),
        ("STRASSE", ["invoice"]),
        ("grosse gunther", ["letter"]),
        ("cafe", ["receipt"]),
        ("one NEAR five", ["note"]),
        ("one NEAR/2 five", []),
        ("one NEAR thirteen", []),
        ("apples paper", ["letter"]),
        ("nowhere", []),
    ],
)
def test_what_is_asked_for_is_found_the_newest_first(index, asked, documents):
    assert found(index, asked, fuzzy=False) == documents


@pytest.mark.parametrize(
    "asked",
    [
        'the "', "- boxes", "boxes -", "*boxes", "NEAR( boxes", "NEAR(boxes, 3", "boxes AND", "boxes OR", "NOT boxes",
        "boxes:", "text:boxes", "{boxes}", "^boxes", "boxes + paper", "(boxes", "boxes) --",
        "'; DROP TABLE page; boxes",
        '"" boxes', "boxes\0paper", "boxes 😀", "\u202eboxes", 'bo"xes', "NEAR boxes", "boxes NEAR", "boxes NEAR/0 of",
        "boxes NEAR/999 of", "%boxes%", "boxes\\", "ﬁle boxes", "\ud800 boxes",
    ],
)  # fmt: skip
def test_no_question_is_too_strange(index, asked):
    index.search(asked)  # without an error


@pytest.mark.parametrize("asked", ["", " ", '"', "-", "*", "😀", "()", "''", "\0"])
def test_a_question_without_a_word_is_said_to_be_none(index, asked):
    with pytest.raises(BadQuery, match="no word"):
        index.search(asked)


@pytest.mark.parametrize(("asked", "said"), [("x" * 10_000, "characters"), ("a " * 100, "32 words")])
def test_a_question_that_is_too_long_is_refused(index, asked, said):
    with pytest.raises(BadQuery, match=said):
        index.search(asked)


@pytest.mark.parametrize(
    ("asked", "documents", "instead"),
    [
        ("reciept", [], None),  # two letters changed places: two edits in a short word
        ("recept", ["receipt"], "receipt"),
        ("receipl", ["receipt"], "receipt"),
        ("totai", ["receipt", "invoice"], "tota1"),
        ("lnvoice", ["invoice"], "invoice"),
        ("thlrtean", ["note"], "thirteen"),
        ("cat", [], None),
    ],
)
def test_misread_words_are_found_where_nothing_else_is(index, asked, documents, instead):
    hits = index.search(asked)
    assert [hit.document for hit in hits.hits] == documents
    assert instead is None or instead in hits.instead[asked]
    assert found(index, asked, fuzzy=False) == []


def test_fuzzy_search_also_finds_what_is_right(index):
    assert found(index, "total") == ["invoice"]
    assert found(index, "total", fuzzy=True) == ["receipt", "invoice"]


def test_a_hit_says_where_on_the_page_it_is(index):
    (hit,) = index.search('"boxes of paper"').hits
    assert [word.text for word in hit.words] == ["boxes", "of", "paper,"]
    places = [PAGES["invoice"].split().index(text) for text in ("boxes", "of", "paper,")]
    boxes = [words(PAGES["invoice"])[place].box for place in places]
    assert [word.box for word in hit.words] == boxes
    assert hit.words[0].confidence == 0.85
    assert (hit.width, hit.height) == (500, 700)
    assert [text for text, asked in hit.snippet if asked] == ["boxes", "of", "paper,"]


@pytest.mark.parametrize(
    ("options", "documents"),
    [
        ({"kind": "pdf"}, ["letter"]),
        ({"kind": "jpeg"}, ["receipt"]),
        ({"since": 2000.0}, ["receipt"]),
        ({"until": 1999.0}, ["letter"]),
        ({"document": "letter"}, ["letter"]),
        ({"limit": 1}, ["receipt"]),
    ],
)
def test_documents_are_filtered(index, options, documents):
    assert found(index, "apples", **options) == documents


def test_a_long_list_goes_on_where_it_ended(tmp_path):
    index = Index(tmp_path / "index.db")
    for number in range(7):
        index.add(f"d{number}", 1, words("same words"), (10, 10))
    first = index.search("same", limit=3)
    second = index.search("same", limit=3, before=first.next)
    third = index.search("same", limit=3, before=second.next)
    assert first.total == 7
    assert [hit.document for part in (first, second, third) for hit in part.hits] == [f"d{n}" for n in range(6, -1, -1)]
    assert third.next is None


def test_a_page_that_is_added_again_takes_the_place_of_itself(tmp_path):
    index = Index(tmp_path / "index.db")
    for text in ("old words", "new words"):
        index.add("one", 1, words(text), (10, 10))
    assert index.pages() == 1
    assert found(index, "old", fuzzy=False) == []
    assert found(index, "new") == ["one"]


def test_what_is_forgotten_leaves_no_byte_and_the_rest_is_found(tmp_path):
    index = Index(tmp_path / "index.db")
    for number in range(30):
        index.add(f"kept{number}", 1, words(f"common Xylophone{number} words here"), (10, 10))
        index.add(f"gone{number}", 1, words(f"common Zyzzyva{number} words here"), (10, 10))
    index.add("gone0", 2, words("Zyzzyvasecond page"), (10, 10))
    index.forget([f"gone{number}" for number in range(30)])
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir()).lower()
    for trace in (b"zyzzyva", b"zyz", b"zzyv", b"gone"):
        assert trace not in content, trace
    assert index.search("common").total == 30
    assert found(index, "xylophone7") == ["kept7"]
    assert "kept7" in found(index, "xylophane7")  # the vocabulary still knows it
    index.database.connection.execute("INSERT INTO said(said) VALUES ('integrity-check')")


def test_packed_words_come_back_as_they_were(tmp_path):
    rng = random.Random(3)
    boxes = [tuple(float(rng.randint(0, 60_000)) for _ in range(4)) for _ in range(300)]
    texts = ["".join(chr(rng.randint(33, 0x2FFF)) for _ in range(rng.randint(1, 12))) for _ in boxes]
    given = [
        StoredWord(text=text, confidence=0.5, doubtful=False, box=box, quad=((0, 0),) * 4)
        for text, box in zip(texts, boxes)
    ]
    packed = unpack(pack(given))
    assert packed.texts == texts
    assert np.array_equal(packed.boxes, np.array(boxes))
    assert unpack(pack([])).texts == []


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("O'Neill's", ("o", "neill", "s")),
        ("$19.90", ("$19", "90")),
        ("naïve", ("naive",)),
        ("Straße", ("strasse",)),
        ("--", ()),
        ("a_b", ("ab",)),
        ("x" * 100, ("x" * 60,)),
    ],
)
def test_words_are_known_by_their_letters_and_figures(text, tokens):
    assert tokens_of(text) == tokens


def test_two_processes_can_write_at_once(tmp_path: Path):
    one, two = Index(tmp_path / "index.db"), Index(tmp_path / "index.db")
    for number in range(10):
        (one, two)[number % 2].add(f"d{number}", 1, words("shared words"), (10, 10))
    assert one.search("shared").total == two.search("shared").total == 10
