"""Words laid over a picture, as captions, memes and posters have them: each letter in one colour, on whatever is there.

What is behind them has no brightness of its own, so they are no darker or lighter than their surroundings; but each
stands out all along its edge, from an outline, a shadow or the picture. Letters told by that are drawn anew, dark on
white, and lines are looked for among them alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ocrkit.detection import DetectedLine, has_even_ground
from ocrkit.detection.pairs import clashes, components, pairs_within, shared
from ocrkit.document import Image
from ocrkit.options import options_class

_NEAR = np.ones((3, 3), np.uint8)
_LEVELS = range(72, 224, 32)  # grey levels that letters are told from their outlines by
_GROUND = (0.1, 0.6, 0.8)  # of what is around a line, up to where it is dark, usual and light
_HALF_STEP = 20  # grey levels; a letter is looked at where the level is so near to the middle between the two

Detect = Callable[[Image], Sequence[DetectedLine]]


@options_class
class CaptionOptions:
    """What counts as a caption; "heights" are those of its letters.

    Attributes:
        line_words: that a line of print has, at least.
        page_words: on such lines, in the rows of a table, or on an even ground, from which on a picture is that of a
            page.
        row_words: level with each other, that a row of a table has, at least.
        row_level: of its height; how far the middle of such a word may lie off the next one's, at most.
        table_share: of the words, that are in such rows, at least; on a picture words come anywhere.
        max_pixels: px; a larger picture is shrunk to this before captions are looked for.
        least_px: px; longer side of a mark, and how many of its pixels are its own at least.
        letter_px: px; height of a letter, at least.
        highest: share of the picture's height, that a letter has at most.
        widest: times as wide as high; letters that touch each other, at most.
        outline_px: px; how far off its edge a letter's outline is as dark as it gets, at most.
        outline: grey levels by which a letter differs from that.
        outlined: share of its edge, where it does.
        even: grey levels; standard deviation within a letter, at most.
        alike: grey levels; by which a letter differs in the mean from the next one, at most.
        row_even: grey levels; standard deviation of the letters of a row, at most.
        row_stroke: of the mean; the same of the width of their strokes.
        level: of its height; how far a letter's top and foot may both lie off those of the next one.
        level_share: of such pairs, that are level, at least.
        alike_height: times as high as the next one a letter may be.
        mark: of its letter's height; that of a mark, at most.
        reach: heights; within which the next one stands.
        letters: of a line, at least.
        ground: grey levels; from the dark to the usual part of what is around a line on a picture, at least.
        off_outline: grey levels; by which that differs from the letters' outlines where it is even.
        off_ground: grey levels; by which letters differ from that of a page.
        around: heights; of a line, that is looked at for that, and painted over.
    """

    line_words: int = 3
    page_words: int = 25
    row_words: int = 3
    row_level: float = 0.3
    table_share: float = 0.95
    max_pixels: int = 1_000_000
    least_px: int = 4
    letter_px: int = 10
    highest: float = 0.5
    widest: float = 6.0
    outline_px: int = 3
    outline: float = 70.0
    outlined: float = 0.95
    even: float = 25.0
    alike: float = 6.0
    row_even: float = 3.0
    row_stroke: float = 0.33
    level: float = 0.08
    level_share: float = 0.6
    alike_height: float = 2.5
    mark: float = 0.5
    reach: float = 2.0
    letters: int = 3
    ground: float = 20.0
    off_outline: float = 60.0
    off_ground: float = 15.0
    around: float = 0.3


@dataclass(frozen=True, eq=False)
class Pieces:
    """What may be letters of one polarity, or parts of some.

    Attributes:
        boxes: `(N, 4)` px.
        fill: `(N,)` grey levels of each.
        outline: `(N,)` grey levels next to each.
        stroke: `(N,)` px of area for each px of edge.
        owners: `(H, W)` for each level with any, 0 or 1 + the number of the piece that a pixel is of, or next to.
    """

    boxes: np.ndarray
    fill: np.ndarray
    outline: np.ndarray
    stroke: np.ndarray
    owners: Sequence[np.ndarray]

    @property
    def heights(self) -> np.ndarray:
        """`(N,)` px."""
        return self.boxes[:, 3] - self.boxes[:, 1]


@dataclass(frozen=True, eq=False)
class Caption:
    """A line of letters.

    Attributes:
        line: its words.
        box: `(4,)` px; around all of them.
        drawn: `uint8` `(H, W)`; the picture as it would be with nothing else.
        stroke: px; as that of its pieces.
    """

    line: DetectedLine
    box: np.ndarray
    drawn: Image
    stroke: float


def with_captions(
    grey: Image, detected: Sequence[DetectedLine], detect: Detect, options: CaptionOptions
) -> tuple[Image, Sequence[DetectedLine]]:
    """The page with its captions dark on white, and its lines with theirs; the same without any.

    Args:
        grey: `uint8`, `(H, W)`.
        detected: what was found on it; where there are captions, it was their outlines.
        detect: finds lines.
        options: what counts as a caption.
    """
    even = has_even_ground(grey)
    if _words_of_print(detected, even, options) >= options.page_words:
        return grey, detected
    found = [caption for ink in (grey, cv2.bitwise_not(grey)) for caption in _captions(ink, detect, even, options)]
    if not found:
        return grey, detected
    boxes, stroke = np.array([caption.box for caption in found]), np.array([caption.stroke for caption in found])
    first, second = clashes(boxes, 0.5)
    # An outline is thinner than what it goes around.
    thinner = np.where(stroke[first] < stroke[second], first, second)
    kept = np.setdiff1d(np.arange(len(found)), thinner)
    page = grey.copy()
    for i in kept[np.argsort([len(found[i].line.boxes) for i in kept], kind="stable")]:
        x0, y0, x1, y1 = _around(found[i].box, grey.shape, options)
        page[y0:y1, x0:x1] = found[i].drawn[y0:y1, x0:x1]
    free = [line for line in detected if not _covered(line.boxes, boxes[kept])]
    return page, [*free, *(found[i].line for i in kept)]


def _words_of_print(detected: Sequence[DetectedLine], even: bool, options: CaptionOptions) -> int:
    """How many words stand as they do on a page: on its `even` ground, in rows, or on lines."""
    boxes = np.concatenate([np.zeros((0, 4)), *(line.boxes for line in detected if len(line.boxes) and not line.aside)])
    if even:
        return len(boxes)
    middle, reach = boxes[:, [1, 3]].mean(1), options.row_level * (boxes[:, 3] - boxes[:, 1])
    places = np.sort(middle)
    level = np.searchsorted(places, middle + reach, "right") - np.searchsorted(places, middle - reach)
    if (level >= options.row_words).sum() >= options.table_share * len(boxes):
        return len(boxes)
    return sum(len(line.boxes) for line in detected if len(line.boxes) >= options.line_words)


def _captions(grey: Image, detect: Detect, even: bool, options: CaptionOptions) -> list[Caption]:
    """Lines of letters lighter than what is next to them, on a picture whose ground may be `even`."""
    scale = min(1.0, (options.max_pixels / grey.size) ** 0.5)
    small = grey if scale == 1 else cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    pieces = _pieces(small, options)
    kept = _in_rows(pieces, options)
    if not kept.any():
        return []
    drawn = _drawn(small, pieces, kept)
    width, height = grey.shape[::-1]
    drawn = drawn if scale == 1 else cv2.resize(drawn, (width, height), interpolation=cv2.INTER_CUBIC)
    places = pieces.boxes / scale
    middles, letters = (places[:, :2] + places[:, 2:]) / 2, kept & (pieces.heights >= options.letter_px)
    found = []
    for line in detect(drawn):
        box = np.append(line.boxes[:, :2].min(0), line.boxes[:, 2:].max(0))
        own = letters & ((middles >= box[:2]) & (middles <= box[2:])).all(1)
        if line.aside or own.sum() < options.letters:
            continue
        x0, y0, x1, y1 = _around(box, grey.shape, options)
        far = cv2.erode(drawn[y0:y1, x0:x1], np.ones((2 * options.outline_px + 1,) * 2, np.uint8)) == 255
        ground = grey[y0:y1, x0:x1][far]
        if not ground.size:
            continue
        # What is not drawn is ground, too: letters of another colour, or of the next line, lighter than paper.
        dark, usual, light = np.quantile(ground, _GROUND)
        # Through the holes of letters one sees the paper.
        hole = even and abs(light - np.median(pieces.fill[own])) <= options.off_ground
        off = abs(usual - np.median(pieces.outline[own]))
        if not hole and (usual - dark >= options.ground or off >= options.off_outline):
            found.append(Caption(line, box, drawn, float(np.median(pieces.stroke[own]))))
    return found


def _pieces(grey: Image, options: CaptionOptions) -> Pieces:
    """Connected pieces of one brightness each, all along whose edges it is darker."""
    height, width = grey.shape
    outlines = cv2.erode(grey, np.ones((2 * options.outline_px + 1,) * 2, np.uint8))
    boxes, of_pieces, owners, number = [np.zeros((0, 4))], [np.zeros((0, 3))], [], 0
    for level in _LEVELS:
        mask = cv2.threshold(grey, level, 255, cv2.THRESH_BINARY)[1]
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
        left, top, wide, high, area = stats.T
        fits = (np.maximum(wide, high) >= options.least_px) & (high <= options.highest * height)
        fits &= wide <= options.widest * np.maximum(high, options.letter_px)
        fits &= (left > 0) & (top > 0) & (left + wide < width) & (top + high < height)
        fits[0] = False
        mask = fits[labels].view(np.uint8)
        core = cv2.erode(mask, _NEAR)
        inside, at_edge = (np.flatnonzero(where.view(bool)) for where in (core, cv2.subtract(mask, core)))
        of_inside, of_edge = labels.ravel()[inside], labels.ravel()[at_edge]
        inner, edge = (np.maximum(np.bincount(of, minlength=count), 1) for of in (of_inside, of_edge))
        values = grey.ravel()[inside].astype(float)
        fill = np.bincount(of_inside, values, count) / inner
        spread = np.bincount(of_inside, values**2, count) / inner - fill**2
        values = outlines.ravel()[at_edge].astype(float)
        outline = np.bincount(of_edge, values, count) / edge
        outlined = np.bincount(of_edge, values <= fill[of_edge] - options.outline, count) / edge
        fits &= (inner >= options.least_px) & (spread <= options.even**2) & (outlined >= options.outlined)
        fits &= np.abs((fill + outline) / 2 - level) <= _HALF_STEP
        those = np.flatnonzero(fits)
        if not len(those):
            continue
        owner = np.zeros(count, np.uint16)
        owner[those] = number + 1 + np.arange(len(those))
        owners.append(cv2.dilate(owner[labels], _NEAR))
        number += len(those)
        boxes.append(np.stack([left, top, left + wide, top + high], 1)[those])
        of_pieces.append(np.stack([fill, outline, area / edge], 1)[those])
    fills, around, strokes = np.concatenate(of_pieces).T
    return Pieces(np.concatenate(boxes), fills, around, strokes, owners)


def _in_rows(pieces: Pieces, options: CaptionOptions) -> np.ndarray:
    """Whether each piece is one of several letters alike that stand in a row, or a mark beside one, `(N,)`."""
    boxes, high = pieces.boxes, pieces.heights
    first, second = pairs_within(boxes, options.reach * high)
    alike = np.abs(pieces.fill[first] - pieces.fill[second]) <= options.alike
    low = np.minimum(high[first], high[second])
    level = shared(boxes, first, second, axis=1)
    letters = (low >= options.letter_px) & (np.maximum(high[first], high[second]) <= options.alike_height * low)
    across = shared(boxes, first, second, axis=0)
    a, b = (of[alike & letters & (level >= 0.5 * low) & (across < 0.5 * low)] for of in (first, second))
    row = components(len(boxes), a, b)
    in_row = _are_print(pieces, row, a, b, options)[row]
    # The ground inside of a letter that has an outline looks like one, too.
    x0, y0, x1, y1 = boxes.T
    within = (x0[second] > x0[first]) & (x1[second] < x1[first]) & (y0[second] > y0[first]) & (y1[second] < y1[first])
    in_row[second[within & in_row[first]]] = False
    # Their blur makes marks less like letters.
    mark = np.abs(pieces.fill[first] - pieces.fill[second]) <= options.even
    mark &= (in_row[first] != in_row[second]) & ~within
    mark &= (across >= -low) & (level >= -0.5 * np.maximum(high[first], high[second]))
    mark &= low <= options.mark * np.maximum(high[first], high[second])
    in_row[np.append(first[mark], second[mark])] = True
    return in_row


def _are_print(
    pieces: Pieces, row: np.ndarray, first: np.ndarray, second: np.ndarray, options: CaptionOptions
) -> np.ndarray:
    """Whether each row is one of letters: of one colour and one stroke, and most neighbours end at one height.

    Args:
        pieces: of whatever is there.
        row: `(N,)` the row of each.
        first: `(K,)` numbers of pieces that have a neighbour.
        second: `(K,)` those of the neighbours.
        options: what counts as a caption.
    """
    count = np.bincount(row)
    fill, stroke = (_spread(of, row, count) for of in (pieces.fill, pieces.stroke))
    pairs = np.maximum(np.bincount(row[first], minlength=len(count)), 1)
    even = np.zeros(len(count), bool)
    for slope in (0.0, _slopes(pieces.boxes, row, count)[row[first]]):
        right = slope * (pieces.boxes[second, 0] - pieces.boxes[first, 0])
        tops, feet = (np.abs(pieces.boxes[second, s] - pieces.boxes[first, s] - right) for s in (1, 3))
        level = np.minimum(tops, feet) <= options.level * np.maximum(pieces.heights[first], pieces.heights[second])
        even |= np.bincount(row[first], level, len(count)) >= options.level_share * pairs
    even &= fill[1] <= options.row_even
    return even & (stroke[1] <= options.row_stroke * stroke[0]) & (count >= options.letters)


def _slopes(boxes: np.ndarray, row: np.ndarray, count: np.ndarray) -> np.ndarray:
    """How much the middles of the boxes of each row fall from one px to the next on their right, by least squares."""
    x, y = (boxes[:, :2] + boxes[:, 2:]).T / 2
    x, y = (values - _spread(values, row, count)[0][row] for values in (x, y))
    return np.bincount(row, x * y, len(count)) / np.maximum(np.bincount(row, x * x, len(count)), 1)


def _spread(values: np.ndarray, row: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the `values` of each row."""
    mean = np.bincount(row, values, len(count)) / count
    return mean, np.sqrt(np.bincount(row, (values - mean[row]) ** 2, len(count)) / count)


