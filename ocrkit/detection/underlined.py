"""Commas that touch the line below their word: one piece of ink, which would be a word of its own."""

from __future__ import annotations

import cv2
import numpy as np

from ocrkit.detection.options import DetectorOptions
from ocrkit.detection.pairs import of_those
from ocrkit.detection.regions import Regions, stroke_map

_ASPECT = 2.0  # width of a line over its height with a comma, at least
_PAD = 2  # px of paper around a crop


def without_underlines(regions: Regions, ink: np.ndarray, height_px: float, options: DetectorOptions) -> Regions:
    """The regions, each short line below a word that marks stand on as these marks alone.

    Longer lines are rules already, see `underline_map`.

    Args:
        regions: of `ink`.
        ink: `uint8` mask.
        height_px: of the page's typical letter.
        options: those of underlines, `min_letter` and `min_area`.
    """
    least, most = options.marked_underline
    low = (regions.heights <= most * height_px) & (regions.widths >= least * height_px)
    low &= regions.widths >= _ASPECT * regions.heights
    lines, boxes, area, contrast = [], [], [], []
    for i in np.flatnonzero(low).tolist():
        if not _has_word(regions.boxes[i], regions.boxes, height_px, options):
            continue
        x0, y0 = np.floor(regions.boxes[i, :2]).astype(int)
        x1, y1 = np.ceil(regions.boxes[i, 2:]).astype(int)
        own = _largest(ink[y0:y1, x0:x1])
        rest = _on_line(own, options)
        edges = np.flatnonzero(np.diff(rest.any(0), prepend=False, append=False))
        for start, end in edges.reshape(-1, 2).tolist():
            rows = np.flatnonzero(rest[:, start:end].any(1))
            foot = np.flatnonzero(own[:, start:end].any(1))[-1] + 1  # of a tail that crosses the line
            if (count := int(rest[:, start:end].sum())) >= options.min_area:
                lines.append(i)
                boxes.append([x0 + start, y0 + rows[0], x0 + end, y0 + foot])
                area.append(count)
                contrast.append(regions.contrast[i])
    if not lines:
        return regions
    marks = Regions(np.array(boxes, float), np.array(area, float), np.array(contrast))
    return regions[~of_those(len(regions), np.array(lines))] + marks


def _has_word(line: np.ndarray, boxes: np.ndarray, height_px: float, options: DetectorOptions) -> bool:
    """Whether letters stand closely above most of a `line`, `(4,)` px."""
    x0, y0, x1, y1 = line
    left, top, right, foot = boxes.T
    above = (left >= x0 - 1) & (right <= x1 + 1) & (foot - top >= options.min_letter * height_px)
    above &= (foot > y0 - options.underlined_gap * height_px) & (top < y0) & (foot < y1)
    return bool((right - left)[above].sum() >= options.underlined_letters * (x1 - x0))


def _largest(ink: np.ndarray) -> np.ndarray:
    """The piece of `ink` with the largest box, which is its region's, as a mask; others are the feet of letters."""
    _, parts, found, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    return parts == 1 + int(found[1:, 2:4].prod(1).argmax())


def _on_line(own: np.ndarray, options: DetectorOptions) -> np.ndarray:
    """What of a piece of ink stands on the level line that it is but for that; nothing where it is no such line."""
    around = np.pad(own, _PAD).astype(np.uint8) * 255
    line = stroke_map(around, round(options.underline_cover * own.shape[1]) | 1, along=0)[_PAD:-_PAD, _PAD:-_PAD] > 0
    rest = own & ~line
    least, most = options.underline_cover, options.marked_share
    whole = (own & line).any(0).mean() >= least and rest.any(0).mean() <= most
    return rest if whole else np.zeros_like(rest)
