"""From anything people have (photos, scans, PDFs, arrays) to upright pixels, page by page."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import cv2
import numpy as np
import PIL.Image
import PIL.ImageOps

from ocrkit.document import Image
from ocrkit.errors import BadImage, MissingExtra

if TYPE_CHECKING:
    import pypdfium2

Source = str | Path | bytes | bytearray | PIL.Image.Image | np.ndarray

MAX_PIXELS = 120_000_000  # a page of this size takes 360 MB as RGB; larger ones are refused before they are decoded
PDF_DPI = 200  # print of 10 points is then 28 px high
PDF_MAX_SIDE_PX = 4000  # posters and plans are rendered smaller

_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "JPEG2000", "AVIF")
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_EXIF_ORIENTATION = 0x0112
_TURNS = {3: 180, 6: 90, 8: 270}  # EXIF orientation -> degrees clockwise to upright; the mirrored ones are not turns
_FULL_SCALES = (255, 4095, 65535)  # of 8-, 12- and 16-bit samples


@dataclass(frozen=True, eq=False)
class PageImage:
    """The pixels of one page, or why there are none.

    Attributes:
        number: 1 for the first page.
        image: upright, `uint8` grey or RGB; `None` for a page that cannot be decoded.
        original: the file's bytes where the file is a JPEG of just this page.
        rotation: degrees clockwise by which the stored pixels were turned.
        dpi: pixels per inch as the file says, if it says.
        error: why there is no image.
    """

    number: int
    image: Image | None = None
    original: bytes | None = None
    rotation: int = 0
    dpi: float | None = None
    error: str | None = None


def load_image(source: Source) -> Image:
    """The first page of `source`, upright, `uint8` `(H, W)` or `(H, W, 3)` RGB; transparent parts become white.

    Raises:
        BadImage: nothing there, not an image, damaged, or of more than `MAX_PIXELS`.
    """
    page = next(iter_pages(source))
    if page.image is None:
        raise BadImage(page.error)
    return page.image


def iter_pages(source: Source) -> Iterator[PageImage]:
    """The pages of a file, bytes, Pillow image or array, one in memory at a time.

    A TIFF and a PDF may have many pages; of an animation only the first picture counts. In a file of several pages
    one that cannot be decoded is yielded with its `error`, and the others follow.

    Raises:
        BadImage: nothing there, not an image, too large, or the only page cannot be decoded.
        MissingExtra: a HEIC photo, and the package that reads it is not installed.
    """
    if isinstance(source, np.ndarray):
        yield PageImage(1, _array_to_image(source))
    elif isinstance(source, PIL.Image.Image):
        yield _decode(source, "The image", 1)
    elif isinstance(source, str | Path | bytes | bytearray):
        name = source_name(source)
        with _opened(source, name) as file:
            start = file.read(1024)
            file.seek(0)
            if not start:
                raise BadImage(f"{name} is empty.")
            if start[4:8] == b"ftyp" and start[8:12] in _HEIC_BRANDS:
                _learn_heic(name)
            yield from _pdf_pages(file, name) if b"%PDF-" in start else _picture_pages(file, name)
    else:
        kind = type(source).__name__
        raise BadImage(f"A document is a path, bytes, a Pillow image or an array, and not of type {kind}.")


def source_name(source: Source) -> str:
    """What to call `source` in messages: the path as given, or what kind of thing it is."""
    if isinstance(source, str | Path):
        return str(source)
    return "The data" if isinstance(source, bytes | bytearray) else "The image"


def to_grey(image: Image) -> Image:
    """`(H, W)` `uint8` luminance; a grey image is returned as it is."""
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def _learn_heic(name: str) -> None:
    """Teach Pillow the form of iPhone photos."""
    if not find_spec("pillow_heif"):
        raise MissingExtra(f"{name} is a HEIC photo: pip install 'ocrkit[heic]' to read it, or save it as JPEG.")
    import pillow_heif

    pillow_heif.register_heif_opener()


@contextmanager
def _opened(source: str | Path | bytes | bytearray, name: str) -> Iterator[BinaryIO]:
    if isinstance(source, bytes | bytearray):
        yield io.BytesIO(source)
        return
    path = Path(source)
    if not path.exists():
        raise BadImage(f"There is no file {name}.")
    if not path.is_file():
        raise BadImage(f"{name} is a folder, not a file." if path.is_dir() else f"{name} is not a regular file.")
    try:
        file = path.open("rb")
    except OSError as error:
        raise BadImage(f"{name} cannot be opened: {error.strerror}.") from None
    with file:
        yield file


def _picture_pages(file: BinaryIO, name: str) -> Iterator[PageImage]:
    try:
        with _quiet():
            picture = PIL.Image.open(file, formats=(*_FORMATS, *({"HEIF"} & PIL.Image.OPEN.keys())))
    except PIL.Image.DecompressionBombError:
        raise BadImage(_too_large(name)) from None
    except Exception:  # decoders meet bytes of any kind and raise anything
        raise BadImage(f"{name} is neither an image in a known format nor a PDF.") from None
    with picture:
        if picture.format == "TIFF":
            yield from _tiff_pages(picture, name)
            return
        page = _decode(picture, name, 1)
        # A mirrored photo cannot be put upright by turning its bytes' picture.
        if picture.format in ("JPEG", "MPO") and _orientation(picture) not in (2, 4, 5, 7):
            file.seek(0)
            page = replace(page, original=file.read())
    yield page  # with the decoder's own copy of the pixels already let go


def _tiff_pages(picture: PIL.Image.Image, name: str) -> Iterator[PageImage]:
    number = 0
    while True:
        number += 1
        try:
            with _quiet():
                picture.seek(number - 1)
        except EOFError:
            return
        except Exception:  # the chain of pages is broken: what follows cannot be found
            yield PageImage(number, error=f"Page {number} of {name} and what follows it cannot be found: damaged file.")
            return
        try:
            yield _decode(picture, name if number == 1 else f"Page {number} of {name}", number)
        except BadImage as error:
            if number == 1 and not _has_more(picture):
                raise
            yield PageImage(number, error=str(error))


def _has_more(picture: PIL.Image.Image) -> bool:
    try:
        with _quiet():
            return getattr(picture, "n_frames", 1) > 1
    except Exception:
        return False


def _pdf_pages(file: BinaryIO, name: str) -> Iterator[PageImage]:
    import pypdfium2

    with ExitStack() as stack:
        try:
            pdf = stack.enter_context(pypdfium2.PdfDocument(file))
        except pypdfium2.PdfiumError as error:
            locked = "password" in str(error).lower()
            why = "is locked with a password" if locked else "is damaged: no PDF reader could open it"
            raise BadImage(f"{name} {why}.") from None
        if not len(pdf):
            raise BadImage(f"{name} has no pages.")
        for index in range(len(pdf)):
            try:
                yield _render(pdf, index)
            except (pypdfium2.PdfiumError, BadImage, ValueError, MemoryError):
                message = f"Page {index + 1} of {name} is damaged and cannot be rendered."
                if len(pdf) == 1:
                    raise BadImage(message) from None
                yield PageImage(index + 1, error=message)


def _render(pdf: pypdfium2.PdfDocument, index: int) -> PageImage:
    page = pdf[index]
    try:
        scale = min(PDF_DPI / 72, PDF_MAX_SIDE_PX / max(*page.get_size(), 1.0))
        image = page.render(scale=scale, rev_byteorder=True).to_numpy()
        image = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image[..., :3]
        return PageImage(index + 1, np.ascontiguousarray(image), dpi=scale * 72)
    finally:
        page.close()


def _decode(picture: PIL.Image.Image, name: str, number: int) -> PageImage:
    """The current frame of an opened picture, upright, as `uint8`."""
    if picture.width * picture.height > MAX_PIXELS:
        raise BadImage(_too_large(name))
    orientation, dpi = _orientation(picture), _dpi(picture)
    try:
        with _quiet():
            picture.load()
            # Pillow's TIFF reader has turned the pixels and dropped the tag by now; the others have not.
            if _orientation(picture) != 1:
                picture = PIL.ImageOps.exif_transpose(picture)
            image = _picture_to_array(picture)
    except Exception as error:
        cut = "truncated" in str(error) or isinstance(error, EOFError)
        why = "is cut off: the file ends before its picture does" if cut else "is damaged and cannot be decoded"
        raise BadImage(f"{name} {why}.") from None
    return PageImage(number, image, rotation=_TURNS.get(orientation, 0), dpi=dpi)


def _picture_to_array(picture: PIL.Image.Image) -> Image:
    if picture.mode.startswith(("I", "F")):
        return _array_to_image(np.array(picture))
    if "A" in picture.getbands() or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        paper = PIL.Image.new("RGBA", picture.size, "white")
        picture = PIL.Image.alpha_composite(paper, picture).convert("RGB")
    mode = "L" if picture.mode in ("1", "L") else "RGB"
    return np.array(picture if picture.mode == mode else picture.convert(mode))


def _array_to_image(array: np.ndarray) -> Image:
    """`uint8` `(H, W)` or `(H, W, 3)` of an array of booleans, integers or floats (0 to 1), alpha laid on white."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or not array.size or channels not in (1, 3, 4) or array.dtype.kind not in "buif":
        raise BadImage(
            f"An array of shape {array.shape} and type {array.dtype} is not an image: (H, W), (H, W, 3) or (H, W, 4)."
        )
    if array.shape[0] * array.shape[1] > MAX_PIXELS:
        raise BadImage(_too_large("The array"))
    if array.dtype != np.uint8:
        values = np.nan_to_num(array.astype(np.float32))
        top = float(values.max())
        full = 1.0 if array.dtype.kind in "bf" and top <= 1 else next((s for s in _FULL_SCALES if top <= s), top)
        array = np.clip(values * (255 / full) + 0.5, 0, 255).astype(np.uint8)
    if channels == 4:
        alpha = array[..., 3:].astype(np.float32) / 255
        array = (array[..., :3] * alpha + 255 * (1 - alpha) + 0.5).astype(np.uint8)
    return np.ascontiguousarray(array)


def _orientation(picture: PIL.Image.Image) -> int:
    try:
        with _quiet():
            return int(picture.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:  # damaged EXIF says nothing
        return 1


def _dpi(picture: PIL.Image.Image) -> float | None:
    try:
        return max(float(d) for d in picture.info["dpi"]) or None
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


def _too_large(name: str) -> str:
    return f"{name} has more than {MAX_PIXELS // 10**6} million pixels: scale it down or cut it into pages first."


@contextmanager
def _quiet() -> Iterator[Any]:
    """Pillow's warnings about damaged metadata and large images; we decide on both ourselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
