"""Regions -> letters and punctuation: what cannot be text leaves before anything costly is done with it."""

from __future__ import annotations

import numpy as np

from ocrkit.detection.options import DetectorOptions
from ocrkit.detection.regions import Regions


def prune(regions: Regions, height_px: float, options: DetectorOptions) -> tuple[Regions, np.ndarray]:
    """The regions that may be text, and a `(N,)` mask of those of them that are as high as letters.

    The others are dots, commas, dashes and accents: they join a line but never start one.
    """
    heights, widths = regions.heights, regions.widths
    clear = (regions.area >= options.min_area) & (regions.contrast >= options.min_surround)
    fits = (heights <= options.max_letter * height_px) & (widths <= options.max_width * height_px)
    solid = regions.area > 0.6 * heights * widths
    blot = solid & (np.minimum(heights, widths) > 1.6 * height_px)
    letter = heights >= options.min_letter * height_px
    mark = ~letter & (widths <= 1.5 * height_px) & (np.maximum(heights, widths) >= 0.12 * height_px)
    keep = clear & fits & ~blot & (letter | mark)
    if keep.sum() > options.max_letters:
        keep &= regions.contrast > np.partition(regions.contrast[keep], -options.max_letters)[-options.max_letters]
    return regions[keep], letter[keep]
