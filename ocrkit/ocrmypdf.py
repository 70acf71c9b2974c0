"""ocrkit as an engine of OCRmyPDF 17: `ocrmypdf --plugin ocrkit.ocrmypdf in.pdf out.pdf`.

OCRmyPDF takes care of the file (deskewing, cleaning, optimisation, PDF/A), and asks this module what each page says, in
processes of its own. A process loads the model when it reads its first page, and reads on one thread.
"""

from __future__ import annotations

import logging
import math
import os
import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ocrmypdf import hookimpl
from ocrmypdf.exceptions import BadArgsError, ExitCode, ExitCodeException
from ocrmypdf.models.ocr_element import BoundingBox, OcrClass, OcrElement
from ocrmypdf.pluginspec import OcrEngine, OrientationConfidence
from PIL import Image

import ocrkit
from ocrkit.document import Document, Line, Page
from ocrkit.errors import OcrkitError
from ocrkit.formats.xml import paragraphs
from ocrkit.recognition.model import alphabet_of, find_model

if TYPE_CHECKING:
    from ocrmypdf._options import OcrOptions

    from ocrkit.documents.reader import Reader

# What a language is written with, beyond A to Z; by the names that Tesseract gives to languages.
_LETTERS = {
    "eng": "",
    "afr": "éèêëïôú",
    "cat": "àéèíïóòúüç",
    "dan": "æøå",
    "deu": "äöüß",
    "fin": "äöå",
    "fra": "àâæçéèêëîïôœùûüÿ",
    "ind": "",
    "isl": "áðéíóúýþæö",
    "ita": "àéèìòóù",
    "lat": "",
    "msa": "",
    "nld": "éëïóöü",
    "nor": "æøå",
    "pol": "ąćęłńóśźż",
    "por": "áâãàçéêíóôõú",
    "spa": "áéíñóúü¿¡",
    "swe": "åäö",
}
_LEVEL_DEG = 1.0  # lines that lean less are level
_LONGEST_SKEW_DEG = 15.0
_FONT = "/F1"  # one of the two names by which OCRmyPDF looks for a page's font

_log = logging.getLogger(__name__)
_reading = threading.Lock()  # OCRmyPDF may work with threads in place of processes, and the model is one


@hookimpl
def add_options(parser: ArgumentParser) -> None:
    """Add `--ocrkit-model`."""
    group = parser.add_argument_group("ocrkit", "Options of the OCR engine ocrkit")
    group.add_argument("--ocrkit-model", metavar="MODEL", help="a released model's name, or a model's folder")


@hookimpl
def get_ocr_engine(options: OcrOptions | None) -> OcrEngine | None:
    """The engine, unless `--ocr-engine` asks for another."""
    chosen = getattr(options, "ocr_engine", "auto") if options is not None else "auto"
    return OcrkitEngine() if chosen in ("auto", "ocrkit") else None


class OcrkitEngine(OcrEngine):  # type: ignore[misc]
    """What OCRmyPDF asks of an engine."""

    @staticmethod
    def version() -> str:
        """That of ocrkit."""
        return ocrkit.__version__

    @staticmethod
    def creator_tag(options: OcrOptions) -> str:
        """What the PDF says it was read with."""
        return f"ocrkit {ocrkit.__version__}"

    def __str__(self) -> str:
        return f"ocrkit {ocrkit.__version__}"

    @staticmethod
    def languages(options: OcrOptions) -> set[str]:
        """Those whose letters the model knows; OCRmyPDF refuses others."""
        with _told(BadArgsError):
            alphabet = alphabet_of(find_model(_model(options)))
        return {name for name, letters in _LETTERS.items() if not alphabet.unknown(letters)}

    @staticmethod
    def get_orientation(input_file: Path, options: OcrOptions) -> OrientationConfidence:
        """By how much the page is turned, degrees counter-clockwise, as sure as it has words: few say little."""
        page = _read(input_file, options).page
        return OrientationConfidence(-page.rotation % 360, float(len(page.words)))

    @staticmethod
    def get_deskew(input_file: Path, options: OcrOptions) -> float:
        """The degrees counter-clockwise that make the lines level: the median of lines of several words."""
        read = _read(input_file, options)
        angles = [_angle_deg(line) for line in read.lines if len(line.words) > 2]
        leaning = [-angle for angle in angles if abs(angle) < _LONGEST_SKEW_DEG]
        return float(np.median(leaning)) if leaning else 0.0

    @staticmethod
    def supports_generate_ocr() -> bool:
        """Yes: hOCR would lose 1½, which OCRmyPDF makes 11⁄2 when it parses it."""
        return True

    @staticmethod
    def generate_ocr(input_file: Path, options: OcrOptions, page_number: int = 0) -> tuple[OcrElement, str]:
        """The page's words as OCRmyPDF's tree, and its text."""
        read = _read(input_file, options)
        page = replace(read.page, lines=read.lines)
        # Lines outside a paragraph would be left out without a word.
        blocks = [_element(OcrClass.PARAGRAPH, [_line(line) for line in lines]) for lines in paragraphs(page)]
        root = OcrElement(
            ocr_class=OcrClass.PAGE,
            bbox=BoundingBox(0, 0, read.width, read.height),
            children=blocks,
            dpi=read.dpi,
            page_number=page_number,
        )
        return root, f"{page.text}\n"

    @staticmethod
    def generate_hocr(input_file: Path, output_hocr: Path, output_text: Path, options: OcrOptions) -> None:
        """The page as hOCR, and its text."""
        read = _read(input_file, options)
        page = replace(read.page, lines=read.lines, width=read.width, height=read.height)
        output_hocr.write_text(Document((page,), input_file.name, str(OcrkitEngine())).to_hocr(), "utf-8")
        output_text.write_text(f"{page.text}\n", "utf-8")

    @staticmethod
    def generate_pdf(input_file: Path, output_pdf: Path, output_text: Path, options: OcrOptions) -> None:
        """The page as a PDF of invisible text alone, for `--pdf-renderer sandwich`, and its text."""
        import pikepdf

        from ocrkit.formats.cell_font import CellFont
        from ocrkit.formats.text_layer import text_layer

        read = _read(input_file, options)
        scale = np.full(2, 72 / read.dpi)
        width, height = map(float, scale * (read.width, read.height))
        with pikepdf.new() as pdf:
            font = CellFont(pdf)
            page = pdf.add_blank_page(page_size=(width, height))
            page.Contents = pdf.make_stream(text_layer(font, _FONT, read.lines, scale, height))
            page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary({_FONT: font.object}))
            font.finish()
            pdf.save(output_pdf, deterministic_id=True)
        output_text.write_text(f"{read.page.text}\n", "utf-8")


