"""The same network on different inference engines, chosen by name: pictures in, logits out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ocrkit.errors import BadParams, MissingExtra
from ocrkit.recognition.release import ONNX, load_network, verified

Run = Callable[[np.ndarray], np.ndarray]  # uint8 (N, 32, W) -> float32 (N, T, classes)


def _onnxruntime(folder: Path, threads: int | None) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # Memory is given back after each batch, and patterns of past shapes are not kept: reading for days stays flat.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.intra_op_num_threads = threads or 0
    session = onnxruntime.InferenceSession(verified(folder, ONNX), options, providers=["CPUExecutionProvider"])
    return lambda pictures: session.run(None, {"pictures": pictures})[0]


def _openvino(folder: Path, threads: int | None) -> Run:
    try:
        import openvino
    except ImportError:
        raise MissingExtra("The OpenVINO runtime is not installed: pip install 'ocrkit[openvino]'.") from None
    settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    if threads:
        settings["INFERENCE_NUM_THREADS"] = str(threads)
    compiled = openvino.Core().compile_model(str(verified(folder, ONNX)), "CPU", settings)
    request = compiled.create_infer_request()
    return lambda pictures: request.infer([pictures])[0].copy()


def _tensorflow(folder: Path, threads: int | None) -> Run:
    try:
        import tensorflow as tf
    except ImportError:
        raise MissingExtra("The TensorFlow runtime is not installed: pip install 'ocrkit[train]'.") from None
    if threads:
        with contextlib.suppress(RuntimeError):  # TensorFlow has already started its threads and keeps their number
            tf.config.threading.set_intra_op_parallelism_threads(threads)
    network, _ = load_network(folder)
    return lambda pictures: np.asarray(network.predict_on_batch(pictures))


RUNTIMES: dict[str, Callable[[Path, int | None], Run]] = {
    "onnxruntime": _onnxruntime,
    "openvino": _openvino,
    "tensorflow": _tensorflow,
}


def load_runtime(name: str, folder: Path, threads: int | None = None) -> Run:
    """The network of `folder` on the runtime `name`, with `threads` threads (all cores where `None`).

    Raises:
        BadParams: an unknown runtime.
        MissingExtra: it is not installed.
        BadModel: the model is missing or damaged.
    """
    if name not in RUNTIMES:
        raise BadParams(f"There is no runtime {name!r}; choose one of {', '.join(RUNTIMES)}.")
    return RUNTIMES[name](folder, threads)
