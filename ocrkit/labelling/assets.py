"""The script and the style of tasks, which widget, page and crowd share."""

from __future__ import annotations

from functools import cache
from pathlib import Path

PAGE = Path(__file__).with_name("page")
_PARTS = ("frame.js", "text.js", "choice.js", "boxes.js")


@cache
def script() -> str:
    """The JavaScript module: a file for the frame and one for each interface, joined; its default has `render`."""
    parts = "\n".join((PAGE / name).read_text("utf-8") for name in _PARTS)
    return f"{parts}\nexport default {{ render }};\n"


@cache
def style() -> str:
    """How tasks look."""
    return (PAGE / "tasks.css").read_text("utf-8")
