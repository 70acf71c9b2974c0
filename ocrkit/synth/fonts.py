"""Fonts: where they are found, which are fit for use, how often each is drawn, which families are held out."""

from __future__ import annotations

import hashlib
import json
import string
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageFont

from ocrkit.alphabet import CHARACTERS
from ocrkit.errors import BadDataset, BadParams
from ocrkit.files import write_whole

_LETTERS_AND_FIGURES = string.ascii_letters + string.digits
_TWO_FORMED = "abdeghnqrt"  # letters whose small form is no smaller capital
_MARKS = "<>{}[]/\\"  # the encodings of TeX have dashes, quotes and Greek letters there
_AUDIT_RULES = 3  # raise it when the audit's rules change, so that kept verdicts are not taken for new ones
FONT_SUFFIXES = {".ttf", ".otf", ".woff", ".woff2"}
EM_PX = 40  # every glyph is drawn once at this size, then scaled down

# The families documents are really set in, by the name of the family or of the open font with the same metrics,
# with how many times more often than an ordinary family they are drawn.
FREQUENT_FAMILIES = {
    **dict.fromkeys(("arimo", "liberation sans", "arial", "helvetica", "nimbus sans"), 14.0),
    **dict.fromkeys(("tinos", "liberation serif", "times new roman", "nimbus roman"), 12.0),
    **dict.fromkeys(("stixgeneral", "stix two text"), 12.0),
    **dict.fromkeys(("cousine", "liberation mono", "courier new", "courier prime", "nimbus mono ps"), 9.0),
    **dict.fromkeys(("dejavu sans", "bitstream vera sans", "verdana", "carlito", "calibri"), 6.0),
    **dict.fromkeys(("caladea", "gelasio", "noto serif", "noto sans", "roboto", "open sans", "dejavu serif"), 4.0),
    **dict.fromkeys(("dejavu sans mono", "roboto condensed", "arimo condensed", "liberation sans narrow"), 4.0),
    **dict.fromkeys(("lato", "source sans pro", "source serif pro", "pt sans", "pt serif", "eb garamond"), 3.0),
    **dict.fromkeys(("libre franklin", "archivo narrow", "pt sans narrow", "oswald", "montserrat", "inter"), 3.0),
    **dict.fromkeys(("special elite", "vt323", "dotgothic16", "share tech mono", "cutive mono", "anonymous pro"), 4.0),
    **dict.fromkeys(("libre baskerville", "crimson text", "old standard tt", "libre caslon text", "bodoni moda"), 3.0),
}
CLASS_WEIGHTS = {"sans": 1.0, "serif": 1.2, "mono": 2.2, "thermal": 3.0, "handwriting": 0.25, "display": 0.3}
# Printers of tills and matrix printers: pixel, dot and terminal faces.
THERMAL_FAMILIES = (
    "vt323", "dotgothic", "press start", "silkscreen", "pixelify", "share tech mono", "jersey", "micro 5", "tiny5",
    "terminus", "ocr-a", "ocr a", "ocrb", "fake receipt", "dot matrix", "merchant copy", "doto", "bitcount", "handjet",
    "sixtyfour", "workbench",
)  # fmt: skip


@dataclass(frozen=True)
class FontFace:
    """One usable face: its file, family, style, class, and the characters it really draws."""

    path: str
    family: str
    style: str
    kind: str
    characters: frozenset[str] = field(repr=False)

    @property
    def weight(self) -> float:
        """How often this face is drawn when sampling by frequency, relative to an ordinary sans face."""
        return FREQUENT_FAMILIES.get(self.family.lower(), 1.0) * CLASS_WEIGHTS[self.kind]


def open_font(path: str) -> ImageFont.FreeTypeFont:
    """The face at `EM_PX`.

    Raises:
        BadDataset: the file is no font FreeType can open.
    """
    try:
        return ImageFont.truetype(path, EM_PX, layout_engine=ImageFont.Layout.BASIC)
    except OSError as error:
        raise BadDataset(f"{path} cannot be opened as a font: {error}.") from None


load_font = lru_cache(maxsize=2048)(open_font)  # those that words are drawn with stay open, some 60 KB each


@dataclass(frozen=True)
class FontVerdict:
    """What the audit saw of one file; `fault` is empty when the face may be used."""

    path: str
    family: str
    style: str
    kind: str
    characters: str
    fault: str
    digest: str = ""
    """Of the file and of the audit's rules: equal digests, equal verdicts."""


