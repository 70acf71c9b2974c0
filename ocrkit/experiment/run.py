"""Run one notebook as a stage of the pipeline or by hand: `python -m ocrkit.experiment.run 30_train`.

The executed notebook and its HTML go to `reports/`, the HTML to the MLflow run too, also when the notebook fails. Once
a notebook has opened a vault, what its cells show is kept nowhere, but for what one tagged `aggregate` prints.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import click
import nbformat
from papermill import execute_notebook
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError

from ocrkit import privacy, strict
from ocrkit.errors import BadParams, OcrkitError
from ocrkit.experiment import deps, flow, notebooks, params, paths, pipeline, track
from ocrkit.files import write_whole
from ocrkit.quiet import QUIET, quieten_tensorflow

# Machine matters of the kernel: no surprises from hash order, no calls home.
_KERNEL_ENVIRONMENT = {"PYTHONHASHSEED": "0", **QUIET}

_PATIENCE_S = 600  # until the kernel answers: papermill's minute is too short for a machine that is busy or emulated

# nbconvert's page without the libraries that it fetches from the network, none of which our notebooks need.
_OFFLINE = """{% extends "lab/index.html.j2" %}
{% block html_head_js_requirejs %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}
"""


class _Engine(NBClientEngine):
    """papermill's own, with a line at the start of every code cell, and without what is private."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **kwargs: Any) -> Any:
        mark = Path(os.environ[privacy.MARK])
        save = nb_man.save

        def save_cleared(**rest: Any) -> None:
            # Before anything is written, also while a cell still runs.
            if mark.exists():
                hide_outputs(nb_man.nb)
            save(**rest)

        nb_man.save = save_cleared
        kwargs["stdout_file"] = _Until(mark, kwargs["stdout_file"])
        try:
            return cls._announced(nb_man, kernel_name, **kwargs)
        finally:
            if mark.exists():  # papermill's report of a failure comes from here
                hide_outputs(nb_man.nb)
                for cell in nb_man.nb.cells:
                    if cell.cell_type == "code":
                        cell.outputs[:] = [output for output in cell.outputs if output != _HIDDEN]

    @classmethod
    def _announced(cls, nb_man: Any, kernel_name: str, **kwargs: Any) -> Any:
        start, cells, begun = nb_man.cell_start, nb_man.nb.cells, time.monotonic()
        total = sum(cell.cell_type == "code" for cell in cells)

        def announce(cell: Any, cell_index: int, **rest: Any) -> None:
            if cell.cell_type == "code":
                number = sum(c.cell_type == "code" for c in cells[: cell_index + 1])
                heading = _heading(cells[:cell_index])
                print(f"  {time.monotonic() - begun:6.1f} s  cell {number} of {total}  {heading}", flush=True)
            start(cell, cell_index, **rest)

        nb_man.cell_start = announce
        return super().execute_managed_notebook(nb_man, kernel_name, **kwargs)


_HIDDEN = nbformat.v4.new_output("display_data", {})
_WITHHELD = "What the cells showed is not kept here, since a vault of donated documents was open while they ran."


class _Until(io.TextIOBase):
    """A stream that says no more of what cells print once a file is there."""

    def __init__(self, mark: Path, stream: TextIO) -> None:
        self._mark, self._stream = mark, stream

    def write(self, text: str) -> int:
        return len(text) if self._mark.exists() else self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()


def hide_outputs(notebook: Any) -> None:
    """Take out of a notebook, in place, whatever its cells show but for numbers that one tagged `aggregate` prints.

    Of an error its kind stays; the state of widgets goes. Nothing can tell which outputs came before the vault was
    opened, so all go.
    """
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        aggregated = "aggregate" in cell.metadata.get("tags", ())
        # As many as before: a cell that still runs refers to its outputs by their places.
        cell.outputs[:] = map(partial(_without_content, aggregated), cell.outputs)


def _without_content(aggregated: bool, output: Any) -> Any:
    if output.output_type == "error":
        hidden = {"evalue": "withheld, as a vault was open", "traceback": []}
        return nbformat.v4.new_output("error", ename=output.ename, **hidden)
    plain = output.get("data", {}).get("text/plain")
    if aggregated and output.output_type == "stream":
        return output
    return nbformat.v4.new_output("display_data", {"text/plain": plain}) if aggregated and plain else deepcopy(_HIDDEN)


papermill_engines.register("ocrkit", _Engine)


