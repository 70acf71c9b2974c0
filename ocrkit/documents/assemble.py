"""From read words in unordered lines to lines in reading order, in paragraphs, columns apart.

A detected line may be a piece of a printed line (a label and its price), or run on over the gap between two columns.
So lines are cut at every wide gap first; pieces that stand side by side are then joined again unless the gap between
them is one of a stack of gaps with running text on both sides, which is a column gutter. A line comes before another
below it, but for those beside a gutter: everything on its left comes before everything on its right. Breuel's rule,
which lets any line further left come first where nothing spans both, reads a receipt's summary before the totals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from statistics import median

import numpy as np

from ocrkit.document import Line, Word
from ocrkit.options import options_class

Gutter = tuple[float, float, float]  # px on the levelled page: where it stands across, its top and its bottom


@options_class
class AssemblyOptions:
    """Lengths are multiples of the height of the words or lines they lie between.

    Attributes:
        wide_gap: a gap wider than this may be a column gutter; narrower ones are spaces.
        same_row: share of the lower height by which two pieces must overlap vertically to stand in one row.
        row_size: of two pieces of a row the taller is below so many times the lower, or the page's usual height.
        gutter_rows: rows of text a gutter separates at least.
        gutter_reach: a row more than so far below the ones before is none of them.
        column_words: mean number of words a row of a column holds at least; fewer are labels, values or prices.
        least_pitch: from one line of a paragraph to the next, where the page says nothing else.
        most_pitch: above it the page's usual pitch is not believed.
        paragraph_pitch: a step down of more than so many times the page's usual pitch starts a paragraph.
        size_change: lines whose heights differ by more than this factor are not of one paragraph.
    """

    wide_gap: float = 1.2
    same_row: float = 0.5
    row_size: float = 2.0
    gutter_rows: int = 4
    gutter_reach: float = 8.0
    column_words: float = 2.5
    least_pitch: float = 1.2
    most_pitch: float = 2.4
    paragraph_pitch: float = 1.4
    size_change: float = 1.6


def assemble(lines: Sequence[Sequence[Word]], options: AssemblyOptions = AssemblyOptions()) -> tuple[Line, ...]:
    """Lines in reading order with their paragraphs numbered from 0; words from left to right.

    Args:
        lines: read words, those found in one line together, in any order.
        options: when gaps separate.

    Reading order as a topological sort, after Breuel, "High performance document layout analysis" (2003).
    """
    if not any(lines):
        return ()
    quads = np.array([word.quad for line in lines for word in line], float)
    ends = np.cumsum([len(line) for line in lines])[:-1]
    turn = _turn(np.split(quads.mean(1), ends))
    level = np.split(_level_boxes(quads, turn), ends)
    pieces = [piece for line, places in zip(lines, level) for piece in _cut(line, places, options)]
    boxes = np.array([piece.box for piece in pieces])
    gutters = _gutters(pieces, _gaps(boxes, 0.0, options), options)
    rows = _join(pieces, _neighbours(boxes, gutters, options))
    rows = [rows[i] for i in _reading_order(np.array([row.box for row in rows]), gutters)]
    return tuple(Line(row.words, paragraph) for row, paragraph in zip(rows, _paragraphs(rows, options)))


@dataclass(frozen=True, eq=False)
class _Piece:
    """Words side by side, left to right, with their boxes `(N, 4)` on the page turned straight."""

    words: tuple[Word, ...]
    boxes: np.ndarray

    @cached_property
    def box(self) -> np.ndarray:
        return np.concatenate([self.boxes[:, :2].min(0), self.boxes[:, 2:].max(0)])

    @cached_property
    def height(self) -> float:
        return median((self.boxes[:, 3] - self.boxes[:, 1]).tolist())


@dataclass
class _Stack:
    """Gaps above each other, each by the pieces on its left and right; px on the levelled page.

    Attributes:
        pairs: of pieces.
        start: where the space that all gaps share begins across.
        end: where it ends.
        top: of its first row.
        bottom: of its last row.
    """

    pairs: list[tuple[int, int]]
    start: float
    end: float
    top: float
    bottom: float = np.inf


def _turn(lines: Sequence[np.ndarray]) -> np.ndarray:
    """`(2, 2)` rotation that lays the text level: the median slope of the lines, long ones counting for more.

    Each of `lines` is the middles `(N, 2)` of its words.
    """
    angles, lengths = [0.0], [1e-6]
    for centres in lines:
        if len(centres) > 1:
            dx, dy = centres[centres[:, 0].argmax()] - centres[centres[:, 0].argmin()]
            angles.append(np.arctan2(dy, dx))
            lengths.append(np.hypot(dx, dy))
    order = np.argsort(angles)
    heaped = np.cumsum(np.array(lengths)[order])
    angle = np.array(angles)[order][np.searchsorted(heaped, heaped[-1] / 2)]
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _level_boxes(quads: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Boxes `(N, 4)` of the words' own widths and heights around their turned centres; `quads` is `(N, 4, 2)`."""
    centres = quads.mean(1) @ turn
    sizes = np.stack(
        [np.linalg.norm(quads[:, 1] - quads[:, 0], axis=1), np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1)]
    )
    return np.concatenate([centres - sizes.T / 2, centres + sizes.T / 2], axis=1)


