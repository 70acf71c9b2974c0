"""Records of trainings in MLflow, with a real store in a project of its own."""

import dataclasses

import pytest
from click.testing import CliRunner

from ocrkit.cli import main
from ocrkit.record import Record, Step, save_steps, save_table

RECORD = Record(
    "train nano",
    {"words": 9, "fonts": ["packages"]},
    {"stage": "train", "mlflow.source.git.commit": "abc"},
    {"fonts": "0" * 32},
    started=1000.0,
    id="one",
)
STEPS = [Step(8, 1001.0, {"loss": 2.0}), Step(16, 1002.0, {"loss": 1.0, "swa": 0.5})]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    (root / "params.yaml").touch()
    (root / "dvc.yaml").touch()
    return root


@pytest.fixture
def imported(project, monkeypatch):
    monkeypatch.chdir(project)
    for name in ("DVC_ROOT", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)

    def run(*folders):
        result = CliRunner().invoke(main, ["runs", "import", *map(str, folders)])
        return result.exit_code, result.output

    return run


def all_runs(project):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{project}/mlflow.db")
    return client, client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])


def test_a_record_becomes_a_run_once_and_is_replaced_when_it_has_grown(tmp_path, project, imported):
    folder = tmp_path / "training" / "record"
    RECORD.save(folder)
    save_steps(folder, STEPS[:1])
    assert "imported, run" in imported(folder.parent)[1]  # while it goes on
    _, (run,) = all_runs(project)
    assert (run.info.status, run.data.metrics) == ("RUNNING", {"loss": 2.0})

    dataclasses.replace(RECORD, status="FINISHED", ended=1003.0, metrics={"cer": 0.25}).save(folder)
    save_steps(folder, STEPS)
    save_table(folder, "errors", {"truth": ["a"], "read": ["b"]})
    (folder / "artifacts").mkdir()
    (folder / "artifacts" / "readings.png").write_bytes(b"picture")
    assert "grown since" in imported(folder)[1]  # the record itself may be named too
    client, (run,) = all_runs(project)
    assert (run.info.run_name, run.info.status) == ("train nano", "FINISHED")
    assert (run.info.start_time, run.info.end_time) == (1_000_000, 1_003_000)
    assert run.data.params == {"words": "9", "fonts": '["packages"]'}
    assert run.data.metrics == {"loss": 1.0, "swa": 0.5, "cer": 0.25}
    assert run.data.tags["mlflow.source.git.commit"] == "abc"
    curve = client.get_metric_history(run.info.run_id, "loss")
    assert [(m.step, m.timestamp, m.value) for m in curve] == [(8, 1_001_000, 2.0), (16, 1_002_000, 1.0)]
    assert sorted(file.path for file in client.list_artifacts(run.info.run_id)) == ["errors.json", "readings.png"]
    assert run.inputs.dataset_inputs[0].dataset.digest == "0" * 32

    code, said = imported(folder)
    assert (code, said.split(": ", 1)[1].split(",")[0]) == (0, "there already")
    assert len(all_runs(project)[1]) == 1


def test_a_folder_without_a_record_is_said(tmp_path, imported):
    code, said = imported(tmp_path)
    assert code == 2
    assert "holds no record of a run" in said
