"""The Word Deep Net in Keras 3: convolutions, bidirectional LSTM, CTC outputs; on TensorFlow or JAX alike."""

from __future__ import annotations

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
class NetworkSize:
    """A network's shape.

    Attributes:
        convolutions: `(filters, vertical stride, horizontal stride)` of each 3 x 3 layer.
        projection: width of the sequence handed to the LSTMs.
        lstm: units a direction of each bidirectional layer.
    """

    convolutions: tuple[tuple[int, int, int], ...]
    projection: int
    lstm: tuple[int, ...]


# Early strides make them cheap on CPUs: print is 32 px high here and mostly came from fewer.
SIZES = {
    "nano": NetworkSize(((16, 2, 2), (32, 2, 2), (48, 2, 1), (64, 2, 1)), 64, (64,)),
    "fast": NetworkSize(((24, 2, 2), (48, 2, 2), (64, 2, 1), (96, 2, 1)), 128, (96, 96)),
    "accurate": NetworkSize(
        ((32, 2, 2), (64, 1, 1), (96, 2, 2), (128, 1, 1), (192, 2, 1), (256, 1, 1), (256, 2, 1)), 256, (256, 256)
    ),
}


def build_network(size: str, alphabet: Alphabet, precision: Precision = "float32") -> Any:
    """A Keras model: `uint8` `(N, HEIGHT, W)` pictures -> `float32` `(N, W / STRIDE_PX, classes)` logits.

    Whatever the `precision` of the layers before, weights and logits are float32: the same weights file fits all
    precisions, and CTC, which loses its gradients in half precision, never sees it.

    Raises:
        BadParams: an unknown size.
    """
    from keras import Model, layers

    if size not in SIZES:
        raise BadParams(f"There is no network size {size!r}; choose one of {', '.join(SIZES)}.")
    shape = SIZES[size]

    def convolution(x: Any, name: str, filters: int, kernel: Any, strides: Any = 1, padding: str = "same") -> Any:
        x = layers.Conv2D(filters, kernel, strides, padding, use_bias=False, name=name, dtype=precision)(x)
        x = layers.BatchNormalization(name=f"{name}_norm", momentum=0.98, dtype=precision)(x)
        return layers.Activation("relu", dtype=precision)(x)

    pictures = layers.Input((HEIGHT, None), dtype="uint8", name="pictures")
    x = layers.Rescaling(2 / 255, offset=-1)(layers.Reshape((HEIGHT, -1, 1))(pictures))
    for number, (filters, down, along) in enumerate(shape.convolutions, 1):
        x = convolution(x, f"conv{number}", filters, 3, (down, along))
    x = convolution(x, "column", shape.projection, (x.shape[1], 1), padding="valid")
    x = layers.Reshape((-1, shape.projection), dtype=precision)(x)
    for number, units in enumerate(shape.lstm, 1):
        lstm = layers.LSTM(units, return_sequences=True, dtype=precision)
        x = layers.Bidirectional(lstm, name=f"lstm{number}", dtype=precision)(x)
    logits = layers.Dense(alphabet.classes, dtype="float32", name="logits")(x)
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
            of `wished` alone.

    Returns:
        The network and its alphabet: those given, where nothing has to change.

    Raises:
        BadModel: characters are missing and `how` is `fail`.

    The three ways are those of kraken's `--resize`.
    """
    missing = known.unknown(wished.characters)
    if how == "fail" and missing:
        raise BadModel(f"The model does not know {missing!r}: let it learn them with --alphabet union or new.")
    alphabet = wished if how == "new" else Alphabet(known.characters + missing)
    if alphabet == known:
        return network, known
    changed = build_network(network.name, alphabet)
    for old, new in zip(network.layers[:-1], changed.layers[:-1]):
        new.set_weights(old.get_weights())
    kept = [character for character in alphabet.characters if character in known.characters]
    to, source = (np.append(0, its.encode("".join(kept))) for its in (alphabet, known))  # 0 is the blank
    head = changed.get_layer("logits").get_weights()
    for new, old in zip(head, network.get_layer("logits").get_weights()):
        new[..., to] = old[..., source]
    changed.get_layer("logits").set_weights(head)
    return changed, alphabet


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
    for filters, down, along in shape.convolutions:
        height, width = height // down, width // along
        weights = 9 * channels * filters
        parameters, macs = parameters + weights + filters, macs + weights * height * width
        channels = filters
    weights = height * channels * shape.projection
    parameters, macs = parameters + weights + shape.projection, macs + weights * width
    features = shape.projection
    for units in shape.lstm:
        weights = 2 * 4 * units * (features + units)
        parameters, macs = parameters + weights + 2 * 4 * units, macs + weights * width
        features = 2 * units
    return Cost(parameters + (features + 1) * classes, macs + features * classes * width)
