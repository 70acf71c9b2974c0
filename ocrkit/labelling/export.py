"""Finished labels as data sets of the usual forms, with where each comes from, ready for `finetune`."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import cv2
import numpy as np

from ocrkit import __version__
from ocrkit.alphabet import normalise
from ocrkit.datasets import LabelledPage, LabelledWord, Sample
from ocrkit.datasets.write import write_crops, write_table
from ocrkit.document import box_to_quad
from ocrkit.errors import BadDataset, BadParams
from ocrkit.files import make_folder, plain, whole_folder, write_whole
from ocrkit.labelling.aggregate import Labels, Result, alpha, results, text_distance
from ocrkit.labelling.jobs import Job, Store, Vote
from ocrkit.labelling.pools import DEFAULT, PrivateData
from ocrkit.labelling.sealed import page_of_task
from ocrkit.labelling.tasks import decisions_of, pages_of
from ocrkit.metrics import correct_words, wilson_interval

FORMS = ("crops", "label-studio", "decisions", "votes", "vault")


def summary(store: Store, job: Job, labels: Labels | None = None) -> dict[str, Any]:
    """The numbers of a job: progress, agreement, speed, what crowds and contractors cost, how often we read right.

    `readings_right` counts the randomly placed words only, where there are any: the others were chosen because they are
    hard.
    """
    votes = store.votes(job)
    labels = labels or results(votes)
    nominal, by_character = alpha(votes), alpha(votes, text_distance)
    seconds = sum(vote.seconds for vote in votes)
    gold = [vote.value == vote.gold for vote in votes if vote.gold is not None]
    contractors = {person.id for person in store.people() if person.pool == DEFAULT}
    paid = sum(vote.worker in contractors for vote in votes)
    spent = sum(row["usd"] for row in store.sent(job)) + paid * job.template.pay_usd
    progress = store.progress(job)
    told: dict[str, Any] = {
        **progress,
        "alpha": nominal.value,
        "alpha_low": nominal.low,
        "alpha_high": nominal.high,
        "alpha_characters": by_character.value,
        "minutes": seconds / 60,
        "words_per_hour": len(votes) / seconds * 3600 if seconds else float("nan"),
        "cost_usd": spent,
        "gold_right": float(np.mean(gold)) if gold else float("nan"),
        "unsure": len(labels.unsure()),
    }
    if job.private:
        told["withdrawn"] = progress["answers"] - len(votes)
    by_chance = [
        (task["content"]["reading"], normalise(labels.results[task["id"]].value["text"]))  # type: ignore[index]
        for task in store.tasks(job)
        if task["random"] and task["content"].get("reading") and "text" in _value(labels.results.get(task["id"]))
    ]
    if by_chance:
        right = correct_words([label for _, label in by_chance], [reading for reading, _ in by_chance])
        share = wilson_interval(int(right.sum()), len(right))
        told |= {"readings_right": share.value, "readings_right_low": share.low, "readings_right_high": share.high}
    return told


def export(store: Store, job: Job, folder: Path, form: str, unsure: bool = False) -> Counter[str]:
    """Write the labels of a job into a new folder; returns how many were written, and left out by the reason.

    Args:
        store: of the job.
        job: whose answers are taken.
        folder: to be made, whole or not at all; of a private job, the vault that it is about.
        form: `crops` or `label-studio` to learn from; `decisions` of a `verify` job on suspects, for the folder of the
            labels; `votes`, each answer without names, which DVC can track and notebook 25 reports on; `vault`, which
            seals the labels of a private job in place of those that the vault has.
        unsure: write labels, too, that people did not agree on.

    Raises:
        PrivateData: donated pictures are not written into plain files.
        BadParams: the folder holds something, or the job has nothing of that form.
    """
    if job.private and form != "vault":
        raise PrivateData(
            f"The job {job.name} shows private pages, whose pictures and texts are not written into plain files: "
            f"its labels go into the vault, by `ocrkit label export {job.name} --form vault -o {job.source}`."
        )
    if form == "vault":
        return _seal_labels(store, job, folder, unsure)
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise BadParams(f"{folder} exists already: name another folder, or delete it first.")
    labels = results(store.votes(job))
    counts: Counter[str] = Counter()
    with whole_folder(folder) as made:
        if form == "crops":
            _write_crops(store, job, labels, made, unsure, counts)
        elif form == "label-studio":
            _write_label_studio(store, job, labels, made, unsure, counts)
        elif form == "decisions":
            rows = decisions_of(store, job, labels)
            counts.update(decision for _, decision, _ in rows)
            write_table(made / "decisions.csv", ("id", "decision", "new_label"), rows)
        else:
            counts["answers"] = write_votes(store, job, made / "votes.csv")
        if not any(counts[name] for name in ("written", "answers", "keep", "fix", "drop")):
            raise BadParams(f"The job {job.name} has no answers that can be written as {form}.")
        about = make_folder(made / "about")  # not beside the labels, where adapters look for more of them
        write_whole(about / "provenance.json", json.dumps(provenance(store, job, labels), indent=1, ensure_ascii=False))
    return counts


def _seal_labels(store: Store, job: Job, folder: Path, unsure: bool) -> Counter[str]:
    """Seal what people said about the pages of a vault in place of the labels that it has; all or nothing.

    Words that nobody answered, or did not agree on, keep their labels; those with a flag are marked as not transcribed.
    """
    if not job.private or folder.resolve() != Path(job.source):
        raise BadParams(f"The job {job.name} is not about the pages of a vault in {folder}, but about {job.source}.")
    from ocrkit.datasets.vault import open_vault, relabel

    labels = results(store.votes(job))
    counts: Counter[str] = Counter()
    by_page: dict[str, list[tuple[dict[str, Any], Mapping[str, Any] | None]]] = {}
    for task, result in _results(store, job, labels):
        value = _accepted(job, result, unsure, counts)
        by_page.setdefault(page_of_task(task["key"]), []).append((task, value))
    pages = []
    for page in pages_of(folder, job.form)[0]:
        answers = by_page.get(page.id, [])
        if any(value is not None for _, value in answers):
            pages.append(_relabelled(page, answers))
            counts["written"] += sum(value is not None and not _is_flag(job, value) for _, value in answers)
    if not pages:
        raise BadParams(f"The job {job.name} has no answers that can be written as vault.")
    relabel(open_vault(folder), pages, f"answers to the job {job.name}")
    return counts


def _relabelled(page: LabelledPage, answers: list[tuple[dict[str, Any], Mapping[str, Any] | None]]) -> LabelledPage:
    """A page with what people said about it, or about its words."""
    words = list(page.words)
    places = {np.round(word.quad, 2).tobytes(): number for number, word in enumerate(words)}
    for task, value in answers:
        content = task["content"]
        if "quad" in content:
            quad = np.array(content["quad"], float)
            text = "" if value is None else value.get("text", "")  # empty: ink that nobody transcribed
            number = places.get(np.round(quad, 2).tobytes())
            if number is None:
                words.append(LabelledWord(text, quad))
            elif value is not None:
                words[number] = LabelledWord(text, quad)
        elif value is not None and "boxes" in value:
            boxes = [(entry["text"], np.array(entry["box"]) / content["scale"]) for entry in value["boxes"]]
            words = [LabelledWord(text, box_to_quad(tuple(box))) for text, box in boxes]
        elif value is not None and "choice" in value:
            page = replace(page, category=value["choice"])
    return replace(page, words=tuple(words))


def provenance(store: Store, job: Job, labels: Labels) -> dict[str, Any]:
    """Where the labels come from: job, template, source, models, people by number, and each label's votes."""
    keys = {task["id"]: task["key"] for task in store.tasks(job)}
    told = {
        "job": job.name,
        "template": job.template.model_dump(mode="json"),
        "source": job.source,
        "form": job.form,
        **job.about,
        "ocrkit": __version__,
        "summary": summary(store, job, labels),
        "people": [
            {"number": number, "answers": person.answers, "right": asdict(person.rate)}
            for number, person in enumerate(labels.people.values(), 1)
        ],
        "labels": {
            keys[task]: {
                "probability": round(r.probability, 4), "votes": r.votes, "agreeing": r.agreeing, "joined": r.joined
            }
            for task, r in labels.results.items()
        },
    }  # fmt: skip
    return dict(plain(told))


