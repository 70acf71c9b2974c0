"""The work: every document ends as done or given up with a reason, and the same document gives the same bytes."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace

import pytest
from service_constants import ECHO, LIMITS, MODEL
from service_readers import document

from ocrkit import privacy
from ocrkit.errors import BadImage
from ocrkit.service import intake, work
from ocrkit.service import store as stores
from ocrkit.service.jail import Refused
from ocrkit.service.kinds import kind_of
from ocrkit.service.queue import JobOptions, QueueOptions, UnknownDocument
from ocrkit.service.readers import WorkOptions, read_into
from ocrkit.service.store import Store
from ocrkit.service.work import Work, add_to_index, forget, mend

OPTIONS = WorkOptions(jails=2, limits=LIMITS, queue=QueueOptions(lease_s=8.0, retry_s=(0.0,)), make=ECHO)


@pytest.fixture(scope="module")
def reads():
    """Jails that all tests share."""
    kept = {}

    def of(store: Store) -> work.LocalReads:
        made = work.LocalReads(store, OPTIONS)
        if "jails" not in kept:
            kept["jails"] = made.jails(MODEL.folder)
        made._jails = {MODEL.folder: kept["jails"]}
        return made

    yield of
    kept["jails"].close()


@pytest.fixture
def working(store, reads, monkeypatch):
    """Works until all is done, or given up."""

    def run(patience_s: float = 60.0) -> Work:
        monkeypatch.setattr(Work, "_reader", lambda self: reads(store))
        done = Work(store, OPTIONS)
        done.start()
        try:
            assert done.drain(patience_s)
        finally:
            done._stop.set()
            for thread in done._threads:
                thread.join()
        return done

    return run


def test_a_document_is_read_kept_and_found_and_a_hostile_one_is_given_up_with_its_reason(
    put, working, store, queue, index
):
    good = [put(f"hello number{number}\fand a second page", name=f"{number}.pdf") for number in range(3)]
    bad = {"crash": "crashed", "refuse": "nothing in it", "fail": "a bug", "lie:order": "cannot be understood"}
    hostile = {what: put(what).id for what in bad}
    working()
    for job in good:
        now = queue.job(job.id)
        assert (now.state, now.pages, now.tries) == ("done", 2, 1)
        assert now.model.version == 7
        result = store.result(job.id)
        assert (result.reader.model, result.reader.version, result.file) == ("one", 7, job.file)
        assert store.picture(job.id, 2).startswith(b"\xff\xd8")
    assert [hit.document for hit in index.search("number1").hits] == [good[1].id]
    assert [hit.number for hit in index.search("second", document=good[0].id).hits] == [2]
    for what, identity in hostile.items():
        now = queue.job(identity)
        assert now.state == "dead", what
        assert bad[what] in now.reason
        assert now.tries == (1 if what == "refuse" else 5)
    assert queue.tallies()["retried"] == 12


def test_the_same_document_gives_the_same_bytes_whoever_reads_it(put, jails, tmp_path, store):
    job = put("some words\fmore words")
    contents = []
    for name in ("one", "two"):
        place = Store(tmp_path / name)
        with open(store._path(stores._file(job.file)), "rb") as file:
            place.write_file(job.file, file)
        read_into(place, jails, replace(job, tries=len(name), jail=len(contents)), lambda page: None)
        contents.append(place.result_bytes(job.id))
    assert contents[0] == contents[1]


def test_pages_that_are_left_out_are_told(put, working, store):
    job = put("one", JobOptions())
    result = store.result(put("x").id) if store.has_result(job.id) else None
    assert result is None
    working()
    result = store.result(job.id)
    assert "were read" not in result.left_out
    assert replace(job).options.most_pages == 10
    assert "1 of 37 pages were read" in result.model_copy(update={"pages_in_file": 37}).left_out


def test_a_full_disk_in_the_middle_of_a_result_loses_nothing(put, working, store, queue, monkeypatch):
    job = put("some words")
    full = threading.Event()
    replaced, tried = os.replace, []

    def replace_if_there_is_room(source, target):
        if "results" in str(target) and not full.is_set():
            tried.append(target)
            full.set()
            raise OSError(errno.ENOSPC, "No space left on device")
        replaced(source, target)

    monkeypatch.setattr(os, "replace", replace_if_there_is_room)
    monkeypatch.setattr(work, "_FULL_S", 0.0)
    working()
    now = queue.job(job.id)
    assert tried
    assert (now.state, now.tries) == ("done", 1)
    assert store.result(job.id).pages[0].words[0].text == "some"
    assert not list(store.folder.glob("incoming/*"))


def test_a_full_disk_when_a_document_is_handed_in_is_said_and_keeps_nothing_half(put, store, queue, monkeypatch):
    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(stores.DiskFull, match="disk is full"):
        put("some words")
    assert queue.counts()["queued"] == 0
    assert not [path for path in store.folder.glob("*/*") if path.is_file()]


def test_two_services_on_one_store_share_the_work(put, store, queue, reads, monkeypatch):
    jobs = [put(f"words{number}") for number in range(12)]
    monkeypatch.setattr(Work, "_reader", lambda self: reads(store))
    both = [Work(store, OPTIONS), Work(Store(store.folder), OPTIONS)]
    for one in both:
        one.start()
    assert all(one.drain(60) for one in both)
    for one in both:
        one._stop.set()
        for thread in one._threads:
            thread.join()
    assert {queue.job(job.id).tries for job in jobs} == {1}
    assert queue.counts()["done"] == 12


def test_what_is_forgotten_leaves_no_byte_in_the_store(put, working, store, queue, index):
    kept, gone = put("kept Xylophone", name="kept.pdf"), put("gone Zyzzyva", name="zyzzyva.pdf")
    twice = put("gone Zyzzyva", JobOptions(all_pages=True), name="zyzzyva.pdf")
    working()
    forget(store, queue, index, gone.id)
    assert store.has_file(gone.file)  # another job is of the same file
    forget(store, queue, index, twice.id)
    content = b"".join(path.read_bytes() for path in store.folder.rglob("*") if path.is_file()).lower()
    for trace in ("zyzzyva", "yzzyv", gone.id, twice.id, gone.file):
        assert trace.encode() not in content, trace
    assert index.search("xylophone").hits[0].document == kept.id
    with pytest.raises(UnknownDocument):
        queue.job(gone.id)


def test_what_was_forgotten_while_it_was_read_is_not_kept(put, store, queue, index, reads, monkeypatch):
    job = put("secret words")
    doing = Work.__new__(Work)
    monkeypatch.setattr(Work, "_reader", lambda self: reads(store))
    doing.__init__(store, OPTIONS)
    read = doing._reads.read

    def read_while_it_is_forgotten(job, on_page):
        read(job, on_page)
        forget(store, queue, index, job.id)
        read(job, on_page) if store.has_file(job.file) else None

    monkeypatch.setattr(doing._reads, "read", read_while_it_is_forgotten)
    doing._work(queue.claim())
    assert not store.has_result(job.id)
    assert index.pages() == 0


@pytest.mark.parametrize("interrupted", ["erase_result", "erase_file"])
@pytest.mark.parametrize("is_asked_again", [False, True], ids=["next start", "asked again"])
def test_forgetting_that_was_interrupted_is_finished_at_the_next_start_or_when_it_is_asked_for_again(
    put, working, store, queue, index, monkeypatch, interrupted, is_asked_again
):
    job = put("secret words")
    working()

    def killed(self, name):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stores.Shared, interrupted, killed)
        with pytest.raises(KeyboardInterrupt):
            forget(store, queue, index, job.id)
    with pytest.raises(UnknownDocument):
        queue.job(job.id)  # nobody sees it any more
    if is_asked_again:
        forget(store, queue, index, job.id)
    else:
        mend(store, queue, index)
    assert not [
        path for path in store.folder.rglob("*") if path.is_file() and path.suffix != ".db" and "-" not in path.name
    ]
    assert index.pages() == 0
    assert queue.half_forgotten() == []


def test_what_the_index_has_lost_is_put_in_again_at_the_next_start(put, working, store, queue, index):
    job = put("some words")
    working()
    index.forget([job.id])
    mend(store, queue, index)
    assert [hit.document for hit in index.search("words").hits] == [job.id]
    add_to_index(index, queue.job(job.id), store.result(job.id))
    assert index.pages() == 1


def test_a_worker_that_is_killed_gives_its_document_to_the_next(put, store, queue):
    put("sleep:3")
    options = replace(OPTIONS, jails=1, queue=QueueOptions(lease_s=1.0, retry_s=(0.0,)))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "ocrkit.service.work", str(store.folder), json.dumps(asdict(options))]

    def start() -> subprocess.Popen:
        started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        assert json.loads(started.stdout.readline()) == {"ready": True}
        return started

    first = start()
    while not queue.counts()["reading"]:
        time.sleep(0.02)
    first.kill()
    first.wait()
    second = start()
    deadline = time.monotonic() + 60
    while not queue.counts()["done"] and time.monotonic() < deadline:
        time.sleep(0.05)
    second.stdin.close()
    assert second.wait(30) == 0
    (job,) = queue.jobs()
    assert (job.state, job.tries) == ("done", 2)
    assert -first.returncode == signal.SIGKILL


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"%PDF-1.4", "pdf"),
        (b"junk\n%PDF-1.4", "pdf"),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"II*\0", "tiff"),
        (b"RIFF1234WEBP", "webp"),
        (b"\0\0\0\x18ftypheic", "heic"),
        (b"PK\3\4", None),
        (b"<html>", None),
        (b"", None),
        (b"\x7fELF", None),
    ],
)
def test_only_documents_come_in(start, kind):
    if kind:
        assert kind_of(start) == kind
    else:
        with pytest.raises(BadImage, match="not taken"):
            kind_of(start)


@pytest.mark.parametrize(
    ("name", "tidy"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\scans\\a.pdf", "a.pdf"),
        ("a\0b\x1b[31m\n.pdf", "a b [31m .pdf"),
        ("", "document"),
        ("x" * 500 + ".pdf", "x" * 196 + ".pdf"),
        ("\u202efdp.exe", "fdp.exe"),
    ],
)
def test_names_are_tidied(name, tidy):
    assert intake.tidy_name(name) == tidy


def test_donated_documents_never_enter(put, store, queue, tmp_path, monkeypatch):
    vault = tmp_path / "vault"
    (vault / "objects").mkdir(parents=True)
    (vault / "roster.json").write_text("{}")
    page = vault / "objects" / "page.pdf"
    page.write_bytes(document("secret"))
    with page.open("rb") as file, pytest.raises(intake.PrivateData, match="never enter"):
        intake.hand_in(store, queue, file, "page.pdf", lambda digest: MODEL, source=page)
    monkeypatch.setattr(privacy, "is_open", lambda: True)
    with pytest.raises(intake.PrivateData):
        put("secret")
    assert queue.counts()["queued"] == 0
    assert not (store.folder / "files").exists()


def test_a_document_that_is_too_large_is_refused(put, store, monkeypatch):
    monkeypatch.setattr(intake, "MOST_BYTES", 1000)
    with pytest.raises(intake.TooLarge):
        put("x" * 1001)
    assert not (store.folder / "files").exists()


def test_refusals_and_deaths_are_told_apart():
    assert not issubclass(Refused, work.ReaderDied)
