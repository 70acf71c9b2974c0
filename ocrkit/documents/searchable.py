"""One document becomes one searchable PDF: a PDF keeps all it holds and gains a layer of text, an image its sheet."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ocrkit.document import Document
from ocrkit.documents.reader import Reader

Mode = Literal["skip", "redo", "force"]


@dataclass(frozen=True, eq=False)
class SearchableResult:
    """What was done to make a document searchable.

    Attributes:
        document: the pages that were read, without their pixels.
        count: number of pages of the file.
        left_alone: number of a page that was not read -> why not.
        unchanged: whether the output is the input's bytes, because no page was to be read.
        warnings: sentences about what was repaired, guessed or could not be done; pages that failed have theirs in
            `document.pages[i].error`.
    """

    document: Document
    count: int
    left_alone: Mapping[int, str] = field(default_factory=dict)
    unchanged: bool = False
    warnings: tuple[str, ...] = ()


def write_searchable(
    source: Path,
    output: Path,
    reader: Reader,
    *,
    pages: Collection[int] | None = None,
    mode: Mode = "skip",
    pdfa: bool = False,
    sidecar: Path | None = None,
) -> SearchableResult:
    """Write `source`, a PDF or an image, as a searchable PDF; whole or not at all.

    Args:
        source: the file to be read; it is never written to.
        output: the PDF, written over what is there, unless that is `source`.
        reader: reads the pages, one in memory at a time.
        pages: numbers, from 1, of the pages to be read; the others stay as they are. `None` is all of them.
        mode: of pages of a PDF that have text already, "skip" leaves them alone, "redo" replaces an invisible layer of
            text, "force" reads all.
        pdfa: make PDF/A-2b.
        sidecar: a text file that gets the text of all pages.

    Raises:
        OcrkitError: `source` cannot be read, is encrypted or signed, or is the output; or the output cannot be written.
    """
    raise NotImplementedError
