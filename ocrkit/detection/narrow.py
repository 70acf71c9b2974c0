"""Lines set in narrow cells, as a till's printer sets them, whose pitch tells their spaces as well.

Capitals all but fill such cells and the print is often broken, so that how far apart the middles of two pieces of ink
are tells little. But even two narrow letters stand less than a cell apart, and two wide ones with a blank between them
more.
"""

from __future__ import annotations

import numpy as np

from ocrkit.detection.options import DetectorOptions
from ocrkit.detection.pitch import space_by_pitch

_PITCHES = 0.5 * 1.02 ** np.arange(28)  # heights of the page's letters, up to 0.85
_GLYPH = 0.62  # of these; width of a letter and its pieces, at most
_GLYPH_CELL = 0.95  # of a cell; the same, where its width is known
_WIDEST = 1.4  # heights of the page's letters; what is wider is letters that touch, or a heading's
_FARTHEST = 4.0  # the same; longer steps from one letter to the next tell little of a cell
_OFF = 1 / 6  # of a cell; steps farther off whole ones do not tell its width
_WHOLE_PAGE = 0.8  # how even steps are, in the mean, on a page that is set so as a whole
_STEPS = 6  # of a line that is elsewhere, at least
_SINGLE = 1.25  # of a cell; half of a line's ink is in letters no wider, or they stand in cells twice as wide
_LOW, _TALL, _SLIM = 0.5, 0.8, 0.35  # heights of the line; points, and colons, are lower, and these slimmer
_GAP = (0.7, 1.0)  # of a cell; between letters, up to and from: in between their middles tell
_HALF_BLANK = 1.3  # cells between their middles, from which on narrow gaps between letters do not tell
_WIDE_GAP = 0.52  # of a cell twice as wide, whose blanks may be single


def narrow_pitches(boxes: np.ndarray, letter: np.ndarray, line: np.ndarray, options: DetectorOptions) -> np.ndarray:
    """Width in px of the narrow cells that each line's letters surely stand in, 0 where they do not, `(lines,)`.

    Args:
        boxes: `(N, 4)` px, line after line and from left to right.
        letter: `(N,)`, false for punctuation.
        line: `(N,)` line numbers from 0.
        options: those of cells.
    """
    lines = int(line.max(initial=-1)) + 1
    none = np.zeros(lines)
    if letter.sum() < options.cell_least:
        return none
    height = float(np.median((boxes[:, 3] - boxes[:, 1])[letter]))
    step, of, _ = _steps(boxes, letter, line, _GLYPH * height, height)
    if len(step) < options.cell_least:
        return none
    # How even the steps are as multiples of each width, see `line_pitches`.
    widths = (_PITCHES * height).astype(np.float32)
    cell = widths[np.cos(np.float32(2 * np.pi) * step.astype(np.float32)[:, None] / widths).sum(0).argmax()]
    step, of, usual = _steps(boxes, letter, line, _GLYPH_CELL * cell, height)
    whole = np.round(step / cell)
    tells = (whole > 0) & (np.abs(step - whole * cell) < _OFF * cell)
    if not tells.any():
        return none
    cell = step[tells].sum() / whole[tells].sum()
    even = np.cos(2 * np.pi * step / cell)
    count = np.bincount(of, minlength=lines)
    mean = np.bincount(of, even, minlength=lines) / np.maximum(count, 1)
    sure = (count >= options.cell_steps) & (mean >= options.cell_even)
    if count[sure].sum() < options.cell_share * count.sum():
        return none
    if even.mean() >= _WHOLE_PAGE:
        sure = (count >= options.cell_steps) & (mean >= options.cell_even_other)
    else:
        sure &= count >= _STEPS
    halves = np.bincount(of, np.cos(np.pi * step / cell), minlength=lines) / np.maximum(count, 1)
    heading = np.where(halves >= options.cell_even_other, 2 * cell, 0)
    return np.where(sure, np.where(usual <= _SINGLE * cell, cell, heading), 0)


