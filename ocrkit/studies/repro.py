"""From params.yaml to a read document: `python -m ocrkit.studies.repro`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ocrkit.errors import OcrkitError
from ocrkit.experiment import flow, paths, repro
from ocrkit.studies.sections import SECTIONS

_SUMMARY = "leaderboard"


def run(profile: str | None = None) -> None:
    """Bring every stage up to date, print who reads best and where the results are, and read a page.

    Args:
        profile: the sizes to run with, as a DVC experiment; by default those that params.yaml names.

    Raises:
        OcrkitError: params.yaml is wrong, or a stage failed.
    """
    root = paths.root()
    repro.repro(SECTIONS, _SUMMARY, profile)
    print(_table(repro.numbers(root, _SUMMARY)))
    print(f"Leaderboard        {root / 'reports' / 'leaderboard.html'}")
    print(f"Reports of stages  {root / 'reports' / 'index.html'}")
    print("Runs in MLflow     make dashboard, then http://127.0.0.1:5000")
    _read_a_page(root)


def _read_a_page(root: Path) -> None:
    from PIL import Image

    from ocrkit.datasets import book_page

    page = root / "scratch" / "book_page.png"
    page.parent.mkdir(exist_ok=True)
    Image.fromarray(book_page().image()).save(page)
    print(f"\n$ ocrkit read {page.relative_to(root)}", flush=True)
    subprocess.run([sys.executable, "-m", "ocrkit", "read", str(page)], cwd=root, env=flow.environment(), check=True)


def _table(values: Mapping[str, Any]) -> str:
    """A table of numbers as text: a row for each entry that is itself a table, such as an engine."""
    rows = {name: repro.flat(value) for name, value in values.items() if isinstance(value, Mapping)}
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    lines = [["", *columns], *([name, *(row.get(column, "") for column in columns)] for name, row in rows.items())]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths)).rstrip() + "\n" for line in lines)


@click.command()
@click.option("--profile", help="Sizes: default, full or smoke; else what params.yaml says.")
def main(profile: str | None) -> None:
    """Bring the whole project up to date."""
    try:
        run(profile)
    except OcrkitError as error:
        click.echo(error, err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        click.echo("Stopped: the stage that ran is marked as killed, `make repro` goes on from there.", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
