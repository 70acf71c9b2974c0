"""Pages: everything escaped, nothing loaded from elsewhere, tables that sort, light and dark, narrow and wide."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from jinja2 import UndefinedError

from ocrkit.html import Cell, Row, Table, framed, picture, render

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


def test_what_a_page_is_given_is_escaped_and_what_it_lacks_is_an_error(tmp_path: Path, table: Path) -> None:
    page = table.read_text()
    assert page.startswith("<!doctype html>")
    assert "<h1>A &lt;table&gt;</h1>" in page
    assert "today &amp; here" in page
    (tmp_path / "lacking.html").write_text('{% extends "base.html" %}{% block content %}{{ nothing }}{% endblock %}')
    with pytest.raises(UndefinedError, match="nothing"):
        render(tmp_path / "lacking.html", "", {})


def test_a_page_loads_nothing(table: Path) -> None:
    page = table.read_text()
    assert re.search(r"""default-src 'none'; img-src data:;""", page)
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)""", page)
    assert "url(" not in page
    assert "@import" not in page


def test_a_picture_keeps_its_colours_and_is_scaled_down_only() -> None:
    red = np.zeros((100, 50, 3), np.uint8)
    red[..., 0] = 200
    for most, shape in ((0, (100, 50)), (40, (40, 20)), (400, (100, 50))):
        data = base64.b64decode(picture(red, most).removeprefix("data:image/png;base64,"))
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert pixels.shape[:2] == shape
        assert pixels[0, 0].tolist() == [0, 0, 200]  # BGR


def test_a_frame_holds_the_whole_page_as_one_attribute() -> None:
    frame = framed('<p title="a">&amp;</p>', "T")
    assert re.fullmatch(r'<div><iframe title="T" srcdoc="[^"<>]*" style="[^"]*"></iframe></div>', frame)


# In a browser


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
