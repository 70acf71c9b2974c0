"""What the invented words say: vocabularies from books and word lists, and generators for what documents hold."""

from __future__ import annotations

import json
import math
import re
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from itertools import accumulate, chain
from pathlib import Path
from random import Random

from ocrkit.alphabet import ACCENTED_LETTERS, CHARACTERS, curled, normalise
from ocrkit.errors import BadDataset, MissingExtra
from ocrkit.files import write_whole
from ocrkit.synth.profanity import is_profane
from ocrkit.values import Count, Share

_KNOWN = frozenset(CHARACTERS)
_BOOK_START = re.compile(r"\*\*\* ?START OF TH.{0,80}?\*\*\*", re.S)
_BOOK_END = re.compile(r"\*\*\* ?END OF TH")


@dataclass(frozen=True)
class Vocabulary:
    """Plain word lists, most frequent first; everything a generator combines. Saved as JSON, so that it travels."""

    words: tuple[str, ...]
    foreign: tuple[str, ...] = ()
    accented: tuple[str, ...] = ()
    book: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    streets: tuple[str, ...] = ()
    companies: tuple[str, ...] = ()

    @property
    def dictionary(self) -> tuple[str, ...]:
        """What a reader may take for granted as words, which are those of running text in all languages."""
        return self.words + self.foreign + self.accented

    def save(self, path: Path) -> None:
        """Write as JSON, to a temporary name first."""
        write_whole(path, json.dumps(asdict(self), ensure_ascii=False))

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Read what `save` wrote.

        Raises:
            BadDataset: no such file, or not a vocabulary.
        """
        try:
            lists = {key: tuple(value) for key, value in json.loads(path.read_text("utf-8")).items()}
            if not all(isinstance(word, str) for words in lists.values() for word in words):
                raise ValueError("not all of it is text")
            return cls(**lists)
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise BadDataset(f"{path} is not a saved vocabulary: {error}.") from None


_FOREIGN = ("fr", "de", "es", "pt", "it")
_ACCENTED = frozenset(ACCENTED_LETTERS)
# How many people, places, streets and companies to invent for each country.
_PEOPLE = {"en_US": 800, "en_GB": 300, "fr_FR": 200, "de_DE": 200, "es_ES": 200, "it_IT": 100}


def build_vocabulary(books: Path | None = None, words: int = 40_000, seed: int = 0) -> Vocabulary:
    """Vocabulary of the packages wordfreq and faker, and of a folder of plain-text books where one is given.

    Profanity is left out of all of them (`ocrkit.synth.profanity`), since contact sheets are shown around.

    Args:
        books: folder of `.txt` files; Project Gutenberg's header and footer are stripped.
        words: how many of the most frequent English words to take; other languages give a quarter each, and of as many
            of theirs those with accented letters.
        seed: of the invented names and addresses.

    Raises:
        MissingExtra: wordfreq or faker is not installed.
        BadDataset: the book folder holds no usable word.
    """
    try:
        from faker import Faker
        from wordfreq import top_n_list
    except ImportError:
        raise MissingExtra(
            "Building a vocabulary needs wordfreq and faker: pip install 'ocrkit[train]', or load a saved vocabulary."
        ) from None

    foreign = [word for language in _FOREIGN for word in top_n_list(language, words // 4)]
    # Of all languages by turns, so that the frequent words of each come first.
    by_turns = chain.from_iterable(zip(*(top_n_list(language, words) for language in _FOREIGN), strict=True))
    people: dict[str, list[str]] = {kind: [] for kind in ("names", "places", "streets", "companies")}
    for locale, share in _PEOPLE.items():
        fake = Faker(locale)
        fake.seed_instance(seed)
        for provider in fake.get_providers():
            if isinstance(getattr(provider, "cities", None), list):
                # Faker (40.54, it_IT) lists them from a set, in an order that changes with Python's hash seed.
                provider.cities = sorted(provider.cities)
        for _ in range(share):
            people["names"] += [fake.first_name(), fake.last_name()]
            people["places"].append(fake.city())
            people["streets"].append(fake.street_name())
            people["companies"].append(fake.company())
    return Vocabulary(
        words=_usable(top_n_list("en", words)),
        foreign=_usable(foreign),
        accented=_usable(word for word in by_turns if not _ACCENTED.isdisjoint(word)),
        book=read_books(books) if books else (),
        **{kind: _usable(values) for kind, values in people.items()},
    )


def zipf_frequencies(words: Iterable[str]) -> dict[str, float]:
    """How frequent each of `words` is in the language of the vocabulary's that has it most often.

    Returns:
        Zipf frequencies: the logarithm to the base 10 of how often a word is met in a thousand million; 0 where none of
        the languages knows it.

    Raises:
        MissingExtra: wordfreq is not installed.
    """
    try:
        from wordfreq import get_frequency_dict
    except ImportError:
        raise MissingExtra("Frequencies of words need wordfreq: pip install 'ocrkit[train]'.") from None
    tables = [get_frequency_dict(language) for language in ("en", *_FOREIGN)]
    shares = {word: max(table.get(word.lower(), 0.0) for table in tables) for word in words}
    return {word: max(0.0, 9 + math.log10(share)) if share else 0.0 for word, share in shares.items()}


def read_books(folder: Path) -> tuple[str, ...]:
    """Distinct words of all `.txt` books of `folder`, most frequent first, as the books write them.

    Raises:
        BadDataset: no such folder, or no usable word in it.
    """
    counts: Counter[str] = Counter()
    for path in sorted(Path(folder).glob("*.txt")):
        text = path.read_bytes().decode("utf-8", "replace")
        start, end = _BOOK_START.search(text), _BOOK_END.search(text)
        body = text[start.end() if start else 0 : end.start() if end else len(text)]
        counts.update(token.strip("_*") for token in body.split())
    words = _usable(word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    if not words:
        raise BadDataset(f"No usable word in the .txt files of {folder}.")
    return words


def _usable(words: Iterable[str], longest: int = 24) -> tuple[str, ...]:
    kept = dict.fromkeys(normalise(word) for word in words)
    return tuple(
        word for word in kept if word and len(word) <= longest and _KNOWN.issuperset(word) and not is_profane(word)
    )


# --- generators: each takes a random source and a vocabulary and returns one text --------------------------------

Generator = Callable[[Random, Vocabulary], str]


def _digits(r: Random, low: int, high: int) -> str:
    return "".join(r.choices("0123456789", k=r.randint(low, high)))


def _skewed(r: Random, words: tuple[str, ...]) -> str:
    """Frequent words more often, the long tail often enough to be learnt."""
    return words[int(len(words) * r.random() ** 2)]


def _upper(word: str) -> str:
    """`word` in capitals, or as it is where that would be no longer the same letters (ß)."""
    capitals = word.upper()
    return capitals if len(capitals) == len(word) and _KNOWN.issuperset(capitals) else word


def _any_case(r: Random, word: str) -> str:
    roll = r.random()
    if roll < 0.40:
        return word
    if roll < 0.68:
        return _upper(word[:1]) + word[1:]
    return _upper(word)


_AFTER = [*",,,,....:::;!?)", "'s", '"', "”", "’", "...", ".)", "),", ":-", "*", "-", "…", "%", "/", ".,"]
_BEFORE = [*"(((\"“‘*#-•$&/['<", "--", "* ", "- ", "• "]


def _punctuated(r: Random, word: str) -> str:
    roll = r.random()
    if roll < 0.70:
        return word
    if roll < 0.90:
        return word + r.choice(_AFTER)
    if roll < 0.94:
        return r.choice(_BEFORE).strip() + word
    pair = r.choice(["()", "()", '""', "“”", "‘’", "[]", "''", "«»", "**", "<>"])
    return pair[0] + word + pair[1]


def english(r: Random, v: Vocabulary) -> str:
    """A word of the language, in any case, with the punctuation print hangs on it."""
    return _punctuated(r, _any_case(r, _skewed(r, v.words)))


def foreign(r: Random, v: Vocabulary) -> str:
    """A French, German, Spanish, Portuguese or Italian word."""
    return _punctuated(r, _any_case(r, _skewed(r, v.foreign or v.words)))


def accented(r: Random, v: Vocabulary) -> str:
    """A word of these languages that has an accented letter."""
    return _punctuated(r, _any_case(r, _skewed(r, v.accented or v.foreign or v.words)))


def book(r: Random, v: Vocabulary) -> str:
    """A word as a book writes it, its punctuation included."""
    return _skewed(r, v.book) if v.book else english(r, v)


def compound(r: Random, v: Vocabulary) -> str:
    """Two words joined by a hyphen, slash, ampersand or other mark."""
    a, b = _any_case(r, _skewed(r, v.words)), _any_case(r, _skewed(r, v.words))
    return f"{a[:10]}{r.choice('--//&._+@')}{b[:10]}"


def name(r: Random, v: Vocabulary) -> str:
    """A person, place, street or company, or a part of one."""
    kind = r.choice([v.names, v.names, v.places, v.streets, v.companies]) or v.words
    parts = r.choice(kind).split()
    text = _any_case(r, r.choice(parts))
    return f"{text[:1]}." if r.random() < 0.08 else _punctuated(r, text)


def number(r: Random, v: Vocabulary) -> str:
    """A count, year, ordinal, percentage, fraction or grouped number."""
    forms = [
        f"{r.randrange(1_000, 10_000_000):,}",
        f"{r.choice(['', '', '-', '+'])}{_digits(r, 1, 3)}{r.choice('..,')}{_digits(r, 1, 4)}",
        f"{r.randrange(101)}{r.choice(['', '.' + _digits(r, 1, 2)])}%",
        str(r.randrange(1850, 2035)),
        f"{r.randrange(1, 32)}{r.choice(['st', 'nd', 'rd', 'th', '.', ')', 'º', '°', 'x', ':'])}",
        f"{r.randrange(1, 20)}/{r.randrange(1, 20)}",
        f"({_digits(r, 1, 3)})",
        _digits(r, 1, 7),
    ]
    return r.choice(forms)


def price(r: Random, v: Vocabulary) -> str:
    """An amount of money as receipts and invoices print it."""
    whole = r.choice([r.randrange(10), r.randrange(100), r.randrange(1000), r.randrange(100_000)])
    grouped = f"{whole:,}" if r.random() < 0.8 else str(whole)
    text = f"{grouped}.{r.randrange(100):02d}"
    if r.random() < 0.12:
        text = text.replace(",", " ").replace(".", ",").replace(" ", ".")
    roll = r.random()
    if roll < 0.35:
        return r.choice(["$", "$", "$", "£", "€", "¥", "RM", "USD", "US$", "-", "*"]) + text
    if roll < 0.45:
        return text + r.choice(["€", "-", " A", " T", "CR", "F", " €", "*", "SR"])
    return text


_MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905


def date(r: Random, v: Vocabulary) -> str:
    """A date in one of the many forms of print."""
    day, month, year = r.randrange(1, 32), r.randrange(1, 13), r.randrange(1950, 2031)
    separator = r.choice("//--.")
    two = r.random() < 0.5
    numbers = [f"{day:02d}" if two else str(day), f"{month:02d}" if two else str(month)]
    if r.random() < 0.5:
        numbers.reverse()
    month_name = _MONTHS[month - 1] if r.random() < 0.5 else _MONTHS[month - 1][:3]
    if r.random() < 0.3:
        month_name = month_name.upper()
    forms = [
        separator.join([*numbers, str(year)]),
        separator.join([*numbers, f"{year % 100:02d}"]),
        f"{year}-{month:02d}-{day:02d}",
        f"{day}{separator}{month_name[:3]}{separator}{year}",
        f"{month_name} {day}, {year}",
        f"{day} {month_name} {year}",
        month_name,
        f"{day},",
    ]
    return r.choice(forms)


def time(r: Random, v: Vocabulary) -> str:
    """A time of day."""
    hour, minute = r.randrange(24), f"{r.randrange(60):02d}"
    forms = [f"{hour}:{minute}", f"{hour:02d}:{minute}:{r.randrange(60):02d}", f"{hour % 12 + 1}:{minute}"]
    return r.choice(forms) + r.choice(["", "", "AM", "PM", " am", "a.m.", "pm", "p.m.", "h"])


def phone(r: Random, v: Vocabulary) -> str:
    """A telephone or fax number, or its area code."""
    a, b, c = _digits(r, 3, 3), _digits(r, 3, 3), _digits(r, 4, 4)
    forms = [
        f"({a})",
        f"({a}) {b}-{c}",
        f"{a}-{b}-{c}",
        f"{b}-{c}",
        f"+{_digits(r, 1, 2)} {a} {b} {c}",
        f"{a}/{b}-{c}",
        f"0{_digits(r, 1, 2)}-{_digits(r, 7, 8)}",
        f"{a}.{b}.{c}",
    ]
    return r.choice(forms)


def code(r: Random, v: Vocabulary) -> str:
    """An account, item, form or reference number: letters, digits and the marks between them."""
    form = r.randrange(6)
    if form == 0:
        return _digits(r, 5, 13)
    if form == 1:
        return "".join(r.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=r.randint(1, 4))) + _digits(r, 1, 6)
    if form == 2:
        return r.choice(["#", "No.", "P.O.#", "INV-", "Ref:", "ID:", "AC#", "S/N"]) + _digits(r, 2, 8)
    if form == 3:
        return r.choice("--/.:").join(_digits(r, 1, 4) for _ in range(r.randint(2, 4)))
    if form == 4:
        return "".join(r.choices("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=r.randint(3, 10)))
    return f"{_digits(r, 1, 4)}{r.choice('-/')}{r.choice('ABCDEFGHKMPRSTXZ')}{_digits(r, 0, 3)}"


def web(r: Random, v: Vocabulary) -> str:
    """An e-mail or web address, or a file name."""
    a, b = (re.sub(r"[^a-z]", "", _skewed(r, v.words).lower()) or "info" for _ in range(2))
    end = r.choice(["com", "org", "net", "de", "fr", "co.uk", "edu", "com.my", "gov"])
    forms = [f"{a}@{b}.{end}", f"www.{a}{b}.{end}", f"{a}.{b}@{b}.{end}", f"http://{b}.{end}/{a}", f"{a}_{b}.pdf"]
    return r.choice(forms)


_OPERATORS = (  # noqa: SIM905
    "{ } { } }; ){ = = == != += -= := -> <- => :: && || // /* */ # #! ++ -- <= >= << >> | > < ... ( ) ); () [] {} ; "
    "+ * %"
).split()
_FILES = "c py h sh R js xml html txt tex pdf conf gz json".split()  # noqa: SIM905


def _identifier(r: Random, v: Vocabulary) -> str:
    """A name as programs have them: `maxWidth`, `MaxWidth`, `max_width`, `MAX_WIDTH`, `width2`, `i`."""
    if r.random() < 0.12:
        return r.choice("abcdefgijklmnpqrstuvxyzINTXY")
    parts = [re.sub("[^a-z]", "", _skewed(r, v.words).lower()) or "x" for _ in range(r.choice((1, 1, 2, 2, 3)))]
    form = r.randrange(6)
    if form == 0:
        return "".join(part.capitalize() for part in parts)
    if form == 1:
        return parts[0] + "".join(part.capitalize() for part in parts[1:])
    if form == 2:
        return "_".join(parts).upper()
    if form == 3:
        return parts[0] + _digits(r, 1, 2)
    return r.choice("__.-").join(parts)


def listing(r: Random, v: Vocabulary) -> str:
    """What stands between two blanks of a program's text, a command line or a manual: `c("one",`, `--sort=name`."""
    a, b, word = _identifier(r, v), _identifier(r, v), _skewed(r, v.words)
    quote, digit = r.choice('""\''), _digits(r, 1, 2)
    forms = [
        r.choice(_OPERATORS), r.choice(_OPERATORS), r.choice(_OPERATORS), a, f"{a},", f"{a};", f"{a}:", f"{b})",
        f"{b});", f"{a}(", f"{a}()", f"{a}({b}", f"{a}({b},", f"{a}({b})", f"{a}({b});", f"{a}.{b}({word})",
        f"{word}({digit})", f"{quote}{word}{quote}", f"{quote}{word}{quote},", f"{quote}{word}{quote})",
        f"{quote}{word}", f"{word}{quote};", f"{a}({quote}{word}{quote}", f"{a}={quote}{word}{quote}", f"{a}={b}",
        f"{a}={digit},", f"{a}:{digit}", f"{a}::{b}", f"{a}::{b}(", f"{a}->{b}", f"{a}.{b}", f"${a}", f"${{{a}}}",
        f"$({a})", f"@{a}", f"#{a}", f"__{a}", f"-{r.choice('abcdefghijklmnopqrstuvwxyzDHILNS')}",
        f"[-{r.choice('adefilnqrstv')}]", f"--{word}", f"--{word}={b}", f"--{word}-{_skewed(r, v.words)}",
        f"{a}.{r.choice(_FILES)}", f"{a}/{b}.{r.choice(_FILES)}", f"*.{r.choice(_FILES)}", f"/{a}/{b}", f"../{a}",
        f"./{a}", f"[{a}]", f"{{{a}}}", f"<{a}>", f"</{word}>", f"<{word}", f"[{digit}]", f"{a}[{digit}]",
        f"{a}[{digit}:{_digits(r, 1, 2)}]", f"\\{a}", f"\\{a}{{{b}}}", f"0x{r.randrange(65536):04X}",
        f"%{r.choice('dsfixu')}", f"{r.choice('ABCDEFIV')}.{digit}.{_digits(r, 1, 2)}",
        f"{digit}.{_digits(r, 1, 2)}.{_digits(r, 1, 1)}", f"{word.upper()}{digit}", f"v{digit}.{_digits(r, 1, 2)}",
        f"{word.upper()}/{_skewed(r, v.words).upper()}",
    ]  # fmt: skip
    return r.choice(forms)


