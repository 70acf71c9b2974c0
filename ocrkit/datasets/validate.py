"""What is wrong with labelled pages, and what they hold."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from ocrkit.alphabet import Alphabet, normalise
from ocrkit.datasets.sample import LabelledPage, LabelledWord
from ocrkit.document import Image
from ocrkit.errors import BadImage

# Annotators' boxes end a little outside the pixels they mean.
_OUTSIDE_PX = 2.0
_ALPHABET = Alphabet()


@dataclass(frozen=True)
class Finding:
    """Something a person should look at.

    Attributes:
        page: id of the page.
        message: what is the matter.
        serious: the page or some of its labels cannot be used; otherwise they can, with less than they might say.
    """

    page: str
    message: str
    serious: bool


def validate(pages: Iterable[LabelledPage], alphabet: Alphabet = _ALPHABET) -> list[Finding]:
    """Unreadable or repeated images, boxes outside the page or turned over, labels empty or beyond `alphabet`."""
    findings = []
    first_with: dict[str, str] = {}
    for page in pages:
        labels = page.words or page.lines
        try:
            image = page.image()
        except BadImage as error:
            findings.append(Finding(page.id, str(error), serious=True))
            continue
        twin = first_with.setdefault(_digest(image), page.id)
        if twin != page.id:
            findings.append(Finding(page.id, f"the same image as {twin}", serious=True))
        findings += [Finding(page.id, message, serious=True) for message in _misplaced(labels, image)]
        empty = sum(not label.text.strip() for label in labels)
        if empty:
            findings.append(Finding(page.id, f"{empty} of {len(labels)} labels are empty", serious=False))
        unknown = alphabet.unknown(normalise(" ".join(label.text for label in labels)))
        if unknown:
            findings.append(Finding(page.id, f"characters outside the alphabet: {unknown}", serious=False))
    return findings


def statistics(pages: Iterable[LabelledPage], alphabet: Alphabet = _ALPHABET) -> dict[str, Any]:
    """Counts, sizes and lengths of what `pages` hold.

    Returns:
        Plain numbers, strings and lists; triples are the 5th, 50th and 95th percentile. Heights are those of word
        quads, in pixels, and missing where only lines are labelled.
    """
    pages = list(pages)
    texts = [text for page in pages for text in page.texts]
    characters = Counter("".join(texts))
    heights = [np.linalg.norm(word.quad[3] - word.quad[0]) for page in pages for word in page.words]
    shapes = [page.image().shape for page in pages]
    return {
        "pages": len(pages),
        "simulated pages": sum(page.simulated for page in pages),
        "categories": dict(Counter(page.category for page in pages)),
        "labelled words": sum(len(page.words) for page in pages),
        "labelled lines": sum(len(page.lines) for page in pages),
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
            messages.append(f"the corners of {label.text!r} enclose nothing or go round the wrong way")
        elif min(x0, y0) < -_OUTSIDE_PX or x1 > width + _OUTSIDE_PX or y1 > height + _OUTSIDE_PX:
            messages.append(f"the box of {label.text!r} lies outside the page")
    return messages


def _digest(image: Image) -> str:
    return hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest()


def _percentiles(values: list[Any]) -> list[float]:
    return np.percentile(values, [5, 50, 95]).round(1).tolist() if values else []
