"""What the engines share that are services: pictures are sent to them, and every answer costs money."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from importlib.util import find_spec

import cv2

from ocrkit.document import Image, Line, Page
from ocrkit.engines.base import Engine, EngineFailed
from ocrkit.errors import MissingExtra

TIMEOUT_S = 30.0  # for the answer to one request
ATTEMPTS = 3  # where the service is busy or cannot be reached

# Larger files are refused by one service or another.
_MOST_BYTES = 7_000_000
_JPEG_QUALITY = 95
# The services refuse pictures of fewer pixels a side than this.
_LEAST_SIDE_PX = 64


class CloudEngine(Engine):
    """Reads by asking a service; `title` is what people call it, `package` the module of its client library.

    Args:
        threads: as every engine takes it; the service has its own.

    Raises:
        MissingExtra: the package is not installed, or the environment lacks what the service asks for.
    """

    title: str
    package: str

    def __init__(self, threads: int = 1) -> None:
        if reason := self.missing():
            raise MissingExtra(reason)

    @classmethod
    def missing(cls) -> str | None:
        """Why it cannot be used, `None` where it can; the service itself is not asked."""
        try:
            installed = find_spec(cls.package)
        except ModuleNotFoundError:  # not even the package around it
            installed = None
        if not installed:
            return f"The client of {cls.title} is not installed: pip install 'ocrkit[cloud]'."
        if lacking := cls._lacking():
            return f"{cls.title} cannot be asked: {lacking}."
        return None

    @classmethod
    @abstractmethod
    def _lacking(cls) -> str | None:
        """What the environment has to say before the service answers, as half a sentence."""

    @abstractmethod
    def _ask(self, picture: bytes, width: int, height: int) -> Iterable[Line]:
        """The lines that the service finds in a PNG or JPEG file, in its pixels; may raise anything."""

    def read(self, image: Image) -> Page:
        """The words of a page image."""
        height, width = image.shape[:2]
        try:
            lines = tuple(line for line in self._ask(_encoded(image), width, height) if line.words)
        except Exception as error:  # the clients have many classes of them
            reason = " ".join(str(error).split()) or type(error).__name__
            raise EngineFailed(f"{self.title} failed: {reason.rstrip('.')}.") from error
        return Page(1, width, height, lines=lines)

    def recognize(self, crops: Sequence[Image]) -> list[str]:
        """The text of each word crop, asked one by one, so each costs as much as a page."""
        return ["".join(word.text for word in self.read(_framed(crop)).words) for crop in crops]


def _encoded(image: Image) -> bytes:
    """A PNG, or where that is too large a JPEG."""
    pixels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    png = cv2.imencode(".png", pixels)[1].tobytes()
    if len(png) <= _MOST_BYTES:
        return png
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()


def _framed(crop: Image) -> Image:
    """The crop with its edge continued until the picture is large enough."""
    down, across = (max(0, _LEAST_SIDE_PX - side) for side in crop.shape[:2])
    borders = down // 2, down - down // 2, across // 2, across - across // 2
    return cv2.copyMakeBorder(crop, *borders, cv2.BORDER_REPLICATE)
