"""The pages by number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from ocrkit.datasets import LabelledPage
from ocrkit.synth.corpus import Vocabulary
from ocrkit.synth.layouts.families import Family
from ocrkit.synth.printed.copies import COPIES, RESOLUTIONS
from ocrkit.synth.printed.layouts import Layout, layouts_of
from ocrkit.synth.printed.setting import Setting
from ocrkit.synth.printed.typefaces import installed

PAGES = 256  # of both halves: each layout sixteen times
_BODY_PT = (7.0, 14.0)
_LEAST_EM_PX = {"faxed": 20.0}  # what is smaller has lost its strokes
_LEAST_EM_ELSEWHERE_PX = 11.0


@dataclass(frozen=True, eq=False)
class PrintedPage:
    """A page, and what its words are.

    Attributes:
        page: as it got into the computer; each label is the box of its word's ink.
        kinds: of each of the page's words, such as "heading" or "on a tint".
        layout, typeface, copy: by name.
        body_pt: size of its body.
        dpi: px an inch.
    """

    page: LabelledPage
    kinds: tuple[frozenset[str], ...]
    layout: str
    typeface: str
    copy: str
    body_pt: float
    dpi: int


class PrintedPages:
    """The pages of a half: `pages[5]` is always the same one on machines that have the same typefaces.

    Args:
        vocabulary: what they say.
        half: "tune" or "report".
        seed: of all that is drawn.
        families: the typefaces by name; `None` for those of the half.
        layouts: by name; `None` for those of the half.

    Attributes:
        missing: typefaces of the half that this machine lacks; others take their place.

    Raises:
        BadDataset: it has none of them.
    """

    def __init__(
        self, vocabulary: Vocabulary, half: str, seed: int = 0, families: Mapping[str, Family] | None = None,
        layouts: Mapping[str, Layout] | None = None,
    ) -> None:  # fmt: skip
        self.vocabulary, self.half, self.seed = vocabulary, half, seed
        self._families, self.missing = (families, []) if families else installed(half)
        self._layouts = dict(layouts or layouts_of(half))

    @property
    def typefaces(self) -> list[str]:
        """Names of those in use."""
        return list(self._families)

    def __getitem__(self, number: int) -> PrintedPage:
        """Page `number`; layouts take turns, and so do typefaces and copies at paces of their own."""
        round_, place = divmod(number, len(self._layouts))
        (name, layout), names = list(self._layouts.items())[place], self.typefaces
        typeface, copied = names[(place + round_) % len(names)], list(COPIES)[(2 * place + round_) % len(COPIES)]
        r = Random(f"{self.seed}/{self.half}/{number}")
        dpi = round(r.uniform(*RESOLUTIONS[copied]))
        least_pt = _LEAST_EM_PX.get(copied, _LEAST_EM_ELSEWHERE_PX) * 72 / dpi
        body_pt = max(r.uniform(*_BODY_PT), min(least_pt, _BODY_PT[1]))
        # Code is set in a typewriter's face where there is one.
        mono = [other for other in names if "Mono" in other]
        if name == "code" and mono and round_ % 2 == 0:
            typeface = mono[0]
        setting = Setting(r, self.vocabulary, self._families[typeface], body_pt, dpi, height_in=layout.height_in)
        layout.make(setting)
        page = setting.sheet.page(f"{name}-{number}", "scanned_docs")
        return PrintedPage(COPIES[copied](page, r), tuple(setting.kinds), name, typeface, copied, body_pt, dpi)
