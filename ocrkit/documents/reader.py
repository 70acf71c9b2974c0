"""Reading a document: load, detect words, read them in one batch, assemble."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ocrkit.document import Document, Image, Line, Page, Word, box_to_quad
from ocrkit.documents.assemble import AssemblyOptions, assemble
from ocrkit.images import PageImage, Source, iter_pages, to_grey

if TYPE_CHECKING:
    from ocrkit.detection import DetectedLine
    from ocrkit.recognition import Guess

    Detector = Callable[[Image], Sequence[DetectedLine]]

_LEAST_CHARACTERS = 10  # that a turned page must show, each counted by its confidence
_SMALLEST_PAGE_PX = 8  # nothing of fewer pixels holds a letter


class WordRecognizer(Protocol):
    """What the reader needs of a recogniser; `ocrkit.recognition.load_recognizer` gives one."""

    name: str

    def recognize(self, crops: Sequence[Image]) -> list[Guess]:
        """One guess a crop, in order."""
        ...


@dataclass(frozen=True)
class ReadOptions:
    """How detected boxes become words.

    Attributes:
        margin: blank added around a box on every side, as a share of its height; the detector leaves some already.
        min_confidence: guesses below it are noise and dropped.
        readable_share: of a page's boxes; where fewer can be read, the page may lie on its side.
        assembly: how words become lines, columns and paragraphs.
    """

    margin: float = 0.0
    min_confidence: float = 0.5
    readable_share: float = 0.35
    assembly: AssemblyOptions = field(default_factory=AssemblyOptions)


class Reader:
    """Reads documents on the CPU.

    Args:
        model: name of a released model, or a model's folder; `None` is the default one.
        runtime: "onnxruntime", "openvino" or "tensorflow".
        threads: of the runtime; `None` leaves the choice to it.
        options: thresholds between detection and text.
        detector: image -> lines of word boxes; `None` is `ocrkit.detection.detect`.
        recognizer: reads crops instead of `model`.

    Raises:
        BadModel: the model is missing, damaged or made for something else.
        BadParams: an unknown runtime.
        MissingExtra: the runtime is not installed.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        runtime: str = "onnxruntime",
        threads: int | None = None,
        *,
        options: ReadOptions = ReadOptions(),
        detector: Detector | None = None,
        recognizer: WordRecognizer | None = None,
    ) -> None:
        self.options = options
        self._detect = detector or _detector()
        self._recognizer = recognizer or _recognizer(model, runtime, threads)

    @property
    def name(self) -> str:
        """What reads: the kit and its model."""
        return f"ocrkit {self._recognizer.name}"

    def read(self, source: Source) -> Document:
        """The text of a path, bytes, Pillow image or array, with all its pages' images in memory.

        Raises:
            BadImage: it cannot be read as a document. One bad page among several only gets its `error`.
        """
        name = str(source) if isinstance(source, str | Path) else ""
        return Document(tuple(self.pages(source)), name, self.name)

    def pages(self, source: Source) -> Iterator[Page]:
        """The pages of `source` as they are read, so that long documents need the memory of one page."""
        for loaded in iter_pages(source):
            yield self._read_page(loaded)

    def recognize(self, crops: Sequence[Image]) -> list[Guess]:
        """Text and confidence of word crops, each `uint8` `(H, W)` or `(H, W, 3)`, in order."""
        return self._recognizer.recognize(crops)

    def _read_page(self, loaded: PageImage) -> Page:
        if loaded.image is None:
            return Page(loaded.number, 0, 0, error=loaded.error)
        image, lines, turned = self._read_turned(loaded.image)
        height, width = image.shape[:2]
        return Page(
            loaded.number,
            width,
            height,
            lines=lines,
            image=image,
            original=loaded.original,
            rotation=(loaded.rotation + turned) % 360,
            dpi=loaded.dpi,
        )

    def _read_turned(self, image: Image) -> tuple[Image, tuple[Line, ...], int]:
        """The page as it reads best, its lines, and the degrees clockwise it was turned by for that.

        Other turns are tried only where most boxes read as noise, and taken only where they read far more, so that a
        page that stands upright stays so. Measured on 8 scans: lying on its side, a page gives none to 0.39 of its
        boxes as words, upright 0.42 to 1; on its head 0.59 to 0.88, so that this cannot tell it from an upright one.
        """
        lines, boxes = self._read_lines(image)
        readable = sum(len(line.words) for line in lines) >= self.options.readable_share * boxes
        if readable and _characters(lines) >= _LEAST_CHARACTERS:
            return image, lines, 0
        best, most = (image, lines, 0), max(_LEAST_CHARACTERS, 2 * _characters(lines))
        for quarters in (1, 2, 3):
            turned = np.ascontiguousarray(np.rot90(image, -quarters))
            lines, _ = self._read_lines(turned)
            if _characters(lines) > most:
                best, most = (turned, lines, 90 * quarters), _characters(lines)
        return best

    def _read_lines(self, image: Image) -> tuple[tuple[Line, ...], int]:
        """The lines of a page as it stands, and the number of boxes the detector found on it."""
        if min(image.shape[:2]) < _SMALLEST_PAGE_PX:
            return (), 0
        found = [line.boxes for line in self._detect(image) if len(line.boxes)]
        if not found:
            return (), 0
        boxes = np.concatenate(found)
        line_of = np.repeat(np.arange(len(found)), [len(line) for line in found])
        places = crop_places(boxes, image.shape, self.options.margin)
        grey = to_grey(image)
        guesses = self.recognize([grey[y0:y1, x0:x1] for x0, y0, x1, y1 in places])
        lines: list[list[Word]] = [[] for _ in found]
        for guess, box, place, line in zip(guesses, boxes, places, line_of):
            if guess.confidence >= self.options.min_confidence:
                lines[line] += split_words(guess, box, float(place[0]))
        return assemble(lines, self.options.assembly), len(boxes)


