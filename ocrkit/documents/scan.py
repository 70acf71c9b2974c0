"""From a phone photo to a flat page: find the page, look at it from straight above, undo its curl, even the light."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ocrkit.detection import DetectorOptions, detect
from ocrkit.document import Document, Image, Page
from ocrkit.documents.dewarp import Bend, dewarp
from ocrkit.documents.page_search import ScanOptions, find_page
from ocrkit.errors import BadImage, BadQuad, OcrkitError
from ocrkit.files import write_whole
from ocrkit.images import Source, iter_pages, source_name

_COARSE = DetectorOptions(max_pixels=1_000_000)  # to see how lines run, not to read them


@dataclass(frozen=True, eq=False)
class ScannedPage:
    """A page as a flatbed scanner would have seen it.

    Attributes:
        image: the page, upright as far as the photo's EXIF says, `uint8` grey or RGB.
        quad: the page's corners `(4, 2)`, clockwise from its top-left, in px of the photo as stored (EXIF not
            applied); `None` where no page edges were found and the whole image was kept.
        rotation: degrees clockwise by which the stored photo was turned.
        bend: how the page inside the corners was curled; `None` where it lay flat, or its lines do not tell.
    """

    image: Image
    quad: np.ndarray | None
    rotation: int
    bend: Bend | None = None

    def save(self, path: str | Path) -> Path:
        """Write a .pdf, or an image of the kind the suffix says; returns the path.

        Raises:
            OcrkitError: the suffix names no image format, or the file cannot be written.
        """
        path = Path(path)
        if path.suffix.lower() == ".pdf":
            height, width = self.image.shape[:2]
            return Document((Page(1, width, height, image=self.image),), source=path.stem).save_pdf(path)
        try:
            bgr = self.image if self.image.ndim == 2 else cv2.cvtColor(self.image, cv2.COLOR_RGB2BGR)
            _, data = cv2.imencode(path.suffix or ".none", bgr)
        except cv2.error:
            raise OcrkitError(f"{path} names no kind of image: end it in .png, .jpg or .pdf.") from None
        return write_whole(path, data.tobytes())


def scan(source: Source, options: ScanOptions | None = None) -> ScannedPage:
    """The page in a photo, rectified, its lines straightened where they curl, and evenly lit.

    An image that is a page from edge to edge is not rectified.

    Raises:
        BadImage: the source cannot be read as an image.
    """
    photo = next(iter_pages(source))
    if photo.image is None:
        raise BadImage(photo.error or f"{source_name(source)} has no image.")
    quad = find_page(photo.image, options or ScanOptions())
    page = photo.image if quad is None else rectify(photo.image, quad)
    stored = None if quad is None else _as_stored(quad, photo.rotation, photo.image.shape)
    flat, _, bend = dewarp(page, lambda image: detect(image, _COARSE))
    return ScannedPage(even_light(flat), stored, photo.rotation, bend)


def rectify(photo: Image, corners: np.ndarray) -> Image:
    """The page inside `corners`, seen from straight above.

    Args:
        photo: `uint8`, `(H, W)` or `(H, W, 3)` RGB.
        corners: `(4, 2)` px, clockwise from the page's own top-left.

    Returns:
        `uint8` image whose pixel count equals the area of the quadrilateral, so that no detail is lost or invented.

    Raises:
        BadQuad: corners cross, lie on one line or span less than 16 px.
    """
    matrix, size = rectification(corners, photo.shape)
    # OpenCV's warps count from the middles of pixels, half a px beside their edges.
    middles = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    centred = np.linalg.inv(middles) @ matrix @ middles
    return cv2.warpPerspective(photo, centred, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def rectification(corners: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, tuple[int, int]]:
    """What takes points of a photo of `shape` to those of the page in it: a homography `(3, 3)`, and width and height.

    Its inverse takes what was read on the page back to the photo. Raises as `rectify`. Aspect ratio from the vanishing
    points, as in Zhang & He, "Whiteboard scanning and image enhancement" (2007).
    """
    corners = np.asarray(corners, np.float32).reshape(-1, 2)
    if corners.shape != (4, 2) or not cv2.isContourConvex(corners) or cv2.contourArea(corners) < 256:
        raise BadQuad("The four corners do not go around a page: they cross, lie on a line or are too close together.")
    height, width = shape[:2]
    ratio = aspect_ratio(corners, (width / 2, height / 2))
    area = float(cv2.contourArea(corners))
    size = max(1, round((area * ratio) ** 0.5)), max(1, round((area / ratio) ** 0.5))
    target = np.array([[0, 0], [size[0], 0], size, [0, size[1]]], np.float32)
    return cv2.getPerspectiveTransform(corners, target), size


def aspect_ratio(corners: np.ndarray, centre: tuple[float, float]) -> float:
    """Width over height of the rectangle seen at `corners` `(4, 2)` by a camera looking at `centre`.

    Where perspective is too weak to give the focal length, the ratio of the mean sides.
    Equations 11 and 20 of Zhang & He, "Whiteboard scanning and image enhancement" (2007).
    """
    quad = np.asarray(corners, float)
    sides = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    plain = float((sides[0] + sides[2]) / (sides[1] + sides[3]))
    span = float(np.ptp(quad, axis=0).max())
    m1, m2, m4, m3 = np.column_stack([(quad - centre) / span, np.ones(4)])
    k2 = np.cross(m1, m4) @ m3 / (np.cross(m2, m4) @ m3)
    k3 = np.cross(m1, m4) @ m2 / (np.cross(m3, m4) @ m2)
    n2, n3 = k2 * m2 - m1, k3 * m3 - m1
    if abs(n2[2] * n3[2]) < 1e-4:
        return plain
    focal_squared = -(n2[:2] @ n3[:2]) / (n2[2] * n3[2])
    if not 0.25 < focal_squared < 25:
        return plain
    lengths = [np.sqrt(n[:2] @ n[:2] / focal_squared + n[2] ** 2) for n in (n2, n3)]
    return float(lengths[0] / lengths[1])


def even_light(page: Image, white: float = 245.0, max_gain: float = 2.5) -> Image:
    """The page with its paper brought to `white` everywhere, `uint8` of the same shape.

    The paper's brightness is taken from the page at low resolution, with what is printed on it painted over. All
    channels get the same gain, which keeps hue and saturation.
    """
    scale = min(1.0, 200 / max(page.shape[:2]))
    width, height = (max(1, round(scale * side)) for side in page.shape[1::-1])
    small = cv2.resize(page, (width, height), interpolation=cv2.INTER_AREA)
    value = small if small.ndim == 2 else small.max(axis=2)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (15, 15))
    paper = cv2.GaussianBlur(cv2.morphologyEx(value, cv2.MORPH_CLOSE, kernel), (0, 0), 6).astype(np.float32)
    low = np.clip(white / np.maximum(paper, 1), 1, max_gain)
    gain = cv2.resize(low, (page.shape[1], page.shape[0]), interpolation=cv2.INTER_LINEAR)
    if page.ndim == 2:
        return cv2.multiply(page, gain, dtype=cv2.CV_8U)
    # Channel by channel: three gains side by side would take four times the page's memory.
    return cv2.merge([cv2.multiply(channel, gain, dtype=cv2.CV_8U) for channel in cv2.split(page)])


def _as_stored(quad: np.ndarray, rotation: int, shape: tuple[int, ...]) -> np.ndarray:
    """Corners in the upright photo of `shape`, as corners in the photo before it was turned by `rotation`."""
    height, width = shape[:2]
    x, y = quad.T
    turned = {0: (x, y), 90: (y, width - x), 180: (width - x, height - y), 270: (height - y, x)}[rotation]
    return np.stack(turned, axis=1)
