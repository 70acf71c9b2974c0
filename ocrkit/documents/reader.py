"""Reading a document: load, detect words, read them in one batch, assemble."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ocrkit.document import Document, Image, Line, Page, Word, box_to_quad
from ocrkit.documents.assemble import AssemblyOptions, assemble
from ocrkit.documents.joins import JoinOptions, Piece, join_pieces
from ocrkit.images import PageImage, Source, iter_pages, to_grey

if TYPE_CHECKING:
    from ocrkit.detection import DetectedLine
    from ocrkit.recognition import Guess

    Detector = Callable[[Image], Sequence[DetectedLine]]

_LEAST_CHARACTERS = 10  # that a turned page must show, each counted by its confidence
_SMALLEST_PAGE_PX = 8  # nothing of fewer pixels holds a letter
_ASKED_BOXES = 12  # boxes that say whether a page stands on its head; a page of fewer is left as it stands
_LONGEST_ASPECT = 8.0  # width over height; longer boxes are seldom one word
_SURELY_UPRIGHT = 0.97  # mean confidence above which a page is not asked
_HEAD_GAIN = 0.1  # in the log of the confidence; half the least of any page measured


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
        joins: when neighbouring boxes are read as one word.
        assembly: how words become lines, columns and paragraphs.
    """

    margin: float = 0.0
    min_confidence: float = 0.4
    readable_share: float = 0.35
    joins: JoinOptions = field(default_factory=JoinOptions)
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
        reading, turned = self._read_turned(loaded.image)
        height, width = reading.image.shape[:2]
        return Page(
            loaded.number,
            width,
            height,
            lines=reading.lines,
            image=reading.image,
            original=loaded.original,
            rotation=(loaded.rotation + turned) % 360,
            dpi=loaded.dpi,
        )

    def _read_turned(self, image: Image) -> tuple[_Reading, int]:
        """The page as it reads best, and the degrees clockwise it was turned by for that.

        Quarter turns are tried only where most boxes read as noise, and taken only where they read far more, so that a
        page that stands upright stays so. Measured on 8 scans: lying on its side, a page gives none to 0.39 of its
        boxes as words, upright 0.42 to 1. On its head it gives 0.59 to 0.88, so that is asked in another way.
        """
        best, turned = self._read(image), 0
        readable = best.kept >= self.options.readable_share * len(best.pieces)
        if not (readable and best.characters >= _LEAST_CHARACTERS):
            most = max(_LEAST_CHARACTERS, 2 * best.characters)
            for quarters in (1, 3):
                reading = self._read(np.ascontiguousarray(np.rot90(image, -quarters)))
                if reading.characters > most:
                    best, turned, most = reading, 90 * quarters, reading.characters
        if self._on_its_head(best):
            return self._read(np.ascontiguousarray(np.rot90(best.image, 2))), (turned + 180) % 360
        return best, turned

    def _on_its_head(self, reading: _Reading) -> bool:
        """Whether the page's longest boxes read better turned by half.

        By the mean difference of the log confidences of 24 boxes, on 40 receipts and 55 forms: upright 0.18 to 0.6, on
        their heads -0.6 to -0.20; so not even one page of them would be turned wrongly.
        """
        aspect = np.array([piece.crop.shape[1] / piece.crop.shape[0] for piece in reading.pieces])
        longest = np.argsort(-np.where(aspect < _LONGEST_ASPECT, aspect, 0), kind="stable")[:_ASKED_BOXES]
        upright = np.array([reading.pieces[i].guess.confidence for i in longest])
        if len(longest) < _ASKED_BOXES or upright.mean() > _SURELY_UPRIGHT:
            return False
        turned = self.recognize([np.ascontiguousarray(reading.pieces[i].crop[::-1, ::-1]) for i in longest])
        gained = np.log([guess.confidence + 1e-3 for guess in turned]) - np.log(upright + 1e-3)
        return float(gained.mean()) > _HEAD_GAIN

    def _read(self, image: Image) -> _Reading:
        """A page as it stands."""
        found = [] if min(image.shape[:2]) < _SMALLEST_PAGE_PX else [line.boxes for line in self._detect(image)]
        found = [boxes for boxes in found if len(boxes)]
        if not found:
            return _Reading(image, (), [])
        grey = to_grey(image)

        def read(boxes: np.ndarray) -> list[Piece]:
            places = crop_places(boxes, image.shape, self.options.margin)
            crops = [grey[y0:y1, x0:x1] for x0, y0, x1, y1 in places]
            return list(map(Piece, boxes, places[:, 0].tolist(), crops, self.recognize(crops)))

        pieces = read(np.concatenate(found))
        unread = iter(pieces)
        rows = join_pieces([list(islice(unread, len(boxes))) for boxes in found], read, self.options.joins)
        lines = [
            [
                word
                for piece in row
                if piece.guess.confidence >= self.options.min_confidence
                for word in split_words(piece.guess, piece.box, piece.left)
            ]
            for row in rows
        ]
        return _Reading(image, assemble(lines, self.options.assembly), pieces)


@dataclass(frozen=True, eq=False)
class _Reading:
    """A page read as it stood: its lines, and the detector's boxes with what they were read as."""

    image: Image
    lines: tuple[Line, ...]
    pieces: list[Piece]

    @property
    def kept(self) -> int:
        """Number of words."""
        return sum(len(line.words) for line in self.lines)

    @property
    def characters(self) -> float:
        """How much was read: the characters of all words, each counted by the word's confidence."""
        return sum(len(word.text) * word.confidence for line in self.lines for word in line.words)


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
