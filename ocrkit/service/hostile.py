"""Documents that mean harm, and what becomes of the service that is given them: bombs, circles, crashes, accidents."""

from __future__ import annotations

import ctypes
import logging
import os
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import monotonic, sleep

from ocrkit.document import Page
from ocrkit.errors import BadImage
from ocrkit.service import intake, reading, soak
from ocrkit.service.queue import QueueOptions
from ocrkit.service.readers import WorkOptions
from ocrkit.service.store import Store
from ocrkit.service.walls import Limits
from ocrkit.service.work import Work

READER = f"{__name__}:make"
_ORDER = b"%PDF-order "  # a document that says what the reader is to do, as one that has taken it over would
_LOOK_S = 0.5
_SHARE = 10  # of the documents mean no harm: one in so many


def make(model: str) -> reading.Read:
    """The service's reader, which besides obeys documents of `_ORDER`: it crashes, loops, or takes all memory."""
    read = reading.make(model)

    def obey(document: bytes, keep_doubtful: bool, most: int | None) -> Iterator[Page]:
        if document.startswith(_ORDER):
            _DEEDS[document.removeprefix(_ORDER).split()[0].decode()]()
        return read(document, keep_doubtful, most)

    return obey


def _loop() -> None:
    while True:
        pass


def _eat() -> None:
    kept = []
    while True:
        kept.append(bytearray(64 * 2**20))


