"""The font of a layer of text that is selected and found, not seen: every character is the same empty cell."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import numpy as np
import pikepdf
from pikepdf import Array, Dictionary, Name

from ocrkit.formats.pdf_saving import packed

ASCENT, DESCENT = 0.75, 0.25  # of the size, which is the height of a cell

_EM = 1000  # units of the font
_CELL, _SPACE = 500, 50  # widths of a character and of the space behind a word
_TOP, _BOTTOM = round(_EM * ASCENT), -round(_EM * DESCENT)
_UNKNOWN = 0xFFFD
_MADE = 3_849_984_000  # seconds from 1904 to 2026, when the font was drawn up


class CellFont:
    """One font for all pages of a file, told to the file by `finish`, once all characters are known.

    PDF readers take a word's rectangle from its font: Poppler from the ascent and descent that the font's descriptor
    tells, PDFium from the outline of the characters. Here both are the cell. A character's code is its place in
    Unicode.
    """

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self._pdf = pdf
        self._characters = {0x20}
        self.object = pdf.make_indirect(Dictionary())

    @staticmethod
    def width(characters: int) -> float:
        """Width of a word of so many characters, in sizes."""
        return characters * _CELL / _EM

    def encoded(self, text: str) -> bytes:
        """`text` as a string of a content stream."""
        # Codes have two bytes; half of a pair that lost its other half is no character.
        codes = [code if (code := ord(c)) < 0xD800 or 0xDFFF < code < 0x10000 else _UNKNOWN for c in text]
        self._characters.update(codes)
        plain = struct.pack(f">{len(codes)}H", *codes)
        for special, escaped in ((b"\\", b"\\\\"), (b"(", b"\\("), (b")", b"\\)"), (b"\r", b"\\r"), (b"\n", b"\\n")):
            plain = plain.replace(special, escaped)
        return b"(" + plain + b")"

    def finish(self) -> None:
        """Write the font with the characters that were `encoded`."""
        pdf = self._pdf
        glyphs = np.full(max(self._characters) + 1, 2, ">u2")  # the third; the first is never to be shown
        glyphs[0x20] = 1
        descriptor = Dictionary(
            Type=Name.FontDescriptor,
            FontName=Name.OcrkitCells,
            Flags=5,  # all characters equally wide, and of a set of their own
            FontBBox=Array([0, _BOTTOM, _CELL, _TOP]),
            ItalicAngle=0,
            Ascent=_TOP,
            Descent=_BOTTOM,
            CapHeight=_TOP,
            StemV=80,
            FontFile2=packed(pdf, _font_file(), Length1=len(_font_file())),
        )
        cells = Dictionary(
            Type=Name.Font,
            Subtype=Name.CIDFontType2,
            BaseFont=Name.OcrkitCells,
            CIDSystemInfo=Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0),
            DW=_CELL,
            W=Array([0x20, Array([_SPACE])]),
            FontDescriptor=pdf.make_indirect(descriptor),
            CIDToGIDMap=packed(pdf, glyphs.tobytes()),
        )
        entries = Dictionary(
            Type=Name.Font,
            Subtype=Name.Type0,
            BaseFont=Name.OcrkitCells,
            Encoding=Name("/Identity-H"),
            DescendantFonts=Array([pdf.make_indirect(cells)]),
            ToUnicode=packed(pdf, _to_unicode(self._characters)),
        )
        for name, value in entries.items():
            self.object[name] = value


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


def _font_file() -> bytes:
    """A TrueType file: glyph 0 and 1 (the space) are empty, glyph 2 fills its cell.

    Only the tables that PDF asks for; https://learn.microsoft.com/typography/opentype/spec/otff.
    """
    outline = struct.pack(">hhhhhHH", 1, 0, _BOTTOM, _CELL, _TOP, 3, 0) + b"\1\1\1\1"  # four corners on the outline
    height = _TOP - _BOTTOM
    outline += struct.pack(">hhhhhhhh", 0, 0, _CELL, 0, _BOTTOM, height, 0, -height)  # steps across, then up
    glyphs = [b"", b"", outline + bytes(-len(outline) % 4)]
    count = len(glyphs)
    head = struct.pack(">IIIIHHQQhhhhHHhhh", 0x10000, 0x10000, 0, 0x5F0F3CF5, 11, _EM, _MADE, _MADE, 0, _BOTTOM, _CELL,
                       _TOP, 0, 8, 2, 1, 0)  # fmt: skip
    hhea = struct.pack(">IhhhHhhhhhhhhhhhH", 0x10000, _TOP, _BOTTOM, 0, _CELL, 0, 0, _CELL, 1, *[0] * 7, count)
    maxp = struct.pack(">IHHHHHHHHHHHHHH", 0x10000, count, 4, 1, 0, 0, 1, *[0] * 8)
    tables = {
        b"glyf": b"".join(glyphs),
        b"head": head,
        b"hhea": hhea,
        b"hmtx": struct.pack(">HhHhHh", _CELL, 0, _SPACE, 0, _CELL, 0),
        b"loca": np.cumsum([0, *map(len, glyphs)]).astype(">u4").tobytes(),
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


def _checksum(data: bytes) -> int:
    return int(np.frombuffer(data, ">u4").sum(dtype=np.uint64)) & 0xFFFFFFFF
