"""Pieces of words -> words: what the detector cut at a gap as wide as a space.

A dot too faint to be found leaves a hole in a price as wide as a space, and a thin letter between two wide ones of a
typewriter stands as far off as a word. The gap itself cannot say it; the recogniser, shown both pieces as one picture,
can. It follows the second of the three buckets of Dropbox's pipeline (2017), where doubtful boxes are joined on trial.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ocrkit.detection import Parts
from ocrkit.document import Image
from ocrkit.options import options_class
from ocrkit.recognition.lexicon import MARKS

if TYPE_CHECKING:
    from ocrkit.recognition import Guess


_ADDRESS = re.compile(r"[\w.+-]*\w@[^\W\d][\w.-]*|(?:\w*:/|//\w|www\b)[\w:/.?&=#-]*")
SUFFIX = re.compile(r"\.(?:bib|cls|csv|docx?|dtx|html?|ins|jpe?g|pdf|png|py|sty|te?xt?|xlsx?|xml|zip)\W*")  # of files
_COMMAND = re.compile(r"\\[^\W\d_]{2}")  # of TeX
_DATE = re.compile(r"\d[-/.]\w+[-/.]\d+$")
_TIME = re.compile(r"\d\d?:\d\d")
_NAME = re.compile(r"\w_\w|\\[^\W\d_]")  # what only programs and commands have
_PLAIN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")  # a word as texts have it
_THOUSAND = re.compile(r"\d{3}(?:\.\d+)?\)?")


@options_class
class JoinOptions:
    """When two neighbours on a line are read as one on trial, and when that reading is believed.

    Attributes:
        gap: heights; boxes further apart are never tried.
        longest: heights; nor are they where both together are longer.
        longest_name: the same of a program's name or a command of TeX, and what it is given in brackets.
        sure_space: probability of a space, as the gap tells, from which on a fragment stays a word of its own.
        sure_gap: the same beside a 1 among digits, around which gaps are as wide as spaces.
        fragment: characters; a piece of at most so many may be part of its neighbour.
        mark_confidence: share of the lower confidence of the two that the whole must reach, where it shows one of
            `marks` between two digits that neither piece shows, or nothing beside a 1.
        marks: what stands inside numbers, dates and times.
        sure_word: confidence from which on a fragment behind a sure space is a word.
        likely_word: the same of one of `words`.
        ends: marks that end a word; what has one behind a sure space is no fragment.
        opening: marks that such a word may follow without a space.
        small_words: letters that are words where they stand alone.
        words: short ones that are none but words, where they are surely read and a space is likely.
        signs: characters that are words where they stand alone, and so no fragments.
        list_signs: signs that begin the lines of lists, behind a space that is sure.
        operators: characters of which such words consist in programs, formulas, as dashes and before the lines of
            lists, where a space is sure.
        dashes: those of them that are words where a space is likely.
        alike: letters that look like their capitals; an s may be one whose apostrophe is lost.
        strokes: what an I or a one alone is read as; behind a sure space it is no part of what is surely read.
        seams: marks inside words and numbers, beside which a gap may be as wide as a space.
        seam_space: probability of a space, from which on a mark at the seam makes no word of both but a thousand's
            comma, nor a colon behind a 1.
        seam_confidence: share of the lower confidence of the two that the whole must reach where it shows one of
            `seams` between them, and the letters and digits of both.
        list_space: probability of a space, from which on what stands behind a comma, and is no thousand, is another
            number.
        word_space: probability of a space, from which on a fragment that is surely read is a word.
        unsure_space: probability of a space, up to which two pieces may be halves of a word however long they are,
            unless both are words that the recogniser knows.
        half_space: the same where each of the two has `least_half` letters and the recogniser knows the whole.
        least_half: letters.
        sure_letters: of such a word, at least.
        half_confidence: share of the lower confidence of the two that the whole must reach then, if it is not known.
        address_confidence: the same of a whole that is an address of the web or of mail.
        bracket_confidence: the same of a bracket with what is in it, or a name with underscores.
        fragment_gain: by how much the whole must be surer than the less sure of the two, where one is a fragment.
    """

    gap: float = 0.9
    longest: float = 14.0
    longest_name: float = 40.0
    sure_space: float = 0.9
    sure_gap: float = 0.99
    fragment: int = 2
    mark_confidence: float = 0.8
    marks: str = ".,:/-"
    sure_word: float = 0.75
    likely_word: float = 0.25
    ends: str = ".,"
    opening: str = "\"'“‘„("
    small_words: str = "IAaOoyeuàl|&"
    words: tuple[str, ...] = tuple(
        [
            "of",
            "to",
            "in",
            "is",
            "it",
            "at",
            "on",
            "by",
            "we",
            "he",
            "an",
            "as",
            "or",
            "if",
            "no",
            "so",
            "my",
            "us",
            "do",
            "go",
            "me",
            "up",
            "am",
            "be",
        ]
    )
    signs: str = ":-=*{}&#<"
    list_signs: str = "•*"
    operators: str = "{}[]()|&+=*/#%$^~–—•"
    dashes: str = "–—"
    alike: str = "covwxzCOVWXZ"
    strokes: str = "Il1!|i[]"
    seams: str = "'’.,:/-"
    seam_space: float = 0.98
    seam_confidence: float = 0.9
    list_space: float = 0.7
    word_space: float = 0.6
    unsure_space: float = 0.7
    half_space: float = 0.95
    least_half: int = 2
    sure_letters: int = 3
    half_confidence: float = 1.0
    address_confidence: float = 0.8
    bracket_confidence: float = 0.8
    fragment_gain: float = 0.1


@dataclass(frozen=True, eq=False)
class Piece:
    """A box `(4,)` px, its crop's left edge on the page in px, the crop and what it was read as.

    `space` is the probability that there is a space before it, as far as the gap can tell; `ink` is where its ink is,
    `(4,)` px, or `None` where the box is that. `struck` words are struck through, `cleared` ones were; a `sign` stands
    alone in its row.
    `parts` are the connected parts of its ink where some of them stand raised. `cell` numbers its line's cells of a
    table, of which each ends at an upright rule. `pitch` is the width in px of the cells
    that its line's characters stand in, as a typewriter's do, 0 where they stand in none.
    """

    box: np.ndarray
    left: float
    crop: Image
    guess: Guess = field(repr=False)
    space: float = 0.5
    ink: np.ndarray | None = None
    struck: bool = False
    cleared: bool = False
    sign: bool = False
    parts: Parts | None = None
    pitch: float = 0.0
    cell: int = 0

    @property
    def place(self) -> np.ndarray:
        """`(4,)` px; where its word stands."""
        return self.box if self.ink is None else self.ink


_NUMBERED = re.compile(r"\d{1,2}\.")
_OPERATOR = re.compile(r"[:!=<>+*/&|-]=|[-=]>|//|&&|\|\|")
_QUOTES = tuple("'\"’”")
_STOPS = ".,;:!?…"  # what may follow a stroke that is a word
_STROKES, _STROKES_BEHIND = ("I", "]", "|"), tuple("!])}|")  # an I alone, and what it is read as behind a word

Read = Callable[[np.ndarray], list[Piece]]  # boxes (N, 4) -> a piece each


def join_pieces(lines: Sequence[Sequence[Piece]], read: Read, options: JoinOptions) -> list[list[Piece]]:
    """The lines' pieces from left to right, those that read as one word joined.

    Args:
        lines: pieces found on one line together, in any order.
        read: reads boxes of the page.
        options: what is tried and believed.
    """
    rows = [sorted(line, key=lambda piece: float(piece.box[0])) for line in lines]
    met: set[tuple[Piece, Piece]] = set()
    while True:
        pairs = [(row, a, b) for row in rows for a, b in pairwise(row) if (a, b) not in met]
        trials = [pair for pair in pairs if _may_be_one(*pair[1:], options)]
        if not trials:
            return rows
        met |= {(a, b) for _, a, b in pairs}
        together = np.array([around(a.box, b.box) for _, a, b in trials])
        joined = False
        # Where a gap is no likely space, its two go together before one of them does with another.
        wholes = zip(trials, read(together))
        for (row, a, b), read_whole in sorted(wholes, key=lambda trial: trial[0][2].space >= options.word_space):
            # One of the two may have been joined on its other side just now.
            if a not in row or b not in row:
                continue
            if sign := _sign_before(a.guess, b.guess, read_whole.guess, b.space, options):
                if sign != a.guess.text:
                    guess = replace(a.guess, text=sign, confidence=read_whole.guess.confidence, spans=a.guess.spans[:1])
                    row[row.index(a)] = replace(a, guess=guess)
            elif operator := _operator_behind(a.guess, b.guess, read_whole.guess, b.space, options):
                row[row.index(b)] = replace(b, guess=replace(b.guess, text=operator))
            elif is_one_word(a.guess, b.guess, read_whole.guess, b.space, options):
                row[row.index(a) : row.index(b) + 1] = [_joined(a, b, read_whole, options)]
                joined = True
        if not joined:
            return rows


def _sign_before(a: Guess, b: Guess, whole: Guess, space: float, options: JoinOptions) -> str:
    """The sign of a list that `whole` shows before the second word, and a sure space behind it; empty if none.

    By itself it is seen as large as a letter, and is read as one; a square one is seen as an equals sign beside a word,
    which by itself is read as that.
    """
    sign = whole.text[:1]
    if space < options.sure_space or len(a.text) > options.fragment or whole.text[1:] != b.text:
        return ""
    if a.text == "•" and whole.confidence < a.confidence + options.fragment_gain:
        return a.text
    if sign == "=":
        return "•" if a.text != sign and a.confidence < options.sure_word else ""
    return sign if sign in tuple(options.list_signs) and len(b.text) >= options.sure_letters else ""


def _operator_behind(a: Guess, b: Guess, whole: Guess, space: float, options: JoinOptions) -> str:
    """The operator of two signs that `whole` shows behind the first word and a sure space; empty if none.

    By itself its exclamation mark is read as an I.
    """
    operator = whole.text[len(a.text) :]
    told = space >= options.sure_space and len(b.text) == 2 and whole.text.startswith(a.text)
    return operator if told and _OPERATOR.fullmatch(operator) else ""


def _joined(a: Piece, b: Piece, whole: Piece, options: JoinOptions) -> Piece:
    """`whole` with what is known of its parts; and with their signs, read closer, where a bracket makes them one."""
    guess = whole.guess
    if _is_enclosed(a.guess, b.guess, guess, b.space, options):
        guess = replace(guess, text=a.guess.text + b.guess.text)
    return replace(
        whole,
        guess=guess,
        space=a.space,
        ink=around(a.place, b.place),
        struck=a.struck or b.struck,
        cleared=a.cleared or b.cleared,
        pitch=a.pitch,
        cell=a.cell,
    )


def _may_be_one(a: Piece, b: Piece, options: JoinOptions) -> bool:
    """Whether it is worth a look: near each other, and what `is_one_word` could believe."""
    (start, top, a_end, bottom), (b_start, b_top, end, b_bottom) = a.box.tolist(), b.box.tolist()
    height = max(bottom - top, b_bottom - b_top)
    if b_start - a_end >= options.gap * height or a.cell != b.cell:
        return False
    left, right = (guess.text for guess in _figures(a.guess, b.guess, options))
    operator = b.space >= options.sure_space and any(map(_OPERATOR.fullmatch, (left, right)))
    if not (left and right) or " " in left + right or operator:
        return False
    name = any(map(_NAME.search, (left, right))) and _may_be_enclosed(a.guess, b.guess, b.space, options)
    if end - start >= (options.longest_name if name else options.longest) * height:
        return False
    if b.pitch and b.space == 1 and not _digits_meet(left, right):  # whole cells between them are blank
        return False
    doubtful_bullet = left == "•" and a.guess.confidence < options.sure_word and b.space >= options.sure_space
    if doubtful_bullet or _digits_meet(left, right) or _may_be_address(left, right, b.space, options):
        return True  # a doubtful bullet may be another list's sign, see `_sign_before`
    kinds = (_may_be_seam, _is_colon_behind_one, _may_be_halves, _may_be_enclosed, _may_be_fragment)
    return any(may_be(a.guess, b.guess, b.space, options) for may_be in kinds)


def _may_be_fragment(a: Guess, b: Guess, space: float, options: JoinOptions) -> bool:
    """Whether one of the two is short, and behind what is surely a space no word of its own."""
    short = [part for part in (a, b) if len(part.text) <= options.fragment and part.text not in options.signs]
    signs = options.operators if space >= options.sure_space else options.dashes if space >= options.word_space else ""
    if any(set(part.text) <= set(signs) for part in short) or _is_stroke_apart(a, b, space, options):
        return False
    if space < options.word_space:
        return bool(short)
    if a.text in options.signs or b.text in options.signs:
        return False
    if space < options.sure_space:
        words = options.words
        if any(part.known and len(_letters(part.text)) >= options.sure_letters for part in (a, b)):
            words += tuple(options.small_words)
        return any(part.confidence < options.sure_word or part.text not in words for part in short)
    initial = a.text[:-1].isalpha() and len(a.text) == 2
    if a.text[-1] in options.ends and not initial:
        return False
    return any(
        part.confidence < (options.likely_word if part.text.casefold() in options.words else options.sure_word)
        and part.text[-1] not in options.ends
        and part.text.strip(options.marks).lstrip(options.opening) not in options.small_words
        for part in short
    )


def _is_stroke_apart(a: Guess, b: Guess, space: float, options: JoinOptions) -> bool:
    """Whether one is a stroke, whatever marks it has behind it, a sure space off a word that is surely read."""
    return space >= options.sure_space and any(
        part.text[:1] in tuple(options.strokes)
        and not part.text[1:].strip(_STOPS)
        and len(_letters(other.text)) >= options.least_half
        and other.confidence >= options.sure_word
        for part, other in ((a, b), (b, a))
    )


def _may_be_halves(a: Guess, b: Guess, space: float, options: JoinOptions) -> bool:
    """Whether the gap hardly tells that there is a space, and the two are no words of their own.

    Pieces of several letters, of which one is no word, are also tried where a space is likely: only a word that the
    recogniser knows is believed there, see `_are_parts`.
    """
    seam = a.text[-1], b.text[0]
    inside = all(sign.isalnum() or sign in "-'’" for sign in seam) and not _digits_meet(a.text, b.text)
    letters = [_letters(part.text) for part in (a, b)]
    inside = inside and all(letters)  # a dash may stand alone
    if not inside or all(_is_word(part, options) for part in (a, b)):
        return False
    several = all(map(str.isalpha, seam)) and min(map(len, letters)) >= options.least_half
    return space < (options.half_space if several else options.unsure_space)


def _is_word(guess: Guess, options: JoinOptions) -> bool:
    """Whether it is a letter that is a word, or the recogniser knows it and it is too long for the end of another."""
    return guess.text in options.small_words or (guess.known and len(_letters(guess.text)) >= options.sure_letters)


def _may_be_address(left: str, right: str, space: float, options: JoinOptions) -> bool:
    """Whether the two may be parts of an address, whose signs stand as far apart as words, or of a file's name.

    Behind a space, a name's ending with its point may be a word of its own, as in `a .zip`.
    """
    if space < options.sure_space and SUFFIX.fullmatch(right):
        return True
    point = left[-1] == "." and left[-2:-1].isalnum()
    address = _ADDRESS.fullmatch(left + right) or (point and SUFFIX.fullmatch(f".{right}"))
    return space < options.sure_gap and bool(address)


def _may_be_enclosed(a: Guess, b: Guess, space: float, options: JoinOptions) -> bool:
    """Whether the two may be a bracket and what it encloses, or parts of a program's name.

    Such a name, told by an underscore inside or the backslash of TeX's commands, hardly leaves gaps to tell spaces by:
    what follows a point of it or opens a bracket behind it is part of it, and so is what is no word. Brackets behind a
    command stand as far off as words; the number of a line and what is behind a quotation are no part of one.
    """
    left, right = a.text, b.text
    if space >= (options.sure_gap if _is_command_before(left, right) else options.sure_space):
        return False
    if left[-1] in "([{" or right[0] in ")]}" or _is_command_before(left, right):
        return True
    if (right[0] == "\\" and left.isalnum()) or left[-1] in _QUOTES:
        return False
    own = left[-1] == "." or right[0] == "(" or not any(_is_word(part, options) for part in (a, b))
    return own and any(_NAME.search(part) for part in (left, right))


def _is_command_before(left: str, right: str) -> bool:
    """Whether a command of TeX stands before the bracket of what it is given."""
    return right[:1] in ("[", "{") and bool(_COMMAND.search(left))


def _may_be_seam(a: Guess, b: Guess, space: float, options: JoinOptions) -> bool:
    """Whether the two may be one word with a mark at the seam, such as `child` and `'s`, `1,575.` and `13`."""
    left, right = a.text, b.text
    if space >= options.sure_space and right.casefold() in options.words:
        return False
    if space >= options.word_space and a.known and _is_word(b, options):
        return False
    listed = left[-1] == "," and right[0].isdigit() and not _THOUSAND.fullmatch(right)  # one number of several
    if space >= options.list_space and listed:
        return False
    marked = left[-1] in options.seams or right[0] in options.seams or (len(right) == 1 and right in "sStT")
    ends = _letters(left)[-1:], _letters(right)[:1]
    marked = marked and ends[0].isdigit() == ends[1].isdigit()  # see `_is_seam`
    most = options.sure_gap if left[-1] == "," and right[0].isdigit() else options.seam_space
    return space < most and marked and left[:1].isalnum() | (len(left) > 1) and any(map(str.isalnum, right))


def _is_seam(left: str, right: str, whole: str, options: JoinOptions) -> bool:
    """Whether `whole` is both of them with a mark between: an apostrophe among letters, another among digits."""
    signs = [_letters(text) for text in (left, right, whole)]
    if signs[0] + signs[1] != signs[2] or not signs[0] or not signs[1]:
        return False
    end = [i for i, character in enumerate(whole) if character.isalnum()][len(signs[0]) - 1]
    seam = whole[end + 1 : end + 2]
    before, after = whole[end], whole[end + 2 : end + 3]
    if seam in ("'", "’"):
        return before.isalpha() and after.isalpha()
    return bool(seam) and seam in options.seams and before.isdigit() and after.isdigit()


def _is_colon_behind_one(a: Guess, b: Guess, space: float, options: JoinOptions) -> bool:
    """Whether the two are a number that ends with a 1, and a colon: both stand in the middle of wide steps."""
    return a.text[-1] == "1" and b.text == ":" and space < options.seam_space


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()


def _figures(a: Guess, b: Guess, options: JoinOptions) -> tuple[Guess, Guess]:
    """The two, an O alone that is hardly read beside a figure as a zero: `O` and `70` of `0.70`."""
    left, right = (guess.text in ("O", "o") and guess.confidence < options.sure_word for guess in (a, b))
    if left and b.text[:1].isdigit():
        a = replace(a, text="0")
    elif right and a.text[-1:].isdigit():
        b = replace(b, text="0")
    return a, b


def _digits_meet(left: str, right: str) -> bool:
    """Whether the two may be parts of a number; a time behind a date is none."""
    return left[-1].isdigit() and right[0].isdigit() and not (_DATE.search(left) and _TIME.match(right))


def around(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The box `(4,)` around two."""
    return np.concatenate([np.minimum(a[:2], b[:2]), np.maximum(a[2:], b[2:])])


