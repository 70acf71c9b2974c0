"""A small vocabulary and the fonts that packages carry, audited once."""

from __future__ import annotations

import pytest

from ocrkit.synth.corpus import Vocabulary
from ocrkit.synth.fonts import FontVerdict, audit_font, font_files, font_folders

# Of the fonts that packages carry: for each split some, common and rare ones, and two the audit finds unfit.
FILES = ("DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf", "STIXGeneral.ttf", "Vera.ttf", "Lato-Regular.ttf",
         "Caladea-Regular.ttf", "Manrope-Regular.ttf", "cmex10.ttf", "cmr10.ttf")  # fmt: skip


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    """Words of several languages, with the letters whose capitals are special."""
    return Vocabulary(
        words=("the", "invoice", "total", "don't", "receipts", "quantity", "naïve", "payment", "Straße", "L'Haÿ"),
        foreign=("façade", "Größe", "señor", "ção", "Haÿ", "œuvre"),
        book=("“Yes,”", "Mr.", "said", "—and"),
        names=("O'Neill", "Ana María"),
        places=("Saint-Étienne", "York"),
        streets=("Main Street", "Rue de l'Haÿ"),
        companies=("Smith & Sons", "ACME, Inc."),
    )


@pytest.fixture(scope="session")
def verdicts() -> list[FontVerdict]:
    return [audit_font(path, kind) for path, kind in font_files(font_folders(["packages"])) if path.name in FILES]
