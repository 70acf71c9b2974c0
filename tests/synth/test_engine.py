from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from ports import free_port

from ocrkit.datasets.shards import digests, read_shards
from ocrkit.errors import BadDataset, OcrkitError
from ocrkit.synth import engine
from ocrkit.synth.corpus import Vocabulary
from ocrkit.synth.engine import Recipe, write_words
from ocrkit.synth.generator import WordOptions

ROOT = Path(__file__).resolve().parents[2]
WORDS, SIZE = 150, 16


@pytest.fixture(scope="module")
def recipe(vocabulary, verdicts) -> Recipe:
    return Recipe(vocabulary, tuple(verdicts))


@pytest.fixture(scope="module")
def expected(recipe, tmp_path_factory) -> dict[str, str]:
    """What one process makes."""
    folder = tmp_path_factory.mktemp("alone")
    assert write_words(folder, recipe, WORDS, shard_size=SIZE) == WORDS
    return digests(folder)


def test_shards_have_one_size_and_the_last_holds_the_rest(recipe, expected, tmp_path):
    write_words(tmp_path, recipe, WORDS, shard_size=SIZE)
    assert list(expected) == [f"{number:05d}.npz" for number in range(10)]
    samples = list(read_shards(tmp_path))
    assert [sample.document for sample in samples] == [f"synthetic-{i}" for i in range(WORDS)]
    assert [s.text for s in samples] == [s.text for s in recipe.generator().samples(0, WORDS)]


@pytest.mark.parametrize("spread", [{"workers": 2}, {"workers": 2, "scheduler": "local"}], ids=["processes", "dask"])
def test_several_processes_and_a_local_cluster_give_the_same_bytes(spread, recipe, expected, tmp_path):
    assert write_words(tmp_path, recipe, WORDS, shard_size=SIZE, **spread) == WORDS
    assert digests(tmp_path) == expected


def dask(stack: ExitStack, *arguments: str) -> subprocess.Popen[bytes]:
    """A `dask` command in a process group of its own, ended with the test."""
    command = [sys.executable, "-m", "dask", *arguments]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, **quiet)
    stack.callback(process.wait)
    stack.callback(end, process)
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def test_a_cluster_that_loses_a_worker_half_way_gives_the_same_bytes(recipe, expected, tmp_path, monkeypatch):
    address = f"127.0.0.1:{free_port()}"
    with ExitStack() as stack:
        host, port = address.split(":")
        dask(stack, "scheduler", "--host", host, "--port", port, "--no-dashboard", "--no-show")
        workers = [dask(stack, "worker", address, "--nthreads", "1", "--no-dashboard") for _ in range(2)]
        from distributed import Client

        with Client(address, timeout="300s") as client:
            client.wait_for_workers(2, timeout=300)
        written = []

        def write_and_kill(path, samples):
            written.append(path)
            if len(written) == 2:  # eight shards are to come, of which four are handed out
                end(workers[0])
            write_shard(path, samples)

        write_shard = engine.write_shard
        monkeypatch.setattr(engine, "write_shard", write_and_kill)
        write_words(tmp_path, recipe, WORDS, shard_size=SIZE, scheduler=address)
        assert workers[0].wait() == -signal.SIGKILL
        assert workers[1].poll() is None
    assert digests(tmp_path) == expected


def test_an_interrupted_run_goes_on_with_the_shards_that_are_missing(recipe, expected, tmp_path, monkeypatch):
    written = []

    def write_two(path, samples):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(path)
        write_shard(path, samples)

    write_shard = engine.write_shard
    monkeypatch.setattr(engine, "write_shard", write_two)
    with pytest.raises(KeyboardInterrupt):
        write_words(tmp_path, recipe, WORDS, shard_size=SIZE)
    monkeypatch.undo()
    assert len(digests(tmp_path)) == 2
    monkeypatch.setattr("ocrkit.files._swept", set())  # as in a process of its own
    (tmp_path / "00000.npz").write_bytes(b"cut short by a power cut")
    (tmp_path / ".00003.npz.0123abcd.part").write_bytes(b"half")
    assert write_words(tmp_path, recipe, WORDS, shard_size=SIZE) == WORDS - SIZE
    assert digests(tmp_path) == expected
    assert not list(tmp_path.glob(".*"))
    assert write_words(tmp_path, recipe, WORDS, shard_size=SIZE) == 0


def test_more_words_are_added_and_fewer_are_cut(recipe, expected, tmp_path):
    write_words(tmp_path, recipe, 40, shard_size=SIZE)
    assert write_words(tmp_path, recipe, WORDS, shard_size=SIZE) == WORDS - 32  # the short shard is made anew
    assert digests(tmp_path) == expected
    assert write_words(tmp_path, recipe, 32, shard_size=SIZE) == 0
    assert list(digests(tmp_path)) == ["00000.npz", "00001.npz"]


def test_words_of_other_options_are_not_mixed_in(recipe, vocabulary, verdicts, tmp_path):
    write_words(tmp_path, recipe, 3, shard_size=SIZE)
    other = Recipe(vocabulary, tuple(verdicts), WordOptions(seed=8))
    with pytest.raises(BadDataset, match="holds words made with other options"):
        write_words(tmp_path, other, 3, shard_size=SIZE)


def test_where_fonts_lie_does_not_make_another_recipe(vocabulary, verdicts):
    moved = tuple(replace(verdict, path=f"/elsewhere/{verdict.family}.ttf") for verdict in reversed(verdicts))
    assert Recipe(vocabulary, moved).digest == Recipe(vocabulary, tuple(verdicts)).digest
    assert Recipe(vocabulary, moved[1:]).digest != Recipe(vocabulary, moved).digest


def test_a_bar_tells_words_per_second(recipe, tmp_path, capsys):
    write_words(tmp_path, recipe, 20, shard_size=10, progress=True)
    assert "20/20" in (shown := capsys.readouterr().err)
    assert "words/s" in shown


def test_a_full_disk_is_told_in_a_sentence_and_leaves_no_half_shard(recipe, tmp_path, monkeypatch):
    def full(*names):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OcrkitError, match="cannot be written: No space left on device"):
        write_words(tmp_path, recipe, 3)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"vocabulary": Vocabulary(words=())}, "no usable word"), ({"verdicts": ()}, "None of 0 fonts is usable")],
)
def test_a_recipe_nothing_can_be_made_of_is_told_in_a_sentence_before_anything_is_written(
    changes, sentence, vocabulary, verdicts, tmp_path
):
    recipe = Recipe(**{"vocabulary": vocabulary, "verdicts": tuple(verdicts), **changes})
    with pytest.raises(BadDataset, match=sentence):
        write_words(tmp_path / "words", recipe, 3)
    assert not (tmp_path / "words").exists()


def test_a_scheduler_that_is_not_there_is_told_in_a_sentence(recipe, tmp_path):
    with pytest.raises(OcrkitError, match=r"No Dask scheduler with a worker answers at 127\.0\.0\.1:\d+"):
        write_words(tmp_path, recipe, 3, scheduler=f"127.0.0.1:{free_port()}")
