"""Words that champion and challenger read differently: as tasks for people, as evidence, and as pictures."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np

from ocrkit import privacy
from ocrkit.datasets import LabelledPage, cut
from ocrkit.document import Image, Page, Word
from ocrkit.errors import OcrkitError
from ocrkit.files import make_folder, write_whole
from ocrkit.images import to_grey
from ocrkit.labelling.aggregate import results
from ocrkit.labelling.jobs import Job, NewTask, Store
from ocrkit.labelling.tasks import Place, png
from ocrkit.metrics import fold, match_boxes, texts_at
from ocrkit.studies.registry import CHALLENGER, CHAMPION

MOST_STRIPS = 24
_A_PAGE = 3  # strips, so that they are of several pages
_MARGIN = 0.1  # of paper around a word, in heights
_SMALLEST_PX = 4
_NO_TEXT = "no-text"


@dataclass(frozen=True)
class Disagreement:
    """A place on a page and what the two read there; nothing where one of them found no word."""

    quad: np.ndarray
    champion: str
    challenger: str


def disagreements(champion: Page, challenger: Page) -> list[Disagreement]:
    """The words of either page that the other reads differently, but for case.

    Words whose boxes overlap by half are one place; all others stand alone.
    """
    ours, theirs = champion.words, challenger.words
    pairs = {int(a): int(b) for a, b in match_boxes(_boxes(ours), _boxes(theirs))}
    found = [
        Disagreement(word.quad, word.text, theirs[pairs[i]].text if i in pairs else "") for i, word in enumerate(ours)
    ]
    matched = set(pairs.values())
    found += [Disagreement(word.quad, "", word.text) for i, word in enumerate(theirs) if i not in matched]
    return [each for each in found if fold(each.champion) != fold(each.challenger)]


def _boxes(words: Sequence[Word]) -> np.ndarray:
    return np.array([word.box for word in words]).reshape(-1, 4)


def tasks_of(
    page: LabelledPage, image: Image, differing: Iterable[Disagreement], about: Mapping[str, Any]
) -> list[NewTask]:
    """Tasks for `verify`: which reading is shown first is left to chance, so that nobody is led to one of the two.

    Args:
        page: that was read; of a donated one no picture is kept.
        image: its pixels.
        differing: words on it.
        about: what each task is to know besides.
    """
    grey, tasks = to_grey(image), []
    for number, each in enumerate(differing):
        crop = cut(grey, each.quad, _MARGIN)
        if min(crop.shape) < _SMALLEST_PX:
            continue
        texts = [text for text in (each.champion, each.challenger) if text]
        Random(f"{about['document']}/{number}").shuffle(texts)
        content = {"reading": texts[0], "candidates": texts, CHAMPION: each.champion, CHALLENGER: each.challenger}
        task = NewTask(f"{about['document']}/{number}", {**content, **about}, png(crop), page.document or page.id)
        if page.private:
            place = Place(f"{page.id}/{number}", each.quad, _MARGIN)
            task = replace(task, key=place.key, content={**task.content, **place.content}, picture=None)
        tasks.append(task)
    return tasks


@dataclass(frozen=True)
class Verified:
    """Who read more of a document's differing words right, as people say: 1 the challenger, -1 the champion, 0 none."""

    document: str
    kind: str
    outcome: int


def verified(store: Store, job: Job) -> tuple[list[Verified], int]:
    """The documents of a job on whose words people agree, and how many others wait for answers.

    A flag other than "no text" speaks for nobody.
    """
    labels = results(store.votes(job))
    gains: dict[str, int] = {}
    kinds: dict[str, str] = {}
    waiting: set[str] = set()
    for task in store.tasks(job):
        content, result = task["content"], labels.results.get(task["id"])
        if not content:  # withdrawn
            continue
        name = content["document"]
        kinds[name] = content["kind"]
        gains.setdefault(name, 0)
        if result is None or result.value is None or not (result.is_sure or result.votes == 1):
            waiting.add(name)
        elif "text" in result.value or result.value.get("choice") == _NO_TEXT:
            truth = fold(result.value.get("text", ""))
            gains[name] += (fold(content[CHALLENGER]) == truth) - (fold(content[CHAMPION]) == truth)
    told = [Verified(name, kinds[name], int(np.sign(gain))) for name, gain in gains.items() if name not in waiting]
    return told, len(waiting)


# --- pictures ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Strip:
    """A word of a public page, what stands there, and what the two read."""

    image: Image
    truth: str
    champion: str
    challenger: str


def strips_of(page: LabelledPage, image: Image, found: Mapping[str, Page]) -> list[Strip]:
    """Labelled words of a page that the two read differently, none of a donated one."""
    truth = np.array([word.box for word in page.words]).reshape(-1, 4)
    if page.private or not len(truth):
        return []
    read = {}
    for role, its in found.items():
        read[role] = texts_at(truth, _boxes(its.words), [word.text for word in its.words])
    differing = [
        (word, old, new)
        for word, old, new in zip(page.words, read[CHAMPION], read[CHALLENGER])
        if word.text and fold(old) != fold(new)
    ]
    return [
        Strip(cut(to_grey(image), word.quad, _MARGIN), word.text, old, new) for word, old, new in differing[:_A_PAGE]
    ]


def strips_of_job(store: Store, job: Job) -> list[Strip]:
    """Words that people have verified, none of a private job."""
    if job.private:
        return []
    labels = results(store.votes(job))
    strips = []
    for task in store.tasks(job):
        result, content = labels.results.get(task["id"]), task["content"]
        picture = store.picture(task["id"])
        if picture and result and result.value and "text" in result.value:
            image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
            if image is not None:
                strips.append(Strip(np.asarray(image), result.value["text"], content[CHAMPION], content[CHALLENGER]))
    return strips


def keep_strips(path: Path, strips: Sequence[Strip]) -> None:
    """Keep the first strips of a step for the run of the move that ends it; none once donated pages are open."""
    there = load_strips(path)
    new = strips[: MOST_STRIPS - len(there)]
    if new and not privacy.is_open():
        rows = [
            {**{name: getattr(strip, name) for name in ("truth", CHAMPION, CHALLENGER)},
             "picture": base64.b64encode(png(strip.image)).decode()}
            for strip in (*there, *new)
        ]  # fmt: skip
        make_folder(path.parent)
        write_whole(path, json.dumps(rows, ensure_ascii=False, indent=1))


def load_strips(path: Path) -> list[Strip]:
    """The strips that were kept.

    Raises:
        OcrkitError: the file is damaged.
    """
    if not path.is_file():
        return []
    try:
        rows = json.loads(path.read_text("utf-8"))
        return [
            Strip(
                np.asarray(cv2.imdecode(np.frombuffer(base64.b64decode(row["picture"]), np.uint8), 0)),
                *(str(row[name]) for name in ("truth", CHAMPION, CHALLENGER)),
            )
            for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError, cv2.error) as error:
        raise OcrkitError(f"{path} holds no pictures of disagreements: {error}.") from None
