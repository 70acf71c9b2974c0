"""Labelled pages by the name of their form: the one door to every adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ocrkit.datasets.alto import load_alto
from ocrkit.datasets.cord import load_cord
from ocrkit.datasets.folder import load_crop_pages
from ocrkit.datasets.funsd import load_funsd
from ocrkit.datasets.icdar import load_icdar
from ocrkit.datasets.label_studio import load_label_studio
from ocrkit.datasets.page_xml import load_page_xml
from ocrkit.datasets.phone import load_phone
from ocrkit.datasets.real_pages import load_real_pages
from ocrkit.datasets.sample import LabelledPage
from ocrkit.datasets.sroie import load_sroie
from ocrkit.errors import BadDataset

PAGE_FORMS: dict[str, Callable[[Path], Iterator[LabelledPage]]] = {
    "alto": load_alto,
    "cord": load_cord,
    "crops": load_crop_pages,
    "funsd": load_funsd,
    "icdar": load_icdar,
    "label-studio": load_label_studio,
    "page-xml": load_page_xml,
    "phone": load_phone,
    "realpages": load_real_pages,
    "sroie": load_sroie,
}


def load_pages(folder: Path | str, form: str) -> list[LabelledPage]:
    """The labelled pages of `folder`, in order of their ids; images are read when asked for.

    Args:
        folder: where labels and images lie, as the form's adapter describes.
        form: one of `PAGE_FORMS`.

    Raises:
        BadDataset: no such form or folder, no labels in it, or labels that cannot be read.
    """
    folder = Path(folder)
    if form not in PAGE_FORMS:
        raise BadDataset(f"There is no form {form!r}; choose one of {', '.join(sorted(PAGE_FORMS))}.")
    if not folder.is_dir():
        raise BadDataset(f"There is no folder {folder}.")
    pages = list(PAGE_FORMS[form](folder))
    if not pages:
        raise BadDataset(f"{folder} holds no labels in {form} form.")
    return pages
