"""Windows on a screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random

from ocrkit.synth import corpus
from ocrkit.synth.corpus import Vocabulary
from ocrkit.synth.layouts import texts
from ocrkit.synth.layouts.families import Families
from ocrkit.synth.layouts.sheet import Colour, Piece, Sheet, Type

_WHITE: Colour = (255, 255, 255)
_MENU = [
    "File",
    "Edit",
    "View",
    "Insert",
    "Format",
    "Tools",
    "Window",
    "Help",
    "Search",
    "Settings",
    "History",
    "Bookmarks",
    "Run",
]
_BUTTONS = [
    "OK",
    "Cancel",
    "Apply",
    "Save",
    "Open",
    "Delete",
    "Next",
    "Back",
    "Close",
    "Retry",
    "Send",
    "Reply",
    "Print",
    "Browse...",
    "Export",
    "Details",
]


@dataclass(frozen=True)
class _Theme:
    """Colours of a desktop: window, bars, lines, text and what is pressed."""

    window: Colour
    bar: Colour
    line: Colour
    text: Colour
    faint: Colour
    accent: Colour


def _theme(r: Random) -> _Theme:
    accent = r.choice([(0, 103, 192), (26, 115, 232), (45, 125, 70), (180, 50, 40), (98, 60, 170), (200, 95, 20)])
    if r.random() < 0.3:
        return _Theme((30, 31, 34), (43, 45, 48), (70, 72, 76), (225, 226, 230), (150, 153, 160), accent)
    return _Theme(
        _WHITE, r.choice([(240, 240, 240), (225, 230, 238)]), (205, 205, 205), (32, 33, 36), (110, 113, 118), accent
    )


def screenshot(r: Random, v: Vocabulary, families: Families) -> Sheet:
    """A window on a screen: bars, menu, side list, text, a table or a dialogue, buttons light on dark."""
    theme, family = _theme(r), families.draw(r, "sans")
    size = r.randint(13, 18)
    sheet = Sheet(r.randint(800, 1280), r.randint(560, 860), theme.window)
    plain = Type(family.regular, size, theme.text)
    bold = replace(plain, face=family.bold)
    faint = replace(plain, colour=theme.faint)
    row = size * 2
    title_light = r.random() < 0.4
    sheet.fill(0, 0, sheet.width, row, theme.accent if title_light else theme.bar)
    title = replace(plain, colour=_WHITE) if title_light else plain
    name = f"{texts.title(r, v, r.randint(1, 3))} - {r.choice([texts.title(r, v, 1), corpus.web(r, v)])}"
    sheet.text(size * 1.35, title.cut(name, sheet.width * 0.7), size, title)
    for spot, colour in enumerate([(237, 106, 94), (245, 191, 79), (98, 197, 84)]):
        x = sheet.width - (spot + 1) * 1.6 * size
        sheet.fill(x, size * 0.6, x + size * 0.8, size * 1.4, colour, size * 4 // 10)
    _spread(sheet, r.sample(_MENU, r.randint(4, 8)), size, row + size * 1.35, 1.5 * size, plain)
    y = 2.0 * row
    sheet.fill(0, y, sheet.width, y + 1, theme.line)
    x = float(size)
    for label in r.sample(_BUTTONS, r.randint(2, 5)):
        x = _button(sheet, label, x, y + size * 0.4, plain, theme, r.random() < 0.5) + size * 0.6
    y += row + size * 0.4
    sheet.fill(0, y, sheet.width, y + 1, theme.line)
    left, bottom = 0.0, sheet.height - row
    if r.random() < 0.6:
        left = sheet.width * r.uniform(0.18, 0.26)
        _side_list(sheet, r, v, (y, left, bottom), plain, theme)
    content = (left + 1.5 * size, y + 2.2 * size, sheet.width - 1.5 * size, bottom - size)
    r.choice([_article, _listing, _dialogue])(sheet, r, v, content, plain, bold, faint, theme)
    sheet.fill(0, bottom, sheet.width, sheet.height, theme.bar)
    status = Piece(f"{r.randint(1, 900)} {r.choice(['items', 'words', 'files', 'messages'])}", size, faint)
    sheet.line(bottom + size * 1.35, status, Piece(corpus.time(r, v), sheet.width - size, faint, "right"))
    return sheet


def _spread(sheet: Sheet, labels: Sequence[str], x: float, baseline: float, gap: float, type_: Type) -> None:
    """Labels beside one another, one line."""
    pieces = []
    for label in labels:
        pieces.append(Piece(label, x, type_))
        x += type_.width(label) + gap
    sheet.line(baseline, *pieces)


def _button(sheet: Sheet, label: str, x: float, y: float, type_: Type, theme: _Theme, pressed: bool) -> float:
    """A button with its corner at `(x, y)`; returns its right edge."""
    right, below = x + type_.width(label) + 2 * type_.size, y + type_.size * 1.8
    sheet.fill(x, y, right, below, theme.accent if pressed else theme.line, 4)
    if not pressed:
        sheet.fill(x + 1, y + 1, right - 1, below - 1, theme.bar, 4)
    colour = _WHITE if pressed else type_.colour
    sheet.text(y + type_.size * 1.25, label, (x + right) / 2, replace(type_, colour=colour), "middle")
    return right


def _side_list(
    sheet: Sheet, r: Random, v: Vocabulary, area: tuple[float, float, float], type_: Type, theme: _Theme
) -> None:
    """Entries down the left side of a window, one of them chosen."""
    top, right, bottom = area
    sheet.fill(0, top + 1, right, bottom, theme.bar)
    step, y = type_.size * 1.8, top + type_.size * 0.6
    entries = r.randint(4, 14)
    chosen = r.randrange(entries)
    for entry in range(entries):
        if y + step > bottom:
            break
        if entry == chosen:
            sheet.fill(4, y, right - 4, y + step, theme.accent, 3)
        line_type = replace(type_, colour=_WHITE) if entry == chosen else type_
        text = line_type.cut(texts.title(r, v, r.randint(1, 2)), right - 2 * type_.size)
        sheet.text(y + type_.size * 1.25, text, type_.size, line_type)
        y += step


_Area = tuple[float, float, float, float]


def _article(
    sheet: Sheet, r: Random, v: Vocabulary, area: _Area, plain: Type, bold: Type, faint: Type, theme: _Theme
) -> None:
    """Text of a page or a message under a heading."""
    left, y, right, bottom = area
    heading = bold.sized(r.uniform(1.4, 2.0))
    sheet.text(y + heading.size * 0.3, heading.cut(texts.title(r, v, r.randint(2, 5)), right - left), left, heading)
    y += heading.size * 1.6
    sheet.text(
        y, faint.cut(f"{texts.person(r, v)} • {texts.date(r, v)} • {corpus.web(r, v)}", right - left), left, faint
    )
    y += plain.size * 2.2
    while y < bottom:
        y = sheet.paragraph(
            y, texts.prose(r, v, r.randint(1, 4)), left, right - left, plain, plain.size * 1.5, last_baseline=bottom
        )
        y += plain.size * 0.8


def _listing(
    sheet: Sheet, r: Random, v: Vocabulary, area: _Area, plain: Type, bold: Type, faint: Type, theme: _Theme
) -> None:
    """A table of files, messages or bookings, every other row shaded."""
    left, y, right, bottom = area
    makers = r.sample([texts.date, corpus.price, corpus.code, corpus.time, corpus.number, corpus.web], r.randint(2, 4))
    edges = [left + (right - left) * (0.35 + 0.65 * n / len(makers)) for n in range(len(makers) + 1)]
    step, shaded = plain.size * r.uniform(1.6, 2.0), r.random() < 0.6
    for number in range(100):
        if y > bottom:
            return
        if number % 2 and shaded:
            sheet.fill(left - 4, y - step * 0.68, right + 4, y + step * 0.32, theme.bar)
        type_ = bold if number == 0 else plain
        pieces = [Piece(type_.cut(texts.title(r, v, r.randint(1, 4)), edges[0] - left - plain.size), left, type_)]
        for maker, (start, end) in zip(makers, pairwise(edges)):
            text = maker.__name__.strip("_").capitalize() if number == 0 else maker(r, v)
            pieces.append(Piece(type_.cut(text, end - start - plain.size), start, type_))
        sheet.line(y, *pieces)
        y += step


def _dialogue(
    sheet: Sheet, r: Random, v: Vocabulary, area: _Area, plain: Type, bold: Type, faint: Type, theme: _Theme
) -> None:
    """Fields to fill in and the buttons below them."""
    left, y, right, bottom = area
    sheet.text(y, bold.cut(texts.title(r, v, r.randint(2, 4)), right - left), left, bold)
    y = sheet.paragraph(y + plain.size * 2, texts.sentence(r, v), left, right - left, faint, plain.size * 1.5)
    tab, step = left + (right - left) * 0.3, plain.size * 2.6
    while y < bottom - 2.5 * step:
        sheet.frame(tab, y - plain.size * 1.3, right, y + plain.size * 0.6, 1, theme.line)
        label = plain.cut(f"{texts.title(r, v, r.randint(1, 2))}:", tab - left - plain.size)
        pieces = [Piece(label, left, plain)]
        if r.random() < 0.8:
            pieces.append(
                Piece(plain.cut(texts.value_of(r, v), right - tab - 2 * plain.size), tab + plain.size * 0.6, plain)
            )
        sheet.line(y, *pieces)
        y += step
        if r.random() < 0.15:
            break
    x = left
    for number, label in enumerate(r.sample(_BUTTONS, r.randint(2, 3))):
        x = _button(sheet, label, x, y, plain, theme, number == 0) + plain.size
