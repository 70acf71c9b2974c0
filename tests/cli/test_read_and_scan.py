"""The command: what it prints and writes, and one sentence with status 2 for everything that can be wrong."""

import io
import json
import logging
import struct
import subprocess
import sys
import zlib
from errno import ENOSPC

import cv2
import numpy as np
import PIL.Image
import pypdfium2
import pytest
from click.testing import CliRunner

import ocrkit
from ocrkit import cli
from ocrkit.cli.verbs import verb
from ocrkit.datasets import book_page
from ocrkit.errors import OcrkitError

PAGE = np.full((160, 300), 255, np.uint8)
cv2.putText(PAGE, "Hello", (20, 60), cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2)
cv2.putText(PAGE, "world", (20, 120), cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2)

pytestmark = pytest.mark.usefixtures("says_ink")


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.png"
    PIL.Image.fromarray(PAGE).save(path)
    return path


def run(*args, **options):
    return CliRunner().invoke(cli.main, [str(arg) for arg in args], **options)


def encoded(image, form, **options) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(image).save(buffer, form, **options)
    return buffer.getvalue()


class FillingDisk(io.RawIOBase):
    """Standard output as PYTHONUNBUFFERED leaves it, to a disk with room for three bytes."""

    room = 3

    def writable(self):
        return True

    def write(self, data):
        if not self.room:
            raise OSError(ENOSPC, "No space left on device")
        taken, self.room = min(self.room, len(data)), max(0, self.room - len(data))
        return taken


def test_a_disk_that_gets_full_under_standard_output_is_said(page, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(FillingDisk(), "utf-8", write_through=True))
    with pytest.raises(SystemExit) as ended:
        cli.main(["read", str(page)])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "ocrkit: Standard output cannot be written: No space left on device.\n"


def test_text_goes_to_standard_output(page):
    result = run("read", page)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "ink\nink\n", "")


def test_standard_input_is_read(page):
    result = run("read", "-", "--format", "json", input=page.read_bytes())
    assert json.loads(result.stdout)["source"] == "stdin"


@pytest.mark.parametrize(
    ("form", "name", "start"),
    [
        ("text", "page.txt", b"ink\nink\n"),
        ("json", "page.json", b'{\n  "source"'),
        ("hocr", "page.hocr", b"<?xml"),
        ("alto", "page.xml", b"<?xml"),
        ("pdf", "page.pdf", b"%PDF"),
    ],
)
def test_each_form_goes_into_a_folder_or_a_file(form, name, start, page, tmp_path):
    assert run("read", page, "--format", form, "-o", f"{tmp_path / 'out'}/").exit_code == 0
    assert (tmp_path / "out" / name).read_bytes().startswith(start)
    named = tmp_path / f"mine{(tmp_path / name).suffix}"
    assert run("read", page, "-o", named).exit_code == 0  # the suffix says the form
    assert named.read_bytes().startswith(start)


def test_several_files_are_read_in_turn(page, tmp_path):
    other = page.rename(tmp_path / "other.png")
    PIL.Image.fromarray(PAGE).save(page)
    result = run("read", page, other)
    assert result.stdout == f"==> {page} <==\nink\nink\n==> {other} <==\nink\nink\n"
    assert run("read", page, other, "-o", tmp_path / "out").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*")) == ["other.txt", "page.txt"]


def test_json_of_several_files_is_one_array_without_those_that_failed(page, tmp_path):
    other = tmp_path / "other.png"
    PIL.Image.fromarray(PAGE).save(other)
    result = run("read", page, tmp_path / "missing.png", other, "--format", "json")
    assert result.exit_code == 2
    assert [read["source"] for read in json.loads(result.stdout)] == [str(page), str(other)]


def png_header(width, height) -> bytes:
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")


NOISE = np.random.default_rng(0).integers(0, 255, (200, 200), np.uint8)
BAD = {
    "empty.png": (b"", "{} is empty."),
    "text.png": (b"This is only text.", "{} is neither an image in a known format nor a PDF."),
    "cut.jpg": (encoded(NOISE, "JPEG")[:6000], "{} is cut off: the file ends before its picture does."),
    "huge.png": (
        png_header(20_000, 20_000),
        "{} has more than 120 million pixels: scale it down or cut it into pages first.",
    ),
    "broken.pdf": (b"%PDF-1.7 and no more", "{} is damaged: no PDF reader could open it."),
    "missing.png": (None, "There is no file {}."),
}


