"""Every notebook at tiny size: `python -m ocrkit.experiment.smoke`.

The project is copied to `scratch/smoke` and its whole pipeline run there with the profile `smoke`, so that the
checkout's data, models, metrics and runs stay as they are, and dvc.yaml is tried as well as the notebooks.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ocrkit.errors import OcrkitError
from ocrkit.experiment import flow, paths, pipeline

_COPIED = ["params.yaml", "dvc.yaml", ".dvcignore", "notebooks", "ocrkit"]


def smoke() -> Path:
    """Run the pipeline in a fresh copy of the project.

    Returns:
        The copy, with reports, metrics and a store of runs of its own.

    Raises:
        OcrkitError: a stage failed.
    """
    root = paths.root()
    copy = new_copy(root, root / "scratch" / "smoke", profile="smoke")
    begun = time.monotonic()
    flow.run_dvc("repro", cwd=copy)
    print(f"Every notebook ran, in {time.monotonic() - begun:.0f} s. Reports: {copy / 'reports'}")
    return copy


def new_copy(root: Path, copy: Path, **base: Any) -> Path:
    """A fresh copy of the project at `root`, with these values of `base` in its params.yaml and DVC set up."""
    shutil.rmtree(copy, ignore_errors=True)
    for name in [*_COPIED, *_given(root)]:
        source, target = root / name, copy / name
        if name.startswith("data/") and not source.exists():  # not fetched here; the notebooks do without and say so
            target.mkdir(parents=True)
        if not source.exists() or target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
        else:
            shutil.copyfile(source, target)
    _set_base(copy / "params.yaml", base)
    dvc = [sys.executable, "-m", "dvc"]
    subprocess.run([*dvc, "init", "--quiet", "--no-scm", "--force"], cwd=copy, env=flow.environment(), check=True)
    return copy


def _given(root: Path) -> list[str]:
    """What stages depend on and none of them makes; and the results of frozen ones, which DVC wants to see."""
    stages = pipeline.stages(root).values()
    kept = {out for stage in stages if stage.frozen for out in stage.outs}
    made = {out for stage in stages for out in stage.outs} - kept
    needed = {dep for stage in stages for dep in stage.deps if Path(dep).parent != Path(pipeline.SOURCES)}
    return sorted((needed | kept) - made)


def _set_base(file: Path, base: Mapping[str, Any]) -> None:
    from dvc.utils.serialize import modify_yaml

    with modify_yaml(file) as values:
        values["base"].update(base)


@click.command()
def main() -> None:
    """Run every notebook at tiny size into a scratch folder with its own store."""
    try:
        smoke()
    except OcrkitError as error:
        click.echo(error, err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
