"""Words into shards: from this process, from several, or from a Dask cluster, with the same bytes in every case.

A shard is the unit of work. Whoever makes it knows its number alone; the process that was asked writes it, whole or
not at all, so that an interrupted run goes on with the shards that are missing.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from ocrkit.datasets.sample import Sample
from ocrkit.datasets.shards import read_shard, shard_path, write_shard
from ocrkit.errors import BadDataset, MissingExtra, OcrkitError
from ocrkit.files import make_folder, write_whole
from ocrkit.processes import end_with_parent
from ocrkit.synth.corpus import Vocabulary
from ocrkit.synth.fonts import FontVerdict
from ocrkit.synth.generator import WordGenerator, WordOptions
from ocrkit.workers import dask_client

RECIPE = "recipe.json"  # lies beside the shards: which words they hold


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what the words are."""

    vocabulary: Vocabulary
    verdicts: tuple[FontVerdict, ...]
    options: WordOptions = field(default_factory=WordOptions)

    def generator(self) -> WordGenerator:
        """Makes the words.

        Raises:
            BadDataset: no usable font or word.
        """
        return WordGenerator(self.vocabulary, list(self.verdicts), self.options)

    @property
    def digest(self) -> str:
        """Equal for equal words. Where font files lie does not count, what is in them does."""
        fonts = [(v.family, v.style, v.kind, v.characters, v.fault, v.digest) for v in self.verdicts]
        parts = [asdict(self.vocabulary), sorted(fonts), asdict(self.options)]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Shard:
    """Items `start` to `stop - 1`, file `number`."""

    number: int
    start: int
    stop: int


def write_words(
    folder: Path,
    recipe: Recipe,
    words: int,
    *,
    shard_size: int = 10_000,
    workers: int = 1,
    scheduler: str | None = None,
    progress: bool = False,
) -> int:
    """Write items 0 to `words - 1` of `recipe` as shards into `folder`; whole shards that are there already are kept.

    Args:
        folder: gets `00000.npz` and so on, each of `shard_size` words but the last, and `recipe.json`.
        recipe: which words.
        words: how many.
        shard_size: words a file.
        workers: processes; 1 is this one alone. With `local`, those of the Dask cluster.
        scheduler: `None` for plain processes, `local` for a Dask cluster on this machine, or the address of a Dask
            scheduler. Its workers need ocrkit, and the fonts at the same paths.
        progress: show a bar with words per second.

    Returns:
        How many words were made now; the others were there.

    Raises:
        BadDataset: no usable font or word, or the folder holds words of another recipe.
        MissingExtra: Dask or tqdm is needed and not installed.
        OcrkitError: the disk is full, no scheduler answers, or workers died too often.
    """
    recipe.generator()  # what is wrong with the recipe is said before anything is written or started
    make_folder(folder)
    _claim(folder, recipe, shard_size)
    starts = range(0, words, shard_size)
    shards = [Shard(number, start, min(start + shard_size, words)) for number, start in enumerate(starts)]
    _remove_all_but(folder, shards)
    missing = [shard for shard in shards if not _is_whole(folder, shard)]
    count = sum(shard.stop - shard.start for shard in missing)
    with _bar(words, words - count) if progress else nullcontext() as bar:
        for shard, samples in _made(recipe, missing, workers, scheduler):
            write_shard(shard_path(folder, shard.number), samples)
            if bar is not None:
                bar.update(len(samples))
    return count


def _claim(folder: Path, recipe: Recipe, shard_size: int) -> None:
    """Note which words `folder` holds: those of two recipes in one folder would be nobody's."""
    mine = json.dumps({"recipe": recipe.digest, "shard_size": shard_size})
    path = folder / RECIPE
    if path.exists() and path.read_text("utf-8") != mine:
        raise BadDataset(f"{folder} holds words made with other options; remove it, or write to another folder.")
    write_whole(path, mine)


def _remove_all_but(folder: Path, shards: list[Shard]) -> None:
    """Remove shards past the end."""
    keep = {shard_path(folder, shard.number) for shard in shards}
    for path in {*folder.glob("[0-9]*.npz")} - keep:
        path.unlink(missing_ok=True)


def _is_whole(folder: Path, shard: Shard) -> bool:
    try:
        return len(read_shard(shard_path(folder, shard.number))) == shard.stop - shard.start
    except BadDataset:
        return False


def _bar(words: int, done: int) -> AbstractContextManager[Any]:
    try:
        from tqdm import tqdm
    except ImportError:
        raise MissingExtra("The progress bar needs tqdm: pip install 'ocrkit[train]'.") from None
    return tqdm(total=words, initial=done, unit=" words", smoothing=0.1)


# --- who makes them --------------------------------------------------------------------------------------------------

Made = tuple[Shard, list[Sample]]


def _made(recipe: Recipe, shards: list[Shard], workers: int, scheduler: str | None) -> Iterator[Made]:
    """The shards with their words, in whatever order they are finished."""
    if not shards:
        return
    if scheduler is None and workers <= 1:
        yield from (_make(recipe, shard) for shard in shards)
        return
    with _processes(workers) if scheduler is None else _dask(scheduler, workers) as (executor, at_once):
        todo, running = iter(shards), set[Future[Made]]()
        try:
            # Two for each worker: the next one waits while the last one is written, and memory stays bounded.
            while running := running | {
                executor.submit(_make, recipe, shard) for shard in islice(todo, 2 * at_once - len(running))
            }:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        finally:
            for future in running:
                future.cancel()


def _make(recipe: Recipe, shard: Shard) -> Made:
    return shard, list(_generator(recipe).samples(shard.start, shard.stop))


@lru_cache(maxsize=1)
def _generator(recipe: Recipe) -> WordGenerator:
    """A process sets up its generator once."""
    return recipe.generator()


@contextmanager
def _processes(workers: int) -> Iterator[tuple[Executor, int]]:
    """Processes of this machine, each with a fresh interpreter: forked threads of TensorFlow would hang."""
    try:
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), end_with_parent) as executor:
            yield executor, workers
    except BrokenProcessPool:
        raise OcrkitError("A process that made words was killed; run it again to go on, with fewer workers.") from None


@contextmanager
def _dask(address: str, workers: int) -> Iterator[tuple[Executor, int]]:
    with dask_client(address, workers, "train") as client:
        yield client.get_executor(pure=False), sum(client.nthreads().values())
