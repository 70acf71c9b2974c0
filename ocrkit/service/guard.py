"""Who may ask, and how much: tokens, pages of others, and a rate for each client."""

from __future__ import annotations

import hmac
import math
import time
from collections import OrderedDict
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "ocrkit"
_LOCAL = ("127.0.0.1", "localhost", "[::1]")
_OPEN = ("/health", "/login", "/page.css", "/login.js", "/icon.svg")  # without a token
_CLIENTS = 10_000  # that are remembered
_HEADERS = {
    b"content-security-policy": b"default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; "
    b"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
    b"cross-origin-resource-policy": b"same-origin",
}


class Rate:
    """So many requests a second for each client, and some at once.

    Args:
        a_second: on average.
        at_once: after a rest.
    """

    def __init__(self, a_second: float, at_once: int) -> None:
        self._rate, self._most = a_second, at_once
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, client: str) -> float:
        """0 where the client may go on, and one more is counted; else how long it should wait."""
        now = time.monotonic()
        left, then = self._left.pop(client, (float(self._most), now))
        left = min(self._most, left + (now - then) * self._rate)
        wait = 0.0 if left >= 1 else (1 - left) / self._rate
        self._left[client] = (left - (wait == 0), now)
        while len(self._left) > _CLIENTS:
            self._left.popitem(last=False)
        return wait


def session(token: str) -> str:
    """What a browser keeps in place of the token."""
    return hmac.new(token.encode(), b"ocrkit page", sha256).hexdigest()


class Guard:
    """In front of everything.

    Args:
        app: what is guarded.
        token: that everybody must have; empty: only this machine may ask, and only by its own names.
        rate: of requests that write or search.
    """

    def __init__(self, app: ASGIApp, token: str, rate: Rate) -> None:
        self._app, self._token, self._rate = app, token, rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse to."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(h for h in _HEADERS.items() if h[0] not in given)]
            await send(message)

        refusal = self._refusal(scope, Headers(scope=scope))
        await (refusal or self._app)(scope, receive, guarded)

    def _refusal(self, scope: Scope, headers: Headers) -> JSONResponse | None:
        host = headers.get("host", "")
        if not self._token and host.rsplit(":", 1)[0] not in _LOCAL and host not in _LOCAL:
            return _refused(403, "Without a token the service answers to 127.0.0.1 and localhost only.")
        writes = scope["method"] not in ("GET", "HEAD")
        origin = headers.get("origin")
        if writes and (
            headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
            or (origin is not None and origin.partition("://")[2] != host)
        ):
            return _refused(403, "Another page asked for this; only the service's own page may.")
        if self._token and scope["path"] not in _OPEN and not self._is_known(headers):
            if scope["path"] == "/" and not writes:
                return None  # the page itself, which then asks for the token
            return _refused(401, "The token is missing or wrong: send it as `Authorization: Bearer TOKEN`.")
        if writes or scope["path"] == "/search":
            client = scope.get("client") or ("",)
            if wait := self._rate.wait_s(client[0]):
                return _refused(429, "Too many requests: come again a little later.", wait)
        return None

    def _is_known(self, headers: Headers) -> bool:
        return knows(headers, self._token)


def knows(headers: Headers, token: str) -> bool:
    """Whether a request has the token, or the cookie that was given for it."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode()):
        return True
    try:
        kept = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return False
    return kept is not None and hmac.compare_digest(kept.value.encode(), session(token).encode())


def _refused(status: int, sentence: str, wait_s: float = 0.0) -> JSONResponse:
    after = {"Retry-After": str(max(1, math.ceil(wait_s)))} if status == 429 else {}
    if status == 401:
        after = {"WWW-Authenticate": "Bearer"}
    return JSONResponse({"error": sentence}, status, after)
