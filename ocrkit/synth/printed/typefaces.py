"""The typefaces: those most print is set in, or their free counterparts of the same widths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ocrkit.errors import BadDataset
from ocrkit.synth.fonts import FontCatalogue, FontFace, FontOptions, FontVerdict, audit_font, font_files, font_folders
from ocrkit.synth.layouts.families import Families, Family

_TEXT_KINDS = ("serif", "sans", "mono")
_SIGNS = frozenset("'\"‘’“”–—•,.;:-()[]€£§")  # a page has them all


class Typeface(NamedTuple):
    """A family by the names of its files, without their endings; `source` is the package that brings it."""

    name: str
    half: str
    regular: str
    bold: str
    italic: str
    source: str


_TRUETYPE, _SOURCE, _URW = (
    ("-Regular", "-Bold", "-Italic"),
    ("-Regular", "-Bold", "-It"),
    ("-Roman", "-Bold", "-Italic"),
)
_DEJAVU, _STIX = ("", "-Bold", "-Oblique"), ("", "Bol", "Italic")
TYPEFACES = tuple(
    Typeface(name, half, stem + cuts[0], stem + cuts[1], stem + cuts[2], source)
    for name, half, stem, cuts, source in (
        ("STIX General", "tune", "STIXGeneral", _STIX, "matplotlib"),
        ("Liberation Sans", "tune", "LiberationSans", _TRUETYPE, "fonts-liberation"),
        ("DejaVu Sans", "tune", "DejaVuSans", _DEJAVU, "matplotlib"),
        ("Lato", "tune", "Lato", _TRUETYPE, "font-lato"),
        ("Caladea", "tune", "Caladea", _TRUETYPE, "font-caladea"),
        ("Liberation Mono", "tune", "LiberationMono", _TRUETYPE, "fonts-liberation"),
        ("Source Serif", "tune", "SourceSerifPro", _SOURCE, "font-source-serif-pro"),
        ("C059", "tune", "C059", _URW, "fonts-urw-base35"),
        ("Liberation Serif", "report", "LiberationSerif", _TRUETYPE, "fonts-liberation"),
        ("Carlito", "report", "Carlito", _TRUETYPE, "fonts-crosextra-carlito"),
        ("DejaVu Serif", "report", "DejaVuSerif", ("", "-Bold", "-Italic"), "matplotlib"),
        ("Hanken Grotesk", "report", "HankenGrotesk", _TRUETYPE, "font-hanken-grotesk"),
        ("Source Sans", "report", "SourceSansPro", _SOURCE, "font-source-sans-pro"),
        ("DejaVu Sans Mono", "report", "DejaVuSansMono", _DEJAVU, "matplotlib"),
        ("P052", "report", "P052", _URW, "fonts-urw-base35"),
        ("Nimbus Sans", "report", "NimbusSans", _TRUETYPE, "fonts-urw-base35"),
    )
)


def installed(half: str, typefaces: Iterable[Typeface] = TYPEFACES) -> tuple[dict[str, Family], list[Typeface]]:
    """The families of `half` that this machine has, by name; and those that it lacks.

    Fonts of Python packages go before those of the system, so that what both have is the same everywhere.

    Raises:
        BadDataset: it has none of them.
    """
    found_files = font_files(font_folders(("packages", "system")))
    files = {path.stem: path for path, _ in reversed(found_files) if path.suffix.lower() in (".ttf", ".otf")}
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


def other_typefaces(verdicts: Sequence[FontVerdict]) -> dict[str, Family]:
    """Families of text that training may see, by name: none of `TYPEFACES`, and none cut from these.

    Raises:
        BadDataset: there is none.
    """
    ours = tuple(face.name.replace(" ", "") for face in TYPEFACES)
    families = Families(FontCatalogue(verdicts, FontOptions(split="train"))).of(*_TEXT_KINDS)
    named = {family.regular.family: family for family in families if family.regular.characters >= _SIGNS}
    others = {name: family for name, family in named.items() if not name.replace(" ", "").startswith(ours)}
    if not others:
        raise BadDataset("No typeface is left to set pages in that training may see; fetch more with `make fonts`.")
    return others
