"""What page and widget ask and are told, the same for both: a message and buffers each way.

    {"kind": "task"}                        -> {"kind": "task", ...}, [PNG] or {"kind": "done"}
    {"kind": "answer", "task": 7, "value": {"text": "Total"}, "seconds": 2.1, "key": "..."}  -> the next task
    {"kind": "undo"}                        -> the task before, again
    {"kind": "stats"}                       -> numbers about the job

Pixels travel as buffers beside a message and are nobody's state: neither notebooks nor caches keep them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ocrkit.errors import BadImage, OcrkitError, Withdrawn
from ocrkit.labelling.jobs import Job, Lease, LeaseOver, Store, Worker
from ocrkit.labelling.templates import BadAnswer, Template

_OWN = ("notebook",)  # pools of people whose own the pictures are
_OF_TEMPLATES = (
    "name",
    "interface",
    "title",
    "instructions",
    "choices",
    "hint",
    "candidates",
    "pattern",
    "longest",
    "examples",
)
_MOST_TASKS = 2**63  # that SQLite counts
_OF_TASKS = ("reading", "candidates", "boxes", "scale")


# The picture of a private task, from where it is kept; see `ocrkit.labelling.tasks.reopened`.
Pictures = Callable[[Lease], bytes]


class Conversation:
    """One person at one job.

    Args:
        store: of the job.
        job: its tasks.
        worker: who answers.
        pictures: of a private job.
        address: that the person comes from, for the audit.
        most: tasks that the person may answer; 0 for all.
    """

    def __init__(
        self,
        store: Store,
        job: Job,
        worker: Worker,
        pictures: Pictures | None = None,
        address: str = "",
        most: int = 0,
    ) -> None:
        self._store, self._job, self._worker = store, job, worker
        self._pictures, self._address, self._most = pictures, address, most

    def reply(self, message: Any) -> tuple[dict[str, Any], list[bytes]]:
        """What is said back, and the pictures with it. An error is a message, too, so that nothing typed is lost."""
        try:
            return self._reply(message if isinstance(message, dict) else {})
        except BadAnswer as error:
            return {"kind": "mend", "sentence": str(error)}, []
        except LeaseOver as error:
            return {"kind": "over", "sentence": str(error)}, []
        except OcrkitError as error:
            return {"kind": "refused", "sentence": str(error)}, []

    def _reply(self, message: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        kind = message.get("kind")
        if kind == "answer":
            task, key, seconds = message.get("task"), message.get("key", ""), message.get("seconds", 0)
            if not (isinstance(task, int) and 0 < task < _MOST_TASKS and isinstance(seconds, int | float)):
                raise BadAnswer("An answer names its task, and the seconds it took.")
            try:
                with self._store.together():
                    self._store.answer(self._job, self._worker, task, message.get("value"), seconds, key, self._address)
                    return self._task()
            except Withdrawn as error:
                self._store.drop(self._job, task, str(error))
                return self._task()
        if kind == "undo":
            self._store.undo(self._job, self._worker)
            return self._task()
        if kind == "stats":
            return {"kind": "stats", **self._store.statistics(self._job, self._worker)}, []
        if kind == "task":
            return self._task()
        raise BadAnswer("This message is none that is understood.")

    def _task(self) -> tuple[dict[str, Any], list[bytes]]:
        enough = self._most and self._store.answered(self._job, self._worker) >= self._most
        while lease := None if enough else self._store.lease(self._job, self._worker, self._address):
            try:
                picture = self._picture(lease)
            except OcrkitError as error:  # withdrawn since, or gone
                self._store.drop(self._job, lease.task, str(error))
            else:
                break
        else:
            return {"kind": "done", "job": self._job.name}, []
        told = {"kind": "task", "task": lease.task, "until": lease.until, **shown(self._job.template, lease.content)}
        watermark = "" if self._worker.pool in _OWN else self._worker.name
        return {**told, "job": self._job.name, "watermark": watermark}, [picture or b""]

    def _picture(self, lease: Lease) -> bytes | None:
        if lease.picture or not self._job.private:  # known answers are of public pictures in private jobs too
            return lease.picture
        if self._pictures is None:
            raise BadImage("The page's pictures are not at hand.")
        return self._pictures(lease)


def shown(template: Template, content: Mapping[str, Any]) -> dict[str, Any]:
    """What people are told of a template and a task; who knew the rest, such as what gold is, could play with it."""
    kept = {name: content[name] for name in _OF_TASKS if name in content}
    if not template.hint:
        kept |= {"reading": "", "candidates": []}
    return {"template": template.model_dump(include=set(_OF_TEMPLATES)), "content": kept}
