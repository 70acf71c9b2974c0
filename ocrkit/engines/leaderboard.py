"""The comparison as one HTML page that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

from ocrkit.datasets import LabelledPage
from ocrkit.document import counted
from ocrkit.engines.budget import CAUSES
from ocrkit.engines.compare import ALL, Comparison, verdict
from ocrkit.engines.gallery import shown_wins, wins
from ocrkit.html import Cell, Table, render
from ocrkit.html import Row as HtmlRow
from ocrkit.origin import made

Row = Mapping[str, Any]
Column = Callable[[Row], Cell]
Columns = dict[tuple[str, str], Column]

_TEMPLATE = Path(__file__).with_name("leaderboard.html")
_HEADINGS = {"real": "Real documents", "simulated": "Simulated documents: pages that never existed"}
_MOST_PICTURES = 24  # of a gallery
_MOST_NAMES = 5  # of pages that failed for one reason


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
    sizes = {row["data"]: (row["pages"], row["words"]) for row in rows if row["category"] == ALL}
    told = (f"{counted(pages, f'{data} page')}, {counted(words, 'word')}" for data, (pages, words) in sizes.items())
    where = "; words outside of all labels are left out" if comparison.labelled_only else ""
    sections = [_section(comparison, data, [row for row in rows if row["data"] == data], differences) for data in sizes]
    return render(
        _TEMPLATE,
        title,
        {"Compared on": ("; ".join(told) or "no pages") + where, **made()},
        says=says,
        sections=sections,
        galleries=_galleries(comparison, pages) if pages else [],
        ladder=_ladder(ladder) if ladder else None,
        failures=failures(comparison),
        versions=[f"{name}: {facts.version}" for name, facts in comparison.engines.items()],
    )


def verdicts(comparison: Comparison, data: str = "real") -> list[str]:
    """A sentence for each pair of engines: the difference in F1, its interval, and whether it tells them apart."""
    return [f"{a} against {b}{_told(comparison, a, b, data)}." for a, b in combinations(comparison.engines, 2)]


def failures(comparison: Comparison) -> list[str]:
    """A sentence for each reason that an engine failed for: on how many pages, and on which."""
    pages: dict[tuple[str, str], list[str]] = {}
    for score in comparison.scores:
        if score.error:
            pages.setdefault((score.engine, score.error), []).append("donated" if score.private else score.page)
    asked = len(comparison.scores) // max(1, len(comparison.engines))
    return [
        f"{engine} failed on {len(names)} of {asked} pages: {error} ({', '.join(dict.fromkeys(names[:_MOST_NAMES]))}"
        f"{' and so on' if len(names) > _MOST_NAMES else ''})"
        for (engine, error), names in pages.items()
    ]


def challenge(comparison: Comparison, model: str, challenger: str, data: str = "real") -> str:
    """The sentence on a model that would take another's place: overall, by category, and its speed."""
    categories = [category for kind, category in comparison.groups() if kind == data and category != ALL]
    worse = [
        category
        for category in categories
        if verdict(comparison.difference(challenger, model, data, category)) == "worse"
    ]
    where = f"; worse in {', '.join(worse) or 'no category'}" if categories else ""
    return (
        f"{challenger} against {model}"
        f"{_told(comparison, challenger, model, data)}{where}; "
        f"{comparison.time_ratio(challenger, model, data):.2f} times its time on the same pages."
    )


def _told(comparison: Comparison, a: str, b: str, data: str) -> str:
    """On how many pages two engines were compared, by how much they differ, and what that says of the first."""
    gap = comparison.difference(a, b, data)
    interval = "" if math.isnan(gap.low) else f" ({gap.low:+.3f} to {gap.high:+.3f})"
    pages = counted(len(comparison.pairs(a, b, data)), "page")
    return f" on {pages}: F1 {gap.value:+.3f}{interval}, {verdict(gap)}"


def _section(comparison: Comparison, data: str, rows: Sequence[Row], differences: Sequence[Row]) -> dict[str, Any]:
    """The verdicts and the tables, each with its heading, on one kind of data."""
    failed = [
        f"{row['engine']} failed on {row['failures']} of {row['pages']} pages, which count as nothing found."
        for row in rows
        if row["failures"] and row["category"] == ALL
    ]
    tables: list[tuple[str, Columns, list[Row]]] = []
    for category in dict.fromkeys(row["category"] for row in rows):
        its = [row for row in rows if row["category"] == category]
        name = "All pages" if category == ALL else category
        told = f"{counted(its[0]['pages'], 'page')} with {counted(its[0]['words'], 'word')}"
        tables.append((f"{name}: {told}", _SCORES, its))
    by_category = [row for row in differences if row["category"] != ALL]
    tables += [
        ("What it costs", _COST, _of(data, comparison.costs())),
        ("Where the words went", _BUDGET, _of(data, comparison.budgets())),
        ("Better or worse, by category", _DIFFERENCE, _of(data, by_category)),
    ]
    return {
        "simulated": data == "simulated",
        "heading": _HEADINGS[data],
        "verdicts": [*verdicts(comparison, data), *failed],
        "tables": [(heading, _table(f"{heading} ({data})", columns, its)) for heading, columns, its in tables if its],
    }