def _draw(font: ImageFont.FreeTypeFont, text: str) -> np.ndarray:
    mask = font.getmask(text, mode="L")
    width, height = mask.size
    return np.frombuffer(bytes(mask), np.uint8).reshape(height, width)


def _shape(ink: np.ndarray) -> np.ndarray:
    """The gist of a glyph, size and proportions aside: a blurred 16 x 16 picture of mean 0 and length 1."""
    if not ink.size:
        return np.zeros(256, np.float32)
    small = cv2.GaussianBlur(cv2.resize(ink, (16, 16), interpolation=cv2.INTER_AREA).astype(np.float32), (0, 0), 1.2)
    centred = small.ravel() - small.mean()
    return centred / (np.linalg.norm(centred) + 1e-6)


@lru_cache(maxsize=1)
def _reference() -> dict[str, np.ndarray]:
    """What letters, figures and brackets look like, in the plain stroke font that OpenCV draws itself."""
    shapes = {}
    for sign in _LETTERS_AND_FIGURES + _MARKS:
        canvas = np.zeros((80, 80), np.uint8)
        cv2.putText(canvas, sign, (20, 55), cv2.FONT_HERSHEY_COMPLEX, 1.4, 255, 4)
        x, y, width, height = cv2.boundingRect(canvas)
        shapes[sign] = _shape(canvas[y : y + height, x : x + width])
    return shapes


def likeness(inks: Mapping[str, np.ndarray], signs: Iterable[str]) -> float:
    """How much drawn characters look like what they stand for: the mean correlation, 1 for alike, of `signs`."""
    return float(np.mean([_shape(inks[sign]) @ _reference()[sign] for sign in signs]))


def audit_font(path: Path, kind: str = "") -> FontVerdict:
    """Draw every character of the alphabet and look: squares for missing glyphs, one case for both, odd metrics.

    Args:
        path: font file.
        kind: its class where a catalogue says it; guessed from the name otherwise.
    """
    digest = ""
    try:
        digest = font_digest(path)
        font = open_font(str(path))
        family, style = (name or "" for name in font.getname())
        missing = [_draw(font, sign) for sign in ("\U0010fffe", "\uffff", "\u0378")]
        inks = {character: _draw(font, character) for character in CHARACTERS if character != " "}
    except (BadDataset, OSError, ValueError) as error:
        return FontVerdict(str(path), path.stem, "", kind or "display", "", f"unreadable: {error}", digest)
    drawn = {c for c, ink in inks.items() if ink.any() and not any(np.array_equal(ink, box) for box in missing)}
    characters = "".join(sorted(drawn)) + " "
    kind = kind or guess_kind(family, font)
    return FontVerdict(str(path), family, style, kind, characters, _fault(inks, drawn), digest)


def _fault(inks: Mapping[str, np.ndarray], drawn: Set[str]) -> str:  # noqa: PLR0911  (a list of faults)
    """What speaks against a face whose characters look like `inks`; empty where nothing does."""

    def alike(a: str, b: str) -> bool:
        return np.array_equal(inks[a], inks[b])

    if not drawn >= set(_LETTERS_AND_FIGURES):
        return "letters or figures missing"
    # Small capitals look like capitals at any size; of all other faces the median is 0.77 at most.
    if np.median([_shape(inks[letter]) @ _shape(inks[letter.upper()]) for letter in _TWO_FORMED]) > 0.9:
        return "upper and lower case alike"
    if any(alike(a, b) for a, b in ("ab", "no", "mw", "12", "89", "AB", "EF")):
        return "different letters drawn alike"
    height, widths = inks["H"].shape[0] / EM_PX, {letter: inks[letter].shape[1] for letter in "im"}
    if not 0.35 <= height <= 1.1:
        return f"wrong metrics: a capital is {height:.2f} em high"
    if likeness(inks, _LETTERS_AND_FIGURES) < 0.25:
        return "symbols or scrawl in place of letters"
    if widths["i"] > 2.5 * widths["m"] or widths["m"] > 2.5 * EM_PX:
        return "wrong metrics: letter widths"
    if drawn >= set(_MARKS) and likeness(inks, _MARKS) < 0.33:
        return "other signs in place of brackets"
    return ""


def font_digest(path: Path) -> str:
    """SHA-256 of the audit's rules and the file."""
    rules = f"audit {_AUDIT_RULES} at {EM_PX} px of {CHARACTERS}"
    return hashlib.sha256(rules.encode() + path.read_bytes()).hexdigest()


