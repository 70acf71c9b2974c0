"""A file of jobs, and a clock that tests turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


class Reversing:
    """In place of a vault: what is sealed is written backwards."""

    def seal(self, key: str, about: str, text: str) -> str:
        return text[::-1]

    def unseal(self, rows: Sequence[tuple[str, str, str]]) -> list[str | None]:
        return [sealed[::-1] for _, _, sealed in rows]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store(tmp_path / "jobs.db", make=True, clock=clock, sealer=lambda source: Reversing()) as opened:
        yield opened


@pytest.fixture
def job(store: Store) -> Job:
    return store.add_job("words", load_template("transcribe"), blank_tasks(6), "made up", "crops")
