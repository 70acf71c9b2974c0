"""Word crops -> guesses, with a released or trained model on a chosen runtime."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import chain
from pathlib import Path

import cv2
import numpy as np

from ocrkit.document import Image
from ocrkit.errors import BadParams
from ocrkit.recognition.beam import is_settled, reread, texts_of
from ocrkit.recognition.decode import Guess, greedy, tidied
from ocrkit.recognition.lexicon import Lexicon
from ocrkit.recognition.model import alphabet_of, calibration_of, find_model, load_lexicon, read_card
from ocrkit.recognition.network import STRIDE_PX
from ocrkit.recognition.options import DecodeOptions
from ocrkit.recognition.preprocess import BATCH_PX, HEIGHT, WIDTHS, Batch, batch_of, planned_batches
from ocrkit.recognition.runtimes import batches_at_once, load_runtime
from ocrkit.recognition.windows import is_wide, joined, windows

DECODERS = ("careful", "greedy", "beam")
_TALL = 2.0  # height over width; of upright words only single letters are so narrow
_UPRIGHT = 0.92  # confidence of a reading of which nobody asks whether it lies on its side
_TURNED_CHARACTERS, _TURNED_CONFIDENCE = 3, 0.5  # of a reading that says a crop lies on its side, at least
_SMALL_BATCH_PX = BATCH_PX // 2  # where several threads work, so that none waits long for another
_SMALL_BATCH = 8  # crops that wait for their second look before it begins
_DEFAULT = DecodeOptions()

# A crop's row, the best path's guess, the first look's outputs and px a time step; and where that guess is searched,
# what each look found.
_Look = tuple[int, Guess, np.ndarray, float, list[dict[str, float]]]
_Seen = tuple[np.ndarray, np.ndarray, np.ndarray]  # rows of crops, px a px of theirs, outputs `(N, T, classes)`


class Recognizer:
    """Reads word crops in batches.

    Args:
        folder: of the model.
        runtime: name of the inference engine.
        threads: `None` for all cores.
        decoder: `greedy` takes the best path; `beam` searches for the likeliest text, about 1 ms a word; `careful` is
            greedy where that is sure, searches doubtful words, and looks at those where that settles nothing a second
            time, cut closer and stretched, to search both readings; doubtful words of narrow letters it reads once
            more, stretched as far as these need.
        lexicon: words that a search prefers; `None` for those the model brings.
        options: thresholds of `careful` and `beam`.

    Attributes:
        name: of the model and the runtime.
        alphabet: the characters it reads.
        at_once: how many batches it looks at side by side, each with a thread.
        calibration: for confidences that are handed out; guesses have them as `greedy` gives them.

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
        decoder: str = DECODERS[0],
        lexicon: Lexicon | None = None,
        options: DecodeOptions = _DEFAULT,
    ) -> None:
        if decoder not in DECODERS:
            raise BadParams(f"There is no decoder {decoder!r}; choose one of {', '.join(DECODERS)}.")
        if decoder == "greedy" and lexicon is not None:
            raise BadParams("Greedy decoding knows no lexicon: choose the decoder careful or beam.")
        self.name = f"{folder.name} on {runtime}"
        self.alphabet = alphabet_of(folder)
        self.calibration = calibration_of(folder)
        self._temperature = float(read_card(folder).get("temperature", 1.0))
        self.at_once = batches_at_once(runtime, threads)
        self._run = load_runtime(runtime, folder, threads if self.at_once == 1 else 1)
        self._decoder = decoder
        self._options = options
        self._lexicon = lexicon if lexicon is not None or decoder == "greedy" else load_lexicon(folder)

    def recognize(self, crops: Sequence[Image]) -> list[Guess]:
        """One guess a crop, in the crops' order.

        Raises:
            BadImage: a crop that is no picture.
        """
        guesses = self._read(crops)
        if self._decoder == "careful":
            for row, guess in self._read_wider(crops, guesses).items():
                guesses[row] = guess
        if self._decoder == "greedy":
            return guesses
        return [self._told(tidied(guess, self._options)) for guess in guesses]

    def _read(self, crops: Sequence[Image]) -> list[Guess]:
        guesses: dict[int, Guess] = {}
        for row, guess, outputs, step, found in self._looks(crops):
            guesses[row] = guess
            if found:
                guesses[row] = reread(
                    guess, outputs, found, self.alphabet, step, self._temperature, self._lexicon, self._options
                )
        return [guesses[row] for row in range(len(crops))]

    def _read_wider(self, crops: Sequence[Image], guesses: Sequence[Guess]) -> dict[int, Guess]:
        """What is surer read in doubtful crops of narrow letters once they are stretched, by the crop's row.

        Receipts' printers set whole lines in letters of twice their height, and there are condensed faces; the network
        sees them in a third of the width that it learned most letters in.
        """
        options, stretches = self._options, {}
        for row, (crop, guess) in enumerate(zip(crops, guesses)):
            characters, (height, width) = len(guess.text), crop.shape[:2]
            narrow = characters >= options.narrow_characters and width <= options.narrow_width * characters * height
            if narrow and guess.confidence < options.most_confidence and not self._is_known(guess):
                stretches[row] = min(options.usual_width * characters * height / width, options.most_stretch)
        stretched = [
            cv2.resize(crops[row], None, fx=stretch, fy=1.0, interpolation=cv2.INTER_CUBIC)
            for row, stretch in stretches.items()
        ]
        read = self._read(stretched) if stretched else []
        return {
            row: replace(guess, spans=guess.spans / stretch)
            for (row, stretch), guess in zip(stretches.items(), read)
            if guess.confidence >= guesses[row].confidence + options.wider_gain
        }

    def candidates(self, crops: Sequence[Image]) -> dict[int, list[dict[str, float]]]:
        """What each look at a doubtful crop found: texts and their log probabilities, by the crop's row.

        Raises:
            BadImage: a crop that is no picture.
        """
        return {row: found for row, *_, found in self._looks(crops) if found}

    def logits(self, crops: Sequence[Image]) -> list[np.ndarray]:
        """The network's outputs for each crop, `(T, classes)`; behind the crop come the steps of its bucket's filling.

        Raises:
            BadImage: a crop that is no picture.
        """
        outputs: dict[int, np.ndarray] = {}
        with self._pool(crops) as pool:
            for rows, _, logits in self._seen(crops, pool):
                outputs |= dict(zip(rows.tolist(), logits))
        return [outputs[row] for row in range(len(crops))]

    def _pool(self, crops: Sequence[Image]) -> AbstractContextManager[ThreadPoolExecutor | None]:
        """Threads for batches side by side, `None` where one is enough."""
        # A network so small gains more from a batch for each thread than from threads that share every step of one.
        return ThreadPoolExecutor(self.at_once) if min(self.at_once, len(crops)) > 1 else nullcontext()

    def _seen(self, crops: Sequence[Image], pool: ThreadPoolExecutor | None) -> Iterator[_Seen]:
        """What the network sees in the crops, batch by batch; a pool begins with them at once.

        Those too wide for it come last, each by itself.
        """
        wide = {row: windows(crop) for row, crop in enumerate(crops) if is_wide(crop)}
        narrow = np.array([row for row in range(len(crops)) if row not in wide], int)
        seen = self._batches([crops[row] for row in narrow], pool)
        parts = [part for whole in wide.values() for part in whole]
        of_parts = self._batches(parts, pool)

        def both() -> Iterator[_Seen]:
            for batch, logits in seen:
                yield narrow[batch.rows], batch.scales, logits
            outputs = {row: one for batch, logits in of_parts for row, one in zip(batch.rows.tolist(), logits)}
            place = 0
            for row, whole in wide.items():
                logits = joined([outputs[i] for i in range(place, place + len(whole))])
                place += len(whole)
                yield np.array([row]), np.array([HEIGHT / crops[row].shape[0]]), logits[None]

        return both()

    def _batches(self, crops: Sequence[Image], pool: ThreadPoolExecutor | None) -> Iterator[tuple[Batch, np.ndarray]]:
        """The crops in batches, each with the network's outputs `(N, T, classes)`; a pool begins with them at once."""
        most_px = BATCH_PX if pool is None else _SMALL_BATCH_PX  # what a batch is made of changes no outputs
        made = (batch_of(crops, *part) for part in planned_batches(crops, most_px))
        if pool is None:
            return ((batch, self._run(batch.pictures)) for batch in made)
        # The first ones are at work while the next are made.
        begun = deque((batch, pool.submit(self._run, batch.pictures)) for batch in made)

        def ended() -> Iterator[tuple[Batch, np.ndarray]]:
            while begun:
                batch, logits = begun.popleft()
                yield batch, logits.result()

        return ended()

    def _told(self, guess: Guess) -> Guess:
        if self._lexicon is None:
            return guess
        bonus = self._lexicon.bonus(guess.text, *self._options.lexicon_worth)
        known = self._lexicon.known(guess.text) == 1
        return replace(guess, known=known, bonus=bonus) if known or bonus else guess

    def _is_searched(self, guess: Guess, steps: int) -> bool:
        if self._decoder != "careful":
            return self._decoder == "beam"
        options = self._options
        least = options.wide_confidence if steps > WIDTHS[-1] // STRIDE_PX else options.least_confidence
        if not guess.text or not least <= guess.confidence < options.most_confidence:
            return False
        return guess.confidence < options.known_confidence or not self._is_known(guess)

    def _is_known(self, guess: Guess) -> bool:
        return self._lexicon is not None and self._lexicon.known(guess.text) == 1

    def _looks(self, crops: Sequence[Image]) -> Iterator[_Look]:
        """What is seen in each crop, in whatever order."""
        with self._pool(crops) as pool:
            doubtful: list[_Look] = []
            closer_looks: list[Iterator[_Look]] = []
            for rows, scales, outputs in self._seen(crops, pool):
                steps = STRIDE_PX / scales
                read = greedy(outputs, self.alphabet, steps, self._temperature)
                for row, guess, logits, step in zip(rows.tolist(), read, outputs, steps.tolist()):
                    # While the network looks at the next batch, what it saw in the last one is searched.
                    found = [self._texts_of(logits)] if self._is_searched(guess, len(logits)) else []
                    look = row, guess, logits, step, found
                    if found and self._decoder == "careful" and not is_settled(found[0], self._lexicon, self._options):
                        doubtful.append(look)
                    else:
                        yield look
                if pool is not None and len(doubtful) >= _SMALL_BATCH:  # begun while others wait for their first look
                    closer_looks.append(self._closer_looks(crops, doubtful, pool))
                    doubtful = []
            closer_looks.append(self._closer_looks(crops, doubtful, pool))
            yield from chain(*closer_looks)

    def _closer_looks(
        self, crops: Sequence[Image], doubtful: Sequence[_Look], pool: ThreadPoolExecutor | None
    ) -> Iterator[_Look]:
        """The doubtful ones, looked at a second time."""
        looks = self._seen([closer(crops[row], self._options) for row, *_ in doubtful], pool)

        def both() -> Iterator[_Look]:
            for rows, _, outputs in looks:
                for number, logits in zip(rows.tolist(), outputs):
                    row, guess, first, step, found = doubtful[number]
                    yield row, guess, first, step, [*found, self._texts_of(logits)]

        return both()

    def _texts_of(self, logits: np.ndarray) -> dict[str, float]:
        return texts_of(logits, self.alphabet, self._options)


