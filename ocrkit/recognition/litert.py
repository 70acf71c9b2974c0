"""Keras weights -> LiteRT (TensorFlow Lite), operator by operator, as `export` writes ONNX; and running the result."""

from __future__ import annotations

from typing import Any

import numpy as np

from ocrkit.errors import MissingExtra
from ocrkit.recognition.export import MIDDLE_GREY, Run, folded
from ocrkit.recognition.network import SIZES, Convolution
from ocrkit.recognition.preprocess import HEIGHT

TFLITE = "model.tflite"
# LSTM operators keep their state in tensors of one batch size, so there is one interpreter for each of a few sizes.
_BATCHES = (1, 2, 4, 8, 16, 32, 64)
# Share of crops that may differ by more than `export.TOLERANCE` a logit: with AVX-512 LiteRT 2.3
# rounds such that one to seven of a thousand do, by at most 2.3e-4.
FEW = 0.02
_ABSENT = -1  # an input that an operator can do without


def _schema() -> Any:
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError:
        raise MissingExtra("The LiteRT runtime is not installed: pip install 'ocrkit[litert]'.") from None
    return schema_py_generated


class _Graph:
    """Tensors and operators as they are added; both are known by their numbers."""

    def __init__(self, schema: Any) -> None:
        self.schema = schema
        self.kinds: list[int] = []
        self.tensors: list[Any] = []
        self.operators: list[Any] = []
        self.buffers = [schema.BufferT()]  # the first one is empty: of everything that is computed

    def tensor(self, name: str, dims: tuple[int, ...], buffer: int = 0, **attributes: Any) -> int:
        kind = {"type": self.schema.TensorType.FLOAT32, "hasRank": True} | attributes
        self.tensors.append(self.schema.TensorT(shape=list(dims), name=name, buffer=buffer, **kind))
        return len(self.tensors) - 1

    def constant(self, name: str, values: Any) -> int:
        array = np.asarray(values)
        whole = array.dtype.kind == "i"
        kind = self.schema.TensorType.INT32 if whole else self.schema.TensorType.FLOAT32
        data = np.ascontiguousarray(array, np.int32 if whole else np.float32).reshape(-1).view(np.uint8)
        self.buffers.append(self.schema.BufferT(data=data))
        return self.tensor(name, array.shape, len(self.buffers) - 1, type=kind)

    def node(self, kind: str, inputs: list[int], dims: tuple[int, ...], options: str = "", **values: Any) -> int:
        """An operator with one output of `dims`, as they are for one picture; `options` names the class of `values`."""
        code = getattr(self.schema.BuiltinOperator, kind)
        if code not in self.kinds:
            self.kinds.append(code)
        output = self.tensor(f"{kind.lower()}_{len(self.operators)}", dims)
        made = self.schema.OperatorT(opcodeIndex=self.kinds.index(code), inputs=inputs, outputs=[output])
        if options:
            made.builtinOptionsType = getattr(self.schema.BuiltinOptions, options)
            made.builtinOptions = getattr(self.schema, f"{options}T")(**values)
        self.operators.append(made)
        return output

    def lstm_weights(self, name: str, weights: list[np.ndarray]) -> list[int]:
        """Inputs of a bidirectional LSTM but for its sequence, from Keras's weights; gates are in the same order."""
        inputs = []
        for side, (kernel, recurrent, bias) in (("forward", weights[:3]), ("backward", weights[3:])):
            for what, values in (("w", kernel.T), ("r", recurrent.T)):
                inputs += [self.constant(f"{name}_{side}_{what}{i}", v) for i, v in enumerate(np.split(values, 4))]
            inputs += [_ABSENT] * 3  # no peepholes
            inputs += [self.constant(f"{name}_{side}_b{i}", v) for i, v in enumerate(np.split(bias, 4))]
            inputs += [_ABSENT] * 2  # no projection
        units = weights[1].shape[0]
        inputs += [self.tensor(f"{name}_state{i}", (1, units), isVariable=True) for i in range(4)]
        return inputs + [_ABSENT] * 9  # no second input

    def content(self, name: str, source: int, target: int) -> bytes:
        """The file."""
        graph = self.schema.SubGraphT(self.tensors, [source], [target], self.operators, name)
        # Old readers look for the kinds that they know in a field of one byte.
        codes = [self.schema.OperatorCodeT(deprecatedBuiltinCode=min(k, 127), builtinCode=k) for k in self.kinds]
        return _packed(self.schema.ModelT(3, codes, [graph], "ocrkit", self.buffers))


