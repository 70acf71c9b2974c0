"""Arrays of any kind of number as images, and images turned as EXIF says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ocrkit.document import Image
from ocrkit.errors import BadImage
from ocrkit.images.page import check_size, no_memory

_FULL_SCALES = (1, 255, 4095, 65535)  # of shares, and of 8-, 12- and 16-bit samples
_OVERSHOOT = 1.5  # times the full scale that floats may reach, as after a cubic resize or a filter
_BRIGHT = 0.999  # of the pixels are no brighter than what tells the scale: some may be hot

# EXIF orientation -> what makes the stored pixels upright, and what undoes that.
UPRIGHT: dict[int, tuple[Callable[[Image], Image], Callable[[Image], Image]]] = {
    2: (np.fliplr, np.fliplr),
    3: (lambda a: np.rot90(a, 2), lambda a: np.rot90(a, 2)),
    4: (np.flipud, np.flipud),
    5: (lambda a: np.swapaxes(a, 0, 1), lambda a: np.swapaxes(a, 0, 1)),
    6: (lambda a: np.rot90(a, -1), np.rot90),
    7: (lambda a: np.swapaxes(np.rot90(a, 2), 0, 1), lambda a: np.swapaxes(np.rot90(a, 2), 0, 1)),
    8: (np.rot90, lambda a: np.rot90(a, -1)),
}
ROTATIONS = {3: 180, 6: 90, 8: 270}  # EXIF orientation -> degrees clockwise to upright; the mirrored ones are not turns
LYING = (5, 6, 7, 8)  # orientations that change width and height


def array_to_image(array: np.ndarray) -> Image:
    """`uint8` `(H, W)` or `(H, W, 3)` of an array of booleans, integers or floats, alpha laid on white.

    Floats count from 0 to 1 where hardly any is greater, and else as integers do, up to the least of 255, 4095 and
    65535 that suffices. What lies beyond becomes black or white; so do infinities, and what is no number is black.

    Raises:
        BadImage: another shape or type, no pixels or too many, or too little memory.
    """
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or not array.size or channels not in (1, 3, 4) or array.dtype.kind not in "buif":
        raise BadImage(
            f"An array of shape {array.shape} and type {array.dtype} is not an image: (H, W), (H, W, 3) or (H, W, 4)."
        )
    check_size(array.shape[1], array.shape[0], "The array")
    try:
        if array.dtype != np.uint8:
            array = _to_bytes(array)
        if channels == 4:
            alpha = array[..., 3:].astype(np.float32) / 255
            array = (array[..., :3] * alpha + 255 * (1 - alpha) + 0.5).astype(np.uint8)
    except MemoryError:
        raise no_memory("The array") from None
    return np.ascontiguousarray(array)


def _to_bytes(array: np.ndarray) -> np.ndarray:
    """The numbers as `uint8`, their full scale guessed from the greatest of them."""
    if array.dtype.kind == "b":
        return np.where(array, np.uint8(255), np.uint8(0))
    if array.dtype.kind == "f":
        with np.errstate(over="ignore"):
            values = array.astype(np.float32)
        known = values[np.isfinite(values)]
        top = float(np.quantile(known, _BRIGHT, method="higher")) / _OVERSHOOT if known.size else 0.0
        scales: tuple[int, ...] = _FULL_SCALES
    else:
        values = array.astype(np.float32)
        top = float(values.max())
        scales = _FULL_SCALES[1:]
    full = next((scale for scale in scales if top <= scale), top)
    values = np.nan_to_num(values, nan=0.0, posinf=full, neginf=0.0)
    return np.clip(values * (255 / full) + 0.5, 0, 255).astype(np.uint8)
