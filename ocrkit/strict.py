"""Strict mode: the same data, weights and curves on every x86-64 processor with AVX2.

Libraries choose their kernels by the processor and part sums by its threads. The last bits of the results depend on
both, and a training makes other weights of them. Strict mode makes the choice for them: it lets no kernel go beyond
AVX2, and fixes the threads.

TensorFlow then computes convolutions and norms by oneDNN's kernels. Its other ones, Eigen's, part sums by the sizes of
the processor's caches and take reciprocal roots from an instruction whose last bits differ between makers; neither can
be fixed from outside (seen with TensorFlow 2.20.0 on one processor and on others that QEMU emulates).

It does not hold for GPUs, JAX and Keras's own layers (`fused: false`), nor for ONNX Runtime and OpenVINO, which choose
by the processor whatever they are told: what is read with them agrees but for the last bits of confidences.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

# In the environment, `1` asks for strict mode: libraries read theirs when they are loaded, and children inherit it.
VARIABLE = "OCRKIT_STRICT"
PINNED = {
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "TF_NUM_INTRAOP_THREADS": "2",  # the norms' sums are parted by it
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Haswell",
    "OPENBLAS_NUM_THREADS": "2",
    "OPENCV_IPP": "avx2",
}


def is_on() -> bool:
    """Whether this process computes in strict mode."""
    return os.environ.get(VARIABLE) == "1"


def environment() -> dict[str, str]:
    """The variables of a process in strict mode."""
    return {VARIABLE: "1", **PINNED}


def take_up() -> None:
    """Compute in strict mode from here on; too late for what is loaded already, which a warning says.

    `import ocrkit` does so where the environment asks for it.
    """
    pinned = all(os.environ.get(name) == value for name, value in PINNED.items())
    os.environ.update(environment())
    if "tensorflow" in sys.modules and not pinned:
        warnings.warn(
            "TensorFlow was loaded before strict mode was asked for: its kernels are not fixed.", stacklevel=2
        )
    if not instruction_set():
        warnings.warn("Strict mode is for x86-64 processors with AVX2: others may compute otherwise.", stacklevel=2)


def instruction_set() -> str:
    """The widest of AVX2 and AVX-512 that this processor has; empty where it has neither, or cannot be asked."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:  # not Linux
        return ""
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    return "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else ""
