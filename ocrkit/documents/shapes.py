"""What a crop cannot tell and its line can: what is a dash or a bullet, and whether an `o` is a capital.

The recogniser sees every word at one height. Beside the other words of its line a dash shows its length, and letters
that are alike in both cases show theirs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import field, replace
from functools import cache
from itertools import pairwise
from statistics import median

import numpy as np

from ocrkit.documents.dashes import DashOptions, is_dash, with_dashes
from ocrkit.documents.full_stops import FullStops, full_stops
from ocrkit.documents.ink import filled_rows, ink_of, runs, runs_of, with_blank
from ocrkit.documents.joins import Piece
from ocrkit.options import options_class

_LED = re.compile(r"(?:[oO]f(?=[^\W_])|&(?=[^\W\d_A-Z]))")  # whose last letter may lean over the space behind it
_ONE_S = re.compile(r"\W*1S\W*")
_TAILED = {".": ",", ":": ";"}  # what marks are with a tail
_POINTS = re.compile(r"(?P<points>[.…]{2,}|…)(?P<behind>[\"'”’)\]]*)$")
_POINT = re.compile(r"(?<=\w)(?P<points>\.)(?P<behind>[\"'”’)\]]*)$")  # which an ellipsis may be read as
_RULED = re.compile(r"_*(?=[A-Z\d(])([^_]+?)_*")  # a word on a rule, which a program's name seldom looks like
_LACKING_MARK = re.compile(r"(?:(?<=\b[iI])|(?<=\b[tT]ha)|(?<=\b[wW]ha)|(?<=\b[lL]e))ts\b")  # others are plurals
_HANGING = re.compile(r"P[gpq]+[.,:;]?")  # whose letters, but for a large one, all hang below the line
_FIGURES = re.compile(r"(?=.*\d)[\dIO]+(?:[.,:/-][\dIO]+)*[.,:;)%]*")  # old-style ones look like capitals
_WHOLE_BAR = 0.85  # of an equals sign's width, that each of its bars covers
# An l behind a figure of a name (`c11`, `compat41`), or before an exponent (`1e-5`), is a one.
_L_FOR_ONE = re.compile(r"(?<=[a-zA-Z_-]\d)l(?![a-zA-Z])|(?<![a-zA-Z\d])l(?=e-?\d)")
_BULLETED = re.compile(r"^•(?=\w)|(?<=\w)•$")
_BAR_FOR_I = re.compile(r"(?<=[\"'“‘])\|(?=[^\w|]*$)|^\|(?=['’][a-z])")  # a bar behind a quotation mark is an I
_DECIMALS = re.compile(r"\d+[.,]\d+")
_TO_FIGURES = str.maketrans("IO", "10")
_PARTNER = {"(": ")", "{": "}", "[": "]"}
_LOW = frozenset("acemnorsuvwxz")  # no part of them stands above an x
_ALIKE = frozenset("COSUVWXZ")  # but for their height
_TALL = frozenset("bdfhklt") | frozenset("ABCDEFGHIJKLMNOPRSTUVWXYZ0123456789")
_BELOW = frozenset("gjpqy,;()[]{}/|@$_JQ")


@options_class
class ShapeOptions:
    """When a reading is put right by its size.

    Attributes:
        dashes: how a page's dashes are told apart by their lengths.
        dash_height: of its line's capitals, at most; what is so low, and wider than high, is a dash where it stands
            half-way up between two words, whatever it was read as.
        rising_dash: the same of what is read as a dash and long beside its height, as in faces that imitate a pen.
        dash_reach: of the height of its line's capitals; these words are no farther off.
        blanks: what a dash that stands alone is misread as.
        strokes: what an upright stroke is misread as.
        stroke_confidence: from which on such a reading is believed.
        sure_stroke: the same of an I that would be a bar by its height, or of a bar that would be an I.
        stroke_width: of its height; of an upright stroke, at most.
        serif_strokes, serif_width: the same of an I with serifs between two words, and its width, at most.
        stroke_off: of the height of its line's capitals; how far the ends of an I may be off theirs.
        bar_height: the same; height of a bar, from and to.
        bar_foot: the same; how far a bar reaches below the line, at least.
        star_foot, star_top: the same; how far above the line an asterisk read as an x begins and ends, at least.
        star_height: the same; height of one, at most.
        star_confidence: of such a reading, below which it is doubted.
        equals: of the height of its line's capitals; height of an equals sign, from and to.
        most_equals: of one word.
        bullet: of the height of its line's capitals; size of a bullet, from and to; the last where it is hardly read.
        bullet_fill: of its box, that the ink of a bullet that is read as a letter or figure covers, at least.
        bullet_off: of the height of its line's capitals; how far bullets of one list may stand out of one column, and
            off half-way up their lines.
        askew: how far a column may lean for its height.
        bullets: in a column, at least, that are none but by their size and place; one more of those read as nothing.
        plain: signs that are so small, and no bullets where they are surely read or ink does not fill them.
        small_letter: of the height of its line's capitals; words of letters without ascenders that are no higher are
            not in capitals.
        capital: the same of a letter by itself that is a capital, from and to.
        hanging: the same of words of these and of letters that hang below the line.
        low_letter: the same of a letter that is low among others.
        widest: the same; ink without a gap that is wider is letters that touch.
        mark_top: of a word's height from its top down, where an apostrophe that touches a t stands beside it.
        mark_confidence: of a word read without such an apostrophe, below which it is looked for.
        lean_gap: the same; the gap behind a word whose last letter leans over the space behind it, at least.
        ellipsis: of the height of its line's capitals; from one point to the next of an ellipsis, that is one sign,
            from and to; others are three points. Of 29 faces' signs 13 are narrower, as are all but two's full stops.
        ellipsis_step, ellipsis_step_px: times the pitch of three full stops, that the points of one sign have on the
            same page, and by how much more, at least; less may be rounded.
        points_off_px: by how much the widths of three points that are read as one, and the steps between them, may
            differ.
        closest_stops: times the pitch of full stops, as the page's numbers tell it, up to which points are one sign.
        cell_points: of a typewriter's cell; the same within one sign, at most.
        widest_point: the same; of a point, at most.
        point_off: the same; how far above the line a point that is read as a hyphen has its middle, at most.
        point_place: of a word's height, from its top down, where a point that is read as a bullet has its middle, at
            least.
        tail: of the height of its line's capitals; how far the tail of a comma reaches below the line, from and to.
        tail_px: px; the same, at least.
        clear_px: px; height of capitals, from which on tails are looked for.
        underscore_ink: of the darkest, that the ink of an underscore has, which may be a pixel high; at least.
        underscore_top: of a crop's height, from its top down, where an underscore lies, at least.
        underscore_width: of the height of its line's capitals; of an underscore at least, and usually.
        uneven: of the height of its line's capitals; how far the feet of the letters beside a mark may lie apart.
        widest_mark: the same; of a mark.
        cell_spread: of the mean step from one character of a word to the next; a typewriter's vary by no more.
        last_underscores: at the end of a name, at most.
        column_reach: of an O's height; how far above or below it the numbers stand that make it a zero, at most.
        unit_gap: of a capital's height; from a number to the unit behind it, at most.
        case_confidence: of a letter alone whose height tells its case, from which on it is read as surely as a sign.
        sign_confidence: of what is a dash, a bullet or an ellipsis by its size and place.
    """

    dashes: DashOptions = field(default_factory=DashOptions)
    dash_height: float = 0.22
    rising_dash: float = 0.45
    dash_reach: float = 1.5
    blanks: tuple[str, ...] = ("", *"~_.")
    strokes: tuple[str, ...] = ("", *"Il|1!i[](){}/:t")
    stroke_confidence: float = 0.4
    sure_stroke: float = 0.6
    stroke_width: float = 0.25
    serif_strokes: tuple[str, ...] = ("", *"[](){}|")
    serif_width: float = 0.5
    stroke_off: float = 0.15
    bar_height: tuple[float, float] = (1.1, 1.8)
    bar_foot: float = 0.1
    star_foot: float = 0.12
    star_top: float = 0.78
    star_height: float = 0.61
    star_confidence: float = 0.7
    equals: tuple[float, float] = (0.2, 0.7)
    most_equals: int = 3
    bullet: tuple[float, float, float] = (0.15, 0.6, 0.7)
    bullet_fill: float = 0.65
    bullet_off: float = 0.25
    askew: float = 0.015
    bullets: int = 2
    plain: str = "=:;+*<>«»-–—"
    small_letter: float = 0.87
    capital: tuple[float, float] = (0.92, 1.12)
    hanging: float = 1.15
    low_letter: float = 0.82
    widest: float = 1.3
    mark_top: float = 0.22
    mark_confidence: float = 0.85
    lean_gap: float = 0.15
    ellipsis: tuple[float, float] = (0.43, 0.6)
    ellipsis_step: float = 1.1
    ellipsis_step_px: float = 0.75
    points_off_px: float = 1.0
    closest_stops: float = 0.6
    cell_points: float = 0.36
    widest_point: float = 0.3
    point_off: float = 0.22
    point_place: float = 0.65
    tail: tuple[float, float] = (0.1, 0.4)
    tail_px: float = 2.0
    clear_px: float = 11.0
    underscore_ink: float = 0.25
    underscore_top: float = 0.6
    underscore_width: tuple[float, float] = (0.3, 0.72)
    uneven: float = 0.1
    widest_mark: float = 0.4
    cell_spread: float = 0.1
    last_underscores: int = 3
    column_reach: float = 12.0
    unit_gap: float = 1.0
    case_confidence: float = 0.3
    sign_confidence: float = 0.5


def by_shape(rows: Sequence[Sequence[Piece]], options: ShapeOptions) -> list[list[Piece]]:
    """The rows with dashes named by their length, and letters of doubtful case by their height."""
    usual = _capital_height([piece for row in rows for piece in row])
    if not usual:
        return [list(row) for row in rows]
    capitals = [_capital_height(row) or usual for row in rows]
    rows = [[_with_lone_points(piece, capital, options) for piece in row] for row, capital in zip(rows, capitals)]
    rows = [
        _with_strokes(_with_dashes(row, capital, options), capital, options) for row, capital in zip(rows, capitals)
    ]
    rows = [
        [_with_star(_with_equals(piece, capital, options), row, capital, options) for piece in row]
        for row, capital in zip(rows, capitals)
    ]
    rows = _with_zeros(_with_bullets(rows, capitals, options), options)
    rows = [[part for piece in row for part in _beside_bullet(piece, options)] for row in rows]
    is_one_sign = _ellipsis_rule(rows, capitals, options)
    is_typewritten = _is_typewritten(rows, options)
    named = [[_named(piece, capital, is_one_sign, options) for piece in row] for row, capital in zip(rows, capitals)]
    named = [_with_litres(row, capital, options) for row, capital in zip(named, capitals)]
    return with_dashes(named, capitals, is_typewritten, options.dashes)


def _with_lone_points(piece: Piece, capital_px: float, options: ShapeOptions) -> Piece:
    """The piece as an ellipsis if it is hardly read, stands alone in its row and its ink is three points."""
    if not piece.sign or piece.guess.confidence >= options.sign_confidence:
        return piece
    ink = ink_of(piece)
    starts, ends = runs(ink)
    largest = options.widest_point * capital_px
    points = len(starts) == 3 and len(ink) <= largest and (ends - starts).max() <= largest
    return _as_sign(piece, "…", options) if points else piece


def _with_dashes(row: Sequence[Piece], capital_px: float, options: ShapeOptions) -> list[Piece]:
    """The row, what is as low as a dash and stands half-way up read as one."""

    def is_one(piece: Piece) -> bool:
        width, height = piece.place[2:] - piece.place[:2]
        highest, sure_from = options.dash_height * capital_px, options.sign_confidence
        rises = is_dash(piece) and height <= options.rising_dash * capital_px and width >= 3 * height
        if not rises and (height > highest or width < max(1.5 * height, highest)):
            return False
        if is_dash(piece) or (piece.sign and piece.guess.text in options.blanks):
            # What is read as one needs no word on both sides, and a sign alone was found half-way up its row.
            beside = piece.sign or _sides_with_words(piece, row, capital_px, options) >= 1
            return piece.guess.confidence < sure_from and beside and _is_half_way(piece, row, off)
        return _sides_with_words(piece, row, capital_px, options) > 1 and _is_half_way(piece, row, off)

    off = options.bullet_off * capital_px
    return [_as_sign(piece, "-", options) if is_one(piece) else piece for piece in row]


def _with_strokes(row: Sequence[Piece], capital_px: float, options: ShapeOptions) -> list[Piece]:
    """The row, upright strokes that were read as nothing as an I or, where they reach below the line, a bar."""

    def reading(piece: Piece) -> str:
        text, confidence = piece.guess.text, piece.guess.confidence
        if text not in options.strokes or confidence >= options.sure_stroke:
            return ""
        width, height = (piece.place[2:] - piece.place[:2]) / capital_px
        # A sign alone in its row has the top and the foot of that row's letters.
        sides = _sides_with_words(piece, row, capital_px, options)
        serif = sides > 1 and text in options.serif_strokes
        if width > (options.serif_width if serif else options.stroke_width) * height or not (piece.sign or sides):
            return ""
        foot = (piece.place[3] - _baseline(piece, row, capital_px)) / capital_px
        bar = options.bar_height[0] <= height <= options.bar_height[1] and (piece.sign or foot >= options.bar_foot)
        stroke = abs(foot) <= options.stroke_off and abs(height - 1) <= options.stroke_off
        # The recogniser takes the one for the other, and what it is told from is their height alone.
        if (bar and text == "I" and sides > 1) or (stroke and not bar and text == "|" and not piece.sign):
            return "|" if bar else "I"
        return "" if confidence >= options.stroke_confidence else "|" if bar else "I" if stroke else ""

    return [_as_sign(piece, text, options) if (text := reading(piece)) else piece for piece in row]


def _with_equals(piece: Piece, capital_px: float, options: ShapeOptions) -> Piece:
    """The piece as equals signs if it is hardly read, and each of its parts is two level bars alike."""
    if piece.guess.confidence >= options.sign_confidence:
        return piece
    low, high = options.equals
    if not low <= float(piece.place[3] - piece.place[1]) / capital_px <= high:
        return piece
    ink = ink_of(piece)
    signs = [ink[:, start:end] for start, end in zip(*runs(ink))]
    if not 0 < len(signs) <= options.most_equals or not all(_are_two_bars(sign) for sign in signs):
        return piece
    return _as_sign(piece, "=" * len(signs), options)


def _are_two_bars(ink: np.ndarray) -> bool:
    """Whether the ink is two level bars of one length, one above the other, that are longer than both are high."""
    starts, ends = runs(ink.T)
    bars = [ink[start:end].any(0) for start, end in zip(starts, ends)]
    return len(bars) == 2 and min(bar.mean() for bar in bars) >= _WHOLE_BAR and ink.shape[1] >= len(ink)


def _with_star(piece: Piece, row: Sequence[Piece], capital_px: float, options: ShapeOptions) -> Piece:
    """The piece as an asterisk if it is read as one or an x, hardly, and stands higher than an x.

    A cross on a form's line stands as high, but is larger than an asterisk.
    """
    text, confidence = piece.guess.text, piece.guess.confidence
    if text not in ("x", "X", "*") or confidence >= (
        options.sign_confidence if text == "*" else options.star_confidence
    ):
        return piece
    line = _baseline(piece, row, capital_px)
    top, foot = (line - piece.place[[1, 3]]) / capital_px
    small = top >= options.star_top and top - foot <= options.star_height
    raised = foot >= options.star_foot and (text == "*" or small)
    return _as_sign(piece, "*", options) if raised else piece


def _sides_with_words(piece: Piece, row: Sequence[Piece], capital_px: float, options: ShapeOptions) -> int:
    """On how many of its sides a word stands near the piece that is surely read."""
    sure = [other for other in row if len(other.guess.text) > 1 and other.guess.confidence >= options.sign_confidence]
    reach = options.dash_reach * capital_px
    before = any(0 <= piece.place[0] - other.place[2] <= reach for other in sure)
    return before + any(0 <= other.place[0] - piece.place[2] <= reach for other in sure)


def _baseline(piece: Piece, row: Sequence[Piece], capital_px: float) -> float:
    """Where the nearest words of its row without a part below the line end, px.

    Without any it lies a capital below the top of words that have a letter so tall, else where the piece ends.
    """
    near = [other for other in row if len(other.guess.text) > 1 and not _BELOW & set(other.guess.text)]
    near = sorted(near, key=lambda other: abs(other.place[0] - piece.place[0]))[:3]
    if near:
        return float(np.median([other.place[3] for other in near]))
    tall = [other for other in row if len(other.guess.text) > 1 and _TALL & set(other.guess.text)]
    return float(np.median([other.place[1] + capital_px for other in tall])) if tall else float(piece.place[3])


def _with_bullets(
    rows: Sequence[Sequence[Piece]], capitals: Sequence[float], options: ShapeOptions
) -> list[list[Piece]]:
    """The rows, what begins several of them one below the other and is as small and round as a bullet read as one."""
    found: list[tuple[Piece, float, bool]] = []
    sure: list[Piece] = []
    for row, capital in zip(rows, capitals):
        first = row[0] if row else None
        if first is None:
            continue
        if first.guess.text == "•" and first.guess.confidence >= options.sign_confidence:
            sure.append(first)
        elif _may_be_bullet(first, options):
            sides = np.sort(first.place[2:] - first.place[:2]) / capital
            # No letter that is surely read is a bullet that is larger than most.
            largest = options.bullet[1 if first.guess.confidence >= options.sign_confidence else 2]
            fits = options.bullet[0] <= sides[0] and sides[1] <= largest and sides[1] <= 1.6 * sides[0]
            other = first.guess.text.isalnum() or first.guess.text in tuple(options.plain)
            fits = fits and (not other or _is_full(first, options))
            alone = len(row) == 1 and not first.sign  # whether half-way up a row nobody knows
            hangs = alone and first.guess.text == "*"  # at the top of the row that it was not found on
            if fits and not hangs and (alone or _is_half_way(first, row, options.bullet_off * capital)):
                found.append((first, capital, alone))
    column = [piece for piece, _, alone in found if not alone or piece.guess.text == "•"] + sure
    bullets = {
        piece: _as_sign(piece, "•", options)
        for piece, capital, _ in found
        if sum(_in_one_column(piece, other, options.bullet_off * capital, options) for other in column)
        >= options.bullets + (not piece.guess.text)
    }
    return [[bullets.get(piece, piece) for piece in row] for row in rows]


def _beside_bullet(piece: Piece, options: ShapeOptions) -> list[Piece]:
    """The piece, or the bullet that begins or ends it and the rest of it: they are no word together."""
    guess, found = piece.guess, _BULLETED.search(piece.guess.text)
    if found is None or len(guess.spans) != len(guess.text):
        return [piece]
    ink = ink_of(piece)
    starts, ends = runs(ink)
    if len(starts) < 2:
        return [piece]
    run = 0 if found.start() == 0 else len(starts) - 1
    rows = filled_rows(ink, starts[run], ends[run])
    if rows.mean() >= options.point_place * len(ink):  # a point, see `_with_points`
        return [piece]
    (x0, y0, x1, y1), at = piece.place, slice(*found.span())
    bullet = piece.left + starts[run], y0 + rows[0], piece.left + ends[run], y0 + rows[-1] + 1
    rest = (piece.left + starts[1], y0, x1, y1) if run == 0 else (x0, y0, piece.left + ends[-2], y1)
    behind = slice(1, None) if run == 0 else slice(0, -1)
    parts = [
        replace(piece, ink=np.array(ink_at), guess=replace(guess, text=guess.text[which], spans=guess.spans[which]))
        for ink_at, which in ((bullet, at), (rest, behind))
    ]
    return parts if run == 0 else parts[::-1]


def _is_full(piece: Piece, options: ShapeOptions) -> bool:
    """Whether ink fills the box, as a bullet's does and that of no a, e or o."""
    ink = ink_of(piece)
    return bool(ink.any()) and bool(ink[:, ink.any(0)].mean() >= options.bullet_fill)


