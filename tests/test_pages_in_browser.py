"""Pages in a browser: tables sort, light and dark, narrow and wide, and decisions are saved as learning obeys them."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ocrkit.datasets import LabelledPage, LabelledWord, Sample
from ocrkit.document import Image, Line, Page, Word, box_to_quad
from ocrkit.engines import Engine, compare, leaderboard_html
from ocrkit.html import Cell, Row, Table, render
from ocrkit.recognition.suspects import Suspect, decided, read_decisions, sample_id, write_decisions, write_page

NAN = float("nan")
ROWS = {"b": 2.0, "none": NAN, "a10": 10.0, "a9": -1.5}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A page with a table of names and figures, one of which is not defined."""
    template = tmp_path / "template.html"
    template.write_text(
        '{% extends "base.html" %}{% from "parts.html" import draw %}{% block content %}{{ draw(table) }}{% endblock %}'
    )
    rows = [Row([Cell(name), Cell(f"{value:.1f} s", "below", value)]) for name, value in ROWS.items()]
    page = tmp_path / "table.html"
    page.write_text(
        render(template, "A <table>", {"Made": "today & here"}, table=Table("T", {"N": "", "V": "s"}, rows))
    )
    return page


def column(browser: Any, place: int) -> list[str]:
    return browser.execute_script(
        "return [...document.querySelectorAll('tbody tr')].map(row => row.cells[arguments[0]].firstChild.data.trim())",
        place,
    )


def test_a_table_sorts_by_figures_and_by_names_both_ways_and_what_is_not_defined_comes_last(
    browser: Any, table: Path
) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.get(table.as_uri())
    names, values = browser.find_elements("css selector", "th button")
    assert column(browser, 0) == list(ROWS)
    values.click()
    assert column(browser, 1) == ["10.0 s", "2.0 s", "-1.5 s", "nan s"]
    values.send_keys(Keys.ENTER)
    assert column(browser, 1) == ["-1.5 s", "2.0 s", "10.0 s", "nan s"]
    heads = browser.find_elements("css selector", "th")
    assert [head.get_attribute("aria-sort") for head in heads] == ["none", "ascending"]
    names.send_keys(Keys.SPACE)
    assert column(browser, 0) == ["a9", "a10", "b", "none"]
    names.click()
    assert column(browser, 0) == ["none", "b", "a10", "a9"]
    assert not browser.get_log("browser")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_light_or_dark_as_the_reader_wants_it_and_fits_a_narrow_window(
    browser: Any, table: Path, scheme: str
) -> None:
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    size = {"width": 360, "height": 700, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        browser.get(table.as_uri())
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        colours = browser.execute_script(
            "const style = getComputedStyle(document.body); return [style.backgroundColor, style.color]"
        )
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert wide == 360
    paper, ink = (sum(map(int, re.findall(r"\d+", colour))) for colour in colours)
    assert (paper > ink) == (scheme == "light")
    assert abs(paper - ink) > 400  # of 765


# The leaderboard


class Says(Engine):
    """An engine that always gives the same words."""

    version = "1"

    def __init__(self, name: str, *words: str) -> None:
        self.name, self.words = name, words

    def read(self, image: Image) -> Page:
        words = tuple(Word(text, box_to_quad((10, 10, 60, 30))) for text in self.words)
        return Page(1, 200, 100, (Line(words),) if words else ())

    def recognize(self, crops: Sequence[Image]) -> list[str]:
        return [""] * len(crops)


def test_the_leaderboard_sorts_and_fits_a_narrow_window(browser: Any, tmp_path: Path) -> None:
    name = "an engine with a name far longer than any table has room for"
    words = (LabelledWord("Total", box_to_quad((10, 10, 60, 30))),)
    pixels = np.full((100, 200), 255, np.uint8)
    kinds = ("other", "screenshots", "other", "screenshots")
    pages = [LabelledPage(f"p{i}", words, pixels=pixels, category=kind) for i, kind in enumerate(kinds)]
    engines = [Says("nothing"), Says(name, "Total"), Says("wrong", "Tota1")]
    page = tmp_path / "board.html"
    page.write_text(leaderboard_html(compare(engines, pages), "Leaderboard", pages), "utf-8")
    size = {"width": 360, "height": 700, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        browser.get(page.as_uri())
        assert browser.execute_script("return document.documentElement.scrollWidth") == 360
        table = browser.find_element("tag name", "table")
        f1 = table.find_elements("css selector", "th button")[1]
        assert f1.text.startswith("F1")
        f1.click()
        rows = table.find_elements("css selector", "tbody tr")
        assert [row.find_element("tag name", "td").text for row in rows] == [name, "nothing", "wrong"]
        assert [row.get_attribute("class") for row in rows] == ["best", "", ""]
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert not browser.get_log("browser")


# Decisions on suspect labels

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

    deadline = time.monotonic() + 60  # Chromium writes what a page keeps a little later, on a busy machine later still
    browser.refresh()
    while browser.find_element("id", "progress").text == "0 of 7 decided" and time.monotonic() < deadline:
        time.sleep(0.5)
        browser.refresh()
    assert browser.find_element("id", "progress").text == "2 of 7 decided"
    decisions = read_decisions(saved(browser))
    assert [(its.decision, its.new_label) for its in decisions.values()] == [("drop", ""), ("fix", "fixed")]
    assert list(decisions) == [sample_id(suspect.sample) for suspect in suspects[2:4]]
    assert browser.find_element("id", "progress").text == "2 of 7 decided, saved"
    assert not browser.get_log("browser")
