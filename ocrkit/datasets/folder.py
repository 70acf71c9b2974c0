"""A plain folder of word crops with `labels.csv`: columns `file,text` and, where crops share documents, `document`."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from ocrkit.datasets.sample import LabelledPage, LabelledWord, Sample, read_pixels
from ocrkit.document import box_to_quad
from ocrkit.errors import BadDataset, BadImage
from ocrkit.images import to_grey


def load_crops(folder: Path | str) -> list[Sample]:
    """The samples of a folder, in the order of its `labels.csv`.

    UTF-8 with or without a byte order mark, any line ends, quoting as spreadsheets write it. A crop without a
    `document` counts as a document of its own.

    Raises:
        BadDataset: no `labels.csv`, a column or an image missing, or not UTF-8.
        BadImage: an image that is damaged.
    """
    folder = Path(folder)
    return [
        Sample(to_grey(read_pixels(path)), text, source=folder.resolve().name, document=document)
        for path, text, document in _rows(folder)
    ]


def load_crop_pages(folder: Path) -> Iterator[LabelledPage]:
    """Each crop as a page of one word, which fills it; its id is the file's name.

    Raises:
        BadDataset: as `load_crops`.
    """
    for path, text, _ in _rows(folder):
        try:
            height, width = read_pixels(path).shape[:2]
        except BadImage:  # whoever needs the pixels gets the error
            height, width = 0, 0
        word = LabelledWord(text, box_to_quad((0, 0, width, height)))
        yield LabelledPage(id=path.name, words=(word,), path=path, source=folder.resolve().name)


def _rows(folder: Path) -> Iterator[tuple[Path, str, str]]:
    """Image path, label and document of each row of `labels.csv`."""
    labels = folder / "labels.csv"
    try:
        with labels.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadDataset(f"{labels} cannot be read as a UTF-8 table: {error}.") from None
    if not rows:
        raise BadDataset(f"{labels} needs a first line 'file,text' and a row for each crop.")
    if any(row.get("file") is None or row.get("text") is None for row in rows):
        raise BadDataset(f"{labels} needs the columns 'file' and 'text' in every row.")
    missing = [row["file"] for row in rows if not (folder / row["file"]).is_file()]
    if missing:
        raise BadDataset(f"{labels} names {len(missing)} missing images, the first of them {missing[0]!r}.")
    for row in rows:
        yield folder / row["file"], row["text"], row.get("document") or row["file"]
