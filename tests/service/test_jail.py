"""The jail: each thing that must not be possible is tried from inside, and whatever a reader does harms nobody else."""

from __future__ import annotations

import io
import os
import resource
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pikepdf
import pypdfium2
import pytest
from PIL import Image
from service_constants import ECHO, LIMITS
from service_readers import document

import ocrkit
from ocrkit.errors import OcrkitError
from ocrkit.service import reading, walls
from ocrkit.service.jail import Jails, ReaderDied, Refused
from ocrkit.service.queue import JobOptions
from ocrkit.service.walls import NoJail


def said(jails: Jails, what: str, **options) -> list[str]:
    """The words that are read, page after page."""
    words: list[str] = []
    jails.read(document(what), JobOptions(**options), lambda page, picture: words.extend(w.text for w in page.words))
    return words


@pytest.fixture(scope="module")
def kept():
    made = Jails("", "kept", LIMITS, ECHO)
    yield made
    made.close()


@pytest.mark.parametrize("mode", ["jails", "kept"])
def test_from_inside_nothing_can_be_done_but_read(request, mode):
    assert said(request.getfixturevalue(mode), "doors") == ["tried"]


_OUTSIDE = """
import os, sys
from ocrkit.service import walls
for name in sys.argv[1:]:
    if (child := os.fork()) == 0:
        try:
            walls._DOORS[name]()
        except OSError:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status == 0:
        print(name)
"""


def test_the_same_things_can_be_done_from_outside():
    names = [
        "read a file", "look into a folder", "look at a file", "make a file in memory", "connect by IPv4",
        "connect by a local socket", "talk to the kernel's network", "start a program", "fork", "signal its parent",
        "raise its limits",
    ]  # fmt: skip
    if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:  # a vault that another test opened has ended core dumps
        names.remove("raise its limits")
    done = subprocess.run([sys.executable, "-c", _OUTSIDE, *names], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == names


def test_each_wall_alone_keeps_files_closed(tmp_path):
    script = (
        "import os, sys\nfrom ocrkit.service import walls\n"
        "walls._libc.prctl(38, 1, 0, 0, 0)\n"
        "walls._filter() if sys.argv[1] == 'seccomp' else walls._restrict(walls.landlock_version())\n"
        "try:\n    os.open('/etc/passwd', os.O_RDONLY)\nexcept PermissionError:\n    os._exit(7)\nos._exit(0)\n"
    )
    for wall in ("seccomp", "landlock"):
        assert subprocess.run([sys.executable, "-c", script, wall], check=False).returncode == 7, wall


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        ("service_readers:without_landlock", "has no Landlock.*--no-jail"),
        ("service_readers:with_a_gap", "does not hold here: from inside one can still .*connect"),
    ],
)
def test_a_system_whose_walls_do_not_stand_is_refused(make, sentence):
    with pytest.raises(NoJail, match=sentence):
        Jails("", "fork", LIMITS, make)


def test_without_a_jail_it_reads_where_there_is_no_landlock():
    jails = Jails("", "open", LIMITS, "service_readers:without_landlock")
    assert said(jails, "all well") == ["all", "well"]
    jails.close()


@pytest.mark.parametrize("machine", ["riscv64"])
def test_a_processor_that_is_not_known_is_named(monkeypatch, machine):
    monkeypatch.setattr(walls.platform, "machine", lambda: machine)
    with pytest.raises(NoJail, match=machine):
        walls._filter()


@pytest.mark.parametrize(
    ("what", "error", "sentence"),
    [
        ("crash", ReaderDied, "crashed .SIGSEGV."),
        ("crash-later", ReaderDied, "crashed"),
        ("end", ReaderDied, "ended without a word"),
        ("eat", Refused, "memory"),
        ("refuse", Refused, r"^There is nothing in it\. *\[31mReally\.$"),
        ("fail", ReaderDied, r"ZeroDivisionError: a bug \(service_readers.py"),
        ("lie:json", ReaderDied, "cannot be understood"),
        ("lie:order", ReaderDied, "cannot be understood"),
        ("lie:kind", ReaderDied, "cannot be understood"),
    ],
)
@pytest.mark.parametrize("mode", ["jails", "kept"])
def test_whatever_a_reader_does_is_told_in_a_sentence_and_the_next_document_is_read(
    request, mode, what, error, sentence
):
    jails = request.getfixturevalue(mode)
    if mode == "kept" and what not in ("crash", "refuse", "lie:json"):
        pytest.skip("the same code")
    with pytest.raises(error, match=sentence):
        said(jails, what)
    assert said(jails, "all well") == ["all", "well"]


@pytest.mark.parametrize(("what", "sentence"), [("loop", "processor time"), ("sleep:60", "longer than 1 s")])
def test_what_does_not_end_is_ended(jails, monkeypatch, what, sentence):
    if what != "loop":
        monkeypatch.setattr(jails, "limits", replace(LIMITS, wall_s=1.0))
    with pytest.raises(ReaderDied, match=sentence):
        said(jails, what)


