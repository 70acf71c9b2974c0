"""Word crops as ICDAR's Robust Reading competitions give them: images beside `gt.txt`, a line `word_1.png, "text"`.

Karatzas et al., "ICDAR 2015 competition on Robust Reading" (2015).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ocrkit.datasets._files import crop_page, find_file
from ocrkit.datasets.sample import LabelledPage
from ocrkit.errors import BadDataset, quoted


def load_icdar(folder: Path) -> Iterator[LabelledPage]:
    r"""Each crop as a page of one word; in quoted transcripts `\"` is a quotation mark.

    Raises:
        BadDataset: no `gt.txt`, one that is not UTF-8, a line without a transcript, or an image missing.
    """
    labels = folder / "gt.txt"
    try:
        lines = labels.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise BadDataset(f"{labels} cannot be read as UTF-8: {error}.") from None
    for line in filter(str.strip, lines):
        file, comma, text = line.partition(",")
        if not comma:
            raise BadDataset(
                f"{labels} needs an image and a transcript with a comma between in every line: {quoted(line)}."
            )
        path = find_file(folder, file.strip())
        if path is None:
            raise BadDataset(f"{labels} names the image {quoted(file.strip())}, which is missing.")
        text = text.strip()
        if len(text) > 1 and text[0] == text[-1] == '"':
            text = text[1:-1].replace('\\"', '"')
        yield crop_page(folder, file.strip(), path, text)
