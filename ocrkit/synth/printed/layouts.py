"""The layouts: what stands where on a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from ocrkit.synth import corpus
from ocrkit.synth.layouts import texts
from ocrkit.synth.layouts.sheet import Colour
from ocrkit.synth.printed.setting import BLACK, WHITE, Setting, Style, Token
from ocrkit.synth.printed.wording import amount, noted, number, prose, sentence, title

TINTS: tuple[Colour, ...] = ((228, 228, 228), (214, 226, 240), (240, 232, 205), (205, 205, 205), (222, 236, 220))
MIDDLE: tuple[Colour, ...] = ((128, 128, 128), (150, 150, 150), (88, 132, 176), (176, 100, 84), (96, 144, 100))
DARK: tuple[Colour, ...] = ((30, 34, 44), (16, 48, 84), (0, 0, 0), (70, 20, 30))
_QUIET: Colour = (96, 96, 96)
_BODY = Style()


def _heading(size: float, align: str = "left", colour: Colour = BLACK) -> Style:
    return Style(size, "bold", colour, ("heading",), align, 1.2)


def _right(style: Style = _BODY) -> Style:
    return replace(style, align="right")


def _cells(
    s: Setting, rows: list[list[str]], shares: list[float], row_ems: float = 1.6, head: str = "bold",
    ruled: str = "level", tint: Colour | None = None, light_head: Colour | None = None,
) -> None:  # fmt: skip
    """A table: texts of the first column to the left, numbers to the right, rules as `ruled` says."""
    row_height, top = row_ems * s.em, s.y
    edges = [s.x0]
    for share in shares:
        edges.append(edges[-1] + share * s.width)
    pad, count = 0.35 * s.em, 0
    for i, row in enumerate(rows):
        if s.y + row_height > s.bottom:
            break
        count += 1
        style = Style(kinds=("cell",))
        if i == 0:
            style = replace(style, cut=head)
            if light_head:
                s.sheet.fill(edges[0], s.y, edges[-1], s.y + row_height, light_head)
                style = replace(style, colour=WHITE, kinds=("cell", _ground_kind(light_head)))
        elif tint and i % 2 == 0:
            s.sheet.fill(edges[0], s.y, edges[-1], s.y + row_height, tint)
            style = replace(style, kinds=("cell", "on a tint"))
        for k, text in enumerate(row):
            aligned = replace(style, align="left" if k == 0 else "right" if text[:1] in "0123456789-($" else "middle")
            s.text(
                text, edges[k] + pad, s.y + (row_height - 1.3 * s.em) / 2, aligned, edges[k + 1] - edges[k] - 2 * pad
            )
        s.y += row_height
    levels = range(count + 1) if ruled in ("level", "grid") else (0, 1, count) if ruled == "few" else ()
    for k in levels:
        s.rule(top + k * row_height, edges[0], edges[-1], 0.5 if k not in (0, 1, count) else 0.8)
    if ruled == "grid":
        for edge in edges:
            s.upright_rule(edge, top, s.y)


def _ground_kind(colour: Colour) -> str:
    return "light on mid-tone" if sum(colour) > 270 else "light on dark"


def _bullets(s: Setting, items: int, x: float, width: float, style: Style = _BODY) -> None:
    sign = s.r.choice("••-–*")
    for _ in range(items):
        if s.y + style.size * s.em * 1.3 > s.bottom:
            return
        s.text(sign, x, s.y, replace(style, kinds=(*style.kinds, "bullet")))
        s.block(sentence(s.r, s.vocabulary)[:14], x + 1.4 * style.size * s.em, width - 1.4 * style.size * s.em, style)


def panel(s: Setting, x0: float, x1: float, colour: Colour, tokens: list[Token], style: Style) -> None:
    """Text in an area of its own colour."""
    pad = 0.8 * s.em
    height = s.height_of(tokens, x1 - x0 - 2 * pad, style) + 2 * pad
    if s.y + height > s.bottom:
        return
    s.sheet.fill(x0, s.y, x1, s.y + height, colour)
    s.y += pad
    s.block(tokens, x0 + pad, x1 - x0 - 2 * pad, style)
    s.y += pad


def letter(s: Setting) -> None:
    """Sender, address, subject, prose, signature."""
    r, v = s.r, s.vocabulary
    sender = [texts.company(r, v), *texts.address(r, v), corpus.phone(r, v)]
    for i, line in enumerate(sender):
        s.block(line.split(), style=Style(1.3 if i == 0 else 0.85, "bold" if i == 0 else "regular", align="right"))
    s.skip(1.5)
    for line in [texts.person(r, v), *texts.address(r, v)]:
        s.block(line.split())
    s.skip(1)
    s.block(texts.date(r, v).split(), style=_right())
    s.skip(1)
    s.block(f"Re: {title(r, v, 4)}".split(), style=Style(cut="bold", stroke=r.choice(["", "under"])))
    s.skip(0.6)
    s.block(f"Dear {texts.person(r, v)},".split())
    justify = r.choice(["left", "justify"])
    for _ in range(r.randint(3, 4)):
        s.skip(0.6)
        s.block(prose(r, v, r.randint(2, 5)), style=Style(align=justify))
    s.skip(0.6)
    s.block(["Yours", "sincerely,"])
    s.skip(1.5)
    s.block(texts.person(r, v).split())
    s.skip(0.4)
    s.block(f"Encl.: {r.randrange(1, 9)} - P.S.".split() + sentence(r, v), style=Style(0.85))


def contract(s: Setting) -> None:
    """Numbered clauses, some of them struck or in capitals."""
    r, v = s.r, s.vocabulary
    s.block(title(r, v, 3).split(), style=_heading(1.7, "middle"))
    s.skip(0.8)
    s.block(f"between {texts.company(r, v)} (the “Seller”) and {texts.person(r, v)} (the “Buyer”),".split())
    for clause in range(1, 9):
        s.skip(0.6)
        s.block(f"{clause}. {title(r, v, 3)}".split(), style=Style(1.05, "bold"))
        for part in range(1, r.randint(2, 4)):
            s.text(f"{clause}.{part}", s.x0, s.y)
            tokens = prose(r, v, r.randint(1, 3))
            if r.random() < 0.25:
                start = r.randrange(len(tokens))
                tokens = [t._replace(stroke="through") if start <= i < start + 5 else t for i, t in enumerate(tokens)]
            s.block(tokens, s.x0 + 2.4 * s.em, s.width - 2.4 * s.em, Style(align="justify"))
    s.skip(1)
    s.rule(s.y + 1.4 * s.em, s.x0, s.x0 + 0.4 * s.width)
    s.y += 1.5 * s.em
    s.block(["(Signature)"], style=Style(0.8))


def article(s: Setting) -> None:
    """A heading across, then two columns with notes."""
    r, v = s.r, s.vocabulary
    s.block(title(r, v, r.randint(4, 7)).split(), style=_heading(r.uniform(1.7, 2.4), "middle"))
    s.block(f"{texts.person(r, v)} & {texts.person(r, v)}".split(), style=Style(align="middle", cut="italic"))
    s.skip(0.8)
    s.block(["Abstract."] + [t.text for t in prose(r, v, 3)], s.x0 + 2 * s.em, s.width - 4 * s.em, Style(0.88))
    s.skip(1)
    gutter, top = 1.6 * s.em, s.y
    width = (s.width - gutter) / 2
    columns = s.x0, s.x0 + width + gutter
    body, note = Style(align="justify", hyphenate=True, leading=1.22), 1
    foot = s.bottom
    s.bottom -= 4 * s.em
    for x in columns:
        s.y = top
        while s.y < s.bottom - 3 * s.em:
            s.block(f"{note}. {title(r, v, 2)}".split(), x, width, Style(1.1, "bold"))
            s.block(noted(r, prose(r, v, r.randint(3, 6)), note, 2), x, width, body)
            note += 2
            s.skip(0.5)
        s.y, s.bottom = s.bottom, foot
        s.rule(s.y + 0.3 * s.em, x, x + 0.4 * width)
        s.skip(0.5)
        s.block([str(note - 2), *sentence(r, v)], x, width, Style(0.75))
        s.bottom -= 4 * s.em


def slide(s: Setting) -> None:
    """A large title on a band, bullets, a box, a foot."""
    r, v = s.r, s.vocabulary
    band, size = r.choice(MIDDLE + DARK), r.uniform(2.2, 4)
    height = 1.9 * size * s.em
    s.sheet.fill(0, 0, s.sheet.width, height, band)
    s.text(
        title(r, v, 2),
        s.x0,
        0.3 * size * s.em,
        replace(_heading(size, colour=WHITE), kinds=("heading", _ground_kind(band))),
    )
    s.y = height + s.em
    big = Style(r.uniform(1.3, 1.9))
    s.bottom -= 5 * s.em
    _bullets(s, r.randint(3, 5), s.x0, s.width, big)
    s.skip(0.5)
    panel(s, s.x0, s.x0 + 0.6 * s.width, r.choice(TINTS), prose(r, v, 2), Style(kinds=("on a tint",)))
    s.bottom += 5 * s.em
    foot = Style(0.8, colour=_QUIET)
    s.text(f"{texts.company(r, v)} – {texts.date(r, v)}", s.x0, s.bottom - 1.4 * s.em, foot)
    s.text(str(r.randrange(1, 60)), s.x0, s.bottom - 1.4 * s.em, _right(foot), s.width)


def table(s: Setting) -> None:
    """A table with rules and tints, empty cells as dashes, and notes."""
    r, v = s.r, s.vocabulary
    s.block(f"Table {r.randrange(1, 30)}. {title(r, v, 5)}".split(), style=Style(1.15, "bold"))
    s.skip(0.6)
    columns = r.randint(3, 4)
    head = [title(r, v, 1), *(r.choice([str(1990 + i), title(r, v, 1), "Q1", "%", "Total"]) for i in range(columns))]
    rows = [head]
    for _ in range(r.randint(12, 22)):
        rows.append(
            [
                title(r, v, r.randint(1, 2)),
                *(r.choice(["-", "–", number(r), number(r), amount(r), "I", "0", "1"]) for _ in range(columns)),
            ]
        )
    shares = [0.36, *([0.64 / columns] * columns)]
    head_colour = r.choice([None, *MIDDLE, *DARK])
    _cells(s, rows, shares, r.uniform(1.45, 1.9), ruled=r.choice(["level", "grid", "few", "none"]),
           tint=r.choice([None, *TINTS]), light_head=head_colour)  # fmt: skip
    s.skip(0.6)
    s.block(["Source:", *sentence(r, v)], style=Style(0.8, "italic"))
    s.skip(0.8)
    s.block(prose(r, v, 4), style=Style(align="justify"))


def newsletter(s: Setting) -> None:
    """A masthead of many times the body, stories in two columns, a panel of another colour."""
    r, v = s.r, s.vocabulary
    s.block(title(r, v, 2).split(), style=_heading(r.uniform(3, 5), "middle"))
    s.rule(s.y + 2, s.x0, s.x1, 1.5)
    s.skip(0.4)
    s.text(f"Vol. {r.randrange(1, 40)}, No. {r.randrange(1, 12)}", s.x0, s.y, Style(0.85))
    s.text(texts.date(r, v), s.x0, s.y, Style(0.85, align="right"), s.width)
    s.skip(1.3)
    s.rule(s.y, s.x0, s.x1)
    s.skip(0.8)
    width, top = (s.width - 1.6 * s.em) / 2, s.y
    for x in (s.x0, s.x0 + width + 1.6 * s.em):
        s.y = top
        for story in range(3):
            s.block(title(r, v, r.randint(2, 4)).split(), x, width, _heading(r.uniform(1.3, 2.1)))
            s.block(prose(r, v, r.randint(3, 5)), x, width, Style(hyphenate=True, align=r.choice(["left", "justify"])))
            s.skip(0.7)
            if story == 1:
                colour = r.choice(MIDDLE + DARK)
                panel(s, x, x + width, colour, prose(r, v, 2), Style(colour=WHITE, kinds=(_ground_kind(colour),)))
                s.skip(0.7)


def invoice(s: Setting) -> None:
    """Head, addresses, positions, sums."""
    r, v = s.r, s.vocabulary
    s.text(texts.company(r, v), s.x0, s.y, _heading(1.6))
    s.text("INVOICE", s.x0, s.y, replace(_heading(2.0), align="right"), s.width)
    s.skip(3)
    for label, value in (("Invoice No.:", corpus.code(r, v)), ("Date:", texts.date(r, v)), ("Due:", texts.date(r, v))):
        s.text(label, s.x0 + 0.5 * s.width, s.y, Style(0.95, "bold"))
        s.text(value, s.x0, s.y, Style(0.95, align="right"), s.width)
        s.skip(1.3)
    s.skip(-2.6)
    for line in [texts.person(r, v), *texts.address(r, v)]:
        s.text(line, s.x0, s.y, width=0.48 * s.width)
        s.skip(1.3)
    s.skip(1)
    rows, total = [["Description", "Qty", "Price", "Amount"]], 0
    for _ in range(r.randint(5, 11)):
        quantity, price = r.choice([1, 1, 2, 3, 10, 12]), r.randrange(99, 190_000)
        total += quantity * price
        rows.append([title(r, v, r.randint(1, 3)), str(quantity), texts.money(price), texts.money(quantity * price)])
    _cells(s, rows, [0.46, 0.12, 0.2, 0.22], ruled=r.choice(["level", "grid", "few"]),
           tint=r.choice([None, *TINTS]), light_head=r.choice([None, *MIDDLE, *DARK]))  # fmt: skip
    s.skip(0.5)
    for label, cents in (("Subtotal :", total), ("VAT 19% :", total * 19 // 100), ("TOTAL :", total * 119 // 100)):
        style = Style(cut="bold" if label[0] == "T" else "regular")
        s.text(label, s.x0 + 0.55 * s.width, s.y, style)
        s.text(f"€ {texts.money(cents)}", s.x0, s.y, _right(style), s.width)
        s.skip(1.5)
    s.skip(1)
    s.block(["Payment:", *sentence(r, v)], style=Style(0.85))
    s.block(f"{corpus.web(r, v)} | {corpus.phone(r, v)}".split(), style=Style(0.8, colour=_QUIET, align="middle"))


def statement(s: Setting) -> None:
    """An account's lines without rules, debits negative or in brackets, and a sum in a tint."""
    r, v = s.r, s.vocabulary
    s.block(texts.company(r, v).split(), style=_heading(1.5))
    s.block(f"Statement of account - page 1 / {r.randrange(1, 5)}".split(), style=Style(colour=_QUIET))
    s.skip(1)
    edges = [0.0, 0.17, 0.62, 0.8]
    for k, text in enumerate(("Date", "Details", "Debit", "Balance")):
        s.text(text, s.x0 + edges[k] * s.width, s.y, Style(0.95, "bold"))
    s.skip(1.5)
    s.rule(s.y, s.x0, s.x1, 0.8)
    balance = r.randrange(100_000, 9_000_000)
    while s.y < s.bottom - 6 * s.em:
        change = r.randrange(100, 200_000)
        balance -= change
        shown = r.choice([f"-{texts.money(change)}", f"({texts.money(change)})", f"{texts.money(change)}", "-"])
        if r.random() < 0.3:
            s.sheet.fill(s.x0, s.y, s.x1, s.y + 1.4 * s.em, TINTS[0])
        s.text(f"{r.randrange(1, 29):02}/{r.randrange(1, 13):02}", s.x0, s.y, Style(kinds=("cell",)))
        s.text(title(r, v, 2), s.x0 + edges[1] * s.width, s.y, Style(kinds=("cell",)), 0.4 * s.width)
        s.text(shown, s.x0, s.y, Style(kinds=("cell",), align="right"), 0.74 * s.width)
        s.text(texts.money(balance), s.x0, s.y, Style(kinds=("cell",), align="right"), s.width)
        s.skip(1.45)
    tokens = [Token(text) for text in f"Balance carried forward : {texts.money(balance)}".split()]
    panel(s, s.x0, s.x1, r.choice(TINTS), tokens, Style(1.1, "bold", kinds=("on a tint",)))


