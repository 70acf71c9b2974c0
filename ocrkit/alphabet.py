"""The characters the recogniser knows, and how text is brought into that form. The only list of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from ocrkit.errors import BadLabel, quoted

PRINTABLE_ASCII = "".join(chr(c) for c in range(0x20, 0x7F))
DOCUMENT_MARKS = "£€¥§©®°–—‘’“”•…«»¿¡ºª„†‡×±µ½¼¾¢™→≤≥"
# Letters with marks of French, German, Spanish, Portuguese and Italian.
ACCENTED_LETTERS = "ÀÁÂÃÄÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜŒÆŸßàáâãäçèéêëìíîïñòóôõöùúûüœæÿ"
CHARACTERS = PRINTABLE_ASCII + DOCUMENT_MARKS + ACCENTED_LETTERS

# What print and keyboards use for a character we know under another code point.
_SAME_INK = {
    "\u00a0": " ",
    "\u2007": " ",
    "\u2009": " ",
    "\u202f": " ",
    "\t": " ",
    "\n": " ",
    "\r": " ",
    "\u00ad": "-",
    "\u2010": "-",
    "\u2011": "-",
    "\u2012": "–",
    "\u2212": "-",
    "\u2217": "*",
    "\u2015": "—",
    "\u201a": ",",
    "\u201b": "‘",
    "\u201f": "“",
    "\u2032": "'",
    "\u2033": '"',
    "\u00b4": "'",
    "\u02bc": "’",
    "\u00b7": "•",
    "\u2219": "•",
    "\u03bc": "µ",
    "\ufb00": "ff",
    "\ufb01": "fi",
    "\ufb02": "fl",
    "\ufb03": "ffi",
    "\ufb04": "ffl",
}
_TABLE = str.maketrans(_SAME_INK)


def normalise(text: str) -> str:
    """`text` in composed form (NFC), look-alike code points folded onto ours, blanks made single."""
    return " ".join(unicodedata.normalize("NFC", text).translate(_TABLE).split())


def curled(text: str) -> str:
    """`text` with typographic quotes: a straight one opens at the start and after a blank or bracket, else closes."""
    signs = []
    for before, sign in zip(f" {text}", text):
        if sign in "'\"":
            opens = before in " (["
            sign = {"'": "’‘", '"': "”“"}[sign][opens]  # noqa: PLW2901
        signs.append(sign)
    return "".join(signs)


class Alphabet:
    """Characters <-> class numbers; class 0 is the CTC blank, class `i + 1` the i-th character.

    Args:
        characters: each at most once; the order is the order of the network's outputs.

    Raises:
        BadLabel: no characters, or one twice.
    """

    blank = 0

    def __init__(self, characters: str = CHARACTERS) -> None:
        if not characters or len(set(characters)) != len(characters):
            raise BadLabel("An alphabet needs at least one character, and each only once.")
        self.characters = characters
        self._class = {c: i + 1 for i, c in enumerate(characters)}
        self._written = ["", *characters]  # of each class

    @property
    def classes(self) -> int:
        """Number of network outputs, one a character and one for the blank."""
        return len(self.characters) + 1

    def unknown(self, text: str) -> str:
        """The characters of `text` outside the alphabet, each once, sorted."""
        return "".join(sorted(set(text) - set(self._class)))

    def with_all(self, characters: str) -> Alphabet:
        """This alphabet with those of `characters` behind it that it lacks."""
        return Alphabet(self.characters + self.unknown(characters))

    def encode(self, text: str) -> np.ndarray:
        """Class numbers of `text`, `int32` `(len(text),)`.

        Raises:
            BadLabel: a character outside the alphabet.
        """
        try:
            return np.fromiter((self._class[c] for c in text), np.int32, len(text))
        except KeyError as missing:
            raise BadLabel(f"The label {quoted(text)} holds {missing.args[0]!r}, which the alphabet lacks.") from None

    def decode(self, classes: Iterable[int]) -> str:
        """Text of class numbers; blanks are left out, repeats kept (collapse them before)."""
        return "".join(map(self._written.__getitem__, classes))

    def encode_batch(self, texts: Sequence[str], length: int) -> np.ndarray:
        """`int32` `(len(texts), length)`, filled up with blanks.

        Raises:
            BadLabel: a text longer than `length` or with an unknown character.
        """
        batch = np.zeros((len(texts), length), np.int32)
        for row, text in zip(batch, texts):
            if len(text) > length:
                raise BadLabel(f"The label {quoted(text)} is longer than {length} characters.")
            row[: len(text)] = self.encode(text)
        return batch

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Alphabet) and other.characters == self.characters

    def __hash__(self) -> int:
        return hash(self.characters)

    def __repr__(self) -> str:
        return f"Alphabet({len(self.characters)} characters)"


def time_steps_needed(text: str) -> int:
    """Fewest CTC time steps that can emit `text`: one a character, one more between equal neighbours."""
    return len(text) + sum(a == b for a, b in pairwise(text))
