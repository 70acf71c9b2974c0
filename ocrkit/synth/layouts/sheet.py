"""The sheet pages are set on: text goes into an ink layer, word by word, and its exact place is noted down."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from PIL import ImageFont

from ocrkit.datasets.sample import LabelledPage, LabelledWord
from ocrkit.document import Image
from ocrkit.errors import BadDataset
from ocrkit.synth.fonts import FontFace

Colour = tuple[int, int, int]


@lru_cache(maxsize=512)
def _font(path: str, size_px: int) -> ImageFont.FreeTypeFont:
    try:
        return ImageFont.truetype(path, size_px, layout_engine=ImageFont.Layout.BASIC)
    except OSError as error:
        raise BadDataset(f"{path} cannot be opened as a font: {error}.") from None


@dataclass(frozen=True)
class Type:
    """A face at a size and in a colour; drawn by FreeType at that very size, hinted and kerned as programs do.

    Attributes:
        size: em in px.
        stretch: width over the face's own; tills print their totals twice as wide.
    """

    face: FontFace
    size: int
    colour: Colour = (25, 25, 25)
    stretch: float = 1.0

    @property
    def space(self) -> float:
        """Width of a blank in px."""
        return self._font.getlength(" ") * self.stretch or self.size / 3

    @property
    def _font(self) -> ImageFont.FreeTypeFont:
        return _font(self.face.path, self.size)

    def width(self, text: str) -> float:
        """The pen's way over `text` in px."""
        return self._font.getlength(text) * self.stretch

    def fitted(self, text: str) -> list[str]:
        """The words of `text` as this face can draw them: marks of letters dropped, then what is still missing."""
        known = self.face.characters - {" "}
        words = []
        for word in text.split():
            plain = (c if c in known else unicodedata.normalize("NFD", c)[0] for c in word)
            words.append("".join(c for c in plain if c in known))
        return [word for word in words if word]

    def cut(self, text: str, width: float) -> str:
        """As much of `text` as fits into `width` px: whole words, or the first one's first letters."""
        words = self.fitted(text)
        while len(words) > 1 and self.width(" ".join(words)) > width:
            words.pop()
        first = " ".join(words)
        while first and self.width(first) > width:
            first = first[:-1]
        return first.strip()

    def draw(self, word: str) -> tuple[np.ndarray, int, int]:
        """Ink of `word`, `uint8` `(H, W)` cut to where there is any; and its left and top edge from the pen."""
        core, (left, top) = self._font.getmask2(word, mode="L", anchor="ls")
        ink: np.ndarray = np.frombuffer(bytes(core), np.uint8).reshape(core.size[1], core.size[0])
        if self.stretch != 1.0 and ink.size:
            ink = cv2.resize(ink, None, fx=self.stretch, fy=1.0, interpolation=cv2.INTER_LINEAR)
            left = round(left * self.stretch)
        x, y, width, height = cv2.boundingRect(ink) if ink.size else (0, 0, 0, 0)
        return ink[y : y + height, x : x + width], left + x, top + y

    def sized(self, factor: float) -> Type:
        """The same type, `factor` times as large."""
        return replace(self, size=max(6, round(self.size * factor)))


@dataclass(frozen=True)
class Piece:
    """Text with its place on a line.

    Attributes:
        x: px where it starts, has its middle, or ends, as `align` says: `left`, `middle` or `right`.
        width: px over which its blanks are spread, for justified lines; 0 leaves them as they are.
    """

    text: str
    x: float
    type: Type
    align: str = "left"
    width: float = 0.0


