"""From anything people have (photos, scans, PDFs, arrays) to upright pixels, page by page."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import PIL.Image

from ocrkit.document import Image
from ocrkit.errors import BadImage, reason
from ocrkit.images.arrays import array_to_image
from ocrkit.images.page import MAX_PIXELS, MAX_SIDE, PageImage, Source, check_numbers, page_name, source_name, to_grey
from ocrkit.images.pdf import PDF_DPI, PDF_MAX_PIXELS, PDF_MAX_SHORT_SIDE_PX, is_pdf, opened_pdf, pdf_pages
from ocrkit.images.pictures import AsStored, count_picture_pages, opened_picture_page, picture_pages, picture_sizes

if TYPE_CHECKING:
    import pypdfium2

__all__ = [
    "MAX_PIXELS",
    "MAX_SIDE",
    "PDF_DPI",
    "PDF_MAX_PIXELS",
    "PDF_MAX_SHORT_SIDE_PX",
    "PageImage",
    "Source",
    "check_numbers",
    "count_pages",
    "image_sizes",
    "iter_pages",
    "load_image",
    "load_stored",
    "open_pdf",
    "page_name",
    "source_name",
    "to_grey",
]

_START = 1024  # bytes, in which a PDF says that it is one


def load_image(source: Source) -> Image:
    """The first page of `source`, upright, `uint8` `(H, W)` or `(H, W, 3)` RGB; transparent parts become white.

    Raises:
        BadImage: nothing there, not an image, damaged, or too large.
    """
    return _first(iter_pages(source))


def load_stored(source: Path | bytes, upright: bool = False) -> Image:
    """The stored pixels of an image file, or of its bytes, `uint8`.

    They are not made square, and turned as its EXIF says only if `upright`.

    Raises:
        BadImage: missing, not an image, damaged, or too large.
    """
    return _first(_file_pages(source, AsStored(upright)))


def image_sizes(path: Path) -> tuple[tuple[int, int], tuple[int, int]]:
    """Width and height of an image file's pixels as they are stored, and as they are shown, turned as its EXIF says.

    Raises:
        BadImage: missing, or not an image.
    """
    name = source_name(path)
    with _opened(path, name) as file:
        return picture_sizes(file, name)


@contextmanager
def open_pdf(source: Path | bytes) -> Iterator[pypdfium2.PdfDocument | None]:
    """The PDF in a file or bytes as PDFium opens it; `None` where it is no PDF.

    Raises:
        BadImage: nothing there, or a PDF that is locked, damaged or without pages.
    """
    name = source_name(source)
    with _opened(source, name) as file:
        start = _start_of(file, name)
        if not is_pdf(start):
            yield None
            return
        with opened_pdf(file, name) as pdf:
            yield pdf


def count_pages(source: Path | bytes) -> int:
    """How many pages `iter_pages` yields for a file or bytes, without decoding them.

    Raises:
        BadImage: nothing there, not an image, or a PDF that is locked, damaged or without pages.
    """
    name = source_name(source)
    with _opened(source, name) as file:
        if is_pdf(_start_of(file, name)):
            with opened_pdf(file, name) as pdf:
                return len(pdf)
        return count_picture_pages(file, name)


def iter_pages(source: Source, numbers: Collection[int] | None = None) -> Iterator[PageImage]:
    """The pages of a file, bytes, Pillow image or array, one in memory at a time; of these only those of `numbers`.

    A TIFF and a PDF may have many pages, of which masks and smaller copies of others are none; of an animation, and of
    a photo with others behind it, only the first picture counts. In a file of several pages one that cannot be decoded
    is yielded with its `error`, and the others follow.

    Raises:
        BadImage: nothing there, not an image, too large, one of `numbers` is missing, or the only page cannot be
            decoded.
        MissingExtra: a HEIC photo, and the package that reads it is not installed.
    """
    if isinstance(source, np.ndarray):
        yield from _chosen(iter([PageImage(1, array_to_image(source))]), numbers, "The array")
    elif isinstance(source, PIL.Image.Image):
        yield from _chosen(iter([opened_picture_page(source)]), numbers, "The image")
    elif isinstance(source, str | Path | bytes | bytearray):
        yield from _file_pages(source, numbers=numbers)
    else:
        kind = type(source).__name__
        raise BadImage(f"A document is a path, bytes, a Pillow image or an array, and not of type {kind}.")


def _chosen(pages: Iterator[PageImage], numbers: Collection[int] | None, name: str) -> Iterator[PageImage]:
    count = 0
    for page in pages:
        count = page.number
        if numbers is None or count in numbers:
            yield page
    check_numbers(numbers, count, name)


def _file_pages(
    source: str | Path | bytes | bytearray, stored: AsStored | None = None, numbers: Collection[int] | None = None
) -> Iterator[PageImage]:
    name = source_name(source)
    with _opened(source, name) as file:
        if is_pdf(_start_of(file, name)):
            yield from pdf_pages(file, name, numbers)
        else:
            yield from _chosen(picture_pages(file, name, stored), numbers, name)


def _start_of(file: BinaryIO, name: str) -> bytes:
    try:
        start = file.read(_START)
        file.seek(0)
    except OSError as error:
        raise BadImage(f"{name} cannot be read: {reason(error)}.") from None
    if not start:
        raise BadImage(f"{name} is empty.")
    return start


def _first(pages: Iterator[PageImage]) -> Image:
    page = next(pages)
    if page.image is None:
        raise BadImage(page.error)
    return page.image


@contextmanager
def _opened(source: str | Path | bytes | bytearray, name: str) -> Iterator[BinaryIO]:
    if isinstance(source, bytes | bytearray):
        yield io.BytesIO(source)
        return
    try:
        mode = os.stat(source).st_mode
        if not stat.S_ISREG(mode):
            raise BadImage(
                f"{name} is a folder, not a file." if stat.S_ISDIR(mode) else f"{name} is not a regular file."
            )
        file = Path(source).open("rb")  # noqa: SIM115
    except (FileNotFoundError, NotADirectoryError):
        if os.path.islink(source):
            raise BadImage(f"{name} is a symbolic link to {os.readlink(source)}, which is not there.") from None
        raise BadImage(f"There is no file {name}.") from None
    except (OSError, ValueError) as error:  # a name with a null character is a ValueError
        raise BadImage(f"{name} cannot be opened: {reason(error)}.") from None
    with file:
        yield file
