"""The Word Deep Net in Keras 3: convolutions, bidirectional LSTM, CTC outputs; on TensorFlow or JAX alike."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ocrkit.alphabet import Alphabet
from ocrkit.errors import BadModel, BadParams
from ocrkit.recognition.preprocess import HEIGHT

STRIDE_PX = 4  # px of the picture per time step

# Keras's dtype policies: "mixed" computes in half precision and keeps the weights in float32.
Precision = Literal["float32", "mixed_float16", "mixed_bfloat16"]


@dataclass(frozen=True)
class Convolution:
    """A convolution with its batch norm.

    Attributes:
        name: of the layer; its norm has `_norm` behind it.
        kernel: height and width.
        filters: of the output.
        strides: vertical and horizontal.
        padding: `valid` takes the whole height at once, `same` keeps it.
        depthwise: every channel by itself.
        relu: whether the norm is followed by one.
        skip: how many layers back the picture lies that is added at the end; 0 for none.
    """

    name: str
    kernel: tuple[int, int]
    filters: int
    strides: tuple[int, int] = (1, 1)
    padding: Literal["same", "valid"] = "same"
    depthwise: bool = False
    relu: bool = True
    skip: int = 0

    @property
    def pads(self) -> tuple[int, int, int, int]:
        """Px put above, left, below and right, as Keras does it: on even sizes a stride of two pads after only."""
        if self.padding == "valid":
            return 0, 0, 0, 0
        above, left = ((size - 1) // 2 if stride == 1 else 0 for size, stride in zip(self.kernel, self.strides))
        return above, left, (self.kernel[0] - 1) // 2, (self.kernel[1] - 1) // 2

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the output, of a picture whose own are multiples of the strides."""
        return height // (self.kernel[0] if self.padding == "valid" else self.strides[0]), width // self.strides[1]


@dataclass(frozen=True)
class NetworkSize:
    """A network's shape.

    Attributes:
        convolutions: `(filters, vertical stride, horizontal stride)` of each 3 x 3 layer. One whose output has the
            shape of its input is residual: its input is added.
        projection: width of the sequence handed to the LSTMs.
        lstm: units a direction of each bidirectional layer.
        blocks: residual blocks along the sequence, before the LSTMs: depthwise 1 x 7, then twice the width and back,
            the inverted bottleneck of Sandler et al., "MobileNetV2" (2018), in one dimension.
    """

    convolutions: tuple[tuple[int, int, int], ...]
    projection: int
    lstm: tuple[int, ...]
    blocks: int = 0

    def layers(self) -> Iterator[Convolution]:
        """Everything before the LSTMs, in order; what comes out of it is one pixel high."""
        height, channels = HEIGHT, 1
        for number, (filters, down, along) in enumerate(self.convolutions, 1):
            same = (filters, down, along) == (channels, 1, 1)
            yield Convolution(f"conv{number}", (3, 3), filters, (down, along), skip=int(same))
            height, channels = height // down, filters
        yield Convolution("column", (height, 1), self.projection, padding="valid")
        for number in range(1, self.blocks + 1):
            name, width = f"block{number}", self.projection
            yield Convolution(f"{name}_depth", (1, 7), width, depthwise=True)
            yield Convolution(f"{name}_wide", (1, 1), 2 * width)
            yield Convolution(f"{name}_narrow", (1, 1), width, relu=False, skip=3)


# Early strides make them cheap on CPUs: print is 32 px high here and mostly came from fewer.
SIZES = {
    "nano": NetworkSize(((16, 2, 2), (32, 2, 2), (48, 2, 1), (64, 2, 1)), 64, (64,)),
    "lean": NetworkSize(((16, 2, 2), (32, 2, 2), (48, 2, 1), (64, 2, 1)), 96, (80,)),
    "fast": NetworkSize(((24, 2, 2), (48, 2, 2), (64, 2, 1), (96, 2, 1)), 128, (96, 96)),
    "deep": NetworkSize(((24, 2, 2), (48, 2, 2), (64, 2, 1), (96, 2, 1)), 128, (96, 96), blocks=2),
    "mix": NetworkSize(((24, 2, 2), (48, 2, 2), (64, 2, 1), (96, 2, 1)), 128, (96,), blocks=3),
    "res1x128": NetworkSize(((16, 2, 2), (48, 2, 2), (48, 1, 1), (64, 2, 1), (96, 2, 1)), 128, (128,)),
    "accurate": NetworkSize(
        ((32, 2, 2), (64, 1, 1), (96, 2, 2), (128, 1, 1), (192, 2, 1), (256, 1, 1), (256, 2, 1)), 256, (256, 256)
    ),
}


