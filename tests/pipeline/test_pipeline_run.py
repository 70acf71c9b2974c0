"""`make repro` in MLflow: one run for the whole, the stages' runs below it."""

from __future__ import annotations

import sys

import pytest


@pytest.mark.timeout(1200)
def test_stages_are_parts_of_one_run_which_fails_with_them_and_is_not_made_for_nothing(fresh_project):
    repro = (sys.executable, "-m", "ocrkit.studies.repro")
    fresh_project.do(*repro)
    stage, whole = sorted(fresh_project.runs(), key=lambda run: run.info.run_name, reverse=True)
    assert stage.data.tags["mlflow.parentRunId"] == whole.info.run_id
    assert "mlflow.parentRunId" not in whole.data.tags
    assert whole.info.run_name.startswith("pipeline ")
    assert whole.info.status == "FINISHED"
    assert f"- {stage.info.run_name}" in whole.data.tags["mlflow.note.content"]

    fresh_project.do(*repro)
    assert len(fresh_project.runs()) == 2  # nothing was out of date

    fresh_project.write_notebook("1 / 0")
    assert fresh_project.call(*repro).returncode == 1
    assert {run.info.status for run in fresh_project.runs()[:2]} == {"FAILED"}
    assert len(fresh_project.runs()) == 4
