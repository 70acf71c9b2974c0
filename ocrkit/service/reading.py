"""The reader that stands behind the walls: ours, on one thread, with everything loaded that any document may need."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pikepdf
import PIL.Image

from ocrkit.document import Image, Page
from ocrkit.documents.options import ReadOptions
from ocrkit.documents.reader import Reader
from ocrkit.errors import BadImage, OcrkitError
from ocrkit.formats.graft import graft_bytes
from ocrkit.images import count_pages
from ocrkit.images.pdf import is_pdf
from ocrkit.recognition import load_recognizer
from ocrkit.service.heic import decode_without_threads
from ocrkit.service.kinds import START, kind_of

Read = Callable[[bytes, bool, int | None], Iterator[Page]]  # document, whether doubtful words are kept, most pages
QUALITY = 88  # of the JPEGs of pages that are none

_FORMATS = ("PNG", "JPEG", "TIFF", "GIF", "BMP", "PPM", "WEBP", "JPEG2000", "AVIF", "HEIF")
_LINES = ("Invoice 2041 of 12 May", "Two boxes of paper, A4", "Total $ 19.90 incl. VAT", "Thank you very much!")
_PLAIN_PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</F 5 0 R/G 6 0 R>>>>>>endobj
4 0 obj<</Length 82>>stream
BT /F 14 Tf 20 150 Td (Total 19.90 EUR) Tj /G 14 Tf 0 -40 Td (A second line here) Tj ET
endstream endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
6 0 obj<</Type/Font/Subtype/TrueType/BaseFont/Verdana>>endobj
trailer<</Root 1 0 R>>
%%EOF"""


def make(model: str) -> Read:
    """A reader with the model in the folder `model`, warm: it has read one document of every kind.

    Raises:
        BadModel: it is missing or damaged.
    """
    cv2.setNumThreads(1)
    knows_heic = _one_thread_each()
    recognizer = load_recognizer(model, threads=1)
    readers = [Reader(options=ReadOptions(keep_doubtful=kept), recognizer=recognizer) for kept in (False, True)]

    def read(document: bytes, keep_doubtful: bool, most: int | None) -> Iterator[Page]:
        if not knows_heic and _is_heic(document):
            raise BadImage("HEIC photos cannot be decoded without threads on this system: save it as JPEG.")
        return islice(readers[keep_doubtful].pages(document), most)

    warm_up(read)
    return read


def picture_of(page: Page) -> bytes | None:
    """The page as a JPEG: the one that it is, or a new one of its pixels; `None` for a page that has none."""
    if page.original is not None and page.rotation == 0:
        return page.original
    if page.image is None:
        return None
    pixels = page.image if page.image.ndim == 2 else cv2.cvtColor(page.image, cv2.COLOR_RGB2BGR)
    longest = max(pixels.shape[:2])
    if longest > 65_000:  # a JPEG has no longer side
        scale = 65_000 / longest
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def searchable(document: bytes, pages: Iterable[Page]) -> bytes | None:
    """A PDF with all its pages, and invisible text under those of `pages` that have none; `None` for a picture.

    Returns:
        The very bytes of `document` where nothing was to be added.

    Raises:
        OcrkitError: it must not be changed, or cannot be taken apart.
    """
    if not is_pdf(document[:START]):
        return None
    try:
        return graft_bytes(pages, document)
    except OcrkitError:
        raise
    except Exception:  # of qpdf's, PDFium's and ours, on whatever a file may hold: its pages are read all the same
        raise OcrkitError("The PDF is damaged: it cannot be taken apart.") from None


def warm_up(read: Read) -> None:
    """Read one of everything, since behind the walls nothing can be imported or opened any more."""
    for number, document in enumerate(samples()):
        with suppress(OcrkitError):
            pages = []
            for page in read(document, number % 2 == 0, 10):
                page.to_dict()
                picture_of(page)
                pages.append(page)
            count_pages(document)
            searchable(document, pages)


def _one_thread_each() -> bool:
    """Load every format of pictures, and let none be decoded by threads, which no jail can start; whether none is."""
    PIL.Image.init()
    with suppress(ImportError):
        from PIL import AvifImagePlugin

        AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    with suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
        return decode_without_threads()
    return True  # where HEIC is not installed, whoever opens the photo says so


def _is_heic(document: bytes) -> bool:
    with suppress(BadImage):
        return kind_of(document[:1024]) == "heic"
    return False


def samples() -> Iterator[bytes]:
    """Small documents of every kind, whole and damaged."""
    page = _page()
    small = page[:40, :160]
    for form in _FORMATS:
        stored = io.BytesIO()
        with suppress(KeyError, OSError):  # a form that this Pillow does not write
            PIL.Image.fromarray(small).save(stored, form)
            yield stored.getvalue()
            yield stored.getvalue()[: len(stored.getvalue()) // 2]
    bilevel, several = PIL.Image.fromarray(small).convert("1"), io.BytesIO()
    bilevel.save(several, "TIFF", compression="group4", save_all=True, append_images=[bilevel])
    yield several.getvalue()
    blurred = cv2.GaussianBlur(page, (0, 0), 2.5)  # so that words are looked at a second time
    for picture in (_photo(page), _curled(page), np.rot90(page), blurred, blurred):
        yield _png(np.ascontiguousarray(picture))
    scan = io.BytesIO()
    PIL.Image.fromarray(page).convert("RGB").save(scan, "PDF", resolution=150)
    locked = io.BytesIO()
    with pikepdf.open(io.BytesIO(_PLAIN_PDF)) as pdf:
        pdf.save(locked, encryption=pikepdf.Encryption(owner="nobody's"))
    yield from (scan.getvalue(), _PLAIN_PDF, locked.getvalue(), _PLAIN_PDF[:200], b"", b"neither", b"%PDF-1.4 damaged")


def _page() -> Image:
    page = np.full((500, 520, 3), 255, np.uint8)
    for row in range(8):
        place, size = (30, 60 + 52 * row), 0.8 if row % 5 else 1.0
        cv2.putText(page, _LINES[row % len(_LINES)], place, cv2.FONT_HERSHEY_SIMPLEX, size, (20, 20, 20), 2)
    return page


def _photo(page: Image) -> Image:
    height, width = page.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    seen = np.array([[80, 60], [590, 90], [570, 600], [60, 570]], np.float32)
    desk = np.full((660, 660, 3), 60, np.uint8)
    shown = cv2.warpPerspective(page, cv2.getPerspectiveTransform(corners, seen), (660, 660))
    inside = cv2.fillConvexPoly(np.zeros((660, 660), np.uint8), seen.astype(np.int32), 1)
    return np.where(inside[..., None] > 0, shown, desk)


def _curled(page: Image) -> Image:
    height, width = page.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(page, x, y + 12 * np.sin(x / width * np.pi), cv2.INTER_LINEAR, borderValue=(255, 255, 255))


def _png(image: Image) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def model_folder(name: str | Path | None) -> str:
    """The absolute folder of a model, for a process that may stand elsewhere."""
    from ocrkit.recognition.model import find_model

    return str(find_model(name).resolve())
