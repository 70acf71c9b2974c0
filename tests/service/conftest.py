"""A store, its queue and index, and jails whose reader does what documents say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from service_constants import ECHO, LIMITS, MODEL
from service_readers import document

from ocrkit.service import intake
from ocrkit.service.index import Index
from ocrkit.service.jail import Jails
from ocrkit.service.queue import Job, JobOptions, Queue, QueueOptions
from ocrkit.service.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "service")


@pytest.fixture
def queue(store: Store) -> Queue:
    return Queue(store.queue, QueueOptions(lease_s=5.0, retry_s=(0.0,)))


@pytest.fixture
def index(store: Store) -> Index:
    return Index(store.index)


@pytest.fixture
def put(store: Store, queue: Queue):
    """Hand in what says something."""

    def hand_in(said: str, options: JobOptions | None = None, name: str = "one.pdf") -> Job:
        return intake.hand_in_bytes(store, queue, document(said), name, lambda digest: MODEL, options)[0]

    return hand_in


@pytest.fixture(scope="session")
def jails() -> Iterator[Jails]:
    """A new jail for each document."""
    made = Jails("", "fork", LIMITS, ECHO)
    yield made
    made.close()
