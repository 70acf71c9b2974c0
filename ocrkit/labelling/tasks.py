"""Where tasks come from: labelled pages, crops, shards, plain pictures, doubted labels, and answers that differ."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np

from ocrkit.alphabet import normalise
from ocrkit.datasets import LabelledPage, LabelledWord, Sample, cut, load_pages, read_shard, word_samples
from ocrkit.datasets._files import IMAGE_SUFFIXES
from ocrkit.datasets.forms import PAGE_FORMS
from ocrkit.document import Image
from ocrkit.errors import BadDataset, BadImage, BadParams
from ocrkit.files import folder_name
from ocrkit.images import load_image, to_grey
from ocrkit.labelling.aggregate import Labels, key_of
from ocrkit.labelling.jobs import Job, Lease, NewTask, Store
from ocrkit.labelling.order import Reading, ordered
from ocrkit.labelling.pools import PRIVATE_FORMS, is_private
from ocrkit.labelling.sealed import page_of_task
from ocrkit.labelling.templates import Template
from ocrkit.recognition.suspects import Suspect, sample_id

if TYPE_CHECKING:
    from ocrkit.documents.reader import Reader
    from ocrkit.recognition import Guess

_LOGGER = logging.getLogger(__name__)
_DETECTED = "detected"  # in place of a form, where words were found rather than labelled
_LARGEST_PX = 2200  # a side of a page as it is shown
_MARGIN = 0.1  # of paper around a word that was found, in heights
_SMALLEST_PX = 4


class WordReader(Protocol):
    """What reads crops; `ocrkit.recognition.load_recognizer` gives one."""

    def recognize(self, crops: Sequence[Image]) -> list[Guess]:
        """One guess a crop, in order."""
        ...


@dataclass(frozen=True, eq=False)
class Material:
    """Words to ask about, and where they come from.

    Attributes:
        places: of the words of donated documents, in the order of the samples; nothing else is kept of those.
    """

    samples: Sequence[Sample]
    source: str
    form: str
    places: Sequence[Place] | None = None

    @property
    def private(self) -> bool:
        """Whether they are of donated documents."""
        return self.places is not None


@dataclass(frozen=True)
class Place:
    """Where a word of a donated page is.

    Attributes:
        key: of its task: the page's id and a number.
        quad: px of the page.
        margin: of paper that is shown around it, in heights.
    """

    key: str
    quad: np.ndarray
    margin: float = 0.0

    @property
    def content(self) -> dict[str, Any]:
        """What a task keeps of it, sealed."""
        return {"quad": np.round(self.quad, 2).tolist(), "margin": self.margin}


class Donated:
    """The pictures of a private job's tasks as PNG.

    Each is read from where it is kept whenever it is asked for, so that it ends with its donor's consent.

    Args:
        pages: of the source.
    """

    def __init__(self, pages: Iterable[LabelledPage]) -> None:
        self._pages = {page.id: page for page in pages}

    def __call__(self, lease: Lease) -> bytes:
        """The picture of a task.

        Raises:
            BadImage: its donor has withdrawn, or does not let it be labelled.
        """
        page = self._pages.get(page_of_task(lease.key))
        if page is None:
            raise BadImage("The page may not be labelled any more.")
        image = page.image()
        if "quad" not in lease.content:
            return shown_page(image)[0]
        return png(cut(to_grey(image), np.array(lease.content["quad"]), lease.content["margin"]))


def words_of(folder: Path, form: str | None, reader: Callable[[], Reader] | None = None) -> Material:
    """The words of a folder.

    Args:
        folder: shards, labelled crops or pages, or plain pictures of pages.
        form: of labelled pages; without one, shards are taken, or `labels.csv`, or else the words that `reader` finds
            in the pictures.
        reader: makes the reader, where one is needed.

    Raises:
        BadDataset: nothing of that is there.
        BadImage: a picture that cannot be read.
    """
    if not folder.is_dir():
        raise BadDataset(f"There is no folder {folder}.")
    if form is None and (shards := sorted(folder.glob("[0-9]*.npz"))):
        return Material([sample for path in shards for sample in read_shard(path)], str(folder), "shards")
    if form is None and (folder / "labels.csv").is_file():
        form = "crops"
    if form is not None:
        pages = _labelled_pages(folder, form)
        private = is_private(form, pages)
        if not any(page.words for page in pages) and (not private or any(page.lines for page in pages)):
            raise BadDataset(f"{folder} labels lines, not words: cut them with `ocrkit data words` first.")
        if not private:
            return Material(list(word_samples(pages)), str(folder), form)
        return _donated_words(pages, str(folder), form, reader)
    samples = []
    for page in _pictures_of(folder, reader):
        grey = to_grey(page.image())
        crops = [(cut(grey, word.quad, _MARGIN), word.text) for word in page.words]
        big = [(crop, text) for crop, text in crops if min(crop.shape) >= _SMALLEST_PX]
        samples += [Sample(crop, text, source=folder_name(folder), document=page.id) for crop, text in big]
    if not samples:
        raise BadDataset(f"No word was found in the pictures of {folder}.")
    return Material(samples, str(folder), _DETECTED)


def _donated_words(
    pages: Sequence[LabelledPage], source: str, form: str, reader: Callable[[], Reader] | None
) -> Material:
    """The words of donated pages; of those that have no labels yet, what a reader finds."""
    read = reader() if reader and not all(page.words or page.lines for page in pages) else None
    samples, places = [], []
    for page in pages:
        image = page.image()
        grey, margin = to_grey(image), 0.0 if page.words or page.lines else _MARGIN
        for number, word in enumerate(page.words if page.words or page.lines else found_words(image, read)):
            crop = cut(grey, word.quad, margin)
            if min(crop.shape) >= _SMALLEST_PX:
                samples.append(Sample(crop, word.text, document=page.document or page.id, private=True))
                places.append(Place(f"{page.id}/{number}", word.quad, margin))
    if not samples:
        raise BadDataset(f"No word was found on the pages of {source}.")
    return Material(samples, source, form, places)


def found_words(image: Image, reader: Reader | None) -> tuple[LabelledWord, ...]:
    """The words that a reader finds on a page, by lines; none without a reader."""
    if reader is None:
        return ()
    # Quads are those of the picture as it was given, also where the page was turned or straightened to be read.
    return tuple(
        LabelledWord(word.text, word.quad) for line in reader.read(image).pages[0].lines for word in line.words
    )


def _labelled_pages(folder: Path | str, form: str) -> list[LabelledPage]:
    """Labelled pages; of those that donors gave, the ones that may be shown to be labelled."""
    if form in PRIVATE_FORMS and form in PAGE_FORMS:
        return list(PAGE_FORMS[form](Path(folder), use="label"))
    return load_pages(folder, form)


def _pictures_of(folder: Path, reader: Callable[[], Reader] | None) -> list[LabelledPage]:
    """The plain pictures of a folder as pages, with the words that a reader finds, where one is given."""
    if not folder.is_dir():
        raise BadDataset(f"There is no folder {folder}.")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    if not paths:
        raise BadDataset(f"{folder} holds neither labels nor pictures.")
    if others := sum(path.suffix.lower() == ".pdf" or path.is_dir() for path in folder.iterdir()):
        _LOGGER.warning(
            "%d PDFs and folders in %s are left out: only the pictures in it are asked about.", others, folder
        )
    read = reader() if reader else None
    pages = []
    for path in paths:
        try:
            image = load_image(path)
            words = found_words(image, read)
        except BadImage as error:
            _LOGGER.warning("%s It is left out.", error)
            continue
        pages.append(LabelledPage(path.stem, words, pixels=image, source=folder_name(folder)))
    if not pages:
        raise BadDataset(f"No picture in {folder} can be read.")
    return pages


def read_by(samples: Sequence[Sample], recognizer: WordReader | None, other: WordReader | None = None) -> list[Reading]:
    """What one or two models make of the words; without any, nothing."""
    if recognizer is None:
        return [Reading("", 0.0) for _ in samples]
    crops = [sample.image for sample in samples]
    guesses = recognizer.recognize(crops)
    others = [guess.text for guess in other.recognize(crops)] if other else [None] * len(crops)
    return [Reading(guess.text, guess.confidence, text) for guess, text in zip(guesses, others)]


def word_tasks(
    samples: Sequence[Sample],
    readings: Sequence[Reading],
    order: str,
    count: int | None = None,
    seed: int = 7,
    gold: Sequence[Sample] = (),
    gold_readings: Sequence[Reading] = (),
    places: Sequence[Place] | None = None,
    equal: bool = False,
) -> list[NewTask]:
    """Tasks about words, in an order, and those whose answer is known.

    Args:
        samples: words.
        readings: of them.
        order: see `ocrkit.labelling.order`.
        count: the most tasks; all by default.
        seed: of chance.
        gold: words whose label is known to be right. Those that we misread come first: who copies what a machine says
            shall fail on them.
        gold_readings: of them.
        places: of samples whose pictures may not be kept.
        equal: ask about each of equal pictures; else about one of them, and how many that leaves out is said.
    """
    misread_first = sorted(zip(gold, gold_readings), key=lambda pair: pair[1].text == normalise(pair[0].text))
    known = [_task(sample, reading, gold={"text": normalise(sample.text)}) for sample, reading in misread_first]

    def asked() -> Iterator[NewTask]:
        for number, is_random in ordered(readings, order, seed):
            task = _task(samples[number], readings[number], random=is_random)
            if places is None:
                yield task
            else:
                kept = {**task.content, **places[number].content}
                yield replace(task, key=places[number].key, content=kept, picture=None)

    most = None if count is None else len({task.key for task in known}) + count
    return _told_apart(chain(known, asked()), most, equal)


def _told_apart(tasks: Iterable[NewTask], most: int | None = None, equal: bool = False) -> list[NewTask]:
    """At most so many tasks, one of those with equal pictures, or each of them under a key of its own."""
    kept: list[NewTask] = []
    times: Counter[str] = Counter()
    for task in tasks:
        if most is not None and len(kept) == most:
            break
        times[task.key] += 1
        if times[task.key] == 1:
            kept.append(task)
        elif equal:
            kept.append(replace(task, key=f"{task.key}-{times[task.key]}"))
    if left_out := times.total() - len(kept):
        _LOGGER.warning(
            "%s equal to another one, dot for dot, and not asked about again; --equal asks about each.",
            "1 picture is" if left_out == 1 else f"{left_out:,} pictures are",
        )
    return kept


def _task(sample: Sample, reading: Reading, gold: Mapping[str, Any] | None = None, random: bool = False) -> NewTask:
    candidates = list(dict.fromkeys(filter(None, (reading.text, reading.other))))
    content = {"reading": reading.text, "confidence": round(reading.confidence, 4), "candidates": candidates}
    return NewTask(picture_key(sample.image), content, png(sample.image), sample.document, gold, random)


def suspect_tasks(suspects: Sequence[Suspect]) -> list[NewTask]:
    """For `verify`: labels that are doubted, each beside what the network reads; see `decisions_of`."""
    return [
        NewTask(
            sample_id(suspect.sample),
            {
                "reading": suspect.sample.text,
                "candidates": list(dict.fromkeys([suspect.sample.text, suspect.reading])),
                "label": suspect.sample.text,
                "evidence": min(suspect.evidence, 1e9),
            },
            png(suspect.sample.image),
            suspect.sample.document,
        )
        for suspect in suspects
    ]


def page_tasks(
    pages: Iterable[LabelledPage], boxes: bool = True, count: int | None = None, equal: bool = False
) -> list[NewTask]:
    """Tasks about whole pages: their words as boxes to mend, or only their picture, which of donated ones is not kept.

    Args:
        pages: to ask about.
        boxes: whether their words are part of the task.
        count: the most tasks; all by default.
        equal: see `word_tasks`.

    Raises:
        BadImage: a page that cannot be read.
    """
    return _told_apart(_page_tasks(pages, boxes), count, equal)


def _page_tasks(pages: Iterable[LabelledPage], boxes: bool) -> Iterator[NewTask]:
    for page in pages:
        image = page.image()
        picture, scale = shown_page(image)
        content: dict[str, Any] = {"scale": scale}
        if boxes:
            content["boxes"] = [
                {"box": [round(float(side) * scale, 1) for side in word.box], "text": word.text} for word in page.words
            ]
        key, kept = (page.id, None) if page.private else (picture_key(image), picture)
        yield NewTask(key, content, kept, page.document or page.id)


def shown_page(image: Image) -> tuple[bytes, float]:
    """A page as PNG, no larger than is of use, and the scale that made it so."""
    scale = min(1.0, _LARGEST_PX / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    return png(small), scale


def pages_of(
    folder: Path, form: str | None, reader: Callable[[], Reader] | None = None
) -> tuple[list[LabelledPage], bool]:
    """Pages to draw boxes on or tell kinds of, and whether they are private; see `words_of`.

    Donated pages without labels get the words that `reader` finds.
    """
    if form is not None:
        pages = _labelled_pages(folder, form)
        private = is_private(form, pages)
        if private and reader and not all(page.words or page.lines for page in pages):
            read = reader()
            pages = [
                page if page.words or page.lines else replace(page, words=found_words(page.image(), read))
                for page in pages
            ]
        return pages, private
    return _pictures_of(folder, reader), False


def example_tasks(template: Template) -> list[NewTask]:
    """Invented tasks that show what a template looks like, also one that we misread."""
    texts = {"Total": "Total", "9.90": "9.90", "Invoice": "lnvoice", "No. 0815": "No. O815", "Thank": "Thank"}
    if template.interface == "text":
        return [
            NewTask(text, {"reading": reading, "candidates": list(dict.fromkeys([reading, text]))}, png(_drawn(text)))
            for text, reading in texts.items()
        ]
    page = np.full((420, 640), 255, np.uint8)
    boxes = []
    for row, (text, reading) in enumerate(texts.items()):
        word, top = _drawn(text), 40 + 70 * row
        page[top : top + word.shape[0], 60 : 60 + word.shape[1]] = word
        boxes.append({"box": [60, top, 60 + word.shape[1], top + word.shape[0]], "text": reading})
    content = {"scale": 1.0, "boxes": boxes[:-1]} if template.interface == "boxes" else {"scale": 1.0}
    return [NewTask(f"page {number}", content, png(page)) for number in (1, 2)]


def _drawn(text: str) -> Image:
    """A word in the font that OpenCV draws itself, which is there on every machine."""
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 1, 1)
    image = np.full((40, width + 12), 255, np.uint8)
    cv2.putText(image, text, (6, 30), cv2.FONT_HERSHEY_DUPLEX, 1, 0, 1, cv2.LINE_AA)
    return image


def adjudication(store: Store, job: Job, labels: Labels) -> list[NewTask]:
    """Tasks about what people did not agree on, with their answers to choose from, the likeliest first."""
    by_task = {task["id"]: task for task in store.tasks(job)}
    given: dict[int, list[str]] = {}
    for vote in store.votes(job):
        given.setdefault(vote.task, []).append(key_of(vote.value))
    tasks = []
    for result in labels.unsure():
        task = by_task[result.task]
        answers = [json.loads(key) for key in sorted(set(given[result.task]), key=given[result.task].count)[::-1]]
        texts = [result.value["text"]] if result.value and "text" in result.value else []
        texts += [answer["text"] for answer in answers if "text" in answer]
        content = {**task["content"], "candidates": list(dict.fromkeys(texts))}
        content["reading"] = texts[0] if texts else ""
        tasks.append(NewTask(task["key"], content, store.picture(result.task), task["document"]))
    return tasks


def decisions_of(store: Store, job: Job, labels: Labels) -> list[tuple[str, str, str]]:
    """What the answers of a `verify` job on suspects decide: id, `keep`, `fix` or `drop`, and the new label.

    Only sure answers decide; the others keep the label.
    """
    rows = []
    for task in store.tasks(job):
        result = labels.results.get(task["id"])
        if result is None or not result.is_sure or result.value is None:
            continue
        text = result.value.get("text")
        label = task["content"].get("label")
        decision = "drop" if text is None else "keep" if text == normalise(label or "") else "fix"
        rows.append((task["key"], decision, str(text) if decision == "fix" else ""))
    return rows


def picture_key(image: Image) -> str:
    """Sixteen figures that stand for a picture's pixels."""
    digest = hashlib.sha256(repr(image.shape).encode())
    digest.update(image.tobytes())
    return digest.hexdigest()[:16]


def png(image: Image) -> bytes:
    """A picture as PNG.

    Raises:
        BadImage: it has no pixels.
    """
    if not image.size:
        raise BadImage("A picture without pixels cannot be shown.")
    pixels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(".png", pixels)[1].tobytes())


def check_pictures(store: Store, job: Job) -> None:
    """Make sure, before people come, that every picture of a job is whole.

    Raises:
        BadParams: one is missing or broken.
    """
    for task in store.tasks(job):
        data = store.picture(task["id"])
        if data is None or cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) is None:
            raise BadParams(f"Task {task['id']} of {job.name} has a picture that is missing or broken.")


def reopened(job: Job) -> Donated:
    """The pictures of a private job, from where they are kept.

    Raises:
        BadDataset: the source is gone, or is not private any more.
    """
    pages = _labelled_pages(job.source, job.form)
    if not is_private(job.form, pages):
        raise BadDataset(f"The job {job.name} is private, but {job.source} is not: nothing of it is shown.")
    return Donated(pages)
