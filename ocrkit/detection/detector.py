"""The detector as a whole: a page in, lines of word boxes out."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ocrkit.detection.lines import string_lines
from ocrkit.detection.options import DetectorOptions
from ocrkit.detection.prune import prune
from ocrkit.detection.regions import ink_map, ink_regions, letter_height, measured_regions, rule_map
from ocrkit.detection.words import line_heights, split_words
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
    if cv2.mean(grey)[0] < options.dark_surround:  # a dark page: its negative has the usual dark text
        grey = cv2.bitwise_not(grey)
    page, scale, height = to_text_scale(grey, options)
    dark = _detect_dark(page, ink_map(page, options), height, options)
    negative = cv2.bitwise_not(page)
    light = _detect_dark(negative, ink_map(negative, options, options.dark_surround), height, options)
    words = _richer(dark, light)
    edges = np.tile(grey.shape[::-1], 2)
    return [DetectedLine(np.clip(words.boxes[of] / scale, 0, edges)) for of in _groups(words.line)]


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
    rules = rule_map(ink, round(options.rule_length * 3 * options.max_text_px), round(options.max_text_px / 2))
    return letter_height(ink_regions(cv2.subtract(ink, rules)), options)


def _resize(grey: Image, scale: float) -> Image:
    if scale == 1:
        return grey
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(grey, None, fx=scale, fy=scale, interpolation=how)


@dataclass(frozen=True, eq=False)
class _Words:
    boxes: np.ndarray  # (N, 4) px
    line: np.ndarray  # (N,) number of the line, rising
    letters: np.ndarray  # (N,) number of letters or pieces of letters

    def __getitem__(self, keep: np.ndarray) -> _Words:
        return _Words(self.boxes[keep], self.line[keep], self.letters[keep])


_NO_WORDS = _Words(np.zeros((0, 4)), np.zeros(0, int), np.zeros(0, int))


def _detect_dark(grey: Image, ink: np.ndarray, height: float, options: DetectorOptions) -> _Words:
    if not height:
        return _NO_WORDS
    ink &= ~rule_map(ink, round(options.rule_length * height), round(options.rule_thickness * height))
    regions = measured_regions(grey, ink, max(2, round(height / 3)))
    regions, letter = prune(regions, height, options)
    if not letter.any():
        return _NO_WORDS
    line = string_lines(regions.boxes, letter, height, options)
    on_line = line >= 0
    boxes, letter, line = regions.boxes[on_line], letter[on_line], np.unique(line[on_line], return_inverse=True)[1]
    word = split_words(boxes, letter, line, options)
    order = np.argsort(word, kind="stable")
    first = np.flatnonzero(np.diff(word[order], prepend=-1))
    around = np.hstack([np.minimum.reduceat(boxes[order, :2], first), np.maximum.reduceat(boxes[order, 2:], first)])
    of_line = line[order][first]
    margin = options.margin * line_heights(boxes, letter, line)[of_line, None]
    letters = np.bincount(word, letter).astype(int)
    return _Words(around + margin * [-1, -1, 1, 1], of_line, letters)[letters > 0]


def _richer(dark: _Words, light: _Words) -> _Words:
    """Both polarities' words; of two that lie on each other, the one of more letters.

    The holes of dark letters look like light letters, and the ground between light letters like dark ones.
    """
    width, height = (
        np.minimum(dark.boxes[:, None, 2 + axis], light.boxes[:, 2 + axis])
        - np.maximum(dark.boxes[:, None, axis], light.boxes[:, axis])
        for axis in (0, 1)
    )
    clash = (width > 0) & (height > 0)
    lost = clash & (light.letters > dark.letters[:, None])
    dark, light = dark[~lost.any(1)], light[~(clash & ~lost).any(0)]
    return _Words(
        np.concatenate([dark.boxes, light.boxes]),
        np.concatenate([dark.line, light.line + dark.line.max(initial=-1) + 1]),
        np.concatenate([dark.letters, light.letters]),
    )


def _groups(labels: np.ndarray) -> list[np.ndarray]:
    """Indices of the entries of each run of equal `labels`."""
    return np.split(np.arange(len(labels)), np.flatnonzero(np.diff(labels)) + 1) if len(labels) else []
