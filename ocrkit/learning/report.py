"""An evaluation to look at: Markdown tables, the reliability diagram, and a sheet of the worst errors."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ocrkit import privacy
from ocrkit.datasets.sample import Sample
from ocrkit.errors import MissingExtra
from ocrkit.files import make_folder, write_whole
from ocrkit.learning.scoring import Evaluation, Score, as_json, read_samples
from ocrkit.metrics import Interval
from ocrkit.recognition.decode import Guess
from ocrkit.recognition.recognizer import Recognizer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CONFUSIONS = 20
_COLUMNS, _ROWS = 5, 8  # of the sheet
_LONGEST = 26  # characters that fit under a crop


def interval(value: Interval) -> str:
    """`0.912 (0.901 to 0.922)`, and a dash where there is nothing to measure."""
    if math.isnan(value.value):
        return "–"
    return f"{value.value:.3f} ({value.low:.3f} to {value.high:.3f})"


def score_table(scores: Mapping[str, Score], heading: str) -> list[str]:
    """Lines of a Markdown table, a row a score."""
    rows = [
        f"| {name} | {s.words:,} | {interval(s.exact)} | {interval(s.caseless)} | {interval(s.cer)} |"
        for name, s in scores.items()
    ]
    return [f"| {heading} | words | exact | caseless | character errors |", "|---|---|---|---|---|", *rows, ""]


def report_markdown(model: str, evaluations: Mapping[str, Evaluation]) -> str:
    """Every score of every set, in words and tables."""
    lines = [
        f"# How well {model} reads",
        "",
        "Share of words read exactly, and caselessly, right; character errors over true characters. In brackets the "
        "95 % interval of a bootstrap over the words.",
        "",
        *score_table({name: e.total for name, e in evaluations.items()}, "set"),
    ]
    for name, evaluation in evaluations.items():
        lines += [f"## {name}", ""]
        for attribute, scores in evaluation.groups.items():
            lines += score_table(scores, attribute)
        lines += ["| true | read | times |", "|---|---|---|"]
        lines += [
            f"| {sign(true)} | {sign(read)} | {count} |" for true, read, count in evaluation.confusions[:_CONFUSIONS]
        ]
        lines += [
            "",
            f"Confidence: expected calibration error {evaluation.calibration_error:.3f}.",
            "",
            "| confidence | words | mean confidence | right |",
            "|---|---|---|---|",
            *(
                f"| {b.low:.1f} to {b.high:.1f} | {b.count:,} | {b.confidence:.3f} | {b.accuracy:.3f} |"
                for b in evaluation.reliability
            ),
            "",
        ]
    return "\n".join(lines)


def sign(character: str) -> str:
    """A character as a table shows it; nothing and a blank by name."""
    shown = {"": "nothing", " ": "blank", "|": "`\\|`", "`": "`` ` ``"}
    return shown.get(character, f"`{character}`")


def reliability_diagram(evaluations: Mapping[str, Evaluation]) -> Figure:
    """How often words of like confidence were right, a line a set; on the dashed line both agree.

    Dots grow with their words.

    Raises:
        MissingExtra: Matplotlib is not installed.
    """
    figure = _figure(5.2, 5.0)
    axis = figure.add_subplot()
    axis.plot([0, 1], [0, 1], "--", color="0.6", lw=1)
    for name, evaluation in evaluations.items():
        bins = evaluation.reliability
        confidences, shares = [b.confidence for b in bins], [b.accuracy for b in bins]
        label = f"{_drawable(name)}: {evaluation.total.words:,} words, error {evaluation.calibration_error:.3f}"
        (line,) = axis.plot(confidences, shares, "-", label=label)
        sizes = [15 + 200 * b.count / evaluation.total.words for b in bins]
        axis.scatter(confidences, shares, sizes, color=line.get_color(), alpha=0.8)
    axis.set(xlabel="mean confidence", ylabel="share right", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    axis.grid(alpha=0.3)
    if evaluations:
        axis.legend(loc="upper left", fontsize=8)
    return figure


def worst_sheet(errors: Sequence[tuple[Sample, Guess]]) -> Figure:
    """Each crop with what stands there, and below what was read and how sure that was.

    Raises:
        MissingExtra: Matplotlib is not installed.
    """
    shown = errors[: _COLUMNS * _ROWS]
    rows = max(1, -(-len(shown) // _COLUMNS))
    figure = _figure(2.3 * _COLUMNS, 0.95 * rows)
    for axis, (sample, guess) in zip(figure.subplots(rows, _COLUMNS, squeeze=False).flat, shown):
        axis.imshow(sample.image, cmap="gray", vmin=0, vmax=255)
        axis.set_title(_short(sample.text), fontsize=8, pad=3, parse_math=False)
        said = f"{_short(guess.text)}  {guess.confidence:.2f}"
        axis.set_xlabel(said, fontsize=8, color="#c2413b", labelpad=3, parse_math=False)
    for axis in figure.axes:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    return figure


def png(figure: Figure) -> bytes:
    """The figure as a file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _short(text: str) -> str:
    text = _drawable(text)
    return (text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…") or "(nothing)"


def _drawable(text: str) -> str:
    """`text` with the code of every character that Matplotlib's font lacks, such as `[U+4E2D]`, in its place."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    font = get_font(findfont(FontProperties()))
    return "".join(sign if font.get_char_index(ord(sign)) else f"[U+{ord(sign):04X}]" for sign in text)


def _figure(width: float, height: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("Drawing a report needs Matplotlib: pip install 'ocrkit[train]'.") from None
    return Figure((width, height), dpi=110, layout="constrained")


def write_report(
    folder: Path,
    model: str,
    sets: Mapping[str, Sequence[Sample]],
    recognizer: Recognizer,
    progress: Callable[[int], object] = lambda words: None,
) -> dict[str, Evaluation]:
    """Read all `sets` and write `report.json`, `report.md`, `reliability.png` and `worst.png` into `folder`.

    Of donated words neither crops nor texts are shown: the sheet of the worst errors has none of them, and groups of
    words from fewer than `ocrkit.privacy.LEAST_DOCUMENTS` documents are left out.

    Args:
        folder: made where missing.
        model: its name, for the heading.
        sets: name -> labelled words.
        recognizer: that reads them.
        progress: as in `read_samples`.
    """
    evaluations, errors = {}, []
    for name, samples in sets.items():
        guesses, evaluations[name] = read_samples(recognizer, samples, progress)
        errors += [(samples[row], guesses[row]) for row in evaluations[name].worst if not samples[row].private]
    make_folder(folder)
    donated = [{s.document for s in samples if s.private} for samples in sets.values()]
    with privacy.aggregate(min(map(len, filter(None, donated)), default=0) or privacy.LEAST_DOCUMENTS, "The report"):
        write_whole(folder / "report.json", json.dumps(as_json(evaluations), indent=1, ensure_ascii=False) + "\n")
        write_whole(folder / "report.md", report_markdown(model, evaluations))
        write_whole(folder / "reliability.png", png(reliability_diagram(evaluations)))
        if errors:
            errors.sort(key=lambda error: -error[1].confidence)
            write_whole(folder / "worst.png", png(worst_sheet(errors)))
    return evaluations
