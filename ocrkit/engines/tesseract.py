"""Tesseract: in this process where the package tesserocr is installed, else by its command-line program.

The program starts anew for every page, which is most of its time on a small one. Its options are as in its manual,
tesseract(1): a text file in place of the image names many images, one a line, which spares a start for each; `tsv`
gives a row for each word with its box and confidence. tesserocr brings a Tesseract of its own, and reads the models
that the program's packages install.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from ocrkit import privacy
from ocrkit.document import Image, Line, Page, Word, box_to_quad
from ocrkit.engines.base import Engine, EngineFailed
from ocrkit.errors import MissingExtra
from ocrkit.images import to_grey

# Page mode 3, "fully automatic page segmentation, but no OSD", is the program's default and what its users get; mode 1
# would first guess the script and orientation, from a second model that is not always installed.
_PAGE_MODE = "3"
# Mode 7, "a single text line", reads single words far better than mode 8, "a single word". Its network expects letters
# of a usual size with paper around them; white around a grey photo would look like an edge of the print.
_CROP_MODE = "7"
_CROP_HEIGHT_PX = 48
_CROP_BORDER_PX = 10


_MODELS = "/usr/share"  # below which distributions install them
_COLUMNS = [
    "level",
    "page_num",
    "block_num",
    "par_num",
    "line_num",
    "word_num",
    "left",
    "top",
    "width",
    "height",
    "conf",
    "text",
]


class _Tesseract(Protocol):
    """Either of the two."""

    version: str

    def page(self, image: Image) -> list[dict[str, str]]:
        """Rows of the words of a page."""
        ...

    def crops(self, crops: Sequence[Image]) -> list[str]:
        """The text of each word."""
        ...


class TesseractEngine(Engine):
    """Reads with Tesseract; its version says how it was called.

    Args:
        threads: at most this many; more than one seldom makes it faster.
        language: one of `tesseract --list-langs`.
        in_process: whether tesserocr is used; `None` leaves it to what is installed.

    Raises:
        MissingExtra: it is not installed.
        EngineFailed: it has no model of that language.
    """

    name = "tesseract"

    def __init__(self, threads: int = 1, language: str = "eng", in_process: bool | None = None) -> None:
        if reason := self.missing():
            raise MissingExtra(reason)
        if in_process is None:
            in_process = _has_library()
        self._tesseract: _Tesseract = (_Library if in_process else _Program)(threads, language)
        # From memory, or through files.
        self.is_private = in_process or privacy.has_private_temporary_folder()
        self.version = self._tesseract.version

    @classmethod
    def missing(cls) -> str | None:
        """Why it cannot be used, `None` where it can."""
        if shutil.which("tesseract") or _has_library():
            return None
        return "The program tesseract is not installed: apt-get install tesseract-ocr."

    def read(self, image: Image) -> Page:
        """The words of a page image."""
        height, width = image.shape[:2]
        return Page(1, width, height, lines=_lines(self._tesseract.page(image)))

    def recognize(self, crops: Sequence[Image]) -> list[str]:
        """The text of each word crop; what it took for several words is joined without blanks."""
        return self._tesseract.crops(crops) if crops else []


def _has_library() -> bool:
    return bool(find_spec("tesserocr") and _models())


def _models() -> str | None:
    """The folder of its models, as the environment says or as distributions have it."""
    told = os.environ.get("TESSDATA_PREFIX")
    folders = [Path(told)] if told else sorted(Path(_MODELS).glob("tesser*/**/tessdata"), reverse=True)
    return next((str(folder) for folder in folders if any(folder.glob("*.traineddata"))), None)


class _Library:
    """Tesseract in this process, loaded once; pages go to it in memory."""

    def __init__(self, threads: int, language: str) -> None:
        os.environ["OMP_THREAD_LIMIT"] = str(threads)  # read as the library is loaded
        import tesserocr

        try:
            self._api = tesserocr.PyTessBaseAPI(path=_models(), lang=language)
        except RuntimeError as error:
            raise EngineFailed(f"Tesseract failed: {error}.") from None
        self._api.SetVariable("debug_file", os.devnull)
        number = re.search(r"[\d.]+", tesserocr.tesseract_version())
        self.version = f"{number[0] if number else ''} in process (tesserocr {version('tesserocr')})"

    def page(self, image: Image) -> list[dict[str, str]]:
        return self._rows(image, _PAGE_MODE)

    def crops(self, crops: Sequence[Image]) -> list[str]:
        return ["".join(row["text"].strip() for row in self._rows(_framed(crop), _CROP_MODE)) for crop in crops]

    def _rows(self, image: Image, mode: str) -> list[dict[str, str]]:
        height, width = image.shape[:2]
        depth = 1 if image.ndim == 2 else image.shape[2]
        self._api.SetPageSegMode(int(mode))
        try:
            self._api.SetImageBytes(np.ascontiguousarray(image).tobytes(), width, height, depth, depth * width)
            table = self._api.GetTSVText(0)
        except RuntimeError as error:
            raise EngineFailed(f"Tesseract failed: {error}.") from None
        finally:
            self._api.Clear()
        return _word_rows("\t".join(_COLUMNS) + "\n" + table)


class _Program:
    """Tesseract's program, started for every page."""

    def __init__(self, threads: int, language: str) -> None:
        self._language = language
        self._environment = {**os.environ, "OMP_THREAD_LIMIT": str(threads)}
        number = self._run(["--version"]).split("\n", 1)[0].removeprefix("tesseract ")
        self.version = f"{number}, a process a page"

    def page(self, image: Image) -> list[dict[str, str]]:
        return _word_rows(self._run(["-", "-", "-l", self._language, "--psm", _PAGE_MODE, "tsv"], _png(image)))

    def crops(self, crops: Sequence[Image]) -> list[str]:
        with tempfile.TemporaryDirectory(prefix="ocrkit-") as folder:
            paths = [Path(folder) / f"{i}.png" for i in range(len(crops))]
            for path, crop in zip(paths, crops):
                path.write_bytes(_png(_framed(crop)))
            names = Path(folder) / "names.txt"
            names.write_text("\n".join(map(str, paths)))
            table = self._run([str(names), "-", "-l", self._language, "--psm", _CROP_MODE, "tsv"])
        texts = [""] * len(crops)
        for row in _word_rows(table):
            texts[int(row["page_num"]) - 1] += row["text"].strip()
        return texts

    def _run(self, arguments: list[str], data: bytes | None = None) -> str:
        try:
            done = subprocess.run(
                ["tesseract", *arguments], input=data, capture_output=True, env=self._environment, check=True
            )
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode("utf-8", "replace").strip().splitlines()
            raise EngineFailed(f"Tesseract failed: {said[-1] if said else f'status {error.returncode}'}.") from None
        except OSError as error:
            raise EngineFailed(f"Tesseract cannot be run: {error}.") from None
        return done.stdout.decode("utf-8", "replace")