class Sheet:
    """A page being made: a ground with rules and areas, and text over it.

    Args:
        width, height: px; `crop` shortens it when the page is full.
        paper: colour of the ground.

    Attributes:
        ground: `uint8` `(H, W, 3)`: everything that is no text.
        ink: `uint8` `(H, W)`: how much text covers each pixel.
        words, lines: labels in the order of setting, which is the order of reading.
    """

    def __init__(self, width: int, height: int, paper: Colour = (255, 255, 255)) -> None:
        self.ground: Image = np.full((height, width, 3), paper, np.uint8)
        self.ink = np.zeros((height, width), np.uint8)
        self.words: list[LabelledWord] = []
        self.lines: list[LabelledWord] = []
        self._colours: list[tuple[slice, slice, Colour]] = []

    @property
    def width(self) -> int:
        """Width in px."""
        return self.ink.shape[1]

    @property
    def height(self) -> int:
        """Height in px."""
        return self.ink.shape[0]

    def line(self, baseline: float, *pieces: Piece) -> float:
        """Set pieces, left to right, on one baseline; together they are one labelled line.

        A word that would leave the sheet, or touch one set before on the line, is left out.

        Returns:
            Where the pen stands after the last piece, in px.
        """
        first, pen, free_from = len(self.words), 0.0, 0
        for piece in pieces:
            words = piece.type.fitted(piece.text)
            widths = [piece.type.width(word) for word in words]
            space = piece.type.space
            if piece.width and len(words) > 1:
                space = (piece.width - sum(widths)) / (len(words) - 1)
            total = sum(widths) + space * (len(words) - 1)
            pen = piece.x - total * {"left": 0.0, "middle": 0.5, "right": 1.0}[piece.align]
            for word, width in zip(words, widths):
                free_from = self._word(word, round(pen), round(baseline), piece.type, free_from)
                pen += width + space
            pen -= space
        self._close_line(first)
        return pen

    def text(self, baseline: float, text: str, x: float, type_: Type, align: str = "left") -> float:
        """Set one piece as a line of its own; returns where the pen stands after it."""
        return self.line(baseline, Piece(text, x, type_, align))

    def paragraph(
        self, baseline: float, words: Iterable[str], x: float, width: float, type_: Type, leading: float,
        justify: bool = False, indent: float = 0.0, last_baseline: float = float("inf"),
    ) -> float:  # fmt: skip
        """Set running text between `x` and `x + width`, down to `last_baseline` at most.

        Returns:
            The baseline below the last line.
        """
        row: list[str] = []
        used, space = indent, type_.space
        for word in type_.fitted(" ".join(words)):
            wide = type_.width(word)
            if row and used + wide > width:
                if baseline > last_baseline:
                    return baseline
                self.line(baseline, Piece(" ".join(row), x + indent, type_, width=(width - indent) * justify))
                baseline += leading
                row, used, indent = [], 0.0, 0.0
            row.append(word)
            used += wide + space
        if row and baseline <= last_baseline:
            self.text(baseline, " ".join(row), x + indent, type_)
            baseline += leading
        return baseline

    def unread(self, strokes: np.ndarray, thick: int, colour: Colour) -> None:
        """Handwriting along `strokes` `(N, 2)` px that nobody transcribes: a word with empty text."""
        layer = np.zeros_like(self.ink)
        cv2.polylines(layer, [np.round(strokes * 16).astype(np.int32)], False, 255, thick, cv2.LINE_AA, 4)
        x, y, width, height = cv2.boundingRect(layer)
        if width and height:
            spot = slice(y, y + height), slice(x, x + width)
            self.ink[spot] = np.maximum(self.ink[spot], layer[spot])
            self._colours.append((*spot, colour))
            self.words.append(_label("", x, y, x + width, y + height))

    def rule(self, x0: float, y0: float, x1: float, y1: float, thick: int, colour: Colour, dash: int = 0) -> None:
        """A rule `thick` px wide, level or upright, whole or in pieces of `dash` px with gaps as long."""
        level = x1 - x0 >= y1 - y0
        left, top = max(0, round(x0)), max(0, round(y0))
        right, bottom = (round(x1), top + thick) if level else (left + thick, round(y1))
        area = self.ground[top:bottom, left:right]
        along = area if level else area.transpose(1, 0, 2)
        inked = np.arange(along.shape[1]) // dash % 2 == 0 if dash else slice(None)
        along[:, inked] = colour

    def fill(self, x0: float, y0: float, x1: float, y1: float, colour: Colour, radius: int = 0) -> None:
        """An area of one colour, with round corners of `radius` px."""
        left, top, right, bottom = round(x0), round(y0), round(x1) - 1, round(y1) - 1
        cv2.rectangle(self.ground, (left + radius, top), (right - radius, bottom), colour, -1)
        if radius:
            cv2.rectangle(self.ground, (left, top + radius), (right, bottom - radius), colour, -1)
            for x in (left + radius, right - radius):
                for y in (top + radius, bottom - radius):
                    cv2.circle(self.ground, (x, y), radius, colour, -1, cv2.LINE_AA)

    def frame(self, x0: float, y0: float, x1: float, y1: float, thick: int, colour: Colour) -> None:
        """Four rules around an area."""
        self.rule(x0, y0, x1, y0, thick, colour)
        self.rule(x0, y1 - thick, x1, y1 - thick, thick, colour)
        self.rule(x0, y0, x0, y1, thick, colour)
        self.rule(x1 - thick, y0, x1 - thick, y1, thick, colour)

    def crop(self, height: int) -> None:
        """Cut the sheet off below `height` px."""
        self.ground, self.ink = self.ground[:height], self.ink[:height]

    def image(self) -> Image:
        """Ground and text together, `uint8` `(H, W, 3)` RGB."""
        picture = self.ground.copy()
        for rows, columns, colour in self._colours:
            cover = self.ink[rows, columns, None].astype(np.float32) / 255
            under = self.ground[rows, columns].astype(np.float32)
            picture[rows, columns] = np.round(under + (np.array(colour, np.float32) - under) * cover).astype(np.uint8)
        return picture

    def page(self, id_: str, category: str) -> LabelledPage:
        """The sheet as a labelled page."""
        return LabelledPage(
            id_, tuple(self.words), tuple(self.lines), None, self.image(), category, "simulated", simulated=True
        )

    def _word(self, word: str, pen: int, baseline: int, type_: Type, free_from: int) -> int:
        ink, left, top = type_.draw(word)
        x, y = pen + left, baseline + top
        height, width = ink.shape
        if not ink.size or x < free_from or y < 0 or x + width > self.width or y + height > self.height:
            return free_from
        spot = slice(y, y + height), slice(x, x + width)
        np.maximum(self.ink[spot], ink, out=self.ink[spot])
        self._colours.append((*spot, type_.colour))
        self.words.append(_label(word, x, y, x + width, y + height))
        return x + width + 1

    def _close_line(self, first: int) -> None:
        """Label the words set since `first` as a line."""
        words = self.words[first:]
        if words:
            points = np.concatenate([word.quad for word in words])
            (x0, y0), (x1, y1) = points.min(0), points.max(0)
            self.lines.append(_label(" ".join(word.text for word in words), x0, y0, x1, y1))


def _label(text: str, x0: float, y0: float, x1: float, y1: float) -> LabelledWord:
    return LabelledWord(text, np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64))
