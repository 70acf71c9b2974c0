"""`ocrkit data ...`: look at labelled data from the command line."""

from __future__ import annotations

from pathlib import Path

import click

from ocrkit.datasets.pages import PAGE_FORMS, load_pages
from ocrkit.datasets.validate import statistics
from ocrkit.datasets.validate import validate as find_faults

form_option = click.option(
    "--form", required=True, type=click.Choice(sorted(PAGE_FORMS)), help="The form the folder is in."
)
folder_argument = click.argument("folder", type=click.Path(path_type=Path))


@click.group()
def data() -> None:
    """Check and describe folders of labelled pages or word crops."""


@data.command()
@folder_argument
@form_option
@click.pass_context
def validate(context: click.Context, folder: Path, form: str) -> None:
    """Say what is wrong with FOLDER; exit status 1 where something cannot be used."""
    pages = load_pages(folder, form)
    findings = find_faults(pages)
    for finding in findings:
        click.echo(f"{'error' if finding.serious else 'note'}: {finding.page}: {finding.message}")
    serious = sum(finding.serious for finding in findings)
    click.echo(f"{len(pages)} pages, {serious} errors, {len(findings) - serious} notes.")
    context.exit(1 if serious else 0)


@data.command()
@folder_argument
@form_option
def stats(folder: Path, form: str) -> None:
    """Say what FOLDER holds: counts, sizes, lengths, characters."""
    for name, value in statistics(load_pages(folder, form)).items():
        click.echo(f"{name:>22}  {' '.join(map(str, value)) if isinstance(value, list) else value}")
