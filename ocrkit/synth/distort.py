"""What happens to a word between the printer and the crop: ink, shape, paper and camera distortions.

Each distortion is a function of its own, so that it can be shown and tested alone; `DistortionOptions` holds the share
of words each one touches. Ink is `uint8` coverage (255 = inked), pictures are `float32` grey levels 0 to 255 until
`finish` rounds them. All randomness comes from the `Random` given and from banks of textures made once from a seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from random import Random
from typing import Any

import cv2
import numpy as np

from ocrkit.errors import BadParams
from ocrkit.values import Share

BANK_PX = 512
_FIRST = ("underline", "tilt", "defocus", "motion", "box_blur")  # what the original's first version had
_Y, _X = np.mgrid[0:256, 0:2048].astype(np.float32)


@dataclass(frozen=True)
class DistortionOptions:
    """Share of words (0 to 1) each distortion touches; strengths are drawn within limits the functions state.

    Attributes:
        warps: warps, shadows, creases and all the rest (sixth improvement of the original); without it only what its
            first version had: tilt, underline and blurs.
    """

    # ink
    bleed: Share = 0.12
    thin: Share = 0.08
    stipple: Share = 0.05
    gaps: Share = 0.03
    smudge: Share = 0.02
    underline: Share = 0.08
    rules: Share = 0.10
    neighbours: Share = 0.25
    # shape
    stretch: Share = 0.60
    tilt: Share = 0.40
    slant: Share = 0.08
    perspective: Share = 0.10
    warp: Share = 0.06
    # paper
    colour: Share = 0.10
    texture: Share = 0.25
    uneven_light: Share = 0.22
    shadow: Share = 0.06
    crease: Share = 0.03
    glare: Share = 0.03
    # camera, scanner, fax
    defocus: Share = 0.30
    motion: Share = 0.04
    box_blur: Share = 0.05
    low_resolution: Share = 0.75
    noise: Share = 0.30
    fax: Share = 0.06
    photocopy: Share = 0.04
    bilevel: Share = 0.30
    sharpen: Share = 0.10
    jpeg: Share = 0.30
    invert: Share = 0.05
    warps: bool = True

    @classmethod
    def only(cls, *names: str) -> DistortionOptions:
        """Every word gets just the named distortions.

        Raises:
            BadParams: there is no distortion of that name.
        """
        if unknown := sorted(set(names) - set(cls.names())):
            raise BadParams(f"There is no distortion {', '.join(unknown)}; there are {', '.join(cls.names())}.")
        shares: dict[str, Any] = {name: float(name in names) for name in cls.names()}
        return cls(**shares)

    def in_use(self) -> DistortionOptions:
        """These options with every share that `warps` switches off at 0."""
        off: dict[str, Any] = {name: 0.0 for name in self.names() if name not in _FIRST}
        return self if self.warps else replace(self, **off)

    @classmethod
    def names(cls) -> list[str]:
        """All distortions in the order they are applied."""
        return [f.name for f in fields(cls) if f.name != "warps"]


class Banks:
    """Textures to cut windows from: white noise, paper grain, blotches, surfaces; `float32`, mean 0, spread 1."""

    def __init__(self, seed: int) -> None:
        rng = np.random.Generator(np.random.PCG64(seed))
        noise = rng.standard_normal((BANK_PX, BANK_PX), dtype=np.float32)
        self.noise = noise
        self.grain = _unit(cv2.GaussianBlur(rng.standard_normal(noise.shape, dtype=np.float32), (0, 0), 1.2))
        octaves = [
            _unit(cv2.GaussianBlur(rng.standard_normal(noise.shape, dtype=np.float32), (0, 0), sigma)) * sigma**0.5
            for sigma in (2, 5, 12, 30)
        ]
        self.blotches = _unit(np.sum(octaves, axis=0))
        rings = np.sin(_unit(cv2.GaussianBlur(rng.standard_normal(noise.shape, dtype=np.float32), (0, 0), 25)) * 9)
        wood = cv2.resize(rings[:64], (BANK_PX, BANK_PX)) + 0.4 * cv2.blur(noise, (61, 1)) * 8
        marble = np.abs(np.sin(_X[:256, :BANK_PX] / 40 + self.blotches[:256] * 2)) ** 0.3
        weave = np.sin(_X[:256, :BANK_PX] * 1.1) * np.sin(_Y[:256, :BANK_PX] * 1.3) + 0.5 * self.grain[:256]
        self.surfaces = [_unit(wood.astype(np.float32)), _unit(np.tile(marble, (2, 1))), _unit(np.tile(weave, (2, 1)))]

    @staticmethod
    def window(bank: np.ndarray, shape: tuple[int, ...], r: Random) -> np.ndarray:
        """A random window of a bank; wider or higher than the bank, it repeats."""
        height, width = shape
        if height > BANK_PX or width > BANK_PX:
            bank = np.tile(bank, (-(-height // BANK_PX), -(-width // BANK_PX)))
        y = int(r.random() * (bank.shape[0] - height + 1))
        x = int(r.random() * (bank.shape[1] - width + 1))
        return bank[y : y + height, x : x + width]


@lru_cache(maxsize=4)
def banks_of(seed: int) -> Banks:
    """The textures of `seed`, made once a process."""
    return Banks(seed)


def _unit(values: np.ndarray) -> np.ndarray:
    values = values.astype(np.float32)
    return (values - values.mean()) / values.std()


def _coordinates(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Column and row number of every pixel, `float32`; looked up for the sizes words have."""
    height, width = shape
    if height <= _Y.shape[0] and width <= _X.shape[1]:
        return _X[:height, :width], _Y[:height, :width]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    return columns, rows


