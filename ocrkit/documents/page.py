"""One page as it stands: flat, boxes, texts, words, lines. `read_page` is the way through, a step a function."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

import numpy as np

from ocrkit.detection import DetectedLine, dark_on_light
from ocrkit.document import Image, Line, Word
from ocrkit.documents.aside import in_columns, is_within, read_aside
from ocrkit.documents.assemble import assemble
from ocrkit.documents.captions import with_captions
from ocrkit.documents.cells import in_cells
from ocrkit.documents.columns import at_columns
from ocrkit.documents.context import in_context
from ocrkit.documents.crops import Recognize, crop_places, split_words
from ocrkit.documents.dewarp import Bend, dewarp, level_boxes
from ocrkit.documents.geometry import moved, widened
from ocrkit.documents.joins import Piece, join_pieces
from ocrkit.documents.lying import lying_parts, with_lying
from ocrkit.documents.options import ReadOptions
from ocrkit.documents.parted import part_words
from ocrkit.documents.quotes import with_quotes
from ocrkit.documents.raised import with_raised
from ocrkit.documents.reading import Reading
from ocrkit.documents.screen import unscreened
from ocrkit.documents.script import is_unreadable
from ocrkit.documents.shapes import by_shape
from ocrkit.documents.spaced import with_spaced
from ocrkit.documents.struck import unstruck
from ocrkit.documents.underscores import with_underscores
from ocrkit.recognition.decode import Guess
from ocrkit.recognition.lexicon import MARKS

_CHECK_BOX, _CHECK_CONFIDENCE = "☐", 0.9  # and the share of them that are some
_BRACKETS, _BRACES = tuple("()[]{}"), tuple("{}")
_PAGE_NUMBER = re.compile(r"([-–—]) \d{1,3} \1")
_STRUCK_BONUS = 0.3  # of what the lexicon adds to a reading's log probability, where two readings are compared
_STRUCK_ODDS = 0.3  # in the log; by which the reading of a word with its stroke must be likelier than without
_PRICE = re.compile(r"[€$£]?\d[\d.,]*[.,]\d\d")

Detector = Callable[[Image], Sequence[DetectedLine]]


def read_page(image: Image, detect: Detector, recognize: Recognize, options: ReadOptions) -> Reading:
    """A page as it stands, a negative as its positive, a curled one straightened."""
    if min(image.shape[:2]) < options.smallest_page_px:
        return Reading(image)
    grey = unscreened(dark_on_light(image), options.screen)
    lines = detect(grey)
    reading = _read_upright(grey, lines, detect, recognize, options)
    lying = lying_parts(lines, grey.shape, options.lying)
    if len(lying):

        def read(part: Image) -> Reading:
            return _read_upright(part, detect(part), detect, recognize, options)

        reading = with_lying(reading, grey, lying, read, options.lying)
    return replace(reading, image=image)


def _read_upright(
    grey: Image, lines: Sequence[DetectedLine], detect: Detector, recognize: Recognize, options: ReadOptions
) -> Reading:
    """A page, dark on light, with what was detected on it."""
    image = grey
    grey, detected, bend = dewarp(grey, lambda page: lines if page is image else detect(page), options.dewarp)
    with_strokes = grey
    grey, detected = unstruck(grey, detected, detect)
    grey, detected = with_captions(grey, detected, detect, options.captions)
    boxes = level_boxes(detected)
    if not boxes:
        return Reading(image)
    read = partial(read_boxes, grey, recognize=recognize, margin=options.margin)
    if is_texture(np.concatenate(boxes), read, options):
        return Reading(image, left_out={"noise": sum(map(len, boxes))})
    pieces = read(np.concatenate(boxes))
    rows = in_lines(pieces, [line for line in detected if not line.aside])
    rows = in_cells(as_struck(rows, partial(read_boxes, with_strokes, recognize=recognize, margin=options.margin)))
    rows = with_spaced(rows, grey, recognize, options.spaced)
    rows = join_pieces(with_raised(rows, read, options.raised), read, options.joins)
    rows = with_underscores(rows, grey, read, options.underscores)
    rows = in_context(at_columns(rows, read, options.columns), read, options.context)
    rows = with_quotes(by_shape(rows, options.shapes), options.quotes)
    rows = part_words(rows, read, options.parted)
    if not holds_print([piece for row in rows for piece in row], options):
        return Reading(image, pieces=pieces, left_out={"noise": len(pieces)})
    guesses = [piece.guess for row in rows for piece in row]
    if not options.keep_doubtful and is_unreadable(guesses, options.script):
        return Reading(image, pieces=pieces, left_out={"unreadable": len(pieces)}, unreadable=True)
    aside = read_lines_aside(grey, detected, recognize, options)
    words, left_out = keep_words(rows, aside, options)
    level = assemble(words, options.assembly)
    return Reading(image, placed(level, bend, options), placed(after(level, aside), bend, options), pieces, left_out)


def read_boxes(grey: Image, boxes: np.ndarray, recognize: Recognize, margin: float) -> list[Piece]:
    """What stands in each of `boxes` `(N, 4)`, read in one batch."""
    places = crop_places(boxes, grey.shape, margin)
    crops = [grey[y0:y1, x0:x1] for x0, y0, x1, y1 in places]
    return list(map(Piece, boxes, places[:, 0].tolist(), crops, recognize(crops)))


def is_texture(boxes: np.ndarray, read: Callable[[np.ndarray], list[Piece]], options: ReadOptions) -> bool:
    """Whether it is cloth, gravel, leaves: so many boxes that a sample is read first, and nothing in it."""
    if len(boxes) <= options.many_boxes:
        return False
    # Among so many some look like a figure by chance, but hardly like two.
    return not holds_print(read(boxes[:: len(boxes) // options.sampled_boxes]), options, characters=2)


def in_lines(pieces: Sequence[Piece], lines: Sequence[DetectedLine]) -> list[list[Piece]]:
    """The pieces of one batch by the `lines` that they were found on, with what is known of their gaps and ink."""
    unread = iter(pieces)
    rows = []
    for line in lines:
        if line.check:
            rows.append([_check_box(next(unread), line)])
            continue
        spaces = [0.5] * len(line.boxes) if line.spaces is None else line.spaces.tolist()
        ink = line.boxes if line.ink is None else line.ink
        struck, cleared = (
            [False] * len(line.boxes) if which is None else which.tolist() for which in (line.struck, line.cleared)
        )
        parts = [None] * len(line.boxes) if line.parts is None else line.parts
        cells = [0] * len(line.boxes) if line.cells is None else line.cells.tolist()
        found = zip(islice(unread, len(line.boxes)), spaces, ink, struck, cleared, parts, cells)
        rows.append(
            [
                replace(
                    piece,
                    space=p,
                    ink=place,
                    struck=out,
                    cleared=was,
                    sign=line.sign,
                    parts=raised,
                    pitch=line.pitch,
                    cell=cell,
                )
                for piece, p, place, out, was, raised, cell in found
            ]
        )
    return rows


def _check_box(piece: Piece, line: DetectedLine) -> Piece:
    """The piece as the check box that its line is: its form tells, whatever letter it was read as."""
    whole = np.array([[0.0, piece.crop.shape[1]]])
    guess = replace(piece.guess, text=_CHECK_BOX, confidence=_CHECK_CONFIDENCE, spans=whole)
    return replace(piece, guess=guess, ink=None if line.ink is None else line.ink[0], sign=True)


def as_struck(rows: Sequence[Sequence[Piece]], read: Callable[[np.ndarray], list[Piece]]) -> list[list[Piece]]:
    """The rows, words whose stroke was erased as `read` with it where that is surer: it may be the bar of an e."""
    cleared = [piece for row in rows for piece in row if piece.cleared]
    if not cleared:
        return [list(row) for row in rows]
    guesses = [whole.guess for whole in read(np.array([piece.box for piece in cleared]))]
    surer = {
        piece: replace(piece, guess=guess)
        for piece, guess in zip(cleared, guesses)
        if _is_surer_struck(guess, piece.guess)
    }
    return [[surer.get(piece, piece) for piece in row] for row in rows]


def _is_surer_struck(struck: Guess, cleared: Guess) -> bool:
    """Whether a word's reading with its stroke is likelier by far; where both differ but in marks, it may hide them."""
    same = [list(filter(str.isalnum, guess.text)) for guess in (struck, cleared)]
    if same[0] and same[0] == same[1]:
        return False

    def worth(guess: Guess) -> float:
        return len(guess.text) * math.log(max(guess.confidence, 1e-9)) + _STRUCK_BONUS * guess.bonus

    return (struck.known, worth(struck)) > (cleared.known, worth(cleared) + _STRUCK_ODDS)


