"""The face: REST as it is described, tokens, limits, and no page of others."""

from __future__ import annotations

import json
import re
import time

import pytest
from service_constants import MODEL
from service_readers import document, page_of
from starlette.testclient import TestClient

from ocrkit.service import intake
from ocrkit.service.app import Face, FaceOptions
from ocrkit.service.guard import Rate
from ocrkit.service.results import ResultWriter, StoredPage
from ocrkit.service.work import add_to_index


def face(store, queue, index, **options) -> Face:
    return Face(store, queue, index, lambda digest: MODEL, FaceOptions(**options), jails=2)


@pytest.fixture
def client(store, queue, index) -> TestClient:
    return TestClient(face(store, queue, index, at_once=1000).app(), base_url="http://127.0.0.1:8018")


@pytest.fixture
def read(store, queue, index, client):
    """Hand in words; they have been read at once."""

    def done(text: str, name: str = "one.pdf", **said) -> str:
        identity = client.post(f"/documents?name={name}", content=document(text)).json()["id"]
        job = queue.claim()
        with store.temporary() as file:
            writer = ResultWriter(file, job)
            for number, part in enumerate(text.split("\f"), 1):
                told = page_of(part.split(), number).to_dict() | {"dpi": 100.0, "sheet_pt": None}
                writer.add(StoredPage.model_validate_json(json.dumps(told)), JPEG)
            result = writer.finish(**{"pages_in_file": len(writer.pages), **said})
            store.write_result(job.id, file)
        add_to_index(index, job, result)
        assert queue.done(job, len(result.pages), 0.5)
        return identity

    return done


def _jpeg() -> bytes:
    import cv2
    import numpy as np

    return cv2.imencode(".jpg", np.full((700, 500), 255, np.uint8))[1].tobytes()


JPEG = _jpeg()


def test_a_document_is_taken_once_and_its_state_can_be_asked_for(client, queue):
    first = client.post("/documents?name=a.pdf", content=document("some words"))
    again = client.post("/documents?name=b.pdf", content=document("some words"))
    assert first.status_code == again.status_code == 202
    assert first.json()["id"] == again.json()["id"]
    assert first.headers["location"] == f"/documents/{first.json()['id']}"
    state = client.get(first.headers["location"]).json()
    assert (state["state"], state["name"], state["model"]["version"]) == ("queued", "a.pdf", 7)
    assert state["model"]["folder"] == ""
    job = queue.claim(2)
    queue.beat(job, 3)
    state = client.get(first.headers["location"]).json()
    assert (state["state"], state["jail"], state["page"]) == ("reading", 2, 3)
    assert client.get(f"/documents/{job.id}/text").status_code == 409
    queue.failed(job, "It broke.", for_good=True)
    assert "It broke." in client.get(f"/documents/{job.id}/text").json()["error"]
    assert client.post(f"/documents/{job.id}/retry").json()["state"] == "queued"


def test_a_result_is_given_in_every_form(client, read):
    identity = read("Hello there\fsecond page")
    at = f"/documents/{identity}"
    assert client.get(f"{at}/text").text == "Hello there\n\fsecond page\n"
    told = client.get(f"{at}/json").json()
    assert told["reader"]["version"] == 7
    assert told["pages"][1]["lines"][0]["words"][0]["text"] == "second"
    assert "ocrx_word" in client.get(f"{at}/hocr").text
    assert client.get(f"{at}/hocr").headers["content-disposition"].startswith("attachment")
    assert "<alto" in client.get(f"{at}/alto").text
    assert client.get(f"{at}/pdf").content.startswith(b"%PDF-")
    assert client.get(f"{at}/pages/2").json()["number"] == 2
    assert client.get(f"{at}/pages/2/picture").content == JPEG
    assert client.get(f"{at}/pages/3").status_code == client.get(f"{at}/pages/3/picture").status_code == 404


