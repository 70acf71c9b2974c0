"""The one door into queue and index: what may come in, as what it is kept, and what reads it."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, cast

from ocrkit import privacy
from ocrkit.errors import OcrkitError, PrivateData
from ocrkit.recognition.model import find_model, identity
from ocrkit.service.kinds import START, kind_of
from ocrkit.service.queue import Job, JobOptions, Pinned, Queue
from ocrkit.service.store import Store

MOST_BYTES = 100 * 2**20
Choose = Callable[[str], Pinned]  # from the key of a document to the model that is to read it

_ROSTER = "roster.json"  # of a vault, whose code needs packages that the service does without
_LONGEST_NAME = 200


class TooLarge(OcrkitError):
    """A document of more bytes than the service takes."""


def choose_model(model: str | None = None) -> Choose:
    """The seam for whoever decides which model reads a document: one function from its key to a pinned model.

    Here it is always the same; `ocrkit.studies.versions` gives the champion of MLflow's registry, or, for its share of
    keys, the challenger of a rollout.

    Raises:
        BadModel: there is no such model.
    """
    folder = find_model(model).resolve()
    pinned = Pinned(str(folder), folder.name, identity(folder))
    return lambda key: pinned


def refuse_donated(source: Path | None = None) -> None:
    """Refuse documents that were donated for learning only: the service keeps, shows and finds what it is given.

    Raises:
        PrivateData: this process has opened a vault, or `source` lies in one.
    """
    inside = source is not None and any((above / _ROSTER).is_file() for above in source.absolute().parents)
    if privacy.is_open() or inside:
        raise PrivateData("Donated documents never enter the service: they were given for learning only.")


def hand_in(
    store: Store,
    queue: Queue,
    file: IO[bytes],
    name: str,
    choose: Choose,
    options: JobOptions | None = None,
    source: Path | None = None,
    key: str = "",
) -> tuple[Job, bool]:
    """Take a document into the store and the queue; its job, and whether it is a new one.

    Args:
        store: that keeps it.
        queue: of the store.
        file: its bytes.
        name: for people.
        choose: see `choose_model`.
        options: how it is to be read.
        source: where it lies, if it is a file of this machine.
        key: of a user or a device, whose documents are all to be read by the same model; by default each document is
            for itself. It is not kept.

    Raises:
        PrivateData: see `refuse_donated`.
        BadImage: see `kind_of`.
        TooLarge: it has more than `MOST_BYTES`.
        DiskFull: there is no room; nothing is kept then.
    """
    refuse_donated(source)
    kind = kind_of(file.read(START))
    file.seek(0)
    digest, size = hashlib.sha256(), 0
    while part := file.read(1 << 20):
        digest.update(part)
        size += len(part)
        if size > MOST_BYTES:
            raise TooLarge(f"A document may have {MOST_BYTES // 2**20} MB at most.")
    content = digest.hexdigest()
    model = choose(key or content)
    if not store.has_file(content):
        store.write_file(content, file)
    return queue.put(content, tidy_name(name), kind, size, model, options)


def hand_in_bytes(
    store: Store,
    queue: Queue,
    data: bytes,
    name: str,
    choose: Choose,
    options: JobOptions | None = None,
    key: str = "",
) -> tuple[Job, bool]:
    """The same for a document in memory."""
    with TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        return hand_in(store, queue, cast(IO[bytes], file), name, choose, options, key=key)


def tidy_name(name: str) -> str:
    """A name that can be shown and stored: the end of a path, without what steers terminals, and not too long."""
    end = name.replace("\\", "/").rstrip("/").rpartition("/")[2].encode("utf-8", "replace").decode()
    plain = "".join(" " if unicodedata.category(sign).startswith("C") else sign for sign in end)
    return " ".join(plain.split())[-_LONGEST_NAME:] or "document"