_UNITS = "OZ LB KG G ML L CT PK QT EA PC PCS CM MM IN FT X".split()  # noqa: SIM905


def product(r: Random, v: Vocabulary) -> str:
    """A product line in the manner of UPC descriptions, or a word of one: `24QT TISSUE PPR`."""
    words = [_upper(_skewed(r, v.words)) for _ in range(r.randint(1, 3))]
    words = [re.sub(r"(?<=[A-Z])[AEIOU]", "", word) if len(word) > 5 and r.random() < 0.3 else word for word in words]
    size = f"{r.randrange(1, 500)}{r.choice(_UNITS)}"
    joined = r.choice([" ", " ", "/", "&", "-", "."]).join(words)[:20].strip(" -/&.") or size
    first = words[0]
    forms = [
        joined,
        joined,
        first[:14],
        size,
        f"{size} {first[:10]}",
        f"*{first[:12]}",
        f"{first[:8]}#{r.randrange(99)}",
    ]
    return r.choice(forms)


_RECEIPT_WORDS = (  # noqa: SIM905
    "TOTAL SUBTOTAL CASH CHANGE TAX GST VAT QTY AMOUNT DISCOUNT ROUNDING VISA MASTERCARD DEBIT BALANCE DUE INVOICE "
    "RECEIPT DATE TIME TEL FAX NO. ITEM PRICE UNIT DESCRIPTION CASHIER COUNTER TABLE PAX BILL SDN BHD RM THANK YOU "
    "PLEASE COME AGAIN GOODS SOLD NOT RETURNABLE INCLUSIVE SUMMARY CODE RATE SALES PERSON MEMBER POINTS CARD APPROVED"
).split()
_FORM_WORDS = (  # noqa: SIM905
    "Name: Date: Address: Signature: To: From: Subject: Re: Attn: Phone: Fax: Pages: Company: Title: Department: "
    "Approved By: Number: Project Budget Total Code: Brand Sample Test Type Description Comments Yes No N/A Page of "
    "City: State: Zip: Telephone Date: cc: Memo Report Period Account Region Division Manager"
).split()