# --- ink: uint8 coverage in, uint8 coverage out -------------------------------------------------------------------

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
_WIDER_THAN_STROKES = np.ones((15, 15), np.uint8)
_PAIR = [np.ones((1, 2), np.uint8), np.ones((2, 1), np.uint8)]


def bleed(ink: np.ndarray, r: Random, banks: Banks) -> np.ndarray:
    """Ink spreads into the paper."""
    return cv2.dilate(ink, _CROSS if r.random() < 0.4 else r.choice(_PAIR))


def embolden(ink: np.ndarray, r: Random) -> np.ndarray:
    """Strokes as thick as small bold print's: ink spreads one way only."""
    return cv2.dilate(ink, r.choice(_PAIR))


def thin(ink: np.ndarray, r: Random, banks: Banks) -> np.ndarray:
    """A starved ribbon or worn type: strokes lose their edges, but no more than half their ink."""
    worn = cv2.erode(ink, r.choice(_PAIR))
    return cv2.addWeighted(ink, 0.35, worn, 0.65, 0)


def stipple(ink: np.ndarray, r: Random, banks: Banks) -> np.ndarray:
    """Thermal print: the strokes dissolve into dots."""
    dots = Banks.window(banks.grain if r.random() < 0.5 else banks.noise, ink.shape, r) > r.uniform(0.5, 1.4)
    return np.where(dots, (ink * r.uniform(0, 0.5)).astype(np.uint8), ink)


def gaps(ink: np.ndarray, r: Random, banks: Banks) -> np.ndarray:
    """Dead needles or heating elements: light rows or columns through the word."""
    ink = ink.copy()
    for _ in range(r.randint(1, 3)):
        if r.random() < 0.6:
            y = int(r.random() * ink.shape[0])
            ink[y : y + r.randint(1, 2)] //= 4
        else:
            x = int(r.random() * ink.shape[1])
            ink[:, x : x + 1] //= 4
    return ink


def smudge(ink: np.ndarray, r: Random, banks: Banks) -> np.ndarray:
    """Wet ink wiped sideways."""
    length = r.randint(5, 13)
    return np.maximum(ink, (cv2.blur(ink, (length, 1)) * r.uniform(0.3, 0.8)).astype(np.uint8))


