"""Vendors in trouble: httpx transports that answer wrongly, late or not at all."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from hub.sdk.errors import ConnectorError, OutcomeUnknown, Unavailable

_PAGE = "<!doctype html><html><body><h1>Back soon</h1></body></html>"
_READING = {"GET", "HEAD", "OPTIONS"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A way in which a vendor fails: an answer, or a connection that breaks.

    `error` breaks the connection; with `after_work` the vendor has done what was asked.
    """

    name: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    error: type[httpx.TransportError] | None = None
    after_work: bool = False


def _answer(name: str, status: int, **headers: str) -> Fault:
    shown = {key.replace("_", "-"): value for key, value in headers.items()}
    body = '{"error": "planted", "message": "planted"}'
    return Fault(
        name=name, status=status, headers={"content-type": "application/json"} | shown, body=body
    )


def _page(name: str, status: int) -> Fault:
    return Fault(name=name, status=status, headers={"content-type": "text/html"}, body=_PAGE)


RETRY_AFTER_S = 7
FAULTS: tuple[Fault, ...] = (
    _answer("401", 401),
    _answer("403", 403),
    _answer("404", 404),
    _answer("429", 429),
    _answer("429-retry-after", 429, retry_after=str(RETRY_AFTER_S)),
    _answer("500", 500),
    _answer("503", 503),
    _page("html-200", 200),
    _page("html-502", 502),
    Fault(name="empty-200", status=200),
    Fault(name="no-connection", error=httpx.ConnectError),
    Fault(name="timeout-before", error=httpx.ConnectTimeout),
    Fault(name="timeout-after", error=httpx.ReadTimeout, after_work=True),
    Fault(name="cut-after", error=httpx.RemoteProtocolError, after_work=True),
)


class Recorded(httpx.AsyncBaseTransport):
    """Passes requests on and remembers them."""

    def __init__(self, inner: httpx.AsyncBaseTransport | None) -> None:
        self.inner = inner
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Remember the request, then pass it on."""
        await request.aread()
        self.requests.append(request)
        return await self._pass_on(request)

    async def _pass_on(self, request: httpx.Request) -> httpx.Response:
        if self.inner is None:
            return httpx.Response(200, json={}, request=request)
        return await self.inner.handle_async_request(request)


class Failing(Recorded):
    """Passes requests on until the `nth`, which fails, and so do all after it."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport | None, fault: Fault, *, nth: int = 1
    ) -> None:
        super().__init__(inner)
        self.fault = fault
        self.nth = nth

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on, or fail it."""
        await request.aread()
        self.requests.append(request)
        if len(self.requests) < self.nth:
            return await self._pass_on(request)
        if self.fault.after_work:
            await (await self._pass_on(request)).aread()
        if self.fault.error is not None:
            raise self.fault.error(f"planted: {self.fault.name}", request=request)
        return httpx.Response(
            self.fault.status,
            headers=self.fault.headers,
            content=self.fault.body.encode(),
            request=request,
        )

    @property
    def failed(self) -> httpx.Request | None:
        """The first request that failed."""
        return self.requests[self.nth - 1] if len(self.requests) >= self.nth else None


def reads(request: httpx.Request) -> bool:
    """Whether a request changes nothing by its method."""
    return request.method in _READING


def asks_for_token(request: httpx.Request) -> bool:
    """Whether a request only signs in (OAuth): it changes nothing whatever its method."""
    return b"grant_type=" in request.content or request.url.path.rstrip("/").endswith("/token")


async def mapped(call: Awaitable[Any]) -> Any:  # noqa: ANN401 - whatever the plugin returns
    """Await a plugin's call as the hub does: a broken connection becomes a ConnectorError."""
    try:
        return await call
    except httpx.TransportError as error:
        raise connection_error(error) from error


def connection_error(error: httpx.TransportError) -> ConnectorError:
    """Return what the hub makes of a broken connection."""
    never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    kind = Unavailable if never_sent or reads(error.request) else OutcomeUnknown
    return kind(f"{type(error).__name__}: {error}")


Transport = Callable[[], httpx.AsyncBaseTransport | None]
