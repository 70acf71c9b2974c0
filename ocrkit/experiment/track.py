"""One MLflow run a notebook: who made it from what, its values, inputs, numbers, pictures and report.

Written through MLflow's client rather than its global functions, whose exit handler calls a crashed run finished.
"""

from __future__ import annotations

import atexit
import csv
import dataclasses
import getpass
import io
import json
import math
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ocrkit import git, origin, privacy, processes, strict
from ocrkit.errors import BadParams, OcrkitError, PrivateData
from ocrkit.experiment import params, paths, pipeline, setup
from ocrkit.files import digest, plain, write_whole
from ocrkit.record import PROCESS, Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow.entities import Metric
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor
    from pandas import DataFrame

# Set by the runner: the file in which a notebook leaves its run's id, so that the runner can close and illustrate it.
RUN_FILE = "OCRKIT_RUN_FILE"
# Set for the stages of one pipeline: the file with the id of the run that theirs are parts of; the first one makes it.
PIPELINE_FILE = "OCRKIT_PIPELINE_FILE"
PIPELINE, PARENT = "pipeline", "mlflow.parentRunId"
# Set by who waits for the end of such a pipeline: the process that closes its run.
PIPELINE_PROCESS = "OCRKIT_PIPELINE_PROCESS"
_SAMPLE_EVERY_S = 5  # of the machine's state
_open_runs: list[Run] = []


def start(
    stage: str,
    options: Any,
    overridden: bool = False,
    name: str = "",
    parent: Run | None = None,
    experiment: str = setup.PIPELINE,
    source: str = "",
) -> Run:
    """Open the MLflow run of a notebook or of a part of one, its values and origin recorded.

    Args:
        stage: name of the stage.
        options: its validated values.
        overridden: whether any of them differs from params.yaml on purpose.
        name: for people; by default made of the stage, the profile and the time.
        parent: the open run that this one is a part of.
        experiment: in which it is filed.
        source: path of the code that made it, in the project; by default the stage's notebook.

    Returns:
        The open run. Any other run that this process began before and never ended is closed as KILLED; so are those of
        the experiment whose process has ended without a word, as by `kill -9`.
    """
    for old in list(_open_runs):
        if old is not parent:
            old.close("KILLED")
    tags = _origin(stage, options.profile, overridden, source) | {PROCESS: processes.name()}
    run = _begin(stage, options.profile, tags, name, parent.id if parent else "", experiment)
    run.log_params(params.flatten(options))
    run.watch_machine()
    _open_runs.append(run)
    if (run_file := os.environ.get(RUN_FILE)) and not parent:
        with privacy.without_content():
            write_whole(run_file, run.id)
    return run


def _pipeline(profile: str) -> str:
    """The id of the run of the whole pipeline; empty where this stage was called by itself."""
    if not (name := os.environ.get(PIPELINE_FILE)):
        return ""
    file = Path(name)
    if not file.exists():
        with privacy.without_content():
            tags = _origin(PIPELINE, profile) | {PROCESS: os.environ.get(PIPELINE_PROCESS, "")}
            write_whole(file, _begin(PIPELINE, profile, tags).id)
    return file.read_text()


def is_unattended() -> bool:
    """Whether the runner executes the notebook, so that nobody is there to answer a question."""
    return RUN_FILE in os.environ


def reopen(stage: str, run_id: str) -> Run:
    """A run that another process began and left open."""
    from ocrkit.experiment import kept

    run = Run(stage, kept.go_on(run_id), run_id, stage)
    _open_runs.append(run)
    return run


def _begin(
    stage: str, profile: str, tags: dict[str, str], name: str = "", parent: str = "", experiment: str = setup.PIPELINE
) -> Run:
    from ocrkit.experiment import kept

    pipeline_run = "" if parent or stage == PIPELINE else _pipeline(profile)
    if parent := parent or pipeline_run:
        tags[PARENT] = parent
    record = Record(name or _name(stage, profile, tags), {}, tags, {})
    client = kept.begin(record, experiment)
    return Run(stage, client, record.id, record.name, pipeline_run)


