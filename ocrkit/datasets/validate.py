"""What is wrong with labelled pages, and what they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from ocrkit.alphabet import Alphabet, normalise, time_steps_needed
from ocrkit.datasets.crops import SMALLEST_PX, word_samples
from ocrkit.datasets.repeats import Seen
from ocrkit.datasets.sample import LabelledPage, LabelledWord
from ocrkit.document import Image
from ocrkit.errors import BadImage, quoted
from ocrkit.privacy import check_documents

# Annotators' boxes end a little outside the pixels they mean.
_OUTSIDE_PX = 2.0
_SHOWN = 60  # characters outside the alphabet
# What the recogniser makes of a crop, as ocrkit.recognition has it, a floor above.
HEIGHT_PX, NARROWEST_PX, WIDEST_PX, STRIDE_PX, LONGEST_LABEL = 32, 32, 512, 4, 48
_ALPHABET = Alphabet()


@dataclass(frozen=True)
class Finding:
    """Something a person should look at.

    Attributes:
        page: id of the page, after its split where there are several.
        message: what is the matter.
        serious: the page or some of its labels cannot be used; otherwise they can, with less than they might say.
    """

    page: str
    message: str
    serious: bool


def validate(pages: Iterable[LabelledPage], alphabet: Alphabet = _ALPHABET) -> list[Finding]:
    """What is wrong with the pages of one folder.

    Images that cannot be read or repeat each other; boxes outside the page or turned over; labels that are empty,
    beyond `alphabet` or longer than the recogniser can emit for the size of their word; pages without any.
    """
    findings = []
    seen: Seen[LabelledPage] = Seen()
    for page in pages:
        labels = page.words or page.lines
        try:
            image = page.image()
        except BadImage as error:
            findings.append(Finding(page.id, str(error), serious=True))
            continue
        for twin, exact in seen.add(page, image)[:1]:
            otherwise = "" if twin.texts == page.texts else ", labelled differently"
            findings.append(Finding(page.id, f"{_likeness(exact)} {twin.id}{otherwise}", serious=exact))
        findings += [Finding(page.id, message, serious=True) for message in _misplaced(labels, image)]
        long = [word.text for word in page.words if not _can_be_emitted(word)]
        if long:
            message = (
                f"{len(long)} labels are longer than can be read at their size, the first of them {quoted(long[0])}"
            )
            findings.append(Finding(page.id, message, serious=True))
        empty = sum(not label.text.strip() for label in labels)
        if empty:
            findings.append(Finding(page.id, f"{empty} of {len(labels)} labels are empty", serious=False))
        unknown = alphabet.unknown(normalise(" ".join(label.text for label in labels)))
        if unknown and page.private:
            what = f"{len(set(unknown))} different characters outside the alphabet"
            findings.append(Finding(page.id, what, serious=False))
        elif unknown:
            shown = unknown if len(unknown) <= _SHOWN else f"{unknown[:_SHOWN]} and {len(unknown) - _SHOWN} more"
            findings.append(Finding(page.id, f"characters outside the alphabet: {shown}", serious=False))
        if not labels and not page.left_out:
            findings.append(Finding(page.id, "nothing on it is labelled", serious=False))
        findings += [Finding(page.id, f"{n} labels left out: {why}", serious=False) for why, n in page.left_out.items()]
    return findings


def leaks(splits: Mapping[str, Iterable[LabelledPage]]) -> list[Finding]:
    """What stands in two splits, all of it serious: documents, and images that repeat each other.

    Images that cannot be read are passed over; `validate` names them.
    """
    findings = []
    seen: Seen[tuple[str, LabelledPage]] = Seen()
    split_with: dict[str, str] = {}
    for split, pages in splits.items():
        for page in pages:
            shared = []
            if page.document and (other := split_with.setdefault(page.document, split)) != split:
                shared.append(f"its document {page.document} is also in {other}")
            with suppress(BadImage):
                twins = [(other, twin, exact) for (other, twin), exact in seen.add((split, page), page.image())]
                shared += [f"{_likeness(exact)} {twin.id} in {other}" for other, twin, exact in twins if other != split]
            findings += [Finding(f"{split}/{page.id}", message, serious=True) for message in shared]
    return findings


def statistics(pages: Iterable[LabelledPage], alphabet: Alphabet = _ALPHABET) -> dict[str, Any]:
    """Counts, sizes and lengths of what `pages` hold.

    Returns:
        Plain numbers, strings and lists; triples are the 5th, 50th and 95th percentile. Heights are those of word
        quads, in pixels, and missing where only lines are labelled. Images that cannot be read are counted only.

    Raises:
        PrivateData: donated pages of too few documents to tell anything of.
    """
    pages = list(pages)
    if any(page.private for page in pages):
        check_documents(len({page.document or page.id for page in pages}), "The description")
    texts = [text for page in pages for text in page.texts]
    characters = Counter("".join(texts))
    heights = [np.linalg.norm(word.quad[3] - word.quad[0]) for page in pages for word in page.words]
    left_out: Counter[str] = Counter()
    shapes = [shape for page in pages if (shape := _shape(page, left_out)) is not None]
    return {
        "pages": len(pages),
        "unreadable pages": len(pages) - len(shapes),
        "simulated pages": sum(page.simulated for page in pages),
        "categories": dict(Counter(page.category for page in pages)),
        "labelled words": sum(len(page.words) for page in pages),
        "labelled lines": sum(len(page.lines) for page in pages),
        "labels without a crop": dict(left_out),
        "transcribed words": len(texts),
        "different words": len(set(texts)),
        "page width px": _percentiles([shape[1] for shape in shapes]),
        "page height px": _percentiles([shape[0] for shape in shapes]),
        "word height px": _percentiles(heights),
        "characters a word": _percentiles([len(text) for text in texts]),
        "characters": characters.total(),
        "most frequent": "".join(character for character, _ in characters.most_common(20)),
        "outside the alphabet": alphabet.unknown("".join(characters)),
    }


def _misplaced(labels: Iterable[LabelledWord], image: Image) -> list[str]:
    height, width = image.shape[:2]
    messages = []
    for label in labels:
        x0, y0, x1, y1 = label.box
        # Corners go clockwise on the screen, where y points down: the area then has a positive sign.
        if cv2.contourArea(label.quad.astype(np.float32), oriented=True) <= 0:
            messages.append(f"the corners of {quoted(label.text)} enclose nothing or go round the wrong way")
        elif min(x0, y0) < -_OUTSIDE_PX or x1 > width + _OUTSIDE_PX or y1 > height + _OUTSIDE_PX:
            messages.append(f"the box of {quoted(label.text)} lies outside the page")
        elif min(x1 - x0, y1 - y0) < SMALLEST_PX:
            messages.append(f"the box of {quoted(label.text)} is too small to be cut out")
    return messages


def _can_be_emitted(word: LabelledWord) -> bool:
    """Whether the time steps that the network makes of a crop of this shape suffice for the label."""
    top, right, bottom, left = np.linalg.norm(np.roll(word.quad, -1, axis=0) - word.quad, axis=1)
    width = (top + bottom) / max(left + right, 1e-9) * HEIGHT_PX
    steps = min(max(width, NARROWEST_PX), WIDEST_PX) / STRIDE_PX
    text = normalise(word.text)
    return time_steps_needed(text) <= steps and len(text) <= LONGEST_LABEL


def _likeness(exact: bool) -> str:
    return "the same image as" if exact else "looks like"


def _shape(page: LabelledPage, left_out: Counter[str]) -> tuple[int, ...] | None:
    """The shape of a page's image, `None` where it cannot be read; counts the labels that give no crop of a word."""
    try:
        image = page.image()
    except BadImage:
        left_out["on a page that cannot be read"] += len(page.words or page.lines)
        return None
    for _ in word_samples([replace(page, pixels=image)], left_out=left_out):
        pass
    return image.shape


def _percentiles(values: list[Any]) -> list[float]:
    return np.percentile(values, [5, 50, 95]).round(1).tolist() if values else []