@dataclass(frozen=True, eq=False)
class _Read:
    """A page that was read, and its lines where they are in the picture as it was given.

    Attributes:
        page: as the reader saw it, maybe turned.
        lines: in px of the picture.
        width: of the picture, px.
        height: of the picture, px.
        dpi: px an inch of the picture.
    """

    page: Page
    lines: tuple[Line, ...]
    width: int
    height: int
    dpi: float


def _read(input_file: Path, options: OcrOptions) -> _Read:
    from ocrkit.documents.geometry import moved, turning

    with Image.open(input_file) as picture:
        width, height = picture.size
        dpi = float(picture.info.get("dpi", (72, 72))[0])
    with _told(_Failed), _reading:
        page = _reader(_model(options), os.getpid()).read(input_file).pages[0]
    if page.error:
        _log.warning("%s", page.error)  # the others are still read
    back = turning((page.height, page.width), -page.rotation % 360)
    across, down = (page.height, page.width) if page.rotation in (90, 270) else (page.width, page.height)
    scale = np.array([width / across, height / down])  # of a picture whose pixels were made square
    lines = moved(page.lines, lambda points: (points @ back[:2, :2].T + back[:2, 2]) * scale)
    return _Read(replace(page, image=None, original=None), lines, width, height, dpi)


@lru_cache(maxsize=1)
def _reader(model: str | None, process: int) -> Reader:
    """A process has its own: OCRmyPDF forks, and what another process has loaded does not work in its child."""
    import cv2

    from ocrkit.documents.reader import Reader

    cv2.setNumThreads(1)
    return Reader(model, threads=1)


class _Failed(ExitCodeException):  # type: ignore[misc]
    """Ends OCRmyPDF with a sentence in place of a traceback."""

    exit_code = ExitCode.other_error


@contextmanager
def _told(failure: type[ExitCodeException]) -> Iterator[None]:
    """What ocrkit says, as an exception that OCRmyPDF ends with."""
    try:
        yield
    except OcrkitError as error:
        raise failure(str(error)) from None


def _model(options: OcrOptions | None) -> str | None:
    return getattr(options, "ocrkit_model", None)


def _line(line: Line) -> OcrElement:
    words = [
        OcrElement(OcrClass.WORD, bbox=BoundingBox(*map(float, word.box)), text=word.text, confidence=word.confidence)
        for word in line.words
    ]
    angle = _angle_deg(line)
    turned: dict[str, Any] = {"textangle": angle} if abs(angle) > _LEVEL_DEG else {}
    return _element(OcrClass.LINE, words, **turned)


def _element(kind: str, children: list[OcrElement], **more: Any) -> OcrElement:
    boxes = np.array([[box.left, box.top, box.right, box.bottom] for child in children if (box := child.bbox)])
    around = BoundingBox(*map(float, (*boxes[:, :2].min(0), *boxes[:, 2:].max(0))))
    return OcrElement(kind, bbox=around, children=children, **more)


def _angle_deg(line: Line) -> float:
    """The way the text runs, counter-clockwise from level."""
    if len(line.words) > 1:
        across, down = line.words[-1].quad.mean(0) - line.words[0].quad.mean(0)
    else:
        across, down = line.words[0].quad[1] - line.words[0].quad[0]
    return math.degrees(math.atan2(-down, across))
