"""Words with something raised in them, read in parts: the number of a note behind its word, a lost apostrophe.

Whatever is small and raised looks alike to the recogniser, which takes a note's number for an apostrophe, an asterisk
or a degree sign, and `l'` for a P. The parts of the word's ink tell where something raised stands; what stands before
and behind it is then read by itself, and the number at the height of a letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ocrkit.detection import Parts
from ocrkit.documents.joins import Piece, Read
from ocrkit.options import options_class
from ocrkit.recognition.decode import Guess

_APOSTROPHES = "'’‘"
_ENDS = frozenset(".,!?…")  # before a mark that ends what is quoted
# Words that are none without their apostrophe, which may touch a letter so that nothing raised is seen.
_CONTRACTIONS = (
    "aren't couldn't didn't doesn't don't hadn't hasn't haven't isn't shouldn't wasn't weren't wouldn't I've "
    "they'd they'll they're they've we've you'll you're you've he's she's that's there's what's aujourd'hui c'est d'un "
    "j'ai jusqu'au jusqu'à l'eau l'on l'un n'est qu'il qu'on qu'un s'est s'il"
)
_LACKING = {word.replace("'", "").casefold(): word.index("'") for word in _CONTRACTIONS.split()}
_ONE = str.maketrans(dict.fromkeys("lI|i!", "1"))  # of a note, a stroke is this
_STROKES = frozenset("lI1|![](){}/")  # what an l or an I alone is read as
_VOWELS = frozenset("aeiouyhàâäéèêëîïôöùûüœæ")


@options_class
class RaisedOptions:
    """When a word is read in parts. Lengths are multiples of the height of its line's capitals.

    Attributes:
        note_height: of the figures of a note, at least; marks are lower.
        note_figures: at most.
        note_confidence: of their reading, at least.
        mark_height: of an apostrophe, at least; what is lower is dirt.
        mark_foot: above the baseline; where an apostrophe ends, at least. Parts of broken letters reach lower.
        mark_top: above the baseline; where it begins, from and to.
        mark_gap: between an apostrophe and the parts beside it, at most.
        stroke_width: of an l or an I, at most.
        stroke_height: of these, at least.
        confidence: of what stands beside an apostrophe, at least, where the word was read with other letters.
        loss: of confidence, at most, where it was read with the same ones. A letter whose arm is broken off is read
            less surely without it.
        sure: confidence from which on a word without an apostrophe has none, and one with its apostrophes is right.
        agreed: the same where the word was read with the letters behind its apostrophe and one or none before it.
        elided: what is left of a word before an apostrophe.
        contracted: what is left of a word behind one.
        margin: blank around a part when it is read.
    """

    note_height: float = 0.46
    note_figures: int = 3
    note_confidence: float = 0.4
    mark_height: float = 0.2
    mark_foot: float = 0.45
    mark_top: tuple[float, float] = (0.85, 1.25)
    mark_gap: float = 0.45
    stroke_width: float = 0.4
    stroke_height: float = 0.85
    confidence: float = 0.6
    loss: float = 0.06
    sure: float = 0.8
    agreed: float = 0.3
    elided: tuple[str, ...] = (*"ldjncsmo", "qu", "un", "dell", "all", "nell", "sull", "jusqu", "aujourd", "lorsqu")
    contracted: tuple[str, ...] = (*"stdm", "re", "ve", "ll", "clock")
    margin: float = 0.1


@dataclass(frozen=True, eq=False)
class _Trial:
    """A piece to be read in parts: the boxes between its apostrophes, `(4,)` px each, and its note's or `None`.

    `apostrophes` are the middles of these, px from the page's left; `before_note` is whether something raised stands
    right before the note, such as an apostrophe.
    """

    piece: Piece
    between: list[np.ndarray]
    strokes: list[bool]
    note: np.ndarray | None
    apostrophes: list[float]
    before_note: bool

    @property
    def boxes(self) -> list[np.ndarray]:
        return self.between if self.note is None else [*self.between, self.note]


def with_raised(rows: Sequence[Sequence[Piece]], read: Read, options: RaisedOptions) -> list[list[Piece]]:
    """The rows, their words that have something raised in them read in parts where that reading is to be believed."""
    ended = [[_contracted(_with_closing(piece, options), options) for piece in row] for row in rows]
    trials = [trial for row in ended for piece in row if piece.parts and (trial := _trial(piece, piece.parts, options))]
    if not trials:
        return ended
    found = iter(read(np.array([box for trial in trials for box in trial.boxes])))
    better: dict[Piece, Piece] = {}
    for trial in trials:
        read_apart = [next(found) for _ in trial.boxes]
        guess = _together(trial, read_apart, options) or _with_apostrophes(trial, options)
        if guess is not None:
            better[trial.piece] = replace(trial.piece, guess=guess)
    return [[better.get(piece, piece) for piece in row] for row in ended]


def _contracted(piece: Piece, options: RaisedOptions) -> Piece:
    """The piece with its apostrophe if it is hardly read, and a word only with that."""
    guess = piece.guess
    letters = [i for i, character in enumerate(guess.text) if character.isalpha()]
    at = _LACKING.get("".join(guess.text[i] for i in letters).casefold())
    # What is not all letters has an apostrophe already, or is something else.
    if at is None or guess.confidence >= options.sure or letters[-1] - letters[0] + 1 != len(letters):
        return piece
    at += letters[0]
    text, x = f"{guess.text[:at]}'{guess.text[at:]}", guess.spans[at - 1, 1]
    return replace(piece, guess=replace(guess, text=text, spans=np.insert(guess.spans, at, [x, x], axis=0)))


def _with_closing(piece: Piece, options: RaisedOptions) -> Piece:
    """The piece with the quotation mark that ends it, where that is seen and was not read.

    Half of a mark alone may be dirt, except behind the mark that ends what is quoted.
    """
    parts = piece.parts
    if parts is None:
        return piece
    guess, boxes = piece.guess, parts.boxes
    if not guess.text or guess.text[-1] in f'{_APOSTROPHES}"“”*' or len(boxes) < 3:
        return piece
    halves = 2 if parts.raised[-2] else 1
    if not parts.raised[-1] or parts.raised[-halves - 1]:
        return piece
    size = (boxes[-halves:, 2:] - boxes[-halves:, :2]) / parts.capital
    slim = (size[:, 0] <= options.stroke_width) & (size[:, 0] < size[:, 1])
    mark = slim & (options.mark_height <= size[:, 1]) & (size[:, 1] < options.note_height)
    gap = (boxes[-1, 0] - boxes[-2, 2]) / parts.capital
    if halves == 1:
        top, foot = (np.median(boxes[~parts.raised, 3]) - boxes[-1, [1, 3]]) / parts.capital
        high = options.mark_top[0] <= top <= options.mark_top[1] and foot >= options.mark_foot
        near = high and guess.text[-1] in _ENDS and 0 <= gap <= options.mark_gap
    else:
        near = gap <= options.margin * 3
    behind = boxes[-halves, 0] >= boxes[:-halves, 2].max() - options.margin * parts.capital
    if not (mark.all() and behind and near):
        return piece
    place = [boxes[-halves, 0] - piece.left, boxes[-1, 2] - piece.left]
    text = guess.text + ('"' if halves == 2 else "'")
    return replace(piece, guess=replace(guess, text=text, spans=np.append(guess.spans, [place], axis=0)))


def _trial(piece: Piece, parts: Parts, options: RaisedOptions) -> _Trial | None:
    boxes, size = parts.boxes, (parts.boxes[:, 2:] - parts.boxes[:, :2]) / parts.capital
    figure = parts.raised & (size[:, 1] >= options.note_height)
    first = len(boxes)
    # Dirt beside the figures is part of the note.
    while first and (figure[first - 1] or (size[first - 1] < options.mark_height).all()):
        first -= 1
    while first < len(boxes) and not figure[first]:
        first += 1
    note = 0 < first < len(boxes) and figure[first:].sum() <= options.note_figures
    last = first if note else len(boxes)
    high = parts.raised & ~figure
    alone = [i for i in range(1, last - 1) if high[i] and not high[i - 1] and not high[i + 1]]
    alone = [i for i in alone if _may_be_apostrophe(parts, i, options)]
    right = note or piece.guess.confidence >= options.sure
    if right and _inner_marks(piece.guess.text) >= len(alone):
        alone = []
    if not note and not alone:
        return None
    edges = [-1, *alone, last]
    runs = [np.arange(a + 1, b) for a, b in pairwise(edges)]
    stroke = (size[:, 0] <= options.stroke_width) & (size[:, 1] >= options.stroke_height)
    margin = options.margin * parts.capital * np.array([-1, -1, 1, 1])
    return _Trial(
        piece,
        [_around(boxes[run]) + margin for run in runs],
        [bool(stroke[run[-1]]) for run in runs],
        _around(boxes[first:]) + margin if note else None,
        [float(boxes[i, [0, 2]].mean()) for i in alone],
        bool(note and parts.raised[first - 1]),
    )


def _may_be_apostrophe(parts: Parts, number: int, options: RaisedOptions) -> bool:
    """Whether a raised part between two that are not has an apostrophe's size and place."""
    boxes, capital = parts.boxes, parts.capital
    x0, y0, x1, y1 = boxes[number]
    letters = boxes[~parts.raised & (boxes[:, 3] - boxes[:, 1] >= 0.5 * capital)]
    if not len(letters) or y1 - y0 < options.mark_height * capital:
        return False
    baseline = float(np.median(letters[:, 3]))
    foot, (least, most) = options.mark_foot, options.mark_top
    if baseline - y1 < foot * capital or not least * capital <= baseline - y0 <= most * capital:
        return False
    gaps = np.array([x0 - boxes[:number, 2].max(), boxes[number + 1, 0] - x1])
    return bool((gaps >= 0).all() and (gaps <= options.mark_gap * capital).all())