def _galleries(comparison: Comparison, pages: Sequence[LabelledPage]) -> list[dict[str, Any]]:
    """What the first engine and each other read unlike, both ways round."""
    first, *others = comparison.engines
    galleries = []
    for other in others:
        sides = []
        for winner, loser in ((first, other), (other, first)):
            found = wins(comparison, pages, winner, loser)
            shown = f", of which {_MOST_PICTURES}" if len(found) > _MOST_PICTURES else ""
            heading = f"{winner} right, {loser} wrong: {len(found):,}{shown}"
            sides.append({"heading": heading, "shown": shown_wins(found[:_MOST_PICTURES])})
        galleries.append({"heading": f"{first} and {other}", "sides": sides})
    return galleries


def _number(name: str, form: str = ".3f") -> Column:
    return lambda row: Cell("–" if math.isnan(row[name]) else f"{row[name]:{form}}", value=float(row[name]))


def _with_interval(name: str, form: str = ".3f", drawn: bool = False) -> Column:
    """The figure, its interval below it, and where it is `drawn` a bar before it."""

    def show(row: Row) -> Cell:
        value, low, high = (float(row[key]) for key in (name, f"{name}_low", f"{name}_high"))
        if math.isnan(value):
            return Cell("–", value=value)
        below = "no interval" if math.isnan(low) else f"{low:{form}} to {high:{form}}"
        return Cell(f"{value:{form}}", below, value, bar=(value, low, high) if drawn else None)

    return show


def _text(name: str) -> Column:
    return lambda row: Cell(str(row[name]))


def _steps(row: Row) -> Cell:
    """Milliseconds of the steps that the engine tells, sorted by their sum."""
    told = ", ".join(f"{step} {1000 * seconds:.0f}" for step, seconds in row["steps"].items())
    return Cell(told or "–", value=sum(row["steps"].values()) if told else math.nan)


# Title, what stands below it, and what stands in the column.
_SCORES: Columns = {
    ("Engine", ""): _text("engine"),
    ("F1", "95 % interval"): _with_interval("f1", drawn=True),
    ("Precision", ""): _with_interval("precision"),
    ("Recall", ""): _with_interval("recall"),
    ("SWA", ""): _with_interval("swa"),
    ("CER", ""): _with_interval("cer"),
    ("Box recall", ""): _with_interval("box_recall"),
    ("Box precision", ""): _with_interval("box_precision"),
    ("Time", "s a page"): _number("seconds_per_page", ".2f"),
    ("Failed", "pages"): _number("failures", ".0f"),
}
_COST: Columns = {
    ("Engine", ""): _text("engine"),
    ("Time", "s a page, median"): _number("seconds_per_page", ".2f"),
    ("Ratio", "of pairs, to the first engine"): _number("time_ratio", ".2f"),
    ("Steps", "ms, the mean page's"): _steps,
    ("Memory", "MB"): _number("peak_mb", ".0f"),
    ("Cost", "USD for 1,000 pages"): lambda row: Cell(
        f"{1000 * row['usd_per_page']:.2f}", value=float(row["usd_per_page"])
    ),
}
_BUDGET: Columns = {
    ("Engine", ""): _text("engine"),
    ("words", ""): _number("words", ",.0f"),
    ("read", "95 % interval"): _with_interval("read", ".1%"),
    **{(cause, ""): _number(cause, ".1%") for cause in CAUSES if cause != "read"},
}
_DIFFERENCE: Columns = {
    ("Category", ""): _text("category"),
    ("Engine", ""): _text("engine"),
    ("against", ""): _text("against"),
    ("pages", ""): _number("pages", ",.0f"),
    ("F1", "95 % interval"): _with_interval("f1", "+.3f"),
    ("Verdict", ""): lambda row: Cell(
        row["verdict"], tone=row["verdict"] if row["verdict"] in ("better", "worse") else ""
    ),
}


def _table(name: str, columns: Columns, rows: Sequence[Row]) -> Table:
    """The rows as a table; a column that holds nothing anywhere is left out, and the best F1 of engines is shaded."""
    drawn = [{title: show(row) for title, show in columns.items()} for row in rows]
    filled = [title for title in columns if any(cells[title].text != "–" for cells in drawn)]
    best = max(row["f1"] for row in rows) if columns is _SCORES else None
    return Table(
        name,
        dict(filled),
        [
            HtmlRow([cells[title] for title in filled], best is not None and row["f1"] == best)
            for cells, row in zip(drawn, rows)
        ],
    )


def _ladder(results: Mapping[str, Any]) -> Table:
    """Every rung with what it added, and the share of each test's words that it read right."""
    columns: Columns = {("Rung", ""): lambda rung: Cell(rung["name"], rung["story"])}
    for test, its in results["tests"].items():
        columns[test, f"{its['words']:,} crops, 95 % interval"] = partial(_rung_score, test)
    return _table("The ladder of improvements", columns, results["rungs"])


def _rung_score(test: str, rung: Row) -> Cell:
    score = rung["scores"][test]
    return Cell(f"{score['value']:.1%}", f"{score['low']:.1%} to {score['high']:.1%}", float(score["value"]))


def _of(data: str, rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["data"] == data]