def _characters(lines: Sequence[Line]) -> float:
    """How much was read: the characters of all words, each counted by the word's confidence."""
    return sum(len(word.text) * word.confidence for line in lines for word in line.words)


def _detector() -> Detector:
    from ocrkit.detection import detect

    return detect


def _recognizer(model: str | Path | None, runtime: str, threads: int | None) -> WordRecognizer:
    from ocrkit.recognition import load_recognizer

    return load_recognizer(model, runtime, threads)


def crop_places(boxes: np.ndarray, shape: tuple[int, ...], margin: float) -> np.ndarray:
    """Whole-pixel boxes `(N, 4)` around `boxes`, wider by `margin` times their height, inside an image of `shape`."""
    around = margin * (boxes[:, 3:] - boxes[:, 1:2])
    places = np.concatenate([np.floor(boxes[:, :2] - around), np.ceil(boxes[:, 2:] + around)], axis=1)
    limits = np.array([shape[1], shape[0]] * 2)
    places = np.clip(places, 0, limits).astype(int)
    # A box outside the image still gets one pixel to look at.
    places[:, :2] = np.minimum(places[:, :2], limits[:2] - 1)
    places[:, 2:] = np.maximum(places[:, 2:], places[:, :2] + 1)
    return places


def split_words(guess: Guess, box: np.ndarray, crop_left: float) -> list[Word]:
    """One word for each run of characters without a blank.

    Args:
        guess: text, confidence and the `x0, x1` of each character in the crop.
        box: where the detector saw ink, `(4,)`; the outer words end at its sides, the inner ones at their characters.
        crop_left: the crop's left edge on the page, px.

    The first form of the Wordinator of Dropbox's pipeline (2017): discrete boxes for the words of a box that held
    several, placed by the network's time steps.
    """
    tokens = guess.text.split()
    if len(tokens) <= 1:
        return [Word(tokens[0], box_to_quad(box), guess.confidence)] if tokens else []
    x0, y0, x1, y1 = (float(side) for side in box)
    words, position = [], 0
    for i, token in enumerate(tokens):
        start = guess.text.index(token, position)
        position = start + len(token)
        left = x0 if i == 0 else float(np.clip(crop_left + guess.spans[start, 0], x0, x1))
        right = x1 if i == len(tokens) - 1 else float(np.clip(crop_left + guess.spans[position - 1, 1], left, x1))
        words.append(Word(token, box_to_quad((left, y0, right, y1)), guess.confidence))
    return words