def web_long(s: Setting) -> None:
    """A long page: a bar of links, a title, sections with links, lists and code."""
    r, v = s.r, s.vocabulary
    bar = r.choice(DARK + MIDDLE)
    s.sheet.fill(0, 0, s.sheet.width, 2.6 * s.em, bar)
    for k in range(4):
        style = Style(colour=WHITE, kinds=(_ground_kind(bar),))
        s.text(title(r, v, 1), s.x0 + k * 0.25 * s.width, 0.6 * s.em, style)
    s.y = 4 * s.em
    s.block(title(r, v, 4).split(), style=_heading(2.4))
    s.block(
        f"{texts.person(r, v)} · {texts.date(r, v)} · {r.randrange(2, 30)} min".split(),
        style=Style(0.85, colour=_QUIET),
    )
    while s.y < s.bottom - 4 * s.em:
        s.skip(0.8)
        s.block(title(r, v, 3).split(), style=_heading(1.5))
        linked = Style(leading=1.5)
        s.block(prose(r, v, r.randint(3, 6)), style=linked)
        s.skip(0.3)
        s.block([corpus.web(r, v)], style=Style(colour=(20, 70, 180), stroke="under"))
        s.skip(0.5)
        _bullets(s, r.randint(2, 4), s.x0 + s.em, s.width - s.em)
        if r.random() < 0.5:
            s.skip(0.5)
            panel(s, s.x0, s.x1, TINTS[0], prose(r, v, 2), Style(0.95, kinds=("on a tint",)))


