"""Images that repeat each other: pixel for pixel, or the same picture stored anew."""

from __future__ import annotations

import hashlib
from typing import Generic, TypeVar

import cv2
import numpy as np

from ocrkit.document import Image
from ocrkit.images import to_grey

K = TypeVar("K")

_SIDE = 16  # frequencies a side, so 256 bits; 64 do not tell two receipts of one shop apart
_SMALLEST_PX = 64  # a word in one font looks the same wherever it stands: crops repeat each other only exactly
# Bits that may differ. Of 380 receipts and forms no two different ones came closer than 14, two of one shop with hardly
# any ink; one page and its copy at JPEG quality 20, at half size, darkened, blurred or noisy differed in at most 8
# bits in 95 of 100. A second scan of the same sheet, shifted by 1 %, differs in 40, as do receipts of one till: it
# cannot be told from them by looks.
_NEAR_BITS = 12


class Seen(Generic[K]):
    """The images so far, each under a key of the caller's."""

    def __init__(self) -> None:
        self._keys: list[K] = []
        self._same: dict[bytes, list[int]] = {}  # digest -> where in the keys
        self._looks = np.empty((0, _SIDE * _SIDE // 8), np.uint8)
        self._looking: list[int] = []  # row of the looks -> where in the keys

    def add(self, key: K, image: Image) -> list[tuple[K, bool]]:
        """The earlier images that `image` repeats: their keys, and whether pixel for pixel; those that do come first.

        Images less than 64 px high or wide repeat each other only pixel for pixel.
        """
        digest = hashlib.sha256(repr(image.shape).encode() + image.tobytes()).digest()
        same = self._same.setdefault(digest, [])
        found = [(self._keys[i], True) for i in same]
        if min(image.shape[:2]) >= _SMALLEST_PX:
            look = perceptual_hash(image)
            near = np.bitwise_count(self._looks ^ look).sum(axis=1) <= _NEAR_BITS
            alike = [self._looking[row] for row in np.flatnonzero(near)]
            found += [(self._keys[i], False) for i in alike if i not in same]
            self._looks = np.vstack([self._looks, look])
            self._looking.append(len(self._keys))
        same.append(len(self._keys))
        self._keys.append(key)
        return found


def perceptual_hash(image: Image) -> np.ndarray:
    """256 bits as `uint8` `(32,)`: which of the low frequencies of the grey picture are above their median.

    Zauner, "Implementation and benchmarking of perceptual image hash functions" (2010), with more frequencies.
    """
    small = cv2.resize(to_grey(image), (4 * _SIDE, 4 * _SIDE), interpolation=cv2.INTER_AREA)
    low = cv2.dct(small.astype(np.float32))[:_SIDE, :_SIDE].ravel()
    return np.packbits(low > np.median(low))