def _drawn(grey: Image, pieces: Pieces, kept: np.ndarray) -> Image:
    """Those of the pieces that are `kept`, black on white."""
    drawn = np.full_like(grey, 255)
    contrast = pieces.fill - pieces.outline
    of_owner = np.append(False, kept)
    for owner in pieces.owners:
        at = np.flatnonzero(of_owner[owner])
        piece = owner.ravel()[at].astype(int) - 1
        light = (grey.ravel()[at] - pieces.outline[piece]) / contrast[piece]
        drawn.ravel()[at] = np.minimum(drawn.ravel()[at], 255 * (1 - np.clip(light, 0, 1)))
    return drawn


def _around(box: np.ndarray, shape: tuple[int, ...], options: CaptionOptions) -> tuple[int, ...]:
    """The box with its surroundings, whole px inside a picture of `shape`."""
    wider = box + options.around * (box[3] - box[1]) * np.array([-1, -1, 1, 1])
    return tuple(np.clip(np.round(wider), 0, np.tile(shape[::-1], 2)).astype(int).tolist())


def _covered(boxes: np.ndarray, captions: np.ndarray) -> bool:
    """Whether half of the `boxes` `(N, 4)` or more lie on one of the `captions` `(K, 4)`, or around one."""

    def holds(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
        x, y = (inner[..., :2] + inner[..., 2:]).transpose(2, 0, 1) / 2
        return (outer[..., 0] <= x) & (x <= outer[..., 2]) & (outer[..., 1] <= y) & (y <= outer[..., 3])

    boxes, captions = boxes[:, None], captions[None]
    return bool((holds(captions, boxes) | holds(boxes, captions)).any(1).mean() >= 0.5)
