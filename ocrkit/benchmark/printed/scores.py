"""How an engine read a printed page: every word's fate, every mark's, and how far boxes stand off the ink."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ocrkit.alphabet import normalise
from ocrkit.document import Word
from ocrkit.metrics import PrecisionRecall, aligned, match_boxes
from ocrkit.synth.printed import PrintedPage

_DRAWN = ("☐", "☑", "☒")

# Fates of a word, in the order in which they are told. The last one is of words that nobody printed.
FATES = (
    "right", "not found", "joined", "split", "loose box", "mark lost", "mark changed", "case", "end cut", "misread",
    "extra",
)  # fmt: skip
MARKS = {
    "comma": ",", "point": ".", "apostrophe": "'’", "quotation mark": "\"“”‘", "hyphen": "-", "dash": "–—",
    "colon": ":;", "bracket": "()[]", "bullet": "•",
}  # fmt: skip
_IOU = 0.5
_INSIDE = 0.5  # share of a box that lies in another
_TOUCHED = 0.1  # share of a box below which another has nothing to do with it
_MEASURED_DPI = 200


@dataclass(frozen=True)
class Outcome:
    """A word and what became of it.

    Attributes:
        truth: what is printed, empty for what an engine invented.
        reading: in the box nearest to its ink; empty where there is none.
        fate: one of `FATES`.
        kinds: what the word is counted under.
        box: `(4,)` px, of the truth, or of what was invented.
    """

    truth: str
    reading: str
    fate: str
    kinds: frozenset[str]
    box: np.ndarray


@dataclass(frozen=True)
class PrintScore:
    """A page as one engine read it.

    Attributes:
        words: matched where the box is found (IoU 0.5) and the text exactly right.
        outcomes: of the printed words in their order, then of what is extra.
        sides: `(K, 4)`; how far the sides of found words' boxes stand out from the ink, px at 200 dpi.
        marks: how many of each of `MARKS` there are, and how many of them were read.
    """

    words: PrecisionRecall
    outcomes: tuple[Outcome, ...]
    sides: np.ndarray
    marks: dict[str, tuple[int, int]]


def score_page(page: PrintedPage, found: Sequence[Word]) -> PrintScore:
    """The page against the words `found` on it; code points of one look are the same, straight and curly marks not.

    Check boxes that are found count for nothing: those of the page are drawn, and none of its words.
    """
    found = [word for word in found if word.text not in _DRAWN]
    truth, texts = [normalise(word.text) for word in page.page.words], [normalise(word.text) for word in found]
    wanted = np.array([word.box for word in page.page.words], float).reshape(-1, 4)
    boxes = np.array([word.box for word in found], float).reshape(-1, 4)
    pairs = match_boxes(wanted, boxes, _IOU)
    matched = dict(pairs.tolist())
    shared = _shared_area(wanted, boxes)
    of_truth, of_found = shared / _area(wanted)[:, None], shared / _area(boxes)[None]
    holds_several = (of_truth >= _INSIDE).sum(0) > 1
    outcomes, marks = [], {name: [0, 0] for name in MARKS}
    for i, text in enumerate(truth):
        reading = texts[matched[i]] if i in matched else ""
        fate = difference(text, reading) if i in matched else ""
        if fate != "right":
            touching = of_truth[i] >= _TOUCHED
            if (of_found[i] >= _INSIDE).sum() > 1:
                fate = "split"
            elif (holds_several & (of_truth[i] >= _INSIDE)).any():
                fate = "joined"
            elif not fate:
                fate = "loose box" if touching.any() else "not found"
            if i not in matched and touching.any():
                reading = texts[int(of_truth[i].argmax())]
        outcomes.append(Outcome(text, reading, fate, page.kinds[i] | kinds_of(text), wanted[i]))
        _count_marks(marks, text, texts[matched[i]] if i in matched else "")
    invented = [j for j in range(len(texts)) if not (of_found[:, j] >= _TOUCHED).any()]
    outcomes += [Outcome("", texts[j], "extra", frozenset(), boxes[j]) for j in invented]
    right = sum(outcome.fate == "right" for outcome in outcomes)
    signs = np.array([-1, -1, 1, 1])
    sides = (boxes[pairs[:, 1]] - wanted[pairs[:, 0]]) * signs * _MEASURED_DPI / page.dpi
    return PrintScore(
        PrecisionRecall(right, len(truth), len(found)),
        tuple(outcomes),
        sides,
        {k: (a, b) for k, (a, b) in marks.items()},
    )


def difference(truth: str, reading: str) -> str:
    """The fate of a word whose box is right."""
    if reading == truth:
        return "right"
    letters = ["".join(filter(str.isalnum, text)) for text in (truth, reading)]
    if letters[0] == letters[1]:
        lost = [a for a, b in aligned(truth, reading) if a and not b]
        return "mark lost" if lost else "mark changed"
    if truth.casefold() == reading.casefold() or letters[0].casefold() == letters[1].casefold():
        return "case"
    if letters[1] and letters[1] in (letters[0][1:], letters[0][:-1]):
        return "end cut"
    return "misread"


def kinds_of(text: str) -> frozenset[str]:
    """What a word is counted under for its text alone."""
    tests = {
        "number with thousands": any(
            text[i] in ",."
            and text[i - 1].isdigit()
            and text[i + 1 : i + 4].isdigit()
            and len(text[i + 1 : i + 4]) == 3
            for i in range(1, len(text) - 3)
        ),
        "one letter or digit": len(text) == 1 and text.isalnum(),
        "mark alone": not any(map(str.isalnum, text)),
        "elision or contraction": any(
            a.isalpha() and b in "'’" and c.isalpha() for a, b, c in zip(text, text[1:], text[2:])
        ),
        "hyphenated": any(a.isalnum() and b == "-" and c.isalnum() for a, b, c in zip(text, text[1:], text[2:])),
        "quoted or in brackets": text[:1] in "\"'“‘([" and len(text) > 1,
        "comma or point behind": len(text) > 1 and text[-1] in ",.",
    }
    return frozenset(kind for kind, holds in tests.items() if holds)


def budget(scores: Iterable[PrintScore]) -> Counter[str]:
    """How many words met which fate."""
    return Counter(outcome.fate for score in scores for outcome in score.outcomes)


def right_by_kind(scores: Iterable[PrintScore]) -> dict[str, tuple[int, int]]:
    """How many words there are of each kind, and how many of them were read right."""
    total: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for outcome in (outcome for score in scores for outcome in score.outcomes if outcome.truth):
        for kind in outcome.kinds:
            total[kind] += 1
            right[kind] += outcome.fate == "right"
    return {kind: (total[kind], right[kind]) for kind in sorted(total)}


def right_by_mark(scores: Iterable[PrintScore]) -> dict[str, tuple[int, int]]:
    """How many of each mark there are, and how many were read."""
    counts = [score.marks for score in scores]
    return {name: (sum(c[name][0] for c in counts), sum(c[name][1] for c in counts)) for name in MARKS}


def _count_marks(marks: dict[str, list[int]], truth: str, reading: str) -> None:
    if not any(sign in truth for signs in MARKS.values() for sign in signs):
        return
    for a, b in aligned(truth, reading):
        for name, signs in MARKS.items():
            if a and a in signs:
                marks[name][0] += 1
                marks[name][1] += a == b


def _area(boxes: np.ndarray) -> np.ndarray:
    return np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(1), 1e-9)


def _shared_area(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    sides = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    return np.clip(sides, 0, None).prod(2)
