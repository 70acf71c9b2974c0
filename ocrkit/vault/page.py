"""A donor's page: what I gave, for what, who used it when, and how to take it back."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ocrkit.document import counted
from ocrkit.html import Cell, Row, Table, render
from ocrkit.origin import now
from ocrkit.vault.consent import USES
from ocrkit.vault.keys import Donor

_TEMPLATE = Path(__file__).with_name("donor.html")
_DOING = {
    "train": "to teach a model",
    "evaluate": "to measure how well programs read",
    "label": "to write down their text",
}
_LANES = {use: 22 + 34 * row for row, use in enumerate(USES)}  # y of each use, px
_LEFT, _RIGHT, _BOTTOM, _EDGE = 86, 780, 122, 16  # px


def donor_page(donor: str, its: Donor, entries: Iterable[Mapping[str, Any]], contact: str, vault: str) -> str:
    """The page of a donor as HTML that needs nothing else; it shows no document.

    Args:
        donor: the name that the vault has.
        its: what the vault holds.
        entries: of the whole log.
        contact: whom the donor writes to; empty for nobody.
        vault: its folder, for the command.
    """
    entries = list(entries)
    own = [entry for entry in entries if entry.get("donor") == donor]
    sessions = {entry["session"] for entry in own if entry["what"] == "read" and entry["use"] == "train"}
    models = {str(e["name"]): None for e in entries if e["what"] == "model" and e["session"] in sessions}
    uses = _uses(own)
    withdrawn = its.consent.withdrawn
    count = len(its.documents)
    lead = f"You gave {counted(len(its.withdrawn) or count, 'page')}; they were used {counted(len(uses), 'time')}."
    names = list(its.documents)
    return render(
        _TEMPLATE,
        "Your documents",
        {"Donor": donor, "Made": now()},
        donor=donor,
        lead=lead if names or its.withdrawn else "You have given nothing yet.",
        withdrawn=withdrawn
        and f"You took them back on {_day(withdrawn)}. The key to them was destroyed that day: nobody can read them.",
        agreed=_agreed(its),
        given=_given(its) if names else None,
        timeline=_timeline(uses),
        caption="A dot is a day on which it was used; the larger, the more often.",
        uses=_used(uses) if uses else None,
        models=list(models),
        contact=contact,
        command=f"ocrkit vault withdraw {shlex.quote(donor)} --vault {shlex.quote(vault)}",
    )


def _agreed(its: Donor) -> dict[str, str]:
    consent = its.consent
    allowed = [_DOING[use] for use in consent.uses]
    refused = [_DOING[use] for use in USES if use not in consent.uses]
    facts = {
        "Allowed": "; ".join(allowed) or "nothing",
        "Not allowed": "; ".join(refused) or "–",
        "Since": _day(consent.given),
        "Until": _day(consent.until) if consent.until else "you take it back",
        "Wording": f"the text whose SHA-256 begins with {consent.wording_sha256[:16]}",
    }
    return facts


def _given(its: Donor) -> Table:
    rows = [
        Row([Cell(document.name), Cell(_day(date.fromisoformat(document.added)), value=document.added), Cell(name[:8])])
        for name, document in its.documents.items()
    ]
    return Table("What you gave", {"file": "", "given on": "", "number": "of the page, as lists of ours have it"}, rows)


def _uses(own: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each session's reading for one use, as one: when, who, what for, and how many pages."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for entry in own:
        if entry["what"] == "read":
            key = (entry["session"], entry["use"], entry["reason"], entry["time"][:16])
            use = found.setdefault(key, {**entry, "pages": set()})
            use["pages"].add(entry["object"])
    return sorted(found.values(), key=lambda use: str(use["time"]))


def _used(uses: Sequence[Mapping[str, Any]]) -> Table:
    rows = [
        Row(
            [
                Cell(f"{_day(date.fromisoformat(use['time'][:10]))}, {use['time'][11:16]} UTC", value=use["time"]),
                Cell(str(use["by"]["member"])),
                Cell(_DOING[use["use"]]),
                Cell(str(use["reason"])),
                Cell(str(len(use["pages"])), value=float(len(use["pages"]))),
            ]
        )
        for use in reversed(uses)
    ]
    columns = {"when": "", "who": "", "what for": "", "in their words": "", "pages": ""}
    return Table("Who used it, when and for what", columns, rows)


def _timeline(uses: Sequence[Mapping[str, Any]]) -> Markup | None:
    """A lane for each use, a dot for each day; nothing where all was on one day."""
    times = Counter((use["use"], date.fromisoformat(use["time"][:10]).toordinal()) for use in uses)
    days = [day for _, day in times]
    if len(set(days)) < 2:
        return None
    first, last = min(days), max(days)
    parts = []
    for use, y in _LANES.items():
        parts.append(f'<line class="axis" x1="{_LEFT}" x2="{_RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{_LEFT - 12}" y="{y + 4}" text-anchor="end">{use}</text>')
    for (use, day), count in times.items():
        x = _LEFT + _EDGE + (_RIGHT - _LEFT - 2 * _EDGE) * (day - first) / (last - first)
        radius = min(14.0, 3 + 2 * count**0.5)
        parts.append(f'<circle class="dot" cx="{x:.0f}" cy="{_LANES[use]}" r="{radius:.1f}"/>')
    for day, x, anchor in ((first, _LEFT + _EDGE, "start"), (last, _RIGHT - _EDGE, "end")):
        parts.append(f'<text x="{x}" y="{_BOTTOM}" text-anchor="{anchor}">{_day(date.fromordinal(day))}</text>')
    drawn = "".join(parts)
    size = f"0 0 {_RIGHT + 20} {_BOTTOM + 10}"
    return Markup(f'<svg viewBox="{size}" role="img" aria-label="When it was used">{drawn}</svg>')


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
