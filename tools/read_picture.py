"""Draw docs/pictures/read.png, a photographed page beside what was read of it: `python tools/read_picture.py`.

The page is simulated, so that nobody's document is shown: a till receipt set, laid on a desk and photographed by
`ocrkit.synth`. What is read is what the released model reads, mistakes included.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import ocrkit
from ocrkit.files import make_folder
from ocrkit.formats.overlay import draw_page
from ocrkit.synth.camera import CameraOptions
from ocrkit.synth.corpus import build_vocabulary
from ocrkit.synth.fonts import FontOptions, audit, font_folders
from ocrkit.synth.pages import PageGenerator, PageOptions

TARGET = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "read.png"
_HEIGHT, _WIDEST = 900, 700  # px
_TEXT_WIDTH, _MARGIN = 480, 32  # px
_COLOURS = 128


def main(number: int = 2) -> None:
    """Photograph simulated page `number`, read it and write the picture."""
    fonts = FontOptions(sources=("packages",))
    verdicts = audit(font_folders(fonts.sources))
    options = PageOptions(kinds=("receipt",), fonts=fonts)
    photo = PageGenerator(build_vocabulary(), verdicts, options).photo(number, CameraOptions(zoom=1.2)).page.image()
    document = ocrkit.Reader().read(photo)
    seen = Image.fromarray(draw_page(document.pages[0]))
    seen.thumbnail((_WIDEST, _HEIGHT))
    picture = Image.new("RGB", (seen.width + _TEXT_WIDTH, seen.height), "white")
    picture.paste(seen)
    family = next(v.path for v in verdicts if "SourceSansPro-Regular" in Path(v.path).stem)
    lines = document.text.splitlines()
    size = min(24, (seen.height - 2 * _MARGIN) // max(1, len(lines)) * 5 // 6)
    draw = ImageDraw.Draw(picture)
    draw.multiline_text(
        (seen.width + _MARGIN, _MARGIN), document.text, "black", ImageFont.truetype(family, size), spacing=size // 5
    )
    make_folder(TARGET.parent)
    picture.quantize(_COLOURS).save(TARGET, optimize=True)
    print(f"{TARGET}: {np.mean([word.confidence for word in document.pages[0].words]):.2f} mean confidence")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
