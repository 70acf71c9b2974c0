"""`mlflow models serve` on a registered version: pictures go in over HTTP, words come out."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from ports import free_port

from ocrkit import Reader
from ocrkit.experiment import flow, kept, paths, setup
from ocrkit.images import load_image
from ocrkit.recognition import load_recognizer
from ocrkit.studies.registry import Registry
from ocrkit.studies.served import RECOGNIZER

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
REPO = Path(__file__).resolve().parents[2]
RECEIPT = ["CORNER CAFE", "Date 22/11/2026", "Espresso 2.40", "Cheese cake 5.60", "TOTAL 8.00", "Thank you"]


def png(lines: list[str]) -> bytes:
    """Lines of text, printed black on white."""
    font = ImageFont.load_default(30)
    picture = Image.new("L", (420, 60 * len(lines) + 40), 255)
    for number, line in enumerate(lines):
        ImageDraw.Draw(picture).text((40, 20 + 60 * number), line, fill=20, font=font)
    file = io.BytesIO()
    picture.save(file, "png")
    return file.getvalue()


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A store whose champion is the released model."""
    project = tmp_path_factory.mktemp("project")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copyfile(REPO / name, project / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        for name in ("DVC_ROOT", "MLFLOW_TRACKING_URI"):
            patch.delenv(name, raising=False)
        experiment, client = kept.connect(setup.CHAMPION)
        made = Registry(client, experiment)
        made.champion()
        yield made


@pytest.fixture(scope="module")
def ask(
    registry: Registry, tmp_path_factory: pytest.TempPathFactory, answers: Callable[[str], bool]
) -> Iterator[Callable[..., list[dict]]]:
    """Sends pictures to the champion, served as a user would serve it, and gives its answers."""
    port = free_port()
    log = tmp_path_factory.mktemp("log") / "server.log"
    command = ["mlflow", "models", "serve", "-m", "models:/ocrkit-reader@champion", "--env-manager", "local"]
    with log.open("w") as output:
        server = subprocess.Popen(
            [*command, "--port", str(port), "--workers", "1"],
            cwd=log.parent,  # away from the source tree: the version brings its own code
            env={**flow.environment(), "MLFLOW_TRACKING_URI": paths.tracking_uri()},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def post(*pictures: bytes) -> list[dict]:
        rows = [[base64.b64encode(picture).decode()] for picture in pictures]
        body = json.dumps({"dataframe_split": {"columns": ["image"], "data": rows}}).encode()
        address = f"http://127.0.0.1:{port}/invocations"
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=600) as answer:
            return json.load(answer)["predictions"]

    try:
        deadline = time.monotonic() + 240
        while not answers(f"http://127.0.0.1:{port}/health"):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.5)
        yield post
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def test_a_receipt_comes_back_as_its_words(ask):
    (receipt,) = ask(png(RECEIPT))
    assert receipt["error"] == ""
    assert receipt["text"] == Reader().read(png(RECEIPT)).text
    assert {"CORNER", "CAFE", "Espresso", "2.40", "TOTAL", "8.00"} <= set(receipt["text"].split())
    assert [word["text"] for word in receipt["words"]] == receipt["text"].split()
    total = next(word for word in receipt["words"] if word["text"] == "TOTAL")
    x0, y0, x1, y1 = total["box"]
    assert (x0, y0) == pytest.approx((40, 266), abs=8)
    assert (x1 - x0, y1 - y0) == pytest.approx((100, 24), abs=20)
    assert total["page"] == 1
    assert 0.5 < total["confidence"] <= 1


def test_what_is_no_picture_gets_a_sentence_and_the_others_are_read(ask):
    broken, receipt = ask(b"no picture", png(RECEIPT[:2]))
    assert broken == {
        "text": "",
        "words": [],
        "error": "The data is neither an image in a known format nor a PDF.",
        "version": "",
    }
    assert receipt["text"].split()[:2] == ["CORNER", "CAFE"]


def test_the_recogniser_loads_by_its_alias_and_says_its_signature_and_example(registry, monkeypatch):
    from mlflow import pyfunc

    monkeypatch.setenv("MLFLOW_TRACKING_URI", paths.tracking_uri())
    path = list(sys.path)
    model = pyfunc.load_model("models:/ocrkit-recognizer@champion")
    assert model.metadata.signature.inputs.input_names() == ["image"]
    assert model.metadata.signature.outputs.input_names() == ["text", "confidence", "error"]
    needed = Path(pyfunc.get_model_dependencies("models:/ocrkit-recognizer@champion")).read_text()
    assert "onnxruntime==" in needed
    assert "tensorflow" not in needed
    read = model.predict({"image": [*RECOGNIZER.example["image"], b"no picture"]})
    (word,) = load_recognizer().recognize([load_image(RECOGNIZER.example["image"][0])])
    assert list(read["text"]) == [word.text, ""]
    assert list(read["error"]) == ["", "The data is neither an image in a known format nor a PDF."]
    assert sys.path == path  # by which processes that are started later find ocrkit
