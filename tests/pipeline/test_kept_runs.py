"""A store of runs that is down: the work is kept in a folder and logged later, and no stage fails for it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import matplotlib.pyplot as plt
import numpy as np
import pytest
from click.testing import CliRunner
from ports import free_port

from ocrkit import processes
from ocrkit.cli import main
from ocrkit.experiment import kept, paths, track
from ocrkit.record import PROCESS
from ocrkit.studies.sections import Start

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that ocrkit takes for a project, its store at its usual place."""
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copyfile(REPO / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for name in ("DVC_ROOT", "DVC_STAGE", "OCRKIT_OUT", "OCRKIT_PIPELINE_FILE", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def work(run: track.Run) -> None:
    """All that a notebook records."""
    run.log_digest("words", "0" * 32, "data/words")
    for step in (8, 16):
        run.log_metrics({"loss": 16 / step}, step=step)
    run.log_table("errors", {"truth": ["a"], "read": ["b"]})
    run.log_figure("curve", plt.figure())
    run.log_image("page", np.zeros((4, 4), np.uint8))
    run.describe("Half of all words were right.")
    run.end({"word_accuracy": 0.5, "loss": 1.0})


def check(client, run) -> None:
    """That MLflow knows all that `work` records."""
    assert (run.info.status, run.data.params["seed"], run.data.tags["stage"]) == ("FINISHED", "3", "start")
    assert run.data.metrics == {"loss": 1.0, "word_accuracy": 0.5}
    losses = [(metric.step, metric.value) for metric in client.get_metric_history(run.info.run_id, "loss")]
    assert losses == [(8, 2.0), (16, 1.0), (16, 1.0)]
    (bar,) = client.get_metric_history(run.info.run_id, "word_accuracy")
    assert bar.step == 0  # no part of the curve, so MLflow draws it as a bar
    assert run.data.tags["mlflow.note.content"] == "Half of all words were right."
    assert run.inputs.dataset_inputs[0].dataset.digest == "0" * 32
    files = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert {"errors.json", "curve.png", "page.png"} <= files


def import_unsent() -> str:
    folders = [str(folder) for folder in paths.unsent_folder().iterdir()]
    done = CliRunner().invoke(main, ["runs", "import", *folders])
    assert done.exit_code == 0, done.output
    return done.output


def runs_of(experiment: str) -> tuple:
    number, client = kept.connect(experiment)
    return client, client.search_runs([number], order_by=["attribute.start_time"])


def test_work_is_kept_while_the_server_is_down_and_logged_later(root, monkeypatch, capsys, dead_port):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{dead_port}")
    whole = track.start(
        "start", Start(seed=3, profile="default", real_pages="data/realpages", page="invoice"), name="Whole"
    )
    part = track.start(
        "start", Start(seed=3, profile="default", real_pages="data/realpages", page="invoice"), parent=whole
    )
    work(part)
    whole.close("FINISHED")
    assert track.finish(part.id, "start", "FINISHED", None) == part.id
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "1"  # or every call would go on for minutes
    said = capsys.readouterr().out
    assert said.count(f"MLflow's store http://127.0.0.1:{dead_port} does not answer: this run is kept in") == 2
    assert json.loads((root / "scratch/runs/start.json").read_text())["run_id"] == part.id

    refused = CliRunner().invoke(main, ["runs", "import", str(paths.unsent_folder() / part.id)])
    assert refused.exit_code == 2
    assert "does not answer: start it, then do this again." in refused.output

    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert import_unsent().count(": imported, run") == 2
    client, (parent, child) = runs_of("Pipeline")
    check(client, child)
    assert parent.info.run_name == "Whole"
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert import_unsent().count(": there already, run") == 2


def test_a_run_whose_store_goes_down_on_the_way_is_completed_later(root, capsys):
    run = track.start("start", Start(seed=3, profile="default", real_pages="data/realpages", page="invoice"))
    run.log_metrics({"loss": 2.0}, step=8)
    store = paths.store_file()
    store.rename(store.with_suffix(".away"))
    store.mkdir()  # what is no file cannot be opened as a database
    run.client._client._tracking_client.store.engine.dispose()
    run.log_metrics({"loss": 1.0}, step=16)
    run.describe("Half of all words were right.")
    run.end({"word_accuracy": 0.5})
    assert capsys.readouterr().out.count("does not answer: this run is kept in") == 1

    store.rmdir()
    store.with_suffix(".away").rename(store)
    assert f": completed, run {run.id}" in import_unsent()
    client, (found,) = runs_of("Pipeline")
    assert found.info.status == "FINISHED"
    assert [m.value for m in client.get_metric_history(run.id, "loss")] == [2.0, 1.0]
    assert found.data.metrics["word_accuracy"] == 0.5
    assert found.data.tags["mlflow.note.content"] == "Half of all words were right."
    assert ": there already, run" in import_unsent()


def test_a_question_that_is_wrong_is_no_store_that_is_down(root):
    run = track.start("start", Start(seed=3, profile="default", real_pages="data/realpages", page="invoice"))
    with pytest.raises(Exception, match="Changing param values is not allowed"):
        run.log_params({"seed": 4})
    assert not paths.unsent_folder().exists()
    run.close("FINISHED")


def test_a_run_whose_process_was_killed_is_closed_when_the_next_one_begins(root):
    tell = [sys.executable, "-c", "from ocrkit.processes import name; print(name())"]
    ended = subprocess.run(tell, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    number, client = kept.connect("Pipeline")
    for name, process in (("killed", ended), ("living", processes.name()), ("elsewhere", "elsewhere 1 1")):
        run = client.create_run(number, tags={PROCESS: process}, run_name=name)
        folder = Path(url2pathname(urlsplit(run.info.artifact_uri).path))
        folder.mkdir(parents=True)
        (folder / ".artifact.uploading.01234567").touch()
    track.start("start", Start(seed=3, profile="default", real_pages="data/realpages", page="invoice"), name="next")
    states = {run.info.run_name: run.info.status for run in runs_of("Pipeline")[1]}
    assert states == {"killed": "KILLED", "living": "RUNNING", "elsewhere": "RUNNING", "next": "RUNNING"}
    assert len(list(root.rglob(".artifact.uploading.*"))) == 2


@pytest.mark.timeout(1200)
def test_a_stage_of_the_pipeline_ends_well_without_its_server(fresh_project, dead_port):
    address = f"http://127.0.0.1:{dead_port}"
    said = fresh_project.do("dvc", "repro", MLFLOW_TRACKING_URI=address)
    assert f"MLflow's store {address} does not answer" in said
    run_id = json.loads((fresh_project.root / "runs/train.json").read_text())["run_id"]
    record = fresh_project.root / "scratch/unsent" / run_id
    assert (record / "artifacts/report/30_train.html").is_file()
    fresh_project.do(sys.executable, "-m", "ocrkit", "runs", "import", str(record))
    (run,) = fresh_project.runs()
    assert (run.info.status, run.data.metrics["words"]) == ("FINISHED", 3)
    assert fresh_project.report_of(run).is_file()


def test_runs_go_to_the_server_that_the_environment_names(root, monkeypatch, answers):
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{root}/other.db", "--artifacts-destination", str(root / "files")]
    quiet: dict = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    quiet["env"] = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    server = subprocess.Popen(command, **quiet, start_new_session=True)
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 600
        while not answers(f"{address}/health"):
            assert time.monotonic() < deadline
            assert server.poll() is None
            time.sleep(0.5)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        work(track.start("start", Start(seed=3, profile="default", real_pages="data/realpages", page="invoice")))
        client, (run,) = runs_of("Pipeline")
        check(client, run)
        assert not paths.store_file().exists()
        assert client.get_experiment_by_name("Pipeline").tags["mlflow.experimentKind"] == "custom_model_development"
    finally:
        os.killpg(server.pid, signal.SIGKILL)  # it keeps nothing that matters
        server.wait()
