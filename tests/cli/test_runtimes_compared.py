"""`ocrkit compare`, on a page that is read in a moment."""

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from ocrkit import __version__
from ocrkit.cli import main


@pytest.fixture
def pages(tmp_path):
    image = np.full((120, 420), 255, np.uint8)
    cv2.putText(image, "Total 12", (20, 70), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 0, 3)
    cv2.imwrite(str(tmp_path / "a.jpg"), image)
    (tmp_path / "a.txt").write_text("10,20,300,20,300,90,10,90,TOTAL 12\n")
    return tmp_path


def compare(pages, *options):
    return CliRunner().invoke(main, ["compare", str(pages), "--form", "sroie", "--engines", "ours", *options])


def test_several_runtimes_are_compared_with_the_first(pages):
    pytest.importorskip("openvino")
    told = compare(pages, "--runtime", "onnxruntime", "--runtime", "openvino").output
    assert "ours, openvino against ours, onnxruntime on 1 page" in told


def test_a_runtime_that_does_not_exist_is_said_with_those_that_do(pages):
    done = compare(pages, "--runtime", "abacus")
    assert done.exit_code == 2
    assert done.output.startswith("ocrkit: There is no runtime 'abacus'; choose one of onnxruntime, openvino")


def test_what_would_be_in_vain_is_said_before_the_pages_are_read(pages, monkeypatch):
    monkeypatch.setattr("ocrkit.cli.compare.load_pages", lambda *_: pytest.fail("the pages were looked at"))
    board = pages / "missing" / "board.html"
    done = compare(pages, "-o", str(board))
    assert done.exit_code == 2
    assert f"{board} cannot be written: there is no folder {board.parent}." in done.output
    done = compare(pages, "--engines", "tesseract", "--runtime", "openvino")
    assert done.exit_code == 2
    assert "--model and --runtime are those of `ours`, which --engines leaves out." in done.output


def test_one_runtime_is_called_ours_and_said_with_the_version(pages):
    pytest.importorskip("openvino")
    assert f"ours: {__version__}, ocrkit fast-print on openvino" in compare(pages, "--runtime", "openvino").output