def holds_print(pieces: Sequence[Piece], options: ReadOptions, characters: int = 1) -> bool:
    """Whether so many letters or digits of a word are surely read; signs such as © look like coins, rings and knots."""

    def least(letters: int) -> float:
        return options.likely_confidence if letters >= options.likely_letters else options.sure_confidence

    counts = ((piece.guess.confidence, sum(map(str.isalnum, piece.guess.text))) for piece in pieces)
    return any(letters >= characters and confidence >= least(letters) for confidence, letters in counts)


def read_lines_aside(
    grey: Image, detected: Sequence[DetectedLine], recognize: Recognize, options: ReadOptions
) -> list[Line]:
    """What is print of the lines found up or down the page."""
    lines = [line.boxes for line in detected if line.aside]
    return read_aside(grey, lines, recognize, options.margin, options.aside)


def keep_words(
    rows: Sequence[Sequence[Piece]], aside: Sequence[Line], options: ReadOptions
) -> tuple[list[list[Word]], dict[str, int]]:
    """The words of each row without those of lines aside, what is in doubt marked; and how many are left out, and why.

    The recogniser reads most words that are struck through as others, so they are in doubt however sure it is.
    """
    words, left_out = [], {"noise": 0, "struck": 0}
    print_at = _legible(rows, options)
    for row in rows:
        level = [piece for piece in row if piece.guess.text and not is_within(piece.box, aside)]
        if not options.keep_doubtful and len(level) == 1 and level[0].sign and level[0].guess.text not in options.signs:
            left_out["noise"] += 1
            level = []
        if not options.keep_doubtful:
            found = len(level)
            level = _without_rule(level, options)
            level = [] if _are_stray(level, print_at, options) else [p for p in level if not _is_no_text(p, options)]
            left_out["noise"] += found - len(level)
        clean = [piece for piece in level if _is_legible(piece, options)]
        likely = doubtful_from(clean, options)
        in_cells_alone = all(len(piece.guess.text) == 1 for piece in clean)
        kept = [
            piece
            for piece in clean
            if options.keep_doubtful
            or piece.guess.confidence >= likely
            or (in_cells_alone and _is_cell(piece, print_at, options))
        ]
        left_out["noise"] += len(clean) - len(kept)
        if options.keep_doubtful:
            kept = level
        else:
            left_out["struck"] += len(level) - len(clean)
        words.append([word for piece in kept for word in _words(piece, options)])
    return words, left_out


