"""Processes of `multiprocessing` end with the one that started them, and of others it is known whether they ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ocrkit import processes
from ocrkit.processes import has_ended

PROGRAM = """
import multiprocessing, os, time
from concurrent.futures import ProcessPoolExecutor
from ocrkit.processes import end_with_parent
if __name__ == "__main__":
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), end_with_parent) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(60)
"""


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_an_idle_worker_ends_when_the_process_that_waits_for_it_is_killed(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    with subprocess.Popen([sys.executable, tmp_path / "program.py"], stdout=subprocess.PIPE) as parent:
        worker = int(parent.stdout.readline())
        assert is_there(worker)
        parent.send_signal(signal.SIGKILL)
    until = time.monotonic() + 60
    while is_there(worker):
        assert time.monotonic() < until, os.kill(worker, signal.SIGKILL)
        time.sleep(0.05)


def test_a_process_is_known_by_its_name_until_it_has_ended():
    script = "from ocrkit.processes import name; print(name(), flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=-1, stdout=-1, text=True) as other:
        name = other.stdout.readline().strip()
        assert not has_ended(name)
        other.kill()
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
        assert has_ended(name)  # though nobody has asked what became of it
    assert has_ended(name)


def test_the_number_of_an_ended_process_may_be_that_of_another_now():
    place, number, began = processes.name().split()
    assert not has_ended(f"{place} {number} {began}")
    assert has_ended(f"{place} {number} {int(began) - 1}")


@pytest.mark.parametrize("name", ["", "x", "elsewhere 1 1", "elsewhere one 1"])
def test_of_a_process_elsewhere_nobody_can_say_that_it_has_ended(name):
    assert not has_ended(name)
