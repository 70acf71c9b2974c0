"""The crowds: what is sent is what their interfaces take, what it costs is agreed to before, private pages never go.

Neither service can be reached from here. Mechanical Turk is boto3's own client, which checks each request by Amazon's
model, against a stand-in on this machine; Prolific answers as its documentation shows.
"""

from __future__ import annotations

import json
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

pytest.importorskip("boto3")
import httpx

from ocrkit.errors import BadParams
from ocrkit.labelling import mturk, prolific
from ocrkit.labelling.assets import script
from ocrkit.labelling.jobs import Job, NewTask, Refused, Store
from ocrkit.labelling.pools import POOLS, PoolDown, PrivateData, TooDear, check_cost
from ocrkit.labelling.simulate import blank_tasks
from ocrkit.labelling.templates import load_template


@pytest.fixture
def paid(store: Store) -> Job:
    template = load_template("transcribe").model_copy(update={"redundancy": 2, "pay_usd": 0.05})
    return store.add_job("paid", template, blank_tasks(3))


@pytest.fixture
def donated(store: Store) -> Job:
    return store.add_job("donated", load_template("transcribe"), blank_tasks(2), "vault", "vault", private=True)


# Mechanical Turk


class Turk(BaseHTTPRequestHandler):
    """Amazon's service as far as the kit speaks to it, in its JSON 1.1."""

    calls: list[tuple[str, dict[str, Any]]]
    assignments: dict[str, list[dict[str, Any]]]
    hits: dict[str, str]
    fails_at: int

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        action = self.headers["x-amz-target"].rpartition(".")[2]
        self.calls.append((action, body))
        answer: dict[str, Any] = {}
        status = 200
        if action == "GetAccountBalance":
            answer = {"AvailableBalance": "10.00"}
        elif action == "CreateHITType":
            answer = {"HITTypeId": "KIND1"}
        elif action == "CreateHITWithHITType":
            if len(self.hits) == self.fails_at:
                status, answer = 400, {"__type": "RequestError", "message": "out of order"}
            else:
                known = self.hits.setdefault(body["UniqueRequestToken"], f"HIT{len(self.hits)}")
                answer = {"HIT": {"HITId": known}}
        elif action == "ListAssignmentsForHIT":
            pages = self.assignments.get(body["HITId"], [])
            place = int(body.get("NextToken", 0))
            answer = {"Assignments": pages[place : place + 1], "NumResults": 1}
            if place + 1 < len(pages):
                answer["NextToken"] = str(place + 1)
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/x-amz-json-1.1")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def turk(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[type[Turk], Any]]:
    for name, value in (("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b"), ("AWS_MAX_ATTEMPTS", "1")):
        monkeypatch.setenv(name, value)
    handler = type("Handler", (Turk,), {"calls": [], "assignments": {}, "hits": {}, "fails_at": -1})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield handler, mturk.client(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()


def submitted(number: int, worker: str, answer: str) -> dict[str, Any]:
    xml = ET.Element("QuestionFormAnswers", xmlns="http://mechanicalturk.amazonaws.com/x/QuestionFormAnswers.xsd")
    inner = ET.SubElement(xml, "Answer")
    ET.SubElement(inner, "QuestionIdentifier").text = "answer"
    ET.SubElement(inner, "FreeText").text = answer
    ids = {"AssignmentId": f"A{number}", "WorkerId": worker, "AssignmentStatus": "Submitted"}
    return {**ids, "AcceptTime": 100.0, "SubmitTime": 104.5, "Answer": ET.tostring(xml, "unicode")}


def actions(handler: type[Turk]) -> list[str]:
    return [action for action, _ in handler.calls]


def test_the_sandbox_is_the_default_endpoint(turk: Any) -> None:
    assert mturk.client().meta.endpoint_url == "https://mturk-requester-sandbox.us-east-1.amazonaws.com"


def test_tasks_are_sent_as_questions_that_hold_all_they_need(store: Store, paid: Job, turk: Any) -> None:
    handler, client = turk
    assert mturk.send(store, paid, client, most_usd=0.36) == (3, pytest.approx(0.36))  # 3 x 2 x 0.05 and a fifth
    assert actions(handler) == ["GetAccountBalance", "CreateHITType", *["CreateHITWithHITType"] * 3]
    kind, hit = handler.calls[1][1], handler.calls[2][1]
    assert (kind["Reward"], len(kind["QualificationRequirements"])) == ("0.05", 2)
    assert hit["MaxAssignments"] == 2
    html = ET.fromstring(hit["Question"].encode())[0].text
    assert 'name="assignmentId"' in html
    assert "<script src" not in html
    assert '"title": "Type the word"' in html
    assert len({call["UniqueRequestToken"] for _, call in handler.calls[2:]}) == 3


def test_what_could_end_a_question_early_is_written_otherwise(store: Store) -> None:
    template = load_template("transcribe").model_copy(update={"instructions": "</script>]]><script>alert(1)</script>"})
    job = store.add_job("sly", template, [NewTask("a", {"reading": "]]></script>"}, b"x")])
    html = ET.fromstring(mturk.question(job, {"reading": "]]></script>"}, b"x").encode())[0].text
    assert html.count("<script") == html.count("</script>") == 2
    data = html.partition('id="task">')[2].partition("</script>")[0]
    assert json.loads(data)["task"]["template"]["instructions"] == template.instructions
    assert "]]>" not in script()


def test_sending_goes_on_where_it_was_cut_off_and_pays_nothing_twice(store: Store, paid: Job, turk: Any) -> None:
    handler, client = turk
    handler.fails_at = 1
    with pytest.raises(PoolDown, match=r"out of order.*goes on"):
        mturk.send(store, paid, client, 1.0)
    handler.fails_at = -1
    assert mturk.send(store, paid, client, 1.0)[0] == 2
    assert len(handler.hits) == len(store.sent(paid)) == 3
    assert sum(row["usd"] for row in store.sent(paid)) == pytest.approx(0.36)


@pytest.mark.parametrize(("most", "sentence"), [(None, r"\$0.36.*allow that with --most-usd"), (0.35, "more than the")])
def test_nothing_is_sent_before_the_cost_is_agreed_to(
    store: Store, paid: Job, turk: Any, most: float | None, sentence: str
) -> None:
    handler, client = turk
    with pytest.raises(TooDear, match=sentence):
        mturk.send(store, paid, client, most)
    assert handler.calls == []


def test_what_is_not_on_the_account_is_not_spent(store: Store, turk: Any) -> None:
    handler, client = turk
    template = load_template("transcribe").model_copy(update={"pay_usd": 5.0})
    job = store.add_job("dear", template, blank_tasks(3))
    with pytest.raises(TooDear, match=r"\$10.00 are on the account"):
        mturk.send(store, job, client, 100.0)
    assert actions(handler) == ["GetAccountBalance"]


def test_private_tasks_go_to_no_crowd(store: Store, donated: Job, turk: Any) -> None:
    handler, client = turk
    with pytest.raises(PrivateData, match="Pools for private pages: contractors"):
        mturk.send(store, donated, client, 100.0)
    assert handler.calls == []


def test_answers_are_taken_over_and_paid_and_those_that_are_none_are_rejected_with_the_reason(
    store: Store, paid: Job, turk: Any
) -> None:
    handler, client = turk
    mturk.send(store, paid, client, 1.0)
    handler.assignments = {
        "HIT0": [submitted(1, "W1", '{"text": "word0"}'), submitted(2, "W2", '{"text": ""}')],
        "HIT1": [submitted(3, "W1", "no JSON"), submitted(4, "W3", '{"choice": "unreadable"}')],
    }
    settled = mturk.collect(store, paid, client)
    assert (settled.new, settled.approved, settled.rejected) == (2, 2, 2)
    calls = {body.get("AssignmentId"): (action, body) for action, body in handler.calls if "AssignmentId" in body}
    assert [calls[f"A{i}"][0] for i in (1, 2, 3, 4)] == [
        "ApproveAssignment",
        "RejectAssignment",
        "RejectAssignment",
        "ApproveAssignment",
    ]
    assert "Nothing was typed" in calls["A2"][1]["RequesterFeedback"]
    assert [(vote.value, vote.seconds) for vote in store.votes(paid)] == [
        ({"text": "word0"}, 4.5),
        ({"choice": "unreadable"}, 4.5),
    ]
    assert mturk.collect(store, paid, client).new == 0


def test_who_surely_fails_the_gold_tasks_is_rejected(store: Store, turk: Any) -> None:
    handler, client = turk
    template = load_template("transcribe").model_copy(update={"gold_share": 0.5, "pay_usd": 0.01})
    gold = [NewTask(f"g{i}", {}, b"x", gold={"text": "right"}) for i in range(6)]
    job = store.add_job("gold", template, [*gold, *blank_tasks(1)])
    mturk.send(store, job, client, 1.0)
    for number in range(6):
        answers = [("BAD", "wrong"), ("GOOD", "right")]
        handler.assignments[f"HIT{number}"] = [
            submitted(10 * number + i, who, json.dumps({"text": text})) for i, (who, text) in enumerate(answers)
        ]
    settled = mturk.collect(store, job, client)
    assert (settled.approved, settled.rejected) == (6, 6)
    reasons = {body["RequesterFeedback"] for action, body in handler.calls if action == "RejectAssignment"}
    assert reasons == {"0 of your answers to 6 words that we know were right, and 80% are asked for."}


def test_a_picture_that_is_too_large_for_the_service_is_refused_with_a_sentence(store: Store) -> None:
    job = store.add_job("pages", load_template("boxes"), [NewTask("a", {}, b"x" * 70_000)])
    with pytest.raises(BadParams, match="choose another pool"):
        mturk.question(job, {}, b"x" * 70_000)


# Prolific


class Api:
    """Prolific's answers, by method and path."""

    def __init__(self, **answers: Any) -> None:
        self.calls: list[tuple[str, str, Any]] = []
        self.answers = answers
        self.waited: list[float] = []
        self.busy = 0

    def __call__(self, request: Any) -> Any:
        if self.busy:
            self.busy -= 1
            return httpx.Response(429, headers={"retry-after": "3"})
        path = request.url.path.removeprefix("/api/v1/")
        self.calls.append((request.method, path, json.loads(request.content) if request.content else None))
        assert request.headers["authorization"] == "Token secret"
        if path == "studies/":
            return httpx.Response(201, json={"id": "study1", "status": "UNPUBLISHED"})
        if path in self.answers:
            return httpx.Response(200, json=self.answers[path])
        known = path.endswith("/transition/")
        return httpx.Response(200 if known else 404, json={} if known else {"error": {"title": "Not found"}})

    @property
    def client(self) -> prolific.Prolific:
        return prolific.Prolific("secret", transport=httpx.MockTransport(self), sleep=self.waited.append)


def test_a_study_is_made_with_places_pay_and_the_address_of_our_page(store: Store, paid: Job) -> None:
    api = Api()
    study, usd = prolific.send(store, paid, api.client, "https://label.example.org", most_usd=8.0, publish=True)
    assert (study, usd) == ("study1", 7.14)
    (_, _, body), publish = api.calls
    assert body["external_study_url"] == (
        "https://label.example.org/?PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"
    )
    assert (body["total_available_places"], body["reward"]) == (2, 250)
    assert publish == ("POST", "studies/study1/transition/", {"action": "PUBLISH"})
    with pytest.raises(BadParams, match="has a study already"):
        prolific.send(store, paid, api.client, "https://label.example.org", 8.0, publish=True)


def test_nothing_private_or_too_dear_reaches_prolific(store: Store, paid: Job, donated: Job) -> None:
    api = Api()
    with pytest.raises(PrivateData):
        prolific.send(store, donated, api.client, "https://label.example.org", 1000.0, publish=True)
    with pytest.raises(TooDear):
        prolific.send(store, paid, api.client, "https://label.example.org", 1.0, publish=True)
    assert api.calls == []


def test_when_it_is_asked_too_often_it_is_asked_again_after_the_time_that_it_says(store: Store, paid: Job) -> None:
    api = Api()
    api.busy = 2
    prolific.send(store, paid, api.client, "https://label.example.org", 8.0, publish=False)
    assert api.waited == [3.0, 3.0]
    api.busy = 99
    with pytest.raises(PoolDown, match="429"):
        api.client.call("GET", "studies/")


PLACE = {"id": "place1", "participant_id": "pid1", "study_id": "study1", "status": "ACTIVE"}


@pytest.mark.parametrize(
    ("given", "place", "known"),
    [
        (("pid1", "study1", "place1"), PLACE, True),
        (("pid2", "study1", "place1"), PLACE, False),  # another's place
        (("pid1", "study2", "place1"), PLACE, False),  # another's study
        (("pid1", "study1", "place1"), {**PLACE, "status": "REJECTED"}, False),
        (("pid1", "study1", "../studies"), PLACE, False),
        (("", "study1", ""), PLACE, False),
    ],
)
def test_only_whom_prolific_knows_comes_in(
    store: Store, paid: Job, given: tuple[str, str, str], place: dict[str, str], known: bool
) -> None:
    api = Api(**{"submissions/place1/": place})
    prolific.send(store, paid, api.client, "https://label.example.org", 8.0, publish=False)
    enter = prolific.door(store, paid, api.client)
    parameters = dict(zip(("PROLIFIC_PID", "STUDY_ID", "SESSION_ID"), given))
    if known:
        assert enter(parameters) == "prolific:pid1"
    else:
        with pytest.raises((Refused, PoolDown)):
            enter(parameters)


def test_who_came_to_the_end_is_approved_and_who_gave_nothing_is_not(store: Store, paid: Job) -> None:
    places = [
        {"id": f"place{i}", "participant_id": f"pid{i}", "study_id": "study1", "status": status}
        for i, status in enumerate(["AWAITING REVIEW", "AWAITING REVIEW", "ACTIVE"])
    ]
    api = Api(**{"submissions/": {"results": places}})
    prolific.send(store, paid, api.client, "https://label.example.org", 8.0, publish=False)
    ada = store.worker("prolific:pid0", "prolific", make=True)
    lease = store.lease(paid, ada)
    store.answer(paid, ada, lease.task, {"text": "a"}, 1.0, "k")
    settled = prolific.collect(store, paid, api.client)
    assert (settled.approved, settled.rejected) == (1, 1)
    approve, reject = api.calls[-2:]
    assert approve == ("POST", "submissions/place0/transition/", {"action": "APPROVE"})
    assert reject[1] == "submissions/place1/transition/"
    assert len(reject[2]["message"]) >= 100


@pytest.mark.parametrize(
    ("pool", "pay", "redundancy", "usd"),
    [("mturk", 0.05, 3, 0.06), ("mturk", 0.05, 10, 0.07), ("mturk", 0.01, 1, 0.02), ("contractors", 0.05, 1, 0.05)],
)
def test_what_an_answer_costs_has_the_fee_of_its_pool(pool: str, pay: float, redundancy: int, usd: float) -> None:
    assert POOLS[pool].answer_usd(pay, redundancy) == pytest.approx(usd)


def test_only_contractors_are_under_an_agreement() -> None:
    check_cost(1.0, 1.0, 3)
    assert POOLS["contractors"].under_nda
    assert not any(POOLS[name].under_nda for name in ("notebook", "mturk", "prolific"))