def _in_one_column(a: Piece, b: Piece, off_px: float, options: ShapeOptions) -> bool:
    """Whether the two stand one below the other on a page that may lie a little askew."""
    right, down = np.abs(a.place[:2] - b.place[:2])
    return bool(right <= off_px + options.askew * down)


def _may_be_bullet(piece: Piece, options: ShapeOptions) -> bool:
    """Whether it is read as one, but not surely, or as another sign that may be one."""
    if piece.guess.text in ("•", *options.plain):
        return piece.guess.confidence < options.sign_confidence
    return len(piece.guess.text) <= 1


def _is_half_way(piece: Piece, row: Sequence[Piece], off_px: float) -> bool:
    """Whether it stands half-way up its row; one that is alone in it was found there."""
    middle = (piece.place[1] + piece.place[3]) / 2
    words = [other for other in row if other is not piece and len(other.guess.text) > 1]
    others = [(word.place[1] + word.place[3]) / 2 for word in words]
    return piece.sign or (bool(others) and abs(middle - min(others, key=lambda y: abs(y - middle))) <= off_px)


def _as_sign(piece: Piece, sign: str, options: ShapeOptions) -> Piece:
    whole = np.array([[0.0, piece.crop.shape[1]]])
    return replace(piece, guess=replace(piece.guess, text=sign, confidence=options.sign_confidence, spans=whole))


