"""Lines that run up or down an upright page, such as numbers along its margin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ocrkit.document import Image, Line, Word, box_to_quad
from ocrkit.documents.crops import Recognize, crop_places
from ocrkit.options import options_class


@options_class
class AsideOptions:
    """When a line up or down the page is print.

    Attributes:
        min_confidence: of its words; others are left out.
        characters: letters and digits read on the line, at least.
        several: lines, from which on any letter or digit is enough.
        upwards: times as much must be read from the bottom up as from the top down: digits read well on their heads.
    """

    min_confidence: float = 0.7
    characters: int = 4
    several: int = 6
    upwards: float = 1.15


def read_aside(
    grey: Image, lines: Sequence[np.ndarray], recognize: Recognize, margin: float, options: AsideOptions
) -> list[Line]:
    """The lines down or up the page that are print, of those through `lines` of boxes given from top to bottom.

    A line of few characters goes the way of the page's others, and is print only beside several.
    """
    if not lines:
        return []
    boxes = np.concatenate(lines)
    crops = [grey[y0:y1, x0:x1] for x0, y0, x1, y1 in crop_places(boxes, grey.shape, margin)]
    ways: list[list[Line]] = []
    for quarters in (1, 3):
        guesses = iter(recognize([np.ascontiguousarray(np.rot90(crop, quarters)) for crop in crops]))
        read = [
            tuple(
                Word(guess.text, np.roll(box_to_quad(box), -quarters, axis=0), guess.confidence)
                for box, guess in zip(line, guesses)
                if guess.confidence >= options.min_confidence and guess.text and " " not in guess.text
            )
            for line in lines
        ]
        ways.append([Line(words if quarters == 1 else words[::-1]) for words in read])
    upwards = sum(map(characters, ways[1])) > sum(map(characters, ways[0]))
    kept = []
    for down, up in zip(*ways):
        best = up if characters(up) > options.upwards * characters(down) else down
        if _alphanumeric(best) < options.characters and len(lines) >= options.several:
            best = up if upwards else down
        if _alphanumeric(best) >= (1 if len(lines) >= options.several else options.characters):
            kept.append(best)
    return kept


def _alphanumeric(line: Line) -> int:
    return sum(map(str.isalnum, line.text))


def characters(line: Line) -> float:
    """The line's characters, each counted by its word's confidence."""
    return sum(len(word.text) * word.confidence for word in line.words)


def is_within(box: np.ndarray, lines: Sequence[Line]) -> bool:
    """Whether the middle of a box `(4,)` lies in a word of `lines`."""
    middle = (box[:2] + box[2:]) / 2
    places = (word.box for line in lines for word in line.words)
    return any(bool((place[:2] <= middle).all() and (middle <= place[2:]).all()) for place in places)


def in_columns(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines up or down the page: together those that go the same way one below the other, as they are read."""
    columns: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: float(line.box[0])):
        x0, _, x1, _ = line.box
        beside = [
            column
            for column in columns
            if _is_upwards(column[0]) == _is_upwards(line) and x0 < column[0].box[[0, 2]].mean() < x1
        ]
        if beside:
            beside[0].append(line)
        else:
            columns.append([line])
    for column in columns:
        column.sort(key=lambda line: float(line.box[1]), reverse=_is_upwards(column[0]))
    return columns


def _is_upwards(line: Line) -> bool:
    """Whether a line aside runs up the page."""
    return bool(line.quad[0, 1] > line.quad[1, 1])
