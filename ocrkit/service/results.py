"""A result: one ZIP with the words of all pages, and each page's picture. The same document gives the same bytes."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Annotated, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ocrkit import __version__
from ocrkit.document import Document, Line, Page, Word
from ocrkit.errors import OcrkitError
from ocrkit.service.queue import Job, JobOptions, Pinned

WORDS, SEARCHABLE = "document.json", "searchable.pdf"
_SINCE = (1980, 1, 1, 0, 0, 0)  # what ZIP counts time from: when a page was read must not change a byte
_MOST_PX = 1_000_000

_Text = Annotated[str, Field(max_length=10_000)]
_Place = Annotated[float, Field(ge=-_MOST_PX, le=_MOST_PX)]
_Box = tuple[_Place, _Place, _Place, _Place]
_Point = tuple[_Place, _Place]
_Side = Annotated[int, Field(ge=0, le=_MOST_PX)]


class _Checked(BaseModel):
    """What came out of a jail, whose every field is checked."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class StoredWord(_Checked):
    """`ocrkit.document.Word`."""

    text: _Text
    confidence: Annotated[float, Field(ge=0, le=1)]
    doubtful: bool
    box: _Box
    quad: tuple[_Point, _Point, _Point, _Point]


class StoredLine(_Checked):
    """`ocrkit.document.Line`."""

    text: _Text
    paragraph: Annotated[int, Field(ge=0)]
    box: _Box
    words: Annotated[tuple[StoredWord, ...], Field(min_length=1)]


class StoredPage(_Checked):
    """`ocrkit.document.Page` without pixels."""

    number: Annotated[int, Field(ge=1)]
    width: _Side
    height: _Side
    rotation: Literal[0, 90, 180, 270]
    turn: Literal[0, 90, 180, 270]
    error: Annotated[str, Field(max_length=2000)] | None
    left_out: dict[_Text, Annotated[int, Field(ge=0)]]
    lines: tuple[StoredLine, ...]
    dpi: float | None
    sheet_pt: tuple[float, float] | None

    @property
    def words(self) -> list[StoredWord]:
        """All words in reading order."""
        return [word for line in self.lines for word in line.words]


class Reading(_Checked):
    """What read a document, down to the version numbers."""

    engine: str
    model: str
    identity: str
    version: int | None
    ocrkit: str


class Result(_Checked):
    """What came of a document.

    Attributes:
        file: SHA-256 of its bytes.
        reader: what read it.
        options: how.
        pages_in_file: how many there are; `None` where that is not known.
        pages: those that were read.
        searchable: what the searchable PDF is: made of the `pictures` of the pages that were read, the document `whole`
            with text under these, or the `original`, which has text already.
        why_not_whole: of a PDF, where that cannot be; empty for pictures.
    """

    format: Literal[1] = 1
    file: str
    reader: Reading
    options: JobOptions
    pages_in_file: int | None
    pages: tuple[StoredPage, ...]
    searchable: Literal["pictures", "whole", "original"] = "pictures"
    why_not_whole: Annotated[str, Field(max_length=2000)] = ""

    @property
    def left_out(self) -> str:
        """Sentences about pages that were not read, and what the searchable PDF lacks; empty where all is well."""
        told = []
        if self.pages_in_file and self.pages_in_file > len(self.pages):
            told.append(f"{len(self.pages)} of {self.pages_in_file} pages were read.")
            if not self.options.all_pages:
                told.append("Hand it in with all pages to read them, too.")
            only = "that" if len(self.pages) == 1 else "those"
            has = f"only {only}" if self.searchable == "pictures" else f"all {self.pages_in_file}"
            told.append(f"The searchable PDF has {has}.")
        if self.why_not_whole:
            told.append(f"The searchable PDF is made of pictures of the pages: {self.why_not_whole}")
        return " ".join(told)

    def document(self, name: str, pictures: Iterable[bytes] = ()) -> Document:
        """As reading gives it, with the pages' pictures where they are wanted."""
        given = list(pictures) or [b""] * len(self.pages)
        pages = tuple(_page(page, picture) for page, picture in zip(self.pages, given))
        return Document(pages, name, f"ocrkit {self.reader.model} on onnxruntime")