def web_sidebar(s: Setting) -> None:
    """A dark column of links beside the text."""
    r, v = s.r, s.vocabulary
    bar, wide = r.choice(DARK), 0.28 * s.sheet.width
    s.sheet.fill(0, 0, wide, s.sheet.height, bar)
    light = Style(colour=(235, 235, 235), kinds=("light on dark",))
    s.block(title(r, v, 1).split(), 0.5 * s.em, wide, replace(light, size=1.5, cut="bold"))
    while s.y < s.bottom - 3 * s.em:
        s.skip(0.6)
        s.block(title(r, v, r.randint(1, 2)).split(), 0.8 * s.em, wide - 1.2 * s.em, light)
        if r.random() < 0.3:
            s.skip(1)
    s.y, x = s.inch(0.4), wide + s.em
    width = s.sheet.width - wide - 2 * s.em
    s.block(title(r, v, 3).split(), x, width, _heading(2.0))
    while s.y < s.bottom - 4 * s.em:
        s.skip(0.6)
        s.block(prose(r, v, r.randint(2, 5)), x, width, Style(leading=1.45))
        s.skip(0.4)
        _bullets(s, 2, x + s.em, width - s.em)


def form(s: Setting) -> None:
    """Labels with what was filled in, on lines, in frames, and boxes that are ticked."""
    r, v = s.r, s.vocabulary
    s.block(title(r, v, 4).split(), style=_heading(1.5, "middle"))
    s.block(sentence(r, v), style=Style(0.8, "italic"))
    s.skip(1)
    number_ = 1
    while s.y < s.bottom - 8 * s.em:
        kind = r.random()
        label, value = texts.label_of(r, v), texts.value_of(r, v)
        if kind < 0.4:
            s.text(f"{label}:", s.x0, s.y, Style(0.9), 0.3 * s.width)
            s.text(
                value, s.x0 + 0.36 * s.width, s.y - 0.1 * s.em, Style(cut="bold", kinds=("filled in",)), 0.6 * s.width
            )
            s.rule(s.y + 1.45 * s.em, s.x0 + 0.34 * s.width, s.x1)
            s.skip(1.9)
        elif kind < 0.75:
            half = s.width / 2
            s.sheet.frame(s.x0, s.y, s.x0 + half, s.y + 3 * s.em, 1, BLACK)
            s.sheet.frame(s.x0 + half, s.y, s.x1, s.y + 3 * s.em, 1, BLACK)
            for x, (text, answer) in zip(
                (s.x0, s.x0 + half), ((label, value), (texts.label_of(r, v), texts.value_of(r, v)))
            ):
                s.text(f"{number_}. {text}", x + 0.3 * s.em, s.y + 0.1 * s.em, Style(0.72))
                s.text(answer, x + 0.8 * s.em, s.y + 1.3 * s.em, Style(kinds=("filled in",)))
                number_ += 1
            s.skip(3.4)
        else:
            for k, choice in enumerate(r.sample(["Yes", "No", "N/A", "Other", "Both", "None"], 3)):
                x = s.x0 + k * 0.3 * s.width
                s.sheet.frame(x, s.y + 0.3 * s.em, x + s.em, s.y + 1.3 * s.em, 1, BLACK)
                s.text(choice, x + 1.5 * s.em, s.y)
            s.skip(2)
    s.block(prose(r, v, 2), style=Style(0.85))


