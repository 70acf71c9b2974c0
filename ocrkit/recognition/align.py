"""Where on a picture each character of a known transcript stands: CTC forced alignment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np

from ocrkit.alphabet import Alphabet
from ocrkit.errors import BadLabel
from ocrkit.recognition.decode import log_softmax


@dataclass(frozen=True, eq=False)
class Alignment:
    """The likeliest path through a network's outputs that says a given text.

    Attributes:
        log_probability: of the path, natural logarithm.
        spans: first time step of each character and the one after its last, `(L, 2)`.
        log_probs: the outputs, `(T, classes)`, natural logarithms.
        choices: for each character the classes it may be read as.
    """

    log_probability: float
    spans: np.ndarray
    log_probs: np.ndarray = field(repr=False)
    choices: Sequence[tuple[int, ...]] = field(repr=False)

    @cached_property
    def probabilities(self) -> tuple[np.ndarray, ...]:
        """For each character the mean probability of each of its choices along its steps."""
        return tuple(
            np.exp(self.log_probs[first:last, list(classes)]).mean(0)
            for (first, last), classes in zip(self.spans, self.choices)
        )

    @property
    def scores(self) -> np.ndarray:
        """How probable each character is where it stands, 0 to 1, `(L,)`."""
        return np.array([float(choices.sum()) for choices in self.probabilities])


def align(log_probs: np.ndarray, choices: Sequence[tuple[int, ...]], blank: int = Alphabet.blank) -> Alignment:
    """The likeliest CTC path of `log_probs` that says `choices`, by the Viterbi algorithm.

    Args:
        log_probs: `(T, classes)`, natural logarithms.
        choices: for each character the classes it may be read as, such as `A` and `a`; their probabilities are added
            up. Neighbours that share a class count as equal: as in CTC, a blank must part them.
        blank: class that stands for no character.

    Raises:
        BadLabel: the text needs more time steps than there are.

    Graves et al., "Connectionist temporal classification" (2006), section 4, with maxima in place of sums.
    """
    steps, length = len(log_probs), len(choices)
    equal = np.array([bool(set(a) & set(b)) for a, b in pairwise(choices)], bool)
    if length + equal.sum() > steps:
        raise BadLabel(f"{length} characters need more than the {steps} time steps of their picture.")
    # State 2i + 1 is character i, state 2i the blank before it; from a character one may step over the next blank.
    states = 2 * length + 1
    emitted = np.repeat(log_probs[:, [blank]], states, axis=1)
    emitted[:, 1::2] = log_probs[:, [classes[0] for classes in choices]]
    for i, classes in enumerate(choices):
        if len(classes) > 1:
            emitted[:, 2 * i + 1] = np.logaddexp.reduce(log_probs[:, list(classes)], axis=1)
    over = np.full(states, -np.inf)
    over[3::2] = np.where(equal, -np.inf, 0.0)

    best = np.full(states + 2, -np.inf)  # two states that are never reached before the first spare the loop its edges
    best[2:4] = emitted[0, :2]
    came = np.zeros((steps, states), np.int8)
    ways = np.empty((3, states))
    for t in range(1, steps):
        ways[0], ways[1], ways[2] = best[2:], best[1:-1], best[:-2] + over
        came[t] = ways.argmax(0)
        best[2:] = ways.max(0) + emitted[t]
    state = states - 1 - int(length > 0 and best[-2] > best[-1])  # the last blank, or the last character
    total = float(best[state + 2])
    path = np.empty(steps, int)
    for t in range(steps - 1, -1, -1):
        path[t] = state
        state -= int(came[t, state])  # a state's number may be more than an int8 holds

    characters = np.arange(1, states, 2)
    spans = np.stack([np.searchsorted(path, characters, side) for side in ("left", "right")], 1)
    return Alignment(total, spans, log_probs, choices)


def choices_of(text: str, alphabet: Alphabet) -> list[tuple[int, ...]]:
    """What each character of a transcript may be read as: itself, its other case, and for a space also nothing.

    Raises:
        BadLabel: a character outside the alphabet.
    """
    choices = []
    for character in text:
        cases = [character, *(c for c in (character.lower(), character.upper()) if c != character)]
        known = [c for c in cases if len(c) == 1 and not alphabet.unknown(c)] or [character]
        blank = (alphabet.blank,) if character == " " else ()
        choices.append((*alphabet.encode("".join(known)).tolist(), *blank))
    return choices


def evidence_against(log_probs: np.ndarray, alignment: Alignment) -> float:
    """Natural logarithm of how many times likelier the likeliest reading is than the aligned text; 0 where it is that.

    High where the network is sure of something else. Where it is sure of nothing it stays low: illegible crops do not
    speak against their labels.
    """
    return float(log_probs.max(1).sum()) - alignment.log_probability


def log_probabilities(logits: np.ndarray) -> np.ndarray:
    """Of `(T, classes)` logits, in double precision."""
    return log_softmax(logits.astype(float))
