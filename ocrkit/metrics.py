"""How good a reading is: words, characters, boxes, pages, confidences, and how sure one may be of each figure.

A ratio without a denominator (no words, nothing found) is `nan`. "Caseless" compares NFC text after Unicode case
folding; "exact" compares it as it is. Nothing is stripped and punctuation counts, as in docTR's published tables.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np


def fold(text: str) -> str:
    """`text` as a caseless comparison sees it."""
    return unicodedata.normalize("NFC", text).casefold()


# Words


def correct_words(truths: Sequence[str], guesses: Sequence[str], caseless: bool = False) -> np.ndarray:
    """Which guesses equal their truth, `bool` `(N,)`.

    Raises:
        ValueError: not one guess for each truth.
    """
    pairs = zip(truths, guesses, strict=True)
    return np.array([fold(t) == fold(g) if caseless else t == g for t, g in pairs], bool)


def character_error_rate(truths: Sequence[str], guesses: Sequence[str]) -> float:
    """Edits that turn guesses into truths, over all characters of the truths: micro-averaged, can exceed 1."""
    edits = sum(edit_distance(t, g) for t, g in zip(truths, guesses, strict=True))
    return _ratio(edits, sum(map(len, truths)))


# Edits


def edit_distance(truth: Sequence[Hashable], guess: Sequence[Hashable]) -> int:
    """Fewest insertions, deletions and substitutions between two sequences (Levenshtein)."""
    if truth == guess:
        return 0
    last = deque(_distance_rows(truth, guess), maxlen=1).pop()
    return int(last[-1])


def aligned(truth: str, guess: str) -> list[tuple[str, str]]:
    """Characters of `truth` and `guess` side by side along a cheapest edit path; `""` faces what has no partner."""
    rows = list(_distance_rows(truth, guess))
    pairs: list[tuple[str, str]] = []
    i, j = len(truth), len(guess)
    while i or j:
        if i and j and rows[i][j] == rows[i - 1][j - 1] + (truth[i - 1] != guess[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((truth[i], guess[j]))
        elif i and rows[i][j] == rows[i - 1][j] + 1:
            i -= 1
            pairs.append((truth[i], ""))
        else:
            j -= 1
            pairs.append(("", guess[j]))
    return pairs[::-1]


def confusion_counts(truths: Sequence[str], guesses: Sequence[str]) -> Counter[tuple[str, str]]:
    """How often each wrong pair (true character, read character) occurs; `""` stands for one missed or invented."""
    pairs = (pair for t, g in zip(truths, guesses, strict=True) if t != g for pair in aligned(t, g))
    return Counter(pair for pair in pairs if pair[0] != pair[1])


def _distance_rows(truth: Sequence[Hashable], guess: Sequence[Hashable]) -> Iterator[np.ndarray]:
    """Rows of the edit matrix: entry j of row i is the distance between `truth[:i]` and `guess[:j]`."""
    number: dict[Hashable, int] = {}
    a = [number.setdefault(item, len(number)) for item in truth]
    b = np.array([number.setdefault(item, len(number)) for item in guess], np.int64)
    steps = np.arange(len(b) + 1)
    row = steps
    yield row
    for i, item in enumerate(a, 1):
        row = np.concatenate([[i], np.minimum(row[1:] + 1, row[:-1] + (b != item))])
        # Insertions run along the row: best[j] = min over k <= j of row[k] + (j - k), in one sweep.
        row = np.minimum.accumulate(row - steps) + steps
        yield row


# Pages as bags of words


@dataclass(frozen=True)
class PrecisionRecall:
    """Counts behind precision and recall; they add up over pages.

    Attributes:
        matched: found items that are right.
        truth: items there are.
        found: items reported.
    """

    matched: int = 0
    truth: int = 0
    found: int = 0

    @property
    def precision(self) -> float:
        """Share of what was found that is right."""
        return _ratio(self.matched, self.found)

    @property
    def recall(self) -> float:
        """Share of what there is that was found."""
        return _ratio(self.matched, self.truth)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where nothing was found."""
        return _ratio(2 * self.matched, self.truth + self.found)

    def __add__(self, other: PrecisionRecall) -> PrecisionRecall:
        return PrecisionRecall(self.matched + other.matched, self.truth + other.truth, self.found + other.found)


def bag_of_words(truth: Sequence[str], found: Sequence[str], caseless: bool = False) -> PrecisionRecall:
    """Words of a page as multisets: a word that stands there twice must be found twice; places do not matter."""
    bags = [Counter(map(fold, words) if caseless else words) for words in (truth, found)]
    return PrecisionRecall((bags[0] & bags[1]).total(), len(truth), len(found))


# Boxes


