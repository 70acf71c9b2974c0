"""Crops of any size -> batches of a few fixed shapes, the same in training and reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ocrkit.document import Image
from ocrkit.errors import BadImage

HEIGHT = 32
# Few widths, so that runtimes plan few shapes; multiples of 32, so that every stride divides them.
WIDTHS = (32, 64, 96, 128, 160, 192, 256, 320, 384, 512)
BATCH_PX = 2048  # width of a batch's pictures; of larger ones a processor's caches hold too little
_LEAST_CONTRAST = 40  # grey levels; a flatter crop is not stretched further, so that blank paper stays blank


def fit(crop: Image) -> Image:
    """`crop` as grey, `HEIGHT` px high, its contrast stretched, aspect ratio kept up to the widest bucket.

    Args:
        crop: `uint8` `(H, W)` or `(H, W, 3)`, at least 1 x 1 px.

    Returns:
        `uint8` `(HEIGHT, width)`, width 4 to `WIDTHS[-1]`.

    Raises:
        BadImage: an array of another type or shape, or without pixels.
    """
    wide = fitted_width(crop)
    if crop.ndim == 3:
        crop = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    height, width = crop.shape
    shrinking = height > HEIGHT or wide < width
    fitted = cv2.resize(crop, (wide, HEIGHT), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR)
    low, high, _, _ = cv2.minMaxLoc(fitted)
    gain = 255.0 / max(high - low, _LEAST_CONTRAST)
    return cv2.convertScaleAbs(fitted, alpha=gain, beta=-low * gain) if gain > 1.02 else fitted


def fitted_width(crop: Image) -> int:
    """How wide `fit` makes a crop, px.

    Raises:
        BadImage: see `fit`.
    """
    if crop.dtype != np.uint8 or crop.ndim not in (2, 3) or crop.size == 0 or (crop.ndim == 3 and crop.shape[2] != 3):
        raise BadImage(f"A word crop is uint8, (H, W) or (H, W, 3), not empty; this one is {crop.dtype} {crop.shape}.")
    height, width = crop.shape[:2]
    return min(max(round(width * HEIGHT / height), 4), WIDTHS[-1])


def bucket_of(width: int, widths: Sequence[int] = WIDTHS) -> int:
    """The narrowest of `widths`, which ascend, that holds `width` px."""
    return next(bucket for bucket in widths if bucket >= width)


def pad(fitted: Image, width: int, out: np.ndarray) -> None:
    """Write `fitted` into `out` `(HEIGHT, width)`, the rest filled with the paper's level at the crop's right edge."""
    used = fitted.shape[1]
    out[:, :used] = fitted
    if used < width:
        # The median; np.median takes ten times as long.
        edge = np.sort(fitted[:, -2:], axis=None)
        out[:, used:] = (int(edge[HEIGHT - 1]) + int(edge[HEIGHT])) // 2


@dataclass(frozen=True, eq=False)
class Batch:
    """Crops of one bucket.

    Attributes:
        pictures: `uint8` `(N, HEIGHT, width)`.
        rows: where each crop stands in the sequence given, `(N,)`.
        scales: px of the picture per px of the crop, horizontally, `(N,)`.
    """

    pictures: np.ndarray
    rows: np.ndarray
    scales: np.ndarray


def batches(crops: Sequence[Image], most_px: int = BATCH_PX) -> list[Batch]:
    """All crops, bucketed by width; see `planned_batches`.

    Raises:
        BadImage: see `fit`.
    """
    return [batch_of(crops, rows, width) for rows, width in planned_batches(crops, most_px)]


def planned_batches(crops: Sequence[Image], most_px: int) -> list[tuple[list[int], int]]:
    """The rows and the width in px of each batch, narrow ones first.

    Args:
        crops: see `fit`.
        most_px: width of all pictures of a batch, at most, unless one alone is wider.

    Raises:
        BadImage: see `fit`.
    """
    by_bucket: dict[int, list[int]] = {}
    for row, crop in enumerate(crops):
        by_bucket.setdefault(bucket_of(fitted_width(crop)), []).append(row)
    planned = []
    for width in sorted(by_bucket):
        rows = by_bucket[width]
        size = max(1, most_px // width)
        planned += [(rows[start : start + size], width) for start in range(0, len(rows), size)]
    return planned


def batch_of(crops: Sequence[Image], rows: Sequence[int], width: int) -> Batch:
    """Those of the crops whose `rows` are given, as pictures of one `width` in px."""
    pictures, scales = np.empty((len(rows), HEIGHT, width), np.uint8), np.empty(len(rows))
    for number, row in enumerate(rows):
        fitted = fit(crops[row])
        pad(fitted, width, pictures[number])
        scales[number] = fitted.shape[1] / crops[row].shape[1]
    return Batch(pictures, np.array(rows), scales)
