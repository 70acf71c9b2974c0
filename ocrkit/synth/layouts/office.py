"""Paper of an office: letters, invoices, forms and pages of two columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random

import numpy as np

from ocrkit.synth import corpus
from ocrkit.synth.corpus import Vocabulary
from ocrkit.synth.layouts import texts
from ocrkit.synth.layouts.families import Families
from ocrkit.synth.layouts.sheet import Colour, Piece, Sheet, Type

_WHITE: Colour = (255, 255, 255)


def _signature(r: Random, x: float, y: float, width: float) -> np.ndarray:
    """A scrawl of loops that runs out, `(N, 2)` px, from `(x, y)` on."""
    t = np.linspace(0, 1, 90)
    loops, height = r.uniform(4, 8), width * r.uniform(0.10, 0.18)
    fall = np.exp(-2.5 * t) + 0.12
    turn = 2 * math.pi * loops * t
    across = t + 0.06 * np.sin(turn + r.uniform(0, 6))
    up = fall * np.sin(turn) + 0.3 * np.sin(turn * 0.37 + r.uniform(0, 6))
    return np.stack([x + width * across, y - height * up], axis=1)


class _Office:
    """A sheet of letter or A4 paper with margins, type sizes in points and a writing position."""

    def __init__(self, r: Random, families: Families, *kinds: str) -> None:
        width = r.randint(760, 1240)
        self.sheet = Sheet(width, round(width * r.choice([1.294, 1.414])))
        self.family = families.draw(r, *kinds)
        self.point = width / 8.4 / 72
        self.margin = width * r.uniform(0.07, 0.13)
        self.right = width - self.margin
        self.bottom = self.sheet.height - self.margin
        self.y = self.margin * r.uniform(0.8, 1.3)
        self.spacing = r.uniform(1.15, 1.5)
        self.body = self.type(r.uniform(9.5, 12.5))

    def type(self, points: float, cut: str = "regular", colour: Colour = (25, 25, 25)) -> Type:
        """A cut of the page's family; never so small that it cannot be read."""
        return Type(getattr(self.family, cut), max(11, round(points * self.point)), colour)

    @property
    def leading(self) -> float:
        """From line to line of body text, px."""
        return self.body.size * self.spacing

    @property
    def reach(self) -> float:
        """Width between the margins, px."""
        return self.right - self.margin

    @property
    def full(self) -> bool:
        """Whether the page has no room for another line."""
        return self.y > self.bottom

    def put(self, text: str, x: float | None = None, type_: Type | None = None, align: str = "left") -> None:
        """One line at the writing position, which moves on."""
        type_ = type_ or self.body
        self.y += max(0.0, type_.size - self.body.size) * 0.8
        if not self.full:
            self.sheet.text(self.y, text, self.margin if x is None else x, type_, align)
        self.y += max(self.leading, type_.size * 1.2)

    def prose(self, words: list[str], x: float | None = None, width: float | None = None, justify: bool = False,
              type_: Type | None = None, indent: float = 0.0, bottom: float | None = None) -> None:  # fmt: skip
        """A paragraph at the writing position, which moves on."""
        type_ = type_ or self.body
        x, width = self.margin if x is None else x, self.reach if width is None else width
        bottom = self.bottom if bottom is None else bottom
        leading = type_.size * self.spacing
        self.y = self.sheet.paragraph(self.y, words, x, width, type_, leading, justify, indent, bottom)


