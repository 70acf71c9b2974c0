"""Readers for tests of the service: what a document says is what they do."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator

import numpy as np
import PIL.Image

from ocrkit.document import Line, Page, Word, box_to_quad
from ocrkit.errors import BadImage
from ocrkit.service import walls, wire

MARK = b"%PDF-"


def document(said: str) -> bytes:
    """A document that says something, or makes its reader do it."""
    return MARK + said.encode()


def page_of(texts: list[str], number: int = 1) -> Page:
    """A page of words in lines of five."""
    rows = [texts[start : start + 5] for start in range(0, len(texts), 5)]
    lines = tuple(
        Line(tuple(Word(text, box_to_quad((10 + 90 * x, 10 + 40 * y, 90 + 90 * x, 40 + 40 * y)), 0.9)
                   for x, text in enumerate(row)))
        for y, row in enumerate(rows)
    )  # fmt: skip
    return Page(number, 500, 700, lines=lines, image=np.full((70, 50), 255, np.uint8))


def echo(model: str):
    """Reads what a document says; a form feed ends a page, and some words are orders."""
    PIL.Image.init()  # a jail can load no form of pictures any more

    def read(content: bytes, keep_doubtful: bool, most: int | None) -> Iterator[Page]:
        said = content.removeprefix(MARK).decode("utf-8", "replace")
        order = _ORDERS.get(said.split(":")[0])
        if order:
            yield from order(said)
            return
        for number, text in enumerate(said.split("\f")[:most], 1):
            yield page_of(text.split(), number)

    return read


def without_landlock(model: str):
    """On a kernel that has no Landlock."""
    walls._syscall = lambda *arguments: -1
    return echo(model)


def with_a_gap(model: str):
    """Walls that let something through."""
    walls._filter = lambda: 0
    return echo(model)


def _crash(said: str) -> Iterator[Page]:
    ctypes.string_at(0)
    yield page_of([])


def _crash_later(said: str) -> Iterator[Page]:
    yield page_of(["first"])
    os.abort()


def _loop(said: str) -> Iterator[Page]:
    while True:
        pass
    yield page_of([])


def _sleep(said: str) -> Iterator[Page]:
    time.sleep(float(said.split(":")[1]))
    yield page_of(["slept"])


def _linger(said: str) -> Iterator[Page]:
    yield page_of(["first"])
    time.sleep(60)


def _eat(said: str) -> Iterator[Page]:
    kept = [bytearray(64 * 2**20) for _ in range(200)]
    yield page_of([str(len(kept))])


def _doors(said: str) -> Iterator[Page]:
    yield page_of(["tried", *(door.replace(" ", "_") for door in walls.open_doors())])


def _refuse(said: str) -> Iterator[Page]:
    raise BadImage("There is nothing in it.\n\x1b[31mReally.")
    yield page_of([])


def _fail(said: str) -> Iterator[Page]:
    raise ZeroDivisionError("a bug")
    yield page_of([])


def _end(said: str) -> Iterator[Page]:
    os._exit(0)
    yield page_of([])


def _lie(said: str) -> Iterator[Page]:
    """Say to the service what no reader of ours would."""
    end = next(number for number in range(3, 64) if _is_open(number))
    lies = {
        "json": (wire.WORDS, b'{"number": 1, "lines": [{"text": "x"}]}'),
        "order": (wire.PICTURE, b"picture before its words"),
        "length": None,
        "kind": (b"?", b""),
    }
    lie = lies[said.split(":")[1]]
    if lie is None:
        os.write(end, b"w" + (2**60).to_bytes(8, "big"))
    else:
        wire.send(end, *lie)
    time.sleep(60)
    yield page_of([])


def _is_open(number: int) -> bool:
    try:
        os.write(number, b"")
    except OSError:
        return False
    return True


_ORDERS = {
    "crash": _crash,
    "crash-later": _crash_later,
    "loop": _loop,
    "sleep": _sleep,
    "linger": _linger,
    "eat": _eat,
    "doors": _doors,
    "refuse": _refuse,
    "fail": _fail,
    "end": _end,
    "lie": _lie,
}
