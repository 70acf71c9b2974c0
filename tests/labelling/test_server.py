"""The page's server: who gets in, what they may do, and that whatever is refused is in the audit."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import struct
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("webauthn")
from starlette.testclient import TestClient

from ocrkit.errors import BadParams
from ocrkit.labelling.jobs import Job, Store
from ocrkit.labelling.pools import POOLS, PrivateData
from ocrkit.labelling.server import Page, application
from ocrkit.labelling.simulate import blank_tasks
from ocrkit.labelling.templates import load_template

ORIGIN = "http://localhost:8765"
NDA = "You keep what you see to yourself."
COOKIE = "ocrkit-labelling"


def coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Authenticator:
    """A passkey of a device that asked for a finger, by the specification: https://www.w3.org/TR/webauthn-3/."""

    def __init__(self, origin: str, host: str) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec

        self._origin, self._host = origin, host
        self._key, self._id = ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16)
        self._signs = 0

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self._origin}).encode()

    def _data(self, more: bytes = b"") -> bytes:
        self._signs += 1
        flags = 0x05 | (0x40 if more else 0)  # present and verified; with a new key
        return hashlib.sha256(self._host.encode()).digest() + struct.pack(">BI", flags, self._signs) + more

    def make(self, challenge: str) -> dict[str, Any]:
        import cbor2

        public = self._key.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: public.x.to_bytes(32, "big"), -3: public.y.to_bytes(32, "big")}
        more = bytes(16) + struct.pack(">H", len(self._id)) + self._id + cbor2.dumps(key)
        whole = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": self._data(more)})
        client = coded(self._client("webauthn.create", challenge))
        response = {"clientDataJSON": client, "attestationObject": coded(whole)}
        return {"id": coded(self._id), "rawId": coded(self._id), "type": "public-key", "response": response}

    def give(self, challenge: str) -> dict[str, Any]:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        data, client = self._data(), self._client("webauthn.get", challenge)
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": coded(client),
            "authenticatorData": coded(data),
            "signature": coded(signature),
            "userHandle": None,
        }
        return {"id": coded(self._id), "rawId": coded(self._id), "type": "public-key", "response": response}


def client_of(store: Store, job: Job, address: str = "10.0.0.1", **options: Any) -> TestClient:
    page = Page(store, job, **{"pool": POOLS["contractors"], "origin": ORIGIN, **options})
    return TestClient(application(page), base_url=page.origin, client=(address, 40000))


def log_in(client: TestClient, store: Store, name: str = "Ada") -> TestClient:
    """As after a passkey, which other tests are about."""
    secret, csrf = store.open_session(store.worker(name, "contractors", make=True))
    client.cookies.set(COOKIE, secret)
    client.headers["x-csrf"] = csrf
    return client


def say(client: TestClient, message: Any, status: int = 200) -> tuple[dict[str, Any], bytes]:
    response = client.post("/message", json=message)
    assert response.status_code == status, response.text
    head, _, pictures = response.content.partition(b"\n")
    return json.loads(head), pictures


def answer_to(message: dict[str, Any], text: str = "right", key: str = "k") -> dict[str, Any]:
    return {"kind": "answer", "task": message["task"], "value": {"text": text}, "seconds": 1, "key": key}


def refused(store: Store) -> list[str]:
    return [row["what"].removeprefix("refused: ") for row in store.audited("refused")]


# Getting in


def register(client: TestClient, store: Store, name: str = "Ada") -> Authenticator:
    device, invitation = Authenticator(ORIGIN, "localhost"), store.invite(name, "contractors")
    options = client.post("/register/begin", json={"invitation": invitation}).json()
    made = {
        "invitation": invitation,
        "credential": device.make(options["challenge"]),
        "challenge": options["challenge"],
    }
    assert client.post("/register/finish", json=made).status_code == 200
    return device


