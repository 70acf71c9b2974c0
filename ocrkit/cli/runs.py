"""`ocrkit runs`: trainings that were recorded as plain files, put into MLflow."""

from __future__ import annotations

from pathlib import Path

import click

from ocrkit.cli.verbs import verb_group
from ocrkit.errors import MissingExtra
from ocrkit.record import load_record


@verb_group()
def runs() -> None:
    """Import runs that were recorded without MLflow."""


@runs.command("import")
@click.argument("folders", nargs=-1, required=True, metavar="FOLDER...", type=click.Path(path_type=Path))
def import_(folders: tuple[Path, ...]) -> None:
    """Import the records of trainings into the MLflow store of the current project.

    FOLDER is what `ocrkit train` wrote, or the record inside it. Runs that were imported before stay as they are; a
    record that has grown since replaces its earlier run.
    """
    try:
        from ocrkit.experiment.import_runs import import_record
    except ImportError:
        raise MissingExtra("Importing runs needs mlflow: pip install 'ocrkit[notebooks]'.") from None

    for folder in sorted((_record_of(folder) for folder in folders), key=lambda folder: load_record(folder).started):
        run_id, what = import_record(folder)
        click.echo(f"{folder}: {what}, run {run_id}")


def _record_of(folder: Path) -> Path:
    return folder / "record" if (folder / "record").is_dir() else folder
