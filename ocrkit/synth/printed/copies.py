"""How a printed page gets into the computer: as it is, scanned, faxed, photocopied, or saved as JPEG."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import cv2
import numpy as np

from ocrkit.datasets import LabelledPage
from ocrkit.document import Image
from ocrkit.images import to_grey
from ocrkit.synth.camera import ScannerOptions, copy

_SCAN = ScannerOptions(bilevel=0, faded=0, dirt=0.2, jpeg=0.5)
_COPY = ScannerOptions(bilevel=0, faded=0, dirt=0.6, jpeg=0.3, blur_px=1.0)
# Ranks of a clustered dot, by which greys become dots of more or less ink (Ulichney, "Digital Halftoning", 1987).
_DOT = np.array([[12, 5, 6, 13], [4, 0, 1, 7], [11, 3, 2, 8], [15, 10, 9, 14]], np.float32) / 16


def _screened(grey: Image, depth: float) -> Image:
    """The page with its mid-tones as dots, the darker the larger, by `depth` 0 to 1; black and white stay."""
    height, width = grey.shape
    dots = np.tile(_DOT, (-(-height // 4), -(-width // 4)))[:height, :width]
    printed = np.where(grey / 255 > 0.08 + 0.84 * (1 - dots), 255, 0)
    tone = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    middle = (tone > 70) & (tone < 245) & (grey > 70)
    mixed = grey + depth * (printed - grey.astype(np.float32))
    return np.where(middle, mixed, grey).astype(np.uint8)


def clean(page: LabelledPage, r: Random) -> LabelledPage:
    """As it was set, at times in grey."""
    return page if r.random() < 0.7 else replace(page, pixels=to_grey(page.image()))


def scanned(page: LabelledPage, r: Random) -> LabelledPage:
    """A little askew and blurred, in grey, with noise."""
    return copy(page, r, _SCAN)


def faxed(page: LabelledPage, r: Random) -> LabelledPage:
    """Black and white; tints become dots."""
    grey = _screened(to_grey(page.image()), 1.0)
    return copy(replace(page, pixels=grey), r, ScannerOptions(bilevel=1, faded=0, dirt=0.3, blur_px=0.5, noise=4))


def photocopied(page: LabelledPage, r: Random) -> LabelledPage:
    """More contrast, thicker or thinner strokes, dots for tints, dirt."""
    grey = to_grey(page.image())
    if r.random() < 0.5:
        grey = _screened(grey, r.uniform(0.4, 1))
    strength = r.uniform(0.3, 0.8)
    worn = (cv2.erode if r.random() < 0.6 else cv2.dilate)(grey, np.ones((2, 2), np.uint8))
    mixed = cv2.addWeighted(grey, 1 - strength, worn, strength, 0)
    steep = np.clip((np.arange(256) - 128) * r.uniform(1.1, 1.6) + 140, 0, 255).astype(np.uint8)
    return copy(replace(page, pixels=cv2.LUT(mixed, steep)), r, _COPY)


def jpeg(page: LabelledPage, r: Random) -> LabelledPage:
    """As it was set, saved with loss."""
    picture = cv2.cvtColor(page.image(), cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, r.randint(25, 70)))
    return replace(page, pixels=cv2.cvtColor(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB))


COPIES: dict[str, Callable[[LabelledPage, Random], LabelledPage]] = {
    "clean": clean,
    "scanned": scanned,
    "faxed": faxed,
    "photocopied": photocopied,
    "jpeg": jpeg,
}
# The resolutions each is found at, px an inch.
RESOLUTIONS = {
    "clean": (100, 300),
    "scanned": (150, 300),
    "faxed": (200, 200),
    "photocopied": (150, 300),
    "jpeg": (100, 200),
}