def write_votes(store: Store, job: Job, path: Path) -> int:
    """Write every answer as a table, people by number; returns their number.

    Raises:
        PrivateData: the job is private.
    """
    if job.private:
        raise PrivateData(f"The job {job.name} is private: its answers are not written into plain files.")
    tasks = {task["id"]: task for task in store.tasks(job)}
    numbers: dict[int, int] = {}
    rows = []
    for vote in store.votes(job):
        number = numbers.setdefault(vote.worker, len(numbers) + 1)
        task = tasks[vote.task]
        rows.append(
            (task["key"], number, json.dumps(vote.value, ensure_ascii=False, sort_keys=True), f"{vote.seconds:.2f}",
             json.dumps(vote.gold, ensure_ascii=False, sort_keys=True) if vote.gold is not None else "",
             task["content"].get("reading", ""), int(task["random"]))
        )  # fmt: skip
    write_table(path, ("task", "person", "answer", "seconds", "gold", "reading", "random"), rows)
    return len(rows)


def load_votes(folder: Path) -> tuple[list[Vote], dict[int, tuple[str, bool]]]:
    """The answers that `write_votes` wrote, and of each task our reading and whether chance chose it.

    Raises:
        BadDataset: the table is missing or of another form.
    """
    path = folder / "votes.csv"
    tasks: dict[str, int] = {}
    votes: list[Vote] = []
    readings: dict[int, tuple[str, bool]] = {}
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))
        for row in rows:
            task = tasks.setdefault(row["task"], len(tasks))
            gold = json.loads(row["gold"]) if row["gold"] else None
            value = json.loads(row["answer"])
            votes.append(Vote(task, int(row["person"]), value, float(row["seconds"]), float(len(votes)), gold))
            readings[task] = (row["reading"], row["random"] == "1")
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise BadDataset(
            f"{path} is no table of answers as `ocrkit label export --form votes` writes: {error}."
        ) from None
    if not votes:
        raise BadDataset(f"{path} holds no answers.")
    return votes, readings