def _with_zeros(rows: Sequence[Sequence[Piece]], options: ShapeOptions) -> list[list[Piece]]:
    """The rows, an O that stands alone in a column of numbers, and is hardly read, as a zero."""
    alone = [
        row[0]
        for row in rows
        if len(row) == 1 and row[0].guess.text in ("O", "o") and row[0].guess.confidence < options.sign_confidence
    ]
    words = [piece for row in rows for piece in row if len(piece.guess.text) > 1]
    places = np.array([word.place for word in words]).reshape(-1, 4)
    number = np.array([sum(map(str.isdigit, word.guess.text)) > len(word.guess.text) / 2 for word in words], bool)
    zeros = {}
    for piece in alone:
        x0, y0, x1, y1 = piece.place
        off, reach = options.bullet_off * (y1 - y0), options.column_reach * (y1 - y0)
        sides = np.stack([places[:, 0] - x0, places[:, 2] - x1, places[:, [0, 2]].mean(1) - (x0 + x1) / 2])
        column = (np.abs(sides).min(0) <= off) & (np.abs(places[:, 1::2].mean(1) - (y0 + y1) / 2) <= reach)
        if (column & number).sum() > max(1, (column & ~number).sum()):
            zeros[piece] = _as_sign(piece, "0", options)  # an old-style one is as low as an o, and as hardly read
    return [[zeros.get(piece, piece) for piece in row] for row in rows]


