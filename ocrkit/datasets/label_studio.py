"""Label Studio's JSON export: `*.json`, each a list of tasks, with the images beside it.

Regions are rectangles or polygons in percent of the image, their transcripts text areas of the same id
(https://labelstud.io/guide/task_format).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ocrkit.datasets._files import IMAGE_SUFFIXES, labelled, named_image, read_json, reading
from ocrkit.datasets.sample import LabelledPage
from ocrkit.document import box_to_quad
from ocrkit.errors import BadDataset, BadImage, quoted
from ocrkit.files import folder_name
from ocrkit.images import image_sizes

_LIKE = 0.02  # by which proportions may differ and still be those of one picture, scaled
_UPLOADED = re.compile(r"[0-9a-f]{8}-")  # what Label Studio writes before the names of uploaded files


def load_label_studio(folder: Path) -> Iterator[LabelledPage]:
    """The annotated tasks of a folder's exports, in their order; the first annotation that was not skipped counts.

    Where a transcript of a page has several words, its regions are its lines. Regions without a transcript keep an
    empty text, transcripts without a region are counted as left out.

    Raises:
        BadDataset: another form of export, a task without an image, one whose image has other sides than were labelled,
            or an image that was turned for labelling.
    """
    for path in sorted(folder.glob("*.json")):
        tasks = read_json(path)
        with reading(path, "Label Studio's JSON export: it needs tasks with data and annotations[].result[].value"):
            for task in list(tasks):
                results = next((a["result"] for a in task["annotations"] if not a.get("was_cancelled")), None)
                if results is not None:
                    yield _page(task["data"], results, path)


def _page(data: dict[str, Any], results: list[dict[str, Any]], path: Path) -> LabelledPage:
    image = _image(data, path)
    (width, height), upright = _shown(image, results, path)
    regions, placeless = _regions(results, np.array([width, height]) / 100, path)
    labels = labelled(regions, path)
    by_line = any(len(label.text.split()) > 1 for label in labels)
    return LabelledPage(
        id=image.stem,
        words=() if by_line else labels,
        lines=labels if by_line else (),
        path=image,
        upright=upright,
        source=folder_name(path.parent),
        left_out={"transcripts without a place": placeless} if placeless else {},
    )


def _image(data: dict[str, Any], path: Path) -> Path:
    """The image of a task: a path or URL among its data, or the file it had before it was uploaded."""
    places = [value.rpartition("?d=")[2] for value in data.values() if isinstance(value, str)]
    names = [PurePosixPath(place).name for place in places if place.lower().endswith(IMAGE_SUFFIXES)]
    for name in [*names, *(_UPLOADED.sub("", name, count=1) for name in names)]:
        with suppress(BadDataset):
            return named_image(path, name)
    raise BadDataset(f"{path} has a task whose image is not beside it: {quoted(data)}.")


def _shown(image: Path, results: list[dict[str, Any]], path: Path) -> tuple[tuple[float, float], bool]:
    """The size of the picture that was labelled, and whether that is the one turned as its EXIF says.

    Browsers turn photos so, and Label Studio then exports the sides that the turned picture has; old ones did not.

    Raises:
        BadDataset: the labels are those of a picture of other sides.
    """
    told = next(((r["original_width"], r["original_height"]) for r in results if "original_width" in r), None)
    try:
        stored, shown = image_sizes(image)
    except BadImage:  # whoever needs the pixels gets the error
        return told or (0, 0), False
    for size, upright in ((shown, True), (stored, False)):
        if told is None or abs(told[0] * size[1] - told[1] * size[0]) <= _LIKE * told[1] * size[0]:
            return size, upright
    raise BadDataset(f"{path} labels another {image.name}: its sides were {quoted(told)}, and are {shown} px.")


def _regions(results: list[dict[str, Any]], scale: np.ndarray, path: Path) -> tuple[list[dict[str, Any]], int]:
    """Places and transcripts, joined by the id of their region, and how many transcripts have no place."""
    regions: dict[str, dict[str, Any]] = {}
    for result in results:
        value = result.get("value", {})
        if result.get("image_rotation"):
            raise BadDataset(f"{path} has an image turned by {quoted(result['image_rotation'])}°: turn and relabel it.")
        region = regions.setdefault(result.get("id", ""), {"text": ""})
        if "text" in value:
            region["text"] = value["text"] if isinstance(value["text"], str) else " ".join(value["text"])
        if "points" in value or {"x", "y", "width", "height"} <= value.keys():
            region |= _place(value, scale)
    placed = [region for region in regions.values() if len(region) > 1]
    return placed, sum(len(region) == 1 and bool(region["text"].strip()) for region in regions.values())


def _place(value: dict[str, Any], scale: np.ndarray) -> dict[str, Any]:
    """A region's `polygon` or `quad` in pixels; a rectangle turns clockwise about its top-left corner."""
    if "points" in value:
        return {"polygon": np.asarray(value["points"], float) * scale}
    x, y, width, height = np.array([value[key] for key in ("x", "y", "width", "height")], float) * np.tile(scale, 2)
    turn = np.radians(value.get("rotation", 0))
    right, down = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    corners = box_to_quad((min(width, 0), min(height, 0), max(width, 0), max(height, 0)))
    return {"quad": np.array([x, y]) + corners @ np.array([right, down])}
