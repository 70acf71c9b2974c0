"""Lines -> words: pages labelled line by line, cut into labelled words.

SROIE and others say where a line is and what it says, not where its words are. A word's box must look like the boxes
the detector gives the reader, or a network fine-tuned on it learns crops it will never see. So words are made of the
detector's own letters, and stand off their ink as the detector's do; the transcript only says how many words there
are, `n`, and they part at `n - 1` of the gaps between letters. No cut goes through ink.

Which gaps? Where the `n - 1` widest are clearly wider than all others, they, unless a word is then far too wide or too
narrow for its letters beside the others of its line: small figures close behind a number, or a price with a wide gap,
would move every label of the line by a word. That asks no recogniser, neither where to cut nor what to keep, so it is
all that words to be judged by may be cut with: a test set of words that the network could align would be too easy for
it. Their labels stay as they are.

Words to learn from get more. Where the widest gaps do not tell or words are uneven, the network's outputs are aligned
with the transcript, and every space takes the gap where the alignment has it. Then each crop is aligned with its word:
what does not align is a wrong label or a wrong cut and is left out, and the alignment tells which case the print has.
SROIE's labels are capitals whatever the print, and taken as they are they would teach to read capitals everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ocrkit.alphabet import Alphabet, normalise
from ocrkit.datasets import LabelledPage, LabelledWord, cut
from ocrkit.detection import DetectorOptions, dark_on_light, find_dark, to_text_scale
from ocrkit.detection.regions import ink_map, ink_regions
from ocrkit.document import Image, box_to_quad
from ocrkit.errors import BadLabel
from ocrkit.images import to_grey
from ocrkit.recognition.align import Alignment, align, choices_of, evidence_against, log_probabilities
from ocrkit.recognition.marks import LOW, MARKS, Band, belonging, low_runs, shows_marks, widened
from ocrkit.recognition.network import STRIDE_PX
from ocrkit.recognition.preprocess import HEIGHT
from ocrkit.recognition.recognizer import Recognizer

_CLEAR = 1.2  # times the widest gap within words that the narrowest between them must be
_STRAY = 1.5  # heights from all letters, from which on other ink is dirt, or points of a leader
_UNEVEN = 2.3  # times as wide for its letters one word of a line is as another: of lines with more most were miscut
_ADVANCE = 0.55  # heights of capitals; about how wide a letter is with the space beside it
_NARROW, _WIDE = frozenset("iljtfrI.,:;'’|!()[]-1"), frozenset("mwMW—")  # about half and one and a half times as wide
_CAPITAL = 1.2  # times as wide as a small letter
_FARTHEST = 0.7  # heights of the line between a space as aligned and its gap
_BARE = 0.8  # heights of a line's box without letters at an end: one was not found there
_MOST_EVIDENCE = 15.0  # against a word's label: of 4,000 words of SROIE all labels with more were wrong
_MOST_AT_ENDS = 8.0  # against a word of whose first or last character next to nothing is seen
_UNSEEN, _SEEN = 0.05, 0.5  # probability of a character where it stands: not there, there
_AS_LABELLED = 1.5  # natural logarithm of how many times likelier another case must be: `o` and `O` look alike
_SURE = 0.9  # probability of a letter's case from which on it cannot be called a slip
_BEYOND = 0.8  # heights of a line's letters beyond its box where its last mark may stand
_ROOM = 0.1  # heights around a line that its network sees
_DETECTOR = DetectorOptions()


@dataclass(frozen=True, eq=False)
class Rejected:
    """A line or word that gave no sample, its `(4,)` box in px of the page, and why."""

    page: str
    text: str
    box: np.ndarray
    reason: str


class _Refused(Exception):
    """Why a line cannot be cut or a word not be kept."""


def words_of_lines(page: LabelledPage, recognizer: Recognizer | None) -> tuple[LabelledPage, list[Rejected]]:
    """The page with words in place of its lines, and what was left out.

    Args:
        page: with `lines`; their quads are taken as upright boxes.
        recognizer: aligns what the gaps alone do not tell, checks every word, and gives labels the case of the print;
            `None` for words to be judged by, which no recogniser may choose.

    Raises:
        BadImage: the page cannot be read.
    """
    grey = to_grey(page.image())
    letters, pieces = _letters(grey)
    lines = [line for line in page.lines if line.text.strip()]
    places = np.array([line.box for line in lines]).reshape(-1, 4)
    owner, of_line = _owners(letters.boxes, places), _owners(pieces, places)
    words: list[_Word] = []
    rejected: list[Rejected] = []
    for number, line in enumerate(lines):
        texts = normalise(line.text).split()
        try:
            words += _cut(
                line, texts, letters.of(owner == number), pieces[np.isin(of_line, (number, -1))], grey, recognizer
            )
        except _Refused as why:
            rejected.append(Rejected(page.id, line.text, line.box, str(why)))
    crops = [cut(grey, box_to_quad(word.box)) for word in words]
    kept = []
    for word, logits in zip(words, recognizer.logits(crops) if recognizer else crops):
        try:
            text = _checked(word, logits, recognizer.alphabet) if recognizer else _checked_by_ink(word)
            kept.append(LabelledWord(text, box_to_quad(word.box)))
        except _Refused as why:
            rejected.append(Rejected(page.id, word.text, word.box, str(why)))
    return replace(page, words=tuple(kept), lines=()), rejected


@dataclass(frozen=True, eq=False)
class _Word:
    """A word as cut: its label, its `(4,)` box in px of the page, `(2,)` whether the marks at its ends have ink."""

    text: str
    box: np.ndarray
    shown: np.ndarray


# --- letters -> words -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Letters:
    """`(N, 4)` boxes of letters and marks in px of the page, and `(N,)` which of them are as high as letters."""

    boxes: np.ndarray
    tall: np.ndarray

    def of(self, which: np.ndarray) -> _Letters:
        return _Letters(self.boxes[which], self.tall[which])


def _letters(grey: Image) -> tuple[_Letters, np.ndarray]:
    """What the detector takes for letters, and all pieces of ink it saw, `(M, 4)` px of the page."""
    page, scale, height = to_text_scale(dark_on_light(grey))
    if not height:
        return _Letters(np.zeros((0, 4)), np.zeros(0, bool)), np.zeros((0, 4))
    found = find_dark(page, height)
    # At the detector's scale a point melts into the letter before it: marks are looked for in the page as it is.
    sharp = replace(_DETECTOR, window_px=round(_DETECTOR.window_px / min(scale, 1) / 2) * 2 + 1)
    ink = ink_map(dark_on_light(grey), sharp)
    return _Letters(found.letters.boxes / scale, found.letter), ink_regions(ink).boxes


def _owners(boxes: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Number of the line each box belongs to, `(N,)`: of those that hold its middle the nearest; -1 for none."""
    if not len(lines):
        return np.full(len(boxes), -1)
    x, y = ((boxes[:, [i]] + boxes[:, [i + 2]]) / 2 for i in (0, 1))
    x0, y0, x1, y1 = lines.T
    inside = (x0 <= x) & (x <= x1) & (y0 <= y) & (y <= y1)
    off = np.where(inside, np.abs(y - (y0 + y1) / 2), np.inf)
    return np.where(inside.any(1), off.argmin(1), -1)


