"""The one kind of progress bar: what is done, how fast, and the time left."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sized
from typing import Any, TypeVar

from tqdm import tqdm

from ocrkit.cli.verbs import is_quiet

T = TypeVar("T")


def progress_bar(label: str, unit: str, total: int | None = None, done: int = 0) -> tqdm[Any]:
    """A bar on standard error, shown only where that is a terminal and `-q` was not given.

    Args:
        label: what is being done, such as `Reading`.
        unit: what is counted, in the plural, such as `pages`.
        total: how many there are.
        done: how many are there from earlier.
    """
    hidden = is_quiet() or not sys.stderr.isatty()
    return tqdm(
        desc=label, unit=f" {unit}", total=total, initial=done, smoothing=0.05, dynamic_ncols=True, disable=hidden
    )


def shown(items: Iterable[T], label: str, unit: str, total: int | None = None) -> Iterator[T]:
    """`items`, with a bar that moves on as each has been dealt with."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with progress_bar(label, unit, total) as bar:
        for item in items:
            yield item
            bar.update()
