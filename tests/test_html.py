"""Pages: everything escaped, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from jinja2 import UndefinedError

from ocrkit.html import Cell, Row, Table, framed, picture, render


@pytest.fixture
def page(tmp_path: Path) -> str:
    """A page with a table of two columns."""
    template = tmp_path / "template.html"
    template.write_text(
        '{% extends "base.html" %}{% from "parts.html" import draw %}{% block content %}{{ draw(table) }}{% endblock %}'
    )
    rows = [Row([Cell("<one>"), Cell("1.0 s", "below", 1.0, "better", (0.5, 0.4, 0.7))], best=True)]
    rows.append(Row([Cell("two"), Cell("–", value=float("nan"))]))
    shown = Table("T", {"Name": "", "Value": "small"}, rows)
    return render(template, "A <table>", {"Made": "today & here"}, table=shown)


def test_a_table_says_by_what_it_sorts_and_where_texts_stand(page: str) -> None:
    cells = re.findall(r'<td data-sort="(.*?)" class="(.*?)">', page)
    assert cells == [("&lt;one&gt;", "text "), ("1.0", "better"), ("two", "text "), ("", "")]
    assert page.count('<tr class="best">') == 1
    assert '<line x1="40.0" x2="70.0"' in page


def test_what_a_page_is_given_is_escaped_and_what_it_lacks_is_an_error(tmp_path: Path, page: str) -> None:
    assert page.startswith("<!doctype html>")
    assert "<h1>A &lt;table&gt;</h1>" in page
    assert "today &amp; here" in page
    (tmp_path / "lacking.html").write_text('{% extends "base.html" %}{% block content %}{{ nothing }}{% endblock %}')
    with pytest.raises(UndefinedError, match="nothing"):
        render(tmp_path / "lacking.html", "", {})


def test_a_page_loads_nothing(page: str) -> None:
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
