"""OCRmyPDF with ocrkit as its engine: real runs, and what the pages of its results say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pypdfium2
import pytest
from PIL import Image

pytest.importorskip("ocrmypdf", reason="OCRmyPDF comes with the extra ocrmypdf")
ROOT = str(Path(__file__).resolve().parents[2])
LINES = (
    "This letter has several lines",
    "so that nobody can doubt which",
    "way up it is to be read, and how",
    "much it leans to a side, if it",
    "does. Total amount 1,234.50",
    "Kind regards from the company",
)


def letter(degrees: float = 0) -> Image.Image:
    """A page of print, turned counter-clockwise."""
    page = np.full((1100, 850), 255, np.uint8)
    for number, line in enumerate(LINES * 3):
        cv2.putText(page, line, (90, 120 + 50 * number), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 0, 2, cv2.LINE_AA)
    return Image.fromarray(page).rotate(degrees, expand=True, fillcolor=255)


@pytest.fixture
def ocr(tmp_path, monkeypatch):
    """Run OCRmyPDF on pages; its exit status, what it said, and the words of each page of the result."""

    def run(pages, *options):
        first, *rest = (page.convert("L") for page in pages)
        first.save(tmp_path / "in.pdf", resolution=100, save_all=True, append_images=rest)
        done = subprocess.run(
            [sys.executable, "-m", "ocrmypdf", "--plugin", "ocrkit.ocrmypdf", "--jobs", "2", "--output-type", "pdf",
             *options, tmp_path / "in.pdf", tmp_path / "out.pdf"],
            capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ROOT})  # fmt: skip
        if done.returncode:
            return done.returncode, done.stderr, []
        with pypdfium2.PdfDocument(tmp_path / "out.pdf") as pdf:
            return 0, done.stderr, [page.get_textpage().get_text_range().split() for page in pdf]

    if subprocess.run(["which", "tesseract"], capture_output=True, check=False).returncode:
        pytest.skip("OCRmyPDF wants Tesseract to be installed, whatever engine it works with")
    return run


WORDS = " ".join(LINES * 3).split()


@pytest.mark.parametrize("renderer", ["fpdf2", "sandwich"])
def test_its_pages_carry_what_ocrkit_reads_turned_upright(renderer, ocr):
    status, said, pages = ocr([letter(), letter(90), letter(180)], "--rotate-pages", "--pdf-renderer", renderer)
    assert status == 0, said
    for words in pages:
        assert len(set(words) & set(WORDS)) > 0.8 * len(set(WORDS))
        first, last = words.index("letter"), len(words) - words[::-1].index("company")
        assert first < 5 < len(words) - 5 < last  # in reading order


def test_what_it_cannot_do_ends_with_a_sentence(ocr):
    for options, sentence in (
        (("-l", "rus"), "does not have language data for the following requested languages: \nrus"),
        (("--ocrkit-model", "none"), "There is no model 'none'"),
    ):
        status, said, _ = ocr([letter()], *options)
        assert status
        assert sentence in said
        assert "Traceback" not in said


@pytest.mark.parametrize("lean", [-3, 0, 2])
def test_the_lean_of_a_page_is_told_in_degrees_counter_clockwise(lean, tmp_path):
    from ocrkit.ocrmypdf import OcrkitEngine

    letter(lean).save(tmp_path / "page.png", dpi=(100, 100))
    assert OcrkitEngine.get_deskew(tmp_path / "page.png", SimpleNamespace()) == pytest.approx(-lean, abs=0.3)


def test_a_tree_of_paragraphs_lines_and_words_keeps_every_character(monkeypatch, tmp_path):
    """Also those that a detour by hOCR would change, and lines in their places on a page that lies on its side."""
    from ocrkit import ocrmypdf
    from ocrkit.recognition import Guess

    class Reads:
        name = "says 1½"

        def recognize(self, crops):
            return [Guess("1½", 0.9, np.zeros((3, 2))) for _ in crops]

    from ocrkit.documents.reader import Reader

    monkeypatch.setattr(ocrmypdf, "_reader", lambda model, process: Reader(recognizer=Reads()))
    letter().save(tmp_path / "page.png", dpi=(100, 100))
    root, text = ocrmypdf.OcrkitEngine.generate_ocr(tmp_path / "page.png", SimpleNamespace(), 4)
    assert {word.text for word in root.words} == {"1½"} == set(text.split())
    assert len(root.lines) == sum(len(paragraph.children) for paragraph in root.paragraphs) == 18
    assert (root.bbox.right, root.bbox.bottom, root.dpi, root.page_number) == (
        850,
        1100,
        pytest.approx(100, abs=0.1),
        4,
    )
    assert min(word.bbox.left for word in root.words) == pytest.approx(90, abs=6)
    ocrmypdf.OcrkitEngine.generate_hocr(
        tmp_path / "page.png", tmp_path / "a.hocr", tmp_path / "a.txt", SimpleNamespace()
    )
    assert "ocr_par" in (tmp_path / "a.hocr").read_text()
