"""A page photographed at an angle, read as seen from straight above."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field, replace

import cv2
import numpy as np

from ocrkit.document import Image, Line, box_to_quad, quad_to_box
from ocrkit.documents.geometry import moved, turning
from ocrkit.documents.page_search import ScanOptions, find_page
from ocrkit.documents.reading import Reading
from ocrkit.documents.scan import rectification, rectify
from ocrkit.options import options_class


@options_class
class PhotoOptions:
    """When a photo is rectified.

    Attributes:
        straight: of a page's longer side: how far its corners lie off an upright rectangle, at most, where it is read
            in the image's own pixels.
        search: how a page is told from what it lies on.
    """

    straight: float = 0.01
    search: ScanOptions = field(default_factory=ScanOptions)


def read_photo(
    image: Image, read: Callable[[Image], tuple[Reading, int]], options: PhotoOptions
) -> tuple[Reading, int]:
    """What is read in an image, and the degrees clockwise it has to be turned by for that to stand upright on it.

    A page photographed at an angle is read as seen from straight above, and its words are taken back to where they
    stand in the photo. Its light is left alone: evening it out helps eyes, and no reader of single words.
    """
    corners = find_page(image, options.search) if image.ndim == 3 else None  # grey pictures come from scanners
    if corners is None or _stands_straight(corners, options.straight):
        return read(image)
    reading, turned = read(rectify(image, corners))
    to_page, (width, height) = rectification(corners, image.shape)
    back = turning(image.shape, turned) @ np.linalg.inv(turning((height, width), turned) @ to_page)

    def in_photo(lines: Sequence[Line]) -> tuple[Line, ...]:
        return moved(lines, lambda points: cv2.perspectiveTransform(points[None], back)[0])

    return replace(reading, level=in_photo(reading.level), aside=in_photo(reading.aside)), turned


def _stands_straight(corners: np.ndarray, straight: float) -> bool:
    """Whether a page with these corners `(4, 2)` is upright and seen from straight above, as on a scanner."""
    return float(np.abs(corners - box_to_quad(quad_to_box(corners))).max()) < straight * float(np.ptp(corners, 0).max())
