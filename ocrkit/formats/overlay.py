"""The page with a box around every word, coloured by confidence."""

from __future__ import annotations

import base64
import html
import sys
from collections.abc import Iterable

import cv2
import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
import PIL.ImageShow

from ocrkit.document import Document, Image, Page, Word, counted
from ocrkit.errors import OcrkitError

_SHOWN_PAGES = 3
_SHOWN_WIDTH_PX = 900
_LETTERS_PX = 48  # size at which a word's letters are drawn before they are fitted into its corners
_FADED = 0.35  # of the page's ink, that is left under words
_INK = 0.6  # of the colour's brightness, that letters are drawn with


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


def draw_words(document: Document, number: int = 1) -> Image:
    """Page `number` with its words, as they were read, on their faded ink, `(height, width, 3)` RGB.

    Each word fills its corners and has its confidence's colour. Without the page's image the ground is white.

    Raises:
        OcrkitError: there is no such page, or it could not be read.
    """
    page = next((page for page in document.pages if page.number == number), None)
    if page is None:
        raise OcrkitError(f"There is no page {number}.")
    if not page.width or not page.height:
        raise OcrkitError(page.error or f"Page {number} has no size.")
    if page.image is None:
        canvas = np.full((page.height, page.width, 3), 255, np.uint8)
    else:
        ink = 255 - (cv2.cvtColor(page.image, cv2.COLOR_GRAY2RGB) if page.image.ndim == 2 else page.image)
        canvas = 255 - (ink * _FADED).astype(np.uint8)
    font = PIL.ImageFont.load_default(_LETTERS_PX)
    for word in page.words:
        _write(canvas, word, font)
    return canvas


def _write(canvas: Image, word: Word, font: PIL.ImageFont.FreeTypeFont | PIL.ImageFont.ImageFont) -> None:
    """Write a word into its corners."""
    left, top, right, bottom = (round(side) for side in font.getbbox(word.text or " ", anchor="ls"))
    top, bottom = min(top, -_LETTERS_PX // 2), max(bottom, 1)
    letters = PIL.Image.new("L", (max(right - left, 1), bottom - top))
    PIL.ImageDraw.Draw(letters).text((-left, -top), word.text, 255, font, anchor="ls")
    corners = np.array([[0, 0], [letters.width, 0], [letters.width, letters.height], [0, letters.height]], np.float32)
    (x0, y0), (x1, y1) = np.floor(word.box[:2]).astype(int), np.ceil(word.box[2:]).astype(int)
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, canvas.shape[1]), min(y1, canvas.shape[0])
    if x1 <= x0 or y1 <= y0 or cv2.contourArea(word.quad.astype(np.float32)) < 1:
        return
    matrix = cv2.getPerspectiveTransform(corners, (word.quad - (x0, y0)).astype(np.float32))
    share = cv2.warpPerspective(np.array(letters), matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_AREA)[..., None] / 255.0
    part = canvas[y0:y1, x0:x1]
    ink = np.array(confidence_colour(word.confidence)) * _INK
    part[:] = (part * (1 - share) + ink * share + 0.5).astype(np.uint8)


def show_pages(document: Document) -> None:
    """Show the pages with their boxes: in a notebook below the cell, elsewhere in the machine's image viewer.

    Raises:
        OcrkitError: no page has an image, or the machine has nothing to show it with.
    """
    if "IPython" in sys.modules:
        from IPython import display, get_ipython

        if get_ipython() is not None and "IPKernelApp" in get_ipython().config:
            display.display(display.HTML(to_html(document)))
            return
    pages = [page for page in document.pages if page.image is not None]
    if not pages:
        raise OcrkitError("No page has an image to show: read the document again, or use `render`.")
    for page in pages[:_SHOWN_PAGES]:
        if not PIL.ImageShow.show(PIL.Image.fromarray(draw_page(page)), f"Page {page.number} of {document.source}"):
            raise OcrkitError("This machine has no image viewer: save what `render` returns as a picture instead.")


def to_html(document: Document) -> str:
    """The first pages with their boxes beside their text and how much of them was left out, for a notebook."""
    rows = [_row(page) for page in document.pages[:_SHOWN_PAGES]]
    left_out = len(document.pages) - len(rows)
    more = f"<p>and {counted(left_out, 'more page')}</p>" if left_out > 0 else ""
    return f"<table>{''.join(rows)}</table>{more}"


def _row(page: Page) -> str:
    picture = f'<img src="data:image/png;base64,{_png(draw_page(page))}">' if page.image is not None else ""
    text = html.escape(page.error or page.text)
    left_out = ", ".join(f"{count} ({html.escape(reason)})" for reason, count in page.left_out.items() if count)
    told = f"<p><small>Left out: {left_out}</small></p>" if left_out else ""
    style = "vertical-align: top; text-align: left"
    return f'<tr><td style="{style}">{picture}</td><td style="{style}"><pre>{text}</pre>{told}</td></tr>'


def _png(image: Image) -> str:
    scale = min(1.0, _SHOWN_WIDTH_PX / image.shape[1])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    _, data = cv2.imencode(".png", cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
    return base64.b64encode(data.tobytes()).decode("ascii")