def iou_matrix(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of each of `(N, 4)` with each of `(M, 4)` upright boxes, `(N, M)`."""
    a, b = _boxes(a)[:, None], _boxes(b)[None]
    sides = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None)
    common = sides.prod(-1)
    union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)


def match_boxes(truth: np.ndarray, found: np.ndarray, iou: float = 0.5) -> np.ndarray:
    """One-to-one pairs of overlapping boxes, `int` `(K, 2)` indices into `truth` `(N, 4)` and `found` `(M, 4)`.

    The assignment with the greatest sum of overlaps, blind to the text, of which pairs below `iou` are dropped: the
    protocol of docTR's `LocalizationConfusion`.
    """
    overlap = iou_matrix(truth, found)
    pairs = _assign(overlap)
    return pairs[overlap[pairs[:, 0], pairs[:, 1]] >= iou]


def _assign(gain: np.ndarray) -> np.ndarray:
    """One-to-one pairs of rows and columns of `(N, M)` with the greatest sum of gains, which are not below 0: `(K, 2)`.

    Groups of rows and columns between which there is no gain are assigned one by one; words seldom overlap others.
    """
    pairs = [np.zeros((0, 2), int)]
    for rows, columns in _groups(gain > 0):
        of_group = _assign_group(gain[np.ix_(rows, columns)])
        pairs.append(np.stack([rows[of_group[:, 0]], columns[of_group[:, 1]]], axis=1))
    found = np.concatenate(pairs)
    return found[found[:, 0].argsort()]


def _groups(linked: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows and columns of each connected part of a bipartite graph `(N, M)`; not rows that are linked to nothing."""
    todo = linked.any(1)
    while todo.any():
        rows = np.zeros(len(linked), bool)
        new = rows.copy()
        new[todo.argmax()] = True
        while new.any():
            rows |= new
            columns = linked[rows].any(0)
            new = linked[:, columns].any(1) & ~rows
        todo &= ~rows
        yield np.flatnonzero(rows), np.flatnonzero(columns)


def _assign_group(gain: np.ndarray) -> np.ndarray:
    """The pairs within one group.

    The Hungarian method by shortest augmenting paths, as in Jonker and Volgenant, "A shortest augmenting path algorithm
    for dense and sparse linear assignment problems" (1987); written out, because the light install would need SciPy for
    nothing else. N further columns take rows at no gain, so that every path is short.
    """
    rows, columns = gain.shape[0], sum(gain.shape)
    cost = np.concatenate([-gain, np.zeros((rows, rows))], axis=1)
    row_price, column_price = np.zeros(rows), np.zeros(columns)
    row_at, column_of = np.full(columns, -1), np.full(rows, -1)
    for start in range(rows):
        length, before = np.full(columns, np.inf), np.full(columns, -1)  # of the shortest path to each column
        done = np.zeros(columns, bool)
        row, reached = start, 0.0
        while row >= 0:
            through = reached + cost[row] - row_price[row] - column_price
            shorter = ~done & (through < length)
            length[shorter], before[shorter] = through[shorter], row
            column = int(np.where(done, np.inf, length).argmin())
            reached, row, done[column] = float(length[column]), int(row_at[column]), True
        passed = done & (row_at >= 0)
        row_price[start] += reached
        row_price[row_at[passed]] += reached - length[passed]
        column_price[done] -= reached - length[done]
        while row != start:  # back along the path, each row moves on to the column after it
            row = int(before[column])
            row_at[column] = row
            column, column_of[row] = column_of[row], column
    paired = np.flatnonzero(column_of < gain.shape[1])
    return np.stack([paired, column_of[paired]], axis=1)


def texts_at(truth: np.ndarray, found: np.ndarray, texts: Sequence[str], iou: float = 0.5) -> list[str]:
    """What was read where each true box `(N, 4)` is: the text of the found box `(M, 4)` paired with it, or nothing."""
    read = [""] * len(truth)
    for t, f in match_boxes(truth, found, iou):
        read[t] = texts[f]
    return read


class DetectionScore:
    """Precision and recall of boxes over pages, micro-averaged.

    >>> score = DetectionScore()
    >>> score.update(np.array([[0, 0, 10, 10], [20, 0, 30, 10]]), np.array([[1, 0, 10, 10]]))
    >>> score.summary().recall
    0.5
    """

    def __init__(self, iou: float = 0.5) -> None:
        self.iou = iou
        self.reset()

    def reset(self) -> None:
        """Forget all pages."""
        self.pages: list[PrecisionRecall] = []

    def update(self, truth: np.ndarray, found: np.ndarray) -> None:
        """Count one page's true `(N, 4)` and found `(M, 4)` boxes."""
        matched = len(match_boxes(truth, found, self.iou))
        self.pages.append(PrecisionRecall(matched, len(truth), len(found)))

    def summary(self) -> PrecisionRecall:
        """The pages so far as one."""
        return sum(self.pages, PrecisionRecall())


class EndToEndScore:
    """Precision and recall of words: box matched, blind to the text, and then read right (docTR's `OCRMetric`)."""

    def __init__(self, iou: float = 0.5, caseless: bool = False) -> None:
        self.iou = iou
        self.caseless = caseless
        self.reset()

    def reset(self) -> None:
        """Forget all pages."""
        self.pages: list[PrecisionRecall] = []

    def update(
        self, truth: np.ndarray, truth_texts: Sequence[str], found: np.ndarray, found_texts: Sequence[str]
    ) -> None:
        """Count one page: true `(N, 4)` and found `(M, 4)` boxes and what they read."""
        pairs = match_boxes(truth, found, self.iou)
        right = correct_words([truth_texts[t] for t, _ in pairs], [found_texts[f] for _, f in pairs], self.caseless)
        self.pages.append(PrecisionRecall(int(right.sum()), len(truth_texts), len(found_texts)))

    def summary(self) -> PrecisionRecall:
        """The pages so far as one."""
        return sum(self.pages, PrecisionRecall())


# How sure


@dataclass(frozen=True)
class Interval:
    """A figure and the bootstrap percentile interval around it, `nan` where there is none: one unit tells no spread."""

    value: float
    low: float
    high: float


def wilson_interval(hits: int, count: int, level: float = 0.95) -> Interval:
    """The share of `hits` among `count` trials and Wilson's score interval, which has a width where all are hits, too.

    Wilson, "Probable inference, the law of succession, and statistical inference" (1927).
    """
    if not count:
        return Interval(np.nan, np.nan, np.nan)
    z, share = NormalDist().inv_cdf((1 + level) / 2), hits / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    return Interval(share, float(max(0.0, centre - half)), float(min(1.0, centre + half)))


def bootstrap_interval(
    values: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray] | None = None,
    seed: int = 0,
    resamples: int = 2000,
    level: float = 0.95,
) -> Interval:
    """A statistic of `values` and its percentile bootstrap interval.

    Args:
        values: `(N,)` or `(N, K)`: one row for each unit drawn anew, a word or a page, such as its counts. Where all of
            `(N,)` truth values are alike, resamples would be, too: their interval is Wilson's.
        statistic: from column means `(R, K)` of R resamples to `(R,)`; the first mean by default. A micro-averaged
            ratio is the ratio of two means.
        seed: same seed, same interval.
        resamples: draws of N units with replacement.
        level: share of the resamples the interval holds.

    Source: Efron & Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.
    """
    values = np.asarray(values)
    table = values.astype(float)
    if not len(table):
        return Interval(np.nan, np.nan, np.nan)
    if len(values) > 1 and values.dtype == bool and values.ndim == 1 and (values == values[0]).all():
        return wilson_interval(int(values.sum()), len(values), level)
    table = table.reshape(len(table), -1)
    apply = statistic or (lambda means: means[:, 0])
    rng = np.random.default_rng(seed)
    # Units with equal rows are interchangeable: drawing how often each kind occurs is the same draw, and far less work.
    kinds, counts = np.unique(table, axis=0, return_counts=True)
    shares = counts / len(table)
    means = np.array([rng.multinomial(len(table), shares) @ kinds for _ in range(resamples)]) / len(table)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(apply(table.mean(0, keepdims=True))[0])
        results = apply(means)
    if len(table) == 1 or np.isnan(results).all():
        return Interval(value, np.nan, np.nan)
    low, high = np.nanquantile(results, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))


