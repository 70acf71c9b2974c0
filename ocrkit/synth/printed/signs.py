"""A page of what prose has little of: signs alone, initials, ranges, quotations, sums, names of programs."""

from __future__ import annotations

import string
from collections.abc import Callable
from itertools import accumulate
from random import Random

from ocrkit.synth import corpus
from ocrkit.synth.corpus import Vocabulary
from ocrkit.synth.layouts import texts
from ocrkit.synth.printed.layouts import DARK, MIDDLE, TINTS, panel
from ocrkit.synth.printed.setting import BLACK, WHITE, Setting, Style, Token
from ocrkit.synth.printed.wording import number, word

_LONE = (  # noqa: SIM905
    "- - - – – — — • • & & * * § + = / | # % : ; ... … © ® ° \" ' ( ) [ ] { } < > ! ? $ € £ ~ _ . , × ± → † ½ ™ ≤ ≥"
).split()
_ROMAN = "I II III IV V VI VII VIII IX X XI XII i ii iii iv v vi vii viii ix x xi".split()  # noqa: SIM905
_ALONE = "I I I a a a A 1 0 l O o x X Z".split()  # noqa: SIM905
_SHORTENED = (  # noqa: SIM905
    "e.g. i.e. U.S. U.K. Ph.D. a.m. p.m. Mr. Dr. vs. etc. et al. cf. Inc. Ltd. Co. St. c/o No. Nr. Fig. pp. p. Vol. ed."
).split()
_UNITS = "kg cm mm km ml lb oz ft in kB MB GHz °C °F % µm ¢".split()  # noqa: SIM905
_LIST_SIGNS = ("•", "-", "–", "—", "*", "»", ">")
_LIGHT_BELOW = 560  # sum of red, green and blue, up to which a ground's print is light
_RAISED, _BOLD, _ITALIC, _UNDER, _STRUCK = 0.03, 0.05, 0.07, 0.03, 0.05  # shares of words


def lone(r: Random, v: Vocabulary) -> str:
    """A mark that is a word."""
    return r.choice(_LONE)


def quoted(r: Random, v: Vocabulary) -> str:
    """One or two words with quotation marks, apostrophes, dashes, ellipses or other marks."""
    a, b = word(r, v), word(r, v)
    marks = r.choice(['""', '""', "''", "“”", "‘’", "«»", "„“"])
    forms = [
        *("{o}{a}{c}", "{o}{a} {b}{c}", "{o}{a},{c}", "{o}{a}.{c}", "{o}{a} {b}?{c}", "{o}{a}{c},", "{o}{a}{c}."),
        *("({o}{a}{c})", "{o}I {b}", "{b}!{c}", "{a}'s", "{a}s'", "{a}'s,", "'{n}s", "I'm {a}", "I've {a}", "I'd {a}"),
        *("{a}—{b}", "{a} — {b}", "{a} – {b}", "{a} - {b}", "{a}-{b}", "{a}-", "{a}...", "{a}…", "...{a}", "... {a}"),
        *("{a} ...", "{a} … {b}", "{a}/{b}", "{a} & {b}", "{a};", "{a}:", "{a}!", "{a}?", "[{a}]", "({a}", "{a})"),
        *("{a}*", "*{a}", "{a}.{n}", "{a}†", "{a}‡", "{a}™", "→ {a}"),
    ]
    return r.choice(forms).format(a=a, b=b, o=marks[0], c=marks[1], n=r.randrange(10, 99))


def spanned(r: Random, v: Vocabulary) -> str:
    """From one number, page, year, hour or letter to another."""
    dash, first = r.choice("–––-—"), r.randrange(1, 400)
    last, hours = first + r.randrange(1, 50), [f"{r.randrange(1, 24)}:{r.randrange(60):02}" for _ in range(2)]
    forms = [
        f"{first}{dash}{last}", f"pp. {first}{dash}{last}", f"{1600 + first}{dash}{1600 + last}", dash.join(hours),
        f"{r.choice('ABCDM')}{dash}{r.choice('KLXYZ')}", f"Mon{dash}Fri", f"{1600 + first}{dash}{last % 100:02}",
        f"{first}.{r.randrange(10)}{dash}{last}.{r.randrange(10)}", f"{first} {dash} {last}",
    ]  # fmt: skip
    return r.choice(forms)


