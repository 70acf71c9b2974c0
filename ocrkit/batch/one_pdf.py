"""Many documents as the pages of one PDF."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from ocrkit.batch.batch import Batch, open_batch
from ocrkit.batch.inputs import Source
from ocrkit.batch.recipes import Recipe
from ocrkit.errors import MissingExtra, OcrkitError


@contextmanager
def open_one_pdf(sources: Sequence[Source], output: Path, recipe: Recipe) -> Iterator[Batch]:
    """The batch of `sources`, whose results become one PDF once they are done, in the documents' order.

    Those that failed are not in it; where all did, nothing is written. The same documents give the same bytes.

    Raises:
        OcrkitError: it cannot be written.
    """
    with TemporaryDirectory(prefix="ocrkit-") as folder, open_batch(sources, folder, recipe) as batch:
        yield batch
        made = [Path(task.place.path(task.output)) for task in batch.tasks]
        if parts := [path for path in made if path.exists()]:
            _join(parts, output)


def _join(parts: Sequence[Path], output: Path) -> None:
    try:
        import pikepdf
    except ImportError:
        raise MissingExtra("Several documents in one PDF need pikepdf: pip install pikepdf.") from None

    hidden = output.with_name(f".{output.name[-50:]}.{os.getpid()}.part")
    try:
        with ExitStack() as opened, pikepdf.new() as whole:
            for part in parts:
                whole.pages.extend(opened.enter_context(pikepdf.open(part)).pages)
            whole.docinfo["/Title"] = output.stem
            whole.docinfo["/Producer"] = "ocrkit"
            whole.save(hidden, deterministic_id=True)
        os.replace(hidden, output)
    except OSError as error:
        raise OcrkitError(f"{output} cannot be written: {error.strerror or error}.") from None
    finally:
        with suppress(OSError):
            hidden.unlink(missing_ok=True)
