"""Photograph MLflow's pages on this project's runs for docs/dashboard.md: `python tools/dashboard_pictures.py`.

Needs runs of the pipeline and a promotion in the store, Chromium with its driver, and selenium.
"""

from __future__ import annotations

import io
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from ocrkit.experiment import kept, setup
from ocrkit.files import make_folder, write_whole
from ocrkit.studies.served import READER

DOCS = Path(__file__).resolve().parents[1] / "docs" / "pictures"
_COLOURS = 256  # of each picture, which is text and lines
_SIZE = (1400, 900)
# MLflow's own memory of what a visitor has chosen: runs rather than chats, no assistant.
_SHOWN = {"mlflow.workflowType_v1": "machine_learning", "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": True}
# Opens the first run that has parts, which MLflow then does on its other pages, too.
_OPEN = "document.querySelector('button[data-component-id*=runnamecellrenderer]')?.click()"
# Hides where this machine keeps its files.
_TIDY = """
for (const line of document.querySelectorAll("div, span"))
    if (/^Path:\s*file:/.test(line.innerText)) line.style.visibility = "hidden";
"""
_PATIENCE_S = 120.0
_SETTLED_S = 3.0  # without a change, after which a page is ready


def main() -> None:
    """Write every picture into docs/pictures."""
    make_folder(DOCS)
    with _server() as address, _browser() as browser:
        browser.get(address)
        for key, value in _SHOWN.items():
            browser.execute_script("localStorage.setItem(arguments[0], arguments[1])", key, json.dumps(value))
        browser.refresh()
        for name, (page, words) in _pages().items():
            browser.get(f"{address}/#/{page}")
            _wait(browser, words)
            browser.execute_script(_TIDY)
            if name == "pipeline":
                browser.execute_script(_OPEN)
                _wait(browser, words)
            path = write_whole(DOCS / f"{name}.png", _compressed(browser.get_screenshot_as_png()))
            print(f"{path}: {path.stat().st_size // 1000} kB")


def _pages() -> dict[str, tuple[str, str]]:
    """Addresses by the name of the picture, each with words that are on the page once it is there."""
    pipeline, client = kept.connect(setup.PIPELINE)
    champion, _ = kept.connect(setup.CHAMPION)

    def newest(experiment: str, stage: str) -> str:
        found = client.search_runs([experiment], f"tags.stage = '{stage}' and attributes.status = 'FINISHED'")
        if not found:
            sys.exit(f"The store holds no finished run of {stage}.")
        return str(found[0].info.run_id)

    def page(path: str, **query: str) -> str:
        return f"{path}?{urllib.parse.urlencode(query, quote_via=urllib.parse.quote)}"

    return {
        "experiments": ("experiments", "Champion"),
        "pipeline": (f"experiments/{pipeline}/runs", "leaderboard"),
        "curves": (
            page(f"experiments/{pipeline}/runs", searchFilter="tags.stage = 'finetune'", compareRunsMode="CHART"),
            "Add chart",
        ),
        "leaderboard": (
            f"experiments/{pipeline}/runs/{newest(pipeline, 'leaderboard')}/artifacts/leaderboard.html",
            "leaderboard.html",
        ),
        "decision": (f"experiments/{champion}/runs/{newest(champion, 'promote')}", "f1.champion.all"),
        "decisions": (
            f"experiments/{champion}/runs/{newest(champion, 'promote')}/artifacts/decisions.png",
            "decisions.png",
        ),
        "reader": (f"models/{READER.name}", "Reads a document"),
    }


@contextmanager
def _server() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "ocrkit.experiment.dashboard", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            while True:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                if server.poll() is not None:
                    sys.exit("MLflow's server did not start: try `make dashboard`.")
                time.sleep(0.5)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


@contextmanager
def _browser() -> Iterator[Any]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        sys.exit("Chromium and its driver are needed: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    with tempfile.TemporaryDirectory() as profile:
        for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "hide-scrollbars"):
            options.add_argument(f"--{flag}")
        options.add_argument(f"--window-size={_SIZE[0]},{_SIZE[1]}")
        options.add_argument(f"--user-data-dir={profile}")
        browser = webdriver.Chrome(options=options, service=Service(driver))
        try:
            yield browser
        finally:
            browser.quit()


def _wait(browser: Any, words: str) -> None:
    """Until the page has these words and has stopped changing."""
    begun = since = time.monotonic()
    last = ""
    while time.monotonic() - since < _SETTLED_S or words not in last:
        if time.monotonic() - begun > _PATIENCE_S:
            sys.exit(f"{browser.current_url} shows no {words!r}.")
        time.sleep(0.5)
        text = browser.execute_script("return document.body.innerText")
        if text != last:
            last, since = text, time.monotonic()


def _compressed(png: bytes) -> bytes:
    file = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(_COLOURS).save(file, "png", optimize=True)
    return file.getvalue()


if __name__ == "__main__":
    main()
