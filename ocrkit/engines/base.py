"""The face every OCR engine shows, ours and other people's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ocrkit.document import Image, Page
from ocrkit.errors import OcrkitError


class EngineFailed(OcrkitError):
    """An engine that broke off, ran out of time or said something that cannot be understood."""


class Engine(Protocol):
    """What a comparison needs of an engine; every call does the whole work, nothing is kept from the last one."""

    name: str
    version: str

    def read(self, image: Image) -> Page:
        """The words of a page image, `uint8` `(H, W)` or `(H, W, 3)` RGB, in its pixels.

        Raises:
            EngineFailed: it gave no answer.
        """
        ...

    def recognize(self, crops: Sequence[Image]) -> list[str]:
        """The text of each word crop, in order; empty where it read nothing.

        Raises:
            EngineFailed: it gave no answer.
        """
        ...