def _legible(rows: Sequence[Sequence[Piece]], options: ReadOptions) -> np.ndarray:
    """Where pieces of at least two letters or figures stand that are not in doubt, `(N, 4)` px."""
    places = [
        piece.place
        for row in rows
        for piece in row
        if piece.guess.confidence >= options.min_confidence and sum(map(str.isalnum, piece.guess.text)) > 1
    ]
    return np.array(places).reshape(-1, 4)


def _without_rule(row: Sequence[Piece], options: ReadOptions) -> list[Piece]:
    """The row, or what is surely read of one that is many times the same mark but for one piece: stars have votes."""
    marks = Counter(piece.guess.text for piece in row if piece.guess.text in options.rule_signs)
    if not marks or marks.most_common(1)[0][1] < max(options.rule_marks, len(row) - 1):
        return list(row)
    return [
        piece
        for piece in row
        if any(map(str.isalnum, piece.guess.text)) and piece.guess.confidence >= options.sure_confidence
    ]


def _are_stray(row: Sequence[Piece], print_at: np.ndarray, options: ReadOptions) -> bool:
    """Whether a row is dirt: marks alone with no print at hand level with them.

    The points of a colon stand apart. A bullet has its text on its right, and not far off, or print on both sides as
    in a table's row. A bracket that is surely read may be a line of a program: as high as print in the next line above
    or below.
    """
    if not row or any(map(str.isalnum, "".join(piece.guess.text for piece in row))) or any(piece.sign for piece in row):
        return False
    places = np.array([piece.place for piece in row])
    (left, top), (right, bottom) = places[:, :2].min(0), places[:, 2:].max(0)
    level = (print_at[:, 1] <= (top + bottom) / 2) & ((top + bottom) / 2 <= print_at[:, 3])
    behind, before = print_at[:, 0] - right, left - print_at[:, 2]
    height = print_at[:, 3] - print_at[:, 1]
    if all(piece.guess.text == ":" for piece in row):
        level &= bottom - top >= options.colon_height * height
    sure = all(piece.guess.confidence >= options.sure_confidence for piece in row)
    if sure and set("".join(piece.guess.text for piece in row)) <= set(options.brackets):
        apart = np.maximum(print_at[:, 1] - bottom, top - print_at[:, 3])
        alike = np.abs(bottom - top - height) <= options.bracket_height * height
        near = np.maximum(behind, before) <= options.bullet_reach * height
        if ((apart <= height) & alike & near).any():
            return False
    if all(piece.guess.text == "•" for piece in row):
        level &= bottom - top <= options.bullet_height * height  # a hole for a ring binder is as round, but larger
        in_row = all((level & (off >= 0) & (off <= options.stray_reach * height)).any() for off in (before, behind))
        return not (in_row or (level & (behind >= 0) & (behind <= options.bullet_reach * height)).any())
    return not (level & (np.maximum(behind, before) <= options.stray_reach * height)).any()


