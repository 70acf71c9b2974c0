"""Reading a document: load, detect words, read them in one batch, assemble."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from ocrkit.detection import DetectedLine, dark_on_light, detect
from ocrkit.document import Document, Image, Line, Page, Word, box_to_quad, quad_to_box
from ocrkit.documents.assemble import AssemblyOptions, assemble
from ocrkit.documents.dewarp import DewarpOptions, dewarp, level_boxes
from ocrkit.documents.joins import JoinOptions, Piece, join_pieces
from ocrkit.documents.page_search import find_page
from ocrkit.documents.scan import rectification, rectify
from ocrkit.images import PageImage, Source, iter_pages

if TYPE_CHECKING:
    from ocrkit.recognition import Guess


Detector = Callable[[Image], Sequence[DetectedLine]]

_LEAST_CHARACTERS = 10  # that a turned page must show, each counted by its confidence
_SMALLEST_PAGE_PX = 8  # nothing of fewer pixels holds a letter
_MANY_BOXES = 1000  # more than these are first read in part
_SAMPLED_BOXES = 100  # of so many boxes of print some are surely read
_ASKED_BOXES = 24  # boxes that say whether a page stands on its head
_FEWEST_ASKED = 12  # a page of fewer is left as it stands
_LONGEST_ASPECT = 8.0  # width over height; longer boxes are seldom one word
_SURELY_UPRIGHT = 0.97  # mean confidence above which a page is not asked
_STRAIGHT = 0.01  # of a page's longer side: how far its corners lie off an upright rectangle, at most
_CHARACTERS_ASIDE = 4  # letters and digits surely read on a line up or down the page, at least
_UPWARDS = 1.15  # times as much must be read from the bottom up as from the top down: digits read well on their heads
_HEAD_GAIN = 0.1  # in the log of the confidence; a third of the least of any page measured


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
        margin: blank added around a box on every side, as a share of its height, before it is read; the detector leaves
            some already.
        word_margin: px of blank added around a word on every side once it is read: people who mark words leave as much.
        min_confidence: guesses below it are noise and dropped.
        sure_confidence: where no word of a page reaches it there is no print, and the others are noise, too.
        readable_share: of a page's boxes; where fewer can be read, the page may lie on its side.
        dewarp: when a page is curled, and straightened before it is read.
        joins: when neighbouring boxes are read as one word.
        assembly: how words become lines, columns and paragraphs.
    """

    margin: float = 0.0
    word_margin: float = 1.0
    min_confidence: float = 0.4
    sure_confidence: float = 0.7
    readable_share: float = 0.35
    dewarp: DewarpOptions = field(default_factory=DewarpOptions)
    joins: JoinOptions = field(default_factory=JoinOptions)
    assembly: AssemblyOptions = field(default_factory=AssemblyOptions)