def _with_litres(row: Sequence[Piece], capital_px: float, options: ShapeOptions) -> list[Piece]:
    """The row, an I behind a number with decimals as the l of litres, but where a text goes on with small letters.

    So is what is read as a bar, but no higher than letters.
    """

    def near(a: Piece, b: Piece) -> bool:
        return b.place[0] - a.place[2] <= options.unit_gap * capital_px

    def is_one(before: Piece, piece: Piece, behind: Piece | None) -> bool:
        goes_on = behind is not None and near(piece, behind) and behind.guess.text[:1].islower()
        high = (piece.place[3] - piece.place[1]) / capital_px
        unit = piece.guess.text in ("I", "|") and high < options.bar_height[0]
        return unit and bool(_DECIMALS.fullmatch(before.guess.text)) and near(before, piece) and not goes_on

    along = sorted(row, key=lambda piece: float(piece.place[0]))
    after = [*along[2:], None]
    found = [piece for before, piece, behind in zip(along, along[1:], after) if is_one(before, piece, behind)]
    return [replace(piece, guess=replace(piece.guess, text="l")) if piece in found else piece for piece in row]


def _is_typewritten(rows: Sequence[Sequence[Piece]], options: ShapeOptions) -> bool:
    """Whether the characters of most words stand in cells, whose hyphens are as long as en dashes."""
    words = [piece for row in rows for piece in row if len(piece.guess.text) > 3 and piece.guess.text.isalpha()]
    in_cells = (piece.pitch or _in_cells(piece, len(piece.guess.text), options) for piece in words)
    return 2 * sum(map(bool, in_cells)) > len(words)


