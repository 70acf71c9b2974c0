"""Bring the whole pipeline up to date: check values and deps, let DVC run what changed, sum it up."""

from __future__ import annotations

import json
import os
import runpy
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ocrkit import processes
from ocrkit.experiment import deps, flow, params, paths, pipeline, track
from ocrkit.experiment.index import index_page
from ocrkit.files import write_whole


def repro(sections: params.Sections, summary: str, profile: str | None = None) -> None:
    """Bring every stage up to date and write `reports/index.html`.

    Args:
        sections: the class of each section of params.yaml.
        summary: the stage whose numbers say what came of the whole.
        profile: the sizes to run with, as a DVC experiment; by default those that params.yaml names.

    Raises:
        OcrkitError: params.yaml is wrong, or a stage failed.
    """
    begun, root = time.monotonic(), paths.root()
    flow.check_repository(root)
    params.check_all(sections, root)
    for name in deps.update(root):
        print(f"{name:12} has new deps in dvc.yaml: all code that its notebook imports")
    for stage in pipeline.stages(root).values():
        if stage.frozen:
            print(
                f"{stage.name:12} is frozen: the results in git are kept; new ones: "
                f"dvc unfreeze {stage.name}, then make repro"
            )
    with _one_run(root, summary):
        if profile in (None, params.read(root, sections)["base"]["profile"]):
            flow.run_dvc("repro", cwd=root)
        else:
            flow.run_dvc("exp", "run", "--set-param", f"base.profile={profile}", cwd=root)
        write_whole(root / "reports" / "index.html", index_page(root))
    print(f"\nAll stages are up to date after {time.monotonic() - begun:.0f} s.\n")


@contextmanager
def _one_run(root: Path, summary: str) -> Iterator[None]:
    """The stages that run meanwhile become parts of one MLflow run, which sums them up; none runs: there is none."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "run"
        os.environ |= {track.PIPELINE_FILE: str(file), track.PIPELINE_PROCESS: processes.name()}
        status = "FAILED"
        try:
            yield
            status = "FINISHED"
        except KeyboardInterrupt:
            status = "KILLED"
            raise
        finally:
            del os.environ[track.PIPELINE_FILE], os.environ[track.PIPELINE_PROCESS]
            if file.exists():
                whole = track.reopen(track.PIPELINE, file.read_text())
                stages = [json.loads(path.read_text())["name"] for path in sorted(root.glob("runs/*.json"))]
                whole.describe("The state of all stages, by the runs that made it:\n\n- " + "\n- ".join(stages))
                whole.log_metrics(numbers(root, summary))
                for page in sorted(root.glob("reports/*.html")):
                    whole.log_artifact(page, "reports")
                whole.close(status)


def numbers(root: Path, stage: str) -> dict[str, Any]:
    """The numbers that a stage left; none where it has not run."""
    file = root / "metrics" / f"{stage}.json"
    return dict(json.loads(file.read_text())) if file.is_file() else {}


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested tables as text by dotted name; lists of rows are left to the notebooks."""
    named: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            named |= flat(value, f"{prefix}{name}.")
        elif not isinstance(value, list):
            named[prefix + name] = "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    return named


if __name__ == "__main__":
    # The command stands in studies/, which knows the project's sections; scripts that know its former place still work.
    runpy.run_module("ocrkit.studies.repro", run_name="__main__")
