"""Cutting labelled words out of their pages."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

import cv2
import numpy as np

from ocrkit.datasets.sample import LabelledPage, Sample
from ocrkit.document import Image, quad_to_box
from ocrkit.errors import Withdrawn
from ocrkit.images import to_grey

# A quad counts as upright where no corner is further than this from its box; below it, pixels are cut, not resampled.
_UPRIGHT_PX = 1.0
SMALLEST_PX = 2
_LARGEST_PX = 32_000  # a side of a leaning word; OpenCV's warps know no larger
_LOGGER = logging.getLogger(__name__)


def any_label(text: str) -> str | None:
    """Every transcribed word as it is, `None` for an empty label."""
    return text if text.strip() else None


def word_samples(
    pages: Iterable[LabelledPage],
    margin: float = 0.0,
    label: Callable[[str], str | None] = any_label,
    left_out: Counter[str] | None = None,
) -> Iterator[Sample]:
    """One grey sample for each labelled word, page by page; what gives none is counted, by the reason, and told.

    Args:
        pages: pages with word labels; those labelled by line only give none.
        margin: room around the word, in shares of its height.
        label: what a transcript counts as, `None` to leave the word out; `funsd_protocol_label` is one.
        left_out: takes the counts of what gives no sample, in place of a warning of the logger `ocrkit`.

    Raises:
        BadImage: a page that cannot be read.
    """
    counts: Counter[str] = Counter()
    for page in pages:
        counts.update(page.left_out)
        counts["lines, not words"] += len(page.lines) if not page.words else 0
        wanted = []
        for word in page.words:
            text = label(word.text)
            if text is None:
                counts["not transcribed" if not word.text.strip() else "no single word of print"] += 1
            else:
                wanted.append((word.quad, text))
        if not wanted:
            continue
        try:
            grey = to_grey(page.image())
        except Withdrawn:
            counts["withdrawn by the donor meanwhile"] += len(wanted)
            continue
        for quad, text in wanted:
            crop = cut(grey, quad, margin)
            if min(crop.shape) >= SMALLEST_PX:
                yield Sample(crop, text, page.source, page.document or page.id, page.private)
            else:
                counts["too small to be cut" if crop.size or _is_inside(quad, grey) else "outside the page"] += 1
    if left_out is not None:
        left_out.update(+counts)
    elif +counts:
        _LOGGER.warning("%s", in_words(counts))


def in_words(counts: Mapping[str, int]) -> str:
    """How many labels are left out, and why, as a sentence."""
    reasons = "; ".join(f"{count:,} {reason}" for reason, count in counts.items() if count)
    return f"Labels left out: {reasons}."


def _is_inside(quad: np.ndarray, grey: Image) -> bool:
    """Whether a part of a quad lies on an image."""
    box = quad_to_box(quad)
    height, width = grey.shape
    return bool(box[2] > 0 and box[3] > 0 and box[0] < width and box[1] < height)


def cut(grey: Image, quad: np.ndarray, margin: float = 0.0) -> Image:
    """The text inside `quad`, upright, `(H, W)`; empty where the quad lies outside the image.

    Args:
        grey: `uint8` `(H, W)`.
        quad: `(4, 2)` pixels, clockwise from the text's own top-left.
        margin: room around the quad, in shares of its height.
    """
    if not _is_inside(quad, grey):
        return np.empty((0, 0), np.uint8)
    box = quad_to_box(quad)
    if np.abs(quad - box[[0, 1, 2, 1, 2, 3, 0, 3]].reshape(4, 2)).max() <= _UPRIGHT_PX:
        room = margin * (box[3] - box[1])
        x0, y0 = np.maximum(np.floor(box[:2] - room), 0).astype(int)
        x1, y1 = np.ceil(box[2:] + room).astype(int)
        return grey[y0:y1, x0:x1].copy()
    top, right, bottom, left = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    across, down = (top + bottom) / 2, (left + right) / 2
    room = margin * down
    inner = np.array([[0, 0], [across, 0], [across, down], [0, down]]) + room
    size = (round(across + 2 * room), round(down + 2 * room))
    if min(size) < 1 or max(size) > _LARGEST_PX:
        return np.empty((0, 0), np.uint8)
    warp = cv2.getPerspectiveTransform(quad.astype(np.float32), inner.astype(np.float32))
    return cv2.warpPerspective(grey, warp, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
