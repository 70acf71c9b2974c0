"""The comparison as one HTML page that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape
from itertools import combinations
from typing import Any

from ocrkit.engines.compare import ALL, Comparison

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { padding: .3rem .6rem; text-align: right; white-space: nowrap }
th { border-bottom: 2px solid #444; font-weight: 600 } td { border-bottom: 1px solid #ddd }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left } tr.all td { background: #f2f5f9 }
tr.best td:nth-child(8) { font-weight: 700 }
.simulated { border-left: 6px solid #d99; padding-left: 1rem } small { color: #666 }
"""
_NOTES = """
Words are compared as multisets, caseless; the interval holds 95 % of bootstrap resamples of the pages. Boxes: a word
counts whose box overlaps by at least half (IoU) and whose text is exactly right. CER: character edits over true
characters, caseless, both texts put in rows first. Seconds: the median page, engines taking turns. A page an engine
failed on counts as nothing found.
"""


def _number(name: str, digits: int = 3) -> Callable[[dict[str, Any]], str]:
    return lambda row: "–" if math.isnan(row[name]) else f"{row[name]:.{digits}f}"


_COLUMNS: dict[str, Callable[[dict[str, Any]], str]] = {
    "Category": lambda row: row["category"],
    "Engine": lambda row: row["engine"],
    "Pages": lambda row: str(row["pages"]),
    "Failed": lambda row: str(row["failures"]),
    "Words": lambda row: str(row["words"]),
    "Precision": _number("precision"),
    "Recall": _number("recall"),
    "F1": _number("f1"),
    "95 %": lambda row: f"{_number('f1_low')(row)} to {_number('f1_high')(row)}",
    "Box recall": _number("box_recall"),
    "Box precision": _number("box_precision"),
    "CER": _number("cer"),
    "s / page": _number("seconds_per_page", 2),
}


def leaderboard_html(comparison: Comparison, title: str = "Leaderboard") -> str:
    """A page with the tables, real and simulated documents apart, who is better than whom, and every failure."""
    rows = comparison.rows()
    versions = "; ".join(f"{name} ({version})" for name, version in comparison.versions.items())
    parts = [f"<h1>{escape(title)}</h1><p>{escape(versions)}</p>"]
    for data, heading in (("real", "Real documents"), ("simulated", "Simulated documents: pages that never existed")):
        chosen = [row for row in rows if row["data"] == data]
        if chosen:
            pairs = _list(verdicts(comparison, simulated=data == "simulated"))
            parts.append(f"<section class='{data}'><h2>{heading}</h2>{_table(chosen)}{pairs}</section>")
    failures = [f"{score.engine}, {score.page}: {score.error}" for score in comparison.scores if score.error]
    if failures:
        parts.append(f"<h2>Failures</h2>{_list(failures)}")
    parts.append(f"<p><small>{_NOTES}</small></p>")
    head = f"<meta charset='utf-8'><title>{escape(title)}</title><style>{_STYLE}</style>"
    return f"<!doctype html><html lang='en'><head>{head}</head><body>{''.join(parts)}</body></html>\n"


def verdicts(comparison: Comparison, simulated: bool = False) -> list[str]:
    """A sentence for each pair of engines: the difference in F1, its interval, and whether it tells them apart."""
    sentences = []
    for a, b in combinations(comparison.versions, 2):
        gap = comparison.difference(a, b, simulated)
        if math.isnan(gap.low):
            says = "on too few pages to tell them apart"
        elif gap.low <= 0 <= gap.high:
            says = f"({gap.low:+.3f} to {gap.high:+.3f}), not told apart"
        else:
            says = f"({gap.low:+.3f} to {gap.high:+.3f}), {'better' if gap.value > 0 else 'worse'}"
        sentences.append(f"{a} against {b}: F1 {gap.value:+.3f} {says}.")
    return sentences


def _table(rows: list[dict[str, Any]]) -> str:
    best = {row["category"]: max(r["f1"] for r in rows if r["category"] == row["category"]) for row in rows}
    lines = ["<tr>" + "".join(f"<th>{title}</th>" for title in _COLUMNS) + "</tr>"]
    for row in rows:
        classes = " ".join(["all"] * (row["category"] == ALL) + ["best"] * (row["f1"] == best[row["category"]]))
        cells = "".join(f"<td>{escape(show(row))}</td>" for show in _COLUMNS.values())
        lines.append(f"<tr class='{classes}'>{cells}</tr>")
    return f"<table>{''.join(lines)}</table>"


def _list(sentences: list[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences) + "</ul>"