_DEEDS: dict[str, Callable[[], object]] = {
    "crash": lambda: ctypes.string_at(0), "abort": os.abort, "end": lambda: os._exit(0), "loop": _loop, "eat": _eat,
}  # fmt: skip


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png_bomb(r: Random) -> bytes:
    """A picture of so many white pixels in few bytes."""
    side = r.choice((5_000, 11_500, 30_000, 200_000))
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * ((1 + side // 8) * min(side, 9000)), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _tiff(tags: Iterable[tuple[int, int, int, int]], after: int, rest: bytes = b"") -> bytes:
    entries = [struct.pack("<HHII", *tag) for tag in tags]
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(entries) + struct.pack("<I", after) + rest


def _tiff_in_a_circle(r: Random) -> bytes:
    """A TIFF whose only page says that it is followed by itself."""
    return _tiff([(256, 4, 1, r.randint(1, 999)), (257, 4, 1, r.randint(1, 999))], 8)


def _tiff_bomb(r: Random) -> bytes:
    """A TIFF of one strip that unpacks to a thousand times its bytes."""
    side = r.choice((4_000, 20_000, 100_000))
    strip = zlib.compress(bytes(side // 8 * min(side, 5000)), 9)
    tags = [(256, 4, 1, side), (257, 4, 1, side), (258, 3, 1, 1), (259, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 122),
            (277, 3, 1, 1), (278, 4, 1, side), (279, 4, 1, len(strip))]  # fmt: skip
    return _tiff(tags, 0, strip)


def _pdf(kids: str, pages: int, side: int, stream: bytes, filters: str) -> bytes:
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        + f"2 0 obj<</Type/Pages/Count {pages}/Kids[{kids}]>>endobj\n".encode()
        + f"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 {side} {side}]/Contents 4 0 R>>endobj\n".encode()
        + f"4 0 obj<</Filter[{filters}]/Length {len(stream)}>>stream\n".encode()
        + stream
        + b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    )


def _pdf_bomb(r: Random) -> bytes:
    """A PDF of many pages, all of them one, which is large and unpacks to a thousand times its bytes."""
    stream, twice = zlib.compress(b"0 0 1 1 re f\n" * r.choice((20_000, 200_000)), 9), r.random() < 0.5
    pages = r.choice((1, 30, 5000))
    side = r.choice((600, 14_400))
    filters = "/FlateDecode" * (1 + twice)
    return _pdf("3 0 R " * pages, pages, side, zlib.compress(stream, 9) if twice else stream, filters)


def _pdf_in_a_circle(r: Random) -> bytes:
    """A PDF whose tree of pages holds itself."""
    return _pdf(r.choice(("2 0 R 3 0 R", "2 0 R", "1 0 R 2 0 R 3 0 R")), r.randint(1, 10**6), 600, b"", "")


def _zip_bomb(r: Random) -> bytes:
    """A ZIP; whatever is in it, the service must not take it."""
    import io
    import zipfile

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("page.png", bytes(r.randint(1, 20) * 2**20))
    return file.getvalue()


def _false_size(r: Random) -> bytes:
    """A GIF or BMP whose head says that it is of any size."""
    wide, high = r.choice((1, 65_535, 2**31 - 1)), r.choice((1, 65_535, 2**31 - 1))
    if r.random() < 0.5:
        return b"GIF89a" + struct.pack("<HHBBB", wide & 0xFFFF, high & 0xFFFF, 0x80, 0, 0) + bytes(6) + b","
    return b"BM" + struct.pack("<IIIIiiHHIIIIII", 100, 0, 54, 40, wide, high, 1, 24, 0, 0, 0, 0, 0, 0)


def _cut_off(r: Random) -> bytes:
    document = r.choice(_seeds())
    return document[: r.randrange(20, max(21, len(document)))]


def _order(r: Random) -> bytes:
    return _ORDER + f"{r.choice(list(_DEEDS))} {r.random()}".encode()


_KINDS: dict[str, Callable[[Random], bytes]] = {
    "PNG bomb": _png_bomb, "TIFF circle": _tiff_in_a_circle, "TIFF bomb": _tiff_bomb, "PDF bomb": _pdf_bomb,
    "PDF circle": _pdf_in_a_circle, "ZIP bomb": _zip_bomb, "false size": _false_size, "cut off": _cut_off,
    "reader taken over": _order,
}  # fmt: skip
FUZZED = "fuzzed"


def _seeds() -> list[bytes]:
    if not _SEEDS:
        _SEEDS.extend(document for document in reading.samples() if 100 < len(document) < 100_000)
    return _SEEDS


_SEEDS: list[bytes] = []


def documents(hostile: int, fuzzed: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """So many documents that mean harm, of every kind in turn, and so many that were damaged by chance."""
    kinds = list(_KINDS.items())
    for number in range(hostile):
        name, made = kinds[number % len(kinds)]
        # No two are the same file, of which the service would read one.
        yield name, made(Random(f"{seed}/hostile/{number}")) + f"\n% {number}".encode()
    for number in range(fuzzed):
        r = Random(f"{seed}/fuzzed/{number}")
        yield FUZZED, _damaged(r.choice(_seeds()), r)


def _damaged(document: bytes, r: Random) -> bytes:
    """One to 64 bytes are others, most of them at the beginning, where sizes stand; or some are missing."""
    damaged = bytearray(document)
    for _ in range(r.choice((1, 2, 8, 64))):
        place = r.randrange(min(len(damaged), r.choice((64, 512, len(damaged)))))
        damaged[place] = r.choice((0, 1, 127, 128, 255, r.randrange(256)))
    if r.random() < 0.2:
        at = r.randrange(len(damaged))
        del damaged[at : at + r.choice((1, 100, len(damaged)))]
    return bytes(damaged)


@dataclass(frozen=True)
class Endured:
    """What became of hostile documents, and of the others.

    Attributes:
        kinds: kind -> how many were read, given up (`dead`), or not even taken.
        reasons: why, each with how often.
        others: documents that mean no harm.
        others_done: of these, those that were read.
        unfinished: hostile documents that were neither read nor given up.
        worker_mb: memory of the process that works, when a tenth was done and at the end.
        zygote_mb: the same of the process of which jails are copies.
        seconds: it took.
    """

    kinds: dict[str, dict[str, int]]
    reasons: dict[str, int]
    others: int
    others_done: int
    unfinished: int
    worker_mb: tuple[float, float]
    zygote_mb: tuple[float, float]
    seconds: float

    def tables(self) -> dict[str, list[dict[str, object]]]:
        """What became of each kind; the most frequent reasons; and the rest."""
        states = ("done", "dead", "not taken")
        return {
            "kinds": [
                {"kind": kind, **{state: counts.get(state, 0) for state in states}}
                for kind, counts in self.kinds.items()
            ],
            "reasons": [{"times": times, "reason": reason[:90]} for reason, times in list(self.reasons.items())[:20]],
            "others": [{name: value for name, value in vars(self).items() if name not in ("kinds", "reasons")}],
        }


def endure(
    bad: Iterable[tuple[str, bytes]],
    folder: Path,
    jails: int = 2,
    model: str | None = None,
    shown: soak.Shown = lambda more: None,
    patience_s: float = 6 * 3600.0,
) -> Endured:
    """Have hostile documents read among others, each of which is tried five times.

    Args:
        bad: kinds and documents.
        folder: for the store.
        jails: at once.
        model: that reads.
        shown: called with how many more have ended.
        patience_s: until it is taken to hang.
    """
    store, choose, begun = Store(folder / "service"), intake.choose_model(model), monotonic()
    options = WorkOptions(
        jails=jails,
        limits=Limits(cpu_s=10, wall_s=30.0, memory_mb=1024, all_pages_times=1),
        queue=QueueOptions(lease_s=30.0, retry_s=(0.0,)),
        model=choose("").folder,
        make=READER,
    )
    work = Work(store, options)
    kinds: dict[str, Counter[str]] = {}
    given: dict[str, str] = {}
    others: set[str] = set()
    for number, (kind, content) in enumerate(bad):
        counts = kinds.setdefault(kind, Counter())
        try:
            given[intake.hand_in_bytes(store, work.queue, content, "bad", choose)[0].id] = kind
        except BadImage:
            counts["not taken"] += 1
        if number % _SHARE == 0:
            others.add(intake.hand_in_bytes(store, work.queue, soak.drawn(number), "good.png", choose)[0].id)
    with _unsaid():
        memory = _finish(work, len(given) + len(others), shown, begun + patience_s)
    jobs = {job.id: job for job in work.queue.jobs(limit=len(given) + len(others) + 1)}
    for identity, kind in given.items():
        kinds[kind][str(jobs[identity].state)] += 1
    return Endured(
        {kind: dict(counts) for kind, counts in kinds.items()},
        dict(Counter(job.reason for job in jobs.values() if job.reason).most_common()),
        len(others),
        sum(jobs[identity].state == "done" for identity in others),
        sum(jobs[identity].state not in ("done", "dead") for identity in given),
        (memory[0][0], memory[-1][0]),
        (memory[0][1], memory[-1][1]),
        monotonic() - begun,
    )


def _finish(work: Work, total: int, shown: soak.Shown, deadline: float) -> list[tuple[float, float]]:
    """Work until all has ended; memory of this process and of the zygotes, since a tenth had."""
    work.start()
    memory: list[tuple[float, float]] = []
    ended = 0
    while not work.queue.is_idle() and work.is_alive and monotonic() < deadline:
        sleep(_LOOK_S)
        states = work.queue.counts()
        shown(states["done"] + states["dead"] - ended)
        ended = states["done"] + states["dead"]
        if ended >= total / 10:
            memory.append((soak.resident_mb(os.getpid()), sum(map(soak.resident_mb, work.pids))))
    work.stop()
    return memory or [(0.0, 0.0)]


@contextmanager
def _unsaid() -> Iterator[None]:
    """Without a line in the log for each document that is given up."""
    log = logging.getLogger("ocrkit.service")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)
