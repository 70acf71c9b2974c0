"""The reader that a process keeps from one document to the next."""

from __future__ import annotations

from functools import lru_cache

from ocrkit.document import Page
from ocrkit.documents.options import ReadOptions
from ocrkit.documents.reader import Reader
from ocrkit.images import PageImage
from ocrkit.workers import Tell


class TellingReader(Reader):
    """A reader that tells each page as it is done."""

    tell: Tell = staticmethod(lambda more: None)

    def read_page(self, loaded: PageImage) -> Page:
        """The text of a page that was loaded, told as it is done."""
        page = super().read_page(loaded)
        self.tell(1)
        return page


@lru_cache(maxsize=1)
def reader_of(model: str | None, runtime: str, threads: int | None, options: ReadOptions | None) -> TellingReader:
    """The reader with these options, made when they are first asked for."""
    return TellingReader(model, runtime, threads, options=options)


def forget() -> None:
    """Let go of the reader, where the process does other things next."""
    reader_of.cache_clear()
