"""Where everything of a project lies. `dvc.yaml` declares the same places; a test compares the two."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ocrkit.errors import OcrkitError

# Stage -> its notebook, in the order of the flow.
NOTEBOOKS = {
    "start": "00_start_here",
    "synthesise": "10_synthesise",
    "real": "20_real_data",
    "train": "30_train",
    "finetune": "40_finetune",
    "assemble": "50_assemble",
    "benchmark": "60_benchmark",
    "leaderboard": "90_leaderboard",
}


@dataclass(frozen=True)
class Place:
    """A file or folder that one stage makes and others may use; `path` is relative to the root."""

    stage: str
    path: str


# What notebooks ask for by name: `run.make(name)` in the stage that makes it, `run.use(name)` in later ones.
PLACES = {
    "synth_train": Place("synthesise", "data/synth/train"),
    "synth_val": Place("synthesise", "data/synth/val"),
    "real_tune": Place("real", "data/real/tune"),
    "real_val": Place("real", "data/real/val"),
    "real_test": Place("real", "data/real/test"),
    "trained": Place("train", "models/trained"),
    "train_curve": Place("train", "metrics/train_curve.csv"),
    "finetuned": Place("finetune", "models/finetuned"),
    "finetune_curve": Place("finetune", "metrics/finetune_curve.csv"),
    "documents": Place("assemble", "reports/documents"),
    "leaderboard_page": Place("leaderboard", "reports/leaderboard.html"),
}


class NoProject(OcrkitError):
    """The current folder lies in no project."""


def root() -> Path:
    """The project around the current folder: the nearest folder upwards that holds params.yaml and dvc.yaml.

    In a temporary DVC experiment that is the experiment's own copy of the project.

    Raises:
        NoProject: there is none.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "params.yaml").is_file() and (folder / "dvc.yaml").is_file():
            return folder
    raise NoProject(f"No params.yaml with a dvc.yaml in {here} or above it: go to the project's folder first.")


def store_root() -> Path:
    """The folder of what all runs share. DVC names the main checkout, so that temporary experiments keep their runs."""
    return Path(os.environ.get("DVC_ROOT") or root()).resolve()


def store_file() -> Path:
    """MLflow's SQLite file."""
    return store_root() / "mlflow.db"


def server() -> str | None:
    """The tracking server that this machine's environment names, or None where runs are kept in a file."""
    return os.environ.get("MLFLOW_TRACKING_URI") or None


def tracking_uri() -> str:
    """MLflow's address of the store; absolute, whatever the current folder."""
    return server() or f"sqlite:///{store_file()}"


def artifact_folder() -> Path:
    """Where MLflow keeps the runs' files."""
    return store_root() / "mlartifacts"


def unsent_folder() -> Path:
    """Where runs are kept whose store did not answer."""
    return store_root() / "scratch" / "unsent"


def in_pipeline() -> str | None:
    """The DVC stage this process runs for, or None when a person runs it."""
    return os.environ.get("DVC_STAGE") or None


def out_root() -> Path:
    """Where outputs go: the project itself in the pipeline, a scratch folder when run by hand.

    `OCRKIT_OUT` names another scratch folder.
    """
    if in_pipeline():
        return root()
    return Path(os.environ.get("OCRKIT_OUT") or root() / "scratch").resolve()


def standard_outs(stage: str) -> list[str]:
    """The outputs that every stage has: its numbers, the id of its run, the executed notebook and its HTML."""
    notebook = NOTEBOOKS[stage]
    return [f"metrics/{stage}.json", f"runs/{stage}.json", f"reports/{notebook}.ipynb", f"reports/{notebook}.html"]


def stage_of(notebook: str) -> str:
    """The stage of a notebook, given as `30_train` or as a path to it.

    Raises:
        NoProject: no stage has that notebook.
    """
    stem = Path(notebook).stem
    for stage, name in NOTEBOOKS.items():
        if name == stem:
            return stage
    raise NoProject(f"There is no notebook {notebook!r}; there are {', '.join(NOTEBOOKS.values())}.")
