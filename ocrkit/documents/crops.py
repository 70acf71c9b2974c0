"""Boxes -> crops for the recogniser, and what it read in one -> words with their boxes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ocrkit.document import Image, Word, box_to_quad

if TYPE_CHECKING:
    from ocrkit.recognition import Guess

Recognize = Callable[[Sequence[Image]], "list[Guess]"]  # one guess a crop, in order


def crop_places(boxes: np.ndarray, shape: tuple[int, ...], margin: float) -> np.ndarray:
    """Whole-pixel boxes `(N, 4)` around `boxes`, wider by `margin` times their height, inside an image of `shape`."""
    around = margin * (boxes[:, 3:] - boxes[:, 1:2])
    places = np.concatenate([np.floor(boxes[:, :2] - around), np.ceil(boxes[:, 2:] + around)], axis=1)
    limits = np.array([shape[1], shape[0]] * 2)
    places = np.clip(places, 0, limits).astype(int)
    # A box outside the image still gets one pixel to look at.
    places[:, :2] = np.minimum(places[:, :2], limits[:2] - 1)
    places[:, 2:] = np.maximum(places[:, 2:], places[:, :2] + 1)
    return places


def split_words(guess: Guess, box: np.ndarray, crop_left: float) -> list[Word]:
    """One word for each run of characters without a blank.

    Args:
        guess: text, confidence and the `x0, x1` of each character in the crop.
        box: where the detector saw ink, `(4,)`; the outer words end at its sides, the inner ones at their characters.
        crop_left: the crop's left edge on the page, px.

    The first form of the Wordinator of Dropbox's pipeline (2017): discrete boxes for the words of a box that held
    several, placed by the network's time steps.
    """
    tokens = guess.text.split()
    if len(tokens) <= 1:
        return [Word(tokens[0], box_to_quad(box), guess.confidence)] if tokens else []
    x0, y0, x1, y1 = (float(side) for side in box)
    words, position = [], 0
    for i, token in enumerate(tokens):
        start = guess.text.index(token, position)
        position = start + len(token)
        left = x0 if i == 0 else float(np.clip(crop_left + guess.spans[start, 0], x0, x1))
        right = x1 if i == len(tokens) - 1 else float(np.clip(crop_left + guess.spans[position - 1, 1], left, x1))
        words.append(Word(token, box_to_quad((left, y0, right, y1)), guess.confidence))
    return words
