"""Words a second of a recogniser: by batch, by step, by threads and processes."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from ocrkit.datasets import Sample
from ocrkit.document import Image
from ocrkit.engines import Engine
from ocrkit.engines.single_words import WordReading, word_rows
from ocrkit.processes import end_with_parent
from ocrkit.recognition import load_recognizer
from ocrkit.recognition.decode import greedy
from ocrkit.recognition.model import alphabet_of
from ocrkit.recognition.network import STRIDE_PX
from ocrkit.recognition.preprocess import batches
from ocrkit.recognition.runtimes import load_runtime

Read = Callable[[Sequence[Image]], object]

_WARM_UP = 64  # words
_LONGEST_START_S = 300.0  # of a process that has to load a runtime on a busy machine
_worker: dict[str, Any] = {}  # what a process of `words_per_second` reads with


def latency(read: Read, crops: Sequence[Image], batch: int, repeats: int = 3) -> dict[str, float]:
    """Time from crops to texts, `batch` crops at a time, after one pass to warm up.

    Returns:
        `words_per_second` of the median pass; `ms_p50`, `ms_p95` and `ms_p99`, ms a word of the batches of all passes;
        `cpu_ms`, ms of processor time a word, which other programs on the machine change little.
    """
    parts = [crops[start : start + batch] for start in range(0, len(crops), batch)]
    sizes = np.array([len(part) for part in parts])
    seconds, processor = np.empty((repeats, len(parts))), []
    for part in parts:
        read(part)
    for repeat in range(repeats):
        begun = time.process_time()
        for number, part in enumerate(parts):
            started = time.perf_counter()
            read(part)
            seconds[repeat, number] = time.perf_counter() - started
        processor.append(time.process_time() - begun)
    percentiles = np.percentile(1000 * seconds / sizes, (50, 95, 99))
    return {
        "words_per_second": len(crops) / float(np.median(seconds.sum(1))),
        **{name: float(value) for name, value in zip(("ms_p50", "ms_p95", "ms_p99"), percentiles)},
        "cpu_ms": 1000 * min(processor) / len(crops),
    }


def steps(model: Path, crops: Sequence[Image], runtime: str = "onnxruntime", repeats: int = 3) -> dict[str, float]:
    """Processor ms a word of making crops into batches, of the network on one thread, and of decoding; least of all
    passes.
    """
    alphabet, run = alphabet_of(model), load_runtime(runtime, model, 1)
    spent = np.empty((repeats, 3))
    for repeat in range(repeats):
        times = [time.process_time()]
        made = batches(crops)
        times.append(time.process_time())
        logits = [run(batch.pictures) for batch in made]
        times.append(time.process_time())
        for batch, output in zip(made, logits):
            greedy(output, alphabet, STRIDE_PX / batch.scales)
        times.append(time.process_time())
        spent[repeat] = np.diff(times)
    best = 1000 * spent.min(0) / len(crops)
    return dict(zip(("crops to batches", "network", "outputs to texts"), best.tolist()))


def beside(engines: Sequence[Engine], samples: Sequence[Sample], repeats: int = 3) -> list[dict[str, Any]]:
    """Let engines read the same words by turns, so that a busy moment slows all alike.

    Returns:
        The rows of `word_rows`, each with the `fastest` and `slowest` turn, ms a word; `cpu_ms` of processor time in
        this process and those it started, the median turn; and what this is as a multiple of the first engine's.

    Raises:
        EngineFailed: an engine gave no answer.
    """
    crops = [sample.image for sample in samples]
    texts: dict[str, list[str]] = {engine.name: engine.recognize(crops[:_WARM_UP]) for engine in engines}
    wall: dict[str, list[float]] = {engine.name: [] for engine in engines}
    processor: dict[str, list[float]] = {engine.name: [] for engine in engines}
    for _ in range(repeats):
        for engine in engines:
            begun, spent = time.perf_counter(), _processor_seconds()
            texts[engine.name] = engine.recognize(crops)
            wall[engine.name].append(time.perf_counter() - begun)
            processor[engine.name].append(_processor_seconds() - spent)
    readings = [WordReading(e.name, e.version, tuple(texts[e.name]), tuple(wall[e.name])) for e in engines]
    rows = word_rows(readings, samples)
    scale = 1000 / len(samples)
    for row, times, spans in zip(rows, wall.values(), processor.values()):
        row |= {"fastest": scale * min(times), "slowest": scale * max(times), "cpu_ms": scale * float(np.median(spans))}
        row["cpu_times_first"] = row["cpu_ms"] / rows[0]["cpu_ms"]
    return rows


def _processor_seconds() -> float:
    """Of this process and of those it started that have ended."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def words_per_second(
    model: Path,
    crops: Sequence[Image],
    processes: int,
    threads: int,
    runtime: str = "onnxruntime",
    seconds: float = 2.0,
) -> float:
    """Of `processes` processes together, each with `threads` threads and reading all `crops` again and again.

    Raises:
        BadModel: the model is missing or damaged.
        MissingExtra: the runtime is not installed.
    """
    context = multiprocessing.get_context("spawn")  # runtimes have threads, which a fork would lose
    together = context.Barrier(processes)
    given = (model, runtime, threads, crops, together)
    with ProcessPoolExecutor(processes, context, _load, given) as pool:
        return sum(pool.map(_read_for, [seconds] * processes))


def _load(model: Path, runtime: str, threads: int, crops: Sequence[Image], together: Any) -> None:
    end_with_parent()
    _worker.update(given=(model, runtime, threads), crops=crops, together=together)


def _read_for(seconds: float) -> float:
    """Words a second of this process, once all are ready."""
    crops = _worker["crops"]
    try:
        recognizer = load_recognizer(*_worker["given"])
        recognizer.recognize(crops)
    except BaseException:
        _worker["together"].abort()  # the others wait for nobody
        raise
    _worker["together"].wait(_LONGEST_START_S)
    begun, passes = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - begun) < seconds:
        recognizer.recognize(crops)
        passes += 1
    return passes * len(crops) / elapsed