@pytest.mark.parametrize("verb", ["read", "scan"])
@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_gives_one_sentence_and_status_2(verb, name, tmp_path):
    content, sentence = BAD[name]
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    result = run(verb, path, "-o", tmp_path / "out.pdf")
    assert result.exit_code == 2
    assert result.stderr == f"ocrkit: {sentence.format(path)}\n"
    assert result.stdout == ""
    assert not (tmp_path / "out.pdf").exists()


BLANK = np.full((300, 200), 255, np.uint8)
UNUSUAL = {
    "1x1.png": (encoded(PAGE[:1, :1], "PNG"), 0),
    "blank.png": (encoded(BLANK, "PNG"), 0),
    "16bit.png": (encoded(PAGE.astype(np.uint16) * 257, "PNG"), 2),
    "rotated.jpg": (None, 2),
    "cmyk.jpg": (None, 2),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_files_are_read(name, tmp_path):
    content, words = UNUSUAL[name]
    path = tmp_path / name
    if name == "rotated.jpg":
        exif = PIL.Image.Exif()
        exif[0x0112] = 6
        content = encoded(np.ascontiguousarray(np.rot90(PAGE)), "JPEG", exif=exif, quality=95)
    if name == "cmyk.jpg":
        PIL.Image.fromarray(PAGE).convert("RGB").convert("CMYK").save(path, quality=95)
    else:
        path.write_bytes(content)
    result = run("read", path, "--format", "json")
    assert (result.exit_code, result.stderr) == (0, "" if words else f"ocrkit: no text was found in {path}.\n")
    (read,) = json.loads(result.stdout)["pages"]
    assert sum(len(line["words"]) for line in read["lines"]) == words
    if name == "rotated.jpg":
        assert (read["rotation"], read["width"], read["height"]) == (90, 300, 160)


def test_a_bad_file_among_several_leaves_the_others(page, tmp_path):
    missing = tmp_path / "missing.png"
    result = run("read", missing, page, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert result.stderr == f"ocrkit: There is no file {missing}.\n"
    assert (tmp_path / "out" / "page.txt").read_text() == "ink\nink\n"


@pytest.mark.parametrize("form", ["text", "pdf"])
def test_a_bad_page_among_several_leaves_the_others(form, tmp_path):
    blank = np.full((40, 40), 20, np.uint8)
    frames = [PIL.Image.fromarray(frame) for frame in (PAGE, blank, PAGE)]
    path, out = tmp_path / "pages.tif", tmp_path / "out"
    frames[0].save(path, save_all=True, append_images=frames[1:], compression="tiff_deflate")
    strip = zlib.compress(blank.tobytes())
    path.write_bytes(path.read_bytes().replace(strip, b"\0" * len(strip)))
    result = run("read", path, "--format", form, "-o", out)
    assert result.exit_code == 2
    assert result.stderr == f"ocrkit: Page 2 of {path} is damaged and cannot be decoded.\n"
    if form == "text":
        assert out.read_text() == "ink\nink\n\f\n\fink\nink\n"
    else:
        with pypdfium2.PdfDocument(out) as pdf:
            assert [page.get_textpage().get_text_range().split() for page in pdf] == [["ink"] * 2, [], ["ink"] * 2]


def test_no_permission_to_write_is_one_sentence(page, tmp_path):
    """A file where a folder should be: unlike a closed folder it stops root, too."""
    out = page / "out.pdf"
    result = run("read", page, "-o", out)
    assert result.exit_code == 2
    assert result.stderr == f"ocrkit: {out} cannot be written: Not a directory.\n"
    result = run("read", page, page.with_name("b.png"), "-o", page)
    assert result.exit_code == 2
    assert result.stderr == f"ocrkit: The folder {page} cannot be made: File exists.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["page.png"]


def test_a_place_that_cannot_be_written_is_said_before_anything_is_read(page, tmp_path, monkeypatch):
    monkeypatch.setattr("ocrkit.documents.reader.Reader", lambda *_, **__: pytest.fail("the model was loaded"))
    out = tmp_path / "missing" / "out.json"
    result = run("read", page, "-o", out)
    assert result.exit_code == 2
    assert result.stderr == f"ocrkit: {out} cannot be written: there is no folder {out.parent}.\n"


def test_wrong_use_is_explained(page, tmp_path):
    for args, sentence in (
        (("read", page, "--format", "pdf"), "A PDF needs a place: add -o OUT."),
        (("read", page, page.with_name("b.png"), "-o", "all.pdf"), "all.pdf is one file and cannot hold 2 results"),
        (("read", page, "-o", "page.docx"), "page.docx names no format: end it in one of .txt, .json, .hocr, .xml"),
        (("read", page, page.with_name("b.png"), "--format", "alto"), "Several results need a place: add -o OUT."),
        (("read", page, "--threads", 0), "0 is not in the range x>=1"),
        (("read",), "Missing argument 'FILE...'"),
        (("reed", page), "No such command 'reed'"),
    ):
        result = run(*args)
        assert result.exit_code == 2
        assert sentence in result.stderr


def test_model_runtime_and_threads_reach_the_recogniser(page, monkeypatch, says_ink):
    asked = []
    monkeypatch.setattr("ocrkit.recognition.load_recognizer", lambda *args: asked.append(args) or says_ink)
    run("read", page, "--model", "mine", "--runtime", "openvino", "--threads", 2)
    assert asked == [("mine", "openvino", 2)]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".pdf"])
