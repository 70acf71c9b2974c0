"""Each verb that writes is killed, called eight times at once, and called where the machine gives way.

Nothing is half-written, nothing that was there is lost, and the next call ends as if nothing had been. `make hard`
kills each verb a hundred times; a plain run of the tests calls a few verbs a few times, and none of those that train.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import click
import pytest
from small import NETWORK, SIZE
from verbs import (
    HERE,
    LIMIT_S,
    ROOT,
    VERBS,
    Ended,
    Verb,
    Warm,
    environment,
    flaw_of,
    is_hidden,
    left_running,
    make_inputs,
    tree,
)

from ocrkit.cli import main
from ocrkit.recognition.network import SIZES

_SEED = 20261128
_SENTENCE = re.compile(r"ocrkit: .*\.$")
_TO_THE_END = 0.15  # of the kills are followed by a call that may finish, the others by one that is killed, too
_AT_ONCE = 8
_FEW = 2  # moments of a plain run of the tests
_IN_PLAIN_RUNS = {
    "killed": ("scan", "synth-words", "data-words"),
    "at once": ("data-words",),
    "poor": ("scan",),
}


@pytest.fixture(scope="session")
def moments(request) -> int:
    """How often each verb is killed."""
    return request.config.getoption("--moments")


@pytest.fixture(scope="session")
def heavy(request, moments) -> bool:
    """Whether a verb that trains is among those that were chosen."""
    chosen = [item.callspec.params["verb"] for item in request.session.items if "verb" in item.fixturenames]
    return moments > _FEW and any(verb.heavy for verb in chosen)


@pytest.fixture(scope="session")
def inputs(tmp_path_factory) -> Path:
    """What the verbs read."""
    return make_inputs(tmp_path_factory.mktemp("hard") / "inputs")


@pytest.fixture(autouse=True)
def small_network(monkeypatch) -> None:
    """Known to this process, too, which looks whether models are whole."""
    monkeypatch.setitem(SIZES, SIZE, NETWORK)


@pytest.fixture(scope="session")
def warm(tmp_path_factory, heavy) -> Iterator[Warm]:
    """The process that calls them."""
    started = Warm(tmp_path_factory.mktemp("hard") / "warm", heavy)
    yield started
    started.close()


def skip_in_plain_runs(verb: Verb, what: str, moments: int) -> None:
    """Skip a verb that is tried by `make hard` only."""
    if moments <= _FEW and verb.name not in _IN_PLAIN_RUNS[what]:
        pytest.skip("by `make hard` only")


def test_the_contributors_guide_says_of_every_verb_where_it_is_killed():
    def leaves(command: click.Command, name: str) -> Iterator[str]:
        if not isinstance(command, click.Group):
            yield name
            return
        context = click.Context(command)
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            assert found
            yield from leaves(found, f"{name} {inner}".strip())

    verbs = set(leaves(main, ""))
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|$", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE)
    told = [name for names, _ in rows for name in re.findall("`(.*?)`", names)]
    assert sorted(told) == sorted(verbs)
    words = [[str(word) for word in verb.command(Path("inputs"), Path("folder"))] for verb in VERBS]
    (here,) = [set(re.findall("`(.*?)`", names)) for names, where in rows if where.startswith("by `test_verbs.py`")]
    assert {" ".join(its[:2]) if " ".join(its[:2]) in verbs else its[0] for its in words} == here


@dataclass(frozen=True)
class Undisturbed:
    """What a call leaves that nobody disturbs.

    Attributes:
        files: see `Verb.look`.
        steady: those that are the same every time; the others tell times.
        events: times that it changes the disk.
        writing_s: from the first of them to its end.
        is_repeated: whether another call does all of it again, rather than finding that nothing is left to do.
    """

    files: dict[str, str]
    steady: frozenset[str]
    events: int
    writing_s: float
    is_repeated: bool


_UNDISTURBED: dict[str, Undisturbed] = {}  # by verb: the same for all tests of a process


class Tried:
    """A verb, called in folders of its own, and what it leaves there."""

    def __init__(self, verb: Verb, inputs: Path, warm: Warm, folder: Path) -> None:
        self.verb, self.inputs, self.warm, self.folder = verb, inputs, warm, folder
        self.states: Counter[str] = Counter()
        self.cpu_s = 0.0
        self._number = 0
        if verb.name not in _UNDISTURBED:
            _UNDISTURBED[verb.name] = self._undisturbed()
        self.expected = _UNDISTURBED[verb.name]

    def call(self, *folders: Path, **fault: float | int) -> list[Ended]:
        """Call the verb in each folder at once, and look for what no call may do."""
        all_ended = self.warm.call([self.verb.command(self.inputs, folder) for folder in folders], folders, **fault)
        for ended in all_ended:
            self.cpu_s += ended.cpu_s
            assert not ended.faults, f"{ended.faults}\n{ended.said}"
            assert not (left := left_running(ended.mark)), f"left running: {left}"
        return all_ended

    def fresh(self) -> Path:
        """A folder in which nothing was done yet."""
        self._number += 1
        folder = self.folder / str(self._number)
        folder.mkdir(parents=True)
        self.verb.prepare(self.inputs, folder)
        return folder

    def _undisturbed(self) -> Undisturbed:
        trees, writing_s = [], []
        for _ in range(2):
            folder = self.fresh()
            ended = self._whole(folder)
            writing_s.append(ended.writing_s)
            trees.append(self.verb.look(folder))
            self.check(folder, trees[0], {})
        assert trees[0].keys() == trees[1].keys()
        # Notes of what was read tell what was written over, too.
        same = (name for name in trees[0] if trees[0][name] == trees[1][name])
        steady = frozenset(name for name in same if ".ocrkit/" not in name)
        is_repeated = not self.is_done(folder) and self._whole(folder).events > ended.events / 2
        return Undisturbed(trees[0], steady, ended.events, min(writing_s), is_repeated)

    def _whole(self, folder: Path) -> Ended:
        (ended,) = self.call(folder)
        assert ended.status == 0, ended.said
        return ended

    def check(self, folder: Path, allowed: dict[str, str], before: dict[str, str]) -> None:
        """Whatever is to be seen is whole, and what was there before is there still."""
        now = self.verb.look(folder)
        for name, digest in now.items() if self.verb.look is tree else ():
            if digest and not is_hidden(name) and digest != allowed.get(name):
                flaw = flaw_of(folder / name)
                assert not flaw, f"{name} is half-written: {flaw}"
        lost = {name for name in before.keys() & allowed.keys() if not is_hidden(name)} - now.keys()
        assert not lost, f"lost: {lost}"

    def kill(self, folder: Path, r: Random) -> bool:
        """Call the verb and kill it at some moment, while it writes; whether it was alive then."""
        if r.random() < 0.5:
            fault = {"event": r.randint(1, self.expected.events), "delay_s": r.choice((0, r.uniform(0, 0.003)))}
        else:
            fault = {"event": 1, "delay_s": r.uniform(0, self.expected.writing_s)}
        before = self.verb.look(folder)
        (ended,) = self.call(folder, **fault)
        killed = ended.status == -signal.SIGKILL
        assert killed or ended.status == 0, ended.said
        self.states["killed" if killed else "ended before"] += 1
        self.check(folder, self.expected.files, before)
        return killed

    def is_done(self, folder: Path) -> bool:
        """Whether another call would have nothing left to do."""
        return self.verb.is_done(folder)

    def finish(self, folder: Path) -> None:
        """Call the verb once more: what it leaves is what an undisturbed call leaves."""
        done = self.is_done(folder)
        if not done:
            self._whole(folder)
        self.states["finished"] += 1
        self.compare(folder, may_litter=done)

    def compare(self, folder: Path, may_litter: bool = False) -> None:
        """Whether a folder holds what an undisturbed call leaves, and nothing else."""
        now, expected = self.verb.look(folder), self.expected
        extra = {name for name in now.keys() - expected.files.keys() if not (may_litter and is_hidden(name))}
        assert not extra, f"litter: {extra}"
        assert not (missing := expected.files.keys() - now.keys()), f"missing: {missing}"
        other = [name for name in expected.steady if now[name] != expected.files[name]]
        assert not other, f"other than undisturbed: {other}"
        self.check(folder, expected.files, {})


@pytest.mark.timeout(4000)
@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_killed_at_any_moment_a_verb_leaves_nothing_by_halves(verb, inputs, warm, moments, tmp_path, record_property):
    skip_in_plain_runs(verb, "killed", moments)
    tried, r = Tried(verb, inputs, warm, tmp_path), Random(f"{_SEED}/{verb.name}")
    folder = tried.fresh()
    while tried.states["killed"] < moments:
        killed = tried.kill(folder, r)
        is_over = not killed or tried.is_done(folder)
        if is_over or r.random() < _TO_THE_END:
            if killed:
                tried.finish(folder)
            else:
                tried.compare(folder)
            # By turns where nothing is, and where an earlier call has finished and this one writes all of it anew.
            if not tried.expected.is_repeated or r.random() < 0.5:
                shutil.rmtree(folder)
                folder = tried.fresh()
    tried.finish(folder)
    record_property("measured", f"{verb.name}: {dict(tried.states)}, {tried.cpu_s:.0f} s of processor time")


@pytest.mark.timeout(4000)
@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_eight_calls_at_once_do_not_disturb_each_other(verb, inputs, warm, moments, tmp_path):
    skip_in_plain_runs(verb, "at once", moments)
    tried = Tried(verb, inputs, warm, tmp_path)
    apart = [tried.fresh() for _ in range(_AT_ONCE)]
    for folder, ended in zip(apart, tried.call(*apart)):
        assert ended.status == 0, ended.said
        tried.compare(folder)
    together = tried.fresh()
    all_ended = tried.call(*[together] * _AT_ONCE)
    assert any(ended.status == 0 for ended in all_ended), all_ended[0].said
    for ended in all_ended:
        assert ended.status == 0 or is_refusal(ended.status, ended.said), ended.said
    tried.compare(together)


def is_refusal(status: int | None, said: str) -> bool:
    """Whether a call ended with a sentence, and with nothing that only a programmer can read.

    A table of many documents may stand behind it.
    """
    return status in (1, 2) and "Traceback" not in said and any(map(_SENTENCE.match, said.splitlines()))


# --- where the machine gives way --------------------------------------------------------------------------------------


_LEFT_BYTES = 8192  # on a full disk


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of next to nothing."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", folder]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted by root only")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> None:
    """Leave next to no room on a disk."""
    free = os.statvfs(folder)
    (folder / "filler").write_bytes(bytes(max(0, free.f_bavail * free.f_frsize - _LEFT_BYTES)))


@pytest.fixture
def poor_machine(request, moments, tmp_path) -> Iterator[tuple[Path, dict[str, str], list[str], Path | None]]:
    """A machine that lacks what most have.

    Returns:
        A folder to work in, an environment, what a command begins with, and the disk that is full, where one is.
    """
    if moments <= _FEW and request.param not in ("no HOME", "full disk"):
        pytest.skip("by `make hard` only")
    env, before, folder, full = environment(), [], tmp_path / "work", None
    with ExitStack() as stack:
        if request.param == "no HOME":
            env = {name: value for name, value in env.items() if not name.startswith(("HOME", "XDG_"))}
        elif request.param == "closed HOME":
            env["HOME"] = "/proc/nobody"  # not even root can make that
        elif request.param in ("full TMPDIR", "full disk"):
            full = stack.enter_context(small_disk(tmp_path / "small"))
            folder = full if request.param == "full disk" else folder
        elif shutil.which("faketime"):
            before = ["faketime", "-f", "-3000d"]
        else:
            pytest.skip("needs faketime: apt-get install faketime")
        folder.mkdir(exist_ok=True)
        yield folder, env, before, full


@pytest.mark.timeout(4000)
@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
@pytest.mark.parametrize(
    "poor_machine", ["no HOME", "closed HOME", "clock set back", "full TMPDIR", "full disk"], indirect=True
)
def test_on_a_poor_machine_a_verb_works_or_says_why_not(verb, poor_machine, inputs, moments, request):
    skip_in_plain_runs(verb, "poor", moments)
    folder, env, before, full = poor_machine
    verb.prepare(inputs, folder)
    words = list(map(str, verb.command(inputs, folder)))
    if full:
        fill(full)
        temporary = {} if folder == full else {"temporary": str(full)}
        (ended,) = request.getfixturevalue("warm").call([words], [folder], **temporary)
        status, said = ended.status, ended.said
    else:  # by a process that begins with nothing: what is imported looks for HOME and at the clock
        program = [str(HERE / "small.py")] if verb.heavy else ["-m", "ocrkit"]
        command = [*before, sys.executable, *program, *words]
        done = subprocess.run(
            command, cwd=folder, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
        status, said = done.returncode, done.stderr
    assert status == 0 or is_refusal(status, said), said
    (folder / "filler").unlink(missing_ok=True)
    left = verb.look(folder)
    assert not (litter := {name for name in left if is_hidden(name)}), f"litter: {litter}\n{status} {said}"
    for name, digest in left.items() if verb.look is tree else ():
        assert not digest or not (flaw := flaw_of(folder / name)), f"{name} is half-written: {flaw}"
