"""Tall pages, such as web pages and chats saved as one: looked at in bands, each as large as another page."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import cv2

from ocrkit.detection.options import DetectorOptions
from ocrkit.document import Image

_BLANK = 0.005  # of the page's width; a cut is made in the middle of so many rows with the least ink


@dataclass(frozen=True)
class Band:
    """Rows of a page, in px from its top.

    Attributes:
        start: the first one whose words are looked for.
        end: the first one behind them.
        top: the first one that is looked at: lines near a cut are seen whole.
        bottom: the first one behind these.
    """

    start: int
    end: int
    top: int
    bottom: int


def bands(grey: Image, options: DetectorOptions) -> list[Band]:
    """The bands of a page `(H, W)` from its top to its foot, cut between lines where there is room; most have one."""
    height, width = grey.shape
    number = 1
    if height > options.longest_aspect * width:
        number = max(1, ceil(height / max(options.max_pixels / width, options.band_aspect * width)))
    beyond = round(options.band_beyond * width)
    cuts = [0, *(_cut(grey, height * i // number, beyond // 2) for i in range(1, number)), height]
    return [Band(start, end, max(start - beyond, 0), min(end + beyond, height)) for start, end in pairwise(cuts)]


def _cut(grey: Image, row: int, reach: int) -> int:
    """The row, no more than `reach` px from `row`, that crosses the fewest edges of letters."""
    near = grey[row - reach : row + reach]
    edges = cv2.absdiff(near[:, 1:], near[:, :-1]).mean(1)
    rows = max(1, round(_BLANK * grey.shape[1]))
    return row - reach + int(cv2.blur(edges[:, None], (1, rows)).argmin())
