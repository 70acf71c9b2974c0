"""Words of invented pages and of PDFs, cut as the detector finds them: what a net meets when it reads a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import cv2
import numpy as np

from ocrkit.alphabet import normalise
from ocrkit.datasets import LabelledPage, Sample
from ocrkit.datasets.crops import cut
from ocrkit.datasets.pdf import load_pdf
from ocrkit.detection import dark_on_light, detect
from ocrkit.document import Image, box_to_quad
from ocrkit.synth.corpus import Vocabulary
from ocrkit.synth.fonts import FontVerdict
from ocrkit.synth.pages import PageGenerator, PageOptions
from ocrkit.synth.printed import PrintedPages
from ocrkit.synth.printed.copies import COPIES
from ocrkit.synth.printed.layouts import Layout
from ocrkit.synth.printed.signs import signs
from ocrkit.synth.printed.typefaces import other_typefaces

PDFS = "PDFs"  # the source of their words

_SOURCE = "invented pages"
_HALF = "tune"  # of the layouts of print; the other one is to report on
_SIGNS, _PRINT, _TURN = 3, 2, 6  # of six pages, of signs and of print; the sixth is a receipt, a letter or a screenshot
_RARE = frozenset("†‡≤≥")  # few typefaces have them: where all take turns, a net learns next to none
_INSIDE, _TOUCHED = 0.6, 0.1  # shares of a word's ink in a box, from which on it is in it, and beside it
_BLUR_PX = 1.5  # by which ink may reach beyond a box above and below, as its blur does
_BESIDE_PX = 0.5  # the same to the left and right, where a mark may stand
_MOST_WORDS = 3  # in one box
_EMPTY = 0.5  # heights; of what a box holds beside its words' ink, at most
_LONGEST = 30  # characters
_LARGEST_PX = 48  # height of a crop that is kept, half as high again as the net sees it
_SCALES = (0.6, 1.5)  # at which a PDF's page is printed, which is drawn at 200 dpi; faxes are of 200 dpi
_MOST_PIXELS = 9e6  # of such a page


def page_words(vocabulary: Vocabulary, verdicts: Sequence[FontVerdict], pages: int, seed: int) -> Iterator[Sample]:
    """Words of so many pages: of signs and print in many faces, clean, scanned, copied, faxed; of other documents.

    Every third page of signs is in one of the typefaces that have the rarest, if there are any.

    Nothing is in a layout that `ocrkit benchmark print` reports on, nor in any of its typefaces.

    Args:
        vocabulary: what the pages say.
        verdicts: the font audit.
        pages: how many; each has some 200 words.
        seed: of all that is drawn.

    Raises:
        BadDataset: no usable font or word.
    """
    shuffled = list(other_typefaces(verdicts).items())
    Random(seed).shuffle(shuffled)  # some pages do not come to the last of them
    typefaces = dict(shuffled)
    complete = {name: family for name, family in shuffled if family.regular.characters >= _RARE}
    layouts = {"signs": Layout(signs, _HALF)}
    of_signs = PrintedPages(vocabulary, _HALF, seed, typefaces, layouts)
    of_rare_signs = PrintedPages(vocabulary, _HALF, seed, complete or typefaces, layouts)
    of_print = PrintedPages(vocabulary, _HALF, seed, typefaces)
    documents = PageGenerator(vocabulary, verdicts, PageOptions(seed=seed))
    for number in range(pages):
        turn = number % _TURN
        printed = of_print if turn >= _SIGNS else of_signs if turn else of_rare_signs
        yield from words_as_found(printed[number].page if turn < _SIGNS + _PRINT else documents[number])


def pdf_words(folder: Path, seed: int) -> Iterator[Sample]:
    """Words of a folder's PDFs, which their own text labels: every page is scaled, and then a clean page or a copy.

    Args:
        folder: see `ocrkit.datasets.pdf.load_pdf`, which also says which pages can be used.
        seed: of the scales and copies.

    Raises:
        BadDataset: a PDF that is locked, damaged or empty.
    """
    for page in load_pdf(folder, "train"):
        r = Random(f"{seed}/{page.id}")
        copied, image = r.choice(list(COPIES)), page.image()
        wished = 1.0 if copied == "faxed" else r.uniform(*_SCALES)
        scale = min(wished, (_MOST_PIXELS / (image.shape[0] * image.shape[1])) ** 0.5)
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        printed = cv2.resize(image, None, fx=scale, fy=scale, interpolation=method)
        words = tuple(replace(word, quad=word.quad * scale) for word in page.words)
        for sample in words_as_found(COPIES[copied](LabelledPage(page.id, words, pixels=printed), r)):
            yield replace(sample, source=PDFS)


def words_as_found(page: LabelledPage) -> Iterator[Sample]:
    """The words of `page` as the detector finds them, each box with what is seen in it.

    Words that it joined are one sample, with blanks between them. Left out are boxes that hold no word, or a part of
    one, or more than words, or one without a text, and what runs up or down the page.

    Args:
        page: each label the box of its word's ink; words without a text are those nobody could tell.
    """
    image = page.image()
    grey = dark_on_light(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 else image)
    found = [line.boxes for line in detect(grey) if not line.aside and not line.check and len(line.boxes)]
    if not found or not page.words:
        return
    ink = np.array([word.box for word in page.words])
    texts = [normalise(word.text) for word in page.words]
    for box in np.concatenate(found):
        held = _held(box, ink)
        text = " ".join(texts[i] for i in held)
        if len(held) and all(texts[i] for i in held) and len(text) <= _LONGEST:
            yield Sample(_shrunk(cut(grey, box_to_quad(box))), text, _SOURCE, page.id)


def _held(box: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """Numbers of the words that `box` `(4,)` holds, from left to right; none where it holds a part of one, or more.

    Args:
        box: px.
        ink: `(N, 4)` px; of all words.
    """
    none = np.zeros(0, int)
    across = np.minimum(ink[:, 2], box[2]) - np.maximum(ink[:, 0], box[0])
    down = np.minimum(ink[:, 3], box[3]) - np.maximum(ink[:, 1], box[1])
    share = np.maximum(across, 0) * np.maximum(down, 0) / np.maximum((ink[:, 2:] - ink[:, :2]).prod(1), 1)
    held = np.flatnonzero(share > _INSIDE)
    if not 0 < len(held) <= _MOST_WORDS or ((share > _TOUCHED) & (share <= _INSIDE)).any():
        return none
    held = held[np.argsort(ink[held, 0])]
    words = ink[held]
    (x0, y0), (x1, y1) = np.floor(box[:2]).tolist(), np.ceil(box[2:]).tolist()
    beyond = (words[:, 0] < x0 - _BESIDE_PX) | (words[:, 2] > x1 + _BESIDE_PX)
    beyond |= (words[:, 1] < y0 - _BLUR_PX) | (words[:, 3] > y1 + _BLUR_PX)
    in_a_row = (words[1:, 0] >= words[:-1, 2] - 1).all()
    empty = (box[2] - box[0]) - (words[-1, 2] - words[0, 0])
    return none if beyond.any() or not in_a_row or empty > max(4, _EMPTY * (box[3] - box[1])) else held


def _shrunk(crop: Image) -> Image:
    if crop.shape[0] <= _LARGEST_PX:
        return crop
    width = max(1, round(crop.shape[1] * _LARGEST_PX / crop.shape[0]))
    return cv2.resize(crop, (width, _LARGEST_PX), interpolation=cv2.INTER_AREA)
