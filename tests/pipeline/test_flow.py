"""Notebook, DVC and MLflow together, in a tiny project: the pitfalls of joining them."""

from __future__ import annotations

import difflib
import json
import re
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from alembic.script import ScriptDirectory
from mlflow.store.db.utils import _get_alembic_config
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from ocrkit import experiment, files
from ocrkit.errors import BadParams, OcrkitError
from ocrkit.experiment import kept, notebooks, params, paths, pipeline, repro, setup, smoke, track
from ocrkit.experiment.new_stage import new_stage
from ocrkit.experiment.run import run as run_notebook
from ocrkit.experiment.track import Run
from ocrkit.studies.sections import SECTIONS

REPO = Path(__file__).resolve().parents[2]


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
    assert used.dataset.name == "data/synth/train"
    assert used.dataset.digest in (project.root / "dvc.lock").read_text()
    assert json.loads((project.root / "runs/train.json").read_text())["run_id"] == run.info.run_id


def test_digests_are_those_of_dvc(project):
    lock = (project.root / "dvc.lock").read_text()
    for name in ("models/trained", "data/synth/train", "metrics/train.json"):
        assert f"md5: {files.digest(project.root / name)}\n" in lock


def test_a_notebook_opened_and_run_by_hand_leaves_its_stage_as_it_is(project):
    outs = files.digest(project.root / "models"), files.digest(project.root / "metrics")
    # As JupyterLab does it: kernel in notebooks/, outputs saved into the file, and how cells are shown.
    project.do("jupyter", "execute", "--inplace", "30_train.ipynb", cwd="notebooks")
    saved = nbformat.read(project.notebook, as_version=4)
    assert any(cell.get("outputs") for cell in saved.cells)
    for cell in saved.cells:
        cell.metadata |= {"collapsed": False, "scrolled": True, "editable": True, "slideshow": {"slide_type": ""}}
    saved.metadata |= {"toc-autonumbering": True, "kernelspec": {**saved.metadata.kernelspec, "display_name": "mine"}}
    nbformat.write(saved, project.notebook)
    assert [line for line in project.status().splitlines() if line.endswith(":")] == ["notebooks:", "\tchanged deps:"]

    assert "Stage 'train' didn't change" in project.do("dvc", "repro")
    assert "up to date" in project.status()
    assert any(cell.get("outputs") for cell in nbformat.read(project.notebook, as_version=4).cells)
    assert (files.digest(project.root / "models"), files.digest(project.root / "metrics")) == outs
    assert [p.name for p in (project.root / "notebooks").iterdir()] == ["30_train.ipynb"]
    assert (project.root / "scratch/metrics/train.json").read_bytes() == (
        project.root / "metrics/train.json"
    ).read_bytes()
    by_hand, _ = project.runs()
    assert by_hand.data.tags["by_hand"] == "true"
    assert by_hand.data.tags["git.dirty"] == "false"
    assert by_hand.info.status == "FINISHED"
    assert by_hand.info.artifact_uri.startswith(f"file://{project.root}/mlartifacts/")

    project.set("A toy that trains nothing", "A toy", file="notebooks/30_train.ipynb")
    project.do("dvc", "repro", "notebooks")
    assert "data/notebooks/30_train.ipynb" in project.status()


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


def test_a_notebook_that_opened_a_vault_keeps_nothing_its_cells_showed_and_says_so(project):
    opens = "import os, pathlib\nfrom ocrkit import privacy\npathlib.Path(os.environ[privacy.MARK]).touch()"
    project.write_notebook("print('donated word', 6 * 7)", opens, "run.end({})")
    said = project.call("dvc", "repro").stdout
    sentence = "What the cells showed is not kept here, since a vault of donated documents was open while they ran."
    assert sentence in said
    for name in ("30_train.ipynb", "30_train.html"):
        report = (project.root / "reports" / name).read_text()
        assert sentence in report
        assert "donated word 42" not in report


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


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with this repository's own stages and values, of which none has run."""
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copyfile(REPO / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for name in ("DVC_STAGE", "DVC_ROOT", "OCRKIT_OUT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("stage", "act", "path", "sentence"),
    [
        ("train", "use", "data/real/tune", r"uses data/real/tune, but dvc\.yaml does not list it among its deps"),
        ("train", "use", "data/synth/train", "data/synth/train is not there yet: run `dvc repro synthesise` first"),
        ("start", "use", "models/released", "models/released is not there yet\\.$"),
        ("train", "make", "models/finetuned", "must not write models/finetuned, which finetune makes"),
        ("train", "make", "models/mine", r"must not write models/mine, which dvc\.yaml does not list among its outs"),
        ("promote", "make", "models/mine", "Stage promote must not write"),
    ],
)
def test_a_stage_uses_and_makes_only_what_is_declared(root, stage, act, path, sentence):
    with pytest.raises(OcrkitError, match=sentence):
        getattr(Run(stage, client=None, run_id="", name=""), act)(path)


@pytest.mark.parametrize(("given", "unknown"), [({"epochs": 3, "lr": 1}, "epochs, lr"), ({"overrides": {"a": 1}}, "")])
def test_a_parameter_that_a_notebook_does_not_know_is_refused(project, monkeypatch, given, unknown):
    injected = parameterize_notebook(load_notebook_node(str(project.notebook)), given)
    cells = [cell.source for cell in injected.cells]
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(user_ns={"In": cells}))
    if unknown:
        with pytest.raises(BadParams, match=f"knows no parameter {unknown}: a value of params.yaml is replaced by"):
            experiment._check_injected()
    else:
        experiment._check_injected()


