"""The record of a training as plain files, for machines without MLflow; `ocrkit runs import` puts it into MLflow.

    record/
      run.json        id, name, status, started and ended (s since 1970), params, tags, inputs (digests), metrics
      metrics.jsonl   one line a step: {"step": words seen, "time": s since 1970, "metrics": {name: number}}
      tables/*.json   columns: {"truth": [...], "read": [...]}
      artifacts/      any other files, such as pictures

Every file is whole at any time, and writing one again replaces it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from ocrkit import privacy
from ocrkit.errors import BadDataset
from ocrkit.files import make_folder, write_whole

FORMAT = 1
PROCESS = "process"  # tag: the process that makes a run, as `ocrkit.processes.name` calls it


@dataclass(frozen=True)
class Step:
    """Numbers at one step of a run; `time` in s since 1970."""

    step: int
    time: float
    metrics: Mapping[str, float]


@dataclass
class Record:
    """A run as it is written to and read from a folder; the fields are those of `run.json`.

    Attributes:
        name: for people.
        params: values it was made with, by dotted name.
        tags: texts about its origin, such as the commit.
        inputs: MD5 digests of the files it was made from, by name.
        metrics: its final numbers.
        status: as MLflow calls it.
        started: s since 1970.
        ended: s since 1970; `None` while it runs.
        id: the same however often it is written.
    """

    name: str
    params: Mapping[str, Any]
    tags: Mapping[str, str]
    inputs: Mapping[str, str]
    metrics: Mapping[str, float] = field(default_factory=dict)
    status: Literal["RUNNING", "FINISHED", "FAILED", "KILLED"] = "RUNNING"
    started: float = field(default_factory=time.time)
    ended: float | None = None
    id: str = field(default_factory=lambda: uuid4().hex)

    def save(self, folder: Path) -> None:
        """Write `run.json`."""
        with privacy.without_content():
            write_whole(make_folder(folder) / "run.json", _json({"format": FORMAT, **asdict(self)}))


def load_record(folder: Path) -> Record:
    """The record in `folder`.

    Raises:
        BadDataset: there is none, or not of a form this version knows.
    """
    try:
        stored = json.loads((folder / "run.json").read_text("utf-8"))
        if stored.pop("format") == FORMAT:
            return Record(**stored)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadDataset(f"{folder} holds no record of a run: {error}.") from None
    raise BadDataset(f"{folder / 'run.json'} is a record of another version of ocrkit.")


def save_steps(folder: Path, steps: Iterable[Step]) -> None:
    """Write `metrics.jsonl`."""
    with privacy.without_content():
        write_whole(make_folder(folder) / "metrics.jsonl", "".join(json.dumps(asdict(step)) + "\n" for step in steps))


def load_steps(folder: Path) -> list[Step]:
    """The numbers of a record step by step; none where it has none yet.

    Raises:
        BadDataset: the file is damaged.
    """
    path = folder / "metrics.jsonl"
    try:
        return [Step(**json.loads(line)) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    except (OSError, ValueError, TypeError) as error:
        raise BadDataset(f"{path} is damaged: {error}.") from None


def save_table(folder: Path, name: str, columns: Mapping[str, Sequence[Any]]) -> None:
    """Write the table `name` into a record."""
    write_whole(make_folder(folder / "tables") / f"{name}.json", _json(columns))


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
