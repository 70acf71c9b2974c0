"""`ocrkit runs`: trainings that were recorded as plain files, put into MLflow."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ocrkit.errors import MissingExtra
from ocrkit.experiment import paths, setup, track
from ocrkit.record import load_record, load_steps

_ID, _DIGEST = "record.id", "record.digest"


@click.group()
def runs() -> None:
    """Runs that were recorded elsewhere."""


@runs.command("import")
@click.argument("folders", nargs=-1, required=True, metavar="FOLDER...", type=click.Path(path_type=Path))
def import_(folders: tuple[Path, ...]) -> None:
    """Put the records of trainings into MLflow's store of the project one stands in.

    FOLDER is what `ocrkit train` wrote, or the record inside it. What is there already stays as it is; a record that
    has grown since replaces its earlier run.
    """
    for folder in folders:
        run_id, what = import_record(folder / "record" if (folder / "record").is_dir() else folder)
        click.echo(f"{folder}: {what}, run {run_id}")


def import_record(folder: Path) -> tuple[str, str]:
    """Put the record in `folder` into MLflow, with its own times.

    Returns:
        The run's id, and what was done: `imported`, `there already` or `grown since, so imported again`.

    Raises:
        BadDataset: it is no record.
        MissingExtra: MLflow is not installed.
    """
    record, steps, digest = load_record(folder), load_steps(folder), paths.digest(folder)
    try:
        from mlflow import MlflowClient
    except ImportError:
        raise MissingExtra("Importing runs needs mlflow: pip install 'ocrkit[notebooks]'.") from None

    experiment = setup.ensure_store()
    client = MlflowClient(paths.tracking_uri())
    earlier = client.search_runs([experiment], f"tags.`{_ID}` = '{record.id}'")
    for run in earlier:
        if run.data.tags.get(_DIGEST) == digest:
            return run.info.run_id, "there already"
    tags = {**record.tags, _ID: record.id}
    created = client.create_run(experiment, _ms(record.started), tags, record.name)
    made = track.Run(record.name, client, created.info.run_id, record.name)
    made.log_params(record.params)
    for name, md5 in record.inputs.items():
        made.log_digest(name, md5, name)
    for step in steps:
        made.log_metrics(step.metrics, step.step, _ms(step.time))
    for path in sorted(folder.glob("tables/*.json")):
        made.log_table(path.stem, json.loads(path.read_text("utf-8")))
    if (folder / "artifacts").is_dir():
        made.log_artifact(folder / "artifacts")
    if record.ended:
        made.log_metrics(record.metrics, at_ms=_ms(record.ended))
        client.set_terminated(made.id, record.status, _ms(record.ended))
    # Last, so that an import that was interrupted is no match and is made again.
    client.set_tag(made.id, _DIGEST, digest)
    for run in earlier:
        client.delete_run(run.info.run_id)
    return made.id, "grown since, so imported again" if earlier else "imported"


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
