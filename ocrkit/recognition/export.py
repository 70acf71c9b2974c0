"""Keras weights -> ONNX, node by node, batch norms folded in; refused where the two disagree.

They are compared with the Keras network in double precision. In single precision both stray from it, each its own way
and TensorFlow the farther, since its batch norms are not folded in: their difference says little about the export.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from ocrkit.alphabet import Alphabet
from ocrkit.document import Image
from ocrkit.errors import BadModel, MissingExtra
from ocrkit.files import whole_file
from ocrkit.recognition.decode import greedy_texts
from ocrkit.recognition.network import SIZES, Convolution, build_network
from ocrkit.recognition.preprocess import HEIGHT, WIDTHS, batches

OPSET = 17
MIDDLE_GREY = 127.5  # the grey level that the network sees as 0, and its distance from black and white, -1 and 1
Run = Callable[[np.ndarray], np.ndarray]  # uint8 (N, 32, W) -> float32 (N, T, classes)
TOLERANCE = 1e-4  # on logits, whose spread is up to 40, from double precision; single precision strays by 9e-5
# What LSTMs make of single precision's rounding: one word of 2,000 strayed by 2.4e-4 in ONNX Runtime with AVX-512, and
# by 2.7e-5 or, in a batch of its own, 1.8e-4 in TensorFlow.
_FEW, _FARTHEST = 0.001, 1e-3  # share of the crops that may stray beyond the tolerance, and up to where


def folded(network: Any, layer: Convolution) -> tuple[np.ndarray, np.ndarray]:
    """Kernel `(high, wide, in, out)` and bias of a convolution with its batch norm in them.

    The first one's kernel has the picture's scale in it, too: it takes grey levels less `MIDDLE_GREY`, which are exact.
    """
    (kernel,) = network.get_layer(layer.name).get_weights()
    norm = network.get_layer(f"{layer.name}_norm")
    if layer.depthwise:
        kernel = kernel.transpose(0, 1, 3, 2)  # one channel in, as many out as there are
    # In double precision: what is rounded here is multiplied by every layer after it.
    gamma, beta, mean, variance = (values.astype(float) for values in norm.get_weights())
    factor = gamma / np.sqrt(variance + norm.epsilon)
    scale = factor / MIDDLE_GREY if layer == next(SIZES[network.name].layers()) else factor
    return kernel * scale, beta - mean * factor


def to_onnx(network: Any, size: str, path: Path) -> Path:
    """Write `network` as an ONNX file; input `pictures` `uint8` `(N, 32, W)`, output `logits` `(N, T, classes)`.

    Written by hand rather than traced: LSTMs stay single `LSTM` nodes, which runtimes have fast kernels for, and the
    result is the same from every Keras backend.

    Raises:
        MissingExtra: onnx is not installed.
    """
    try:
        from onnx import TensorProto, checker, helper, numpy_helper, save_model
    except ImportError:
        raise MissingExtra("Exporting a network needs onnx: pip install 'ocrkit[train]'.") from None

    shape = SIZES[size]
    nodes, constants = [], []

    def constant(name: str, values: Any, dtype: Any = np.float32) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype), name))
        return name

    def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], output, **attributes))
        return output

    def convolution(x: str, layer: Convolution) -> str:
        kernel, bias = folded(network, layer)
        inputs = [x, constant(f"{layer.name}_w", kernel.transpose(3, 2, 0, 1)), constant(f"{layer.name}_b", bias)]
        attributes = {"strides": list(layer.strides), "pads": list(layer.pads)}
        x = node("Conv", inputs, layer.name, group=layer.filters if layer.depthwise else 1, **attributes)
        return node("Relu", [x], f"{layer.name}_relu") if layer.relu else x

    x = node("Cast", ["pictures"], "floats", to=TensorProto.FLOAT)
    x = node("Sub", [x, constant("middle_grey", MIDDLE_GREY)], "centred")
    x = node("Unsqueeze", [x, constant("channel_axis", [1], np.int64)], "image")
    outputs = [x]
    for layer in shape.layers():
        x = convolution(x, layer)
        x = node("Add", [x, outputs[-layer.skip]], f"{layer.name}_sum") if layer.skip else x
        outputs.append(x)
    x = node("Squeeze", [x, constant("height_axis", [2], np.int64)], "features")
    x = node("Transpose", [x], "sequence", perm=[2, 0, 1])
    for number, units in enumerate(shape.lstm, 1):
        weights = network.get_layer(f"lstm{number}").get_weights()
        directions = [weights[:3], weights[3:]]

        def gates(values: np.ndarray, units: int = units) -> np.ndarray:
            """Keras orders the gates input, forget, cell, output; ONNX input, output, forget, cell."""
            i, f, c, o = (values[..., k * units : (k + 1) * units] for k in range(4))
            return np.concatenate([i, o, f, c], -1)

        w = constant(f"lstm{number}_w", np.stack([gates(k).T for k, _, _ in directions]))
        r = constant(f"lstm{number}_r", np.stack([gates(k).T for _, k, _ in directions]))
        b = constant(f"lstm{number}_b", np.stack([np.append(gates(k), np.zeros(4 * units)) for _, _, k in directions]))
        x = node("LSTM", [x, w, r, b], f"lstm{number}", direction="bidirectional", hidden_size=units)
        x = node("Transpose", [x], f"lstm{number}_order", perm=[0, 2, 1, 3])
        x = node("Reshape", [x, constant(f"lstm{number}_shape", [0, 0, 2 * units], np.int64)], f"lstm{number}_joined")
    kernel, bias = network.get_layer("logits").get_weights()
    x = node("MatMul", [x, constant("logits_w", kernel)], "products")
    x = node("Add", [x, constant("logits_b", bias)], "by_time")
    node("Transpose", [x], "logits", perm=[1, 0, 2])

    graph = helper.make_graph(
        nodes,
        f"word_deep_net_{size}",
        [helper.make_tensor_value_info("pictures", TensorProto.UINT8, ["batch", HEIGHT, "width"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "steps", kernel.shape[1]])],
        constants,
    )
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, producer_name="ocrkit", ir_version=8)
    checker.check_model(model)
    with whole_file(path) as file:
        save_model(model, file)
    return path


def in_double(network: Any, alphabet: Alphabet) -> Run:
    """The Keras network with all that it computes in double precision: its logits are `float64`."""

    def wide() -> AbstractContextManager[Any]:
        """JAX takes float64 for float32 but where it is told not to."""
        import keras

        if keras.backend.backend() != "jax":
            return nullcontext()
        import jax

        return jax.enable_x64(True)

    with wide():
        exact = build_network(network.name, alphabet, "float64")
        exact.set_weights(network.get_weights())

    def run(pictures: np.ndarray) -> np.ndarray:
        with wide():
            return np.asarray(exact.predict_on_batch(pictures))

    return run


def check_parity(network: Any, onnx_path: Path, alphabet: Alphabet, crops: Sequence[Image] = ()) -> float:
    """Largest difference of logits between the Keras network in double precision and the ONNX file in ONNX Runtime.

    Args:
        network: Keras model.
        onnx_path: its export.
        alphabet: of both.
        crops: to read with both; noise of two widths where none are given, which is quick and finds a wrong export.

    Raises:
        BadModel: a logit differs by more than `TOLERANCE`, in more than one crop of a thousand, or a string differs.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(onnx_path, providers=["CPUExecutionProvider"])
    return agreement(
        network, alphabet, lambda pictures: session.run(None, {"pictures": pictures})[0], crops, onnx_path.name
    )


def agreement(
    network: Any, alphabet: Alphabet, export: Run, crops: Sequence[Image], name: str, few: float = _FEW
) -> float:
    """`check_parity` for any export of the network, that of the file `name`; a share of `few` crops may differ more."""
    if not crops:
        rng = np.random.default_rng(0)
        crops = [rng.integers(0, 256, (HEIGHT, width), np.uint8) for width in (WIDTHS[1], WIDTHS[3]) for _ in range(8)]
    exact, strays = in_double(network, alphabet), np.zeros(0)
    for batch in batches(crops):
        expected, given = exact(batch.pictures), export(batch.pictures)
        strays = np.append(strays, np.abs(expected - given).max((1, 2)))
        worst = float(strays.max())
        if worst > _FARTHEST or (strays > TOLERANCE).sum() > few * len(crops):
            raise BadModel(f"The export {name} differs from its network by {worst:.2g} a logit; not released.")
        if greedy_texts(expected, alphabet) != greedy_texts(given, alphabet):
            raise BadModel(f"The export {name} reads other strings than its network; not released.")
    return worst
