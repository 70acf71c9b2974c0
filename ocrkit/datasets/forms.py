"""Labelled pages by the name of their form: the one door to every adapter."""

from __future__ import annotations

import inspect
from pathlib import Path

from ocrkit.datasets.sample import LabelledPage
from ocrkit.errors import BadDataset
from ocrkit.plugins import Plugins

# Each a function from a folder to its pages: `Callable[[Path], Iterable[LabelledPage]]`. One with a second parameter,
# `use`, is told what they are wanted for.
PAGE_FORMS = Plugins("form")


def load_pages(folder: Path | str, form: str, use: str = "evaluate") -> list[LabelledPage]:
    """The labelled pages of `folder`, in order of their ids; images are read when asked for.

    Args:
        folder: where labels and images lie, as the form's adapter describes.
        form: one of `PAGE_FORMS`.
        use: `train`, `evaluate` or `label`: donated pages are given for some of these only.

    Raises:
        BadDataset: no such form or folder, no labels in it, or labels that cannot be read.
        BadPlugin: the form is another package's, and cannot be used.
    """
    folder = Path(folder)
    if form not in PAGE_FORMS:
        raise BadDataset(f"There is no form {form!r}; choose one of {', '.join(sorted(PAGE_FORMS))}.")
    if not folder.is_dir():
        raise BadDataset(f"There is no folder {folder}.")
    read = PAGE_FORMS[form]
    with PAGE_FORMS.blaming(form):
        pages = list(read(folder, use) if "use" in inspect.signature(read).parameters else read(folder))
        if others := {type(page).__name__ for page in pages if not isinstance(page, LabelledPage)}:
            raise TypeError(f"it gave {', '.join(sorted(others))} where a LabelledPage is wanted")
    if not pages:
        raise BadDataset(f"{folder} holds no labels in {form} form.")
    return pages