def guess_kind(family: str, font: ImageFont.FreeTypeFont) -> str:
    """`thermal`, `mono`, `serif`, `handwriting`, `display` or `sans`, from the name and the widths of i and m."""
    name = family.lower()
    if any(key in name for key in THERMAL_FAMILIES):
        return "thermal"
    if font.getlength("i") == font.getlength("m"):
        return "mono"
    if any(key in name for key in ("script", "hand", "cursive", "caveat", "brush")):
        return "handwriting"
    serif = any(
        key in name for key in ("serif", "times", "roman", "tinos", "garamond", "stix", "book", "caladea", "cm")
    )
    return "serif" if serif and "sans" not in name else "sans"


_FONTSOURCE_KINDS = {"sans-serif": "sans", "monospace": "mono", **{k: k for k in ("serif", "handwriting", "display")}}


def font_files(folders: Iterable[Path]) -> list[tuple[Path, str]]:
    """All font files below `folders`, folder by folder, with their class where an `index.json` there tells it.

    Raises:
        BadDataset: an index that is damaged.
    """
    found: dict[Path, str] = {}
    for folder in folders:
        kinds = _categories(folder / "index.json")
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in FONT_SUFFIXES:
                told = _FONTSOURCE_KINDS.get(kinds.get(path.name, ""), "")
                thermal = any(key.replace(" ", "-") in path.name.lower() for key in THERMAL_FAMILIES)
                found.setdefault(path, "thermal" if told and thermal else told)
    return list(found.items())


def _categories(index: Path) -> dict[str, str]:
    """What `make fonts` noted about each file: its category."""
    try:
        notes = json.loads(index.read_text("utf-8")) if index.exists() else {}
        return {name: note if isinstance(note, str) else note["category"] for name, note in notes.items()}
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise BadDataset(f"{index} is damaged ({error}); delete it and run `make fonts` again.") from None


def font_folders(sources: Iterable[str]) -> list[Path]:
    """The folders that `sources` stand for, those that exist.

    Args:
        sources: `packages` for the fonts that pinned Python packages carry, the same on every machine; `system` for
            those this machine has; anything else is a folder, such as what `make fonts` fetched.
    """
    site = [Path(entry) for entry in sys.path if entry.endswith("site-packages")]
    known = {
        "packages": [
            folder
            for entry in site
            for pattern in ("matplotlib/mpl-data/fonts/ttf", "reportlab/fonts", "font_*/files")
            for folder in sorted(entry.glob(pattern))
        ],
        "system": [
            Path(f"/usr/{folder}") for folder in ("share/fonts/truetype", "share/fonts/opentype", "local/share/fonts")
        ],
    }
    folders = [folder for source in sources for folder in known.get(source, [Path(source)])]
    return [folder for folder in folders if folder.is_dir()]


def audit(folders: Sequence[Path], known: Iterable[FontVerdict] = ()) -> list[FontVerdict]:
    """The verdict on every font file below `folders`; of one family and style only the first file is kept.

    Args:
        folders: searched in this order, files by path.
        known: earlier verdicts, taken over where a file has not changed.

    Raises:
        BadDataset: not one font file.
    """
    earlier = {verdict.digest: verdict for verdict in known if verdict.digest}
    verdicts: dict[tuple[str, str], FontVerdict] = {}
    for path, kind in font_files(folders):
        same = earlier.get(font_digest(path)) if earlier else None
        verdict = replace(same, path=str(path), kind=kind or same.kind) if same else audit_font(path, kind)
        verdicts.setdefault((verdict.family, verdict.style), verdict)
    if not verdicts:
        raise BadDataset(
            f"No font file in {', '.join(map(str, folders)) or 'any folder named'}; `make fonts` fetches some."
        )
    return list(verdicts.values())


# Families of the fonts that packages carry, held out so that no split is empty where there are no other fonts.
HELD_OUT = {"manrope": "val", "source serif pro": "val", "caladea": "test", "hanken grotesk": "test"}


def split_of_family(family: str) -> str:
    """`train`, `val` or `test`: those of `HELD_OUT`, and one family in twelve each by a hash of its name."""
    slot = hashlib.sha256(family.lower().encode()).digest()[0] % 12
    return HELD_OUT.get(family.lower()) or {0: "val", 1: "test"}.get(slot, "train")


