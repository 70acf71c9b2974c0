"""Pages that need nothing else: one style for all, tables that sort, light and dark, from a file as from a server.

A page is a Jinja2 template beside the code that fills it, which extends `base.html` of this folder. Whatever it is
given is escaped.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2

if TYPE_CHECKING:
    from jinja2 import Environment

    from ocrkit.document import Image

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Cell:
    """What stands in one place of a table.

    Attributes:
        text: as it is read.
        below: in small print below it, such as an interval.
        value: what the column is sorted by; by default the text. What is not defined comes last.
        tone: "better" or "worse", for its colour.
        bar: the text is also drawn, as a share of 1 with its interval: value, low, high.
    """

    text: str
    below: str = ""
    value: float | str | None = None
    tone: str = ""
    bar: tuple[float, float, float] | None = None

    @property
    def key(self) -> float | str:
        """What the column is sorted by; empty for what comes last."""
        if isinstance(self.value, float) and math.isnan(self.value):
            return ""
        return self.text if self.value is None else self.value

    @property
    def whisker(self) -> tuple[float, float] | None:
        """Ends of the bar's interval, where there is one."""
        return None if self.bar is None or math.isnan(self.bar[1]) else self.bar[1:]


@dataclass(frozen=True)
class Row:
    """A row of a table; the best one is shaded."""

    cells: Sequence[Cell]
    best: bool = False


@dataclass(frozen=True)
class Table:
    """A table under its columns' titles, each with what stands below it in small print.

    Attributes:
        name: what it shows, for those who cannot see it.
    """

    name: str
    columns: Mapping[str, str]
    rows: Sequence[Row]

    @property
    def texts(self) -> list[bool]:
        """Of each column, whether it holds texts, which stand to the left; figures stand to the right."""
        return [
            all(isinstance(cell.value, str | None) for cell in column) for column in zip(*(r.cells for r in self.rows))
        ]


def render(template: Path, title: str, made: Mapping[str, str], **values: Any) -> str:
    """The page of a template.

    Args:
        template: a file that extends `base.html`.
        title: of the page.
        made: facts about its making, by what they are; see `ocrkit.origin.made`.
        values: what the template asks for.
    """
    page = _environment(template.parent).get_template(template.name)
    return page.render(title=title, made=made, **values)


def picture(image: Image, most_height_px: int = 0) -> str:
    """An image as the address of a picture that holds it: a PNG, scaled down where it is higher than allowed.

    Args:
        image: `uint8`, `(H, W)` or `(H, W, 3)` RGB.
        most_height_px: 0 for any.
    """
    scale = most_height_px / image.shape[0] if most_height_px else 1.0
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    pixels = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    return f"data:image/png;base64,{base64.b64encode(cv2.imencode('.png', pixels)[1].tobytes()).decode()}"


def framed(page: str, title: str, height_px: int = 720) -> str:
    """A whole page as a part of another one, such as a notebook, whose style it must not change."""
    style = f"width:100%;height:{height_px}px;border:1px solid #8888;border-radius:6px"
    return f'<div><iframe title="{escape(title)}" srcdoc="{escape(page)}" style="{style}"></iframe></div>'


@cache
def _environment(folder: Path) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader([folder, _HERE])
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
