"""`ocrkit compare`: engines side by side on a folder of labelled pages."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import click

from ocrkit import privacy
from ocrkit.cli.options import folder_argument, form_option, half_option, one_thread_option
from ocrkit.cli.progress import shown
from ocrkit.cli.verbs import verb
from ocrkit.datasets import LabelledPage, funsd_protocol_label, half_of, word_samples
from ocrkit.datasets.forms import load_pages
from ocrkit.engines.base import EngineFailed, refuse_private
from ocrkit.engines.budget import CAUSES
from ocrkit.engines.compare import Comparison
from ocrkit.engines.compare import compare as compare_engines
from ocrkit.engines.leaderboard import challenge, failures, leaderboard_html
from ocrkit.engines.own import OwnEngine
from ocrkit.engines.process import EngineProcess
from ocrkit.engines.registry import ENGINES, LOCAL_NAMES, missing_engines, start_engine
from ocrkit.engines.single_words import read_words, word_rows
from ocrkit.errors import BadParams, BadPlugin
from ocrkit.files import check_writable, folder_name, write_whole

_MOST_REASONS = 10
_TEXTS = ("engine", "against", "category", "verdict", "of which, ms")

Column = Callable[[Mapping[str, Any]], str]


def _plain(name: str) -> Column:
    return lambda row: str(row[name])


def _number(name: str, form: str) -> Column:
    return lambda row: "–" if math.isnan(row[name]) else f"{row[name]:{form}}"


def _with_interval(name: str) -> Column:
    """Such as `0.813 .78–.85`; the interval is left out where there is none."""

    def bound(value: float) -> str:
        return f"{value:.2f}".removeprefix("0")

    def show(row: Mapping[str, Any]) -> str:
        low, high = row[f"{name}_low"], row[f"{name}_high"]
        return _number(name, ".3f")(row) + ("" if math.isnan(low) else f" {bound(low)}–{bound(high)}")

    return show


# None is wider than a terminal of 100 columns.
_WORDS = {
    "engine": _plain("engine"),
    "words": _plain("words"),
    "exact": _with_interval("exact"),
    "caseless": _with_interval("caseless"),
    "cer": _number("cer", ".3f"),
    "ms/word": _number("ms_per_word", ".1f"),
}
_SCORES = {
    "engine": _plain("engine"),
    **{name: _with_interval(name) for name in ("f1", "precision", "recall", "swa", "cer")},
}
_COSTS = {
    "engine": _plain("engine"),
    "failed": _plain("failures"),
    "s/page": _number("seconds_per_page", ".3f"),
    "ratio": _number("time_ratio", ".2f"),
    "of which, ms": lambda row: ", ".join(f"{step} {1000 * its:.0f}" for step, its in row["steps"].items()) or "–",
    "MB": _number("peak_mb", ".0f"),
    "USD/1000 pages": lambda row: f"{1000 * row['usd_per_page']:.2f}",
}
_BUDGET = {
    "engine": _plain("engine"),
    "words": _plain("words"),
    "read": _with_interval("read"),
    **{cause: _number(cause, ".3f") for cause in CAUSES if cause != "read"},
}
_DIFFERENCES = {
    "category": _plain("category"),
    "engine": _plain("engine"),
    "against": _plain("against"),
    "pages": _plain("pages"),
    "f1": _number("f1", "+.3f"),
    "from": _number("f1_low", "+.3f"),
    "to": _number("f1_high", "+.3f"),
    "verdict": _plain("verdict"),
}


@verb()
@folder_argument
@form_option
@click.option(
    "--engines",
    default=",".join(LOCAL_NAMES),
    show_default=True,
    help=f"Engines, separated by commas, of {', '.join(ENGINES)}. textract, google-vision and azure-read cost money.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    help="Model that `ours` uses: a released model's name or a model's folder; may be repeated.",
)
@click.option(
    "--runtime",
    "runtimes",
    multiple=True,
    help="Runtime that `ours` uses; may be repeated.  [default: onnxruntime]",
)
@half_option
@click.option("--limit", type=click.IntRange(min=1), help="Read only this many pages.")
@one_thread_option
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds per page, after which an engine counts as failed on it.",
)
@click.option(
    "--labelled-only",
    is_flag=True,
    help="Count no word outside of all transcribed labels: for pages of which only some lines are labelled.",
)
@click.option("--crops", is_flag=True, help="Compare on cropped words rather than on whole pages.")
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Write an HTML leaderboard with pictures (.html) or all figures (.json); may be repeated.",
)
def compare(
    *,
    folder: Path,
    form: str,
    engines: str,
    models: tuple[str, ...],
    runtimes: tuple[str, ...],
    half: str | None,
    limit: int | None,
    threads: int,
    timeout: float,
    labelled_only: bool,
    crops: bool,
    outputs: tuple[Path, ...],
) -> None:
    """Compare OCR engines on the labelled pages of FOLDER.

    With several models or runtimes of `ours`, each is compared with the first. Services that cost money (textract,
    google-vision, azure-read) get the pages sent; like engines of other packages, they are asked only if they are
    named.
    """
    if crops and labelled_only:
        raise click.UsageError("--labelled-only is for whole pages: a cropped word is its label's.")
    for path in outputs:
        if path.suffix not in (".html", ".json") or crops:
            raise click.UsageError(f"{path}: the leaderboard of whole pages is written as .html or .json.")
    names = list(dict.fromkeys(name.strip() for name in engines.split(",")))
    if (models or runtimes) and OwnEngine.name not in names:
        raise click.UsageError(f"--model and --runtime are those of `{OwnEngine.name}`, which --engines leaves out.")
    check_writable(outputs)
    pages = [page for page in load_pages(folder, form) if half in (None, half_of(page.document or page.id))][:limit]
    if not pages:
        raise BadParams(f"No page of {folder} is in that half.")
    donated = any(page.private for page in pages)
    pages = told_together(pages) if donated else pages
    own = _of_ours(models, runtimes or ("onnxruntime",))
    with ExitStack() as stack:
        usable = _started(stack, names, own, threads, timeout)
        if not usable:
            raise BadParams("None of these engines can be used here.")
        refuse_private(usable, donated)
        if crops:
            _compare_words(usable, pages, folder)
            return
        comparison = compare_engines(usable, shown(pages, "Reading", "pages"), labelled_only)
    _print_comparison(comparison)
    says = [challenge(comparison, next(iter(own)), challenger) for challenger in list(own)[1:]]
    for sentence in says:
        click.echo(f"\n{sentence}")
    with privacy.without_content():  # of donated pages figures only, and no gallery
        for path in outputs:
            if path.suffix == ".json":
                write_whole(path, json.dumps(comparison.to_dict(), indent=1, ensure_ascii=False) + "\n")
            else:
                title = f"Leaderboard of {folder_name(folder)}"
                write_whole(path, leaderboard_html(comparison, title, () if donated else pages, says=says))
            click.echo(f"Written: {path}")


def told_together(pages: Sequence[LabelledPage]) -> list[LabelledPage]:
    """Donated pages, without their categories where one of these has too few documents for a figure of its own."""
    documents: dict[tuple[bool, str], set[str]] = {}
    for page in pages:
        documents.setdefault((page.simulated, page.category), set()).add(page.document or page.id)
    if min(map(len, documents.values())) >= privacy.LEAST_DOCUMENTS:
        return list(pages)
    return [replace(page, category="other") for page in pages]


def _of_ours(models: Sequence[str], runtimes: Sequence[str]) -> dict[str, dict[str, str | None]]:
    """Options of our engines by what these are called: their models' names, where these tell them apart."""
    named: dict[str, str | None] = {Path(model).name: model for model in models} or {OwnEngine.name: None}
    if len(named) < len(set(models)):
        named = {model: model for model in models}
    return {
        f"{name}, {runtime}" if len(runtimes) > 1 else name: {"model": model, "runtime": runtime}
        for name, model in named.items()
        for runtime in runtimes
    }


