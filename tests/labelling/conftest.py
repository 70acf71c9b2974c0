"""A file of jobs, and a clock that tests turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ocrkit.labelling.jobs import Job, Store
from ocrkit.labelling.simulate import blank_tasks
from ocrkit.labelling.templates import load_template


class Clock:
    """Seconds since 1970 as the test says."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store(tmp_path / "jobs.db", make=True, clock=clock) as opened:
        yield opened


@pytest.fixture
def job(store: Store) -> Job:
    return store.add_job("words", load_template("transcribe"), blank_tasks(6), "made up", "crops")
