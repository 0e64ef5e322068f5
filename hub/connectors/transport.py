"""The HTTP client that a connector's plugin is handed, and what its failures mean."""

import asyncio
import errno
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from httpx_aiohttp import AiohttpTransport

from hub import clock
from hub._version import __version__
from hub.connectors import redaction
from hub.connectors.cookies import VendorClient
from hub.sdk.answers import raise_for_answer
from hub.sdk.errors import ConnectorError, OutcomeUnknown, Rejected, Unavailable

CONNECTIONS: Final = 8
LARGEST_ANSWER: Final = 32 * 1024 * 1024
_CONNECT_S: Final = 5.0
_KEEPALIVE_S: Final = 10.0
USER_AGENT: Final = f"integration-hub/{__version__}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to a vendor and what came back; nothing secret is in it.

    `status` is None when no answer came; `error` then says why. `request` and `response`
    are the bodies, shortened.
    """

    at: datetime
    method: str
    url: str
    took_ms: int
    status: int | None = None
    request: str = ""
    response: str = ""
    error: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class Withdrawn(Exception):
    """The request must not be sent any more."""


CallSink = Callable[[Call], None]
Ask = Callable[[], Awaitable[None]]
HeadersSink = Callable[[int, Mapping[str, str]], None]
_sink: ContextVar[CallSink | None] = ContextVar("call_sink", default=None)
_ask: ContextVar[Ask | None] = ContextVar("ask_before_sending", default=None)


@contextmanager
def recording(sink: CallSink) -> Iterator[None]:
    """Hand every vendor request made inside to `sink`."""
    token = _sink.set(sink)
    try:
        yield
    finally:
        _sink.reset(token)


@contextmanager
def asking_before_sending(ask: Ask) -> Iterator[None]:
    """Ask at the last moment before each request made inside; what raises Withdrawn stops it.

    A request may wait for a free connection, and a process may stand still meanwhile.
    """
    token = _ask.set(ask)
    try:
        yield
    finally:
        _ask.reset(token)


@contextmanager
def vendor_call() -> Iterator[None]:
    """Map transport failures of a plugin's call to connector errors.

    Connecting -> Unavailable. After it: Unavailable for a GET, OutcomeUnknown for what may
    have been written.
    """
    try:
        yield
    except httpx.HTTPStatusError as error:
        raise_for_answer(error.response)
        raise
    except httpx.RequestError as error:
        raise connector_error(error) from error
    except httpx.InvalidURL as error:
        raise Rejected(f"The address is not a URL: {error}") from error


class TargetRefused(httpx.UnsupportedProtocol):
    """The hub does not call this address."""


def connector_error(error: httpx.RequestError) -> ConnectorError:
    """Return the connector error that a transport failure stands for."""
    request = getattr(error, "_request", None)
    host = request.url.host if request is not None else "the vendor"
    reason = str(error) or type(error).__name__
    match error:
        case httpx.UnsupportedProtocol() | httpx.TooManyRedirects():
            return Rejected(f"{host}: {reason}")
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return Unavailable(f"Could not connect to {host} in time: {reason}")
        case httpx.ConnectError() | httpx.ProxyError():
            return Unavailable(f"Could not connect to {host}: {reason}")
    if request is not None and request.method in {"GET", "HEAD", "OPTIONS"}:
        return Unavailable(f"{host} did not answer: {reason}")
    return OutcomeUnknown(f"{host} did not answer, so the outcome is not known: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """How connectors reach their vendors."""

    timeout_s: float = 20
    allow_private_targets: bool = True
    routes: Mapping[str, str] = field(default_factory=dict)


def make_http(options: HttpOptions, *, observe: HeadersSink | None = None) -> httpx.AsyncClient:
    """Return the client for one connector: few connections, time limits, no redirects.

    `observe` sees status and headers of every answer.
    """
    timeout = httpx.Timeout(
        options.timeout_s, connect=min(_CONNECT_S, options.timeout_s), pool=options.timeout_s
    )
    return VendorClient(
        transport=VendorTransport(options, observe=observe),
        timeout=timeout,
        headers={"User-Agent": USER_AGENT},
        follow_redirects=False,
    )


class VendorTransport(httpx.AsyncBaseTransport):
    """httpx over aiohttp, with the whole answer read inside one time limit and written down."""

    def __init__(self, options: HttpOptions, *, observe: HeadersSink | None = None) -> None:
        self._options = options
        self._observe = observe
        self._inner = AiohttpTransport(client=lambda: _session(options))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request; read the answer whole."""
        self._route(request)
        self._guard(request)
        began = asyncio.get_running_loop().time()
        at = clock.now()
        try:
            answer = await self._exchange(request)
        except httpx.RequestError as error:
            _note(request, at, began, error=str(error) or type(error).__name__)
            raise
        _note(request, at, began, answer=answer)
        if self._observe is not None:
            self._observe(answer.status_code, answer.headers)
        return answer

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        try:
            async with asyncio.timeout(self._options.timeout_s):
                answer = await self._inner.handle_async_request(request)
                try:
                    body = await _read(answer, request)
                finally:
                    await answer.aclose()
        except TimeoutError as error:
            raise httpx.ReadTimeout(
                f"no answer within {self._options.timeout_s:g} s", request=request
            ) from error
        except httpx.RequestError as error:
            _raise_if_withdrawn(error)
            raise _told_apart(error, request) from error
        except aiohttp.ClientError as error:
            _raise_if_withdrawn(error)
            raise httpx.RemoteProtocolError(str(error), request=request) from error
        return httpx.Response(
            answer.status_code,
            headers=answer.headers.raw,
            stream=httpx.ByteStream(body),
            request=request,
            extensions=answer.extensions,
        )

    def _route(self, request: httpx.Request) -> None:
        base = self._options.routes.get(request.url.host)
        if base is None:
            return
        target = httpx.URL(base)
        prefix = target.raw_path.rstrip(b"/")
        request.url = target.copy_with(raw_path=prefix + request.url.raw_path)
        request.headers["Host"] = request.url.netloc.decode("ascii")

    def _guard(self, request: httpx.Request) -> None:
        if request.url.scheme not in {"http", "https"}:
            raise TargetRefused(f"{request.url.scheme!r} is not http(s)", request=request)
        address = _address(request.url.host)
        if address and not admits(address, private=self._options.allow_private_targets):
            raise TargetRefused("private addresses are not called from here", request=request)