def test_an_invited_person_makes_a_passkey_logs_in_accepts_the_agreement_and_works(store: Store, job: Job) -> None:
    client = client_of(store, job, nda=NDA)
    device = register(client, store)
    challenge = client.post("/login/begin", json={}).json()["challenge"]
    given = {"credential": device.give(challenge), "challenge": challenge}
    answer = client.post("/login/finish", json=given)
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie

    state = client.get("/state").json()
    client.headers["x-csrf"] = state["csrf"]
    assert state["nda"]["text"] == NDA
    say(client, {"kind": "task"}, 403)  # not before it is accepted
    assert client.post("/accept", json={"digest": "another"}).status_code == 403
    assert client.post("/accept", json={"digest": state["nda"]["digest"]}).status_code == 200
    message, picture = say(client, {"kind": "task"})
    assert (message["kind"], message["watermark"], picture[:4]) == ("task", "Ada", b"\x89PNG")
    assert [row["name"] for row in store.audited("shown")] == ["Ada"]
    assert store.audited("nda accepted")[0]["detail"] == state["nda"]["digest"]


def test_a_replayed_login_is_refused(store: Store, job: Job) -> None:
    client = client_of(store, job)
    device = register(client, store)
    challenge = client.post("/login/begin", json={}).json()["challenge"]
    given = {"credential": device.give(challenge), "challenge": challenge}
    assert client.post("/login/finish", json=given).status_code == 200
    client.cookies.clear()
    assert client.post("/login/finish", json=given).status_code == 403
    # Nor does an old signature fit a new challenge.
    other = client.post("/login/begin", json={}).json()["challenge"]
    assert client.post("/login/finish", json={**given, "challenge": other}).status_code == 403
    assert client.get("/state").json()["worker"] is None
    assert refused(store) == ["replayed or old challenge", "login"]


@pytest.mark.parametrize("origin", ["http://localhost:9999", "https://evil.example"])
def test_a_passkey_that_another_page_asked_for_is_refused(store: Store, job: Job, origin: str) -> None:
    client = client_of(store, job)
    device = register(client, store)
    device._origin = origin
    challenge = client.post("/login/begin", json={}).json()["challenge"]
    given = {"credential": device.give(challenge), "challenge": challenge}
    assert client.post("/login/finish", json=given).status_code == 403
    assert refused(store) == ["login"]


def test_an_invitation_serves_once_and_within_a_week(store: Store, job: Job, clock) -> None:
    client = client_of(store, job)
    register(client, store)
    old = store.invite("Ben", "contractors")
    clock.now += 8 * 24 * 3600
    for invitation in (old, "guessed", None, "\ud800"):
        body = json.dumps({"invitation": invitation})
        assert client.post("/register/begin", content=body).status_code == 403
    assert refused(store) == ["invitation"] * 4


def test_who_guesses_has_to_wait_and_others_do_not(store: Store, job: Job, clock) -> None:
    client = client_of(store, job)
    answers = [client.post("/register/begin", json={"invitation": f"guess{i}"}).status_code for i in range(14)]
    assert answers == [403] * 10 + [429] * 4
    good = store.invite("Ben", "contractors")
    assert client.post("/register/begin", json={"invitation": good}).status_code == 429
    elsewhere = client_of(store, job, address="10.0.0.2")
    assert elsewhere.post("/register/begin", json={"invitation": good}).status_code == 200
    assert store.audited("refused too often")
    clock.now += 301
    assert client.post("/register/begin", json={"invitation": good}).status_code == 200


# What may be done


def test_another_persons_task_is_refused(store: Store, job: Job) -> None:
    ada, ben = log_in(client_of(store, job), store), log_in(client_of(store, job), store, "Ben")
    message, _ = say(ada, {"kind": "task"})
    reply, _ = say(ben, answer_to(message))
    assert reply["kind"] == "over"
    assert store.votes(job) == []
    assert refused(store) == ["not their task"]


def test_an_answer_after_its_lease_is_refused(store: Store, job: Job, clock) -> None:
    client = log_in(client_of(store, job), store)
    message, _ = say(client, {"kind": "task"})
    clock.now += 610
    reply, _ = say(client, answer_to(message))
    assert (reply["kind"], store.votes(job), refused(store)) == ("over", [], ["lease is over"])