def test_overrides_for_a_notebook_that_takes_none_are_refused(project, monkeypatch):
    monkeypatch.chdir(project.root)
    project.set('"tags": [\n     "parameters"\n    ]', '"tags": []', file="notebooks/30_train.ipynb")
    with pytest.raises(BadParams, match=r"30_train\.ipynb takes no overrides"):
        run_notebook("30_train", {"epochs": 1})


def test_what_a_run_says_of_its_code_is_unknown_where_git_cannot_answer(root, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(root.parent))
    tags = track._origin("train", "default")
    assert (tags["git.dirty"], tags["mlflow.source.git.commit"]) == ("unknown", "unknown")
    monkeypatch.setenv("PATH", "")
    assert track._origin("train", "default")["git.dirty"] == "unknown"


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


def test_a_frozen_stage_keeps_what_git_has_in_a_fresh_clone(fresh_project):
    kept = fresh_project.root / "metrics/kept.json"
    kept.parent.mkdir()
    kept.write_text('{"found": 1}\n')
    (fresh_project.root / "dvc.yaml").write_text(
        "stages:\n"
        "  kept: {cmd: exit 1, frozen: true, deps: [notebooks], outs: [metrics/kept.json: {cache: false}]}\n"
        "  next: {cmd: cp metrics/kept.json copy, deps: [metrics/kept.json], outs: [copy]}\n"
    )
    # As in this repository: recorded with its outputs alone, whatever code made them.
    out = f"- {{path: metrics/kept.json, hash: md5, md5: {files.checksum(kept, 'md5')}, size: 13}}"
    lock = f"schema: '2.0'\nstages:\n  kept:\n    cmd: exit 1\n    outs:\n    {out}\n"
    (fresh_project.root / "dvc.lock").write_text(lock)
    said = fresh_project.do("dvc", "repro")
    assert "Stage 'kept' didn't change" in said
    assert (fresh_project.root / "copy").read_text() == kept.read_text()
    fresh_project.do("dvc", "unfreeze", "kept")
    assert "failed to reproduce 'kept'" in fresh_project.call("dvc", "repro", "next").stderr


def test_a_copy_has_what_a_frozen_stage_made(fresh_project, tmp_path):
    kept = fresh_project.root / "metrics/kept.json"
    kept.parent.mkdir()
    kept.write_text('{"found": 1}\n')
    stage = f"{{cmd: {pipeline.RUNNER}30_train, frozen: true, outs: [metrics/kept.json: {{cache: false}}]}}"
    (fresh_project.root / "dvc.yaml").write_text(f"stages:\n  kept: {stage}\n")
    copy = smoke.new_copy(fresh_project.root, tmp_path / "copy")
    assert (copy / "metrics/kept.json").read_text() == kept.read_text()


def test_a_new_stage_runs_at_once(project):
    said = project.do(sys.executable, "-m", "ocrkit.experiment.new_stage", "45_look")
    assert "Run it: dvc repro look" in said
    project.do("dvc", "repro", "look")
    assert json.loads((project.root / "metrics/look.json").read_text()) == {"sum": 285}
    assert "up to date" in project.status()
    assert project.runs()[0].data.params["numbers"] == "10"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "'' is no name for a notebook"),
        ("70-mine", "'70-mine' is no name for a notebook"),
        ("Mine", "'Mine' is no name for a notebook"),
        ("../mine", "'../mine' is no name for a notebook"),
        ("70_train", "The name train is taken"),
        ("promote", "The name promote is taken"),
        ("profiles", "The name profiles is taken"),
    ],
)
def test_a_new_stage_needs_a_name_that_is_free(root, name, sentence):
    (root / "notebooks").mkdir()
    with pytest.raises(BadParams, match=sentence):
        new_stage(name, root)


