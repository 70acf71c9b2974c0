"""A name for each result: its document's, and another where that is taken."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from ocrkit.batch.inputs import Source

_MOST_BYTES = 255  # of a name, on the file systems that are in use


def names_of(
    sources: Iterable[Source],
    suffix: str,
    keep_tree: bool,
    known: Mapping[str, str],
    is_input: Callable[[str], bool],
) -> Iterator[tuple[Source, str, str]]:
    """Each document with its result's name and, where that is not its own, what is to be said of it.

    Names that differ only in the case of their letters count as equal, as some file systems take them for so.

    Args:
        sources: documents.
        suffix: of the results.
        keep_tree: whether folders below those that were asked for are kept; otherwise all results lie side by side.
        known: `Source.key` -> name that an earlier run gave.
        is_input: whether the result of that name would be one of the documents.
    """
    owners = {_folded(name): key for key, name in known.items()}
    for source in sources:
        wanted = _fitting(_plain(source, suffix, keep_tree), suffix)
        if (name := known.get(source.key)) is None or is_input(name):
            name = next(
                name
                for name in _candidates(source, wanted, suffix, owners.get(_folded(wanted), ""))
                if owners.get(_folded(name), source.key) == source.key and not is_input(name)
            )
        owners[_folded(name)] = source.key
        why = "its own name is too long" if name == wanted else f"{wanted} is taken"
        plain = name == _plain(source, suffix, keep_tree)
        yield source, name, "" if plain else f"{source.name} becomes {name}, as {why}."


def _plain(source: Source, suffix: str, keep_tree: bool) -> str:
    path = PurePosixPath(source.relative)
    stem = path.stem if path.suffix else path.name
    return str(path.with_name(stem + suffix)) if keep_tree else stem + suffix


def _candidates(source: Source, wanted: str, suffix: str, owner: str) -> Iterator[str]:
    """Names by what tells the document from the one that has the name it wants: its kind, its folder, or a number."""
    yield wanted
    path, (folder, slash, last) = PurePosixPath(source.key), wanted.removesuffix(suffix).rpartition("/")
    if PurePosixPath(owner).parent == path.parent:
        told = f"{last}-{path.suffix.lstrip('.').lower() or 2}"
    else:
        told = f"{path.parent.name or 2}-{last}"
    base = f"{folder}{slash}{told}"
    yield _fitting(base + suffix, suffix)
    number = 2
    while True:
        yield _fitting(f"{base}-{number}{suffix}", suffix)
        number += 1


def _fitting(name: str, suffix: str) -> str:
    """`name` if a file can have it; else its start and a digest."""
    folder, slash, last = name.rpartition("/")
    if len(os.fsencode(last)) <= _MOST_BYTES:
        return name
    tail = f"-{hashlib.sha256(os.fsencode(last)).hexdigest()[:8]}{suffix}"
    start = last.removesuffix(suffix)
    while len(os.fsencode(start + tail)) > _MOST_BYTES:
        start = start[:-1]
    return f"{folder}{slash}{start}{tail}"


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