def _value(result: Result | None) -> Mapping[str, Any]:
    return result.value if result and result.value else {}


def _labelled(
    store: Store, job: Job, labels: Labels, unsure: bool, counts: Counter[str]
) -> Iterator[tuple[dict[str, Any], Mapping[str, Any], bytes]]:
    """Tasks with their answers and pictures; what is left out is counted."""
    for task, result in _results(store, job, labels):
        value = _accepted(job, result, unsure, counts)
        if value is None or _is_flag(job, value):
            continue
        if picture := store.picture(task["id"]):
            yield task, value, picture


def _results(store: Store, job: Job, labels: Labels) -> Iterator[tuple[dict[str, Any], Result | None]]:
    """Tasks whose answer was not known, with what people say."""
    for task in store.tasks(job):
        if task["gold"] is None:
            yield task, labels.results.get(task["id"])


def _accepted(job: Job, result: Result | None, unsure: bool, counts: Counter[str]) -> Mapping[str, Any] | None:
    """An answer that is taken as a label or a flag; what is left out, and flags, are counted."""
    if result is None or result.value is None:
        counts["not answered yet"] += 1
        return None
    if not (result.is_sure or unsure or result.votes == 1):
        counts["not agreed on"] += 1
        return None
    if _is_flag(job, result.value):
        counts[result.value["choice"]] += 1
    return result.value


def _is_flag(job: Job, value: Mapping[str, Any]) -> bool:
    return "choice" in value and job.template.interface != "choice"


def _write_crops(store: Store, job: Job, labels: Labels, folder: Path, unsure: bool, counts: Counter[str]) -> None:
    if job.template.interface != "text":
        raise BadParams(f"The job {job.name} has no words: write it as label-studio.")

    def samples() -> Iterator[Sample]:
        for task, value, picture in _labelled(store, job, labels, unsure, counts):
            yield Sample(_grey(picture), value["text"], document=task["document"])

    counts["written"] = write_crops(samples(), folder)


def _grey(picture: bytes) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise BadParams("A picture of the job is broken.")
    return np.asarray(image, np.uint8)


def _write_label_studio(
    store: Store, job: Job, labels: Labels, folder: Path, unsure: bool, counts: Counter[str]
) -> None:
    """Label Studio's JSON: rectangles in percent with text areas, or choices (https://labelstud.io/guide/task_format)."""
    tasks = []
    make_folder(folder / "images")
    for task, value, picture in _labelled(store, job, labels, unsure, counts):
        name = f"{task['key']}.png"
        write_whole(folder / "images" / name, picture)
        height, width = _grey(picture).shape
        sizes = {"original_width": width, "original_height": height, "image_rotation": 0}
        scale = task["content"].get("scale", 1.0)
        found: list[dict[str, Any]] = []
        if "choice" in value:
            found = [
                {
                    "id": "kind",
                    "from_name": "kind",
                    "to_name": "image",
                    "type": "choices",
                    "value": {"choices": [value["choice"]]},
                }
            ]
        whole = [{"box": [0, 0, width / scale, height / scale], "text": value.get("text", "")}]
        for number, entry in enumerate([] if "choice" in value else value.get("boxes", whole)):
            x0, y0, x1, y1 = (side * scale for side in entry["box"])
            place = {"x": 100 * x0 / width, "y": 100 * y0 / height, "width": 100 * (x1 - x0) / width,
                     "height": 100 * (y1 - y0) / height, "rotation": 0}  # fmt: skip
            region = {"id": f"r{number}", "to_name": "image", **sizes}
            found.append({**region, "from_name": "box", "type": "rectangle", "value": place})
            found.append(
                {**region, "from_name": "text", "type": "textarea", "value": {**place, "text": [entry["text"]]}}
            )
        unique = str(uuid5(NAMESPACE_URL, f"{job.name}/{task['key']}"))
        meta = {"document": task["document"], "job": job.name}
        tasks.append(
            {"id": task["id"], "data": {"image": f"images/{name}"}, "meta": meta,
             "annotations": [{"unique_id": unique, "was_cancelled": False, "result": found}]}
        )  # fmt: skip
        counts["written"] += 1
    write_whole(folder / "labels.json", json.dumps(tasks, ensure_ascii=False, indent=1))


def digest_of(store: Store, job: Job) -> str:
    """32 figures that stand for the tasks of a job and all answers to them; MLflow takes 36 at most.

    Of a private job they stand for when each answer came in place of the answer: texts can be guessed from digests.
    """
    digest = hashlib.sha256(json.dumps([task["key"] for task in store.tasks(job)]).encode())
    for vote in store.votes(job):
        said = vote.at if job.private else dict(vote.value)
        digest.update(json.dumps([vote.task, vote.worker, said], sort_keys=True).encode())
    return digest.hexdigest()[:32]
