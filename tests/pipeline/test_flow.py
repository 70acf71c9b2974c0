"""Notebook, DVC and MLflow together, in a tiny project: the pitfalls of joining them."""

from __future__ import annotations

import json
import sys

import pytest

from ocrkit import files
from ocrkit.errors import BadParams, OcrkitError
from ocrkit.experiment import notebooks
from ocrkit.experiment.run import run as run_notebook
from ocrkit.experiment.track import Run


def test_a_pipeline_run_is_tracked_with_origin_values_inputs_and_report(project):
    (run,) = project.runs()
    tags = run.data.tags
    assert run.info.status == "FINISHED"
    assert tags["mlflow.source.name"] == "notebooks/30_train.ipynb"
    first_commit = project.do("git", "rev-list", "--max-parents=0", "HEAD").strip()
    assert tags["mlflow.source.git.commit"] == first_commit
    assert (tags["git.dirty"], tags["by_hand"], tags["overridden"], tags["dvc.stage"]) == (
        "false",
        "false",
        "false",
        "train",
    )
    assert run.data.params["epochs"] == "6"
    assert run.data.metrics["words"] == 3
    (used,) = run.inputs.dataset_inputs
    assert used.dataset.name == "synth_train"
    assert used.dataset.digest in (project.root / "dvc.lock").read_text()
    assert json.loads((project.root / "runs/train.json").read_text())["run_id"] == run.info.run_id


def test_digests_are_those_of_dvc(project):
    lock = (project.root / "dvc.lock").read_text()
    for name in ("models/trained", "data/synth/train", "metrics/train.json"):
        assert f"md5: {files.digest(project.root / name)}\n" in lock


def test_a_run_by_hand_leaves_its_stage_clean(project):
    before = project.notebook.read_bytes()
    outs = files.digest(project.root / "models"), files.digest(project.root / "metrics")
    # As JupyterLab does it: kernel in notebooks/, outputs saved into the file.
    project.do("jupyter", "execute", "--inplace", "30_train.ipynb", cwd="notebooks")
    assert project.notebook.read_bytes() != before
    assert "30_train.ipynb" in project.status()

    project.do(sys.executable, "-m", "ocrkit.experiment.notebooks", cwd="notebooks")
    assert project.notebook.read_bytes() == before
    assert "up to date" in project.status()
    assert (files.digest(project.root / "models"), files.digest(project.root / "metrics")) == outs
    assert [p.name for p in (project.root / "notebooks").iterdir()] == ["30_train.ipynb"]
    assert (project.root / "scratch/metrics/train.json").read_bytes() == (
        project.root / "metrics/train.json"
    ).read_bytes()
    by_hand, _ = project.runs()
    assert by_hand.data.tags["by_hand"] == "true"
    assert by_hand.info.status == "FINISHED"
    assert by_hand.info.artifact_uri.startswith(f"file://{project.root}/mlartifacts/")


def test_cleaning_brings_an_executed_notebook_back_byte_by_byte(project):
    assert notebooks.cleaned(project.root / "reports/30_train.ipynb") == project.notebook.read_text()


def test_a_failing_notebook_gives_a_failed_run_with_its_report(project):
    project.write_notebook("print('so far so good')", "1 / 0")
    done = project.call("dvc", "repro")
    assert done.returncode != 0
    assert "30_train.ipynb failed in its cell 4: ZeroDivisionError: division by zero" in done.stderr
    failed, _ = project.runs()
    assert failed.info.status == "FAILED"
    assert "ZeroDivisionError" in failed.data.tags["failure"]
    assert "so far so good" in project.report_of(failed).read_text()
    assert not (project.root / "runs/train.json").exists()


def test_a_kernel_that_dies_gives_a_failed_run(project):
    project.write_notebook("import os\nos._exit(1)")
    done = project.call(sys.executable, "-m", "ocrkit.experiment.run", "30_train")
    assert done.returncode == 1
    assert project.runs()[0].info.status == "FAILED"


def test_a_mistake_in_params_gives_one_sentence_and_a_failed_run(project):
    project.set("epochs: 6 ", "epoch: 6 ")
    done = project.call("dvc", "repro")
    assert "train knows no 'epoch': did you mean epochs?" in done.stderr
    failed, _ = project.runs()
    assert failed.info.status == "FAILED"
    assert "did you mean epochs?" in project.report_of(failed).read_text()


def test_data_used_without_being_declared_is_refused(project, monkeypatch):
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("DVC_STAGE", "train")
    project.set(", data/synth/train]", "]", file="dvc.yaml")
    with pytest.raises(BadParams, match=r"uses data/synth/train, but dvc\.yaml does not list it among its deps"):
        Run("train", client=None, run_id="", name="").use("synth_train")