def _together(trial: _Trial, read: Sequence[Piece], options: RaisedOptions) -> Guess | None:
    """What the parts say together, `None` where that is not to be believed."""
    guesses = [piece.guess for piece in read]
    note = guesses.pop() if trial.note is not None else None
    texts = [guess.text for guess in guesses]
    sure = [guess.confidence for guess in guesses]
    for i, stroke in enumerate(trial.strokes[:-1]):
        # A stroke alone is hardly read; only before a vowel is one elided, so before another letter it is no article.
        if stroke and (not texts[i] or texts[i][-1] in _STROKES):
            texts[i] = texts[i][:-1] + ("l" if texts[i + 1][:1].lower() in _VOWELS else "I")
            sure[i] = max(sure[i], options.confidence)
    # What was left of an apostrophe beside them is told already.
    texts = [text.rstrip(_APOSTROPHES) for text in texts[:-1]] + texts[-1:]
    texts = texts[:1] + [text.lstrip(_APOSTROPHES) for text in texts[1:]]
    if not all(texts) or any(" " in text for text in texts):
        return None
    whole = trial.piece.guess
    text, confidence = "'".join(texts), min(sure)
    if _letters(text).casefold() == _letters(whole.text).casefold():  # by itself a low letter looks like its capital
        read_whole = iter(_letters(whole.text))
        texts = ["".join(next(read_whole) if sign.isalnum() else sign for sign in part) for part in texts]
        text = "'".join(texts)
    if len(texts) > 1:
        same = _letters(text) == _letters(whole.text)
        inside = all(a[-1].isalpha() and b[0].isalpha() for a, b in pairwise(texts))
        behind = same and all(len(a) > 1 and a[-1].isalpha() and not b[0].isdigit() for a, b in pairwise(texts))
        if not (inside or behind) or " " in whole.text:
            return None
        least = whole.confidence - options.loss if same else min(options.confidence, whole.confidence)
        if len(texts) == 2 and texts[0].lower() in options.elided and texts[1][:1].lower() in _VOWELS:
            # An l and its apostrophe are read as a P or a T, or not at all.
            agrees = whole.text.endswith(texts[1]) and len(whole.text) <= len(texts[1]) + 1
            least = min(least, options.agreed) if agrees else least
        if confidence < least:
            return None
    if note is not None:
        figures = note.text.translate(_ONE)
        if not figures.isdecimal() or figures[0] == "0" or note.confidence < options.note_confidence:
            return None
        if {"’": "9", "”": "99"}.get(whole.text[-1:]) == figures:  # which have the form of these marks
            return None
        text = _elided(text, whole.text[:-1], options)
        if not trial.before_note:  # what looked like a mark was part of the first figure
            text = text.rstrip(_APOSTROPHES) or text
        text, confidence = text + figures, min(confidence, note.confidence)
    return Guess(text, confidence, _spans(text, trial.piece))


