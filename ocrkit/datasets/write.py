"""Samples -> a plain folder of crops, which `ocrkit.datasets.load_crops` and people read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2

from ocrkit.datasets.sample import Sample
from ocrkit.errors import BadParams, PrivateData
from ocrkit.files import make_folder, write_whole


def write_crops(samples: Iterable[Sample], folder: Path) -> int:
    """Write a PNG for each sample into `folder/images`, then `folder/labels.csv`; returns their number.

    Raises:
        BadParams: the folder holds labels already; written over, they would be mixed with what is left of the old.
        PrivateData: a word of a donated page.
        OcrkitError: the folder or a file cannot be written.
    """
    if (folder / "labels.csv").exists():
        raise BadParams(f"{folder} holds labelled crops already: name another folder, or delete it first.")
    make_folder(folder / "images")
    rows = []
    for number, sample in enumerate(samples):
        if sample.private:
            raise PrivateData(f"{folder} is not written: donated words stay in their vault.")
        name = f"images/{number:06d}.png"
        write_whole(folder / name, cv2.imencode(".png", sample.image)[1].tobytes())
        rows.append((name, sample.text, sample.document))
    write_table(folder / "labels.csv", ("file", "text", "document"), rows)
    return len(rows)


def write_table(path: Path, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file with a first line of `names`, as spreadsheets read it.

    Raises:
        OcrkitError: it cannot be written.
    """
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(names)
    writer.writerows(rows)
    write_whole(path, "\ufeff" + table.getvalue())  # without a byte order mark Excel takes UTF-8 for another encoding
