"""A run of the tests ends and fails when a worker of pytest-xdist dies, whenever that is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TEST = """import os, time

def test_first():
    time.sleep(0.1)

def test_second():
    if os.environ["DIE"] == "test" and "test_1" in __file__:
        os._exit(9)

def test_third():
    pass
"""
# A plug-in of every worker: the last one dies when it has collected, or when it ends.
DEADLY = """import os

def die(when):
    if os.environ["DIE"] == when and os.environ.get("PYTEST_XDIST_WORKER") == "gw1":
        os._exit(9)

def pytest_collection_finish(session):
    die("collection")

def pytest_sessionfinish(session):
    die("end")
"""


@pytest.mark.parametrize(("when", "status"), [("never", 0), ("test", 1), ("collection", 1), ("end", 1)])
def test_a_run_ends_and_fails_when_a_worker_dies(when, status, tmp_path):
    for number in range(4):
        (tmp_path / f"test_{number}.py").write_text(TEST)
    (tmp_path / "conftest.py").write_text(DEADLY)
    house = (HERE / "conftest.py").read_text().partition("def pytest_addoption")[0]
    assert "import pytest" in house
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "house", "-n", "2", "--dist", "loadfile"]
