"""The typefaces: those most print is set in, or their free counterparts of the same widths."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ocrkit.errors import BadDataset
from ocrkit.synth.fonts import FontFace, audit_font, font_files, font_folders
from ocrkit.synth.layouts.families import Family


class Typeface(NamedTuple):
    """A family by the names of its files, without their endings; `source` is the package that brings it."""

    name: str
    half: str
    regular: str
    bold: str
    italic: str
    source: str


TYPEFACES = (
    Typeface("STIX General", "tune", "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "matplotlib"),
    Typeface("Liberation Sans", "tune", *(f"LiberationSans-{c}" for c in ("Regular", "Bold", "Italic")), "fonts-liberation"),
    Typeface("DejaVu Sans", "tune", "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "matplotlib"),
    Typeface("Lato", "tune", "Lato-Regular", "Lato-Bold", "Lato-Italic", "font-lato"),
    Typeface("Caladea", "tune", "Caladea-Regular", "Caladea-Bold", "Caladea-Italic", "font-caladea"),
    Typeface("Liberation Mono", "tune", *(f"LiberationMono-{c}" for c in ("Regular", "Bold", "Italic")), "fonts-liberation"),
    Typeface("Source Serif", "tune", "SourceSerifPro-Regular", "SourceSerifPro-Bold", "SourceSerifPro-It", "font-source-serif-pro"),
    Typeface("C059", "tune", *(f"C059-{c}" for c in ("Roman", "Bold", "Italic")), "fonts-urw-base35"),
    Typeface("Liberation Serif", "report", *(f"LiberationSerif-{c}" for c in ("Regular", "Bold", "Italic")), "fonts-liberation"),
    Typeface("Carlito", "report", "Carlito-Regular", "Carlito-Bold", "Carlito-Italic", "fonts-crosextra-carlito"),
    Typeface("DejaVu Serif", "report", "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "matplotlib"),
    Typeface("Hanken Grotesk", "report", "HankenGrotesk-Regular", "HankenGrotesk-Bold", "HankenGrotesk-Italic", "font-hanken-grotesk"),
    Typeface("Source Sans", "report", "SourceSansPro-Regular", "SourceSansPro-Bold", "SourceSansPro-It", "font-source-sans-pro"),
    Typeface("DejaVu Sans Mono", "report", "DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique", "matplotlib"),
    Typeface("P052", "report", *(f"P052-{c}" for c in ("Roman", "Bold", "Italic")), "fonts-urw-base35"),
    Typeface("Nimbus Sans", "report", *(f"NimbusSans-{c}" for c in ("Regular", "Bold", "Italic")), "fonts-urw-base35"),
)  # fmt: skip


def installed(half: str, typefaces: Iterable[Typeface] = TYPEFACES) -> tuple[dict[str, Family], list[Typeface]]:
    """The families of `half` that this machine has, by name; and those that it lacks.

    Fonts of Python packages go before those of the system, so that what both have is the same everywhere.

    Raises:
        BadDataset: it has none of them.
    """
    files = {path.stem: path for path, _ in reversed(font_files(font_folders(("packages", "system"))))}
    found, missing = {}, []
    for typeface in typefaces:
        if typeface.half != half:
            continue
        cuts = (typeface.regular, typeface.bold, typeface.italic)
        if all(cut in files for cut in cuts):
            verdicts = [audit_font(files[cut]) for cut in cuts]
            faces = (FontFace(v.path, v.family, v.style, v.kind, frozenset(v.characters)) for v in verdicts)
            found[typeface.name] = Family(*faces)
        else:
            missing.append(typeface)
    if not found:
        raise BadDataset(
            f"None of the typefaces is installed: pip install 'ocrkit[train]', or apt-get install {missing[0].source}."
        )
    return found, missing
