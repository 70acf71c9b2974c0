"""The figures of all pages and engines, as rows of tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ocrkit.benchmark.printed.scores import FATES, PrintScore, budget, right_by_kind, right_by_mark
from ocrkit.metrics import PrecisionRecall


@dataclass(frozen=True)
class Report:
    """How engines read the same pages.

    Attributes:
        half: of layouts and typefaces.
        pages: layout, typeface and copy of each page.
        scores: of each engine, a page each.
        seconds: of each engine, for a page.
    """

    half: str
    pages: Sequence[tuple[str, str, str]]
    scores: Mapping[str, Sequence[PrintScore]]
    seconds: Mapping[str, float]

    @property
    def words(self) -> int:
        """How many are printed."""
        return sum(score.words.truth for score in next(iter(self.scores.values())))

    def summary(self) -> list[dict[str, Any]]:
        """For each engine recall and precision, and how far boxes' sides are from the ink: px at 200 dpi, median."""
        rows = []
        for engine, scores in self.scores.items():
            words = _together(scores)
            sides = np.abs(np.concatenate([score.sides for score in scores]))
            row = {"engine": engine, "recall": words.recall, "precision": words.precision, "f1": words.f1}
            row["sides_px"] = float(np.median(sides)) if sides.size else float("nan")
            rows.append(row | {"s/page": self.seconds[engine]})
        return rows

    def by_layout(self) -> list[dict[str, Any]]:
        """Recall and precision of each engine on each layout."""
        return self._by(0, "layout")

    def by_copy(self) -> list[dict[str, Any]]:
        """The same of each kind of copy."""
        return self._by(2, "copy")

    def by_kind(self) -> list[dict[str, Any]]:
        """Share of the words of each kind that each engine read right."""
        return self._shares(right_by_kind, "kind")

    def by_mark(self) -> list[dict[str, Any]]:
        """Share of the marks that each engine read right."""
        return self._shares(right_by_mark, "mark")

    def budget(self) -> list[dict[str, Any]]:
        """How many words met which fate with each engine."""
        counts = {engine: budget(scores) for engine, scores in self.scores.items()}
        return [{"fate": fate, **{engine: count[fate] for engine, count in counts.items()}} for fate in FATES]

    def to_dict(self) -> dict[str, Any]:
        """All figures, and what every engine made of each word that it did not read right."""
        return {
            "half": self.half,
            "summary": self.summary(),
            "layouts": self.by_layout(),
            "copies": self.by_copy(),
            "kinds": self.by_kind(),
            "marks": self.by_mark(),
            "budget": self.budget(),
            "wrong": {
                engine: [
                    {
                        "page": number,
                        "truth": o.truth,
                        "reading": o.reading,
                        "fate": o.fate,
                        "box": o.box.round(1).tolist(),
                    }
                    for number, score in enumerate(scores)
                    for o in score.outcomes
                    if o.fate != "right"
                ]
                for engine, scores in self.scores.items()
            },
        }

    def _by(self, part: int, title: str) -> list[dict[str, Any]]:
        rows = []
        for name in dict.fromkeys(page[part] for page in self.pages):
            here = [number for number, page in enumerate(self.pages) if page[part] == name]
            row: dict[str, Any] = {title: name, "pages": len(here)}
            for engine, scores in self.scores.items():
                words = _together(scores[number] for number in here)
                row |= {f"{engine}: recall": words.recall, f"{engine}: precision": words.precision}
            rows.append(row)
        return rows

    def _shares(
        self, count: Callable[[Iterable[PrintScore]], Mapping[str, tuple[int, int]]], title: str
    ) -> list[dict[str, Any]]:
        counts = {engine: count(scores) for engine, scores in self.scores.items()}
        first = next(iter(counts.values()))
        return [
            {title: name, "words" if title == "kind" else "number": first[name][0]}
            | {engine: its[name][1] / its[name][0] for engine, its in counts.items()}
            for name in first
            if first[name][0]
        ]


def _together(scores: Iterable[PrintScore]) -> PrecisionRecall:
    return sum((score.words for score in scores), PrecisionRecall())
