"""Receipts as tills print them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from ocrkit.synth import corpus
from ocrkit.synth.corpus import Vocabulary
from ocrkit.synth.layouts import texts
from ocrkit.synth.layouts.families import Families
from ocrkit.synth.layouts.sheet import Piece, Sheet, Type


class _Till:
    """Prints a receipt downwards: centred heads, rows with a right edge, dashes."""

    def __init__(self, r: Random, families: Families) -> None:
        self.r = r
        family = families.draw(r, *r.choice([("thermal",), ("mono",), ("mono",), ("sans",)]))
        grey = r.choice([20, 20, 45, 80])
        self.type = Type(family.regular, r.randint(18, 32), (grey, grey, grey), r.choice([1.0, 1.0, 0.85]))
        self.bold = replace(self.type, face=family.bold)
        em = self.type.width("0")
        self.left = em * r.uniform(1, 5)
        self.right = self.left + em * r.randint(30, 42)
        self.sheet = Sheet(round(self.left + self.right), 6000)
        self.leading = self.type.size * r.uniform(1.0, 1.35)
        self.y = self.leading * r.uniform(1.5, 4)
        self.dash = r.choice([0, max(2, round(em * 0.5)), max(2, round(em * 0.25))])
        self.capitals = r.random() < 0.6

    def head(self, text: str, type_: Type | None = None) -> None:
        """A centred line."""
        type_ = type_ or self.type
        text = type_.cut(self._case(text), self.right - self.left)
        self.sheet.text(self.y, text, (self.left + self.right) / 2, type_, "middle")
        self.y += self.leading * max(1.0, type_.size / self.type.size)

    def row(
        self, left: str, right: str = "", type_: Type | None = None, indent: float = 0.0, leader: bool = False
    ) -> None:
        """Text at the left edge and an amount at the right one, dots between them where `leader` says so."""
        type_ = type_ or self.type
        amount = type_.width(right) + 1.5 * type_.space if right else 0.0
        start = self.left + indent
        text = type_.cut(self._case(left), self.right - start - amount)
        pieces = [Piece(text, start, type_)] + ([Piece(right, self.right, type_, "right")] if right else [])
        self.sheet.line(self.y, *pieces)
        if leader and right:
            dot = max(2, type_.size // 10)
            begin = start + type_.width(text) + type_.space
            self.sheet.rule(begin, self.y - dot, self.right - amount, self.y - dot, dot, type_.colour, 2 * dot)
        self.y += self.leading * max(1.0, type_.size / self.type.size)

    def columns(self, edges: Sequence[float], cells: Sequence[str], type_: Type | None = None) -> None:
        """Cells that end at `edges`, shares of the width; the first starts at the left edge."""
        type_ = type_ or self.type
        reach = self.right - self.left
        pieces = [Piece(cells[0], self.left, type_)]
        pieces += [Piece(text, self.left + reach * edge, type_, "right") for edge, text in zip(edges, cells[1:])]
        self.sheet.line(self.y, *pieces)
        self.y += self.leading

    def rule(self, double: bool = False) -> None:
        """A row of dashes, or two."""
        middle, thick = self.y - self.type.size * 0.3, max(1, self.type.size // 12)
        for offset in (-2.0 * thick, 2.0 * thick) if double else (0.0,):
            self.sheet.rule(self.left, middle + offset, self.right, middle + offset, thick, self.type.colour, self.dash)
        self.y += self.leading

    def gap(self, most: float = 1.0) -> None:
        """Some blank paper."""
        self.y += self.leading * self.r.uniform(0, most)

    def _case(self, text: str) -> str:
        return text.upper() if self.capitals and "ß" not in text else text


def receipt(r: Random, v: Vocabulary, families: Families) -> Sheet:
    """A till's receipt: shop, items with right-aligned prices, totals that add up, thanks."""
    till = _Till(r, families)
    wide = replace(
        till.bold, stretch=r.choice([1.0, 1.3, 1.7]), size=round(till.type.size * r.choice([1.0, 1.15, 1.3]))
    )
    _shop(till, r, v, wide)
    currency = r.choice(["", "", "$", "RM", "£", "€", "RM "])
    total = _items(till, r, v)
    till.rule(r.random() < 0.3)
    tax = round(total * r.choice([0.06, 0.07, 0.19, 0.0825]))
    if r.random() < 0.8:
        till.row(r.choice(["Subtotal", "Sub Total:", "Total (Excluding GST)"]), texts.money(total))
        till.row(r.choice(["GST 6%", "Tax", "VAT 19%", "Service Charge", "Rounding"]), texts.money(tax))
        till.gap()
    till.row(
        r.choice(["TOTAL", "Total:", "Grand Total", "AMOUNT DUE", "Total Sales"]),
        currency + texts.money(total + tax),
        wide,
    )
    if r.random() < 0.8:
        paid = (total + tax) // 1000 * 1000 + 1000
        till.row(
            r.choice(["CASH", "Cash Tendered", "VISA ************" + str(r.randrange(1000, 9999))]), texts.money(paid)
        )
        till.row(r.choice(["CHANGE", "Change Due:"]), texts.money(paid - total - tax))
    if r.random() < 0.5:
        till.rule()
        till.columns((0.62, 1.0), ("GST Summary", "Amount(RM)", "Tax(RM)"))
        till.columns((0.62, 1.0), (r.choice(["SR @ 6%", "ZRL (0%)", "A 19.0%"]), texts.money(total), texts.money(tax)))
    till.gap(2)
    thanks = ["Thank you for shopping", "Please come again", "Goods sold are not returnable", "Have a nice day!"]
    for text in r.sample([*thanks, "*** THANK YOU ***", "Customer Copy", corpus.web(r, v)], r.randint(1, 4)):
        till.head(text)
    if r.random() < 0.3:
        _barcode(till, r)
    if r.random() < 0.4:
        till.gap()
        till.row(texts.date(r, v), corpus.time(r, v))
    till.sheet.crop(round(till.y + till.leading * r.uniform(0.5, 4)))
    return till.sheet


