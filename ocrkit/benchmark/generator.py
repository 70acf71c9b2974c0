"""How many words a second one core invents, beside TextRecognitionDataGenerator (TRDG) on the same core."""

from __future__ import annotations

import copy
import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ocrkit.errors import MissingExtra, OcrkitError
from ocrkit.synth.generator import WordGenerator

# TRDG's own generator on the same texts, with its random skew, blur, distortion and noisy background, into arrays.
_TRDG = """
import json, sys, time
import numpy as np
from trdg.generators import GeneratorFromStrings
texts = json.load(sys.stdin)
words = GeneratorFromStrings(texts, count=len(texts), size=32, skewing_angle=3, random_skew=True, blur=1,
                             random_blur=True, background_type=0, distorsion_type=1, distorsion_orientation=2)
start = time.process_time()
made = sum(np.asarray(image).size > 0 for image, _ in words)
print(json.dumps([made, time.process_time() - start]))
"""


@dataclass(frozen=True)
class Speed:
    """Words a second on one core.

    Attributes:
        ours: of processor time, the median of the repeats.
        wall: by the clock, the median of the repeats; less than `ours` where other programs wanted the core too.
        cold: of processor time, the first words of a process, which opens its fonts and draws its glyphs meanwhile.
        trdg: of processor time, the median of the repeats; `None` if not asked for.
    """

    ours: float
    wall: float
    cold: float
    trdg: float | None


def measure_speed(
    generator: WordGenerator, words: int = 2000, repeats: int = 3, trdg_python: str | None = None, trdg_words: int = 100
) -> Speed:
    """Measure by turns, each time on words not made before; set-up is not counted, the first words apart.

    Args:
        generator: with all its distortions, in a process that has made no words yet.
        words: a repeat.
        repeats: of which the median counts.
        trdg_python: interpreter of an environment with `trdg==1.8.0` and `pillow<10`.
        trdg_words: a repeat of TRDG.

    Raises:
        MissingExtra: that interpreter has no TRDG.
    """
    cold, _ = _make(generator, 0, words)
    ours, wall, theirs = [], [], []
    for repeat in range(1, repeats + 1):
        by_processor, by_clock = _make(generator, repeat * words, words)
        ours.append(by_processor)
        wall.append(by_clock)
        if trdg_python:
            texts = [sample.text for sample in generator.samples(0, 2 * trdg_words) if sample.text.isascii()]
            theirs.append(_trdg(trdg_python, [text for text in texts if text.strip()][:trdg_words]))
    trdg = statistics.median(theirs) if theirs else None
    return Speed(statistics.median(ours), statistics.median(wall), cold, trdg)


def _make(generator: WordGenerator, first: int, words: int) -> tuple[float, float]:
    """Words a second of processor time, and by the clock."""
    processor, clock = time.process_time(), time.perf_counter()
    for _ in generator.samples(first, first + words):
        pass
    return words / (time.process_time() - processor), words / (time.perf_counter() - clock)


def measure_steps(generator: WordGenerator, first: int, words: int) -> dict[str, float]:
    """Microseconds of processor time that each of `WordGenerator.STEPS` takes a word, and `other` for the rest.

    Args:
        generator: see `measure_speed`; it is not changed.
        first: number of the first word; those made before decide which glyphs are there already.
        words: how many.
    """
    spent = dict.fromkeys(generator.STEPS, 0.0)
    timed = copy.copy(generator)

    def stopwatch(step: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            start = time.process_time()
            result = method(*arguments)
            spent[step] += time.process_time() - start
            return result

        return run

    for step, methods in generator.STEPS.items():
        for name in methods:
            setattr(timed, name, stopwatch(step, getattr(generator, name)))
    by_processor, _ = _make(timed, first, words)
    shares = {step: 1e6 * seconds / words for step, seconds in spent.items()}
    return {**shares, "other": 1e6 / by_processor - sum(shares.values())}


def _trdg(python: str, texts: list[str]) -> float:
    one_core = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            [python, "-c", _TRDG], input=json.dumps(texts), capture_output=True, text=True, check=True, env=one_core
        )
    except OSError as error:
        raise OcrkitError(f"{python} cannot be started: {error.strerror}.") from None
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip() or "no reason given").splitlines()[-1]
        raise MissingExtra(f"TRDG does not run in {python} ({reason}); install trdg==1.8.0 and pillow<10.") from None
    made, seconds = json.loads(done.stdout.splitlines()[-1])
    return made / seconds
