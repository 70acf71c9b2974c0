"""The queue: a table of jobs of which each is leased to one reader at a time, until it is done or given up.

A lease ends by itself unless its holder renews it, so whatever dies, the job is read by somebody else. Only the time
since the machine was started is used for that, so a clock that is set changes nothing; after a restart of the machine
all leases are over.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from sqlite3 import Connection, Row
from typing import Any, Literal

from ocrkit import __version__
from ocrkit.errors import OcrkitError
from ocrkit.options import options_class
from ocrkit.service.database import Database

State = Literal["queued", "reading", "done", "dead", "forgetting"]
STATES: tuple[State, ...] = ("queued", "reading", "done", "dead")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS job (
    place INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    file TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, size INTEGER NOT NULL,
    options TEXT NOT NULL, model TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued', tries INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '',
    boot TEXT NOT NULL DEFAULT '', due REAL NOT NULL DEFAULT 0, lease REAL NOT NULL DEFAULT 0,
    jail INTEGER NOT NULL DEFAULT 0, page INTEGER NOT NULL DEFAULT 0, pages INTEGER NOT NULL DEFAULT 0,
    added REAL NOT NULL, ended REAL NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0,
    waited REAL NOT NULL DEFAULT 0, put REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS job_state ON job(state, place);
CREATE INDEX IF NOT EXISTS job_file ON job(file);
CREATE TABLE IF NOT EXISTS tally (name TEXT PRIMARY KEY, count INTEGER NOT NULL);
"""
_ENDED = "The process that read it ended."
# What reads a document after a failure: the model that stands behind the one that is tried, if one is.
_OTHERWISE = "coalesce(json_extract(model, '$.otherwise'), model)"


class UnknownDocument(OcrkitError):
    """No document has this id."""


@options_class
class JobOptions:
    """What is asked for when a document is handed in.

    Attributes:
        all_pages: else the first `first_pages`.
        keep_doubtful: see `ocrkit.documents.options.ReadOptions`.
        first_pages: the original system's rule: ten pages are the whole of nine in ten PDFs.
    """

    all_pages: bool = False
    keep_doubtful: bool = False
    first_pages: int = 10

    @property
    def most_pages(self) -> int | None:
        """How many pages are read at most."""
        return None if self.all_pages else self.first_pages


@options_class
class QueueOptions:
    """When a job is given to somebody else, and when it is given up.

    Attributes:
        lease_s: a holder that has not renewed its lease for so long is taken to be dead.
        tries: so many readers may fail on a document.
        retry_s: wait after the first, second ... failure; the last holds for all further ones.
    """

    lease_s: float = 30.0
    tries: int = 5
    retry_s: tuple[float, ...] = (60.0, 240.0, 960.0)


@options_class
class Pinned:
    """The model that reads a document, as it was when the document was handed in.

    Attributes:
        folder: where it lies.
        name: of the model.
        identity: of all that decides what it reads; see `ocrkit.recognition.model.identity`.
        version: its number in the registry; `None` where it comes from none.
        engine: name of the engine that runs it.
        otherwise: the model that reads the document where this one fails, or is withdrawn before its turn: the champion
            behind a challenger.
    """

    folder: str
    name: str
    identity: str
    version: int | None = None
    engine: str = "ours"
    otherwise: Pinned | None = None


@dataclass(frozen=True)
class Job:
    """A document on its way.

    Attributes:
        id: a digest of file, model and options: the same for whoever hands in the same.
        file: SHA-256 of its bytes.
        name: as it was handed in.
        kind: "pdf", "jpeg", ...
        size: bytes.
        tries: how often it was given to a reader; with the id, the number of its lease.
        reason: why it was not read, the last time.
        jail: the number of the one that reads it, from 1.
        page: how many pages have been read so far.
        pages: in the result.
        added: when it was handed in, s since 1970.
        ended: when it was done or given up, s since 1970.
        seconds: reading took, the last time.
        waited: s from being handed in to being done.
    """

    id: str
    file: str
    name: str
    kind: str
    size: int
    options: JobOptions
    model: Pinned
    state: State
    tries: int
    reason: str
    jail: int
    page: int
    pages: int
    added: float
    ended: float
    seconds: float
    waited: float


def job_id(file: str, options: JobOptions, model: Pinned) -> str:
    """The digest by which the same file, read by the same code and model in the same way, is known."""
    facts = [file, asdict(options), model.identity, __version__]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def since_start() -> float:
    """Seconds since the machine was started, the same for all its processes; no clock that can be set."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def boot() -> str:
    """Which start of the machine this is; empty where it does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


