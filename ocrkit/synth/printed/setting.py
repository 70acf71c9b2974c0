"""Setting type: words with their styles and kinds on a sheet, in points."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

import numpy as np

from ocrkit.alphabet import curled
from ocrkit.datasets.sample import LabelledWord
from ocrkit.document import box_to_quad
from ocrkit.synth.corpus import Vocabulary
from ocrkit.synth.layouts.families import Family
from ocrkit.synth.layouts.sheet import Colour, Sheet, Type

BLACK: Colour = (20, 20, 20)
WHITE: Colour = (255, 255, 255)


class Token(NamedTuple):
    """A word as it is set.

    Attributes:
        text: without blanks.
        cut: of its typeface, in place of the block's.
        raised: what stands above the line right behind it, such as a footnote's number.
        stroke: "under" or "through" it; empty for none.
    """

    text: str
    cut: str = ""
    raised: str = ""
    stroke: str = ""


@dataclass(frozen=True)
class Style:
    """How a block is set.

    Attributes:
        size: times the page's body.
        cut: `regular`, `bold` or `italic`.
        colour: of its ink.
        kinds: what its words are counted under, such as "heading".
        align: `left`, `middle`, `right` or `justify`.
        leading: from line to line, ems.
        hyphenate: whether long words are broken at a line's end.
        stroke: of each word, see `Token`.
    """

    size: float = 1.0
    cut: str = "regular"
    colour: Colour = BLACK
    kinds: tuple[str, ...] = ()
    align: str = "left"
    leading: float = 1.3
    hyphenate: bool = False
    stroke: str = ""


_BODY = Style()


class Setting:
    """A sheet with a writing position; lengths are px but where they say inches.

    Args:
        r: source of all randomness.
        vocabulary: what the page says.
        family: what it is set in.
        body_pt: size of its body.
        dpi: px an inch.
        width_in, height_in: of the sheet.
        paper: colour of the ground.

    Attributes:
        x0, x1: margins.
        y: top of the next line.
        curly: whether quotation marks and apostrophes are curled, as printers have them.
        kinds: of each word of `sheet`, in their order.
    """

    def __init__(
        self, r: Random, vocabulary: Vocabulary, family: Family, body_pt: float, dpi: int,
        width_in: float = 6.0, height_in: float = 7.5, paper: Colour = WHITE,
    ) -> None:  # fmt: skip
        self.r, self.vocabulary, self.family, self.body_pt, self.dpi = r, vocabulary, family, body_pt, dpi
        self.sheet = Sheet(round(width_in * dpi), round(height_in * dpi), paper)
        margin = self.inch(r.uniform(0.4, 0.6))
        self.x0, self.x1, self.y = margin, self.sheet.width - margin, margin
        self.bottom = self.sheet.height - 0.8 * margin
        self.curly = r.random() < 0.6
        self.kinds: list[frozenset[str]] = []

    @property
    def em(self) -> float:
        """Size of the body."""
        return self.body_pt * self.dpi / 72

    @property
    def width(self) -> float:
        """Between the margins."""
        return self.x1 - self.x0

    def inch(self, inches: float) -> float:
        """In px."""
        return inches * self.dpi

    def type(self, style: Style, cut: str = "") -> Type:
        """The face at the style's size."""
        return Type(getattr(self.family, cut or style.cut), max(6, round(self.em * style.size)), style.colour)

    def height_of(self, tokens: Iterable[Token | str], width: float, style: Style = _BODY) -> float:
        """How far down a block of `width` reaches."""
        return len(self._lines(_tokens(tokens), width, style)) * style.leading * self.type(style).size

    def block(
        self, tokens: Iterable[Token | str], x: float | None = None, width: float | None = None, style: Style = _BODY
    ) -> None:
        """Set running text at the writing position, as much as the sheet has room for; it moves on."""
        x, width = self.x0 if x is None else x, self.width if width is None else width
        leading = style.leading * self.type(style).size
        rows = self._lines(_tokens(tokens), width, style)
        for number, row in enumerate(rows):
            if self.y + leading > self.bottom:
                break
            last = number == len(rows) - 1
            self._row(row, x, self.y + 0.8 * leading, width, style, last)
            self.y += leading

    def text(self, text: str, x: float, y: float, style: Style = _BODY, width: float = 0.0) -> None:
        """One line with its top at `y`, from `x` on; `width` to its right it is aligned in."""
        self._row(_tokens(text.split()), x, y + 0.8 * style.leading * self.type(style).size, width, style, last=True)

    def skip(self, ems: float) -> None:
        """Move the writing position down."""
        self.y += ems * self.em

    def rule(self, y: float, x0: float, x1: float, points: float = 0.5, colour: Colour = BLACK) -> None:
        """A level rule."""
        self.sheet.rule(x0, y, x1, y, max(1, round(points * self.dpi / 72)), colour)

    def upright_rule(self, x: float, y0: float, y1: float, points: float = 0.5, colour: Colour = BLACK) -> None:
        """An upright rule."""
        self.sheet.rule(x, y0, x, y1, max(1, round(points * self.dpi / 72)), colour)

    def _lines(self, tokens: Sequence[Token], width: float, style: Style) -> list[list[Token]]:
        rows: list[list[Token]] = [[]]
        used, space = 0.0, self.type(style).space
        for token in tokens:
            rest = token
            if rows[-1] and used + self._width(token, style) > width:
                head, rest = self._broken(token, width - used, style)
                rows[-1] += [head] if head else []
                rows.append([])
                used = 0.0
            rows[-1].append(rest)
            used += self._width(rest, style) + space
        return [row for row in rows if row]

    def _broken(self, token: Token, room: float, style: Style) -> tuple[Token | None, Token]:
        """A long word at a line's end in two, if its beginning fits into `room` px."""
        text = token.text
        if style.hyphenate and len(text) >= 8 and text.isalpha():
            for at in range(len(text) - 3, 2, -1):
                head = token._replace(text=text[:at] + "-", raised="")
                if self._width(head, style) <= room:
                    return head, token._replace(text=text[at:])
        return None, token

    def _width(self, token: Token, style: Style) -> float:
        type_ = self.type(style, token.cut)
        return type_.width(self._shown(token, type_)) + type_.sized(0.62).width(token.raised)

    def _shown(self, token: Token, type_: Type) -> str:
        """The text as the page's marks and the face have it."""
        return "".join(type_.fitted(curled(token.text) if self.curly else token.text))

    def _row(self, row: Sequence[Token], x: float, baseline: float, width: float, style: Style, last: bool) -> None:
        widths = [self._width(token, style) for token in row]
        space = self.type(style).space
        free = width - sum(widths) - space * (len(row) - 1)
        if style.align == "justify" and not last and len(row) > 1:
            space += max(0.0, free) / (len(row) - 1)
        x += free * {"middle": 0.5, "right": 1.0}.get(style.align, 0.0)
        for token, wide in zip(row, widths):
            self._word(token, x, baseline, style)
            x += wide + space

    def _word(self, token: Token, x: float, baseline: float, style: Style) -> None:
        type_ = self.type(style, token.cut)
        shown, first = self._shown(token, type_), len(self.sheet.words)
        if not shown:
            return
        pen = self.sheet.text(baseline, shown, x, type_)
        if len(self.sheet.words) == first:  # it would have left the sheet
            return
        if token.raised:
            self.sheet.text(baseline - 0.36 * type_.size, token.raised, pen, type_.sized(0.62))
        parts = self.sheet.words[first:]
        box = parts[0].box
        if len(parts) > 1:
            other = parts[1].box
            box = np.concatenate([np.minimum(box[:2], other[:2]), np.maximum(box[2:], other[2:])])
        text = shown + (token.raised if len(parts) > 1 else "")
        self.sheet.words[first:] = [LabelledWord(text, box_to_quad(box))]
        stroke, kinds = token.stroke or style.stroke, set(style.kinds)
        if stroke:
            y = baseline + {"under": 0.14, "through": -0.27}[stroke] * type_.size
            self.rule(y, x, pen, type_.size / self.dpi * 72 / 15, style.colour)
            kinds.add({"under": "underlined", "through": "struck"}[stroke])
        if len(parts) > 1:
            kinds.add("superscript")
        self.kinds.append(frozenset(kinds))


def _tokens(tokens: Iterable[Token | str]) -> list[Token]:
    return [token if isinstance(token, Token) else Token(token) for token in tokens]
