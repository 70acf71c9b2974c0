"""Engines side by side on the same labelled pages."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ocrkit.datasets import LabelledPage
from ocrkit.document import Page, quad_to_box
from ocrkit.engines.base import Engine
from ocrkit.engines.budget import CAUSES, error_budget
from ocrkit.metrics import (
    EndToEndScore,
    Interval,
    PrecisionRecall,
    bag_of_words,
    bootstrap_interval,
    edit_distance,
    fold,
)

ALL = "all"


@dataclass(frozen=True)
class PageScore:
    """How one engine read one page.

    Attributes:
        words: words as a multiset, caseless.
        boxes: words whose box is found and whose text is exactly right (docTR's protocol); `None` where the page is
            labelled by line only.
        causes: how many words met which of `ocrkit.engines.budget.CAUSES`.
        edits: character edits, caseless, between the texts after both were put in rows.
        characters: of the truth.
        seconds: for reading the page; `nan` where it failed.
        error: why it failed; all its words count as not found.
    """

    engine: str
    page: str
    category: str
    simulated: bool
    words: PrecisionRecall
    boxes: PrecisionRecall | None
    causes: Counter[str]
    edits: int
    characters: int
    seconds: float
    error: str | None = None


@dataclass(frozen=True)
class Comparison:
    """Scores of every engine on every page; real and simulated pages are never added up together."""

    versions: dict[str, str]
    scores: tuple[PageScore, ...]

    def rows(self, seed: int = 0) -> list[dict[str, Any]]:
        """One row for each kind of data, engine and category, rolled up as `all` first.

        Counts are added up over pages (micro-average), seconds are the median page's, `f1_low` and `f1_high` hold 95 %
        of bootstrap resamples of the pages.
        """
        rows = []
        for simulated in (False, True):
            kind = [score for score in self.scores if score.simulated == simulated]
            for category in (ALL, *sorted({score.category for score in kind})):
                for engine in self.versions:
                    chosen = _choose(kind, engine, category)
                    if chosen:
                        rows.append(_row(engine, simulated, category, chosen, seed))
        return rows

    def budgets(self) -> list[dict[str, Any]]:
        """One row for each kind of data and engine: the share of all words that each of `CAUSES` took."""
        rows = []
        for simulated in (False, True):
            for engine in self.versions:
                causes = [s.causes for s in self.scores if s.simulated == simulated and s.engine == engine]
                total = sum(causes, Counter[str]())
                if total:
                    shares = {cause: total[cause] / total.total() for cause in CAUSES}
                    kind = "simulated" if simulated else "real"
                    rows.append({"engine": engine, "data": kind, "words": total.total(), **shares})
        return rows

    def difference(self, a: str, b: str, simulated: bool = False, category: str = ALL, seed: int = 0) -> Interval:
        """F1 of engine `a` less that of `b`, with a bootstrap over the pages: above 0 throughout, `a` is better.

        Pages are drawn in pairs, so that what is hard for both does not widen the interval.
        """
        kind = [score for score in self.scores if score.simulated == simulated]
        pairs = zip(_choose(kind, a, category), _choose(kind, b, category), strict=True)
        counts = np.array([_counts(x.words) + _counts(y.words) for x, y in pairs])
        return bootstrap_interval(counts, lambda means: _f1(means[:, :3]) - _f1(means[:, 3:]), seed)


def compare(engines: Sequence[Engine], pages: Iterable[LabelledPage]) -> Comparison:
    """Let every engine read every page.

    The engines take turns page by page, another one first each time, so that a busy machine slows all alike; each
    reads the first page once before its time is taken. An engine that fails on a page has found nothing there.

    Args:
        engines: with names of their own.
        pages: read one at a time; wrap them to show progress.

    Raises:
        BadImage: a page image that cannot be read.
    """
    scores = []
    for number, page in enumerate(pages):
        image = page.image()
        if number == 0:
            for engine in engines:
                _read(engine, image)
        first = number % len(engines)
        for engine in (*engines[first:], *engines[:first]):
            start = time.perf_counter()
            found = _read(engine, image)
            scores.append(score_page(engine.name, page, found, time.perf_counter() - start))
    return Comparison({engine.name: engine.version for engine in engines}, tuple(scores))


def score_page(engine: str, page: LabelledPage, found: Page | str, seconds: float) -> PageScore:
    """Score what an engine found on a page.

    Args:
        engine: its name.
        page: the truth.
        found: the page as read, or why there is none.
        seconds: it took.
    """
    words = [] if isinstance(found, str) else found.words
    boxes = None
    if page.words:
        end_to_end = EndToEndScore()
        truth = page.readable
        end_to_end.update(
            np.array([word.box for word in truth]),
            [word.text for word in truth],
            np.array([word.box for word in words]),
            [word.text for word in words],
        )
        boxes = end_to_end.summary()
    truth_text = _text_in_rows([(label.text, label.quad) for label in page.readable])
    found_text = _text_in_rows([(word.text, word.quad) for word in words])
    return PageScore(
        engine=engine,
        page=page.id,
        category=page.category,
        simulated=page.simulated,
        words=bag_of_words(page.texts, [text for word in words for text in word.text.split()], caseless=True),
        boxes=boxes,
        causes=error_budget(page, words),
        edits=edit_distance(truth_text, found_text),
        characters=len(truth_text),
        seconds=float("nan") if isinstance(found, str) else seconds,
        error=found if isinstance(found, str) else None,
    )


def _read(engine: Engine, image: np.ndarray) -> Page | str:
    try:
        return engine.read(image)
    except Exception as error:  # a crash of one engine on one page is a result, not the end of the comparison
        return f"{type(error).__name__}: {error}"


def _text_in_rows(labels: Sequence[tuple[str, np.ndarray]]) -> str:
    """Texts from top to bottom and left to right, folded, one blank between.

    Labels come in no order or in that of a layout nobody defined, so truth and reading are put in the same simple one:
    a label belongs to the row whose middle lies within half a median height of its own.
    """
    if not labels:
        return ""
    boxes = np.array([quad_to_box(quad) for _, quad in labels])
    middles = boxes[:, [1, 3]].mean(1)
    reach = np.median(boxes[:, 3] - boxes[:, 1]) / 2
    rows: list[list[int]] = []
    for index in np.argsort(middles, kind="stable"):
        if not rows or middles[index] - np.mean(middles[rows[-1]]) > reach:
            rows.append([])
        rows[-1].append(index)
    return fold(" ".join(labels[i][0] for row in rows for i in sorted(row, key=lambda i: boxes[i, 0])))


def _choose(scores: Iterable[PageScore], engine: str, category: str) -> list[PageScore]:
    return [s for s in scores if s.engine == engine and category in (ALL, s.category)]


def _counts(score: PrecisionRecall) -> tuple[int, int, int]:
    return score.matched, score.truth, score.found


def _f1(means: np.ndarray) -> np.ndarray:
    return 2 * means[:, 0] / (means[:, 1] + means[:, 2])


def _row(engine: str, simulated: bool, category: str, scores: list[PageScore], seed: int) -> dict[str, Any]:
    words = sum((score.words for score in scores), PrecisionRecall())
    boxes = sum((score.boxes for score in scores if score.boxes), PrecisionRecall())
    f1 = bootstrap_interval(np.array([_counts(score.words) for score in scores]), _f1, seed)
    seconds = [score.seconds for score in scores if not score.error]
    characters = sum(score.characters for score in scores)
    return {
        "engine": engine,
        "data": "simulated" if simulated else "real",
        "category": category,
        "pages": len(scores),
        "failures": sum(score.error is not None for score in scores),
        "words": words.truth,
        "precision": words.precision,
        "recall": words.recall,
        "f1": f1.value,
        "f1_low": f1.low,
        "f1_high": f1.high,
        "box_precision": boxes.precision,
        "box_recall": boxes.recall,
        "cer": sum(score.edits for score in scores) / characters if characters else float("nan"),
        "seconds_per_page": float(np.median(seconds)) if seconds else float("nan"),
    }