def numbered(r: Random, v: Vocabulary) -> str:
    """What stands before an item: `1.`, `(b)`, `iv.`, `§ 3`, `2.1`."""
    sign = r.choice([str(r.randrange(1, 30)), r.choice(string.ascii_letters[:12] + "AB"), r.choice(_ROMAN)])
    forms = [
        *("{s}.", "{s})", "({s})", "[{s}]", "{s}", "§ {s}", "§{s}", "{s}.{n}", "{s}.{n}.{n}", "No. {s}", "#{s}"),
        "Fig. {s}:",
    ]
    return r.choice(forms).format(s=sign, n=r.randrange(1, 12))


def shortened(r: Random, v: Vocabulary) -> str:
    """Initials with a name, abbreviations, letters and figures that are words."""
    (a, b), name = r.choices(string.ascii_uppercase, k=2), texts.proper(r, v).split()[0]
    named = [f"{a}. {name}", f"{a}. {b}. {name}", f"{a}.{b}.", f"{name}, {a}.", f"{name}, {a}. {b}."]
    return r.choice([*named, r.choice(_SHORTENED), r.choice(_SHORTENED), r.choice(_ALONE), r.choice(_ALONE)])


def summed(r: Random, v: Vocabulary) -> str:
    """Money, shares, measures and numbers with signs."""
    n, m = r.randrange(1, 99_999), r.randrange(1, 99)
    forms = [
        f"${n / 100:,.2f}", f"£{n / 100:.2f}", f"€{n / 100:.2f}", f"{n / 100:.2f} €".replace(".", ","), f"{n}.–",
        f"({n / 100:,.2f})", f"-{n / 100:.2f}", f"–{m}", f"+{m / 10:.1f}%", f"{m} %", f"{m}%", f"{n / 100:.2f}*",
        f"{m}/{n % 99 + 1}", f"{n:,}", f"{n:,}".replace(",", "."), f"{m} {r.choice(_UNITS)}", f"{m}{r.choice(_UNITS)}",
        f"{m} x {n % 99} {r.choice(_UNITS)}", f"{m} × {n % 99}", f"{m}×{n % 99}", f"±{m / 10}", f"{m} ± {n % 9}",
        f"{m % 9}{r.choice('½¼¾')}", f"{r.choice('½¼¾')} {r.choice(_UNITS)}", f"{r.choice('≤≥')} {m}",
    ]  # fmt: skip
    return r.choice(forms)


def rare(r: Random, v: Vocabulary) -> str:
    """The signs of recipes, drawings, physics and notes, which are too rare elsewhere for a network to learn."""
    a, n, m = word(r, v), r.randrange(1, 40), r.randrange(1, 100)
    part, sign, unit, note = r.choice("½½¼¾"), r.choice("≤≥"), r.choice("µmVgNsA"), r.choice("††‡*")
    forms = [
        *(f"{n}{part}", f"{n % 10}{part}", f"{n} {part}", f"{part}", f"{part} {a}", f"{n}{part} {r.choice(_UNITS)}"),
        *(f"{n} × {m}", f"{n}×{m}", f"{n} × {m} × {m % 9 + 1}", f"×{n}", f"{n}×", f"{n / 10} × 10", f"{n} × {m}."),
        *(f"±{n}", f"± {m / 10}", f"{m}±{n / 10}", f"{n} ± {m / 100} {unit}", f"(±{m}%)", f"±{m}%", f"{n}.{m} ± 0.{n}"),
        *(f"{a}{note}", f"{m}{note}", f"{note}{a}", f"{note} {a}", f"{a},{note}", f"{a}.{note}", f"({note})", f"{a}†‡"),
        *(f"{a} → {word(r, v)}", f"→ {a}", "→", f"→ {n}", f"{n}→{m}", f"{a.title()} → {a}", f"(→ {n})", f"{a} →"),
        *(f"{sign} {m}", f"{sign}{m}", f"{a} {sign} {n / 10}", f"{n} {sign} n {sign} {m}", f"({sign}{n} {unit})"),
        *(f"{n}µ{unit}", f"{m} µm", f"µ = {n / 10}", f"{m}¢", f"{n} ¢", f"{a.title()}™", f"{a}™", f"{a.title()}™,"),
        *(f"„{a}“", f"„{a} {word(r, v)}“,", f"„{a}", f"„{a}”", f"„{a}“.", f"(„{a}“)", f"{a}: „{a}“"),
        # What looks like them.
        *(f"{n} x {m}", f"{n}x{m}", f"+{m}", f"{n}%", f"{n} %", f"{a}t", f"<{m}", f">{n}", f"-> {n}", f"– {a}"),
    ]  # fmt: skip
    return r.choice(forms)


