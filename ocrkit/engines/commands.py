"""`ocrkit compare`: engines side by side on a folder of labelled pages."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ocrkit.datasets import funsd_protocol_label, half_of, word_samples
from ocrkit.datasets.commands import folder_argument, form_option
from ocrkit.datasets.pages import load_pages
from ocrkit.engines.base import Engine
from ocrkit.engines.budget import CAUSES
from ocrkit.engines.compare import compare as compare_engines
from ocrkit.engines.leaderboard import leaderboard_html, verdicts
from ocrkit.engines.own import OwnEngine
from ocrkit.engines.registry import ENGINES, load_engine, missing_engines
from ocrkit.engines.words import read_words, word_rows
from ocrkit.errors import BadParams
from ocrkit.files import write_whole

_WORD_COLUMNS = (
    "engine",
    "words",
    "exact",
    "exact_low",
    "exact_high",
    "caseless",
    "caseless_low",
    "caseless_high",
    "cer",
    "ms_per_word",
)
_COLUMNS = (
    "category",
    "engine",
    "pages",
    "failures",
    "f1",
    "f1_low",
    "f1_high",
    "box_recall",
    "box_precision",
    "cer",
    "seconds_per_page",
)


@click.command()
@folder_argument
@form_option
@click.option("--engines", default=",".join(ENGINES), show_default=True, help="Which, with commas between.")
@click.option("--model", "models", multiple=True, help="Of `ours`: a released name or a folder; may be repeated.")
@click.option("--half", type=click.Choice(["tune", "report"]), help="Only half of the pages, chosen by a hash.")
@click.option("--limit", type=click.IntRange(min=1), help="Read only the first pages.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Of each engine.")
@click.option("--crops", is_flag=True, help="Compare on the labelled words, cut out, rather than on whole pages.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the leaderboard as HTML.")
def compare(
    *,
    folder: Path,
    form: str,
    engines: str,
    models: tuple[str, ...],
    half: str | None,
    limit: int | None,
    threads: int,
    crops: bool,
    output: Path | None,
) -> None:
    """Let engines read the labelled pages of FOLDER and say who reads best."""
    pages = [page for page in load_pages(folder, form) if half in (None, half_of(page.document or page.id))][:limit]
    missing = missing_engines()
    names = [name.strip() for name in engines.split(",")]
    for name in names:
        if name in missing:
            click.echo(f"{name} is left out. {missing[name]}", err=True)
    usable: list[Engine] = []
    for name in names:
        if name == OwnEngine.name and models:
            usable += [OwnEngine(threads, model, label=Path(model).name) for model in models]
        elif name not in missing:
            usable.append(load_engine(name, threads=threads))
    if not usable:
        raise BadParams("None of these engines can be used here.")
    if crops:
        # FUNSD's protocol is that of the published tables; it changes nothing for labels that are plain words.
        samples = list(word_samples(pages, label=funsd_protocol_label))
        if not samples:
            raise BadParams(f"{folder} labels lines, not words: leave --crops out.")
        _print_table(_WORD_COLUMNS, word_rows(read_words(usable, samples), samples))
        return
    with click.progressbar(pages, label="Reading", file=sys.stderr) as shown:
        comparison = compare_engines(usable, shown)
    _print_table(_COLUMNS, comparison.rows())
    click.echo("\nWhere the words went (share of all labelled words):")
    _print_table(("engine", "words", *CAUSES), comparison.budgets())
    click.echo()
    for sentence in verdicts(comparison):
        click.echo(sentence)
    if output:
        write_whole(output, leaderboard_html(comparison, f"Leaderboard of {folder.name}"))
        click.echo(f"Written: {output}")


def _print_table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Print `rows` under `columns`, but for columns that hold no number anywhere."""

    def shown(value: Any) -> str:
        return f"{value:.3f}" if isinstance(value, float) else str(value)

    columns = [column for column in columns if any(shown(row[column]) != "nan" for row in rows)]
    table = [list(columns), *([shown(row[column]) for column in columns] for row in rows)]
    widths = [max(map(len, cells)) for cells in zip(*table)]
    for cells in table:
        click.echo("  ".join(cell.rjust(width) for cell, width in zip(cells, widths)))