def book(s: Setting) -> None:
    """A running head, a chapter's title, a drop cap, justified prose, footnotes, a folio."""
    r, v = s.r, s.vocabulary
    s.text(title(r, v, 3).upper(), s.x0, s.y, Style(0.8, align="middle"), s.width)
    s.skip(2)
    s.block(f"Chapter {r.choice(['I', 'II', 'V', 'X', '1', '12'])}".split(), style=_heading(1.8, "middle"))
    s.skip(1)
    body = Style(align="justify", hyphenate=True, leading=1.3)
    tokens = [Token(text) for text in sentence(r, v) + sentence(r, v) + sentence(r, v)]
    first = tokens[0].text.strip("\"'“(")
    if len(first) > 2 and first[0].isalpha():
        # The letter is a label of its own; the word goes on behind it.
        drop = Style(3.1, kinds=("heading", "drop cap"), leading=1.0)
        s.text(first[0], s.x0, s.y - 0.15 * s.em, drop)
        indent = s.type(drop).width(first[0]) + 0.3 * s.em
        tokens[0] = tokens[0]._replace(text=first[1:])
        for _ in range(2):
            line: list[Token] = []
            while (
                tokens
                and s.height_of([*line, tokens[0]], s.width - indent, body) < 1.5 * body.leading * s.type(body).size
            ):
                line.append(tokens.pop(0))
            s.block(line, s.x0 + indent, s.width - indent, replace(body, align="left"))
    s.block(tokens, style=body)
    note, foot = 1, s.bottom
    s.bottom -= 6 * s.em
    while s.y < s.bottom - 3 * s.em:
        s.block(noted(r, prose(r, v, r.randint(2, 5)), note, 1), s.x0, s.width, body)
        note += 1
    s.y, s.bottom = s.bottom + 0.5 * s.em, foot
    s.rule(s.y, s.x0, s.x0 + 0.3 * s.width)
    s.skip(0.3)
    for k in range(1, min(note, 3)):
        s.block([str(k), *sentence(r, v)[:12]], style=Style(0.75))
    s.text(f"– {r.randrange(1, 400)} –", s.x0, s.bottom - 1.3 * s.em, Style(0.9, align="middle"), s.width)


