"""Where the words went: every word that was not read right, by the step that lost it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ocrkit.datasets import LabelledPage
from ocrkit.document import Word
from ocrkit.metrics import fold, match_boxes

# The steps in the order in which they come; `read` is the share that none of them lost.
CAUSES = ("read", "missed", "misplaced", "split", "joined", "case", "marks", "misread")

_MATCH_IOU = 0.5
_INSIDE = 0.5  # share of a box that lies in another
_TOUCHED = 0.1  # share of a box below which another has nothing to do with it


def error_budget(page: LabelledPage, found: Sequence[Word]) -> Counter[str]:
    """How many of a page's labelled words met which of `CAUSES`.

    A word labelled by a box of its own was `read`, or else `split` (in several boxes), `joined` (in one box with
    others), `misplaced` (a box that covers it badly) or `missed` (no box on it); where the box is right, its text
    differs by `case` only, by `marks` (punctuation) only, or is `misread`.

    A page labelled by lines says less. A line's words are looked for, caseless, among those whose centres lie in it.
    If the line's characters are right but for its blanks, the words not found were `split` or `joined`; if nothing was
    found there, `missed`; otherwise `misread`.
    """
    return _of_words(page, found) if page.words else _of_lines(page, found)


def words_inside(box: np.ndarray, found: Sequence[Word]) -> list[Word]:
    """The words whose centres lie in a line's box, from left to right."""
    x0, y0, x1, y1 = box
    centres = np.array([word.quad.mean(0) for word in found]).reshape(-1, 2)
    inside = (centres >= (x0, y0)).all(1) & (centres <= (x1, y1)).all(1)
    return sorted((found[i] for i in np.flatnonzero(inside).tolist()), key=lambda word: word.box[0])


def _of_words(page: LabelledPage, found: Sequence[Word]) -> Counter[str]:
    truth = page.readable
    wanted = np.array([word.box for word in truth], float).reshape(-1, 4)
    boxes = np.array([word.box for word in found], float).reshape(-1, 4)
    matched = {int(t): int(f) for t, f in match_boxes(wanted, boxes, _MATCH_IOU)}
    shared = _shared_area(wanted, boxes)
    of_truth, of_found = shared / _area(wanted)[:, None], shared / _area(boxes)[None, :]
    causes: Counter[str] = Counter()
    several = (of_truth >= _INSIDE).sum(0) > 1
    for i, label in enumerate(truth):
        cause = _difference(label.text, found[matched[i]].text) if i in matched else ""
        if cause == "read":
            pass
        elif (of_found[i] >= _INSIDE).sum() > 1:
            cause = "split"
        elif (several & (of_truth[i] >= _INSIDE)).any():
            cause = "joined"
        elif not cause:
            cause = "misplaced" if (of_truth[i] >= _TOUCHED).any() else "missed"
        causes[cause] += 1
    return causes


def _of_lines(page: LabelledPage, found: Sequence[Word]) -> Counter[str]:
    causes: Counter[str] = Counter()
    for line in page.lines:
        here = words_inside(line.box, found)
        wanted, got = fold(line.text).split(), [fold(word.text) for word in here]
        lost = Counter(wanted) - Counter(got)
        causes["read"] += len(wanted) - lost.total()
        if not here:
            causes["missed"] += lost.total()
        elif "".join(wanted) == "".join(got):
            causes["joined" if len(got) < len(wanted) else "split"] += lost.total()
        else:
            causes["misread"] += lost.total()
    return +causes


def _difference(label: str, text: str) -> str:
    if text == label:
        return "read"
    if text.casefold() == label.casefold():
        return "case"
    letters = ["".join(filter(str.isalnum, both)) for both in (label, text)]
    return "marks" if letters[0] == letters[1] else "misread"


def _area(boxes: np.ndarray) -> np.ndarray:
    return np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(1), 1e-9)


def _shared_area(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`(len(a), len(b))` px."""
    sides = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    return np.clip(sides, 0, None).prod(2)