def is_one_word(a: Guess, b: Guess, whole: Guess, space: float, options: JoinOptions) -> bool:
    """Whether the reading of two pieces as one is to be believed, with a `space` of some probability between them."""
    # An underline below two words looks like one between them.
    underlined = "_" in whole.text and "_" not in a.text + b.text
    apart = _are_two_words(a, b, whole, options) or _is_measure(a.text, b.text, whole.text)
    apart = apart and space >= options.word_space
    if not whole.text or " " in whole.text or underlined or apart:
        return False
    a, b = _figures(a, b, options)
    lower = min(a.confidence, b.confidence)
    between = whole.text[len(a.text) : len(whole.text) - len(b.text)]
    if _digits_meet(a.text, b.text) and whole.text == a.text + between + b.text:
        marked = len(between) == 1 and between in options.marks
        # Parts with letters are words of a code, as of a postcode.
        codes = all(any(map(str.isalpha, part.text)) for part in (a, b))
        unsure = options.sure_space if codes else options.sure_gap
        beside_one = not between and "1" in (a.text[-1], b.text[0]) and space < unsure
        if marked or beside_one:
            return whole.confidence >= options.mark_confidence * lower
    seam = _may_be_seam(a, b, space, options) and _is_seam(a.text, b.text, whole.text, options)
    if seam or (_is_colon_behind_one(a, b, space, options) and whole.text == a.text + b.text):
        return whole.confidence >= options.seam_confidence * lower
    same = _letters(whole.text) == _letters(a.text) + _letters(b.text)
    if (same and _are_parts(a, b, whole, space, options)) or _is_enclosed(a, b, whole, space, options):
        return True
    two_words = a.known and b.known and not whole.known
    two_words |= _is_beside(a.text, b.text, whole.text, options) or _is_letter_apart(a, b, whole, options)
    if space >= options.sure_space and two_words:
        return False
    return _may_be_fragment(a, b, space, options) and whole.confidence >= lower + options.fragment_gain