def _elided(text: str, whole: str, options: RaisedOptions) -> str:
    """`text`, or an elided word with its apostrophe that `whole` shows, read here without it or as a P or a T."""
    before, mark, after = whole.replace("’", "'").partition("'")
    elided = mark and before.lower() in options.elided and after[:1].lower() in _VOWELS
    return before + mark + after if elided and text in (before + after, text[:1] + after) else text


def _with_apostrophes(trial: _Trial, options: RaisedOptions) -> Guess | None:
    """The word as it was read, with the apostrophes that it shows put between its letters; `None` where one is not."""
    guess = trial.piece.guess
    if trial.note is not None or guess.confidence >= options.sure or _inner_apostrophes(guess.text):
        return None
    middles, text, spans = guess.spans.mean(1), guess.text, guess.spans
    for x in reversed([x - trial.piece.left for x in trial.apostrophes]):
        at = int(np.searchsorted(middles, x))
        before, after = _letters(text[:at]).lower(), _letters(text[at:]).lower()
        # Broken letters have raised parts, too.
        if not (text[at - 1 : at].isalpha() and (before in options.elided or after in options.contracted)):
            return None
        text = f"{text[:at]}'{text[at:]}"
        spans = np.insert(spans, at, [x, x], axis=0)
    return Guess(text, guess.confidence, spans)


def _spans(text: str, piece: Piece) -> np.ndarray:
    """Left and right edge of each character in px of the crop, spread evenly: without a blank nobody needs more."""
    edges = np.linspace(piece.place[0], piece.place[2], len(text) + 1) - piece.left
    return np.stack([edges[:-1], edges[1:]], axis=1)


def _inner_apostrophes(text: str) -> int:
    return sum(a.isalnum() and b in _APOSTROPHES and c.isalnum() for a, b, c in zip(text, text[1:], text[2:]))


def _inner_marks(text: str) -> int:
    """How many apostrophes between letters or figures it has, and quotation marks behind them that do not end it."""
    return _inner_apostrophes(text) + sum(a.isalnum() and b in '"“”' for a, b in pairwise(text[:-1]))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _around(boxes: np.ndarray) -> np.ndarray:
    return np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)])
