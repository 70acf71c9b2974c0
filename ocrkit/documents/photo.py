"""A page photographed at an angle, read as seen from straight above, and what is printed beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field, replace
from functools import partial

import cv2
import numpy as np

from ocrkit.detection import DetectedLine, DetectorOptions, dark_on_light, detect
from ocrkit.document import Image, Line, box_to_quad, quad_to_box
from ocrkit.documents.captions import CaptionOptions, with_captions
from ocrkit.documents.geometry import moved, turning
from ocrkit.documents.page_search import ScanOptions, find_page
from ocrkit.documents.reading import Reading
from ocrkit.documents.scan import rectification, rectify
from ocrkit.options import options_class

Read = Callable[
    [Image], tuple[Reading, int]
]  # what is read in an image, and by how many degrees it was turned for that


@options_class
class PhotoOptions:
    """When a photo is rectified.

    Attributes:
        straight: of a page's longer side: how far its corners lie off an upright rectangle, at most, where it is read
            in the image's own pixels.
        search: how a page is told from what it lies on.
        look_px: px of the image while words beside the page are looked for.
        words_beside: on lines of several, from which on what lies beside the page is read, too.
        as_whole: times as much as on the page and beside it must be read in the image as it stands for that to be
            taken: then the page is a panel on a larger one.
    """

    straight: float = 0.01
    search: ScanOptions = field(default_factory=ScanOptions)
    look_px: int = 1_000_000
    words_beside: int = 5
    as_whole: float = 0.95


def read_photo(image: Image, read: Read, options: PhotoOptions, captions: CaptionOptions) -> tuple[Reading, int]:
    """What is read in an image, and the degrees clockwise it has to be turned by for that to stand upright on it.

    A page photographed at an angle is read as seen from straight above, and its words are taken back to where they
    stand in the photo. Its light is left alone: evening it out helps eyes, and no reader of single words. What is
    printed beside it comes after it, or all is read as it stands: a panel on a page that lies askew looks like a page,
    and so do many things on a picture with a caption.
    """
    corners = find_page(image, options.search) if image.ndim == 3 else None  # grey pictures come from scanners
    if corners is None or _stands_straight(corners, options.straight):
        return read(image)
    page, degrees = _read_rectified(image, corners, read)
    if not _has_words_beside(image, corners, options, captions):
        return page, degrees
    (whole, whole_degrees), (beside, beside_degrees) = read(image), read(_without(image, corners))
    if whole.characters >= options.as_whole * (page.characters + beside.characters):
        return whole, whole_degrees
    back = turning(image.shape, degrees) @ np.linalg.inv(turning(image.shape, beside_degrees))
    return page.with_more(_mapped(beside, back)), degrees


def _read_rectified(image: Image, corners: np.ndarray, read: Read) -> tuple[Reading, int]:
    """The page inside the corners, its words where they stand in the photo."""
    reading, degrees = read(rectify(image, corners))
    to_page, (width, height) = rectification(corners, image.shape)
    back = turning(image.shape, degrees) @ np.linalg.inv(turning((height, width), degrees) @ to_page)
    return _mapped(reading, back), degrees


def _has_words_beside(image: Image, corners: np.ndarray, options: PhotoOptions, captions: CaptionOptions) -> bool:
    """Whether lines of words seem to stand beside the page, or a caption anywhere: a picture's has no page."""
    find, page = partial(detect, options=DetectorOptions(max_pixels=options.look_px)), corners.astype(np.float32)

    def beside(lines: Sequence[DetectedLine]) -> int:
        middles = ((line.boxes[:, :2] + line.boxes[:, 2:]) / 2 for line in lines if not line.aside)
        return sum(cv2.pointPolygonTest(page, (float(x), float(y)), False) < 0 for line in middles for x, y in line)

    lines = find(image)
    if beside([line for line in lines if len(line.boxes) > 1]) >= options.words_beside:
        return True
    return with_captions(dark_on_light(image), lines, find, captions)[1] is not lines


def _without(image: Image, corners: np.ndarray) -> Image:
    """The image with the page inside the corners painted over in the usual colour of what lies beside it."""
    page = np.zeros(image.shape[:2], np.uint8)
    cv2.fillConvexPoly(page, np.round(corners).astype(np.int32), 255)
    beside = image.copy()
    beside[page > 0] = np.median(image[::4, ::4][page[::4, ::4] == 0], axis=0)
    return beside


def _mapped(reading: Reading, homography: np.ndarray) -> Reading:
    """The reading with its words where `homography` `(3, 3)` takes them."""

    def there(lines: Sequence[Line]) -> tuple[Line, ...]:
        return moved(lines, lambda points: cv2.perspectiveTransform(points[None], homography)[0])

    return replace(reading, level=there(reading.level), aside=there(reading.aside))


def _stands_straight(corners: np.ndarray, straight: float) -> bool:
    """Whether a page with these corners `(4, 2)` is upright and seen from straight above, as on a scanner."""
    return float(np.abs(corners - box_to_quad(quad_to_box(corners))).max()) < straight * float(np.ptp(corners, 0).max())
