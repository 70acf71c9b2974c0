"""Donated pages labelled by people, over a real vault: sealed in the file of jobs, gone with the donor's consent."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from vaults import WORD, Lab, consent, write_pages

from ocrkit.cli import main
from ocrkit.datasets import load_pages, word_samples
from ocrkit.datasets.vault import donated_files, open_vault
from ocrkit.errors import BadDataset, BadParams, PrivateData
from ocrkit.labelling.aggregate import results
from ocrkit.labelling.conversation import Conversation
from ocrkit.labelling.export import digest_of, export, summary
from ocrkit.labelling.jobs import Job, Store
from ocrkit.labelling.order import Reading
from ocrkit.labelling.sealed import page_of_task
from ocrkit.labelling.tasks import adjudication, page_tasks, pages_of, reopened, word_tasks, words_of
from ocrkit.labelling.templates import load_template


@pytest.fixture
def store(tmp_path: Path):
    with Store(tmp_path / "jobs" / "jobs.db", make=True) as opened:
        yield opened


def new_job(store: Store, lab: Lab, name: str = "donated", redundancy: int = 1) -> Job:
    """Every word of every page, as `ocrkit label new` asks for them; all were read as "tota1"."""
    material = words_of(lab.folder, "vault")
    readings = [Reading("tota1", 0.5, None) for _ in material.samples]
    tasks = word_tasks(material.samples, readings, "given", places=material.places)
    template = load_template("transcribe").model_copy(update={"redundancy": redundancy})
    return store.add_job(name, template, tasks, str(lab.folder.resolve()), "vault", private=True)


def answer(store: Store, job: Job, name: str, texts: list[dict[str, str]]) -> list[bytes]:
    """Let a contractor answer one task after another; returns the pictures that they saw."""
    talk = Conversation(store, job, store.worker(name, "contractors", make=True), reopened(job))
    reply, seen = talk.reply({"kind": "task"})
    for number, value in enumerate(texts):
        assert reply["kind"] == "task", reply
        message = {"kind": "answer", "task": reply["task"], "value": value, "seconds": 1, "key": f"{job.name}{number}"}
        reply, more = talk.reply(message)
        seen += more
    return seen


def on_disk(store: Store) -> bytes:
    assert store.path
    return b"".join(path.read_bytes() for path in store.path.parent.iterdir())


def test_what_is_said_about_donated_words_is_sealed_and_ends_in_the_vault(donated: Lab, store: Store) -> None:
    job = new_job(store, donated)
    said = [{"text": text} for text in ("TOTAL", WORD + "x")] + [{"choice": "unreadable"}, {"text": "Total"}]
    seen = answer(store, job, "Ada", said)
    first = load_pages(donated.folder, "vault", use="label")[0]
    crop = next(sample.image for sample in word_samples([first]))
    assert np.array_equal(cv2.imdecode(np.frombuffer(seen[0], np.uint8), cv2.IMREAD_GRAYSCALE), crop)
    assert [dict(vote.value) for vote in store.votes(job)] == said
    assert store.statistics(job, store.worker("Ada", "contractors"))["errors"] == [1, 1, 1, 1]
    for leak in (WORD.encode(), b"TOTAL", b"tota1", b'{"choice', b'"quad"', seen[0][:40]):
        assert leak not in on_disk(store)
    log = [entry for entry in open_vault(donated.folder).log() if entry["what"] == "read"]
    assert {entry["use"] for entry in log} == {"label"}

    with pytest.raises(PrivateData, match="--form vault"):
        export(store, job, donated.folder, "crops")
    counts = export(store, job, donated.folder, "vault")
    assert counts == {"written": 3, "unreadable": 1, "not answered yet": 14}
    by_page = {page.id: [word.text for word in page.words] for page in load_pages(donated.folder, "vault")}
    assert by_page[first.id] == ["TOTAL", WORD + "x", ""]
    assert sorted(texts[0] for texts in by_page.values()) == ["TOTAL", "Total"] + ["total"] * 4
    entries = [entry for entry in open_vault(donated.folder).log() if entry["what"] == "labelled"]
    assert {entry["reason"] for entry in entries} == {"answers to the job donated"}
    assert open_vault(donated.folder).verify().faults == ()
    answer(store, job, "Ada", [{"text": "more"}])  # the next task is still at its place


def test_a_withdrawal_kills_the_answers_in_every_copy_of_the_file(donated: Lab, store: Store, tmp_path: Path) -> None:
    job = new_job(store, donated)
    answer(store, job, "Ada", [{"text": f"w{number}"} for number in range(18)])
    copy = tmp_path / "copy.db"
    assert store.path
    store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(store.path, copy)
    vault = open_vault(donated.folder)
    gone = vault.withdraw("donor-2").objects[0]
    lost = [task["id"] for task in store.tasks(job) if page_of_task(task["key"]) == gone]
    with Store(copy) as old:
        for each in (store, old):
            assert len(each.votes(job)) == 15
            assert not {vote.task for vote in each.votes(job)} & set(lost)
            assert [task["content"] for task in each.tasks(job) if task["id"] in lost] == [{}] * 3
            assert summary(each, job)["withdrawn"] == 3
    assert export(store, job, donated.folder, "vault")["not answered yet"] == 3


def test_a_donor_who_withdraws_between_task_and_answer_leaves_no_answer(donated: Lab, store: Store) -> None:
    job = new_job(store, donated)
    ada = store.worker("Ada", "contractors", make=True)
    talk = Conversation(store, job, ada, reopened(job))
    task = talk.reply({"kind": "task"})[0]["task"]
    page = page_of_task(next(row["key"] for row in store.tasks(job) if row["id"] == task))
    vault = open_vault(donated.folder)
    vault.withdraw(next(name for name, donor in vault.donors.items() if page in donor.documents))
    reply, (picture,) = talk.reply({"kind": "answer", "task": task, "value": {"text": "x"}, "seconds": 1, "key": "k"})
    assert reply["kind"] == "task"
    assert picture
    assert store.votes(job) == []
    assert "withdrawn" in store.audited("not shown")[0]["detail"]


def test_answers_that_differ_are_adjudicated_without_leaving_the_seal(donated: Lab, store: Store) -> None:
    job = new_job(store, donated, redundancy=2)
    answer(store, job, "Ada", [{"text": WORD}] * 2)
    answer(store, job, "Bob", [{"text": WORD}, {"text": f"{WORD}2"}])
    labels = results(store.votes(job))
    tasks = [task for task in adjudication(store, job, labels) if len(task.content["candidates"]) > 1]
    assert len(tasks) == 1
    second = store.add_job("second", load_template("adjudicate"), tasks, job.source, "vault", private=True)
    assert WORD.encode() not in on_disk(store)
    assert set(store.tasks(second)[0]["content"]["candidates"]) == {WORD, f"{WORD}2"}
    assert digest_of(store, job) != digest_of(store, second)


def test_answers_in_the_file_cannot_be_given_to_another_task_or_person(donated: Lab, store: Store) -> None:
    job = new_job(store, donated)
    answer(store, job, "Ada", [{"text": "one"}, {"text": "two"}])
    values = [row["value"] for row in store._db.execute("SELECT value FROM answers ORDER BY id")]
    store._db.execute("UPDATE answers SET value = ? WHERE id = 1", (values[1],))
    with pytest.raises(BadDataset, match="is not what was sealed"):
        store.votes(job)


def test_pages_get_their_first_words_and_their_kind_from_people(lab: Lab, store: Store, tmp_path: Path) -> None:
    """Donors give pictures, not labels."""
    write_pages(tmp_path / "plain", 2, ["total"])
    with lab.open() as vault:
        for number, path in enumerate(sorted((tmp_path / "plain").glob("*.png"))):
            vault.add(f"donor-{number}", donated_files([path]), consent(f"donor-{number}"))
        source = str(lab.folder.resolve())
        pages, private = pages_of(lab.folder, "vault")
        assert private
        boxes = store.add_job("boxes", load_template("boxes"), page_tasks(pages), source, "vault", private=True)
        entry = {"box": [10, 18, 90, 48], "text": WORD}
        (shown, *_) = answer(store, boxes, "Ada", [{"boxes": [entry]}])
        assert cv2.imdecode(np.frombuffer(shown, np.uint8), cv2.IMREAD_COLOR).shape[:2] == (420, 420)
        assert export(store, boxes, lab.folder, "vault")["written"] == 1
        kinds = store.add_job("kind", load_template("kind"), page_tasks(pages, False), source, "vault", private=True)
        kind = kinds.template.choices[0].name
        answer(store, kinds, "Ada", [{"choice": kind}])
        assert export(store, kinds, lab.folder, "vault")["written"] == 1
        page = load_pages(lab.folder, "vault", use="label")[0]
        assert ([word.text for word in page.words], page.category) == ([WORD], kind)
        assert page.words[0].box == pytest.approx([10, 18, 90, 48], abs=0.1)
        with pytest.raises(BadParams, match="not about the pages of a vault in"):
            export(store, kinds, tmp_path, "vault")
    assert WORD.encode() not in on_disk(store)


def test_the_verbs_make_answer_collect_and_seal_a_private_job(donated: Lab, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    vault = str(donated.folder)

    def said(*words: str, status: int = 0) -> str:
        done = CliRunner().invoke(main, ["label", *words])
        assert done.exit_code == status, done.output
        assert WORD not in done.output
        return done.output

    told = said("new", "donated", "--from", vault, "--form", "vault", "--order", "confidence", "--count", "4")
    assert told.startswith("donated: 4 tasks")
    for pool in (("--local",), ("--pool", "prolific")):
        assert "under no agreement" in said("serve", "donated", *pool, status=2)
    assert "--nda" in said("serve", "donated", status=2)
    with Store(tmp_path / "labelling" / "jobs.db") as store:
        job = store.job("donated")
        assert store.tasks(job)[0]["content"]["reading"], "people see what we read, which lies in the file sealed"
        answer(store, job, "Ada", [{"text": WORD}] * 4)
    assert json.loads(said("status", "donated", "--json"))["answers"] == 4
    told = said("collect", "donated")
    assert "4 labels are sure" in told
    assert "No run is recorded" in told
    assert "its labels go into the vault" in said("export", "donated", "-o", "out", status=2)
    assert "4 sealed" in said("export", "donated", "--form", "vault", "-o", vault)
    assert sum(page.texts.count(WORD) for page in load_pages(donated.folder, "vault")) >= 4
    with sqlite3.connect(tmp_path / "labelling" / "jobs.db") as database:
        assert WORD not in "\n".join(database.iterdump())