@dataclass(frozen=True)
class FontOptions:
    """Which faces are drawn.

    Attributes:
        sources: where they come from, see `font_folders`; `packages` alone gives the same words on every machine.
        families: names to keep; empty for all.
        thermal: thermal-printer, dot and pixel faces too (second improvement of the original).
        by_frequency: draw the most used families more often, and leave out faces the audit finds unfit (third
            improvement of the original); otherwise every readable face equally often.
        split: families for `train`, `val` or `test` (see `split_of_family`), or `all`.

    Raises:
        BadParams: another split.
    """

    sources: tuple[str, ...] = ("packages",)
    families: tuple[str, ...] = ()
    thermal: bool = True
    by_frequency: bool = True
    split: str = "train"

    def __post_init__(self) -> None:
        if self.split not in ("train", "val", "test", "all"):
            raise BadParams(f"There is no split {self.split!r} of fonts; there are train, val, test and all.")


class FontCatalogue:
    """The faces of a set of verdicts that options allow, with their sampling weights.

    Raises:
        BadDataset: no usable font is left.
    """

    def __init__(self, verdicts: Sequence[FontVerdict], options: FontOptions = FontOptions()) -> None:
        wanted = {name.lower() for name in options.families}
        faces = []
        for v in verdicts:
            if (options.by_frequency and v.fault) or v.fault.startswith("unreadable"):
                continue
            if (wanted and v.family.lower() not in wanted) or (v.kind == "thermal" and not options.thermal):
                continue
            if options.split not in ("all", split_of_family(v.family)):
                continue
            faces.append(FontFace(v.path, v.family, v.style, v.kind, frozenset(v.characters)))
        if not faces:
            of = f" of the families {', '.join(options.families)}" if options.families else ""
            raise BadDataset(
                f"None of {len(verdicts)} fonts is usable{of} for the split {options.split!r}; name other families, "
                "or fetch more with `make fonts`."
            )
        # Where a file lies must not decide which number draws it.
        faces.sort(key=lambda face: (face.family, face.style))
        self.faces = faces
        per_family = Counter(face.family for face in faces)
        weights = [face.weight / per_family[face.family] ** 0.5 if options.by_frequency else 1.0 for face in faces]
        self.edges = np.cumsum(weights).tolist()

    @property
    def families(self) -> list[str]:
        """Names of the families, sorted."""
        return sorted({face.family for face in self.faces})


def save_verdicts(verdicts: Sequence[FontVerdict], path: Path) -> None:
    """Write the audit as JSON, to a temporary name first."""
    write_whole(path, json.dumps([asdict(v) for v in verdicts], ensure_ascii=False, indent=0))


