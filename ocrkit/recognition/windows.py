"""Crops wider than the network's widest bucket: seen in overlapping windows, as squeezing would spoil their letters."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ocrkit.document import Image
from ocrkit.recognition.network import STRIDE_PX
from ocrkit.recognition.preprocess import HEIGHT, WIDTHS, fitted_width

_WINDOW_PX = 384  # all at HEIGHT
_OVERLAP_PX = 128  # of neighbouring windows, half of which each gives up: at its ends a window lacks context
_WIDEST_PX = 8192
_GIVEN_UP = _OVERLAP_PX // 2 // STRIDE_PX  # steps


def is_wide(crop: Image) -> bool:
    """Whether a crop, `HEIGHT` px high, is wider than the widest bucket, and not as thin as only a rule is.

    Raises:
        BadImage: see `fit`.
    """
    return fitted_width(crop) == WIDTHS[-1] and WIDTHS[-1] < _width(crop) <= _WIDEST_PX


def windows(crop: Image) -> list[Image]:
    """A wide crop from left to right, in windows `HEIGHT` px high."""
    how = cv2.INTER_AREA if crop.shape[0] > HEIGHT else cv2.INTER_LINEAR
    line = cv2.resize(crop, (_width(crop), HEIGHT), interpolation=how)
    starts = range(0, line.shape[1] - _OVERLAP_PX, _WINDOW_PX - _OVERLAP_PX)
    return [line[:, start : start + _WINDOW_PX] for start in starts]


def joined(outputs: Sequence[np.ndarray]) -> np.ndarray:
    """The network's outputs `(T, classes)` for each window of a crop as those for the whole crop."""
    ends = [_WINDOW_PX // STRIDE_PX - _GIVEN_UP] * (len(outputs) - 1) + [None]
    return np.concatenate([seen[_GIVEN_UP * (i > 0) : end] for i, (seen, end) in enumerate(zip(outputs, ends))])


def _width(crop: Image) -> int:
    return round(crop.shape[1] * HEIGHT / crop.shape[0])
