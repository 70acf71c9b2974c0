"""Folders in, a folder of results out: nothing is done twice, nobody's file is lost, and what failed is said."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from ocrkit import cli
from ocrkit.batch import batch

ROOT = str(Path(__file__).resolve().parents[2])
PAGE = np.full((160, 300), 255, np.uint8)
cv2.putText(PAGE, "Hello", (20, 60), cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2)

pytestmark = pytest.mark.usefixtures("says_ink")


@pytest.fixture(autouse=True)
def scans(tmp_path, monkeypatch):
    """Two pages in a folder, one of them deeper; one process, in which the recogniser is replaced."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(batch, "_cores", lambda: 1)
    (tmp_path / "scans" / "sub").mkdir(parents=True)
    for name in ("a.png", "sub/b.png"):
        cv2.imwrite(f"scans/{name}", PAGE)
    return tmp_path / "scans"


def run(*args, status=0):
    result = CliRunner().invoke(cli.main, [str(arg) for arg in args])
    assert result.exit_code == status, result.output + repr(result.exception)
    return result


def read(*args, status=0):
    """What became of the documents, by their names, and the whole result."""
    log = Path("log.jsonl")
    log.unlink(missing_ok=True)
    result = run("read", *args, "--log", log, status=status)
    return {line["source"]: line for line in map(json.loads, log.read_text().splitlines())}, result


def states(told):
    return {name: line["state"] for name, line in told.items()}


def visible(folder):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("[!.]*") if path.is_file()
                  if ".ocrkit" not in path.parts)  # fmt: skip


def digests(folder):
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in Path(folder).rglob("*") if path.is_file()}


def test_a_folder_of_documents_becomes_a_folder_of_searchable_pdfs_with_a_table_at_the_end():
    before = digests("scans")
    told, result = read("scans", "-o", "out")
    assert visible("out") == ["a.pdf", "b.pdf"]
    assert all(Path("out", name).read_bytes().startswith(b"%PDF") for name in visible("out"))
    assert "done                 2        2          2\nskipped              0" in result.stdout
    assert (told["scans/a.png"]["pages"], told["scans/a.png"]["words"]) == (1, 1)
    assert digests("scans") == before


@pytest.mark.parametrize(("options", "names"), [([], ["a.txt", "b.txt"]), (["--keep-tree"], ["a.txt", "sub/b.txt"])])
def test_folders_are_kept_if_that_is_wanted(options, names):
    read("scans", "-o", "out", "--format", "text", *options)
    assert visible("out") == names