def _ellipsis_rule(
    rows: Sequence[Sequence[Piece]], capitals: Sequence[float], options: ShapeOptions
) -> Callable[[float, float], bool]:
    """Whether three points are one sign, by their pitch and the height of their line's capitals, px."""

    @cache
    def told() -> tuple[FullStops | None, float | None]:
        return full_stops(rows, capitals), _ellipsis_edge(rows, capitals, options)

    def is_one_sign(pitch_px: float, capital_px: float) -> bool:
        least, most = options.ellipsis
        stops, edge = told()
        if stops is None or edge is not None:
            return (least if edge is None else edge) <= pitch_px / capital_px <= most
        step = stops.beside(pitch_px, capital_px)
        apart = pitch_px >= max(options.ellipsis_step * step, step + options.ellipsis_step_px)
        return pitch_px <= (most * capital_px if apart else options.closest_stops * step)

    return is_one_sign


def _ellipsis_edge(rows: Sequence[Sequence[Piece]], capitals: Sequence[float], options: ShapeOptions) -> float | None:
    """From which pitch on, in heights of capitals, three points of the page are one sign; `None` if it shows one pitch.

    In every face the points of the one sign stand farther apart than three full stops.
    """
    pitches = []
    for row, capital in zip(rows, capitals):
        for piece in row:
            if points := _POINTS.search(piece.guess.text):
                places = _points_behind(piece, bool(points["behind"]))
                if len(places) == 3 and not _cell(piece, points.start(), options):
                    pitch = (places[2] - places[0]) / 2
                    pitches.append((pitch / capital, pitch))
    pitches = sorted(pitch for pitch in pitches if pitch[0] <= options.ellipsis[1])
    # In px, too: a row's capitals may be mismeasured.
    apart = [(a, b) for a, b in pairwise(pitches) if b[1] - a[1] >= options.ellipsis_step_px]
    steps = [(b / a, (a + b) / 2) for (a, px), (b, _) in apart if (b - a) * px >= options.ellipsis_step_px * a]
    widest, edge = max(steps, default=(1.0, 0.0))
    return edge if widest >= options.ellipsis_step else None


def _named(
    piece: Piece, capital_px: float, is_one_sign: Callable[[float, float], bool], options: ShapeOptions
) -> Piece:
    piece = _with_last_underscores(_with_underscores(_without_rule(piece), capital_px, options), capital_px, options)
    piece = _with_tails(_with_points(piece, capital_px, options), capital_px, options)
    piece = _with_pairs(_with_touching_mark(piece, options))
    text = _respelled(piece)
    if text != piece.guess.text:
        return _told(piece, text, options)
    if points := _POINTS.search(text) or _as_points(piece, capital_px, options):
        return _with_ellipsis(piece, points, capital_px, is_one_sign, options)
    if _LED.match(text) and not piece.pitch:
        return _apart(piece, capital_px, options)
    if (low := _is_low(piece, capital_px, options)) or _is_capital(piece, capital_px, options):
        return _told(piece, text.lower() if low else text.upper(), options)
    if _ALIKE & set(text):
        text = _in_case(piece, capital_px, options)
    return piece if text == piece.guess.text else replace(piece, guess=replace(piece.guess, text=text))


def _respelled(piece: Piece) -> str:
    """The text with letters and figures that look alike put right by those beside them."""
    text = piece.guess.text
    if _FIGURES.fullmatch(text) and ("I" in text or "O" in text):
        return text.translate(_TO_FIGURES)
    if text == "(1)" and _is_dotted(piece):
        return "(i)"
    return _BAR_FOR_I.sub("I", _L_FOR_ONE.sub("1", text))


