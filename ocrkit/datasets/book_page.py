"""The photographed book page that scikit-image ships, transcribed and boxed by hand: this project's own real sample."""

from __future__ import annotations

from pathlib import Path

from ocrkit.datasets._files import labelled, read_json
from ocrkit.datasets.sample import LabelledPage
from ocrkit.errors import MissingExtra

LABELS = Path(__file__).with_name("book_page.json")


def book_page() -> LabelledPage:
    """47 words of `skimage.data.page()`, 384 x 191 px grey, and two cut-off scraps of a URL marked unreadable.

    The lines curl, so quads lean with their word; they hold all its ink, ascenders to descenders.

    Raises:
        MissingExtra: scikit-image is not installed.
    """
    try:
        from skimage.data import page
    except ImportError:
        raise MissingExtra("The book page comes with scikit-image: pip install 'ocrkit[notebooks]'.") from None
    return LabelledPage(
        id="book_page",
        words=labelled(read_json(LABELS)["words"], LABELS),
        pixels=page(),
        category="books",
        source="scikit-image page",
    )
