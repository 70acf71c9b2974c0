"""CTC prefix beam search with an optional lexicon: the most probable text instead of the most probable path.

Source: Hannun et al., "First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent DNNs"
(2014), algorithm 1; the lexicon weighs the finished texts, not the prefixes, so that no text is ruled out.
"""

from __future__ import annotations

import math
import string
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from zlib import crc32

import numpy as np

from ocrkit.alphabet import Alphabet
from ocrkit.errors import BadLabel, BadModel
from ocrkit.files import write_whole
from ocrkit.recognition.align import align, log_probabilities
from ocrkit.recognition.decode import Guess, log_softmax

_WIDTH = 8  # texts kept after each time step
_CHOICES = 4  # classes tried at a time step
_LEAST = 3e-2  # classes less probable than this are not tried
_FAINT = 1e-2  # texts less probable than this share of the likeliest are not kept
_MARKS = string.punctuation + "‘’“”«»…–—"
_WEIGHT = 2.0
_NEVER = (0.0, 0.0)


class Lexicon:
    """Words that are more likely than other strings of the same look.

    Kept as 32-bit checksums: a model's lexicon is small, and no list of somebody else's is passed on.

    Args:
        words: as dictionaries write them; "total" also stands for "Total" and "TOTAL", "Total" for "TOTAL" alone.
        weight: how many times as likely as by the picture alone, as a natural logarithm.
    """

    def __init__(self, words: Iterable[str], weight: float = _WEIGHT) -> None:
        # A sole letter or figure says nothing that its picture does not.
        self._known = {_checksum(word) for word in words if len(word) > 1 and word.isalpha()}
        self._weight = weight

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, word: str) -> bool:
        forms = {word}
        if word.isupper() or word == word.capitalize():
            forms.add(word.lower())
        if word.isupper():
            forms.add(word.capitalize())
        return not self._known.isdisjoint(map(_checksum, forms))

    def bonus(self, text: str) -> float:
        """What to add to the log probability of `text`: the weight times the share of its words that are known."""
        return self._weight * self.known(text)

    def known(self, text: str) -> float:
        """Share of the words of `text` that are in the lexicon, punctuation around them apart; 0 for no words."""
        words = [word.strip(_MARKS) for word in text.split()]
        return sum(word in self for word in words) / max(1, len(words))

    def save(self, path: Path) -> None:
        """Write the checksums: `uint32`, little-endian, ascending."""
        write_whole(path, np.array(sorted(self._known), "<u4").tobytes())

    @classmethod
    def load(cls, path: Path, weight: float = _WEIGHT) -> Lexicon:
        """What `save` wrote.

        Raises:
            BadModel: not a whole number of checksums.
        """
        data = path.read_bytes()
        if len(data) % 4:
            raise BadModel(f"{path} is no lexicon: {len(data)} bytes are not a whole number of checksums.")
        lexicon = cls((), weight)
        lexicon._known = set(np.frombuffer(data, "<u4").tolist())
        return lexicon


def _checksum(word: str) -> int:
    return crc32(word.encode())


def prefix_search(
    probabilities: np.ndarray,
    width: int = _WIDTH,
    choices: int = _CHOICES,
    least: float = _LEAST,
    faint: float = _FAINT,
) -> dict[tuple[int, ...], float]:
    """The likeliest class sequences of one crop, each with the log of the summed probability of its paths.

    Args:
        probabilities: `(T, classes)`, class 0 is blank.
        width: sequences kept after each step.
        choices: classes tried at a step, at most.
        least: smallest probability of a class that is tried.
        faint: smallest share of the likeliest sequence's probability that another has, after each step.
    """
    likely = probabilities >= least
    likely[:, 0] = False
    busy = likely.any(1)
    # Where nothing but blank is likely, every sequence stays and only its paths' ends change: most steps cost nothing.
    log_scale = float(np.log(np.maximum(probabilities[~busy, 0], 1e-30)).sum())
    # Classes so far -> probability of all paths that spell them and end in blank, or in the last class.
    beams: dict[tuple[int, ...], tuple[float, float]] = {(): (1.0, 0.0)}
    before = -1
    for t in np.flatnonzero(busy).tolist():
        if t > before + 1:
            beams = {prefix: (sum(both), 0.0) for prefix, both in beams.items()}
        before = t
        step = probabilities[t].tolist()
        classes = np.flatnonzero(likely[t]).tolist()
        tried = [(c, step[c]) for c in sorted(classes, key=step.__getitem__, reverse=True)[:choices]]
        blank = step[0]
        ended: dict[tuple[int, ...], tuple[float, float]] = {}
        for prefix, (in_blank, in_class) in beams.items():
            both = in_blank + in_class
            last = prefix[-1] if prefix else 0
            so_far = ended.get(prefix, _NEVER)
            ended[prefix] = so_far[0] + both * blank, so_far[1] + (in_class * step[last] if last else 0.0)
            for c, p in tried:
                longer = (*prefix, c)
                so_far = ended.get(longer, _NEVER)
                # After the same class only a path that ends in blank begins a new character.
                ended[longer] = so_far[0], so_far[1] + (in_blank if c == last else both) * p
        ranked = sorted(
            ((in_blank + in_class, prefix, in_blank, in_class) for prefix, (in_blank, in_class) in ended.items()),
            reverse=True,
        )
        scale = ranked[0][0]  # kept near 1: hundreds of improbable steps would underflow
        log_scale += math.log(scale)
        beams = {
            prefix: (in_blank / scale, in_class / scale)
            for probability, prefix, in_blank, in_class in ranked[:width]
            if probability >= faint * scale
        }
    return {prefix: math.log(sum(both)) + log_scale for prefix, both in beams.items() if sum(both) > 0}


def reread(
    guess: Guess,
    views: Sequence[np.ndarray],
    alphabet: Alphabet,
    step_to_px: float,
    temperature: float = 1.0,
    lexicon: Lexicon | None = None,
) -> Guess:
    """`guess`, or the text whose paths are likelier together, in all `views` of the crop, each as good as the others.

    Confidence is, as in `greedy`, that of the best path that spells the text, so that one temperature fits both; it
    never changes what is read.

    Args:
        guess: the best path of the first view.
        views: logits `(T, classes)` of pictures of the same word; of the first the characters' places are taken.
        alphabet: of the network.
        step_to_px: px of the crop per time step of the first view.
        temperature: see `greedy`.
        lexicon: words that are preferred.
    """
    probable: dict[str, float] = defaultdict(float)
    for outputs in views:
        for classes, log_probability in prefix_search(np.exp(log_softmax(outputs))).items():
            probable[alphabet.decode(classes)] += math.exp(log_probability)
    text = max(probable, key=lambda text: probable[text] * math.exp(lexicon.bonus(text) if lexicon else 0.0))
    if text == guess.text:
        return guess
    try:
        path = align(log_probabilities(views[0] / temperature), [(c,) for c in alphabet.encode(text).tolist()])
    except BadLabel:  # only a stretched view has room for it
        return guess
    return Guess(text, float(np.exp(path.log_probability / max(1, len(text)))), path.spans * step_to_px)
