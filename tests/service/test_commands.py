"""The verbs: hand in without a server, work it off, look, search, draw the hit, forget; and what is said else."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner
from service_constants import LIMITS
from service_readers import document

from ocrkit.cli import main
from ocrkit.service import readers


@pytest.fixture
def ocrkit(tmp_path: Path, monkeypatch):
    """Runs a verb on a store whose reader reads what documents say."""
    made = readers.WorkOptions

    def echoing(**options):
        return made(**{**options, "limits": LIMITS, "make": "service_readers:echo"})

    monkeypatch.setattr(readers, "WorkOptions", echoing)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: str) -> tuple[int, str]:
        answer = CliRunner().invoke(main, [*words, "--store", str(tmp_path / "store")])
        assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
        return answer.exit_code, answer.output

    return run


def test_documents_are_handed_in_read_found_and_forgotten(ocrkit, tmp_path):
    for name, says in {"one.pdf": "hello Xylophone", "two.pdf": "refuse"}.items():
        (tmp_path / name).write_bytes(document(says))
    (tmp_path / "three.txt").write_text("no document")
    os.mkfifo(tmp_path / "pipe.pdf")
    names = ("one.pdf", "two.pdf", "three.txt", "missing.pdf", "pipe.pdf", ".")
    files = [str(tmp_path / name) for name in names]
    code, said = ocrkit("submit", *files)
    assert code == 2
    assert "pipe.pdf: This is not a regular file." in said
    assert "This is a folder: name the files in it." in said
    assert ocrkit("search", "xylophone") == (1, "ocrkit: no page says this.\n")  # nothing was read yet
    assert said.count("queued") == 2
    assert "three.txt: This is neither a PDF nor a picture" in said
    assert "missing.pdf cannot be read" in said
    identity = next(line.split()[0] for line in said.splitlines() if line.endswith("one.pdf"))
    assert ocrkit("submit", files[0])[1].split()[0] == identity

    code, said = ocrkit("queue", "drain", "--jails", "1")
    assert code == 2  # one was given up
    assert "1 read, 1 given up, 0 waiting." in said
    said = ocrkit("queue", "status")[1]
    assert "0 queued, 0 reading, 1 done, 1 dead" in said
    assert "two.pdf: There is nothing in it." in said
    assert "1 document will be read again" in ocrkit("queue", "retry")[1]

    picture = tmp_path / "hit.png"
    code, said = ocrkit("search", "xylophone", "--image", str(picture))
    assert code == 0
    assert "one.pdf, page 1: hello Xylophone" in said
    assert cv2.imread(str(picture)).min() < 250  # something is marked
    assert "is there already" in ocrkit("search", "xylophone", "--image", str(picture))[1]
    assert "also searched for what may be xylophome misread: xylophone" in ocrkit("search", "xylophome")[1]
    assert ocrkit("search", "--json", "xylophone")[1].count('"box"') == 1

    assert ocrkit("queue", "forget", identity)[0] == 0
    code, said = ocrkit("search", "xylophone")
    assert (code, said) == (1, "ocrkit: no page says this.\n")


def test_pages_that_are_left_out_of_a_long_document_are_told(ocrkit, tmp_path):
    sheets = [PIL.Image.new("1", (8, 8)) for _ in range(12)]
    sheets[0].save(tmp_path / "fax.tif", save_all=True, append_images=sheets[1:])
    with (tmp_path / "fax.tif").open("ab") as file:
        file.write(b"\f" * 12)  # what the reader of these tests takes for ends of pages
    ocrkit("submit", str(tmp_path / "fax.tif"))
    assert ocrkit("queue", "drain", "--jails", "1")[0] == 0
    asked = "10 of 12 pages were read. Hand it in with all pages to read them, too."
    assert asked in ocrkit("queue", "status")[1]
    assert asked in ocrkit("submit", "--wait", str(tmp_path / "fax.tif"))[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("search", "x"), "is no store"),
        (("queue", "status"), "is no store"),
        (("serve", "--host", "0.0.0.0", "--token", " "), "everybody could ask"),
        (("serve", "--host", "0.0.0.0"), "give a --token"),
        (("serve", "--champion", "--model", "fast"), "leave one out"),
        (("submit", __file__, "--champion", "--model", "fast"), "leave one out"),
        (("serve", "--model", "nowhere"), "There is no model"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(ocrkit, words, said):
    code, output = ocrkit(*words)
    assert code == 2
    assert said in output


def test_a_marked_word_stays_readable():
    from ocrkit.cli.search import to_colour

    assert to_colour(np.zeros((2, 3), np.uint8)).shape == (2, 3, 3)