@pytest.mark.parametrize(
    ("said", "content", "sentence"),
    [
        ({"searchable": b"%PDF-new"}, b"%PDF-new", ""),
        ({"searchable": b""}, document("some words"), ""),
        ({"searchable": b"%PDF-new", "pages_in_file": 12}, b"%PDF-new", "too. The searchable PDF has all 12."),
        ({"searchable": b"", "pages_in_file": 12}, document("some words"), "too. The searchable PDF has all 12."),
        ({"pages_in_file": 12}, b"%PDF-1.", "1 of 12 pages were read. Hand it in with all pages to read them, too. "
         "The searchable PDF has only that."),
        ({"why": "It is signed."}, b"%PDF-1.", "The searchable PDF is made of pictures of the pages: It is signed."),
    ],
)  # fmt: skip
def test_the_searchable_pdf_is_the_document_with_its_text_and_what_it_lacks_is_said(
    client, read, said, content, sentence
):
    at = f"/documents/{read('some words', **said)}"
    given = client.get(f"{at}/pdf")
    assert given.content.startswith(content)
    assert given.headers["content-disposition"].startswith("attachment")
    assert client.get(f"{at}/json").json()["left_out"].endswith(sentence)


def test_words_are_found_with_their_places_and_gone_when_forgotten(client, read, store):
    identity = read("Hello Xylophone there", "my%20file.pdf")
    hits = client.get("/search?q=xylophone").json()
    assert hits["total"] == 1
    assert hits["hits"][0]["name"] == "my file.pdf"
    assert hits["hits"][0]["words"] == [{"text": "Xylophone", "box": [100, 10, 180, 40], "confidence": 0.9}]
    assert client.delete(f"/documents/{identity}").status_code == 204
    assert client.get("/search?q=xylophone").json()["total"] == 0
    assert (
        client.get(f"/documents/{identity}").status_code == client.delete(f"/documents/{identity}").status_code == 404
    )
    assert b"ylophone" not in b"".join(path.read_bytes() for path in store.folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/search?q=", 400, "no word"),
        ("GET", "/search?q=%22", 400, "no word"),
        ("GET", "/search?q=" + "x" * 10_000, 400, "characters"),
        ("GET", "/search?q=a&limit=x", 400, "number"),
        ("GET", "/search?q=a&limit=0", 400, "1 to 100"),
        ("GET", "/search?q=a&since=nan", 400, "number"),
        ("GET", "/search?q=a&kind=nope", 400, "no kind 'nope' of document: it is one of pdf, jpeg, png, tiff,"),
        ("GET", "/search?q=a&since=9&until=8", 400, "exchange them"),
        ("GET", "/documents?state=lost", 400, "queued"),
        ("GET", "/documents/nowhere", 404, "never handed in"),
        ("GET", "/documents/' OR 1=1", 404, "never handed in"),
        ("POST", "/documents/nowhere/retry", 404, "never handed in"),
        ("POST", "/documents?name=a.zip", 415, "not taken"),
    ],
)
def test_bad_questions_are_answered_in_a_sentence(client, method, path, status, said):
    answer = client.request(method, path, content=b"PK\3\4" if method == "POST" else None)
    assert answer.status_code == status
    assert said in answer.json()["error"]


def test_what_is_too_large_or_packed_as_a_form_is_refused(client, monkeypatch, store):
    monkeypatch.setattr(intake, "MOST_BYTES", 1000)
    assert client.post("/documents", content=document("x" * 2000)).status_code == 413
    chunks = (document("x" * 400) for _ in range(5))  # which say no length
    assert client.post("/documents", content=chunks).status_code == 413
    assert client.post("/documents", files={"file": document("x")}).status_code == 415
    assert not (store.folder / "files").exists()
    assert not list(store.folder.glob("incoming/*"))