# Confidences


@dataclass(frozen=True)
class ReliabilityBin:
    """Words whose confidence lies in one range: how sure the reader was, how often it was right."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def reliability_table(confidence: np.ndarray, correct: np.ndarray, bins: int = 10) -> list[ReliabilityBin]:
    """Mean confidence and accuracy in `bins` equal ranges of confidence from 0 to 1; empty ones are left out.

    Args:
        confidence: `(N,)` from 0 to 1.
        correct: `(N,)`, whether each was right.
        bins: how many ranges.
    """
    confidence, correct = np.asarray(confidence, float), np.asarray(correct, float)
    index = np.clip((confidence * bins).astype(int), 0, bins - 1)
    return [
        ReliabilityBin(b / bins, (b + 1) / bins, int(here.sum()), confidence[here].mean(), correct[here].mean())
        for b in range(bins)
        if (here := index == b).any()
    ]


def expected_calibration_error(confidence: np.ndarray, correct: np.ndarray, bins: int = 10) -> float:
    """Mean gap between confidence and accuracy over the reliability table, weighted by count (Guo et al., 2017)."""
    table = reliability_table(confidence, correct, bins)
    return _ratio(sum(b.count * abs(b.confidence - b.accuracy) for b in table), sum(b.count for b in table))


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def _boxes(boxes: np.ndarray) -> np.ndarray:
    return np.asarray(boxes, float).reshape(-1, 4)
