"""What each network size costs: counted from its shape, and measured on this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ocrkit.alphabet import Alphabet
from ocrkit.recognition.model import save_network
from ocrkit.recognition.network import SIZES, Cost, build_network, cost
from ocrkit.recognition.preprocess import HEIGHT
from ocrkit.recognition.runtimes import Run, load_runtime

_BATCH, _WIDTH, _REPEATS = 64, 128, 5


@dataclass(frozen=True)
class SizeRow:
    """A network size, its cost for a picture 128 px wide, and ms a word on one thread of ONNX Runtime, batch 64.

    The ms are CPU time, so that a busy machine measures the same as an idle one.
    """

    size: str
    cost: Cost
    ms_per_word: float


def network_table() -> Iterator[SizeRow]:
    """A row for each size. The weights measured are random, which costs as much as trained ones; best of five runs."""
    alphabet = Alphabet()
    pictures = np.random.default_rng(0).integers(0, 256, (_BATCH, HEIGHT, _WIDTH), np.uint8)
    for size in SIZES:
        with TemporaryDirectory() as folder:
            save_network(build_network(size, alphabet), alphabet, Path(folder), {})
            read = load_runtime("onnxruntime", Path(folder), threads=1)
            seconds = min(_seconds(read, pictures) for _ in range(_REPEATS))
        yield SizeRow(size, cost(size, alphabet.classes, _WIDTH), 1000 * seconds / _BATCH)


def _seconds(read: Run, pictures: np.ndarray) -> float:
    started = time.process_time()
    read(pictures)
    return time.process_time() - started
