"""From pictures to tasks, and from answers to data sets that the usual adapters read and learning takes."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from ocrkit.datasets import LabelledPage, LabelledWord, Sample, load_crops, load_pages, write_shard
from ocrkit.datasets.write import write_crops
from ocrkit.document import box_to_quad
from ocrkit.errors import BadDataset, BadParams
from ocrkit.labelling.aggregate import results
from ocrkit.labelling.conversation import Conversation
from ocrkit.labelling.export import export, load_votes, summary
from ocrkit.labelling.jobs import Store
from ocrkit.labelling.order import Reading
from ocrkit.labelling.pools import PrivateData, is_private
from ocrkit.labelling.simulate import answer_all, blank_tasks
from ocrkit.labelling.tasks import (
    adjudication,
    check_pictures,
    page_tasks,
    picture_key,
    reopened,
    suspect_tasks,
    word_tasks,
    words_of,
)
from ocrkit.labelling.templates import load_template
from ocrkit.recognition.suspects import DECISIONS, Suspect, decided, read_decisions


def readings_of(samples: list[Sample]) -> list[Reading]:
    """Every third word is misread by the first of two readers."""
    return [Reading(s.text + "x" * (i % 3 == 0), 0.5 + i / 100, s.text) for i, s in enumerate(samples)]


def answered(store: Store, samples: list[Sample], redundancy: int = 1, rates: tuple[float, ...] = (1.0,), name="words"):
    template = load_template("transcribe").model_copy(update={"redundancy": redundancy})
    samples = [sample for sample in samples if sample.text]
    job = store.add_job(name, template, word_tasks(samples, readings_of(samples), "disagreement"))
    truths = {picture_key(sample.image): sample.text for sample in samples}
    answer_all(store, job, truths, {f"person {i}": rate for i, rate in enumerate(rates)})
    return job, truths


def test_equal_pictures_are_asked_about_once_and_the_count_is_kept(samples: list[Sample]) -> None:
    twice = [*samples, *samples]
    tasks = word_tasks(twice, readings_of(twice), "confidence", count=50)
    assert len(tasks) == len({task.key for task in tasks}) == len({picture_key(s.image) for s in samples})
    assert len(word_tasks(samples, readings_of(samples), "random", count=7)) == 7


def test_gold_that_we_misread_comes_before_gold_that_we_read_right(samples: list[Sample]) -> None:
    gold = samples[:6]
    tasks = word_tasks(samples[6:12], readings_of(samples[6:12]), "given", gold=gold, gold_readings=readings_of(gold))
    texts = [task.gold["text"] for task in tasks if task.gold]
    assert set(texts[:2]) == {gold[0].text, gold[3].text}
    assert len(tasks) == 12


@pytest.mark.parametrize("form", ["shards", "crops", "label-studio"])
def test_words_come_from_shards_from_crops_and_from_labelled_pages(
    tmp_path: Path, store: Store, samples: list[Sample], form: str
) -> None:
    if form == "shards":
        write_shard(tmp_path / "in" / "00000.npz", samples)
    elif form == "crops":
        write_crops(samples, tmp_path / "in")
    else:
        job, _ = answered(store, samples)
        export(store, job, tmp_path / "in", "label-studio")
    material = words_of(tmp_path / "in", form if form == "label-studio" else None)
    assert {sample.text for sample in material.samples if sample.text} >= {s.text for s in samples[:5]}
    assert not material.private


def test_a_folder_of_nothing_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="neither labels nor pictures"):
        words_of(tmp_path, None)
    with pytest.raises(BadDataset, match="There is no folder"):
        words_of(tmp_path / "none", None)


def test_a_job_whose_picture_is_missing_or_broken_is_not_served(store: Store) -> None:
    job = store.add_job("broken", load_template("transcribe"), blank_tasks(2))
    check_pictures(store, job)
    store._db.execute("UPDATE tasks SET picture = ? WHERE place = 1", (b"\x89PNG no picture",))
    with pytest.raises(BadParams, match="missing or broken"):
        check_pictures(store, job)


def test_exported_crops_are_a_data_set_with_where_each_label_comes_from(
    tmp_path: Path, store: Store, samples: list[Sample]
) -> None:
    job, truths = answered(store, samples, redundancy=3, rates=(0.99, 0.9, 0.6, 0.95))
    counts = export(store, job, tmp_path / "out", "crops")
    written = load_crops(tmp_path / "out")
    assert len(written) == counts["written"] == len(truths) - counts["not agreed on"]
    right = [truths[picture_key(sample.image)] == sample.text for sample in written]
    assert np.mean(right) > 0.9
    told = json.loads((tmp_path / "out" / "about" / "provenance.json").read_text())
    assert told["labels"].keys() == truths.keys()
    assert len(told["people"]) == 4
    assert "person 0" not in json.dumps(told)
    with pytest.raises(BadParams, match="exists already"):
        export(store, job, tmp_path / "out", "crops")


def test_flags_are_left_out_and_counted(tmp_path: Path, store: Store, samples: list[Sample]) -> None:
    job = store.add_job(
        "flags", load_template("transcribe"), word_tasks(samples[:4], readings_of(samples[:4]), "given")
    )
    ada = store.worker("Ada", "notebook", make=True)
    for number, value in enumerate([{"text": "a"}, {"choice": "unreadable"}, {"choice": "no-text"}]):
        store.answer(job, ada, store.lease(job, ada).task, value, 1, str(number))
    counts = export(store, job, tmp_path / "out", "crops")
    assert counts == {"written": 1, "unreadable": 1, "no-text": 1, "not answered yet": 1}


def test_boxes_are_exported_in_pixels_of_the_page_as_it_lies_beside_them(tmp_path: Path, store: Store) -> None:
    large = np.full((3000, 1000), 255, np.uint8)
    page = LabelledPage("p", (LabelledWord("old", box_to_quad((100, 200, 300, 260))),), pixels=large)
    (task,) = page_tasks([page])
    assert task.content["boxes"][0]["box"] == pytest.approx(
        [100 * 2.2 / 3, 200 * 2.2 / 3, 300 * 2.2 / 3, 260 * 2.2 / 3], abs=0.1
    )
    job = store.add_job("boxes", load_template("boxes"), [task])
    ada = store.worker("Ada", "notebook", make=True)
    boxes = [{"box": [100, 200, 300, 260], "text": "new"}, {"box": [400, 200, 500, 260], "text": ""}]
    store.answer(job, ada, store.lease(job, ada).task, {"boxes": boxes}, 60, "k")
    export(store, job, tmp_path / "out", "label-studio")
    (back,) = load_pages(tmp_path / "out", "label-studio")
    assert [word.text for word in back.words] == ["new", ""]
    assert back.words[0].box * 3000 / 2200 == pytest.approx([100, 200, 300, 260], abs=1)


def test_what_people_did_not_agree_on_becomes_a_job_with_their_answers(store: Store, samples: list[Sample]) -> None:
    job, truths = answered(store, samples, redundancy=2, rates=(0.9, 0.3))
    labels = results(store.votes(job))
    tasks = adjudication(store, job, labels)
    assert len(tasks) == len(labels.unsure()) > 5
    assert all(task.picture and task.content["candidates"] for task in tasks)
    wrong = [r for r in labels.results.values() if r.is_sure and r.value["text"] != truths[_key(store, job, r.task)]]
    assert len(wrong) <= 1


def _key(store: Store, job, task: int) -> str:
    return next(row["key"] for row in store.tasks(job) if row["id"] == task)


def test_doubted_labels_become_a_job_whose_answers_are_decisions_that_learning_obeys(
    tmp_path: Path, store: Store, samples: list[Sample]
) -> None:
    doubted = [Suspect(sample, f"{sample.text}e", 9.0) for sample in samples[:3]]
    job = store.add_job("check", load_template("verify"), suspect_tasks(doubted))
    ada = store.worker("Ada", "notebook", make=True)
    for value in ({"text": samples[0].text}, {"text": "fixed"}, {"choice": "unreadable"}):
        lease = store.lease(job, ada)
        assert "label" not in str(lease.content["candidates"])
        store.answer(job, ada, lease.task, value, 1, str(lease.task))
    counts = export(store, job, tmp_path / "out", "decisions")
    assert counts == {"keep": 1, "fix": 1, "drop": 1}
    kept = decided(samples[:4], read_decisions(tmp_path / "out" / DECISIONS))
    assert [sample.text for sample in kept] == [samples[0].text, "fixed", samples[3].text]


def test_votes_are_written_without_names_and_read_back(tmp_path: Path, store: Store, samples: list[Sample]) -> None:
    job, _ = answered(store, samples, redundancy=2, rates=(1.0, 0.8, 0.9))
    export(store, job, tmp_path / "out", "votes")
    assert "person 0" not in (tmp_path / "out" / "votes.csv").read_text("utf-8-sig")
    votes, readings = load_votes(tmp_path / "out")
    before, after = (results(given) for given in (store.votes(job), votes))
    assert [r.value for r in after.results.values()] == [r.value for r in before.results.values()]
    assert sum(random for _, random in readings.values()) == sum(task["random"] for task in store.tasks(job))
    (tmp_path / "out" / "votes.csv").write_text("task,person\n1,2\n")
    with pytest.raises(BadDataset, match="is no table of answers"):
        load_votes(tmp_path / "out")


def test_the_numbers_of_a_job_say_how_often_we_read_right_by_random_words_only(
    store: Store, samples: list[Sample]
) -> None:
    job, truths = answered(store, samples)
    told = summary(store, job)
    by_chance = [task for task in store.tasks(job) if task["random"]]
    right = [task["content"]["reading"] == truths[task["key"]] for task in by_chance]
    assert told["answers"] == told["done"] == told["tasks"] > len(by_chance) > 3
    assert told["readings_right"] == np.mean(right)
    assert told["words_per_hour"] > 600


def test_private_labels_are_written_into_no_plain_file(tmp_path: Path, store: Store) -> None:
    job = store.add_job("donated", load_template("transcribe"), blank_tasks(2), "vault", "vault", private=True)
    for form in ("crops", "label-studio", "votes", "decisions"):
        with pytest.raises(PrivateData):
            export(store, job, tmp_path / "out", form)
    assert not (tmp_path / "out").exists()
    assert is_private("vault")
    assert not is_private("crops")


@pytest.mark.parametrize("template", ["boxes", "kind"])
def test_pages_are_shown_as_pictures(template: str) -> None:
    page = LabelledPage("p", (), pixels=np.full((50, 40, 3), 200, np.uint8))
    (task,) = page_tasks([page], template == "boxes")
    assert ("boxes" in task.content) == (template == "boxes")
    assert cv2.imdecode(np.frombuffer(task.picture, np.uint8), cv2.IMREAD_COLOR).shape == (50, 40, 3)


class DonatedPage(LabelledPage):
    """A page as a vault gives it, whose donor may take it back."""

    private = True
    withdrawn = False

    def image(self) -> np.ndarray:
        if self.withdrawn:
            raise BadDataset("Withdrawn.")
        return super().image()


def donated_pages() -> list[DonatedPage]:
    pages = []
    for number in range(2):
        pixels = np.random.default_rng(number).integers(0, 255, (60, 200), np.uint8)
        words = tuple(LabelledWord(f"secret{i}", box_to_quad((10 + 90 * i, 10, 90 + 90 * i, 40))) for i in range(2))
        pages.append(DonatedPage(f"doc{number}", words, pixels=pixels))
    return pages


def test_of_donated_words_the_file_holds_neither_picture_nor_text_and_a_withdrawn_one_is_shown_no_more(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = donated_pages()
    forms = {"vault": lambda folder, use: pages if use == "label" else []}
    monkeypatch.setattr("ocrkit.labelling.tasks.PAGE_FORMS", forms)
    material = words_of(tmp_path, "vault")
    readings = [Reading(sample.text, 0.5, sample.text) for sample in material.samples]
    assert material.private
    tasks = word_tasks(material.samples, readings, "given", places=material.places)
    job = store.add_job("donated", load_template("transcribe"), tasks, str(tmp_path), "vault", private=True)
    conversation = Conversation(store, job, store.worker("Ada", "contractors", make=True), reopened(job))
    message, (picture,) = conversation.reply({"kind": "task"})
    shown = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert (shown == pages[0].pixels[10:40, 10:90]).all()
    assert message["content"]["reading"] == "secret0"
    conversation.reply({"kind": "answer", "task": message["task"], "value": {"text": "secret9"}, "key": "k"})
    assert [vote.value["text"] for vote in store.votes(job)] == ["secret9"]

    monkeypatch.setattr(type(pages[0]), "withdrawn", True)
    assert conversation.reply({"kind": "task"})[0]["kind"] == "done"
    assert [row["detail"] for row in store.audited("not shown")] == ["Withdrawn."] * 3
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"secret" not in kept
    assert picture not in kept