def receipt_word(r: Random, v: Vocabulary) -> str:
    """A word most receipts and invoices carry."""
    word = r.choice(_RECEIPT_WORDS)
    if r.random() < 0.25:
        word = word.capitalize()
    return word + r.choice(["", "", "", ":", " :", ".", "(S)"])


def form_word(r: Random, v: Vocabulary) -> str:
    """A label that forms and letters carry."""
    word = r.choice(_FORM_WORDS)
    return word.upper() if r.random() < 0.45 else word


def single(r: Random, v: Vocabulary) -> str:
    """One character: figures and letters mostly, marks now and then."""
    roll = r.random()
    if roll < 0.35:
        return r.choice("0123456789")
    if roll < 0.75:
        return r.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    # Most dashes of documents are hyphens, and nothing but the label tells a lone one from the longer kinds.
    return r.choice("------:&$%/.,*#@+=()|•?!>_\"'—–€£§©®°~^{}[]<;\\`×±†½→")


def random_characters(r: Random, v: Vocabulary) -> str:
    """A string nobody could guess, so that the net must look; each character of the alphabet equally often."""
    return "".join(r.choices(CHARACTERS[1:], k=r.randint(2, 8)))


def chunk(r: Random, v: Vocabulary) -> str:
    """Two or three words of a document with spaces, as a crop holds that the detector did not split."""
    return _joined(r, v, (english, english, name, number, price, receipt_word, form_word, book))


