"""The words that a page of a PDF tells of itself, where they are seen on the page as it is drawn."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from ctypes import c_double, c_int
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ocrkit.alphabet import normalise
from ocrkit.document import Image, box_to_quad
from ocrkit.images.pdf import drawn
from ocrkit.images.pdf_contents import character, texts

if TYPE_CHECKING:
    import pypdfium2

# In heights of a font's cell. A space is 0.2 or more; kerning, and the thin spaces of formulas, stay below.
_SPACE = 0.18
_BACK = 0.5  # by which a letter may begin before the one before it, as under an accent
_OFF_LINE = 0.6  # by which one may stand above or below the one before it, as notes' numbers do
_LEVEL = 0.03  # radians from upright, or from a right angle
_LEADER = 5  # points in a row, and more, lead from a title to its page
_HAIR = 0.01  # px, by which an outline may touch a pixel without inking it
_SEEN = 32  # grey levels, of one colour at least, by which ink changes the page

_CORNERS = ((0, 1), (2, 1), (2, 3), (0, 3))  # of a box, which is its left, bottom, right and top
# Accents of fonts that have no accented letters: TeX's, which prints them over or under the letter behind or before.
_ACCENTS = dict(zip("`´ˆ˜¨¯˘˙˚¸˝˛ˇ", "\u0300\u0301\u0302\u0303\u0308\u0304\u0306\u0307\u030a\u0327\u030b\u0328\u030c"))
_DOTLESS = str.maketrans("ıȷ", "ij")


@dataclass(frozen=True, eq=False)
class _Letter:
    """A character of a page; places are px of the page as it is drawn.

    Attributes:
        text: what it says; empty where its font does not tell, or where it is printed otherwise than letters are.
        box: the pixels of the page that its outline touches, `(4,)`.
        turn: right angles clockwise from upright; `None` for any other angle.
        start: where its cell begins, along its line.
        end: where its cell ends.
        base: of its line, across it.
        height: of its cell, across the line.
        seen: whether it has ink.
    """

    text: str
    box: np.ndarray
    turn: int | None
    start: float
    end: float
    base: float
    height: float
    seen: bool

    def follows(self, before: _Letter) -> bool:
        """Whether it goes on with the word of the letter before it."""
        unit = max(self.height, before.height)
        return (
            self.turn == before.turn
            and before.start - _BACK * unit <= self.start <= before.end + _SPACE * unit
            and abs(self.base - before.base) <= _OFF_LINE * unit
        )

    def is_over(self, other: _Letter) -> bool:
        """Whether its middle lies over or under another's box, seen along the line."""
        axis = (self.turn or 0) % 2
        return bool(other.box[axis] <= (self.box[axis] + self.box[axis + 2]) / 2 <= other.box[axis + 2])


def printed_words(page: pypdfium2.PdfPage, image: Image) -> tuple[list[tuple[str, np.ndarray]], Counter[str]]:
    """The words that a page's text tells and its drawing shows.

    Ink is what changes where the page is drawn without its text; so text that is hidden, cut off, covered, white or
    beside the page has none, however the file hides it.

    Args:
        page: of the PDF.
        image: the page as `ocrkit.images.iter_pages` draws it, `uint8`, `(H, W, 3)`.

    Returns:
        Texts in PDFium's order, normalised as `ocrkit.alphabet.normalise` does, each with its quad, `(4, 2)` px, that
        starts at the text's own top-left. A text is empty where the font does not tell its letters, where it stands
        neither upright nor at a right angle, or where a part of it is hidden. And how many words are left out, by the
        reason.
    """
    height, width = image.shape[:2]
    ink = cv2.absdiff(image, _without_text(page, width, height)).max(axis=2) >= _SEEN
    words, left_out = [], Counter[str]()
    for letters in _words(_without_leaders(list(_letters(page, ink)), left_out)):
        if not any(letter.seen for letter in letters):
            left_out["not seen on the page"] += 1
            continue
        boxes = np.array([letter.box for letter in letters if letter.seen])
        box = np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)])
        words.append((_text(letters), np.roll(box_to_quad(box), -(letters[0].turn or 0), axis=0)))
    return words, left_out


def _without_text(page: pypdfium2.PdfPage, width: int, height: int) -> Image:
    """The page as it is drawn where all its text is switched off."""
    from pypdfium2 import raw

    things = list(texts(page))
    for thing in things:
        raw.FPDFPageObj_SetIsActive(thing, False)
    try:
        return drawn(page, width, height)
    finally:
        for thing in things:
            raw.FPDFPageObj_SetIsActive(thing, True)


def _words(letters: list[_Letter | None]) -> Iterator[list[_Letter]]:
    """The letters of each word: between blanks, which are `None`, wide gaps and the ends of lines."""
    word: list[_Letter] = []
    for letter in [*letters, None]:
        if word and (letter is None or not letter.follows(word[-1])):
            yield word
            word = []
        if letter is not None:
            word.append(letter)