class Reader:
    """Reads documents on the CPU.

    Args:
        model: name of a released model, or a model's folder; `None` is the default one.
        runtime: one of `ocrkit.recognition.runtimes.RUNTIMES`, such as "openvino" or "litert".
        threads: of the runtime; `None` leaves the choice to it.
        options: thresholds between detection and text; `None` is `ReadOptions()`.
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
        options: ReadOptions | None = None,
        detector: Detector | None = None,
        recognizer: WordRecognizer | None = None,
    ) -> None:
        self.options = options or ReadOptions()
        self._detect = detector or detect
        self._recognizer = recognizer or _recognizer(model, runtime, threads)

    @property
    def name(self) -> str:
        """The kit and its model."""
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
        """Text and confidence of word crops, `uint8` `(H, W)` or `(H, W, 3)`, in order; some may lie on their side."""
        from ocrkit.recognition.recognizer import recognize_turned

        return recognize_turned(self._recognizer.recognize, crops)

    def _read_page(self, loaded: PageImage) -> Page:
        if loaded.image is None:
            return Page(loaded.number, 0, 0, error=loaded.error)
        lines, turned = self._read_photo(loaded.image)
        image = _turned(loaded.image, turned)
        height, width = image.shape[:2]
        return Page(
            loaded.number,
            width,
            height,
            lines=_moved(lines, lambda points: np.clip(points, 0, (width, height))),
            image=image,
            original=loaded.original,
            rotation=(loaded.rotation + turned) % 360,
            dpi=loaded.dpi,
            sheet_pt=loaded.sheet_pt and (loaded.sheet_pt[::-1] if turned in (90, 270) else loaded.sheet_pt),
        )

    def _read_photo(self, image: Image) -> tuple[tuple[Line, ...], int]:
        """The lines of an image, and the degrees clockwise it has to be turned by for them to stand upright on it.

        A page photographed at an angle is read as seen from straight above, and its words are taken back to where they
        stand in the photo. Its light is left alone: evening it out helps eyes, and no reader of single words.
        """
        corners = find_page(image) if image.ndim == 3 else None  # grey pictures come from scanners
        if corners is None or _stands_straight(corners):
            reading, turned = self._read_turned(image)
            return reading.lines, turned
        reading, turned = self._read_turned(rectify(image, corners))
        to_page, (width, height) = rectification(corners, image.shape)
        back = _turning(image.shape, turned) @ np.linalg.inv(_turning((height, width), turned) @ to_page)
        return _moved(reading.lines, lambda points: cv2.perspectiveTransform(points[None], back)[0]), turned

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
                reading = self._read(_turned(image, 90 * quarters))
                if reading.characters > most:
                    best, turned, most = reading, 90 * quarters, reading.characters
        if self._on_its_head(best):
            return self._read(_turned(best.image, 180)), (turned + 180) % 360
        return best, turned

    def _on_its_head(self, reading: _Reading) -> bool:
        """Whether the page's longest boxes read better turned by half.

        By the median difference of the log confidences of 24 boxes; measured on 13 receipts and 8 forms, upright -0.82
        to -0.31, on their heads 0.31 to 0.85. A mean would let the few boxes of a logo outweigh the print.
        """
        aspect = np.array([piece.crop.shape[1] / piece.crop.shape[0] for piece in reading.pieces])
        longest = np.argsort(-np.where(aspect < _LONGEST_ASPECT, aspect, 0), kind="stable")[:_ASKED_BOXES]
        upright = np.array([reading.pieces[i].guess.confidence for i in longest])
        if len(longest) < _FEWEST_ASKED or upright.mean() > _SURELY_UPRIGHT:
            return False
        turned = self._recognizer.recognize([np.ascontiguousarray(reading.pieces[i].crop[::-1, ::-1]) for i in longest])
        gained = np.log([guess.confidence + 1e-3 for guess in turned]) - np.log(upright + 1e-3)
        return float(np.median(gained)) > _HEAD_GAIN

    def _read(self, image: Image) -> _Reading:
        """A page as it stands, a negative as its positive, a curled one straightened."""
        if min(image.shape[:2]) < _SMALLEST_PAGE_PX:
            return _Reading(image)
        grey, detected, bend = dewarp(dark_on_light(image), self._detect, self.options.dewarp)
        found = level_boxes(detected)
        if not found:
            return _Reading(image)

        def read(boxes: np.ndarray) -> list[Piece]:
            places = crop_places(boxes, image.shape, self.options.margin)
            crops = [grey[y0:y1, x0:x1] for x0, y0, x1, y1 in places]
            return list(map(Piece, boxes, places[:, 0].tolist(), crops, self._recognizer.recognize(crops)))

        boxes = np.concatenate(found)
        if len(boxes) > _MANY_BOXES and not self._holds_print(read(boxes[:: len(boxes) // _SAMPLED_BOXES])):
            return _Reading(image)  # cloth, gravel, leaves: thousands of boxes and nothing in them
        pieces = read(boxes)
        unread = iter(pieces)
        rows = join_pieces([list(islice(unread, len(boxes))) for boxes in found], read, self.options.joins)
        if not self._holds_print([piece for row in rows for piece in row]):
            return _Reading(image, pieces=pieces)
        aside = [line for seen in detected if seen.aside and (line := self._read_aside(grey, seen.boxes))]
        lines = [
            [
                word
                for piece in row
                if piece.guess.confidence >= self.options.min_confidence and not _is_within(piece.box, aside)
                for word in split_words(piece.guess, piece.box, piece.left)
            ]
            for row in rows
        ]
        level = assemble(lines, self.options.assembly)
        blocks = 1 + max((line.paragraph for line in level), default=-1)
        aside = [replace(line, paragraph=blocks + i) for i, column in enumerate(_columns(aside)) for line in column]

        def placed(lines: Sequence[Line]) -> tuple[Line, ...]:
            widened = tuple(_widened(line, self.options.word_margin) for line in lines)
            return widened if bend is None else _moved(widened, bend.seen)

        return _Reading(image, placed(level), placed(aside), pieces)

    def _read_aside(self, grey: Image, boxes: np.ndarray) -> Line | None:
        """The line down or up the page through `boxes`, given from top to bottom; `None` if it is no print."""
        crops = [grey[y0:y1, x0:x1] for x0, y0, x1, y1 in crop_places(boxes, grey.shape, self.options.margin)]
        readings = []
        for quarters in (1, 3):
            guesses = self._recognizer.recognize([np.ascontiguousarray(np.rot90(crop, quarters)) for crop in crops])
            words = tuple(
                Word(guess.text, np.roll(box_to_quad(box), -quarters, axis=0), guess.confidence)
                for box, guess in zip(boxes, guesses)
                if guess.confidence >= self.options.sure_confidence and guess.text and " " not in guess.text
            )
            readings.append(Line(words if quarters == 1 else words[::-1]))
        down, up = readings
        best = up if _characters(up) > _UPWARDS * _characters(down) else down
        return best if sum(map(str.isalnum, best.text)) >= _CHARACTERS_ASIDE else None

    def _holds_print(self, pieces: Sequence[Piece]) -> bool:
        """Whether a letter or a digit is surely read; signs such as © look like coins, rings and knots."""
        sure = (piece.guess.text for piece in pieces if piece.guess.confidence >= self.options.sure_confidence)
        return any(character.isalnum() for text in sure for character in text)


@dataclass(frozen=True, eq=False)
class _Reading:
    """A page read as it stood: its level lines, those up or down the page, and the boxes with what they were read as.

    What a page says that lies on its side is no sign that it stands upright, so only `level` lines are counted.
    """

    image: Image
    level: tuple[Line, ...] = ()
    aside: tuple[Line, ...] = ()
    pieces: list[Piece] = field(default_factory=list)

    @property
    def lines(self) -> tuple[Line, ...]:
        """All lines in reading order."""
        return self.level + self.aside

    @property
    def kept(self) -> int:
        """Number of words."""
        return sum(len(line.words) for line in self.level)

    @property
    def characters(self) -> float:
        """How much was read."""
        return sum(map(_characters, self.level))


def _characters(line: Line) -> float:
    """The line's characters, each counted by its word's confidence."""
    return sum(len(word.text) * word.confidence for word in line.words)


def _is_within(box: np.ndarray, lines: Sequence[Line]) -> bool:
    """Whether the middle of a box `(4,)` lies in a word of `lines`."""
    middle = (box[:2] + box[2:]) / 2
    places = (word.box for line in lines for word in line.words)
    return any(bool((place[:2] <= middle).all() and (middle <= place[2:]).all()) for place in places)


def _columns(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines up or down the page: together those that go the same way one below the other, as they are read."""
    columns: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: float(line.box[0])):
        x0, _, x1, _ = line.box
        beside = [
            column
            for column in columns
            if _is_upwards(column[0]) == _is_upwards(line) and x0 < column[0].box[[0, 2]].mean() < x1
        ]
        if beside:
            beside[0].append(line)
        else:
            columns.append([line])
    for column in columns:
        column.sort(key=lambda line: float(line.box[1]), reverse=_is_upwards(column[0]))
    return columns


