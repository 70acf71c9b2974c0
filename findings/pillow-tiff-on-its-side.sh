#!/usr/bin/env bash
# Pillow 13.0.0, a grey page that was scanned lying on its side: a TIFF with the orientation 6 (show it turned by 90 degrees).
# Guess: Pillow gives it as stored, until `ImageOps.exif_transpose`, and alike from a path and from an open file, packed or not.
# Seen: loading turns it. Opened by its path and stored without compression, its lines are cut by the width that the turned page has:
# the picture is scrambled, not turned, and has other sides than `size` said before. From an open file, with LZW or in colour it is right.
# So open scans as `Image.open(open(path, "rb"))`; `exif_transpose` mends nothing afterwards.
"$(dirname "$0")/fresh-venv" pillow==13.0.0 <<'EOF'
import PIL
from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps

page = Image.new("L", (400, 300), "white")
for y in range(20, 280, 40):
    ImageDraw.Draw(page).text((20, y), "Invoice 12.50 of the Workshop", font=ImageFont.load_default(24), fill=0)
stored = page.transpose(Image.Transpose.ROTATE_90)
stored.save("plain.tif", tiffinfo={274: 6})
stored.save("lzw.tif", tiffinfo={274: 6}, compression="tiff_lzw")
stored.convert("RGB").save("colour.tif", tiffinfo={274: 6})
said = Image.open("plain.tif").size


def shown(picture):
    """What a picture shows once it is loaded."""
    picture.load()
    for name, other in (("turned", page), ("as stored", stored)):
        if picture.size == other.size and not ImageChops.difference(picture.convert("L"), other).getbbox():
            return name
    return f"scrambled, {picture.width} x {picture.height}"


seen = {
    "path": shown(Image.open("plain.tif")),
    "path, exif_transpose": shown(ImageOps.exif_transpose(Image.open("plain.tif"))),
    "open file": shown(Image.open(open("plain.tif", "rb"))),
    "path, LZW": shown(Image.open("lzw.tif")),
    "path, colour": shown(Image.open("colour.tif")),
}
print(f"Pillow {PIL.__version__}: guessed all as stored, but turned by exif_transpose; seen, {said[0]} x {said[1]} before loading: {seen}")
scrambled = "scrambled, 300 x 400"
right = dict.fromkeys(("open file", "path, LZW", "path, colour"), "turned")
raise SystemExit(said != (400, 300) or seen != {"path": scrambled, "path, exif_transpose": scrambled, **right})
EOF