def _are_two_words(a: Guess, b: Guess, whole: Guess, options: JoinOptions) -> bool:
    """Whether the two are words: short ones, a letter and a word, a list's number and a word, a word and an I.

    Two short ones are, though the whole may be one, too, as in `on to`; the others only where the whole is none.
    """
    if _are_short_words(a, b, whole, options):
        return True
    if not whole.known and (a.text + b.text).casefold() == whole.text.casefold():
        letters = [part.text.isalpha() and len(part.text) == 1 for part in (a, b)]
        long = [part.known and len(_letters(part.text)) >= options.sure_letters for part in (a, b)]
        whole_words = [one or _is_short_word(part, options) for one, part in zip(long, (a, b))]
        # Not those of `n’est`, whose letter is part of it.
        inside = a.text[-1].isalnum() and b.text[0].isalnum()
        if inside and any(letter and word for letter, word in zip(letters, reversed(whole_words))):
            return True
        if long[1] and _NUMBERED.fullmatch(a.text):
            return True
    return a.known and b.text in _STROKES and whole.text[:-1] == a.text and whole.text[-1:] in _STROKES_BEHIND


def _is_short_word(guess: Guess, options: JoinOptions) -> bool:
    """Whether it is one of the short `words`, surely read."""
    return guess.text.casefold() in options.words and guess.confidence >= options.sure_word


