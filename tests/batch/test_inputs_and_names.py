"""From what people name to documents, and from documents to the names of their results."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ocrkit.batch.inputs import Source, find_inputs
from ocrkit.batch.naming import names_of
from ocrkit.errors import BadImage

ALL = ["deep/er/page1.PNG", "page2.png", "page10.png"]


@pytest.mark.parametrize(
    ("names", "relative"),
    [
        (["scans"], ALL),  # 2 before 10; links in a circle, hidden files and other kinds left out
        (["scans/"], ALL),
        (["scans", "scans/page2.png", "./scans"], ALL),  # each once
        (["scans/page10.png", "scans"], ["page10.png", "deep/er/page1.PNG", "page2.png"]),
        (["scans/p*.png"], ["page2.png", "page10.png"]),
        (["scans/*/er"], ["deep/er/page1.PNG"]),  # a folder that matches
        (["scans/**/*.PNG"], ["deep/er/page1.PNG"]),
        (["scans/missing.png"], ["missing.png"]),  # for the reader to say so
    ],
)
def test_files_folders_and_patterns_are_found_in_reading_order_and_each_once(scans, names, relative, monkeypatch):
    monkeypatch.chdir(scans.parent)
    assert [source.relative for source in find_inputs(names).sources] == relative


def test_what_is_left_out_is_told_and_the_folder_of_results_is_no_input(scans, monkeypatch):
    monkeypatch.chdir(scans.parent)
    assert find_inputs(["scans"]).left_out == {".docx": 1}
    assert [s.relative for s in find_inputs(["scans"], without="scans/deep").sources] == ["page2.png", "page10.png"]
    os.makedirs("empty")
    os.makedirs("letters")
    Path("letters/a.odt").touch()
    others = "holds no image or PDF, only files of other names: .odt."
    for name, sentence in (
        ("scans/x*", "scans/x* matches no file."),
        ("empty", "empty holds no image or PDF."),
        ("letters", f"letters {others}"),
        ("letters/**/*.odt", f"letters/**/*.odt {others}"),
    ):
        with pytest.raises(BadImage) as caught:
            find_inputs([name])
        assert str(caught.value) == sentence


def test_a_file_whose_name_has_the_marks_of_a_pattern_is_that_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a[1].png").touch()
    assert [source.name for source in find_inputs(["a[1].png"]).sources] == ["a[1].png"]


LONG = "é" * 125  # 250 bytes


@pytest.mark.parametrize(
    ("sources", "keep_tree", "names"),
    [
        (["/s/a.jpg", "/s/b.tar.pdf", "/s/c"], False, ["a.pdf", "b.tar.pdf", "c.pdf"]),
        (["/s/a.jpg", "/s/a.png", "/s/a.PNG"], False, ["a.pdf", "a-png.pdf", "a-png-2.pdf"]),
        (["/s/jan/a.jpg", "/s/feb/a.jpg", "/s/mar/A.jpg"], False, ["a.pdf", "feb-a.pdf", "mar-A.pdf"]),
        (["/s/jan/a.jpg", "/s/feb/a.jpg", "/s/feb/a.png"], True, ["jan/a.pdf", "feb/a.pdf", "feb/a-png.pdf"]),
        ([f"/s/{LONG}.j"], False, [f"{LONG}.pdf"]),
        ([f"/s/{LONG}xx.j"], False, ["é" * 121 + "-2f31c65f.pdf"]),
        (["/out/a.pdf"], False, ["out-a.pdf"]),  # would be its own result
    ],
)
def test_no_two_results_have_one_name_and_none_is_too_long(sources, keep_tree, names):
    found = [Source(path, path.removeprefix("/s/").removeprefix("/out/")) for path in sources]
    given = list(names_of(found, ".pdf", keep_tree, {}, lambda name: f"/out/{name}" in sources))
    assert [name for _, name, _ in given] == names
    assert all(len(os.fsencode(name)) <= 255 for name in names)
    for source, name, note in given:  # it is said of those that do not have their documents' names
        assert (note == "") == (os.path.splitext(os.path.basename(source.name))[0] + ".pdf" == os.path.basename(name))


def test_a_document_keeps_the_name_that_it_had():
    """Whatever was added since, and comes before it."""
    known = {"/s/feb/a.jpg": "a.pdf"}
    found = [Source("/s/jan/a.jpg", "jan/a.jpg"), Source("/s/feb/a.jpg", "feb/a.jpg")]
    assert [name for _, name, _ in names_of(found, ".pdf", False, known, lambda name: False)] == ["jan-a.pdf", "a.pdf"]
