"""What is made of each document: the model and the options, which together with it decide the bytes of the result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from ocrkit import __version__
from ocrkit.batch.inputs import Source
from ocrkit.files import write_whole
from ocrkit.workers import Tell

if TYPE_CHECKING:
    from ocrkit.document import Document
    from ocrkit.documents.options import ReadOptions
    from ocrkit.documents.reader import Reader

Mode = Literal["skip", "redo", "force"]


@dataclass(frozen=True)
class Made:
    """What came of making a result.

    Attributes:
        pages: in it.
        left_alone: of them, such as those that have text already.
        words: read.
        faults: sentences about pages that could not be read.
        notes: sentences about what was repaired or may surprise.
    """

    pages: int
    left_alone: int = 0
    words: int = 0
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Recipe(Protocol):
    """Plain values that say how a document becomes a result."""

    @property
    def suffix(self) -> str:
        """Of a result's name."""
        ...

    def digest(self) -> str:
        """Equal for equal results of equal documents."""
        ...

    def outputs(self, name: str) -> list[str]:
        """The names of all files of a result."""
        ...

    def make(self, path: Path, source: Source, outputs: Sequence[Path], tell: Tell) -> Made:
        """Write the files of the result, and tell each page as it is done.

        Raises:
            OcrkitError: the document cannot be read, or nothing can be written.
        """
        ...


def _plain(value: object) -> object:
    """What JSON has no form for: options, and sets, whose order is nobody's."""
    return sorted(value) if isinstance(value, frozenset) else asdict(value)  # type: ignore[call-overload]


def _digest(recipe: object, **more: object) -> str:
    facts = {"recipe": type(recipe).__name__, "version": __version__, "options": recipe, **more}
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=_plain).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class ReadRecipe:
    """Documents are read, as `ocrkit read` does.

    Attributes:
        form: one of `ocrkit.formats.forms.SUFFIXES`.
        model: name or folder; `None` is the default one.
        runtime: what runs it.
        threads: of it.
        options: of reading; `None` is the default.
        pages: numbers of the pages to be read; `None` is all.
        mode: what is done with pages that have text: see `ocrkit.documents.searchable.write_searchable`. PDF only, as
            are those that follow.
        pdfa: make PDF/A-2b.
        sidecar: write a text file beside each PDF.
    """

    form: str = "pdf"
    model: str | None = None
    runtime: str = "onnxruntime"
    threads: int | None = 1
    options: ReadOptions | None = None
    pages: tuple[int, ...] | None = None
    mode: Mode = "skip"
    pdfa: bool = False
    sidecar: bool = False

    @property
    def suffix(self) -> str:
        """That of the form."""
        from ocrkit.formats.forms import SUFFIXES

        return SUFFIXES[self.form]

    def digest(self) -> str:
        """Of the model's content rather than its name, and of everything but the number of threads.

        Raises:
            BadModel: the model is missing or damaged.
        """
        from ocrkit.recognition.model import find_model, identity

        told = replace(self, model=None, threads=None)
        return _digest(told, model=identity(find_model(self.model)))

    def outputs(self, name: str) -> list[str]:
        """The result, and its text beside it if that is wanted."""
        return [name, name.removesuffix(self.suffix) + ".txt"] if self.sidecar else [name]

    def make(self, path: Path, source: Source, outputs: Sequence[Path], tell: Tell) -> Made:
        """Read the document at `path` and write it in the recipe's form."""
        from ocrkit.batch.warm import reader_of
        from ocrkit.document import Document
        from ocrkit.formats.forms import render

        reader = reader_of(self.model, self.runtime, self.threads, self.options)
        if self.form == "pdf":
            return self._searchable(path, source, outputs, reader, tell)
        pages = []
        for page in reader.pages(str(path), self.pages):
            pages.append(replace(page, image=None, original=None))
            tell(1)
        document = Document(tuple(pages), source.name, reader.name)
        write_whole(outputs[0], render(document, self.form))
        return _made(document)

    def _searchable(self, path: Path, source: Source, outputs: Sequence[Path], reader: Reader, tell: Tell) -> Made:
        from ocrkit.documents.searchable import write_searchable

        sidecar = outputs[1] if self.sidecar else None
        done = write_searchable(
            path,
            outputs[0],
            reader,
            pages=self.pages,
            mode=self.mode,
            pdfa=self.pdfa,
            sidecar=sidecar,
            name=source.name,
            on_page=lambda page: tell(1),
        )
        return replace(_made(done.document), pages=done.count, left_alone=len(done.left_alone), notes=done.warnings)


@dataclass(frozen=True)
class ScanRecipe:
    """The page in each photo is cut out, as `ocrkit scan` does.

    Attributes:
        suffix: of the results: `.png`, `.jpg` or `.pdf`.
    """

    suffix: str = ".png"

    def digest(self) -> str:
        """Of the version alone: nothing can be chosen."""
        return _digest(self)

    def outputs(self, name: str) -> list[str]:
        """The page."""
        return [name]

    def make(self, path: Path, source: Source, outputs: Sequence[Path], tell: Tell) -> Made:
        """Find the page in the photo at `path`, and write it."""
        from ocrkit.documents.scan import scan

        page = scan(path)
        page.save(outputs[0])
        tell(1)
        notes = () if page.quad is not None else (f"No page edges were found in {source.name}: all of it was kept.",)
        return Made(1, notes=notes)


def _made(document: Document) -> Made:
    faults = tuple(page.error for page in document.pages if page.error)
    return Made(len(document.pages), 0, len(document.words), faults)
