"""A run in MLflow each time that a labelling job is collected: agreement, cost and speed, without anybody's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ocrkit import privacy
from ocrkit.experiment import params, setup, track
from ocrkit.labelling.aggregate import Labels
from ocrkit.labelling.jobs import Job
from ocrkit.studies.sections import SECTIONS


def record(job: Job, numbers: Mapping[str, Any], labels: Labels, digest: str, documents: int) -> str:
    """Record the run; returns its id.

    Args:
        job: that was collected.
        numbers: `ocrkit.labelling.export.summary` of it.
        labels: what its answers say together.
        digest: that stands for its tasks and answers.
        documents: that its answers are about.

    Raises:
        NoProject: the current folder lies in no project.
        PrivateData: they are about too few donated documents.
    """
    privacy.check_documents(documents, f"The run of {job.name}")
    run = track.start(
        "label",
        params.params("label", SECTIONS),
        name=job.name,
        experiment=setup.LABELLING,
        source="ocrkit/studies/labelling.py",
    )
    run.log_params({"job": job.name, "template": job.template.name, "source": "private" if job.private else job.source})
    run.log_digest(job.name, digest, "labelling/jobs.db")
    run.log_metrics(numbers)
    people = list(labels.people.values())
    table = {
        "person": list(range(1, len(people) + 1)),
        "answers": [person.answers for person in people],
        "right": [person.rate.value for person in people],
        "low": [person.rate.low for person in people],
        "high": [person.rate.high for person in people],
        "gold": [person.gold.value if person.gold else float("nan") for person in people],
        "seconds": [person.seconds for person in people],
    }
    if people:
        run.log_table("people", table, documents)
    run.describe(
        f"{numbers['answers']:,} answers to {numbers['tasks']:,} tasks of `{job.template.name}`; alpha "
        f"{numbers['alpha']:.2f}; {numbers['unsure']:,} labels are not sure."
    )
    run.close("FINISHED")
    return run.id
