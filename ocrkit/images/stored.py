"""Files of images whose bytes a PDF can carry as they are: JPEG, JPEG 2000, PNG, and fax code (G4) in TIFF."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

import PIL.Image

_MPF_ENTRIES = 0xB002  # of a JPEG with others behind it: their sizes
_G4 = 4  # the value of TIFF's tag for the compression
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_OFFSETS, _SAMPLES, _ROWS, _COUNTS, _T6_OPTIONS = 273, 277, 278, 279, 293
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class G4Strip:
    """A black and white picture in fax code; in a `negative` the code's black is white."""

    code: bytes
    width: int
    height: int
    negative: bool


def original_of(picture: PIL.Image.Image, file: BinaryIO) -> bytes | None:
    """The file with just the current frame of `picture`, read from `file`, that a PDF can carry; else `None`."""
    with suppress(OSError, KeyError, ValueError, TypeError, struct.error):
        if picture.format in ("JPEG", "MPO"):
            return _start(file, _first_size(picture))
        if picture.format == "JPEG2000":
            return _start(file) if picture.mode in ("L", "RGB") else None
        if picture.format == "PNG":
            animated = getattr(picture, "is_animated", False)
            seen_through = "A" in picture.getbands() or "transparency" in picture.info
            return None if animated or seen_through or picture.info.get("interlace") else _start(file)
        if picture.format == "TIFF":
            return _g4_file(picture, file)
    return None


def png_chunks(data: bytes) -> dict[bytes, bytes]:
    """The chunks of a PNG by their names; those of one name joined."""
    chunks: dict[bytes, bytes] = {}
    at = 8
    while at + 12 <= len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        chunks[name] = chunks.get(name, b"") + data[at + 8 : at + 8 + length]
        at += 12 + length
    return chunks


def g4_strip(data: bytes) -> G4Strip | None:
    """The fax code of a TIFF whose only frame is one strip of it; `None` for any other."""
    with PIL.Image.open(io.BytesIO(data), formats=("TIFF",)) as picture:
        tags = picture.tag_v2  # type: ignore[attr-defined]
        if not _is_one_strip(tags):
            return None
        code = data[tags[_OFFSETS][0] :][: tags[_COUNTS][0]]
        if tags.get(_FILL_ORDER) == 2:
            code = code.translate(_MIRRORED)
        return G4Strip(code, tags[_WIDTH], tags[_HEIGHT], tags.get(_PHOTOMETRIC) == 1)


def _start(file: BinaryIO, size: int = -1) -> bytes:
    file.seek(0)
    return file.read(size)


def _first_size(picture: PIL.Image.Image) -> int:
    """Bytes of the first of the JPEGs in a file, -1 for all: behind a phone's photo may stand a smaller one."""
    try:
        return int(picture.mpinfo[_MPF_ENTRIES][0]["Size"]) or -1  # type: ignore[attr-defined]
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):
        return -1


def _g4_file(picture: PIL.Image.Image, file: BinaryIO) -> bytes | None:
    """The current frame of a TIFF of fax code as a file of its own, its code unchanged."""
    tags = picture.tag_v2  # type: ignore[attr-defined]
    if not _is_one_strip(tags):
        return None
    file.seek(tags[_OFFSETS][0])
    code = file.read(tags[_COUNTS][0])
    entries = {
        _WIDTH: tags[_WIDTH],
        _HEIGHT: tags[_HEIGHT],
        _BITS: 1,
        _COMPRESSION: _G4,
        _PHOTOMETRIC: tags.get(_PHOTOMETRIC, 0),
        _FILL_ORDER: tags.get(_FILL_ORDER, 1),
        _OFFSETS: 8,
        _SAMPLES: 1,
        _ROWS: tags[_HEIGHT],
        _COUNTS: len(code),
    }
    padding = bytes(len(code) % 2)
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries.items())
    start = struct.pack("<2sHI", b"II", 42, 8 + len(code) + len(padding))
    return start + code + padding + struct.pack("<H", len(entries)) + directory + bytes(4)


def _is_one_strip(tags: Mapping[int, Any]) -> bool:
    """Whether a TIFF with these tags is one strip of fax code; several have each its own start, which PDF cannot."""
    plain = tags.get(_BITS, (1,)) == (1,) and tags.get(_SAMPLES, 1) == 1 and not tags.get(_T6_OPTIONS)
    return plain and tags.get(_COMPRESSION) == _G4 and len(tags.get(_OFFSETS, ())) == len(tags.get(_COUNTS, ())) == 1