def to_litert(network: Any, size: str) -> bytes:
    """`network` as the content of a `.tflite` file; the same input and output as `to_onnx`, for batches of one picture.

    Written by hand rather than converted: TensorFlow's converter takes Keras 3's LSTMs apart into loops of one batch
    size, where LiteRT has an operator for a whole bidirectional layer, and needs TensorFlow.

    Raises:
        MissingExtra: LiteRT is not installed.
    """
    schema = _schema()
    graph = _Graph(schema)
    activations = schema.ActivationFunctionType

    def convolution(x: int, layer: Convolution, dims: tuple[int, ...]) -> int:
        kernel, bias = folded(network, layer)
        order = (2, 0, 1, 3) if layer.depthwise else (3, 0, 1, 2)
        inputs = [
            x,
            graph.constant(f"{layer.name}_w", kernel.transpose(order)),
            graph.constant(f"{layer.name}_b", bias),
        ]
        options = {
            "padding": schema.Padding.SAME if layer.padding == "same" else schema.Padding.VALID,
            "strideH": layer.strides[0],
            "strideW": layer.strides[1],
            "fusedActivationFunction": activations.RELU if layer.relu else activations.NONE,
        }
        if layer.depthwise:
            return graph.node("DEPTHWISE_CONV_2D", inputs, dims, "DepthwiseConv2DOptions", depthMultiplier=1, **options)
        return graph.node("CONV_2D", inputs, dims, "Conv2DOptions", **options)

    high, wide = HEIGHT, HEIGHT  # of any picture: LiteRT is told the true width before each run
    dims: tuple[int, ...] = (1, high, wide)
    pictures = graph.tensor("pictures", dims, type=schema.TensorType.UINT8)
    x = graph.node("CAST", [pictures], dims)
    x = graph.node("SUB", [x, graph.constant("middle_grey", MIDDLE_GREY)], dims, "SubOptions")
    x = graph.node("EXPAND_DIMS", [x, graph.constant("channel_axis", -1)], (*dims, 1))
    outputs = [x]
    for layer in SIZES[size].layers():
        high, wide = layer.size(high, wide)
        dims = (1, high, wide, layer.filters)
        x = convolution(x, layer, dims)
        x = graph.node("ADD", [x, outputs[-layer.skip]], dims, "AddOptions") if layer.skip else x
        outputs.append(x)
    features = SIZES[size].projection
    x = graph.node("SQUEEZE", [x], (1, wide, features), "SqueezeOptions", squeezeDims=[1])
    x = graph.node("TRANSPOSE", [x, graph.constant("time_first", [1, 0, 2])], (wide, 1, features))
    for number, units in enumerate(SIZES[size].lstm, 1):
        inputs = [x, *graph.lstm_weights(f"lstm{number}", network.get_layer(f"lstm{number}").get_weights())]
        options = {"mergeOutputs": True, "fusedActivationFunction": activations.TANH}
        kind = "BIDIRECTIONAL_SEQUENCE_LSTM"
        x = graph.node(kind, inputs, (wide, 1, 2 * units), "BidirectionalSequenceLSTMOptions", **options)
    kernel, bias = network.get_layer("logits").get_weights()
    inputs = [x, graph.constant("logits_w", kernel.T), graph.constant("logits_b", bias)]
    x = graph.node("FULLY_CONNECTED", inputs, (wide, 1, len(bias)), "FullyConnectedOptions", keepNumDims=True)
    x = graph.node("TRANSPOSE", [x, graph.constant("batch_first", [1, 0, 2])], (1, wide, len(bias)))
    return graph.content(f"word_deep_net_{size}", pictures, x)


def _packed(model: Any) -> bytes:
    import flatbuffers

    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def run_litert(content: bytes, threads: int | None) -> Run:
    """Runs what `to_litert` made: `uint8` `(N, 32, W)` -> `float32` `(N, T, classes)`.

    Raises:
        MissingExtra: LiteRT is not installed.
    """
    schema = _schema()
    from ai_edge_litert.interpreter import Interpreter

    interpreters: dict[int, Any] = {}

    def interpreter_of(batch: int) -> Any:
        if batch not in interpreters:
            model = schema.ModelT.InitFromPackedBuf(content, 0)
            for tensor in model.subgraphs[0].tensors:
                if tensor.isVariable:
                    tensor.shape = [batch, *tensor.shape[1:]]
            interpreters[batch] = Interpreter(model_content=_packed(model), num_threads=threads)
        return interpreters[batch]

    def run(pictures: np.ndarray) -> np.ndarray:
        count, _, width = pictures.shape
        batch = next((size for size in _BATCHES if size >= count), count)
        interpreter = interpreter_of(batch)
        source, target = (
            side()[0]["index"] for side in (interpreter.get_input_details, interpreter.get_output_details)
        )
        filled = np.zeros((batch, HEIGHT, width), np.uint8)
        filled[:count] = pictures
        interpreter.resize_tensor_input(source, filled.shape)
        interpreter.allocate_tensors()
        interpreter.reset_all_variables()
        interpreter.set_tensor(source, filled)
        interpreter.invoke()
        return interpreter.get_tensor(target)[:count]

    return run
