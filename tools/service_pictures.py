"""Photograph the reading service's page for docs/service.md: `python tools/service_pictures.py`.

The documents are simulated, so that nobody's is shown. Needs Chromium with its driver, and selenium.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys

from ocrkit.files import make_folder, write_whole
from ocrkit.synth.corpus import build_vocabulary
from ocrkit.synth.fonts import FontOptions, audit, font_folders
from ocrkit.synth.pages import PageGenerator, PageOptions

DOCS = Path(__file__).resolve().parents[1] / "docs" / "pictures"
_ADDRESS = "http://127.0.0.1:8974/"
_COLOURS = 128
_WIDE, _NARROW = (1100, 760), (390, 780)
_DOCUMENTS = {"till-receipt.png": 2, "second-receipt.png": 3, "receipt-of-may.png": 5, "lunch.png": 8}
_PDF = ("four-receipts.pdf", (11, 12, 14, 15))


def main() -> None:
    """Serve, hand in, and take the pictures."""
    with tempfile.TemporaryDirectory() as temporary:
        files = _documents(Path(temporary))
        command = [sys.executable, "-m", "ocrkit", "serve", "--store", f"{temporary}/store", "--port", "8974"]
        server = subprocess.Popen([*command, "--jails", "2", "-q"])
        browser = _browser(Path(temporary))
        try:
            _until(lambda: bool(_asked("health")))
            _take(browser, files)
        finally:
            browser.quit()
            server.terminate()
            server.wait()


def _take(browser: Any, files: list[Path]) -> None:
    browser.get(_ADDRESS)
    browser.find_element("id", "files").send_keys("\n".join(map(str, files)))
    _until(lambda: _counts()["done"] >= 2 and _counts()["reading"] > 0)
    time.sleep(0.9)  # the page looks every 0.7 s
    _save(browser, "service-queue")
    _until(lambda: not _counts()["queued"] + _counts()["reading"])
    browser.find_element("id", "q").send_keys("total", Keys.ENTER)
    time.sleep(2)
    _save(browser, "service-search")
    browser.find_element("css selector", "#hits a.thumb").send_keys(Keys.ENTER)
    time.sleep(2)
    _save(browser, "service-hit")
    size = {"width": _NARROW[0], "height": _NARROW[1], "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(f"{_ADDRESS}#s/total")
    time.sleep(2)
    _save(browser, "service-narrow")


def _documents(folder: Path) -> list[Path]:
    fonts = FontOptions(sources=("packages",))
    options = PageOptions(kinds=("receipt",), fonts=fonts)
    generator = PageGenerator(build_vocabulary(), audit(font_folders(fonts.sources)), options)
    pages = {number: Image.fromarray(generator[number].image()) for number in (*_DOCUMENTS.values(), *_PDF[1])}
    for name, number in _DOCUMENTS.items():
        pages[number].save(folder / name)
    first, *others = (pages[number].convert("RGB") for number in _PDF[1])
    first.save(folder / _PDF[0], save_all=True, append_images=others, resolution=150)
    cut = folder / "cut-off.png"
    write_whole(cut, (folder / next(iter(_DOCUMENTS))).read_bytes()[:20_000])
    return [cut, *(folder / name for name in _DOCUMENTS), folder / _PDF[0]]


def _browser(folder: Path) -> Any:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "hide-scrollbars"):
        options.add_argument(f"--{flag}")
    options.add_argument(f"--window-size={_WIDE[0]},{_WIDE[1]}")
    options.add_argument(f"--user-data-dir={folder / 'profile'}")
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))


def _save(browser: Any, name: str) -> None:
    picture = Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB").quantize(_COLOURS)
    picture.save(make_folder(DOCS) / f"{name}.png", optimize=True)
    print(DOCS / f"{name}.png")


def _asked(path: str) -> Any:
    try:
        with urllib.request.urlopen(_ADDRESS + path) as answer:
            return json.load(answer)
    except OSError:
        return None


def _counts() -> dict[str, int]:
    return dict(_asked("documents")["counts"])


def _until(true: Any) -> None:
    deadline = time.monotonic() + 300
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.1)


if __name__ == "__main__":
    main()