def build_network(
    size: str, alphabet: Alphabet, precision: Precision | Literal["float64"] = "float32", fused: bool = False
) -> Any:
    """A Keras model: `uint8` `(N, HEIGHT, W)` pictures -> `float32` `(N, W / STRIDE_PX, classes)` logits.

    In half `precision` of the layers before, weights and logits are float32 still: the same weights file fits all
    precisions, and CTC, which loses its gradients in half precision, never sees it. In float64 everything is that: it
    is what exports are checked against.

    Args:
        size: of `SIZES`.
        alphabet: of the outputs.
        precision: in which the layers compute.
        fused: of the layers of `ocrkit.recognition.fused`, which train faster on TensorFlow and compute the same from
            the same weights; not for saving, since Keras's files know layers by their classes.

    Raises:
        BadParams: an unknown size.
    """
    from keras import Model, layers

    if size not in SIZES:
        raise BadParams(f"There is no network size {size!r}; choose one of {', '.join(SIZES)}.")
    shape = SIZES[size]
    whole = "float64" if precision == "float64" else "float32"
    norm_class, lstm_class = layers.BatchNormalization, layers.LSTM
    if fused:
        from ocrkit.recognition.fused import FusedBatchNormalization, FusedLSTM

        norm_class, lstm_class = FusedBatchNormalization, FusedLSTM

    def convolution(x: Any, layer: Convolution) -> Any:
        common = {"use_bias": False, "name": layer.name, "dtype": precision}
        if layer.depthwise:
            x = layers.DepthwiseConv2D(layer.kernel, layer.strides, layer.padding, **common)(x)
        else:
            x = layers.Conv2D(layer.filters, layer.kernel, layer.strides, layer.padding, **common)(x)
        # A block starts as the identity, so that a network without blocks can be continued (`change_size`).
        gamma = "zeros" if layer.skip and not layer.relu else "ones"
        x = norm_class(name=f"{layer.name}_norm", momentum=0.98, gamma_initializer=gamma, dtype=precision)(x)
        return layers.Activation("relu", dtype=precision)(x) if layer.relu else x

    pictures = layers.Input((HEIGHT, None), dtype="uint8", name="pictures")
    outputs = [layers.Rescaling(2 / 255, offset=-1, dtype=whole)(layers.Reshape((HEIGHT, -1, 1))(pictures))]
    for layer in shape.layers():
        x = convolution(outputs[-1], layer)
        outputs.append(layers.Add(dtype=precision)([x, outputs[-layer.skip]]) if layer.skip else x)
    x = layers.Reshape((-1, shape.projection), dtype=precision)(outputs[-1])
    for number, units in enumerate(shape.lstm, 1):
        lstm = lstm_class(units, return_sequences=True, dtype=precision)
        x = layers.Bidirectional(lstm, name=f"lstm{number}", dtype=precision)(x)
    logits = layers.Dense(alphabet.classes, dtype=whole, name="logits")(x)
    return Model(pictures, logits, name=size)


def change_alphabet(
    network: Any, known: Alphabet, wished: Alphabet, how: Literal["fail", "union", "new"]
) -> tuple[Any, Alphabet]:
    """`network` with outputs for another alphabet; the blank and the characters of both keep their weights.

    Args:
        network: from `build_network`.
        known: its alphabet.
        wished: the characters that are to be read.
        how: `fail` takes only what the network knows already; `union` adds what it lacks; `new` knows the characters
            of `wished` alone. What is added begins as the mean of what is known.

    Returns:
        The network and its alphabet: those given, where nothing has to change.

    Raises:
        BadModel: characters are missing and `how` is `fail`.

    The three ways are those of kraken's `--resize`.
    """
    missing = known.unknown(wished.characters)
    if how == "fail" and missing:
        raise BadModel(f"The model does not know {missing!r}: let it learn them with --alphabet union or new.")
    alphabet = wished if how == "new" else known.with_all(wished.characters)
    if alphabet == known:
        return network, known
    changed = build_network(network.name, alphabet)
    for old, new in zip(network.layers[:-1], changed.layers[:-1]):
        new.set_weights(old.get_weights())
    kept = [character for character in alphabet.characters if character in known.characters]
    to, source = (np.append(0, its.encode("".join(kept))) for its in (alphabet, known))  # 0 is the blank
    head = changed.get_layer("logits").get_weights()
    for new, old in zip(head, network.get_layer("logits").get_weights()):
        new[...] = old.mean(axis=-1, keepdims=True)  # so that what is to be learnt is seldom seen before it is
        new[..., to] = old[..., source]
    changed.get_layer("logits").set_weights(head)
    return changed, alphabet


def change_size(network: Any, alphabet: Alphabet, size: str) -> Any:
    """A network of another `size`: layers of the same name and shapes keep their weights, all others begin anew."""
    changed = build_network(size, alphabet)
    known = {layer.name: layer.get_weights() for layer in network.layers}
    for layer in changed.layers:
        weights = known.get(layer.name, [])
        if [w.shape for w in weights] == [w.shape for w in layer.get_weights()]:
            layer.set_weights(weights)
    return changed


@dataclass(frozen=True)
class Cost:
    """What a network needs: parameters, and multiply-accumulates for a picture of a given width."""

    parameters: int
    macs: int


def cost(size: str, classes: int, width_px: int = 128) -> Cost:
    """Counted from the shape alone, without building the network; batch norms are folded as in the export."""
    shape = SIZES[size]
    height, width, channels = HEIGHT, width_px, 1
    parameters = macs = 0
    for layer in shape.layers():
        height, width = layer.size(height, width)
        weights = math.prod(layer.kernel) * layer.filters * (1 if layer.depthwise else channels)
        parameters, macs = parameters + weights + layer.filters, macs + weights * height * width
        channels = layer.filters
    features = shape.projection
    for units in shape.lstm:
        weights = 2 * 4 * units * (features + units)
        parameters, macs = parameters + weights + 2 * 4 * units, macs + weights * width
        features = 2 * units
    return Cost(parameters + (features + 1) * classes, macs + features * classes * width)
