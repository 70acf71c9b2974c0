"""Pages of image files, as Pillow decodes them."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, BinaryIO

import numpy as np
import PIL.Image

from ocrkit.document import Image
from ocrkit.errors import BadImage, MissingExtra
from ocrkit.images.arrays import LYING, ROTATIONS, UPRIGHT, array_to_image
from ocrkit.images.page import PageImage, check_size, no_memory, page_name, squared
from ocrkit.images.stored import original_of

_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "JPEG2000", "AVIF")
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_CONTAINER_BOXES = (b"ftyp", b"meta", b"mdat", b"free")  # of HEIC and AVIF; after them phones put what they like
_CUT_OFF = "is cut off: the file ends before its picture does"
_ORIENTATION = 0x0112  # the EXIF tag
_SUBFILE, _OLD_SUBFILE = 254, 255  # TIFF tags that say what a picture is to the others
_REDUCED, _MASK = 1, 4  # bits of the former; the latter says 2 for a reduced picture
_MOST_FRAMES = 100_000  # of a TIFF; a chain of more goes round in circles


@dataclass(frozen=True)
class AsStored:
    """That pixels are wanted as a file stores them, at most turned upright, and not made square."""

    upright: bool


def picture_pages(file: BinaryIO, name: str, stored: AsStored | None = None) -> Iterator[PageImage]:
    """The pages of an image file."""
    with _open(file, name) as picture:
        if picture.format == "TIFF":
            yield from _tiff_pages(picture, file, name, stored)
            return
        page = _decode(picture, name, 1, stored)
        # A mirrored photo cannot be put upright by turning its bytes' picture.
        if _orientation(picture) in (1, *ROTATIONS):
            page = replace(page, original=original_of(picture, file))
    del picture  # with its own copy of the pixels, which would stay for as long as the page is read
    yield page


def picture_sizes(file: BinaryIO, name: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Width and height of an image file's first picture as stored and as shown."""
    with _open(file, name) as picture:
        told, turned = picture.size, _swapped(picture)
        # Pillow gives a TIFF the sides that it will have once turned.
        return (turned, told) if picture.format == "TIFF" else (told, turned)


def count_picture_pages(file: BinaryIO, name: str) -> int:
    """How many pages an image file has; what follows a break in a TIFF's chain of them counts as one."""
    with _open(file, name) as picture:
        if picture.format != "TIFF":
            return 1
        frames, broken = _frames_that_are_pages(picture)
        return len(frames) + broken


def opened_picture_page(picture: PIL.Image.Image) -> PageImage:
    """The current picture of an image that Pillow has opened, as the one page that there is."""
    path = getattr(picture, "filename", "")
    # Pillow maps an uncompressed TIFF opened by its path with the sides that it has once turned, which scrambles its
    # lines (11.0 to 13.0). Read from an open file it is right; what was loaded before it came here cannot be mended.
    if path and picture.format == "TIFF" and _orientation(picture) != 1 and not _is_loaded(picture):
        with suppress(OSError), open(path, "rb") as file, _open(file, str(path)) as again:
            again.seek(picture.tell())
            return _decode(again, "The image", 1)
    return _decode(picture, "The image", 1)


def _open(file: BinaryIO, name: str) -> PIL.Image.Image:
    start = file.read(12)
    file.seek(0)
    if start[4:8] == b"ftyp":
        if start[8:12] in HEIC_BRANDS:
            _learn_heic(name)
        if _ends_within_a_box(file):
            raise BadImage(f"{name} {_CUT_OFF}.")
    try:
        with _quiet():
            return PIL.Image.open(file, formats=(*_FORMATS, *({"HEIF"} & PIL.Image.OPEN.keys())))
    except PIL.Image.DecompressionBombError:
        check_size(float("inf"), float("inf"), name)
        raise
    except MemoryError:
        raise no_memory(name) from None
    except Exception:  # decoders meet bytes of any kind and raise anything
        raise BadImage(f"{name} is neither an image in a known format nor a PDF.") from None


def _ends_within_a_box(file: BinaryIO) -> bool:
    """Whether a HEIC or AVIF file (ISO/IEC 14496-12) is shorter than it says.

    A picture of many tiles is decoded without its last ones, and without a word (libheif 1.23.6).
    """
    end, begin = file.seek(0, os.SEEK_END), 0
    try:
        while begin < end:
            file.seek(begin)
            head = file.read(16)
            size = int.from_bytes(head[:4], "big")
            if head[4:8] not in _CONTAINER_BOXES or size == 0:  # 0: to the end of the file
                return False
            begin += max(int.from_bytes(head[8:], "big"), 16) if size == 1 else max(size, 8)  # past its head
        return begin > end
    finally:
        file.seek(0)


def _learn_heic(name: str) -> None:
    """Teach Pillow the form of iPhone photos."""
    if not find_spec("pillow_heif"):
        raise MissingExtra(f"{name} is a HEIC photo: pip install 'ocrkit[heic]' to read it, or save it as JPEG.")
    import pillow_heif

    pillow_heif.register_heif_opener()