def _shop(till: _Till, r: Random, v: Vocabulary, wide: Type) -> None:
    till.head(texts.company(r, v), wide)
    if r.random() < 0.5:
        till.head(f"({r.randrange(10**5, 10**6)}-{r.choice('AHKMTW')})")
    for line in texts.address(r, v):
        till.head(line)
    till.head(r.choice(["Tel: ", "TEL ", "Tel/Fax : ", ""]) + corpus.phone(r, v))
    if r.random() < 0.6:
        till.head(r.choice(["GST No: ", "VAT Reg. ", "GST ID : ", "Tax ID "]) + corpus.code(r, v))
    till.gap()
    if r.random() < 0.5:
        till.head(r.choice(["TAX INVOICE", "Receipt", "Cash Bill", "SIMPLIFIED TAX INVOICE"]), wide)
    till.gap()
    labels = ["Invoice No", "Bill No.", "Date", "Cashier", "Table", "Member", "Counter", "Ref."]
    colon = till.type.width("Invoice No ") + till.left
    for label in r.sample(labels, r.randint(2, 5)):
        value = {"Date": texts.date, "Cashier": texts.proper}.get(label, corpus.code)(r, v)
        pieces = (Piece(label, till.left, till.type), Piece(": " + value, colon, till.type))
        till.sheet.line(till.y, *pieces)
        till.y += till.leading


def _items(till: _Till, r: Random, v: Vocabulary) -> int:
    """Print items in one of four manners; returns their sum in cents."""
    manner, leader, mark = r.randrange(4), r.random() < 0.15, r.choice(["", "", " SR", " T", " A"])
    till.rule(r.random() < 0.3)
    if manner == 0:
        till.columns((0.68, 1.0), ("Description", "Qty", "Amount" + mark))
        till.rule()
    elif manner == 1:
        till.columns((0.45, 0.7, 1.0), ("Item", "Qty", "Price", "Amount"), till.bold)
    total = 0
    for _ in range(r.randint(1, 14)):
        count, each = r.choice([1, 1, 1, 1, 2, 3, 4, 10]), r.choice([r.randrange(20, 2000), r.randrange(20, 30_000)])
        total += count * each
        name = " ".join([corpus.product(r, v), *(texts.frequent(r, v.words) for _ in range(r.randrange(3)))])
        if manner == 0:
            till.row(name, texts.money(count * each) + mark, leader=leader)
        elif manner == 1:
            till.row(name)
            till.columns(
                (0.45, 0.7, 1.0), (corpus.code(r, v)[:9], str(count), texts.money(each), texts.money(count * each))
            )
        elif manner == 2:
            till.row(f"{count} {name}", texts.money(count * each) + mark, leader=leader)
        else:
            till.row(name)
            till.row(
                f"{count} x {texts.money(each)}", texts.money(count * each) + mark, indent=2 * till.type.width("0")
            )
    return total


def _barcode(till: _Till, r: Random) -> None:
    unit, x = max(1, round(till.type.size / 12)), till.left + (till.right - till.left) * 0.2
    while x < till.left + (till.right - till.left) * 0.8:
        bar = unit * r.randint(1, 4)
        till.sheet.rule(x, till.y, x + bar, till.y + 3 * till.leading, bar, till.type.colour)
        x += bar + unit * r.randint(1, 4)
    till.y += 4.2 * till.leading
    till.head("".join(r.choices("0123456789", k=r.randint(8, 13))))
