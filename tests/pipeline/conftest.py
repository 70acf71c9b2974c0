"""A tiny project of one stage, with the real DVC, papermill and MLflow around it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

REPO = Path(__file__).resolve().parents[2]
DVC_YAML = """
stages:
  notebooks:
    cmd: python -m ocrkit.experiment.notebooks data/notebooks
    deps: [notebooks]
    outs: [data/notebooks]
  train:
    cmd: python -m ocrkit.experiment.run 30_train
    deps: [data/notebooks/30_train.ipynb, data/synth/train]
    params: [base, train, "profiles.${base.profile}.train"]
    outs:
      - models/trained
      - metrics/train_curve.csv
      - runs/train.json
      - reports/30_train.ipynb
      - reports/30_train.html
      - metrics/train.json
metrics: [metrics/train.json]
plots:
  - Loss: {x: step, y: {metrics/train_curve.csv: [loss]}}
"""
CELLS = [
    new_markdown_cell("# A toy that trains nothing"),
    new_code_cell("overrides = {}", metadata={"tags": ["parameters"]}),
    new_code_cell('from ocrkit.studies import start\n\nP, run = start("train", overrides)'),
    new_markdown_cell("## Work"),
    new_code_cell(
        'words = run.use("data/synth/train")\n'
        'model = run.make("models/trained")\n'
        "model.mkdir()\n"
        '(model / "weights").write_text(f"{P.epochs * P.learning_rate}")\n'
        "for epoch in range(P.epochs):\n"
        '    run.log_metrics({"loss": 1 / (1 + epoch)}, step=epoch)\n'
        'run.save_curve("metrics/train_curve.csv")'
    ),
    new_code_cell('run.end({"loss": 1 / P.epochs, "words": len(list(words.iterdir()))})'),
]


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port on loopback that nobody listens at, nor can while the test runs."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


class Project:
    """A project's folder, its commands and its runs."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def notebook(self) -> Path:
        return self.root / "notebooks" / "30_train.ipynb"

    def environment(self, **more: str) -> dict[str, str]:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("DVC_", "OCRKIT_", "MLFLOW_"))}
        return {**clean, "PATH": path, "PYTHONPATH": str(REPO), "DVC_NO_ANALYTICS": "1", **more}

    def call(self, *command: str, cwd: str = ".", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a program of this Python's environment in the project."""
        env = self.environment(**environment)
        return subprocess.run(command, cwd=self.root / cwd, env=env, capture_output=True, text=True, check=False)

    def begin(self, *command: str) -> subprocess.Popen[str]:
        """The same without waiting for its end; its output can be read as it comes."""
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.root, env=self.environment(), stdout=pipe, text=True)

    def do(self, *command: str, cwd: str = ".", **environment: str) -> str:
        """The same for what must succeed; its output."""
        done = self.call(*command, cwd=cwd, **environment)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def status(self) -> str:
        return self.do("dvc", "status")

    def runs(self) -> list:
        """All MLflow runs, the newest first."""
        from mlflow import MlflowClient

        client = MlflowClient(f"sqlite:///{self.root}/mlflow.db")
        return client.search_runs([e.experiment_id for e in client.search_experiments()])

    def report_of(self, run) -> Path:
        return Path(run.info.artifact_uri.removeprefix("file://")) / "report" / "30_train.html"

    def set(self, old: str, new: str, file: str = "params.yaml") -> None:
        """Replace one text in a file."""
        path = self.root / file
        assert path.read_text().count(old) == 1, f"{old!r} in {file}"
        path.write_text(path.read_text().replace(old, new))

    def write_notebook(self, *sources: str) -> None:
        """Replace the cells after the set-up."""
        from ocrkit.experiment import notebooks

        nbformat.write(new_notebook(cells=[*CELLS[:4], *map(new_code_cell, sources)]), self.notebook)
        notebooks.clean(self.notebook)


def new_project(root: Path) -> Project:
    """A project that never ran."""
    from ocrkit.experiment import notebooks

    project = Project(root)
    for folder in ("notebooks", "data/synth/train"):
        (root / folder).mkdir(parents=True)
    for name in ("params.yaml", ".dvcignore", ".gitignore"):
        shutil.copyfile(REPO / name, root / name)
    # The tests change this value, whatever the project's own is.
    values = root / "params.yaml"
    values.write_text(re.sub(r"^  epochs: \d+ ", "  epochs: 6 ", values.read_text(), count=1, flags=re.MULTILINE))
    (root / "dvc.yaml").write_text(DVC_YAML)
    for number in range(3):
        (root / "data/synth/train" / f"{number}").write_text(f"word {number}")
    nbformat.write(new_notebook(cells=CELLS), project.notebook)
    notebooks.clean(project.notebook)
    project.do("git", "init", "--quiet")
    project.do("dvc", "init", "--quiet")
    project.do("git", "add", "--force", "data")
    _commit(project, "A toy")
    return project


def _commit(project: Project, message: str) -> None:
    project.do("git", "add", "--all")
    project.do("git", "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet", "-m", message)


def _copy(project: Project, folder: Path) -> Project:
    shutil.copytree(project.root, folder / "project")
    return Project(folder / "project")


@pytest.fixture(scope="session")
def unrun_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return new_project(tmp_path_factory.mktemp("unrun") / "project")


@pytest.fixture(scope="session")
def finished_project(unrun_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = _copy(unrun_project, tmp_path_factory.mktemp("finished"))
    project.do("dvc", "repro")
    _commit(project, "Its results")
    return project


@pytest.fixture
def project(finished_project: Project, tmp_path: Path) -> Project:
    """A project whose pipeline ran once, in a folder of its own."""
    return _copy(finished_project, tmp_path)


@pytest.fixture
def fresh_project(unrun_project: Project, tmp_path: Path) -> Project:
    """A project that never ran and has no store."""
    return _copy(unrun_project, tmp_path)


@pytest.fixture(scope="session")
def answers() -> Callable[[str], bool]:
    """Whether a server answers at an address."""

    def asked(address: str) -> bool:
        try:
            with urllib.request.urlopen(address, timeout=10):
                return True
        except OSError:
            return False

    return asked