@pytest.mark.parametrize("token", ["", "wrong", None])
def test_a_request_without_the_token_is_refused(store: Store, job: Job, token: str | None) -> None:
    client = log_in(client_of(store, job), store)
    message, _ = say(client, {"kind": "task"})
    del client.headers["x-csrf"]
    response = client.post("/message", json=answer_to(message), headers={} if token is None else {"x-csrf": token})
    assert (response.status_code, store.votes(job), refused(store)) == (403, [], ["no token"])


def test_a_request_from_another_page_or_to_another_name_is_refused(store: Store, job: Job) -> None:
    client = log_in(client_of(store, job), store)
    elsewhere = {"origin": "https://evil.example"}
    assert client.post("/message", json={"kind": "task"}, headers=elsewhere).status_code == 403
    assert client.get("/", headers={"host": "evil.example"}).status_code == 421
    assert refused(store) == ["another origin", "another host"]


def test_a_session_ends_with_a_dismissal_with_idleness_and_with_logging_out(store: Store, job: Job, clock) -> None:
    client = log_in(client_of(store, job), store)
    message, _ = say(client, {"kind": "task"})
    store.set_state(store.person("Ada"), "dismissed", "wrote nonsense")
    assert client.post("/message", json=answer_to(message)).status_code == 401
    refusal = store.audited("refused")[0]
    assert (refusal["what"], refusal["name"], refusal["address"]) == ("refused: no login", "Ada", "10.0.0.1")

    client = log_in(client_of(store, job), store, "Ben")
    clock.now += 14 * 60
    say(client, {"kind": "task"})
    clock.now += 14 * 60
    say(client, {"kind": "task"})
    clock.now += 16 * 60
    assert client.post("/message", json={"kind": "task"}).status_code == 401

    client = log_in(client_of(store, job), store, "Ben")
    say(client, {"kind": "task"})
    cookies = dict(client.cookies)
    assert client.post("/logout", json={}).status_code == 200
    client.cookies.update(cookies)
    assert client.post("/message", json={"kind": "task"}).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/../jobs.db",
        "/%2e%2e/jobs.db",
        "/..%2fjobs.db",
        "/page/../../jobs.py",
        "/jobs.db",
        "/picture/1",
        "//etc/passwd",
    ],
)
def test_there_are_no_files_but_those_of_the_page_and_no_way_to_a_picture(store: Store, job: Job, path: str) -> None:
    client = log_in(client_of(store, job), store)
    assert client.get(path).status_code == 404
    assert refused(store) == ["no such page"]


@pytest.mark.parametrize(
    "query", ["PROLIFIC_PID=abc&STUDY_ID=s&SESSION_ID=x", "workerId=A1", "pool=contractors", "key=x"]
)
def test_an_address_that_claims_another_pool_lets_nobody_in(store: Store, job: Job, query: str) -> None:
    client = client_of(store, job)
    assert client.get(f"/?{query}").headers.get("set-cookie") is None
    assert client.get("/state").json()["worker"] is None
    assert refused(store) == (["another pool"] if not query.startswith("key") else [])


def test_a_login_of_another_pool_counts_for_nothing_here(store: Store, job: Job) -> None:
    client = client_of(store, job)
    secret, csrf = store.open_session(store.worker("prolific:abc", "prolific", make=True))
    client.cookies.set(COOKIE, secret)
    assert client.post("/message", json={"kind": "task"}, headers={"x-csrf": csrf}).status_code == 401
    assert refused(store) == ["no login"]


def test_what_is_typed_stays_text(store: Store, job: Job) -> None:
    client = log_in(client_of(store, job), store)
    message, _ = say(client, {"kind": "task"})
    say(client, answer_to(message, "<script>alert(1)</script>"))
    assert store.votes(job)[0].value == {"text": "<script>alert(1)</script>"}


