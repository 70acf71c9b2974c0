"""Labelling measured: a server that is killed again and again under many people, and how far orders of labels go."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from ocrkit.datasets import Sample
from ocrkit.errors import OcrkitError
from ocrkit.labelling.jobs import Store
from ocrkit.labelling.order import Reading, ordered
from ocrkit.labelling.simulate import blank_tasks, misread
from ocrkit.labelling.templates import load_template
from ocrkit.learning.trainer import Source, Trainer, TrainOptions, endless, read_all
from ocrkit.metrics import correct_words
from ocrkit.recognition.model import load_network, read_card

_COOKIE = "ocrkit-labelling"
_PATIENCE_S = 60.0
_UP_S = (0.2, 1.5)  # how long a server lives before it is killed


@dataclass(frozen=True)
class Soak:
    """What came of people who answered while their server was killed.

    Attributes:
        answers: in the file at the end.
        lost: answers that were confirmed to a person and are not in the file, or are others there.
        twice: tasks that one person answered twice, or that were answered more often than asked.
        unanswered: tasks without an answer.
        kills: of the server.
        seconds: from the first to the last answer.
        times_s: from sending an answer to having the next task, of those that were not cut off, `(N,)`.
        cpu_s: processor time of the server an answer, which other programs hardly affect; `nan` where it was killed.
    """

    answers: int
    lost: int
    twice: int
    unanswered: int
    kills: int
    seconds: float
    times_s: np.ndarray
    cpu_s: float


class _Server:
    """`ocrkit label serve` in a process of its own, which can be killed and started again."""

    def __init__(self, path: Path, job: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._command = [sys.executable, "-m", "ocrkit", "label", "serve", job, "--jobs", str(path)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [*self._command, "--port", str(self.port)], stdout=subprocess.DEVNULL, start_new_session=True
        )
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise OcrkitError("The labelling server does not start.")

    def cpu_s(self) -> float:
        """Processor time since it began; `nan` where the system does not tell."""
        try:
            stat = Path(f"/proc/{self._process.pid if self._process else 0}/stat").read_text()
        except OSError:
            return float("nan")
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        if self._process:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class _Person(threading.Thread):
    """Answers by HTTP as the page does: the same message again until a reply comes."""

    def __init__(self, port: int, secret: str, csrf: str, right: float, seed: int) -> None:
        super().__init__(daemon=True)
        self._port, self._right, self._random = port, right, Random(seed)
        headers = {"content-type": "application/json", "x-csrf": csrf, "cookie": f"{_COOKIE}={secret}"}
        self._headers = {**headers, "origin": f"http://localhost:{port}"}
        self._http: http.client.HTTPConnection | None = None
        self.confirmed: dict[int, str] = {}
        self.times: list[float] = []
        self.failed = ""

    def run(self) -> None:
        try:
            reply = self._ask({"kind": "task"})
            while reply["kind"] == "task":
                word = reply["content"]["reading"]
                text = word if self._random.random() < self._right else misread(word, self._random)
                key = f"{self._random.getrandbits(64):x}"
                task, value = reply["task"], {"text": text}
                reply = self._ask({"kind": "answer", "task": task, "value": value, "seconds": 1, "key": key})
                if reply["kind"] in ("task", "done"):
                    self.confirmed[task] = text
                else:
                    reply = self._ask({"kind": "task"})
            if reply["kind"] != "done":
                self.failed = str(reply)
        except OcrkitError as error:
            self.failed = str(error)

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        end = time.monotonic() + _PATIENCE_S
        body = json.dumps(message)
        while time.monotonic() < end:
            begun = time.perf_counter()
            try:
                self._http = self._http or http.client.HTTPConnection("localhost", self._port, timeout=30)
                self._http.request("POST", "/message", body, self._headers)
                response = self._http.getresponse()
                data = response.read()
            except (OSError, http.client.HTTPException):
                self._http = None
                time.sleep(0.05)
                continue
            if response.status != 200:
                raise OcrkitError(f"The server answered {response.status}: {data[:200]!r}")
            if message["kind"] == "answer":
                self.times.append(time.perf_counter() - begun)
            return dict(json.loads(data.partition(b"\n")[0]))
        raise OcrkitError("The server did not come back.")


def soak(tasks: int, people: int, kills: int, seed: int = 7, said: Callable[[int], object] = lambda kill: None) -> Soak:
    """Let `people` answer `tasks` at once, one answer a task, while the server is killed (SIGKILL) `kills` times.

    Raises:
        OcrkitError: the server does not start, or a person could not go on.
    """
    r = Random(seed)
    with tempfile.TemporaryDirectory(prefix="ocrkit-") as scratch:
        path = Path(scratch) / "jobs.db"
        with Store(path, make=True) as store:
            job = store.add_job("soak", load_template("transcribe"), blank_tasks(tasks))
            workers = [store.worker(f"person {number}", "contractors", make=True) for number in range(people)]
            logins = [store.open_session(worker) for worker in workers]
        server = _Server(path, "soak")
        server.start()
        try:
            crowd = [_Person(server.port, *login, r.uniform(0.6, 1), r.getrandbits(32)) for login in logins]
            begun, spent = time.perf_counter(), server.cpu_s()
            for person in crowd:
                person.start()
            killed = 0
            while killed < kills and any(person.is_alive() for person in crowd):
                time.sleep(r.uniform(*_UP_S))
                server.kill()
                killed += 1
                said(killed)
                server.start()
            for person in crowd:
                person.join()
            seconds, spent = time.perf_counter() - begun, server.cpu_s() - spent
        finally:
            server.kill()
        if failed := next((person.failed for person in crowd if person.failed), ""):
            raise OcrkitError(f"A simulated person could not go on: {failed}")
        with Store(path) as store:
            votes = store.votes(job)
    kept = {(vote.task, vote.worker): vote.value["text"] for vote in votes}
    lost = sum(
        kept.get((task, worker.id)) != text
        for worker, person in zip(workers, crowd)
        for task, text in person.confirmed.items()
    )
    answered = {vote.task for vote in votes}
    times = np.array([t for person in crowd for t in person.times])
    return Soak(
        len(votes),
        lost,
        len(votes) - len(answered),
        tasks - len(answered),
        killed,
        seconds,
        times,
        float("nan") if killed else spent / len(votes),
    )


# --- learning curves by order -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Point:
    """The share of test words that a network reads right, caseless, once it learnt the first `words` of an order."""

    order: str
    words: int
    seed: int
    right: float


def replay(
    pool: Sequence[Sample],
    readings: Sequence[Reading],
    judges: Sequence[Sample],
    invented: Source,
    model: Path,
    sizes: Mapping[str, Sequence[int]],
    seeds: Sequence[int],
    passes: int = 4,
    said: Callable[[Point], object] = lambda point: None,
) -> list[Point]:
    """Learning curves: words with known labels are "asked for" in an order, and the model learns from the first n.

    Args:
        pool: words to ask for. The models behind `readings` must not have learnt from them.
        readings: of the pool.
        judges: words of other documents to judge by.
        invented: words to mix in, as many as real ones.
        model: to go on from.
        sizes: numbers of words by order.
        seeds: of training and of chance in the order.
        passes: over the words.
        said: called with each point.
    """
    points: list[Point] = []
    truths, crops = [sample.text for sample in judges], [sample.image for sample in judges]
    most = passes * max(max(counts) for counts in sizes.values())
    drawn = list(invented(0, most + 1))  # once: every training begins with the same invented words
    untaught: float | None = None  # without words nothing depends on the seed
    for seed in seeds:
        for order, counts in sizes.items():
            places = [place for place, _ in ordered(readings, order, seed)]
            for count in counts:
                if not count and untaught is not None:
                    points.append(Point(order, count, seed, untaught))
                    continue
                network, alphabet = load_network(model)
                with tempfile.TemporaryDirectory(prefix="ocrkit-") as scratch:
                    if count:
                        real = endless([pool[place] for place in places[:count]], seed)
                        options = TrainOptions(
                            size=read_card(model)["size"],
                            words=2 * passes * count,
                            round_words=2 * passes * count,
                            validate_every=1000,
                            batch_size=32,
                            learning_rate=3e-4,
                            ema=0.9,
                            seed=seed,
                        )
                        words = _half(real, lambda start, stop: iter(drawn[start:stop]))
                        trainer = Trainer(words, [], options, Path(scratch), alphabet, network)
                        trainer.run()
                        network = trainer.finished(best=False)
                    right = correct_words(truths, read_all(network, alphabet, crops), caseless=True)
                points.append(Point(order, count, seed, float(right.mean())))
                untaught = points[-1].right if not count else untaught
                said(points[-1])
    return points


def errors_found(
    pool: Sequence[Sample], readings: Sequence[Reading], order: str, seeds: Sequence[int], shares: Sequence[float]
) -> dict[float, float]:
    """The share of all misread words among the first ones of an order, by the share of words asked about."""
    wrong = np.array([reading.text != sample.text for sample, reading in zip(pool, readings)])
    found = {}
    for share in shares:
        first = round(share * len(pool))
        hits = [wrong[[place for place, _ in ordered(readings, order, seed)[:first]]].sum() for seed in seeds]
        found[share] = float(np.mean(hits) / max(1, wrong.sum()))
    return found


def _half(real: Source, invented: Source) -> Source:
    """Every second word a real one."""

    def items(start: int, stop: int) -> Any:
        ours, others = real(start // 2, stop // 2 + 1), invented(start // 2, stop // 2 + 1)
        for number in range(start, stop):
            yield next(ours if number % 2 else others)

    return items
