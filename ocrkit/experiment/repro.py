"""From params.yaml to a read document: `python -m ocrkit.experiment.repro`.

Sets the store up, cleans the notebooks, lets DVC run what changed, and ends by saying where to look.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

import click

from ocrkit.errors import OcrkitError
from ocrkit.experiment import flow, params, paths, track
from ocrkit.files import write_whole


def repro(profile: str | None = None) -> None:
    """Bring every stage up to date and print where the results are.

    Args:
        profile: the sizes to run with, as a DVC experiment; by default those that params.yaml names.

    Raises:
        OcrkitError: params.yaml is wrong, or a stage failed.
    """
    begun, root = time.monotonic(), paths.root()
    params.check_all(root)
    subprocess.run([sys.executable, "-m", "ocrkit.experiment.notebooks"], cwd=root, check=True)
    with _one_run(root):
        if profile in (None, params.read(root)["base"]["profile"]):
            flow.run_dvc("repro", cwd=root)
        else:
            flow.run_dvc("exp", "run", "--set-param", f"base.profile={profile}", cwd=root)
        write_whole(root / "reports" / "index.html", index_page(root))
    print(f"\nAll stages are up to date after {time.monotonic() - begun:.0f} s.\n")
    print(_table(_numbers(root, "leaderboard")))
    print(f"Leaderboard        {root / 'reports' / 'leaderboard.html'}")
    print(f"Reports of stages  {root / 'reports' / 'index.html'}")
    print("Runs in MLflow     make dashboard, then http://127.0.0.1:5000")
    _read_a_page(root)


def index_page(root: Path) -> str:
    """One HTML page that links every stage's report, with the numbers and the MLflow run of the stage."""
    rows = []
    for stage, notebook in paths.NOTEBOOKS.items():
        run_file = root / "runs" / f"{stage}.json"
        if not run_file.is_file():
            continue
        run = json.loads(run_file.read_text())
        numbers = "".join(f"<tr><td>{escape(n)}<td>{v}" for n, v in _flat(_numbers(root, stage)).items())
        rows.append(
            f'<section><h2><a href="{notebook}.html">{notebook}</a></h2>'
            f"<p>MLflow run {escape(run['name'])} <code>{run['run_id']}</code></p><table>{numbers}</table></section>"
        )
    style = "body{font-family:sans-serif;max-width:50em;margin:2em auto}td{padding:.1em 1em .1em 0}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Reports of ocrkit</title><style>{style}</style>'
        f'<h1>Reports</h1><p><a href="leaderboard.html">The leaderboard</a></p>{"".join(rows)}</html>\n'
    )


@contextmanager
def _one_run(root: Path) -> Iterator[None]:
    """The stages that run meanwhile become parts of one MLflow run, which sums them up; none runs: there is none."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "run"
        os.environ[track.PIPELINE_FILE] = str(file)
        status = "FAILED"
        try:
            yield
            status = "FINISHED"
        finally:
            del os.environ[track.PIPELINE_FILE]
            if file.exists():
                whole = track.reopen(track.PIPELINE, file.read_text())
                stages = [json.loads(path.read_text())["name"] for path in sorted(root.glob("runs/*.json"))]
                whole.describe("The state of all stages, by the runs that made it:\n\n- " + "\n- ".join(stages))
                whole.log_metrics(_numbers(root, "leaderboard"))
                for page in sorted(root.glob("reports/*.html")):
                    whole.log_artifact(page, "reports")
                whole.close(status)


def _read_a_page(root: Path) -> None:
    from PIL import Image

    from ocrkit.datasets import book_page

    page = root / "scratch" / "book_page.png"
    page.parent.mkdir(exist_ok=True)
    Image.fromarray(book_page().image()).save(page)
    print(f"\n$ ocrkit read {page.relative_to(root)}", flush=True)
    subprocess.run([sys.executable, "-m", "ocrkit", "read", str(page)], cwd=root, env=flow.environment(), check=True)


def _numbers(root: Path, stage: str) -> dict[str, Any]:
    file = root / "metrics" / f"{stage}.json"
    return dict(json.loads(file.read_text())) if file.is_file() else {}


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested tables as text by dotted name; lists of rows are left to the notebooks."""
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        elif not isinstance(value, list):
            flat[prefix + name] = f"{value:.4g}" if isinstance(value, float) else str(value)
    return flat


def _table(values: Mapping[str, Any]) -> str:
    """A table of numbers as text: a row for each entry that is itself a table, such as an engine."""
    rows = {name: _flat(value) for name, value in values.items() if isinstance(value, Mapping)}
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    lines = [["", *columns], *([name, *(row.get(column, "") for column in columns)] for name, row in rows.items())]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths)).rstrip() + "\n" for line in lines)


@click.command()
@click.option("--profile", help="Sizes: default, full or smoke; else what params.yaml says.")
def main(profile: str | None) -> None:
    """Bring the whole project up to date."""
    try:
        repro(profile)
    except OcrkitError as error:
        click.echo(error, err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
