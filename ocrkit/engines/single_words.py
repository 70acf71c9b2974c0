"""Engines side by side on the same word crops."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ocrkit.datasets import Sample
from ocrkit.engines.base import Engine, EngineFailed, refuse_private
from ocrkit.engines.compare import median
from ocrkit.metrics import bootstrap_interval, character_error_rate, correct_words


@dataclass(frozen=True)
class WordReading:
    """What one engine read in the crops, and how long it took.

    Attributes:
        texts: one a crop; all empty where it failed.
        seconds: for each pass over the crops that it finished, pre- and post-processing included.
        error: why it failed on the last pass.
    """

    engine: str
    version: str
    texts: tuple[str, ...]
    seconds: tuple[float, ...]
    error: str | None = None


def read_words(engines: Sequence[Engine], samples: Sequence[Sample], repeats: int = 1) -> list[WordReading]:
    """Let every engine read the same crops `repeats` times, taking turns, so that a busy moment is shared by all.

    Raises:
        PrivateData: donated words for an engine that sends them away or writes them down.
    """
    refuse_private(engines, any(sample.private for sample in samples))
    crops = [sample.image for sample in samples]
    texts: dict[str, list[str]] = {}
    seconds: dict[str, list[float]] = {engine.name: [] for engine in engines}
    errors: dict[str, str | None] = {}
    for _ in range(repeats):
        for engine in engines:
            begun = time.perf_counter()
            try:
                texts[engine.name] = engine.recognize(crops)
            except EngineFailed as error:
                texts[engine.name], errors[engine.name] = [""] * len(crops), str(error)
            else:
                seconds[engine.name].append(time.perf_counter() - begun)
                errors[engine.name] = None
    return [
        WordReading(e.name, e.version, tuple(texts[e.name]), tuple(seconds[e.name]), errors[e.name]) for e in engines
    ]


def word_rows(readings: Sequence[WordReading], samples: Sequence[Sample], seed: int = 0) -> list[dict[str, Any]]:
    """One row an engine: share of words exactly right and caseless, each with the 95 % interval of a bootstrap over the
    words, character error rate, and milliseconds a word (median pass).
    """
    truths = [sample.text for sample in samples]
    rows = []
    for reading in readings:
        exact, caseless = (
            bootstrap_interval(correct_words(truths, reading.texts, caseless=either), seed=seed)
            for either in (False, True)
        )
        rows.append(
            {
                "engine": reading.engine,
                "words": len(truths),
                "exact": exact.value,
                "exact_low": exact.low,
                "exact_high": exact.high,
                "caseless": caseless.value,
                "caseless_low": caseless.low,
                "caseless_high": caseless.high,
                "cer": character_error_rate(truths, reading.texts),
                "ms_per_word": 1000 * median(reading.seconds) / len(truths),
            }
        )
    return rows
