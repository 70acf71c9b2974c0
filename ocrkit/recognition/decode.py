"""CTC outputs -> text, confidence and the place of every character."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ocrkit.alphabet import Alphabet
from ocrkit.recognition.options import DecodeOptions

# An em dash but between two letters; an en dash as a number's sign, and behind a single capital or figure.
_DASH = re.compile(r"(?<![^\W\d_])—|—(?![^\W\d_])|^–(?=[\d.$(])|(?<=\b[A-Z\d])–(?=\W*$)")
# Blanks beside marks, and the comma that is seen in the half of a low quotation mark.
_LEFT_OUT = re.compile(r"^ +| +$| +(?=[:;,.)])|(?<=\() +|(?<=„),")
# Letters that look like the figures beside which they stand: `l00`, `l%`, `Ist`, `4o0`, `37Omm`; but `html5`, `Al2O3`.
_FIGURES = (
    (re.compile(r"(?<![^\W\d_])[lI](?=[\d%])|^[lI](?=st$)"), "1"),
    (re.compile(r"(?<=\d)(?<![^\W\d_]\d)[oO](?=\d)|(?<=\d)O(?=[a-z])"), "0"),
)

_DEFAULT = DecodeOptions()


@dataclass(frozen=True, eq=False)
class Guess:
    """What a crop is thought to say.

    Attributes:
        text: empty where nothing is read.
        confidence: 0 to 1; see `greedy` and `Calibration`.
        spans: left and right edge of each character in px of the crop, `(len(text), 2)`.
        known: whether the recogniser's lexicon has all of its words, punctuation around them apart.
        bonus: what that adds to its log probability; see `Lexicon.bonus`.
    """

    text: str
    confidence: float
    spans: np.ndarray
    known: bool = False
    bonus: float = 0.0


@dataclass(frozen=True)
class Calibration:
    """A confidence as the share of real words that are right where it is met: its log odds x `slope` + `offset`.

    What is read is decided by confidences as `greedy` has them; this is for those that are handed out. It never changes
    which of two readings is the surer one.

    Platt, "Probabilistic Outputs for Support Vector Machines" (1999).
    """

    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, confidence: float) -> float:
        """The calibrated confidence; 0 and 1 stay what they are."""
        sure = min(1.0, max(0.0, confidence))  # a path's probability may be rounded up
        right = sure**self.slope * math.exp(self.offset)
        return right / (right + (1 - sure) ** self.slope)

    def of_guesses(self, guesses: Sequence[Guess]) -> list[Guess]:
        """The guesses with their confidences calibrated."""
        return [replace(guess, confidence=self(guess.confidence)) for guess in guesses]


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Along the last axis, in the input's precision."""
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def greedy(logits: np.ndarray, alphabet: Alphabet, steps_to_px: np.ndarray, temperature: float = 1.0) -> list[Guess]:
    """The best path's text for each row.

    Confidence is the best path's probability over all time steps, taken to the power 1 / max(1, characters), so that
    long words are not called doubtful for their length; `temperature` divides the logits before.

    Args:
        logits: `(N, T, classes)`.
        alphabet: of the network.
        steps_to_px: px of the crop per time step, `(N,)`.
        temperature: above 1 makes confidences humbler.
    """
    if temperature != 1.0:
        logits = logits / temperature
    best = logits.argmax(-1)
    # Of the best class the logit is the greatest, so its log probability is what all the others take from certainty.
    odds = logits - logits.max(-1, keepdims=True)
    top = -np.log(np.exp(odds, out=odds).sum(-1))
    path = top.sum(1).tolist()
    # A run of equal classes ends where the next run, blank or not, begins, at the latest behind the last step.
    new = np.ones((len(best), best.shape[1] + 1), bool)
    new[:, 1:-1] = best[:, 1:] != best[:, :-1]
    rows, first = np.nonzero(new[:, :-1] & (best != alphabet.blank))
    changes = np.flatnonzero(new)
    at = rows * new.shape[1] + first
    last = first + changes[np.searchsorted(changes, at, "right")] - at
    spans = np.stack([first, last], 1) * steps_to_px[rows, None]
    classes = best[rows, first].tolist()
    ends = np.searchsorted(rows, np.arange(len(best) + 1)).tolist()
    guesses = []
    for total, start, end in zip(path, ends, ends[1:]):
        text = alphabet.decode(classes[start:end])
        guesses.append(Guess(text, math.exp(total / max(1, len(text))), spans[start:end]))
    return guesses


def greedy_texts(logits: np.ndarray, alphabet: Alphabet) -> list[str]:
    """Only the texts of `greedy`."""
    best = logits.argmax(-1)
    keep = best != alphabet.blank
    keep[:, 1:] &= best[:, 1:] != best[:, :-1]
    return [alphabet.decode(row[mask].tolist()) for row, mask in zip(best, keep)]


def tidied(guess: Guess, options: DecodeOptions = _DEFAULT) -> Guess:
    """The guess with its dashes, the blanks beside its marks and its figures as the options want them."""
    text = tidy(guess.text, options)
    if guess.confidence < options.figure_confidence:
        for letters, figure in _FIGURES:
            text = letters.sub(figure, text)
    if text == guess.text:
        return guess
    spans = guess.spans
    if len(text) < len(spans):
        left_out = [place for part in _LEFT_OUT.finditer(guess.text) for place in range(*part.span())]
        spans = np.delete(spans, left_out, axis=0)
    return replace(guess, text=text, spans=spans)


def tidy(text: str, options: DecodeOptions) -> str:
    """`text` with its dashes and its marks, and the blanks beside these, as the options want them."""
    if options.plain_dashes and ("—" in text or "–" in text):
        text = _DASH.sub("-", text)
    return _LEFT_OUT.sub("", text) if options.close_marks and (" " in text or "„," in text) else text