def test_every_answer_forbids_keeping_framing_and_foreign_scripts(store: Store, job: Job) -> None:
    client = log_in(client_of(store, job), store)
    for response in (client.get("/"), client.get("/tasks.js"), client.get("/none"), client.post("/message", json={})):
        assert response.headers["cache-control"] == "no-store"
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"7",
        b'{"kind": "answer"}',
        b'{"kind": "answer", "task": "1", "key": 3}',
        b'{"kind": "answer", "task": 1180591620717411303424, "key": "k", "value": {"text": "a"}}',
        b'{"kind": "answer", "task": 1, "key": "\\ud800", "value": {"text": "a"}}',
        b'{"kind": "answer", "task": 1, "key": "k", "value": {"text": "\\ud800"}}',
        b'{"kind": "answer", "task": 1, "key": "k", "value": {"text": "a"}, "seconds": "long"}',
        b'{"kind": "\\ud800"}',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_a_request_of_no_sense_is_answered_with_a_sentence(store: Store, job: Job, body: bytes) -> None:
    client = log_in(client_of(store, job), store)
    say(client, {"kind": "task"})
    response = client.post("/message", content=body)
    head = json.loads(response.content.partition(b"\n")[0])
    assert response.status_code in (200, 400)
    assert head["sentence"]
    assert store.votes(job) == []


@pytest.mark.parametrize("seconds", ["NaN", "-5", "1e999", "true"])
def test_a_time_that_is_none_spoils_no_answer(store: Store, job: Job, seconds: str) -> None:
    client = log_in(client_of(store, job), store)
    message, _ = say(client, {"kind": "task"})
    body = json.dumps(answer_to(message)).replace('"seconds": 1', f'"seconds": {seconds}')
    assert client.post("/message", content=body).status_code == 200
    assert 0 <= store.votes(job)[0].seconds <= 86_400


def test_a_request_that_is_too_large_is_refused(store: Store, job: Job) -> None:
    client = log_in(client_of(store, job), store)
    assert client.post("/message", content=b"x" * 1_000_001).status_code == 413
    assert refused(store) == ["too large"]


def test_a_local_page_wants_its_key_and_this_machine(store: Store, job: Job) -> None:
    options = {"pool": POOLS["notebook"], "local": "secret", "local_name": "me"}
    outside = client_of(store, job, **options)
    assert outside.get("/?key=secret").status_code == 403
    client = client_of(store, job, address="127.0.0.1", **options)
    client.get("/?key=wrong")
    assert client.get("/state").json()["worker"] is None
    client.get("/?key=secret")
    state = client.get("/state").json()
    client.headers["x-csrf"] = state["csrf"]
    assert say(client, {"kind": "task"})[0]["watermark"] == ""
    assert refused(store) == ["from outside", "wrong key"]


# Private pages


def test_a_private_job_is_shown_under_an_agreement_only_and_its_pictures_lie_in_no_file(
    store: Store, tmp_path: Path
) -> None:
    tasks = blank_tasks(2)
    job = store.add_job("donated", load_template("transcribe"), tasks, "vault", "vault", private=True)
    assert store.picture(store.tasks(job)[0]["id"]) is None
    for pool in ("notebook", "prolific", "mturk"):
        with pytest.raises(PrivateData, match="under no agreement"):
            client_of(store, job, pool=POOLS[pool])
    with pytest.raises(PrivateData, match="--nda"):
        client_of(store, job)
    client = log_in(client_of(store, job, nda=NDA, pictures=lambda lease: {"t0": b"pixels"}[lease.key]), store)
    client.post("/accept", json={"digest": client.get("/state").json()["nda"]["digest"]})
    assert say(client, {"kind": "task"})[1] == b"pixels"
    assert b"pixels" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize("change", [{"private": False}, {"private": False, "form": "crops"}])
def test_a_job_file_that_was_tampered_with_shows_no_private_picture(store: Store, change: dict[str, Any]) -> None:
    store.add_job("donated", load_template("transcribe"), blank_tasks(2), "vault", "vault", private=True)
    assignments = ", ".join(f"{name} = ?" for name in change)
    store._db.execute(f"UPDATE jobs SET {assignments}", tuple(change.values()))
    job = store.job("donated")
    if "form" not in change:
        with pytest.raises(PrivateData):
            client_of(store, job, pool=POOLS["prolific"])
        return
    client = log_in(client_of(store, job), store)
    reply, picture = say(client, {"kind": "task"})
    assert (reply["kind"], picture) == ("refused", b"")
    assert "was changed by somebody else" in reply["sentence"]


def test_passkeys_want_https_or_localhost(store: Store, job: Job) -> None:
    with pytest.raises(BadParams, match="need https, or localhost"):
        client_of(store, job, origin="http://label.example.org")
