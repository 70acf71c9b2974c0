"""Words that a search for the likeliest text prefers, the more the more frequent they are."""

from __future__ import annotations

import math
import string
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from zlib import crc32

import numpy as np

from ocrkit.errors import BadModel
from ocrkit.files import write_whole

MARKS = string.punctuation + "‘’“”„«»…–—"  # around words
_ENTRY = np.dtype([("checksum", "<u4"), ("zipf", "u1")])
_STEPS = 25  # of a byte for each power of ten: to Zipf frequencies of 10, which no word has
PER_MILLION = 3.0  # Zipf frequency of a word met once in a million
_OF_A_KIND = 1.0  # powers of ten by which words are rarer in all that is read than in documents of one kind


class Lexicon:
    """Words that are more likely than other strings of the same look.

    Kept as 32-bit checksums: a model's lexicon is small, and no list of somebody else's is passed on.

    Args:
        words: as dictionaries write them, with their Zipf frequencies (the logarithm to the base 10 of how often a word
            is met in a thousand million) or without, which counts as once in a million. "total" also stands for "Total"
            and "TOTAL", "Total" for "TOTAL" alone.
    """

    def __init__(self, words: Mapping[str, float] | Iterable[str]) -> None:
        zipf = words if isinstance(words, Mapping) else dict.fromkeys(words, PER_MILLION)
        # A sole letter or figure says nothing that its picture does not.
        self._zipf = {
            _checksum(word): round(_STEPS * min(max(value, 0.0), 255 / _STEPS)) / _STEPS
            for word, value in zipf.items()
            if len(word) > 1 and word.isalpha()
        }

    def __len__(self) -> int:
        return len(self._zipf)

    def __contains__(self, word: str) -> bool:
        return self.zipf(word) is not None

    def zipf(self, word: str) -> float | None:
        """The Zipf frequency of `word`, `None` where it is not in the lexicon."""
        return max([self._zipf[number] for number in _entries(word) if number in self._zipf], default=None)

    def bonus(self, text: str, weight: float, slope: float, length: int) -> float:
        """What to add to the log probability of `text`: the mean over its words, punctuation around them apart.

        Args:
            text: one word or several.
            weight: of a word met once in a million; 0 for those that are not in the lexicon.
            slope: added for each power of ten by which a word is more frequent; no word has less than 0.
            length: letters from which on a word has all of it, shorter ones their share: by chance "2nd" looks like a
                word more easily than "22nd".
        """
        words = _words(text)
        found = [(len(word), zipf) for word in words if (zipf := self.zipf(word)) is not None]
        if not found:
            return 0.0
        worth = [max(0.0, weight + slope * (zipf - PER_MILLION)) * min(1.0, size / length) for size, zipf in found]
        return sum(worth) / len(words)

    def known(self, text: str) -> float:
        """Share of the words of `text` that are in the lexicon, punctuation around them apart; 0 for no words."""
        words = _words(text)
        return len([word for word in words if word in self]) / max(1, len(words))

    def joined(self, other: Lexicon) -> Lexicon:
        """The words of both, each as frequent as it is in that which has it more often."""
        both = Lexicon(())
        both._zipf = dict(self._zipf)
        for number, zipf in other._zipf.items():
            both._zipf[number] = max(zipf, both._zipf.get(number, 0.0))
        return both

    def save(self, path: Path) -> None:
        """Write for each word, by ascending checksum, that and a byte of its Zipf frequency."""
        entries = np.array([(number, round(_STEPS * zipf)) for number, zipf in sorted(self._zipf.items())], _ENTRY)
        write_whole(path, entries.tobytes())

    @classmethod
    def load(cls, path: Path) -> Lexicon:
        """What `save` wrote.

        Raises:
            BadModel: not a whole number of entries.
        """
        data = path.read_bytes()
        if len(data) % _ENTRY.itemsize:
            raise BadModel(f"{path} is no lexicon: {len(data)} bytes are not a whole number of its entries.")
        entries = np.frombuffer(data, _ENTRY)
        lexicon = cls(())
        lexicon._zipf = dict(zip(entries["checksum"].tolist(), (entries["zipf"] / _STEPS).tolist()))
        return lexicon


def lexicon_of_labels(labels: Iterable[tuple[str, str]], least: int) -> Lexicon:
    """Words that documents of one kind have in common, such as `Sdn Bhd` in the receipts of one country.

    Args:
        labels: the name of a document, and a text of it; of one or several words.
        least: documents that must have a word; what fewer have may be a name that is nobody's business.
    """
    number: Counter[str] = Counter()
    documents, spelt = defaultdict(set), defaultdict(set)
    for document, text in labels:
        for word in filter(str.isalpha, _words(text)):
            key = word.lower()
            number[key] += 1
            documents[key].add(document)
            spelt[key].add(word)
    total = sum(number.values())
    zipf = {}
    for key, count in number.items():
        if len(documents[key]) >= least:
            # As dictionaries have it, but what was met in capitals alone has no other form.
            written = min(spelt[key], key=lambda word: (sum(map(str.isupper, word)), word))
            zipf[written] = 9 + math.log10(count / total) - _OF_A_KIND
    return Lexicon(zipf)


@lru_cache(4096)  # the searches of a page come upon the same words again and again
def _entries(word: str) -> tuple[int, ...]:
    """The checksums of the words that `word` may stand for."""
    forms = {word}
    if word.isupper() or word == word.capitalize():
        forms.add(word.lower())
    if word.isupper():
        forms.add(word.capitalize())
    return tuple(map(_checksum, forms))


def _words(text: str) -> list[str]:
    return [word.strip(MARKS) for word in text.split()]


def _checksum(word: str) -> int:
    return crc32(word.encode())
