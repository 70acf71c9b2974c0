"""The page on which people answer: passkeys, an agreement, one leased task at a time, and an audit of all they saw.

Nothing is kept by browsers or proxies, scripts come from here only, a picture comes with the task that a person has and
by no other way, and each request is checked against the person's state, so that a dismissal holds from the next one on.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

from ocrkit.errors import BadParams, MissingExtra, OcrkitError
from ocrkit.labelling.assets import PAGE, script, style
from ocrkit.labelling.conversation import Conversation, Pictures
from ocrkit.labelling.jobs import Job, Session, Store, Worker
from ocrkit.labelling.pools import Pool, PrivateData, check_pool

try:
    import webauthn  # noqa: F401  so that a missing one is told at the start
    from starlette.applications import Starlette
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route
except ImportError:
    raise MissingExtra(
        "The labelling page needs starlette, uvicorn and webauthn: pip install 'ocrkit[labelling]'."
    ) from None

_MOST_BYTES = 1_000_000  # of a request
_TRIES, _WITHIN_S = 10, 300.0  # refusals of an address before it has to wait
_COOKIE = "ocrkit-labelling"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), display-capture=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_NAME = "ocrkit labelling"


class Refusal(Exception):
    """An answer other than yes: its status and a sentence for the page."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


# Whether somebody whom a crowd's page sent is who the address says: asked of the crowd itself, by its parameters.
Door = Callable[[Mapping[str, str]], str]


