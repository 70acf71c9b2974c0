"""Splits by document, never by word, and the same on every machine."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping

from ocrkit.datasets.repeats import Seen
from ocrkit.datasets.sample import LabelledPage
from ocrkit.errors import BadParams


def split_of(document: str, shares: Mapping[str, float], salt: str = "") -> str:
    """The split a document belongs to: its hash as a number in [0, 1), cut at the shares in their given order.

    Adding documents moves none of those already there; another salt is another, independent split.

    Args:
        document: its id.
        shares: split -> share of the documents; they sum to 1.
        salt: names this way of splitting.

    Raises:
        BadParams: shares that are negative or do not sum to 1.
    """
    if min(shares.values(), default=-1.0) < 0 or not math.isclose(sum(shares.values()), 1.0):
        raise BadParams(f"The shares of a split must sum to 1 and none be negative: {dict(shares)}.")
    digest = hashlib.sha256(f"{salt}:{document}".encode()).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    edge = 0.0
    for name, share in shares.items():
        edge += share
        if position < edge:
            return name
    return [name for name, share in shares.items() if share > 0][-1]  # rounding left the last edge below 1


def split_pages(
    pages: Iterable[LabelledPage], shares: Mapping[str, float], salt: str = ""
) -> dict[str, list[LabelledPage]]:
    """`pages` by split: as `split_of` has it, but documents of which one repeats pages of another stay together.

    Args:
        pages: with ids that are unique among them.
        shares: split -> share of the documents; they sum to 1.
        salt: names this way of splitting.

    Raises:
        BadParams: shares that are negative or do not sum to 1.
        BadImage: a page that cannot be read.
    """
    pages = list(pages)
    seen: Seen[str] = Seen()
    first: dict[str, str] = {}  # document -> one whose pages it repeats

    def origin(document: str) -> str:
        while document in first:
            document = first[document]
        return document

    for page in pages:
        for other, _ in seen.add(page.document or page.id, page.image()):
            late, early = origin(page.document or page.id), origin(other)
            if late != early:
                first[late] = early
    splits: dict[str, list[LabelledPage]] = {name: [] for name in shares}
    for page in pages:
        splits[split_of(origin(page.document or page.id), shares, salt)].append(page)
    return splits


def half_of(document: str) -> str:
    """`tune` or `report`: rules are fitted on the one half of a data set's documents and scored on the other."""
    return "report" if int(hashlib.md5(document.encode(), usedforsecurity=False).hexdigest()[0], 16) % 2 else "tune"
