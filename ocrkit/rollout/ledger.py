"""What was counted while a challenger is tried: numbers only, in SQLite; no text, no pixels, no names of documents."""

from __future__ import annotations

import re
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Literal

import numpy as np

from ocrkit.document import Page
from ocrkit.errors import OcrkitError
from ocrkit.files import make_folder
from ocrkit.rollout import drift
from ocrkit.rollout.evidence import Tally

WINDOW = 500  # documents that distributions are told by
FEATURES = ("words", "confidence", "letter_height")
_LEAST_FOR_P95 = 20
_WAIT_S = 10.0
_KIND = re.compile(r"[a-z0-9_-]{1,40}")  # so that no sentence of a document can stand there
_SCHEMA = """
CREATE TABLE IF NOT EXISTS observation (
  rollout TEXT, document TEXT, at REAL, step INTEGER, kind TEXT, served TEXT, differing INTEGER,
  a_seconds REAL, a_failed INTEGER, a_words INTEGER, a_confidence REAL, a_letter_height REAL,
  b_seconds REAL, b_failed INTEGER, b_words INTEGER, b_confidence REAL, b_letter_height REAL,
  PRIMARY KEY (rollout, document));
CREATE TABLE IF NOT EXISTS verdict (
  rollout TEXT, document TEXT, at REAL, kind TEXT, outcome INTEGER, PRIMARY KEY (rollout, document));
CREATE TABLE IF NOT EXISTS skipped (rollout TEXT, why TEXT, documents INTEGER, PRIMARY KEY (rollout, why));
CREATE TABLE IF NOT EXISTS move (rollout TEXT, at REAL, step INTEGER, stage TEXT, outcome TEXT, reason TEXT);
"""


@dataclass(frozen=True)
class Numbers:
    """What is kept of one reader's answer.

    Attributes:
        seconds: it took.
        failed: whether it gave no answer, or none in time.
        words: that it read.
        confidence: mean over the words, 0 to 1.
        letter_height: median height of the words, px.
    """

    seconds: float
    failed: bool = False
    words: int = 0
    confidence: float = 0.0
    letter_height: float = 0.0

    @classmethod
    def of(cls, page: Page, seconds: float) -> Numbers:
        """What is kept of a page."""
        words = page.words
        if not words:
            return cls(seconds)
        heights = [float(np.linalg.norm(word.quad[3] - word.quad[0])) for word in words]
        confidence = float(np.mean([word.confidence for word in words]))
        return cls(seconds, False, len(words), confidence, float(np.median(heights)))


@dataclass(frozen=True)
class Observation:
    """One document that both have read.

    Attributes:
        document: made from its key by `pseudonym`.
        step: of the rollout.
        kind: of document.
        served: whose answer was given.
        champion: what is kept of its answer.
        challenger: likewise.
        differing: words that one has and the other has not.
        at: when, seconds since 1970.
    """

    document: str
    step: int
    kind: str
    served: Literal["champion", "challenger"]
    champion: Numbers
    challenger: Numbers
    differing: int
    at: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Drift:
    """How far a number's distribution has moved since the rollout's beginning, for both readers."""

    kind: str
    feature: str
    challenger: float
    champion: float
    limit: float

    @property
    def is_the_challengers(self) -> bool:
        """Whether the challenger's moved and the champion's did not; where both do, it is the documents."""
        return self.challenger > self.limit >= self.champion


@dataclass(frozen=True)
class Summary:
    """All that `decide` looks at.

    Attributes:
        at_step: documents that both have read at the present step.
        kinds: how many documents of each kind both have read.
        verdicts: labelled documents by kind: who read them better.
        failures: by kind; a loss is a document that the challenger alone failed on.
        empties: by kind; a loss is a document on which the challenger alone found no word.
        slow: documents on which the challenger took longer than `slow_s`, and all that it answered.
        slow_s: the limit, seconds; 0 where too little is known of the champion.
        drifts: where both windows are full enough to be compared.
    """

    at_step: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)
    verdicts: Mapping[str, Tally] = field(default_factory=dict)
    failures: Mapping[str, Tally] = field(default_factory=dict)
    empties: Mapping[str, Tally] = field(default_factory=dict)
    slow: tuple[int, int] = (0, 0)
    slow_s: float = 0.0
    drifts: tuple[Drift, ...] = ()


