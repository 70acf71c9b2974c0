"""`make repro` in MLflow: one run for the whole, the stages' runs below it."""

from __future__ import annotations

import signal
import sys

import pytest


@pytest.mark.timeout(1200)
def test_stages_are_parts_of_one_run_which_fails_with_them_and_is_not_made_for_nothing(fresh_project):
    repro = (sys.executable, "-m", "ocrkit.studies.repro")
    fresh_project.do(*repro)
    stage, whole = sorted(fresh_project.runs(), key=lambda run: run.info.run_name, reverse=True)
    assert stage.data.tags["mlflow.parentRunId"] == whole.info.run_id
    assert "mlflow.parentRunId" not in whole.data.tags
    numbers = {f"train.{name}": value for name, value in stage.data.metrics.items() if not name.startswith("system/")}
    assert whole.data.metrics == {name: value for name, value in numbers.items() if name in whole.data.metrics} != {}
    assert "core" in stage.data.tags["processor"]
    assert stage.data.tags["strict"] == "true"
    assert whole.info.run_name.startswith("pipeline ")
    assert whole.info.status == "FINISHED"
    assert f"- {stage.info.run_name}" in whole.data.tags["mlflow.note.content"]

    fresh_project.do(*repro)
    assert len(fresh_project.runs()) == 2  # nothing was out of date

    fresh_project.write_notebook("1 / 0")
    assert fresh_project.call(*repro).returncode == 1
    assert {run.info.status for run in fresh_project.runs()[:2]} == {"FAILED"}
    assert len(fresh_project.runs()) == 4


def test_a_pipeline_that_is_told_to_stop_leaves_killed_runs_with_the_report_of_the_stage(fresh_project):
    fresh_project.write_notebook("print('so far so good')", "import time\ntime.sleep(60)")
    repro = fresh_project.begin(sys.executable, "-m", "ocrkit.studies.repro")
    for line in repro.stdout:
        if "cell 4 of 4" in line:
            break
    repro.send_signal(signal.SIGTERM)
    repro.communicate(timeout=600)
    assert repro.returncode == 1
    stage, whole = sorted(fresh_project.runs(), key=lambda run: run.info.run_name, reverse=True)
    assert {run.info.status for run in (stage, whole)} == {"KILLED"}
    assert stage.info.end_time
    assert stage.data.tags["failure"] == "30_train.ipynb was interrupted."
    assert "so far so good" in fresh_project.report_of(stage).read_text()
