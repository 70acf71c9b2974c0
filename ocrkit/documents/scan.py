"""From a phone photo to a flat page: find the page, look at it from straight above, even out the light."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ocrkit.document import Document, Image, Page
from ocrkit.errors import BadImage, BadQuad, OcrkitError
from ocrkit.files import write_whole
from ocrkit.images import Source, iter_pages, source_name

_SAMPLES = 48  # points along a side
_REACH_PX = 5.0  # how far from a side, inwards and outwards, the colours are compared
_VISIBLE = 0.2  # share of a side inside the picture that is enough to judge it by
_SIDES_NEEDED = 2  # a page that shows fewer of its sides fills the picture


@dataclass(frozen=True)
class ScanOptions:
    """How a page is told from what it lies on.

    Attributes:
        search_px: the photo's long side while the page is searched for.
        text_px: marks thinner than this are painted over before the search, so that text and rules make no edges; of
            the searched picture.
        lines: strongest straight edges tried in each direction.
        min_area: share of the photo a page covers at least.
        min_step: difference in Lab units that tells paper from what lies beside it.
        min_support: share of a side along which that difference must be seen.
        min_corner_deg: sharpest corner a page shows in a photo.
    """

    search_px: int = 400
    text_px: int = 13
    lines: int = 8
    min_area: float = 0.2
    min_step: float = 12.0
    min_support: float = 0.6
    min_corner_deg: float = 50.0


@dataclass(frozen=True, eq=False)
class ScannedPage:
    """A page as a flatbed scanner would have seen it.

    Attributes:
        image: the page, upright as far as the photo's EXIF says, `uint8` grey or RGB.
        quad: the page's corners `(4, 2)`, clockwise from its top-left, in px of the photo as stored (EXIF not
            applied); `None` where no page edges were found and the whole image was kept.
        rotation: degrees clockwise by which the stored photo was turned.
    """

    image: Image
    quad: np.ndarray | None
    rotation: int

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


def scan(source: Source, options: ScanOptions = ScanOptions()) -> ScannedPage:
    """The page in a photo, rectified and evenly lit; an image that is a page from edge to edge is only evened out.

    Raises:
        BadImage: the source cannot be read as an image.
    """
    photo = next(iter_pages(source))
    if photo.image is None:
        raise BadImage(photo.error or f"{source_name(source)} has no image.")
    quad = find_page(photo.image, options)
    page = photo.image if quad is None else rectify(photo.image, quad)
    stored = None if quad is None else _as_stored(quad, photo.rotation, photo.image.shape)
    return ScannedPage(even_light(page), stored, photo.rotation)


def find_page(photo: Image, options: ScanOptions = ScanOptions()) -> np.ndarray | None:
    """Corners `(4, 2)` of the page in an upright photo, clockwise from the top-left; `None` if none stands out.

    Straight edges are found where text has been painted over (which would otherwise outshine the paper's edge); every
    two by two of them, and the photo's borders for a page that runs out of the picture, make quadrilaterals, of which
    the one wins whose sides best part two colours. After Dropbox's document scanner (2016), with a plain edge detector
    in place of the learned one.
    """
    scale = min(1.0, options.search_px / max(photo.shape[:2]))
    small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if min(small.shape[:2]) < 4 * options.text_px:
        return None
    lab = _without_text(small, options.text_px)
    level, steep = _straight_edges(lab, options.lines)
    quads = _quads(level, steep, small.shape, options)
    if not len(quads):
        return None
    support, visible = _support(lab, quads, options.min_step)
    sides = visible > _VISIBLE
    fits = ((support >= options.min_support) | ~sides).all(1) & (sides.sum(1) >= _SIDES_NEEDED)
    if not fits.any():
        return None
    lengths = np.linalg.norm(np.roll(quads, -1, axis=1) - quads, axis=2)
    # What a side shows counts for it, what it should show and does not counts against it.
    score = ((2 * support - 1) * visible * lengths).sum(1)
    return quads[np.argmax(np.where(fits, score, -np.inf))] / scale


def rectify(photo: Image, corners: np.ndarray) -> Image:
    """The page inside `corners`, seen from straight above.

    Args:
        photo: `uint8`, `(H, W)` or `(H, W, 3)` RGB.
        corners: `(4, 2)` px, clockwise from the page's own top-left.

    Returns:
        `uint8` image whose pixel count equals the area of the quadrilateral, so that no detail is lost or invented.

    Raises:
        BadQuad: corners cross, lie on one line or span less than 16 px.

    Aspect ratio from the vanishing points, as in Zhang & He, "Whiteboard scanning and image enhancement" (2007).
    """
    corners = np.asarray(corners, np.float32).reshape(-1, 2)
    if corners.shape != (4, 2) or not cv2.isContourConvex(corners) or cv2.contourArea(corners) < 256:
        raise BadQuad("The four corners do not go around a page: they cross, lie on a line or are too close together.")
    height, width = photo.shape[:2]
    ratio = aspect_ratio(corners, ((width - 1) / 2, (height - 1) / 2))
    area = float(cv2.contourArea(corners))
    out_width, out_height = max(1, round((area * ratio) ** 0.5)), max(1, round((area / ratio) ** 0.5))
    target = np.array([[0, 0], [out_width, 0], [out_width, out_height], [0, out_height]], np.float32) - 0.5
    matrix = cv2.getPerspectiveTransform(corners, target)
    return cv2.warpPerspective(
        photo, matrix, (out_width, out_height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )


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
    value = page if page.ndim == 2 else page.max(axis=2)
    scale = min(1.0, 200 / max(value.shape))
    small = cv2.resize(value, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (15, 15))
    paper = cv2.GaussianBlur(cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel), (0, 0), 6).astype(np.float32)
    low = np.clip(white / np.maximum(paper, 1), 1, max_gain)
    gain = cv2.resize(low, (page.shape[1], page.shape[0]), interpolation=cv2.INTER_LINEAR)
    return cv2.multiply(page, gain if page.ndim == 2 else cv2.merge([gain] * 3), dtype=cv2.CV_8U)


def _without_text(small: Image, text_px: int) -> np.ndarray:
    """`float32` `(H, W, 3)` Lab of the picture with thin marks, dark and then light, painted over."""
    rgb = small if small.ndim == 3 else cv2.cvtColor(small, cv2.COLOR_GRAY2RGB)
    kernel = np.ones((text_px, text_px), np.uint8)
    plain = cv2.morphologyEx(cv2.morphologyEx(rgb, cv2.MORPH_CLOSE, kernel), cv2.MORPH_OPEN, kernel)
    return cv2.cvtColor(cv2.GaussianBlur(plain, (5, 5), 0).astype(np.float32) / 255, cv2.COLOR_RGB2Lab)


def _straight_edges(lab: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The strongest lines that are rather level, and rather steep, each `(N, 3)` of a, b, c with ax + by = c.

    The picture's own borders are the first two of each.
    """
    height, width = lab.shape[:2]
    channels = np.clip(2 * lab + (0, 128, 128), 0, 255).astype(np.uint8)
    edges = np.max(
        [cv2.Canny(np.ascontiguousarray(channel), 15, 45) for channel in np.moveaxis(channels, 2, 0)], axis=0
    )
    found = cv2.HoughLines(edges, 1, np.pi / 180, max(20, min(height, width) // 8))
    level, steep = [(0.0, 1.0, 0.0), (0.0, 1.0, height - 1.0)], [(1.0, 0.0, 0.0), (1.0, 0.0, width - 1.0)]
    centre = np.array([width / 2, height / 2])
    for rho, theta in found.reshape(-1, 2)[:, :2] if found is not None else ():
        line = (float(np.cos(theta)), float(np.sin(theta)), float(rho))
        family = level if abs(line[1]) > abs(line[0]) else steep
        if len(family) < count + 2 and all(_differ(line, other, centre) for other in family[2:]):
            family.append(line)
    return np.array(level), np.array(steep)


def _differ(one: tuple[float, ...], other: tuple[float, ...], centre: np.ndarray) -> bool:
    """Whether two lines lie more than 6 px apart at the picture's middle or differ by more than 3 degrees."""
    turn = one[0] * other[1] - one[1] * other[0]
    sign = np.sign(one[0] * other[0] + one[1] * other[1])
    offsets = [line[2] - line[0] * centre[0] - line[1] * centre[1] for line in (one, other)]
    return abs(turn) > np.sin(np.radians(3)) or abs(offsets[0] - sign * offsets[1]) > 6


def _quads(level: np.ndarray, steep: np.ndarray, shape: tuple[int, ...], options: ScanOptions) -> np.ndarray:
    """All quadrilaterals `(N, 4, 2)` of two level and two steep lines that could be a page."""
    height, width = shape[:2]
    crossings = _crossings(level, steep)
    tops, bottoms = np.triu_indices(len(level), 1)
    lefts, rights = np.triu_indices(len(steep), 1)
    top, left = (grid.ravel() for grid in np.meshgrid(np.arange(len(tops)), np.arange(len(lefts)), indexing="ij"))
    quads = np.stack(
        [
            crossings[tops[top], lefts[left]],
            crossings[tops[top], rights[left]],
            crossings[bottoms[top], rights[left]],
            crossings[bottoms[top], lefts[left]],
        ],
        axis=1,
    )
    quads = _clockwise(quads)
    sides = np.roll(quads, -1, axis=1) - quads
    before = np.roll(sides, 1, axis=1)
    turns = before[..., 0] * sides[..., 1] - before[..., 1] * sides[..., 0]
    lengths = np.linalg.norm(sides, axis=2)
    sharp = turns / np.maximum(lengths * np.roll(lengths, 1, axis=1), 1e-6)
    x, y = quads[..., 0], quads[..., 1]
    area = 0.5 * np.abs((x * np.roll(y, -1, 1) - y * np.roll(x, -1, 1)).sum(1))
    slack = 0.05 * max(height, width)
    inside = ((x > -slack) & (x < width + slack) & (y > -slack) & (y < height + slack)).all(1)
    convex = (sharp > np.sin(np.radians(options.min_corner_deg))).all(1)
    return quads[inside & convex & (area > options.min_area * height * width)]


def _crossings(level: np.ndarray, steep: np.ndarray) -> np.ndarray:
    """Points `(len(level), len(steep), 2)` where the lines meet."""
    a, b, c = (level[:, None, i] for i in range(3))
    d, e, f = (steep[None, :, i] for i in range(3))
    det = a * e - b * d
    det = np.where(np.abs(det) < 1e-9, 1e-9, det)
    return np.stack([(c * e - b * f) / det, (a * f - c * d) / det], axis=-1)


def _clockwise(quads: np.ndarray) -> np.ndarray:
    """Corners sorted around their middle, the one nearest the picture's top-left first."""
    offsets = quads - quads.mean(1, keepdims=True)
    order = np.argsort(np.arctan2(offsets[..., 1], offsets[..., 0]), axis=1)
    quads = np.take_along_axis(quads, order[..., None], axis=1)
    first = quads.sum(2).argmin(1)
    return np.take_along_axis(quads, ((first[:, None] + np.arange(4)) % 4)[..., None], axis=1)


def _support(lab: np.ndarray, quads: np.ndarray, min_step: float) -> tuple[np.ndarray, np.ndarray]:
    """Of each side `(N, 4)`: the share of what the picture shows of it along which the colour changes, and that share.

    A side on the picture's border, or beyond it, is not shown.
    """
    height, width = lab.shape[:2]
    along = np.roll(quads, -1, axis=1) - quads
    outward = np.stack([along[..., 1], -along[..., 0]], -1) / np.linalg.norm(along, axis=2, keepdims=True)
    points = quads[:, :, None] + np.linspace(0.04, 0.96, _SAMPLES)[:, None] * along[:, :, None]
    colours, shown = [], np.ones(points.shape[:3], bool)
    for side in (-_REACH_PX, _REACH_PX):
        x, y = np.moveaxis(np.round(points + side * outward[:, :, None]).astype(int), -1, 0)
        shown &= (x >= 0) & (x < width) & (y >= 0) & (y < height)
        colours.append(lab[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)])
    steps = (np.linalg.norm(colours[0] - colours[1], axis=-1) > min_step) & shown
    return steps.sum(2) / np.maximum(shown.sum(2), 1), shown.mean(2)


def _as_stored(quad: np.ndarray, rotation: int, shape: tuple[int, ...]) -> np.ndarray:
    """Corners in the upright photo of `shape`, as corners in the photo before it was turned by `rotation`."""
    height, width = shape[:2]
    x, y = quad.T
    turned = {0: (x, y), 90: (y, width - x), 180: (width - x, height - y), 270: (height - y, x)}[rotation]
    return np.stack(turned, axis=1)