def _cut(
    line: LabelledWord,
    texts: Sequence[str],
    letters: _Letters,
    pieces: np.ndarray,
    grey: Image,
    recognizer: Recognizer | None,
) -> list[_Word]:
    """The words `texts` of a line."""
    if not len(letters.boxes):
        raise _Refused("no letters were found in it")
    tall = letters.tall if letters.tall.any() else np.ones(len(letters.boxes), bool)
    height = float(np.quantile((letters.boxes[:, 3] - letters.boxes[:, 1])[tall], 0.7))
    if not any(set(text) <= MARKS for text in texts):
        near = _distance(letters.boxes, letters.boxes[tall]) <= _STRAY * height
        letters, tall = letters.of(near), tall[near]
    tops, bottoms = letters.boxes[:, 1], letters.boxes[:, 3]
    ink = _around(letters.boxes)
    if max(ink[0] - line.box[0], line.box[2] - ink[2]) > _BARE * height:
        raise _Refused("letters were found in a part of it only")
    band = Band(float(np.median(tops[tall])), float(np.median(bottoms[tall])))
    gaps = _gaps(letters.boxes)
    spaces = len(texts) - 1
    if not any(text[0] in LOW or set(text) <= MARKS for text in texts):  # a blank before a comma is the typist's then
        low = low_runs(letters.boxes, band)
        gaps = gaps[~np.isin(gaps[:, 1], low)]
    if len(gaps) < spaces:
        raise _Refused(f"{spaces} spaces in the label, but {len(gaps)} gaps in the ink")
    widths = gaps[:, 1] - gaps[:, 0]
    order = np.argsort(-widths, kind="stable")
    chosen, others = np.sort(order[:spaces]), order[spaces:]
    inks = _parted(letters.boxes, gaps[chosen])
    doubt = None
    if spaces and len(others) and widths[chosen].min() < _CLEAR * widths[others[0]]:
        doubt = "gaps between words and within them are alike"
    elif _unevenness(texts, inks, height) > _UNEVEN:
        doubt = "its words are too wide or too narrow for their letters"
    if doubt:
        if recognizer is None:
            raise _Refused(doubt)
        inks = _parted(letters.boxes, gaps[_aligned_gaps(line, " ".join(texts), gaps, height, grey, recognizer)])
    beyond = _BEYOND * height
    pieces = belonging(pieces, (line.box[0] - beyond, line.box[2] + beyond), band)
    margin = _DETECTOR.margin * height
    words = []
    for number, text in enumerate(texts):
        before = inks[number - 1][2] if number else -np.inf
        behind = inks[number + 1][0] if number < spaces else np.inf
        ink = widened(text, inks[number], pieces, (before, behind), band)
        x0, y0, x1, y1 = ink
        if y1 - y0 < _DETECTOR.min_word * height:  # a dash alone would not tell whether it is one or a dot
            y0, y1 = min(y0, band.top), max(y1, band.bottom)
        box = np.array([x0 - margin, y0 - margin, x1 + margin, y1 + margin])
        words.append(_Word(text, box, shows_marks(text, ink, pieces, band)))
    return words


