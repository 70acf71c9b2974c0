"""Halftone: the dots that a screened tint consists of, made grey again, or they would pass for letters.

Of tints around half of ink; the dots of lighter ones are told from print by their size.
"""

from __future__ import annotations

import cv2
import numpy as np

from ocrkit.document import Image
from ocrkit.options import options_class


@options_class
class ScreenOptions:
    """When an area is taken for a screened tint.

    Attributes:
        step: grey levels; from one pixel to the next, where a dot begins or ends.
        steps: share of the pixels of an area where one does, both across and down, at least; small print has up to 0.3.
        window_px: side of the area that is looked at.
        blur_px: sigma by which dots become a tint.
        least_share: of the page that is screened, below which it is left as it is.
    """

    step: int = 60
    steps: float = 0.34
    window_px: int = 25
    blur_px: float = 2.0
    least_share: float = 0.003


def unscreened(grey: Image, options: ScreenOptions) -> Image:
    """`grey` with its screened areas as tints; the same image where there are none."""
    few = grey[: len(grey) // 8 * 8].reshape(-1, 8, grey.shape[1])[:, :2]  # a pair of rows of every eight
    dotted = np.abs(np.diff(few[:, 0].astype(np.int16), axis=1)) > options.step
    if dotted.mean() < options.steps * options.least_share:
        return grey
    areas: np.ndarray = np.full(grey.shape, np.uint8(255))
    for way in (0, 1):
        steps = np.zeros_like(grey)
        ahead, behind = (grey[1:], grey[:-1]) if way else (grey[:, 1:], grey[:, :-1])
        spot = (slice(1, None), slice(None)) if way else (slice(None), slice(1, None))
        steps[spot] = cv2.threshold(cv2.absdiff(ahead, behind), options.step, 255, cv2.THRESH_BINARY)[1]
        share = cv2.blur(steps, (options.window_px, options.window_px))
        areas = cv2.bitwise_and(areas, cv2.threshold(share, 255 * options.steps, 255, cv2.THRESH_BINARY)[1])
    if cv2.countNonZero(areas) < options.least_share * areas.size:
        return grey
    # Letters on a tint interrupt it.
    areas = cv2.morphologyEx(areas, cv2.MORPH_CLOSE, np.ones((1, 3 * options.window_px), np.uint8))
    areas = cv2.dilate(areas, np.ones((options.window_px // 2, options.window_px), np.uint8))
    return np.where(areas > 0, cv2.GaussianBlur(grey, (0, 0), options.blur_px), grey)
