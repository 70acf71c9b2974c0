"""Inputs changed by chance, tried in a process of their own: each is read or refused in a sentence, in bounded time.

`pytest tests/hard/test_fuzz.py --inputs 10000`, or `make hard`, tries 10,000 documents, 3,000 files of labels in each
form, 500 params and 200 models; a plain run of the tests about two hundred in all. What fails is kept, and can be tried
again by its path.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

import pytest
from mutation import LABELS, changed_bytes, odd_pictures, pictures, write_labels, write_model, write_params

_LIMIT_S = 30.0  # of processor time, for an input of a few kilobytes
_IDLE_S = 600.0  # after which a process that does nothing hangs, however busy the machine is
# Of each kind so many for an input of `--inputs`, and so many at least.
_SHARES = {"document": (1.0, 1), "labels": (2.7, 1), "params": (0.05, 8), "model": (0.02, 4)}
_PART = 250  # inputs that one process tries
_SHOWN = 5  # faults that a failure shows in full
_SEED = 20261128


class Child:
    """A process that tries inputs, started anew where one of them ended it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def try_input(self, kind: str, path: Path, form: str) -> tuple[str, str]:
        """What became of an input, and what was said: `read`, `refused`, or a fault."""
        if self._process is None or self._process.poll() is not None:
            self._process = self._start()
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps([kind, str(path), form]), file=self._process.stdin, flush=True)
        begun, until, ready = _cpu_seconds(self._process.pid), time.monotonic() + _IDLE_S, False
        while not ready and time.monotonic() < until and _cpu_seconds(self._process.pid) < begun + _LIMIT_S:
            ready = bool(select.select([self._process.stdout], [], [], 1.0)[0])
        answer = self._process.stdout.readline() if ready else ""
        if answer:
            state, said = json.loads(answer)
            return state, said
        if not ready:
            self.stop()
            return "hang", f"no answer within {_LIMIT_S:.0f} s of processor time"
        # A library took the process with it: that is a sentence here, and no end of the run.
        return "crash", f"the process ended with status {self._process.wait()}"

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _start(self) -> subprocess.Popen[str]:
        here = Path(__file__).resolve()
        environment = {**os.environ, "PYTHONPATH": str(here.parents[2]), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, str(here.with_name("child.py"))]
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )


def _cpu_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def child() -> Iterator[Child]:
    """A process to try inputs in."""
    started = Child()
    yield started
    started.stop()


def pytest_generate_tests(metafunc) -> None:
    """Of each kind so many parts that several processes can share the work, and each part has inputs of its own."""
    total = metafunc.config.getoption("--inputs")
    parts = []
    for kind, (share, least) in _SHARES.items():
        count = max(least, round(total * share))
        parts += [(kind, start, min(start + _PART, count)) for start in range(0, count, _PART)]
    metafunc.parametrize(("kind", "start", "stop"), parts)


@pytest.mark.timeout(4000)
def test_changed_inputs_are_read_or_refused_in_a_sentence(kind, start, stop, child, tmp_path, request, record_property):
    seed = request.config.getoption("--fuzz-seed") or _SEED
    states: Counter[str] = Counter()
    faults = []
    for path, form in inputs(kind, range(start, stop), seed, tmp_path):
        state, said = child.try_input(kind, path, form)
        states[state] += 1
        if state not in ("read", "refused"):
            faults.append(f"--- {state} of {form}: {path}\n{said}")
        else:
            _remove(path)
    record_property("measured", f"{kind} {start} to {stop}: {dict(states)}")
    assert not faults, f"{dict(states)}\n" + "\n".join(faults[:_SHOWN])


def inputs(kind: str, numbers: Iterable[int], seed: int, folder: Path) -> Iterator[tuple[Path, str]]:
    """Paths of changed inputs, and their form; a number and a seed always give the same."""
    seeds = pictures()
    odd = list(odd_pictures()) if kind == "document" else []
    for number in numbers:
        r = Random(f"{seed}/{kind}/{number}")
        path = folder / f"{kind}{number:06d}"
        if kind == "document":
            # One in eight is odd rather than changed, until all of those had their turn.
            name, data = odd[number // 8] if number % 8 == 0 and number // 8 < len(odd) else _changed(seeds, r)
            path.write_bytes(data)
        elif kind == "labels":
            name = list(LABELS)[number % len(LABELS)]
            write_labels(path, name, seeds["png"], r)
        else:
            name = kind
            {"params": write_params, "model": write_model}[kind](path, r)
        yield path, name


def _changed(seeds: dict[str, bytes], r: Random) -> tuple[str, bytes]:
    name = r.choice(list(seeds))
    return name, changed_bytes(seeds[name], r)


def _remove(path: Path) -> None:
    if path.is_file():
        path.unlink()
        return
    for inner in sorted(path.rglob("*"), reverse=True):
        inner.rmdir() if inner.is_dir() else inner.unlink()
    path.rmdir()