def underline(ink: np.ndarray, r: Random, banks: Banks) -> np.ndarray:
    """A rule below the word, sometimes touching it."""
    height, width = ink.shape
    y = int(height * r.uniform(0.78, 1.0))
    cv2.line(ink, (0, y), (width, y + r.randint(-1, 1)), r.randint(120, 255), r.randint(1, 2))
    return ink


def rules(ink: np.ndarray, r: Random, banks: Banks) -> np.ndarray:
    """Lines of a table or a box at the crop's edges, now and then through the word."""
    height, width = ink.shape
    for _ in range(r.randint(1, 2)):
        level, thick = r.randint(100, 255), r.randint(1, 2)
        roll = r.random()
        if roll < 0.4:
            x = int(width * r.choice((r.uniform(0, 0.06), r.uniform(0.94, 1))))
            cv2.line(ink, (x, 0), (x + r.randint(-1, 1), height), level, thick)
        elif roll < 0.9:
            y = int(height * r.choice((r.uniform(0, 0.12), r.uniform(0.88, 1))))
            cv2.line(ink, (0, y), (width, y + r.randint(-1, 1)), level, thick)
        else:
            y = int(height * r.uniform(0.2, 0.9))
            cv2.line(ink, (0, y), (width, y + r.randint(-2, 2)), level // 2, 1)
    return ink


# --- shape ---------------------------------------------------------------------------------------------------------


def shape_matrix(size: tuple[int, int], r: Random, o: DistortionOptions) -> np.ndarray | None:
    """Tilt, slant and perspective in one homography about the picture's middle; `None` where none applies."""
    width, height = size
    tilt = slant = 0.0
    vanishing = (0.0, 0.0)
    if r.random() < o.tilt:
        # Long words get less: the detector follows the line, so what is left is small in pixels, not in degrees.
        limit = min(3.0, math.degrees(0.22 * height / max(width, 1)) + 0.3)
        tilt = math.sin(math.radians(r.gauss(0, limit / 2)))
    if r.random() < o.slant:
        slant = r.uniform(-0.3, 0.2)
    if r.random() < o.perspective:
        vanishing = (r.gauss(0, 0.12) / width, r.gauss(0, 0.12) / height)
    if not (tilt or slant or vanishing[0]):
        return None
    # The product back @ projective @ shear @ turn @ centre, multiplied out: six small arrays cost more than the warp.
    x, y = width / 2, height / 2
    a, b, c = 1 + slant * tilt, slant - tilt, tilt
    p, q = vanishing[0] * a + vanishing[1] * c, vanishing[0] * b + vanishing[1]
    last = 1 - p * x - q * y
    return np.array(
        [
            [a + x * p, b + x * q, x * last - a * x - b * y],
            [c + y * p, 1 + y * q, y * last - c * x - y],
            [p, q, last],
        ]
    )


def warp(ink: np.ndarray, r: Random) -> np.ndarray:
    """The baseline waves or curls, as on a bent page."""
    height, width = ink.shape
    swing = height * r.uniform(0.02, 0.08)
    period = width * r.uniform(0.6, 2.5)
    x, y = _coordinates(ink.shape)
    wave = swing * np.sin(x[:1] * (2 * math.pi / period) + r.uniform(0, 6.3))
    return cv2.remap(ink, x, (y + wave).astype(np.float32), cv2.INTER_LINEAR)


# --- paper ------------------------------------------------------------------------------------------------------------

# Luma of ITU-R BT.601, one channel, or the mean: the share that red, green and blue have in the grey.
_GREYS = [(0.299, 0.587, 0.114), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1 / 3, 1 / 3, 1 / 3)]
_LEGIBLE = 60  # grey levels


