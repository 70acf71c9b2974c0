"""RapidOCR: PaddleOCR's PP-OCRv4 models in ONNX Runtime."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import cv2
import numpy as np

from ocrkit.document import Image, Line, Page, Word
from ocrkit.engines.base import Engine, EngineFailed
from ocrkit.errors import MissingExtra


class RapidOcrEngine(Engine):
    """Reads with `rapidocr_onnxruntime` and the models it ships.

    It finds lines, not words: a line's quad is cut into words by their share of its characters, so that its word
    boxes are approximate while its texts are as given.

    Args:
        threads: of ONNX Runtime.

    Raises:
        MissingExtra: the package is not installed.
    """

    name = "rapidocr"

    def __init__(self, threads: int = 1) -> None:
        if reason := self.missing():
            raise MissingExtra(reason)
        from rapidocr_onnxruntime import RapidOCR

        self._ocr = RapidOCR(intra_op_num_threads=threads)
        self.version = version("rapidocr-onnxruntime")

    @classmethod
    def missing(cls) -> str | None:
        """Why it cannot be used, `None` where it can."""
        if find_spec("rapidocr_onnxruntime"):
            return None
        return "The package rapidocr-onnxruntime is not installed: pip install 'ocrkit[peers]'."

    def read(self, image: Image) -> Page:
        """The words of a page image."""
        found = self._call(self._ocr, _bgr(image))[0] or []
        lines = tuple(Line(words) for line in found if (words := _words(*line)))
        height, width = image.shape[:2]
        return Page(1, width, height, lines=lines)

    def recognize(self, crops: Sequence[Image]) -> list[str]:
        """The text of each word crop; what it took for several words is joined without blanks."""
        if not crops:
            return []
        found = self._call(self._ocr.text_rec, [_bgr(crop) for crop in crops])[0]
        return ["".join(text.split()) for text, _ in found]

    def _call(self, function: Any, images: Any) -> Any:
        try:
            return function(images)
        except Exception as error:  # whatever the package or its runtime raises
            raise EngineFailed(f"RapidOCR failed: {error}.") from error


def _words(quad: Any, text: str, score: float) -> tuple[Word, ...]:
    top_left, top_right, bottom_right, bottom_left = np.asarray(quad, float)
    top, bottom = top_right - top_left, bottom_right - bottom_left
    words = []
    for match in re.finditer(r"\S+", text):
        start, end = match.start() / len(text), match.end() / len(text)
        upper = top_left + start * top, top_left + end * top
        lower = bottom_left + end * bottom, bottom_left + start * bottom
        words.append(Word(match.group(), np.array([*upper, *lower]), float(score)))
    return tuple(words)


def _bgr(image: Image) -> Image:
    return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR if image.ndim == 2 else cv2.COLOR_RGB2BGR)
