"""The service against hostile documents and against `kill -9`: the others are read, and nothing is lost.

`pytest tests/hard --inputs 10000` tries as many changed documents, and kills 100 times; a plain run a few.
"""

from __future__ import annotations

import os
import struct
import sys
import zlib
from pathlib import Path
from random import Random

import pytest
from mutation import changed_bytes, pictures

SERVICE = str(Path(__file__).resolve().parents[1] / "service")
sys.path.append(SERVICE)
from service_readers import document  # noqa: E402

from ocrkit.service import intake, soak  # noqa: E402
from ocrkit.service.queue import Queue, QueueOptions  # noqa: E402
from ocrkit.service.readers import WorkOptions  # noqa: E402
from ocrkit.service.reading import model_folder  # noqa: E402
from ocrkit.service.store import Store  # noqa: E402
from ocrkit.service.walls import Limits  # noqa: E402
from ocrkit.service.work import Work  # noqa: E402

RETRY_AT_ONCE = QueueOptions(lease_s=10.0, retry_s=(0.0,))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_bomb(side: int) -> bytes:
    """A picture of `side` times `side` white pixels in few bytes."""
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * ((1 + side // 8) * min(side, 9000)), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def tiff_in_a_circle() -> bytes:
    """A TIFF whose only page says that it is followed by itself."""
    return b"II*\0" + struct.pack("<IHHHIII", 8, 1, 256, 4, 1, 9, 8)


def pdf_bomb(pages: int, side: int) -> bytes:
    """A PDF that says it has many pages, all of them one, and unpacks to a thousand times its bytes."""
    stream = zlib.compress(b"0 0 1 1 re f\n" * 200_000, 9)
    kids = " ".join(["3 0 R"] * pages)
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        + f"2 0 obj<</Type/Pages/Count {pages}/Kids[{kids}]>>endobj\n".encode()
        + f"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 {side} {side}]/Contents 4 0 R>>endobj\n".encode()
        + f"4 0 obj<</Filter/FlateDecode/Length {len(stream)}>>stream\n".encode()
        + stream
        + b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    )


def hostile(count: int) -> list[bytes]:
    """Bombs, and documents changed by chance."""
    seeds = list(pictures().values())
    bombs = [png_bomb(11_500), png_bomb(200_000), tiff_in_a_circle(), pdf_bomb(30, 14_400)]
    return bombs + [changed_bytes((r := Random(f"service/{n}")).choice(seeds), r) for n in range(count)]


@pytest.mark.timeout(4000)
def test_hostile_documents_harm_no_other_and_each_is_read_or_given_up(tmp_path, request, record_property):
    inputs = max(8, request.config.getoption("--inputs") * (request.config.getoption("--inputs") > 1000))
    store, choose = Store(tmp_path / "service"), intake.choose_model()
    queue = Queue(store.queue, RETRY_AT_ONCE)
    bad, good, turned_away = [], [], 0
    for number, content in enumerate(hostile(inputs)):
        try:
            bad.append(intake.hand_in_bytes(store, queue, content, "bad", choose)[0].id)
        except intake.BadImage:
            turned_away += 1
        if number % 4 == 0:
            good.append(intake.hand_in_bytes(store, queue, soak.drawn(number), "good.png", choose)[0].id)
    limits = Limits(cpu_s=30, wall_s=60.0, memory_mb=1024, all_pages_times=1)
    work = Work(store, WorkOptions(jails=2, limits=limits, queue=RETRY_AT_ONCE, model=model_folder(None)))
    work.start()
    assert work.drain(3600)
    (zygote,) = work.pids
    resident = [soak._resident_mb(os.getpid()), soak._resident_mb(zygote)]
    work.stop()
    assert {queue.job(identity).state for identity in good} == {"done"}
    assert {queue.job(identity).state for identity in bad} <= {"done", "dead"}
    assert all(queue.job(identity).reason for identity in bad if queue.job(identity).state == "dead")
    assert resident[1] < 700
    counts, dead = queue.counts(), [job.reason for job in queue.jobs("dead", limit=100_000)]
    record_property("measured", f"{len(bad)} hostile, {turned_away} not taken, {counts}, {resident} MB, {set(dead)}")


@pytest.mark.timeout(4000)
def test_nothing_is_lost_by_kill_9_and_results_are_the_same_to_the_byte(tmp_path, request, record_property):
    times = min(100, max(3, request.config.getoption("--inputs") // 30))
    options = WorkOptions(
        jails=2,
        limits=Limits(cpu_s=20, wall_s=60.0),
        queue=QueueOptions(lease_s=3.0, tries=50, retry_s=(0.0,)),
        make="service_readers:echo",
    )
    done = soak.kills(5 * times, times, tmp_path, work=options, make=lambda n: document(f"sleep:0.{n % 5}:{n}"))
    record_property("measured", str(done))
    assert done.states == {"queued": 0, "reading": 0, "done": 5 * times, "dead": 0}
    assert (done.missing, done.different) == (0, 0)
    assert sum(done.kills.values()) == times
