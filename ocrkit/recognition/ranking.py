"""Which of the texts that looks at one word found it says: a log-linear model of some dozens of weights.

What the network thinks of a text is only one reason for it. Others are that the lexicon has its words, or lacks them,
and whether its letters, figures and marks follow each other as they do in words: `l` between figures, a point between
small letters or a colon before a word are hardly ever right. `ocrkit.learning.ranking` chooses the weights.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from ocrkit.recognition.decode import tidy
from ocrkit.recognition.lexicon import MARKS, Lexicon
from ocrkit.recognition.options import DecodeOptions

_WEIGHTS = Path(__file__).with_name("ranking.json")
_UNSEEN = math.log(1e-3)  # log share of the likeliest text's probability that a text has which a look did not find
_WORST = -8.0  # of log shares
_NEAR = 1.2  # in the log; how much less likely than the choice without ranking a text may be
_AROUND = MARKS + "•°º"
_LONGEST = 8  # letters of a word that count for how much its being known says
_ENDS, _BEGINS = ":.,;-)('\"/*", ".,-('\"*/:"
_NUMBER = re.compile(r"\$?\d{1,3}(,\d{3})*(\.\d+)?%?|\d+(\.\d+)?%?")
_DATE = re.compile(r"\d{1,2}[/-]\d{1,2}[/-]\d{2,4}")
_CONTRACTION = re.compile(r"[a-z]['’](?:s|t|re|ve|ll|d|m)\b")
_WITHIN_WORDS, _RARE = "-/&'’", "@=~_^{}|<>\\`°ºª©®§¿¡«»#*+[]"
_TOGETHER, _IN_WORD = re.compile("(?=[jpro]{2})"), re.compile("(?<=[aA])[ro](?=[aA])")  # kinds: see _kind
_POINT_IN_WORD = re.compile("(?<=aa)p(?=a)|(?<=a)p(?=aa)")  # unlike those of `u.s.`
_ADDRESS = re.compile(r"@|://|www\.|\.(?:com|org|net|gov|edu)\b")
_ODD = frozenset("{}|~`^_\\<>=«»°º¡¿©®§¥€£")
_VOWELS = frozenset("aeiouyàâäéèêëíîïóôöúùûü")

LOOKS = ("together", "mean", "least", "first", "agreeing")
TEXTS = (
    *("lexicon", "known", "known letters", "known short", "unknown", "letters", "one letter", "figures only"),
    *("number", "date", "contraction", "title", "upper", "lower", "without vowels", "Aa changes", "AAa", "A1", "a1"),
    *("marks", "marks within", "marks together", "mark in word", "point in word", "rare marks", "odd marks"),
    *("accents", "en dashes", "curled marks", "straight marks", "balanced"),
    *(f"ends {mark}" for mark in _ENDS),
    *(f"begins {mark}" for mark in _BEGINS),
)
FEATURES = (*LOOKS, *TEXTS)


class Ranking:
    """A weight for each of `FEATURES`; the text of the greatest weighted sum is the likeliest.

    Args:
        weights: by the feature's name; those that are missing weigh nothing.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        self.weights = np.array([weights.get(name, 0.0) for name in FEATURES])

    def best(self, texts: Mapping[str, Sequence[float]], lexicon: Lexicon, options: DecodeOptions) -> str:
        """The likeliest of the texts; see `features_of`."""
        if len(texts) == 1:
            return next(iter(texts))
        return list(texts)[likeliest(features_of(texts, lexicon, options), self.weights)]


def likeliest(features: np.ndarray, weights: np.ndarray) -> int:
    """The row of the greatest weighted sum among texts that the looks think hardly less likely than they may be.

    A letter beside a figure, as in `Sheet6`, speaks against a text, but never as much as the looks speak for it.
    """
    together, lexicon = features[:, FEATURES.index("together")], features[:, FEATURES.index("lexicon")]
    near = together >= together[(together + lexicon).argmax()] - _NEAR
    return int(np.where(near, features @ weights, -np.inf).argmax())


@cache
def default_ranking() -> Ranking:
    """With the weights that come with the package."""
    return Ranking(json.loads(_WEIGHTS.read_text("utf-8"))["weights"])


