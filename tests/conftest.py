"""Fixtures every test may use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import numpy as np
import pytest

from ocrkit import strict
from ocrkit.alphabet import Alphabet
from ocrkit.datasets.sample import Sample
from ocrkit.synth.corpus import Vocabulary
from ocrkit.synth.fonts import FontVerdict, audit_font, font_files, font_folders

# Of the fonts that packages carry: for each split some, common and rare ones, and two the audit finds unfit.
FILES = ("DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf", "STIXGeneral.ttf", "Vera.ttf", "Lato-Regular.ttf",
         "Caladea-Regular.ttf", "Manrope-Regular.ttf", "cmex10.ttf", "cmr10.ttf")  # fmt: skip
ROOT = Path(__file__).resolve().parents[1]
pytest_plugins = ["dead_workers"]


def pytest_addoption(parser) -> None:
    """How much tests/hard tries, and which inputs."""
    parser.addoption(
        "--inputs", type=int, default=50, help="changed documents that tests/hard tries, the rest in proportion"
    )
    parser.addoption("--moments", type=int, default=2, help="times that tests/hard kills each verb; above 2 all verbs")
    parser.addoption("--fuzz-seed", type=int, default=None, help="other inputs than usual")
    parser.addoption("--kills", type=int, default=2, help="runs over a folder that tests/hard kills")


@pytest.fixture(scope="module", autouse=True)
def own_strictness() -> Iterator[None]:
    """A stage that a test ran in this process leaves no strict mode to the tests of other files."""
    before = {name: os.environ.get(name) for name in strict.environment()}
    yield
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of development data; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("OCRKIT_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no development data at {folder}; set OCRKIT_SHARED_DATA to where it lies")
    return folder


def draw(text: str, height: int = 24) -> np.ndarray:
    """Black on white, in the font that OpenCV draws itself."""
    (width, _), _ = cv2.getTextSize(text or " ", cv2.FONT_HERSHEY_SIMPLEX, height / 32, 1)
    image = np.full((height, width + 8), 255, np.uint8)
    cv2.putText(image, text, (4, height * 3 // 4), cv2.FONT_HERSHEY_SIMPLEX, height / 32, 0, 1)
    return image


@pytest.fixture(scope="session")
def samples() -> list[Sample]:
    """Forty words of one to six figures and letters."""
    rng = np.random.default_rng(3)
    texts = ["".join(rng.choice(list("abcDEF012"), rng.integers(1, 7))) for _ in range(39)]
    return [Sample(draw(text), text) for text in [*texts, ""]]


@pytest.fixture(scope="session")
def alphabet() -> Alphabet:
    return Alphabet("abcDEF012")


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    """Words of several languages, with the letters whose capitals are special."""
    return Vocabulary(
        words=("the", "invoice", "total", "don't", "receipts", "quantity", "naïve", "payment", "Straße", "L'Haÿ"),
        foreign=("façade", "Größe", "señor", "ção", "Haÿ", "œuvre"),
        book=("“Yes,”", "Mr.", "said", "—and"),
        names=("O'Neill", "Ana María"),
        places=("Saint-Étienne", "York"),
        streets=("Main Street", "Rue de l'Haÿ"),
        companies=("Smith & Sons", "ACME, Inc."),
    )


@pytest.fixture(scope="session")
def verdicts() -> list[FontVerdict]:
    return [audit_font(path, kind) for path, kind in font_files(font_folders(["packages"])) if path.name in FILES]


@pytest.fixture
def browser(chromium: Any) -> Any:
    """Chromium on an empty page, with nothing of earlier tests in its log."""
    chromium.get("about:blank")
    chromium.get_log("browser")
    return chromium


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Chromium without a window and with a fresh profile; `downloads` is the folder of what it saves."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not program or not driver:
        pytest.skip("needs Chromium and its driver: apt-get install chromium chromium-driver")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    downloads = tmp_path_factory.mktemp("downloads")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    for flag in (
        "headless=new",
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "disable-dev-shm-usage",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        "window-size=1400,1600",
        f"user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):
        options.add_argument(f"--{flag}")
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    chrome.downloads = downloads
    yield chrome
    chrome.quit()


def pytest_terminal_summary(terminalreporter) -> None:
    """Print what tests measured and recorded as `measured`, also from worker processes."""
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "measured":
                terminalreporter.write_line(f"measured: {value}")
