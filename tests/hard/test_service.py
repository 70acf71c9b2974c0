"""The service against hostile documents and against `kill -9`: the others are read, and nothing is lost.

`pytest tests/hard --inputs 10000` tries a thousand changed documents, each in a jail, and kills 100 times; a plain
run a few. `test_fuzz.py` reads all 10,000.
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest
from mutation import changed_bytes, pictures

SERVICE = str(Path(__file__).resolve().parents[1] / "service")
sys.path.append(SERVICE)
from service_readers import document  # noqa: E402

from ocrkit.service import hostile, soak  # noqa: E402
from ocrkit.service.queue import QueueOptions  # noqa: E402
from ocrkit.service.readers import WorkOptions  # noqa: E402
from ocrkit.service.walls import Limits  # noqa: E402


@pytest.mark.timeout(4000)
def test_hostile_documents_harm_no_other_and_each_is_read_or_given_up(tmp_path, request, record_property):
    inputs = request.config.getoption("--inputs") // 10 * (request.config.getoption("--inputs") > 1000)
    seeds = list(pictures().values())
    changed = [("changed", changed_bytes((r := Random(f"service/{n}")).choice(seeds), r)) for n in range(inputs)]
    done = hostile.endure([*hostile.documents(max(9, inputs // 10), 6), *changed], tmp_path)
    record_property("measured", str(done))
    assert done.others_done == done.others > 0
    assert done.unfinished == 0
    assert done.zygote_mb[1] < 700
    assert done.kinds["ZIP bomb"].keys() == {"not taken"}
    assert done.kinds["reader taken over"].keys() == {"dead"}


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
