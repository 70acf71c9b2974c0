"""RapidOCR: PaddleOCR's PP-OCRv6 models (small) in ONNX Runtime."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ocrkit.document import Image, Line, Page, Word
from ocrkit.engines.base import Engine, EngineFailed
from ocrkit.errors import MissingExtra

_PARTS = {"Det": "*_det_*.onnx", "Cls": "*_cls_*.onnx", "Rec": "*_rec_*.onnx"}  # steps and the files of their models


class RapidOcrEngine(Engine):
    """Reads with `rapidocr` and the models it ships.

    It finds lines, not words: a line's quad is cut into words by their share of its characters, so that its word
    boxes are approximate while its texts are as given. Left alone it would fetch models that it does not find; it is
    given the files of the installed package, so that it asks nobody for any.

    Args:
        threads: of ONNX Runtime.

    Raises:
        MissingExtra: the package is not installed, or came without its models.
    """

    name = "rapidocr"
    is_private = True

    def __init__(self, threads: int = 1) -> None:
        if reason := self.missing():
            raise MissingExtra(reason)
        import rapidocr

        files = {part: _model(Path(rapidocr.__file__).parent / "models", name) for part, name in _PARTS.items()}
        self._ocr = rapidocr.RapidOCR(
            params={
                "Global.log_level": "critical",
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                **{f"{part}.model_path": str(file) for part, file in files.items()},
            }
        )
        self.version = version("rapidocr")
        blank = np.full((48, 96, 3), 255, np.uint8)  # it loads each model when it first needs it: not within a page
        for step, image in (
            (self._ocr, blank),
            (self._ocr.cls_and_rotate, [blank]),
            (self._ocr.recognize_txt, [blank]),
        ):
            self._call(step, image)

    @classmethod
    def missing(cls) -> str | None:
        """Why it cannot be used, `None` where it can."""
        if find_spec("rapidocr"):
            return None
        return "The package rapidocr is not installed: pip install 'ocrkit[peers]'."

    def read(self, image: Image) -> Page:
        """The words of a page image."""
        found = self._call(self._ocr, _bgr(image))
        # Where it finds nothing, there are no boxes.
        lines = zip(found.boxes, found.txts, found.scores) if found.boxes is not None else ()
        height, width = image.shape[:2]
        return Page(1, width, height, lines=tuple(Line(words) for line in lines if (words := _words(*line))))

    def recognize(self, crops: Sequence[Image]) -> list[str]:
        """The text of each word crop; what it took for several words is joined without blanks."""
        if not crops:
            return []
        found = self._call(self._ocr.recognize_txt, [_bgr(crop) for crop in crops])
        return ["".join(text.split()) for text in found.txts]

    def _call(self, function: Any, images: Any) -> Any:
        try:
            return function(images)
        except Exception as error:  # whatever the package or its runtime raises
            raise EngineFailed(f"RapidOCR failed: {error}.") from error


def _model(folder: Path, name: str) -> Path:
    """The file of a model in the installed package.

    Raises:
        MissingExtra: there is none, or more than one.
    """
    files = sorted(folder.glob(name))
    if len(files) != 1:
        raise MissingExtra(
            f"The installed rapidocr has {len(files)} files {name} where one is expected, and ocrkit lets it fetch "
            "none: pip install 'rapidocr>=3.10,<3.11'."
        )
    return files[0]


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
