"""One document becomes one searchable PDF: a PDF keeps all it holds and gains a layer of text, an image its sheet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ocrkit.document import Document, Page
from ocrkit.documents.reader import Reader, as_loaded
from ocrkit.errors import OcrkitError
from ocrkit.files import same_file, write_whole
from ocrkit.formats.graft import Graft, Mode, PageText, Task, filling, page_text
from ocrkit.formats.pdf import write_pdf
from ocrkit.images import check_numbers, iter_pages, open_pdf, source_name

if TYPE_CHECKING:
    import pypdfium2

NOT_ASKED = "not asked for"


@dataclass(frozen=True, eq=False)
class SearchableResult:
    """What was done to make a document searchable.

    Attributes:
        document: the pages that were read, without their pixels. A page that failed has its `error`.
        count: number of pages of the file.
        left_alone: number of a page that was not read -> why not, such as "text already there".
        unchanged: whether the output is the input's bytes, because nothing was to be added.
        warnings: sentences about what was repaired or may surprise.
    """

    document: Document
    count: int
    left_alone: Mapping[int, str] = field(default_factory=dict)
    unchanged: bool = False
    warnings: tuple[str, ...] = ()

    def left_alone_because(self) -> dict[str, str]:
        """Reason -> the pages that were left alone for it, such as `1-3, 7`."""
        pages: dict[str, list[int]] = {}
        for number, why in sorted(self.left_alone.items()):
            pages.setdefault(why, []).append(number)
        return {why: _ranges(numbers) for why, numbers in pages.items()}


def write_searchable(
    source: Path | bytes,
    output: Path,
    reader: Reader,
    *,
    pages: Collection[int] | None = None,
    mode: Mode = "skip",
    pdfa: bool = False,
    sidecar: Path | None = None,
    name: str | None = None,
    on_page: Callable[[Page], object] | None = None,
) -> SearchableResult:
    """Write `source`, a PDF or an image, as a searchable PDF; whole or not at all.

    The pages of a PDF stay as they are, with bookmarks, links, forms, attachments and all else, and gain invisible
    text; where there is nothing to add, the output is a copy. An image becomes a sheet, by its own bytes where a PDF
    can hold them.

    Args:
        source: the file to be read, which is never written to, or its bytes.
        output: the PDF, written over what is there, unless that is `source`.
        reader: reads the pages, one in memory at a time.
        pages: numbers, from 1, of the pages to be read; the others stay as they are. `None` is all of them.
        mode: of pages of a PDF that have text already, "skip" leaves them alone, but reads the pictures on them where
            there is no text; "redo" also replaces an invisible layer of text; "force" reads all that they show.
        pdfa: make PDF/A-2b.
        sidecar: a text file that gets the text of all pages, as `Document.text` has it.
        name: what to call the source; `None` is its path.
        on_page: is told of each page as it has been read.

    Raises:
        BadImage: `source` cannot be read, is encrypted or signed.
        MissingExtra: PDF/A is wanted, and what checks it is not installed.
        OcrkitError: `source` is the output or lacks one of `pages`, or the output cannot be written or made PDF/A.
    """
    if not isinstance(source, bytes):
        source = Path(source)
        for target in filter(None, (output, sidecar)):
            if same_file(source, target):
                raise OcrkitError(f"{target} is what is to be read: name another place for the result.")
    job = _Job(source, name or source_name(source), Path(output), reader, pages, on_page)
    with open_pdf(source) as pdf:
        result, texts = job.from_images(pdfa) if pdf is None else job.from_pdf(pdf, mode, pdfa)
    if sidecar is not None:
        write_whole(sidecar, "\n\f".join(texts) + "\n")
    return result


@dataclass(frozen=True, eq=False)
class _Job:
    """What is to be read into what, and by whom."""

    source: Path | bytes
    name: str
    output: Path
    reader: Reader
    wanted: Collection[int] | None
    on_page: Callable[[Page], object] | None

    def from_pdf(self, pdf: pypdfium2.PdfDocument, mode: Mode, pdfa: bool) -> tuple[SearchableResult, list[str]]:
        count = len(pdf)
        check_numbers(self.wanted, count, self.name)
        plans = {number: self._plan(pdf, number, mode) for number in range(1, count + 1)}
        texts = {number: plan.own for number, plan in plans.items()}
        left_alone = {number: plan.why for number, plan in plans.items() if plan.task is Task.LEAVE}
        read = []
        with Graft.opened(self.source, self.name) as graft:
            warnings = list(graft.warnings)
            for loaded in iter_pages(self.source, plans.keys() - left_alone.keys()):
                page, plan = self.reader.read_page(loaded), plans[loaded.number]
                if page.image is not None:
                    if plan.task is Task.FILL:
                        with closing(pdf[page.number - 1]) as shown:
                            page = filling(page, shown)
                    if plan.hidden:
                        graft.remove_invisible_text(page.number)
                    graft.add(page)
                    texts[page.number] = "\n\n".join(filter(None, (plan.own, page.text)))
                    if plan.why:
                        warnings.append(f"Page {page.number} of {self.name} {plan.why}.")
                read.append(self._done(page))
            unchanged = graft.save(self.output, pdfa)
        document = Document(tuple(read), self.name, self.reader.name)
        return SearchableResult(document, count, left_alone, unchanged, tuple(warnings)), list(texts.values())

    def from_images(self, pdfa: bool) -> tuple[SearchableResult, list[str]]:
        read: list[Page] = []
        left_alone: dict[int, str] = {}

        def sheets() -> Iterator[Page]:
            for loaded in iter_pages(self.source):
                if self.wanted is None or loaded.number in self.wanted:
                    page = self.reader.read_page(loaded)
                    read.append(self._done(page))
                else:
                    left_alone[loaded.number] = NOT_ASKED
                    page = as_loaded(loaded)
                yield page
            check_numbers(self.wanted, len(read) + len(left_alone), self.name)

        write_pdf(sheets(), self.output, title=Path(self.name).name, pdfa=pdfa)
        texts = dict.fromkeys(sorted([*left_alone, *(page.number for page in read)]), "")
        texts |= {page.number: page.text for page in read}
        document = Document(tuple(read), self.name, self.reader.name)
        return SearchableResult(document, len(texts), left_alone), list(texts.values())

    def _plan(self, pdf: pypdfium2.PdfDocument, number: int, mode: Mode) -> PageText:
        try:
            with closing(pdf[number - 1]) as shown:
                plan = page_text(shown, mode)
        except RuntimeError:  # PDFium's: the page is not there, as who loads it will say
            plan = PageText(Task.READ)
        if self.wanted is not None and number not in self.wanted:
            return replace(plan, task=Task.LEAVE, why=NOT_ASKED)
        return plan

    def _done(self, page: Page) -> Page:
        light = replace(page, image=None, original=None)
        if self.on_page is not None:
            self.on_page(light)
        return light


def _ranges(numbers: list[int]) -> str:
    """Sorted numbers as `1-3, 7`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ", ".join("-".join(map(str, run)) for run in runs)
