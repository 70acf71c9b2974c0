"""From folders, patterns, files and addresses to the documents in them."""

from __future__ import annotations

import glob
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from ocrkit.batch.remote import file_system, identity, is_remote, told
from ocrkit.errors import BadImage, reason
from ocrkit.files import checksum

STANDARD_INPUT = "-"
# What is looked for in folders; a file that is named is tried whatever its name is.
SUFFIXES = frozenset({".pdf", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".tif", ".tiff", ".webp", ".gif"}) | {
    *(".bmp", ".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".jpx", ".avif", ".heic", ".heif")
}
_KINDS_TOLD = 5  # of files that are no documents
_PATTERN = re.compile(r"[*?[]")


@dataclass(frozen=True)
class Source:
    """One document.

    Attributes:
        name: what it is called in messages: the path as it was given, or was found under.
        relative: its path below the folder or pattern it was found by, with `/`; only its name where it was named.
        data: what came by standard input.
    """

    name: str
    relative: str
    data: bytes | None = None

    @property
    def key(self) -> str:
        """Equal for two names of one file."""
        return self.name if self.data is not None or is_remote(self.name) else os.path.realpath(self.name)

    def identity(self) -> str:
        """What changes when the document does: a digest, or what a distant storage tells.

        Raises:
            OcrkitError: it cannot be read.
        """
        if is_remote(self.name):
            fs, address = file_system(self.name)
            with told(self.name):
                return identity(fs, address)
        with self.local() as path:
            return checksum(path) if path.is_file() else ""

    @contextmanager
    def local(self) -> Iterator[Path]:
        """The document as a file of this machine.

        Raises:
            OcrkitError: it is elsewhere and cannot be fetched.
        """
        if self.data is None and not is_remote(self.name):
            yield Path(self.name)
            return
        with TemporaryDirectory(prefix="ocrkit-") as folder:
            path = Path(folder) / (PurePosixPath(self.relative).name[-100:] or "document")
            if self.data is not None:
                path.write_bytes(self.data)
            else:
                fs, address = file_system(self.name)
                with told(self.name):
                    fs.get_file(address, str(path))
            yield path


@dataclass(frozen=True)
class Found:
    """The documents that were asked for, in order and each once.

    Attributes:
        left_out: suffix -> number of files in folders that are neither images nor PDFs by their names.
        closed: folders that cannot be looked into, with the reason.
    """

    sources: tuple[Source, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    closed: tuple[str, ...] = ()


def is_several(name: str) -> bool:
    """Whether `name` is a folder, a pattern or an address, and so may stand for many documents."""
    return is_remote(name) or os.path.isdir(name) or (bool(_PATTERN.search(name)) and not os.path.lexists(name))


def find_inputs(names: Sequence[str], data: bytes | None = None, without: str | None = None) -> Found:
    """The documents that `names` stand for: files, folders with all below them, patterns, addresses.

    A folder is looked into once, however many symbolic links lead to it. Hidden files and folders are left out.

    Args:
        names: as on a command line; `-` is `data`.
        data: what came by standard input.
        without: a folder that results go to, whose files are no input; unless it is itself one of `names`.

    Raises:
        BadImage: a folder or pattern holds no document.
        OcrkitError: a distant storage cannot be reached.
    """
    found: dict[str, Source] = {}
    left_out: Counter[str] = Counter()
    closed: list[str] = []
    for name in names:
        others = left_out.copy()
        if name == STANDARD_INPUT:
            sources = [Source("stdin", "stdin", data or b"")]
        elif is_remote(name):
            sources = _remote(name, left_out)
        elif os.path.isdir(name):
            sources = _below(name, name, left_out, closed, without)
        elif is_several(name):
            sources = _matching(name, left_out, closed, without)
        else:
            sources = [Source(name, os.path.basename(name))]
        if not sources and not closed:
            kinds = ", ".join(kind for kind, _ in (left_out - others).most_common(_KINDS_TOLD))
            if kinds:
                raise BadImage(f"{name} holds no image or PDF, only files of other names: {kinds}.")
            what = "matches no file" if not (is_remote(name) or os.path.isdir(name)) else "holds no image or PDF"
            raise BadImage(f"{name} {what}.")
        for source in sources:
            found.setdefault(source.key, source)
    return Found(tuple(found.values()), dict(left_out.most_common()), tuple(closed))


def in_reading_order(relative: str) -> list[tuple[int, str]]:
    """A key to sort by, in which page 2 comes before page 10."""
    parts = re.split(r"(\d+)", relative.casefold())
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]


def _below(folder: str, root: str, left_out: Counter[str], closed: list[str], without: str | None) -> list[Source]:
    """The documents in `folder` and below, by their paths from `root`."""
    sources, seen, apart = [], set[tuple[int, int]](), without and os.path.realpath(without)
    todo = [folder]
    while todo:
        path = todo.pop()
        try:
            facts = os.stat(path)
            if (facts.st_dev, facts.st_ino) in seen:  # a link back to where we were
                continue
            seen.add((facts.st_dev, facts.st_ino))
            entries = sorted(os.scandir(path), key=lambda entry: entry.name)
        except OSError as error:
            closed.append(f"{path} cannot be looked into: {reason(error)}.")
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            is_folder = False
            with suppress(OSError):  # links that go round in a circle: tried as a file, which says so
                is_folder = entry.is_dir()
            if is_folder:
                if apart is None or os.path.realpath(entry.path) != apart:
                    todo.append(entry.path)
            elif _is_document(entry.name, left_out):
                relative = os.path.relpath(entry.path, root).replace(os.sep, "/")
                sources.append(Source(entry.path, relative))
    return sorted(sources, key=lambda source: in_reading_order(source.relative))


def _matching(pattern: str, left_out: Counter[str], closed: list[str], without: str | None) -> list[Source]:
    start, slash, _ = _PATTERN.split(pattern)[0].rpartition("/")
    root = start + slash or "."
    sources = []
    for path in sorted(glob.glob(pattern, recursive=True), key=in_reading_order):
        if os.path.isdir(path):
            if "**" not in pattern:  # which gives all that is in them, too
                sources += _below(path, root, left_out, closed, without)
        elif "**" not in pattern or _is_document(os.path.basename(path), left_out):
            sources.append(Source(path, os.path.relpath(path, root).replace(os.sep, "/")))
    return sources


def _remote(address: str, left_out: Counter[str]) -> list[Source]:
    fs, path = file_system(address)
    with told(address):
        if _PATTERN.search(path):
            fixed = _PATTERN.split(path)[0].rpartition("/")[0]
            paths = [match for match in fs.glob(path) if not fs.isdir(match)]
        elif fs.isfile(path):
            return [Source(address, PurePosixPath(path).name)]
        else:
            fixed, paths = path, fs.find(path)
    sources = []
    for inner in sorted(paths, key=in_reading_order):
        relative = inner.removeprefix(fixed).lstrip("/")
        hidden = any(part.startswith(".") for part in relative.split("/"))
        if not hidden and not inner.endswith("/") and _is_document(relative, left_out):
            sources.append(Source(fs.unstrip_protocol(inner), relative))
    return sources


def _is_document(name: str, left_out: Counter[str]) -> bool:
    suffix = os.path.splitext(name)[1].lower()
    if suffix in SUFFIXES:
        return True
    left_out[suffix or "without a suffix"] += 1
    return False
