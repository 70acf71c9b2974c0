"""What the adapters share: reading label files with an error a user can act on."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np

from ocrkit.datasets.sample import LabelledPage, LabelledWord, read_pixels
from ocrkit.document import box_to_quad, quad_to_box
from ocrkit.errors import BadDataset, BadImage

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        BadDataset: it cannot be read or is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise BadDataset(f"The labels in {path} cannot be read: {error}.") from None


def image_beside(folder: Path, stem: str) -> Path:
    """The image called `stem` in `folder`, whatever its format.

    Raises:
        BadDataset: there is none.
    """
    for suffix in IMAGE_SUFFIXES:
        for path in (folder / f"{stem}{suffix}", folder / f"{stem}{suffix.upper()}"):
            if path.is_file():
                return path
    raise BadDataset(f"The labels of {stem!r} have no image in {folder}.")


def named_image(labels: Path, name: str) -> Path:
    """The image that the file `labels` calls `name`: beside it, in `images/` there, or in the folder above.

    Only the last part of `name` counts, as paths and URLs are those of the machine that wrote them; another suffix
    of the same name will do.

    Raises:
        BadDataset: there is none.
    """
    wanted = PurePosixPath(name.replace("\\", "/")).name
    folders = [labels.parent, labels.parent / "images", labels.parent.parent]
    for folder in folders if wanted else []:
        if (folder / wanted).is_file():
            return folder / wanted
        with suppress(BadDataset):
            return image_beside(folder, PurePosixPath(wanted).stem)
    raise BadDataset(f"{labels} labels the image {name!r}, which is not beside it.")


def read_xml(path: Path, root: str) -> ET.Element:
    """The root element of an XML file, which must be called `root` in whatever namespace.

    Raises:
        BadDataset: it cannot be read, is no XML or another kind of it.
    """
    try:
        element = ET.parse(path).getroot()
    except (OSError, ET.ParseError, LookupError, ValueError) as error:  # the last two: an encoding unknown or wrong
        raise BadDataset(f"The labels in {path} cannot be read: {error}.") from None
    if element.tag.rpartition("}")[2] != root:
        raise BadDataset(f"{path} is not what was said: its root is {element.tag!r} instead of {root!r}.")
    return element


def points(text: str) -> list[list[str]]:
    """The points of an XML attribute, `"x,y x,y"` or `"x y x y"`; numbers are not checked here."""
    numbers = text.replace(",", " ").split()
    return [numbers[i : i + 2] for i in range(0, len(numbers), 2)]


def labelled(entries: Iterable[Mapping[str, Any]], origin: Path) -> tuple[LabelledWord, ...]:
    """Labels from entries with a `text` and a place.

    A place is a `quad`, four corners in order from the text's own top-left; a `box`, x0 y0 x1 y1, put the right way
    round where it is reversed, or a quad where somebody drew one instead; or a `polygon` of three or more points in any
    order, of upright text.

    Raises:
        BadDataset: an entry lacks a text, or four numbers or corners.
    """
    words = []
    for entry in entries:
        try:
            if "polygon" in entry:
                quad = quad_around(np.asarray(entry["polygon"], float))
            else:
                quad = np.asarray(entry["quad"] if "quad" in entry else entry["box"], float)
                quad = box_to_quad(quad_to_box(quad)) if quad.shape == (4,) else quad.reshape(-1, 2)
            if quad.shape != (4, 2) or not np.isfinite(quad).all():
                raise ValueError("not four corners")
            words.append(LabelledWord(str(entry["text"]), quad))
        except (KeyError, TypeError, ValueError):
            raise BadDataset(f"{origin} holds a label without a text and four corners: {entry!r}.") from None
    return tuple(words)


def quad_around(polygon: np.ndarray) -> np.ndarray:
    """The smallest rectangle around `polygon` `(N, 2)`, as a quad `(4, 2)` whose top is what points right the most.

    Raises:
        ValueError: fewer than three points.
    """
    if polygon.ndim != 2 or polygon.shape[1] != 2 or len(polygon) < 3:
        raise ValueError("no polygon")
    corners = cv2.boxPoints(cv2.minAreaRect(polygon.astype(np.float32))).astype(float)
    if cv2.contourArea(corners.astype(np.float32), oriented=True) < 0:
        corners = corners[::-1]
    tops = np.roll(corners, -1, axis=0) - corners
    return np.roll(corners, -int(np.argmax(tops[:, 0] / np.maximum(np.linalg.norm(tops, axis=1), 1e-9))), axis=0)


def crop_page(folder: Path, file: str, text: str, document: str = "") -> LabelledPage:
    """The word crop `file` of `folder` as a page of one word, which fills it; the file's name is its id."""
    try:
        height, width = read_pixels(folder / file).shape[:2]
    except BadImage:  # whoever needs the pixels gets the error
        height, width = 0, 0
    word = LabelledWord(text, box_to_quad((0, 0, width, height)))
    return LabelledPage(file, (word,), path=folder / file, source=folder.resolve().name, document=document)
