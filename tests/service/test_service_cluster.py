"""Workers of Dask: a real cluster on this machine, of which workers are killed while they read."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from dataclasses import replace

import pytest
from service_constants import ECHO, LIMITS

from ocrkit.errors import OcrkitError
from ocrkit.service.queue import QueueOptions
from ocrkit.service.readers import WorkOptions
from ocrkit.service.work import Work

OPTIONS = WorkOptions(jails=3, limits=LIMITS, queue=QueueOptions(lease_s=20.0, retry_s=(0.0,)), make=ECHO)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Two workers with a process and a thread each, in a folder that no other cluster tidies up."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        silence_logs=50,
        local_directory=str(tmp_path_factory.mktemp("dask")),
    ) as made:
        yield made


def test_what_killed_workers_had_is_read_by_others(cluster, put, store, queue, index):
    jobs = [put(f"word{number}") for number in range(6)] + [put("sleep:2"), put("sleep:2.2")]
    bad = put("refuse")
    work = Work(store, replace(OPTIONS, dask=cluster.scheduler_address))
    work.start()
    killed = []

    def kill():
        while not killed:
            reading = [job.name for job in queue.jobs("reading") if job.id in {jobs[6].id, jobs[7].id}]
            if reading:
                time.sleep(0.3)
                pid = next(iter(cluster.workers.values())).pid
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
            time.sleep(0.05)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        assert work.drain(600)
    finally:
        killer.join()
        work.stop()
    assert len(killed) == 1
    assert {queue.job(job.id).state for job in jobs} == {"done"}
    assert store.result(jobs[0].id).pages[0].words[0].text == "word0"
    assert index.search("word3").hits[0].document == jobs[3].id
    refused = queue.job(bad.id)
    assert (refused.state, refused.tries) == ("dead", 1)
    assert "nothing in it" in refused.reason


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "no-such-host.invalid:1", "nope://there"])
def test_a_scheduler_that_is_not_there_is_named_and_no_class_of_error(store, monkeypatch, address):
    pytest.importorskip("distributed")
    from ocrkit.service import cluster as clusters

    monkeypatch.setattr(clusters, "_START_S", 0.5)
    with pytest.raises(OcrkitError, match=rf"^No Dask scheduler answers at {re.escape(address)}\.$"):
        Work(store, replace(OPTIONS, dask=address))
