"""Letters of two rows that touch, as a g and what stands below it where rows are close: they tie the rows to one."""

from __future__ import annotations

import cv2
import numpy as np

from ocrkit.detection.options import DetectorOptions
from ocrkit.detection.pairs import of_those
from ocrkit.detection.regions import Regions


def rows_apart(regions: Regions, ink: np.ndarray, height_px: float, options: DetectorOptions) -> Regions:
    """The regions, each that is letters of two rows as those of the upper row and those of the lower one.

    Beside it stand letters of both rows. What is as high but one sign, such as a bracket around two rows, is as wide
    all the way down; an initial has letters on its right alone.

    Args:
        regions: of `ink`.
        ink: `uint8` mask.
        height_px: of the page's typical letter.
        options: those of rows that touch, and `max_letters`.
    """
    least, most = (heights * height_px for heights in options.touching_height)
    tall = np.flatnonzero((least <= regions.heights) & (regions.heights <= most))
    low, high = (heights * height_px for heights in options.touched_height)
    letters = regions.boxes[(low <= regions.heights) & (regions.heights <= high)]
    if not len(letters) or len(tall) > options.max_letters:
        return regions
    letters = letters[np.argsort(letters[:, 3], kind="stable")]
    tops, feet = regions.boxes[tall, 1], regions.boxes[tall, 3]
    # Few have a letter beside them that may be of an upper row, and only these need a closer look.
    first = np.searchsorted(letters[:, 3], tops)
    last = np.searchsorted(letters[:, 3], feet - options.touching_leading * height_px, side="right")
    reach = options.touching_reach * height_px
    cut, parts = [], []
    for i, start, end in zip(tall.tolist(), first.tolist(), last.tolist()):
        box, above = regions.boxes[i], letters[start:end]
        if not ((above[:, 0] <= box[2] + reach) & (above[:, 2] >= box[0] - reach)).any():
            continue
        row = _row_between(box, letters, height_px, options)
        halves = [] if row is None else _halves(box, row, ink, height_px, options)
        if halves:
            cut.append(i)
            parts += [(half, area, regions.contrast[i]) for half, area in halves]
    if not cut:
        return regions
    boxes, area, contrast = (np.array(each, float) for each in zip(*parts))
    return regions[~of_those(len(regions), np.array(cut))] + Regions(boxes, area, contrast)


def _row_between(
    box: np.ndarray, letters: np.ndarray, height_px: float, options: DetectorOptions
) -> tuple[int, int] | None:
    """From where to where two rows of `letters` `(N, 4)` beside a `box` lie apart, px; `None` where there are none."""
    x0, y0, x1, y1 = box
    reach, slack = options.touching_reach * height_px, options.touching_level * height_px
    left, top, right, foot = letters.T
    near = (left <= x1 + reach) & (right >= x0 - reach)
    lower = near & (np.abs(foot - y1) <= slack) & (top > y0)
    if not lower.any():
        return None
    begins = float(np.quantile(top[lower], 0.25))
    upper = near & (foot <= begins + slack) & (foot > y0) & (foot > begins - height_px)
    if not upper.any():
        return None
    ends = float(np.median(foot[upper]))
    narrow, wide = (heights * height_px for heights in options.touching_width)
    if narrow < x1 - x0 < wide and not all(
        (left[row] < x0).any() and (right[row] > x1).any() for row in (upper, lower)
    ):
        return None
    # A quotation mark beside a t ends above low letters, too, but these are lower than a row.
    if ends > begins + 1 or y1 - ends < options.touching_leading * height_px:
        return None
    return int(np.floor(ends)), int(np.ceil(begins))


def _halves(
    box: np.ndarray, between: tuple[int, int], ink: np.ndarray, height_px: float, options: DetectorOptions
) -> list[tuple[np.ndarray, int]]:
    """The boxes `(4,)` px of what stands above and below, and the px of ink of both; nothing if it is one sign."""
    x0, y0 = np.floor(box[:2]).astype(int)
    x1, y1 = np.ceil(box[2:]).astype(int)
    _, labels, found, _ = cv2.connectedComponentsWithStats(ink[y0:y1, x0:x1], connectivity=8)
    own = labels == 1 + int(found[1:, 2:4].prod(1).argmax())
    inked = own.sum(1)
    first, last = max(between[0] - y0 - 1, 1), min(between[1] - y0 + 1, len(own) - 2)
    if first >= last:
        return []
    # The tail of a letter is the upper row's, so it is cut at its end.
    cut = last - int(inked[first : last + 1][::-1].argmin())
    thin = inked[first : last + 1].min() <= max(options.touching_ink * height_px, options.touching_share * own.shape[1])
    if not thin or inked[cut + 1 :].max(initial=0) < options.touched_ink * height_px:
        return []
    halves = []
    for start, part in ((0, own[: cut + 1]), (cut + 1, own[cut + 1 :])):
        columns, rows = np.flatnonzero(part.any(0)), np.flatnonzero(part.any(1))
        if not len(rows):
            return []
        place = [x0 + columns[0], y0 + start + rows[0], x0 + columns[-1] + 1, y0 + start + rows[-1] + 1]
        halves.append((np.array([max(place[0], box[0]), place[1], min(place[2], box[2]), place[3]]), int(part.sum())))
    return halves