def letter(r: Random, v: Vocabulary, families: Families) -> Sheet:
    """A letter or memo: head, date, address, paragraphs, signature, a foot in small print."""
    page = _Office(r, families, *r.choice([("serif",), ("serif",), ("sans",), ("mono",)]))
    middle, sheet = (page.margin + page.right) / 2, page.sheet
    if r.random() < 0.7:
        x, align = r.choice([(page.margin, "left"), (middle, "middle"), (page.right, "right")])
        page.put(texts.company(r, v), x, page.type(r.uniform(14, 22), "bold"), align)
        for line in [*texts.address(r, v), corpus.phone(r, v)]:
            page.put(line, x, page.type(8.5), align)
        if r.random() < 0.4:
            sheet.rule(page.margin, page.y, page.right, page.y, r.randint(1, 3), (60, 60, 60))
        page.y += 2 * page.leading
    if r.random() < 0.3:
        _memo_head(page, r, v)
    else:
        page.put(texts.date(r, v), *r.choice([(page.margin, None, "left"), (page.right, None, "right")]))
        page.y += page.leading
        for line in (texts.person(r, v), texts.company(r, v), *texts.address(r, v)):
            page.put(line)
        page.y += page.leading
        if r.random() < 0.6:
            page.put(f"Re: {texts.title(r, v, r.randint(2, 6))}", None, page.type(11, "bold"))
            page.y += page.leading * 0.5
        page.put(f"Dear {texts.person(r, v)}{r.choice(',:')}")
        page.y += page.leading * 0.5
    justify, indent = r.random() < 0.4, r.choice([0.0, 0.0, page.body.size * 2.5])
    below = 7 * page.leading
    for _ in range(r.randint(2, 8)):
        page.prose(texts.prose(r, v, r.randint(1, 6)), justify=justify, indent=indent, bottom=page.bottom - below)
        page.y += page.leading * 0.6
        if r.random() < 0.15:
            _bullets(page, r, v, page.bottom - below)
    x = r.choice([page.margin, middle])
    page.put(r.choice(["Yours sincerely,", "Sincerely,", "Best regards,", "Yours faithfully,", "Very truly yours,"]), x)
    if r.random() < 0.7 and not page.full:
        ink = r.choice([(30, 30, 30), (30, 40, 120)])
        strokes = _signature(r, x, page.y + page.leading * 0.9, page.reach * r.uniform(0.15, 0.3))
        sheet.unread(strokes, max(1, round(page.point)), ink)
    page.y += 3 * page.leading
    for line in (texts.person(r, v), texts.title(r, v, 2)):
        page.put(line, x)
    if r.random() < 0.5:
        foot = page.type(7.5)
        sheet.text(
            sheet.height - page.margin * 0.4, f"{corpus.web(r, v)} - {corpus.phone(r, v)}", middle, foot, "middle"
        )
    return sheet


def _memo_head(page: _Office, r: Random, v: Vocabulary) -> None:
    page.put(r.choice(["MEMORANDUM", "Inter-Office Correspondence", "FAX COVER SHEET"]), None, page.type(15, "bold"))
    page.y += page.leading * 0.5
    tab = page.margin + page.body.width("SUBJECT:    ")
    for label, value in (("TO:", texts.person(r, v)), ("FROM:", texts.person(r, v)), ("DATE:", texts.date(r, v)),
                         ("SUBJECT:", texts.title(r, v, r.randint(2, 6)))):  # fmt: skip
        page.sheet.line(page.y, Piece(label, page.margin, page.type(11, "bold")), Piece(value, tab, page.body))
        page.y += page.leading * 1.2
    under = page.y - page.leading * 0.6
    page.sheet.rule(page.margin, under, page.right, under, 1, (40, 40, 40))
    page.y += page.leading


def _bullets(page: _Office, r: Random, v: Vocabulary, bottom: float) -> None:
    mark, tab = r.choice(["•", "-", "1.", "*", "–"]), page.margin + page.body.size * 1.5
    for number in range(1, r.randint(3, 6)):
        if page.y > bottom:
            return
        text = page.body.cut(" ".join(texts.sentence(r, v)), page.right - tab - page.body.size)
        sign = f"{number}." if mark == "1." else mark
        page.sheet.line(
            page.y,
            Piece(sign, page.margin + page.body.size * 0.3, page.body),
            Piece(text, tab + page.body.size * 0.5, page.body),
        )
        page.y += page.leading
    page.y += page.leading * 0.6


def invoice(r: Random, v: Vocabulary, families: Families) -> Sheet:
    """An invoice: seller, numbers, buyer, a table with rules, totals, terms of payment."""
    page = _Office(r, families, *r.choice([("sans",), ("sans",), ("serif",), ("mono",)]))
    page.body = page.type(r.uniform(8.5, 10.5))
    sheet, small = page.sheet, page.type(8)
    accent = r.choice([(25, 25, 25), (30, 60, 120), (120, 30, 30), (40, 90, 60)])
    top = page.y
    page.put(texts.company(r, v), None, page.type(r.uniform(13, 18), "bold", accent))
    for line in [*texts.address(r, v), corpus.phone(r, v), corpus.web(r, v)]:
        page.put(line, None, small)
    after, page.y = page.y, top
    page.put(
        r.choice(["INVOICE", "Tax Invoice", "Quotation", "PURCHASE ORDER"]),
        page.right,
        page.type(20, "bold", accent),
        "right",
    )
    label_x = page.right - page.reach * 0.28
    for label, value in (("Invoice No.", corpus.code(r, v)), ("Date", texts.date(r, v)), ("Due", texts.date(r, v)),
                         ("Account", corpus.code(r, v))):  # fmt: skip
        sheet.line(page.y, Piece(label, label_x, small), Piece(value, page.right, page.body, "right"))
        page.y += page.leading
    page.y = max(page.y, after) + page.leading
    page.put(r.choice(["Bill to:", "Customer", "Sold To"]), None, page.type(9, "bold"))
    for line in (texts.person(r, v), texts.company(r, v), *texts.address(r, v)):
        page.put(line)
    page.y += page.leading
    _table(page, r, v, accent)
    page.y += 2 * page.leading
    page.put(r.choice(["Terms and Conditions", "Payment", "Notes"]), None, page.type(9, "bold"))
    page.prose(texts.prose(r, v, r.randint(1, 3)), type_=small)
    page.put(f"IBAN {corpus.code(r, v)} {corpus.code(r, v)}", None, small)
    return sheet


