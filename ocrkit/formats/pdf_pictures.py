"""Pictures in a PDF: the bytes of a file where PDF knows its form, else losslessly or as JPEG."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import PIL.Image
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream

from ocrkit.document import Image
from ocrkit.images.stored import g4_strip, png_chunks

_JPEG_QUALITY = 90
_LARGEST_PICTURE_PX = 32_000  # a side: JPEG ends at 65,535, PDFium at 131,071, and some viewers at 32,767
_COLOURS = {1: Name.DeviceGray, 3: Name.DeviceRGB, 4: Name.DeviceCMYK}  # by their number of channels
_FRAMES = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))  # markers of JPEG's frames
_READABLE_FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended and progressive: what PDF's DCTDecode knows
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1}  # by PNG's type of colour: grey, RGB, palette


def add_original(pdf: Pdf, data: bytes) -> Object | None:
    """Add the picture that the file `data` holds as its bytes are; `None` where PDF does not know its form."""
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(pdf, data)
    if data.startswith(b"\x89PNG"):
        return _png(pdf, data)
    if data.startswith((b"II*\0", b"MM\0*")):
        return _g4(pdf, data)
    return _jpeg_2000(pdf, data)


def add_image(pdf: Pdf, image: Image) -> Iterator[tuple[Object, tuple[int, int, int, int]]]:
    """Add an image losslessly or as JPEG, whichever is smaller; black and white takes a bit a pixel.

    Yields:
        The pictures, of which an image beyond what PDF readers take has several, and their `x0 y0 x1 y1` in the image.
    """
    height, width = image.shape[:2]
    step = _LARGEST_PICTURE_PX
    for y in range(0, height, step):
        for x in range(0, width, step):
            part = image[y : y + step, x : x + step]
            yield _part(pdf, part), (x, y, x + part.shape[1], y + part.shape[0])


def _part(pdf: Pdf, image: Image) -> Object:
    height, width = image.shape[:2]
    if image.ndim == 2 and ((image == 0) | (image == 255)).all():
        bits = zlib.compress(np.packbits(image > 0, axis=1).tobytes(), 9)
        tiff = io.BytesIO()
        picture = PIL.Image.fromarray(image).convert("1", dither=PIL.Image.Dither.NONE)
        picture.save(tiff, "TIFF", compression="group4", strip_size=1 << 31)
        fax = _g4(pdf, tiff.getvalue())
        if fax is not None and len(fax.read_raw_bytes()) < len(bits):
            return fax
        return _picture(pdf, bits, width, height, Name.FlateDecode, ColorSpace=_COLOURS[1], BitsPerComponent=1)
    colours = _COLOURS[1 if image.ndim == 2 else 3]
    jpeg = io.BytesIO()
    PIL.Image.fromarray(np.ascontiguousarray(image)).save(jpeg, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    if len(zlib.compress(image.tobytes(), 1)) <= jpeg.getbuffer().nbytes:
        data, packing = zlib.compress(image.tobytes(), 9), Name.FlateDecode
    else:
        data, packing = jpeg.getvalue(), Name.DCTDecode
    return _picture(pdf, data, width, height, packing, ColorSpace=colours, BitsPerComponent=8)


def _picture(pdf: Pdf, data: bytes, width: int, height: int, packing: Name, **entries: object) -> Object:
    stream = Stream(pdf, data, Type=Name.XObject, Subtype=Name.Image, Width=width, Height=height, Filter=packing)
    for name, value in entries.items():
        stream[f"/{name}"] = value
    return pdf.make_indirect(stream)


def _jpeg(pdf: Pdf, data: bytes) -> Object | None:
    found = _jpeg_frame(data)
    if found is None:
        return None
    width, height, channels = found
    picture = _picture(pdf, data, width, height, Name.DCTDecode, ColorSpace=_COLOURS[channels], BitsPerComponent=8)
    if channels == 4:  # inks are stored as their negatives by all programs that write JPEGs of four channels
        picture.Decode = Array([1, 0] * 4)
    return picture


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


def _jpeg_2000(pdf: Pdf, data: bytes) -> Object:
    with PIL.Image.open(io.BytesIO(data), formats=("JPEG2000",)) as picture:
        return _picture(pdf, data, *picture.size, Name.JPXDecode)  # its colours are told by the data


def _png(pdf: Pdf, data: bytes) -> Object:
    """PNG and PDF pack pixels alike, each line after guessing it from the one above."""
    chunks = png_chunks(data)
    width, height, bits, kind = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    channels = _PNG_CHANNELS[kind]
    colours: Object = _COLOURS[channels]
    if palette := chunks.get(b"PLTE") if kind == 3 else None:
        colours = Array([Name.Indexed, Name.DeviceRGB, len(palette) // 3 - 1, palette])
    guessing = Dictionary(Predictor=15, Colors=channels, BitsPerComponent=bits, Columns=width)
    return _picture(
        pdf,
        chunks[b"IDAT"],
        width,
        height,
        Name.FlateDecode,
        ColorSpace=colours,
        BitsPerComponent=bits,
        DecodeParms=guessing,
    )


def _g4(pdf: Pdf, data: bytes) -> Object | None:
    strip = g4_strip(data)
    if strip is None:
        return None
    code = Dictionary(K=-1, Columns=strip.width, Rows=strip.height, BlackIs1=strip.negative)
    return _picture(
        pdf,
        strip.code,
        strip.width,
        strip.height,
        Name.CCITTFaxDecode,
        ColorSpace=_COLOURS[1],
        BitsPerComponent=1,
        DecodeParms=code,
    )