def test_scan_writes_the_page(suffix, page, tmp_path):
    out = tmp_path / f"scanned{suffix}"
    result = run("scan", page, "-o", out)
    assert (result.exit_code, result.stdout) == (
        0,
        "No page edges were found: the whole image was kept, in even light.\n",
    )
    assert out.stat().st_size > 500


def test_scan_says_that_bent_lines_were_straightened(tmp_path):
    book = tmp_path / "book.png"  # a photo of an open book, whose lines sag
    cv2.imwrite(str(book), book_page().image())
    result = run("scan", book, "-o", tmp_path / "page.png")
    assert "Its lines were bent, and are straightened.\n" in result.stdout


def test_version_and_help():
    assert run("--version").stdout == f"ocrkit, version {ocrkit.__version__}\n"
    for args in ((), ("read",), ("scan",)):
        assert run(*args, "--help").exit_code == 0
    assert "read" in run("--help").stdout


def test_a_registered_verb_is_imported_when_called_and_its_errors_are_sentences(monkeypatch):
    @verb()
    def fail():
        """Always fails."""
        raise OcrkitError("Nothing to be done.")

    module = type(sys)("ocrkit.cli.fail")
    module.fail = fail
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(cli.VERBS, "fail", "Fail always.")
    assert "Fail always." in run("--help").stdout
    result = run("fail")
    assert (result.exit_code, result.stderr) == (2, "ocrkit: Nothing to be done.\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "careful"),
        (("-q",), ""),
        (("-v",), "by the way, careful"),
        (("-v", "-q"), ""),
        (("-q", "-v"), "by the way, careful"),
    ],
)
def test_a_verb_says_as_much_as_it_was_asked_to(monkeypatch, options, said):
    @verb()
    def tell():
        """Tells."""
        logging.getLogger("ocrkit.test").info("by the way")
        logging.getLogger("ocrkit.test").warning("careful")

    module = type(sys)("ocrkit.cli.tell")
    module.tell = tell
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(cli.VERBS, "tell", "Tell.")
    assert ", ".join(line.removeprefix("ocrkit: ") for line in run("tell", *options).stderr.splitlines()) == said


def test_the_command_starts_light():
    heavy = {"numpy", "cv2", "PIL", "onnxruntime", "tensorflow", "keras", "scipy", "pydantic", "reportlab"}
    program = (
        "import sys; from ocrkit.cli import main; main(['--help'], standalone_mode=False)\n"
        f"print(sorted({heavy!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", cli.VERBS)
def test_registered_verbs_exist(name):
    assert run(name, "--help").exit_code == 0


def test_the_module_runs_as_the_command_does():
    done = subprocess.run([sys.executable, "-m", "ocrkit", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("ocrkit")