class Queue:
    """The jobs of one store; any number of processes and threads may use it at once.

    Args:
        path: of the database.
        options: leases and tries.

    Raises:
        StoreFailed: it cannot be opened.
    """

    def __init__(self, path: Path, options: QueueOptions | None = None) -> None:
        self.options = options or QueueOptions()
        self.database = Database(path, _SCHEMA)
        self._boot = boot()

    def put(
        self, file: str, name: str, kind: str, size: int, model: Pinned, options: JobOptions | None = None
    ) -> tuple[Job, bool]:
        """Hand a document in; its job, and whether it is a new one."""
        options = options or JobOptions()
        identity = job_id(file, options, model)
        values = (identity, file, name, kind, size, _json(options), _json(model), time.time(), since_start())
        with self.database.writing() as connection:
            added = connection.execute(
                "INSERT INTO job(id, file, name, kind, size, options, model, added, put) VALUES (?,?,?,?,?,?,?,?,?)"
                " ON CONFLICT(id) DO NOTHING",
                values,
            ).rowcount
            if added:
                _count(connection, "put")
            return _job(connection.execute("SELECT * FROM job WHERE id=?", (identity,)).fetchone()), bool(added)

    def claim(self, jail: int = 1) -> Job | None:
        """The next job that is due, leased to the caller; `None` where there is none."""
        now = since_start()
        with self.database.writing() as connection:
            self._expire(connection, now)
            row = connection.execute(
                "UPDATE job SET state='reading', tries=tries+1, boot=?, lease=?, jail=?, page=0 WHERE place=("
                "SELECT place FROM job WHERE state='queued' AND (due<=? OR boot<>?) ORDER BY place LIMIT 1)"
                " RETURNING *",
                (self._boot, now + self.options.lease_s, jail, now, self._boot),
            ).fetchone()
            if row:
                _count(connection, "claimed")
            return _job(row) if row else None

    def beat(self, job: Job, page: int = 0) -> bool:
        """Renew a lease; whether it still held. `page` is how many have been read by now."""
        with self.database.writing() as connection:
            return self._set(connection, job, "lease=?, page=max(page, ?)", since_start() + self.options.lease_s, page)

    def done(self, job: Job, pages: int, seconds: float, left_out: str = "") -> bool:
        """Say that the result is there, and of which pages it is not; whether the job was still the caller's."""
        with self.database.writing() as connection:
            told = "state='done', reason=?, pages=?, page=?, seconds=?, ended=?, waited=?-put"
            held = self._set(connection, job, told, left_out, pages, pages, seconds, time.time(), since_start())
            if held:
                _count(connection, "done")
                _count(connection, "pages", pages)
            return held

    def failed(self, job: Job, reason: str, for_good: bool = False) -> bool:
        """Say why it could not be read; it is tried again later, unless that is `for_good` or was the last try.

        Where another model stands behind the one that failed, that one reads it, and at once.
        """
        with self.database.writing() as connection:
            if job.model.otherwise:
                told = f"state='queued', model={_OTHERWISE}, reason=?, due=0"
                held = self._set(connection, job, told, f"{reason} {job.model.otherwise.name} reads it instead.")
                name = "retried"
            elif for_good or job.tries >= self.options.tries:
                held = self._set(connection, job, "state='dead', reason=?, ended=?", reason, time.time())
                name = "dead"
            else:
                wait = self.options.retry_s[min(job.tries, len(self.options.retry_s)) - 1]
                held = self._set(connection, job, "state='queued', reason=?, due=?", reason, since_start() + wait)
                name = "retried"
            if held:
                _count(connection, name)
            return held

    def give_back(self, job: Job, reason: str, wait_s: float = 0.0) -> bool:
        """End a lease for a reason that is not the document's fault; the try does not count."""
        told = "state='queued', tries=tries-1, reason=?, due=?"
        with self.database.writing() as connection:
            return self._set(connection, job, told, reason, since_start() + wait_s)

    def withdraw(self, serving: Collection[str]) -> int:
        """Let no document wait for a model that is not tried any more; how many did.

        Args:
            serving: identities of the models that read.
        """
        asked = ",".join("?" * len(serving))
        with self.database.writing() as connection:
            return connection.execute(
                f"UPDATE job SET model={_OTHERWISE} WHERE state='queued' AND json_extract(model, '$.otherwise') NOTNULL"
                f" AND json_extract(model, '$.identity') NOT IN ({asked})",
                list(serving),
            ).rowcount

    def retry(self, identity: str | None = None) -> int:
        """Try dead jobs again, or one of any state but being read; how many there were."""
        where, values = ("state='dead'", ()) if identity is None else ("id=? AND state<>'forgetting'", (identity,))
        with self.database.writing() as connection:
            return connection.execute(
                f"UPDATE job SET state='queued', tries=0, due=0, reason='', boot='' WHERE state<>'reading' AND {where}",
                values,
            ).rowcount

    def job(self, identity: str) -> Job:
        """A job by its id.

        Raises:
            UnknownDocument: there is none.
        """
        with self.database.reading() as connection:
            row = connection.execute("SELECT * FROM job WHERE id=? AND state<>'forgetting'", (identity,)).fetchone()
        return _known(row, identity)

    def jobs(self, state: State | None = None, limit: int = 100) -> list[Job]:
        """Jobs, the newest first, those being read before all others."""
        where, values = ("state<>'forgetting'", ()) if state is None else ("state=?", (state,))
        with self.database.reading() as connection:
            rows = connection.execute(
                f"SELECT * FROM job WHERE {where} ORDER BY state<>'reading', place DESC LIMIT ?", (*values, limit)
            ).fetchall()
        return [_job(row) for row in rows]

    def names(self, identities: Collection[str]) -> dict[str, str]:
        """What documents are called, by their ids."""
        asked = ",".join("?" * len(identities))
        with self.database.reading() as connection:
            rows = connection.execute(f"SELECT id, name FROM job WHERE id IN ({asked})", list(identities)).fetchall()
        return {row["id"]: row["name"] for row in rows}

    def counts(self) -> dict[State, int]:
        """How many jobs are in each state."""
        with self.database.reading() as connection:
            found = dict(connection.execute("SELECT state, count(*) FROM job GROUP BY state").fetchall())
        return {state: found.get(state, 0) for state in STATES}

    def tallies(self) -> dict[str, int]:
        """What has happened since the store was made: put, claimed, done, pages, retried, dead, expired."""
        names = ("put", "claimed", "done", "pages", "retried", "dead", "expired")
        with self.database.reading() as connection:
            found = dict(connection.execute("SELECT name, count FROM tally").fetchall())
        return {name: found.get(name, 0) for name in names}

    def latencies(self, most: int = 1000) -> tuple[list[float], list[float]]:
        """Of the jobs that were done last, seconds of reading, and seconds from being handed in to being done."""
        with self.database.reading() as connection:
            rows = connection.execute(
                "SELECT seconds, waited FROM job WHERE state='done' ORDER BY ended DESC LIMIT ?", (most,)
            ).fetchall()
        return [row[0] for row in rows], [row[1] for row in rows]

    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is being read."""
        counts = self.counts()
        return not counts["queued"] and not counts["reading"]

    def forgetting(self, identity: str) -> Job:
        """Mark a job as one to be forgotten, from when on nobody else sees it; its lease, if any, is over.

        One that is half forgotten is found as well, so that whoever was interrupted can ask again.

        Raises:
            UnknownDocument: there is none.
        """
        with self.database.writing() as connection:
            row = connection.execute("SELECT * FROM job WHERE id=?", (identity,)).fetchone()
            connection.execute("UPDATE job SET state='forgetting', tries=tries+1 WHERE id=?", (identity,))
        return _known(row, identity)

    def half_forgotten(self) -> list[Job]:
        """Jobs of which an interrupted `forgetting` may have left something."""
        return self.jobs("forgetting", limit=1_000_000)

    def forgotten(self, identities: Sequence[str]) -> None:
        """Remove jobs, and every byte of what the table held of them."""
        with self.database.writing() as connection:
            connection.executemany("DELETE FROM job WHERE id=?", [(identity,) for identity in identities])
        self.database.scrub()

    def is_used(self, file: str) -> bool:
        """Whether any job that is kept is of this file."""
        with self.database.reading() as connection:
            row = connection.execute("SELECT 1 FROM job WHERE file=? AND state<>'forgetting'", (file,)).fetchone()
        return row is not None

    def _expire(self, connection: Connection, now: float) -> None:
        over = connection.execute(
            f"UPDATE job SET state=CASE WHEN tries>=? THEN 'dead' ELSE 'queued' END, model={_OTHERWISE}, reason=?,"
            " due=?, ended=CASE WHEN tries>=? THEN ? ELSE 0 END WHERE state='reading' AND (lease<? OR boot<>?)"
            " RETURNING state",
            (self.options.tries, _ENDED, now, self.options.tries, time.time(), now, self._boot),
        ).fetchall()
        if over:
            _count(connection, "expired", len(over))
        if dead := sum(row[0] == "dead" for row in over):
            _count(connection, "dead", dead)

    @staticmethod
    def _set(connection: Connection, job: Job, told: str, *values: Any) -> bool:
        """Change a job that the caller still holds."""
        found = connection.execute(
            f"UPDATE job SET {told} WHERE id=? AND state='reading' AND tries=?", (*values, job.id, job.tries)
        )
        return found.rowcount == 1


def _count(connection: Connection, name: str, more: int = 1) -> None:
    connection.execute(
        "INSERT INTO tally VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET count=count+excluded.count", (name, more)
    )


def _json(options: Any) -> str:
    return json.dumps(asdict(options), sort_keys=True)


def _known(row: Row | None, identity: str) -> Job:
    if row is None:
        raise UnknownDocument(f"There is no document {identity[:40]}: it was never handed in, or is forgotten.")
    return _job(row)


def _job(row: Row) -> Job:
    values: Mapping[str, Any] = dict(row)
    plain = {name: values[name] for name in Job.__dataclass_fields__ if name not in ("options", "model")}
    options, model = json.loads(values["options"]), json.loads(values["model"])
    return Job(**plain, options=JobOptions(**options), model=Pinned(**model))
