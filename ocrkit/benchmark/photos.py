"""Pages as people hand them in, photographed on a desk or turned: how far they are put right.

Both are made from labelled pages, so that where the corners are and which way is up are known exactly.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import cv2
import numpy as np

from ocrkit.datasets import LabelledPage
from ocrkit.document import Document, Image
from ocrkit.documents.page_search import find_page
from ocrkit.errors import BadDataset
from ocrkit.formats.overlay import draw_quads
from ocrkit.metrics import PrecisionRecall, bag_of_words
from ocrkit.synth.camera import CameraOptions, Photo, photograph

Read = Callable[[Image], Document]

NEAR = 0.01  # of the diagonal: corners no farther off than this are found
_RIM_PX = 4
_PAPER = 100  # grey level above which paper is


@dataclass(frozen=True, eq=False)
class Shot:
    """A photographed page, and where it was found.

    Attributes:
        page: what was photographed.
        photo: with its true corners.
        quad: the corners found, `(4, 2)`; `None` where no page was seen.
        cpu_seconds: of the search.
    """

    page: LabelledPage
    photo: Photo
    quad: np.ndarray | None
    cpu_seconds: float

    @property
    def megapixels(self) -> float:
        """Of the photo."""
        return self.photo.image.shape[0] * self.photo.image.shape[1] / 1e6

    @property
    def error(self) -> float:
        """How far the worst corner is off, as a share of the photo's diagonal; infinite where no page was seen."""
        if self.quad is None:
            return math.inf
        return float(
            np.linalg.norm(self.quad - self.photo.corners, axis=1).max() / np.hypot(*self.photo.image.shape[:2])
        )

    def overlay(self) -> Image:
        """The photo with the true corners in green and those found in red."""
        quads = [self.photo.corners] if self.quad is None else [self.photo.corners, self.quad]
        return draw_quads(self.photo.image, quads, [1.0, 0.0], thickness_px=2)

    def read(self, read: Read) -> dict[str, PrecisionRecall]:
        """Words read where the page is looked for first, and where the photo is read as it lies."""
        # Readers take grey pictures for scans, and look for no page in them.
        images = {"rectified": self.photo.image, "as it lies": cv2.cvtColor(self.photo.image, cv2.COLOR_RGB2GRAY)}
        texts = {how: [word.text for word in read(image).words] for how, image in images.items()}
        return {how: bag_of_words(self.page.texts, words, caseless=True) for how, words in texts.items()}


def shoot(pages: Sequence[LabelledPage], number: int, seed: int, options: CameraOptions) -> Shot:
    """Photo `number` of `pages` in turn, the same for the same seed, and the search for the page in it."""
    page = pages[number % len(pages)]
    photo = photograph(page, Random(f"{seed}/{number}"), options)
    begun = time.process_time()
    quad = find_page(photo.image)
    return Shot(page, photo, quad, time.process_time() - begun)


def papers(pages: Sequence[LabelledPage]) -> list[LabelledPage]:
    """Those that are paper from edge to edge: the dark rim that some scanners leave is no sheet's edge.

    Raises:
        BadDataset: none is.
    """
    found = [page for page in pages if np.percentile(_rim(page.image()), 1) > _PAPER]
    if not found:
        raise BadDataset("No page here is paper from edge to edge, to be photographed.")
    return found


def _rim(image: Image) -> np.ndarray:
    sides = image[:_RIM_PX], image[-_RIM_PX:], image[:, :_RIM_PX], image[:, -_RIM_PX:]
    return np.concatenate([side.ravel() for side in sides])


def turned_wrongly(read: Read, page: LabelledPage, degrees: int) -> bool:
    """Whether a page that was turned by `degrees` counter-clockwise, a multiple of 90, is not read as it stood."""
    stored = np.ascontiguousarray(np.rot90(page.image(), degrees // 90))
    return read(stored).pages[0].rotation != degrees
