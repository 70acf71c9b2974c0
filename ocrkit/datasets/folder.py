"""A plain folder of word crops with `labels.csv`: columns `file,text` and, where crops share documents, `document`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from ocrkit.datasets._files import crop_page, find_file
from ocrkit.datasets.sample import LabelledPage, Sample
from ocrkit.errors import BadDataset, quoted
from ocrkit.files import folder_name
from ocrkit.images import load_stored, to_grey

_COLUMNS = ["file", "text", "document"]


def load_crops(folder: Path | str) -> list[Sample]:
    """The samples of a folder, in the order of its `labels.csv`.

    UTF-8 with or without a byte order mark, any line ends, quoting as spreadsheets write it; a table without a first
    line of names has its columns in the order `file,text,document`. A crop without a `document` counts as a document
    of its own.

    Raises:
        BadDataset: no `labels.csv`, a column or an image missing, a column too many, or not UTF-8.
        BadImage: an image that is damaged.
    """
    folder = Path(folder)
    return [
        Sample(to_grey(load_stored(path, upright=True)), text, source=folder_name(folder), document=document or file)
        for file, path, text, document in _rows(folder)
    ]


def load_crop_pages(folder: Path) -> Iterator[LabelledPage]:
    """Each crop as a page of one word.

    Raises:
        BadDataset: as `load_crops`.
    """
    return (crop_page(folder, *row) for row in _rows(folder))


def _rows(folder: Path) -> Iterator[tuple[str, Path, str, str]]:
    """What each row of `labels.csv` calls its image, where that is, its label and its document."""
    labels = folder / "labels.csv"
    try:
        table = labels.read_text(encoding="utf-8-sig")
        first = next(csv.reader(io.StringIO(table)), None) or [""]
        nameless = "file" not in first and find_file(folder, first[0]) is not None
        rows = list(csv.DictReader(io.StringIO(table), _COLUMNS if nameless else None))
    except FileNotFoundError:
        raise BadDataset(f"There is no {labels}.") from None
    except UnicodeDecodeError:
        raise BadDataset(f"{labels} is not UTF-8: save it as CSV in UTF-8.") from None
    except (OSError, ValueError, csv.Error) as error:
        raise BadDataset(f"{labels} cannot be read as a table: {error}.") from None
    if not rows:
        raise BadDataset(f"{labels} needs a first line 'file,text' and a row for each crop.")
    if any(row.get("file") is None or row.get("text") is None for row in rows):
        raise BadDataset(f"{labels} needs the columns 'file' and 'text', parted by commas, in every row.")
    torn = next((row["file"] for row in rows if any(row.get(None, ()))), None)
    if torn is not None:
        raise BadDataset(f"{labels} has too many columns at {quoted(torn)}: put quotes around a text with a comma.")
    found = [find_file(folder, row["file"]) for row in rows]
    missing = [row["file"] for row, path in zip(rows, found) if path is None]
    if missing:
        raise BadDataset(f"{labels} names {len(missing)} missing images, the first of them {quoted(missing[0])}.")
    for row, path in zip(rows, found):
        if path:
            yield row["file"], path, row["text"], row.get("document") or ""
