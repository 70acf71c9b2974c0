"""Pictures that several notebooks draw."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from ocrkit.document import Image


def word_sheet(crops: Sequence[Image], captions: Sequence[str], columns: int = 6) -> Figure:
    """Word crops side by side, `columns` a row, each under its caption."""
    rows = max(1, -(-len(crops) // columns))
    figure, axes = plt.subplots(rows, columns, figsize=(2 * columns, 0.9 * rows), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, crop, caption in zip(axes.flat, crops, captions):
        axis.imshow(crop, cmap="gray", vmin=0, vmax=255)
        axis.set_title(caption, fontsize=8, parse_math=False)
    figure.tight_layout()
    return figure
