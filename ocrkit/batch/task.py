"""One document of many: skipped, read, or not to be read, with the reason; never an end of all the others' reading."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Literal

from ocrkit.batch.inputs import Source
from ocrkit.batch.places import Place
from ocrkit.batch.recipes import Made, Recipe
from ocrkit.batch.records import Record
from ocrkit.errors import OcrkitError
from ocrkit.workers import Tell

State = Literal["done", "skipped", "failed"]

_log = logging.getLogger(__name__)
_ONE_AT_A_TIME = threading.Lock()  # a worker of a cluster may have several threads, and PDFium bears but one


@dataclass(frozen=True)
class Task:
    """What one worker does at once; plain values, so that it can be sent anywhere.

    Attributes:
        source: the document.
        source_key: how it is noted.
        output: name of the result in `place`.
        recipe: how it is made.
        recipe_digest: what that comes to; made once for all, as a model's files are looked at.
        force: whether what is there is made anew, and anybody's file written over.
    """

    source: Source
    source_key: str
    output: str
    place: Place
    recipe: Recipe
    recipe_digest: str
    force: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a document.

    Attributes:
        source: its name.
        output: path or address of its result.
        state: `done`, `skipped` as it was done before, or `failed`.
        reason: why it failed.
        faults: sentences about pages that could not be read.
        notes: sentences about what was repaired or may surprise.
        pages: in it.
        left_alone: of them, such as those that have text already.
        words: read.
        seconds: by the clock.
    """

    source: str
    output: str
    state: State
    reason: str = ""
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    pages: int = 0
    left_alone: int = 0
    words: int = 0
    seconds: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether every page was read."""
        return self.state != "failed" and not self.faults


def do(task: Task, tell: Tell) -> Outcome:
    """Read one document; raises nothing."""
    begun = time.monotonic()
    outcome = Outcome(task.source.name, task.place.path(task.output), "failed")
    try:
        with _ONE_AT_A_TIME:
            outcome = _done(task, outcome, tell)
    except OcrkitError as error:
        outcome = replace(outcome, reason=str(error))
    except MemoryError:
        from ocrkit.images.page import no_memory

        outcome = replace(outcome, reason=str(no_memory(task.source.name)))
    except OSError as error:
        outcome = replace(outcome, reason=f"{error.filename or task.source.name}: {error.strerror or error}.")
    except Exception as error:  # a mistake of ours is to be mended, and still no end of the others' reading
        _log.debug("%s", task.source.name, exc_info=True)
        told = " ".join(f"{type(error).__name__}: {error}".split())
        outcome = replace(outcome, reason=f"{task.source.name} made ocrkit stumble ({told}): please report it.")
    return replace(outcome, seconds=round(time.monotonic() - begun, 3))


def _done(task: Task, outcome: Outcome, tell: Tell) -> Outcome:
    place, recipe = task.place, task.recipe
    identity = task.source.identity()
    known = Record.of(place.record(task.output))
    if known and not task.force and known.stands(place, identity, task.recipe_digest):
        same = Made(known.pages, known.left_alone, known.words, known.faults)
        return _with(outcome, same, "skipped")
    names = recipe.outputs(task.output)
    there = {name: place.fingerprint(name) for name in names if place.size(name) is not None}
    for name, fingerprint in there.items():
        if not task.force and not (known and known.is_of(name, fingerprint)):
            raise OcrkitError(
                f"{place.path(name)} is there already and not as ocrkit wrote it: "
                "name another place, or write over with --force."
            )
    with task.source.local() as path, place.staging() as folder:
        parts = {name: folder / f"{number}{_suffix(name)}" for number, name in enumerate(names)}
        try:
            made = recipe.make(path, task.source, list(parts.values()), tell)
            made = replace(
                made,
                faults=tuple(_renamed(fault, task, path, parts) for fault in made.faults),
                notes=tuple(_renamed(note, task, path, parts) for note in made.notes),
            )
            files = {name: part for name, part in parts.items() if part.exists()}
            record = Record(
                task.output,
                task.source_key,
                identity,
                task.recipe_digest,
                {name: part.stat().st_size for name, part in files.items()},
                {name: place.fingerprint_of(part) for name, part in files.items()},
                there,
                made.pages,
                made.left_alone,
                made.words,
                made.faults,
            )
            place.write_record(task.output, record.text())
            for name, part in files.items():
                place.put(part, name)
        except OcrkitError as error:
            raise type(error)(_renamed(str(error), task, path, parts)) from None
    return _with(outcome, made, "done")


def _with(outcome: Outcome, made: Made, state: State) -> Outcome:
    told = {field.name: getattr(made, field.name) for field in fields(made)}
    return replace(outcome, state=state, **told)


def _renamed(message: str, task: Task, path: Path, parts: Mapping[str, Path]) -> str:
    """A sentence about the files as people know them."""
    message = message.replace(str(path), task.source.name)
    for name, part in parts.items():
        message = message.replace(str(part), task.place.path(name))
    return message


def _suffix(name: str) -> str:
    return "." + name.rpartition(".")[2]