def run(notebook: str, overrides: Mapping[str, Any] | None = None, out: Path | None = None) -> Path:
    """Execute a notebook in the project's root and report on it.

    Args:
        notebook: `30_train`, or a path to it.
        overrides: values in place of those of params.yaml; only by hand.
        out: by hand, the folder for all outputs; by default `scratch`.

    Returns:
        The HTML report.

    Raises:
        BadParams: no stage runs it, or it takes no overrides.
        OcrkitError: it is no notebook, or failed; then its run is FAILED, or KILLED if somebody stopped it, and has the
            report.
    """
    root = paths.root()
    stage = pipeline.stage_of(root, notebook)
    if out:
        os.environ["OCRKIT_OUT"] = str(out.resolve())
    quieten_tensorflow()
    os.environ.update(_KERNEL_ENVIRONMENT)
    if params.strict(root, overrides):
        os.environ.update(strict.environment())
    # The kernel's own ocrkit must be the one that runs here, also in the copy that a DVC experiment works in.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    reports = paths.out_root() / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    executed, report = reports / f"{stage.notebook}.ipynb", reports / f"{stage.notebook}.html"

    with tempfile.TemporaryDirectory() as folder:
        source = _source(root, stage, Path(folder))
        if overrides:
            _check_takes_overrides(source)
        if paths.in_pipeline():
            deps.check(root, stage)
        mark, run_file = Path(folder) / "vault", Path(folder) / "run"
        os.environ[privacy.MARK] = str(mark)
        os.environ[track.RUN_FILE] = str(run_file)
        status, failure = "FAILED", ""
        try:
            with flow.stoppable():
                execute_notebook(
                    source,
                    executed,
                    parameters={"overrides": dict(overrides)} if overrides else {},
                    engine_name="ocrkit",
                    kernel_name=notebooks.KERNEL["name"],
                    start_timeout=_PATIENCE_S,
                    cwd=root,
                    progress_bar=False,
                    stdout_file=sys.stdout,
                    extra_arguments=["--IPKernelApp.log_level=40"],
                )
            status = "FINISHED"
        except PapermillExecutionError as error:
            failure = f"{source.name} failed in its cell {error.exec_count}: {error.ename}: {error.evalue}"
        except KeyboardInterrupt:
            status, failure = "KILLED", f"{source.name} was interrupted."
        except Exception as error:  # a kernel that died, a full disk: whatever it is, the run must show it
            why = type(error).__name__ if mark.exists() else error
            failure = f"{source.name} could not be run: {why}"
        if executed.is_file():
            if mark.exists():
                _say_withheld(executed)
            write_whole(report, to_html(executed))
        run_id = run_file.read_text() if run_file.exists() else None
        run_id = track.finish(run_id, stage.name, status, report if report.exists() else None, failure)
    if failure:
        raise OcrkitError(f"{' '.join(failure.split())}  Report: {report}, MLflow run {run_id}.")
    return report


def _source(root: Path, stage: pipeline.Stage, folder: Path) -> Path:
    """The notebook without outputs: in the pipeline what the stage depends on, by hand as it is now."""
    if paths.in_pipeline():
        return root / stage.source
    name = f"{stage.notebook}.ipynb"
    return write_whole(folder / name, notebooks.cleaned(root / "notebooks" / name))


def _say_withheld(executed: Path) -> None:
    """Tell, here and at the top of the notebook, why its cells show nothing."""
    print(_WITHHELD, flush=True)
    notebook = nbformat.read(executed, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell(f"*{_WITHHELD}*", id="withheld"))
    write_whole(executed, nbformat.writes(notebook) + "\n")


def _check_takes_overrides(source: Path) -> None:
    """papermill itself would put them into a cell of their own, where nobody reads them."""
    for cell in nbformat.read(source, as_version=4).cells:
        if "parameters" in cell.metadata.get("tags", []) and "overrides" in cell.source:
            return
    raise BadParams(
        f"{source.name} takes no overrides: it has no cell with the tag `parameters` and `overrides = {{}}`."
    )


def to_html(executed: Path) -> str:
    """An executed notebook as one HTML page that loads nothing; the same bytes for the same notebook."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter()
    exporter.raw_template = _OFFLINE
    page, _ = exporter.from_filename(str(executed))
    return str(page)


def _heading(cells: list[Any]) -> str:
    """The last Markdown heading among `cells`."""
    for cell in reversed(cells):
        if cell.cell_type == "markdown":
            for line in cell.source.splitlines():
                if line.startswith("#"):
                    return str(line.lstrip("# "))
    return ""


def parse_overrides(pairs: tuple[str, ...]) -> dict[str, Any]:
    """`("epochs=2", "word.blur=0.5")` as names and values, the values read as YAML.

    Raises:
        BadParams: one that is not `name=value`, or whose value is not YAML.
    """
    overrides = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise BadParams(f"An override is written name=value, not {pair!r}.")
        overrides[name] = pipeline.parsed(value, f"The value of {name}")
    return overrides


@click.command()
@click.argument("notebook")
@click.option("--override", multiple=True, metavar="NAME=VALUE", help="Replace a value of params.yaml, by hand only.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for all outputs of a run by hand.")
def main(notebook: str, override: tuple[str, ...], out: Path | None) -> None:
    """Run NOTEBOOK, such as 30_train."""
    try:
        report = run(notebook, parse_overrides(override), out)
    except OcrkitError as error:
        click.echo(error, err=True)
        sys.exit(1)
    print(f"  report: {report}")


if __name__ == "__main__":
    main()
