#!/usr/bin/env bash
# Pillow 13.0.0, `thumbnail` of one picture from a JPEG and from a PNG of the same pixels.
# Guess: the same as `resize` to that size with the same filter.
# Seen: a JPEG is first decoded at a smaller scale (the `draft` mode), so thin strokes come out up to tens of grey levels different.
# So a preview for detection depends on the container; `resize`, or `thumbnail(..., reducing_gap=None)`, does not.
"$(dirname "$0")/fresh-venv" pillow==13.0.0 <<'EOF'
from io import BytesIO

import PIL
from PIL import Image, ImageChops, ImageDraw, ImageFont

page = Image.new("RGB", (800, 600), "white")
for y in range(20, 560, 30):
    ImageDraw.Draw(page).text((20, y), "some words of an invoice 12.50", fill=(30, 30, 120), font=ImageFont.load_default(20))


def stored(image, kind):
    file = BytesIO()
    image.save(file, kind)
    return file


def thumbnail(file, **options):
    image = Image.open(file)
    image.thumbnail((200, 150), **options)
    return image


def difference(a, b):
    return max(high for _, high in ImageChops.difference(a, b).getextrema())


jpeg = stored(page, "JPEG")
png = stored(Image.open(jpeg), "PNG")
resized = Image.open(png).resize((200, 150), Image.Resampling.BICUBIC)
seen = difference(thumbnail(jpeg), thumbnail(png))
whole = difference(thumbnail(jpeg, reducing_gap=None), resized)
print(f"Pillow {PIL.__version__}: guessed a difference of 0; seen {seen} grey levels, {whole} with reducing_gap=None")
raise SystemExit(not (seen > 10 and whole == 0))
EOF