def title_page(s: Setting) -> None:
    """Few words, of very different sizes."""
    r, v = s.r, s.vocabulary
    s.skip(3)
    s.block(texts.person(r, v).split(), style=Style(1.4, align="middle"))
    s.skip(2)
    s.block(title(r, v, r.randint(2, 3)).split(), style=_heading(r.uniform(3, 6), "middle"))
    s.skip(1)
    s.block(title(r, v, 6).split(), style=Style(1.5, "italic", align="middle"))
    s.skip(3)
    s.block(prose(r, v, 1), style=Style(0.9, align="middle"))
    s.skip(2)
    s.block(["Third", "edition,", "revised", "&", "enlarged"], style=Style(align="middle"))
    s.y = s.bottom - 5 * s.em
    s.block(f"{texts.company(r, v)} • {texts.proper(r, v)}".split(), style=Style(1.1, align="middle"))
    s.block(r.choice(["1987", "MCMXCI", "2024", "1911"]).split(), style=Style(align="middle"))


def price_list(s: Setting) -> None:
    """Names and prices with leaders, old prices struck, groups on bands."""
    r, v = s.r, s.vocabulary
    s.block(["Price", "List"], style=_heading(r.uniform(2, 3.5), "middle"))
    while s.y < s.bottom - 6 * s.em:
        s.skip(0.7)
        band = r.choice(MIDDLE + DARK + TINTS)
        light = sum(band) < 560
        s.sheet.fill(s.x0, s.y, s.x1, s.y + 1.7 * s.em, band)
        style = Style(1.1, "bold", WHITE if light else BLACK, (_ground_kind(band) if light else "on a tint",))
        s.text(title(r, v, 2), s.x0 + 0.5 * s.em, s.y + 0.1 * s.em, style)
        s.skip(2)
        for _ in range(r.randint(3, 7)):
            if s.y > s.bottom - 2 * s.em:
                break
            s.text(title(r, v, r.randint(1, 3)), s.x0, s.y, Style(kinds=("cell",)), 0.5 * s.width)
            s.text(
                r.choice(["1 kg", "10 x 1 l", "a piece", "100 g", "I", "-"]), s.x0 + 0.55 * s.width, s.y, Style(0.85)
            )
            if r.random() < 0.3:
                s.text(amount(r, 20_000), s.x0, s.y, Style(align="right", stroke="through"), 0.84 * s.width)
            s.text(f"€{amount(r, 200_000)}", s.x0, s.y, Style(cut="bold", kinds=("cell",), align="right"), s.width)
            s.skip(1.4)


