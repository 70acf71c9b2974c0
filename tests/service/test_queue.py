"""The queue: nothing is lost, nothing is read twice at once, and no clock matters."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from ocrkit.service import queue as queues
from ocrkit.service.database import DiskFull, StoreFailed
from ocrkit.service.queue import JobOptions, Pinned, Queue, QueueOptions, UnknownDocument

MODEL = Pinned("/models/one", "one", "1" * 64, 7)


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """Time since the machine was started, to be moved on."""
    now = [1000.0]
    monkeypatch.setattr(queues, "since_start", lambda: now[0])
    return now


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return Queue(tmp_path / "queue.db")


def add(queue: Queue, number: int = 0, **options):
    return queue.put(f"{number:064x}", f"{number}.pdf", "pdf", 10, MODEL, JobOptions(**options))


def test_the_same_file_read_the_same_way_by_the_same_model_is_one_job(queue):
    ids = {add(queue)[0].id for _ in range(50)}
    assert len(ids) == 1
    assert [new for _, new in (add(queue), add(queue, 1), add(queue, 1))] == [False, True, False]
    others = [
        add(queue, all_pages=True)[0].id,
        queue.put(f"{0:064x}", "0.pdf", "pdf", 10, Pinned("/two", "two", "2" * 64))[0].id,
    ]
    assert len(ids | set(others)) == 3
    assert queue.counts()["queued"] == 4


def test_jobs_are_given_out_in_their_order_and_each_once(queue):
    ids = [add(queue, number)[0].id for number in range(5)]
    assert [queue.claim().id for _ in range(5)] == ids
    assert queue.claim() is None
    assert queue.counts() == {"queued": 0, "reading": 5, "done": 0, "dead": 0}


def test_a_failure_is_tried_again_after_1_4_and_16_minutes_and_given_up_after_five(queue, clock):
    add(queue)
    for wait in (60, 240, 960, 960):
        assert queue.failed(queue.claim(), "It broke.")
        assert queue.claim() is None
        clock[0] += wait - 1
        assert queue.claim() is None
        clock[0] += 1
    job = queue.claim()
    assert job.tries == 5
    queue.failed(job, "It broke again.")
    (dead,) = queue.jobs("dead")
    assert dead.reason == "It broke again."
    assert queue.tallies() == {
        "put": 1, "claimed": 5, "done": 0, "pages": 0, "retried": 4, "dead": 1, "expired": 0,
    }  # fmt: skip
    assert queue.retry() == 1
    assert queue.claim().tries == 1


def test_what_cannot_be_read_is_given_up_at_once(queue):
    add(queue)
    queue.failed(queue.claim(), "It is damaged.", for_good=True)
    assert queue.counts()["dead"] == 1


def test_a_lease_that_is_not_renewed_ends_and_its_holder_has_no_say_any_more(queue, clock):
    add(queue)
    first = queue.claim()
    clock[0] += 20
    assert queue.beat(first, 3)
    assert queue.job(first.id).page == 3
    clock[0] += 29
    assert queue.claim() is None
    clock[0] += 2
    second = queue.claim()
    assert second.id == first.id
    assert not queue.beat(first)
    assert not queue.done(first, 1, 0.1)
    assert not queue.failed(first, "late")
    assert not queue.give_back(first, "late")
    assert queue.done(second, 1, 0.1)
    assert queue.tallies()["expired"] == 1


def test_a_document_that_outlives_five_readers_is_given_up(queue, clock):
    add(queue)
    for _ in range(5):
        assert queue.claim()
        clock[0] += 31
    assert queue.claim() is None
    (dead,) = queue.jobs("dead")
    assert "ended" in dead.reason


@pytest.mark.parametrize("hours", [-1, 24 * 365])
def test_a_clock_that_is_set_changes_nothing(queue, clock, monkeypatch, hours):
    add(queue)
    add(queue, 1)
    held = queue.claim()
    failed = queue.claim()
    queue.failed(failed, "later")
    then = time.time()
    monkeypatch.setattr(time, "time", lambda: then + 3600 * hours)
    assert queue.claim() is None  # neither is due
    assert queue.beat(held)
    clock[0] += 61
    assert {queue.claim().id, queue.claim().id} == {held.id, failed.id}


def test_after_a_restart_of_the_machine_all_leases_are_over_and_nothing_waits(tmp_path, clock, monkeypatch):
    before = Queue(tmp_path / "queue.db")
    for number in range(2):
        add(before, number)
    before.failed(before.claim(), "later")
    before.claim()
    monkeypatch.setattr(queues, "boot", lambda: "another")
    clock[0] = 5.0
    after = Queue(tmp_path / "queue.db")
    assert {after.claim().tries, after.claim().tries} == {2}


def test_what_is_given_back_does_not_count_as_a_try(queue):
    add(queue)
    for _ in range(20):
        assert queue.give_back(queue.claim(), "The disk is full.")
    assert queue.claim().tries == 1


_CLAIMER = """
import sys
from pathlib import Path
from ocrkit.service.queue import Queue
queue, ids = Queue(Path(sys.argv[1])), []
while job := queue.claim():
    ids.append(job.id)
    assert queue.done(job, 1, 0.0)
print(*ids)
"""


def test_no_two_processes_are_given_the_same_job(tmp_path):
    queue = Queue(tmp_path / "queue.db")
    ids = {add(queue, number)[0].id for number in range(60)}
    command = [sys.executable, "-c", _CLAIMER, str(tmp_path / "queue.db")]
    claimers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    given = [claimer.communicate()[0].split() for claimer in claimers]
    assert sorted(given[0] + given[1]) == sorted(ids)
    assert queue.counts()["done"] == 60


def test_a_forgotten_job_leaves_no_byte(tmp_path):
    queue = Queue(tmp_path / "queue.db")
    for number in range(40):
        queue.put(f"{number:064x}", f"secret-{number}.pdf", "pdf", 10, MODEL)
    ids = [job.id for job in queue.jobs()]
    for identity in ids[1:]:
        queue.forgetting(identity)
    with pytest.raises(UnknownDocument):
        queue.job(ids[1])
    queue.forgotten(ids[1:])
    kept = queue.job(ids[0]).name.encode()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert content.count(b"secret-") == content.count(kept) > 0


@pytest.mark.parametrize(
    ("content", "error", "said"), [(b"no database at all" * 100, StoreFailed, "cannot be used")], ids=["no database"]
)
def test_a_file_that_is_no_queue_is_said_to_be_none(tmp_path, content, error, said):
    (tmp_path / "queue.db").write_bytes(content)
    with pytest.raises(error, match=said):
        Queue(tmp_path / "queue.db")


def test_a_full_disk_is_said_and_loses_nothing(queue):
    ids = [add(queue, number)[0].id for number in range(3)]
    connection = queue.database.connection
    connection.execute(f"PRAGMA max_page_count={connection.execute('PRAGMA page_count').fetchone()[0]}")

    def fill() -> None:
        for number in range(3, 5000):
            queue.put(f"{number:064x}", "n" * 200, "pdf", 10, MODEL)
            ids.append(number)

    with pytest.raises(DiskFull, match="disk is full"):
        fill()
    connection.execute("PRAGMA max_page_count=1000000")
    assert queue.counts()["queued"] == len(ids)
    assert queue.claim().id == ids[0]


def test_options_say_when_leases_end():
    assert QueueOptions().retry_s == (60.0, 240.0, 960.0)
    assert QueueOptions().tries == 5