def _is_upwards(line: Line) -> bool:
    """Whether a line aside runs up the page."""
    return bool(line.quad[0, 1] > line.quad[1, 1])


def _widened(line: Line, margin: float) -> Line:
    """The line with its words' upright boxes wider by `margin` px on every side."""

    def widened(word: Word) -> Word:
        return replace(word, quad=word.quad + margin * np.sign(word.quad - word.quad.mean(0)))

    return replace(line, words=tuple(map(widened, line.words)))


def _stands_straight(corners: np.ndarray) -> bool:
    """Whether a page with these corners `(4, 2)` is upright and seen from straight above, as on a scanner."""
    return float(np.abs(corners - box_to_quad(quad_to_box(corners))).max()) < _STRAIGHT * float(
        np.ptp(corners, 0).max()
    )


def _turned(image: Image, degrees: int) -> Image:
    """`image` turned clockwise by a multiple of 90 degrees."""
    return np.ascontiguousarray(np.rot90(image, -degrees // 90))


def _turning(shape: tuple[int, ...], degrees: int) -> np.ndarray:
    """Homography `(3, 3)` from the points of an image of `shape` to those of the image turned clockwise."""
    height, width = shape[:2]
    rows = {
        0: [[1, 0, 0], [0, 1, 0]],
        90: [[0, -1, height], [1, 0, 0]],
        180: [[-1, 0, width], [0, -1, height]],
        270: [[0, 1, 0], [-1, 0, width]],
    }
    return np.array([*rows[degrees], [0, 0, 1]], float)


def _moved(lines: Sequence[Line], move: Callable[[np.ndarray], np.ndarray]) -> tuple[Line, ...]:
    """The lines with the corners of their words where `move` takes points `(N, 2)`."""
    return tuple(
        replace(line, words=tuple(replace(word, quad=move(word.quad)) for word in line.words)) for line in lines
    )


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
