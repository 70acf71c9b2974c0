"""The same network on different inference engines, chosen by name: pictures in, logits out."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import numpy as np

from ocrkit import strict
from ocrkit.errors import BadModel, BadParams, MissingExtra, OcrkitError, quoted
from ocrkit.plugins import Plugins
from ocrkit.recognition.export import Run
from ocrkit.recognition.model import ONNX, alphabet_of, load_network, read_card, verified
from ocrkit.recognition.network import STRIDE_PX
from ocrkit.recognition.preprocess import HEIGHT, WIDTHS

MOST_THREADS = 1024
_SIDE_BY_SIDE = ("onnxruntime",)  # may be called by several threads at once

# Each a function from a model's folder and a number of threads (`None`: all cores) to the network, ready to run.
RUNTIMES = Plugins("runtime")


def open_onnxruntime(folder: Path, threads: int | None) -> Run:
    """ONNX Runtime, on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # Memory is given back after each batch, and patterns of past shapes are not kept: reading for days stays flat.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.intra_op_num_threads = threads or 0
    # Threads that spin while they wait for the next batch keep a core from whatever is done between two batches.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(verified(folder, ONNX), options, providers=["CPUExecutionProvider"])
    return lambda pictures: session.run(None, {"pictures": pictures})[0]


def open_openvino(folder: Path, threads: int | None, precision: str = "f32") -> Run:
    """OpenVINO, on the CPU; `precision` as its `INFERENCE_PRECISION_HINT`."""
    try:
        import openvino
    except ImportError:
        raise MissingExtra("The OpenVINO runtime is not installed: pip install 'ocrkit[openvino]'.") from None
    core = openvino.Core()
    if precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise MissingExtra("This processor does not compute in bfloat16: choose the runtime openvino.")
    if precision == "bf16" and strict.is_on():  # its kernels are oneDNN's, which strict mode holds at AVX2
        raise MissingExtra("Strict mode keeps to AVX2, which has no bfloat16: choose the runtime openvino.")
    settings = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
    if threads:
        settings["INFERENCE_NUM_THREADS"] = str(threads)
    compiled = core.compile_model(str(verified(folder, ONNX)), "CPU", settings)
    request = compiled.create_infer_request()
    return lambda pictures: request.infer([pictures])[0].copy()


def open_openvino_bf16(folder: Path, threads: int | None) -> Run:
    """OpenVINO in bfloat16, on processors that compute in it."""
    return open_openvino(folder, threads, "bf16")


def open_tensorflow(folder: Path, threads: int | None) -> Run:
    """TensorFlow, as in training."""
    try:
        import tensorflow as tf
    except ImportError:
        raise MissingExtra("The TensorFlow runtime is not installed: pip install 'ocrkit[train]'.") from None
    if threads:
        with contextlib.suppress(RuntimeError):  # TensorFlow has already started its threads and keeps their number
            tf.config.threading.set_intra_op_parallelism_threads(threads)
    network, _ = load_network(folder)
    return lambda pictures: np.asarray(network.predict_on_batch(pictures))


def open_litert(folder: Path, threads: int | None) -> Run:
    """LiteRT, converting the model first where it brings no file for it."""
    from ocrkit.recognition.litert import TFLITE, run_litert, to_litert

    card = read_card(folder)
    if TFLITE in card["files"]:
        content = verified(folder, TFLITE).read_bytes()
    else:
        try:
            network, _ = load_network(folder)
        except ImportError:
            raise MissingExtra(
                f"The model in {folder} has no {TFLITE}, and making it needs Keras: pip install 'ocrkit[train]', "
                "or make it elsewhere with ocrkit convert."
            ) from None
        content = to_litert(network, card["size"])
    return run_litert(content, threads)


def load_runtime(name: str, folder: Path, threads: int | None = None) -> Run:
    """The network of `folder` on the runtime `name`, with `threads` threads (all cores where `None`).

    Raises:
        BadParams: an unknown runtime.
        MissingExtra: it is not installed, or the processor lacks what it needs.
        BadModel: the model is missing, damaged, or another than its card says.
        BadPlugin: it is another package's, and cannot be used; the network raises this too.
    """
    if name not in RUNTIMES:
        raise BadParams(f"There is no runtime {quoted(name)}; choose one of {', '.join(RUNTIMES)}.")
    _check_threads(threads)
    opened = RUNTIMES[name]

    def run(pictures: np.ndarray) -> np.ndarray:
        with RUNTIMES.blaming(name):
            logits = network(pictures)
            if np.ndim(logits) != 3 or len(logits) != len(pictures):
                raise ValueError(f"it gave logits of shape {np.shape(logits)} for {len(pictures)} pictures")
            return logits

    blank = np.full((1, HEIGHT, WIDTHS[0]), 255, np.uint8)
    classes = alphabet_of(folder).classes
    try:
        with RUNTIMES.blaming(name):
            network = opened(folder, threads)
        logits = run(blank)
    except OcrkitError:
        raise
    except Exception as error:  # each runtime has its own for a file that is damaged, or another network's
        raise BadModel(f"The model in {folder} cannot be run by {name}: {quoted(str(error))}.") from None
    if logits.shape != (1, WIDTHS[0] // STRIDE_PX, classes) or not np.isfinite(logits).all():
        raise BadModel(f"The model in {folder} is another network's: its card speaks of {classes - 1} characters.")
    return run


def batches_at_once(name: str, threads: int | None) -> int:
    """How many batches are best run side by side on the runtime `name`, each with one thread.

    Raises:
        BadParams: no runtime has so many threads.
    """
    _check_threads(threads)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return (threads or cores) if name in _SIDE_BY_SIDE else 1


def _check_threads(threads: int | None) -> None:
    if threads is not None and not 1 <= threads <= MOST_THREADS:
        raise BadParams(f"A runtime has 1 to {MOST_THREADS} threads, and not {quoted(threads)}.")
