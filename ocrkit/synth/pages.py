"""Whole documents that never existed: receipts, letters, invoices, forms, two-column pages and screenshots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from ocrkit.datasets.sample import LabelledPage
from ocrkit.errors import BadDataset
from ocrkit.synth.camera import ScannerOptions, copy
from ocrkit.synth.corpus import Vocabulary
from ocrkit.synth.fonts import FontCatalogue, FontOptions, FontVerdict
from ocrkit.synth.layouts.families import Families
from ocrkit.synth.layouts.office import columns, form, invoice, letter
from ocrkit.synth.layouts.receipt import receipt
from ocrkit.synth.layouts.screenshot import screenshot
from ocrkit.synth.layouts.sheet import Sheet


@dataclass(frozen=True)
class Kind:
    """How a kind of page is made, and the category its scores are counted under."""

    make: Callable[[Random, Vocabulary, Families], Sheet]
    category: str


KINDS = {
    "receipt": Kind(receipt, "register_tapes"),
    "letter": Kind(letter, "letter_sized"),
    "invoice": Kind(invoice, "letter_sized"),
    "form": Kind(form, "letter_sized"),
    "columns": Kind(columns, "letter_sized"),
    "screenshot": Kind(screenshot, "screenshots"),
}


@dataclass(frozen=True)
class PageOptions:
    """What pages are made, and how they get into the computer.

    Attributes:
        seed: of all random choices.
        kinds: names out of `KINDS`, equally often.
        scanned: share of the pages on paper that went through a scanner; the others are as clean as a printed PDF.
    """

    seed: int = 7
    kinds: tuple[str, ...] = ("receipt", "letter", "invoice", "form", "columns", "screenshot")
    scanned: float = 0.7
    scanner: ScannerOptions = field(default_factory=ScannerOptions)
    fonts: FontOptions = field(default_factory=FontOptions)


class PageGenerator:
    """Labelled pages by number: `generator[5]` is always the same page, whoever asks for it.

    Args:
        vocabulary: what the pages say.
        verdicts: the font audit.
        options: see `PageOptions`.

    Raises:
        BadDataset: no usable font or word, or a kind of page that does not exist.
    """

    def __init__(
        self, vocabulary: Vocabulary, verdicts: Sequence[FontVerdict], options: PageOptions = PageOptions()
    ) -> None:
        unknown = set(options.kinds) - set(KINDS)
        if unknown or not options.kinds:
            raise BadDataset(f"Pages come as {', '.join(KINDS)}; not as {', '.join(sorted(unknown)) or 'nothing'}.")
        if not vocabulary.words:
            raise BadDataset("The vocabulary holds no usable word.")
        self.vocabulary, self.options = vocabulary, options
        self.families = Families(FontCatalogue(verdicts, options.fonts))

    def __getitem__(self, index: int) -> LabelledPage:
        """Page `index`, any whole number from 0."""
        kind = self.kind(index)
        page = self.sheet(index).page(f"simulated-{kind}-{index}", KINDS[kind].category)
        r = self._random("scanner", index)
        if kind == "screenshot" or r.random() >= self.options.scanned:
            return page
        copied = copy(page, r, self.options.scanner)
        return copied if kind == "receipt" else replace(copied, category="scanned_docs")

    def kind(self, index: int) -> str:
        """Which of `KINDS` page `index` is; they take turns."""
        return self.options.kinds[index % len(self.options.kinds)]

    def sheet(self, index: int) -> Sheet:
        """Page `index` as it was set, before any scanner, its text apart from its ground."""
        return KINDS[self.kind(index)].make(self._random("sheet", index), self.vocabulary, self.families)

    def _random(self, purpose: str, index: int) -> Random:
        return Random(f"{self.options.seed}/{self.options.fonts.split}/{self.kind(index)}/{purpose}/{index}")
