"""Contact sheets: many crops in one picture, each with its text below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from ocrkit.datasets.crops import word_samples
from ocrkit.datasets.sample import LabelledPage, Sample
from ocrkit.document import Image
from ocrkit.errors import BadDataset

_CELL = (190, 76)  # px
_CROP = (178, 44)  # px, the most of a cell that a crop takes
_TEXT_PX = 13
_MARGIN = 0.1  # of a word's height: about what the detector leaves
_PAGES = 30  # opened at most


def real_words(pages: Sequence[LabelledPage], wanted: int, seed: int = 0) -> list[Sample]:
    """`wanted` words, or as many as there are, of some of `pages`; where lines are labelled, those of one word.

    Raises:
        BadDataset: there are none.
        BadImage: a page that cannot be read.
    """
    r = Random(seed)
    words = [replace(page, words=tuple(w for w in page.readable if len(w.text.split()) == 1)) for page in pages]
    samples = list(word_samples(r.sample(words, min(_PAGES, len(words))), _MARGIN))
    if not samples:
        raise BadDataset(f"No word of the {len(pages)} labelled pages can be cut out.")
    return r.sample(samples, min(wanted, len(samples)))


def contact_sheet(groups: Sequence[Sequence[Sample]], font: str, columns: int = 6) -> Image:
    """The samples of each group row by row, `uint8` grey, with a line between groups.

    Crops larger than their place are made smaller, smaller ones are left so; each has its text close below it.

    Args:
        groups: such as real words and invented ones; each of at least one sample.
        font: file of the font that the texts are set in.
        columns: cells a row.
    """
    face = ImageFont.truetype(font, _TEXT_PX)
    sheets = [_sheet(samples, face, columns) for samples in groups]
    for sheet in sheets[1:]:
        sheet[:2] = 0
    return np.concatenate(sheets)


def _sheet(samples: Sequence[Sample], face: ImageFont.FreeTypeFont, columns: int) -> Image:
    width, height = _CELL
    picture = PillowImage.new("L", (columns * width, -(-len(samples) // columns) * height), 255)
    for number, sample in enumerate(samples):
        picture.paste(_cell(sample, face), (number % columns * width, number // columns * height))
    return np.array(picture)


def _cell(sample: Sample, face: ImageFont.FreeTypeFont) -> PillowImage.Image:
    """A crop that stands on its text: what is left of the cell lies above, so that no text is nearer another crop."""
    cell, crop = PillowImage.new("L", _CELL, 255), _fitted(sample.image)
    floor = _CELL[1] - _TEXT_PX - 12
    cell.paste(PillowImage.fromarray(crop), (6, floor - crop.shape[0]))
    text, grey = (sample.text, 0) if sample.text else ("(no text)", 150)
    ImageDraw.Draw(cell).text((6, floor + 2), text, fill=grey, font=face)
    return cell


def _fitted(crop: Image) -> Image:
    scale = min(1.0, _CROP[0] / crop.shape[1], _CROP[1] / crop.shape[0])
    size = (max(1, int(crop.shape[1] * scale)), max(1, int(crop.shape[0] * scale)))
    return cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