@dataclass
class Page:
    """What a server shows.

    Attributes:
        store: of the job.
        job: that is answered.
        pool: of the people who come.
        origin: as browsers see it, such as `https://label.example.org`.
        nda: the agreement; empty where there is none.
        local: the secret of an address that lets one person in without a passkey, from this machine only.
        local_name: who that is.
        pictures: of a private job.
        door: how a crowd's people are known.
        done_url: where they go when all is answered.
        most: tasks a person; 0 for all.
    """

    store: Store
    job: Job
    pool: Pool
    origin: str
    nda: str = ""
    local: str = ""
    local_name: str = ""
    pictures: Pictures | None = None
    door: Door | None = None
    done_url: str = ""
    most: int = 0

    def __post_init__(self) -> None:
        """A private job needs people under an agreement, and an agreement."""
        check_pool(self.job, self.pool)
        parts = urlsplit(self.origin)
        if not parts.hostname or (parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1")):
            raise BadParams(f"{self.origin}: passkeys and pictures need https, or localhost.")
        if self.job.private and not self.nda.strip():
            raise PrivateData(f"The job {self.job.name} is private: name the agreement that people accept with --nda.")

    @property
    def host(self) -> str:
        """The name that passkeys belong to."""
        return str(urlsplit(self.origin).hostname)

    @property
    def nda_digest(self) -> str:
        """SHA-256 of the agreement; a changed one is to be accepted again."""
        return hashlib.sha256(self.nda.encode()).hexdigest() if self.nda else ""


def application(page: Page) -> Starlette:
    """The page as an ASGI application."""
    return Starlette(routes=_Handlers(page).routes())


class _Handlers:
    def __init__(self, page: Page) -> None:
        self.page, self.store = page, page.store
        self.files = {
            "": ("text/html; charset=utf-8", (PAGE / "index.html").read_text("utf-8")),
            "favicon.ico": ("image/x-icon", ""),
            "page.js": ("text/javascript; charset=utf-8", (PAGE / "page.js").read_text("utf-8")),
            "tasks.js": ("text/javascript; charset=utf-8", script()),
            "style.css": ("text/css; charset=utf-8", (PAGE / "page.css").read_text("utf-8") + style()),
        }

    def routes(self) -> list[Route]:
        acts = {
            "register/begin": self.register_begin,
            "register/finish": self.register_finish,
            "login/begin": self.login_begin,
            "login/finish": self.login_finish,
        }
        of_people = {"accept": self.accept, "message": self.message, "logout": self.logout}
        return [
            *(Route(f"/{path}", self.guarded(self.open(act)), methods=["POST"]) for path, act in acts.items()),
            *(Route(f"/{path}", self.guarded(self.known(act)), methods=["POST"]) for path, act in of_people.items()),
            Route("/state", self.guarded(self.state)),
            Route("/{path:path}", self.guarded(self.file), methods=["GET", "HEAD", "POST", "PUT", "DELETE"]),
        ]

    # --- what holds for every request ---------------------------------------------------------------------------------

    def guarded(self, act: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            address = _address(request)
            try:
                if request.headers.get("host", "").rpartition("@")[2] != urlsplit(self.page.origin).netloc:
                    self.store.refuse("another host", address=address, detail=request.headers.get("host", ""))
                    raise Refusal(421, "This page has another address.")
                if self.page.local and address not in ("127.0.0.1", "::1"):
                    self.store.refuse("from outside", address=address)
                    raise Refusal(403, "This page is for this machine only.")
                response = await act(request)
            except Refusal as refusal:
                response = JSONResponse({"sentence": refusal.sentence}, refusal.status)
                if refusal.status == 429:
                    response.headers["Retry-After"] = str(round(_WITHIN_S))
            except ClientDisconnect:
                response = Response(status_code=400)
            except OcrkitError as error:
                response = JSONResponse({"sentence": str(error)}, 503)
            response.headers.update(_HEADERS)
            return response

        return answer

    def open(self, act: Callable[[Request, Any], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """An act of somebody who is not known yet: few tries, and from this page only."""

        async def answer(request: Request) -> Response:
            self.same_origin(request)
            if self.store.refusals(_address(request), _WITHIN_S) >= _TRIES:
                self.store.audit("refused too often", address=_address(request))
                raise Refusal(429, "That was tried too often: wait five minutes.")
            return await act(request, await self.body(request))

        return answer

    def known(
        self, act: Callable[[Request, Any, Session], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """An act of somebody who is logged in, sent by this page with its token."""

        async def answer(request: Request) -> Response:
            session = self.session(request)
            if session is None:
                self.store.refuse("no login", self.owner(request), _address(request), detail=request.url.path)
                raise Refusal(401, "You are not logged in, or were away for a quarter of an hour: log in again.")
            self.same_origin(request)
            if not secrets.compare_digest(request.headers.get("x-csrf", "").encode(), session.csrf.encode()):
                self.store.refuse("no token", session.worker.id, _address(request), detail=request.url.path)
                raise Refusal(403, "The request did not come from this page: load it anew.")
            return await act(request, await self.body(request), session)

        return answer

    def same_origin(self, request: Request) -> None:
        if request.headers.get("origin", self.page.origin) != self.page.origin:
            self.store.refuse(
                "another origin", self.owner(request), _address(request), detail=request.headers["origin"]
            )
            raise Refusal(403, "The request came from another page.")

    async def body(self, request: Request) -> Any:
        data = b""
        async for chunk in request.stream():
            data += chunk
            if len(data) > _MOST_BYTES:
                self.store.refuse("too large", self.owner(request), _address(request))
                raise Refusal(413, "That is too large for an answer.")
        try:
            return json.loads(data) if data else {}
        except (ValueError, RecursionError):
            raise Refusal(400, "The request is no JSON.") from None

    def session(self, request: Request) -> Session | None:
        secret = request.cookies.get(_COOKIE, "")
        session = self.store.session(secret) if secret else None
        return session if session and session.worker.pool == self.page.pool.name else None

    def owner(self, request: Request) -> int | None:
        return self.store.session_owner(request.cookies.get(_COOKIE, ""))

    # --- files and state ----------------------------------------------------------------------------------------------

    async def file(self, request: Request) -> Response:
        path = request.path_params["path"]
        if path not in self.files or request.method not in ("GET", "HEAD"):
            self.store.refuse("no such page", self.owner(request), _address(request), detail=path)
            raise Refusal(404, "There is no such page.")
        kind, text = self.files[path]
        response = Response(text, media_type=kind)
        if not path and (who := self.arrived(request)):
            secret, _ = self.store.open_session(who, address=_address(request))
            self.keep(response, secret)
        return response

    def arrived(self, request: Request) -> Worker | None:
        """Whom the address of the page itself lets in: the local person, or somebody whom a crowd knows."""
        given = request.query_params
        if self.page.local and "key" in given:
            if secrets.compare_digest(given["key"].encode(), self.page.local.encode()):
                return self.store.worker(self.page.local_name, self.page.pool.name, make=True)
            self.store.refuse("wrong key", address=_address(request))
        elif self.page.door and given:
            try:
                return self.store.worker(self.page.door(dict(given)), self.page.pool.name, make=True)
            except OcrkitError as error:
                self.store.refuse("not of the pool", address=_address(request), detail=str(error))
        elif {"PROLIFIC_PID", "workerId", "assignmentId", "pool"} & given.keys():
            self.store.refuse("another pool", address=_address(request), detail=" ".join(given))
        return None

    def keep(self, response: Response, secret: str) -> None:
        secure = self.page.origin.startswith("https")
        response.set_cookie(_COOKIE, secret, httponly=True, secure=secure, samesite="strict", path="/")

    async def state(self, request: Request) -> Response:
        session = self.session(request)
        closed = "Open the address that the command printed: its key lets you in." if self.page.local else ""
        if self.page.door:
            closed = "Come here from the page of the study."
        told: dict[str, Any] = {
            "worker": None,
            "csrf": "",
            "nda": None,
            "local": bool(self.page.local),
            "closed": closed,
        }
        if session:
            told |= {"worker": session.worker.name, "csrf": session.csrf}
            if self.page.nda and session.worker.nda != self.page.nda_digest:
                told["nda"] = {"text": self.page.nda, "digest": self.page.nda_digest}
        return JSONResponse(told)

    # --- people -------------------------------------------------------------------------------------------------------

    async def register_begin(self, request: Request, body: Any) -> Response:
        from webauthn import generate_registration_options, options_to_json
        from webauthn.helpers import structs

        worker = self.invited(request, body)
        options = generate_registration_options(
            rp_id=self.page.host,
            rp_name=_NAME,
            user_name=worker.name,
            user_id=hashlib.sha256(f"{worker.id}/{worker.name}".encode()).digest(),
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.REQUIRED,
                user_verification=structs.UserVerificationRequirement.REQUIRED,
            ),
        )
        self.store.add_challenge(options.challenge, worker)
        return Response(options_to_json(options), media_type="application/json")

    async def register_finish(self, request: Request, body: Any) -> Response:
        from webauthn import verify_registration_response

        worker = self.invited(request, body)
        challenge = self.challenge(request, body, worker)
        try:
            made = verify_registration_response(
                credential=_credential(body),
                expected_challenge=challenge,
                expected_rp_id=self.page.host,
                expected_origin=self.page.origin,
                require_user_verification=True,
            )
        except Exception as error:  # the library's own, and what broken CBOR raises
            self.refuse(request, "registration", worker, str(error))
        if (
            self.store.register(body["invitation"], made.credential_id, made.credential_public_key, made.sign_count)
            is None
        ):
            self.refuse(request, "invitation", worker)
        return JSONResponse({})

    def invited(self, request: Request, body: Any) -> Worker:
        secret = body.get("invitation") if isinstance(body, dict) else None
        worker = self.store.invited(secret) if isinstance(secret, str) and self.page.pool.under_nda else None
        if worker is None or worker.pool != self.page.pool.name:
            self.refuse(
                request, "invitation", sentence="This invitation was used, is over, or never was: ask for another."
            )
        return worker

    async def login_begin(self, request: Request, body: Any) -> Response:
        from webauthn import generate_authentication_options, options_to_json
        from webauthn.helpers.structs import UserVerificationRequirement

        options = generate_authentication_options(
            rp_id=self.page.host, user_verification=UserVerificationRequirement.REQUIRED
        )
        self.store.add_challenge(options.challenge)
        return Response(options_to_json(options), media_type="application/json")

    async def login_finish(self, request: Request, body: Any) -> Response:
        from webauthn import verify_authentication_response

        challenge = self.challenge(request, body)
        credential = _credential(body)
        found = self.store.passkey(_decoded(credential.get("rawId")))
        if found is None:
            self.refuse(request, "unknown passkey")
        worker, public_key, signs = found
        if worker.state != "active" or worker.pool != self.page.pool.name:
            self.refuse(request, f"login of {worker.state}", worker)
        try:
            checked = verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.page.host,
                expected_origin=self.page.origin,
                credential_public_key=public_key,
                credential_current_sign_count=signs,
                require_user_verification=True,
            )
        except Exception as error:  # the library's own, and what broken CBOR raises
            self.refuse(request, "login", worker, str(error))
        secret, _ = self.store.open_session(worker, checked.new_sign_count, _address(request))
        response = JSONResponse({})
        self.keep(response, secret)
        return response

    def challenge(self, request: Request, body: Any, worker: Worker | None = None) -> bytes:
        """The challenge that a response answers, which nobody can answer again."""
        challenge = _decoded(body.get("challenge") if isinstance(body, dict) else None)
        if not self.store.use_challenge(challenge, worker):
            self.refuse(request, "replayed or old challenge", worker)
        return challenge

    def refuse(
        self,
        request: Request,
        what: str,
        worker: Worker | None = None,
        detail: str = "",
        sentence: str = "That passkey was not accepted.",
    ) -> NoReturn:
        self.store.refuse(what, worker.id if worker else None, _address(request), detail=detail)
        raise Refusal(403, sentence)

    async def accept(self, request: Request, body: Any, session: Session) -> Response:
        if not self.page.nda or not isinstance(body, dict) or body.get("digest") != self.page.nda_digest:
            self.refuse(request, "agreement", session.worker, sentence="The agreement has changed: load the page anew.")
        self.store.accept_nda(session.worker, self.page.nda_digest)
        return JSONResponse({})

    async def logout(self, request: Request, body: Any, session: Session) -> Response:
        self.store.close_session(request.cookies[_COOKIE])
        response = JSONResponse({})
        response.delete_cookie(_COOKIE)
        return response

    async def message(self, request: Request, body: Any, session: Session) -> Response:
        if self.page.nda and session.worker.nda != self.page.nda_digest:
            self.refuse(request, "agreement not accepted", session.worker, sentence="Accept the agreement first.")
        conversation = Conversation(
            self.store, self.page.job, session.worker, self.page.pictures, _address(request), self.page.most
        )
        reply, pictures = conversation.reply(body)
        if reply["kind"] == "done" and self.page.done_url:
            reply["url"] = self.page.done_url
        head = json.dumps({**reply, "sizes": [len(picture) for picture in pictures]}).encode()
        return Response(b"\n".join([head, b"".join(pictures)]), media_type="application/octet-stream")


def serve(page: Page, listening: socket.socket, behind_proxy: bool = False) -> None:
    """Answer requests until it is interrupted.

    Args:
        page: what is shown.
        listening: where; see `ocrkit.sockets.listen`.
        behind_proxy: whether a proxy on this machine says where people come from; else nobody is believed who says so.
    """
    import uvicorn

    config = uvicorn.Config(
        application(page), log_level="warning", server_header=False, access_log=False, proxy_headers=behind_proxy
    )
    with suppress(KeyboardInterrupt):  # how somebody stops it
        uvicorn.Server(config).run(sockets=[listening])


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _credential(body: Any) -> dict[str, Any]:
    credential = body.get("credential") if isinstance(body, dict) else None
    return credential if isinstance(credential, dict) else {}


def _decoded(text: Any) -> bytes:
    """Bytes from Base64 as URLs write it; none from anything else."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if isinstance(text, str) else b""
    except ValueError:
        return b""
