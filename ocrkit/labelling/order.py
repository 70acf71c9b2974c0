"""Which words people are asked about first, so that few answers find many errors.

Where two models disagree, one of them is wrong; then come the words that a model is least sure of. A share of random
ones keeps the measure of the whole unbiased and finds what both models are wrong about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from ocrkit.errors import BadParams

ORDERS = ("disagreement", "confidence", "random", "given")
RANDOM_SHARE = 0.2


@dataclass(frozen=True)
class Reading:
    """What two models make of a word, and how sure the first one is."""

    text: str
    confidence: float
    other: str | None = None


def ordered(
    readings: Sequence[Reading], order: str, seed: int = 7, random_share: float = RANDOM_SHARE
) -> list[tuple[int, bool]]:
    """Places of `readings` in the order to ask in, each with whether chance put it there.

    Of every few places `random_share` go to a word drawn from those that are left. The whole order is a permutation, so
    that its first n are the same however many are asked for.

    Raises:
        BadParams: no such order.
    """
    if order not in ORDERS:
        raise BadParams(f"There is no order {order!r}; choose one of {', '.join(ORDERS)}.")
    shuffled = Random(f"{seed}/order").sample(range(len(readings)), len(readings))
    if order == "given":
        return [(place, False) for place in range(len(readings))]
    if order == "random":
        return [(place, True) for place in shuffled]

    def doubt(place: int) -> tuple[bool, float]:
        reading = readings[place]
        agree = order == "confidence" or reading.other is None or reading.other == reading.text
        return agree, reading.confidence

    first = iter(sorted(shuffled, key=doubt))
    by_chance = iter(shuffled)
    taken: set[int] = set()
    result = []
    for number in range(len(readings)):
        is_random = int((number + 1) * random_share) > int(number * random_share)
        place = next(place for place in (by_chance if is_random else first) if place not in taken)
        taken.add(place)
        result.append((place, is_random))
    return result
