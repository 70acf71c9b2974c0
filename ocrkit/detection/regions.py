"""Pixels -> regions: connected pieces of ink, dark on light and light on dark."""

from __future__ import annotations

from dataclasses import dataclass, replace

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


def with_contrast(regions: Regions, grey: Image, ink: np.ndarray, ring_px: int) -> Regions:
    """The same regions, with the contrast of their ink to the paper in them and within `ring_px` around them."""
    inner = regions.boxes.astype(int)
    outer = np.clip(inner + ring_px * np.array([-1, -1, 1, 1]), 0, np.tile(grey.shape[::-1], 2))
    of_ink = cv2.bitwise_and(grey, ink)
    number, dark, all_ = cv2.integral(ink), cv2.integral(of_ink), cv2.integral(grey)
    ink_level = _sum(dark, inner) / np.maximum(_sum(number, inner) / 255, 1)
    size = (outer[:, 2] - outer[:, 0]) * (outer[:, 3] - outer[:, 1])
    paper_level = (_sum(all_, outer) - _sum(dark, outer)) / np.maximum(size - _sum(number, outer) / 255, 1)
    return replace(regions, contrast=paper_level - ink_level)


def _sum(integral: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    x0, y0, x1, y1 = boxes.T
    return (integral[y1, x1] - integral[y0, x1] - integral[y1, x0] + integral[y0, x0]).astype(float)


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
    """The connected components of `ink` (8 neighbours)."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8, ltype=cv2.CV_32S)
    x, y, width, height, area = stats[1:].T.astype(float)
    return Regions(np.stack([x, y, x + width, y + height], 1), area, np.zeros(len(area)))


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