def _tiff_pages(picture: PIL.Image.Image, file: BinaryIO, name: str, stored: AsStored | None) -> Iterator[PageImage]:
    """The pictures that are pages: smaller copies of others, such as thumbnails and pyramids, and masks are none."""
    frames, broken = _frames_that_are_pages(picture)
    for number, frame in enumerate(frames, 1):
        try:
            with _quiet():
                picture.seek(frame)
            mirrored = _orientation(picture) not in (1, *ROTATIONS)
            page = _decode(picture, name if len(frames) == 1 else page_name(number, name), number, stored)
            yield page if mirrored else replace(page, original=original_of(picture, file))
        except BadImage as error:
            if len(frames) == 1 and not broken:
                raise
            yield PageImage(number, error=str(error))
    if broken:
        number = len(frames) + 1
        what = page_name(number, name)
        yield PageImage(number, error=f"{what} and what follows it cannot be found: damaged file.")


def _frames_that_are_pages(picture: PIL.Image.Image) -> tuple[list[int], bool]:
    """The numbers of frames that are pages of their own, and whether the chain of frames breaks off."""
    pages, frame, broken = [], 0, False
    while frame < _MOST_FRAMES:
        try:
            with _quiet():
                picture.seek(frame)
        except EOFError:
            break
        except Exception:  # the chain of pages is broken: what follows cannot be found
            broken = True
            break
        if not _is_aside(picture):
            pages.append(frame)
        frame += 1
    return pages or [0], broken  # where all are copies of something, the first is the best there is


def _is_aside(picture: PIL.Image.Image) -> bool:
    tags = getattr(picture, "tag_v2", {})
    kind = tags.get(_SUBFILE, 0)
    return (isinstance(kind, int) and bool(kind & (_REDUCED | _MASK))) or tags.get(_OLD_SUBFILE) == 2


def _decode(picture: PIL.Image.Image, name: str, number: int, stored: AsStored | None = None) -> PageImage:
    """The current frame of an opened picture as `uint8`, upright and with square pixels unless wanted as stored."""
    check_size(*picture.size, name)
    orientation, dpi = _orientation(picture), _resolution(picture)
    upright, lying = UPRIGHT.get(orientation, (_as_it_is, _as_it_is))
    try:
        with _quiet(picture.format == "TIFF"):
            picture.load()
            image = _picture_to_array(picture)
            # Pillow's TIFF reader has turned the pixels and dropped the tag by now; the others have not.
            turned = orientation != 1 and _orientation(picture) == 1
            if stored and not stored.upright:
                image = lying(image) if turned else image
            elif not turned:
                image = upright(image)
    except MemoryError:
        raise no_memory(name) from None
    except BadImage:
        raise
    except Exception as error:
        cut = "truncated" in str(error) or isinstance(error, EOFError)
        why = _CUT_OFF if cut else "is damaged and cannot be decoded"
        raise BadImage(f"{name} {why}.") from None
    image = np.ascontiguousarray(image)
    if stored:
        return PageImage(number, image)
    image, finest = squared(image, dpi[::-1] if dpi and orientation in LYING else dpi)
    return PageImage(number, image, rotation=ROTATIONS.get(orientation, 0), dpi=finest)


def _as_it_is(image: Image) -> Image:
    return image


def _picture_to_array(picture: PIL.Image.Image) -> Image:
    if picture.mode.startswith(("I", "F")):
        return array_to_image(np.array(picture))
    if "A" in picture.getbands() or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        paper = PIL.Image.new("RGBA", picture.size, "white")
        picture = PIL.Image.alpha_composite(paper, picture).convert("RGB")
    mode = "L" if picture.mode in ("1", "L") else "RGB"
    return np.array(picture if picture.mode == mode else picture.convert(mode))


def _is_loaded(picture: PIL.Image.Image) -> bool:
    return not getattr(picture, "tile", None)  # what is still to be decoded


def _orientation(picture: PIL.Image.Image) -> int:
    try:
        with _quiet():
            orientation = int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged EXIF says nothing
        return 1
    return orientation if orientation in UPRIGHT else 1


def _swapped(picture: PIL.Image.Image) -> tuple[int, int]:
    width, height = picture.size
    return (height, width) if _orientation(picture) in LYING else (width, height)


def _resolution(picture: PIL.Image.Image) -> tuple[float, float] | None:
    """Pixels per inch across and down the stored picture; `None` where the file says nothing that makes sense.

    Some files tell only how many pixels across stand for how many down; that is given as less than `LEAST_DPI`.
    """
    told = picture.info
    # Of a TIFF, a PNG and a JPEG without a unit; Pillow fills in 1 where a TIFF tells nothing.
    without_unit = (told.get("resolution"), told.get("aspect"), told.get("jfif_density"))
    for value in filter(None, (told.get("dpi"), *without_unit)):
        try:
            across, down = (float(side) for side in value)
        except (TypeError, ValueError, ZeroDivisionError, OverflowError):
            continue
        if min(across, down) > 0 and max(across, down) < 1e6:
            known = value is told.get("dpi")
            return (across, down) if known else (across / max(across, down), down / max(across, down))
    return None


_SILENCE = threading.Lock()


@contextmanager
def _quiet(libraries: bool = False) -> Iterator[Any]:
    """Pillow's warnings about damaged metadata and large images; we decide on both ourselves.

    Args:
        libraries: what libtiff writes to standard error, too; nothing in Python could catch that.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not libraries:
            yield
            return
        with _SILENCE:
            try:
                kept = os.dup(2)
            except OSError:  # there is no standard error
                yield
                return
            nowhere = os.open(os.devnull, os.O_WRONLY)
            try:
                os.dup2(nowhere, 2)
                yield
            finally:
                os.dup2(kept, 2)
                os.close(kept)
                os.close(nowhere)