def phrase(r: Random, v: Vocabulary) -> str:
    """Two or three words of running text with spaces."""
    return _joined(r, v, (english, english, name, number, book))


def _joined(r: Random, v: Vocabulary, makers: tuple[Generator, ...]) -> str:
    return " ".join(r.choice(makers)(r, v) for _ in range(r.randint(2, 3)))[:24].strip()


def symbols(r: Random, v: Vocabulary) -> str:
    """Words that carry the rare symbols: / & # @ % + = * $ and friends."""
    a, b = _any_case(r, _skewed(r, v.words)), _any_case(r, _skewed(r, v.words))
    mark = r.choice("/&#@%+=*$<>[]{}|\\^~_;!?\"'§©®°£€¥•…–—ºª¿¡«»")
    forms = [
        *(f"{a}{mark}", f"{mark}{a}", f"{a}{mark}{b}"[:18], f"{_digits(r, 1, 3)}{mark}", f"{mark}{_digits(r, 1, 4)}"),
        f"„{a}“",
    ]
    return r.choice(forms)


_VOWELS = frozenset("aeiouyhàâäéèêëîïôöùûüœæ")
_ELIDED = ("l", "l", "l", "d", "d", "d", "s", "n", "qu", "c", "j", "m", "t", "un", "dell", "all", "nell")