class ResultWriter:
    """Writes a result page by page into a file.

    Args:
        file: opened for writing bytes.
        job: whose result it is.
    """

    def __init__(self, file: IO[bytes], job: Job) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED)
        self._job = job
        self.pages: list[StoredPage] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *how: object) -> None:
        self._zip.close()  # else it would try to when the file is gone

    def add(self, page: StoredPage, picture: bytes) -> None:
        """A page and its picture as a JPEG; none where it is empty."""
        self.pages.append(page)
        if picture:
            self._zip.writestr(zipfile.ZipInfo(picture_name(page.number), _SINCE), picture)

    def finish(self, pages_in_file: int | None, searchable: bytes | None = None, why: str = "") -> Result:
        """Close the file; what is in it.

        Args:
            pages_in_file: how many there are, where known.
            searchable: the document as a PDF with text; empty where it is one already, `None` where it makes none.
            why: it makes none.
        """
        if searchable:
            self._zip.writestr(zipfile.ZipInfo(SEARCHABLE, _SINCE), searchable)
        result = Result(
            file=self._job.file,
            reader=reading(self._job.model),
            options=self._job.options,
            pages_in_file=pages_in_file,
            pages=tuple(self.pages),
            searchable="pictures" if searchable is None else "whole" if searchable else "original",
            why_not_whole=why,
        )
        info = zipfile.ZipInfo(WORDS, _SINCE)
        info.compress_type = zipfile.ZIP_DEFLATED
        self._zip.writestr(info, result.model_dump_json())
        self._zip.close()
        return result


def reading(model: Pinned) -> Reading:
    """What a result says of the model that it was pinned to."""
    return Reading(
        engine=model.engine, model=model.name, identity=model.identity, version=model.version, ocrkit=__version__
    )


def picture_name(number: int) -> str:
    """Of the picture of page `number`."""
    return f"{number:04d}.jpg"


def read_result(file: IO[bytes]) -> Result:
    """The words of a result.

    Raises:
        OcrkitError: it is damaged.
    """
    try:
        with zipfile.ZipFile(file) as stored:
            return Result.model_validate_json(stored.read(WORDS))
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        raise OcrkitError(f"A result is damaged, and must be read again: {type(error).__name__}.") from None


def read_part(file: IO[bytes], name: str) -> bytes:
    """A picture, or the searchable PDF; empty where there is none."""
    with zipfile.ZipFile(file) as stored:
        return stored.read(name) if name in stored.namelist() else b""


def rendered(result: Result, name: str, form: str, pictures: Iterable[bytes]) -> bytes:
    """A result as text, JSON, hOCR, ALTO or searchable PDF.

    Raises:
        OcrkitError: no PDF can be made of it.
    """
    if form == "json":
        told = result.document(name).to_dict() | result.model_dump(mode="json", include={"reader", "options"})
        told |= {"file": result.file, "pages_in_file": result.pages_in_file, "left_out": result.left_out}
        return (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")
    if form == "pdf":
        with TemporaryDirectory(prefix="ocrkit-") as folder:
            return result.document(name, pictures).save_pdf(Path(folder) / "searchable.pdf").read_bytes()
    document = result.document(name)
    text = {"text": lambda: document.text + "\n", "hocr": document.to_hocr, "alto": document.to_alto}[form]()
    return text.encode("utf-8", "replace")


def _page(page: StoredPage, picture: bytes) -> Page:
    lines = tuple(
        Line(tuple(Word(w.text, np.array(w.quad), w.confidence, w.doubtful) for w in line.words), line.paragraph)
        for line in page.lines
    )
    return Page(
        page.number,
        page.width,
        page.height,
        lines=lines,
        # A picture stands upright already, whatever had to be done for that.
        rotation=0 if picture else page.rotation,
        turn=0 if picture else page.turn,
        original=picture or None,
        dpi=page.dpi,
        sheet_pt=page.sheet_pt,
        error=page.error,
        left_out=page.left_out,
    )