def _with_pairs(piece: Piece) -> Piece:
    """The piece with each closing bracket of the kind of the one that it closes, which looks much like the others."""
    guess, waiting, text = piece.guess, [], list(piece.guess.text)
    if not (_PARTNER.keys() & set(text)):
        return piece
    for i, character in enumerate(text):
        if character in _PARTNER:
            waiting.append(character)
        elif character in _PARTNER.values() and waiting:
            opened = waiting.pop()
            if opened != "[" or character != ")":  # either may be misread
                text[i] = _PARTNER[opened]
    found = "".join(text)
    return piece if found == guess.text else replace(piece, guess=replace(guess, text=found))


def _is_dotted(piece: Piece) -> bool:
    """Whether the second of three runs of ink is parted from top to foot, as an i is and a one is not."""
    ink = ink_of(piece)
    starts, ends = runs(ink)
    return len(starts) == 3 and bool((np.diff(filled_rows(ink, starts[1], ends[1])) > 1).any())


def _without_rule(piece: Piece) -> Piece:
    """The piece without the ends of the rule that it stands on, which were read as underscores beside it."""
    guess = piece.guess
    word = _RULED.fullmatch(guess.text)
    if piece.pitch or "_" not in guess.text or word is None or len(guess.spans) != len(guess.text):
        return piece
    start, end = word.span(1)
    spans, place = guess.spans[start:end], piece.place.astype(float).copy()
    if start:
        place[0] = max(place[0], piece.left + spans[0, 0])
    if end < len(guess.text):
        place[2] = min(place[2], piece.left + spans[-1, 1])
    return replace(piece, ink=place, guess=replace(guess, text=word[1], spans=spans))


def _with_last_underscores(piece: Piece, capital_px: float, options: ShapeOptions) -> Piece:
    """The piece, a name with underscores, with those that end it where they were read as the end of a rule."""
    guess = piece.guess
    name = guess.text.rstrip("_")
    if "_" not in name.lstrip("_") or not name[-1].isalnum() or len(guess.spans) != len(guess.text):
        return piece
    ink = ink_of(piece)
    high = np.flatnonzero(ink[: int(options.underscore_top * len(ink))].any(0))
    if not len(high):
        return piece
    start, end = int(high[-1]) + 1, int(np.flatnonzero(ink.any(0))[-1]) + 1
    number = round(ink[:, start:end].any(0).sum() / (options.underscore_width[1] * capital_px))
    if not len(guess.text) - len(name) < number <= options.last_underscores:
        return piece
    edges = np.linspace(start, end, number + 1)
    spans = np.concatenate([guess.spans[: len(name)], np.stack([edges[:-1], edges[1:]], axis=1)])
    return replace(piece, guess=replace(guess, text=name + "_" * number, spans=spans))


