"""What the adapters share: reading label files with an error a user can act on."""

from __future__ import annotations

import json
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np

from ocrkit.datasets.sample import LabelledPage, LabelledWord
from ocrkit.document import box_to_quad, quad_to_box
from ocrkit.errors import BadDataset, BadImage, quoted
from ocrkit.files import folder_name
from ocrkit.images import image_sizes

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
_FARTHEST = 1e6  # px; no picture that is read reaches so far
# What the wrong form raises where an adapter takes it for the right one: nulls for lists, lists for texts, numbers of
# hundreds of digits, things within things a thousand deep.
_OF_ANOTHER_FORM = (
    AttributeError,
    IndexError,
    KeyError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
    cv2.error,
)


@contextmanager
def reading(path: Path, form: str) -> Iterator[None]:
    """While labels of `path` are taken apart: what another form raises becomes one sentence.

    Args:
        path: of the labels.
        form: what is wanted, as the end of the sentence.

    Raises:
        BadDataset: labels of another form.
    """
    try:
        yield
    except _OF_ANOTHER_FORM:
        raise BadDataset(f"{path} is not {form}.") from None


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        BadDataset: it cannot be read or is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except RecursionError:
        raise BadDataset(f"The labels in {path} cannot be read: too many things within things.") from None
    except (OSError, ValueError) as error:
        raise BadDataset(f"The labels in {path} cannot be read: {error}.") from None


def find_file(folder: Path, name: str) -> Path | None:
    """The file that labels call `name` in `folder`; `None` where there is none.

    A name may be spelt with letters and their marks in one or apart: Macs write files in another way than people type.
    """
    with suppress(OSError, ValueError):  # longer than names can be, or with a null character
        if (folder / name).is_file():
            return folder / name
        path = folder
        for part in PurePosixPath(name).parts:
            names = _names(path, path.stat().st_mtime_ns)
            path /= part if (path / part).exists() else names.get(unicodedata.normalize("NFC", part), part)
        return path if path.is_file() else None
    return None


@lru_cache(maxsize=16)
def _names(folder: Path, changed: int) -> dict[str, str]:
    """The names in a folder last `changed` then, by their composed form."""
    return {unicodedata.normalize("NFC", path.name): path.name for path in folder.iterdir()}


def image_beside(folder: Path, stem: str) -> Path:
    """The image called `stem` in `folder`, whatever its format.

    Raises:
        BadDataset: there is none.
    """
    for suffix in IMAGE_SUFFIXES:
        for name in (f"{stem}{suffix}", f"{stem}{suffix.upper()}"):
            if path := find_file(folder, name):
                return path
    raise BadDataset(f"The labels of {quoted(stem)} have no image in {folder}.")


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
        if path := find_file(folder, wanted):
            return path
        with suppress(BadDataset):
            return image_beside(folder, PurePosixPath(wanted).stem)
    raise BadDataset(f"{labels} labels the image {quoted(name)}, which is not beside it.")


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
        raise BadDataset(f"{path} is not what was said: its root is {quoted(element.tag)} instead of {root!r}.")
    return element


def labelled_picture(image: Path, width: object, height: object) -> tuple[np.ndarray, bool]:
    """How labels of a page of these sides lie on its image file, by the file's sides.

    Args:
        image: the file.
        width: of the page, in the labels' own unit and as they write it.
        height: of the page.

    Returns:
        Pixels a unit, `(2,)`, across and down; and whether they are those of the picture as it is shown, turned as its
        EXIF says.

    Raises:
        BadImage: the image cannot be read.
        ValueError: no sides above zero.
    """
    size = np.array([float(str(width)), float(str(height))])
    if not (size > 0).all() or not np.isfinite(size).all():
        raise ValueError("no sides")
    stored, shown = (np.array(sides, float) for sides in image_sizes(image))
    # How far the proportions are off; equal ones are those of the pixels as stored.
    off = [abs(float(np.log(sides[0] * size[1] / (sides[1] * size[0])))) for sides in (stored, shown)]
    upright = off[1] < off[0]
    return (shown if upright else stored) / size, upright


def points(text: str) -> list[list[str]]:
    """The points of an XML attribute, `"x,y x,y"` or `"x y x y"`; numbers are not checked here."""
    numbers = text.replace(",", " ").split()
    return [numbers[i : i + 2] for i in range(0, len(numbers), 2)]


def labelled(
    entries: Iterable[Mapping[str, Any]], origin: Path, pixels_a_unit: np.ndarray | float = 1.0
) -> tuple[LabelledWord, ...]:
    """Labels from entries with a `text` and a place.

    A place is a `quad`, four corners in order from the text's own top-left; a `box`, x0 y0 x1 y1, put the right way
    round where it is reversed, or a quad where somebody drew one instead; or a `polygon` of three or more points in any
    order, of upright text. `pixels_a_unit`, one number or `(2,)`, takes places to pixels.

    Raises:
        BadDataset: an entry lacks a text, or four numbers or corners.
    """
    words = []
    for entry in entries:
        try:
            if "polygon" in entry:
                quad = quad_around(np.asarray(entry["polygon"], float) * pixels_a_unit)
            else:
                quad = np.asarray(entry["quad"] if "quad" in entry else entry["box"], float)
                quad = box_to_quad(quad_to_box(quad)) if quad.shape == (4,) else quad.reshape(-1, 2)
                quad = quad * pixels_a_unit
            if quad.shape != (4, 2) or not (np.abs(quad) < _FARTHEST).all():
                raise ValueError("not four corners")
            words.append(LabelledWord(_text(entry["text"]), quad))
        except _OF_ANOTHER_FORM:
            raise BadDataset(f"{origin} holds a label without a text and four corners: {quoted(entry)}.") from None
    return tuple(words)


def _text(value: Any) -> str:
    """A transcript: a text, a number, or nothing; half of a pair of code units that lost its other half is no text."""
    if value is None:
        return ""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise TypeError("no text")
    return str(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def quad_around(polygon: np.ndarray) -> np.ndarray:
    """The smallest rectangle around `polygon` `(N, 2)`, as a quad `(4, 2)` whose top is what points right the most.

    Raises:
        ValueError: fewer than three points.
    """
    if polygon.ndim != 2 or polygon.shape[1] != 2 or len(polygon) < 3 or not (np.abs(polygon) < _FARTHEST).all():
        raise ValueError("no polygon")
    corners = cv2.boxPoints(cv2.minAreaRect(polygon.astype(np.float32))).astype(float)
    if cv2.contourArea(corners.astype(np.float32), oriented=True) < 0:
        corners = corners[::-1]
    tops = np.roll(corners, -1, axis=0) - corners
    return np.roll(corners, -int(np.argmax(tops[:, 0] / np.maximum(np.linalg.norm(tops, axis=1), 1e-9))), axis=0)


def crop_page(folder: Path, file: str, path: Path, text: str, document: str = "") -> LabelledPage:
    """The word crop at `path`, which labels in `folder` call `file`, as a page of one word that fills it."""
    try:
        _, (width, height) = image_sizes(path)
    except BadImage:  # whoever needs the pixels gets the error
        width, height = 0, 0
    word = LabelledWord(_text(text), box_to_quad((0, 0, width, height)))
    return LabelledPage(file, (word,), path=path, source=folder_name(folder), document=document, upright=True)
