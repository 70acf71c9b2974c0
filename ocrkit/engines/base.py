"""The face every OCR engine shows, ours and other people's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from ocrkit.document import Image, Page
from ocrkit.errors import OcrkitError, PrivateData

NO_STEPS: Mapping[str, float] = MappingProxyType({})


class EngineFailed(OcrkitError):
    """An engine that broke off, ran out of time or said something that cannot be understood."""


def refuse_private(engines: Iterable[Engine], donated: bool) -> None:
    """Keep donated pages from engines that send them away or write them down.

    Raises:
        PrivateData: one of `engines` would get some.
    """
    if donated and (others := [engine.name for engine in engines if not engine.is_private]):
        raise PrivateData(
            f"Donated pages are not given to {' and '.join(others)}: sent to a service, or written to a disk, they "
            f"would be out of their donors' reach."
        )


class Engine(Protocol):
    """What a comparison needs of an engine; every call does the whole work, nothing is kept from the last one.

    Attributes:
        name: told apart by it in tables.
        version: of the engine, and of its model where it has a name.
        usd_per_page: what its maker charges for a page, in US dollars; nothing for what runs on one's own machine.
        model: what model it reads with, where it is ours to know; see `ocrkit.recognition.model.identity`.
        steps: seconds that the steps of the last `read` took, by name, where the engine tells them.
        peak_mb: the most memory it held so far, MB; `nan` where it shares a process, which cannot tell.
        is_private: whether what it reads stays in this machine's memory, so that it may see donated pages.
    """

    name: str
    version: str
    usd_per_page: float = 0.0
    model: str = ""
    steps: Mapping[str, float] = NO_STEPS
    peak_mb: float = math.nan
    is_private: bool = False

    @classmethod
    def missing(cls) -> str | None:
        """A sentence why it cannot be used here, `None` where it can."""
        return None

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
