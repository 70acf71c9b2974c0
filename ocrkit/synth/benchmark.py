"""How many words a second one core invents, beside TextRecognitionDataGenerator (TRDG) on the same core."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from dataclasses import dataclass

from ocrkit.errors import MissingExtra, OcrkitError
from ocrkit.synth.words import WordGenerator

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
    """Medians over the repeats, in words per second of processor time on one core; no `trdg` if not asked for."""

    ours: float
    trdg: float | None


def measure_speed(
    generator: WordGenerator, words: int = 2000, repeats: int = 3, trdg_python: str | None = None, trdg_words: int = 100
) -> Speed:
    """Measure by turns, each time on words not made before; set-up and the first words are not counted.

    Args:
        generator: with all its distortions.
        words: a repeat.
        repeats: of which the median counts.
        trdg_python: interpreter of an environment with `trdg==1.8.0` and `pillow<10`.
        trdg_words: a repeat of TRDG.

    Raises:
        MissingExtra: that interpreter has no TRDG.
    """
    for _ in generator.samples(0, words):  # draws the glyphs of the common faces, as the first minute of a run does
        pass
    ours, theirs = [], []
    for repeat in range(1, repeats + 1):
        start = time.process_time()
        for _ in generator.samples(repeat * words, (repeat + 1) * words):
            pass
        ours.append(words / (time.process_time() - start))
        if trdg_python:
            texts = [sample.text for sample in generator.samples(0, 2 * trdg_words) if sample.text.isascii()]
            theirs.append(_trdg(trdg_python, [text for text in texts if text.strip()][:trdg_words]))
    return Speed(statistics.median(ours), statistics.median(theirs) if theirs else None)


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
