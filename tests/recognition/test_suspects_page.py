"""The page to decide on suspect labels, in a browser: what it saves is what learning obeys."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ocrkit.datasets import Sample
from ocrkit.recognition.suspects import Suspect, decided, read_decisions, sample_id, write_decisions, write_page

TEXTS = ['say "9,90"', "<script>alert(1)</script>", "Größe\u2028", "plain", "=1+1", "same", "same"]


@pytest.fixture
def suspects(tmp_path: Path) -> list[Suspect]:
    """Words with odd labels, the last one twice, and the page to decide on them."""
    pixels = np.random.default_rng(0).integers(0, 255, (len(TEXTS), 20, 60), np.uint8)
    samples = [Sample(image, text, document="d, 1") for image, text in zip(pixels, TEXTS)]
    samples[-1] = replace(samples[-2])
    found = [Suspect(sample, f"read {n}", 9.0 - n) for n, sample in enumerate(samples)]
    write_page(found, tmp_path / "suspects.html", tmp_path)
    return found


def press(browser: Any, *keys: str) -> None:
    for key in keys:
        browser.switch_to.active_element.send_keys(key)


def saved(browser: Any) -> Path:
    """The file that a click on the page's button saves."""
    path = browser.downloads / "decisions.csv"
    path.unlink(missing_ok=True)
    browser.find_element("id", "save").click()
    deadline = time.monotonic() + 60
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return path


def test_decisions_made_with_the_keyboard_are_saved_as_they_are_obeyed(
    browser: Any, suspects: list[Suspect], tmp_path: Path
) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.get((tmp_path / "suspects.html").as_uri())
    status = browser.find_element("id", "progress")
    assert status.text == "0 of 7 decided"
    assert not browser.find_element("id", "save").is_enabled()
    press(browser, "k", "d")  # the first two; each goes on to the next
    press(browser, "f")  # the third: the reading stands there, selected, and is typed over
    assert browser.switch_to.active_element.get_attribute("value") == "read 2"
    press(browser, 'a "new", Größe kept', Keys.ENTER)
    press(browser, Keys.ARROW_DOWN, "f", Keys.ENTER)  # the fourth is passed over, the fifth fixed as it was read
    press(browser, "d")  # the last two are one
    assert status.text == "6 of 7 decided"

    path = saved(browser)
    decisions = read_decisions(path)
    ids = [sample_id(suspect.sample) for suspect in suspects]
    assert {ids.index(key): (its.decision, its.new_label) for key, its in decisions.items()} == {
        0: ("keep", ""),
        1: ("drop", ""),
        2: ("fix", 'a "new", Größe kept'),
        4: ("fix", "read 4"),
        5: ("drop", ""),
    }
    left = [sample.text for sample in decided([suspect.sample for suspect in suspects], decisions)]
    assert left == [TEXTS[0], 'a "new", Größe kept', "plain", "read 4"]

    # Byte for byte what Python writes for the same decisions.
    write_decisions([suspects[0]], tmp_path / "one.csv")
    header, first = (tmp_path / "one.csv").read_bytes().splitlines(keepends=True)
    assert path.read_bytes().startswith(header + first)


def test_decisions_can_be_changed_and_outlive_a_reload(browser: Any, suspects: list[Suspect], tmp_path: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.get((tmp_path / "suspects.html").as_uri())
    rows = browser.find_elements("css selector", ".suspects tbody tr")
    keep, fix, _ = rows[3].find_elements("tag name", "button")
    keep.click()
    press(browser, Keys.ARROW_UP, Keys.ARROW_UP, "d", "u", "d")  # the third is dropped, the fourth undecided, dropped
    fix.click()
    press(browser, Keys.CONTROL + "a", Keys.DELETE)
    status = browser.find_element("id", "progress")
    assert status.text == "1 of 7 decided, 1 to fix without a text yet"
    press(browser, "fixed", Keys.ESCAPE)
    assert status.text == "2 of 7 decided"

    browser.refresh()
    assert browser.find_element("id", "progress").text == "2 of 7 decided"
    decisions = read_decisions(saved(browser))
    assert [(its.decision, its.new_label) for its in decisions.values()] == [("drop", ""), ("fix", "fixed")]
    assert list(decisions) == [sample_id(suspect.sample) for suspect in suspects[2:4]]
    assert browser.find_element("id", "progress").text == "2 of 7 decided, saved"
    assert not browser.get_log("browser")
