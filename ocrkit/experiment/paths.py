"""Where a project lies, where its outputs go, and where its runs are kept."""

from __future__ import annotations

import os
from pathlib import Path

from ocrkit.errors import OcrkitError


class NoProject(OcrkitError):
    """The current folder lies in no project, or in one that cannot be used where it is."""


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
    """MLflow's address of the store; absolute, whatever the current folder.

    Raises:
        NoProject: there can be no address of a file in this folder.
    """
    return server() or address_of(store_file())


def address_of(store: Path) -> str:
    """MLflow's address of a SQLite file.

    Raises:
        NoProject: there can be none, since SQLAlchemy before 2.1 knows no way to write a question mark.
    """
    name = str(store)
    if not {"%", "?"} & set(name):
        return f"sqlite:///{name}"
    from sqlalchemy import make_url

    # From 2.1 on SQLAlchemy decodes the name, which MLflow does not where it makes the folders of a `sqlite:` address.
    for written in (name.replace("%", "%25").replace("?", "%3F"), name):
        address = f"sqlite+pysqlite:///{written}"
        if make_url(address).database == name:
            return address
    raise NoProject(
        f"MLflow can keep no runs in {store.parent}: the installed SQLAlchemy ends the name of a file at a question "
        f"mark. Install SQLAlchemy 2.1 or newer, rename the folder, or name a server in MLFLOW_TRACKING_URI."
    )


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
    """Where outputs go: the project itself in the pipeline, the scratch folder when run by hand."""
    return root() if in_pipeline() else scratch()


def scratch() -> Path:
    """A folder for what nobody depends on: `scratch`, or what `OCRKIT_OUT` names."""
    return Path(os.environ.get("OCRKIT_OUT") or root() / "scratch").resolve()
