"""What the pages say: running text with all the marks that print has, names and amounts."""

from __future__ import annotations

import string
from random import Random

from ocrkit.synth.corpus import Vocabulary
from ocrkit.synth.layouts import texts
from ocrkit.synth.printed.setting import Token

# With marks inside, which word lists by frequency lack.
_CONTRACTED = (
    "don't", "it's", "isn't", "we'll", "I'm", "they're", "you've", "what's", "couldn't", "let's", "he'd", "o'clock",
    "year's", "children's", "tenants'", "O'Brien", "won't", "that's",
)  # fmt: skip
_ELIDED = (
    "l'eau", "d'une", "qu'il", "aujourd'hui", "l'article", "n'est", "c'est", "j'ai", "s'il", "d'accord", "dell'arte",
    "un'altra", "l'ordine", "m'a", "jusqu'au",
)  # fmt: skip
_HYPHENATED = (
    "well-known", "re-enter", "two-thirds", "x-ray", "follow-up", "part-time", "co-operate", "mother-in-law", "e-mail",
    "long-term", "up-to-date", "non-slip", "twenty-one",
)  # fmt: skip
_SHORT = ("I", "a", "A", "I", "a", "&", "of", "to", "1", "7", "x")


def number(r: Random) -> str:
    """A figure: with thousands, decimals, a sign, a unit or alone."""
    whole = r.randrange(1_000, 9_999_999)
    return r.choice(
        [
            f"{whole:,}", f"{whole:,}", f"{whole / 100:,.2f}", f"{whole:,}".replace(",", "."),
            f"{r.random() * 100:.1f}%",
            f"{r.randrange(1900, 2030)}", f"{r.randrange(1, 112)}", f"-{r.random() * 100:.2f}", f"${whole / 100:,.2f}",
            f"{r.randrange(1, 24)}:{r.randrange(60):02}", f"No.{r.randrange(1, 200)}",
            f"{r.randrange(1, 12)}/{r.randrange(1, 12)}",
            f"({whole:,})", f"§{r.randrange(1, 90)}", f"{r.randrange(11, 1112)}",
        ]
    )  # fmt: skip


def amount(r: Random, most: int = 2_000_000) -> str:
    """Money with two decimals."""
    return f"{r.randrange(1, most) / 100:,.2f}"


def word(r: Random, v: Vocabulary) -> str:
    """A word of running text."""
    roll = r.random()
    for until, words in ((0.05, _CONTRACTED), (0.07, _ELIDED), (0.10, _HYPHENATED), (0.13, _SHORT)):
        if roll < until:
            return r.choice(words)
    if roll < 0.20:
        return texts.proper(r, v).split()[0] if roll < 0.16 else number(r)
    text = texts.frequent(r, v.words)
    return "I" if text == "i" else text


def sentence(r: Random, v: Vocabulary) -> list[str]:
    """A sentence's words: its clauses ended by commas, semicolons, dashes; now and then quoted or in brackets."""
    words = [word(r, v) for _ in range(r.randint(5, 18))]
    for i in range(1, len(words) - 1):
        roll = r.random()
        if roll < 0.11:
            words[i] += r.choice(",,,,,;:")
        elif roll < 0.13:
            words[i] = r.choice(["({})", '"{}"', '"{}"', "'{}'", "[{}]", "({}),", '"{},"']).format(words[i])
        elif roll < 0.145:
            words[i] += r.choice([" –", " —", " -", "...", "…"])
    words[0] = words[0][:1].upper() + words[0][1:]
    words[-1] = words[-1].rstrip(",;:.") + r.choice("......?!")
    if r.random() < 0.08:
        words[0], words[-1] = '"' + words[0], words[-1] + '"'
    return " ".join(words).split()


def prose(r: Random, v: Vocabulary, sentences: int) -> list[Token]:
    """A paragraph; a few of its words are bold, italic or underlined."""
    tokens = []
    for text in (text for _ in range(sentences) for text in sentence(r, v)):
        roll = r.random()
        cut = "bold" if roll < 0.015 else "italic" if roll < 0.04 else ""
        tokens.append(Token(text, cut, stroke="under" if 0.04 <= roll < 0.055 else ""))
    return tokens


def noted(r: Random, tokens: list[Token], first: int, notes: int) -> list[Token]:
    """The paragraph with `notes` footnotes' numbers, the `first` one and those that follow it, raised behind words."""
    places = sorted(r.sample(range(len(tokens)), min(notes, len(tokens))))
    for note, place in enumerate(places, first):
        tokens[place] = tokens[place]._replace(raised=str(note))
    return tokens


def title(r: Random, v: Vocabulary, words: int) -> str:
    """Large first letters, at times all of them."""
    text = string.capwords(" ".join(texts.frequent(r, v.words[:3000]) for _ in range(words)))
    return text.upper() if r.random() < 0.2 else text
