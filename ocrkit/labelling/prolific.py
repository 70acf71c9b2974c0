"""The pool `prolific`: a study whose people come to our own page and are approved through Prolific's API.

Written by https://docs.prolific.com and tested against answers as it shows them; the service itself was never reached.
"""

from __future__ import annotations

import hashlib
import math
import os
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from ocrkit.errors import BadParams, MissingExtra
from ocrkit.labelling.jobs import Job, Refused, Store
from ocrkit.labelling.pools import POOLS, PoolDown, Settled, check_cost, check_pool, settle, whole_cents

API = "https://api.prolific.com/api/v1/"
TASKS_A_PLACE = 50  # that each person answers
_TRIES, _LONGEST_WAIT_S = 5, 60.0
# Prolific wants a hundred characters at least.
_WHY = "The instructions of the study say how each word is to be typed, and known words show whether that is done."
_WORKING = ("ACTIVE", "AWAITING REVIEW")


class Prolific:
    """The API.

    Args:
        token: of the account; `PROLIFIC_TOKEN` of the environment by default.
        api: its address.
        transport: of httpx, for tests.
        sleep: how to wait.

    Raises:
        BadParams: there is no token.
        MissingExtra: httpx is not installed.
    """

    def __init__(
        self, token: str = "", api: str = API, transport: Any = None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        try:
            import httpx
        except ImportError:
            raise MissingExtra("Prolific needs httpx: pip install 'ocrkit[labelling]'.") from None
        self._token = token or os.environ.get("PROLIFIC_TOKEN", "")
        if not self._token:
            raise BadParams("Prolific needs the token of your account in the variable PROLIFIC_TOKEN.")
        self._sleep, self._error = sleep, httpx.HTTPError
        self._http = httpx.Client(
            base_url=api, headers={"Authorization": f"Token {self._token}"}, timeout=30, transport=transport
        )

    def code(self, job: Job) -> str:
        """The code by which Prolific knows that somebody came to the end; nobody can tell it without the token."""
        return hashlib.sha256(f"{self._token}/{job.name}/{job.created}".encode()).hexdigest()[:10].upper()

    def call(self, method: str, path: str, body: Any = None, params: Mapping[str, str] | None = None) -> Any:
        """What the API answers; waits where it says that it is asked too often.

        Raises:
            PoolDown: it does not answer, or says no.
        """
        for number in range(_TRIES):
            try:
                response = self._http.request(method, path, json=body, params=params)
            except self._error as error:
                raise PoolDown(f"Prolific does not answer: {error}.") from None
            if response.status_code != 429:
                break
            told = response.headers.get("retry-after", "")
            self._sleep(min(float(told) if told.isdecimal() else 2.0**number, _LONGEST_WAIT_S))
        if response.is_error:
            raise PoolDown(f"Prolific says no to {method} {path}: {response.status_code} {response.text[:300]}")
        return response.json() if response.content else {}


def send(
    store: Store, job: Job, prolific: Prolific, origin: str, most_usd: float | None, publish: bool
) -> tuple[str, float]:
    """Make a study of a job; returns its id and what it costs at most.

    Args:
        store: of the job.
        job: whose tasks are asked.
        prolific: the API.
        origin: of the page, where `ocrkit label serve --pool prolific` runs.
        most_usd: that it may cost.
        publish: whether people see it at once, or it stays a draft to look at.

    Raises:
        PrivateData: the job is private; nothing was sent.
        TooDear: it costs more than `most_usd`.
        PoolDown: the service says no.
        BadParams: there is a study of this job already.
    """
    pool, template = POOLS["prolific"], job.template
    check_pool(job, pool)
    if there := store.sent(job, pool.name):
        raise BadParams(f"The job {job.name} has a study already: {there[0]['remote']}.")
    answers = template.redundancy * sum(task["gold"] is None for task in store.tasks(job))
    places = max(template.redundancy, math.ceil(answers / TASKS_A_PLACE))
    cents = round(100 * template.pay_usd * TASKS_A_PLACE)
    usd = whole_cents(places * pool.answer_usd(cents / 100, 1))
    check_cost(usd, most_usd, answers)
    minutes = max(1, math.ceil(template.seconds * TASKS_A_PLACE / 60))
    query = "&".join(f"{name}={{{{%{name}%}}}}" for name in ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID"))
    study = prolific.call(
        "POST",
        "studies/",
        {
            "name": template.title,
            "internal_name": job.name,
            "description": template.instructions or template.title,
            "external_study_url": f"{origin}/?{query}",
            "prolific_id_option": "url_parameters",
            "completion_codes": [
                {"code": prolific.code(job), "code_type": "COMPLETED", "actions": [{"action": "MANUALLY_REVIEW"}]}
            ],
            "total_available_places": places,
            "estimated_completion_time": minutes,
            "reward": cents,
            "device_compatibility": ["desktop"],
            "peripheral_requirements": [],
        },
    )
    store.add_sent(job, pool.name, None, study["id"], usd)
    if publish:
        prolific.call("POST", f"studies/{quote(study['id'], safe='')}/transition/", {"action": "PUBLISH"})
    return study["id"], usd


def door(store: Store, job: Job, prolific: Prolific) -> Callable[[Mapping[str, str]], str]:
    """How the page knows whom Prolific sent: it asks there whether that person has that place of this study.

    The parameters of an address can be invented, and the id of a place (SESSION_ID) be seen by others; so the person,
    the study and the state must all be as Prolific has them.
    """
    studies = {row["remote"] for row in store.sent(job, "prolific")}

    def known(given: Mapping[str, str]) -> str:
        person, study, place = (given.get(name, "") for name in ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID"))
        if study not in studies or not person.isalnum() or not place.isalnum():
            raise Refused("This address is not that of a study of ours.")
        told = prolific.call("GET", f"submissions/{place}/")
        if (told.get("participant_id"), told.get("study_id")) != (person, study) or told.get("status") not in _WORKING:
            raise Refused("Prolific does not know this person in this study.")
        return f"prolific:{person}"

    return known


def collect(store: Store, job: Job, prolific: Prolific) -> Settled:
    """Approve or reject, with the reason, who came to the end. Their answers are in the store already.

    Raises:
        PoolDown: the service says no.
    """
    settled = Settled()
    for row in store.sent(job, "prolific"):
        for place in prolific.call("GET", "submissions/", params={"study": row["remote"]})["results"]:
            if place["status"] != "AWAITING REVIEW":
                continue
            worker = store.worker(f"prolific:{place['participant_id']}", "prolific", make=True)
            fault = "" if store.answered(job, worker) else "There is no answer of yours."
            reason = settle(store, job, worker, fault)
            body: dict[str, Any] = {"action": "APPROVE"}
            if reason:
                body = {
                    "action": "REJECT",
                    "rejection_category": "FAILED_INSTRUCTIONS" if not fault else "NO_DATA",
                    "message": f"{reason} {_WHY}",
                }
            prolific.call("POST", f"submissions/{quote(place['id'], safe='')}/transition/", body)
            settled.approved += not reason
            settled.rejected += bool(reason)
            store.audit("rejected" if reason else "approved", worker.id, job=job.id, detail=reason)
    return settled