def _gaps(boxes: np.ndarray) -> np.ndarray:
    """Where there is no ink between letters, from left to right: `(N, 2)` px."""
    boxes = boxes[np.argsort(boxes[:, 0], kind="stable")]
    starts, ends = boxes[1:, 0], np.maximum.accumulate(boxes[:-1, 2])
    return np.stack([ends, starts], 1)[starts > ends]


def _distance(boxes: np.ndarray, letters: np.ndarray) -> np.ndarray:
    """How far each box `(N, 4)` is from the nearest of the `letters` `(M, 4)` along the line, `(N,)` px."""
    return np.maximum(boxes[:, None, 0] - letters[:, 2], letters[:, 0] - boxes[:, None, 2]).min(1)


def _parted(boxes: np.ndarray, gaps: np.ndarray) -> list[np.ndarray]:
    """The ink of each word, `(4,)` px, where `gaps` part the letters' `boxes`."""
    word = np.searchsorted(gaps.mean(1), (boxes[:, 0] + boxes[:, 2]) / 2)
    return [_around(boxes[word == number]) for number in range(len(gaps) + 1)]


def _unevenness(texts: Sequence[str], inks: Sequence[np.ndarray], height: float) -> float:
    """How many times as wide for its letters the widest word is as the narrowest.

    Half a letter more of each lets a single figure count for little, as its ink tells no space beside it.
    """
    letters = [sum(map(_width, text)) for text in texts]
    wide = [(ink[2] - ink[0] + height / 2) / (count * _ADVANCE + 0.5) for ink, count in zip(inks, letters)]
    return max(wide) / min(wide)


def _width(letter: str) -> float:
    """About how wide a letter is, where a small one is 1."""
    if letter in _NARROW:
        return 0.5
    return 1.5 if letter in _WIDE else _CAPITAL if letter.isupper() else 1.0


def _around(boxes: np.ndarray) -> np.ndarray:
    return np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)])


