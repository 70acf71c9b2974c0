"""Whenever a worker of pytest-xdist dies, the run ends and fails; measured on pytest-xdist 3.8.0."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """import os

def test_first():
    pass

def test_second():
    if os.environ["DIE"] == "test" and "test_1" in __file__:
        os._exit(9)

def test_third():
    pass
"""
DEADLY = """import os

def die(moment):
    if os.environ["DIE"] == moment and os.environ.get("PYTEST_XDIST_WORKER") == "gw1":
        os._exit(9)

def pytest_collection_finish(session):
    die("collection")

def pytest_sessionfinish(session):
    die("end")
"""


@pytest.mark.parametrize("moment", ["never", "collection", "test", "end"])
def test_a_run_ends_and_fails_when_a_worker_dies(moment, tmp_path):
    for number in range(4):
        (tmp_path / f"test_{number}.py").write_text(TESTS)
    (tmp_path / "conftest.py").write_text(DEADLY)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "xdist", "-p", "no:cacheprovider", "-p", "dead_workers"]
    command += ["-n", "2", "--dist", "loadfile", str(tmp_path)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment |= {"PYTHONPATH": str(Path(__file__).parent), "DIE": moment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)
    assert (done.returncode == 0) == (moment == "never"), done.stdout + done.stderr
    assert ("12 passed" in done.stdout) == (moment in ("never", "end"))
