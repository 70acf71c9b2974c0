"""Document > Page > Line > Word: what reading returns, and the vocabulary everybody shares.

Coordinates are pixels of the page image, origin top-left. Boxes are `x0 y0 x1 y1`; quads are four corners clockwise
from the text's own top-left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

# Formats know documents, so a document knows only where they lie: each is imported when its method is first called.
LAZY = {
    "to_hocr": "ocrkit.formats.hocr",
    "to_alto": "ocrkit.formats.alto",
    "to_page_xml": "ocrkit.formats.page_xml",
    "save_pdf": "ocrkit.formats.pdf",
    "load_document": "ocrkit.formats.from_json",
    "draw_words": "ocrkit.formats.overlay",
    "show_pages": "ocrkit.formats.overlay",
    "_repr_html_": "ocrkit.formats.overlay",
}

Image = np.ndarray  # uint8, (H, W) grey or (H, W, 3) RGB


def box_to_quad(box: np.ndarray | tuple[float, float, float, float]) -> np.ndarray:
    """The `(4, 2)` corners of an upright box, clockwise from its top-left."""
    x0, y0, x1, y1 = np.asarray(box, float)
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])


def quad_to_box(quad: np.ndarray) -> np.ndarray:
    """The smallest upright box `(4,)` around `quad` (any number of points)."""
    points = np.asarray(quad, float).reshape(-1, 2)
    return np.concatenate([points.min(0), points.max(0)])


@dataclass(frozen=True, eq=False, repr=False)
class Word:
    """One word: its text, its corners, and how sure the recogniser is (0 to 1).

    A `doubtful` word is surely a word, by what stands beside it, but hardly read.
    """

    text: str
    quad: np.ndarray
    confidence: float = 1.0
    doubtful: bool = False

    def __repr__(self) -> str:
        return f"Word({self.text!r}, {self.confidence:.2f})"

    @property
    def box(self) -> np.ndarray:
        """Upright box around the quad, `(4,)`."""
        return quad_to_box(self.quad)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings."""
        return {
            "text": self.text,
            "confidence": round(float(self.confidence), 4),
            "doubtful": self.doubtful,
            "box": _round(self.box),
            "quad": _round(self.quad),
        }


@dataclass(frozen=True, eq=False, repr=False)
class Line:
    """Words from left to right; `paragraph` numbers the block of lines it belongs to, in reading order."""

    words: tuple[Word, ...]
    paragraph: int = 0

    def __repr__(self) -> str:
        return f"Line({self.text!r})"

    @property
    def text(self) -> str:
        """The words with one space between neighbours."""
        return " ".join(word.text for word in self.words)

    @property
    def box(self) -> np.ndarray:
        """Upright box around all words, `(4,)`."""
        return quad_to_box(np.concatenate([word.quad for word in self.words]))

    @property
    def quad(self) -> np.ndarray:
        """From the first word's left side to the last word's right side, `(4, 2)`."""
        first, last = self.words[0].quad, self.words[-1].quad
        return np.array([first[0], last[1], last[2], first[3]])

    @property
    def confidence(self) -> float:
        """Mean of the words' confidences, weighted by their length."""
        weights = [max(1, len(word.text)) for word in self.words]
        return float(np.average([word.confidence for word in self.words], weights=weights))

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings."""
        return {
            "text": self.text,
            "paragraph": self.paragraph,
            "box": _round(self.box),
            "words": [word.to_dict() for word in self.words],
        }


@dataclass(frozen=True, eq=False, repr=False)
class Page:
    """Lines in reading order on one page image.

    Attributes:
        number: 1 for the document's first page.
        image: the pixels the coordinates refer to; `None` once dropped to save memory.
        original: the bytes of a file that shows just these pixels, turned, in a form that a PDF can carry unchanged:
            JPEG, JPEG 2000, PNG or a TIFF of fax code (G4).
        rotation: degrees clockwise by which the stored image was turned to stand upright.
        turn: of these, the degrees by which reading turned the page as its file shows it.
        dpi: pixels per inch, where the file says.
        sheet_pt: width and height of the sheet in points, where the page is one of a PDF.
        error: why this page could not be read; such a page has no lines.
        left_out: how many places that looked like words were left out, by the reason: "noise" says nothing that can be
            read, "struck" is struck through by what could not be erased, "unreadable" is in another script.
    """

    number: int
    width: int
    height: int
    lines: tuple[Line, ...] = ()
    image: Image | None = None
    original: bytes | None = None
    rotation: int = 0
    turn: int = 0
    dpi: float | None = None
    sheet_pt: tuple[float, float] | None = None
    error: str | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        state = f"error={self.error!r}" if self.error else counted(len(self.words), "word")
        return f"Page({self.number}, {self.width} x {self.height} px, {state})"

    @property
    def words(self) -> list[Word]:
        """All words in reading order."""
        return [word for line in self.lines for word in line.words]

    @property
    def text(self) -> str:
        """One line of text a line, an empty line between paragraphs."""
        parts: list[str] = []
        for before, line in zip((None, *self.lines), self.lines):
            if before is not None:
                parts.append("\n\n" if before.paragraph != line.paragraph else "\n")
            parts.append(line.text)
        return "".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings."""
        return {
            "number": self.number,
            "width": self.width,
            "height": self.height,
            "rotation": self.rotation,
            "turn": self.turn,
            "dpi": None if self.dpi is None else round(float(self.dpi), 3),
            "sheet_pt": None if self.sheet_pt is None else [round(float(side), 3) for side in self.sheet_pt],
            "error": self.error,
            "left_out": dict(self.left_out),
            "lines": [line.to_dict() for line in self.lines],
        }


