"""The page with a box around every word, coloured by confidence."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable

import cv2
import numpy as np

from ocrkit.document import Document, Image, Page
from ocrkit.errors import OcrkitError

_SHOWN_PAGES = 3
_SHOWN_WIDTH_PX = 900


def confidence_colour(confidence: float) -> tuple[int, int, int]:
    """RGB: red at 0, amber at a half, green at 1."""
    hue = np.uint8(np.clip(confidence, 0, 1) * 60)  # OpenCV counts hue in steps of two degrees
    red, green, blue = cv2.cvtColor(np.array([[[hue, 255, 200]]], np.uint8), cv2.COLOR_HSV2RGB)[0, 0]
    return int(red), int(green), int(blue)


def draw_quads(
    image: Image, quads: Iterable[np.ndarray], confidences: Iterable[float], thickness_px: int | None = None
) -> Image:
    """A copy of `image`, `(H, W, 3)` RGB, with the outline of each quad `(4, 2)` in its confidence's colour."""
    canvas = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else image.copy()
    thickness = thickness_px or max(1, round(max(canvas.shape[:2]) / 1000))
    for quad, confidence in zip(quads, confidences):
        points = np.round(quad).astype(np.int32)
        cv2.polylines(canvas, [points], True, confidence_colour(confidence), thickness, cv2.LINE_AA)
    return canvas


def draw_page(page: Page) -> Image:
    """The page image with its words' outlines, `(H, W, 3)` RGB.

    Raises:
        OcrkitError: the page's image was dropped, or there never was one.
    """
    if page.image is None:
        raise OcrkitError(f"Page {page.number} has no image to draw on.")
    return draw_quads(page.image, [word.quad for word in page.words], [word.confidence for word in page.words])


def to_html(document: Document) -> str:
    """The first pages with their boxes beside their text, for a notebook."""
    rows = [_row(page) for page in document.pages[:_SHOWN_PAGES]]
    left_out = len(document.pages) - len(rows)
    more = f"<p>and {left_out} more page{'s' if left_out > 1 else ''}</p>" if left_out > 0 else ""
    return f"<table>{''.join(rows)}</table>{more}"


def _row(page: Page) -> str:
    picture = f'<img src="data:image/png;base64,{_png(draw_page(page))}">' if page.image is not None else ""
    text = html.escape(page.error or page.text)
    style = "vertical-align: top; text-align: left"
    return f'<tr><td style="{style}">{picture}</td><td style="{style}"><pre>{text}</pre></td></tr>'


def _png(image: Image) -> str:
    scale = min(1.0, _SHOWN_WIDTH_PX / image.shape[1])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    _, data = cv2.imencode(".png", cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
    return base64.b64encode(data.tobytes()).decode("ascii")
