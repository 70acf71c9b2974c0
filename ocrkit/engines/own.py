"""ocrkit itself as one engine among others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ocrkit import __version__
from ocrkit.document import Image, Page
from ocrkit.documents.reader import Reader


class OwnEngine:
    """Reads with `ocrkit.Reader`.

    Args:
        threads: of the runtime.
        model: folder or file of a model; `None` is the released one.
        runtime: as `ocrkit.Reader`.

    Raises:
        BadModel: no usable model.
        MissingExtra: the runtime is not installed.
    """

    name = "ours"

    def __init__(self, threads: int = 1, model: str | Path | None = None, runtime: str = "onnxruntime") -> None:
        self._reader = Reader(model, runtime, threads)
        self.version = f"{__version__}, {self._reader.name}"

    @staticmethod
    def missing() -> str | None:
        """Always there."""
        return None

    def read(self, image: Image) -> Page:
        """The words of a page image."""
        return self._reader.read(image).pages[0]

    def recognize(self, crops: Sequence[Image]) -> list[str]:
        """The text of each word crop."""
        return [guess.text for guess in self._reader.recognize(crops)]