def _table(page: _Office, r: Random, v: Vocabulary, accent: Colour) -> None:
    """The items of an invoice in ruled columns, and their sum below."""
    sheet, body, grey = page.sheet, page.body, (110, 110, 110)
    # Left edge of each column as a share of the width; all but names and their codes are set against their right edge.
    heads, edges = r.choice([
        (("Qty", "Description", "Unit Price", "Amount"), (0.0, 0.10, 0.62, 0.81)),
        (("Item", "Description", "Qty", "Price", "Total"), (0.0, 0.16, 0.58, 0.68, 0.84)),
        (("Description", "Hours", "Rate", "Amount"), (0.0, 0.58, 0.70, 0.84)),
    ])  # fmt: skip
    lefts = [page.margin + page.reach * edge for edge in edges] + [page.right]
    pad, step = body.size * 0.5, body.size * r.uniform(1.7, 2.2)
    style, top = r.choice(["grid", "rows", "plain"]), page.y
    dark, coded = r.random() < 0.4, r.random() < 0.6

    def row(cells: Sequence[str], type_: Type) -> None:
        pieces = []
        for head, text, (left, right) in zip(heads, cells, pairwise(lefts)):
            shown = type_.cut(text, right - left - 2 * pad)
            starts = head in ("Item", "Description")
            pieces.append(Piece(shown, left + pad, type_) if starts else Piece(shown, right - pad, type_, "right"))
        sheet.line(page.y + step * 0.68, *pieces)
        page.y += step

    if dark:
        sheet.fill(page.margin, top, page.right, top + step, accent)
    row(heads, replace(body, face=page.family.bold, colour=_WHITE if dark else body.colour))
    total = 0
    for number in range(1, r.randint(3, 13)):
        if page.y > page.bottom - 9 * step:
            break
        count, each = r.randint(1, 40), r.randrange(100, 90_000)
        total += count * each
        said = {"Qty": str(count), "Hours": str(count), "Item": corpus.code(r, v)[:8] if coded else str(number),
                 "Description": f"{texts.title(r, v, r.randint(1, 4))} {corpus.product(r, v).lower()}",
                 "Unit Price": texts.money(each), "Price": texts.money(each), "Rate": texts.money(each)}  # fmt: skip
        if style != "plain":
            sheet.rule(page.margin, page.y, page.right, page.y, 1, grey)
        row([said.get(head, texts.money(count * each)) for head in heads], body)
    sheet.rule(page.margin, page.y, page.right, page.y, 2, accent)
    if style == "grid":
        sheet.frame(page.margin, top, page.right, page.y, 1, grey)
        for left in lefts[1:-1]:
            sheet.rule(left, top, left, page.y, 1, grey)
    tax = round(total * 0.19)
    currency = r.choice(["$", "€", "£", "", "USD "])
    for label, cents, cut in (
        ("Subtotal", total, "regular"),
        ("Tax", tax, "regular"),
        ("Total due", total + tax, "bold"),
    ):
        type_ = replace(body, face=getattr(page.family, cut))
        amount = Piece(currency + texts.money(cents), page.right - pad, type_, "right")
        sheet.line(page.y + step * 0.68, Piece(label, page.margin + page.reach * 0.55, type_), amount)
        page.y += step