def _word_rows(table: str) -> list[dict[str, str]]:
    rows = csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return [row for row in rows if row["level"] == "5" and (row["text"] or "").strip()]


def _lines(rows: list[dict[str, str]]) -> tuple[Line, ...]:
    lines = []
    paragraphs: dict[tuple[str, str], int] = {}
    for place, words in groupby(rows, key=lambda row: (row["block_num"], row["par_num"], row["line_num"])):
        paragraph = paragraphs.setdefault(place[:2], len(paragraphs))
        lines.append(Line(tuple(map(_word, words)), paragraph))
    return tuple(lines)


def _word(row: dict[str, str]) -> Word:
    x, y, width, height = (float(row[name]) for name in ("left", "top", "width", "height"))
    return Word(row["text"].strip(), box_to_quad((x, y, x + width, y + height)), float(row["conf"]) / 100)


def _framed(crop: Image) -> Image:
    height, width = crop.shape[:2]
    size = (max(1, round(width * _CROP_HEIGHT_PX / height)), _CROP_HEIGHT_PX)
    scaled = cv2.resize(to_grey(crop), size, interpolation=cv2.INTER_CUBIC)
    edge = np.concatenate([scaled[0], scaled[-1], scaled[:, 0], scaled[:, -1]])
    return np.pad(scaled, _CROP_BORDER_PX, constant_values=int(np.median(edge)))


def _png(image: Image) -> bytes:
    pixels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()
