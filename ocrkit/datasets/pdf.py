"""PDFs with text of their own: `*.pdf`, each page of which says what is printed on it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ocrkit.datasets.sample import LabelledPage, LabelledWord
from ocrkit.document import Image
from ocrkit.errors import BadDataset, BadImage
from ocrkit.files import folder_name
from ocrkit.images import PageImage, iter_pages, open_pdf
from ocrkit.images.pdf_contents import has_text, pictured, shows_notes
from ocrkit.images.pdf_words import printed_words

if TYPE_CHECKING:
    import pypdfium2

PAGES_A_FILE = 10  # that are measured on
_PICTURED = 0.1  # of a page, which pictures cover: what is printed on them is not among its text
_UNTOLD = 0.5  # of a page's words, whose fonts do not tell their letters
_LOGGER = logging.getLogger(__name__)


def load_pdf(folder: Path, use: str = "evaluate") -> Iterator[LabelledPage]:
    """The pages of a folder's PDFs whose own text labels them, by file; ids are such as `manual-p0012`.

    To `train`, all pages; otherwise ten of each file: it is cut into ten equal parts, of each the first page from its
    middle on that can be used, or else from its start. A page cannot be used if it has invisible text, which
    is what somebody's OCR read; pictures on a tenth of it or more, notes or fields of a form, whose print no text
    labels; no text that is seen; or fonts that do not tell the letters of half its words. How many are left out, and
    why, is told file by file.

    Images are drawn as `ocrkit read` draws them, at 200 dpi unless that is too large; see
    `ocrkit.images.pdf_words.printed_words` for the words.

    Raises:
        BadDataset: a PDF that is locked, damaged or empty.
    """
    for path in sorted(path for path in folder.iterdir() if path.suffix.lower() == ".pdf"):
        try:
            with open_pdf(path) as pdf:
                if pdf is None:
                    raise BadDataset(f"{path} is no PDF.")
                yield from _pages(path, pdf, len(pdf) if use == "train" else PAGES_A_FILE)
        except BadImage as error:
            raise BadDataset(str(error)) from None


def _pages(path: Path, pdf: pypdfium2.PdfDocument, most: int) -> Iterator[LabelledPage]:
    left_out = Counter[str]()
    numbers = list(_chosen(pdf, most, left_out))
    used = 0
    for drawn in iter_pages(path, numbers) if numbers else ():
        page = _labelled(path, pdf, drawn)
        if isinstance(page, LabelledPage):
            used += 1
            yield page
        else:
            left_out[page] += 1
    if left_out:
        reasons = "; ".join(f"{count:,} with {reason}" for reason, count in left_out.items())
        _LOGGER.warning("%s: %d of %d pages are used; left out: %s.", path, used, len(pdf), reasons)


def _chosen(pdf: pypdfium2.PdfDocument, most: int, left_out: Counter[str]) -> Iterator[int]:
    """Numbers of at most so many pages, evenly from all of the file, that can be used by what they hold."""
    for part in np.array_split(np.arange(len(pdf)), min(most, len(pdf))):
        for index in np.roll(part, -(len(part) // 2)):
            why_not = _why_not(pdf, int(index))
            if why_not is None:
                yield int(index) + 1
                break
            left_out[why_not] += 1


def _why_not(pdf: pypdfium2.PdfDocument, index: int) -> str | None:
    """What a page holds that keeps it from being labelled by its text."""
    try:
        with closing(pdf[index]) as page:
            seen, unseen = has_text(page)
            if unseen:
                return "invisible text, which somebody's OCR read"
            if not seen:
                return "no text"
            if pictured(page) >= _PICTURED:
                return "pictures, whose print has no label"
            return "notes or fields, whose print has no label" if shows_notes(page) else None
    except RuntimeError:  # PDFium's
        return "damage"


def _labelled(path: Path, pdf: pypdfium2.PdfDocument, drawn: PageImage) -> LabelledPage | str:
    """The page with its words, or why there is none."""
    if drawn.image is None:
        return "damage"
    with closing(pdf[drawn.number - 1]) as page:
        words, left_out = printed_words(page, drawn.image)
    told = sum(bool(text) for text, _ in words)
    if told < _UNTOLD * len(words):
        return "fonts that do not tell their letters"
    if not told:
        return "no text that is seen"
    return LabelledPage(
        id=f"{path.stem}-p{drawn.number:04d}",
        words=tuple(LabelledWord(text, quad) for text, quad in words),
        load=partial(_image, path, drawn.number),
        source=folder_name(path.parent),
        document=path.stem,
        left_out=left_out,
    )


def _image(path: Path, number: int) -> Image:
    (page,) = iter_pages(path, [number])
    if page.image is None:
        raise BadImage(str(page.error))
    return page.image
