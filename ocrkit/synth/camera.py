"""How pages get into the computer: a scanner or fax that copies them flat, a camera that sees them lying on a desk."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

import cv2
import numpy as np

from ocrkit.datasets.sample import LabelledPage, LabelledWord
from ocrkit.document import Image

_POINTS = 257  # of the profile of a curled page
_DESK_PX = 512
_STEP_PX = 8  # rays are followed at every eighth pixel and interpolated: they bend by less than 0.01 px between


@dataclass(frozen=True)
class ScannerOptions:
    """What a scanner does to pages; shares are 0 to 1 of the pages, strengths are drawn up to what is given.

    Attributes:
        skew_deg: spread of the angle the page lies at.
        bilevel: share scanned or faxed to black and white.
        faded: share of the others whose print is starved in bands or stippled.
        dirt: share with specks, dark borders or punched holes.
        blur_px: largest sigma of the optics.
        noise: largest spread of the sensor's noise, grey levels.
        jpeg: share saved as JPEG.
    """

    skew_deg: float = 0.6
    bilevel: float = 0.35
    faded: float = 0.25
    dirt: float = 0.4
    blur_px: float = 0.9
    noise: float = 8.0
    jpeg: float = 0.7


@dataclass(frozen=True)
class CameraOptions:
    """How a page is photographed; shares are 0 to 1 of the photos, strengths are drawn up to what is given.

    Attributes:
        zoom: px of the photo for a px of the page, on average over the page.
        tilt_deg: most the camera leans from looking straight down.
        turn_deg: spread of the page's angle on the desk.
        curl: share of pages that do not lie flat.
        shadow: share with a shadow across the page.
        light: how much darker the dark side may be, 0 to 1.
        blur_px: largest sigma of defocus or motion.
        noise: largest spread of the sensor's noise, grey levels.
        jpeg: share saved as JPEG.
    """

    zoom: float = 1.0
    tilt_deg: float = 24.0
    turn_deg: float = 6.0
    curl: float = 0.4
    shadow: float = 0.5
    light: float = 0.4
    blur_px: float = 1.1
    noise: float = 7.0
    jpeg: float = 0.9


@dataclass(frozen=True, eq=False)
class Photo:
    """A photographed page.

    Attributes:
        image: `uint8` `(H, W, 3)` RGB.
        corners: `(4, 2)` px, the page's corners clockwise from its own top-left.
        page: the page with its labels in px of the photo, and the photo for its pixels.
    """

    image: Image = field(repr=False)
    corners: np.ndarray
    page: LabelledPage


# --- what both share --------------------------------------------------------------------------------------------------


def clouds(rng: np.random.Generator, shape: tuple[int, int], cells: int) -> np.ndarray:
    """Smooth random `float32` `shape` between 0 and 1, with about `cells` swells along the longer side."""
    scale = max(shape) / cells
    coarse = rng.random((max(2, round(shape[0] / scale)), max(2, round(shape[1] / scale))), dtype=np.float32)
    return np.clip(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC), 0, 1)


def _generator(r: Random) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(r.getrandbits(64)))


def _moved(labels: tuple[LabelledWord, ...], move: Callable[[np.ndarray], np.ndarray]) -> tuple[LabelledWord, ...]:
    """The labels with their corners where `move` takes points `(N, 2)`."""
    if not labels:
        return ()
    quads = move(np.concatenate([label.quad for label in labels])).reshape(-1, 4, 2)
    return tuple(LabelledWord(label.text, quad) for label, quad in zip(labels, quads))


def _saved_as_jpeg(picture: np.ndarray, quality: int) -> Image:
    bgr = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, quality))
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED))
    return decoded if decoded.ndim == 2 else cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)


def _motion_kernel(r: Random, sigma: float) -> np.ndarray:
    """A streak as long as a hand that shakes makes it, `(K, K)`, sum 1."""
    size = 2 * math.ceil(2 * sigma) + 1
    angle, middle = r.uniform(0, math.pi), size // 2
    reach = np.array([math.cos(angle), math.sin(angle)]) * middle
    kernel = np.zeros((size, size), np.float32)
    start, end = np.round(middle - reach).astype(int), np.round(middle + reach).astype(int)
    cv2.line(kernel, tuple(map(int, start)), tuple(map(int, end)), 1.0)
    return kernel / kernel.sum()


# --- the scanner ------------------------------------------------------------------------------------------------------


def copy(page: LabelledPage, r: Random, options: ScannerOptions = ScannerOptions()) -> LabelledPage:
    """The page as a scanner, copier or fax hands it on: a little askew, grey or black and white, not quite clean.

    Args:
        page: any page with pixels.
        r: source of all randomness.
        options: see `ScannerOptions`.

    Returns:
        A page of the same size in grey, its labels where their words now are.
    """
    rng = _generator(r)
    image = page.image()
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 else image
    height, width = grey.shape
    bilevel = r.random() < options.bilevel
    # What is faded falls below a threshold altogether, and its labels would name words that nobody sees.
    if not bilevel and r.random() < options.faded:
        grey = _faded(grey, r, rng)
    matrix: np.ndarray = cv2.getRotationMatrix2D(
        (width / 2, height / 2), max(-2.0, min(2.0, r.gauss(0, options.skew_deg))), 1.0
    )
    # Labels are in coordinates of pixel edges, OpenCV's warps in those of pixel middles, half a px beside them.
    centred = matrix.copy()
    centred[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    grey = cv2.warpAffine(grey, centred, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    picture: np.ndarray = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), r.uniform(0.3, max(0.31, options.blur_px)))
    if not bilevel:
        white, dark = r.uniform(225, 255), r.uniform(0, 50)
        picture = dark + picture * ((white - dark) / 255) - 14 * r.random() * clouds(rng, grey.shape, 4)
    picture = picture + rng.standard_normal(grey.shape, dtype=np.float32) * r.uniform(0, options.noise)
    if r.random() < options.dirt:
        _soil(picture, r, rng)
    if bilevel:
        edge = cv2.GaussianBlur(rng.standard_normal(grey.shape, dtype=np.float32), (0, 0), 0.8) * r.uniform(0, 50)
        scanned = np.where(picture > r.uniform(135, 185) + edge, 255, 0).astype(np.uint8)
    else:
        scanned = np.clip(picture, 0, 255).astype(np.uint8)
        if r.random() < options.jpeg:
            scanned = _saved_as_jpeg(scanned, r.randint(40, 92))

    def move(points: np.ndarray) -> np.ndarray:
        return points @ matrix[:, :2].T + matrix[:, 2]

    return replace(page, words=_moved(page.words, move), lines=_moved(page.lines, move), path=None, pixels=scanned)


def _faded(grey: Image, r: Random, rng: np.random.Generator) -> Image:
    """Print that pales in bands, as heating elements and ribbons wear, or dissolves into dots."""
    if r.random() < 0.5:
        pale = clouds(rng, (1, grey.shape[1]), r.randint(3, 12)) * r.uniform(0.2, 0.6)
    else:
        pale = clouds(rng, grey.shape, r.randint(3, 8)) * r.uniform(0.2, 0.5)
        dots = rng.standard_normal(grey.shape, dtype=np.float32) > r.uniform(0.8, 1.5)
        pale = np.where(dots, np.float32(0.7), pale)
    return np.round(grey + (255.0 - grey) * pale).astype(np.uint8)


def _soil(picture: np.ndarray, r: Random, rng: np.random.Generator) -> None:
    """Specks, and at times a dark border of the scanner's lid or the holes of a binder, all near the edges."""
    height, width = picture.shape
    for _ in range(r.randint(5, 80)):
        spot = int(rng.integers(width)), int(rng.integers(height))
        cv2.circle(picture, spot, r.choice([0, 0, 0, 1, 1, 2]), r.uniform(0, 120), -1)
    if r.random() < 0.35:
        reach = r.randint(2, max(3, width // 60))
        strip = r.choice([picture[:reach], picture[-reach:], picture[:, :reach], picture[:, -reach:]])
        strip[:] = r.uniform(0, 60)
    if r.random() < 0.2:
        for share in (0.1, 0.5, 0.9):
            cv2.circle(picture, (width // 34, int(height * share)), width // 75, 0.0, -1, cv2.LINE_AA)


# --- the camera -------------------------------------------------------------------------------------------------------


class _Bend:
    """A page bent along its width, as a sheet that was rolled or a book: its height above the desk and its slope.

    The page is a cylinder: going `u` px along the paper leads `x(u)` px along the desk and `z(u)` px above it.

    Args:
        width: of the page, px.
        height: of its highest point above the desk, px; 0 for a flat page.
        swells: half waves across the page.
        phase: of the waves.
    """

    def __init__(self, width: float, height: float, swells: float = 1.0, phase: float = 0.0) -> None:
        self.u = np.linspace(0, width, _POINTS)
        share = self.u / width
        wave = np.sin(math.pi * swells * share + phase)
        wave -= wave[0] + (wave[-1] - wave[0]) * share
        self.z = height * wave / max(1e-9, np.abs(wave).max())
        self.z -= self.z.min()
        rise = np.diff(self.z)
        run = np.sqrt(np.diff(self.u) ** 2 - rise**2)
        self.x = np.concatenate([[0], np.cumsum(run)])
        self.slope = np.gradient(self.z, self.u)


@dataclass(frozen=True)
class _View:
    """A pinhole camera above the desk, whose plane is z = 0 with the flat page's px as unit.

    Attributes:
        turn: rotation `(3, 3)` from the desk's axes, z pointing away from the camera, to the camera's.
        shift: where the desk's origin is, from the camera.
        focal, centre: px of the photo.
    """

    turn: np.ndarray
    shift: np.ndarray
    focal: float
    centre: np.ndarray

    def project(self, points: np.ndarray) -> np.ndarray:
        """Where points `(N, 3)` are seen, `(N, 2)`."""
        seen = points @ self.turn.T + self.shift
        return seen[:, :2] / seen[:, 2:] * self.focal + self.centre

    def rays(self, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """The camera's place `(3,)`, and where the middles of blocks of `_STEP_PX` px look, by the desk's axes."""
        rows, columns = (np.mgrid[: shape[0] // _STEP_PX, : shape[1] // _STEP_PX] + 0.5) * _STEP_PX
        x, y = (columns - self.centre[0]) / self.focal, (rows - self.centre[1]) / self.focal
        rays = np.stack([x, y, np.ones_like(x)], axis=-1) @ self.turn
        return -self.turn.T @ self.shift, rays


def photograph(page: LabelledPage, r: Random, options: CameraOptions = CameraOptions()) -> Photo:
    """The page on a desk, seen by a camera in somebody's hand.

    Args:
        page: any page with pixels; what it looks like is not changed before.
        r: source of all randomness.
        options: see `CameraOptions`.

    Returns:
        The photo, the exact corners, and the labels where their words are seen: on a curled page too.
    """
    rng = _generator(r)
    image = page.image()
    paper = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else image
    height, width = paper.shape[:2]
    curled = r.random() < options.curl
    bend = _Bend(width, width * r.uniform(0.02, 0.08) * curled, r.choice([1.0, 1.0, 1.5, 2.0]), r.uniform(0, math.pi))
    view, shape = _place(r, options, bend, height)

    def look(points: np.ndarray) -> np.ndarray:
        x, z = (np.interp(points[:, 0], bend.u, way) for way in (bend.x, bend.z))
        return view.project(np.stack([x, points[:, 1], -z], axis=1))

    corners = look(np.array([[0, 0], [width, 0], [width, height], [0, height]], float))
    photo = _expose(_scene(paper, bend, view, shape, r, rng), corners, r, rng, options)
    seen = replace(page, words=_moved(page.words, look), lines=_moved(page.lines, look), path=None, pixels=photo)
    return Photo(photo, corners, seen)


def _place(r: Random, options: CameraOptions, bend: _Bend, height: float) -> tuple[_View, tuple[int, int]]:
    """A camera that has the whole page in view, and the photo's height and width."""
    lean, roll = math.radians(r.uniform(0, options.tilt_deg)), math.radians(r.gauss(0, options.turn_deg))
    # Phones are held from below the page mostly, so it recedes upwards.
    towards = r.gauss(-math.pi / 2, 1.0)
    axis = np.array([-math.sin(towards), math.cos(towards), 0]) * lean
    turn = cv2.Rodrigues(axis)[0] @ cv2.Rodrigues(np.array([0, 0, roll]))[0]
    width = bend.x[-1]
    middle = np.array([width / 2, height / 2, 0])
    distance = math.hypot(width, height) * r.uniform(1.0, 1.7)
    shift = np.array([0, 0, distance]) - turn @ middle
    corners = np.array([[0, 0, 0], [width, 0, 0], [width, height, 0], [0, height, 0]], float)
    unit = _View(turn, shift, 1.0, np.zeros(2)).project(corners).astype(np.float32)
    focal = options.zoom * math.sqrt(width * height / cv2.contourArea(unit))
    # The optical axis meets the photo's middle, as in a photo nobody cropped.
    half = np.abs(unit * focal).max(0) * np.array([r.uniform(1.06, 1.3), r.uniform(1.06, 1.3)])
    half = np.maximum(half, half[::-1] * (3 / 4))
    columns, rows = (_STEP_PX * math.ceil(2 * side / _STEP_PX) for side in half)
    return _View(turn, shift, focal, np.array([columns / 2, rows / 2])), (rows, columns)


def _scene(
    paper: Image, bend: _Bend, view: _View, shape: tuple[int, int], r: Random, rng: np.random.Generator
) -> np.ndarray:
    """Page and desk as they meet the camera's eye, `float32` `(H, W, 3)`."""
    height = paper.shape[0]
    eye, rays = view.rays(shape)
    x, y, desk_x, desk_y = 2 * tuple(eye[axis] - rays[..., axis] * eye[2] / rays[..., 2] for axis in (0, 1))
    if bend.z.any():
        # Where a ray meets the bent page: its height there decides how far along the ray, so a few rounds.
        for _ in range(12):
            away = (-np.interp(x, bend.x, bend.z) - eye[2]) / rays[..., 2]
            x, y = (eye[axis] + rays[..., axis] * away for axis in (0, 1))
    u, slope = (np.interp(x, bend.x, way) for way in (bend.u, bend.slope))
    u, x, y, slope, desk_x, desk_y = (
        cv2.resize(way.astype(np.float32), shape[::-1], interpolation=cv2.INTER_LINEAR)
        for way in (u, x, y, slope, desk_x, desk_y)
    )
    inside = _coverage(x, bend.x[-1]) * _coverage(y, height)
    seen = cv2.remap(paper, u - 0.5, y - 0.5, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    seen *= (1 + r.choice([-1, 1]) * r.uniform(0.5, 1.2) * slope)[..., None]
    scale = r.uniform(0.8, 1.6) * _DESK_PX / max(paper.shape[:2])
    desk = _desk(desk_x * scale, desk_y * scale, r, rng)
    offset = r.uniform(2, 12) * np.array([r.choice([-1, 1]), r.choice([-1, 1])])
    shaded = cv2.GaussianBlur(
        cv2.warpAffine(inside, np.array([[1, 0, offset[0]], [0, 1, offset[1]]]), shape[::-1]), (0, 0), r.uniform(2, 9)
    )
    desk *= (1 - r.uniform(0.2, 0.6) * shaded)[..., None]
    return desk + (seen - desk) * inside[..., None]


def _coverage(at: np.ndarray, high: float) -> np.ndarray:
    """Share of each pixel between 0 and `high`, its edge one px soft."""
    return np.clip(np.minimum(at, high - at) + 0.5, 0, 1)


def _expose(scene: np.ndarray, corners: np.ndarray, r: Random, rng: np.random.Generator, o: CameraOptions) -> Image:
    """Light, lens, sensor and file."""
    shape = scene.shape[:2]
    fall = clouds(rng, shape, 2)
    vignette = np.square(np.linspace(-1, 1, shape[0], dtype=np.float32))[:, None] + np.square(
        np.linspace(-1, 1, shape[1], dtype=np.float32)
    )
    light = r.uniform(0.7, 1.0) * (1 - r.uniform(0, o.light) * fall) * (1 - r.uniform(0, 0.12) * vignette)
    if r.random() < o.shadow:
        light *= _shadow(shape, corners, r)
    tint = np.array([1 + r.gauss(0, 0.04), 1.0, 1 + r.gauss(-0.04, 0.06)], np.float32)
    picture: np.ndarray = scene * light[..., None] * tint
    sigma = r.uniform(0.2, max(0.21, o.blur_px))
    if r.random() < 0.2:
        picture = cv2.filter2D(picture, -1, _motion_kernel(r, sigma))
    else:
        picture = cv2.GaussianBlur(picture, (0, 0), sigma)
    # Sensors see a mosaic of colours: noise is a little coarser than a pixel, and mostly alike in all channels.
    grain = (
        cv2.GaussianBlur(rng.standard_normal(shape, dtype=np.float32), (0, 0), 0.5)
        * r.uniform(1, max(1.1, o.noise))
        * 1.6
    )
    photo = np.clip(picture + grain[..., None], 0, 255).astype(np.uint8)
    return _saved_as_jpeg(photo, r.randint(55, 93)) if r.random() < o.jpeg else photo


def _shadow(shape: tuple[int, int], corners: np.ndarray, r: Random) -> np.ndarray:
    """Gain of the light where somebody's head or hand stands in it: a big soft shape over a part of the page."""
    low, high = corners.min(0), corners.max(0)
    span = float((high - low).max())
    at = np.array([r.uniform(low[0], high[0]), r.uniform(low[1], high[1])])
    angle, scale = r.uniform(0, 2 * math.pi), 8  # painted small: its edge is soft anyway
    outline = []
    for step in range(9):
        turn, reach = 2 * math.pi * step / 9, span * r.uniform(0.25, 0.7) * (1.8 if step in (0, 8, 1) else 1)
        outline.append(at + reach * np.array([math.cos(turn + angle), math.sin(turn + angle)]))
    mask: np.ndarray = np.zeros((max(2, shape[0] // scale), max(2, shape[1] // scale)), np.float32)
    cv2.fillPoly(mask, [np.round(np.array(outline) / scale).astype(np.int32)], 1.0)
    mask = cv2.GaussianBlur(mask, (0, 0), span / scale * r.uniform(0.01, 0.06))
    return 1 - r.uniform(0.15, 0.5) * cv2.resize(mask, shape[::-1])


# --- desks ------------------------------------------------------------------------------------------------------------


def _desk(x: np.ndarray, y: np.ndarray, r: Random, rng: np.random.Generator) -> np.ndarray:
    """Wood, marble, cloth or a plain top as the camera sees it at `x`, `y` `(H, W)`: `float32` `(H, W, 3)`."""
    tile = r.choice([_wood, _wood, _marble, _cloth, _plain])(r, rng)
    # Mirrored at its edges, the tile goes on without a seam.
    x, y = (_DESK_PX - 0.5 - np.abs(np.mod(way, 2 * _DESK_PX) - _DESK_PX) for way in (x, y))
    return cv2.remap(tile, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _between(low: Sequence[float] | np.ndarray, high: Sequence[float] | np.ndarray, share: np.ndarray) -> np.ndarray:
    """Colours from `low` to `high`, `float32` `(H, W, 3)`."""
    dark, light = np.asarray(low, np.float32), np.asarray(high, np.float32)
    return dark + (light - dark) * share[..., None].astype(np.float32)


def _wood(r: Random, rng: np.random.Generator) -> np.ndarray:
    """Boards with rings and fine fibres along them."""
    size = (_DESK_PX, _DESK_PX)
    dark, light = r.choice(
        [((60, 36, 22), (124, 84, 54)), ((128, 88, 52), (196, 152, 104)), ((168, 140, 104), (222, 198, 160))]
    )
    swell = cv2.resize(clouds(rng, (_DESK_PX, 64), 8), size)
    rings = 0.5 + 0.5 * np.sin(swell * r.uniform(25, 60))
    fibres = cv2.blur(rng.random(size, dtype=np.float32), (61, 1))
    fibres = (fibres - fibres.min()) / np.ptp(fibres)
    tile = _between(dark, light, 0.35 * rings + 0.65 * fibres)
    board = _DESK_PX // r.choice([2, 4])
    for top in range(0, _DESK_PX, board):
        tile[top : top + board] *= r.uniform(0.88, 1.08)
        tile[top : top + 2] *= 0.5
    return tile if r.random() < 0.5 else np.ascontiguousarray(tile.transpose(1, 0, 2))


def _marble(r: Random, rng: np.random.Generator) -> np.ndarray:
    """Stone with clouds and fine veins."""
    size = (_DESK_PX, _DESK_PX)
    clouded = sum(clouds(rng, size, cells) / cells**0.5 for cells in (4, 9, 19))
    flow = 2.5 * clouded + np.linspace(0, r.uniform(2, 9), _DESK_PX, dtype=np.float32)
    vein = np.exp(-r.uniform(12, 40) * np.abs(np.sin(flow))) * clouds(rng, size, 6)
    low, high = r.choice(
        [((90, 92, 96), (206, 204, 200)), ((190, 186, 180), (60, 62, 66)), ((120, 96, 80), (190, 176, 160))]
    )
    return _between(low, high, np.clip(0.6 + 0.4 * clouds(rng, size, 9) - vein, 0, 1))


def _cloth(r: Random, rng: np.random.Generator) -> np.ndarray:
    """Threads over and under, some in another colour."""
    threads = np.arange(_DESK_PX, dtype=np.float32)
    pitch = r.uniform(3, 7)
    weave = 0.5 + 0.25 * np.sin(threads * 2 * math.pi / pitch)[:, None] + 0.25 * np.sin(threads * 2 * math.pi / pitch)
    weave = weave * 0.7 + 0.3 * rng.random((_DESK_PX, _DESK_PX), dtype=np.float32)
    level = r.randint(40, 200)
    dyed = np.clip([level + r.gauss(0, 22) for _ in range(3)], 10, 230)
    tile = _between(dyed * 0.5, dyed + 20, weave)
    if r.random() < 0.4:
        check = (threads // r.randint(20, 70) % 2).astype(np.float32)
        tile *= (1 - 0.25 * (check[:, None] + check))[..., None]
    return tile


def _plain(r: Random, rng: np.random.Generator) -> np.ndarray:
    """Paint, plastic or glass: one colour with a breath of unevenness."""
    level = r.choice([r.randint(25, 70), r.randint(70, 150), r.randint(150, 205)])
    colour = np.clip([level + r.gauss(0, 12) for _ in range(3)], 0, 255)
    return _between(colour, colour * 0.85, clouds(rng, (_DESK_PX, _DESK_PX), 5))