def _cut(line: Sequence[Word], boxes: np.ndarray, options: AssemblyOptions) -> list[_Piece]:
    """The line's words, whose level boxes are `(N, 4)`, from left to right, cut where the gap is wide."""
    if not line:
        return []
    order = np.argsort(boxes[:, 0], kind="stable")
    boxes, words = boxes[order], [line[i] for i in order]
    height = median((boxes[:, 3] - boxes[:, 1]).tolist())
    reached = np.maximum.accumulate(boxes[:, 2])
    cuts = np.flatnonzero(boxes[1:, 0] - reached[:-1] > options.wide_gap * height) + 1
    edges = [0, *cuts.tolist(), len(words)]
    return [_Piece(tuple(words[a:b]), boxes[a:b]) for a, b in pairwise(edges)]


def _join(pieces: Sequence[_Piece], pairs: Sequence[tuple[int, int]]) -> list[_Piece]:
    """Pieces chained by `pairs` of left and right ones as one row each."""
    right_of = dict(pairs)
    followers = set(right_of.values())
    rows = []
    for start in range(len(pieces)):
        if start in followers:
            continue
        chain = [start]
        while chain[-1] in right_of:
            chain.append(right_of[chain[-1]])
        words = tuple(word for i in chain for word in pieces[i].words)
        rows.append(_Piece(words, np.concatenate([pieces[i].boxes for i in chain])))
    return rows


def _gaps(boxes: np.ndarray, least_shared: float, options: AssemblyOptions) -> np.ndarray:
    """`(N, N)` px from each piece to each one on its right in the same row; infinite for the others.

    `least_shared` is the share of the lower one's height that both must cover.
    """
    x0, y0, x1, y1 = boxes.T
    shared = np.minimum(y1[:, None], y1) - np.maximum(y0[:, None], y0)
    height = y1 - y0
    lower, taller = np.minimum(height[:, None], height), np.maximum(height[:, None], height)
    # A dash is low beside a word, and a word beside a title; a stain along the margin is neither's neighbour.
    alike = taller < options.row_size * np.maximum(lower, np.median(height))
    middle = (x0 + x1) / 2
    left_of = (x0[None, :] >= middle[:, None]) & (x1[:, None] <= middle[None, :])
    return np.where(left_of & alike & (shared > least_shared * lower), x0[None, :] - x1[:, None], np.inf)


def _neighbours(boxes: np.ndarray, gutters: Sequence[Gutter], options: AssemblyOptions) -> list[tuple[int, int]]:
    """Pairs of pieces next to each other in a row, left and right, no gutter between; a piece is left once at most."""
    gap = _gaps(boxes, options.same_row, options)
    pairs = []
    for left, right in enumerate(gap.argmin(1).tolist()):
        if np.isfinite(gap[left, right]) and int(gap[:, right].argmin()) == left:
            apart = any(
                boxes[left, 2] <= across <= boxes[right, 0] and top <= boxes[left, 3] and boxes[left, 1] <= bottom
                for across, top, bottom in gutters
            )
            if not apart:
                pairs.append((left, right))
    return pairs


