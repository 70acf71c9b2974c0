"""What pages say: running text by the frequency of words, people, addresses, what forms ask and are answered."""

from __future__ import annotations

import string
from collections.abc import Callable
from random import Random

from ocrkit.synth import corpus
from ocrkit.synth.corpus import Vocabulary


def frequent(r: Random, words: tuple[str, ...]) -> str:
    """A word by Zipf's law: as often as running text has it."""
    return words[int(len(words) ** r.random()) - 1]


def sentence(r: Random, v: Vocabulary) -> list[str]:
    """Words of a sentence: frequent ones mostly, with names, figures and punctuation where prose has them."""
    words = []
    for _ in range(r.randint(5, 22)):
        roll = r.random()
        if roll < 0.03:
            words.append(proper(r, v))
        elif roll < 0.05:
            words.append(r.choice([corpus.number, corpus.date, corpus.price])(r, v))
        else:
            word = frequent(r, v.words)
            words.append("I" if word == "i" else word)
        if r.random() < 0.08:
            words[-1] += r.choice(",,,,;:")
    words[0] = words[0][:1].upper() + words[0][1:]
    words[-1] = words[-1].rstrip(",;:.") + r.choice("......?!")
    return " ".join(words).split()


def prose(r: Random, v: Vocabulary, sentences: int) -> list[str]:
    """Words of a paragraph; now and then as a book prints them, quotes and dashes included."""
    if v.book and r.random() < 0.25:
        words = [frequent(r, v.book) for _ in range(12 * sentences)]
        return [string.capwords(words[0]), *words[1:]]
    return [word for _ in range(sentences) for word in sentence(r, v)]


def proper(r: Random, v: Vocabulary) -> str:
    """A name of a person or a place."""
    return string.capwords(r.choice(r.choice([v.names, v.places]) or v.words))


def person(r: Random, v: Vocabulary) -> str:
    """A person's name in one of the forms letters use."""
    first, last = (string.capwords(r.choice(v.names or v.words)) for _ in range(2))
    return r.choice(
        [f"{first} {last}", f"{first[0]}. {last}", f"{first} {last[0]}. {last}", f"Mr. {last}", f"Dr. {last}"]
    )


def company(r: Random, v: Vocabulary) -> str:
    """A company's name."""
    return r.choice(v.companies or v.words)


def address(r: Random, v: Vocabulary) -> list[str]:
    """Street and place, a line each."""
    street, place = r.choice(v.streets or v.words), r.choice(v.places or v.words)
    postcode = f"{r.randrange(1000, 99999)}"
    first = r.choice(
        [f"{r.randrange(1, 400)} {street}", f"No. {r.randrange(1, 99)}, {street}", f"{street} {r.randrange(1, 99)}"]
    )
    return [first, r.choice([f"{postcode} {place}", f"{place}, {r.choice(['NY', 'CA', 'TX', 'KY', 'OH'])} {postcode}"])]


def title(r: Random, v: Vocabulary, words: int) -> str:
    """The first letters large: so many frequent words."""
    return string.capwords(" ".join(frequent(r, v.words) for _ in range(words)))


def date(r: Random, v: Vocabulary) -> str:
    """A whole date; the corpus also makes months and days alone."""
    return next(text for text in iter(lambda: corpus.date(r, v), None) if len(text) >= 8 and text[-1].isdigit())


def money(cents: int) -> str:
    """An amount with two decimals."""
    return f"{cents / 100:,.2f}"


def label_of(r: Random, v: Vocabulary) -> str:
    """What a field of a form asks for."""
    return (corpus.form_word(r, v) if r.random() < 0.6 else title(r, v, r.randint(1, 3))).rstrip(":")


def value_of(r: Random, v: Vocabulary) -> str:
    """What somebody might answer."""
    makers: list[Callable[[Random, Vocabulary], str]] = [
        person, company, date, corpus.phone, corpus.code, corpus.number, corpus.price, corpus.web,
        lambda r, v: address(r, v)[0], lambda r, v: title(r, v, r.randint(1, 5)),
    ]  # fmt: skip
    return r.choice(makers)(r, v)
