"""What went wrong on a page, drawn on it."""

from __future__ import annotations

import cv2
import numpy as np

from ocrkit.benchmark.printed.scores import PrintScore
from ocrkit.document import Image
from ocrkit.synth.printed import PrintedPage

_COLOURS = {"right": (150, 220, 150), "not found": (230, 0, 0), "extra": (0, 90, 230)}  # RGB
_OTHER = (220, 120, 0)


def overlay(page: PrintedPage, score: PrintScore) -> Image:
    """The page, `(H, W, 3)` RGB, with its words outlined: green those read right, red lost ones, blue invented ones.

    Orange ones were read otherwise; above them stands what was read, as far as it is ASCII.
    """
    image = page.page.image()
    canvas = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else image.copy()
    size = 0.35 * page.dpi / 150
    for outcome in score.outcomes:
        (x0, y0), (x1, y1) = np.round(outcome.box).astype(int).reshape(2, 2).tolist()
        colour = _COLOURS.get(outcome.fate, _OTHER)
        cv2.rectangle(canvas, (x0 - 1, y0 - 1), (x1, y1), colour, 1)
        if outcome.fate not in ("right", "not found"):
            shown = outcome.reading.encode("ascii", "replace").decode()
            cv2.putText(canvas, shown, (x0, y0 - 2), cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)
    return canvas
