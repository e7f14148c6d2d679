"""Who may ask: token, host and origin of each request; and the headers of each answer."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from mixrd.web.problems import problem
from mixrd.web.settings import ServerSettings, is_loopback

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Largest body of a request that is no upload.
LARGEST_JSON_BYTES = 1_000_000
#: Paths that take files, under a limit of their own (see `mixrd.web.uploads`).
UPLOAD_PATHS = frozenset({"/api/scans", "/api/phases/cif", "/api/instruments", "/api/models"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
#: Of each answer.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """ASGI layer around the whole application.

    A page elsewhere can make a browser send requests to a server on the user's own computer, and a name that
    it makes point here (DNS rebinding) lets it read the answers. So the host of a request must be one of
    ours, and what changes something must not come from another origin. Where there is a token, every
    request must carry it: as a bearer, or in the cookie that ``/?token=...`` sets.

    Parameters
    ----------
    app : ASGI application
    settings : ServerSettings
    """

    def __init__(self, app: App, settings: ServerSettings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                # The page is asked for anew after an update of mixrd.
                api = scope["path"].startswith("/api")
                headers.setdefault("Cache-Control", "no-store" if api else "no-cache")
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send_with_headers)
            return
        await self.app(scope, _limited(scope, receive), send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_ours(host):
            return _refused(
                403,
                "FORBIDDEN",
                f"this server does not answer to the name {host[:80]!r}",
                "Use the address that `mixrd serve` printed, or allow the name with --allow-host",
            )
        if scope["method"] not in _SAFE and not _same_origin(headers, host):
            return _refused(
                403, "FORBIDDEN", "the request comes from another web site", "Use the page of this server"
            )
        return self._without_token(scope, headers, host)

    def _is_ours(self, host: str) -> bool:
        name = _name_of(host)
        if name in self.settings.answers_to:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        # A numeric address cannot have been made to point here by somebody's name server.
        return address.is_loopback or not is_loopback(self.settings.host)

    def _without_token(self, scope: Scope, headers: Headers, host: str) -> Response | None:
        token = self.settings.token
        if token is None:
            return None
        port = urlsplit(f"//{host}").port or 80
        cookie = f"mixrd-{port}"
        if _matches(_bearer(headers), token) or _matches(_cookie(headers, cookie), token):
            return None
        query = parse_qsl(scope["query_string"].decode("latin-1"))
        if scope["path"] == "/" and _matches(dict(query).get("token"), token):
            rest = urlencode([(key, value) for key, value in query if key != "token"])
            answer = RedirectResponse(f"/?{rest}" if rest else "/", status_code=303)
            answer.set_cookie(cookie, token, httponly=True, samesite="strict", max_age=30 * 86400)
            return answer
        message = "the token is missing or wrong"
        remedy = "Open the address that `mixrd serve` printed, with its token"
        if scope["path"].startswith("/api"):
            refusal = _refused(401, "UNAUTHORISED", message, f"{remedy}, or send it as a bearer")
            refusal.headers["WWW-Authenticate"] = "Bearer"
            return refusal
        return PlainTextResponse(f"{message}. {remedy}.\n", status_code=401)


def _refused(status: int, code: str, message: str, remedy: str) -> JSONResponse:
    return JSONResponse({"error": problem(code, message, remedy)}, status_code=status)


def _name_of(host: str) -> str:
    """The host without its port, in lower case; "" where it is no host."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _same_origin(headers: Headers, host: str) -> bool:
    """Whether a browser that says where a request comes from says that it is our page."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == host.lower()


def _matches(given: str | None, token: str) -> bool:
    return given is not None and hmac.compare_digest(given.encode(), token.encode())


def _bearer(headers: Headers) -> str | None:
    kind, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else None


def _cookie(headers: Headers, name: str) -> str | None:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return None
    return found.value if found else None


def _limited(scope: Scope, receive: Receive) -> Receive:
    """`receive` that refuses bodies no JSON request has; uploads have a limit of their own."""
    if scope["path"] in UPLOAD_PATHS:
        return receive
    came = 0

    async def counted() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > LARGEST_JSON_BYTES:
            raise HTTPException(413, "the request is too large")
        return message

    return counted
