"""The comparison as one HTML page that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from itertools import combinations
from typing import Any

from ocrkit.datasets import LabelledPage
from ocrkit.engines.budget import CAUSES
from ocrkit.engines.compare import ALL, Comparison, verdict
from ocrkit.engines.gallery import gallery_html, wins
from ocrkit.metrics import Interval

Row = Mapping[str, Any]
Columns = Mapping[str, Callable[[Row], str]]

_MOST_PICTURES = 24  # of a gallery
_MOST_NAMES = 5  # of pages that failed for one reason
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; color: #222 }
h2 { margin-top: 2.5rem } h3 { margin: 1.5rem 0 .3rem } .wide { overflow-x: auto }
table { border-collapse: collapse; margin: .5rem 0 1rem; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .7rem; text-align: right; white-space: nowrap }
th { border-bottom: 2px solid #444; font-weight: 600; white-space: normal } td { border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left } tr.best td { background: #eaf3ea }
td:first-child { white-space: normal; max-width: 26rem }
td small { display: block; line-height: 1.2 } small { color: #666 } svg { background: #eee }
.says { font-size: 1.1em } .better { color: #1d6b2c } .worse { color: #a3241e }
.simulated { border-left: 6px solid #d99; padding-left: 1rem }
.gallery { display: flex; flex-wrap: wrap; gap: .6rem } figure { margin: 0; padding: .4rem .6rem; background: #f4f5f7 }
figure img { max-height: 2.6rem; max-width: 22rem; min-height: 1.6rem }
figcaption { font-size: .85rem; line-height: 1.3 }
figcaption s { color: #a3241e; text-decoration: none }
"""
_NOTES = """
<b>Precision, recall, F1</b>: words compared as multisets, without case. <b>SWA</b> (single word accuracy): of the
labelled words whose box was found, the share read exactly right; <b>box recall</b> and <b>precision</b>: words whose
box overlaps by at least half (IoU) and whose text is exactly right, of all labelled and of all reported ones; none of
these where only lines are labelled. <b>CER</b>: character edits over true characters, without case, both texts put in
rows first. Below each figure stands its 95 % interval: bootstrap resamples of the pages. <b>Better or worse</b>: a
paired bootstrap over the pages, two-sided at 5 %, for each pair by itself. <b>Time</b>: the median page; engines take
turns, each in a process of its own. <b>Memory</b>: the most that this process and the largest program it started held.
<b>Cost</b>: list prices of before 2026, USD, without rebates, to be looked up before they decide anything; of one's own
machine nothing is counted. A page that an engine failed on counts as nothing found.
"""


