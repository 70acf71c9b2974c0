"""Whether a page is in a script that the model cannot read: it answers with look-alikes, and is unsure of most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ocrkit.options import options_class

if TYPE_CHECKING:
    from ocrkit.recognition import Guess


@options_class
class ScriptOptions:
    """When what was read is look-alikes; of 60 real pages of print none comes near both shares.

    Attributes:
        long: characters; shorter readings tell nothing.
        words: so long, at least.
        long_share: of all words, that are so long, at least: of a page of ranges such as `3–4` hardly any is but what
            was cut at its edge, of rendered Cyrillic, Greek, Georgian and Hebrew 0.63 and more are.
        sure_confidence: from which on a reading is sure.
        sure_share: of those words, at most: real pages have 0.45 and more, rendered Cyrillic and Greek 0.19 and less.
        odd_share: of those words, that mix capitals, digits or signs into small letters, at least: real pages have
            0.09 and less, rendered Cyrillic, Greek, Devanagari and Hebrew 0.21 and more.
        known_share: of those words, that the lexicons have, at most: of Cyrillic, Greek, Armenian and Georgian 0.1 are,
            of a listing of which hardly a word is surely read 0.6.
        oddities: share of a word's characters after its first, more than which make it odd.
    """

    long: int = 4
    words: int = 12
    long_share: float = 0.3
    sure_confidence: float = 0.85
    sure_share: float = 0.3
    odd_share: float = 0.15
    known_share: float = 0.2
    oddities: float = 0.25


def is_unreadable(guesses: Sequence[Guess], options: ScriptOptions) -> bool:
    """Whether the words of a page are look-alikes of another script, or of a hand."""
    long = [guess for guess in guesses if len(guess.text) >= options.long]
    if len(long) < max(options.words, options.long_share * len(guesses)):
        return False
    sure = sum(guess.confidence >= options.sure_confidence for guess in long)
    known = sum(guess.known for guess in long)
    if sure > options.sure_share * len(long) or known > options.known_share * len(long):
        return False
    return sum(_is_odd(guess.text, options) for guess in long) >= options.odd_share * len(long)


def _is_odd(text: str, options: ScriptOptions) -> bool:
    odd = sum(character.isupper() or not character.isalpha() for character in text[1:])
    return any(map(str.islower, text)) and odd > options.oddities * len(text[1:])