def spaces_by_gap(
    probability: np.ndarray, boxes: np.ndarray, line: np.ndarray, height: np.ndarray, gap: np.ndarray, pitch: np.ndarray
) -> np.ndarray:
    """Probability `(N,)` of a space before each box, as narrow cells tell it between letters, otherwise as before.

    Beside a point or a colon it stays what it was: they stand at any place of their cell.

    Args:
        probability: `(N,)` so far.
        boxes: `(N, 4)` px, line after line and from left to right.
        line: `(N,)` line numbers.
        height: `(N,)` px, of each line.
        gap: `(N,)` heights; before each box, infinite before a line's first.
        pitch: `(N,)` px; width of the narrow cells that a line's letters stand in, 0 for none.
    """
    if not pitch.any():
        return probability
    begins = _begin_letters(boxes, line, _GLYPH_CELL * pitch)
    first = np.flatnonzero(begins)
    cell, of = pitch[first], height[first]
    left, right = boxes[first, 0], np.maximum.reduceat(boxes[:, 2], first)
    high = (np.maximum.reduceat(boxes[:, 3], first) - np.minimum.reduceat(boxes[:, 1], first)) / of
    wide = right - left
    letter = (high >= _LOW) & ((high >= _TALL) | (wide >= _SLIM * of))
    told = (cell > 0) & letter & np.append(False, letter[:-1]) & np.isfinite(gap[first])
    half = np.minimum(wide, cell) / 2
    apart = half + np.append(0, left[1:] - right[:-1] + half[:-1])
    at, cell = first[told], cell[told]
    before = probability[at]
    is_wide = cell > 1.5 * pitch[pitch > 0].min()
    unsure = np.where(is_wide, before, space_by_pitch(apart[told] / cell, before))
    blank = gap[at] * height[at] / cell
    least, most = np.where(is_wide, _WIDE_GAP, _GAP[0]), _GAP[1]
    # Figures of most faces stand at even steps, too, but a blank there is half as wide as they are.
    narrow = np.where(apart[told] < _HALF_BLANK * cell, 0, before)
    probability = probability.copy()
    probability[at] = np.where(blank < least, narrow, np.where(blank > most, 1, unsure))
    probability[~begins & (pitch > 0)] = 0
    return probability


def _steps(
    boxes: np.ndarray, letter: np.ndarray, line: np.ndarray, span_px: float, height_px: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Steps in px between the middles of letters, each with its pieces; the lines of these; each line's usual width.

    Half of a line's ink is in letters no wider than that, in px.
    """
    first = np.flatnonzero(_begin_letters(boxes, line, np.full(len(boxes), span_px)))
    left, right, of = boxes[first, 0], np.maximum.reduceat(boxes[:, 2], first), line[first]
    wide, step = right - left, np.diff((left + right) / 2)
    single = np.maximum.reduceat(letter, first) & (wide <= _WIDEST * height_px)
    near = (np.diff(of) == 0) & single[1:] & single[:-1] & (step <= _FARTHEST * height_px) & (step > 0)
    usual = np.zeros(int(line.max()) + 1)
    for own in np.split(np.arange(len(of)), np.flatnonzero(np.diff(of)) + 1):
        widths = np.sort(wide[own])
        usual[of[own[0]]] = widths[np.searchsorted(widths.cumsum(), widths.sum() / 2)]
    return step[near], of[1:][near], usual


def _begin_letters(boxes: np.ndarray, line: np.ndarray, span_px: np.ndarray) -> np.ndarray:
    """Whether each box begins a letter, `(N,)`: what overlaps it, or ends within so many px, is a piece of it."""
    begins = np.ones(len(boxes), bool)
    own, start, end = -1, 0.0, 0.0
    for i, (left, right, number, most) in enumerate(np.column_stack([boxes[:, [0, 2]], line, span_px]).tolist()):
        if number == own and (left < end or max(end, right) - start <= most):
            begins[i] = False
            end = max(end, right)
        else:
            own, start, end = number, left, right
    return begins
