"""The card of a released model as a page for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ocrkit.learning.report import score_table, sign
from ocrkit.learning.scoring import Evaluation, Score
from ocrkit.recognition.model import WEIGHTS

_WEAKEST, _CONFUSIONS = 6, 12
_LEAST_WORDS = 30  # a class of fewer tells little
_BARS = "▁▂▃▄▅▆▇█"
_ROWS = 10  # of the training curve's table
_WORDS_FROM = (
    "Words: frequency lists of [wordfreq](https://github.com/rspeer/wordfreq) (data CC BY-SA 4.0), names and addresses "
    "invented by [Faker](https://github.com/joke2k/faker) (MIT), and figures, dates, codes and forms drawn by ocrkit."
)
_BOOKS_FROM = " Further words: plain-text books of the public domain, such as Project Gutenberg's."
_FONTS_FROM = (
    "Fonts: {families}. Those of Python packages (font-*, Matplotlib, ReportLab) and of "
    "[Fontsource](https://fontsource.org) are each under their own open licence, mostly SIL OFL 1.1; those of a system "
    "under what their packages say. Only pictures of words were made with them; no font is part of the model."
)


def card_markdown(
    name: str, card: Mapping[str, Any], evaluations: Mapping[str, Evaluation], greedy: Mapping[str, Evaluation]
) -> str:
    """What the model is, what it learnt from, how well it reads, where it fails and whose work it rests on.

    Args:
        name: of the released model.
        card: its `card.json`.
        evaluations: name of the set -> scores, as the model reads by default.
        greedy: the same of the network alone, without a second look or lexicon.
    """
    lines = [
        f"# {name}",
        "",
        f"Reads single words and short chunks, {len(card['alphabet'])} characters. Trained on: {card['trained_on']}.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {label} | {value} |" for label, value in _facts(card).items()),
        "",
        "## Scores",
        "",
        "In brackets the 95 % interval of a bootstrap over the words. The model was trained on none of them.",
        "",
        *score_table({key: e.total for key, e in evaluations.items()}, "set"),
        "The network alone, its best path taken without a second look at doubtful words and without its lexicon:",
        "",
        *score_table({key: e.total for key, e in greedy.items()}, "set"),
        f"Confidences are those at a temperature of {card['temperature']:.2f}, fitted on "
        f"{card['temperature_words']:,} invented words of other fonts{_calibrated(card)}. Expected calibration error: "
        + ", ".join(f"{key} {e.calibration_error:.3f}" for key, e in evaluations.items())
        + ".",
        "",
        "## Known failures",
        "",
    ]
    for key, evaluation in evaluations.items():
        pairs = ", ".join(f"{sign(t)} as {sign(r)} ({n})" for t, r, n in evaluation.confusions[:_CONFUSIONS])
        lines += [f"{key}, read most often wrongly: {pairs or 'nothing'}.", ""]
        lines += score_table(_weakest(evaluation), f"{key}, weakest kinds of words")
    told = [*_curve(card.get("curve", [])), *(f"- {line}" for line in card.get("rounds", []))]
    lines += ["## Training", "", *told, ""] if told else []
    sources = _WORDS_FROM + (_BOOKS_FROM if card.get("book_words") else "")
    lines += ["## Sources and licences", "", sources, "", _FONTS_FROM.format(families=_families(card)), ""]
    if card.get("credit"):
        lines += ["Labelled words of real print:", "", *(f"- {whose}" for whose in card["credit"]), ""]
    lines += ["The model is under ocrkit's own licence, Apache 2.0.", ""]
    return "\n".join(lines)


def _calibrated(card: Mapping[str, Any]) -> str:
    if "calibration" not in card:
        return ""
    words = ", ".join(f"{count:,} of {name}" for name, count in card["calibrated_on"].items())
    slope, offset = card["calibration"]["slope"], card["calibration"]["offset"]
    return f", then by log odds x {slope:.2f} {offset:+.2f}, fitted on words that it did not learn from ({words})"


def _facts(card: Mapping[str, Any]) -> dict[str, Any]:
    options = card.get("train_options", {})
    facts = {
        "size": card["size"],
        "fine-tuned from": _origin(card.get("fine_tuned_from")),
        "parameters": card.get("parameters"),
        "multiply-accumulates, 128 px": card.get("macs_128_px"),
        "words seen in training": options.get("words"),
        "batch, peak learning rate, seed": ", ".join(
            str(options[key]) for key in ("batch_size", "learning_rate", "seed") if key in options
        ),
        "vocabulary": card.get("vocabulary_words"),
        "date": card.get("date"),
        "commit of the training": card.get("commit"),
        "export against network": f"{card['export_parity']:.1e} a logit, the same strings on "
        f"{card['parity_crops']:,} crops",
    }
    return {k: f"{v:,}" if isinstance(v, int) else v for k, v in facts.items() if v}


def _origin(model: Mapping[str, Any] | None) -> str:
    """The model it went on from, told apart from others of its name by the first digits of its weights' checksum."""
    return f"{model['model']}, weights {model['files'][WEIGHTS][:12]}" if model else ""


def _weakest(evaluation: Evaluation) -> dict[str, Score]:
    """The kinds of words read worst, of those that have enough words and are no whole set."""
    kinds = {
        f"{attribute}: {value}": score
        for attribute, scores in evaluation.groups.items()
        for value, score in scores.items()
        if _LEAST_WORDS <= score.words < evaluation.total.words
    }
    return dict(sorted(kinds.items(), key=lambda item: item[1].exact.value)[:_WEAKEST])


def _families(card: Mapping[str, Any]) -> str:
    sources = ", ".join(f"{count} from {source}" for source, count in card.get("font_sources", {}).items())
    return f"{card.get('fonts', 'some')} families" + (f" ({sources})" if sources else "")


def _curve(curve: list[list[Any]]) -> list[str]:
    """Word accuracy over training, as a line of bars and a table."""
    measured = [(words, loss, swa) for words, loss, swa in curve if swa is not None]
    if not measured:
        return []
    bars = "".join(_BARS[min(len(_BARS) - 1, int(swa * len(_BARS)))] for _, _, swa in measured)
    shown = measured[:: max(1, -(-len(measured) // _ROWS))]
    shown += [measured[-1]] * (shown[-1] != measured[-1])
    return [
        f"Share of validation words read right, 0 to 1, as training went on: `{bars}`",
        "",
        "| words seen | loss | words read right |",
        "|---|---|---|",
        *(f"| {words:,} | {loss:.2f} | {swa:.3f} |" for words, loss, swa in shown),
        "",
    ]
