"""Services that read: their own clients, talking to a server on this machine that answers as was recorded.

The answers are in the documented forms of DetectDocumentText, `images:annotate` and prebuilt-read, all for one picture.
"""

import json
import threading
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from ocrkit.cli.compare import compare
from ocrkit.datasets import LabelledPage
from ocrkit.engines import EngineFailed, load_engine, missing_engines
from ocrkit.errors import MissingExtra

RECORDED = Path(__file__).parent / "recorded"
NAMES = ("textract", "google-vision", "azure-read")
PAGE = np.full((120, 700), 255, np.uint8)
SETTINGS = {
    "textract": {
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "eu-west-1",
    },
    "google-vision": {"GOOGLE_APPLICATION_CREDENTIALS": __file__},
    "azure-read": {"DOCUMENTINTELLIGENCE_ENDPOINT": "http://127.0.0.1:1", "DOCUMENTINTELLIGENCE_API_KEY": "secret"},
}


def recorded(name):
    return json.loads((RECORDED / f"{name.replace('-', '_')}.json").read_text())


class Service(ThreadingHTTPServer):
    """Gives its answers one after the other, the last one again and again, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server_port}"
        self.asked = []
        self.answers = []

    def answer(self, status, body, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, body, headers))

    def answer_as(self, name, body=None):
        """The usual course of one question to the service called `name`."""
        if name == "azure-read":
            place = f"http://{self.address}/documentintelligence/documentModels/prebuilt-read/analyzeResults/42"
            self.answer(202, {}, Operation_Location=place)
            self.answer(200, {"status": "running"}, Retry_After="0")
        self.answer(200, body or recorded(name))


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.path, dict(self.headers), body))
        answers = self.server.answers
        status, answer, headers = answers.pop(0) if len(answers) > 1 else answers[0]
        if status is None:
            time.sleep(3)
            return
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    do_GET = do_POST

    def log_message(self, *_):
        pass


@pytest.fixture
def service():
    with Service() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """No key of any service."""
    for settings in SETTINGS.values():
        for name in settings:
            monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture(params=NAMES)
def name(request, bare):
    pytest.importorskip({"textract": "boto3", "google-vision": "google.cloud.vision"}.get(request.param, "azure.core"))
    return request.param


@pytest.fixture
def engine(name, service, monkeypatch):
    """The engine, its real client turned to the server here."""
    for key, value in SETTINGS[name].items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_TEXTRACT", f"http://{service.address}")
    monkeypatch.setenv("DOCUMENTINTELLIGENCE_ENDPOINT", f"http://{service.address}")
    if name == "google-vision":
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import vision
        from google.cloud.vision_v1.services.image_annotator.transports import ImageAnnotatorRestTransport as Rest

        transport = Rest(host=service.address, url_scheme="http", credentials=AnonymousCredentials())
        monkeypatch.setattr(vision, "ImageAnnotatorClient", partial(vision.ImageAnnotatorClient, transport=transport))
    return load_engine(name)


def test_recorded_answers_become_lines_and_words_in_pixels(engine, service):
    service.answer_as(engine.name)
    page = engine.read(PAGE)
    assert page.text == "INVOICE NUMBER:\nTotal $9.90"  # also where punctuation came as a word of its own
    boxes = [word.box.round().tolist() for word in page.words]
    assert boxes == [[40, 45, 210, 70], [270, 45, 440, 70], [40, 85, 130, 105], [180, 85, 270, 105]]
    assert [round(word.confidence, 3) for word in page.words] == [0.996, 0.982, 0.999, 0.935]
    assert (page.width, page.height) == (700, 120)
    assert engine.usd_per_page > 0
    assert engine.version


def test_the_picture_is_sent_to_the_operation_that_is_paid_for(engine, service):
    service.answer_as(engine.name)
    engine.read(PAGE)
    path, headers, body = service.asked[0]
    assert b"iVBORw0KGgo" in body  # the head of a PNG in base64
    if engine.name == "textract":
        assert headers["X-Amz-Target"] == "Textract.DetectDocumentText"
        assert "/eu-west-1/textract/" in headers["Authorization"]
    elif engine.name == "google-vision":
        assert path.startswith("/v1/images:annotate")
        assert b"DOCUMENT_TEXT_DETECTION" in body or b'"type": 11' in body
    else:
        assert path.startswith("/documentintelligence/documentModels/prebuilt-read:analyze")
        assert headers["Ocp-Apim-Subscription-Key"] == "secret"


def test_large_photos_are_sent_as_jpeg_and_small_crops_on_a_ground(engine, service):
    noise = np.random.default_rng(0).integers(0, 256, (2000, 2500, 3), np.uint8)
    service.answer_as(engine.name)
    engine.read(noise)
    assert b"/9j/" in service.asked[0][2]
    service.answers.clear()
    for _ in range(2):
        service.answer_as(engine.name)
    assert engine.recognize([PAGE[:9, :30]] * 2) == ["INVOICENUMBER:Total$9.90"] * 2
    assert engine.recognize([]) == []


def test_a_page_without_text_has_no_words(engine, service):
    empty = {
        "textract": {"DocumentMetadata": {"Pages": 1}, "Blocks": [{"BlockType": "PAGE", "Id": "p", "Geometry": {}}]},
        "google-vision": {"responses": [{}]},
        "azure-read": {"status": "succeeded", "analyzeResult": {"pages": [{"pageNumber": 1}]}},
    }
    service.answer_as(engine.name, empty[engine.name])
    assert engine.read(PAGE).words == []


BUSY = {
    "textract": (400, {"__type": "ThrottlingException", "message": "Rate exceeded"}),
    "google-vision": (429, {"error": {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}}),
    "azure-read": (429, {"error": {"code": "429", "message": "Requests have exceeded the rate limit"}}),
}
DENIED = {
    "textract": (400, {"__type": "AccessDeniedException", "message": "User is not authorized"}),
    "google-vision": (403, {"error": {"code": 403, "message": "Cloud Vision API has not been used in project"}}),
    "azure-read": (401, {"error": {"code": "401", "message": "Access denied due to invalid subscription key"}}),
}


def test_a_busy_service_is_asked_again(engine, service):
    status, body = BUSY[engine.name]
    service.answer(status, body, Retry_After="0")
    service.answer_as(engine.name)
    assert len(engine.read(PAGE).words) == 4


def test_a_service_that_stays_busy_is_a_failure_in_one_sentence(engine, service, monkeypatch):
    monkeypatch.setattr("ocrkit.engines.google_vision.TIMEOUT_S", 5.0)  # whose client counts time, not attempts
    monkeypatch.setattr("ocrkit.engines.google_vision.ATTEMPTS", 1)
    status, body = BUSY[engine.name]
    service.answer(status, body, Retry_After="0")
    with pytest.raises(EngineFailed, match=f"^{engine.title} failed: .*exceeded") as failed:
        engine.read(PAGE)
    assert "\n" not in str(failed.value)
    assert 2 <= len(service.asked) <= 8


def test_a_refused_key_is_a_failure_at_once(engine, service):
    service.answer(*DENIED[engine.name])
    with pytest.raises(EngineFailed, match=r"authorized|not been used|Access denied"):
        engine.read(PAGE)
    assert len(service.asked) == 1


def test_a_service_that_does_not_answer_in_time_is_a_failure(name, service, monkeypatch, request):
    module = {"textract": "textract", "google-vision": "google_vision", "azure-read": "azure"}[name]
    monkeypatch.setattr(f"ocrkit.engines.{module}.TIMEOUT_S", 0.2)
    monkeypatch.setattr(f"ocrkit.engines.{module}.ATTEMPTS", 1)
    engine = request.getfixturevalue("engine")
    service.answer(None, {})
    with pytest.raises(EngineFailed, match=r"(?i)time.?d? ?out"):
        engine.read(PAGE)


def test_an_answer_with_an_error_inside_is_a_failure(service, bare, monkeypatch, request):
    pytest.importorskip("azure.ai.documentintelligence")
    for key, value in SETTINGS["azure-read"].items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("DOCUMENTINTELLIGENCE_ENDPOINT", f"http://{service.address}")
    error = {"code": "InvalidRequest", "message": "The input image is too small"}
    service.answer_as("azure-read", {"status": "failed", "error": error})
    with pytest.raises(EngineFailed, match="too small"):
        load_engine("azure-read").read(PAGE)


@pytest.mark.parametrize(
    ("name", "settings", "sentence"),
    [
        ("textract", {}, "Amazon Textract cannot be asked: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."),
        ("textract", {"AWS_DEFAULT_REGION": ""}, "Amazon Textract cannot be asked: set AWS_DEFAULT_REGION."),
        ("textract", {"AWS_PROFILE": "none"}, "cannot be asked: The config profile (none) could not be found."),
        ("google-vision", {}, "set GOOGLE_APPLICATION_CREDENTIALS to the file of a service account's key."),
        ("google-vision", {"GOOGLE_APPLICATION_CREDENTIALS": "/no/key"}, "names /no/key, which is no file."),
        ("azure-read", {}, "set DOCUMENTINTELLIGENCE_ENDPOINT and DOCUMENTINTELLIGENCE_API_KEY."),
        ("azure-read", {"DOCUMENTINTELLIGENCE_API_KEY": ""}, "cannot be asked: set DOCUMENTINTELLIGENCE_API_KEY."),
    ],
)
def test_what_the_environment_lacks_is_said_in_a_sentence(bare, monkeypatch, name, settings, sentence):
    for key, value in ({**SETTINGS[name], **settings} if settings else {}).items():
        monkeypatch.setenv(key, value)
    reason = missing_engines([name])[name]
    assert reason.endswith(sentence)
    with pytest.raises(MissingExtra):
        load_engine(name)


def test_a_key_that_is_none_leaves_the_service_out(bare, monkeypatch, tmp_path):
    pytest.importorskip("google.cloud.vision")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", __file__)
    (tmp_path / "labels.csv").write_text("file,text\n")
    monkeypatch.setattr("ocrkit.cli.compare.load_pages", lambda *_: [LabelledPage("p")])
    result = CliRunner().invoke(compare, [str(tmp_path), "--form", "crops", "--engines", "google-vision"])
    assert "google-vision is left out. DefaultCredentialsError: " in result.stderr
    assert str(result.exception) == "None of these engines can be used here."


def test_clients_that_are_not_installed_are_named_with_a_way_to_get_them(monkeypatch):
    monkeypatch.setattr("ocrkit.engines.cloud.find_spec", lambda package: None)
    reasons = missing_engines(NAMES)
    assert set(reasons) == set(NAMES)
    assert all(reason.endswith("is not installed: pip install 'ocrkit[cloud]'.") for reason in reasons.values())


def test_documents_go_to_a_service_only_when_it_is_named():
    (engines,) = (option for option in compare.params if option.name == "engines")
    assert engines.default == "ours,tesseract,rapidocr"
    assert all(name in CliRunner().invoke(compare, ["--help"]).output for name in NAMES)