def _started(
    stack: ExitStack, names: Sequence[str], own: Mapping[str, Mapping[str, str | None]], threads: int, timeout_s: float
) -> list[EngineProcess]:
    """The engines called `names`, one for each of our `own`, ended with `stack`; says which are missing."""
    missing = missing_engines(names)
    started = []
    for name in names:
        ours = [{"label": label, **options} for label, options in own.items()]
        for options in ours if name == OwnEngine.name else [{}]:
            try:
                if name not in missing:
                    started.append(stack.enter_context(closing(start_engine(name, threads, timeout_s, **options))))
            except (EngineFailed, BadPlugin) as error:
                missing[options.get("label") or name] = str(error)
    for name, reason in missing.items():
        click.echo(f"{name} is left out. {reason}", err=True)
    return started


def _compare_words(engines: Sequence[EngineProcess], pages: Sequence[LabelledPage], folder: Path) -> None:
    # FUNSD's protocol is that of the published tables; it changes nothing for labels that are plain words.
    samples = list(word_samples(pages, label=funsd_protocol_label))
    if not samples:
        raise BadParams(f"{folder} labels lines, not words: leave --crops out.")
    if any(sample.private for sample in samples):
        privacy.check_documents(len({sample.document for sample in samples}), "The comparison")
    readings = read_words(engines, samples)
    _print_table(_WORDS, word_rows(readings, samples))
    for reading in readings:
        if reading.error:
            why = "what it said is withheld" if privacy.is_open() else reading.error
            click.echo(f"{reading.engine} read nothing: {why}")


