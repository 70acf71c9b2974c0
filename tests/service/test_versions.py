"""What reads a document while a rollout moves: whose turn it is, who stands behind, what is known without MLflow."""

from __future__ import annotations

import io
import logging
from dataclasses import replace

import pytest
from service_constants import MODEL
from service_readers import document

from ocrkit import privacy
from ocrkit.errors import OcrkitError
from ocrkit.experiment.kept import StoreDown
from ocrkit.rollout import Pin, Policy, State
from ocrkit.service import intake
from ocrkit.service.queue import Job, JobOptions, Pinned, Queue, QueueOptions
from ocrkit.studies.versions import Versions

ONE, TWO, ENGINE = Pin("reader", "1"), Pin("reader", "2"), Pin("engine", "tesseract")
SHADOW = State(1, ONE, TWO, 0, Policy().shares, "salt", 0.0)
KEYS = [f"document {number}" for number in range(2000)]


class Registry:
    """Answers with the state that it has; `None` when it is down."""

    def __init__(self, state: State | None) -> None:
        self.state = state

    def ask(self) -> State:
        if self.state is None:
            raise StoreDown("The store does not answer.")
        return self.state

    def fetch(self, pin: Pin, folder) -> Pinned:
        if pin.is_engine:
            raise OcrkitError("no such thing in a jail")
        return Pinned(f"/models/{pin.version}", "model", pin.version * 64, int(pin.version))


def versions(registry: Registry, folder, withdraw=lambda serving: None) -> Versions:
    return Versions(folder, withdraw, 0, registry.ask, registry.fetch)


def readers(made: Versions) -> dict[str, int | None]:
    return {key: made.choose(key).version for key in KEYS}


def test_keys_rise_to_the_challenger_with_its_share_and_never_go_back_before_it_stops(tmp_path):
    registry = Registry(SHADOW)
    made = versions(registry, tmp_path)
    assert set(readers(made).values()) == {1}
    challenged: set[str] = set()
    for share in (0.01, 0.05, 0.25):
        registry.state = registry.state.up(0.0, "better")
        made.refresh()
        found = readers(made)
        assert found == readers(versions(registry, tmp_path / str(share)))  # in every process the same
        now = {key for key, version in found.items() if version == 2}
        assert challenged <= now
        assert abs(len(now) - share * len(KEYS)) < 4 * (len(KEYS) * share) ** 0.5
        challenged = now
    key = next(iter(challenged))
    assert made.choose(key).otherwise == replace(made.choose(key), version=1, folder="/models/1", identity="1" * 64,
                                                 otherwise=None)  # fmt: skip
    for end, version in ((registry.state.stopped(0.0, "worse"), 1), (registry.state.up(0.0, "won"), 2)):
        registry.state = end
        assert set(readers(versions(registry, tmp_path / end.outcome)).values()) == {version}


def test_without_mlflow_the_last_versions_read_on_over_restarts_too(tmp_path):
    registry = Registry(replace(SHADOW, step=3))
    before = readers(made := versions(registry, tmp_path))
    registry.state = None
    made.refresh()
    assert readers(made) == readers(versions(registry, tmp_path)) == before
    with pytest.raises(StoreDown):
        versions(registry, tmp_path / "of nobody")


def test_a_promotion_without_a_rollout_is_followed(tmp_path):
    registry = Registry(State(0, ONE, None, 0, (0.0, 1.0), "", 0.0, "won"))
    made = versions(registry, tmp_path)
    registry.state = replace(registry.state, champion=TWO)
    made.refresh()
    assert made.choose("any").version == 2


def test_a_challenger_that_cannot_read_in_a_jail_is_told_of_once_and_reads_nothing(tmp_path, caplog):
    registry = Registry(replace(SHADOW, challenger=ENGINE, step=3))
    with caplog.at_level(logging.WARNING, "ocrkit.service"):
        made = versions(registry, tmp_path)
        made.refresh()
    assert set(readers(made).values()) == {1}
    assert [record.reason for record in caplog.records] == ["no such thing in a jail"]


CHALLENGER = Pinned("/models/two", "two", "2" * 64, 8, otherwise=MODEL)


@pytest.fixture
def tried(tmp_path):
    return Queue(tmp_path / "queue.db", QueueOptions(tries=3, retry_s=(3600.0,)))


def claimed(queue: Queue) -> Job:
    job = queue.claim()
    assert job is not None
    return job


def test_what_a_challenger_fails_on_is_read_by_the_champion_at_once(tried):
    tried.put("1" * 64, "one.pdf", "pdf", 1, CHALLENGER)
    first = claimed(tried)
    assert (first.model.version, first.model.otherwise) == (8, MODEL)
    tried.failed(first, "It crashed.", for_good=True)
    second = claimed(tried)
    assert (second.id, second.model, second.reason) == (first.id, MODEL, "It crashed. one reads it instead.")
    tried.failed(second, "It is damaged.", for_good=True)
    assert tried.job(first.id).state == "dead"


def test_a_document_that_nobody_finished_goes_to_the_champion(tmp_path):
    queue = Queue(tmp_path / "queue.db", QueueOptions(lease_s=-1.0))
    queue.put("1" * 64, "one.pdf", "pdf", 1, CHALLENGER)
    assert [claimed(queue).model.version for _ in range(2)] == [8, 7]


def test_no_document_waits_for_a_challenger_that_was_withdrawn(tried, tmp_path):
    for number in range(3):
        tried.put(str(number) * 64, "one.pdf", "pdf", 1, CHALLENGER if number else MODEL)
    assert tried.withdraw([MODEL.identity, CHALLENGER.identity]) == 0
    registry = Registry(replace(SHADOW, step=3))
    registry.fetch = lambda pin, folder: MODEL if pin == ONE else CHALLENGER  # type: ignore[method-assign]
    made = versions(registry, tmp_path / "versions", tried.withdraw)
    assert [claimed(tried).model.version for _ in range(2)] == [7, 8]
    registry.state = registry.state.stopped(0.0, "worse")
    made.refresh()
    assert claimed(tried).model == MODEL


def test_a_key_is_chosen_by_and_a_donated_document_is_not_even_asked_for(store, queue, monkeypatch):
    asked: list[str] = []

    def choose(key: str) -> Pinned:
        asked.append(key)
        return MODEL

    def put(key: str) -> Job:
        return intake.hand_in(store, queue, io.BytesIO(document("words")), "one.pdf", choose, JobOptions(), key=key)[0]

    job = put("user 17")
    assert (put("").id, asked) == (job.id, ["user 17", job.file])
    monkeypatch.setattr(privacy, "is_open", lambda: True)
    with pytest.raises(intake.PrivateData):
        put("user 17")
    assert len(asked) == 2
