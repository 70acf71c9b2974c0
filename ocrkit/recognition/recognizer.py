"""Word crops -> guesses, with a released or trained model on a chosen runtime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ocrkit.document import Image
from ocrkit.errors import BadParams
from ocrkit.recognition.decode import Guess, greedy
from ocrkit.recognition.network import STRIDE_PX
from ocrkit.recognition.preprocess import batches
from ocrkit.recognition.release import alphabet_of, find_model, read_card
from ocrkit.recognition.runtimes import load_runtime

if TYPE_CHECKING:
    from ocrkit.recognition.beam import Lexicon

DECODERS = ("greedy", "beam")


class Recognizer:
    """Reads word crops in batches.

    Args:
        folder: of the model.
        runtime: name of the inference engine.
        threads: `None` for all cores.
        decoder: `greedy`, or `beam` for a search of about 1 ms a word.
        lexicon: words that `beam` prefers.

    Raises:
        BadModel: missing or damaged.
        BadParams: an unknown runtime or decoder, or a lexicon for `greedy`.
        MissingExtra: the runtime is not installed.
    """

    def __init__(
        self,
        folder: Path,
        runtime: str = "onnxruntime",
        threads: int | None = None,
        decoder: str = "greedy",
        lexicon: Lexicon | None = None,
    ) -> None:
        self.name = f"{folder.name} on {runtime}"
        self.alphabet = alphabet_of(folder)
        self._temperature = float(read_card(folder).get("temperature", 1.0))
        self._run = load_runtime(runtime, folder, threads)
        self._decode = _decoder(decoder, lexicon)

    def recognize(self, crops: Sequence[Image]) -> list[Guess]:
        """One guess a crop, in the crops' order.

        Raises:
            BadImage: a crop that is no picture.
        """
        guesses: list[Guess | None] = [None] * len(crops)
        for batch in batches(crops):
            read = self._decode(self._run(batch.pictures), self.alphabet, STRIDE_PX / batch.scales, self._temperature)
            for row, guess in zip(batch.rows, read):
                guesses[row] = guess
        return [guess for guess in guesses if guess is not None]

    def logits(self, crops: Sequence[Image]) -> list[np.ndarray]:
        """The network's outputs for each crop, `(T, classes)`; behind the crop come the steps of its bucket's filling.

        Raises:
            BadImage: a crop that is no picture.
        """
        outputs: dict[int, np.ndarray] = {}
        for batch in batches(crops):
            outputs |= dict(zip(batch.rows.tolist(), self._run(batch.pictures)))
        return [outputs[row] for row in range(len(crops))]


def _decoder(name: str, lexicon: Lexicon | None) -> Callable[..., list[Guess]]:
    if name not in DECODERS:
        raise BadParams(f"There is no decoder {name!r}; choose one of {', '.join(DECODERS)}.")
    if name == "beam":
        from ocrkit.recognition.beam import beam

        return partial(beam, lexicon=lexicon)
    if lexicon is not None:
        raise BadParams("Greedy decoding knows no lexicon: choose the decoder beam.")
    return greedy


def load_recognizer(
    model: str | Path | None = None,
    runtime: str = "onnxruntime",
    threads: int | None = None,
    decoder: str = "greedy",
    lexicon: Lexicon | None = None,
) -> Recognizer:
    """The recogniser of a released name, of a model folder, or the default one; see `Recognizer`."""
    return Recognizer(find_model(model), runtime, threads, decoder, lexicon)