def elided(r: Random, text: str, share: float) -> str:
    """`text` behind an elided word and its apostrophe, in a share of cases: `l'eau`."""
    if r.random() >= share:
        return text
    before = r.choice(_ELIDED)
    if text.isupper():
        before = before.upper()
    elif text[0].isupper() and r.random() < 0.5:
        before, text = before.capitalize(), text[0].lower() + text[1:]
    return f"{before}'{text}"


# What makes a word a contraction or a possessive, the frequent ones more often.
_CONTRACTIONS = ("'s", "'s", "'s", "s'", "n't", "n't", "'re", "'ll", "'ve", "'d", "'m")


def contracted(r: Random, text: str, share: float) -> str:
    """`text` as a contraction or a possessive, in a share of cases: `it's`."""
    if r.random() >= share:
        return text
    end = r.choice(_CONTRACTIONS)
    return text + (end.upper() if len(text) > 1 and text.isupper() else end)


@dataclass(frozen=True)
class CorpusOptions:
    """Which texts are made, and how often.

    Attributes:
        receipts: what receipts and other documents hold besides running text, such as product lines, prices, dates,
            codes and labels (first improvement of the original).
        symbol_boost: texts that carry rare symbols (fifth improvement of the original).
        foreign: share of words of other languages among dictionary words.
        accented: share of texts that are a word of these with an accented letter, of all their languages alike.
        listings: share of texts that stand between blanks in programs, command lines and manuals.
        chunks: share of texts of several words.
        elisions: share of foreign words that begin with a vowel and follow an elided one: l'eau, d'or.
        contractions: share of English words of letters alone that get the end of a contraction or a possessive.
        curly: share of texts whose straight quotes are set curly.
        longest: characters; longer texts are made anew.
    """

    receipts: bool = True
    symbol_boost: bool = True
    foreign: Share = 0.12
    accented: Share = 0.0
    listings: Share = 0.0
    chunks: Share = 0.04
    elisions: Share = 0.3
    contractions: Share = 0.0
    curly: Share = 0.4
    longest: Count = 24


