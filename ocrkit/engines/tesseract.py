"""Tesseract, by its command-line program.

Options as in its manual, tesseract(1): a text file in place of the image names many images, one a line, which spares a
start of the program for each; `tsv` gives a row for each word with its box and confidence.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

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


class TesseractEngine(Engine):
    """Reads with the `tesseract` program.

    Args:
        threads: at most this many; more than one seldom makes it faster.
        language: one of `tesseract --list-langs`.

    Raises:
        MissingExtra: the program is not installed.
    """

    name = "tesseract"

    def __init__(self, threads: int = 1, language: str = "eng") -> None:
        if reason := self.missing():
            raise MissingExtra(reason)
        self.language = language
        self.is_private = privacy.has_private_temporary_folder()  # crops go through files
        self._environment = {**os.environ, "OMP_THREAD_LIMIT": str(threads)}
        self.version = self._run(["--version"]).split("\n", 1)[0].removeprefix("tesseract ")

    @classmethod
    def missing(cls) -> str | None:
        """Why it cannot be used, `None` where it can."""
        if shutil.which("tesseract"):
            return None
        return "The program tesseract is not installed: apt-get install tesseract-ocr."

    def read(self, image: Image) -> Page:
        """The words of a page image."""
        table = self._run(["-", "-", "-l", self.language, "--psm", _PAGE_MODE, "tsv"], _png(image))
        height, width = image.shape[:2]
        return Page(1, width, height, lines=_lines(_word_rows(table)))

    def recognize(self, crops: Sequence[Image]) -> list[str]:
        """The text of each word crop; what it took for several words is joined without blanks."""
        if not crops:
            return []
        with tempfile.TemporaryDirectory(prefix="ocrkit-") as folder:
            paths = [Path(folder) / f"{i}.png" for i in range(len(crops))]
            for path, crop in zip(paths, crops):
                path.write_bytes(_png(_framed(crop)))
            names = Path(folder) / "names.txt"
            names.write_text("\n".join(map(str, paths)))
            table = self._run([str(names), "-", "-l", self.language, "--psm", _CROP_MODE, "tsv"])
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