def code(s: Setting) -> None:
    """A listing with numbered lines, after a paragraph."""
    r, v = s.r, s.vocabulary
    s.block(f"Listing {r.randrange(1, 20)}: {title(r, v, 3)}".split(), style=Style(1.1, "bold"))
    s.block(prose(r, v, 2))
    s.skip(0.8)
    names = [texts.frequent(r, v.words[200:3000]) for _ in range(12)]
    depth, line, tint = 0, 1, r.choice([None, (240, 240, 240)])
    if tint:
        s.sheet.fill(s.x0, s.y, s.x1, s.bottom, tint)
    while s.y < s.bottom - 2 * s.em:
        a, b = r.choice(names), r.choice(names)
        text = r.choice(
            [f"def {a}({b}, n=10):", f"if {a} >= {r.randrange(100)}:", f"{a} = [{b}[i] for i in range(n)]",
             f"return {a}",
             f"{a}_{b} = \"{b}\"  # {a}", f"for {a} in {b}.items():", f"print(f\"{{{a}}}: {b}\")", f"{a} += {b} * 2",
             f"assert {a} != {b}, '{a}'", f"x = {{\"{a}\": {r.randrange(1000)}}}"]
        )  # fmt: skip
        s.text(str(line), s.x0, s.y, Style(0.85, colour=_QUIET, align="right"), 2 * s.em)
        s.text(text, s.x0 + (3 + 1.6 * depth) * s.em, s.y, Style(0.95, kinds=("code",)))
        depth = depth + 1 if text.endswith(":") and depth < 4 else max(0, depth - (r.random() < 0.5))
        line += 1
        s.skip(1.35)