def pseudonym(salt: str, key: str) -> str:
    """The name of a document in the ledger, from which its key cannot be told without the salt."""
    return sha256(f"ledger {len(salt)}:{salt}{key}".encode("utf-8", "surrogatepass")).hexdigest()[:20]


def kind_of(kind: str) -> str:
    """A kind of document as the ledger takes it; what is no plain name is `other`."""
    return kind if _KIND.fullmatch(kind) else "other"


class Ledger:
    """The numbers of all rollouts, in `FOLDER/rollout.db`; several processes may write at once.

    Args:
        folder: made where it is missing.

    Raises:
        OcrkitError: it cannot be opened or is none; so do all methods where it cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self.path = make_folder(folder) / "rollout.db"
        with self._connected() as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(_SCHEMA)

    def observe(self, rollout: str, seen: Observation) -> None:
        """Keep what both readers' answers came to; a document that was seen already keeps its first numbers."""
        row = (rollout, seen.document, seen.at, seen.step, kind_of(seen.kind), seen.served, seen.differing)
        values = (*row, *astuple(seen.champion), *astuple(seen.challenger))
        with self._connected() as database:
            database.execute(f"INSERT OR IGNORE INTO observation VALUES ({','.join('?' * len(values))})", values)

    def judge(self, rollout: str, document: str, kind: str, outcome: int, at: float | None = None) -> bool:
        """Keep who read a labelled document better: 1 the challenger, -1 the champion, 0 neither.

        Returns:
            Whether it is new; a document counts once in a rollout.
        """
        values = (rollout, document, time.time() if at is None else at, kind_of(kind), outcome)
        with self._connected() as database:
            return database.execute("INSERT OR IGNORE INTO verdict VALUES (?, ?, ?, ?, ?)", values).rowcount > 0

    def skip(self, rollout: str, why: str, documents: int = 1) -> None:
        """Count documents that only one has read, and why."""
        with self._connected() as database:
            database.execute(
                "INSERT INTO skipped VALUES (?, ?, ?) "
                "ON CONFLICT DO UPDATE SET documents = documents + excluded.documents",
                (rollout, why, documents),
            )

    def moved(self, rollout: str, step: int, stage: str, outcome: str, reason: str, at: float) -> None:
        """Keep a move, for the pictures."""
        with self._connected() as database:
            database.execute("INSERT INTO move VALUES (?, ?, ?, ?, ?, ?)", (rollout, at, step, stage, outcome, reason))

    def skipped(self, rollout: str) -> dict[str, int]:
        """How many documents only one has read, by reason."""
        return dict(self._rows("SELECT why, documents FROM skipped WHERE rollout = ? ORDER BY why", rollout))

    def moves(self, rollout: str) -> list[tuple[float, int, str, str, str]]:
        """All moves of a rollout in order: when, step, stage, outcome, reason."""
        return self._rows("SELECT at, step, stage, outcome, reason FROM move WHERE rollout = ? ORDER BY rowid", rollout)

    def verdicts(self, rollout: str) -> list[tuple[float, str, int]]:
        """All verdicts in order: when, kind, outcome."""
        return self._rows("SELECT at, kind, outcome FROM verdict WHERE rollout = ? ORDER BY at, rowid", rollout)

    def harm(self, rollout: str) -> list[tuple[float, str, float]]:
        """How the guards on failures and empty pages stood after each document: when, which, logarithm of its e-value.

        It is 0 while the challenger does no worse than the champion.
        """
        rows = self._rows(
            "SELECT at, a_failed, b_failed, a_words, b_words FROM observation WHERE rollout = ? ORDER BY at, rowid",
            rollout,
        )
        path, failures, empties = [], Tally(), Tally()
        for at, a_failed, b_failed, a_words, b_words in rows:
            failures += _tally([a_failed - b_failed])
            if not a_failed and not b_failed:
                empties += _tally([bool(b_words) - bool(a_words)])
            for what, tally in (("failures", failures), ("empty pages", empties)):
                path.append((at, what, tally.log_e if tally.losses > tally.wins else 0.0))
        return path

    def summary(self, rollout: str, step: int, slower: float, alpha: float) -> Summary:
        """All that is known of a rollout.

        Args:
            rollout: its salt.
            step: at which it stands.
            slower: how many times the champion's p95 the challenger may take.
            alpha: chance of error of all comparisons of distributions together.
        """
        rows = self._rows(
            "SELECT kind, a_failed, b_failed, a_words, b_words, a_seconds, b_seconds, step FROM observation "
            "WHERE rollout = ? ORDER BY at, rowid",
            rollout,
        )
        kinds = Counter(row[0] for row in rows)
        both = [row for row in rows if not row[1] and not row[2]]
        failures = {kind: _tally(a - b for k, a, b, *_ in rows if k == kind) for kind in kinds}
        empties = {kind: _tally(bool(r[4]) - bool(r[3]) for r in both if r[0] == kind) for kind in kinds}
        reference = [row[5] for row in rows[:WINDOW] if not row[1]]
        answered = [row[6] for row in rows if not row[2]]
        slow_s = slower * float(np.quantile(reference, 0.95)) if len(reference) >= _LEAST_FOR_P95 else 0.0
        slow = (sum(seconds > slow_s for seconds in answered), len(answered)) if slow_s else (0, 0)
        judged: dict[str, Tally] = {}
        for _, kind, outcome in self.verdicts(rollout):
            judged[kind] = judged.get(kind, Tally()) + _tally([outcome])
        return Summary(
            at_step=sum(row[7] == step for row in rows),
            kinds=dict(kinds),
            verdicts=judged,
            failures=failures,
            empties=empties,
            slow=slow,
            slow_s=slow_s,
            drifts=tuple(self._drifts(rollout, sorted(kinds), alpha)),
        )

    def _drifts(self, rollout: str, kinds: list[str], alpha: float) -> Iterator[Drift]:
        """For each kind, its first documents against its latest ones; only windows that share none are compared."""
        columns = ", ".join(f"{side}_{feature}" for side in "ab" for feature in FEATURES)
        read = "FROM observation WHERE rollout = ? AND kind = ? AND NOT a_failed AND NOT b_failed"
        for kind in kinds:
            windows = [
                self._rows(f"SELECT {columns} {read} ORDER BY at {order}, rowid {order} LIMIT {WINDOW}", rollout, kind)
                for order in ("ASC", "DESC")
            ]
            count = self._rows(f"SELECT count(*) {read}", rollout, kind)[0][0]
            if count < 2 * WINDOW:
                continue
            first, last = (np.array(window, float) for window in windows)
            bound = drift.limit(WINDOW, WINDOW, alpha / (2 * len(FEATURES) * len(kinds)))
            for place, feature in enumerate(FEATURES):
                old, new = first[:, place], last[:, place]
                hers = drift.distance(first[:, place + len(FEATURES)], last[:, place + len(FEATURES)])
                yield Drift(kind, feature, hers, drift.distance(old, new), bound)

    def _rows(self, query: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]  # columns differ
        with self._connected() as database:
            return database.execute(query, values).fetchall()

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        database = None
        try:
            database = sqlite3.connect(self.path, timeout=_WAIT_S)
            database.execute("PRAGMA synchronous = NORMAL")  # a power cut may lose the last numbers, never the file
            with database:
                yield database
        except sqlite3.Error as error:
            raise OcrkitError(f"{self.path} cannot be used: {error}.") from None
        finally:
            if database:
                database.close()


def _tally(outcomes: object) -> Tally:
    counts = Counter(outcomes)  # type: ignore[call-overload]
    return Tally(counts[1], counts[-1], counts[0])
