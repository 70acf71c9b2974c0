"""`make dashboard`, seen through a browser: MLflow's own page compares two runs that this project tracked."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from ports import free_port

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
RUNS = ({"word_accuracy": 0.61, "character_error_rate": 0.19}, {"word_accuracy": 0.84, "character_error_rate": 0.06})
PATIENCE_S = 120  # far longer than any page takes, so that a busy machine fails no test


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that ocrkit takes for a project."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def runs(project: Path) -> list[str]:
    """Two finished runs of the stage `start`, tracked as a notebook tracks them; their ids."""
    from ocrkit.experiment import track
    from ocrkit.studies.sections import Start

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        for name in ("DVC_ROOT", "DVC_STAGE", "OCRKIT_OUT"):
            patch.delenv(name, raising=False)
        ids = []
        for seed, metrics in enumerate(RUNS):
            run = track.start("start", Start(seed=seed, profile="default", real_pages="data/realpages", page="invoice"))
            run.end(metrics)
            ids.append(run.id)
    return ids


@pytest.fixture(scope="module")
def dashboard(
    project: Path, runs: list[str], tmp_path_factory: pytest.TempPathFactory, answers: Callable[[str], bool]
) -> Iterator[str]:
    """Address of the server that `make dashboard` starts on the project's store."""
    port = free_port()
    log = tmp_path_factory.mktemp("log") / "server.log"
    # `-o setup`: the environment that runs this test is the one to use.
    command = ["make", "-f", str(ROOT / "Makefile"), "-o", "setup", "dashboard", f"PORT={port}"]
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    environment["PYTHONPATH"] = str(ROOT)
    with log.open("w") as output:
        server = subprocess.Popen(
            [*command, f"BIN={Path(sys.executable).parent}"],
            cwd=project,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        assert wait_for(lambda: answers(f"{address}/health") or server.poll() is not None, True), "no answer"
        assert server.poll() is None, log.read_text()
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(20)


def wait_for(look: Callable[[], T], wanted: T) -> T:
    """What `look` sees: at once when that is `wanted`, else at the end of all patience."""
    deadline = time.monotonic() + PATIENCE_S
    while (seen := look()) != wanted and time.monotonic() < deadline:
        time.sleep(0.3)
    return seen


# The table is drawn with absolute positions: what stands where a run's column crosses a metric's row?
CELL = """
const link = text => [...document.querySelectorAll('a')].find(a => a.textContent.trim() === text);
link(arguments[1])?.scrollIntoView({block: 'center'});
const column = link(arguments[0])?.getBoundingClientRect(), row = link(arguments[1])?.getBoundingClientRect();
return column && row && document.elementFromPoint(column.left + 3, row.top + row.height / 2)?.textContent.trim();
"""


def test_two_runs_side_by_side_show_their_metrics_by_name_and_value(browser, dashboard: str, runs: list[str]) -> None:
    query = urllib.parse.urlencode({"runs": json.dumps(runs), "experiments": json.dumps(["1"])})
    browser.get(f"{dashboard}/#/compare-runs?{query}")

    expected = [{name: str(value) for name, value in metrics.items()} for metrics in RUNS]
    cells = lambda: [{name: browser.execute_script(CELL, run, name) for name in RUNS[0]} for run in runs]  # noqa: E731
    assert wait_for(cells, expected) == expected


def test_the_experiment_of_the_project_lists_both_runs(browser, dashboard: str, runs: list[str]) -> None:
    browser.get(f"{dashboard}/#/experiments/1/runs")

    text = lambda: browser.execute_script("return document.body.innerText")  # noqa: E731
    count = lambda: len(re.findall(r"\bstart \d\d [A-Z][a-z]{2} \d\d:\d\d", text()))  # noqa: E731
    assert wait_for(count, len(runs)) == len(runs)


def test_it_opens_on_experiments_with_what_they_are_and_on_no_pages_for_chats(browser, dashboard: str) -> None:
    browser.get(f"{dashboard}/#/experiments?workflowType=machine_learning")

    text = lambda: browser.execute_script("return document.body.innerText")  # noqa: E731
    assert wait_for(lambda: "From invented words to read documents." in text(), True)
    assert "Model registry" in text()
    assert "Prompts" not in text()
