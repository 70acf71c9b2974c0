"""The command where the ground gives way: nobody's file is lost, and what the machine refuses is one sentence."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from ocrkit import cli
from ocrkit.documents import reader
from ocrkit.files import write_whole

ROOT = str(Path(__file__).resolve().parents[2])
PAGE = np.full((160, 300), 255, np.uint8)
cv2.putText(PAGE, "Hello", (20, 60), cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2)

pytestmark = pytest.mark.usefixtures("says_ink")


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.png"
    cv2.imwrite(str(path), PAGE)
    return path


def run(*args, **options):
    return CliRunner().invoke(cli.main, [str(arg) for arg in args], **options)


def shell(command, **options):
    """The real command in a process of its own, as descriptors cannot be closed under a test."""
    program = f"{sys.executable} -m ocrkit {command}"
    return subprocess.run(program, shell=True, capture_output=True, text=True, check=False, **options)


@pytest.mark.parametrize("verb", ["read", "scan"])
@pytest.mark.parametrize("force", [(), ("--force",)])
def test_the_input_is_never_written_over(verb, force, page, tmp_path):
    document = page.rename(tmp_path / "scan.pdf")  # what it holds does not matter
    link = tmp_path / "link.pdf"
    os.link(document, link)
    for out in (document, link):
        result = run(verb, document, "-o", out, *force)
        assert result.exit_code == 2
        assert result.stderr == f"ocrkit: {out} is what is to be read: name another place for the result.\n"
    assert document.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("verb", ["read", "scan"])
def test_what_is_there_is_written_over_only_by_force(verb, page, tmp_path):
    out = tmp_path / "out.pdf"
    out.write_text("mine")
    result = run(verb, page, "-o", out)
    sentence = f"ocrkit: {out} is there already: name another place, or write over with --force.\n"
    assert (result.exit_code, result.stderr, out.read_text()) == (2, sentence, "mine")
    assert run(verb, page, "-o", out, "--force").exit_code == 0
    assert out.read_bytes().startswith(b"%PDF")


def test_of_a_folder_of_results_none_is_written_over(page, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "page.txt").write_text("mine")
    result = run("read", page, tmp_path / "other.png", "-o", folder)
    assert (result.exit_code, "page.txt is there already" in result.stderr) == (2, True)
    assert [path.name for path in folder.iterdir()] == ["page.txt"]
    assert run("read", page, "-o", "/dev/null", "--format", "text").exit_code == 0  # a device loses nothing


def test_closed_standard_input_is_a_sentence(tmp_path):
    done = shell("read - <&-", cwd=tmp_path, env={**os.environ, "PYTHONPATH": ROOT})
    assert (done.returncode, done.stderr) == (2, "ocrkit: Standard input cannot be read: it is closed.\n")


def test_closed_standard_output_is_a_sentence(page, tmp_path):
    done = shell(f"read {page} >&-", cwd=tmp_path, env={**os.environ, "PYTHONPATH": ROOT})
    assert (done.returncode, done.stderr) == (2, "ocrkit: Standard output is closed: add -o OUT.\n")


def test_a_deleted_working_folder_is_a_sentence(tmp_path):
    gone = tmp_path / "gone"
    command = f"mkdir -p {gone}; cd {gone}; rmdir {gone}; {sys.executable} -m ocrkit"
    for verb in ("read page.png", "data stats . --form crops"):
        done = subprocess.run(f"{command} {verb}", shell=True, capture_output=True, text=True, check=False,
                              env={**os.environ, "PYTHONPATH": ROOT})  # fmt: skip
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr


def test_names_of_half_characters_and_too_long_ones_end_in_sentences(page, tmp_path):
    odd = tmp_path / os.fsdecode(b"\xff.png")
    page.rename(odd)
    result = run("read", odd, odd)
    assert (result.exit_code, result.exception) == (0, None)
    for args in (("read", "x" * 300), ("read", odd, "-o", "x" * 300 + ".txt"), ("scan", odd, "-o", "x" * 300 + ".png"),
                 ("read", odd, "-o", "x" * 300 + "/"), ("data", "stats", "x" * 300, "--form", "alto")):  # fmt: skip
        result = run(*args)
        assert result.exit_code == 2
        assert isinstance(result.exception, SystemExit)


def test_a_name_as_long_as_names_can_be_is_written(tmp_path):
    path = tmp_path / ("x" * 251 + ".txt")
    assert write_whole(path, "text").read_text() == "text"
    assert list(tmp_path.iterdir()) == [path]


def test_too_little_memory_for_one_file_leaves_the_others(page, tmp_path, monkeypatch):
    other = tmp_path / "other.png"
    other.write_bytes(page.read_bytes())
    read = reader.Reader.pages

    def pages(self, source, *wanted):
        if source == str(page):
            raise MemoryError
        return read(self, source, *wanted)

    monkeypatch.setattr(reader.Reader, "pages", pages)
    result = run("read", page, other)
    assert result.exit_code == 2
    assert result.stderr == f"ocrkit: {page} does not fit into the memory that is left: close something, " \
                            "or scale it down.\n"  # fmt: skip
    assert result.stdout.endswith("ink\n")


def test_a_number_of_threads_beyond_reason_is_refused(page):
    for verb in (("read", page), ("data", "words", ".", "--form", "sroie", "-o", "out")):
        result = run(*verb, "--threads", 10**20)
        assert (result.exit_code, "no more than 1024 threads" in result.stderr) == (2, True)
