import json
import os
import sys

import cv2
import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner

from ocrkit.cli.compare import compare
from ocrkit.cli.data import data
from ocrkit.documents.reader import Reader
from ocrkit.engines import EngineFailed, load_engine, missing_engines
from ocrkit.engines.tesseract import TesseractEngine
from ocrkit.errors import BadParams, MissingExtra
from ocrkit.recognition.model import find_model, identity


def print_words(*words, ground=255, ink=0):
    """A page with one line of words, 60 px apart, and their boxes."""
    page = np.full((120, 700, 3), ground, np.uint8)
    x, boxes = 40, []
    for word in words:
        (width, height), _ = cv2.getTextSize(word, cv2.FONT_HERSHEY_SIMPLEX, 1.2, 2)
        cv2.putText(page, word, (x, 70), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (ink,) * 3, 2, cv2.LINE_AA)
        boxes.append((x, 70 - height, x + width, 70))
        x += width + 60
    return page, np.array(boxes, float)


@pytest.fixture(params=["tesseract", "rapidocr"])
def engine(request):
    if reason := missing_engines().get(request.param):
        pytest.skip(reason)
    return load_engine(request.param)


def test_competitors_read_a_printed_line_where_it_stands(engine):
    image, boxes = print_words("INVOICE", "NUMBER", "2468")
    page = engine.read(image)
    assert [word.text for word in page.words] == ["INVOICE", "NUMBER", "2468"]
    assert (page.width, page.height) == (700, 120)
    found = np.array([word.box for word in page.words])
    assert np.abs(found - boxes).max() < 30
    assert all(0 <= word.confidence <= 1 for word in page.words)
    assert engine.version


def test_competitors_read_crops_in_order(engine):
    crops = []
    for word in ("INVOICE", "2468"):
        image, ((x0, y0, x1, y1),) = print_words(word)
        crops.append(image[int(y0) - 6 : int(y1) + 6, int(x0) - 6 : int(x1) + 6, 0])
    crops.insert(1, np.full((30, 80), 255, np.uint8))  # which Tesseract may take for anything
    first, _, last = engine.recognize(crops)
    assert (first, last) == ("INVOICE", "2468")
    assert engine.recognize([]) == []


def test_competitors_find_nothing_on_a_blank_page(engine):
    assert engine.read(np.full((200, 300), 255, np.uint8)).words == []


def program(tmp_path, monkeypatch, body):
    """Put a program called tesseract first in the PATH that does `body`."""
    script = tmp_path / "tesseract"
    script.write_text(
        f"#!{sys.executable}\nimport sys, time\nif '--version' in sys.argv:\n    print('tesseract 9.9')\n"
    )
    with script.open("a") as file:
        file.write(f"else:\n    {body}\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("sys.exit('Error opening data file eng.traineddata')", "Error opening data file"),  # says why it fails
        ("sys.exit(3)", "failed: status 3"),  # does not
    ],
)
def test_a_tesseract_that_fails_is_a_failure_in_one_sentence(tmp_path, monkeypatch, body, message):
    program(tmp_path, monkeypatch, body)
    engine = TesseractEngine(in_process=False)
    assert engine.version == "9.9, a process a page"
    with pytest.raises(EngineFailed, match=message):
        engine.read(np.zeros((10, 10), np.uint8))


def test_tesseract_in_process_reads_as_its_program_does():
    pytest.importorskip("tesserocr")
    if missing_engines().get("tesseract"):
        pytest.skip("no tesseract")
    library, command = (TesseractEngine(in_process=here) for here in (True, False))
    image, _ = print_words("INVOICE", "2468")
    words = [
        [(word.text, word.box.round().tolist()) for word in engine.read(image).words] for engine in (library, command)
    ]
    assert words[0] == words[1]
    assert library.recognize([image, image]) == command.recognize([image, image])
    assert "in process" in library.version
    with pytest.raises(EngineFailed, match="Tesseract failed"):
        TesseractEngine(language="xyz", in_process=True)


def test_tesseract_output_becomes_paragraphs_lines_and_words(tmp_path, monkeypatch):
    header = "level page_num block_num par_num line_num word_num left top width height conf text"
    rows = [
        "1 1 0 0 0 0 0 0 90 90 -1 ",
        '5 1 1 1 1 1 10 10 20 8 91.5 "quoted',  # a quotation mark is a character like any other
        "5 1 1 1 1 2 40 10 20 8 60 word",
        "5 1 1 1 2 1 10 30 20 8 50 next",
        "5 1 2 1 1 1 10 60 20 8 95  ",  # a blank it saw in a line of the page
        "5 1 3 1 1 1 10 80 20 8 95 far",
    ]
    table = "\n".join(row.replace(" ", "\t", 11) for row in [header, *rows])
    program(tmp_path, monkeypatch, f"print({table!r})")
    page = TesseractEngine(in_process=False).read(np.zeros((90, 90), np.uint8))
    assert page.text == '"quoted word\nnext\n\nfar'
    assert page.words[0].confidence == pytest.approx(0.915)
    assert page.words[0].box.tolist() == [10, 10, 30, 18]


