"""The detector as a whole: a page in, lines of word boxes out."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ocrkit.detection.lines import string_lines
from ocrkit.detection.options import DetectorOptions
from ocrkit.detection.prune import prune
from ocrkit.detection.regions import ink_map, ink_regions, letter_height, measured_regions, rule_map
from ocrkit.detection.settle import settle
from ocrkit.detection.words import Words, split_words
from ocrkit.document import Image


@dataclass(frozen=True, eq=False)
class DetectedLine:
    """The words of one line.

    Attributes:
        boxes: `(N, 4)` px, from left to right.
    """

    boxes: np.ndarray


def detect(image: Image, options: DetectorOptions = DetectorOptions()) -> list[DetectedLine]:
    """Where the words are, line by line; the lines come in no order that means anything.

    Args:
        image: `uint8`, `(H, W)` grey or `(H, W, 3)` RGB; upright, any size.
        options: thresholds.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 else image
    if is_negative(grey, options):
        grey = cv2.bitwise_not(grey)
    page, scale, height = to_text_scale(grey, options)
    dark = _dark_words(page, ink_map(page, options), height, options)
    # Light text stands on ground that is darker than the page by far.
    negative, least_paper = cv2.bitwise_not(page), 255 - options.dark_ground * float(np.median(page[::4, ::4]))
    light = _dark_words(negative, ink_map(negative, options, least_paper), height, options)
    words = settle(dark + light, height, options)
    edges = np.tile(grey.shape[::-1], 2)
    return [DetectedLine(np.clip(words.boxes[of] / scale, 0, edges)) for of in _groups(words.line)]


def is_negative(grey: Image, options: DetectorOptions) -> bool:
    """Whether the page as a whole is light print on dark ground.

    Print covers less than its ground, so it lies further from the mean of its surroundings, and on its own side of it:
    the third moment of what differs from the local mean tells the side.
    """
    if cv2.mean(grey)[0] >= 128:
        return False
    window = (options.window_px, options.window_px)
    paper = cv2.blur(grey, window, borderType=cv2.BORDER_REPLICATE)
    return bool(np.mean((grey[::4, ::4].astype(float) - paper[::4, ::4]) ** 3) > 0)


def to_text_scale(grey: Image, options: DetectorOptions) -> tuple[Image, float, float]:
    """The page resized so that its letters have a height the thresholds are made for.

    Returns:
        The resized page, the factor applied, and the height in px of its typical letter (0 without any).
    """
    scale = min(1.0, (options.max_pixels / grey.size) ** 0.5)
    page = _resize(grey, scale)
    height = _height(page, options)
    # Letters much larger than the window fall to pieces, so their height shows only once they have shrunk.
    while height > 1.1 * options.max_text_px:
        scale *= options.max_text_px / height
        page = _resize(grey, scale)
        height = _height(page, options)
    if 0 < height < options.min_text_px and scale == 1:
        page, scale, height = _resize(grey, 2.0), 2.0, 2 * height
    return page, scale, height


def _height(page: Image, options: DetectorOptions) -> float:
    ink = ink_map(page, options)
    height = letter_height(ink_regions(ink), options)
    if not height:  # every letter touches a rule
        rules = rule_map(ink, round(options.rule_length * options.max_text_px), round(options.max_text_px / 2))
        height = letter_height(ink_regions(cv2.subtract(ink, rules)), options)
    return height


def _resize(grey: Image, scale: float) -> Image:
    if scale == 1:
        return grey
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(grey, None, fx=scale, fy=scale, interpolation=how)


def _dark_words(grey: Image, ink: np.ndarray, height: float, options: DetectorOptions) -> Words:
    if cv2.countNonZero(ink) <= height**2:  # less than a letter or two
        return Words.none()
    ink &= ~rule_map(ink, round(options.rule_length * height), round(options.rule_thickness * height))
    regions = measured_regions(grey, ink, max(2, round(height / 3)))
    regions, letter = prune(regions, height, options)
    if not letter.any():
        return Words.none()
    line = string_lines(regions.boxes, letter, height, options)
    return split_words(regions.boxes, letter, line, options)


def _groups(labels: np.ndarray) -> list[np.ndarray]:
    """Indices of the entries of each run of equal `labels`."""
    return np.split(np.arange(len(labels)), np.flatnonzero(np.diff(labels)) + 1) if len(labels) else []