def leaderboard_html(
    comparison: Comparison,
    title: str = "Leaderboard",
    pages: Sequence[LabelledPage] = (),
    ladder: Mapping[str, Any] | None = None,
    says: Sequence[str] = (),
) -> str:
    """A page of who reads best, how sure that is, what it costs, where words went, and every failure.

    Args:
        comparison: real and simulated documents are shown apart.
        title: of the page.
        pages: those compared on, in the same order, for galleries of what the first engine reads unlike others.
        ladder: what `ocrkit.studies.ladder.climb` found, to be shown below.
        says: sentences to begin with.
    """
    rows, differences = comparison.rows(), comparison.differences()
    parts = [f"<h1>{escape(title)}</h1>", *(f"<p class='says'>{escape(sentence)}</p>" for sentence in says)]
    for data, heading in (("real", "Real documents"), ("simulated", "Simulated documents: pages that never existed")):
        its = [row for row in rows if row["data"] == data]
        if its:
            parts.append(f"<section class='{data}'><h2>{heading}</h2>")
            failed = [
                f"{row['engine']} failed on {row['failures']} of {row['pages']} pages, which count as nothing found."
                for row in its
                if row["failures"] and row["category"] == its[0]["category"]
            ]
            parts.append(_list([*verdicts(comparison, data), *failed]))
            for category in dict.fromkeys(row["category"] for row in its):
                parts.append(_scores([row for row in its if row["category"] == category]))
            parts.append("<h3>What it costs</h3>" + _table(_COST, _of(data, comparison.costs())))
            parts.append("<h3>Where the words went</h3>" + _table(_BUDGET, _of(data, comparison.budgets())))
            by_category = [row for row in _of(data, differences) if row["category"] != ALL]
            if by_category:
                parts.append("<h3>Better or worse, by category</h3>" + _table(_DIFFERENCE, by_category))
            parts.append("</section>")
    first, *others = comparison.engines
    for other in others if pages else ():
        parts.append(f"<h2>{escape(first)} and {escape(other)}</h2>")
        for winner, loser in ((first, other), (other, first)):
            found = wins(comparison, pages, winner, loser)
            shown = f", of which {_MOST_PICTURES}" if len(found) > _MOST_PICTURES else ""
            heading = f"{winner} right, {loser} wrong: {len(found):,}{shown}"
            parts.append(f"<h3>{escape(heading)}</h3>{gallery_html(found[:_MOST_PICTURES])}")
    if ladder:
        parts.append(_ladder(ladder))
    if reasons := failures(comparison):
        parts.append(f"<h2>Failures</h2>{_list(reasons)}")
    versions = [f"{name}: {facts.version}" for name, facts in comparison.engines.items()]
    parts.append(f"<h2>Engines and measures</h2>{_list(versions)}<p><small>{_NOTES}</small></p>")
    head = f"<meta charset='utf-8'><title>{escape(title)}</title><style>{_STYLE}</style>"
    return f"<!doctype html><html lang='en'><head>{head}</head><body>{''.join(parts)}</body></html>\n"


def verdicts(comparison: Comparison, data: str = "real") -> list[str]:
    """A sentence for each pair of engines: the difference in F1, its interval, and whether it tells them apart."""
    return [
        f"{a} against {b}: {_told(comparison.difference(a, b, data))}." for a, b in combinations(comparison.engines, 2)
    ]


def failures(comparison: Comparison) -> list[str]:
    """A sentence for each reason that an engine failed for: on how many pages, and on which."""
    pages: dict[tuple[str, str], list[str]] = {}
    for score in comparison.scores:
        if score.error:
            pages.setdefault((score.engine, score.error), []).append(score.page)
    asked = len(comparison.scores) // max(1, len(comparison.engines))
    return [
        f"{engine} failed on {len(names)} of {asked} pages: {error} ({', '.join(names[:_MOST_NAMES])}"
        f"{' and so on' if len(names) > _MOST_NAMES else ''})"
        for (engine, error), names in pages.items()
    ]


def challenge(comparison: Comparison, champion: str, challenger: str, data: str = "real") -> str:
    """The sentence on a model that would take another's place: overall, by category, and its speed."""
    categories = [category for kind, category in comparison.groups() if kind == data and category != ALL]
    worse = [
        category
        for category in categories
        if verdict(comparison.difference(challenger, champion, data, category)) == "worse"
    ]
    where = f"; worse in {', '.join(worse) or 'no category'}" if categories else ""
    return (
        f"Challenger {challenger} against champion {champion}: "
        f"{_told(comparison.difference(challenger, champion, data))}{where}; "
        f"{comparison.time_ratio(challenger, champion, data):.2f} times the champion's time."
    )


def _told(gap: Interval) -> str:
    interval = "" if math.isnan(gap.low) else f" ({gap.low:+.3f} to {gap.high:+.3f})"
    return f"F1 {gap.value:+.3f}{interval}, {verdict(gap)}"


def _number(name: str, form: str = ".3f") -> Callable[[Row], str]:
    return lambda row: "–" if math.isnan(row[name]) else f"{row[name]:{form}}"


def _with_interval(name: str, form: str = ".3f") -> Callable[[Row], str]:
    """The figure, and its interval below it where there is one."""

    def show(row: Row) -> str:
        low, high = row[f"{name}_low"], row[f"{name}_high"]
        return _number(name, form)(row) + ("" if math.isnan(low) else f"<small>{low:{form}} to {high:{form}}</small>")

    return show


