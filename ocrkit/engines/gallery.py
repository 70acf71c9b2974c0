"""Pictures of what one engine read right and another wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ocrkit.datasets import LabelledPage, LabelledWord
from ocrkit.document import Image
from ocrkit.engines.compare import Comparison
from ocrkit.html import picture

_AROUND = 0.25  # of a label's height, shown on each side of it
_MOST_HEIGHT_PX = 64


@dataclass(frozen=True, eq=False)
class Won:
    """A label that one engine read right and the other as `wrong`."""

    page: LabelledPage
    label: LabelledWord
    wrong: str


def wins(comparison: Comparison, pages: Sequence[LabelledPage], winner: str, loser: str) -> list[Won]:
    """The labels that `winner` read right and `loser` wrong, on pages that neither failed on.

    Args:
        comparison: of both engines.
        pages: those compared on, in the same order.
        winner: its name.
        loser: its name.

    Returns:
        First one of each page, then another one of each, so that the first few come from many pages.
    """
    ranked: list[tuple[int, Won]] = []
    both = ([score for score in comparison.scores if score.engine == engine] for engine in (winner, loser))
    for page, mine, other in zip(pages, *both, strict=True):
        if not (mine.error or other.error):
            labels = zip(page.readable, mine.right, other.right, other.readings)
            ranked += enumerate(Won(page, label, text) for label, right, too, text in labels if right and not too)
    return [won for _, won in sorted(ranked, key=lambda pair: pair[0])]


def shown_wins(found: Sequence[Won]) -> list[dict[str, str]]:
    """For a page: each one's picture, its label, what was read instead, and the page it stands on."""
    return [
        {
            "picture": picture(_cut(won.page.image(), won.label.box), _MOST_HEIGHT_PX),
            "label": won.label.text,
            "wrong": won.wrong,
            "page": won.page.id,
        }
        for won in found
    ]


def _cut(image: Image, box: np.ndarray) -> Image:
    around = _AROUND * (box[3] - box[1])
    height, width = image.shape[:2]
    low = np.clip(np.floor(box[:2] - around), 0, (width - 1, height - 1)).astype(int)
    high = np.maximum(np.ceil(box[2:] + around).astype(int), low + 1)
    return image[low[1] : high[1], low[0] : high[0]]
