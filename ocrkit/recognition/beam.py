"""CTC prefix beam search with an optional lexicon: the most probable text instead of the most probable path.

Source: Hannun et al., "First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent DNNs"
(2014), algorithm 1; the lexicon weighs the finished texts, not the prefixes, so that no text is ruled out.
"""

from __future__ import annotations

import math
import string
from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from ocrkit.alphabet import Alphabet
from ocrkit.recognition.align import align, log_probabilities
from ocrkit.recognition.decode import Guess, greedy

_WIDTH = 12  # texts kept after each time step
_CHOICES = 6  # classes tried at a time step
_LEAST = 1e-3  # classes less probable than this are not tried
_MARKS = string.punctuation + "‘’“”«»…–—"


class Lexicon:
    """Words that are more likely than other strings of the same look.

    Args:
        words: as dictionaries write them; "total" also stands for "Total" and "TOTAL", "Total" for "TOTAL" alone.
        weight: how many times as likely as by the picture alone, as a natural logarithm.
    """

    def __init__(self, words: Iterable[str], weight: float = 3.0) -> None:
        # A sole letter or figure says nothing that its picture does not.
        self._words = {word for word in words if len(word) > 1 and word.isalpha()}
        self._words |= {word.capitalize() for word in self._words} | {word.upper() for word in self._words}
        self._weight = weight

    def bonus(self, text: str) -> float:
        """What to add to the log probability of `text`: the weight times the share of its words that are known.

        Punctuation around a word does not count.
        """
        words = [word.strip(_MARKS) for word in text.split()]
        return self._weight * sum(word in self._words for word in words) / max(1, len(words))


def prefix_search(
    probabilities: np.ndarray, width: int = _WIDTH, choices: int = _CHOICES, least: float = _LEAST
) -> dict[tuple[int, ...], float]:
    """The likeliest class sequences of one crop, each with the log of the summed probability of its paths.

    Args:
        probabilities: `(T, classes)`, class 0 is blank.
        width: sequences kept after each step.
        choices: classes tried at a step, at most.
        least: smallest probability of a class that is tried.
    """
    top = np.argsort(probabilities, axis=1)[:, ::-1][:, :choices]
    # Classes so far -> probability of all paths that spell them and end in blank, or in the last class.
    beams: dict[tuple[int, ...], tuple[float, float]] = {(): (1.0, 0.0)}
    log_scale = 0.0
    for step, classes in zip(probabilities, top):
        tried = [(c, p) for c, p in zip(classes.tolist(), step[classes].tolist()) if c and p >= least]
        blank = float(step[0])
        ended: dict[tuple[int, ...], list[float]] = defaultdict(lambda: [0.0, 0.0])
        for prefix, (in_blank, in_class) in beams.items():
            both = in_blank + in_class
            ended[prefix][0] += both * blank
            last = prefix[-1] if prefix else 0
            if last:
                ended[prefix][1] += in_class * float(step[last])
            for c, p in tried:
                # After the same class only a path that ends in blank begins a new character.
                ended[(*prefix, c)][1] += (in_blank if c == last else both) * p
        kept = sorted(ended.items(), key=lambda item: -sum(item[1]))[:width]
        scale = sum(kept[0][1])  # kept near 1: hundreds of improbable steps would underflow
        log_scale += math.log(scale)
        beams = {prefix: (in_blank / scale, in_class / scale) for prefix, (in_blank, in_class) in kept}
    return {prefix: math.log(sum(both)) + log_scale for prefix, both in beams.items() if sum(both) > 0}


def beam(
    logits: np.ndarray,
    alphabet: Alphabet,
    steps_to_px: np.ndarray,
    temperature: float = 1.0,
    lexicon: Lexicon | None = None,
) -> list[Guess]:
    """As `greedy`, but the text whose paths are the likeliest together, words of `lexicon` preferred.

    Confidence is, as there, that of the best path that spells the text, so that one temperature fits both; it never
    changes what is read.
    """
    guesses = greedy(logits, alphabet, steps_to_px, temperature)
    for row, (outputs, scale) in enumerate(zip(logits, steps_to_px)):
        found = prefix_search(np.exp(log_probabilities(outputs)))
        texts = {alphabet.decode(classes): classes for classes in found}
        text = max(texts, key=lambda text: found[texts[text]] + (lexicon.bonus(text) if lexicon else 0.0))
        if text != guesses[row].text:
            path = align(log_probabilities(outputs / temperature), [(c,) for c in texts[text]])
            confidence = float(np.exp(path.log_probability / max(1, len(text))))
            guesses[row] = Guess(text, confidence, path.spans * scale)
    return guesses