class Corpus:
    """Draws texts: `corpus.draw(random)`.

    Raises:
        BadDataset: the vocabulary holds no word, or one that the alphabet cannot write.
    """

    def __init__(self, vocabulary: Vocabulary, options: CorpusOptions = CorpusOptions()) -> None:
        if not vocabulary.words:
            raise BadDataset("The vocabulary holds no usable word.")
        lists = vars(vocabulary).values()
        if unknown := set("".join("".join(words) for words in lists)) - _KNOWN:
            raise BadDataset(f"The vocabulary holds {''.join(sorted(unknown))[:20]!r}, which the alphabet lacks.")
        self.vocabulary, self.options = vocabulary, options
        table: list[tuple[Generator, float]] = [
            (english, 34 * (1 - options.foreign)),
            (foreign, 34 * options.foreign),
            (book, 10),
            (name, 8),
            (number, 7),
            (compound, 3),
            (form_word, 5 * options.receipts),
            (date, 4 * options.receipts),
            (single, 5),
            (random_characters, 5 * options.symbol_boost),
            (chunk if options.receipts else phrase, 100 * options.chunks),
            (accented, 100 * options.accented),
            (listing, 100 * options.listings),
        ]
        if options.receipts:
            table += [(product, 7), (price, 8), (receipt_word, 4), (code, 5), (time, 2), (phone, 3)]
        if options.symbol_boost:
            table += [(symbols, 4), (web, 2)]
        self._makers = [maker for maker, _ in table]
        self._edges = list(accumulate(weight for _, weight in table))

    def draw(self, r: Random) -> str:
        """One text of 1 to `longest` characters, all of them in the alphabet."""
        for _ in range(100):
            maker = self._makers[bisect(self._edges, r.random() * self._edges[-1])]
            text = maker(r, self.vocabulary).strip()
            if self.options.elisions and maker in (foreign, accented) and text[:1].lower() in _VOWELS:
                text = elided(r, text, self.options.elisions)
            if self.options.contractions and maker is english and text.isalpha():
                text = contracted(r, text, self.options.contractions)
            curly = 0.0 if maker is listing else self.options.curly
            if curly and ("'" in text or '"' in text) and r.random() < curly:
                text = curled(text)
            if 0 < len(text) <= self.options.longest:
                return text
        raise BadDataset(f"The corpus makes no text of at most {self.options.longest} characters.")


def symbol_histogram(texts: Iterable[str]) -> dict[str, int]:
    """How often each character of the alphabet occurs, in the alphabet's order; zeros included."""
    counts = Counter("".join(texts))
    return {character: counts[character] for character in CHARACTERS}
