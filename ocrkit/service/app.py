"""The service's face: a page, and REST."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast
from urllib.parse import parse_qs, quote

from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response

from ocrkit import html
from ocrkit.errors import BadImage, OcrkitError
from ocrkit.options import options_class
from ocrkit.service import api, intake
from ocrkit.service.database import DiskFull, StoreFailed
from ocrkit.service.guard import COOKIE, Guard, Rate, knows, session
from ocrkit.service.index import BadQuery, Index
from ocrkit.service.kinds import KINDS
from ocrkit.service.queue import STATES, Job, JobOptions, Queue, State, UnknownDocument
from ocrkit.service.results import Result, StoredPage, rendered
from ocrkit.service.store import Store
from ocrkit.service.work import forget

_LOG = logging.getLogger("ocrkit.service")
_HERE = Path(__file__).parent
_LEAST_FREE = 200 * 2**20  # bytes of disk, below which nothing more is taken
_RETRY_S = 30
FORMS = {
    "text": ("text/plain; charset=utf-8", ".txt"),
    "json": ("application/json", ".json"),
    "hocr": ("text/html; charset=utf-8", ".hocr"),
    "alto": ("application/xml", ".xml"),
    "pdf": ("application/pdf", ".pdf"),
}
_FILES = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "login.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
_STATUS: dict[type[OcrkitError], int] = {
    UnknownDocument: 404,
    BadQuery: 400,
    intake.TooLarge: 413,
    BadImage: 415,
    intake.PrivateData: 403,
    DiskFull: 507,
    StoreFailed: 503,
}


@options_class
class FaceOptions:
    """What the face allows.

    Attributes:
        token: that everybody must have; empty: only this machine.
        a_second: requests that write or search, of each client.
        at_once: such requests after a rest.
        most_waiting: documents in the queue, beyond which none is taken.
    """

    token: str = ""
    a_second: float = 20.0
    at_once: int = 60
    most_waiting: int = 10_000


class NotRead(OcrkitError):
    """A document that has no result, or not yet."""


class Face:
    """Answers for one store.

    Args:
        store: that it serves.
        queue: of the store.
        index: of the store.
        choose: see `ocrkit.service.intake.choose_model`.
        options: what it allows.
        jails: how many read here; for those who look.
        problems: what keeps documents from being read, in sentences.
    """

    def __init__(
        self,
        store: Store,
        queue: Queue,
        index: Index,
        choose: intake.Choose,
        options: FaceOptions | None = None,
        jails: int = 1,
        problems: Callable[[], list[str]] = list,
    ) -> None:
        self.store, self.queue, self.index, self.choose = store, queue, index, choose
        self.options, self.jails, self.problems = options or FaceOptions(), jails, problems
        document = "/documents/{id}"
        state, nothing = api.DocumentState, ""
        self.operations = (
            api.Operation("POST", "/documents", self.take, "Hand in a document: its bytes are the body.",
                          {202: state}, {
                              "name": ("string", "For people."),
                              "all_pages": ("boolean", "Else the first ten."),
                              "keep_doubtful": ("boolean", "Keep what looks like words and is hardly read."),
                              "key": ("string", "Such as a user; in a rollout, one version reads all of a key."),
                          }, body=True),
            api.Operation("GET", "/documents", self.list, "Documents, the newest first.", {200: api.Documents},
                          {"state": ("string", ", ".join(STATES)), "limit": ("integer", "At most 500.")}),
            api.Operation("GET", document, self.state, "How far a document is.", {200: state}),
            api.Operation("DELETE", document, self.forget, "Forget a document and every byte of it.", {204: nothing}),
            api.Operation("POST", document + "/retry", self.retry, "Read it again.", {202: state}),
            *(api.Operation("GET", f"{document}/{form}", partial(self.result, form), f"What was read, as {form}.",
                            {200: kind}) for form, (kind, _) in FORMS.items()),
            api.Operation("GET", document + "/pages/{number:int}", self.page, "A page's words and boxes.",
                          {200: StoredPage}),
            api.Operation("GET", document + "/pages/{number:int}/picture", self.picture, "A page's picture.",
                          {200: "image/jpeg"}),
            api.Operation("GET", "/search", self.search, "Pages that say something, and where on them.",
                          {200: api.FoundPages}, {
                              "q": ("string", 'Words; "a phrase"; begin*; this NEAR that.'),
                              "fuzzy": ("boolean", "Also misread words; else only where nothing else is found."),
                              "kind": ("string", f"Of document: {', '.join(KINDS)}."),
                              "document": ("string", "Only in this one."),
                              "since": ("number", "When it was handed in, s since 1970."),
                              "until": ("number", "The same."),
                              "before": ("integer", "`next` of the last answer."),
                              "limit": ("integer", "Of pages; at most 100."),
                          }),
            api.Operation("GET", "/metrics", self.metrics, "Figures for Prometheus.", {200: "text/plain"}),
            api.Operation("GET", "/health", self.health, "Whether documents are taken and read.",
                          {200: api.Health}),
            api.Operation("GET", "/openapi.json", self.description, "This description.", {200: "application/json"}),
        )  # fmt: skip

    def app(self) -> Starlette:
        """The application."""
        page = [
            api.Operation("GET", "/", self.home, "The page.", {}),
            api.Operation("POST", "/login", self.login, "Give the token once.", {}),
            *(api.Operation("GET", f"/{name}", partial(_file, name), "A part of the page.", {}) for name in _FILES),
        ]
        rate = Rate(self.options.a_second, self.options.at_once)
        return Starlette(
            routes=api.routes([*self.operations, *page]),
            middleware=[Middleware(Guard, token=self.options.token, rate=rate)],
            exception_handlers={OcrkitError: _failed, ClientDisconnect: _gone},  # type: ignore[dict-item]
        )

    # Documents

    async def take(self, request: Request) -> Response:
        """POST /documents."""
        if request.headers.get("content-type", "").startswith("multipart/"):
            return _sentence(415, "Send the document's bytes as they are: curl --data-binary @FILE.")
        length = request.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > intake.MOST_BYTES:
            raise intake.TooLarge(f"A document may have {intake.MOST_BYTES // 2**20} MB at most.")
        if shutil.disk_usage(self.store.folder).free < _LEAST_FREE:
            raise DiskFull("The disk is nearly full, so nothing more is taken: make room first.")
        if (await run_in_threadpool(self.queue.counts))["queued"] >= self.options.most_waiting:
            return _sentence(429, "Too many documents wait already: come again later.", {"Retry-After": str(_RETRY_S)})
        options = JobOptions(
            all_pages=_yes(request, "all_pages") or False, keep_doubtful=_yes(request, "keep_doubtful") or False
        )
        name, key = request.query_params.get("name", "document"), request.query_params.get("key", "")
        with self.store.temporary() as file:
            size = 0
            async for part in request.stream():
                size += len(part)
                if size > intake.MOST_BYTES:
                    raise intake.TooLarge(f"A document may have {intake.MOST_BYTES // 2**20} MB at most.")
                file.write(part)
            file.seek(0)
            job, new = await run_in_threadpool(
                intake.hand_in, self.store, self.queue, file, name, self.choose, options, key=key
            )
        _LOG.info("taken", extra={"document": job.id, "kind": job.kind, "size": job.size, "new": new})
        return _json(api.told(job), 202, {"Location": f"/documents/{job.id}"})

    async def list(self, request: Request) -> Response:
        """GET /documents."""
        state = request.query_params.get("state")
        if state is not None and state not in STATES:
            return _sentence(400, f"A state is one of {', '.join(STATES)}.")
        limit = int(_number(request, "limit", 100, 1, 500) or 100)
        jobs = await run_in_threadpool(self.queue.jobs, cast(State | None, state), limit)
        counts = {str(name): count for name, count in (await run_in_threadpool(self.queue.counts)).items()}
        documents = [api.told(job) for job in jobs]
        return _json(api.Documents(counts=counts, jails=self.jails, documents=documents))

    async def state(self, request: Request) -> Response:
        """GET /documents/{id}."""
        return _json(api.told(await self._job(request)))

    async def forget(self, request: Request) -> Response:
        """DELETE /documents/{id}."""
        await run_in_threadpool(forget, self.store, self.queue, self.index, request.path_params["id"])
        _LOG.info("forgotten", extra={"document": request.path_params["id"]})
        return Response(status_code=204)

    async def retry(self, request: Request) -> Response:
        """POST /documents/{id}/retry."""
        job = await self._job(request)

        def again() -> Job:
            if job.state in ("done", "dead"):
                self.store.erase_result(job.id)
            self.queue.retry(job.id)
            return self.queue.job(job.id)

        return _json(api.told(await run_in_threadpool(again)), 202)

    async def result(self, form: str, request: Request) -> Response:
        """GET /documents/{id}/text and the like."""
        job = await self._read(request)

        def made() -> bytes:
            result = self.store.result(job.id)
            if form == "pdf" and result.searchable != "pictures":
                whole = result.searchable == "whole"
                return self.store.searchable(job.id) if whole else self.store.read_file(job.file)
            pictures = [self.store.picture(job.id, page.number) for page in result.pages] if form == "pdf" else []
            return rendered(result, job.name, form, pictures)

        kind, suffix = FORMS[form]
        name = quote(Path(job.name).stem + suffix, safe="")
        # What others have written, such as hOCR and PDFs with all that was in them, must not run as one of our pages.
        where = "inline" if form in ("text", "json") else "attachment"
        headers = {"Content-Disposition": f"{where}; filename*=UTF-8''{name}"}
        return Response(await run_in_threadpool(made), 200, headers, kind)

    async def page(self, request: Request) -> Response:
        """GET /documents/{id}/pages/{number}."""
        job = await self._read(request)
        result: Result = await run_in_threadpool(self.store.result, job.id)
        for page in result.pages:
            if page.number == request.path_params["number"]:
                return _json(page)
        return _sentence(404, "There is no such page.")

    async def picture(self, request: Request) -> Response:
        """GET /documents/{id}/pages/{number}/picture."""
        job = await self._read(request)
        picture = await run_in_threadpool(self.store.picture, job.id, request.path_params["number"])
        if not picture:
            return _sentence(404, "There is no picture of this page.")
        # What a result shows stays the same; a forgotten document must not stay in the browser for long.
        return Response(picture, 200, {"Cache-Control": "private, max-age=300"}, "image/jpeg")

    # Words

    async def search(self, request: Request) -> Response:
        """GET /search."""
        asked = request.query_params.get("q", "")

        def answer() -> api.FoundPages:
            hits = self.index.search(
                asked,
                fuzzy=_yes(request, "fuzzy"),
                kind=request.query_params.get("kind") or None,
                document=request.query_params.get("document") or None,
                since=_number(request, "since"),
                until=_number(request, "until"),
                before=None if (before := _number(request, "before")) is None else int(before),
                limit=int(_number(request, "limit", 20, 1, 100) or 20),
            )
            return api.found(hits, self.queue.names({hit.document for hit in hits.hits}))

        return _json(await run_in_threadpool(answer))

    # The service itself

    async def metrics(self, request: Request) -> Response:
        """GET /metrics."""
        from ocrkit.service.metrics import exposition

        figures = await run_in_threadpool(exposition, self.store, self.queue, self.index)
        return Response(figures, 200, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def health(self, request: Request) -> Response:
        """GET /health."""

        def look() -> list[str]:
            problems = self.problems()
            try:
                self.queue.counts()
            except StoreFailed as error:
                problems.append(str(error))
            if shutil.disk_usage(self.store.folder).free < _LEAST_FREE:
                problems.append("The disk is nearly full.")
            return problems

        problems = await run_in_threadpool(look)
        told = api.Health(status="failing" if problems else "ok", problems=problems)
        return _json(told, 503 if problems else 200)

    async def description(self, request: Request) -> Response:
        """GET /openapi.json."""
        return JSONResponse(api.described(self.operations))

    async def home(self, request: Request) -> Response:
        """GET /."""
        known = not self.options.token or knows(request.headers, self.options.token)
        template = "page.html" if known else "login.html"
        return HTMLResponse(html.render(_HERE / template, "ocrkit", {}))

    async def login(self, request: Request) -> Response:
        """POST /login."""
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > 4096:
                return _sentence(413, "This is no token.")
        (given,) = parse_qs(body.decode("utf-8", "replace")).get("token", [""])[:1]
        await asyncio.sleep(0.2)  # guessing takes time
        if not self.options.token or session(given.strip()) != session(self.options.token):
            return _sentence(401, "This is not the token.")
        answer = Response(status_code=204)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, session(given.strip()), httponly=True, samesite="strict", secure=secure)
        return answer

    async def _job(self, request: Request) -> Job:
        return await run_in_threadpool(self.queue.job, request.path_params["id"])

    async def _read(self, request: Request) -> Job:
        job = await self._job(request)
        if job.state != "done":
            why = job.reason if job.state == "dead" else "ask for its state until it is done."
            raise NotRead(f"This document is {job.state}: {why}")
        return job


def _json(model: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(model.model_dump_json(), status, headers, "application/json")


def _sentence(status: int, sentence: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": sentence}, status, headers)


async def _file(name: str, request: Request) -> Response:
    if name.endswith(".css"):
        both = ((_HERE.parent / "html" / "style.css"), _HERE / name)
        return Response("\n".join(path.read_text("utf-8") for path in both), media_type=_FILES[name])
    return FileResponse(_HERE / name, media_type=_FILES[name])


async def _failed(request: Request, error: Exception) -> Response:
    status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 400)
    status = 409 if isinstance(error, NotRead) else status
    headers = {"Retry-After": str(_RETRY_S)} if status in (503, 507) else None
    return _sentence(status, str(error), headers)


async def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=400)


def _yes(request: Request, name: str) -> bool | None:
    value = request.query_params.get(name)
    return None if value is None or value == "" else value.lower() in ("1", "true", "yes", "on")


def _number(
    request: Request, name: str, default: float | None = None, least: float = -1e15, most: float = 1e15
) -> float | None:
    text = request.query_params.get(name)
    if text is None or text == "":
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise BadQuery(f"{name} must be a number{f' from {least:g} to {most:g}' if default is not None else ''}.")
    return value