def _are_short_words(a: Guess, b: Guess, whole: Guess, options: JoinOptions) -> bool:
    """Whether one of the two is one of the short `words`, and the other another word, or longer than most halves."""
    same = _letters(whole.text) == _letters(a.text) + _letters(b.text)
    if not same or not a.text[-1].isalnum() or not b.text[0].isalnum():
        return False
    least = options.sure_word if whole.known else options.likely_word
    words = [(part.text.strip(MARKS).casefold(), part) for part in (a, b)]
    short = [word in options.words and part.confidence >= least for word, part in words]
    long = [
        len(word) >= options.sure_letters and bool(_PLAIN.fullmatch(word)) and (part.known or not whole.known)
        for word, part in words
    ]
    return any(short) and all(one or other for one, other in zip(short, long))


def _are_parts(a: Guess, b: Guess, whole: Guess, space: float, options: JoinOptions) -> bool:
    """Whether two that have the letters of `whole` are halves of a word, or parts of an address."""
    lower = min(a.confidence, b.confidence)
    if _may_be_halves(a, b, space, options):
        # Beside a word there seldom is half of one that nobody knows.
        no_word = space < options.unsure_space and not any(_is_word(part, options) for part in (a, b))
        if whole.known or (no_word and whole.confidence >= options.half_confidence * lower):
            return True
    told = _may_be_address(a.text, b.text, space, options)
    return told and whole.confidence >= options.address_confidence * lower