def colour(r: Random) -> tuple[float, float]:
    """Grey levels of a paper and an ink of random colours, as a camera or scanner turns colours to grey.

    A red stamp is dark in luma and nearly gone in the red channel; a yellow carbon copy is black in the blue one. Pairs
    too much alike to read are drawn anew; one in seven is printed the other way round, light ink on a dark ground.

    Only the two levels are worked out: mixing ink and paper, and turning the mixture to grey, are both linear, so
    drawing three channels would give the same picture. What happens to single channels on the way, such as JPEG's
    coarser colours or a lens's colour fringes, is not imitated.
    """
    red, green, blue = r.choice(_GREYS)
    while True:
        paper = red * r.uniform(110, 255) + green * r.uniform(110, 255) + blue * r.uniform(110, 255)
        ink = red * r.uniform(0, 210) + green * r.uniform(0, 210) + blue * r.uniform(0, 210)
        if paper - ink >= _LEGIBLE:
            return (ink, paper) if r.random() < 1 / 7 else (paper, ink)


# --- paper: float32 grey levels in and out ---------------------------------------------------------------------------


def texture(paper: np.ndarray, r: Random, banks: Banks) -> np.ndarray:
    """Grain, blotches, or a patterned ground."""
    roll = r.random()
    bank = banks.grain if roll < 0.45 else banks.blotches if roll < 0.9 else r.choice(banks.surfaces)
    return cv2.scaleAdd(Banks.window(bank, paper.shape, r), r.uniform(2, 11), paper)


def uneven_light(paper: np.ndarray, r: Random, banks: Banks) -> np.ndarray:
    """A linear fall of light across the word."""
    height, width = paper.shape
    angle, fall = r.uniform(0, 6.3), r.uniform(10, 50)
    columns, rows = _coordinates(paper.shape)
    ramp = columns * (math.cos(angle) / width) + rows * (math.sin(angle) / height)
    return paper - ramp * fall


def shadow(paper: np.ndarray, r: Random, banks: Banks) -> np.ndarray:
    """A darker half with a soft straight edge."""
    distance = _oblique(paper.shape, r)
    edge = np.clip(distance * r.uniform(0.05, 0.5) + 0.5, 0, 1)
    return paper * (1 - edge * r.uniform(0.15, 0.5))


def crease(paper: np.ndarray, r: Random, banks: Banks) -> np.ndarray:
    """A fold: a dark and a light line side by side."""
    distance = _oblique(paper.shape, r)
    return paper + r.uniform(15, 50) * distance * np.exp(-np.square(distance) / r.uniform(0.6, 3)) * r.choice((-1, 1))


def glare(paper: np.ndarray, r: Random, banks: Banks) -> np.ndarray:
    """A bright spot in which the ink pales."""
    height, width = paper.shape
    x, y, radius = r.uniform(0, width), r.uniform(0, height), r.uniform(0.5, 1.5) * height
    columns, rows = _coordinates(paper.shape)
    far = (np.square(columns - x) + np.square(rows - y)) / radius**2
    spot = np.exp(-far) * r.uniform(0.3, 0.75)
    return paper + (255 - paper) * spot


def _oblique(shape: tuple[int, ...], r: Random) -> np.ndarray:
    """Signed distance in pixels from a random straight line through the picture."""
    height, width = shape
    angle = r.uniform(0, math.pi)
    x, y = r.uniform(0, width), r.uniform(0, height)
    columns, rows = _coordinates(shape)
    return (columns - x) * math.cos(angle) + (rows - y) * math.sin(angle)


# --- camera, scanner, fax: float32 in and out -------------------------------------------------------------------------


def defocus(picture: np.ndarray, r: Random, banks: Banks) -> np.ndarray:
    """Gaussian blur, sigma 0.3 to 1.5 px at 32 px height."""
    return cv2.GaussianBlur(picture, (0, 0), r.uniform(0.3, 1.5) * picture.shape[0] / 40 + 0.1)