def _gutters(pieces: Sequence[_Piece], gap: np.ndarray, options: AssemblyOptions) -> list[Gutter]:
    """The gutters between columns: stacks of gaps above each other with running text on both sides.

    `gap` is that of `_gaps` for pieces that need not stand level: the lines of two columns seldom do. Several stacks
    grow side by side, and a gap goes to the highest that it fits: the gaps between three columns take turns, and lines
    set to both margins have wide gaps of their own. A bullet begins a row, so that no gutter is behind it.
    """
    boxes = np.array([piece.box for piece in pieces])
    x0, y0, x1, y1 = boxes.T
    is_text = np.array([any(c.isalnum() for word in piece.words for c in word.text) for piece in pieces])
    nearest = gap.argmin(1)
    facing = np.isfinite(gap.min(1))
    words = np.array([len(piece.words) for piece in pieces])
    words += np.where(~is_text & facing, words[nearest], 0)
    stacks: list[_Stack] = []
    for left in sorted(np.flatnonzero(is_text & facing).tolist(), key=lambda i: y0[i]):
        right, height = int(nearest[left]), pieces[left].height
        fitting = []
        for stack in stacks:
            start, end = max(stack.start, x1[left]), min(stack.end, x0[right])
            near = min(y0[left], y0[right]) - stack.bottom < options.gutter_reach * height
            if near and end - start >= 0.5 * height:
                across = (x0 < start) & (x1 > end) & (y0 > stack.top) & (y1 < y1[left])
                if not across.any():
                    fitting.append(stack)
        if not fitting:
            stacks.append(_Stack([], x1[left], x0[right], y0[left]))
        stack = max(fitting, key=lambda stack: len(stack.pairs)) if fitting else stacks[-1]
        stack.pairs.append((left, right))
        stack.start, stack.end = max(stack.start, x1[left]), min(stack.end, x0[right])
        stack.bottom = max(y1[left], y1[right])
    gutters: list[Gutter] = []
    for stack in stacks:
        sides = np.array(stack.pairs)
        if len(sides) >= options.gutter_rows and (words[sides].mean(0) >= options.column_words).all():
            beside = boxes[sides]
            middle = (stack.start + stack.end) / 2
            gutters.append((float(middle), float(beside[..., 1].min()), float(beside[..., 3].max())))
    return gutters


def _reading_order(boxes: np.ndarray, gutters: Sequence[Gutter]) -> list[int]:
    """Indices of `boxes` `(N, 4)` such that nobody comes before one that must precede it; ties go to the upper one.

    A gutter reaches on up and down to the next box that lies across it: one column is often longer than the other.
    """
    x0, y0, x1, y1 = boxes.T
    middle = (y0 + y1) / 2
    above = middle[:, None] < middle
    before = (np.minimum(x1[:, None], x1) > np.maximum(x0[:, None], x0)) & above
    for across, top, bottom in gutters:
        crossing = (x0 < across) & (x1 > across)
        start = middle[crossing & (middle < top)].max(initial=-np.inf)
        end = middle[crossing & (middle > bottom)].min(initial=np.inf)
        beside = (start < middle) & (middle < end)
        before |= np.outer(beside & (x1 <= across), beside & (x0 >= across))
    waiting = before.sum(0)
    left = set(range(len(boxes)))
    order = []
    while left:
        free = [i for i in left if waiting[i] == 0] or left  # a circle is broken at its top
        chosen = min(free, key=lambda i: (middle[i], x0[i]))
        left.remove(chosen)
        order.append(chosen)
        waiting -= before[chosen]
    return order


def _paragraphs(rows: Sequence[_Piece], options: AssemblyOptions) -> list[int]:
    """A number for each row; a row follows the one before it at the page's usual pitch, below it and in its size."""
    height = np.array([row.height for row in rows])
    x0, y0, x1, y1 = np.array([row.box for row in rows]).T
    pitch = np.diff((y0 + y1) / 2) / ((height[1:] + height[:-1]) / 2)
    stacked = (pitch > 0.5) & (np.minimum(x1[1:], x1[:-1]) > np.maximum(x0[1:], x0[:-1]))
    usual = np.median(pitch[stacked]) if stacked.any() else options.least_pitch
    usual = np.clip(usual, options.least_pitch, options.most_pitch)
    alike = np.maximum(height[1:], height[:-1]) < options.size_change * np.minimum(height[1:], height[:-1])
    follows = stacked & alike & (pitch < options.paragraph_pitch * usual)
    return np.concatenate([[0], np.cumsum(~follows)]).tolist()
