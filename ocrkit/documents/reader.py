"""Reading a document: each of its pages is loaded, seen from straight above, turned upright, and read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from ocrkit.detection import detect
from ocrkit.document import Document, Image, Line, Page
from ocrkit.documents.geometry import moved, turned
from ocrkit.documents.options import ReadOptions
from ocrkit.documents.orientation import read_upright
from ocrkit.documents.page import Detector, read_page
from ocrkit.documents.photo import read_photo
from ocrkit.images import PageImage, Source, iter_pages
from ocrkit.recognition.decode import Calibration, Guess

_UNREADABLE = "Page {} is in a script, or a hand, that the model cannot read; --keep-doubtful shows its guesses."


class WordRecognizer(Protocol):
    """What the reader needs of a recogniser; `ocrkit.recognition.load_recognizer` gives one.

    Where it has a `calibration`, the words' confidences are calibrated by that once everything is read. Where it says
    how many batches it reads `at_once`, words are looked for by as many threads, and else by one.
    """

    name: str

    def recognize(self, crops: Sequence[Image]) -> list[Guess]:
        """One guess a crop, in order."""
        ...


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
        self._recognizer = recognizer or _recognizer(model, runtime, threads)
        self._detect = detector or partial(detect, threads=getattr(self._recognizer, "at_once", 1))
        self._calibration = getattr(self._recognizer, "calibration", Calibration())

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

    def pages(self, source: Source, numbers: Collection[int] | None = None) -> Iterator[Page]:
        """The pages of `source` as they are read, so that long documents need the memory of one page.

        Args:
            source: path, bytes, Pillow image or array.
            numbers: of the pages that are wanted, from 1; `None` is all of them.

        Raises:
            BadImage: it cannot be read as a document, or lacks one of the pages.
        """
        for loaded in iter_pages(source, numbers):
            yield self.read_page(loaded)

    def recognize(self, crops: Sequence[Image]) -> list[Guess]:
        """Text and confidence of word crops, `uint8` `(H, W)` or `(H, W, 3)`, in order; some may lie on their side."""
        from ocrkit.recognition.recognizer import recognize_turned

        return self._calibration.of_guesses(recognize_turned(self._recognizer.recognize, crops))

    def read_page(self, loaded: PageImage) -> Page:
        """The text of a page that was loaded; its error, if it could not be."""
        if loaded.image is None:
            return as_loaded(loaded)
        recognize, options = self._recognizer.recognize, self.options
        as_it_stands = partial(read_page, detect=self._detect, recognize=recognize, options=options)
        upright = partial(read_upright, read=as_it_stands, recognize=recognize, options=options.orientation)
        reading, degrees = read_photo(loaded.image, upright, options.photo, options.captions)
        image = turned(loaded.image, degrees)
        height, width = image.shape[:2]
        return replace(
            as_loaded(loaded),
            width=width,
            height=height,
            lines=self._calibrated(moved(reading.lines, lambda points: np.clip(points, 0, (width, height)))),
            image=image,
            rotation=(loaded.rotation + degrees) % 360,
            turn=degrees,
            sheet_pt=loaded.sheet_pt and (loaded.sheet_pt[::-1] if degrees in (90, 270) else loaded.sheet_pt),
            left_out=reading.left_out,
            error=_UNREADABLE.format(loaded.number) if reading.unreadable else None,
        )

    def _calibrated(self, lines: Sequence[Line]) -> tuple[Line, ...]:
        return tuple(
            replace(
                line,
                words=tuple(replace(word, confidence=self._calibration(word.confidence)) for word in line.words),
            )
            for line in lines
        )


def as_loaded(loaded: PageImage) -> Page:
    """A page that is not read: its picture as it was loaded."""
    height, width = (0, 0) if loaded.image is None else loaded.image.shape[:2]
    return Page(
        loaded.number,
        width,
        height,
        image=loaded.image,
        original=loaded.original,
        rotation=loaded.rotation,
        dpi=loaded.dpi,
        sheet_pt=loaded.sheet_pt,
        error=loaded.error,
    )


def _recognizer(model: str | Path | None, runtime: str, threads: int | None) -> WordRecognizer:
    from ocrkit.recognition import load_recognizer

    return load_recognizer(model, runtime, threads)
