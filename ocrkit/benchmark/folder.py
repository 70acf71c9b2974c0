"""A folder of documents made searchable, by ocrkit and by OCRmyPDF with Tesseract: size, words, time and memory.

The documents are made from labelled pages: scans (in turn as grey JPEG in a PDF and as 1-bit TIFF), photos by a
simulated camera, PDFs that were never on paper, and PDFs of a page of text with a scan behind it.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pypdfium2

from ocrkit.benchmark.photos import papers
from ocrkit.datasets import LabelledPage
from ocrkit.errors import BadDataset, MissingExtra, OcrkitError
from ocrkit.metrics import PrecisionRecall, bag_of_words
from ocrkit.synth.camera import CameraOptions, photograph
from ocrkit.workers import ONE_THREAD

KINDS = {"scan": 20, "photo": 10, "born-digital": 5, "mixed": 5}
_JPEG_QUALITY = 80
_PAPER_INCHES = 8.27  # width of A4
_SHEET_PT = (595.0, 842.0)
_LINE_PT, _LEFT_PT, _LETTERS = 14.0, 50.0, 80  # of the pages that were never on paper
_LOOK_S = 0.1  # between looks at the memory
# Nothing but what both do: pages with text are left alone, pictures as they are.
_OCRMYPDF = ("--quiet", "--jobs", "1", "--skip-text", "--output-type", "pdf", "--optimize", "0", "--image-dpi", "200")


@dataclass(frozen=True)
class Made:
    """A document of the folder.

    Attributes:
        path: where it lies.
        kind: one of `KINDS`.
        words: that stand on it.
    """

    path: Path
    kind: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """An engine's turn: seconds by the clock and of processor time, and the most memory of all its processes, MB."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


def make_folder_of(pages: Sequence[LabelledPage], folder: Path, share: float = 1.0, seed: int = 0) -> list[Made]:
    """Write documents of each of `KINDS`, made from `pages` in turn; the same for the same seed.

    Args:
        pages: with their words.
        folder: is made.
        share: of the numbers of `KINDS`, at least one of each.
        seed: of the camera.

    Raises:
        BadDataset: there are no pages, or none that can be photographed.
    """
    if not pages:
        raise BadDataset("There is no labelled page to make documents of.")
    folder.mkdir(parents=True, exist_ok=True)
    turn = iter(range(10**9))
    sheets = papers(pages)
    made = []
    for kind, count in KINDS.items():
        for number in range(max(1, round(share * count))):
            page = pages[next(turn) % len(pages)]
            stem = folder / f"{kind}-{number:02d}"
            if kind == "scan":
                path = _scanned_pdf(page, stem) if number % 2 == 0 else _fax(page, stem)
                words = page.texts
            elif kind == "photo":
                sheet = sheets[number % len(sheets)]
                photo = photograph(sheet, Random(f"{seed}/{number}"), CameraOptions(zoom=2.0))
                path = stem.with_suffix(".jpg")
                path.write_bytes(_jpeg(photo.image))
                words = sheet.texts
            else:
                texts = page.texts
                path = stem.with_suffix(".pdf")
                scan = pages[next(turn) % len(pages)] if kind == "mixed" else None
                _born_digital(texts, scan, path)
                words = [*texts, *(scan.texts if scan else ())]
            made.append(Made(path, kind, tuple(word for text in words for word in text.split())))
    return made