@dataclass(frozen=True, eq=False, repr=False)
class Document:
    """Pages in order, with the name of what was read and of what read it.

    >>> import numpy as np
    >>> word = Word("Hello", box_to_quad((10, 10, 60, 30)), 0.9)
    >>> Document((Page(1, 100, 50, (Line((word,)),)),)).text
    'Hello'
    """

    pages: tuple[Page, ...]
    source: str = ""
    engine: str = ""

    def __repr__(self) -> str:
        return f"Document({self.source!r}, {counted(len(self.pages), 'page')}, {counted(len(self.words), 'word')})"

    @property
    def text(self) -> str:
        """The pages' texts, a form feed between them as pdftotext does."""
        return "\n\f".join(page.text for page in self.pages)

    @property
    def words(self) -> list[Word]:
        """All words of all pages in reading order."""
        return [word for page in self.pages for word in page.words]

    def __iter__(self) -> Iterator[Page]:
        return iter(self.pages)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings, ready for JSON."""
        return {"source": self.source, "engine": self.engine, "pages": [page.to_dict() for page in self.pages]}

    @staticmethod
    def load(source: str | Path | Mapping[str, Any]) -> Document:
        """The document that `to_dict` told: from a JSON file, from JSON itself, or from what `to_dict` returned.

        Its pages have no images.

        Raises:
            OcrkitError: there is no such file, or it tells something else.
        """
        document: Document = _format("load_document").load_document(source)
        return document

    def to_hocr(self) -> str:
        """hOCR 1.2, an XHTML page."""
        return str(_format("to_hocr").to_hocr(self))

    def to_alto(self) -> str:
        """ALTO 4, XML."""
        return str(_format("to_alto").to_alto(self))

    def to_page_xml(self, number: int | None = None) -> str:
        """PAGE XML of 2019, a page a file: of page `number`, which may be left out where there is only one.

        Raises:
            OcrkitError: there are several pages, or none of that number.
        """
        return str(_format("to_page_xml").to_page_xml(self, number))

    def save_pdf(self, path: str | Path, original: str | Path | None = None) -> Path:
        """Write a searchable PDF; returns the path.

        Args:
            path: written over, if there is something, unless that is `original`.
            original: the PDF that was read: it keeps all it holds and gains the words as invisible text, on pages that
                have no text yet. Without it, the page images become a new PDF.

        Raises:
            OcrkitError: a page has no image, `original` cannot be used, or the file cannot be written.
        """
        return Path(_format("save_pdf").save_pdf(self, Path(path), None if original is None else Path(original)))

    def render(self, number: int = 1) -> Image:
        """A picture of page `number`, `(height, width, 3)` RGB: its words, as they were read, on their faded ink.

        Raises:
            OcrkitError: there is no such page, or it could not be read.
        """
        image: Image = _format("draw_words").draw_words(self, number)
        return image

    def show(self) -> None:
        """Show the pages with a box around every word: in a notebook below the cell, elsewhere in an image viewer.

        Raises:
            OcrkitError: no page has an image, or the machine has nothing to show it with.
        """
        _format("show_pages").show_pages(self)

    def _repr_html_(self) -> str:
        return str(_format("_repr_html_").to_html(self))


def _format(method: str) -> ModuleType:
    return import_module(LAZY[method])


def counted(count: int, noun: str, many: str | None = None) -> str:
    """A number of things in words, such as `1 page` and `2,000 pages`; `many` is a plural of its own."""
    return f"{count:,} {noun if count == 1 else many or f'{noun}s'}"


def _round(values: np.ndarray) -> Any:
    return np.round(np.asarray(values, float), 1).tolist()
