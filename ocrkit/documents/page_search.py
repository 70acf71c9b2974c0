"""Where the page lies in a photo: straight edges make quadrilaterals, whose sides are then followed as they bend."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import cv2
import numpy as np

from ocrkit.document import Image
from ocrkit.options import options_class

_SAMPLES = 48  # points along a side
_COARSE_SAMPLES = 24  # the same while hundreds of quadrilaterals are compared
_SPAN = 0.02, 0.98  # of a side, that is looked at: corners are often bent or worn
_REACH_PX = 5.0  # how far from a straight side, inwards and outwards, the colours are compared
_WINDOW_PX = 4  # the same for a side that is followed, where they are means
_STEEPEST = 2  # px by which a side that is followed moves from one point to the next, at most
_STEP_COST = 0.2  # in roots of Lab units, for each of these px
_VISIBLE = 0.2  # share of a side inside the picture that is enough to judge it by
_SIDES_NEEDED = 2  # a page that shows fewer of its sides fills the picture
_HIDDEN_COST = 0.3  # of a side's length, so that a page lying wholly in the picture is preferred
_SUPPORT_FOR_HIDDEN = 0.15  # asked in addition of the sides that are seen, for every side that is not
_CORNER_SPREAD = 0.35  # of a side: how far from a corner its points still say where it is
_LOOSE_PX = 1.0  # points farther than this from a side's curve count less and less


@options_class
class ScanOptions:
    """How a page is told from what it lies on.

    Attributes:
        search_px: the photo's long side while straight edges are searched for.
        follow_px: the same while sides are followed.
        text_px: marks thinner than this are painted over before the search, so that text and rules make no edges; of
            the searched picture.
        lines: strongest straight edges tried in each direction.
        tried: quadrilaterals whose sides are followed.
        bend: how far a side strays from the straight one, of the photo's long side.
        min_area: share of the photo a page covers at least; as much again for every side that is not in the picture.
        min_step: difference in Lab units that tells paper from what lies beside it; twice as much does so surely.
        min_support: how surely, 0 to 1, the sides must be seen on average.
        min_side: how surely each of them must.
        min_corner_deg: sharpest corner a page shows in a photo.
    """

    search_px: int = 400
    follow_px: int = 640
    text_px: int = 13
    lines: int = 8
    tried: int = 8
    bend: float = 0.03
    min_area: float = 0.2
    min_step: float = 7.0
    min_support: float = 0.45
    min_side: float = 0.25
    min_corner_deg: float = 50.0


def find_page(photo: Image, options: ScanOptions = ScanOptions()) -> np.ndarray | None:
    """Corners `(4, 2)` of the page in an upright photo, clockwise from the top-left; `None` if none stands out.

    Straight edges are found where text has been painted over (which would otherwise outshine the paper's edge); every
    two by two of them, and the photo's borders for a page that runs out of the picture, make quadrilaterals, of which
    those are kept whose sides best part two colours. After Dropbox's document scanner (2016), with a plain edge
    detector in place of the learned one. Paper is seldom flat, so the sides of those few are then followed as they
    bend, by dynamic programming; the one wins that parts colours best, and its curves meet in the corners.
    """
    fine = _shrunk(photo, options.follow_px)
    coarse = _shrunk(fine, options.search_px)
    lab = _without_text(coarse, options.text_px)
    if min(lab.shape[:2]) < 4 * options.text_px:
        return None
    quads = _quads(*_straight_edges(lab, options.lines), lab.shape, options)
    support, shown = _support(lab, quads, options.min_step)
    score = _score(quads, support, shown)
    best = np.argsort(-score)[: options.tried]
    best = best[(shown[best] > _VISIBLE).sum(1) >= _SIDES_NEEDED]
    if not len(best):
        return None
    finer = max(fine.shape[:2]) / max(coarse.shape[:2])
    sides = _follow(_without_text(fine, options.text_px), quads[best] * finer, options)
    hidden = (shown[best] <= _VISIBLE) | (sides.shown <= _VISIBLE)
    support = np.where(hidden, 0, sides.support)
    seen = 4 - hidden.sum(1)
    mean = support.sum(1) / np.maximum(seen, 1)
    fits = (
        (seen >= _SIDES_NEEDED)
        & (hidden | (support >= options.min_side)).all(1)
        & (mean >= options.min_support + _SUPPORT_FOR_HIDDEN * (4 - seen))
        & (_areas(quads[best]) >= options.min_area * (5 - seen) * lab.shape[0] * lab.shape[1])
    )
    if not fits.any():
        return None
    score = _score(sides.quads, support, np.where(hidden, 0, sides.shown))
    corners = _corners(sides, int(np.argmax(np.where(fits, score, -np.inf))), hidden, options.min_step)
    return corners * (max(photo.shape[:2]) / max(fine.shape[:2]))


def _shrunk(photo: Image, long_px: int) -> Image:
    """The photo with its long side no longer than `long_px`."""
    height, width = photo.shape[:2]
    scale = long_px / max(height, width)
    if scale >= 1:
        return photo
    return cv2.resize(photo, (ceil(width * scale), ceil(height * scale)), interpolation=cv2.INTER_AREA)


def _without_text(photo: Image, text_px: int) -> np.ndarray:
    """`float32` `(H, W, 3)` Lab of the photo, with thin marks, dark and then light, painted over."""
    rgb = photo if photo.ndim == 3 else cv2.cvtColor(photo, cv2.COLOR_GRAY2RGB)
    kernel = np.ones((text_px, text_px), np.uint8)
    plain = cv2.morphologyEx(cv2.morphologyEx(rgb, cv2.MORPH_CLOSE, kernel), cv2.MORPH_OPEN, kernel)
    return cv2.cvtColor(cv2.GaussianBlur(plain, (5, 5), 0).astype(np.float32) / 255, cv2.COLOR_RGB2Lab)


# --- straight sides ---------------------------------------------------------------------------------------------------


def _straight_edges(lab: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The strongest lines that are rather level, and rather steep, each `(N, 3)` of a, b, c with ax + by = c.

    The picture's own borders are the first two of each.
    """
    height, width = lab.shape[:2]
    channels = np.clip(2 * lab + (0, 128, 128), 0, 255).astype(np.uint8)
    edges = np.max([cv2.Canny(np.ascontiguousarray(channel), 8, 24) for channel in np.moveaxis(channels, 2, 0)], axis=0)
    # Counted coarsely, by 2 px and 2 degrees, the points of a side that bends a little still make one line.
    found = cv2.HoughLines(edges, 2, np.pi / 90, max(20, min(height, width) // 10))
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
    slack = 0.05 * max(height, width)
    inside = ((x > -slack) & (x < width + slack) & (y > -slack) & (y < height + slack)).all(1)
    convex = (sharp > np.sin(np.radians(options.min_corner_deg))).all(1)
    return quads[inside & convex & (_areas(quads) > options.min_area * height * width)]


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


def _areas(quads: np.ndarray) -> np.ndarray:
    """Area in px of each of `(N, 4, 2)`."""
    x, y = quads[..., 0], quads[..., 1]
    return 0.5 * np.abs((x * np.roll(y, -1, 1) - y * np.roll(x, -1, 1)).sum(1))


def _support(lab: np.ndarray, quads: np.ndarray, min_step: float) -> tuple[np.ndarray, np.ndarray]:
    """Of each side `(N, 4)`: how surely what the picture shows of it parts two colours, 0 to 1, and how much it shows.

    A side on the picture's border, or beyond it, is not shown.
    """
    height, width = lab.shape[:2]
    points, outward = _along(quads, _COARSE_SAMPLES)
    colours, shown = [], np.ones(points.shape[:3], bool)
    for side in (-_REACH_PX, _REACH_PX):
        x, y = np.moveaxis(np.round(points + side * outward[:, :, None]).astype(int), -1, 0)
        shown &= (x >= 0) & (x < width) & (y >= 0) & (y < height)
        colours.append(lab[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)])
    return _surely(np.linalg.norm(colours[0] - colours[1], axis=-1), shown, min_step), shown.mean(2)


def _along(quads: np.ndarray, samples: int = _SAMPLES) -> tuple[np.ndarray, np.ndarray]:
    """Points along each side `(N, 4, samples, 2)`, and the unit vectors `(N, 4, 2)` that point outwards there."""
    along = np.roll(quads, -1, axis=1) - quads
    outward = np.stack([along[..., 1], -along[..., 0]], -1) / np.linalg.norm(along, axis=2, keepdims=True)
    return quads[:, :, None] + np.linspace(*_SPAN, samples)[:, None] * along[:, :, None], outward


def _surely(steps: np.ndarray, shown: np.ndarray, min_step: float) -> np.ndarray:
    return (np.minimum(steps / (2 * min_step), 1) * shown).sum(2) / np.maximum(shown.sum(2), 1)


def _score(quads: np.ndarray, support: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """What a side shows counts for its quad, what it should show and does not counts against it, `(N,)`."""
    lengths = np.linalg.norm(np.roll(quads, -1, axis=1) - quads, axis=2)
    return (((2 * support - 1) * shown - _HIDDEN_COST * (1 - shown)) * lengths).sum(1)


# --- sides as they bend -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Sides:
    """The sides of quads `(N, 4, 2)`: how far outwards each point lies of the straight side, and what is seen there."""

    quads: np.ndarray
    offsets: np.ndarray  # (N, 4, _SAMPLES) px
    steps: np.ndarray  # (N, 4, _SAMPLES) difference in Lab units; 0 beyond the picture
    support: np.ndarray  # (N, 4)
    shown: np.ndarray  # (N, 4)


def _follow(lab: np.ndarray, quads: np.ndarray, options: ScanOptions) -> _Sides:
    """The course near each straight side along which the colours inside and outside differ most."""
    height, width = lab.shape[:2]
    points, outward = _along(quads)
    reach = round(options.bend * max(height, width))
    offsets = np.arange(-reach - _WINDOW_PX, reach + _WINDOW_PX + 1)
    places = points[:, :, :, None] + offsets[:, None] * outward[:, :, None, None]
    x, y = np.moveaxis(np.round(places).astype(int), -1, 0)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    colours = lab[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
    sums = np.cumsum(np.pad(colours, [(0, 0)] * 3 + [(1, 0), (0, 0)]), axis=3)
    means = (sums[..., _WINDOW_PX:, :] - sums[..., :-_WINDOW_PX, :]) / _WINDOW_PX
    steps = np.linalg.norm(means[..., : 2 * reach + 1, :] - means[..., _WINDOW_PX + 1 :, :], axis=-1)
    shown = inside[..., : 2 * reach + 1] & inside[..., 2 * _WINDOW_PX :]
    steps *= shown
    # Roots, lest a black bar in the page draw the course to itself; unlike a cap they leave an edge best in its middle.
    course = _best_course(np.sqrt(steps))
    steps, shown = (np.take_along_axis(of, course[..., None], -1)[..., 0] for of in (steps, shown))
    return _Sides(quads, course - reach, steps, _surely(steps, shown, options.min_step), shown.mean(2))


def _best_course(gain: np.ndarray) -> np.ndarray:
    """The index along the last axis for each step along the last but one, smooth and of greatest gain."""
    moves = np.arange(-_STEEPEST, _STEEPEST + 1)
    total, came = gain[..., 0, :], np.zeros(gain.shape, int)
    for i in range(1, gain.shape[-2]):
        around = np.pad(total, [(0, 0)] * (total.ndim - 1) + [(_STEEPEST, _STEEPEST)], constant_values=-np.inf)
        options = np.stack(
            [around[..., _STEEPEST + m : _STEEPEST + m + gain.shape[-1]] - _STEP_COST * abs(m) for m in moves]
        )
        came[..., i, :] = moves[options.argmax(0)]
        total = options.max(0) + gain[..., i, :]
    course = np.empty(gain.shape[:-1], int)
    course[..., -1] = total.argmax(-1)
    for i in range(gain.shape[-2] - 1, 0, -1):
        move = np.take_along_axis(came[..., i, :], course[..., i, None], -1)[..., 0]
        course[..., i - 1] = course[..., i] + move
    return course


def _corners(sides: _Sides, k: int, hidden: np.ndarray, min_step: float) -> np.ndarray:
    """Where the curves of quad `k` meet, `(4, 2)`; where they fly apart, the straight sides' corner is kept."""
    quad = sides.quads[k]
    along = np.roll(quad, -1, axis=0) - quad
    outward = _along(sides.quads[k : k + 1])[1][0]
    at = np.linspace(*_SPAN, _SAMPLES)
    seen = (sides.steps[k] > min_step) & ~hidden[k][:, None]
    farthest = 2 * np.abs(sides.offsets[k]).max() + 1

    def tangent(side: int, end: float, curve: np.ndarray, near: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        share = (near - quad[side]) @ along[side] / (along[side] @ along[side])
        t = np.clip(share, end - 0.1, end + 0.1)
        point = quad[side] + t * along[side] + np.polyval(curve, t) * outward[side]
        return point, along[side] + np.polyval(np.polyder(curve), t) * outward[side]

    corners = quad.copy()
    for this in range(4):
        ends = [
            (side, end, _curve(at, sides.offsets[k, side], seen[side], end)) for side, end in ((this - 1, 1), (this, 0))
        ]
        meeting = quad[this]
        for _ in range(4):  # tangents near where the last ones met
            (a, a_way), (b, b_way) = (tangent(*end, meeting) for end in ends)
            meeting = a + a_way * np.linalg.solve(np.stack([a_way, -b_way], axis=1), b - a)[0]
        if np.linalg.norm(meeting - quad[this]) < farthest:
            corners[this] = meeting
    return corners


def _curve(at: np.ndarray, offsets: np.ndarray, seen: np.ndarray, end: float) -> np.ndarray:
    """Parabola through a side's points near its `end` (0 or 1), those astray counting little; coefficients `(3,)`."""
    near = np.exp(-0.5 * ((at - end) / _CORNER_SPREAD) ** 2)
    curve = np.zeros(3)
    if seen.sum() < 3:
        return curve
    for _ in range(5):
        astray = np.maximum(np.abs(np.polyval(curve, at) - offsets), _LOOSE_PX)
        curve = np.polyfit(at, offsets, 2, w=np.sqrt(near * seen / astray))
    return curve
