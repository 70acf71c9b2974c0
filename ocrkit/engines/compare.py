"""Engines side by side on the same labelled pages."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from ocrkit.datasets import LabelledPage, LabelledWord
from ocrkit.document import Page, Word, quad_to_box
from ocrkit.engines.base import NO_STEPS, Engine, refuse_private
from ocrkit.engines.budget import CAUSES, error_budget, words_inside
from ocrkit.errors import BadParams, OcrkitError, Withdrawn
from ocrkit.files import plain
from ocrkit.metrics import (
    Interval,
    PrecisionRecall,
    bag_of_words,
    bootstrap_interval,
    edit_distance,
    fold,
    match_boxes,
)
from ocrkit.privacy import check_documents

ALL = "all"
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class PageScore:
    """How one engine read one page.

    Attributes:
        words: words as a multiset, caseless.
        boxes: words whose box is found and whose text is exactly right (docTR's protocol); nothing where the page is
            labelled by line only.
        located: labelled words whose box is found, whatever its text.
        causes: how many words met which of `ocrkit.engines.budget.CAUSES`.
        edits: character edits, caseless, between the texts after both were put in rows.
        characters: of the truth.
        readings: what was read at the place of each of the page's `readable` labels.
        right: whether each of them is right: exactly for a word, caseless for a line.
        seconds: for reading the page; `nan` where it failed.
        steps: seconds of its steps, where the engine tells them.
        error: why it failed; all its words count as not found.
        private: the page is donated: nothing is told of it but what adds up with others.
    """

    engine: str
    page: str
    category: str
    simulated: bool
    words: PrecisionRecall
    boxes: PrecisionRecall
    located: int
    causes: Counter[str]
    edits: int
    characters: int
    readings: tuple[str, ...]
    right: tuple[bool, ...]
    seconds: float
    steps: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None
    private: bool = False

    @property
    def data(self) -> str:
        """The kind of page: "real" or "simulated"."""
        return "simulated" if self.simulated else "real"

    @property
    def counts(self) -> tuple[int, ...]:
        """What `MEASURES` are made of, as they add up over pages."""
        return (*_counts(self.words), *_counts(self.boxes), self.located, self.edits, self.characters)


def _share(part: int, whole: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda means: means[:, part] / means[:, whole]


def _f1(means: np.ndarray) -> np.ndarray:
    return 2 * means[:, 0] / (means[:, 1] + means[:, 2])


# Each from the means of a page's counts, `(R, 9)` to `(R,)`.
MEASURES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "precision": _share(0, 2),
    "recall": _share(0, 1),
    "f1": _f1,
    "swa": _share(3, 6),
    "cer": _share(7, 8),
    "box_precision": _share(3, 5),
    "box_recall": _share(3, 4),
}


@dataclass(frozen=True)
class EngineFacts:
    """What is to be known of an engine besides its scores; see `Engine`."""

    version: str
    usd_per_page: float
    peak_mb: float
    model: str = ""


@dataclass(frozen=True)
class Comparison:
    """Scores of every engine on every page; real and simulated pages are never added up together.

    Attributes:
        engines: by name.
        scores: page by page.
        labelled_only: whether words outside of all labels were left out of the scores.
    """

    engines: dict[str, EngineFacts]
    scores: tuple[PageScore, ...]
    labelled_only: bool = False

    def rows(self, seed: int = 0) -> list[dict[str, Any]]:
        """One row for each kind of data, category and engine, all categories rolled up as `all` first.

        Counts are added up over pages (micro-average), seconds are the median page's. Each of `MEASURES` has a
        `_low` and a `_high`, between which 95 % of bootstrap resamples of the pages lie.
        """
        rows = []
        for data, category in self.groups():
            for engine in self.engines:
                scores = self._chosen(engine, data, category)
                words = sum((score.words for score in scores), PrecisionRecall())
                row = {
                    "engine": engine,
                    "data": data,
                    "category": category,
                    "pages": len(scores),
                    "failures": sum(score.error is not None for score in scores),
                    "words": words.truth,
                }
                counts = np.array([score.counts for score in scores])
                for name, measure in MEASURES.items():
                    with np.errstate(invalid="ignore", divide="ignore"):
                        tells = ~np.isnan(measure(counts))
                    # What says nothing of a measure, such as a page labelled by line of boxes, adds no certainty.
                    value = bootstrap_interval(counts[tells], measure, seed)
                    row |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
                rows.append(row | {"seconds_per_page": median([score.seconds for score in scores])})
        return rows

    def to_dict(self) -> dict[str, Any]:
        """All figures as plain values, `None` in place of `nan`; of donated pages only what sums them up."""
        pages = [
            {
                "engine": score.engine,
                "page": score.page,
                "category": score.category,
                "data": score.data,
                "f1": score.words.f1,
                "seconds": score.seconds,
                "error": score.error,
            }
            for score in self.scores
            if not score.private
        ]
        tables = {
            "engines": [{"engine": name, **asdict(facts)} for name, facts in self.engines.items()],
            "scores": self.rows(),
            "costs": self.costs(),
            "budgets": self.budgets(),
            "differences": self.differences(),
            "pages": pages,
        }
        return {"labelled_only": self.labelled_only, **{name: plain(rows) for name, rows in tables.items()}}

    def groups(self) -> list[tuple[str, str]]:
        """Kinds of data and categories; a category by itself only where there are others."""
        groups = []
        for data in ("real", "simulated"):
            categories = sorted({score.category for score in self.scores if score.data == data})
            names = [ALL, *categories] if len(categories) > 1 else [ALL] * len(categories)
            groups += [(data, name) for name in names]
        return groups

    def budgets(self, seed: int = 0) -> list[dict[str, Any]]:
        """One row for each kind of data and engine: the share of all words that each of `CAUSES` took.

        `read` has a `_low` and a `_high`, as the measures of `rows` have.
        """
        rows = []
        for data, engine in self._kinds():
            scores = self._chosen(engine, data)
            total = sum((score.causes for score in scores), Counter[str]())
            if total:
                shares = {cause: total[cause] / total.total() for cause in CAUSES}
                counts = np.array([(score.causes["read"], score.causes.total()) for score in scores])
                read = bootstrap_interval(counts, _share(0, 1), seed)
                row = {"engine": engine, "data": data, "words": total.total(), **shares}
                rows.append(row | {"read_low": read.low, "read_high": read.high})
        return rows

    def costs(self) -> list[dict[str, Any]]:
        """One row for each kind of data and engine: failures, time, memory and money.

        `seconds_per_page` is the median page's; `time_ratio` compares the time for the pages that both could read with
        the first engine's; `steps` are the mean page's seconds.
        """
        rows = []
        for data, engine in self._kinds():
            scores, facts = self._chosen(engine, data), self.engines[engine]
            read = [score for score in scores if not score.error]
            steps = dict.fromkeys(step for score in read for step in score.steps)
            rows.append(
                {
                    "engine": engine,
                    "data": data,
                    "failures": len(scores) - len(read),
                    "seconds_per_page": median([score.seconds for score in scores]),
                    "time_ratio": self.time_ratio(engine, next(iter(self.engines)), data),
                    "steps": {step: sum(score.steps[step] for score in read) / len(read) for step in steps},
                    "peak_mb": facts.peak_mb,
                    "usd_per_page": facts.usd_per_page,
                }
            )
        return rows

    def time_ratio(self, a: str, b: str, data: str = "real") -> float:
        """The time of engine `a` over that of `b`, for all pages that both could read."""
        pairs = np.array([(x.seconds, y.seconds) for x, y in self.pairs(a, b, data)]).reshape(-1, 2)
        both = pairs[np.isfinite(pairs).all(1)].sum(0)
        return float(both[0] / both[1]) if both[1] else math.nan

    def difference(self, a: str, b: str, data: str = "real", category: str = ALL, seed: int = 0) -> Interval:
        """F1 of engine `a` less that of `b`, with a paired bootstrap over the pages.

        Pages are drawn together with what both engines made of them, so that what is hard for both does not widen the
        interval. Above 0 throughout, `a` is better: a two-sided test at 5 %.
        """
        counts = np.array([_counts(x.words) + _counts(y.words) for x, y in self.pairs(a, b, data, category)])
        return bootstrap_interval(counts, lambda means: _f1(means[:, :3]) - _f1(means[:, 3:]), seed)

    def differences(self, seed: int = 0) -> list[dict[str, Any]]:
        """One row for each kind of data, category and pair of engines: `difference`, and what it says of the first."""
        rows = []
        for data, category in self.groups():
            for a, b in combinations(self.engines, 2):
                gap = self.difference(a, b, data, category, seed)
                row = {"data": data, "category": category, "engine": a, "against": b, "verdict": verdict(gap)}
                pages = len(self.pairs(a, b, data, category))
                rows.append(row | {"pages": pages, "f1": gap.value, "f1_low": gap.low, "f1_high": gap.high})
        return rows

    def pairs(self, a: str, b: str, data: str = "real", category: str = ALL) -> list[tuple[PageScore, PageScore]]:
        """The scores of two engines on the same pages."""
        return list(zip(self._chosen(a, data, category), self._chosen(b, data, category), strict=True))

    def _kinds(self) -> list[tuple[str, str]]:
        return [(data, engine) for data, category in self.groups() if category == ALL for engine in self.engines]

    def _chosen(self, engine: str, data: str, category: str = ALL) -> list[PageScore]:
        kind = (score for score in self.scores if score.engine == engine and score.data == data)
        return [score for score in kind if category in (ALL, score.category)]


def verdict(difference: Interval) -> str:
    """What the interval around a difference says of the first of two engines."""
    if math.isnan(difference.low):
        return "too few pages"
    if difference.low <= 0 <= difference.high:
        return "not told apart"
    return "better" if difference.value > 0 else "worse"


def compare(engines: Sequence[Engine], pages: Iterable[LabelledPage], labelled_only: bool = False) -> Comparison:
    """Let every engine read every page.

    The engines take turns page by page, another one first each time, so that a busy machine slows all alike; each
    reads the first page once before its time is taken. An engine that fails on a page has found nothing there.

    Args:
        engines: with names of their own.
        pages: read one at a time; wrap them to show progress.
        labelled_only: count nothing that was read outside of all labels; see `score_page`.

    Raises:
        BadImage: a page image that cannot be read.
        BadParams: two engines of one name, whose scores could not be told apart.
        PrivateData: a donated page for an engine that sends it away or writes it down, or too few donated documents.
    """
    names = [engine.name for engine in engines]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise BadParams(f"Two engines are called {twice[0]!r}: give one of them another name.")
    scores: list[PageScore] = []
    donated: dict[bool, set[str]] = {}
    for number, page in enumerate(pages):
        refuse_private(engines, page.private)
        try:
            image = page.image()
        except Withdrawn as error:
            _LOGGER.warning("%s It is left out.", error)
            continue
        if not scores:
            for engine in engines:
                _read(engine, image)
        if page.private:
            donated.setdefault(page.simulated, set()).add(page.document or page.id)
        first = number % len(engines)
        for engine in (*engines[first:], *engines[:first]):
            start = time.perf_counter()
            found = _read(engine, image)
            seconds = time.perf_counter() - start
            scores.append(score_page(engine.name, page, found, seconds, engine.steps, labelled_only))
    for documents in donated.values():
        check_documents(len(documents), "The comparison")
    facts = {e.name: EngineFacts(e.version, e.usd_per_page, e.peak_mb, e.model) for e in engines}
    return Comparison(facts, tuple(scores), labelled_only)


def score_page(
    engine: str,
    page: LabelledPage,
    found: Page | str,
    seconds: float,
    steps: Mapping[str, float] = NO_STEPS,
    labelled_only: bool = False,
) -> PageScore:
    """Score what an engine found on a page.

    Args:
        engine: its name.
        page: the truth.
        found: the page as read, or why there is none.
        seconds: it took.
        steps: seconds of its steps.
        labelled_only: count only words whose middle lies in the box of a transcribed label, or that hold a label's.
            Where only some lines of a page are labelled, all others would be called invented.
    """
    words = [] if isinstance(found, str) else list(found.words)
    if labelled_only:
        words = _at_labels(page.readable, words)
    truth = page.readable
    truth_text = _text_in_rows([(label.text, label.quad) for label in truth])
    found_text = _text_in_rows([(word.text, word.quad) for word in words])
    readings, right, located = _at_words(page, words) if page.words else _at_lines(page, words)
    return PageScore(
        engine=engine,
        page=page.id,
        category=page.category,
        simulated=page.simulated,
        words=bag_of_words(page.texts, [text for word in words for text in word.text.split()], caseless=True),
        boxes=PrecisionRecall(sum(right), len(truth), len(words)) if page.words else PrecisionRecall(),
        located=located,
        causes=error_budget(page, words),
        edits=edit_distance(truth_text, found_text),
        characters=len(truth_text),
        readings=tuple(readings),
        right=tuple(right),
        seconds=math.nan if isinstance(found, str) else seconds,
        steps=dict(steps),
        # What an engine says of a donated page may quote it.
        error=None if not isinstance(found, str) else "what it said is withheld" if page.private else found,
        private=page.private,
    )


def _at_labels(labels: Sequence[LabelledWord], found: Sequence[Word]) -> list[Word]:
    """The words whose middles lie in a label's box, or in whose boxes that of a label lies, as where two are joined."""
    wanted = np.array([label.box for label in labels]).reshape(-1, 1, 4)
    boxes = np.array([word.box for word in found]).reshape(1, -1, 4)
    at = _hold_middles(wanted, boxes) | _hold_middles(boxes, wanted)
    return [word for word, is_at in zip(found, at.any(0)) if is_at]


def _hold_middles(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    middles = (others[..., :2] + others[..., 2:]) / 2
    return ((boxes[..., :2] <= middles) & (middles <= boxes[..., 2:])).all(-1)


def _at_words(page: LabelledPage, found: Sequence[Word]) -> tuple[list[str], list[bool], int]:
    """What was read in the box matched with each labelled word, whether exactly right, and how many have a box."""
    truth = page.readable
    pairs = match_boxes(np.array([word.box for word in truth]), np.array([word.box for word in found]))
    matched = {int(t): found[int(f)].text for t, f in pairs}
    readings = [matched.get(i, "") for i in range(len(truth))]
    return readings, [label.text == text for label, text in zip(truth, readings)], len(matched)


def _at_lines(page: LabelledPage, found: Sequence[Word]) -> tuple[list[str], list[bool], int]:
    """What was read in the words whose centres lie in each labelled line, whether right but for case; no boxes."""
    readings = [" ".join(word.text for word in words_inside(line.box, found)) for line in page.readable]
    right = [fold(line.text).split() == fold(text).split() for line, text in zip(page.readable, readings)]
    return readings, right, 0


def _read(engine: Engine, image: np.ndarray) -> Page | str:
    try:
        return engine.read(image)
    except OcrkitError as error:
        return str(error)
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


def _counts(score: PrecisionRecall) -> tuple[int, int, int]:
    return score.matched, score.truth, score.found


def median(seconds: Sequence[float]) -> float:
    """The median of those that are no `nan`, which mean a failure; `nan` where all are."""
    known = [second for second in seconds if not math.isnan(second)]
    return float(np.median(known)) if known else math.nan