def grouped(found: Sequence[Mapping[str, float]], options: DecodeOptions) -> dict[str, list[float]]:
    """Each text, once it is tidy, with its log probability in each look.

    Args:
        found: for each look the log probabilities of the texts that it found.
        options: texts that are the same once they are tidied as these want count as one.
    """
    texts: dict[str, list[float]] = {}
    for place, look in enumerate(found):
        for text, log_probability in look.items():
            row = texts.setdefault(tidy(text, options), [-math.inf] * len(found))
            high, low = max(row[place], log_probability), min(row[place], log_probability)
            row[place] = high + math.log1p(math.exp(low - high))
    least = [max(look.values()) + _UNSEEN for look in found]
    return {text: list(map(max, row, least)) for text, row in texts.items()}


def features_of(texts: Mapping[str, Sequence[float]], lexicon: Lexicon, options: DecodeOptions) -> np.ndarray:
    """What speaks for and against each of the texts that looks at a word found, `(len(texts), len(FEATURES))`.

    Args:
        texts: see `grouped`.
        lexicon: of the model.
        options: what its words are worth.
    """
    seen = np.array(list(texts.values()))
    share = seen - seen.max(0)
    bounded = np.maximum(share, _WORST)
    together = np.logaddexp.reduce(seen, axis=1) - math.log(seen.shape[1])
    looks = np.stack([together, bounded.mean(1), bounded.min(1), bounded[:, 0], (share == 0).mean(1)], axis=1)
    return np.hstack([looks, [_features_of_text(text, lexicon, options) for text in texts]])


def _features_of_text(text: str, lexicon: Lexicon, options: DecodeOptions) -> list[float]:
    """In the order of `TEXTS`."""
    core = text.strip(_AROUND)
    kinds = "".join(map(_kind, text.replace("...", "…")))
    marks = sum(map(kinds.count, "jpro"))
    known = lexicon.known(text)
    # Most texts are one word, of which nothing need be looked up again.
    words = [word.strip(MARKS) for word in text.split()] if known < 1 else []
    unknown = sum(len(word) >= 4 and word.isalpha() and (len(words) == 1 or word not in lexicon) for word in words)
    letters = core.isalpha()
    last, first = (text[-1].replace("…", "."), text[0]) if len(text) > 1 else ("", "")
    return [
        known and lexicon.bonus(text, *options.lexicon_worth),
        known,
        known * min(len(core), _LONGEST),
        known == 1 and len(core) <= 2,
        unknown,
        len(text) - kinds.count(" "),
        len(text) == 1,
        core.isdigit(),
        _NUMBER.fullmatch(core) is not None,
        _DATE.fullmatch(core) is not None,
        _CONTRACTION.search(text) is not None,
        letters and core.istitle(),
        letters and core.isupper(),
        letters and core.islower(),
        letters and len(core) >= 4 and core.islower() and _VOWELS.isdisjoint(core),
        kinds.count("aA"),
        kinds.count("AAa"),
        kinds.count("A1") + kinds.count("1A"),
        kinds.count("a1") + kinds.count("1a"),
        marks,
        0 if core.isalnum() else sum(character in _AROUND for character in core),
        len(_TOGETHER.findall(kinds)) if marks > 1 else 0,
        len(_IN_WORD.findall(kinds)) if marks else 0,
        len(_POINT_IN_WORD.findall(kinds)) if marks and not _ADDRESS.search(text) else 0,
        kinds.count("r"),
        sum(character in _ODD for character in text) if marks else 0,
        0 if text.isascii() else sum(character > "\x7f" and character.isalpha() for character in text),
        text.count("–"),
        sum(map(text.count, "‘’“”")),
        text.count("'") + text.count('"'),
        text.count("(") == text.count(")"),
        *(last == mark for mark in _ENDS),
        *(first == mark for mark in _BEGINS),
    ]


@cache
def _kind(character: str) -> str:
    """`1` of figures, `A` and `a` of letters, of marks those within words, points, rare ones and others; or a blank."""
    if character.isdigit():
        return "1"
    if character.isalpha():
        return "A" if character.isupper() else "a"
    if character in _WITHIN_WORDS:
        return "j"
    return "p" if character == "." else "r" if character in _RARE else " " if character == " " else "o"