def flyer(s: Setting) -> None:
    """A headline of many times the body on a mid-tone, offers with old prices struck, small print."""
    r, v = s.r, s.vocabulary
    band, size = r.choice(MIDDLE), r.uniform(3.5, 6)
    height = 2.4 * size * s.em
    s.sheet.fill(0, 0, s.sheet.width, height, band)
    s.text(
        title(r, v, 1),
        0,
        0.5 * size * s.em,
        replace(_heading(size, "middle", WHITE), kinds=("heading", _ground_kind(band))),
        s.sheet.width,
    )
    s.y = height + s.em
    s.block(sentence(r, v), style=Style(1.6, align="middle"))
    for _ in range(3):
        s.skip(1)
        s.block(title(r, v, 2).split(), style=_heading(2, "middle"))
        s.text(f"€{amount(r, 9_000)}", s.x0, s.y, Style(1.4, stroke="through", align="right"), 0.45 * s.width)
        s.text(f"now €{amount(r, 5_000)}!", s.x0 + 0.52 * s.width, s.y, Style(1.6, "bold"))
        s.skip(2.4)
        s.block(sentence(r, v), style=Style(align="middle"))
    s.skip(1)
    s.block([Token("*"), *prose(r, v, 2)], style=Style(0.75))


class Layout(NamedTuple):
    """How a kind of page is made, and whether it is for tuning or for reporting."""

    make: Callable[[Setting], None]
    half: str
    height_in: float = 7.5


LAYOUTS = {
    "letter": Layout(letter, "tune"),
    "contract": Layout(contract, "report"),
    "article": Layout(article, "tune"),
    "slide": Layout(slide, "report", 4.5),
    "table": Layout(table, "tune"),
    "newsletter": Layout(newsletter, "report"),
    "invoice": Layout(invoice, "tune"),
    "statement": Layout(statement, "report"),
    "web-long": Layout(web_long, "tune", 14.0),
    "web-sidebar": Layout(web_sidebar, "report"),
    "form": Layout(form, "tune"),
    "title-page": Layout(title_page, "report"),
    "book": Layout(book, "tune"),
    "price-list": Layout(price_list, "report"),
    "code": Layout(code, "report"),
    "flyer": Layout(flyer, "tune"),
}


def layouts_of(half: str) -> dict[str, Layout]:
    """The layouts of a half by name."""
    return {name: layout for name, layout in LAYOUTS.items() if layout.half == half}
