"""The service under load: throughput, killed processes, an index of many pages, and many clients at once."""

from __future__ import annotations

import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from ocrkit.errors import OcrkitError
from ocrkit.service import intake
from ocrkit.service.app import FaceOptions
from ocrkit.service.index import Index
from ocrkit.service.jail import Jails, Refused
from ocrkit.service.queue import JobOptions, Queue, QueueOptions
from ocrkit.service.readers import WorkOptions
from ocrkit.service.results import StoredWord
from ocrkit.service.store import Store
from ocrkit.service.work import Work
from ocrkit.synth.corpus import build_vocabulary

Shown = Callable[[int], object]  # called with how much more is done

_LETTERS = "aaabcdeeeefghiiijklmnnoooprrssttuvwyz"
_PATIENCE_S = 1800.0


def drawn(number: int, words: int = 12) -> bytes:
    """Invented words on a small page, as PNG; always the same for a number."""
    r = random.Random(number)
    page = np.full((60 + 40 * -(-words // 4), 460), 255, np.uint8)
    for place in range(words):
        text = "".join(r.choice(_LETTERS) for _ in range(r.randint(3, 7)))
        at = (20 + 110 * (place % 4), 50 + 40 * (place // 4))
        cv2.putText(page, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.65, 0, 1, cv2.LINE_AA)
    return cv2.imencode(".png", page)[1].tobytes()


@dataclass(frozen=True)
class Throughput:
    """The same files read by plain processes and in jails: how many, and seconds by the clock."""

    files: int
    plain_read: int
    jailed_read: int
    plain_s: float
    jailed_s: float

    @property
    def ratio(self) -> float:
        """Documents a second in jails, over those in plain processes."""
        return self.plain_s / self.jailed_s


def throughput(
    files: Sequence[Path],
    model: str | None = None,
    jails: int = 2,
    rounds: int = 3,
    shown: Shown = lambda more: None,
) -> list[Throughput]:
    """Read `files` by `ocrkit read --jobs` and by the service in as many jails, by turns; each round.

    Both begin with processes that are still to be started, and take turns at being the first.
    """
    found = []
    for number in range(rounds):
        with scratch() as folder:
            turns = [partial(_plain, files, folder, model, jails), partial(_jailed, files, folder, model, jails)]
            first = number % 2
            taken = {place: turns[place]() for place in (first, 1 - first)}
        (plain, plain_s), (jailed, jailed_s) = taken[0], taken[1]
        found.append(Throughput(len(files), plain, jailed, plain_s, jailed_s))
        shown(1)
    return found


def _plain(files: Sequence[Path], folder: Path, model: str | None, jobs: int) -> tuple[int, float]:
    """How many were read, and seconds."""
    command = [sys.executable, "-m", "ocrkit", "read", "-q", "--jobs", str(jobs), "--format", "json", "--force"]
    command += ["--model", model] if model else []
    path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    begun = time.monotonic()
    # What cannot be read is told by the exit status, and counted below.
    subprocess.run(
        [*command, "-o", f"{folder}/plain/", *map(str, files)], env=os.environ | path, check=False, capture_output=True
    )
    return len(list((folder / "plain").glob("*.json"))), time.monotonic() - begun


def _jailed(files: Sequence[Path], folder: Path, model: str | None, jails: int) -> tuple[int, float]:
    store = Store(folder / "service")
    queue, choose = Queue(store.queue), intake.choose_model(model)
    begun = time.monotonic()
    for file in files:
        with file.open("rb") as content:
            intake.hand_in(store, queue, content, file.name, choose, JobOptions(all_pages=True))
    work = Work(store, WorkOptions(jails=jails, model=choose("").folder))
    work.start()
    work.drain(_PATIENCE_S)
    seconds = time.monotonic() - begun
    work.stop()
    return queue.counts()["done"], seconds


def jail_ms(model: str | None = None, times: int = 100, mode: str = "fork") -> np.ndarray:
    """How long fork, jail and exit take, ms `(times,)`: of a document that is refused at once."""
    folder = intake.choose_model(model)("").folder
    jails = Jails(folder, mode)
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        with suppress(Refused):
            jails.read(b"", JobOptions(), lambda page, picture: None)
        taken.append(1000 * (time.perf_counter() - begun))
    jails.close()
    return np.array(taken)


@dataclass(frozen=True)
class Killed:
    """What became of documents while processes were killed.

    Attributes:
        kills: how many, by what was killed.
        states: of the documents at the end.
        missing: results that are not there.
        different: results that differ by a byte from those of an undisturbed run.
        most_tries: of any document.
        seconds: it took.
    """

    kills: dict[str, int]
    states: dict[str, int]
    missing: int
    different: int
    most_tries: int
    seconds: float


def kills(
    documents: int,
    times: int,
    folder: Path,
    seed: int = 0,
    work: WorkOptions | None = None,
    make: Callable[[int], bytes] = drawn,
    shown: Shown = lambda more: None,
    pause_s: tuple[float, float] = (0.05, 0.8),
) -> Killed:
    """Hand in documents and kill server, worker or zygote at random moments until `times` are done; then let it end.

    Args:
        documents: how many.
        times: how many are killed.
        folder: for two stores: of this run, and of an undisturbed one to compare with.
        seed: of the moments.
        work: how is read; the lease should be short.
        make: number -> document.
        shown: called with 1 after each kill.
        pause_s: between kills, at least and at most; a process that is started again needs some to get anywhere.
    """
    options = work or WorkOptions(jails=2, queue=QueueOptions(lease_s=3.0, tries=50, retry_s=(0.0,)))
    choose = intake.choose_model(options.model or None)
    options = replace(options, model=choose("").folder)
    store, calm = Store(folder / "killed"), Store(folder / "calm")
    queues = Queue(store.queue, options.queue), Queue(calm.queue, options.queue)
    for number in range(documents):
        content = make(number)
        for place, queue in zip((store, calm), queues):
            intake.hand_in_bytes(place, queue, content, f"{number}.png", choose)
    undisturbed = Work(calm, options)
    undisturbed.start()
    undisturbed.drain(_PATIENCE_S)
    undisturbed.stop()

    r, killed, begun = random.Random(seed), Counter[str](), time.monotonic()
    server = _serve(store, options)
    try:
        while sum(killed.values()) < times and time.monotonic() - begun < _PATIENCE_S:
            time.sleep(r.uniform(*pause_s))
            if queues[0].is_idle():  # before all were killed: read some again
                for job in queues[0].jobs("done", limit=documents // 4 + 1):
                    store.erase_result(job.id)
                    queues[0].retry(job.id)
            worker = _children(server.pid)
            zygotes = [child for parent in worker for child in _children(parent)]
            kind, pids = r.choice([("server", [server.pid]), ("worker", worker), ("zygote", zygotes)])
            if not pids:
                continue
            with suppress(ProcessLookupError):
                os.kill(r.choice(pids), signal.SIGKILL)
                killed[kind] += 1
                shown(1)
            if kind == "server":
                server.wait()
                server = _serve(store, options)
        while not queues[0].is_idle() and time.monotonic() - begun < _PATIENCE_S:
            time.sleep(0.2)
            if server.poll() is not None:
                server = _serve(store, options)
    finally:
        server.terminate()
        server.wait()
    jobs = queues[0].jobs(limit=documents + 1)
    missing = [job for job in jobs if not store.has_result(job.id)]
    there = [job for job in jobs if store.has_result(job.id)]
    different = sum(store.result_bytes(job.id) != calm.result_bytes(job.id) for job in there)
    states = {str(state): count for state, count in queues[0].counts().items()}
    tries = max((job.tries for job in jobs), default=0)
    return Killed(dict(killed), states, len(missing), different, tries, time.monotonic() - begun)


@dataclass(frozen=True, eq=False)
class Searched:
    """An index of many pages.

    Attributes:
        pages: in it.
        text_mb: of UTF-8.
        index_mb: of the file.
        add_ms: for each page, `(pages,)`.
        search_ms: for each question, `(N,)`.
        fuzzy_ms: for each misspelt one, `(N,)`.
    """

    pages: int
    text_mb: float
    index_mb: float
    add_ms: np.ndarray
    search_ms: np.ndarray
    fuzzy_ms: np.ndarray

    def row(self) -> dict[str, float]:
        """In a few figures."""
        found: dict[str, float] = {"pages": self.pages, "index/text": self.index_mb / self.text_mb}
        for name in ("add_ms", "search_ms", "fuzzy_ms"):
            values = getattr(self, name)
            found |= {f"{name} p50": _quantile(values, 0.5), f"{name} p95": _quantile(values, 0.95)}
        return found


def searches(
    pages: int, folder: Path, questions: int = 300, seed: int = 0, shown: Shown = lambda more: None
) -> Searched:
    """Fill an index with simulated pages and search it.

    A page has about 220 words of a dictionary, drawn as words of a language are: few are frequent, many are rare, and
    one in fifty is misread. Questions are of one to three words of any frequency, phrases, beginnings and, apart,
    misspelt words.
    """
    rng, r = np.random.default_rng(seed), random.Random(seed)
    vocabulary = list(dict.fromkeys(build_vocabulary().words))
    r.shuffle(vocabulary)
    index, added, text_bytes = Index(folder / "index.db"), [], 0
    kept: list[list[str]] = []
    for number in range(pages):
        ranks = (rng.zipf(1.2, int(rng.integers(120, 320))) - 1) % len(vocabulary)
        texts = [_misread(vocabulary[rank], r) if r.random() < 0.02 else vocabulary[rank] for rank in ranks.tolist()]
        words = _laid_out(texts, rng)
        text_bytes += len(" ".join(texts).encode())
        begun = time.perf_counter()
        index.add(f"{number // 3:032x}", number % 3 + 1, words, (1654, 2339), added=float(number))
        added.append(1000 * (time.perf_counter() - begun))
        if number % max(1, pages // 500) == 0:
            kept.append(texts)
        shown(1)
    taken: list[float] = []
    misspelt: list[float] = []
    for place in range(questions):
        texts = r.choice(kept)
        at = r.randrange(len(texts) - 3)
        asked = [
            texts[at], f"{texts[at]} {r.choice(texts)}", f'"{texts[at]} {texts[at + 1]}"', f"{texts[at][:4]}*",
            f"{texts[at]} {r.choice(texts)} {r.choice(texts)}", f"{texts[at]} NEAR {texts[at + 2]}",
        ][place % 6]  # fmt: skip
        taken.append(1000 * index.search(asked, fuzzy=False).seconds)
        long = [text for text in texts if len(text) > 4]
        if place % 3 == 0 and long:
            misspelt.append(1000 * index.search(_misread(r.choice(long), r), fuzzy=True).seconds)
    index.database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = (folder / "index.db").stat().st_size
    return Searched(pages, text_bytes / 1e6, size / 1e6, np.array(added), np.array(taken), np.array(misspelt))


@dataclass(frozen=True)
class Asked:
    """What many clients were answered.

    Attributes:
        statuses: how often each.
        without_wait: answers of 429 that did not say when to come again.
        taken: documents that were taken, each of another content.
        lost: of these, those that the service does not know any more, or that were not read.
        search_ms: median and 95th percentile.
        documents_a_second: read.
        waited_s: from handed in to done: median, 95th and 99th percentile.
        deaths: readers that died.
        worker_mb: memory of the worker at the beginning, and at the end.
    """

    statuses: dict[int, int]
    without_wait: int
    taken: int
    lost: int
    search_ms: tuple[float, float]
    documents_a_second: float
    waited_s: tuple[float, float, float]
    deaths: int
    server_mb: tuple[float, float]


def clients(
    count: int, seconds: float, folder: Path, work: WorkOptions | None = None, most_waiting: int = 200, seed: int = 0
) -> Asked:
    """Many clients hand in and search at once, then all that was taken is read.

    Args:
        count: of clients.
        seconds: for which they ask.
        folder: for the store.
        work: how is read.
        most_waiting: documents, beyond which clients are asked to come again.
        seed: of what they do.
    """
    options = work or WorkOptions(jails=2)
    options = replace(options, model=options.model or intake.choose_model(None)("").folder)
    store = Store(folder / "service")
    statuses: Counter[int] = Counter()
    lock, taken, searched, without = threading.Lock(), set[str](), list[float](), 0
    server = _serve(store, options, FaceOptions(a_second=1000.0, at_once=1000, most_waiting=most_waiting))
    port = int((store.folder / "port").read_text())
    queue = Queue(store.queue)
    before = resident_mb(server.pid)
    deadline, begun = time.monotonic() + seconds, time.monotonic()

    def client(number: int) -> None:
        nonlocal without
        r = random.Random(f"{seed}/{number}")
        turn = 0
        while time.monotonic() < deadline:
            turn += 1
            uploads = r.random() < 0.3
            asked = time.perf_counter()
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                if uploads:
                    connection.request("POST", "/documents?name=one.png", drawn(1000 * number + turn))
                else:
                    connection.request("GET", f"/search?q={r.choice(_LETTERS)}{r.choice(_LETTERS)}*")
                answer = connection.getresponse()
                content, status = answer.read(), answer.status
                connection.close()
            except OSError:
                content, status = b"", 0
            took_ms = 1000 * (time.perf_counter() - asked)
            with lock:
                statuses[status] += 1
                taken.update([json.loads(content)["id"]] if status == 202 else [])
                searched.extend([took_ms] if status == 200 else [])
                without += status == 429 and not answer.headers.get("Retry-After")
            time.sleep(r.uniform(0.05, 0.5) if status != 429 else r.uniform(0.5, 1.5))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while not queue.is_idle() and time.monotonic() < deadline + _PATIENCE_S:
        time.sleep(0.2)
    lasted = time.monotonic() - begun
    after = resident_mb(server.pid)
    server.terminate()
    server.wait()
    done = {job.id for job in queue.jobs("done", limit=1_000_000)}
    _, waited = queue.latencies(1_000_000)
    tallies = queue.tallies()
    return Asked(
        dict(statuses),
        without,
        len(taken),
        len(taken - done),
        (_quantile(searched, 0.5), _quantile(searched, 0.95)),
        len(done) / lasted,
        (_quantile(waited, 0.5), _quantile(waited, 0.95), _quantile(waited, 0.99)),
        tallies["retried"] + tallies["dead"] + tallies["expired"],
        (before, after),
    )


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="ocrkit-service-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _serve(store: Store, work: WorkOptions, face: FaceOptions | None = None) -> subprocess.Popen[bytes]:
    """A server in a process of its own, once it answers; its port is in the store's file `port`."""
    (store.folder / "port").unlink(missing_ok=True)
    options = [json.dumps(asdict(work)), json.dumps(asdict(face or FaceOptions()))]
    with (store.folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ocrkit.service.server", str(store.folder), *options],
            stderr=log,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError, ValueError):
            connection = http.client.HTTPConnection("127.0.0.1", int((store.folder / "port").read_text()), timeout=2)
            connection.request("GET", "/health")
            connection.getresponse().read()
            return process
        time.sleep(0.05)
    process.kill()
    raise OcrkitError(f"The server did not start; see {store.folder / 'log'}.")


def _children(pid: int) -> list[int]:
    """The processes that a process has started."""
    with suppress(OSError):
        found = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
        return [int(child) for children in found for child in children]
    return []


def resident_mb(pid: int) -> float:
    """Memory that a process holds now; 0 where there is none."""
    with suppress(OSError):
        pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    return 0.0


def _misread(word: str, r: random.Random) -> str:
    place = r.randrange(len(word))
    return word[:place] + r.choice("il1o0rncaes") + word[place + 1 :]


def _laid_out(texts: Sequence[str], rng: np.random.Generator) -> list[StoredWord]:
    """Words in lines across a page, as print has them, a little off."""
    words, x, y = [], 120.0, 150.0
    for text, off, sure in zip(
        texts, rng.integers(-2, 3, (len(texts), 2)).tolist(), rng.beta(20, 1, len(texts)).tolist()
    ):
        width = 15.0 * len(text)
        if x + width > 1530:
            x, y = 120.0, y + 44
        box = (x, y + off[0], x + width, y + 28 + off[1])
        corners = ((box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3]))
        words.append(StoredWord.model_construct(text=text, confidence=sure, doubtful=False, box=box, quad=corners))
        x += width + 13
    return words


def _quantile(values: Sequence[float] | np.ndarray, share: float) -> float:
    return float(np.quantile(values, share)) if len(values) else float("nan")