CHANGES = {
    "nothing": (lambda: None, (), "skipped"),
    "the document": (lambda: cv2.imwrite("scans/a.png", 255 - PAGE), (), "done"),
    "its date alone": (lambda: os.utime("scans/a.png", (1, 1)), (), "skipped"),
    "an option": (lambda: None, ("--keep-doubtful",), "done"),
    "the result is gone": (lambda: os.remove("out/a.txt"), (), "done"),
    "the note of it is damaged": (
        lambda: [p.write_text("{") for p in Path("out/.ocrkit/records").iterdir()],
        (),
        "failed",
    ),
    "the result, by hand": (lambda: Path("out/a.txt").write_text("mine and longer"), (), "failed"),
    "anew, by force": (lambda: Path("out/a.txt").write_text("mine and longer"), ("--force",), "done"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_done_and_unchanged_is_skipped_and_what_somebody_changed_is_kept(change):
    act, options, state = CHANGES[change]
    read("scans", "-o", "out", "--format", "text")
    act()
    told, result = read("scans", "-o", "out", "--format", "text", *options, status=2 if state == "failed" else 0)
    assert told["scans/a.png"]["state"] == state
    if state == "failed":
        sentence = (
            "out/a.txt is there already and not as ocrkit wrote it: name another place, or write over with --force."
        )
        assert sentence in result.stderr
        assert sentence in result.stdout


def test_results_of_several_forms_live_in_one_folder():
    for form in ("pdf", "text", "hocr"):
        read("scans", "-o", "out", "--format", form)
    assert visible("out") == ["a.hocr", "a.pdf", "a.txt", "b.hocr", "b.pdf", "b.txt"]
    for form in ("pdf", "text", "hocr"):
        assert set(states(read("scans", "-o", "out", "--format", form)[0]).values()) == {"skipped"}


def test_results_and_documents_that_are_moved_together_are_still_known():
    read("scans", "-o", "out", "--format", "text")
    os.mkdir("archive")
    for name in ("scans", "out"):
        shutil.move(name, "archive")
    assert set(states(read("archive/scans", "-o", "archive/out", "--format", "text")[0]).values()) == {"skipped"}


def test_names_that_collide_get_results_of_their_own_and_a_word_and_keep_them():
    cv2.imwrite("scans/sub/a.png", PAGE)
    _, result = read("scans", "-o", "out", "--format", "text")
    assert visible("out") == ["a.txt", "b.txt", "sub-a.txt"]
    assert result.stderr == "ocrkit: scans/sub/a.png becomes sub-a.txt, as a.txt is taken.\n"
    os.mkdir("scans/first")
    cv2.imwrite("scans/first/a.png", PAGE)  # comes before, and takes nobody's name
    told, _ = read("scans", "-o", "out", "--format", "text")
    assert states(told) == {"scans/a.png": "skipped", "scans/first/a.png": "done", "scans/sub/a.png": "skipped",
                            "scans/sub/b.png": "skipped"}  # fmt: skip


def test_a_document_is_never_the_place_of_a_result():
    run("read", "scans", "-o", "scans", "--format", "pdf")
    os.rename("scans/a.pdf", "scans/c.pdf")
    before = digests("scans")[Path("scans/c.pdf")]
    told, _ = read("scans", "-o", "scans", "--force")
    assert digests("scans")[Path("scans/c.pdf")] == before  # a document now, as nobody knows it for a result
    assert told["scans/c.pdf"]["output"] != "scans/c.pdf"
    assert set(told) == {"scans/a.png", "scans/c.pdf", "scans/sub/b.png"}  # results of earlier are no documents


def test_a_bad_file_leaves_the_others_and_is_tried_again():
    Path("scans/bad.png").write_text("no picture")
    Path("scans/round.png").symlink_to("round.png")
    sentences = {
        "scans/bad.png": "scans/bad.png is neither an image in a known format nor a PDF.",
        "scans/round.png": "scans/round.png cannot be opened: it is a symbolic link that leads back to itself.",
    }
    for state in ("done", "skipped"):
        told, result = read("scans", "-o", "out", "--format", "text", status=2)
        assert states(told) == {"scans/a.png": state, "scans/sub/b.png": state} | dict.fromkeys(sentences, "failed")
        for name, sentence in sentences.items():
            assert told[name]["reason"] == sentence
            assert f"ocrkit: {sentence}\n" in result.stderr
            assert f"failed   {sentence}" in result.stdout
    assert visible("out") == ["a.txt", "b.txt"]


def test_a_mistake_of_ours_with_one_document_leaves_the_others(monkeypatch):
    from ocrkit.documents import reader

    pages = reader.Reader.pages

    def stumble(self, source, *wanted):
        return pages(self, 1 / 0 if source == "scans/a.png" else source, *wanted)

    monkeypatch.setattr(reader.Reader, "pages", stumble)
    told, _ = read("scans", "-o", "out", "--format", "text", status=2)
    assert states(told) == {"scans/a.png": "failed", "scans/sub/b.png": "done"}
    assert "ZeroDivisionError" in told["scans/a.png"]["reason"]


def test_a_name_of_255_bytes_is_no_hindrance():
    name = "é" * 125 + "x.png"
    cv2.imwrite(f"scans/{name}", PAGE)
    told, _ = read("scans", "-o", "out", "--format", "hocr")
    assert told[f"scans/{name}"]["state"] == "done"
    assert len(os.fsencode(os.path.basename(told[f"scans/{name}"]["output"]))) <= 255


def test_a_name_of_a_file_cannot_steer_the_terminal():
    Path("scans/bad\x1b]0;owned\a\x9b31m.png").touch()
    for words in (["scans", "-o", "out"], ["scans", "--format", "text"]):
        result = run("read", *words, status=2)
        said = result.output + result.stderr
        assert "bad?]0;owned??31m.png" in said
        assert not set("\x1b\a\x9b") & set(said)


def test_a_place_that_cannot_be_written_is_one_sentence_before_anything_is_read():
    Path("file").touch()
    for out in ("file/out/", "/proc/out/"):
        result = run("read", "scans", "-o", out, status=2)
        assert result.stderr.count("\n") == 1
        assert result.stderr.startswith(f"ocrkit: The folder {out.rstrip('/')} cannot be made: ")
    run("read", "scans", "-o", "log.pdf", status=2)  # one file cannot hold them


@pytest.mark.parametrize("form", ["hocr", "pdf"])  # qpdf 12.4 would end the process
def test_a_full_disk_leaves_nothing_half_written_and_the_next_run_goes_on(scans, form):
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "from ocrkit.cli import main; main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", program, "read", "scans", "-o", "out", "--format", form, "--jobs", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": ROOT})
    assert done.returncode == 2
    assert f"ocrkit: out/a.{form} cannot be written: File too large.\n" in done.stderr
    assert visible("out") == []
    assert list(Path("out").iterdir()) == []
    assert set(states(read("scans", "-o", "out", "--format", form)[0]).values()) == {"done"}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_ends_a_run_also_where_python_drops_its_exception(monkeypatch):
    class Collected:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGINT)

    def interrupted(task, tell, done=batch.do):
        Collected()
        return done(task, tell)

    monkeypatch.setattr(batch, "do", interrupted)
    result = run("read", "scans", "-o", "out", status=130)
    assert result.stderr.endswith("ocrkit: interrupted: run it again to go on.\n")
    assert ("done", "1") in [tuple(line.split()[:2]) for line in result.stdout.splitlines() if line.strip()]
    assert visible("out") == ["a.pdf"]


def test_ctrl_c_ends_a_run_also_where_a_library_makes_another_exception_of_it(monkeypatch):
    # tqdm 4.70.1 where Ctrl-C comes while it takes its lock to write: "cannot release un-acquired lock".
    def interrupted(task, tell):
        try:
            os.kill(os.getpid(), signal.SIGINT)
        finally:
            raise RuntimeError("cannot release un-acquired lock")

    monkeypatch.setattr(batch, "do", interrupted)
    result = run("read", "scans", "-o", "out", status=130)
    assert result.stderr.endswith("ocrkit: interrupted: run it again to go on.\n")
    assert "not reached" in result.stdout


def test_two_runs_do_not_write_into_one_folder_at_once():
    import fcntl

    os.mkdir("out")
    folder = os.open("out", os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    result = run("read", "scans", "-o", "out", status=2)
    os.close(folder)
    assert result.stderr == "ocrkit: Another run writes into out: wait for it, or end it.\n"
    run("read", "scans", "-o", "out")


@pytest.mark.parametrize("verb", ["read", "scan"])
def test_many_documents_become_one_pdf_in_their_order(verb):
    import pikepdf

    cv2.imwrite("scans/c.png", PAGE[:, :150])
    place = ("--one-pdf",) if verb == "read" else ("-o",)
    Path("scans/bad.png").write_text("no picture")
    result = run(verb, "scans/c.png", "scans", *place, "all.pdf", status=2)
    assert "bad.png is neither" in result.stdout
    assert result.stdout.endswith("\nall.pdf: 3 pages.\n")
    with pikepdf.open("all.pdf") as pdf:
        widths = [float(page.mediabox[2]) / float(page.mediabox[3]) for page in pdf.pages]
    assert len(widths) == 3
    assert widths[0] < widths[1] == widths[2]
    assert "is there already" in run(verb, "scans", *place, "all.pdf", status=2).stderr
    assert sorted(path.name for path in Path().iterdir()) == ["all.pdf", "scans"]


def test_photos_in_folders_are_scanned_into_a_folder():
    run("scan", "scans", "-o", "flat", "--format", "jpg", "--keep-tree")
    assert visible("flat") == ["a.jpg", "sub/b.jpg"]
    assert "skipped              2" in run("scan", "scans", "-o", "flat", "--format", "jpg", "--keep-tree").stdout


@pytest.mark.parametrize(
    "words",
    [
        ("read", "scans"),
        ("read", "scans", "-o", "out"),
        ("scan", "scans", "-o", "out"),
        ("scan", "scans", "-o", "x.pdf"),
    ],
    ids=" ".join,
)
def test_a_folder_that_cannot_be_entered_is_told_and_the_run_is_not_complete(words, monkeypatch):
    enter = os.scandir

    def scandir(path="."):
        if path == "scans/sub":
            raise PermissionError(13, "Permission denied", path)
        return enter(path)

    monkeypatch.setattr(os, "scandir", scandir)
    result = run(*words, status=2)
    assert "ocrkit: scans/sub cannot be looked into: Permission denied.\n" in result.stderr
    if "-o" in words:
        assert "not found            ?   in a folder that cannot be looked into\n" in result.stdout
        assert "closed   scans/sub cannot be looked into: Permission denied." in result.stdout
        assert ("words" in result.stdout) == (words[0] == "read")


def test_a_folder_is_read_to_standard_output():
    assert run("read", "scans").stdout == "==> scans/a.png <==\nink\n==> scans/sub/b.png <==\nink\n"


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("read", "scans", "--one-pdf", "x.pdf", "-o", "y"), "--one-pdf names the only output"),
        (("read", "scans", "--one-pdf", "x.docx"), "--one-pdf makes a PDF, and x.docx is no name for one"),
        (("read", "scans", "--jobs", "2"), "are for a folder of results: add -o FOLDER/."),
        (("scan", "scans", "-o", "x.png"), "x.png holds one page: name a .pdf for all of them, or a folder."),
        (("read", "foo://scans", "-o", "out"), "ocrkit: foo://scans cannot be reached: Protocol not known: foo.\n"),
    ],
)
def test_wrong_use_is_explained(args, sentence):
    pytest.importorskip("fsspec")
    assert sentence in run(*args, status=2).stderr