def _with_underscores(piece: Piece, capital_px: float, options: ShapeOptions) -> Piece:
    """The piece, blanks under which a stroke lies that ends before the letters beside them read as underscores."""
    guess = piece.guess
    if " " not in guess.text or len(guess.spans) != len(guess.text):
        return piece
    off = np.abs(piece.crop.astype(np.int16) - int(np.median(piece.crop[[0, -1]])))
    ink, middles, text = off > options.underscore_ink * off.max(), guess.spans.mean(1), guess.text
    low = round(options.underscore_top * len(ink))
    found: list[tuple[int, int]] = []
    for i in (i for i in range(1, len(text) - 1) if text[i] == " "):
        left, right = round(middles[i - 1]) + 1, round(middles[i + 1])
        gap = ink[:, left:right]
        # Of an underline there is more below the letters themselves.
        beside = np.concatenate([ink[:, max(0, left - 3) : left + 1], ink[:, right - 1 : right + 3]], axis=1).any(1)
        below = max(low, int(np.flatnonzero(beside).max(initial=-1)) + 1)
        row = int(gap[below:].sum(1).argmax()) + below if gap[below:].size else 0
        starts, ends = runs(gap[row : row + 1])
        if not len(starts) or ink[row, [left - 1, min(right, ink.shape[1] - 1)]].any():
            continue
        longest = int((ends - starts).argmax())
        start, length = starts[longest], ends[longest] - starts[longest]
        free = not gap[len(gap) // 2 : row - 1, start + length // 3 : start + length - length // 3].any()
        if free and length >= options.underscore_width[0] * capital_px and length < right - left:
            found.append((i, max(1, round(length / (options.underscore_width[1] * capital_px)))))
    for i, number in reversed(found):
        place = np.repeat(guess.spans[i : i + 1], number, axis=0)
        spans = np.concatenate([guess.spans[:i], place, guess.spans[i + 1 :]])
        guess = replace(guess, text=guess.text[:i] + "_" * number + guess.text[i + 1 :], spans=spans)
    return replace(piece, guess=guess) if found else piece


def _with_points(piece: Piece, capital_px: float, options: ShapeOptions) -> Piece:
    """The piece, hyphens and bullets between figures or at its end that are points by their shape and place."""
    guess, clear = piece.guess, capital_px >= options.clear_px  # a hyphen of small print is no wider than high
    found = [
        i
        for i in range(1, len(guess.text))
        if guess.text[i] in "-•"
        and guess.text[i - 1].isalnum()
        and (i == len(guess.text) - 1 or (clear and guess.text[i - 1].isdigit() and guess.text[i + 1].isdigit()))
    ]
    if not found or len(guess.spans) != len(guess.text):
        return piece
    ink = ink_of(piece)
    starts, ends = runs(ink)
    run = runs_of(guess, starts)
    text = list(guess.text)
    letters = {int(k) for k, character in zip(run, guess.text) if k >= 0 and character.isalnum()}
    line = median([filled_rows(ink, starts[k], ends[k])[-1] for k in letters]) if letters else 0
    for i in found:
        if len(starts) < 2 or run[i] <= run[i - 1] or (i + 1 < len(text) and run[i + 1] <= run[i]):
            continue
        rows, width = filled_rows(ink, starts[run[i]], ends[run[i]]), ends[run[i]] - starts[run[i]]
        low = rows.mean() >= line - options.point_off * capital_px
        if low and width <= options.widest_point * capital_px and width <= len(rows) + 1:
            text[i] = "."
    return piece if text == list(guess.text) else replace(piece, guess=replace(guess, text="".join(text)))


def _with_tails(piece: Piece, capital_px: float, options: ShapeOptions) -> Piece:
    """The piece, a point or colon at its end that reaches below the line read as a comma or semicolon."""
    guess = piece.guess
    if capital_px < options.clear_px:
        return piece
    if len(guess.text) < 2 or guess.text[-1] not in _TAILED or len(guess.spans) != len(guess.text):
        return piece
    ink = ink_of(piece)
    starts, ends = runs(ink)
    if len(starts) < 2:
        return piece
    run = runs_of(guess, starts)
    count = np.bincount(np.maximum(run, 0), minlength=len(starts))
    below = {int(run[i]) for i, character in enumerate(guess.text) if character in _BELOW or not character.isalnum()}
    feet = [(k, int(filled_rows(ink, starts[k], ends[k])[-1])) for k in np.flatnonzero(count) if k not in below]
    width, line = ends[run[-1]] - starts[run[-1]], [foot for _, foot in feet[-3:]]
    if run[-1] < 0 or count[run[-1]] > 1 or width > options.widest_mark * capital_px or not line:
        return piece
    rows = filled_rows(ink, starts[run[-1]], ends[run[-1]])
    least = max(options.tail_px, options.tail[0] * capital_px)
    even = max(line) - min(line) <= options.uneven * capital_px
    if not even or not least <= rows[-1] - max(line) <= options.tail[1] * capital_px:
        return piece
    return replace(piece, guess=replace(guess, text=guess.text[:-1] + _TAILED[guess.text[-1]]))


def _apart(piece: Piece, capital_px: float, options: ShapeOptions) -> Piece:
    """The piece with a blank behind the `of` or `&` it begins with, if the gap behind that is its widest."""
    guess, led = piece.guess, _LED.match(piece.guess.text)
    starts, ends = runs(ink_of(piece))
    if led is None or len(starts) < 2 or len(guess.spans) != len(guess.text):
        return piece
    gaps = starts[1:] - ends[:-1]
    widest = int(gaps.argmax())
    x, at = (ends[widest] + starts[widest + 1]) / 2, led.end()
    middles = guess.spans.mean(1)
    if gaps[widest] < options.lean_gap * capital_px or not middles[at - 1] < x < middles[at]:
        return piece
    return with_blank(piece, at, int(ends[widest]), int(starts[widest + 1]))


def _with_touching_mark(piece: Piece, options: ShapeOptions) -> Piece:
    """The piece with an apostrophe between its last letters where that touches the t and is no part by itself.

    Above that stroke its top stands beside the t's.
    """
    guess, found = piece.guess, _LACKING_MARK.search(piece.guess.text)
    if found is None or guess.confidence >= options.mark_confidence or len(guess.spans) != len(guess.text):
        return piece
    t, middles, ink = found.start(), guess.spans.mean(1), ink_of(piece)
    top = ink[: max(1, round(options.mark_top * len(ink)))]
    left = (middles[t - 1] + middles[t]) / 2
    starts, ends = runs(top)
    inside = (starts >= left) & (ends <= middles[t + 1] + 1)
    if inside.sum() != 2:
        return piece
    x = float(starts[inside][1])
    text, spans = f"{guess.text[: t + 1]}'{guess.text[t + 1 :]}", np.insert(guess.spans, t + 1, [x, x], axis=0)
    return replace(piece, guess=replace(guess, text=text, spans=spans))


def _as_points(piece: Piece, capital_px: float, options: ShapeOptions) -> re.Match[str] | None:
    """The point that a word ends with or has before its closing marks, where its ink is three alike at even steps."""
    found = _POINT.search(piece.guess.text)
    if found is None or len(points := _low_ink_behind(piece, bool(found["behind"]))) != 3:
        return None
    widths, steps = np.ptp(points, axis=1), np.diff(points.mean(1))
    alike = max(np.ptp(widths), np.ptp(steps)) <= options.points_off_px
    small = widths.max() <= options.widest_point * capital_px and steps.max() <= options.ellipsis[1] * capital_px
    return found if alike and small else None


def _with_ellipsis(
    piece: Piece,
    found: re.Match[str],
    capital_px: float,
    is_one_sign: Callable[[float, float], bool],
    options: ShapeOptions,
) -> Piece:
    """The piece, the points `found` at its end or before its closing marks read as one sign or as three."""
    points = _points_behind(piece, bool(found["behind"]))
    if len(points) != 3:
        return piece
    pitch, start, behind = (points[2] - points[0]) / 2, found.start(), found["behind"]
    one_sign = is_one_sign(pitch, capital_px) or pitch <= options.cell_points * _cell(piece, start, options)
    middle = "…" if one_sign else "..."
    place = piece.place[[0, 2]] - piece.left
    spans = [piece.guess.spans[:start], np.tile(place, (len(middle), 1)), piece.guess.spans[found.start("behind") :]]
    confidence = max(piece.guess.confidence, options.sign_confidence)
    text = piece.guess.text[:start] + middle + behind
    return replace(piece, guess=replace(piece.guess, text=text, confidence=confidence, spans=np.concatenate(spans)))


def _cell(piece: Piece, count: int, options: ShapeOptions) -> float:
    """Width in px of the cells that a piece stands in, as far as its line or its first characters tell; 0 for none."""
    if piece.pitch:
        return piece.pitch
    steps = _steps(piece, count)
    return sum(steps) / len(steps) if _in_cells(piece, count, options) else 0.0


def _in_cells(piece: Piece, count: int, options: ShapeOptions) -> bool:
    """Whether the first characters of a piece stand evenly apart, as a typewriter's do, whose ellipsis fills a cell."""
    steps = _steps(piece, count)
    if len(steps) < 3:
        return False
    mean = sum(steps) / len(steps)
    return math.dist(steps, [mean] * len(steps)) <= options.cell_spread * mean * math.sqrt(len(steps))


def _steps(piece: Piece, count: int) -> list[float]:
    """How far each of the first characters of a piece is from the one before it, px."""
    middles = [(start + end) / 2 for start, end in piece.guess.spans[:count].tolist()]
    return [after - before for before, after in pairwise(middles)]


def _in_case(piece: Piece, capital_px: float, options: ShapeOptions) -> str:
    """The text with those capitals behind its first letter made small that are as low as small letters.

    Only where all of them are small then, since among capitals a low one is worn. Before a hyphen an X is measured,
    too: most are small.
    """
    text = piece.guess.text
    hyphened = text[:2] == "X-"
    mixed = any(map(str.isdigit, text)) and not _ONE_S.fullmatch(text)
    inner = [] if mixed or "." in text[:-1] else _inner_capitals(text)
    if not (inner or hyphened):
        return text
    ink = ink_of(piece)
    starts, ends = runs(ink)
    letters = list(text)
    for i in inner + [0] * hyphened:
        run = max(0, int(runs_of(piece.guess, starts)[i]))
        if not len(starts) or ends[run] - starts[run] > options.widest * capital_px:
            continue
        rows = filled_rows(ink, starts[run], ends[run])
        if len(rows) <= options.low_letter * capital_px:
            letters[i] = letters[i].lower()
            if letters[i - 1] in "I1":
                letters[i - 1] = "i"
    small = "".join(letters)
    return small if small[1:] == small[1:].lower() else text


def _inner_capitals(text: str) -> list[int]:
    """Where capitals stand behind the first letter, if all of them look like small ones."""
    first = next((i for i, character in enumerate(text) if character.isalnum()), len(text))
    capitals = [i for i in range(first + 1, len(text)) if text[i].isupper()]
    return capitals if all(text[i] in _ALIKE for i in capitals) else []


def _points_behind(piece: Piece, closed: bool) -> np.ndarray:
    """Where the middles of the points are that end a word or stand before its closing marks, px in its crop, `(N,)`."""
    return _low_ink_behind(piece, closed).mean(1)


def _low_ink_behind(piece: Piece, closed: bool) -> np.ndarray:
    """From where to where ink is in the lower half alone behind a word's letters, `(N, 2)`; as `_points_behind`."""
    ink = ink_of(piece)
    if not ink.size:
        return np.zeros((0, 2))
    body = len(ink) // 2 if any(map(str.isalnum, piece.guess.text)) else 0  # which points alone have none of
    low = ink[body:].any(0) & ~ink[:body].any(0)
    edges = np.stack(runs(np.atleast_2d(low)), axis=1)
    letters = np.flatnonzero(ink[:body].any(0))
    if closed and len(edges):
        letters = letters[letters < edges[-1, 0]]
    # The arm of a letter, as of an L or an R, reaches beyond it.
    return edges[edges[:, 0] > letters[-1] + 1] if len(letters) else edges


def _is_low(piece: Piece, capital_px: float, options: ShapeOptions) -> bool:
    """Whether a word that was read with capitals is no higher than without them."""
    height, text = float(piece.place[3] - piece.place[1]) / capital_px, piece.guess.text
    if _HANGING.fullmatch(text):
        return height <= options.hanging
    return height <= options.small_letter and _may_be_low(text)


def _is_capital(piece: Piece, capital_px: float, options: ShapeOptions) -> bool:
    """Whether a letter by itself that looks like its capital is as high as one."""
    lowest, highest = options.capital
    height = float(piece.place[3] - piece.place[1]) / capital_px
    return len(piece.guess.text) == 1 and piece.guess.text.upper() in _ALIKE and lowest <= height <= highest


def _told(piece: Piece, text: str, options: ShapeOptions) -> Piece:
    """The piece read as `text`, as its height or place tells: one letter with marks is no longer in doubt for that."""
    confidence = piece.guess.confidence
    if sum(map(str.isalnum, text)) == 1 and confidence >= options.case_confidence:
        confidence = max(confidence, options.sign_confidence)
    return replace(piece, guess=replace(piece.guess, text=text, confidence=confidence))


def _may_be_low(text: str) -> bool:
    letters = set(text) - set(".,:-–")
    if text[:1] == "I" and text[1:2].isalpha():  # as an i that has lost its dot is read
        letters -= {"I"}
        if text[1].islower():
            return letters <= _LOW
    capitals = {letter for letter in letters if letter.isupper()}
    return bool(capitals) and capitals <= _ALIKE and {letter.lower() for letter in letters} <= _LOW


def _capital_height(pieces: Sequence[Piece]) -> float:
    """Median height in px of the words with a part as tall as a capital and none below the line; 0 without any."""
    heights = [
        float(piece.place[3] - piece.place[1])
        for piece in pieces
        if len(piece.guess.text) > 1 and _TALL & set(piece.guess.text) and not _BELOW & set(piece.guess.text)
    ]
    return median(heights) if heights else 0.0  # np.median takes twenty times as long for so few
