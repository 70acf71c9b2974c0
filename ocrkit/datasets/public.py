"""Public data sets and books, fetched from where their makers keep them and checked by SHA-256.

FUNSD comes from its authors' page; SROIE and CORD from the copies that docTR's dataset classes use
(`doctr/datasets/{sroie,cord}.py`); the pages of `ocrkit.datasets.real_pages` from the Python packages that carry them;
books from Project Gutenberg.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PureWindowsPath
from typing import IO

from ocrkit.datasets import real_pages
from ocrkit.download import download, package_address
from ocrkit.errors import BadDataset, OcrkitError, quoted
from ocrkit.files import checksum, make_folder, whole_folder, write_whole

ORIGIN = "archive.sha256"  # in each fetched folder, in the form of sha256sum
BOOKS_LOCK = "gutenberg.lock.json"
_BOOK_URL = "https://www.gutenberg.org/cache/epub/{0}/pg{0}.txt"
_BOOK_HEADER = 2000  # bytes in which a book says where it comes from
_MOST_GROWTH = 20  # times an archive's size; what is kept are images, which hardly shrink


@dataclass(frozen=True)
class Part:
    """One folder of a data set and the archive that holds it."""

    folder: str
    archive: str
    url: str | None  # None: a Python package's, which the machine's package index has
    sha256: str
    wanted: str  # members whose path matches are kept, under the name of the first group


def _funsd(folder: str) -> Part:
    return Part(
        folder,
        "dataset.zip",
        "https://guillaumejaume.github.io/FUNSD/dataset.zip",
        "c31735649e4f441bcbb4fd0f379574f7520b42286e80b01d80b445649d54761f",
        rf"(?:^|/){folder}/((?:annotations|images)/[^/.][^/]*)$",
    )


def _mindee(folder: str, archive: str, sha256: str, wanted: str) -> Part:
    return Part(folder, archive, f"https://doctr-static.mindee.com/models?id=v0.1.1/{archive}&src=0", sha256, wanted)


def _package(folder: str, archive: str, sha256: str) -> Part:
    members = "|".join(map(re.escape, real_pages.members(folder)))
    return Part(folder, archive, None, sha256, rf"^[^/]+/(?=(?:{members})$)(?:.*/)?([^/]+)$")


_SROIE = r"(?:^|/)(?:annotations|images)/([^/.][^/]*)$"  # labels beside images, as our form has it
_CORD = r"(?:^|/)((?:image|json)/[^/.][^/]*)$"

DATA_SETS: dict[str, tuple[Part, ...]] = {
    "funsd": (_funsd("training_data"), _funsd("testing_data")),
    "sroie": (
        _mindee(
            "train",
            "sroie2019_train_task1.zip",
            "d4fa9e60abb03500d83299c845b9c87fd9c9430d1aeac96b83c5d0bb0ab27f6f",
            _SROIE,
        ),
        _mindee(
            "test", "sroie2019_test.zip", "41b3c746a20226fddc80d86d4b2a903d43b5be4f521dd1bbe759dbf8844745e2", _SROIE
        ),
    ),
    "cord": (
        _mindee("train", "cord_train.zip", "45f9dc77f126490f3e52d7cb4f70ef3c57e649ea86d19d862a2757c9c455d7f8", _CORD),
        _mindee("test", "cord_test.zip", "8c895e3d6f7e1161c5b7245e3723ce15c04d84be89eaa6093949b75a66fb3c58", _CORD),
    ),
    "realpages": tuple(_package(**archive) for archive in real_pages.archives()),
}


def fetch_data_set(
    name: str, folder: Path, archives: Iterable[Path] = (), told: Callable[[str], None] = lambda _: None
) -> list[Path]:
    """Bring the data set `name` into `folder`; parts that are there already are not fetched again.

    Args:
        name: one of `DATA_SETS`.
        folder: gets one folder a part: FUNSD's `training_data` and `testing_data`, those of `realpages` named after
            packages, otherwise `train` and `test`.
        archives: files fetched by other means, known by their checksum; with any of them nothing is downloaded.
        told: called with a line on the progress.

    Returns:
        The parts' folders that are there now: each in the form that `load_pages` calls `name`, the folder of
        `realpages` as a whole.

    Raises:
        BadDataset: an archive cannot be fetched, is not the pinned one or would write where it should not, or a
            folder of a part's name is there that comes from elsewhere.
        OcrkitError: the disk is full or closed to us. A part is there whole or not at all.
    """
    if name not in DATA_SETS:
        raise BadDataset(f"There is no data set {name!r}; choose one of {', '.join(DATA_SETS)}.")
    parts = DATA_SETS[name]
    given = {checksum(path): path for path in archives}
    for sha256, path in given.items():
        if sha256 not in {part.sha256 for part in parts}:
            raise BadDataset(f"{path} is no archive of {name}: its SHA-256, {sha256}, is none of theirs.")
    folder = make_folder(folder)
    fetched: set[Path] = set()
    there = []
    for part in parts:
        target = folder / part.folder
        if not _is_there(target, part):
            if not given:
                archive = download(
                    part.url or package_address(part.archive), folder / f".{part.archive}", part.sha256, told
                )
                fetched.add(archive)
            elif part.sha256 in given:
                archive = given[part.sha256]
            else:
                told(f"{target}: left out, as {part.archive} was not given")
                continue
            _unpack(archive, target, part)
        there.append(target)
    for archive in fetched:
        archive.unlink(missing_ok=True)
    return there


def _is_there(target: Path, part: Part) -> bool:
    if not target.exists():
        return False
    try:
        if (target / ORIGIN).read_text("utf-8").startswith(part.sha256):
            return True
    except (OSError, ValueError):
        pass  # it has another origin than us
    raise BadDataset(f"{target} is there already, but not from {part.archive}: remove it or choose another folder.")


def _unpack(archive: Path, target: Path, part: Part) -> None:
    """Unpack what `part` wants beside `target`, then rename, so that `target` is there whole or not at all."""
    try:
        with whole_folder(target) as folder, _members(archive) as members:
            _refuse_what_harms(members, archive)
            for member in members:
                if found := re.search(part.wanted, member.name):
                    path = folder / found[1]
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with member.open() as source, path.open("xb") as file:
                        shutil.copyfileobj(source, file)
            if not any(folder.iterdir()):
                raise BadDataset(f"{archive} holds nothing of {target.name}.")
            write_whole(folder / ORIGIN, f"{part.sha256}  {part.archive}\n")
    except (zipfile.BadZipFile, tarfile.TarError) as error:
        raise BadDataset(f"{archive} cannot be unpacked: {error}.") from None
    except OSError as error:
        raise OcrkitError(f"{archive} cannot be unpacked to {target}: {error.strerror or error}.") from None


@dataclass(frozen=True)
class _Member:
    """A file or folder in an archive; it never yields more than the `size` it declares."""

    name: str
    size: int
    plain: bool  # neither link nor device
    open: Callable[[], IO[bytes]]


@contextmanager
def _members(archive: Path) -> Iterator[list[_Member]]:
    """What an archive holds, zipped or a compressed tar."""
    if tarfile.is_tarfile(archive):
        with tarfile.open(archive) as content:
            yield [
                _Member(info.name, info.size, info.isreg() or info.isdir(), partial(_extracted, content, info))
                for info in content
            ]
    else:
        plain = (0, stat.S_IFREG, stat.S_IFDIR)
        with zipfile.ZipFile(archive) as content:
            yield [
                _Member(
                    info.filename,
                    info.file_size,
                    stat.S_IFMT(info.external_attr >> 16) in plain,
                    partial(content.open, info),
                )
                for info in content.infolist()
            ]


def _extracted(content: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    file = content.extractfile(info)
    if file is None:
        raise tarfile.ExtractError(f"{info.name} is no file")
    return file


def _refuse_what_harms(members: Iterable[_Member], archive: Path) -> None:
    size = 0
    for member in members:
        path = PureWindowsPath(member.name)  # knows both slashes, and drives
        if path.anchor or ".." in path.parts:
            raise BadDataset(f"{archive} is refused: its member {quoted(member.name)} points out of the folder.")
        if not member.plain:
            raise BadDataset(f"{archive} is refused: its member {quoted(member.name)} is a link or device.")
        size += member.size
    if size > _MOST_GROWTH * archive.stat().st_size:
        raise BadDataset(f"{archive} is refused: {size} bytes would come out of {archive.stat().st_size}.")


def fetch_books(
    numbers: Iterable[int], folder: Path, source: Path | None = None, told: Callable[[str], None] = lambda _: None
) -> list[Path]:
    """Bring books of Project Gutenberg, as plain text in UTF-8, into `folder` as `pg<number>.txt`.

    The first fetch records each book's SHA-256 in `gutenberg.lock.json` beside it; every later one checks it.

    Args:
        numbers: the books' numbers at Project Gutenberg.
        folder: gets the books; those that are there already are checked only.
        source: folder of such files, for a machine without internet; `None` downloads.
        told: called with a line on the progress.

    Returns:
        The books' files.

    Raises:
        BadDataset: a book cannot be fetched, is none, or differs from the one recorded.
        OcrkitError: the disk is full or closed to us.
    """
    folder = make_folder(folder)
    lock = _read_lock(folder / BOOKS_LOCK)
    books = {folder / f"pg{number}.txt": _BOOK_URL.format(number) for number in numbers}
    with tempfile.TemporaryDirectory() as temporary:
        for book, url in books.items():
            there = book.is_file()
            if there:
                content = _read_book(book)
            elif source:
                content = _read_book(source / book.name)
            else:
                content = _read_book(download(url, Path(temporary) / book.name, told=told))
            sha256 = hashlib.sha256(content).hexdigest()
            if lock.get(book.name, sha256) != sha256:
                raise BadDataset(
                    f"{book} is not the text recorded in {BOOKS_LOCK}: remove it, and it is fetched again."
                    if there
                    else f"{book.name} has changed at its source since {folder / BOOKS_LOCK} recorded it: "
                    "remove its line there to take the new text."
                )
            if not there:
                write_whole(book, content)
            if book.name not in lock:
                lock[book.name] = sha256
                write_whole(folder / BOOKS_LOCK, json.dumps(lock, indent=2, sort_keys=True) + "\n")
    return list(books)


def _read_book(path: Path) -> bytes:
    """The content of a book's file; a page of apology that came instead is refused."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadDataset(f"{path} cannot be read: {error.strerror or error}.") from None
    if b"Project Gutenberg" not in content[:_BOOK_HEADER]:
        raise BadDataset(f"What came as {path.name} is no text of Project Gutenberg.")
    return content


def _read_lock(path: Path) -> dict[str, str]:
    try:
        return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}
    except (OSError, ValueError, TypeError) as error:
        raise BadDataset(f"{path} cannot be read: {error}.") from None