def form(r: Random, v: Vocabulary, families: Families) -> Sheet:
    """A form somebody filled in: boxes with tiny labels, lines to write on, boxes to tick, small print."""
    page = _Office(r, families, *r.choice([("sans",), ("sans",), ("serif",), ("mono",)]))
    sheet, ink = page.sheet, (30, 30, 30)
    filled = families.draw(r, *r.choice([("mono",), ("mono",), ("sans",), ("handwriting",)]))
    value = Type(filled.regular, page.body.size, r.choice([ink, ink, (30, 45, 130)]))
    title = page.type(r.uniform(12, 17), "bold")
    capitals = r.random() < 0.5
    kind = r.choice(["Form", "Request", "Report", "Application", "Survey", "Summary"])
    text = f"{texts.title(r, v, r.randint(1, 3))} {kind}"
    page.put(text.upper() if capitals else text, (page.margin + page.right) / 2, title, "middle")
    page.y += page.leading * 0.5
    sections = [_boxes, _blanks, _ticks, _grid, _blanks]
    while page.y < page.bottom - 8 * page.leading:
        if r.random() < 0.4:
            _bar(page, r, v)
        r.choice(sections)(page, r, v, value)
        page.y += page.leading * r.uniform(0.4, 1.2)
    small = page.type(6.5)
    page.prose(texts.prose(r, v, 2), type_=small)
    foot = sheet.height - page.margin * 0.4
    sheet.line(
        foot,
        Piece(f"Form {corpus.code(r, v)}", page.margin, small),
        Piece(f"Page {r.randint(1, 4)} of 4", page.right, small, "right"),
    )
    return sheet


def _bar(page: _Office, r: Random, v: Vocabulary) -> None:
    """A section's heading, white on black or underlined."""
    heading, height = f"{texts.title(r, v, r.randint(1, 4))}".upper(), page.body.size * 1.5
    dark = r.random() < 0.5
    type_ = page.type(10, "bold", _WHITE if dark else (25, 25, 25))
    if dark:
        sheet_colour = r.choice([(25, 25, 25), (60, 60, 60), (40, 60, 110)])
        page.sheet.fill(page.margin, page.y - height * 0.75, page.right, page.y + height * 0.25, sheet_colour)
    end = page.sheet.text(page.y - height * 0.05, heading, page.margin + page.body.size * 0.4, type_)
    if not dark:
        under = page.y + height * 0.15
        page.sheet.rule(page.margin + page.body.size * 0.4, under, end, under, 1, (25, 25, 25))
    page.y += height * 0.25 + page.leading


def _boxes(page: _Office, r: Random, v: Vocabulary, value: Type) -> None:
    """Rows of boxes, each with a tiny label in its corner and what was filled in below it."""
    tiny, height, pad = page.type(6.5), page.body.size * r.uniform(2.5, 3.0), page.body.size * 0.35
    page.y -= page.body.size * 0.8
    for _ in range(r.randint(2, 4)):
        cells = r.randint(1, 4)
        width = page.reach / cells
        for cell in range(cells):
            left = page.margin + cell * width
            page.sheet.frame(left, page.y, left + width + 1, page.y + height, 1, (40, 40, 40))
            label = tiny.cut(texts.label_of(r, v), width - 2 * pad)
            page.sheet.text(page.y + tiny.size * 1.1, label, left + pad, tiny)
            if r.random() < 0.8:
                text = value.cut(texts.value_of(r, v), width - 3 * pad)
                page.sheet.text(page.y + height - value.size * 0.4, text, left + 1.5 * pad, value)
        page.y += height
    page.y += page.body.size


