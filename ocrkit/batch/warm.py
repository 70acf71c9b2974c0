"""The reader that a process keeps from one document to the next."""

from __future__ import annotations

from functools import lru_cache

from ocrkit.documents.options import ReadOptions
from ocrkit.documents.reader import Reader


@lru_cache(maxsize=1)
def reader_of(model: str | None, runtime: str, threads: int | None, options: ReadOptions | None) -> Reader:
    """The reader with these options, made when they are first asked for."""
    return Reader(model, runtime, threads, options=options)


def forget() -> None:
    """Let go of the reader, where the process does other things next."""
    reader_of.cache_clear()