def test_a_zygote_that_is_killed_is_started_again(jails):
    ends: list[str] = []
    begun = threading.Event()

    def read() -> None:
        try:
            jails.read(document("linger"), JobOptions(), lambda page, picture: begun.set())
        except ReaderDied as error:
            ends.append(str(error))

    reader = threading.Thread(target=read)
    reader.start()
    assert begun.wait(60)
    (zygote,) = jails.pids
    os.kill(zygote, signal.SIGKILL)
    reader.join()
    assert ends == ["The reader was killed, or ended without a word."]
    assert said(jails, "all well") == ["all", "well"]
    assert jails.pids != [zygote]


def test_a_kept_jail_is_replaced_after_so_many_pages(kept):
    processes = []
    for _ in range(5):
        said(kept, "one")
        processes += kept.pids
    assert len(set(processes)) > 1


def test_only_the_first_ten_pages_are_read_unless_all_are_asked_for(jails):
    long = "\f".join(f"page{number}" for number in range(30))
    assert len(said(jails, long)) == 10
    assert len(said(jails, long, all_pages=True)) == 30


def photo() -> bytes:
    page = np.full((300, 420, 3), 250, np.uint8)
    for row, text in enumerate(("Seen by a camera", "on a dark desk", "for 12.50 EUR")):
        cv2.putText(page, text, (30, 80 + 70 * row), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (30, 30, 30), 2)
    desk = cv2.copyMakeBorder(page, 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=(60, 50, 40))
    turn = cv2.getRotationMatrix2D((270, 210), 4, 1.0)
    return cv2.imencode(".jpg", cv2.warpAffine(desk, turn, (540, 420), borderValue=(60, 50, 40)))[1].tobytes()


def heic_photos() -> list[bytes]:
    """The photo as cameras store it: as one picture, and cut into tiles as on telephones."""
    heif = pytest.importorskip("pillow_heif")
    picture, whole, tiled = Image.open(io.BytesIO(photo())), io.BytesIO(), io.BytesIO()
    heif.from_pillow(picture).save(whole, quality=90)
    heif.from_pillow(picture).save(tiled, quality=90, tile_size=256)
    return [whole.getvalue(), tiled.getvalue()]


def scans(tmp_path: Path, count: int) -> Path:
    sheets = []
    for number in range(count):
        sheet = np.full((90, 240), 255, np.uint8)
        cv2.putText(sheet, f"Sheet{number}", (20, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 0, 3)
        sheets.append(Image.fromarray(sheet))
    sheets[0].save(tmp_path / "scans.pdf", save_all=True, append_images=sheets[1:], resolution=100)
    return tmp_path / "scans.pdf"


def texts_in(pdf: bytes) -> list[str]:
    """What another program finds on each page."""
    with pypdfium2.PdfDocument(pdf) as opened:
        return [page.get_textpage().get_text_range().strip() for page in opened]


def check_searchable(jails: Jails, tmp_path: Path) -> None:
    """A PDF keeps all its pages and gains text where it was read, or it is said why not."""
    path = scans(tmp_path, 12)
    words: list[str] = []
    made = jails.read(path.read_bytes(), JobOptions(), lambda page, picture: words.append(page.words[0].text))
    assert (made.pages, made.why) == (12, "")
    assert texts_in(made.searchable) == [*words, "", ""]
    assert len(words) == 10
    again = jails.read(made.searchable, JobOptions(all_pages=True), lambda page, picture: None)
    assert texts_in(again.searchable)[:10] == words
    assert all(texts_in(again.searchable))
    whole = jails.read(again.searchable, JobOptions(all_pages=True), lambda page, picture: None)
    assert whole.searchable == b""  # it is one already
    with pikepdf.open(path) as pdf:
        pdf.save(tmp_path / "locked.pdf", encryption=pikepdf.Encryption(owner="x"))
    locked = jails.read((tmp_path / "locked.pdf").read_bytes(), JobOptions(), lambda page, picture: None)
    assert locked.searchable is None
    assert "The PDF is encrypted, and would lose its protection" in locked.why
    assert jails.read(photo(), JobOptions(), lambda page, picture: None) == (1, None, "", True)


def test_in_the_jail_documents_of_every_kind_are_read_as_outside(tmp_path):
    jails = Jails(reading.model_folder(None), limits=walls.Limits())
    check_searchable(jails, tmp_path)
    reader = ocrkit.Reader(threads=1)
    cases = [content for content in reading.samples() if len(content) < 60_000]
    # And some that were never seen before.
    noise = np.random.default_rng(0).integers(0, 255, (60, 200), np.uint8)
    cases += [cv2.imencode(".png", noise)[1].tobytes(), photo(), *heic_photos()]
    found = []
    for content in cases:
        texts: list[str] = []
        try:
            jails.read(
                content, JobOptions(), lambda page, picture, texts=texts: texts.extend(w.text for w in page.words)
            )
        except Refused as error:
            texts = [str(error)]
        try:
            expected = [word.text for word in reader.read(content).words]
        except OcrkitError as error:
            expected = [str(error)]
        assert texts == expected, content[:20]
        found.append(texts)
    jails.close()
    assert all("camera" in texts for texts in found[-2:])  # the photos in HEIC are read at all