def _aligned_gaps(
    line: LabelledWord, text: str, gaps: np.ndarray, height: float, grey: Image, recognizer: Recognizer
) -> np.ndarray:
    """The gap of each space of `text`: near to where the network's outputs have it, and wide."""
    crop = cut(grey, line.quad, _ROOM)
    if not crop.size:
        raise _Refused("it lies outside the page")
    alignment = _align(log_probabilities(recognizer.logits([crop])[0]), text, recognizer.alphabet)
    left = max(0.0, np.floor(line.box[0] - _ROOM * (line.box[3] - line.box[1])))
    spans = left + alignment.spans * STRIDE_PX * len(crop) / HEIGHT
    spaces = np.array([i for i, character in enumerate(text) if character == " "])
    wanted = (spans[spaces - 1, 1] + spans[spaces + 1, 0]) / 2
    widths = gaps[:, 1] - gaps[:, 0]
    off = np.abs(gaps.mean(1) - wanted[:, None])
    chosen = (off - widths).argmin(1)
    # Of a gap as wide as between columns no more is known than that the space is somewhere in it.
    outside = (off - widths / 2)[np.arange(len(chosen)), chosen]
    if (np.diff(chosen) <= 0).any() or outside.max() > _FARTHEST * height:
        raise _Refused("its spaces could not be aligned with gaps")
    return chosen


# --- words that say what their label says -----------------------------------------------------------------------------


def _checked_by_ink(word: _Word) -> str:
    """The label of a word whose marks have ink."""
    for mark, shown in zip((word.text[0], word.text[-1]), word.shown):
        if not shown:
            raise _Refused(f"no ink where its label has {mark}")
    return word.text


def _checked(word: _Word, logits: np.ndarray, alphabet: Alphabet) -> str:
    """The label, in the case of the print, of a word that aligns with its crop."""
    log_probs = log_probabilities(logits)
    alignment = _align(log_probs, word.text, alphabet)
    evidence = evidence_against(log_probs, alignment)
    ends = alignment.scores[[0, -1]]
    if evidence > _MOST_EVIDENCE or (evidence > _MOST_AT_ENDS and ends.min() < _UNSEEN):
        raise _Refused("the crop does not look like its label")
    # A mark that touches the letter beside it is no ink of its own, but the network may see it.
    _checked_by_ink(replace(word, shown=word.shown | (ends >= _SEEN)))
    return _printed_case(word.text, alignment)


def _align(log_probs: np.ndarray, text: str, alphabet: Alphabet) -> Alignment:
    try:
        return align(log_probs, choices_of(text, alphabet))
    except BadLabel as error:
        raise _Refused(str(error).rstrip(".")) from None


def _printed_case(text: str, alignment: Alignment) -> str:
    """`text` in the case of the print: each run of capitals as it is, small, or small after a capital.

    The likeliest of these for the run as a whole, since `o` and `O` alone look alike. A label that has small letters
    was not written in capitals whatever the print, and stays. A word with a letter that the network is sure has the
    other case (`InvoiceNo`) is refused.
    """
    printed = list(text)
    for run in re.finditer(r"[^\W\d_]+", text):
        others = (run[0].lower(), run[0].capitalize()) if text.isupper() else ()
        ways = [run[0], *(way for way in others if len(way) == len(run[0]))]
        own = alignment.probabilities[run.start() : run.end()]
        shares = [np.array([_share(p, letter != label) for letter, label, p in zip(way, run[0], own)]) for way in ways]
        likely = [float(np.log(share + 1e-6).sum()) for share in shares]
        likely[0] += _AS_LABELLED
        best = int(np.argmax(likely))
        if shares[best].min() < 1 - _SURE:
            raise _Refused("the case of its print is unclear")
        printed[run.start() : run.end()] = ways[best]
    return "".join(printed)


def _share(choices: np.ndarray, other_case: bool) -> float:
    """How probable the label's own case of a letter is, or its other case, where the two are its only `choices`."""
    if len(choices) == 1:
        return float(not other_case)
    return float(choices[int(other_case)] / max(choices.sum(), 1e-9))
