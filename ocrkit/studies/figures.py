"""Pictures that several notebooks draw: sheets of words, pages with boxes, bars and curves.

Every figure is made with pyplot, so that a notebook shows it at the end of the cell that made it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import NullFormatter, PercentFormatter

from ocrkit.document import Image
from ocrkit.metrics import Interval
from ocrkit.rollout.evidence import log_e_value

BLUE, RED, GREY = "#3b6ea5", "#c2413b", "#6b7280"
_KEPT = "#2e7d4f"
# Colours told apart next to each other, for boxes of neighbouring lines.
_BOX_COLOURS = np.array([(214, 69, 65), (38, 120, 178), (46, 139, 87), (200, 130, 0), (130, 80, 170), (0, 140, 150)])
_DPI = 110
_WIDTH = 11.0  # inches, of every figure: as wide as a report's text


def word_sheet(
    crops: Sequence[Image], captions: Sequence[str], readings: Sequence[str] | None = None, columns: int = 6
) -> Figure:
    """Word crops in rows of `columns`, each under its caption.

    Args:
        crops: `uint8`, any sizes.
        captions: one a crop.
        readings: what was read in each, printed below in red.
        columns: crops a row.
    """
    wide, high = _WIDTH / columns, 0.8 if readings is None else 1.0
    figure, axis = _sheet(high * max(1, -(-len(crops) // columns)))
    for number, (crop, caption) in enumerate(zip(crops, captions)):
        x, y = number % columns * wide, number // columns * high
        _say(axis, x + wide / 2, y + 0.16, caption)
        _place(axis, crop, x + 0.06, y + 0.26, wide - 0.12, 0.42)
        if readings is not None:
            _say(axis, x + wide / 2, y + 0.82, readings[number], RED)
    return figure


def readings_sheet(
    crops: Sequence[Image], truths: Sequence[str], readings: Mapping[str, Sequence[str]], columns: int = 4
) -> Figure:
    """Word crops under what stands there, each above what several read: green where that is right, else red.

    Args:
        crops: `uint8`, any sizes.
        truths: one a crop.
        readings: by the reader's name, one a crop.
        columns: crops a row.
    """
    wide, high = _WIDTH / columns, 0.85 + 0.19 * len(readings)
    figure, axis = _sheet(high * max(1, -(-len(crops) // columns)))
    for number, (crop, truth) in enumerate(zip(crops, truths)):
        x, y = number % columns * wide, number // columns * high
        _say(axis, x + wide / 2, y + 0.16, truth)
        _place(axis, crop, x + 0.06, y + 0.26, wide - 0.12, 0.36)
        for line, (name, its) in enumerate(readings.items()):
            below, colour = y + 0.79 + 0.19 * line, _KEPT if its[number] == truth else RED
            axis.text(x + wide / 2 - 0.08, below, name, fontsize=8.5, ha="right", color=GREY, parse_math=False)
            _say(axis, x + wide / 2 + 0.02, below, its[number], colour, "left")
    return figure


def row_sheet(rows: Mapping[str, Sequence[Image]], columns: int = 1) -> Figure:
    """Rows of crops, each row's name before it, in `columns` blocks side by side."""
    wide, high, label = _WIDTH / columns, 0.5, 1.6
    down = max(1, -(-len(rows) // columns))
    figure, axis = _sheet(high * down)
    for number, (name, crops) in enumerate(rows.items()):
        x, y = number // down * wide, number % down * high
        axis.text(x, y + high / 2, name, fontsize=9, va="center", parse_math=False)
        each = (wide - label - 0.2) / max(1, len(crops))
        for i, crop in enumerate(crops):
            _place(axis, crop, x + label + i * each, y + 0.04, each - 0.1, high - 0.08)
    return figure


def paragraphs(
    groups: Mapping[str, Sequence[Image]], columns: int = 2, lines: int = 8, high: float = 0.3, gap: float = 0.1
) -> Figure:
    """Crops of one height one after another, like words of a text; a text a group, under its name.

    Args:
        groups: crops by name, `uint8`.
        columns: texts side by side.
        lines: the most of a text; crops beyond them are left out.
        high: inches, of every crop that is not too long for a line.
        gap: inches between crops, and between lines.
    """
    wide = _WIDTH / columns - 0.3
    texts = [_set_in_lines(crops, wide, high, gap)[:lines] for crops in groups.values()]
    rows = [texts[start : start + columns] for start in range(0, len(texts), columns)]
    tall = [0.35 + max(map(len, row)) * (high + gap) + 0.15 for row in rows]
    figure, axis = _sheet(sum(tall) or high)
    for number, (name, text) in enumerate(zip(groups, texts)):
        x, y = number % columns * _WIDTH / columns, sum(tall[: number // columns])
        axis.text(x, y + 0.2, name, fontsize=10, weight="bold", parse_math=False)
        for line, placed in enumerate(text):
            for crop, start, width in placed:
                _place(axis, crop, x + start, y + 0.35 + line * (high + gap), width, high)
    return figure


def _set_in_lines(
    crops: Sequence[Image], wide: float, high: float, gap: float
) -> list[list[tuple[Image, float, float]]]:
    """Lines of crops, each with its left edge and its width in inches."""
    lines: list[list[tuple[Image, float, float]]] = []
    x = wide
    for crop in crops:
        width = min(wide, high * crop.shape[1] / crop.shape[0])
        if x + width > wide:
            lines.append([])
            x = 0.0
        lines[-1].append((crop, x, width))
        x += width + gap
    return lines


def page_sheet(pages: Sequence[Image], titles: Sequence[str], columns: int = 2, highest: float = 8.0) -> Figure:
    """Pages side by side under their titles, each row as high as its highest page, at most `highest` inches."""
    wide = _WIDTH / columns
    rows = [range(start, min(start + columns, len(pages))) for start in range(0, len(pages), columns)]
    tall = [max(min(highest, (wide - 0.15) * len(pages[i]) / pages[i].shape[1]) for i in row) for row in rows]
    figure, axis = _sheet(sum(tall) + 0.35 * len(rows))
    y = 0.0
    for row, high in zip(rows, tall):
        for column, i in enumerate(row):
            axis.text(column * wide, y + 0.2, titles[i], fontsize=10, parse_math=False)
            _place(axis, pages[i], column * wide, y + 0.28, wide - 0.15, high, middle=False)
        y += high + 0.35
    return figure


def draw_boxes(image: Image, boxes: np.ndarray, groups: Sequence[int] | np.ndarray = (), zoom: float = 1) -> Image:
    """A copy of `image`, RGB and enlarged by `zoom`, with the outlines of `boxes` `(N, 4)`.

    Args:
        image: `uint8` `(H, W)` or `(H, W, 3)`.
        boxes: px of `image`.
        groups: number of the group of each box, which decides its colour; red for all where there are none.
        zoom: times.
    """
    canvas = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else image.copy()
    canvas = cv2.resize(canvas, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC)
    numbers = groups if len(groups) else np.zeros(len(boxes), int)
    for (x0, y0, x1, y1), group in zip(np.round(np.asarray(boxes) * zoom).astype(int).tolist(), numbers):
        colour = _BOX_COLOURS[int(group) % len(_BOX_COLOURS)].tolist()
        cv2.rectangle(canvas, (x0, y0), (x1, y1), colour, max(1, round(len(canvas) / 900)), cv2.LINE_AA)
    return canvas


def flow(steps: Sequence[tuple[str, str]]) -> Figure:
    """Steps from left to right with arrows between them, each a heading and a few words below it."""
    figure, axis = _sheet(1.5)
    wide, gap = _WIDTH / len(steps), 0.3
    for number, (heading, words) in enumerate(steps):
        x = number * wide
        box = FancyBboxPatch((x + 0.05, 0.15), wide - gap - 0.1, 1.2, "round,pad=0.05", fc="#eef3f9", ec=BLUE)
        axis.add_patch(box)
        middle = x + (wide - gap) / 2
        axis.text(middle, 0.42, heading, fontsize=11, weight="bold", ha="center", va="center")
        axis.text(middle, 0.92, words, fontsize=8, ha="center", va="center", linespacing=1.4)
        if number + 1 < len(steps):
            head, tail = (x + wide - 0.02, 0.75), (x + wide - gap + 0.02, 0.75)
            axis.annotate("", head, tail, arrowprops={"arrowstyle": "-|>", "color": BLUE, "lw": 2})
    return figure


def bars(
    values: Mapping[str, float],
    label: str,
    form: str = "{:,.0f}",
    intervals: Mapping[str, tuple[float, float]] | None = None,
) -> Figure:
    """Horizontal bars, the first on top, each with its value; thin lines for those with an interval."""
    figure, axis = plt.subplots(figsize=(0.7 * _WIDTH, 0.6 + 0.32 * max(1, len(values))), dpi=_DPI)
    axis.barh(list(values), list(values.values()), color=BLUE, height=0.65)
    furthest = dict(values)
    for name, (low, high) in (intervals or {}).items():
        if np.isfinite([low, high]).all():
            axis.plot([low, high], [name, name], color="black", lw=1.2)
            furthest[name] = max(high, values[name])
    for name, value in values.items():
        beside = furthest[name], name
        axis.annotate(form.format(value), beside, (4, 0), textcoords="offset points", va="center", size=9)
    axis.invert_yaxis()
    axis.set_xlabel(label)
    axis.margins(x=0.12)
    axis.set_xlim(left=0)
    axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return figure


def histogram(counts: Mapping[str, int], label: str, rows: int = 1) -> Figure:
    """How often each thing occurs, in the order given, on `rows` lines of one scale; what never occurs is red."""
    names, most = list(counts), max([*counts.values(), 1])
    figure, axes = plt.subplots(rows, 1, figsize=(_WIDTH, 0.5 + 1.5 * rows), dpi=_DPI, squeeze=False)
    for axis, part in zip(axes.flat, np.array_split(np.arange(len(names)), rows)):
        axis.bar(range(len(part)), [counts[names[i]] for i in part], color=BLUE)
        ticks = axis.set_xticks(range(len(part)), ["␣" if names[i] == " " else names[i] for i in part], fontsize=8)
        for tick, i in zip(ticks, part):
            tick.label1.set_parse_math(False)
            tick.label1.set_color("black" if counts[names[i]] else RED)
        axis.set(ylim=(0, most * 1.05), xlim=(-0.7, len(part) - 0.3), ylabel=label)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return figure


def learning_curve(words: Sequence[int], loss: Sequence[float], accuracy: Sequence[float | None]) -> Figure:
    """The loss and the share of validation words read right over the words seen; `None` where it was not validated."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(_WIDTH, 3), dpi=_DPI)
    left.plot(words, loss, "o-", ms=4, color=BLUE)
    left.set(xlabel="words seen", ylabel="CTC loss on training words", ylim=(0, None))
    validated = [(seen, share) for seen, share in zip(words, accuracy) if share is not None]
    right.plot(*zip(*validated), "o-", ms=4, color=RED)
    right.set(xlabel="words seen", ylabel="validation words exactly right", ylim=(0, 1))
    right.yaxis.set_major_formatter(PercentFormatter(1))
    for axis in (left, right):
        axis.set_xlim(left=0)
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return figure


@dataclass(frozen=True)
class Outcome:
    """One decision of a gate, as `decisions` draws it.

    Attributes:
        name: for people.
        when: for people.
        passed: whether the challenger was promoted.
        broken: the rules that were not kept, with semicolons between.
        gain: the challenger's score less the champion's, with its interval; bounds may be `nan`.
        least_gain: which the whole interval must exceed.
        times: the challenger's time in times the champion's.
        most_times: that it may be.
    """

    name: str
    when: str
    passed: bool
    broken: str
    gain: Interval
    least_gain: float
    times: float
    most_times: float


def found_by_order(errors: Mapping[str, Sequence[bool]]) -> Figure:
    """The share of all errors that is found over the share of words that people were asked about, a line an order.

    Args:
        errors: by the name of the order, for each word in that order, whether it is an error.
    """
    figure, axis = plt.subplots(figsize=(_WIDTH * 0.6, 3.4), dpi=_DPI)
    for name, wrong in errors.items():
        found = np.append(0, np.cumsum(wrong)) / max(1, np.sum(wrong))
        axis.plot(np.linspace(0, 100, len(found)), 100 * found, label=name)
    axis.set(xlabel="words asked about, %", ylabel="errors found, %", xlim=(0, 100), ylim=(0, 102))
    axis.legend(frameon=False, loc="lower right")
    figure.tight_layout()
    return figure


def decisions(outcomes: Sequence[Outcome], label: str) -> Figure:
    """What a gate decided, the oldest first: gain and time of each challenger against their bounds, and the outcome.

    What keeps to its bound is green, what does not is red.

    Args:
        outcomes: of the gate.
        label: what is gained.
    """
    size = (_WIDTH, 1.3 + 0.55 * len(outcomes))
    figure, axes = plt.subplots(1, 2, figsize=size, dpi=_DPI, sharey=True, width_ratios=(2, 1))
    for row, one in enumerate(outcomes):
        colour = _KEPT if one.gain.low > one.least_gain else RED
        axes[0].plot([one.gain.low, one.gain.high], [row, row], color=colour, lw=2)
        axes[0].plot([one.gain.value], [row], "o", color=colour)
        axes[1].plot([one.times], [row], "o", color=_KEPT if one.times <= one.most_times else RED)
        for axis, bound in ((axes[0], one.least_gain), (axes[1], one.most_times)):
            axis.plot([bound, bound], [row - 0.5, row + 0.5], "--", color=GREY, lw=1)
        broken = one.broken.replace("; ", "\n")
        said = "promoted" if one.passed else f"refused by:\n{broken}" if broken else "refused"
        colour = _KEPT if one.passed else RED
        axes[1].text(1.04, row, said, color=colour, fontsize=9, va="center", transform=axes[1].get_yaxis_transform())
    axes[0].set_yticks(range(len(outcomes)), [f"{one.name}\n{one.when}" for one in outcomes], fontsize=9)
    axes[0].set_ylim(len(outcomes) - 0.5, -0.5)
    axes[0].set_xlabel(f"{label} with its 95 % interval,\nall of it to lie right of the dashes")
    axes[1].set_xlabel("times the champion's time,\nto lie left of the dashes")
    for axis in axes:
        axis.margins(x=0.08)
        axis.grid(axis="x", alpha=0.3)
        axis.tick_params(axis="y", length=0)
        axis.spines[["top", "right", "left"]].set_visible(False)
    figure.tight_layout()
    return figure


@dataclass(frozen=True)
class Evidence:
    """What `evidence` draws of a rollout.

    Attributes:
        verdicts: when, kind and outcome (1: the challenger was better, -1: worse, 0: alike) of each labelled document.
        moves: when, stage and outcome of each move.
        guards: when, which, and the logarithm of the e-value of each guard.
        alpha: the way up needs an e-value of 1 / alpha.
        guard_alpha: a guard stops at an e-value of 1 / guard_alpha.
    """

    verdicts: Sequence[tuple[float, str, int]]
    moves: Sequence[tuple[float, str, str]]
    guards: Sequence[tuple[float, str, float]]
    alpha: float
    guard_alpha: float


def evidence(its: Evidence) -> Figure:
    """Evidence that a challenger is better, above, and guards against harm, below, over the steps as coloured bands."""
    figure, axes = plt.subplots(2, 1, figsize=(_WIDTH, 5.2), dpi=_DPI, sharex=True, height_ratios=(3, 2))
    times = [at for at, *_ in (*its.verdicts, *its.moves, *its.guards)]
    first, last = min(times), max(times)
    units = ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes"), (0.0, "seconds"))
    least, name = next(unit for unit in units if last - first >= 2 * unit[0])
    unit = least or 1.0

    def since(at: float) -> float:
        return (at - first) / unit

    kinds = sorted({kind for _, kind, _ in its.verdicts})
    lines = {"all kinds": list(its.verdicts)}
    if len(kinds) > 1:
        lines |= {kind: [verdict for verdict in its.verdicts if verdict[1] == kind] for kind in kinds}
    for number, (kind, verdicts) in enumerate(lines.items()):
        outcomes = np.array([outcome for *_, outcome in verdicts])
        wins, losses = np.cumsum(outcomes > 0), np.cumsum(outcomes < 0)
        signed = [np.sign(w - b) * max(0.0, log_e_value(int(w), int(b))) for w, b in zip(wins, losses)]
        colour, width = ("black", 2.0) if number == 0 else (_BOX_COLOURS[number % len(_BOX_COLOURS)] / 255, 1.0)
        powers = np.array(signed) / np.log(10)
        axes[0].step([since(at) for at, *_ in verdicts], powers, where="post", label=kind, color=colour, lw=width)
    for number, name_of_guard in enumerate(dict.fromkeys(which for _, which, _ in its.guards)):
        path = [(since(at), power / np.log(10)) for at, which, power in its.guards if which == name_of_guard]
        axes[1].step(*zip(*path), where="post", label=name_of_guard, ls="-" if number % 2 else "--")
    axes[0].axhline(-np.log10(its.alpha), ls="--", color=_KEPT, lw=1, label="enough for a step up")
    axes[0].axhline(np.log10(its.guard_alpha), ls="--", color=RED, lw=1, label="stops the rollout")
    axes[1].axhline(-np.log10(its.guard_alpha), ls="--", color=RED, lw=1, label="stops the rollout")
    for axis in axes:
        axis.set_xlim(0, since(last) * 1.02 or 1.0)
    _bands(axes, its.moves, since, since(last) * 1.02)
    axes[0].set_ylabel("challenger worse   |   better\nevidence, powers of ten", fontsize=9)
    axes[1].set_ylabel("harm, powers of ten", fontsize=9)
    axes[1].set_xlabel(f"{name} since the start")
    for axis in axes:
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
        if axis.get_legend_handles_labels()[0]:
            axis.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.tight_layout()
    return figure


def _bands(
    axes: Sequence[Axes], moves: Sequence[tuple[float, str, str]], since: Callable[[float], float], end: float
) -> None:
    """The steps behind the curves, each with its name on top."""
    blues = plt.get_cmap("Blues")
    ends = [since(at) for at, *_ in moves[1:]] + [max(end, since(moves[-1][0]))] if moves else []
    for number, ((at, stage, outcome), stop) in enumerate(zip(moves, ends)):
        colour = {"won": "#cfe8d8", "stopped": "#f3d2d0"}.get(outcome, blues(0.08 + 0.1 * number))
        for axis in axes:
            axis.axvspan(since(at), stop, color=colour, lw=0, zorder=0)
        axes[0].annotate(
            stage,
            (since(at), 1.0),
            (1, 4 + 11 * (number % 2)),  # two heights, for steps that follow each other soon
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            fontsize=8,
            color=GREY,
        )


def ladder(rungs: Sequence[str], scores: Mapping[str, Sequence[Interval]]) -> Figure:
    """Shares with their intervals: a panel a test, a bar a rung, the first rung on top, the best of a panel dark."""
    size = (_WIDTH, 1.0 + 0.36 * len(rungs))
    figure, axes = plt.subplots(1, len(scores), figsize=size, dpi=_DPI, sharey=True, squeeze=False)
    for axis, (test, values) in zip(axes.flat, scores.items()):
        best = max(score.value for score in values)
        colours = [BLUE if score.value == best else "#a9c1da" for score in values]
        axis.barh(rungs, [score.value for score in values], color=colours, height=0.7)
        for rung, score in zip(rungs, values):
            axis.plot([score.low, score.high], [rung, rung], color="black", lw=1.2)
            beside = np.nanmax([score.value, score.high]), rung
            axis.annotate(f"{score.value:.0%}", beside, (4, 0), textcoords="offset points", va="center", size=9)
        axis.set_title(test, fontsize=9)
        axis.set_xlim(0, 1.15)
        axis.set_xticks([0, 0.5, 1])
        axis.xaxis.set_major_formatter(PercentFormatter(1))
        axis.spines[["top", "right"]].set_visible(False)
    axes[0, 0].invert_yaxis()
    figure.supxlabel("read right; thin lines: 95 % intervals", fontsize=9)
    figure.tight_layout()
    return figure


def climbed(results: Mapping[str, Any]) -> Figure:
    """What `ocrkit.studies.ladder.climb` found: a panel a test, a bar a rung."""
    scores = {
        f"{test}\n{its['words']:,} crops": [Interval(**rung["scores"][test]) for rung in results["rungs"]]
        for test, its in results["tests"].items()
    }
    return ladder([rung["name"] for rung in results["rungs"]], scores)


def roofline(gflops: float, gb_per_second: float, reached: Mapping[str, tuple[float, float]]) -> Figure:
    """What a processor can do at best, for work of any intensity, and what was reached, with its share of that.

    Args:
        gflops: the flat roof, GFLOP/s.
        gb_per_second: the slope of the roof on its left, where memory is too slow.
        reached: for each kind of work, operations a byte and GFLOP/s.

    Williams, Waterman & Patterson, "Roofline: an insightful visual performance model" (2009).
    """
    figure, axis = plt.subplots(figsize=(0.6 * _WIDTH, 0.36 * _WIDTH), dpi=_DPI)
    ridge = gflops / gb_per_second
    furthest = max([4 * ridge, *(2 * intensity for intensity, _ in reached.values())])
    axis.plot([ridge / 10, ridge, furthest], [gflops / 10, gflops, gflops], color="black", lw=1.5)
    flat, slope = f"matrix multiply: {gflops:.0f} GFLOP/s", f"memory: {gb_per_second:.0f} GB/s"
    axis.annotate(flat, (ridge, gflops), (6, 5), textcoords="offset points", size=8)
    axis.annotate(slope, (ridge / 5, gflops / 5), (6, -8), textcoords="offset points", size=8)
    for (name, (intensity, speed)), colour in zip(reached.items(), _BOX_COLOURS / 255):
        roof = min(gflops, intensity * gb_per_second)
        axis.plot([intensity, intensity], [speed, roof], ":", color=GREY, lw=1)
        axis.plot([intensity], [speed], "o", color=colour, label=f"{name}: {speed / roof:.0%}")
    axis.set(xscale="log", yscale="log", xlabel="operations a byte of memory", ylabel="GFLOP/s of one core")
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_formatter("{x:g}")
        side.set_minor_formatter(NullFormatter())
    axis.margins(y=0.12)
    axis.grid(alpha=0.3)
    axis.legend(title="share of the roof", loc="lower right", frameon=False)
    axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return figure


def _sheet(height: float) -> tuple[Figure, Axes]:
    """An empty sheet measured in inches from its top left corner."""
    figure = plt.figure(figsize=(_WIDTH, height), dpi=_DPI)
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set(xlim=(0, _WIDTH), ylim=(height, 0))
    axis.axis("off")
    return figure, axis


def _place(axis: Axes, picture: Image, x: float, y: float, wide: float, high: float, middle: bool = True) -> None:
    """Draw `picture` as large as the rectangle allows, its proportions kept; in its middle, or at its top left."""
    height, width = picture.shape[:2]
    scale = min(wide / width, high / height)
    x += middle * (wide - width * scale) / 2
    y += middle * (high - height * scale) / 2
    extent = (x, x + width * scale, y + height * scale, y)
    axis.imshow(picture, cmap="gray", vmin=0, vmax=255, extent=extent, aspect="auto")


def _say(axis: Axes, x: float, y: float, text: str, colour: str = "black", side: str = "center") -> None:
    """A caption; blanks in it can be seen, and so can no text at all."""
    shown = text.replace(" ", "␣") if text else "(nothing)"
    axis.text(x, y, shown, fontsize=8.5, ha=side, color=colour if text else GREY, parse_math=False)
