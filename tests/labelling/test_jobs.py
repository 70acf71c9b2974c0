"""Jobs in their file: leases, answers, gold, and what happens when things go wrong."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from ocrkit.errors import BadParams
from ocrkit.labelling.jobs import BadStore, Job, LeaseOver, NewTask, Refused, Store, StoreFull, only_server
from ocrkit.labelling.simulate import blank_tasks
from ocrkit.labelling.templates import BadAnswer, load_template

RIGHT = {"text": "right"}


def worker_of(store: Store, name: str = "Ada"):
    return store.worker(name, "contractors", make=True)


def answer_next(store: Store, job: Job, worker, text: str = "right") -> int | None:
    lease = store.lease(job, worker)
    if lease is not None:
        store.answer(job, worker, lease.task, {"text": text}, 1.0, f"{worker.id}/{lease.task}")
    return lease and lease.task


def test_a_person_has_one_task_at_a_time_and_every_task_goes_to_one_person(store: Store, job: Job) -> None:
    ada, ben = worker_of(store, "Ada"), worker_of(store, "Ben")
    first = store.lease(job, ada)
    assert store.lease(job, ada).task == first.task
    assert store.lease(job, ben).task != first.task


def test_tasks_come_in_their_order_until_all_are_answered(store: Store, job: Job) -> None:
    ada = worker_of(store)
    keys = [task["id"] for task in store.tasks(job)]
    assert [answer_next(store, job, ada) for _ in range(7)] == [*keys, None]
    assert store.progress(job) == {"tasks": 6, "done": 6, "answers": 6, "people": 1}


def test_with_redundancy_each_task_is_answered_by_that_many_different_people(store: Store) -> None:
    template = load_template("transcribe").model_copy(update={"redundancy": 2})
    job = store.add_job("twice", template, blank_tasks(4))
    people = [worker_of(store, name) for name in ("Ada", "Ben", "Cem")]
    while any([answer_next(store, job, person) for person in people]):
        pass
    votes = store.votes(job)
    assert len(votes) == 8
    assert len({(vote.task, vote.worker) for vote in votes}) == 8


def test_a_lease_runs_out_and_its_task_comes_to_the_next_person(store: Store, job: Job, clock) -> None:
    ada, ben = worker_of(store, "Ada"), worker_of(store, "Ben")
    lost = store.lease(job, ada)
    clock.now += job.template.lease_s + 1
    assert store.lease(job, ben).task == lost.task
    with pytest.raises(LeaseOver):
        store.answer(job, ada, lost.task, RIGHT, 1.0, "late")
    assert store.votes(job) == []
    assert [row["what"] for row in store.audited("refused")] == ["refused: not their task"]


def test_an_answer_after_the_lease_is_over_is_refused_and_in_the_audit(store: Store, job: Job, clock) -> None:
    ada = worker_of(store)
    lease = store.lease(job, ada)
    clock.now += job.template.lease_s + 1
    with pytest.raises(LeaseOver, match="time for this task was over"):
        store.answer(job, ada, lease.task, RIGHT, 1.0, "late")
    assert [row["what"] for row in store.audited("refused")] == ["refused: lease is over"]
    assert store.lease(job, ada).task == lease.task  # nobody took it: it is theirs again


def test_an_answer_that_is_sent_again_is_kept_once(store: Store, job: Job) -> None:
    ada = worker_of(store)
    lease = store.lease(job, ada)
    for _ in range(3):
        store.answer(job, ada, lease.task, RIGHT, 1.0, "key")
    assert len(store.votes(job)) == 1


def test_an_answer_that_is_not_allowed_leaves_the_task_with_the_person(store: Store, job: Job) -> None:
    ada = worker_of(store)
    lease = store.lease(job, ada)
    with pytest.raises(BadAnswer):
        store.answer(job, ada, lease.task, {"text": ""}, 1.0, "key")
    store.answer(job, ada, lease.task, RIGHT, 1.0, "key")
    assert [vote.value for vote in store.votes(job)] == [RIGHT]


def test_an_answer_can_be_taken_back_and_its_task_is_shown_again(store: Store, job: Job) -> None:
    ada = worker_of(store)
    first = answer_next(store, job, ada)
    store.lease(job, ada)
    assert store.undo(job, ada)
    assert store.votes(job) == []
    assert [answer_next(store, job, ada) for _ in range(7)].count(None) == 1
    assert len({vote.task for vote in store.votes(job)}) == 6
    assert first in {vote.task for vote in store.votes(job)}


def test_a_dismissed_person_loses_task_and_session_at_once(store: Store, job: Job) -> None:
    ada, ben = worker_of(store, "Ada"), worker_of(store, "Ben")
    secret, _ = store.open_session(ada)
    task = store.lease(job, ada).task
    store.set_state(ada, "dismissed")
    assert store.session(secret) is None
    with pytest.raises(Refused, match="ended"):
        store.answer(job, ada, task, RIGHT, 1.0, "key")
    with pytest.raises(Refused):
        store.lease(job, ada)
    assert store.lease(job, ben).task == task
    assert {row["what"] for row in store.audited("refused")} == {"refused: dismissed"}


def gold_job(store: Store) -> Job:
    template = load_template("transcribe").model_copy(update={"gold_share": 0.4})
    gold = [NewTask(f"g{i}", {}, b"", gold=RIGHT) for i in range(12)]
    return store.add_job("known", template, [*gold, *blank_tasks(30)])


def test_who_fails_the_gold_tasks_is_paused_and_who_answers_them_is_not(store: Store) -> None:
    job = gold_job(store)
    good, bad = worker_of(store, "Good"), worker_of(store, "Bad")
    for _ in range(15):
        answer_next(store, job, good)
    while store.person("Bad").state == "active":
        answer_next(store, job, bad, "wrong")
    with pytest.raises(Refused, match="paused"):
        store.lease(job, bad)
    assert [store.person(name).state for name in ("Good", "Bad")] == ["active", "paused"]
    assert store.gold_score(job, good)[0] >= 3
    assert "gold tasks of known right" in store.audited("paused")[0]["detail"]


def test_gold_is_nowhere_in_what_a_person_is_told(store: Store) -> None:
    from ocrkit.labelling.conversation import Conversation

    job = gold_job(store)
    conversation = Conversation(store, job, worker_of(store))
    message, _ = conversation.reply({"kind": "task"})
    for number in range(20):
        assert "gold" not in str(message).lower()
        answer = {"kind": "answer", "task": message["task"], "value": RIGHT, "seconds": 1, "key": f"k{number}"}
        message, _ = conversation.reply(answer)
    assert store.gold_score(job, store.person("Ada"))[1] > 3


def test_many_people_at_once_never_get_the_same_task(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    with Store(path, make=True) as store:
        job = store.add_job("many", load_template("transcribe"), blank_tasks(120))

    def work(number: int) -> None:
        with Store(path) as mine:
            person = worker_of(mine, f"w{number}")
            while answer_next(mine, mine.job("many"), person) is not None:
                pass

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Store(path) as store:
        votes = store.votes(job)
        assert sorted(vote.task for vote in votes) == [task["id"] for task in store.tasks(job)]


def test_the_audit_cannot_be_changed(store: Store, job: Job, tmp_path: Path) -> None:
    store.lease(job, worker_of(store))
    with sqlite3.connect(tmp_path / "jobs.db") as db:
        for statement in ("DELETE FROM audit", "UPDATE audit SET what = 'nothing'"):
            with pytest.raises(sqlite3.IntegrityError, match="only added to"):
                db.execute(statement)


def test_a_full_disk_is_one_sentence_and_loses_nothing(store: Store, job: Job) -> None:
    ada = worker_of(store)
    answer_next(store, job, ada)
    lease = store.lease(job, ada)
    store._db.execute(f"PRAGMA max_page_count = {store._one('PRAGMA page_count')[0]}")
    long = load_template("transcribe").model_copy(update={"longest": 1000})
    big = Job(job.id, job.name, long, "", "", False, {}, 0.0)

    def fill() -> None:
        for number in range(100):
            store.answer(big, ada, lease.task, {"text": "w" * 900}, 1.0, "key")
            store.audit(f"filling {number}", detail="x" * 200)

    with pytest.raises(StoreFull, match=r"disk .* is full"):
        fill()
    store._db.execute("PRAGMA max_page_count = 1000000")
    store.answer(job, ada, lease.task, RIGHT, 1.0, "key")
    assert len(store.votes(job)) == 2


@pytest.mark.parametrize(
    ("name", "tasks", "sentence"),
    [
        ("empty", [], "would have no tasks"),
        ("only-gold", [NewTask("g", {}, b"", gold=RIGHT)], "would have no tasks"),
        ("words", blank_tasks(1), "There is a job words already"),
        ("../words", blank_tasks(1), "is no name for a job"),
        ("", blank_tasks(1), "is no name for a job"),
    ],
)
def test_a_job_that_cannot_be_is_refused_and_nothing_of_it_stays(
    store: Store, job: Job, name: str, tasks: list[NewTask], sentence: str
) -> None:
    with pytest.raises(BadParams, match=sentence):
        store.add_job(name, load_template("transcribe"), tasks)
    assert [there.name for there in store.jobs()] == ["words"]


def test_files_that_hold_no_jobs_are_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadStore, match="There are no jobs in"):
        Store(tmp_path / "none.db")
    (tmp_path / "text.db").write_text("no database at all, but long enough to be looked at as one" * 20)
    with pytest.raises(BadStore, match="no file of jobs"):
        Store(tmp_path / "text.db")
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE a (b)")
    with pytest.raises(BadStore, match="another version"):
        Store(tmp_path / "other.db")


def test_a_second_server_on_one_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    with (
        only_server(path),
        pytest.raises(BadStore, match=r"Another server has .* process [0-9]+"),
        only_server(path),
    ):
        pass
    with only_server(tmp_path / "jobs.db"):
        pass
