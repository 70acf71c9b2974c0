"""Looking for one donated page everywhere: its known noise, and the word that stands on no other."""

from __future__ import annotations

import base64
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

WORD = "ZQXJCANARY"
_ROW = 12  # bytes of a row of noise in a row, which chance gives once in 2**96
_ALIKE = 0.6  # correlation of a picture with the noise, that chance does not give at this size
_ENCODED = re.compile(rb"[A-Za-z0-9+/]{60,}={0,2}")
_STREAM = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")
_DEEPEST = 3
_MOST = 64 << 20  # bytes of a file


def noise() -> np.ndarray:
    """Grey noise of 24 by 48 pixels, the same each time."""
    return np.random.default_rng(20261128).integers(0, 256, (24, 48), dtype=np.uint8)


def found_in(folders: list[Path], leave_out: tuple[Path, ...] = ()) -> list[str]:
    """Every file below `folders` that holds something of the page, and what."""
    hits = []
    for folder in folders:
        for path in [folder] if folder.is_file() else sorted(folder.rglob("*")):
            if path.is_symlink() or not path.is_file() or any(path.is_relative_to(other) for other in leave_out):
                continue
            hits += [f"{path}: {what}" for what in sorted(set(traces(path.read_bytes()[:_MOST])))]
            if WORD.lower() in path.name.lower():
                hits.append(f"{path}: its name")
    return hits


def traces(data: bytes, depth: int = 0) -> Iterator[str]:
    """What of the page is in some bytes, as they are or packed, encoded or drawn in them."""
    lower = data.lower()
    for name, text in (("the word", WORD), ("half the word", WORD[:7])):
        for encoding in ("utf-8", "utf-16-le"):
            if text.lower().encode(encoding) in lower:
                yield f"{name} in {encoding}"
    rows = noise()
    if any(row[at : at + _ROW].tobytes() in data for row in rows for at in (0, 20)):
        yield "rows of pixels"
    if any(row[:_ROW].tobytes().hex().encode() in lower for row in rows):
        yield "rows of pixels in hexadecimal"
    if depth < _DEEPEST:
        for packed in _unpacked(data):
            for what in traces(packed, depth + 1):
                yield f"packed {what}"
    if _is_drawn(data):
        yield "a picture of it"


def _unpacked(data: bytes) -> Iterator[bytes]:
    if data.startswith(b"PK"):
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                yield from (archive.read(name) for name in archive.namelist())
        except (zipfile.BadZipFile, RuntimeError, zlib.error):
            pass
    for match in _ENCODED.finditer(data):
        for start in range(4):
            text = match[0][start:]
            try:
                yield base64.b64decode(text[: len(text) // 4 * 4])
            except ValueError:
                continue
    for match in list(_STREAM.finditer(data))[:200]:
        part = data[match.start() :]
        try:
            yield gzip.decompress(part) if part[:1] == b"\x1f" else zlib.decompressobj().decompress(part, 1 << 22)
        except (zlib.error, OSError, EOFError):
            continue


def _is_drawn(data: bytes) -> bool:
    """Whether a picture in these bytes, or anywhere in them, shows the noise, at its own size or a little smaller."""
    for start in (m.start() for m in re.finditer(rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|II\*\x00|MM\x00\*|RIFF", data)):
        picture = cv2.imdecode(np.frombuffer(data[start:], np.uint8), cv2.IMREAD_GRAYSCALE)
        if picture is None:
            continue
        for scale in (1.0, 0.75, 32 / 30):
            patch = cv2.resize(noise(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            if picture.shape[0] < patch.shape[0] or picture.shape[1] < patch.shape[1]:
                continue
            if cv2.matchTemplate(picture, patch, cv2.TM_CCOEFF_NORMED).max() > _ALIKE:
                return True
    return False