def _without_leaders(letters: list[_Letter | None], left_out: Counter[str]) -> list[_Letter | None]:
    """The same with a blank in place of points that lead from a title to its page, with or without blanks between."""
    kept: list[_Letter | None] = []
    for is_point, group in groupby(letters, lambda letter: letter is None or letter.text == "."):
        its = list(group)
        points = sum(letter is not None for letter in its)
        if is_point and points >= _LEADER:
            left_out["points of leaders"] += points
            kept.append(None)
        else:
            kept += its
    return kept


def _text(letters: list[_Letter]) -> str:
    """What a word says, accents put on their letters; empty where it cannot be told or is not all seen."""
    if not all(letter.text and letter.seen and letter.turn is not None for letter in letters):
        return ""
    told = [letter.text for letter in letters]
    for index, accent in enumerate(letters):
        beside = [place for place in (index + 1, index - 1) if 0 <= place < len(letters)]
        under = next((place for place in beside if accent.is_over(letters[place])), None)
        if accent.text in _ACCENTS and under is not None:
            both = unicodedata.normalize("NFC", told[under].translate(_DOTLESS) + _ACCENTS[accent.text])
            if len(both) > 1:
                return ""
            told[under], told[index] = both, ""
    return normalise("".join(told))


def _letters(page: pypdfium2.PdfPage, ink: np.ndarray) -> Iterator[_Letter | None]:
    """The characters of a page in PDFium's order; `None` for blanks, also those that PDFium finds between them."""
    from pypdfium2 import raw

    text = page.get_textpage()
    told, numbers = [], []
    for index in range(text.count_chars()):
        matrix, x, y = raw.FS_MATRIX(), c_double(), c_double()
        raw.FPDFText_GetMatrix(text, index, matrix)
        raw.FPDFText_GetCharOrigin(text, index, x, y)
        both = *text.get_charbox(index), *text.get_charbox(index, loose=True)
        told.append(_told(text, index))
        numbers.append((*both, x.value, y.value, matrix.a, matrix.b, matrix.c, matrix.d))
    text.close()
    values = np.array(numbers, float).reshape(-1, 14)
    is_mirrored = values[:, 10] * values[:, 13] < values[:, 11] * values[:, 12]

    height, width = ink.shape
    to_pixels, move = _to_pixels(page, width, height)
    along = values[:, 10:12] @ to_pixels.T
    angles = np.arctan2(along[:, 1], along[:, 0])
    turns = np.round(angles / (np.pi / 2))
    is_level = np.abs(angles - turns * np.pi / 2) <= _LEVEL
    axes = np.stack([np.cos(angles), -np.sin(angles), np.sin(angles), np.cos(angles)], axis=1).reshape(-1, 2, 2)
    outlines, cells = (values[:, box][:, _CORNERS] @ to_pixels.T + move for box in (slice(4), slice(4, 8)))
    boxes = np.concatenate([np.floor(outlines.min(1) + _HAIR), np.ceil(outlines.max(1) - _HAIR)], axis=1)
    boxes = boxes.clip(0, [width, height] * 2).astype(int)
    starts, ends = (cells @ axes).min(1), (cells @ axes).max(1)
    bases = ((values[:, 8:10] @ to_pixels.T + move)[:, None] @ axes)[:, 0, 1]
    x0, y0, x1, y1 = boxes.T
    sums = cv2.integral(ink.astype(np.uint8))
    seen = sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0] > 0
    for row, letter in enumerate(told):
        if letter == " ":
            yield None
        elif (
            seen[row] or unicodedata.category(letter or "x") != "Cf"
        ):  # marks that join or divide have no ink of their own
            yield _Letter(
                text="" if is_mirrored[row] else letter,
                box=boxes[row],
                turn=int(turns[row]) % 4 if is_level[row] else None,
                start=float(starts[row, 0]),
                end=float(ends[row, 0]),
                base=float(bases[row]),
                height=float(ends[row, 1] - starts[row, 1]),
                seen=bool(seen[row]),
            )


def _told(text: pypdfium2.PdfTextPage, index: int) -> str:
    """What a character says; empty where its font does not tell, and PDFium passes off its number as a letter."""
    from pypdfium2 import raw

    if raw.FPDFText_IsHyphen(text, index) == 1:  # at the end of a line, where PDFium would join the word
        return "-"
    told = chr(character(text, index))
    if told.isspace():
        return " "
    strange = unicodedata.category(told) in ("Cc", "Cn", "Co", "Cs") or told == "\ufffd"
    return "" if strange or raw.FPDFText_HasUnicodeMapError(text, index) == 1 else told


def _to_pixels(page: pypdfium2.PdfPage, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """The matrix `(2, 2)` and the move `(2,)` that take a page's units to px of its drawing, cropped and turned."""
    from pypdfium2 import raw

    fine, far = 64, 1000  # PDFium answers in whole pixels: it is asked of a larger drawing, about points far apart
    places = []
    for x, y in ((0, 0), (far, 0), (0, far)):
        across, down = c_int(), c_int()
        raw.FPDF_PageToDevice(page, 0, 0, width * fine, height * fine, 0, x, y, across, down)
        places.append((across.value / fine, down.value / fine))
    start, right, up = np.array(places)
    return np.stack([right - start, up - start], axis=1) / far, start
