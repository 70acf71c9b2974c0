"""Word samples in shard files: whole or not there at all, and the same bytes for the same samples.

A shard is an uncompressed `.npz` with the arrays `pixels` (all crops one after another), `sizes` (height and width of
each) and `labels` (JSON as bytes: text, source and document of each); `numpy.load` opens it anywhere.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np

from ocrkit.datasets.sample import Sample
from ocrkit.errors import BadDataset, PrivateData, quoted
from ocrkit.files import write_whole

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold: files must not tell when they were made


def shard_path(folder: Path, number: int) -> Path:
    """Where shard `number` (from 0) of `folder` lies."""
    return folder / f"{number:05d}.npz"


def write_shard(path: Path, samples: Sequence[Sample]) -> None:
    """Write `samples` to `path`, under another name until it is whole.

    Raises:
        BadDataset: a crop that is not grey.
        PrivateData: a word of a donated page.
        OcrkitError: the file cannot be written.
    """
    if any(sample.private for sample in samples):
        raise PrivateData(f"{path} is not written: donated words stay in their vault.")
    for sample in samples:
        if sample.image.ndim != 2 or sample.image.dtype != np.uint8:
            raise BadDataset(f"Shards hold grey uint8 crops; {quoted(sample.text)} has shape {sample.image.shape}.")
    labels = json.dumps([[s.text, s.source, s.document] for s in samples], ensure_ascii=False, separators=(",", ":"))
    arrays = {
        "pixels": np.concatenate([s.image.ravel() for s in samples]) if samples else np.empty(0, np.uint8),
        "sizes": np.array([s.image.shape for s in samples], np.int32).reshape(-1, 2),
        "labels": np.frombuffer(labels.encode(), np.uint8),
    }
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, array in arrays.items():
            part = io.BytesIO()
            np.lib.format.write_array(part, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), part.getbuffer())
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, whole.getvalue())


def read_shard(path: Path) -> list[Sample]:
    """The samples of one shard, in order; their images share one block of memory.

    Raises:
        BadDataset: missing, cut short or no shard.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            pixels, sizes, labels = arrays["pixels"], arrays["sizes"], json.loads(arrays["labels"].tobytes())
        ends = sizes.astype(np.int64).prod(axis=1).cumsum()
        if len(labels) != len(sizes) or pixels.size != (ends[-1] if len(ends) else 0):
            raise ValueError("its parts do not fit together")
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise BadDataset(f"The shard {path} is damaged or no shard ({error}); delete it and make it again.") from None
    crops = np.split(pixels, ends[:-1]) if len(ends) else []
    return [Sample(crop.reshape(size), *label) for crop, size, label in zip(crops, sizes.tolist(), labels)]


def shards_in(folder: Path | str) -> list[Path]:
    """The shard files of `folder`, in order.

    Raises:
        BadDataset: there are none.
    """
    shards = sorted(Path(folder).glob("[0-9]*.npz"))
    if not shards:
        raise BadDataset(f"{folder} holds no shards of samples.")
    return shards


def read_shards(folder: Path | str) -> Iterator[Sample]:
    """Every sample of `folder`, shard by shard.

    Raises:
        BadDataset: no shards, or one that is damaged.
    """
    for path in shards_in(folder):
        yield from read_shard(path)


def digests(folder: Path | str) -> dict[str, str]:
    """SHA-256 of each shard file, by name: two folders with equal digests hold the same samples."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in shards_in(folder)}


class ShardWriter:
    """Cuts a stream of samples into shards of one size.

    >>> with ShardWriter(folder, resume=True) as writer:             # doctest: +SKIP
    ...     for sample in islice(samples, writer.done, None):
    ...         writer.add(sample)

    Args:
        folder: where the shards go.
        size: samples in each shard but the last.
        resume: keep the full shards an interrupted run left, so that the caller skips `done` samples; otherwise
            shards already there are removed.
    """

    def __init__(self, folder: Path | str, size: int = 10_000, resume: bool = False) -> None:
        self.folder = Path(folder)
        self.size = size
        self._waiting: list[Sample] = []
        self._number = 0
        while resume and _holds(shard_path(self.folder, self._number), size):
            self._number += 1
        keep = {shard_path(self.folder, number) for number in range(self._number)}
        for path in {*self.folder.glob("[0-9]*.npz")} - keep:
            path.unlink(missing_ok=True)

    @property
    def done(self) -> int:
        """Samples that lie in full shards."""
        return self._number * self.size

    def add(self, sample: Sample) -> None:
        """Take one more sample; every `size`-th writes a shard."""
        self._waiting.append(sample)
        if len(self._waiting) == self.size:
            self._flush()

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is left, unless the stream broke off: a short shard marks its end."""
        if kind is None and self._waiting:
            self._flush()

    def _flush(self) -> None:
        write_shard(shard_path(self.folder, self._number), self._waiting)
        self._number += 1
        self._waiting = []


def _holds(path: Path, samples: int) -> bool:
    try:
        return len(read_shard(path)) == samples
    except BadDataset:
        return False
