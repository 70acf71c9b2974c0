"""Names whose underscores lie on an underline, as those of files that are links do, and were read in parts.

The detector takes the line for none of the letters' ink, and the underscores with it. Where the line is thicker between
two parts, and as thick as anywhere below them, one stands on it. Worn lines below headings are so by chance: only names
that end as files' do are put together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ocrkit.document import Image
from ocrkit.documents.joins import SUFFIX, Piece, Read, around
from ocrkit.options import options_class

_FILE = re.compile(rf"{SUFFIX.pattern}$")
_INK = 0.45  # of the contrast
_MIDDLE = 0.2, 0.8  # of a gap; at its ends there are letters' feet and blur
_THICKER_PX = 0.5  # as grey tells it
_BESIDE = 0.25  # of thicknesses; the one that is a line's where letters' feet are near
_PAPER = 0.9  # of greys; the one that is paper's between and below letters


@options_class
class UnderscoreOptions:
    """When a gap between two words holds an underscore on their underline.

    Attributes:
        gap: heights; width of the gap, from and to.
        below: heights; how far below the words their underline may lie.
        beside: heights; how much of the words on either side the line is seen with.
        line: of the columns there, that a row of the line has ink in, at least.
        thicker: heights; by which the line is thicker between the words, from and to.
        longest: of the gap's columns, that it is thicker in, at least.
    """

    gap: tuple[float, float] = (0.2, 1.0)
    below: float = 0.4
    beside: float = 1.0
    line: float = 0.85
    thicker: tuple[float, float] = (0.03, 0.25)
    longest: float = 0.8


def with_underscores(
    rows: Sequence[Sequence[Piece]], grey: Image, read: Read, options: UnderscoreOptions
) -> list[list[Piece]]:
    """The rows, names of files as one piece each, whose underscores lie on their underline.

    Args:
        rows: pieces from left to right.
        grey: the page, dark on light.
        read: reads boxes of the page.
        options: what is an underscore.
    """
    found: list[list[Piece]] = []
    for row in rows:
        joined: list[Piece] = []
        for piece in reversed(row):
            if joined and _FILE.search(joined[-1].guess.text) and _is_between(piece, joined[-1], grey, options):
                joined[-1] = _as_one(piece, joined[-1], read)
            else:
                joined.append(piece)
        found.append(joined[::-1])
    return found


def _is_between(a: Piece, b: Piece, grey: Image, options: UnderscoreOptions) -> bool:
    """Whether an underscore lies between two words, on a line below both."""
    if not a.guess.text[-1:].isalnum() or not b.guess.text[:1].isalnum() or a.pitch:
        return False
    place = around(a.place, b.place)
    height = float(min(a.place[3] - a.place[1], b.place[3] - b.place[1]))
    start, end = float(a.place[2]), float(b.place[0])
    if not options.gap[0] * height <= end - start <= options.gap[1] * height:
        return False
    reach, foot = options.beside * height, float(place[3]) + options.below * height
    left, top = round(max(place[0], start - reach)), round(float(place[3]) - height / 2)
    seen = grey[max(top, 0) : round(foot), left : round(min(place[2], end + reach))]
    if not seen.size:
        return False
    off = np.quantile(seen, _PAPER) - seen.astype(np.float32)
    ink = off > _INK * off.max()
    # What is below the line may be the next one's letters.
    line = np.flatnonzero(ink.mean(1) >= options.line)
    if not len(line):
        return False
    middle = [round(start - left + share * (end - start)) for share in _MIDDLE]
    above = ink[: line[0], middle[0] : middle[1]]
    if not above.size:
        return False
    # From the line upwards, so many rows of ink, and then paper.
    thick = np.where(above.all(0), len(above), np.argmin(above[::-1], axis=0))
    free = above.sum(0) == thick
    least, most = (share * height for share in options.thicker)
    # A line that is not quite level is as thick everywhere, but lies a row of pixels higher between some words.
    grey_line = off[max(line[0] - int(np.median(thick)), 0) : line[-1] + 2]
    thickness = grey_line.sum(0) / off.max()
    beside = np.delete(thickness, np.s_[middle[0] : middle[1]])
    thicker = np.median(thickness[middle[0] : middle[1]]) - np.quantile(beside, _BESIDE) >= max(_THICKER_PX, least)
    return bool(thicker and (free & (thick >= max(1, least)) & (thick <= most)).mean() >= options.longest)


def _as_one(a: Piece, b: Piece, read: Read) -> Piece:
    """Both with an underscore between them; of what is read in the box around them only the crop is new."""
    [whole] = read(around(a.box, b.box)[None])
    spans = [a.guess.spans + a.left - whole.left, b.guess.spans + b.left - whole.left]
    gap = np.array([[a.place[2], b.place[0]]]) - whole.left
    guess = replace(
        a.guess,
        text=f"{a.guess.text}_{b.guess.text}",
        confidence=min(a.guess.confidence, b.guess.confidence),
        spans=np.concatenate([spans[0], gap, spans[1]]),
        known=False,
    )
    return replace(
        a, box=whole.box, left=whole.left, crop=whole.crop, guess=guess, ink=around(a.place, b.place), parts=None
    )
