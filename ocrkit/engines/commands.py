"""`ocrkit compare`: engines side by side on a folder of labelled pages."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ocrkit.datasets.commands import folder_argument, form_option
from ocrkit.datasets.pages import load_pages
from ocrkit.engines.compare import compare as compare_engines
from ocrkit.engines.leaderboard import leaderboard_html, verdicts
from ocrkit.engines.registry import ENGINES, load_engine, missing_engines
from ocrkit.errors import BadParams
from ocrkit.files import write_whole

_COLUMNS = ("category", "engine", "pages", "failures", "precision", "recall", "f1", "cer", "seconds_per_page")


@click.command()
@folder_argument
@form_option
@click.option("--engines", default=",".join(ENGINES), show_default=True, help="Which, with commas between.")
@click.option("--limit", type=click.IntRange(min=1), help="Read only the first pages.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Of each engine.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the leaderboard as HTML.")
def compare(*, folder: Path, form: str, engines: str, limit: int | None, threads: int, output: Path | None) -> None:
    """Let engines read the labelled pages of FOLDER and say who reads best."""
    pages = load_pages(folder, form)[:limit]
    missing = missing_engines()
    names = [name.strip() for name in engines.split(",")]
    for name in names:
        if name in missing:
            click.echo(f"{name} is left out. {missing[name]}", err=True)
    usable = [load_engine(name, threads=threads) for name in names if name not in missing]
    if not usable:
        raise BadParams("None of these engines can be used here.")
    with click.progressbar(pages, label="Reading", file=sys.stderr) as shown:
        comparison = compare_engines(usable, shown)
    click.echo("  ".join(f"{column:>16}" for column in _COLUMNS))
    for row in comparison.rows():
        values = (row[column] for column in _COLUMNS)
        click.echo("  ".join(f"{value:16.3f}" if isinstance(value, float) else f"{value:>16}" for value in values))
    for sentence in verdicts(comparison):
        click.echo(sentence)
    if output:
        write_whole(output, leaderboard_html(comparison, f"Leaderboard of {folder.name}"))
        click.echo(f"Written: {output}")
