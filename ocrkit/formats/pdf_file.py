"""A PDF as it is written: objects, pictures, and the font of an invisible layer of text."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import PIL.Image

from ocrkit.document import Image

_JPEG_QUALITY = 90
_LARGEST_PICTURE_PX = 32_000  # a side: JPEG ends at 65,535, PDFium at 131,071, and some viewers at 32,767
_COLOURS = {1: "/DeviceGray", 3: "/DeviceRGB", 4: "/DeviceCMYK"}  # by their number of channels
_FRAMES = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))  # markers of JPEG's frames
_READABLE_FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended and progressive: what PDF's DCTDecode knows

_EM = 1000  # units of the font
_CELL, _SPACE = 500, 50  # widths of a character and of the space behind a word


class PdfFile:
    """Objects in the order in which they are added; those that refer to later ones are reserved first.

    The same objects always give the same bytes.
    """

    def __init__(self) -> None:
        self._objects: list[bytes | None] = []

    def reserve(self) -> int:
        """The number of an object that will be `put` later."""
        self._objects.append(None)
        return len(self._objects)

    def put(self, number: int, content: str | bytes) -> None:
        """Fill the reserved object `number`."""
        self._objects[number - 1] = content.encode("ascii") if isinstance(content, str) else content

    def add(self, content: str | bytes) -> int:
        """Add an object; returns its number."""
        number = self.reserve()
        self.put(number, content)
        return number

    def stream(self, entries: str, data: bytes, compress: bool = True) -> int:
        """Add a stream with these dictionary `entries`; returns its number."""
        if compress:
            data, entries = zlib.compress(data, 9), f"{entries}/Filter/FlateDecode"
        return self.add(f"<<{entries}/Length {len(data)}>>stream\n".encode("ascii") + data + b"\nendstream")

    def finished(self, root: int, info: int) -> bytes:
        """The whole file, whose catalogue is the object `root`."""
        parts, offsets = [b"%PDF-1.6\n%\xe2\xe3\xcf\xd3\n"], []
        identity, length = hashlib.md5(usedforsecurity=False), len(parts[0])
        for number, content in enumerate(self._objects, 1):
            parts.append(b"%d 0 obj\n%b\nendobj\n" % (number, content or b"null"))
            offsets.append(length)
            length += len(parts[-1])
            identity.update(parts[-1])
        table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
        size, name = len(offsets) + 1, f"<{identity.hexdigest()}>"
        end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n"
        end += f"<</Size {size}/Root {root} 0 R/Info {info} 0 R/ID[{name}{name}]>>\nstartxref\n{length}\n%%EOF\n"
        return b"".join([*parts, end.encode("ascii")])


def text_string(text: str) -> str:
    """`text` as a PDF string of titles and the like."""
    return f"<FEFF{text.encode('utf-16-be', 'replace').hex().upper()}>"


def number(value: float) -> str:
    """A number as short as it can be said to a ten-thousandth."""
    return f"{value:.4f}".rstrip("0").rstrip(".") or "0"


# --- pictures ---------------------------------------------------------------------------------------------------------


def add_jpeg(file: PdfFile, jpeg: bytes) -> int | None:
    """Add a picture that is a JPEG, byte for byte; `None` where it is a kind that PDF does not know."""
    found = _jpeg_frame(jpeg)
    if found is None:
        return None
    width, height, channels = found
    # Inks are stored as their negatives by all programs that write JPEGs of four channels.
    inverted = "/Decode[1 0 1 0 1 0 1 0]" if channels == 4 else ""
    entries = _picture(width, height, 8, _COLOURS[channels])
    return file.stream(f"{entries}{inverted}/Filter/DCTDecode", jpeg, compress=False)


def _jpeg_frame(jpeg: bytes) -> tuple[int, int, int] | None:
    """Width, height and channels of a JPEG that PDF knows."""
    at = 2
    while jpeg[at : at + 1] == b"\xff" and at + 9 < len(jpeg):
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if marker == 0xFF:  # filling
            at += 1
        elif marker in _FRAMES:
            bits, height, width, channels = struct.unpack(">BHHB", jpeg[at + 4 : at + 10])
            known = marker in _READABLE_FRAMES and bits == 8 and channels in _COLOURS and width and height
            return (width, height, channels) if known else None
        else:
            at += 2 + length
    return None


def add_image(file: PdfFile, image: Image) -> Iterator[tuple[int, tuple[int, int, int, int]]]:
    """Add an image losslessly or as JPEG, whichever is smaller; black and white takes a bit a pixel.

    Yields:
        The numbers of the pictures, of which an image beyond what PDF readers take has several, and their
        `x0 y0 x1 y1` in the image.
    """
    height, width = image.shape[:2]
    step = _LARGEST_PICTURE_PX
    for y in range(0, height, step):
        for x in range(0, width, step):
            part = image[y : y + step, x : x + step]
            yield _add_part(file, part), (x, y, x + part.shape[1], y + part.shape[0])


def _add_part(file: PdfFile, image: Image) -> int:
    height, width = image.shape[:2]
    if image.ndim == 2 and ((image == 0) | (image == 255)).all():
        bits = np.packbits(image > 0, axis=1)  # fax code would be as large
        return file.stream(_picture(width, height, 1, _COLOURS[1]), bits.tobytes())
    entries = _picture(width, height, 8, _COLOURS[1 if image.ndim == 2 else 3])
    jpeg = io.BytesIO()
    PIL.Image.fromarray(np.ascontiguousarray(image)).save(jpeg, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    if len(zlib.compress(image.tobytes(), 1)) <= jpeg.getbuffer().nbytes:
        return file.stream(entries, image.tobytes())
    return file.stream(f"{entries}/Filter/DCTDecode", jpeg.getvalue(), compress=False)


def _picture(width: int, height: int, bits: int, colours: str) -> str:
    return f"/Type/XObject/Subtype/Image/Width {width}/Height {height}/BitsPerComponent {bits}/ColorSpace{colours}"


# --- the font ---------------------------------------------------------------------------------------------------------


class CellFont:
    """A font whose every character is an empty cell, for text that is selected and found, not seen.

    PDF readers take a word's rectangle from its font: Poppler from the ascent and descent that the font's descriptor
    tells, PDFium from the outline of the characters. So a word gets the font whose cells reach as far above and below
    the baseline as it does. All these fonts share one file of outlines, one for each reach, and one map to Unicode.
    A character's code is its place in Unicode.

    Args:
        steps: into which the font's size is divided to tell a reach.
    """

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._reaches: dict[tuple[int, int], int] = {}
        self._characters: set[int] = {0x20}

    def name(self, above: int, below: int) -> str:
        """What pages call the font whose cells reach so many steps above and below the baseline."""
        return f"/F{self._reaches.setdefault((above, below), len(self._reaches))}"

    def encoded(self, text: str) -> str:
        """`text`, as pages show it."""
        # Codes have two bytes; half of a pair that lost its other half is no character.
        codes = [code if (code := ord(c)) < 0xD800 or 0xDFFF < code < 0x10000 else 0xFFFD for c in text]
        self._characters.update(codes)
        return "<" + "".join(f"{code:04X}" for code in codes) + ">"

    def width(self, characters: int) -> float:
        """Width of a word of so many characters, in sizes."""
        return characters * _CELL / _EM

    def write(self, file: PdfFile) -> str:
        """Add the fonts that were named; returns the entries of the pages' font dictionary."""
        if not self._reaches:
            return ""
        outlines = file.stream("", _font_file([self._units(*reach) for reach in self._reaches]))
        unicode = file.stream("", _to_unicode(self._characters))
        return "".join(
            f"/F{row} {self._add(file, row, *self._units(*reach), outlines, unicode)} 0 R"
            for row, reach in enumerate(self._reaches.copy())
        )

    def _units(self, above: int, below: int) -> tuple[int, int]:
        return _EM * above // self._steps, _EM * below // self._steps

    def _add(self, file: PdfFile, row: int, ascent: int, descent: int, outlines: int, unicode: int) -> int:
        glyphs = np.full(max(self._characters) + 1, 2 + row, ">u2")
        glyphs[0x20] = 1
        box = f"[0 {-descent} {_CELL} {ascent}]"
        descriptor = file.add(
            f"<</Type/FontDescriptor/FontName/Cells/Flags 5/FontBBox{box}/ItalicAngle 0/Ascent {ascent}"
            f"/Descent {-descent}/CapHeight {ascent}/StemV 80/FontFile2 {outlines} 0 R>>"
        )
        mapped = file.stream("", glyphs.tobytes())
        cells = file.add(
            "<</Type/Font/Subtype/CIDFontType2/BaseFont/Cells/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)"
            f"/Supplement 0>>/DW {_CELL}/W[32[{_SPACE}]]/FontDescriptor {descriptor} 0 R/CIDToGIDMap {mapped} 0 R>>"
        )
        return file.add(
            f"<</Type/Font/Subtype/Type0/BaseFont/Cells/Encoding/Identity-H/DescendantFonts[{cells} 0 R]"
            f"/ToUnicode {unicode} 0 R>>"
        )