@lru_cache(maxsize=1024)
def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None  # a name: the resolver guards it


def admits(address: ipaddress.IPv4Address | ipaddress.IPv6Address, *, private: bool) -> bool:
    """Whether the hub calls this address; link-local ones (cloud metadata) never."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    return private or address.is_global


class GuardedResolver(AbstractResolver):
    """Resolves names to admitted addresses only, so that what was checked is what is called."""

    def __init__(self, *, private: bool) -> None:
        self._inner = DefaultResolver()
        self._private = private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the admitted addresses of a host; OSError when there is none."""
        found = await self._inner.resolve(host, port, family)
        admitted = [
            one
            for one in found
            if admits(ipaddress.ip_address(one["host"].split("%")[0]), private=self._private)
        ]
        if not admitted:
            raise OSError(errno.EACCES, "private addresses are not called from here")
        return admitted

    async def close(self) -> None:
        """Let go of the resolver."""
        await self._inner.close()


def _session(options: HttpOptions) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        limit=CONNECTIONS,
        keepalive_timeout=_KEEPALIVE_S,
        resolver=GuardedResolver(private=options.allow_private_targets),
        ssl=_ssl_context(),
    )
    return aiohttp.ClientSession(
        connector=connector,
        trace_configs=[_asking()],
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("User-Agent", "Content-Type", "Accept", "Accept-Encoding"),
    )


def _asking() -> aiohttp.TraceConfig:
    config = aiohttp.TraceConfig()
    # Both are called before they write. What has a body is written with its first chunk, by a task
    # of its own, and the process may stand still before that runs.
    config.on_request_headers_sent.append(_ask_first)
    config.on_request_chunk_sent.append(_ask_first)
    return config


async def _ask_first(*_: object) -> None:
    ask = _ask.get()
    if ask is not None:
        await ask()


_contexts: Final[dict[str, ssl.SSLContext]] = {}


def _ssl_context() -> ssl.SSLContext:
    """Return the process's TLS settings; making them takes 20 ms, so they are made once."""
    if "default" not in _contexts:
        _contexts["default"] = ssl.create_default_context()
    return _contexts["default"]


async def _read(answer: httpx.Response, request: httpx.Request) -> bytes:
    chunks: list[bytes] = []
    size = 0
    stream: AsyncIterator[bytes] = aiter(answer.stream)  # type: ignore[arg-type]  # aiohttp's is async
    async for chunk in stream:
        chunks.append(chunk)
        size += len(chunk)
        if size > LARGEST_ANSWER:
            raise httpx.ReadError(f"the answer is larger than {LARGEST_ANSWER} B", request=request)
    return b"".join(chunks)


def _raise_if_withdrawn(error: BaseException | None) -> None:
    """Raise the Withdrawn that stands behind an error, if one does."""
    while error is not None:
        if isinstance(error, Withdrawn):
            raise error
        error = error.__cause__


def _told_apart(error: httpx.RequestError, request: httpx.Request) -> httpx.RequestError:
    """Return the error with its true class.

    httpx-aiohttp reports every lost connection as a connect time-out; only what failed
    before the request went out may be called that, or a write would be sent twice.
    """
    cause = error.__cause__
    text = _reason(cause) if cause is not None else str(error)
    match cause:
        case aiohttp.ClientConnectorError(os_error=OSError(errno=errno.EACCES)):
            return TargetRefused(text, request=request)
        case aiohttp.ClientConnectorError() | aiohttp.ClientProxyConnectionError():
            return httpx.ConnectError(text, request=request)
        case aiohttp.ConnectionTimeoutError():
            return httpx.ConnectTimeout(text, request=request)
        case aiohttp.ServerTimeoutError():
            return httpx.ReadTimeout(text, request=request)
        case aiohttp.ClientError():
            return httpx.RemoteProtocolError(text, request=request)
    error.request = request
    return error


def _reason(cause: BaseException) -> str:
    match cause:
        case aiohttp.ClientConnectorError(os_error=OSError() as error):
            return error.strerror or str(error)
    return str(cause) or type(cause).__name__


def _note(
    request: httpx.Request,
    at: datetime,
    began: float,
    *,
    answer: httpx.Response | None = None,
    error: str = "",
) -> None:
    sink = _sink.get()
    if sink is None:
        return
    took = asyncio.get_running_loop().time() - began
    sink(
        Call(
            at=at,
            method=request.method,
            url=redaction.url(str(request.url)),
            took_ms=round(took * 1000),
            status=answer.status_code if answer is not None else None,
            request=redaction.body(_sent(request), request.headers),
            response=redaction.answer(answer) if answer is not None else "",
            error=redaction.text(error),
            headers=redaction.headers(answer.headers) if answer is not None else {},
        )
    )


def _sent(request: httpx.Request) -> bytes:
    try:
        return request.content
    except httpx.RequestNotRead:
        return b""
