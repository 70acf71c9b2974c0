"""Many documents as the pages of one PDF."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pikepdf

from ocrkit.batch.batch import Batch, open_batch
from ocrkit.batch.inputs import Source
from ocrkit.batch.recipes import ReadRecipe, Recipe
from ocrkit.formats.pdf_saving import save


@contextmanager
def open_one_pdf(sources: Sequence[Source], output: Path, recipe: Recipe) -> Iterator[Batch]:
    """The batch of `sources`, whose results become one PDF once they are done, in the documents' order.

    Those that failed are not in it; where all did, nothing is written. The same documents give the same bytes.

    Raises:
        OcrkitError: it cannot be written.
    """
    with TemporaryDirectory(prefix="ocrkit-") as folder, open_batch(sources, folder, recipe) as batch:
        yield Batch(batch.tasks)  # what its results are called meanwhile is nobody's concern
        made = [Path(task.place.path(task.output)) for task in batch.tasks]
        if parts := [path for path in made if path.exists()]:
            _join(parts, output, isinstance(recipe, ReadRecipe) and recipe.pdfa)


def _join(parts: Sequence[Path], output: Path, pdfa: bool) -> None:
    with ExitStack() as opened, pikepdf.new() as whole:
        for part in parts:
            whole.pages.extend(opened.enter_context(pikepdf.open(part)).pages)
        title = output.stem.encode("utf-8", "replace").decode("utf-8")
        whole.trailer.Info = whole.make_indirect(pikepdf.Dictionary(Title=title, Creator="ocrkit", Producer="ocrkit"))
        save(whole, output, new=True, pdfa=pdfa)
