"""Parts of an upright page that lie on their side, such as a wide table: read as pages of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from ocrkit.detection import DetectedLine
from ocrkit.detection.pairs import components, pairs_within, shared
from ocrkit.document import Image, Line
from ocrkit.documents.aside import characters
from ocrkit.documents.geometry import moved, turned, turning
from ocrkit.documents.reading import Reading
from ocrkit.options import options_class


@options_class
class LyingOptions:
    """What counts as a part that lies on its side; "heights" are the median one of its words.

    Attributes:
        reach: heights; between such words of one part, at most.
        margin: heights; how far it goes beyond them.
        lines: of such words, at least; fewer are read one by one, as numbers along a margin are.
        words: of them, at least.
        gain: times as much must be read there as on the page as it stands.
    """

    reach: float = 8.0
    margin: float = 0.7
    lines: int = 3
    words: int = 6
    gain: float = 1.0


def lying_parts(detected: Sequence[DetectedLine], shape: tuple[int, ...], options: LyingOptions) -> np.ndarray:
    """Where words up or down the page stand together on a page of `shape`, `(N, 4)` whole px."""
    lines = [line.boxes for line in detected if line.aside]
    if len(lines) < options.lines:
        return np.zeros((0, 4), int)
    boxes, line = np.concatenate(lines), np.repeat(np.arange(len(lines)), list(map(len, lines)))
    height = float(np.median(boxes[:, 2] - boxes[:, 0]))
    first, second = pairs_within(boxes, options.reach * height)
    near = shared(boxes, first, second, axis=1) >= -options.reach * height
    part = components(len(boxes), first[near], second[near])
    found = []
    for number in np.unique(part):
        own = part == number
        if own.sum() >= options.words and len(np.unique(line[own])) >= options.lines:
            box = np.append(boxes[own, :2].min(0), boxes[own, 2:].max(0))
            found.append(box + options.margin * height * np.array([-1, -1, 1, 1]))
    return np.clip(np.round(np.reshape(found, (-1, 4))), 0, np.tile(shape[1::-1], 2)).astype(int)


def with_lying(
    reading: Reading, grey: Image, parts: np.ndarray, read: Callable[[Image], Reading], options: LyingOptions
) -> Reading:
    """The page read without those of its parts that say more when turned, and after that each of these.

    Args:
        reading: of the page as it stands, which it stays where there is no such part.
        grey: the page, `uint8`, `(H, W)`.
        parts: that may lie on their side, `(N, 4)` px.
        read: reads an image as it stands.
        options: when they do.
    """
    rest, lying = grey.copy(), []
    for box in parts:
        x0, y0, x1, y1 = box
        part = grey[y0:y1, x0:x1]
        ways = [(read(turned(part, degrees)), degrees) for degrees in (90, 270)]
        best, degrees = max(ways, key=lambda way: way[0].characters)
        if best.characters > options.gain * _characters(reading, box):
            rest[y0:y1, x0:x1] = np.median(grey[::8, ::8])
            lying.append(_placed(best, box, part.shape, degrees))
    return reduce(Reading.with_more, lying, read(rest)) if lying else reading


def _characters(reading: Reading, box: np.ndarray) -> float:
    """How much is read in a box."""
    words = [word for line in reading.lines for word in line.words]
    inside = [word for word in words if ((box[:2] <= word.quad.mean(0)) & (word.quad.mean(0) <= box[2:])).all()]
    return characters(Line(tuple(inside)))


def _placed(reading: Reading, box: np.ndarray, shape: tuple[int, ...], degrees: int) -> Reading:
    """What was read of the part of a page in a box, turned clockwise from its `shape`, where it is on the page."""
    back = np.linalg.inv(turning(shape, degrees))

    def there(points: np.ndarray) -> np.ndarray:
        return points @ back[:2, :2].T + back[:2, 2] + box[:2]

    return replace(reading, level=moved(reading.level, there), aside=moved(reading.aside, there))
