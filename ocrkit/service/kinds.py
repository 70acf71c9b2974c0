"""The kinds of documents that the service takes, and how their files begin."""

from __future__ import annotations

from ocrkit.errors import BadImage
from ocrkit.images.pdf import is_pdf
from ocrkit.images.pictures import HEIC_BRANDS

START = 1024  # bytes of a file that tell its kind
# How the files of each kind begin; of those with a size in front, what stands behind it.
_KINDS: tuple[tuple[str, int, bytes], ...] = (
    ("jpeg", 0, b"\xff\xd8\xff"),
    ("png", 0, b"\x89PNG\r\n\x1a\n"),
    ("tiff", 0, b"II*\0"),
    ("tiff", 0, b"MM\0*"),
    ("gif", 0, b"GIF8"),
    ("bmp", 0, b"BM"),
    ("webp", 8, b"WEBP"),
    ("jpeg2000", 0, b"\0\0\0\x0cjP  "),
    ("jpeg2000", 0, b"\xff\x4f\xff\x51"),
    *(("heic", 4, b"ftyp" + brand) for brand in HEIC_BRANDS),
    ("avif", 4, b"ftypavif"),
    *(("pnm", 0, mark) for mark in (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6")),
)
KINDS = ("pdf", *dict.fromkeys(kind for kind, _, _ in _KINDS))


def kind_of(start: bytes) -> str:
    """What kind of document begins so.

    Raises:
        BadImage: none that can be read.
    """
    if is_pdf(start[:START]):
        return "pdf"
    for kind, place, mark in _KINDS:
        if start[place : place + len(mark)] == mark:
            return kind
    raise BadImage("This is neither a PDF nor a picture in a known format, so it is not taken.")
