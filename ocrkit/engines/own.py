"""ocrkit itself as one engine among others."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ocrkit import __version__
from ocrkit.detection import detect
from ocrkit.document import Image, Page, Word
from ocrkit.documents.reader import Reader
from ocrkit.engines.base import Engine
from ocrkit.recognition import Guess, load_recognizer
from ocrkit.recognition.decode import Calibration
from ocrkit.recognition.model import find_model, identity


class OwnEngine(Engine):
    """Reads with `ocrkit.Reader`; of the steps it tells detection, recognition and the rest.

    Args:
        threads: of the runtime.
        model: name of a released model, or a model's folder; `None` is the default one.
        runtime: as `ocrkit.Reader`.
        label: told apart by it from other readers of ours.

    Raises:
        BadModel: no usable model.
        MissingExtra: the runtime is not installed.
    """

    name = "ours"
    is_private = True

    def __init__(
        self, threads: int = 1, model: str | Path | None = None, runtime: str = "onnxruntime", label: str = ""
    ) -> None:
        self.name = label or self.name
        self._spent = {"detection": 0.0, "recognition": 0.0}
        folder = find_model(model)
        recognizer = load_recognizer(folder, runtime, threads)
        recognize = self._timed("recognition", recognizer.recognize)
        timed = _Timed(recognizer.name, recognize, recognizer.calibration)
        find = self._timed("detection", partial(detect, threads=recognizer.at_once))
        self._reader = Reader(detector=find, recognizer=timed)
        self.version, self.model = f"{__version__}, {self._reader.name}", identity(folder)

    def read(self, image: Image) -> Page:
        """The words of a page image, in its pixels even where the reader turned it."""
        self._spent = dict.fromkeys(self._spent, 0.0)
        begun = time.perf_counter()
        page = self._reader.read(image).pages[0]
        rest = time.perf_counter() - begun - sum(self._spent.values())
        self.steps = {**self._spent, "rest": rest}
        return turned_back(page)

    def recognize(self, crops: Sequence[Image]) -> list[str]:
        """The text of each word crop."""
        return [guess.text for guess in self._reader.recognize(crops)]

    def _timed(self, step: str, work: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """`work`, its time added to the step's."""

        def timed(argument: Any) -> Any:
            begun = time.perf_counter()
            try:
                return work(argument)
            finally:
                self._spent[step] += time.perf_counter() - begun

        return timed


@dataclass
class _Timed:
    """A recogniser, as the reader needs it."""

    name: str
    recognize: Callable[[Sequence[Image]], list[Guess]]
    calibration: Calibration


def turned_back(page: Page) -> Page:
    """The page with its words where they stand in the image as it was before the reader turned it clockwise."""

    def quarter_back(word: Word, width: float) -> Word:
        u, v = word.quad.T
        return replace(word, quad=np.stack([v, width - u], 1))

    for _ in range(page.rotation // 90):
        lines = tuple(
            replace(line, words=tuple(quarter_back(word, page.width) for word in line.words)) for line in page.lines
        )
        page = replace(page, lines=lines, width=page.height, height=page.width, image=None, rotation=page.rotation - 90)
    return page
