"""CTC prefix beam search with an optional lexicon: the most probable text instead of the most probable path.

Source: Hannun et al., "First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent DNNs"
(2014), algorithm 1; the lexicon weighs the finished texts, not the prefixes, so that no text is ruled out.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import itemgetter

import numpy as np

from ocrkit.alphabet import Alphabet
from ocrkit.errors import BadLabel
from ocrkit.recognition.align import align, log_probabilities
from ocrkit.recognition.decode import Guess, log_softmax, tidy
from ocrkit.recognition.lexicon import Lexicon
from ocrkit.recognition.options import DecodeOptions
from ocrkit.recognition.ranking import default_ranking, grouped

_DEFAULT = DecodeOptions()
_LEAST = 1e-30  # probability that has a logarithm


def prefix_search(probabilities: np.ndarray, options: DecodeOptions = _DEFAULT) -> dict[tuple[int, ...], float]:
    """The likeliest class sequences of one crop, each with the log of the summed probability of its paths.

    Args:
        probabilities: `(T, classes)`, class 0 is blank.
        options: how wide to search.
    """
    likely = probabilities >= options.least_probability
    likely[:, 0] = False
    choices: dict[int, list[tuple[int, float]]] = {}
    places = np.flatnonzero(likely)  # many times as fast as np.nonzero
    for place, p in zip(places.tolist(), probabilities.ravel()[places].tolist()):
        t, c = divmod(place, probabilities.shape[1])
        choices.setdefault(t, []).append((c, p))
    blanks, probability_of = probabilities[:, 0].tolist(), probabilities.item
    # Where nothing but blank is likely, every sequence stays and only its paths' ends change: most steps cost nothing.
    alone = [blank for t, blank in enumerate(blanks) if t not in choices]
    log_scale = sum([math.log(blank if blank > _LEAST else _LEAST) for blank in alone])
    # Classes so far -> probability of all paths that spell them and end in blank, or in the last class.
    beams: dict[tuple[int, ...], tuple[float, float]] = {(): (1.0, 0.0)}
    before = -1
    for t, likely_ones in choices.items():
        if t > before + 1:
            beams = {prefix: (in_blank + in_class, 0.0) for prefix, (in_blank, in_class) in beams.items()}
        before = t
        tried = sorted(likely_ones, key=itemgetter(1), reverse=True)[: options.choices]
        blank = blanks[t]
        ended: dict[tuple[int, ...], tuple[float, float]] = {}
        for prefix, (in_blank, in_class) in beams.items():
            stay = in_class * probability_of(t, prefix[-1]) if in_class else 0.0
            ended[prefix] = (in_blank + in_class) * blank, stay
        for prefix, (in_blank, in_class) in beams.items():
            both, last = in_blank + in_class, prefix[-1] if prefix else 0
            for c, p in tried:
                longer = (*prefix, c)
                # After the same class only a path that ends in blank begins a new character.
                added = (in_blank if c == last else both) * p
                if longer in ended:
                    stayed = ended[longer]
                    ended[longer] = stayed[0], stayed[1] + added
                else:
                    ended[longer] = 0.0, added
        ranked = [(a + b, prefix, a, b) for prefix, (a, b) in ended.items()]
        scale = max(ranked)[0]  # kept near 1: hundreds of improbable steps would underflow
        log_scale += math.log(scale)
        least = options.faint * scale
        kept = sorted([path for path in ranked if path[0] >= least], reverse=True)[: options.texts]
        beams = {prefix: (in_blank / scale, in_class / scale) for _, prefix, in_blank, in_class in kept}
    return {prefix: math.log(sum(both)) + log_scale for prefix, both in beams.items() if sum(both) > 0}


def texts_of(outputs: np.ndarray, alphabet: Alphabet, options: DecodeOptions = _DEFAULT) -> dict[str, float]:
    """The likeliest texts of one crop's logits `(T, classes)`, with their log probabilities; see `prefix_search`."""
    found = prefix_search(np.exp(log_softmax(outputs)), options)
    return {alphabet.decode(classes): log_probability for classes, log_probability in found.items()}


def is_settled(texts: Mapping[str, float], lexicon: Lexicon | None, options: DecodeOptions = _DEFAULT) -> bool:
    """Whether a second look could hardly change what the first one, which found these `texts`, speaks for."""
    *others, best = sorted(_worth(_together([texts]), lexicon, options).values())
    return not others or best >= options.settled * others[-1]


def reread(
    guess: Guess,
    outputs: np.ndarray,
    found: Sequence[Mapping[str, float]],
    alphabet: Alphabet,
    step_to_px: float,
    temperature: float = 1.0,
    lexicon: Lexicon | None = None,
    options: DecodeOptions = _DEFAULT,
) -> Guess:
    """`guess`, or the text that all looks at the crop together, each as good as the others, speak for.

    That is the text whose paths are likelier; or, if `options` want it, what `ocrkit.recognition.ranking` chooses, made
    for two looks and a lexicon. Confidence is, as in `greedy`, that of the best path that spells the text, so that one
    temperature fits both; it never changes what is read.

    Args:
        guess: the best path of the first look.
        outputs: logits `(T, classes)` of the first look, from which the characters' places are taken.
        found: for each look at the same word what `texts_of` found.
        alphabet: of the network.
        step_to_px: px of the crop per time step of the first look.
        temperature: see `greedy`.
        lexicon: words that are preferred.
        options: how wide to search, and what a word of the lexicon is worth.
    """
    probable = _together(found)
    if options.ranked and lexicon and len(found) > 1:
        chosen = default_ranking().best(grouped(found, options), lexicon, options)
    else:
        worth = _worth(probable, lexicon, options)
        chosen = max(worth, key=worth.__getitem__)
    text = max((text for text in probable if tidy(text, options) == chosen), key=probable.__getitem__)
    if text == guess.text:
        return guess
    try:
        path = align(log_probabilities(outputs / temperature), [(c,) for c in alphabet.encode(text).tolist()])
    except BadLabel:  # only a stretched picture has room for it
        return guess
    return Guess(text, float(np.exp(path.log_probability / max(1, len(text)))), path.spans * step_to_px)


def _together(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Each text with the sum of its probabilities in all looks."""
    probable: dict[str, float] = defaultdict(float)
    for texts in found:
        for text, log_probability in texts.items():
            probable[text] += math.exp(log_probability)
    return probable


def _worth(probable: Mapping[str, float], lexicon: Lexicon | None, options: DecodeOptions) -> dict[str, float]:
    """Each text, once it is tidy, with its probability times what its words are worth."""
    alike: dict[str, float] = defaultdict(float)  # what differs by a blank or a dash that is tidied away is one text
    for text, probability in probable.items():
        alike[tidy(text, options)] += probability
    if lexicon is None or len(alike) == 1:
        return alike
    worth = options.lexicon_worth
    return {text: probability * math.exp(lexicon.bonus(text, *worth)) for text, probability in alike.items()}