def _to_unicode(characters: Iterable[int]) -> bytes:
    """The map from codes to the characters that they are, block by block of 256 as the specification wants."""
    blocks = sorted({code >> 8 for code in characters})
    lines = ["/CIDInit /ProcSet findresource begin 12 dict begin begincmap"]
    lines.append("/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def")
    lines.append("/CMapName /Adobe-Identity-UCS def /CMapType 2 def")
    lines.append("1 begincodespacerange <0000> <FFFF> endcodespacerange")
    for start in range(0, len(blocks), 100):
        some = blocks[start : start + 100]
        lines.append(f"{len(some)} beginbfrange")
        lines += [f"<{block:02X}00> <{block:02X}FF> <{block:02X}00>" for block in some]
        lines.append("endbfrange")
    lines.append("endcmap CMapName currentdict /CMap defineresource pop end end")
    return "\n".join(lines).encode("ascii")


def _font_file(reaches: Sequence[tuple[int, int]]) -> bytes:
    """A TrueType file: glyph 0 and 1 (the space) are empty, then one rectangle for each ascent and descent.

    Only the tables that PDF asks for; https://learn.microsoft.com/typography/opentype/spec/otff.
    """
    glyphs = [b"", b"", *(_rectangle(ascent, descent) for ascent, descent in reaches)]
    offsets = np.cumsum([0, *map(len, glyphs)])
    top, bottom = max(ascent for ascent, _ in reaches), -max(descent for _, descent in reaches)
    count = len(glyphs)
    widths = [_CELL, _SPACE, *[_CELL] * len(reaches)]
    head = struct.pack(">IIIIHHQQhhhhHHhhh", 0x10000, 0x10000, 0, 0x5F0F3CF5, 11, _EM, 0, 0, 0, bottom, _CELL, top,
                       0, 8, 2, 1, 0)  # fmt: skip
    hhea = struct.pack(">IhhhHhhhhhhhhhhhH", 0x10000, top, bottom, 0, _CELL, 0, 0, _CELL, 1, 0, 0, 0, 0, 0, 0, 0, count)
    maxp = struct.pack(">IHHHHHHHHHHHHHH", 0x10000, count, 4, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)
    tables = {
        b"glyf": b"".join(glyphs),
        b"head": head,
        b"hhea": hhea,
        b"hmtx": b"".join(struct.pack(">Hh", width, 0) for width in widths),
        b"loca": offsets.astype(">u4").tobytes(),
        b"maxp": maxp,
    }
    power = 1 << (len(tables).bit_length() - 1)
    directory = struct.pack(">IHHHH", 0x10000, len(tables), 16 * power, power.bit_length() - 1,
                            16 * (len(tables) - power))  # fmt: skip
    start, body = 12 + 16 * len(tables), b""
    for tag, data in tables.items():
        padded = data + bytes(-len(data) % 4)
        directory += struct.pack(">4sIII", tag, _checksum(padded), start + len(body), len(data))
        body += padded
    font = bytearray(directory + body)
    adjustment = (0xB1B0AFBA - _checksum(bytes(font))) & 0xFFFFFFFF
    at = start + body.index(head) + 8
    font[at : at + 4] = struct.pack(">I", adjustment)
    return bytes(font)


def _rectangle(ascent: int, descent: int) -> bytes:
    """A glyph that fills its cell."""
    outline = struct.pack(">hhhhhHH", 1, 0, -descent, _CELL, ascent, 3, 0) + b"\1\1\1\1"  # four corners on the outline
    height = ascent + descent
    steps = struct.pack(">hhhhhhhh", 0, 0, _CELL, 0, -descent, height, 0, -height)  # across, then up
    return outline + steps + bytes(-(len(outline) + len(steps)) % 4)


def _checksum(data: bytes) -> int:
    return int(np.frombuffer(data, ">u4").sum(dtype=np.uint64)) & 0xFFFFFFFF
