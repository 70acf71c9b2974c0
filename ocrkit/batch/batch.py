"""All documents of one call: named, handed to workers, and told of one by one as they are finished."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ocrkit.batch.inputs import STANDARD_INPUT, Source
from ocrkit.batch.naming import names_of
from ocrkit.batch.places import LocalPlace, Place, open_place
from ocrkit.batch.recipes import Recipe
from ocrkit.batch.records import Record
from ocrkit.batch.remote import is_remote
from ocrkit.batch.task import Outcome, Task, do
from ocrkit.workers import Lost, Tell, spread

# All that reading needs. ONNX Runtime starts a thread when it is loaded unless its telemetry is off, as ocrkit sees to.
_SHARED = (
    "ocrkit.batch.warm", "ocrkit.documents.searchable", "ocrkit.documents.scan", "ocrkit.formats.forms", "onnxruntime",
)  # fmt: skip
_FILES_FOR_A_PROCESS = 4  # the start of a process takes about as long as a few pages do


@dataclass(frozen=True)
class Batch:
    """Documents that become results in one folder.

    Attributes:
        tasks: one for each.
        notes: sentences about results that get another name than their documents'.
    """

    tasks: tuple[Task, ...]
    notes: tuple[str, ...] = ()

    def run(
        self, jobs: int | None = None, scheduler: str | None = None, tell: Tell = lambda more: None
    ) -> Iterator[Outcome]:
        """Do all tasks, and give what became of each as it is finished.

        The results are the same, byte for byte, whoever does them.

        Args:
            jobs: processes; 1 is this one alone. `None` is one for each core, and no more than the work is worth.
            scheduler: of a Dask cluster; see `ocrkit.workers.spread`.
            tell: is called with 1 for each page as it is done, where the workers are on this machine.

        Raises:
            OcrkitError: the cluster cannot be had, or is lost.
        """
        if jobs is None:
            jobs = min(_cores(), max(1, len(self.tasks) // _FILES_FOR_A_PROCESS))
        try:
            for task, answer in spread(do, self.tasks, jobs, scheduler, tell, _SHARED):
                yield _lost(task, answer) if isinstance(answer, Lost) else answer
        finally:
            from ocrkit.batch.warm import forget

            forget()


@contextmanager
def open_batch(
    sources: Sequence[Source], output: str, recipe: Recipe, *, keep_tree: bool = False, force: bool = False
) -> Iterator[Batch]:
    """The batch of `sources` into the folder at `output`, which it holds for itself meanwhile.

    A result that was not written by ocrkit, or was changed since, is left as it is unless `force` is given; a document
    never becomes a result's place.

    Args:
        sources: documents.
        output: path or address of the folder.
        recipe: what is made of each.
        keep_tree: whether results lie in folders as their documents do.
        force: whether what is there is made anew, and anybody's file written over.

    Raises:
        OcrkitError: the folder cannot be written, or another run is at it; or the recipe cannot be followed.
    """
    digest = recipe.digest()
    place = open_place(output)
    with place.held():
        yield _planned(sources, place, recipe, digest, keep_tree, force)


def _planned(
    sources: Sequence[Source], place: Place, recipe: Recipe, digest: str, keep_tree: bool, force: bool
) -> Batch:
    keys = {source.key: _noted_key(source, place) for source in sources}
    records = [record for record in map(Record.of, place.records()) if record]
    written = {_key_of(place.path(name)) for record in records for name in record.sizes}
    sources = [source for source in sources if source.key not in written]  # results of ours are no documents
    names = {noted: key for key, noted in keys.items()}
    # A document that is no longer there needs its name no more.
    known = {
        names.get(record.source, record.source): record.output
        for record in records
        if record.output.endswith(recipe.suffix) and (record.source in names or _is_there(record.source, place))
    }
    inputs = {source.key for source in sources}
    tasks, notes = [], []
    for source, name, note in names_of(
        sources, recipe.suffix, keep_tree, known, lambda name: _key_of(place.path(name)) in inputs
    ):
        tasks.append(Task(source, keys[source.key], name, place, recipe, digest, force))
        if note:
            notes.append(note)
    return Batch(tuple(tasks), tuple(notes))


def _lost(task: Task, lost: Lost) -> Outcome:
    reason = f"{task.source.name} cannot be read: the process that tried {lost.reason}."
    return Outcome(task.source.name, task.place.path(task.output), "failed", reason)


def _key_of(path: str) -> str:
    return path if is_remote(path) else os.path.realpath(path)


def _noted_key(source: Source, place: Place) -> str:
    """How a document is noted: below or beside its results, so that both can be moved together."""
    if source.data is None and not is_remote(source.name) and isinstance(place, LocalPlace):
        return os.path.relpath(source.key, os.path.realpath(place.root))
    return source.key


def _is_there(noted: str, place: Place) -> bool:
    """Whether a document of an earlier run is still there; of one at an address that is taken for granted."""
    if is_remote(noted) or noted == STANDARD_INPUT or not isinstance(place, LocalPlace):
        return True
    return os.path.exists(os.path.join(os.path.realpath(place.root), noted))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


__all__ = ["Batch", "Place", "open_batch"]