def _is_enclosed(a: Guess, b: Guess, whole: Guess, space: float, options: JoinOptions) -> bool:
    """Whether `whole` shows as many signs as both, the same at the seam, and no more than one in eight another."""
    both, seam = a.text + b.text, len(a.text)
    alike = len(whole.text) == len(both) and whole.text[seam - 1 : seam + 1] == both[seam - 1 : seam + 1]
    alike = alike and sum(sign != ours for sign, ours in zip(whole.text, both)) <= len(both) // 8
    sure = whole.confidence >= options.bracket_confidence * min(a.confidence, b.confidence)
    return alike and sure and _may_be_enclosed(a, b, space, options)


def _is_beside(left: str, right: str, whole: str, options: JoinOptions) -> bool:
    """Whether `whole` shows one of the two, and in place of the other a sign that is a word where it stands alone."""
    return any(whole in (left + sign, sign + right) for sign in options.small_words if not sign.isalnum())


def _is_letter_apart(a: Guess, b: Guess, whole: Guess, options: JoinOptions) -> bool:
    """Whether one is a letter whose height alone tells its case, so that it is hardly read, beside a word."""
    return not whole.known and any(
        letter.text in tuple(options.alike)
        and len(_letters(word.text)) >= options.least_half
        and bool(_PLAIN.fullmatch(word.text.strip(MARKS)))
        and word.confidence >= options.sure_word
        for letter, word in ((a, b), (b, a))
    )


def _is_measure(left: str, right: str, whole: str) -> bool:
    """Whether `whole` is both, of which one ends or begins with a figure and the other with a letter, as in 29 x 21."""
    seam = left[-1].isalnum() and right[0].isalnum() and left[-1].isdigit() != right[0].isdigit()
    return seam and whole.casefold() == (left + right).casefold()
