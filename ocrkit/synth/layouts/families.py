"""Families of faces: the cuts a page is set in belong together."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from ocrkit.synth.fonts import FontCatalogue, FontFace

_MARGINAL_KINDS = ("handwriting", "display")


@dataclass(frozen=True)
class Family:
    """The cuts of one family that a page is set in; a cut that is missing is replaced by the regular one."""

    regular: FontFace
    bold: FontFace
    italic: FontFace


class Families:
    """The families of a catalogue, drawn by kind of face and by their frequency."""

    def __init__(self, catalogue: FontCatalogue) -> None:
        cuts: dict[tuple[str, str], dict[str, FontFace]] = {}
        for face in catalogue.faces:
            style = face.style.lower()
            slanted = "italic" in style or "oblique" in style
            cut = "bold" if "bold" in style else "regular"
            cuts.setdefault((face.kind, face.family), {}).setdefault(cut + " italic" * slanted, face)
        self._by_kind: dict[str, list[Family]] = {}
        for (kind, _), faces in cuts.items():
            regular = faces.get("regular", next(iter(faces.values())))
            family = Family(regular, faces.get("bold", regular), faces.get("italic", regular))
            self._by_kind.setdefault(kind, []).append(family)

    def of(self, *kinds: str) -> list[Family]:
        """All families of these kinds of face, kind by kind, by name."""
        return [family for kind in kinds for family in self._by_kind.get(kind, ())]

    def draw(self, r: Random, *kinds: str) -> Family:
        """A family of one of `kinds`; of any but handwriting and display where the catalogue has none of them."""
        everything = [kind for kind in self._by_kind if kind not in _MARGINAL_KINDS] or list(self._by_kind)
        at_hand = [kind for kind in kinds if kind in self._by_kind] or everything
        families = self.of(*at_hand)
        edges = list(accumulate(family.regular.weight for family in families))
        return families[bisect(edges, r.random() * edges[-1])]