# What is drawn, and how often.
_KINDS: dict[Callable[[Random, Vocabulary], str], int] = {
    word: 30,
    quoted: 24,
    shortened: 12,
    numbered: 10,
    spanned: 9,
    summed: 12,
    lone: 9,
    rare: 12,
    corpus.date: 3,
    corpus.time: 2,
    corpus.phone: 2,
    corpus.web: 4,
    lambda r, v: number(r): 6,
}
_MAKERS, _EDGES = list(_KINDS), list(accumulate(_KINDS.values()))
_COLUMNS = (lone, lone, numbered, spanned, summed, rare, shortened, word)


def signs(s: Setting) -> None:
    """Runs of such words, in columns, lists, panels and listings, as far down as the page goes."""
    parts = (_run, _run, _run, _table, _panel, _list, _listing)
    while s.y < s.bottom - 3 * s.em:
        s.r.choice(parts)(s)
        s.skip(s.r.uniform(0.4, 1))


def _words(s: Setting, least: int, most: int) -> list[Token]:
    """So many words, some of them bold, italic, underlined, struck or with a note's number behind them."""
    r, tokens, wished = s.r, list[Token](), s.r.randint(least, most)
    while len(tokens) < wished:
        for text in r.choices(_MAKERS, cum_weights=_EDGES)[0](r, s.vocabulary).split():
            cut = r.choices(["bold", "italic", ""], [_BOLD, _ITALIC, 1 - _BOLD - _ITALIC])[0]
            stroke = r.choices(["under", "through", ""], [_UNDER, _STRUCK, 1 - _UNDER - _STRUCK])[0]
            raised = str(r.randrange(1, 40)) if text[-1].isalpha() and r.random() < _RAISED else ""
            tokens.append(Token(text, cut, raised, stroke))
    return tokens


def _run(s: Setting) -> None:
    size, cut = s.r.choice((1, 1, 1, 1, 0.8, 1.25, 1.6, 2.4)), s.r.choice(("regular",) * 5 + ("bold", "italic"))
    align = s.r.choice(("left", "left", "justify", "middle", "right"))
    style = Style(size, cut, align=align, leading=s.r.uniform(1.1, 1.6), hyphenate=s.r.random() < 0.5)
    s.block(_words(s, 8, 40), style=style)


def _table(s: Setting) -> None:
    r, height = s.r, 1.6 * s.em
    makers = r.choices(_COLUMNS, k=r.randint(3, 8))
    tint, width = r.choice([None, None, r.choice(TINTS)]), s.width / len(makers)
    for row in range(r.randint(3, 8)):
        if s.y + height > s.bottom:
            return
        if tint and row % 2:
            s.sheet.fill(s.x0, s.y, s.x1, s.y + height, tint)
        for column, make in enumerate(makers):
            s.text(make(r, s.vocabulary), s.x0 + column * width + 0.2 * s.em, s.y + 0.15 * s.em)
        s.y += height
        if r.random() < 0.2:
            s.rule(s.y, s.x0, s.x1)


def _panel(s: Setting) -> None:
    colour = s.r.choice(s.r.choice((MIDDLE, MIDDLE, DARK, TINTS)))
    ink = WHITE if sum(colour) < _LIGHT_BELOW else BLACK
    style = Style(s.r.choice((0.85, 1, 1, 1.4)), s.r.choice(("regular", "bold")), ink)
    panel(s, s.x0, s.x1, colour, _words(s, 5, 25), style)


def _list(s: Setting) -> None:
    sign, type_ = s.r.choice((*_LIST_SIGNS, "", "", "")), s.type(Style())
    for _ in range(s.r.randint(2, 6)):
        if s.y + 1.4 * s.em > s.bottom:
            return
        shown = sign or numbered(s.r, s.vocabulary).split()[0]
        indent = max(2.2 * s.em, type_.width(shown) + type_.space)
        s.text(shown, s.x0, s.y)
        s.block(_words(s, 3, 12), s.x0 + indent, s.width - indent)


def _listing(s: Setting) -> None:
    for row in range(s.r.randint(3, 9)):
        if s.y + 1.4 * s.em > s.bottom:
            return
        s.text(str(row + 1), s.x0, s.y)
        text = " ".join(corpus.listing(s.r, s.vocabulary) for _ in range(s.r.randint(1, 5)))
        s.text(text, s.x0 + (2.5 + 1.5 * s.r.randrange(4)) * s.em, s.y)
        s.y += 1.3 * s.em