def recognize_turned(recognize: Callable[[Sequence[Image]], list[Guess]], crops: Sequence[Image]) -> list[Guess]:
    """What `recognize` reads in word crops of which some may lie on their side, such as numbers along a page's margin.

    Crops twice as high as wide that say nothing surely are also read turned by a quarter, both ways. It is for crops
    that somebody else cut: on a page that lies on its side every word would be read so, and the page never turned.
    The places of a turned word's characters are not told apart: each spans the crop.
    """
    guesses = recognize(crops)
    tall = [
        row
        for row, (crop, guess) in enumerate(zip(crops, guesses))
        if crop.shape[0] >= _TALL * crop.shape[1] and not (guess.text and guess.confidence >= _UPRIGHT)
    ]
    for quarters in (1, 3):
        turned = recognize([np.ascontiguousarray(np.rot90(crops[row], quarters)) for row in tall])
        for row, guess in zip(tall, turned):
            upright = guesses[row].text and guesses[row].confidence
            if len(guess.text) >= _TURNED_CHARACTERS and guess.confidence >= max(_TURNED_CONFIDENCE, upright or 0):
                whole = np.tile([0.0, crops[row].shape[1]], (len(guess.text), 1))
                guesses[row] = replace(guess, spans=whole)
    return guesses


def closer(crop: Image, options: DecodeOptions = _DEFAULT) -> Image:
    """The crop for a second look: less above and below and stretched, as a loose box or narrow print asks for.

    Nothing is cut off that holds ink: accents are all that tells some words from others.
    """
    height, width = crop.shape[:2]
    most = round(options.trim * height) if height >= HEIGHT // 4 else 0
    inked = np.flatnonzero(crop.min(axis=1) < (int(crop.min()) + int(crop.max())) / 2)
    top = min(most, inked.min(initial=height))
    bottom = min(most, height - 1 - inked.max(initial=-1))
    size = max(1, round(options.stretch * width)), height - top - bottom
    return cv2.resize(crop[top : height - bottom], size, interpolation=cv2.INTER_CUBIC)


class Closer:
    """A second reader from one model: it reads crops `closer`; where that differs, the model is unsure."""

    def __init__(self, recognizer: Recognizer, options: DecodeOptions = _DEFAULT) -> None:
        self._recognizer, self._options = recognizer, options

    def recognize(self, crops: Sequence[Image]) -> list[Guess]:
        """One guess a crop, in the crops' order."""
        return self._recognizer.recognize([closer(crop, self._options) for crop in crops])


def load_recognizer(
    model: str | Path | None = None,
    runtime: str = "onnxruntime",
    threads: int | None = None,
    decoder: str = DECODERS[0],
    lexicon: Lexicon | None = None,
    options: DecodeOptions = _DEFAULT,
) -> Recognizer:
    """The recogniser of a released name, of a model folder, or the default one; see `Recognizer`."""
    return Recognizer(find_model(model), runtime, threads, decoder, lexicon, options)
