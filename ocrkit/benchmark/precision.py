"""float32 against int8: speed and words read right of every way to quantise, and where the time goes in each."""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from ocrkit.datasets import Sample
from ocrkit.document import Image
from ocrkit.errors import MissingExtra
from ocrkit.metrics import bootstrap_interval, correct_words
from ocrkit.recognition import load_recognizer
from ocrkit.recognition.model import ONNX, verified
from ocrkit.recognition.preprocess import batches
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


# Kinds of ONNX Runtime's operators, in float32 and int8, by the part that they compute; all others are the rest.
_PARTS = {"Conv": "convolutions", "LSTM": "lstms", "MatMul": "outputs"}


def quantised(
    model: Path, calibration: Sequence[Image], folder: Path, ways: Sequence[str] = tuple(WAYS)
) -> dict[str, Path]:
    """The model of the folder `model` in each of `ways`, by name.

    Args:
        model: in float32.
        calibration: crops that decide the ranges of int8.
        folder: where the new models are written.
        ways: of `WAYS`, each float32 among them before its int8.

    Raises:
        BadModel: `model` is missing or damaged.
        MissingExtra: onnx is not installed.
    """
    made = {}
    for number, way in enumerate(ways):
        parts, seven_bits, _ = WAYS[way]
        made[way] = quantize(model, folder / str(number), calibration, parts, seven_bits) if parts else model
    return made


def precision_rows(
    models: Mapping[str, Path], sets: Mapping[str, Sequence[Sample]], threads: int = 1, repeats: int = 5
) -> list[dict[str, Any]]:
    """One row for each way whose runtime is installed, measured by turns on the words of all `sets`.

    Args:
        models: folders, of `quantised`.
        sets: labelled words to read.
        threads: of the runtime.
        repeats: turns.

    Returns:
        Rows of `way`, `words_per_second` of the network (median pass), `ratio` to float32 of the same runtime (median
        of the ratios within each turn), `cpu_ms` a word (least); and for each set the share of words that its default
        decoder reads right, what that is more than float32's, and the bounds of the 95 % interval of this `_gain`.
    """
    readers: dict[str, Any] = {}
    for way, model in models.items():
        with suppress(MissingExtra):
            readers[way] = load_recognizer(model, WAYS[way][2], threads)
    crops = [sample.image for samples in sets.values() for sample in samples]
    right = {way: _right(reader.recognize, sets) for way, reader in readers.items()}
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
        row: dict[str, Any] = {
            "way": way,
            "words_per_second": len(crops) / float(np.median(wall[way])),
            "ratio": float(np.median(np.divide(processor[base], processor[way]))),
            "cpu_ms": 1000 * min(processor[way]) / len(crops),
        }
        for name, words in right[way].items():
            gain = bootstrap_interval(words - right[base][name])
            row |= {name: float(words.mean()), f"{name}_gain": gain.value}
            row |= {f"{name}_gain_low": gain.low, f"{name}_gain_high": gain.high}
        rows.append(row)
    return rows


def _right(read: Callable[[Sequence[Image]], Sequence[Any]], sets: Mapping[str, Sequence[Sample]]) -> dict[str, Any]:
    """For each set which words are right, 1 or 0."""
    return {
        name: correct_words([s.text for s in samples], [g.text for g in read([s.image for s in samples])]).astype(float)
        for name, samples in sets.items()
    }


def part_rows(models: Mapping[str, Path], crops: Sequence[Image], repeats: int = 5) -> list[dict[str, Any]]:
    """How many ms a word each part of the network takes on one thread of ONNX Runtime, a row for each of its ways.

    What int8 needs beside its products, to go over to whole numbers and back, is part of the `rest`.

    Args:
        models: folders, of `quantised`.
        crops: words to read.
        repeats: turns, of which the fastest counts for each part by itself.
    """
    ways = [way for way in models if WAYS[way][2] == "onnxruntime"]
    turns = [[_part_times(models[way], crops) for way in ways] for _ in range(repeats)]
    return [
        {"way": way, **{part: min(turn[number][part] for turn in turns) for part in (*_PARTS.values(), "rest")}}
        for number, way in enumerate(ways)
    ]


def _part_times(model: Path, crops: Sequence[Image]) -> Counter[str]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_profiling = True
    spent: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="ocrkit-") as folder:
        options.profile_file_prefix = f"{folder}/profile"
        session = onnxruntime.InferenceSession(verified(model, ONNX), options, providers=["CPUExecutionProvider"])
        for batch in batches(crops):
            session.run(None, {"pictures": batch.pictures})
        for event in json.loads(Path(session.end_profiling()).read_text()):
            if kind := event.get("args", {}).get("op_name"):
                part = next((part for name, part in _PARTS.items() if name in kind), "rest")
                spent[part] += event["dur"] / 1000 / len(crops)
    return spent


def most_gain(parts: Mapping[str, Any], gain: float) -> float:
    """How many times faster all would be, were every part but the rest `gain` times faster (Amdahl's law).

    Args:
        parts: the row of float32 of `part_rows`.
        gain: of int8 in products alone; see `int8_gain`.
    """
    products = sum(parts[part] for part in _PARTS.values())
    return (products + parts["rest"]) / (products / gain + parts["rest"])


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