def motion(picture: np.ndarray, r: Random, banks: Banks) -> np.ndarray:
    """The camera moved: blur along a line of 3 to 6 px."""
    size = r.randint(3, 6)
    kernel = np.zeros((size, size), np.float32)
    angle = r.uniform(0, math.pi)
    middle = (size - 1) / 2
    dx, dy = math.cos(angle) * middle, math.sin(angle) * middle
    cv2.line(kernel, (round(middle - dx), round(middle - dy)), (round(middle + dx), round(middle + dy)), 1.0)
    return cv2.filter2D(picture, -1, kernel / kernel.sum())


def box_blur(picture: np.ndarray, r: Random, banks: Banks) -> np.ndarray:
    """Mean of 2 x 2 or 3 x 3 pixels, as cheap rescalers leave it."""
    return cv2.blur(picture, r.choice(((2, 2), (3, 3), (3, 1), (1, 3))))


def noise(picture: np.ndarray, r: Random, banks: Banks) -> np.ndarray:
    """Sensor noise, spread 2 to 22 grey levels."""
    spread = r.uniform(2, 6) * r.choice((1, 1, 2, 3.5))
    return cv2.scaleAdd(Banks.window(banks.noise, picture.shape, r), spread, picture)


def _levelled(picture: np.ndarray) -> np.ndarray:
    """The picture over its paper's brightness, as scanners level it: a word in shadow must not turn all black."""
    paper = cv2.blur(cv2.dilate(picture, _WIDER_THAN_STROKES), (9, 9))
    return np.minimum(cv2.divide(picture, np.maximum(paper, 1), scale=255), 255)


def fax(picture: np.ndarray, r: Random, banks: Banks) -> np.ndarray:
    """Black or white after a noisy threshold, then softened again as a scan of it would be."""
    picture = _levelled(picture)
    low, high, *_ = cv2.minMaxLoc(picture)
    limit = low + (high - low) * r.uniform(0.35, 0.7)
    grainy = cv2.scaleAdd(Banks.window(banks.noise, picture.shape, r), r.uniform(2, 14), picture)
    hard = np.where(grainy > limit, np.float32(r.randint(215, 255)), np.float32(r.randint(0, 70)))
    return cv2.GaussianBlur(hard, (0, 0), r.uniform(0.3, 0.7)) if r.random() < 0.7 else hard


def bilevel(picture: np.ndarray, r: Random, banks: Banks) -> np.ndarray:
    """Scanned to black and white at a high resolution; the loss of resolution that follows makes its edges grey."""
    picture = _levelled(picture)
    low, high, *_ = cv2.minMaxLoc(picture)
    ragged = cv2.scaleAdd(Banks.window(banks.grain, picture.shape, r), r.uniform(0, 0.1 * (high - low)), picture)
    limit = high - (high - low) * r.uniform(0.35, 0.65)
    white, black = r.randint(235, 255), r.randint(0, 40)
    return cv2.threshold(ragged, limit, white - black, cv2.THRESH_BINARY)[1] + np.float32(black)


def photocopy(picture: np.ndarray, r: Random, banks: Banks) -> np.ndarray:
    """Specks of toner on the paper and of paper in the ink."""
    specks = Banks.window(banks.noise, picture.shape, r)
    limit = r.uniform(2.0, 3.0)
    picture = np.where(specks > limit, np.float32(r.randint(0, 110)), picture)
    return np.where(specks < -limit, np.float32(r.randint(180, 255)), picture)


def sharpen(picture: np.ndarray, r: Random, banks: Banks) -> np.ndarray:
    """Unsharp mask, as scanners and phones do it: bright rims around the ink, darker strokes."""
    blurred = cv2.GaussianBlur(picture, (0, 0), r.uniform(0.7, 2.0))
    amount = r.uniform(0.5, 2.5)
    return np.minimum(cv2.addWeighted(picture, 1 + amount, blurred, -amount, 0), 255)


# --- uint8 in and out ------------------------------------------------------------------------------------------------


def jpeg(picture: np.ndarray, r: Random) -> np.ndarray:
    """Saved as JPEG of quality 25 to 90 and read back."""
    _, data = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, r.randint(25, 90)))
    read = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    assert read is not None  # what OpenCV writes it can read
    return read