def _is_cell(piece: Piece, print_at: np.ndarray, options: ReadOptions) -> bool:
    """Whether it is one figure or letter as a table's cell has it: as high as the print that it stands level with.

    The recogniser cannot tell an I from a one or an O from a zero where no other letter is beside it.
    """
    if piece.guess.text not in options.cell_signs or piece.guess.confidence < options.doubtful_confidence:
        return False
    left, top, right, bottom = piece.place
    height = print_at[:, 3] - print_at[:, 1]
    level = np.abs(print_at[:, [1, 3]] - [top, bottom]).max(1) <= options.cell_level * height
    near = np.maximum(print_at[:, 0] - right, left - print_at[:, 2]) <= options.cell_reach * height
    return bool((level & near).any())


def _is_no_text(piece: Piece, options: ReadOptions) -> bool:
    """Whether it is no text: a row of dashes or stars read as one long word, the rim of a punched hole as a bracket.

    A typewriter's braces are as wide as the rim, but no arcs, and so surely read.
    """
    guess = piece.guess
    if guess.text in _BRACKETS:
        if guess.text in _BRACES and guess.confidence >= options.sure_confidence:
            return False
        left, top, right, bottom = piece.place
        return bool(right - left > options.bracket_width * (bottom - top))
    long = sum(map(str.isalnum, guess.text)) >= options.rule_letters and not guess.known
    return long and guess.confidence < options.rule_confidence


def doubtful_from(row: Sequence[Piece], options: ReadOptions) -> float:
    """The confidence from which on a piece of the row is kept: lower on a line that is read well as a whole.

    The detector finds a sign alone only in a row of print, so it is kept as on such a line. The dashes beside a page's
    number are hardly read by themselves, so the number speaks for them.
    """
    if len(row) == 1 and row[0].sign and row[0].guess.text in options.plain_signs:
        return options.doubtful_confidence
    if _PAGE_NUMBER.fullmatch(" ".join(piece.guess.text for piece in row)):
        row = [piece for piece in row if any(map(str.isdigit, piece.guess.text))]
    sure = [piece.guess.confidence for piece in row if piece.guess.confidence >= options.min_confidence]
    well_read = len(sure) >= options.well_read_share * len(row) and sum(sure) >= options.well_read * max(1, len(sure))
    return options.doubtful_confidence if well_read else options.min_confidence


def _is_legible(piece: Piece, options: ReadOptions) -> bool:
    """Whether a word is not struck, or believed: a price, or a word that the stroke would have made nonsense of.

    What is left of a stroke that was erased hides little, and such a word was read in two ways.
    """
    if not piece.struck or piece.cleared:
        return True
    text, (price, word) = piece.guess.text, options.struck_confidence
    core = text.strip(MARKS)
    whole = piece.guess.known or (core.isalpha() and len(core) >= options.struck_letters)
    return piece.guess.confidence >= (price if _PRICE.fullmatch(text) else word if whole else np.inf)


def _words(piece: Piece, options: ReadOptions) -> list[Word]:
    words = split_words(piece.guess, piece.place, piece.left)
    doubtful = piece.struck or piece.cleared or piece.guess.confidence < options.min_confidence
    return [replace(word, doubtful=True) for word in words] if doubtful else words


def after(level: Sequence[Line], aside: Sequence[Line]) -> list[Line]:
    """The lines aside, each of their columns a paragraph that follows those of the `level` lines."""
    blocks = 1 + max((line.paragraph for line in level), default=-1)
    return [replace(line, paragraph=blocks + i) for i, column in enumerate(in_columns(aside)) for line in column]


def placed(lines: Sequence[Line], bend: Bend | None, options: ReadOptions) -> tuple[Line, ...]:
    """The lines with their words' blank margin, where they are seen on a page that has a `bend`."""

    def margin(height: float) -> float:
        return options.small_margin if height < options.small_print else options.word_margin

    wider = widened(lines, margin)
    return wider if bend is None else moved(wider, bend.seen)