def test_engines_that_are_not_there_are_named_with_a_way_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    for engine in ("rapidocr", "tesseract"):
        monkeypatch.setattr(f"ocrkit.engines.{engine}.find_spec", lambda name: None)
    assert set(missing_engines(["ours", "tesseract", "rapidocr"])) == {"tesseract", "rapidocr"}
    with pytest.raises(MissingExtra, match="apt-get install tesseract-ocr"):
        load_engine("tesseract")
    with pytest.raises(MissingExtra, match=r"ocrkit\[peers\]"):
        load_engine("rapidocr")


def test_rapidocr_fetches_no_model(tmp_path, monkeypatch):
    rapidocr = pytest.importorskip("rapidocr")

    def fetched(*args):
        raise AssertionError("it asked for a model")

    monkeypatch.setattr("rapidocr.utils.download_file.DownloadFile.run", fetched)
    assert load_engine("rapidocr").recognize([print_words("2468")[0]]) == ["2468"]
    monkeypatch.setattr(rapidocr, "__file__", str(tmp_path / "__init__.py"))
    with pytest.raises(MissingExtra, match=r"has 0 files \*_det_\*.onnx .* pip install"):
        load_engine("rapidocr")


def test_an_unknown_engine_is_refused():
    with pytest.raises(BadParams, match="'abbyy'; choose among ours, tesseract, rapidocr, textract"):
        load_engine("abbyy")


@pytest.fixture
def labelled_folder(tmp_path):
    image, boxes = print_words("INVOICE", "NUMBER", "2468")
    PIL.Image.fromarray(image).save(tmp_path / "one.png")
    words = [
        {"text": text, "quad": [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]}
        for text, (x0, y0, x1, y1) in zip(("INVOICE", "NUMBER", "2468"), boxes.tolist())
    ]
    (tmp_path / "one.json").write_text(json.dumps({"words": words}))
    return tmp_path


def test_the_compare_command_prints_narrow_tables_and_leaves_out_what_is_missing(labelled_folder, monkeypatch):
    if reason := missing_engines(["tesseract"]).get("tesseract"):
        pytest.skip(reason)
    monkeypatch.setattr("ocrkit.engines.rapidocr.find_spec", lambda name: None)
    board, figures = labelled_folder / "board.html", labelled_folder / "board.json"
    arguments = ["--form", "phone", "--engines", "tesseract,rapidocr,ours", "-o", str(board), "-o", str(figures)]
    models = ["--model", "fast-print", "--model", "fast-synthetic"]
    result = CliRunner().invoke(compare, [str(labelled_folder), *arguments, *models])
    assert result.exit_code == 0, result.output
    assert "rapidocr is left out. The package rapidocr is not installed" in result.stderr
    assert "1.000" in next(line for line in result.stdout.splitlines() if line.startswith("tesseract"))
    assert max(map(len, result.stdout.splitlines()[:-3])) <= 100
    assert "fast-synthetic against fast-print on 1 page: F1 +0.000, too few pages; " in result.stdout
    assert "real, all: 1 page, 3 words, no intervals" in result.stdout
    assert "the ratio of pairs" in result.stdout
    assert board.read_text().count("<table") == 3
    tables = json.loads(figures.read_text())
    costs = {row["engine"]: row for row in tables["costs"]}
    assert set(costs["fast-print"]["steps"]) == {"detection", "recognition", "rest"}
    assert sum(costs["fast-print"]["steps"].values()) <= costs["fast-print"]["seconds_per_page"]
    assert costs["tesseract"]["peak_mb"] > 20
    # By which the gate of `ocrkit promote` knows a model.
    models = {row["engine"]: row["model"] for row in tables["engines"]}
    assert models == {"tesseract": "", **{name: identity(find_model(name)) for name in models if name != "tesseract"}}
    assert len(set(models.values())) == 3


def test_the_compare_command_refuses_a_place_of_another_form(labelled_folder):
    result = CliRunner().invoke(compare, [str(labelled_folder), "--form", "phone", "-o", "board.txt"])
    assert (result.exit_code, "board.txt" in result.output) == (2, True)


def test_the_data_commands_describe_and_judge_a_folder(labelled_folder):
    stats = CliRunner().invoke(data, ["stats", str(labelled_folder), "--form", "phone"])
    assert "labelled words  3" in stats.output
    clean = CliRunner().invoke(data, ["validate", str(labelled_folder), "--form", "phone"])
    assert (clean.exit_code, clean.output) == (0, "1 page, 0 errors, 0 notes.\n")
    (labelled_folder / "one.png").write_bytes(b"no image")
    broken = CliRunner().invoke(data, ["validate", str(labelled_folder), "--form", "phone"])
    assert broken.exit_code == 1
    assert "error: one: " in broken.output


def test_our_own_engine_reads_like_the_reader_and_tells_its_steps():
    image, _ = print_words("INVOICE", "NUMBER", "2468")
    engine = load_engine("ours", model="fast-print")
    page = engine.read(image)
    assert page.text == Reader("fast-print", threads=1).read(image).text
    assert list(engine.steps) == ["detection", "recognition", "rest"]
    assert all(seconds > 0 for seconds in engine.steps.values())
    first = dict(engine.steps)
    engine.read(image[:, :300])
    assert engine.steps != first  # of the last page alone
    assert engine.version.endswith(", ocrkit fast-print on onnxruntime")
