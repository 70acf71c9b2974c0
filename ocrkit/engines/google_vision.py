"""Google Cloud Vision."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ocrkit.document import Line, Word
from ocrkit.engines.cloud import ATTEMPTS, TIMEOUT_S, CloudEngine

_KEY_FILE = "GOOGLE_APPLICATION_CREDENTIALS"


class GoogleVisionEngine(CloudEngine):
    """Reads with the feature DOCUMENT_TEXT_DETECTION, by google-cloud-vision.

    The service takes punctuation for words of its own; what it says no blank stands between is one word here.
    """

    name = "google-vision"
    title = "Google Cloud Vision"
    package = "google.cloud.vision"
    # List price of Document Text Detection, pictures 1,001 to 5 million of a month, of before 2026: look it up.
    usd_per_page = 0.0015

    def __init__(self, threads: int = 1) -> None:
        super().__init__(threads)
        from google.cloud import vision

        self._client = vision.ImageAnnotatorClient()
        self.version = f"DOCUMENT_TEXT_DETECTION, google-cloud-vision {version('google-cloud-vision')}"

    @classmethod
    def _lacking(cls) -> str | None:
        file = os.environ.get(_KEY_FILE)
        if not file:
            return f"set {_KEY_FILE} to the file of a service account's key"
        return None if Path(file).is_file() else f"{_KEY_FILE} names {file}, which is no file"

    def _ask(self, picture: bytes, width: int, height: int) -> Iterator[Line]:
        from google.api_core import exceptions, retry
        from google.cloud import vision

        busy = retry.if_exception_type(exceptions.TooManyRequests, exceptions.ServiceUnavailable)
        found = self._client.document_text_detection(
            image=vision.Image(content=picture),
            retry=retry.Retry(predicate=busy, initial=1.0, multiplier=2.0, timeout=ATTEMPTS * TIMEOUT_S),
            timeout=TIMEOUT_S,
        )
        if found.error.message:
            raise RuntimeError(found.error.message)
        for page in found.full_text_annotation.pages:
            for number, paragraph in enumerate(p for block in page.blocks for p in block.paragraphs):
                yield from _lines(paragraph, number)


def _lines(paragraph: Any, number: int) -> Iterator[Line]:
    """A paragraph's lines, which the service tells by the kind of break behind a character only."""
    from google.cloud.vision import TextAnnotation

    breaks = TextAnnotation.DetectedBreak.BreakType
    words: list[Word] = []
    pieces: list[Any] = []
    for piece in paragraph.words:
        pieces.append(piece)
        after = piece.symbols[-1].property.detected_break.type_
        if after == breaks.UNKNOWN:
            continue
        words.append(_word(pieces))
        pieces = []
        if after not in (breaks.SPACE, breaks.SURE_SPACE):
            yield Line(tuple(words), number)
            words = []
    if pieces:
        words.append(_word(pieces))
    if words:
        yield Line(tuple(words), number)


def _word(pieces: Sequence[Any]) -> Word:
    """One word of pieces side by side: from the first one's left side to the last one's right side."""
    first, last = (np.array([(p.x, p.y) for p in piece.bounding_box.vertices]) for piece in (pieces[0], pieces[-1]))
    text = "".join(symbol.text for piece in pieces for symbol in piece.symbols)
    return Word(
        text, np.array([first[0], last[1], last[2], first[3]], float), min(piece.confidence for piece in pieces)
    )
