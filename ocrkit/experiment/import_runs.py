"""Trainings that were recorded as plain files, put into MLflow."""

from __future__ import annotations

import json
from pathlib import Path

from mlflow import MlflowClient

from ocrkit import files
from ocrkit.experiment import kept, setup, track
from ocrkit.record import Record, load_record, load_steps

_ID, _DIGEST = "record.id", "record.digest"


def import_record(folder: Path) -> tuple[str, str]:
    """Put the record in `folder` into MLflow, with its own times.

    A record of a run that MLflow has already, since its store went down on the way, is added to that run.

    Returns:
        The run's id, and what was done: `imported`, `there already`, `grown since, so imported again` or `completed`.

    Raises:
        BadDataset: it is no record.
        OcrkitError: the store does not answer.
    """
    record = load_record(folder)
    experiment, client = kept.connect(record.tags.get(kept.EXPERIMENT, setup.TRAININGS))
    with kept.alone("import"):  # or two at once would both make the run
        return _imported(record, folder, experiment, client)


def _imported(record: Record, folder: Path, experiment: str, client: MlflowClient) -> tuple[str, str]:
    digest, continued = files.digest(folder), record.tags.get(kept.CONTINUES)
    if continued:
        earlier = [client.get_run(continued)]
    else:
        earlier = client.search_runs([experiment], f"tags.`{_ID}` = '{record.id}'")
    for run in earlier:
        if run.data.tags.get(_DIGEST) == digest:
            return run.info.run_id, "there already"
    tags = {**record.tags, _ID: record.id}
    if parent := tags.get(track.PARENT):
        imported = client.search_runs([experiment], f"tags.`{_ID}` = '{parent}'")
        tags[track.PARENT] = imported[0].info.run_id if imported else parent
    run_id = continued or client.create_run(experiment, _ms(record.started), tags, record.name).info.run_id
    if continued:
        for name, value in tags.items():
            client.set_tag(run_id, name, value)
    _log(record, folder, track.Run(record.name, client, run_id, record.name))
    # Last, so that an import that was interrupted is no match and is made again.
    client.set_tag(run_id, _DIGEST, digest)
    if continued:
        return run_id, "completed"
    for run in earlier:
        client.delete_run(run.info.run_id)
    return run_id, "grown since, so imported again" if earlier else "imported"


def _log(record: Record, folder: Path, run: track.Run) -> None:
    """All that a record holds, at the times when it came about."""
    run.log_params(record.params)
    for name, md5 in record.inputs.items():
        run.log_digest(name, md5, name)
    for step in load_steps(folder):
        run.log_metrics(step.metrics, step.step, _ms(step.time))
    for path in sorted(folder.glob("tables/*.json")):
        run.log_table(path.stem, json.loads(path.read_text("utf-8")))
    if (folder / "artifacts").is_dir():
        run.log_artifact(folder / "artifacts")
    if record.ended:
        run.log_metrics(record.metrics, at_ms=_ms(record.ended))
        run.client.set_terminated(run.id, record.status, _ms(record.ended))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