def load_verdicts(path: Path) -> list[FontVerdict]:
    """Read what `save_verdicts` wrote.

    Raises:
        BadDataset: not an audit file.
    """
    try:
        return [FontVerdict(**row) for row in json.loads(path.read_text("utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise BadDataset(f"{path} is not a font audit: {error}.") from None


class Glyph(NamedTuple):
    """One drawn character: its ink, where that lies relative to the pen on the baseline, and the advance in px."""

    ink: np.ndarray
    left: int
    width: int
    top: int
    bottom: int
    advance: float


@lru_cache(maxsize=100_000)  # some 120 MB, and nearly all that a hundred thousand words of a thousand faces need
def glyph(path: str, character: str) -> Glyph:
    """`character` in the face at `EM_PX`; kept, since drawing it costs ten times as much as setting it."""
    font = load_font(path)
    core, (left, top) = font.getmask2(character, mode="L", anchor="ls")
    width, height = core.size
    ink = np.frombuffer(bytes(core), np.uint8).reshape(height, width)
    return Glyph(ink, left, width if height else 0, top, top + height, font.getlength(character))


class Placed(NamedTuple):
    """A character's ink in a text that starts at 0 on the baseline: px from the left and from the baseline down."""

    ink: np.ndarray
    left: int
    right: int
    top: int
    bottom: int


@lru_cache(maxsize=64)
def _shaping_font(path: str) -> Any:
    """HarfBuzz's view of a face, in thousandths of an em; `None` where it cannot read the file (WOFF)."""
    import uharfbuzz

    face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(path))
    if not face.glyph_count:
        return None
    font = uharfbuzz.Font(face)
    font.scale = (1000, 1000)
    return font


@lru_cache(maxsize=200_000)
def kerning(path: str, pair: str) -> float:
    """Px at `EM_PX` by which the face moves the second character of `pair` to the right; mostly 0 or less."""
    import uharfbuzz

    font = _shaping_font(path)
    if font is None:
        return 0.0

    def advance(kern: bool) -> int:
        buffer = uharfbuzz.Buffer()
        buffer.add_str(pair)
        buffer.guess_segment_properties()
        uharfbuzz.shape(font, buffer, {"kern": kern, "liga": False, "clig": False, "calt": False})
        return sum(position.x_advance for position in buffer.glyph_positions)

    return (advance(True) - advance(False)) * EM_PX / 1000


_LIGATURES = {"ffi": "\ufb03", "ffl": "\ufb04", "ff": "\ufb00", "fi": "\ufb01", "fl": "\ufb02"}  # the longest first


@lru_cache(maxsize=10_000)
def _ligatures(path: str) -> dict[str, str]:
    """The face's ligatures among the usual ones, by their letters."""
    font = _shaping_font(path)
    return {} if font is None else {k: v for k, v in _LIGATURES.items() if font.get_nominal_glyph(ord(v))}


def ligated(path: str, text: str) -> str:
    """`text` with `fi`, `fl` and the like in the one sign that the face has for them."""
    for letters, sign in _ligatures(path).items():
        text = text.replace(letters, sign)
    return text


@lru_cache(maxsize=20_000)
def _reduced(path: str, character: str, size: float) -> Glyph:
    """`character` at a `size` relative to the text's."""
    ink, left, width, top, bottom, advance = glyph(path, character)
    if width:
        width, height = max(1, round(width * size)), max(1, round((bottom - top) * size))
        ink, bottom = cv2.resize(ink, (width, height), interpolation=cv2.INTER_AREA), round(bottom * size)
        top = bottom - height
    return Glyph(ink, round(left * size), width, top, bottom, advance * size)


def place_text(
    path: str,
    text: str,
    tracking_px: float = 0.0,
    kerned: bool = False,
    small_caps: float = 0.0,
    raised: tuple[int, float] = (0, 1.0),
) -> list[Placed]:
    """Where the characters of `text` that leave ink stand.

    Args:
        path: the face's file.
        text: at least one character.
        tracking_px: added to each advance; negative values set tighter.
        kerned: pairs closer or wider as the face says (`P.`), which typesetters do and many office programs do not.
        small_caps: size of the capitals in whose form small letters are set, relative to that of capitals; 0 for none.
        raised: how many of the last characters stand as high as the capitals reach, and their size, relative to the
            text's.
    """
    pen = 0.0
    placed = []
    plain = len(text) - raised[0]
    for place, (before, character) in enumerate(zip(f" {text}", text)):
        lift = 0
        if place >= plain:
            sign = _reduced(path, character, raised[1])
            lift = round(glyph(path, "H").top * (1 - raised[1]))
        elif small_caps and character.islower():
            sign = _reduced(path, character.upper(), small_caps)
        else:
            sign = glyph(path, character)
            if kerned and not small_caps and before != " " != character:
                pen += kerning(path, before + character)
        ink, start, width, above, below, advance = sign
        if width:
            x = round(pen) + start
            placed.append(Placed(ink, x, x + width, above + lift, below + lift))
        pen += advance + tracking_px
    return placed


def ink_box(placed: Sequence[Placed]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of all ink; zeros where there is none."""
    if not placed:
        return 0, 0, 0, 0
    lefts, rights, tops, bottoms = zip(*(p[1:] for p in placed))
    return min(lefts), min(tops), max(rights), max(bottoms)


def render_text(path: str, text: str, tracking_px: float = 0.0) -> tuple[np.ndarray, int]:
    """Set `text` from single glyphs, without kerning.

    Args:
        path: the face's file.
        text: at least one character.
        tracking_px: added to each advance; negative values set tighter.

    Returns:
        Ink coverage `uint8` `(H, W)`, 255 where fully inked, cut to the ink above and below and to the letters' own
        cells at the sides; and the row of its top edge relative to the baseline, negative above it. Blanks alone give
        `(0, 0)`.
    """
    placed = place_text(path, text, tracking_px)
    return draw_placed(placed), ink_box(placed)[1]


def draw_placed(placed: Sequence[Placed]) -> np.ndarray:
    """Ink coverage `uint8` `(H, W)` of `ink_box`."""
    left, top, right, bottom = ink_box(placed)
    canvas = np.zeros((bottom - top, right - left), np.uint8)
    inked = left
    for ink, x, end, above, below in placed:
        spot = canvas[above - top : below - top, x - left : end - left]
        if x >= inked:
            spot[:] = ink
        else:  # it reaches under what stands before it
            cv2.max(spot, ink, spot)
        inked = max(inked, end)
    return canvas


def specimen(face_path: str, text: str = "Handgloves 0123 &$@") -> PillowImage.Image:
    """A picture of the face for contact sheets, black on white."""
    return PillowImage.fromarray(255 - render_text(face_path, text)[0])
