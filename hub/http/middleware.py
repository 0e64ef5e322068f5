"""What happens to every request, outside all routes: id, limits, headers, one line in the log."""

import asyncio
import logging
import time
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub import ids, logs
from hub.errors import BadRequest, HubError, NotAllowed, TooLarge
from hub.http.problems import problem_answer
from hub.settings import HubSettings

logger = logs.get_logger(__name__)
_lines = logging.getLogger(__name__)

_ALWAYS_OPEN: Final = frozenset({"/healthz", "/readyz"})
_QUIET: Final = ("/healthz", "/readyz", "/t/", "/connectors/")
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_API_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_LINGER_S: Final = 2.0
_HSTS: Final = "max-age=31536000"


class Front:
    """The outermost middleware: nothing that a route does gets past it."""

    def __init__(self, app: ASGIApp, settings: HubSettings) -> None:
        self._app = app
        self._most = settings.http.max_body_bytes
        self._https_only = settings.http.require_https
        self._hsts = settings.public_url.startswith("https://")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = ids.new_text()
        scope.setdefault("state", {})["request_id"] = request
        answer = _Answer(send, self._headers(scope, request), receive)
        began = time.perf_counter()
        token = logs.request_id.set(request)
        try:
            await self._serve(scope, receive, answer, request)
            log_answer(scope, answer.status, time.perf_counter() - began)
        finally:
            logs.request_id.reset(token)

    async def _serve(self, scope: Scope, receive: Receive, answer: "_Answer", request: str) -> None:
        fault = self._fault(scope)
        if fault is not None:
            await problem_answer(fault, request)(scope, receive, answer.send)
            return
        limited = _Limited(receive, self._most)
        try:
            await self._app(scope, limited.receive, answer.send)
        except Exception:
            logger.exception("request failed")
            if answer.status:
                raise
            await problem_answer(HubError(), request)(scope, receive, answer.send)

    def _fault(self, scope: Scope) -> HubError | None:
        headers = Headers(scope=scope)
        if "\x00" in scope["path"] or b"%00" in scope.get("query_string", b""):
            return BadRequest("An address has no NUL in it.")
        length = headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length) > self._most:
            return TooLarge(f"The body has {length} bytes; the limit is {self._most}.")
        if self._https_only and scope["scheme"] != "https" and scope["path"] not in _ALWAYS_OPEN:
            return NotAllowed("Use https.")
        return None

    def _headers(self, scope: Scope, request: str) -> dict[str, str]:
        return {**standing_headers(scope["path"], hsts=self._hsts), "X-Request-Id": request}


def standing_headers(path: str, *, hsts: bool) -> dict[str, str]:
    """Return the headers that every answer to this path gets."""
    headers = dict(_HEADERS)
    if path.startswith(("/api/", "/t/", "/connectors/")):
        headers |= _API_HEADERS
    if hsts:
        headers["Strict-Transport-Security"] = _HSTS
    return headers


def log_answer(scope: Scope, status: int, took: float) -> None:
    """Write the request's line into the log."""
    quiet = status < 400 and scope["path"].startswith(_QUIET)
    level = logging.DEBUG if quiet else logging.INFO
    if not _lines.isEnabledFor(level):
        return
    actor = scope["state"].get("actor")
    logger.log(
        level,
        "request answered",
        method=scope["method"],
        path=scope["path"],
        status=status,
        took_ms=round(took * 1000, 1),
        actor=actor.name if actor is not None else None,
        tenant=actor.tenant if actor is not None else None,
    )


class _Answer:
    """Adds headers to an answer and remembers its status.

    After a 413 the connection is closed, but not at once: a sender that is still sending would
    see the connection break instead of the answer.
    """

    def __init__(self, send: Send, headers: dict[str, str], receive: Receive) -> None:
        self._send = send
        self._headers = headers
        self._receive = receive
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in self._headers.items():
                headers.setdefault(name, value)
            if self.status == 413:
                headers["Connection"] = "close"
        elif self.status == 413 and not message.get("more_body"):
            await self._send({**message, "more_body": True})
            await self._linger()
            message = {"type": message["type"], "body": b""}
        await self._send(message)

    async def _linger(self) -> None:
        """Throw away what still comes, for a while."""
        try:
            async with asyncio.timeout(_LINGER_S):
                while (await self._receive()).get("more_body"):
                    pass
        except TimeoutError:
            return


class _Limited:
    """Counts a body as it comes, so that one without a length is refused in time, too."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._most = most
        self._seen = 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen > self._most:
            raise HTTPException(413, f"The body is larger than {self._most} bytes.")
        return message
