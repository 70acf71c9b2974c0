"""A folder is read, and the run is killed at moments chosen by chance: nothing is lost, and the next run goes on.

`pytest tests/hard/test_killed_runs.py --kills 50` kills fifty runs; a plain run of the tests two.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
_PAGES = 6
_SEED = 20261128


def command(folder: Path, jobs: int) -> list[str]:
    return [sys.executable, "-m", "ocrkit", "read", str(folder), "-o", "out", "--jobs", str(jobs)]


def results(folder: Path) -> dict[str, str]:
    """Name -> digest of all that a user sees."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("[!.]*")}


def litter(folder: Path) -> list[str]:
    """All that is neither a result nor the note of one."""
    inside = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    return [name for name in inside if name.startswith(".") and not name.startswith(".ocrkit/records/")
            and name not in (".ocrkit", ".ocrkit/records")]  # fmt: skip


@pytest.fixture
def scans(tmp_path):
    """Small pages, no two alike."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(_PAGES):
        image = np.full((80, 300), 255, np.uint8)
        cv2.putText(image, f"Page {number}", (15, 50), cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2)
        cv2.imwrite(str(folder / f"{number}.png"), image)
    return folder


def test_an_interrupted_run_says_how_far_it_came_and_leaves_no_litter(scans, tmp_path):
    for number in range(300):  # more than can be done before the signal comes
        os.link(scans / f"{number % _PAGES}.png", scans / f"more{number}.png")
    run = subprocess.Popen(
        command(scans, 2), cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    while run.poll() is None and not list(tmp_path.glob("out/[!.]*")):
        time.sleep(0.002)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to all of them
    said, complained = run.communicate()
    assert run.returncode == 130, complained
    assert complained == "ocrkit: interrupted: run it again to go on.\n"
    assert "not reached" in said
    assert litter(tmp_path / "out") == []


@pytest.mark.timeout(4000)
def test_a_killed_run_leaves_whole_results_and_no_litter_and_the_next_one_does_the_rest(
    scans, tmp_path, request, record_property
):
    kills = request.config.getoption("--kills")
    r = Random(request.config.getoption("--fuzz-seed") or _SEED)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    originals = results(scans)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}

    def start(where: Path, jobs: int = 2) -> subprocess.Popen[bytes]:
        where.mkdir(exist_ok=True)
        nowhere = subprocess.DEVNULL
        return subprocess.Popen(
            command(scans, jobs), cwd=where, env=environment, stdout=nowhere, stderr=nowhere, start_new_session=True
        )

    assert start(tmp_path / "whole", jobs=1).wait() == 0
    whole = results(tmp_path / "whole" / "out")
    assert len(whole) == _PAGES
    done = []
    for number in range(kills):
        where = tmp_path / "killed"
        run = start(where)
        wanted = r.randrange(_PAGES)  # a moment in seconds would mean another one on a busy machine
        while run.poll() is None and len(list((where / "out").glob("[!.]*"))) < wanted:
            time.sleep(0.002)
        time.sleep(r.uniform(0, 0.5))
        # By turns the one that the user started, and all at once.
        (os.kill if number % 2 else os.killpg)(run.pid, signal.SIGKILL)
        run.wait()
        there = results(where / "out")
        assert there.items() <= whole.items(), "a result is not whole"
        done.append(len(there))
        if number == kills - 1 or len(there) == _PAGES or r.random() < 0.5:  # else the next one is killed, too
            assert start(where).wait() == 0
            assert results(where / "out") == whole
            assert litter(where / "out") == []
            shutil.rmtree(where)
    assert results(scans) == originals
    assert list(temporary.glob("*ocrkit*")) == []
    record_property("measured", f"results after each of {kills} kills: {done}")
