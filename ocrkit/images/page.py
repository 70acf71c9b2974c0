"""What loading gives, how large it may be, and what is said where it cannot be given."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import PIL.Image

from ocrkit.document import Image, counted
from ocrkit.errors import BadImage

Source = str | Path | bytes | bytearray | PIL.Image.Image | np.ndarray

MAX_PIXELS = 120_000_000  # a page of this size takes 360 MB as RGB; larger ones are refused before they are decoded
MAX_SIDE = 200_000  # px; nothing that is read is longer, and what is works in numbers that this would overflow

LEAST_DPI = 10.0  # what is coarser is no resolution of a page
_MOST_OBLONG = 3.0  # times as many pixels per inch one way as the other
_SENTENCE_STARTS = ("The data", "The image", "The array")


@dataclass(frozen=True, eq=False)
class PageImage:
    """The pixels of one page, or why there are none.

    Attributes:
        number: 1 for the first page.
        image: upright, `uint8` grey or RGB, its pixels square; `None` for a page that cannot be decoded.
        original: the bytes of an image file that shows the page and nothing else, turned, in a form that PDF knows,
            too: JPEG, JPEG 2000, PNG or a TIFF of fax code (G4).
        rotation: degrees clockwise by which the stored pixels were turned.
        dpi: pixels of `image` per inch as the file says, if it says.
        sheet_pt: width and height in points of a page of a PDF.
        error: why there is no image.
    """

    number: int
    image: Image | None = None
    original: bytes | None = None
    rotation: int = 0
    dpi: float | None = None
    sheet_pt: tuple[float, float] | None = None
    error: str | None = None


def source_name(source: Source) -> str:
    """What to call `source` in messages: the path as given, or what kind of thing it is."""
    if isinstance(source, str | Path):
        return str(source)
    return "The data" if isinstance(source, bytes | bytearray) else "The image"


def page_name(number: int, name: str) -> str:
    """What to call one of several pages of what is called `name`."""
    return f"Page {number} of {inside(name)}"


def inside(name: str) -> str:
    """`name` as it is within a sentence."""
    return name[0].lower() + name[1:] if name in _SENTENCE_STARTS else name


def check_numbers(numbers: Collection[int] | None, count: int, name: str) -> None:
    """Check that of the `count` pages of what is called `name` all those wanted are there.

    Raises:
        BadImage: one is not.
    """
    missing = sorted(number for number in numbers or () if not 1 <= number <= count)
    if missing:
        raise BadImage(f"{name} has {counted(count, 'page')}, and no page {missing[0]}.")


def check_size(width: float, height: float, name: str) -> None:
    """Check that an image of these sides, in px, can be read.

    Raises:
        BadImage: it has no pixels, or too many.
    """
    if width < 1 or height < 1:
        raise BadImage(f"{name} has no pixels: it is {width:.0f} px wide and {height:.0f} px high.")
    if width * height > MAX_PIXELS:
        million = MAX_PIXELS // 10**6
        raise BadImage(f"{name} has more than {million} million pixels: scale it down or cut it into pages first.")
    if max(width, height) > MAX_SIDE:
        raise BadImage(f"{name} is longer than {MAX_SIDE:,} px: scale it down or cut it into pages first.")


def no_memory(name: str) -> BadImage:
    """What is raised where the machine's memory does not suffice for what is called `name`."""
    return BadImage(f"{name} does not fit into the memory that is left: close something, or scale it down.")


def to_grey(image: Image) -> Image:
    """`(H, W)` `uint8` luminance; a grey image is returned as it is."""
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def squared(image: Image, dpi: tuple[float, float] | None) -> tuple[Image, float | None]:
    """`image` with square pixels, and their number per inch.

    Faxes have half as many lines as columns per inch, or twice as many. What was scanned more coarsely is stretched, so
    that nothing is lost. Sides that differ threefold are a mistake in the file, and not believed.

    Args:
        image: `uint8`.
        dpi: pixels per inch across and down, if that is known; below `LEAST_DPI` only their ratio counts.
    """
    if dpi is None:
        return image, None
    across, down = dpi
    finest = max(dpi)
    known = finest if finest >= LEAST_DPI else None
    if not 1.01 < finest / min(dpi) < _MOST_OBLONG:
        return image, known
    height, width = image.shape[:2]
    size = max(1, round(width * finest / across)), max(1, round(height * finest / down))
    if size[0] * size[1] > MAX_PIXELS or max(size) > MAX_SIDE:
        return image, known
    return cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), known
