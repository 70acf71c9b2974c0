"""What this machine can do at best, and what reading costs it from the start of a process."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from ocrkit.errors import OcrkitError
from ocrkit.recognition.network import SIZES, cost
from ocrkit.recognition.preprocess import HEIGHT

# In a process of its own: a BLAS library takes its number of threads when it is loaded.
_PEAKS = """
import time
import numpy as np
def best(work):
    times = []
    for _ in range(12):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return min(times)
a, b = np.random.default_rng(0).random((2, 1024, 1024), np.float32)
c = np.empty_like(a)
source = np.ones(1 << 25, np.float32)
target = np.empty_like(source)
multiplied, copied = best(lambda: np.matmul(a, b, out=c)), best(lambda: np.copyto(target, source))
print(2 * 1024**3 / multiplied / 1e9, 2 * source.nbytes / copied / 1e9)
"""
# The most memory from /proc: that of getrusage holds what the parent had when the process was split from it.
_MEASURED = """
import sys
{}
import json, re, time
most = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]
print(json.dumps([time.process_time(), int(most) / 1024]))
"""
STARTS = {
    "python": "pass",
    "import ocrkit": "import ocrkit",
    "first page read": "import ocrkit; ocrkit.Reader(sys.argv[2] or None).read(sys.argv[1])",
}


@dataclass(frozen=True)
class Peaks:
    """The best one core reached: GFLOP/s of a matrix multiply in float32, and GB/s of copying in memory."""

    gflops: float
    gb_per_second: float


def peaks() -> Peaks:
    """Measured with NumPy on one thread, best of twelve, by processor time: other programs change it little."""
    variables = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    gflops, gb_per_second = _python(_PEAKS, (), dict.fromkeys(variables, "1")).split()
    return Peaks(float(gflops), float(gb_per_second))


@dataclass(frozen=True)
class Load:
    """What the network does to a batch: floating-point operations and bytes that go to and from memory, at least."""

    flops: float
    bytes: float

    @property
    def intensity(self) -> float:
        """Operations a byte."""
        return self.flops / self.bytes


def load(size: str, classes: int, batch: int, width_px: int = 128) -> Load:
    """Counted from the shape alone: every layer reads its weights once a batch and its input, and writes its output.

    Args:
        size: of the network.
        classes: its outputs.
        batch: pictures.
        width_px: of each.
    """
    shape, counted = SIZES[size], cost(size, classes, width_px)
    high, wide, outputs = HEIGHT, width_px, []
    for layer in shape.layers():
        high, wide = layer.size(high, wide)
        outputs.append(high * wide * layer.filters)
    outputs += [wide * features for features in (*(2 * units for units in shape.lstm), classes)]
    floats = counted.parameters + batch * (HEIGHT * width_px + 2 * sum(outputs))
    return Load(2.0 * batch * counted.macs, 4.0 * floats)


@dataclass(frozen=True)
class Start:
    """A process from nothing: the median of several, and their spread.

    Attributes:
        seconds: by the clock, from the start of the process to its end.
        fastest: seconds.
        slowest: seconds.
        cpu_seconds: of processor time.
        peak_mb: most resident memory.
    """

    what: str
    seconds: float
    fastest: float
    slowest: float
    cpu_seconds: float
    peak_mb: float


def starts(page: Path, repeats: int = 5, model: str | Path | None = None) -> list[Start]:
    """How long fresh processes take to import the kit and to read `page`, by turns; bare Python to compare with.

    Args:
        page: a picture.
        repeats: turns.
        model: as `ocrkit.Reader`.

    Raises:
        OcrkitError: one failed, such as on a page that cannot be read.
    """
    measured: dict[str, list[tuple[float, float, float]]] = {what: [] for what in STARTS}
    for _ in range(repeats):
        for what, statement in STARTS.items():
            begun = time.perf_counter()
            told = json.loads(_python(_MEASURED.format(statement), (str(page), str(model or "")), {}).splitlines()[-1])
            measured[what].append((time.perf_counter() - begun, *told))
    rows = []
    for what, runs in measured.items():
        seconds, processor, memory = zip(*runs)
        middle = statistics.median
        rows.append(Start(what, middle(seconds), min(seconds), max(seconds), middle(processor), middle(memory)))
    return rows


def _python(code: str, arguments: tuple[str, ...], environment: dict[str, str]) -> str:
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise OcrkitError(f"A measuring process failed: {said[-1] if said else done.returncode}")
    return done.stdout
