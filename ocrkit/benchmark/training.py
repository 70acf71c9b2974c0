"""Builds of the training side by side: words a second, and what is read after equal processor time."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from ocrkit.datasets import Sample
from ocrkit.errors import BadParams
from ocrkit.learning.materials import Materials
from ocrkit.learning.trainer import Trainer, TrainOptions, word_accuracy
from ocrkit.recognition.network import SIZES
from ocrkit.synth.generator import Widths, WordGenerator, WordOptions

KERNELS = ("keras", "fused")
_ROUND_WORDS = 2048  # a turn


@dataclass(frozen=True)
class Build:
    """What a training is made of: network size, kernels, and the widths of its words."""

    size: str
    fused: bool
    widths: Widths

    @classmethod
    def parse(cls, text: str) -> Build:
        """`fast/fused/print` as a build.

        Raises:
            BadParams: not of that form, or an unknown size, kernel or width.
        """
        parts, choices = text.split("/"), (tuple(SIZES), KERNELS, get_args(Widths))
        if len(parts) != 3 or any(part not in known for part, known in zip(parts, choices)):
            forms = "/".join("|".join(known) for known in choices)
            raise BadParams(f"{text!r} is no build; the form is {forms}.")
        return cls(parts[0], parts[1] == "fused", parts[2])  # type: ignore[arg-type]

    def __str__(self) -> str:
        return f"{self.size}/{KERNELS[self.fused]}/{self.widths}"


@dataclass(frozen=True)
class BuildRow:
    """What a build did.

    Attributes:
        build: its name.
        words: seen.
        cpu_s: processor seconds, of drawing the words and of learning from them.
        words_per_cpu_s: words a processor second.
        words_per_s: words a second by the clock.
        right: share of held-out words read right at the end.
    """

    build: str
    words: int
    cpu_s: float
    words_per_cpu_s: float
    words_per_s: float
    right: dict[str, float]


def side_by_side(
    builds: Sequence[Build],
    materials: Materials,
    judges: Mapping[str, Sequence[Sample]],
    cpu_seconds: float,
    options: TrainOptions,
    on_turn: Callable[[int], object] = lambda words: None,
) -> list[BuildRow]:
    """Train all builds from nothing, by turns of about two thousand words, for about `cpu_seconds` each.

    A build's learning rate falls to its end like that of any training; so the words that it can see in its time are
    estimated first, from a few steps.

    Args:
        builds: to compare, each once.
        materials: of the words.
        judges: words to judge by, by the name of the set.
        cpu_seconds: of each build.
        options: of all trainings; size, kernels and number of words are the builds'.
        on_turn: called after each turn with its words.
    """
    with tempfile.TemporaryDirectory(prefix="ocrkit-") as scratch:
        trainers = [_Timed(build, materials, cpu_seconds, options, Path(scratch)) for build in builds]
        while unfinished := [trainer for trainer in trainers if not trainer.finished]:
            next_one = min(unfinished, key=lambda trainer: trainer.cpu_s)
            on_turn(next_one.turn())
        return [trainer.row(judges) for trainer in trainers]


class _Timed:
    """A training, and the time it has taken so far."""

    def __init__(
        self, build: Build, materials: Materials, cpu_seconds: float, options: TrainOptions, scratch: Path
    ) -> None:
        self.build = build
        words = WordOptions(seed=options.seed, widths=build.widths)
        source = WordGenerator(materials.vocabulary, materials.verdicts, words).samples
        options = replace(
            options,
            size=build.size,
            fused=build.fused,
            words=1_000_000,
            round_words=_ROUND_WORDS,
            validate_every=1_000_000,
        )
        folder = scratch / str(build).replace("/", "-")
        self.trainer = Trainer(source, [], options, folder)
        self.trainer.save()
        self.trainer.options = replace(options, words=round(cpu_seconds * _speed(self.trainer)))
        self.trainer.resume()
        self.cpu_s = self.seconds = 0.0

    @property
    def finished(self) -> bool:
        return self.trainer.words >= self.trainer.options.words

    def turn(self) -> int:
        begun, spent, before = time.perf_counter(), time.process_time(), self.trainer.words
        self.trainer.run(until=before + 1)
        self.cpu_s += time.process_time() - spent
        self.seconds += time.perf_counter() - begun
        return self.trainer.words - before

    def row(self, judges: Mapping[str, Sequence[Sample]]) -> BuildRow:
        network, seen = self.trainer.finished(), self.trainer.words
        right = {name: word_accuracy(network, self.trainer.alphabet, samples) for name, samples in judges.items()}
        return BuildRow(str(self.build), seen, self.cpu_s, seen / self.cpu_s, seen / self.seconds, right)


def _speed(trainer: Trainer) -> float:
    """Words a processor second, the drawing of words included; spoils the trainer's weights."""
    spent = 0.0
    for number in range(2):  # the first round opens fonts and traces graphs
        spent = time.process_time()
        for batch in trainer.batches(number * _ROUND_WORDS, number):
            trainer.train_on(batch, 1e-4)
    return _ROUND_WORDS / (time.process_time() - spent)
