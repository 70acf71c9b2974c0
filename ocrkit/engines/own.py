"""ocrkit itself as one engine among others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ocrkit import __version__
from ocrkit.document import Image, Page, Word
from ocrkit.documents.reader import Reader


class OwnEngine:
    """Reads with `ocrkit.Reader`.

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

    def __init__(
        self, threads: int = 1, model: str | Path | None = None, runtime: str = "onnxruntime", label: str = ""
    ) -> None:
        if label:
            self.name = label
        self._reader = Reader(model, runtime, threads)
        self.version = f"{__version__}, {self._reader.name}"

    @staticmethod
    def missing() -> str | None:
        """Always there."""
        return None

    def read(self, image: Image) -> Page:
        """The words of a page image, in its pixels even where the reader turned it."""
        return _turned_back(self._reader.read(image).pages[0])

    def recognize(self, crops: Sequence[Image]) -> list[str]:
        """The text of each word crop."""
        return [guess.text for guess in self._reader.recognize(crops)]


def _turned_back(page: Page) -> Page:
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
