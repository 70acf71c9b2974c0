"""Lines set in cells of one width, as typewriters and program listings have them: their pitch tells every space.

In such a line a narrow letter stands as far from the next one as words of other print do, so that no gap tells a space;
but the middles of its letters are whole cells apart.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ocrkit.detection.options import DetectorOptions

_PITCHES = 0.5 * 1.02 ** np.arange(57)  # heights of the page's letters, up to 1.5
_NARROWEST = 0.78  # the same; in narrower ones stand capitals, whose gaps tell spaces
_WIDEST = 1.4  # times the usual width of the page's letters; what is wider is letters that touch
_FARTHEST = 4.0  # heights; steps from one letter to the next that are longer tell little of a cell
_SIGN = 2  # boxes of a line that is a sign, or one and a mark
_RUN = 7  # steps of a stretch of cells within a line, at least
_UNEVEN, _ROUGH_PX = 0.12, 1.0  # of a step, and px; by how much more the longest of these is than the shortest, at most
_UNLIKE = 1.5  # times as uneven as these steps half the widths of two neighbours are, at least
_LEAST_UNLIKE = 0.05  # of a cell; the same
_NONE = 1e6  # px; the step from one line to the next
_SINGLE = 1.25  # of a cell; width of one letter, at most
_AROUND = 3  # steps to either side of one that tell whether it is in cells, too
_CERTAIN = 0.1  # of a cell; a step that is off one and a half by more tells surely


def line_pitches(
    boxes: np.ndarray, letter: np.ndarray, line: np.ndarray, options: DetectorOptions
) -> tuple[np.ndarray, np.ndarray]:
    """Width in px of the cells that each line's letters surely stand in, 0 where they do not, `(lines,)`.

    Args:
        boxes: `(N, 4)` px, line after line and from left to right.
        letter: `(N,)`, false for punctuation.
        line: `(N,)` line numbers from 0.
        options: those of cells.

    Returns:
        The widths, and whether the letters of each line may stand in cells, of any width.
    """
    lines = int(line.max(initial=-1)) + 1
    pitch, likely = np.zeros(lines), np.ones(lines, bool)
    chosen = boxes[letter]
    if not len(chosen):
        return pitch, likely
    height, width = np.median(chosen[:, 3] - chosen[:, 1]), np.median(chosen[:, 2] - chosen[:, 0])
    single = letter & (boxes[:, 2] - boxes[:, 0] <= _WIDEST * width)
    middle = (boxes[:, 0] + boxes[:, 2]) / 2
    step = np.diff(middle)
    near = (np.diff(line) == 0) & single[1:] & single[:-1] & (step <= _FARTHEST * height) & (step > 0)
    step, of = step[near], line[1:][near]
    count = np.bincount(of, minlength=lines)
    if count.sum() < options.cell_least:
        return pitch, likely
    # How even the steps are as multiples of each width, in the mean of each line: 1 where they are whole ones.
    even = np.cos(2 * np.pi * step[:, None] / (_PITCHES * height))
    sums = np.zeros((lines, len(_PITCHES)))
    np.add.at(sums, of, even)
    mean = sums / np.maximum(count, 1)[:, None]
    left = count >= options.cell_steps
    mean[:, _PITCHES * height < width] = 0  # half a cell explains the same steps
    told = np.where((mean >= options.cell_even) & left[:, None], count[:, None] * mean, 0).sum(0)
    best = int(told.argmax())
    whole_page = sums[:, best].sum() / count.sum()
    likely = np.where(count >= options.cell_steps_told, mean[:, best], whole_page) >= options.cell_even_likely
    told[_PITCHES < _NARROWEST] = 0
    best = int(told.argmax())
    sure = left & (mean[:, best] >= options.cell_even)
    if count[sure].sum() >= max(options.cell_least, options.cell_share * count.sum()):
        # On a page that is set so as a whole a line of few steps, or of one sign, is too; elsewhere it is so by chance.
        if sums[:, best].sum() >= options.cell_even * count.sum():
            sure |= (mean[:, best] >= options.cell_even_other) | (np.bincount(line) <= _SIGN)
        else:
            sure &= count >= options.cell_steps_told
            sure &= _marks_stand_in_cells(middle, letter, line, _PITCHES[best] * height, options)
        step = step[sure[of]]
        whole = np.round(step / (_PITCHES[best] * height))
        if whole.any():
            pitch[sure] = step[whole > 0].sum() / whole.sum()
    return pitch, likely


def _marks_stand_in_cells(
    middle: np.ndarray, letter: np.ndarray, line: np.ndarray, pitch: float, options: DetectorOptions
) -> np.ndarray:
    """Whether each line's marks stand in cells, too, or are too few to tell, `(lines,)`.

    In most faces figures are all of one width; a comma and the space behind it together are about as wide.
    """
    beside = (np.diff(line) == 0) & ~(letter[1:] & letter[:-1])
    even = np.cos(2 * np.pi * np.diff(middle)[beside] / pitch)
    of, lines = line[1:][beside], int(line.max()) + 1
    count, total = np.bincount(of, minlength=lines), np.bincount(of, even, minlength=lines)
    return (count < options.cell_steps) | (total >= options.cell_even_likely * count)


def cell_runs(boxes: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Width in px of the cells of those stretches of a line that are set in cells, as a file's name in a book may be.

    Letters so even by chance are all about as wide; in cells narrow ones stand as far apart as broad ones, so that
    their steps are more even than their widths.

    Args:
        boxes: `(N, 4)` px, line after line and from left to right.
        line: `(N,)` line numbers from 0.

    Returns:
        `(N,)`; of the cells that it and what stands before it are in, 0 for none.
    """
    cell = np.zeros(len(boxes))
    ends = np.maximum.accumulate(boxes[:, 2] + line * (boxes[:, 2].max() + 1))
    # Without dots and points that stand above others.
    apart = np.flatnonzero(np.diff(ends, prepend=-1) > 0)
    middle, width = boxes[apart][:, [0, 2]].mean(1), (boxes[:, 2] - boxes[:, 0])[apart]
    if len(apart) <= _RUN:
        return cell
    step = np.where(np.diff(line[apart]) == 0, np.diff(middle), _NONE)
    windows = sliding_window_view(step, _RUN)
    even = np.ptp(windows, axis=1) <= _UNEVEN * windows.min(1) + _ROUGH_PX
    inside = np.zeros(len(step) + 2, bool)
    for start in np.flatnonzero(even & (windows.max(1) < _NONE)):
        inside[start + 1 : start + 1 + _RUN] = True
    for start, stop in np.flatnonzero(np.diff(inside.astype(int))).reshape(-1, 2):
        pitch = float(np.median(step[start:stop]))
        own = width[start : stop + 1]
        uneven = np.std(own[1:] + own[:-1]) / 2
        if own.max() > _SINGLE * pitch or uneven < max(_UNLIKE * np.std(step[start:stop]), _LEAST_UNLIKE * pitch):
            continue
        cell[apart[start + 1 : stop + 1]] = pitch
    return cell


def even_around(cells: np.ndarray, line: np.ndarray, options: DetectorOptions) -> np.ndarray:
    """Whether the steps about each one are whole cells, `(N,)`; those of another face in the line are not.

    Args:
        cells: `(N,)` from the letter before to each one, line after line and from left to right; 0 for a line's first.
        line: `(N,)` numbers of their lines.
        options: `cell_even_other` matters here.
    """
    place = np.arange(len(cells))
    even = np.where(cells > 0, np.cos(2 * np.pi * cells), 0)
    total, count = np.zeros(len(cells)), np.zeros(len(cells))
    for off in (off for off in range(-_AROUND, _AROUND + 1) if off):
        beside = np.clip(place + off, 0, len(cells) - 1)
        same = (line[beside] == line) & (beside == place + off) & (cells[beside] > 0)
        total += np.where(same, even[beside], 0)
        count += same
    return total >= options.cell_even_other * count


def space_by_pitch(cells: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Probability of a space between letters whose middles are so many `cells` apart: 0 and 1 where that is certain.

    In between, as where a narrow letter stands aside in its cell, it is what the gap says `otherwise`.
    """
    return np.where(np.abs(cells - 1.5) < _CERTAIN, otherwise, (cells > 1.5).astype(float))