def _text(name: str) -> Callable[[Row], str]:
    return lambda row: escape(str(row[name]))


def _whisker(row: Row) -> str:
    """F1 as a bar from 0 to 1, with its interval."""
    value, low, high = (100 * row[name] for name in ("f1", "f1_low", "f1_high"))
    line = "" if math.isnan(low) else f"<line x1='{low:.1f}' x2='{high:.1f}' y1='7' y2='7' stroke='#222' />"
    bar = f"<rect width='{value:.1f}' height='14' fill='#8fb3d9' />"
    return f"<svg width='120' height='14' viewBox='0 0 100 14' preserveAspectRatio='none'>{bar}{line}</svg>"


_SCORES: Columns = {
    "Engine": _text("engine"),
    "F1": _with_interval("f1"),
    "0 to 1": _whisker,
    "Precision": _with_interval("precision"),
    "Recall": _with_interval("recall"),
    "SWA": _with_interval("swa"),
    "CER": _with_interval("cer"),
    "Box recall": _with_interval("box_recall"),
    "Box precision": _with_interval("box_precision"),
    "s / page": _number("seconds_per_page", ".2f"),
    "Failed": _text("failures"),
}
_COST: Columns = {
    "Engine": _text("engine"),
    "s / page": _number("seconds_per_page", ".2f"),
    "times the first engine's": _number("time_ratio", ".2f"),
    "of which, ms": lambda row: ", ".join(f"{step} {1000 * its:.0f}" for step, its in row["steps"].items()) or "–",
    "Memory, MB": _number("peak_mb", ".0f"),
    "USD / 1,000 pages": lambda row: f"{1000 * row['usd_per_page']:.2f}",
}
_BUDGET: Columns = {
    "Engine": _text("engine"),
    **{cause: _number(cause, ".1%") for cause in CAUSES},
}
_DIFFERENCE: Columns = {
    "Category": _text("category"),
    "Engine": _text("engine"),
    "against": _text("against"),
    "F1": _with_interval("f1", "+.3f"),
    "": lambda row: f"<span class='{row['verdict']}'>{row['verdict']}</span>",
}


def _scores(rows: Sequence[Row]) -> str:
    """The engines in one category, the best shaded; a measure that no engine has is left out."""
    first = rows[0]
    name = "All pages" if first["category"] == ALL else first["category"]
    heading = f"{escape(name)}: {first['pages']:,} with {first['words']:,} words"
    shown = {title: show for title, show in _SCORES.items() if any(show(row) != "–" for row in rows)}
    return f"<h3>{heading}</h3>" + _table(shown, rows, max(row["f1"] for row in rows))


def _table(columns: Columns, rows: Sequence[Row], best: float | None = None) -> str:
    lines = ["<tr>" + "".join(f"<th>{title}</th>" for title in columns) + "</tr>"]
    for row in rows:
        cells = "".join(f"<td>{show(row)}</td>" for show in columns.values())
        lines.append(f"<tr{' class=best' if best is not None and row['f1'] == best else ''}>{cells}</tr>")
    return f"<div class='wide'><table>{''.join(lines)}</table></div>"


def _ladder(results: Mapping[str, Any]) -> str:
    """Every rung with what it added, and the share of each test's words that it read right."""
    columns: dict[str, Callable[[Row], str]] = {
        "Rung": lambda rung: f"{escape(rung['name'])}<small>{escape(rung['story'])}</small>"
    }
    for test, its in results["tests"].items():
        title = f"{escape(test)}<br><small>{its['words']:,} crops</small>"
        columns[title] = partial(_rung_score, test)
    explained = "One small network a rung, trained on equally many words made with one more improvement; read right, of"
    return f"<h2>The ladder of improvements</h2><p>{explained} each test:</p>{_table(columns, results['rungs'])}"


def _rung_score(test: str, rung: Row) -> str:
    score = rung["scores"][test]
    return f"{score['value']:.1%}<small>{score['low']:.1%} to {score['high']:.1%}</small>"


def _of(data: str, rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["data"] == data]


def _list(sentences: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences) + "</ul>"
