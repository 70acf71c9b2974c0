"""Jobs, tasks, people and answers in one SQLite file: who has which task, until when, and what was said.

All of a change is one transaction that is on the disk before anybody is told of it, so a process that is killed loses
nothing that it had confirmed. A task is leased to a person for a while and comes back when the time is over. Everything
that was shown or refused is in the table `audit`, which can only be added to. Of private jobs, what tasks show and what
people answer is sealed, see `ocrkit.labelling.sealed`.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Literal

from pydantic import ValidationError

from ocrkit.errors import BadDataset, BadParams, OcrkitError, quoted
from ocrkit.files import make_folder
from ocrkit.labelling.sealed import Sealer, sealer_of
from ocrkit.labelling.templates import BadAnswer, Template, stored
from ocrkit.metrics import wilson_interval

_VERSION = 1
_BUSY_S = 10.0
GOLD_LEAST = 5  # gold answers before anybody is judged by them
_INVITATION_S = 7 * 24 * 3600.0
_IDLE_S = 15 * 60.0
_SESSION_S = 12 * 3600.0
_SHOWN = "task"  # what the content of a task is sealed as

_SCHEMA = """
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, template TEXT NOT NULL, source TEXT NOT NULL,
    form TEXT NOT NULL, private INTEGER NOT NULL, about TEXT NOT NULL, created REAL NOT NULL
) STRICT;
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY, job INTEGER NOT NULL REFERENCES jobs, place INTEGER NOT NULL, key TEXT NOT NULL,
    document TEXT NOT NULL, content TEXT NOT NULL, picture BLOB, gold TEXT, random INTEGER NOT NULL,
    need INTEGER NOT NULL, UNIQUE (job, key)
) STRICT;
CREATE INDEX open_tasks ON tasks (job, place) WHERE need > 0 AND gold IS NULL;
CREATE INDEX gold_tasks ON tasks (job) WHERE gold IS NOT NULL;
CREATE TABLE workers (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, pool TEXT NOT NULL, state TEXT NOT NULL, created REAL NOT NULL,
    nda TEXT NOT NULL DEFAULT '', nda_at REAL, credential BLOB, public_key BLOB, signs INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE invitations (
    digest TEXT PRIMARY KEY, worker INTEGER NOT NULL REFERENCES workers, until REAL NOT NULL, used INTEGER NOT NULL
) STRICT;
CREATE TABLE sessions (
    digest TEXT PRIMARY KEY, worker INTEGER NOT NULL REFERENCES workers, csrf TEXT NOT NULL, begun REAL NOT NULL,
    seen REAL NOT NULL
) STRICT;
CREATE TABLE challenges (digest TEXT PRIMARY KEY, worker INTEGER, until REAL NOT NULL) STRICT;
CREATE TABLE leases (
    task INTEGER NOT NULL REFERENCES tasks, worker INTEGER NOT NULL REFERENCES workers, job INTEGER NOT NULL,
    until REAL NOT NULL, PRIMARY KEY (task, worker)
) STRICT;
CREATE INDEX leases_of ON leases (worker, job);
CREATE INDEX leases_until ON leases (until);
CREATE TABLE answers (
    id INTEGER PRIMARY KEY, job INTEGER NOT NULL, task INTEGER NOT NULL REFERENCES tasks,
    worker INTEGER NOT NULL REFERENCES workers, key TEXT NOT NULL, value TEXT NOT NULL, seconds REAL NOT NULL,
    at REAL NOT NULL, UNIQUE (task, worker), UNIQUE (worker, key)
) STRICT;
CREATE INDEX answers_of ON answers (job, worker);
CREATE TABLE sent (
    job INTEGER NOT NULL REFERENCES jobs, pool TEXT NOT NULL, task INTEGER, remote TEXT NOT NULL, usd REAL NOT NULL,
    at REAL NOT NULL, UNIQUE (pool, task), UNIQUE (pool, remote)
) STRICT;
CREATE TABLE audit (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, worker INTEGER, address TEXT NOT NULL, what TEXT NOT NULL,
    job INTEGER, task INTEGER, detail TEXT NOT NULL
) STRICT;
CREATE INDEX audit_refused ON audit (address, at) WHERE what LIKE 'refused%';
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
"""


class BadStore(BadDataset):
    """A file of jobs that cannot be used: another version's, damaged, or no such file."""


class StoreFull(OcrkitError):
    """The disk is full; what was to be written is not, and all that was before stays."""


class Refused(OcrkitError):
    """Something that this person may not do; it is in the audit."""


class LeaseOver(Refused):
    """An answer to a task that the person does not have, or no longer has."""


State = Literal["active", "paused", "dismissed"]


@dataclass(frozen=True, eq=False)
class NewTask:
    """A task before it has a number.

    Attributes:
        key: tells tasks of one job apart, such as a digest of the pixels.
        content: what the page shows: `reading`, `confidence`, `candidates`, `boxes`; and `quad`, where it was cut.
        picture: PNG; `None` for private ones, which never lie in the file.
        document: that it was cut from.
        gold: the right answer, where it is known and people are to be tested by it.
        random: whether it stands in its place by chance.
    """

    key: str
    content: Mapping[str, Any]
    picture: bytes | None = field(repr=False, default=None)
    document: str = ""
    gold: Mapping[str, Any] | None = None
    random: bool = False


@dataclass(frozen=True)
class Job:
    """A job as it was made.

    Attributes:
        about: its provenance: order, models, seed, digest of the tasks.
    """

    id: int
    name: str
    template: Template
    source: str
    form: str
    private: bool
    about: Mapping[str, Any]
    created: float


@dataclass(frozen=True)
class Worker:
    """A person, or one of a crowd by the pool's name for them."""

    id: int
    name: str
    pool: str
    state: State
    nda: str
    registered: bool


@dataclass(frozen=True)
class Lease:
    """A task that a person has until `until`, s since 1970."""

    task: int
    key: str
    content: Mapping[str, Any]
    picture: bytes | None = field(repr=False)
    until: float


@dataclass(frozen=True)
class Vote:
    """An answer as the aggregation takes it."""

    task: int
    worker: int
    value: Mapping[str, Any]
    seconds: float
    at: float
    gold: Mapping[str, Any] | None


@dataclass(frozen=True)
class Session:
    """A login."""

    worker: Worker
    csrf: str


class Store:
    """The file of all jobs.

    Args:
        path: of the file, which is made where it is missing unless `make` is false; `None` keeps all in memory.
        make: make a missing file.
        clock: seconds since 1970.
        sealer: what seals the texts of private jobs, by their source.

    Raises:
        BadStore: it cannot be used.
    """

    def __init__(
        self,
        path: Path | None,
        make: bool = False,
        clock: Callable[[], float] = time.time,
        sealer: Callable[[str], Sealer] = sealer_of,
    ) -> None:
        self.path, self._clock, self._depth = path, clock, 0
        self._sealer = cache(sealer)
        if path is not None:
            if not make and not path.is_file():
                raise BadStore(f"There are no jobs in {path}: make one with `ocrkit label new`.")
            make_folder(path.parent)
        try:
            self._db = sqlite3.connect(
                path or ":memory:", timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA foreign_keys = ON")
            with self._write():
                version = self._one("PRAGMA user_version")[0]
                if version == 0 and not self._one("SELECT count(*) FROM sqlite_schema")[0]:
                    for statement in _statements(_SCHEMA):
                        self._db.execute(statement)
                    version = _VERSION
                    self._db.execute(f"PRAGMA user_version = {_VERSION}")
        except sqlite3.Error as error:
            raise BadStore(f"{path} is no file of jobs, or is damaged: {error}.") from None
        if path is not None:
            with suppress(OSError):
                os.chmod(path, 0o600)
        if version != _VERSION:
            raise BadStore(f"{path} was written by another version of ocrkit.")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- jobs ---------------------------------------------------------------------------------------------------------

    def check_new(self, name: str) -> None:
        """Make sure, before long work, that a new job may have a name.

        Raises:
            BadParams: it is no name, or another job has it.
        """
        if not name or len(name) > 80 or not all(c.isalnum() or c in "-_." for c in name) or name.startswith("."):
            raise BadParams(f"{quoted(name)} is no name for a job: letters, figures, dots, - and _ are taken.")
        if self._db.execute("SELECT 1 FROM jobs WHERE name = ?", (name,)).fetchone():
            raise BadParams(f"There is a job {name} already: choose another name.")

    def add_job(
        self,
        name: str,
        template: Template,
        tasks: Iterable[NewTask],
        source: str = "",
        form: str = "",
        private: bool = False,
        about: Mapping[str, Any] | None = None,
    ) -> Job:
        """Keep a job and its tasks, in the order in which they are to be answered; all or nothing.

        Raises:
            BadParams: see `check_new`; or it has no tasks.
        """
        with self._write():
            self.check_new(name)
            row = (name, _json(stored(template)), source, form, int(private), _json(dict(about or {})), self._clock())
            sql = (
                "INSERT INTO jobs (name, template, source, form, private, about, created) VALUES (?, ?, ?, ?, ?, ?, ?)"
            )
            self._db.execute(sql, row)
            job = self.job(name)
            there: set[str] = set()
            for place, task in enumerate(tasks):
                if task.key in there:
                    continue
                there.add(task.key)
                gold = None if task.gold is None else _json(task.gold)
                need = 0 if gold else template.redundancy
                content = self._kept(job, task.key, _SHOWN, _json(task.content), gold)
                picture = task.picture if gold or not private else None
                self._db.execute(
                    "INSERT INTO tasks (job, place, key, document, content, picture, gold, random, need)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (job.id, place, task.key, task.document, content, picture, gold, int(task.random), need),
                )
            if not self._one("SELECT count(*) FROM tasks WHERE job = ? AND gold IS NULL", job.id)[0]:
                raise BadParams(f"The job {name} would have no tasks.")
        return job

    def jobs(self) -> list[Job]:
        """All jobs, the oldest first."""
        return [self._job(row) for row in self._db.execute("SELECT * FROM jobs ORDER BY id")]

    def job(self, name: str) -> Job:
        """The job of that name.

        Raises:
            BadParams: there is none.
            BadStore: its template was changed to none.
        """
        row = self._db.execute("SELECT * FROM jobs WHERE name = ?", (name,)).fetchone()
        if row is None:
            there = ", ".join(job.name for job in self.jobs()) or "none yet"
            raise BadParams(f"There is no job {quoted(name)}; jobs: {there}.")
        return self._job(row)

    def _job(self, row: sqlite3.Row) -> Job:
        try:
            template = Template.model_validate_json(row["template"])
            about = json.loads(row["about"])
        except (ValidationError, ValueError):
            raise BadStore(f"The job {row['name']} in {self.path} is damaged.") from None
        return Job(
            row["id"], row["name"], template, row["source"], row["form"], bool(row["private"]), about, row["created"]
        )

    def tasks(self, job: Job) -> list[dict[str, Any]]:
        """Every task of a job in its order, as a table: id, key, document, content, gold, random, need.

        The content is empty where a donor has withdrawn.
        """
        rows = self._db.execute(
            "SELECT id, key, document, content, gold, random, need FROM tasks WHERE job = ? ORDER BY place", (job.id,)
        ).fetchall()
        contents = self._opened(job, [(row["key"], _SHOWN, row["content"], row["gold"]) for row in rows])
        return [
            {**dict(row), "content": self._parsed(content), "gold": json.loads(row["gold"] or "null")}
            for row, content in zip(rows, contents)
        ]

    def picture(self, task: int) -> bytes | None:
        """The picture of a task; `None` where it is private."""
        return self._one("SELECT picture FROM tasks WHERE id = ?", task)[0]

    def votes(self, job: Job) -> list[Vote]:
        """All answers of a job, in the order in which they came, but for those whose donor has withdrawn."""
        rows = self._db.execute(
            "SELECT a.task, a.worker, a.value, a.seconds, a.at, t.key, t.gold FROM answers a"
            " JOIN tasks t ON t.id = a.task WHERE a.job = ? ORDER BY a.id",
            (job.id,),
        ).fetchall()
        return [
            Vote(r["task"], r["worker"], self._parsed(value), r["seconds"], r["at"], json.loads(r["gold"] or "null"))
            for r, value in zip(rows, self._answers(job, rows))
            if value is not None
        ]

    def progress(self, job: Job) -> dict[str, int]:
        """How many tasks there are, how many have all the answers they need, and how many answers there are."""
        tasks, done = self._one(
            "SELECT count(*), coalesce(sum(need <= 0 AND NOT EXISTS"
            " (SELECT 1 FROM leases l WHERE l.task = tasks.id)), 0) FROM tasks WHERE job = ? AND gold IS NULL",
            job.id,
        )
        answers, people = self._one("SELECT count(*), count(DISTINCT worker) FROM answers WHERE job = ?", job.id)
        return {"tasks": tasks, "done": done, "answers": answers, "people": people}

    def answered(self, job: Job, worker: Worker) -> int:
        """How many answers of a job are this person's."""
        return int(self._one("SELECT count(*) FROM answers WHERE job = ? AND worker = ?", job.id, worker.id)[0])

    def statistics(self, job: Job, worker: Worker) -> dict[str, Any]:
        """How far a job is; how often this person's answers are those of others; errors of ours that they found.

        `errors` holds, for each word that they answered and we had read, whether our reading was wrong: its running sum
        is the curve that grows while people label.
        """
        rows = self._db.execute(
            "SELECT a.task, a.worker, a.value, t.key, t.gold, t.content FROM answers a JOIN tasks t ON t.id = a.task"
            " WHERE a.job = ? AND a.task IN (SELECT task FROM answers WHERE job = ? AND worker = ?) ORDER BY a.id",
            (job.id, job.id, worker.id),
        ).fetchall()
        values = self._answers(job, rows)
        own = {row["task"]: value for row, value in zip(rows, values) if row["worker"] == worker.id}
        others = [own[row["task"]] == value for row, value in zip(rows, values) if value and row["worker"] != worker.id]
        asked = [row for row in rows if row["worker"] == worker.id and row["gold"] is None]
        contents = self._opened(job, [(row["key"], _SHOWN, row["content"], None) for row in asked])
        read = [(self._parsed(content).get("reading"), own[row["task"]]) for row, content in zip(asked, contents)]
        return {
            **self.progress(job),
            "agreement": sum(others) / len(others) if others else None,
            "errors": [int(self._parsed(value).get("text") != reading) for reading, value in read if reading and value],
        }

    # --- people -------------------------------------------------------------------------------------------------------

    def worker(self, name: str, pool: str, make: bool = False) -> Worker:
        """The person of that name, made where `make` says so.

        Raises:
            BadParams: there is none.
            Refused: the name belongs to a person of another pool.
        """
        row = self._db.execute("SELECT * FROM workers WHERE name = ?", (name,)).fetchone()
        if row is None:
            if not make:
                raise BadParams(f"Nobody is called {quoted(name)}.")
            if not name.strip() or len(name) > 120 or not name.isprintable():
                raise BadParams("A name has 1 to 120 characters.")
            with self._write():
                self._db.execute(
                    "INSERT INTO workers (name, pool, state, created) VALUES (?, ?, 'active', ?)",
                    (name, pool, self._clock()),
                )
            return self.worker(name, pool)
        if row["pool"] != pool:
            self.refuse("another pool", worker=row["id"], detail=pool)
            raise Refused(f"{quoted(name)} is of the pool {row['pool']}, not {pool}.")
        return _worker(row)

    def people(self) -> list[Worker]:
        """Everybody, in the order in which they came."""
        return [_worker(row) for row in self._db.execute("SELECT * FROM workers ORDER BY id")]

    def person(self, name: str) -> Worker:
        """The person of that name in whatever pool.

        Raises:
            BadParams: there is none.
        """
        for worker in self.people():
            if worker.name == name:
                return worker
        raise BadParams(f"Nobody is called {quoted(name)}.")

    def set_state(self, worker: Worker, state: State, why: str = "") -> None:
        """Pause, dismiss or take back a person; who is not active has neither a login nor a task from then on."""
        with self._write():
            self._db.execute("UPDATE workers SET state = ? WHERE id = ?", (state, worker.id))
            if state != "active":
                # Over rather than gone, so that the audit can say whose session was refused.
                self._db.execute("UPDATE sessions SET seen = 0 WHERE worker = ?", (worker.id,))
                self._give_back("worker = ?", (worker.id,))
            if state == "dismissed":
                self._db.execute("DELETE FROM invitations WHERE worker = ?", (worker.id,))
            self.audit(state, worker=worker.id, detail=why)

    def accept_nda(self, worker: Worker, digest: str) -> None:
        """Record that a person accepted the agreement of that SHA-256."""
        with self._write():
            self._db.execute("UPDATE workers SET nda = ?, nda_at = ? WHERE id = ?", (digest, self._clock(), worker.id))
            self.audit("nda accepted", worker=worker.id, detail=digest)

    def invite(self, name: str, pool: str) -> str:
        """A secret with which a person, new or known, can register a passkey once, within a week.

        An earlier passkey of theirs is no longer taken once they have registered the new one.
        """
        worker = self.worker(name, pool, make=True)
        if worker.state == "dismissed":
            raise BadParams(f"{name} is dismissed: take them back first.")
        secret = secrets.token_urlsafe(24)
        with self._write():
            self._db.execute("DELETE FROM invitations WHERE worker = ? AND used = 0", (worker.id,))
            self._db.execute(
                "INSERT INTO invitations (digest, worker, until, used) VALUES (?, ?, ?, 0)",
                (_digest(secret), worker.id, self._clock() + _INVITATION_S),
            )
            self.audit("invited", worker=worker.id)
        return secret

    def invited(self, secret: str) -> Worker | None:
        """Whom an invitation is for, as long as it holds."""
        sql = (
            "SELECT w.* FROM invitations i JOIN workers w ON w.id = i.worker"
            " WHERE i.digest = ? AND i.used = 0 AND i.until > ?"
        )
        row = self._db.execute(sql, (_digest(secret), self._clock())).fetchone()
        return _worker(row) if row and row["state"] == "active" else None

    def register(self, secret: str, credential: bytes, public_key: bytes, signs: int) -> Worker | None:
        """Use up an invitation and keep the passkey that was made with it."""
        with self._write():
            worker = self.invited(secret)
            if worker is None:
                return None
            self._db.execute("UPDATE invitations SET used = 1 WHERE digest = ?", (_digest(secret),))
            self._db.execute(
                "UPDATE workers SET credential = ?, public_key = ?, signs = ? WHERE id = ?",
                (credential, public_key, signs, worker.id),
            )
            self._db.execute("DELETE FROM sessions WHERE worker = ?", (worker.id,))
            self.audit("registered", worker=worker.id)
        return worker

    def passkey(self, credential: bytes) -> tuple[Worker, bytes, int] | None:
        """Whose passkey that is, its public key, and how often it has signed."""
        row = self._db.execute("SELECT * FROM workers WHERE credential = ?", (credential,)).fetchone()
        return (_worker(row), row["public_key"], row["signs"]) if row else None

    def add_challenge(self, challenge: bytes, worker: Worker | None = None, seconds: float = 120.0) -> None:
        """Remember a challenge that may be answered once."""
        with self._write():
            self._db.execute("DELETE FROM challenges WHERE until < ?", (self._clock(),))
            row = (_digest(challenge), worker and worker.id, self._clock() + seconds)
            self._db.execute("INSERT INTO challenges (digest, worker, until) VALUES (?, ?, ?)", row)

    def use_challenge(self, challenge: bytes, worker: Worker | None = None) -> bool:
        """Whether a challenge was made for this person, or for nobody yet, and never answered; now it is."""
        sql = "DELETE FROM challenges WHERE digest = ? AND worker IS ? AND until > ?"
        with self._write():
            return self._db.execute(sql, (_digest(challenge), worker and worker.id, self._clock())).rowcount == 1

    def open_session(self, worker: Worker, signs: int | None = None, address: str = "") -> tuple[str, str]:
        """Log a person in; returns the secret of the cookie and the token against forged requests."""
        secret, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        now = self._clock()
        with self._write():
            self._db.execute("DELETE FROM sessions WHERE begun < ?", (now - _SESSION_S,))
            if signs is not None:
                self._db.execute("UPDATE workers SET signs = ? WHERE id = ?", (signs, worker.id))
            self._db.execute(
                "INSERT INTO sessions (digest, worker, csrf, begun, seen) VALUES (?, ?, ?, ?, ?)",
                (_digest(secret), worker.id, csrf, now, now),
            )
            self.audit("logged in", worker=worker.id, address=address)
        return secret, csrf

    def session(self, secret: str) -> Session | None:
        """The login of a cookie; `None` after a quarter of an hour without a request, half a day, or a dismissal."""
        now = self._clock()
        sql = (
            "SELECT s.csrf, s.seen AS seen_at, s.digest AS session, w.* FROM sessions s"
            " JOIN workers w ON w.id = s.worker WHERE s.digest = ? AND s.seen >= ? AND s.begun >= ?"
        )
        row = self._db.execute(sql, (_digest(secret), now - _IDLE_S, now - _SESSION_S)).fetchone()
        if row is None or row["state"] != "active":
            return None
        if now - row["seen_at"] > 30:  # to the half minute, as each costs a write to the disk
            with self._write():
                self._db.execute("UPDATE sessions SET seen = ? WHERE digest = ?", (now, row["session"]))
        return Session(_worker(row), row["csrf"])

    def session_owner(self, secret: str) -> int | None:
        """Whose a session that is over, or not, is, for the audit."""
        row = self._db.execute("SELECT worker FROM sessions WHERE digest = ?", (_digest(secret),)).fetchone()
        return row[0] if row else None

    def close_session(self, secret: str) -> None:
        """Log out; the task that the person had is free again."""
        with self._write():
            if (worker := self.session_owner(secret)) is not None:
                self._db.execute("DELETE FROM sessions WHERE digest = ?", (_digest(secret),))
                self._give_back("worker = ?", (worker,))
                self.audit("logged out", worker=worker)

    # --- tasks and answers --------------------------------------------------------------------------------------------

    def lease(self, job: Job, worker: Worker, address: str = "") -> Lease | None:
        """The one task that a person has now, or else the next; `None` where none is left for them.

        Raises:
            Refused: the person is paused or dismissed.
        """
        now = self._clock()
        with self._write():
            self._must_be_active(worker, job)
            self._give_back("until < ?", (now,))
            row = self._db.execute(
                "SELECT t.*, l.until FROM leases l JOIN tasks t ON t.id = l.task WHERE l.worker = ? AND l.job = ?",
                (worker.id, job.id),
            ).fetchone()
            until = row["until"] if row else now + job.template.lease_s
            if row is None:
                row = self._gold_for(job, worker) or self._unanswered(job, worker, "need > 0 AND gold IS NULL")
                if row is None:
                    return None
                self._db.execute(
                    "INSERT INTO leases (task, worker, job, until) VALUES (?, ?, ?, ?)",
                    (row["id"], worker.id, job.id, until),
                )
                if row["gold"] is None:
                    self._db.execute("UPDATE tasks SET need = need - 1 WHERE id = ?", (row["id"],))
            self.audit("shown", worker=worker.id, address=address, job=job.id, task=row["id"])
            (content,) = self._opened(job, [(row["key"], _SHOWN, row["content"], row["gold"])])
        return Lease(row["id"], row["key"], self._parsed(content), row["picture"], until)

    def _unanswered(self, job: Job, worker: Worker, which: str) -> sqlite3.Row | None:
        """The first of those tasks that a person has not answered."""
        return self._db.execute(
            f"SELECT * FROM tasks WHERE job = ? AND {which} AND NOT EXISTS"
            " (SELECT 1 FROM answers a WHERE a.task = tasks.id AND a.worker = ?) ORDER BY place LIMIT 1",
            (job.id, worker.id),
        ).fetchone()

    def _gold_for(self, job: Job, worker: Worker) -> sqlite3.Row | None:
        """A task whose answer is known, as often as the template asks, at a moment that nobody can foresee."""
        share = job.template.gold_share
        if not share:
            return None
        answered, of_gold = self._one(
            "SELECT count(*), count(t.gold) FROM answers a JOIN tasks t ON t.id = a.task"
            " WHERE a.job = ? AND a.worker = ?",
            job.id,
            worker.id,
        )
        chance = Random(f"{job.id}/{worker.id}/{answered}").random()
        if of_gold >= share * (answered + 1) + 1 or chance >= 2 * share:
            return None
        return self._unanswered(job, worker, "gold IS NOT NULL")

    def answer(
        self, job: Job, worker: Worker, task: int, value: Any, seconds: float, key: str, address: str = ""
    ) -> None:
        """Keep an answer; the same `key` again changes nothing, as a reply may be lost after the answer was kept.

        Raises:
            BadAnswer: not one that the template allows, or without a key; the person keeps the task.
            Withdrawn: the donor of the page has taken it back; nothing is kept.
            LeaseOver: the person does not have that task, or its time is over.
            Refused: the person is paused or dismissed.
        """
        if not (isinstance(key, str) and 0 < len(key) <= 80 and key.isascii() and key.isprintable()):
            raise BadAnswer("An answer needs a key of its own.")
        with self._write():
            self._must_be_active(worker, job)
            if self._db.execute("SELECT 1 FROM answers WHERE worker = ? AND key = ?", (worker.id, key)).fetchone():
                return
            lease = self._db.execute(
                "SELECT l.until, t.gold FROM leases l JOIN tasks t ON t.id = l.task"
                " WHERE l.task = ? AND l.worker = ? AND l.job = ?",
                (task, worker.id, job.id),
            ).fetchone()
            over = lease is not None and lease["until"] < self._clock()
            if lease is not None and not over:
                checked = job.template.checked(value)
                self._insert(job, worker, task, checked, seconds, key)
                self._db.execute("DELETE FROM leases WHERE task = ? AND worker = ?", (task, worker.id))
        if lease is None or over:
            self.refuse("lease is over" if over else "not their task", worker.id, address, job.id, task)
            raise LeaseOver(
                "The time for this task was over before the answer came; it goes back to the others."
                if over
                else "This is not the task that you have now."
            )
        if lease["gold"] is not None:
            self._judge(job, worker)

    def drop(self, job: Job, task: int, why: str) -> None:
        """Ask nobody about a task any more, as its picture cannot be shown."""
        with self._write():
            self._db.execute("DELETE FROM leases WHERE task = ?", (task,))
            self._db.execute("UPDATE tasks SET need = 0 WHERE id = ?", (task,))
            self.audit("not shown", job=job.id, task=task, detail=why)

    def record(self, job: Job, worker: Worker, task: int, value: Any, seconds: float, key: str) -> bool:
        """Keep an answer that came without a lease, from a crowd; whether it is new.

        Raises:
            BadAnswer: not one that the template allows.
        """
        checked = job.template.checked(value)
        with self._write():
            if self._db.execute(
                "SELECT 1 FROM answers WHERE worker = ? AND (key = ? OR task = ?)", (worker.id, key, task)
            ).fetchone():
                return False
            self._insert(job, worker, task, checked, seconds, key)
            self._db.execute("UPDATE tasks SET need = need - 1 WHERE id = ? AND gold IS NULL", (task,))
        return True

    def _insert(self, job: Job, worker: Worker, task: int, checked: dict[str, Any], seconds: float, key: str) -> None:
        its = self._one("SELECT key, gold FROM tasks WHERE id = ?", task)
        value = self._kept(job, its["key"], _answer(worker.id), _json(checked), its["gold"])
        kept = min(float(seconds), 86_400.0) if seconds > 0 else 0.0  # which NaN is not
        self._db.execute(
            "INSERT INTO answers (job, task, worker, key, value, seconds, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (job.id, task, worker.id, key, value, kept, self._clock()),
        )

    def undo(self, job: Job, worker: Worker) -> bool:
        """Take back the last answer of a person and give them its task again.

        Returns:
            Whether there was one.
        """
        now = self._clock()
        with self._write():
            self._must_be_active(worker, job)
            row = self._db.execute(
                "SELECT a.id, a.task, t.gold FROM answers a JOIN tasks t ON t.id = a.task"
                " WHERE a.job = ? AND a.worker = ? ORDER BY a.id DESC LIMIT 1",
                (job.id, worker.id),
            ).fetchone()
            if row is None or row["gold"] is not None:  # else whoever is told that it was gold tries again
                return False
            self._give_back("worker = ? AND job = ?", (worker.id, job.id))
            self._db.execute("DELETE FROM answers WHERE id = ?", (row["id"],))
            self._db.execute(
                "INSERT INTO leases (task, worker, job, until) VALUES (?, ?, ?, ?)",
                (row["task"], worker.id, job.id, now + job.template.lease_s),
            )
            self.audit("taken back", worker=worker.id, job=job.id, task=row["task"])
        return True

    def _give_back(self, which: str, values: tuple[Any, ...]) -> None:
        """End leases; their tasks need an answer more again."""
        self._db.execute(
            f"UPDATE tasks SET need = need + (SELECT count(*) FROM leases WHERE task = tasks.id AND {which})"
            f" WHERE gold IS NULL AND id IN (SELECT task FROM leases WHERE {which})",
            values * 2,
        )
        self._db.execute(f"DELETE FROM leases WHERE {which}", values)

    def _must_be_active(self, worker: Worker, job: Job) -> None:
        state = self._one("SELECT state FROM workers WHERE id = ?", worker.id)[0]
        if state != "active":
            self.audit(f"refused: {state}", worker=worker.id, job=job.id)
            raise Refused(
                "You are paused: please ask who invited you." if state == "paused" else "Your access has ended."
            )

    def _judge(self, job: Job, worker: Worker) -> None:
        """Pause whom the gold tasks show to be surely worse than the template asks."""
        right, count = self.gold_score(job, worker)
        wanted = job.template.gold_accuracy
        if count >= GOLD_LEAST and wilson_interval(right, count).high < wanted:
            self.set_state(worker, "paused", f"{right} of {count} gold tasks of {job.name} right, {wanted:.0%} wanted")

    def gold_score(self, job: Job, worker: Worker) -> tuple[int, int]:
        """How many gold tasks a person answered right, and how many at all."""
        rows = self._db.execute(
            "SELECT a.value, t.gold FROM answers a JOIN tasks t ON t.id = a.task"
            " WHERE a.job = ? AND a.worker = ? AND t.gold IS NOT NULL",
            (job.id, worker.id),
        ).fetchall()
        return sum(json.loads(r["value"]) == json.loads(r["gold"]) for r in rows), len(rows)

    # --- what was sent to a crowd -------------------------------------------------------------------------------------

    def add_sent(self, job: Job, pool: str, task: int | None, remote: str, usd: float) -> None:
        """Record that a task, or the whole job, is at a crowd under the name `remote`, for `usd`."""
        with self._write():
            self._db.execute(
                "INSERT INTO sent (job, pool, task, remote, usd, at) VALUES (?, ?, ?, ?, ?, ?)",
                (job.id, pool, task, remote, usd, self._clock()),
            )
            self.audit("sent", job=job.id, task=task, detail=f"{pool} {remote}")

    def sent(self, job: Job, pool: str | None = None) -> list[dict[str, Any]]:
        """What of a job is at a crowd."""
        rows = self._db.execute(
            "SELECT * FROM sent WHERE job = ? AND (? IS NULL OR pool = ?) ORDER BY at", (job.id, pool, pool)
        )
        return [dict(row) for row in rows]

    # --- audit --------------------------------------------------------------------------------------------------------

    def audit(
        self,
        what: str,
        worker: int | None = None,
        address: str = "",
        job: int | None = None,
        task: int | None = None,
        detail: str = "",
    ) -> None:
        """Add a line to the audit."""
        with self._write():
            self._db.execute(
                "INSERT INTO audit (at, worker, address, what, job, task, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (self._clock(), worker, address, what, job, task, detail[:200]),
            )

    def refuse(
        self,
        what: str,
        worker: int | None = None,
        address: str = "",
        job: int | None = None,
        task: int | None = None,
        detail: str = "",
    ) -> None:
        """Add a refusal to the audit."""
        self.audit(f"refused: {what}", worker, address, job, task, detail)

    def refusals(self, address: str, seconds: float) -> int:
        """How often an address was refused of late."""
        sql = "SELECT count(*) FROM audit WHERE address = ? AND at > ? AND what LIKE 'refused%'"
        return int(self._db.execute(sql, (address, self._clock() - seconds)).fetchone()[0])

    def audited(self, what: str = "") -> list[dict[str, Any]]:
        """The audit, or its lines that begin with `what`."""
        rows = self._db.execute(
            "SELECT a.*, w.name FROM audit a LEFT JOIN workers w ON w.id = a.worker WHERE what LIKE ? ORDER BY a.id",
            (what + "%",),
        )
        return [dict(row) for row in rows]

    @contextmanager
    def together(self) -> Iterator[None]:
        """Several changes as one, which costs one write to the disk."""
        with self._write():
            yield

    # --- what is private ----------------------------------------------------------------------------------------------

    def _kept(self, job: Job, key: str, what: str, text: str, gold: str | None) -> str:
        """A text about a task as the file holds it; gold is of public pictures in private jobs too."""
        if not job.private or gold is not None:
            return text
        return self._sealer(job.source).seal(key, f"{job.name}|{what}", text)

    def _opened(self, job: Job, rows: Sequence[tuple[str, str, str, str | None]]) -> list[str | None]:
        """What `_kept` kept (key, what, text, gold); `None` where the donor has withdrawn."""
        sealed = [(key, f"{job.name}|{what}", text) for key, what, text, gold in rows if job.private and gold is None]
        opened = iter(self._sealer(job.source).unseal(sealed) if sealed else ())
        return [next(opened) if job.private and gold is None else text for *_, text, gold in rows]

    def _parsed(self, text: str | None) -> dict[str, Any]:
        """What was kept as JSON; empty where the donor has withdrawn."""
        try:
            return dict(json.loads(text or "{}"))
        except ValueError:  # such as what was sealed in a job that is not private any more
            raise BadStore(f"{self.path} was changed by somebody else: a task or an answer in it is damaged.") from None

    def _answers(self, job: Job, rows: Sequence[sqlite3.Row]) -> list[str | None]:
        """The values of answers, `None` where the donor has withdrawn."""
        return self._opened(job, [(r["key"], _answer(r["worker"]), r["value"], r["gold"]) for r in rows])

    # --- SQLite -------------------------------------------------------------------------------------------------------

    @contextmanager
    def _write(self) -> Iterator[None]:
        """One transaction, on the disk when it is left; those within are a part of it.

        Raises:
            StoreFull: the disk is full.
            BadStore: the file is locked for long, or damaged.
        """
        if self._depth:
            yield
            return
        refused: Refused | None = None
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
            except Refused as error:  # what the audit says about it is to be kept
                refused = error
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if "full" in str(error):
                raise StoreFull(f"The disk that {self.path} lies on is full: make room; nothing is lost.") from None
            raise BadStore(f"{self.path} cannot be written: {error}.") from None
        finally:
            self._depth = 0
            if self._db.in_transaction:  # SQLite itself has ended it where the disk was full
                self._db.execute("ROLLBACK")
        if refused:
            raise refused

    def _one(self, sql: str, *values: Any) -> sqlite3.Row:
        row: sqlite3.Row = self._db.execute(sql, values).fetchone()
        return row


@contextmanager
def only_server(path: Path) -> Iterator[None]:
    """Hold the file of jobs for one server at a time.

    Raises:
        BadStore: another server has it.
    """
    import fcntl

    make_folder(path.parent)
    with path.with_name(f"{path.name}.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise BadStore(
                f"Another server has {path}, process {file.read().strip() or 'unknown'}: stop it first."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _answer(worker: int) -> str:
    """What an answer is sealed as, so that nobody can give it to another person."""
    return f"answer {worker}"


def _worker(row: sqlite3.Row) -> Worker:
    return Worker(row["id"], row["name"], row["pool"], row["state"], row["nda"], row["credential"] is not None)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _digest(secret: str | bytes) -> str:
    """What is kept of a secret, so that a copy of the file opens nothing."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else secret).hexdigest()
