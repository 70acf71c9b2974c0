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
from ocrkit.images import iter_pages, open_pdf

if TYPE_CHECKING:
    import pypdfium2

_NOT_ASKED = "was not asked for"


@dataclass(frozen=True, eq=False)
class SearchableResult:
    """What was done to make a document searchable.

    Attributes:
        document: the pages that were read, without their pixels. A page that failed has its `error`.
        count: number of pages of the file.
        left_alone: number of a page that was not read -> why not, such as "has text already".
        unchanged: whether the output is the input's bytes, because nothing was to be added.
        warnings: sentences about what was repaired or may surprise.
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
    on_page: Callable[[Page], None] | None = None,
) -> SearchableResult:
    """Write `source`, a PDF or an image, as a searchable PDF; whole or not at all.

    The pages of a PDF stay as they are, with bookmarks, links, forms, attachments and all else, and gain invisible
    text; where there is nothing to add, the output is a copy. An image becomes a sheet, by its own bytes where a PDF
    can hold them.

    Args:
        source: the file to be read; it is never written to.
        output: the PDF, written over what is there, unless that is `source`.
        reader: reads the pages, one in memory at a time.
        pages: numbers, from 1, of the pages to be read; the others stay as they are. `None` is all of them.
        mode: of pages of a PDF that have text already, "skip" leaves them alone, but reads the pictures on them where
            there is no text; "redo" also replaces an invisible layer of text; "force" reads all that they show.
        pdfa: make PDF/A-2b.
        sidecar: a text file that gets the text of all pages, as `Document.text` has it.
        on_page: is told of each page as it has been read.

    Raises:
        BadImage: `source` cannot be read, is encrypted or signed.
        MissingExtra: PDF/A is wanted, and what checks it is not installed.
        OcrkitError: `source` is the output or lacks one of `pages`, or the output cannot be written or made PDF/A.
    """
    source, output = Path(source), Path(output)
    for target in (output, *([sidecar] if sidecar else [])):
        if same_file(source, target):
            raise OcrkitError(f"{target} is what is to be read: name another place for the result.")
    job = _Job(source, output, reader, pages, on_page)
    with open_pdf(source) as pdf:
        result, texts = job.from_images(pdfa) if pdf is None else job.from_pdf(pdf, mode, pdfa)
    if sidecar is not None:
        write_whole(sidecar, "\n\f".join(texts) + "\n")
    return result


@dataclass(frozen=True, eq=False)
class _Job:
    """What is to be read into what, and by whom."""

    source: Path
    output: Path
    reader: Reader
    wanted: Collection[int] | None
    on_page: Callable[[Page], None] | None

    def from_pdf(self, pdf: pypdfium2.PdfDocument, mode: Mode, pdfa: bool) -> tuple[SearchableResult, list[str]]:
        count = len(pdf)
        self._check(count)
        plans = {number: self._plan(pdf, number, mode) for number in range(1, count + 1)}
        texts = {number: plan.own for number, plan in plans.items()}
        left_alone = {number: plan.why for number, plan in plans.items() if plan.task is Task.LEAVE}
        read = []
        with Graft.opened(self.source) as graft:
            warnings = list(graft.warnings)
            for loaded in iter_pages(self.source, plans.keys() - left_alone.keys()):
                page, plan = self.reader.read_page(loaded), plans[loaded.number]
                if page.image is not None:
                    if plan.task is Task.FILL:
                        page = filling(page, pdf[page.number - 1])
                    if plan.hidden:
                        graft.remove_invisible_text(page.number)
                    graft.add(page)
                    texts[page.number] = "\n\n".join(filter(None, (plan.own, page.text)))
                    if plan.why:
                        warnings.append(f"Page {page.number} of {self.source} {plan.why}.")
                read.append(self._done(page))
            unchanged = graft.save(self.output, pdfa)
        document = Document(tuple(read), str(self.source), self.reader.name)
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
                    left_alone[loaded.number] = _NOT_ASKED
                    page = as_loaded(loaded)
                yield page
            self._check(len(read) + len(left_alone))

        write_pdf(sheets(), self.output, title=self.source.name, pdfa=pdfa)
        texts = dict.fromkeys(sorted([*left_alone, *(page.number for page in read)]), "")
        texts |= {page.number: page.text for page in read}
        document = Document(tuple(read), str(self.source), self.reader.name)
        return SearchableResult(document, len(texts), left_alone), list(texts.values())

    def _plan(self, pdf: pypdfium2.PdfDocument, number: int, mode: Mode) -> PageText:
        try:
            with closing(pdf[number - 1]) as shown:
                plan = page_text(shown, mode)
        except RuntimeError:  # PDFium's: the page is not there, as who loads it will say
            plan = PageText(Task.READ)
        if self.wanted is not None and number not in self.wanted:
            return replace(plan, task=Task.LEAVE, why=_NOT_ASKED)
        return plan

    def _check(self, count: int) -> None:
        """Check that the pages wanted are there."""
        missing = sorted(number for number in self.wanted or () if not 1 <= number <= count)
        if missing:
            raise OcrkitError(f"{self.source} has {count} page{'s' if count > 1 else ''}, and no page {missing[0]}.")

    def _done(self, page: Page) -> Page:
        light = replace(page, image=None, original=None)
        if self.on_page is not None:
            self.on_page(light)
        return light