def _print_comparison(comparison: Comparison) -> None:
    if comparison.labelled_only:
        click.echo("Words outside of all labels are left out of the scores.")
    for (data, category), rows in groupby(comparison.rows(), key=itemgetter("data", "category")):
        its = list(rows)
        pages, words = its[0]["pages"], its[0]["words"]
        counted = (
            f"{pages} pages, {words} words, 95 % intervals" if pages > 1 else f"1 page, {words} words, no intervals"
        )
        click.echo(f"\n{data}, {category}: {counted}")
        _print_table(_SCORES, its)
    click.echo("")
    for name, facts in comparison.engines.items():
        click.echo(f"{name}: {facts.version}")
    click.echo("\nWhat it costs: the median page; the ratio of pairs, which is the time for all pages that both")
    click.echo("could read, over the first engine's for the same pages; memory; list prices")
    _print_table(_COSTS, comparison.costs())
    click.echo("\nWhere the words went: shares of all labelled words; `read` with its 95 % interval")
    _print_table(_BUDGET, comparison.budgets())
    if len(comparison.engines) > 1:
        click.echo("\nBetter or worse: difference in F1 and its 95 % interval, by a paired bootstrap over the pages")
        _print_table(_DIFFERENCES, comparison.differences())
    if reasons := failures(comparison):
        click.echo("\nFailures, counted as nothing found:")
    for sentence in reasons[:_MOST_REASONS]:
        click.echo(sentence)
    if len(reasons) > _MOST_REASONS:
        click.echo("and so on.")


def _print_table(columns: Mapping[str, Column], rows: Sequence[Mapping[str, Any]]) -> None:
    """Print `rows` under `columns`, texts to the left, but for columns that hold nothing anywhere."""
    table = [[title, *(show(row) for row in rows)] for title, show in columns.items()]
    filled = [column for column in table if set(column[1:]) - {"–"}]
    widths = [max(map(len, column)) for column in filled]
    for cells in zip(*filled):
        line = (
            cell.ljust(width) if column[0] in _TEXTS else cell.rjust(width)
            for cell, width, column in zip(cells, widths, filled)
        )
        click.echo("  ".join(line).rstrip())