def _blanks(page: _Office, r: Random, v: Vocabulary, value: Type) -> None:
    """Labels with lines to write on, one or two a row, their colons or rules in line."""
    step, gap, offset = page.leading * r.uniform(1.3, 1.9), page.body.size * 0.5, max(2, page.body.size // 5)
    tab = page.reach * r.uniform(0.18, 0.3) if r.random() < 0.5 else 0.0
    for _ in range(r.randint(2, 6)):
        fields = 1 if tab else r.randint(1, 2)
        width, pieces = page.reach / fields, []
        for number in range(fields):
            left = page.margin + number * width
            label = page.body.cut(texts.label_of(r, v), tab - gap if tab else width * 0.4) + r.choice([":", ""])
            start = left + (tab or page.body.width(label) + gap)
            end = left + width - gap
            pieces.append(Piece(label, left, page.body))
            if r.random() < 0.85:
                pieces.append(Piece(value.cut(texts.value_of(r, v), end - start - gap), start + gap, value))
            page.sheet.rule(start, page.y + offset, end, page.y + offset, max(1, round(page.point * 0.6)), (40, 40, 40))
        page.sheet.line(page.y, *pieces)
        page.y += step


def _ticks(page: _Office, r: Random, v: Vocabulary, value: Type) -> None:
    """A question, and boxes to tick beside the answers."""
    page.prose(texts.sentence(r, v))
    side, columns = round(page.body.size * 0.75), r.randint(2, 4)
    for _ in range(r.randint(1, 3)):
        pieces = []
        for column in range(columns):
            x = page.margin + page.body.size + column * page.reach / columns
            page.sheet.frame(x, page.y - side, x + side, page.y, 1, (40, 40, 40))
            if r.random() < 0.3:
                page.sheet.fill(x + 3, page.y - side + 3, x + side - 3, page.y - 3, (40, 40, 40))
            text = page.body.cut(texts.title(r, v, r.randint(1, 2)), page.reach / columns - 3.5 * side)
            pieces.append(Piece(text, x + 1.6 * side, page.body))
        page.sheet.line(page.y, *pieces)
        page.y += page.leading * 1.1


def _grid(page: _Office, r: Random, v: Vocabulary, value: Type) -> None:
    """A table of figures under headings, ruled or bare."""
    columns, ruled, first = r.randint(3, 6), r.random() < 0.5, 0.3
    small, step = page.type(8.5), page.body.size * 1.6
    lefts = [page.margin + page.reach * (first + (1 - first) * n / columns) for n in range(columns + 1)]
    top, rows = page.y - step * 0.75, r.randint(3, 7)
    maker = r.choice([corpus.number, corpus.price, lambda r, v: str(r.randrange(100))])
    pad = small.size * 0.4
    for number in range(rows):
        heading = number == 0
        type_ = replace(small, face=page.family.bold) if heading else small
        pieces = [Piece(type_.cut(texts.title(r, v, 2), page.reach * first - 2 * pad), page.margin + pad, type_)]
        for left, right in pairwise(lefts):
            text = texts.title(r, v, 1) if heading else maker(r, v)
            pieces.append(Piece(type_.cut(text, right - left - 2 * pad), right - pad, type_, "right"))
        page.sheet.line(page.y, *pieces)
        page.y += step
        if ruled or heading:
            under = page.y - step * 0.75
            page.sheet.rule(page.margin, under, page.right, under, 1, (60, 60, 60))
    if ruled:
        bottom = page.y - step * 0.75
        page.sheet.frame(page.margin, top, page.right, bottom + 1, 1, (60, 60, 60))
        for left in lefts[:-1]:
            page.sheet.rule(left, top, left, bottom, 1, (60, 60, 60))


def columns(r: Random, v: Vocabulary, families: Families) -> Sheet:
    """A page of a journal: title, authors, two justified columns with headings, page number."""
    page = _Office(r, families, *r.choice([("serif",), ("serif",), ("serif",), ("sans",)]))
    page.body, page.spacing = page.type(r.uniform(8.8, 10.2)), r.uniform(1.12, 1.3)
    sheet, middle = page.sheet, (page.margin + page.right) / 2
    if r.random() < 0.6:
        small = page.type(7.5, "italic")
        head = Piece(texts.title(r, v, r.randint(2, 4)), page.margin, small)
        sheet.line(page.margin * 0.6, head, Piece(str(r.randint(1, 900)), page.right, small, "right"))
    if r.random() < 0.75:
        page.put(texts.title(r, v, r.randint(2, 4)), middle, page.type(r.uniform(15, 20), "bold"), "middle")
        page.put(", ".join(texts.person(r, v) for _ in range(r.randint(1, 3))), middle, page.type(10.5), "middle")
        page.put(texts.company(r, v), middle, page.type(9, "italic"), "middle")
        page.y += page.leading
    if r.random() < 0.5:
        inset = page.reach * 0.08
        abstract = page.type(8.5, "italic")
        page.prose(["Abstract—", *texts.prose(r, v, 4)], page.margin + inset, page.reach - 2 * inset, True, abstract)
        page.y += page.leading
    top, gutter, indent = page.y, page.reach * r.uniform(0.04, 0.07), r.choice([0.0, page.body.size * 1.2])
    width = (page.reach - gutter) / 2
    section = 1
    for x in (page.margin, page.margin + width + gutter):
        page.y = top
        while not page.full:
            if r.random() < 0.3 and page.y < page.bottom - 4 * page.leading:
                page.y += page.leading * 0.5
                heading = page.type(10.5, "bold")
                page.put(heading.cut(f"{section}. {texts.title(r, v, r.randint(1, 3))}", width), x, heading)
                section += 1
            page.prose(texts.prose(r, v, r.randint(2, 6)), x, width, True, indent=indent)
    if r.random() < 0.3:
        rule = page.margin + width + gutter / 2
        sheet.rule(rule, top - page.leading * 0.7, rule, page.bottom, 1, (90, 90, 90))
    sheet.text(sheet.height - page.margin * 0.45, str(r.randint(1, 400)), middle, page.type(8.5), "middle")
    return sheet
