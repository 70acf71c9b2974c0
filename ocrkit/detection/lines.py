"""Letters -> lines: each letter takes the nearest one to its right that stands on the same line."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ocrkit.detection.options import DetectorOptions
from ocrkit.detection.pairs import pairs_within, shared


def string_lines(boxes: np.ndarray, letter: np.ndarray, height_px: float, options: DetectorOptions) -> np.ndarray:
    """Number of the line each box stands on, `(N,)`; -1 for punctuation that belongs to no letter.

    Links follow the letters one by one, so a line may be skewed or curled; its own height sets its reach, so titles
    and footnotes are strung alike.

    Args:
        boxes: `(N, 4)` px.
        letter: `(N,)`, false for punctuation.
        height_px: of the page's typical letter.
        options: `overlap`, `height_ratio`, `reach` and `punctuation_reach` matter here.
    """
    heights = boxes[:, 3] - boxes[:, 1]
    reach = options.reach * options.height_ratio * np.where(letter, heights, height_px)
    left, right = pairs_within(boxes, reach)
    gap = np.maximum(boxes[right, 0] - boxes[left, 2], 0)
    higher, lower = np.maximum(heights[left], heights[right]), np.minimum(heights[left], heights[right])

    both = letter[left] & letter[right]
    side_by_side = shared(boxes, left, right, axis=1) >= options.overlap * higher
    chained = both & side_by_side & (higher <= options.height_ratio * lower) & (gap <= options.reach * higher)
    chain = _nearest(left[chained], gap[chained])
    from_, to = left[chained][chain], right[chained][chain]

    # Punctuation joins the one letter it is nearest to, on either side.
    one = letter[left] != letter[right]
    mark, owner = np.where(letter[left], right, left)[one], np.where(letter[left], left, right)[one]
    middle = (boxes[mark, 1] + boxes[mark, 3]) / 2
    off = np.maximum(np.maximum(boxes[owner, 1] - middle, middle - boxes[owner, 3]), 0)
    beside = (off <= 0.3 * higher[one]) & (gap[one] <= options.punctuation_reach * higher[one])
    joined = _nearest(mark[beside], (gap[one] + off)[beside])
    from_, to = np.append(from_, owner[beside][joined]), np.append(to, mark[beside][joined])

    graph = coo_matrix((np.ones(len(from_), np.int8), (from_, to)), shape=(len(boxes), len(boxes)))
    line = connected_components(graph, directed=False)[1]
    has_letter = np.bincount(line, letter, minlength=len(boxes)) > 0
    return np.where(has_letter[line], line, -1)


def _nearest(who: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Index of the entry of least distance for each distinct `who`."""
    order = np.lexsort((distance, who))
    return order[np.flatnonzero(np.diff(who[order], prepend=-1))]
