"""Whole documents that never existed: receipts, letters, invoices, forms, two-column pages and screenshots."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import cv2

from ocrkit.datasets.sample import LabelledPage, LabelledWord
from ocrkit.errors import BadDataset
from ocrkit.files import make_folder, write_whole
from ocrkit.synth.camera import CameraOptions, Photo, ScannerOptions, copy, photograph
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
        kind, page = self.kind(index), self._clean(index)
        r = self._random("scanner", index)
        if kind == "screenshot" or r.random() >= self.options.scanned:
            return page
        copied = copy(page, r, self.options.scanner)
        return copied if kind == "receipt" else replace(copied, category="scanned_docs")

    def photo(self, index: int, options: CameraOptions) -> Photo:
        """Page `index` as it was set, lying on a desk and photographed."""
        return photograph(self._clean(index), self._random("camera", index), options)

    def kind(self, index: int) -> str:
        """Which of `KINDS` page `index` is; they take turns."""
        return self.options.kinds[index % len(self.options.kinds)]

    def sheet(self, index: int) -> Sheet:
        """Page `index` as it was set, before any scanner, its text apart from its ground."""
        return KINDS[self.kind(index)].make(self._random("sheet", index), self.vocabulary, self.families)

    def _clean(self, index: int) -> LabelledPage:
        kind = self.kind(index)
        return self.sheet(index).page(f"simulated-{kind}-{index}", KINDS[kind].category)

    def _random(self, purpose: str, index: int) -> Random:
        return Random(f"{self.options.seed}/{self.options.fonts.split}/{self.kind(index)}/{purpose}/{index}")


def write_pages(folder: Path, pages: PageGenerator, count: int, camera: CameraOptions | None = None) -> None:
    """Write pages 0 to `count - 1`, each as `<id>.png` beside `<id>.json`; files of those names are replaced.

    The labels, written once their image is there, hold in px of the image, clockwise from the text's own top-left:

    - `words`: `text`, `quad` and upright `box` of every word, in reading order; an empty text is ink nobody can spell;
    - `lines`: the same of every line, in reading order; each takes the next words that have a text;
    - `corners`: those of the photographed page, clockwise from its own top-left; `null` where there is no photo;
    - `category`, and `simulated`, which is true.

    Args:
        folder: made where it is missing.
        pages: see `PageGenerator`.
        count: how many.
        camera: photograph the pages so; otherwise they are scanned or left clean, as their options say.

    Raises:
        OcrkitError: the folder cannot be written, or the disk is full.
    """
    folder = make_folder(folder)
    for index in range(count):
        photo = pages.photo(index, camera) if camera else None
        page = photo.page if photo else pages[index]
        image = page.image()
        stored = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        labels = {
            "words": [_label(word) for word in page.words],
            "lines": [_label(line) for line in page.lines],
            "corners": photo.corners.round(2).tolist() if photo else None,
            "category": page.category,
            "simulated": page.simulated,
        }
        write_whole(folder / f"{page.id}.png", cv2.imencode(".png", stored)[1].tobytes())
        write_whole(folder / f"{page.id}.json", json.dumps(labels, ensure_ascii=False))


def _label(label: LabelledWord) -> dict[str, Any]:
    return {"text": label.text, "quad": label.quad.round(2).tolist(), "box": label.box.round(2).tolist()}