def test_a_full_queue_and_a_client_in_a_hurry_are_asked_to_come_again(store, queue, index):
    few = TestClient(face(store, queue, index, most_waiting=2, at_once=100).app(), base_url="http://localhost")
    answers = [few.post("/documents", content=document(f"w{number}")) for number in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert int(answers[2].headers["retry-after"]) > 0
    slow = TestClient(face(store, queue, index, a_second=0.5, at_once=3).app(), base_url="http://localhost")
    answers = [slow.get("/search?q=a") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert int(answers[4].headers["retry-after"]) in (1, 2)
    assert slow.get("/documents").status_code == 200  # looking costs nothing


def test_a_rate_fills_up_again(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    rate = Rate(2.0, 2)
    assert [rate.wait_s("a"), rate.wait_s("a"), rate.wait_s("a"), rate.wait_s("b")] == [0, 0, 0.5, 0]
    now[0] += 0.5
    assert [rate.wait_s("a"), rate.wait_s("a")] == [0, 0.5]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Basic secret"}, 401),
        ({"Cookie": "ocrkit=wrong"}, 401),
        ({"Cookie": 'ocrkit="; x=['}, 401),
        ({"Authorization": "Bearer secret"}, 200),
        ({"Authorization": "bearer secret", "Host": "scans.example"}, 200),
    ],
)
def test_with_a_token_only_who_has_it_may_ask(store, queue, index, headers, status):
    client = TestClient(face(store, queue, index, token="secret").app(), base_url="http://127.0.0.1")
    for path in ("/documents", "/metrics", "/openapi.json"):
        assert client.get(path, headers=headers).status_code == status
    assert client.get("/health").status_code == 200


def test_a_browser_gives_the_token_once(store, queue, index):
    client = TestClient(face(store, queue, index, token="secret", at_once=99).app(), base_url="http://127.0.0.1")
    assert "Token" in client.get("/").text
    assert client.post("/login", data={"token": "wrong"}).status_code == 401
    answer = client.post("/login", data={"token": "secret"})
    assert answer.status_code == 204
    assert "secret" not in answer.headers["set-cookie"]
    assert {"httponly", "samesite=strict"} <= set(answer.headers["set-cookie"].lower().split("; "))
    assert client.get("/documents").status_code == 200
    assert "Choose documents" in client.get("/").text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example:8018"}, 403),
        ({"Origin": "http://127.0.0.1:8018", "Sec-Fetch-Site": "same-origin"}, 202),
        ({"Host": "localhost:8018"}, 202),
        ({}, 202),
    ],
)
def test_pages_of_others_cannot_use_a_browser_to_ask(client, headers, status):
    assert client.post("/documents", content=document("x"), headers=headers).status_code == status


def test_every_answer_forbids_what_the_page_does_not_need(client, read):
    identity = read("some words")
    for path in ("/", "/page.js", "/documents", f"/documents/{identity}/pages/1/picture", "/nowhere"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_what_is_described_is_what_is_there(client, read):
    identity = read("Hello Xylophone there")
    described = client.get("/openapi.json").json()
    paths = {(method.upper(), path) for path, told in described["paths"].items() for method in told}
    routes = {
        (method, re.sub(":int", "", route.path))
        for route in client.app.routes
        for method in route.methods - {"HEAD"}
        if route.path not in ("/", "/login", "/page.css", "/page.js", "/login.js", "/icon.svg")
    }
    assert paths == routes
    models = described["components"]["schemas"]
    for path, name in ((f"/documents/{identity}", "DocumentState"), ("/documents", "Documents"),
                       ("/search?q=xylophone", "FoundPages"), ("/health", "Health"),
                       (f"/documents/{identity}/pages/1", "StoredPage")):  # fmt: skip
        assert set(client.get(path).json()) == set(models[name]["properties"]), path
    references = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(described)))
    assert references <= set(models)


def test_figures_are_told_to_prometheus(client, read, queue):
    read("some words")
    client.post("/documents", content=document("crash"))
    queue.failed(queue.claim(), "x")
    text = client.get("/metrics").text
    for line in ('ocrkit_documents{state="done"} 1.0', "ocrkit_retried_total 1.0", "ocrkit_indexed_pages 1.0",
                 'ocrkit_reading_seconds_bucket{le="0.5"} 1.0', "ocrkit_put_total 2.0"):  # fmt: skip
        assert line in text, line


def test_health_says_what_is_wrong(store, queue, index):
    problems: list[str] = []
    app = Face(store, queue, index, lambda digest: MODEL, problems=lambda: list(problems)).app()
    client = TestClient(app, base_url="http://127.0.0.1")
    assert client.get("/health").json() == {"status": "ok", "problems": []}
    problems.append("Nobody reads.")
    assert client.get("/health").status_code == 503
    assert client.get("/health").json()["problems"] == ["Nobody reads."]