class Run:
    """The run of one notebook. `id` and `client` reach everything else that MLflow can do."""

    def __init__(self, stage: str, client: Any, run_id: str, name: str, pipeline_run: str = "") -> None:
        self.stage, self.client, self.id, self.name = stage, client, run_id, name
        self._pipeline_run = pipeline_run
        self._made: set[str] = set()
        self._monitor: SystemMetricsMonitor | None = None
        self._steps: dict[int, dict[str, float]] = {}
        self._says = ""

    @property
    def is_kept(self) -> bool:
        """Whether MLflow's store is down, so that the run is kept in a folder until it answers."""
        return bool(getattr(self.client, "is_kept", False))

    def watch_machine(self) -> None:
        """Log, until the run ends, how busy processor, memory, disk and GPU are; nothing while the store is down."""
        if self.is_kept:
            return
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        self._monitor = SystemMetricsMonitor(
            self.id, sampling_interval=_SAMPLE_EVERY_S, tracking_uri=paths.tracking_uri()
        )
        self._monitor.start()

    def use(self, path: str, columns: Mapping[str, str] | None = None) -> Path:
        """A file or folder that this stage depends on, recorded as an input of this run with its digest.

        Args:
            path: as dvc.yaml has it among the stage's deps, such as `data/synth/train`.
            columns: what a row of it holds, as names and MLflow's types (`string`, `binary`, ...): its schema.

        Returns:
            The absolute path.

        Raises:
            BadParams: dvc.yaml does not declare that this stage depends on it.
            OcrkitError: it has not been made yet.
        """
        root = paths.root()
        stage = pipeline.stages(root).get(self.stage)
        if not stage or not stage.reads(path):
            raise BadParams(f"Stage {self.stage} uses {path}, but dvc.yaml does not list it among its deps.")
        if not (root / path).exists():
            maker = pipeline.maker(root, path)
            raise OcrkitError(f"{path} is not there yet{f': run `dvc repro {maker}` first' if maker else ''}.")
        self.log_input(path, root / path, columns)
        return root / path

    def make(self, path: str) -> Path:
        """Where this stage writes one of its outputs; what lay there before is removed, as DVC does.

        Args:
            path: as dvc.yaml has it among the stage's outs, such as `models/trained`.

        Returns:
            The absolute path, its parent folder made: in the project for the pipeline, in a scratch folder by hand.

        Raises:
            BadParams: dvc.yaml does not declare that this stage makes it.
        """
        root = paths.root()
        stage = pipeline.stages(root).get(self.stage)
        if not stage or path not in stage.outs:
            other = pipeline.maker(root, path)
            why = f"which {other} makes" if other else "which dvc.yaml does not list among its outs"
            raise BadParams(f"Stage {self.stage} must not write {path}, {why}.")
        target = paths.out_root() / path
        if path not in self._made:
            self._made.add(path)
            if target.is_dir():
                shutil.rmtree(target)
            target.unlink(missing_ok=True)
            target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def log_input(self, name: str, path: Path, columns: Mapping[str, str] | None = None) -> None:
        """Record any file or folder as an input of this run, by the digest DVC would give it; `columns` as in `use`."""
        self.log_digest(name, digest(path), os.path.relpath(path, paths.root()), columns)

    def log_digest(self, name: str, digest: str, where: str, columns: Mapping[str, str] | None = None) -> None:
        """Record an input of this run by its digest; `where` is the path it was read from, `columns` as in `use`."""
        from mlflow.entities import Dataset, DatasetInput, InputTag
        from mlflow.types import ColSpec, Schema

        schema = Schema([ColSpec(kind, column) for column, kind in columns.items()]) if columns else None
        dataset = Dataset(
            name=name,
            digest=digest,
            source_type="local",
            source=json.dumps({"uri": where}),
            schema=json.dumps({"mlflow_colspec": schema.to_dict()}) if schema else None,
        )
        with setup.locked("inputs"):  # two runs at once that are the first with an input would break MLflow's tables
            self.client.log_inputs(self.id, [DatasetInput(dataset, [InputTag("mlflow.data.context", self.stage)])])

    def witness(self) -> None:
        """Write into the run where the logs of the open vaults end, which nobody can take back there."""
        for name, value in privacy.tags().items():
            self.client.set_tag(self.id, name, value)

    def describe(self, text: str) -> None:
        """Set what the run's page says for people, in Markdown; the index of the reports says it too."""
        self._says = text
        self.client.set_tag(self.id, "mlflow.note.content", text)

    def log_params(self, values: Mapping[str, Any]) -> None:
        """Log the values a run is made with; what is no text is written as JSON."""
        from mlflow.entities import Param

        self.client.log_batch(self.id, params=[Param(name, _text(value)) for name, value in values.items()])

    def log_metrics(self, values: Mapping[str, Any], step: int | None = None, at_ms: int | None = None) -> None:
        """Log numbers; nested tables get dotted names. Those with a step also make the curve of `save_curve`.

        Args:
            values: numbers, texts or nested tables of them; only numbers are logged.
            step: of the curve; without one those that the curve has stand at its end, as what came of it, and others
                at 0, so that MLflow draws them as bars.
            at_ms: when they were measured, in ms since 1970; now by default.
        """
        numbers = _numbers(values)
        if step is not None:
            self._steps.setdefault(step, {}).update(numbers)
            metrics = _metrics(numbers, step, at_ms)
        else:
            drawn = {name for row in self._steps.values() for name in row}
            metrics = _metrics({name: value for name, value in numbers.items() if name not in drawn}, 0, at_ms)
            ends = {name: value for name, value in numbers.items() if name in drawn}
            metrics += _metrics(ends, max(self._steps, default=0), at_ms)
        self.client.log_batch(self.id, metrics=metrics)

    def save_curve(self, path: str) -> Path:
        """Write every number logged with a step as CSV, one row a step, to the output `path`; DVC plots it."""
        columns = list(dict.fromkeys(c for row in self._steps.values() for c in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, ["step", *columns], lineterminator="\n")
        writer.writeheader()
        writer.writerows({"step": step, **row} for step, row in sorted(self._steps.items()))
        with privacy.without_content():  # numbers
            return write_whole(self.make(path), text.getvalue())

    # While a vault is open, the following say of how many donated documents something is, and take no picture, file or
    # text at all: what MLflow keeps is kept for ever.

    def log_table(self, name: str, table: DataFrame | Mapping[str, Any], documents: int = 0) -> None:
        """Log a table, by columns, that MLflow shows and compares between runs.

        Args:
            name: of the table.
            table: its columns.
            documents: that each of its figures is about at least; asked for while a vault is open.

        Raises:
            PrivateData: a vault is open, and these are too few, or a column holds something else than numbers.
        """
        data = dict(table) if isinstance(table, Mapping) else table
        if privacy.is_open():
            privacy.check_documents(documents, f"The table {name}")
            if texts := [column for column in data if not _is_numeric(data[column])]:
                raise PrivateData(f"The table {name} is not logged: while a vault is open, {texts[0]} must be numbers.")
        self.client.log_table(self.id, data, f"{name}.json")

    def log_figure(self, name: str, figure: Figure, documents: int = 0) -> None:
        """Log a figure as PNG.

        Args:
            name: of the figure.
            figure: drawn by Matplotlib.
            documents: that it sums up; asked for while a vault is open.

        Raises:
            PrivateData: a vault is open, and these are too few, or the figure holds a picture.
        """
        if privacy.is_open():
            privacy.check_documents(documents, f"The figure {name}")
            if any(axes.images for axes in figure.axes):
                raise PrivateData(f"The figure {name} is not logged: it holds a picture, and a vault is open.")
        self.client.log_figure(self.id, figure, f"{name}.png")

    def log_image(self, name: str, image: np.ndarray, step: int | None = None) -> None:
        """Log an image, `uint8`; with a step, MLflow shows how it changes between steps and runs.

        Raises:
            PrivateData: a vault is open.
        """
        _refuse_while_open(f"The image {name}")
        if step is None:
            self.client.log_image(self.id, image, artifact_file=f"{name}.png")
        else:
            self.client.log_image(self.id, image, key=name, step=step)

    def log_artifact(self, path: str | Path, folder: str | None = None) -> None:
        """Keep a copy of a file, or of a folder with all in it.

        Raises:
            PrivateData: a vault is open.
        """
        _refuse_while_open(str(path))
        keep = self.client.log_artifacts if Path(path).is_dir() else self.client.log_artifact
        keep(self.id, str(path), folder)

    def end(self, metrics: Mapping[str, Any], also: Mapping[str, Any] | None = None) -> None:
        """Finish the run: log its final numbers and write `metrics/<stage>.json` and `runs/<stage>.json`.

        Args:
            metrics: numbers, texts or nested tables of them, the same in every run with the same values. A number that
                is not defined, such as the precision where nothing was found, is `nan` and written as null.
            also: what else belongs into the file of numbers, and is no metric.

        While a vault is open, only numbers are written.

        Raises:
            OcrkitError: a file cannot be written.
        """
        if privacy.is_open():
            metrics, also = _numbers(metrics), None
        self.log_metrics(metrics)
        if self._pipeline_run and not self.is_kept:
            # So that pipelines, which is what MLflow lists first, can be compared by what came of their stages.
            numbers_of_stage = {f"{self.stage}.{name}": value for name, value in _numbers(metrics).items()}
            self.client.log_batch(self._pipeline_run, metrics=_metrics(numbers_of_stage, 0))
        out = paths.out_root()
        numbers = json.dumps(plain({**metrics, **(also or {})}), indent=2, sort_keys=True)
        about = json.dumps(self._about(), indent=2, ensure_ascii=False)
        for path, text in (
            (out / "metrics" / f"{self.stage}.json", numbers),
            (out / "runs" / f"{self.stage}.json", about),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            with privacy.without_content():  # numbers, and where they come from
                write_whole(path, text + "\n")
        self.close("FINISHED")
        print(f"{self.name}: finished. Its page: `make dashboard`, run {self.id}")

    def _about(self) -> dict[str, str]:
        """Where to find this run, what came of it, and where it comes from."""
        tags = self.client.get_run(self.id).data.tags
        commit, changed = tags.get("mlflow.source.git.commit"), tags.get("git.dirty") == "true"
        return {
            "run_id": self.id,
            "name": self.name,
            "says": self._says,
            "ended": origin.now(),
            "commit": origin.told(commit, changed),
            "machine": origin.machine(),
        }

    def close(self, status: str) -> None:
        """Set the final status: FINISHED, FAILED or KILLED. The first one stays."""
        if self in _open_runs:
            _open_runs.remove(self)
            if self._monitor:
                self._monitor.finish()
            self.witness()
            self.client.set_terminated(self.id, status)


def _refuse_while_open(what: str) -> None:
    if privacy.is_open():
        raise PrivateData(f"{what} is not logged: while a vault is open, MLflow gets numbers only.")


def _is_numeric(column: Any) -> bool:
    return np.asarray(column).dtype.kind in "biuf"


@atexit.register
def _close_all() -> None:
    for run in list(_open_runs):
        with suppress(OcrkitError):  # what cannot be written now was told before
            run.close("FAILED")


def finish(run_id: str | None, stage: str, status: str, report: Path | None, note: str = "") -> str:
    """What the runner adds from outside: the report, and the failure of a notebook that could not say so itself.

    Args:
        run_id: the notebook's run; None if it failed before it had one, and then a run is made to hold the report.
        stage: name of the stage.
        status: FINISHED leaves the run's own status alone; FAILED or KILLED are set.
        report: the HTML to attach, if there is one.
        note: one sentence on what went wrong.

    Returns:
        The run's id.
    """
    from ocrkit.experiment import kept

    if run_id is None:
        run_id = _begin(stage, "unknown", _origin(stage, "unknown")).id
    client = kept.go_on(run_id)
    if report:
        client.log_artifact(run_id, str(report), "report")
    if note:
        client.set_tag(run_id, "failure", note)
    if status != "FINISHED":
        client.set_terminated(run_id, status)
    return run_id


def _origin(stage: str, profile: str, overridden: bool = False, source: str = "") -> dict[str, str]:
    """Tags that lead from a run back to the code and the pipeline it came from."""
    env, root = os.environ, paths.root()
    stages = pipeline.stages(root)
    if not source:
        source = f"notebooks/{stages[stage].notebook}.ipynb" if stage in stages else "dvc.yaml"
    tags = {
        "stage": stage,
        "profile": profile,
        "by_hand": str(paths.in_pipeline() is None).lower(),
        "overridden": str(overridden).lower(),
        "mlflow.user": user(),
        "processor": origin.processor(),
        "strict": str(strict.is_on()).lower(),
        "git.dirty": _dirty(root, stages.values()),
        "mlflow.source.name": source,
        "mlflow.source.type": "NOTEBOOK" if source.endswith(".ipynb") else "LOCAL",
        "mlflow.source.git.commit": git.commit(root) or git.UNKNOWN,
        "dvc.stage": env.get("DVC_STAGE", ""),
        "dvc.exp": env.get("DVC_EXP_NAME", ""),
        "dvc.baseline": env.get("DVC_EXP_BASELINE_REV", ""),
    }
    return {name: value for name, value in tags.items() if value}


def user() -> str:
    """Who is at work: the name that git has, else that of the account."""
    return git.ask(paths.root(), "config", "user.name") or getpass.getuser()


def _dirty(root: Path, stages: Iterable[pipeline.Stage]) -> str:
    """Whether anything that a person wrote differs from the commit: `true`, `false` or `unknown`."""
    made = [out for stage in stages for out in stage.outs]
    changed = git.changed(root, ["dvc.lock", "runs", "reports", "metrics", *made])
    return git.UNKNOWN if changed is None else str(any(_differs(root, path) for path in changed)).lower()


def _differs(root: Path, path: str) -> bool:
    """Whether a changed file differs in more than the outputs of a notebook that was run by hand."""
    from ocrkit.experiment import notebooks

    committed = git.ask(root, "show", f"HEAD:{path}") if path.endswith(".ipynb") else None
    try:
        return committed is None or notebooks.cleaned(root / path) != f"{committed}\n"
    except OcrkitError:  # no notebook any more
        return True


def _name(stage: str, profile: str, tags: Mapping[str, str]) -> str:
    """A name for people, such as `train 04 May 15:02 experiment mild-gnat` or `train full 04 May 09:30 by hand`.

    MLflow's lists cut names after some twenty characters, so the profile is left out where it is the default.
    """
    how = f" experiment {tags['dvc.exp']}" if "dvc.exp" in tags else " by hand" if tags["by_hand"] == "true" else ""
    whole = stage if profile == "default" else f"{stage} {profile}"
    return f"{whole} {time.strftime('%d %b %H:%M')}{how}"


def _numbers(values: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """The numbers in nested tables, by dotted name; texts and lists are left out."""
    flat: dict[str, float] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _numbers(value, f"{prefix}{name}.")
        elif isinstance(value, (bool, int, float, np.number)):
            flat[f"{prefix}{name}"] = float(value)
    return flat


def _metrics(numbers: Mapping[str, float], step: int, at_ms: int | None = None) -> list[Metric]:
    from mlflow.entities import Metric

    at_ms = int(time.time() * 1000) if at_ms is None else at_ms
    return [Metric(name, value, at_ms, step) for name, value in numbers.items() if math.isfinite(value)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=dataclasses.asdict)
