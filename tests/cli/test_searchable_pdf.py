"""`ocrkit read IN -o OUT.pdf`: what is asked for by options, and what is said."""

import cv2
import numpy as np
import pikepdf
import pypdfium2
import pytest
from click.testing import CliRunner
from reportlab.pdfgen.canvas import Canvas

from ocrkit.cli import main

pytestmark = pytest.mark.usefixtures("says_ink")


def run(*args):
    return CliRunner().invoke(main, [str(arg) for arg in args])


@pytest.fixture
def book(tmp_path):
    """Two pages of text, and two scans."""
    scan = np.full((400, 300), 255, np.uint8)
    cv2.putText(scan, "ink", (60, 120), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 0, 3)
    cv2.imwrite(str(tmp_path / "scan.png"), scan)
    canvas = Canvas(str(tmp_path / "book.pdf"), pagesize=(300, 400))
    for i in range(4):
        if i < 2:
            canvas.drawString(40, 300, f"Letters of page {i + 1}")
        else:
            canvas.drawImage(str(tmp_path / "scan.png"), 0, 0)
        canvas.showPage()
    canvas.save()
    (tmp_path / "scan.png").unlink()
    return tmp_path / "book.pdf"


def texts(path) -> list[str]:
    with pypdfium2.PdfDocument(path) as pdf:
        return [page.get_textpage().get_text_range().strip() for page in pdf]


def test_scans_gain_text_and_pages_of_text_are_left_alone_and_said_to_be(book, tmp_path):
    result = run("read", book, "-o", tmp_path / "out.pdf", "--sidecar")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"ocrkit: {book}: pages 1-2 left alone (text already there).\n"
    assert texts(tmp_path / "out.pdf") == ["Letters of page 1", "Letters of page 2", "ink", "ink"]
    assert (tmp_path / "out.txt").read_text() == "Letters of page 1\n\fLetters of page 2\n\fink\n\fink\n"


def test_pages_may_be_chosen_for_every_form(book, tmp_path):
    assert run("read", book, "--pages", "3-4").stdout == "ink\n\fink\n"
    result = run("read", book, "-o", tmp_path / "out.pdf", "--pages", "1, 4")
    assert result.stderr == f"ocrkit: {book}: page 1 left alone (text already there).\n"
    assert texts(tmp_path / "out.pdf")[2:] == ["", "ink"]
    page = run("read", book, "--pages", "3", "--format", "page-xml")
    assert "<Unicode>ink</Unicode>" in page.stdout


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("--pages", "3-1", "-o", "a.pdf"), "3-1 does not name pages as 1-3,7 does."),
        (("--pages", "0", "-o", "a.pdf"), "0 does not name pages as 1-3,7 does."),
        (("--pages", "two"), "two does not name pages as 1-3,7 does."),
        (("--pages", "5"), "book.pdf has 4 pages, and no page 5."),
        (("--sidecar",), "--sidecar, --redo, --force-ocr and --pdfa are for searchable PDFs: add -o OUT.pdf."),
        (("--redo", "--force-ocr", "-o", "a.pdf"), "--force-ocr replaces invisible text, too: leave --redo out."),
        (("--format", "page-xml"), "PAGE XML holds one page, and there are 4: say which."),
    ],
)
def test_wrong_use_is_explained(args, sentence, book, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("read", "book.pdf", *args)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["book.pdf"]


def test_a_second_run_copies_and_redo_reads_again(book, tmp_path):
    once, twice = tmp_path / "once.pdf", tmp_path / "twice.pdf"
    run("read", book, "-o", once)
    result = run("read", once, "-o", twice)
    assert "pages 3-4 left alone (invisible text already there; --redo replaces it)" in result.stderr
    assert f"ocrkit: {twice} is a copy: nothing was to be added.\n" in result.stderr
    assert twice.read_bytes() == once.read_bytes()
    assert "--force" in run("read", once, "-o", twice, "--redo").stderr
    run("read", once, "-o", twice, "--redo", "--force")
    assert texts(twice) == texts(once)


def test_existing_files_and_the_input_are_refused(book, tmp_path):
    before = book.read_bytes()
    (tmp_path / "link.pdf").symlink_to(book)
    for target in (book, tmp_path / "link.pdf"):
        result = run("read", book, "-o", target, "--force")
        assert (result.exit_code, "is what is to be read" in result.stderr) == (2, True)
    (tmp_path / "out.txt").write_text("mine")
    result = run("read", book, "-o", tmp_path / "out.pdf", "--sidecar")
    assert (result.exit_code, "out.txt is there already" in result.stderr) == (2, True)
    (tmp_path / "loop.pdf").symlink_to("loop.pdf")
    result = run("read", book, "-o", tmp_path / "loop.pdf")
    assert (result.exit_code, "loop.pdf is there already" in result.stderr) == (2, True)
    assert (
        "loop.pdf cannot be opened: it is a symbolic link that leads back to itself."
        in run("read", tmp_path / "loop.pdf", "-o", tmp_path / "out.pdf").stderr
    )
    assert book.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book.pdf", "link.pdf", "loop.pdf", "out.txt"]


def test_a_name_of_255_bytes_is_read_and_written(book, tmp_path):
    long = tmp_path / f"{'é' * 125}x.pdf"
    book.rename(long)
    target = tmp_path / f"{'ü' * 125}y.pdf"
    assert run("read", long, "-o", target).exit_code == 0
    assert len(texts(target)) == 4


def test_standard_input_and_output_will_do(book, tmp_path):
    result = CliRunner().invoke(main, ["read", "-", "-o", str(tmp_path / "out.pdf")], input=book.read_bytes())
    assert result.exit_code == 0
    with pikepdf.open(tmp_path / "out.pdf") as pdf:
        assert len(pdf.pages) == 4


def test_a_sentence_says_why_a_pdf_is_refused(book, tmp_path):
    with pikepdf.open(book) as pdf:
        pdf.save(tmp_path / "locked.pdf", encryption=pikepdf.Encryption(owner="a", user="b"))
    result = run("read", tmp_path / "locked.pdf", "-o", tmp_path / "out.pdf")
    assert (result.exit_code, result.stderr) == (2, f"ocrkit: {tmp_path / 'locked.pdf'} is locked with a password.\n")
    assert not (tmp_path / "out.pdf").exists()