def test_a_stage_neither_uses_what_is_not_there_nor_writes_what_is_anothers(project, monkeypatch):
    monkeypatch.chdir(project.root)
    run = Run("train", client=None, run_id="", name="")
    with pytest.raises(OcrkitError, match="data/real/tune is not there yet: run `dvc repro real` first"):
        run.use("real_tune")
    with pytest.raises(BadParams, match="must not write models/finetuned, which finetune makes"):
        run.make("finetuned")


def test_a_notebook_with_outputs_is_not_run(project, monkeypatch):
    monkeypatch.chdir(project.root)
    project.notebook.write_bytes((project.root / "reports/30_train.ipynb").read_bytes())
    with pytest.raises(OcrkitError, match="run `make clean-notebooks` first"):
        run_notebook("30_train")


def test_a_temporary_experiment_keeps_its_run_in_the_main_store(project):
    project.do("dvc", "exp", "run", "--temp", "--name", "short", "--set-param", "train.epochs=2")
    run, _ = project.runs()
    assert run.data.tags["dvc.exp"] == "short"
    assert run.data.params["epochs"] == "2"
    assert run.info.status == "FINISHED"
    assert run.info.artifact_uri.startswith(f"file://{project.root}/mlartifacts/")
    assert project.report_of(run).is_file()
    assert "0.5" in project.do("dvc", "exp", "show", "--csv")
    assert "epochs: 6 " in (project.root / "params.yaml").read_text()


def test_a_forced_run_gives_the_same_bytes_and_going_back_the_old_run(project):
    made = ("metrics/train.json", "metrics/train_curve.csv", "models/trained")
    run_file = project.root / "runs/train.json"
    first, first_run = {name: files.digest(project.root / name) for name in made}, run_file.read_text()

    project.do("dvc", "repro", "--force")
    assert {name: files.digest(project.root / name) for name in made} == first
    second_run = run_file.read_text()
    assert second_run != first_run

    project.set("epochs: 6 ", "epochs: 3 ")
    project.do("dvc", "repro")
    assert json.loads(project.do("dvc", "metrics", "diff", "--json"))["metrics/train.json"]["loss"]["new"] == 1 / 3
    (plot,) = json.loads(project.do("dvc", "plots", "diff", "--json"))["data"]["Loss"]
    epochs = [point["rev"] for point in plot["content"]["data"]["values"]]
    assert (epochs.count("HEAD"), epochs.count("workspace")) == (6, 3)
    assert len(project.runs()) == 3

    project.set("epochs: 3 ", "epochs: 6 ")
    project.do("dvc", "repro")
    assert {name: files.digest(project.root / name) for name in made} == first
    assert run_file.read_text() == second_run
    assert len(project.runs()) == 3


def test_overrides_by_hand_are_marked_and_go_to_the_folder_named(project):
    command = (sys.executable, "-m", "ocrkit.experiment.run", "30_train", "--override", "epochs=2", "--out", "tried")
    assert "cell 5 of 5  Work" in project.do(*command)
    run, _ = project.runs()
    assert (run.data.tags["overridden"], run.data.params["epochs"]) == ("true", "2")
    assert json.loads((project.root / "tried/metrics/train.json").read_text())["loss"] == 0.5
    assert (project.root / "tried/reports/30_train.html").is_file()
    assert "up to date" in project.status()


def test_reports_are_found_after_the_project_moved(project):
    project.do(sys.executable, "-m", "ocrkit.experiment.setup")
    (run,) = project.runs()
    assert run.info.artifact_uri.startswith(f"file://{project.root}/mlartifacts/")
    assert project.report_of(run).is_file()


def test_smoke_runs_every_notebook_and_leaves_the_checkout_alone(project):
    outs = {name: files.digest(project.root / name) for name in ("models", "metrics", "runs", "reports")}
    assert "Every notebook ran" in project.do(sys.executable, "-m", "ocrkit.experiment.smoke")
    copy = project.root / "scratch/smoke"
    assert json.loads((copy / "metrics/train.json").read_text())["loss"] == 1
    assert (copy / "mlflow.db").is_file()
    assert {name: files.digest(project.root / name) for name in outs} == outs
    assert "up to date" in project.status()
    assert len(project.runs()) == 1


def test_eight_first_clients_at_once_all_work(fresh_project):
    # Forked with MLflow already imported, so that they meet the missing store in the same instant.
    clients = """
import os
from mlflow import MlflowClient
from ocrkit.experiment import paths, setup

children = []
for _ in range(8):
    child = os.fork()
    if child == 0:
        try:
            experiment = setup.ensure_store()
            MlflowClient(paths.tracking_uri()).create_run(experiment)
            os._exit(0)
        except BaseException as error:
            print(error, flush=True)
            os._exit(1)
    children.append(child)
print([os.waitpid(child, 0)[1] for child in children])
"""
    assert str([0] * 8) in fresh_project.do(sys.executable, "-c", clients)
    assert len(fresh_project.runs()) == 8
