"""`ocrkit data ...`: look at labelled data from the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click

from ocrkit.datasets.forms import PAGE_FORMS, load_pages
from ocrkit.datasets.public import DATA_SETS, fetch_books, fetch_data_set
from ocrkit.datasets.validate import leaks, statistics
from ocrkit.datasets.validate import validate as find_faults

form_option = click.option(
    "--form", required=True, type=click.Choice(sorted(PAGE_FORMS)), help="The form the folder is in."
)
folder_argument = click.argument("folder", type=click.Path(path_type=Path))
folders_argument = click.argument("folders", type=click.Path(path_type=Path), nargs=-1, required=True)


@click.group()
def data() -> None:
    """Fetch, check and describe folders of labelled pages or word crops."""


def _numbers(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> list[int]:
    try:
        return [int(number) for value in values for number in value.replace(",", " ").split()]
    except ValueError as error:
        raise click.BadParameter(f"{error}; numbers are wanted, such as 11,84.") from None


@data.command()
@click.argument("name", type=click.Choice([*DATA_SETS, "gutenberg"]))
@folder_argument
@click.option(
    "--from",
    "sources",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Archive, or folder of books, fetched by other means; repeatable.",
)
@click.option("--ids", multiple=True, callback=_numbers, help="Numbers of Gutenberg's books: 11,84; repeatable.")
def fetch(name: str, folder: Path, sources: tuple[Path, ...], ids: list[int]) -> None:
    """Bring a public data set, or books of Project Gutenberg, into FOLDER, each file checked by SHA-256.

    FUNSD is for research and never for training weights that are released.
    """
    if name == "gutenberg":
        if not ids or len(sources) > 1:
            raise click.UsageError("Books need --ids, such as --ids 11,84, and at most one --from.")
        books = fetch_books(ids, folder, next(iter(sources), None), click.echo)
        click.echo(f"{len(books)} books lie in {folder}.")
        return
    if ids:
        raise click.UsageError("--ids is for gutenberg only.")
    for part in fetch_data_set(name, folder, sources, click.echo):
        click.echo(f"{part} is there; look at it: ocrkit data stats {part} --form {name}")


@data.command()
@folders_argument
@form_option
@click.pass_context
def validate(context: click.Context, folders: tuple[Path, ...], form: str) -> None:
    """Say what is wrong with FOLDERS; exit status 1 where something cannot be used.

    Several folders are the splits of one data set: no document and no image may be in two of them.
    """
    splits = {str(folder): load_pages(folder, form) for folder in folders}
    findings = leaks(splits)
    for name, pages in splits.items():
        inside = f"{name}/" if len(splits) > 1 else ""
        findings += [replace(finding, page=inside + finding.page) for finding in find_faults(pages)]
    for finding in findings:
        click.echo(f"{'error' if finding.serious else 'note'}: {finding.page}: {finding.message}")
    serious = sum(finding.serious for finding in findings)
    count = sum(map(len, splits.values()))
    click.echo(f"{count} pages, {serious} errors, {len(findings) - serious} notes.")
    context.exit(1 if serious else 0)


@data.command()
@folders_argument
@form_option
@click.option("--json", "as_json", is_flag=True, help="Write it as JSON, by folder.")
def stats(folders: tuple[Path, ...], form: str, as_json: bool) -> None:
    """Say what FOLDERS hold: counts, sizes, lengths, characters, each folder for itself."""
    described = {str(folder): statistics(load_pages(folder, form)) for folder in folders}
    if as_json:
        click.echo(json.dumps(described, ensure_ascii=False, indent=2))
        return
    for folder, values in described.items():
        click.echo(folder)
        for name, value in values.items():
            click.echo(f"{name:>22}  {' '.join(map(str, value)) if isinstance(value, list) else value}")