@pytest.mark.parametrize("name", ["70_mine", "mine"])
def test_a_new_stage_adds_lines_and_changes_none(root, name):
    (root / "notebooks").mkdir()
    before = {file: (root / file).read_text().splitlines() for file in ("params.yaml", "dvc.yaml")}
    new_stage(name, root)
    for file, lines in before.items():
        changes = [line for line in difflib.ndiff(lines, (root / file).read_text().splitlines()) if line[0] in "+-"]
        assert changes
        assert {line[0] for line in changes} == {"+"}, file
    assert params.params("mine", SECTIONS, root=root).numbers == 10
    assert notebooks.is_clean(root / "notebooks" / f"{name}.ipynb")


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        (
            "cc1f77228345",
            "was written by an older MLflow: copy it to a safe place, then run `mlflow db upgrade sqlite:///",
        ),
        ("ffffffffffff", "was written by a newer MLflow than the one installed"),
    ],
)
def test_a_store_of_another_mlflow_is_told_in_one_sentence(project, monkeypatch, schema, sentence):
    monkeypatch.chdir(project.root)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    with closing(sqlite3.connect(project.root / "mlflow.db")) as store, store:
        store.execute("UPDATE alembic_version SET version_num = ?", (schema,))
    with pytest.raises(OcrkitError, match=sentence):
        kept.connect(setup.PIPELINE)


def test_a_file_that_is_no_store_is_told_in_one_sentence_and_what_a_kill_left_is_swept(root):
    (root / "mlflow.db").touch()
    left = root / ".mlflow.db.0123abcd.part"  # by a process that was killed as it had made the store
    left.mkdir()
    with pytest.raises(OcrkitError, match="holds no runs of MLflow: move it away"):
        kept.connect(setup.PIPELINE)
    assert not left.exists()


def test_the_schemas_that_mlflow_knows_are_those_its_own_tools_name():
    script = ScriptDirectory.from_config(_get_alembic_config("sqlite://"))
    known, newest = setup._schemas()
    assert newest == script.get_current_head()
    assert known == {revision.revision for revision in script.walk_revisions()}


def test_a_folder_with_an_odd_name_has_its_store_inside_and_nothing_beside(root, monkeypatch):
    """SQLAlchemy 2.1.9 decodes the name of a file in its addresses; where it makes folders, MLflow 3.17.2 does not."""
    odd = root / "what next? 50%41 #1"
    odd.mkdir()
    for name in ("params.yaml", "dvc.yaml"):
        shutil.move(root / name, odd / name)
    monkeypatch.chdir(odd)
    experiment, client = kept.connect(setup.PIPELINE)
    run = client.create_run(experiment).info.run_id
    client.log_dict(run, {}, "words.json")
    with closing(sqlite3.connect(odd / "mlflow.db")) as store:
        assert store.execute("SELECT run_uuid FROM runs").fetchall() == [(run,)]
    assert [path.name for path in (odd / "mlartifacts").rglob("*.json")] == ["words.json"]
    assert [path.name for path in root.iterdir()] == [odd.name]


def test_a_question_mark_that_an_older_sqlalchemy_cannot_write_is_told_in_one_sentence(monkeypatch):
    def undecoded(address: str) -> SimpleNamespace:  # as in SQLAlchemy 2.0.58
        return SimpleNamespace(database=address.partition(":///")[2].partition("?")[0])

    monkeypatch.setattr("sqlalchemy.make_url", undecoded)
    assert paths.address_of(Path("/50%41/mlflow.db")) == "sqlite+pysqlite:////50%41/mlflow.db"
    with pytest.raises(OcrkitError, match=r"in /what next\?: the installed SQLAlchemy ends the name of a file"):
        paths.address_of(Path("/what next?/mlflow.db"))


def test_a_copy_without_git_is_told_what_to_do(root, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(root.parent))
    with pytest.raises(OcrkitError, match=r"is not under git.*git init && git add -A && git commit"):
        repro.repro(SECTIONS, "leaderboard")


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


def test_plots_are_shown_without_the_internet(project):
    assert "DVC draws plots with" in project.do(sys.executable, "-m", "ocrkit.experiment.plots")
    project.do("dvc", "plots", "show")
    page = (project.root / "dvc_plots/index.html").read_text()
    markup = re.sub(r"(<script[^>]*>).*?</script>", r"\1", page, flags=re.DOTALL)  # without what scripts hold
    assert "<script" in markup
    assert not re.search(r"<(script|link|img)[^>]+(src|href)\s*=", markup)
    assert page.index("window.vegaEmbed") < page.index("vegaEmbed('#Loss', spec)")
    assert "plots.html" not in project.do("git", "status", "--porcelain")
