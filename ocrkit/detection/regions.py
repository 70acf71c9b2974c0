"""Pixels -> regions: connected pieces of ink, dark on light and light on dark."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ocrkit.detection.options import DetectorOptions
from ocrkit.document import Image


@dataclass(frozen=True, eq=False)
class Regions:
    """Candidates for letters.

    Attributes:
        boxes: `(N, 4)` px.
        area: `(N,)` px of ink in each.
        contrast: `(N,)` grey levels between the ink and the paper around it.
    """

    boxes: np.ndarray
    area: np.ndarray
    contrast: np.ndarray

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, keep: np.ndarray) -> Regions:
        return Regions(self.boxes[keep], self.area[keep], self.contrast[keep])

    @property
    def heights(self) -> np.ndarray:
        """`(N,)` px."""
        return self.boxes[:, 3] - self.boxes[:, 1]

    @property
    def widths(self) -> np.ndarray:
        """`(N,)` px."""
        return self.boxes[:, 2] - self.boxes[:, 0]


def ink_map(grey: Image, options: DetectorOptions, least_paper: float = 0) -> np.ndarray:
    """`uint8` mask, 255 where `grey` is darker than its surroundings by `contrast` grey levels.

    Only where the surroundings have at least `least_paper` grey levels.
    """
    window = (options.window_px, options.window_px)
    paper = cv2.blur(grey, window, borderType=cv2.BORDER_REPLICATE)
    ink = np.where(cv2.subtract(paper, grey) > options.contrast, np.uint8(255), np.uint8(0))
    if least_paper:
        ink[paper < least_paper] = 0
    return ink


def rule_map(ink: np.ndarray, length_px: int, thickness_px: int) -> np.ndarray:
    """The part of `ink` on straight horizontal or vertical strokes of at least `length_px`, thinner than `thickness_px`.

    Table rules and underlines; not the ground of light print, which is as straight and long, but thick.
    """
    rules = np.zeros_like(ink)
    for along in (0, 1):
        # One pixel of slack across the stroke lets a slightly skewed rule pass as straight.
        stroke = cv2.dilate(ink, _bar(3, 1 - along))
        stroke = cv2.morphologyEx(stroke, cv2.MORPH_OPEN, _bar(length_px, along))
        thick = cv2.morphologyEx(stroke, cv2.MORPH_OPEN, _bar(thickness_px + 2, 1 - along))
        rules |= cv2.subtract(stroke, thick)
    return rules & ink


def _bar(length_px: int, axis: int) -> np.ndarray:
    return np.ones((1, length_px) if axis == 0 else (length_px, 1), np.uint8)


def ink_regions(ink: np.ndarray) -> Regions:
    """The connected components of `ink` (8 neighbours), in whole pixels and with no contrast measured."""
    return _components(ink)[1]


def measured_regions(grey: Image, ink: np.ndarray, ring_px: int) -> Regions:
    """The connected components of `ink` with their contrast to the paper in them and within `ring_px` around them.

    Their left and right sides are found to a part of a pixel, as a column that is half as dark as the ink is half
    covered by it: in tiny print two letters stand a pixel apart and two words three.
    """
    labels, regions = _components(ink)
    at = np.flatnonzero(ink)
    region, level, column = labels.ravel()[at] - 1, grey.ravel()[at], at % ink.shape[1]
    ink_level = np.bincount(region, level, len(regions)) / np.maximum(regions.area, 1)

    ring = regions.boxes.astype(int) + ring_px * np.array([-1, -1, 1, 1])
    ring = np.clip(ring, 0, np.tile(ink.shape[::-1], 2))
    size = (ring[:, 2] - ring[:, 0]) * (ring[:, 3] - ring[:, 1])
    paper = cv2.bitwise_and(grey, cv2.bitwise_not(ink))
    paper_level = _sum(cv2.integral(paper), ring) / np.maximum(size - _sum(cv2.integral(ink), ring) / 255, 1)
    contrast = paper_level - ink_level

    boxes = regions.boxes.copy()
    for side, outermost in ((0, boxes[:, 0]), (2, boxes[:, 2] - 1)):
        edge = column == outermost[region]
        darkest = np.full(len(regions), 255.0)
        np.minimum.at(darkest, region[edge], level[edge])
        bare = 1 - np.clip((paper_level - darkest) / np.maximum(contrast, 1), 0, 1)
        boxes[:, side] += bare if side == 0 else -bare
    return Regions(boxes, regions.area, contrast)


def _components(ink: np.ndarray) -> tuple[np.ndarray, Regions]:
    # The default algorithm takes more than twice as long.
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(ink, 8, cv2.CV_32S, cv2.CCL_BBDT)
    x, y, width, height, area = stats[1:].T.astype(float)
    return labels, Regions(np.stack([x, y, x + width, y + height], 1), area, np.zeros(len(area)))


def _sum(integral: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    x0, y0, x1, y1 = boxes.T
    return (integral[y1, x1] - integral[y0, x1] - integral[y1, x0] + integral[y0, x0]).astype(float)


def letter_height(regions: Regions, options: DetectorOptions) -> float:
    """Height in px of the page's typical letter: half of the print, by its width, is lower. 0 for a page without any."""
    heights, widths = regions.heights, regions.widths
    filled = regions.area > 0.15 * heights * widths  # frames are not
    likely = filled & (regions.area >= 2 * options.min_area) & (heights >= 4) & (widths < 4 * heights)
    if not likely.any():
        return 0.0
    heights, weights = heights[likely], regions.widths[likely]
    order = np.argsort(heights, kind="stable")
    reached = np.cumsum(weights[order])
    return float(heights[order][np.searchsorted(reached, reached[-1] / 2)])
