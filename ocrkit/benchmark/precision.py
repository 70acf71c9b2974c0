"""float32 against int8: speed and words read right of every way to quantise, and the most that int8 could give here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ocrkit.datasets import Sample
from ocrkit.document import Image
from ocrkit.errors import MissingExtra
from ocrkit.metrics import correct_words
from ocrkit.recognition import load_recognizer
from ocrkit.recognition.quantize import quantize

# What is computed in int8, whether with 7 of 8 bits of weights, and the runtime.
WAYS: dict[str, tuple[tuple[str, ...], bool, str]] = {
    "float32": ((), True, "onnxruntime"),
    "convolutions": (("convolutions",), True, "onnxruntime"),
    "convolutions, outputs": (("convolutions", "outputs"), True, "onnxruntime"),
    "lstms": (("lstms",), True, "onnxruntime"),
    "convolutions, lstms": (("convolutions", "lstms"), True, "onnxruntime"),
    "all": (("convolutions", "outputs", "lstms"), True, "onnxruntime"),
    "all, 8 bits": (("convolutions", "outputs", "lstms"), False, "onnxruntime"),
    "OpenVINO float32": ((), True, "openvino"),
    # It does not know ONNX Runtime's operator for LSTMs.
    "OpenVINO convolutions": (("convolutions", "outputs"), True, "openvino"),
}


def precision_rows(
    model: Path,
    calibration: Sequence[Image],
    sets: Mapping[str, Sequence[Sample]],
    folder: Path,
    threads: int = 1,
    repeats: int = 5,
    ways: Sequence[str] = tuple(WAYS),
) -> list[dict[str, Any]]:
    """One row for each of `ways` that can be run here, measured by turns on the words of all `sets`.

    Args:
        model: in float32.
        calibration: crops that decide the ranges of int8.
        sets: labelled words to read.
        folder: where the quantised models are written.
        threads: of the runtime.
        repeats: turns.
        ways: of `WAYS`, each float32 among them before its int8.

    Returns:
        Rows of `way`, `words_per_second` (median pass), `ratio` to float32 of the same runtime (median of the ratios
        within each turn), `cpu_ms` a word (least) and the share of words right in each set.

    Raises:
        BadModel: `model` is missing or damaged.
        MissingExtra: onnx is not installed.
    """
    readers: dict[str, Any] = {}
    for number, way in enumerate(ways):
        parts, seven_bits, runtime = WAYS[way]
        made = quantize(model, folder / str(number), calibration, parts, seven_bits) if parts else model
        try:
            readers[way] = load_recognizer(made, runtime, threads)
        except MissingExtra:
            continue
    crops = [sample.image for samples in sets.values() for sample in samples]
    right = {way: _shares(reader.recognize, sets) for way, reader in readers.items()}
    wall: dict[str, list[float]] = {way: [] for way in readers}
    processor: dict[str, list[float]] = {way: [] for way in readers}
    for _ in range(repeats):
        for way, reader in readers.items():
            begun, cpu = time.perf_counter(), time.process_time()
            reader.logits(crops)
            wall[way].append(time.perf_counter() - begun)
            processor[way].append(time.process_time() - cpu)
    rows = []
    for way in readers:
        base = "OpenVINO float32" if way.startswith("OpenVINO") else "float32"
        ratio = np.median(np.divide(processor[base], processor[way]))
        speed = len(crops) / float(np.median(wall[way]))
        cpu_ms = 1000 * min(processor[way]) / len(crops)
        rows.append({"way": way, "words_per_second": speed, "ratio": float(ratio), "cpu_ms": cpu_ms, **right[way]})
    return rows


def _shares(read: Callable[[Sequence[Image]], Sequence[Any]], sets: Mapping[str, Sequence[Sample]]) -> dict[str, float]:
    return {
        name: float(correct_words([s.text for s in samples], [g.text for g in read([s.image for s in samples])]).mean())
        for name, samples in sets.items()
    }


def int8_gain(side: int = 512, repeats: int = 20) -> float:
    """How many times faster ONNX Runtime multiplies int8 matrices of `side` than float32 ones, on one thread.

    Raises:
        MissingExtra: onnx is not installed.
    """
    import onnxruntime

    try:
        from onnx import TensorProto, helper
    except ImportError:
        raise MissingExtra("Measuring int8 needs onnx: pip install 'ocrkit[train]'.") from None

    rng = np.random.default_rng(0)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1

    def product(kind: str, given: tuple[int, int], made: int) -> Callable[[dict[str, np.ndarray]], object]:
        inputs = [helper.make_tensor_value_info(n, t, [side, side]) for n, t in zip("ab", given)]
        output = helper.make_tensor_value_info("c", made, [side, side])
        graph = helper.make_graph([helper.make_node(kind, ["a", "b"], ["c"])], kind, inputs, [output])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return lambda feeds: session.run(None, feeds)

    floats = {name: rng.random((side, side), np.float32) for name in "ab"}
    bytes_ = {"a": rng.integers(0, 255, (side, side), np.uint8), "b": rng.integers(-64, 64, (side, side), np.int8)}
    exact = product("MatMul", (TensorProto.FLOAT, TensorProto.FLOAT), TensorProto.FLOAT)
    rough = product("MatMulInteger", (TensorProto.UINT8, TensorProto.INT8), TensorProto.INT32)
    times = np.empty((repeats, 2))
    for turn in times:
        for i, (multiply, feeds) in enumerate(((exact, floats), (rough, bytes_))):
            begun = time.process_time()
            multiply(feeds)
            turn[i] = time.process_time() - begun
    best = times.min(0)
    return float(best[0] / best[1])