def commands(jobs: int, model: str | None) -> dict[str, Callable[[Path, Path], tuple[list[str], bytes]]]:
    """Engine -> what gives, for a folder and a place, a command line and its standard input.

    OCRmyPDF takes one file at a time; of files of a page or two, as many of it as jobs are quicker than its own jobs.

    Raises:
        MissingExtra: OCRmyPDF or Tesseract is not installed.
    """
    program = shutil.which("ocrmypdf", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if program is None:
        raise MissingExtra("The comparison needs OCRmyPDF: pip install 'ocrkit[ocrmypdf]'.")
    if shutil.which("tesseract") is None:
        raise MissingExtra("The comparison needs Tesseract: install tesseract-ocr from your system's packages.")

    def ours(folder: Path, out: Path) -> tuple[list[str], bytes]:
        chosen = ["--model", model] if model else []
        command = [sys.executable, "-m", "ocrkit", "read", str(folder), "-o", f"{out}/", "--jobs", str(jobs), *chosen]
        return [*command, "--quiet"], b""

    def theirs(folder: Path, out: Path) -> tuple[list[str], bytes]:
        out.mkdir()
        pairs = [(path, out / f"{path.stem}.pdf") for path in sorted(folder.iterdir())]
        given = b"".join(os.fsencode(path) + b"\0" for pair in pairs for path in pair)
        return ["xargs", "-0", "-n", "2", "-P", str(jobs), program, *_OCRMYPDF], given

    return {"ocrkit": ours, "OCRmyPDF + Tesseract": theirs}


def timed(command: Sequence[str], given: bytes) -> Run:
    """Run a command, and look at its processes all the while.

    What processes share of memory counts once (proportional set size). Their processor time is as it was when they were
    last seen: that of processes of less than a tenth of a second is missed.
    """
    environment = {**os.environ, **ONE_THREAD, "OMP_THREAD_LIMIT": "1"}
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    peaks, spent, ended = [0.0], dict[int, float](), threading.Event()

    def look() -> None:
        while not ended.wait(_LOOK_S):
            seen = list(_tree(process.pid))
            spent.update((pid, seconds) for pid in seen if (seconds := _cpu_seconds(pid)) is not None)
            peaks.append(sum(map(_memory_mb, seen)))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        process.communicate(given)
    finally:
        seconds = time.perf_counter() - begun
        ended.set()
        looking.join()
    return Run(seconds, sum(spent.values()), max(peaks))


def side_by_side(
    documents: Sequence[Made], scratch: Path, jobs: int, repeats: int, model: str | None, done: Callable[[], object]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Let the engines do the folder by turns, so that a busy moment slows all alike.

    Args:
        documents: in one folder.
        scratch: an empty folder.
        jobs: of each engine.
        repeats: turns of each.
        model: as `ocrkit.Reader`.
        done: called after each turn.

    Returns:
        A row for each engine: the median, fastest and slowest turn in seconds, the medians of processor time and of the
        most memory, and these as shares of the other's. And a row for each engine and kind of document: how many
        results there are, the median of their size over their document's, and precision and recall of words, ignoring
        case and places.

    Raises:
        OcrkitError: an engine made nothing.
    """
    engines = commands(jobs, model)
    runs: dict[str, list[Run]] = {name: [] for name in engines}
    for turn in range(repeats):
        for name, command in engines.items():
            out = scratch / f"{name.partition(' ')[0]}-{turn}"
            runs[name].append(timed(*command(documents[0].path.parent, out)))
            done()
    rows: list[dict[str, Any]] = []
    kinds: list[dict[str, Any]] = []
    for name, turns in runs.items():
        seconds = [run.seconds for run in turns]
        row = {"engine": name, "seconds": float(np.median(seconds)), "fastest": min(seconds), "slowest": max(seconds)}
        row["cpu_seconds"] = float(np.median([run.cpu_seconds for run in turns]))
        rows.append(row | {"peak_mb": float(np.median([run.peak_mb for run in turns]))})
        kinds += _kinds(name, documents, scratch / f"{name.partition(' ')[0]}-{repeats - 1}")
    for row in rows:
        row |= {f"{what}_of_last": row[what] / rows[-1][what] for what in ("seconds", "cpu_seconds", "peak_mb")}
    return rows, kinds


def _kinds(name: str, documents: Sequence[Made], out: Path) -> Iterator[dict[str, Any]]:
    for kind in KINDS:
        mine = [document for document in documents if document.kind == kind]
        results = [(document, out / f"{document.path.stem}.pdf") for document in mine]
        made = [(document, path) for document, path in results if path.is_file()]
        if not made:
            raise OcrkitError(f"{name} made nothing of the {kind} documents.")
        ratios = [path.stat().st_size / document.path.stat().st_size for document, path in made]
        counts = sum((_words(document, path) for document, path in results), PrecisionRecall())
        row = {
            "engine": name,
            "kind": kind,
            "made": f"{len(made)} of {len(mine)}",
            "size_ratio": float(np.median(ratios)),
        }
        yield row | {"largest_ratio": max(ratios), "precision": counts.precision, "recall": counts.recall}


def _words(document: Made, path: Path) -> PrecisionRecall:
    """As PDFium, and so Chrome, finds them."""
    found: list[str] = []
    if path.is_file():
        with pypdfium2.PdfDocument(path) as pdf:
            for page in pdf:
                found += page.get_textpage().get_text_range().split()
    return bag_of_words(document.words, found, caseless=True)


# Documents


def _jpeg(image: np.ndarray) -> bytes:
    stored = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", stored, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()


def _grey(page: LabelledPage) -> np.ndarray:
    image = page.image()
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def _scanned_pdf(page: LabelledPage, stem: Path) -> Path:
    import pikepdf

    path = stem.with_suffix(".pdf")
    with pikepdf.new() as pdf:
        _add_scan(pdf, page)
        pdf.save(path, deterministic_id=True)
    return path


def _add_scan(pdf: Any, page: LabelledPage) -> None:
    import pikepdf

    grey = _grey(page)
    height, width = grey.shape
    size = (_SHEET_PT[0], _SHEET_PT[0] * height / width)
    sheet = pdf.add_blank_page(page_size=size)
    picture = pikepdf.Stream(pdf, _jpeg(grey), Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=width)
    picture.Height, picture.ColorSpace, picture.BitsPerComponent = height, pikepdf.Name.DeviceGray, 8
    picture.Filter = pikepdf.Name.DCTDecode
    sheet.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(I=picture))
    sheet.Contents = pdf.make_stream(f"q {size[0]:.2f} 0 0 {size[1]:.2f} 0 0 cm /I Do Q".encode())


def _fax(page: LabelledPage, stem: Path) -> Path:
    path = stem.with_suffix(".tif")
    grey = _grey(page)
    _, black = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    dpi = round(grey.shape[1] / _PAPER_INCHES)
    PIL.Image.fromarray(black).convert("1").save(path, compression="group4", dpi=(dpi, dpi))
    return path


def _born_digital(texts: Sequence[str], scan: LabelledPage | None, path: Path) -> None:
    """A page of text in Helvetica, and behind it a scan, if there is one."""
    import pikepdf

    lines, row = [], ""
    for text in texts:
        if row and len(row) + len(text) > _LETTERS:
            lines.append(row)
            row = ""
        row = f"{row} {text}".strip()
    shown = io.BytesIO()
    shown.write(f"BT /F 10 Tf {_LINE_PT} TL {_LEFT_PT} {_SHEET_PT[1] - _LEFT_PT} Td\n".encode())
    for line in [*lines, row]:
        plain = line.encode("cp1252", "replace")
        for special in (b"\\", b"(", b")"):
            plain = plain.replace(special, b"\\" + special)
        shown.write(b"(" + plain + b") Tj T*\n")
    shown.write(b"ET")
    with pikepdf.new() as pdf:
        sheet = pdf.add_blank_page(page_size=_SHEET_PT)
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.Type1,
            BaseFont=pikepdf.Name.Helvetica,
            Encoding=pikepdf.Name.WinAnsiEncoding,
        )
        sheet.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F=font))
        sheet.Contents = pdf.make_stream(shown.getvalue())
        if scan is not None:
            _add_scan(pdf, scan)
        pdf.save(path, deterministic_id=True)


# Processes


def _cpu_seconds(pid: int) -> float | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _tree(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                for child in (task / "children").read_text().split():
                    yield from _tree(int(child))


def _memory_mb(pid: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0
