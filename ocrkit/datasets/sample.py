"""The one shape all labelled images are brought into: word samples, and pages of labelled words or lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ocrkit.document import Image, quad_to_box
from ocrkit.errors import BadImage
from ocrkit.images import load_stored

CATEGORIES = ("letter_sized", "register_tapes", "screenshots", "scanned_docs", "books", "forms", "other")
# What a sample holds, in the types that MLflow knows.
SAMPLE_COLUMNS = {"image": "binary", "text": "string", "source": "string", "document": "string"}


@dataclass(frozen=True, eq=False)
class Sample:
    """A crop of one word and what it says.

    Attributes:
        image: `uint8` `(H, W)` grey.
        text: the label; empty where there is nothing to read.
        source: the data set it comes from, as model cards name it.
        document: the document it was cut from; splits never separate samples of one document.
        private: donated: neither pixels nor text may be written down or sent anywhere.
    """

    image: Image = field(repr=False)
    text: str
    source: str = ""
    document: str = ""
    private: bool = False


@dataclass(frozen=True, eq=False)
class LabelledWord:
    """A word, or a line of words, and its place; empty text means ink that nobody could or did transcribe."""

    text: str
    quad: np.ndarray

    @property
    def box(self) -> np.ndarray:
        """Upright box around the quad, `(4,)`."""
        return quad_to_box(self.quad)


@dataclass(frozen=True, eq=False)
class LabelledPage:
    """A page image, from a file, in memory or out of a vault, and what stands on it.

    Attributes:
        id: unique within its source.
        words: word-level labels; empty where the source labels lines only.
        lines: line-level labels of sources that have no others.
        path: the image file, where there is one.
        pixels: the image of a page that has no file.
        category: one of `CATEGORIES`, the kinds of document that scores are told apart by.
        document: what it is a part of, where it is one of several; splits never separate these.
        simulated: a page that never existed; its scores are never mixed with those of real pages.
        upright: labels refer to the picture as it is shown, turned as its EXIF says; else to the pixels as stored.
        left_out: how many labels of the source are not among these, by the reason.
        load: gives the image of a page that has neither file nor pixels, each time anew.
        private: donated: neither pixels nor texts may be written down or sent anywhere.
    """

    id: str
    words: tuple[LabelledWord, ...] = ()
    lines: tuple[LabelledWord, ...] = ()
    path: Path | None = None
    pixels: Image | None = field(default=None, repr=False)
    category: str = "other"
    source: str = ""
    document: str = ""
    simulated: bool = False
    upright: bool = False
    left_out: Mapping[str, int] = field(default_factory=dict)
    load: Callable[[], Image] | None = field(default=None, repr=False)
    private: bool = False

    def image(self) -> Image:
        """The page's pixels, `uint8`, `(H, W)` grey or `(H, W, 3)` RGB.

        Raises:
            BadImage: the file is missing, damaged or no image.
            Withdrawn: a donated page that its donor has taken back.
        """
        if self.pixels is not None:
            return self.pixels
        if self.load is not None:
            return self.load()
        if self.path is None:
            raise BadImage(f"The labelled page {self.id!r} has neither an image file nor pixels.")
        return load_stored(self.path, self.upright)

    @property
    def readable(self) -> tuple[LabelledWord, ...]:
        """The words, or else lines, that have a transcript."""
        return tuple(label for label in self.words or self.lines if label.text.strip())

    @property
    def texts(self) -> list[str]:
        """Every transcribed word, lines split at blanks."""
        return [text for label in self.readable for text in label.text.split()]
