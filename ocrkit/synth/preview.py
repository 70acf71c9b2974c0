"""Contact sheets: many crops in one picture, each with its text below it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from ocrkit.datasets.sample import Sample
from ocrkit.document import Image

_CELL = (190, 64)  # px, of which the lowest 20 hold the text
_TEXT_PX = 20


def contact_sheet(samples: Sequence[Sample], font: str, columns: int = 6) -> Image:
    """`samples` row by row, `uint8` grey; crops larger than their cell are made smaller, smaller ones are left so.

    Args:
        samples: at least one.
        font: file of the font that the texts are set in.
        columns: cells a row.
    """
    width, height = _CELL
    rows = -(-len(samples) // columns)
    sheet = np.full((rows * height, columns * width), 255, np.uint8)
    for number, sample in enumerate(samples):
        y, x = number // columns * height + 4, number % columns * width + 4
        crop = _fitted(sample.image, width - 8, height - _TEXT_PX - 8)
        sheet[y : y + crop.shape[0], x : x + crop.shape[1]] = crop
    picture = PillowImage.fromarray(sheet)
    pen, face = ImageDraw.Draw(picture), ImageFont.truetype(font, 13)
    for number, sample in enumerate(samples):
        at = (number % columns * width + 4, number // columns * height + height - _TEXT_PX)
        pen.text(at, sample.text or "(no text)", fill=0 if sample.text else 150, font=face)
    return np.asarray(picture)


def _fitted(crop: Image, width: int, height: int) -> Image:
    scale = min(1.0, width / crop.shape[1], height / crop.shape[0])
    size = (max(1, int(crop.shape[1] * scale)), max(1, int(crop.shape[0] * scale)))
    return cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
