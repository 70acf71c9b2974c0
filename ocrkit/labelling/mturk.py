"""The pool `mturk`: tasks as HITs of Amazon Mechanical Turk, the sandbox's unless another endpoint is given.

Requests were checked against botocore's model of the service, and against a stand-in that speaks its JSON; the service
itself was never reached.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ocrkit.errors import BadParams, MissingExtra
from ocrkit.labelling.assets import PAGE, script, style
from ocrkit.labelling.conversation import shown
from ocrkit.labelling.jobs import Job, Store
from ocrkit.labelling.pools import POOLS, PoolDown, Settled, TooDear, check_cost, check_pool, cost_usd, settle
from ocrkit.labelling.templates import BadAnswer

SANDBOX = "https://mturk-requester-sandbox.us-east-1.amazonaws.com"
_MOST_BYTES = 65_535  # of a question
_LIFETIME_S = 7 * 24 * 3600
_AUTO_APPROVAL_S = 3 * 24 * 3600
# Built-in qualifications: share of a worker's earlier answers that were approved, and their number.
_APPROVED_SHARE, _APPROVED_NUMBER = "000000000000000000L0", "00000000000000000040"
_QUALIFIED = [
    {"QualificationTypeId": _APPROVED_SHARE, "Comparator": "GreaterThanOrEqualTo", "IntegerValues": [97]},
    {"QualificationTypeId": _APPROVED_NUMBER, "Comparator": "GreaterThanOrEqualTo", "IntegerValues": [500]},
]
_QUESTION = """<?xml version="1.0" encoding="UTF-8"?>
<HTMLQuestion xmlns="http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2011-11-11/HTMLQuestion.xsd">
<HTMLContent><![CDATA[{html}]]></HTMLContent><FrameHeight>600</FrameHeight></HTMLQuestion>"""


def client(endpoint: str = SANDBOX) -> Any:
    """boto3's client of the service.

    Raises:
        MissingExtra: boto3 is not installed, or no longer knows the service.
        BadParams: there are no credentials, or no such endpoint.
    """
    try:
        import boto3
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise MissingExtra("Mechanical Turk needs boto3: pip install 'ocrkit[cloud]'.") from None
    try:
        return boto3.client("mturk", region_name="us-east-1", endpoint_url=endpoint)
    except (BotoCoreError, ValueError) as error:
        raise BadParams(f"Mechanical Turk cannot be used: {error}") from None


def send(store: Store, job: Job, mturk: Any, most_usd: float | None) -> tuple[int, float]:
    """Make a HIT of each task that is none yet; returns their number and what their answers cost at most.

    A call that was cut off goes on where it stopped: each HIT has a token by which Amazon knows it again.

    Raises:
        PrivateData: the job is private; nothing was sent.
        TooDear: it costs more than `most_usd`, or than is on the account.
        PoolDown: the service says no.
    """
    pool = POOLS["mturk"]
    check_pool(job, pool)
    answers, usd = cost_usd(store, job, pool)
    check_cost(usd, most_usd, answers)
    sent = {row["task"] for row in store.sent(job, pool.name)}
    questions = {
        task["id"]: question(job, task["content"], store.picture(task["id"]) or b"")
        for task in store.tasks(job)
        if task["id"] not in sent
    }
    template = job.template
    with _told():
        balance = float(mturk.get_account_balance()["AvailableBalance"])
        if balance < usd:
            raise TooDear(f"{answers:,} answers would cost ${usd:,.2f}, and ${balance:,.2f} are on the account.")
        kind = mturk.create_hit_type(
            Title=template.title,
            Description=template.instructions[:1900] or template.title,
            Keywords="transcription, text, image",
            Reward=f"{template.pay_usd:.2f}",
            AssignmentDurationInSeconds=max(30, round(template.lease_s)),
            AutoApprovalDelayInSeconds=_AUTO_APPROVAL_S,
            QualificationRequirements=_QUALIFIED,
        )["HITTypeId"]
        for task, text in questions.items():
            token = hashlib.sha256(f"{job.name}/{job.created}/{task}".encode()).hexdigest()
            hit = mturk.create_hit_with_hit_type(
                HITTypeId=kind,
                MaxAssignments=template.redundancy,
                LifetimeInSeconds=_LIFETIME_S,
                Question=text,
                RequesterAnnotation=f"{job.name} {task}",
                UniqueRequestToken=token,
            )["HIT"]["HITId"]
            each = template.redundancy * pool.answer_usd(template.pay_usd, template.redundancy)
            store.add_sent(job, pool.name, task, hit, each)
    return len(questions), usd


def collect(store: Store, job: Job, mturk: Any) -> Settled:
    """Take over the answers that came, and approve or reject each with the reason.

    Raises:
        PoolDown: the service says no.
    """
    waiting = []
    settled = Settled()
    with _told():
        for row in store.sent(job, "mturk"):
            for assignment in _assignments(mturk, row["remote"]):
                name = f"mturk:{assignment['WorkerId']}"
                worker = store.worker(name, "mturk", make=True)
                try:
                    value = _answer_of(assignment["Answer"])
                    settled.new += store.record(
                        job, worker, row["task"], value, _seconds(assignment), assignment["AssignmentId"]
                    )
                    waiting.append((assignment["AssignmentId"], worker, ""))
                except BadAnswer as error:
                    waiting.append((assignment["AssignmentId"], worker, str(error)))
        for assignment_id, worker, fault in waiting:
            reason = settle(store, job, worker, fault)
            if reason:
                mturk.reject_assignment(AssignmentId=assignment_id, RequesterFeedback=reason[:1024])
                settled.rejected += 1
            else:
                mturk.approve_assignment(AssignmentId=assignment_id)
                settled.approved += 1
            store.audit("rejected" if reason else "approved", worker.id, job=job.id, detail=reason)
    return settled


def question(job: Job, content: dict[str, Any], picture: bytes) -> str:
    """A task as Amazon's HTMLQuestion: the same script as everywhere, with the picture inside.

    Raises:
        BadParams: it is larger than Amazon takes.
    """
    message = {"kind": "task", "task": 1, "watermark": "", "job": job.name, **shown(job.template, content)}
    task = {"task": message, "picture": base64.b64encode(picture).decode()}
    # What could end the script element, or the CDATA section around all, is written otherwise; JSON reads it the same.
    data = json.dumps(task).replace("<", "\\u003c").replace("]]>", "]]\\u003e")
    code = script().replace("export default", "const tasks =") + (PAGE / "mturk.js").read_text("utf-8")
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(job.template.title)}</title>'
        f'<style>{style()}</style></head><body><div id="app"></div><form id="form" method="post">'
        '<input type="hidden" name="assignmentId" id="assignment"><input type="hidden" name="answer" id="answer">'
        "</form>"
        f'<script type="application/json" id="task">{data}</script><script type="module">{code}</script></body></html>'
    )
    text = _QUESTION.format(html=page.replace("]]>", "]] >"))
    if len(text.encode()) > _MOST_BYTES:
        raise BadParams(
            f"A task of {job.name} is {len(text.encode()):,} bytes large, and Mechanical Turk takes {_MOST_BYTES:,}: "
            "choose another pool, or smaller pictures."
        )
    return text


def _assignments(mturk: Any, hit: str) -> Iterator[dict[str, Any]]:
    more: dict[str, str] = {}
    while True:
        page = mturk.list_assignments_for_hit(HITId=hit, MaxResults=100, AssignmentStatuses=["Submitted"], **more)
        yield from page.get("Assignments", [])
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


def _answer_of(text: str) -> Any:
    """The answer in Amazon's XML."""
    try:
        root = ET.fromstring(text)
        for answer in root.iter():
            if answer.tag.rpartition("}")[2] == "Answer":
                parts = {part.tag.rpartition("}")[2]: part.text or "" for part in answer}
                if parts.get("QuestionIdentifier") == "answer":
                    return json.loads(parts["FreeText"])
    except (ET.ParseError, ValueError, KeyError):
        pass
    raise BadAnswer("The answer that was sent is none that the task asked for.")


def _seconds(assignment: dict[str, Any]) -> float:
    try:
        return float((assignment["SubmitTime"] - assignment["AcceptTime"]).total_seconds())
    except (KeyError, TypeError):
        return 0.0


@contextmanager
def _told() -> Iterator[None]:
    """Errors of the service as a sentence."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise PoolDown(
            f"Mechanical Turk says no: {error}. What was sent before is kept; the same command goes on."
        ) from None
