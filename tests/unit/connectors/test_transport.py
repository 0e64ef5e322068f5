"""What failures of a vendor's server mean, on real sockets."""

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from hub.connectors.transport import Call, HttpOptions, admits, make_http, recording, vendor_call
from hub.logs import redactor
from hub.sdk.errors import (
    AuthenticationFailed,
    ConnectorError,
    OutcomeUnknown,
    Rejected,
    Unavailable,
)

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@contextlib.asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[str]:
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await answer(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    made = await asyncio.start_server(connected, "127.0.0.1", 0)
    host, port = made.sockets[0].getsockname()[:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        made.close()
        await asyncio.wait(tasks or [asyncio.create_task(asyncio.sleep(0))], timeout=1)
        for task in tasks:
            task.cancel()


async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def cut_in_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
    for _ in range(100):
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.05)


async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"this is not HTTP\r\n\r\n")
    await writer.drain()


async def fine(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.readuntil(b"\r\n\r\n"):
        writer.write(OK)
        await writer.drain()


async def failure(method: str, url: str, *, timeout_s: float = 5) -> ConnectorError:
    async with make_http(HttpOptions(timeout_s=timeout_s)) as http:
        with pytest.raises(ConnectorError) as caught, vendor_call():
            await http.request(method, url)
    return caught.value


@pytest.mark.parametrize("answer", [cut, cut_in_body, nonsense])
async def test_a_write_whose_answer_was_lost_has_an_unknown_outcome(answer: Answer) -> None:
    async with server(answer) as url:
        assert isinstance(await failure("POST", url), OutcomeUnknown)


@pytest.mark.parametrize("answer", [cut, cut_in_body, nonsense])
async def test_a_read_whose_answer_was_lost_may_be_repeated(answer: Answer) -> None:
    async with server(answer) as url:
        assert isinstance(await failure("GET", url), Unavailable)


async def test_what_could_not_connect_was_not_sent(unused_tcp_port: int) -> None:
    error = await failure("POST", f"http://127.0.0.1:{unused_tcp_port}/")

    assert type(error) is Unavailable
    assert "Could not connect to 127.0.0.1" in str(error)


@pytest.mark.parametrize("answer", [silent, dripping])
async def test_one_time_limit_covers_the_whole_answer(answer: Answer) -> None:
    async with server(answer) as url, asyncio.timeout(2):
        error = await failure("POST", url, timeout_s=0.3)

    assert isinstance(error, OutcomeUnknown)


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/", "file:///etc/passwd", "http://169.254.169.254/"]
)
async def test_an_address_that_the_hub_does_not_call_is_rejected(url: str) -> None:
    assert isinstance(await failure("GET", url), Rejected)


async def test_private_addresses_can_be_closed() -> None:
    async with server(fine) as url, make_http(HttpOptions(allow_private_targets=False)) as http:
        for target in (url, url.replace("127.0.0.1", "localhost")):
            with pytest.raises(Rejected, match="private addresses"), vendor_call():
                await http.get(target)


@pytest.mark.parametrize(
    ("address", "expected"),
    [("8.8.8.8", True), ("10.0.0.1", False), ("::1", False), ("::ffff:127.0.0.1", False)],
)
def test_only_public_addresses_are_admitted_where_private_ones_are_closed(
    address: str,
    expected: bool,
) -> None:
    assert expected == admits(ipaddress.ip_address(address), private=False)


async def test_a_raised_status_is_read_like_any_other_answer() -> None:
    request = httpx.Request("GET", "http://vendor.test/")

    with pytest.raises(AuthenticationFailed), vendor_call():
        httpx.Response(401, request=request, text="no").raise_for_status()


async def test_calls_are_recorded_without_secrets() -> None:
    calls: list[Call] = []
    redactor.add(["hunter2-hunter2"])
    async with server(fine) as url, make_http(HttpOptions()) as http:
        with recording(calls.append):
            await http.post(
                f"{url}/a?token=abc&page=2",
                json={"password": "pw", "title": "key is hunter2-hunter2"},
                headers={"Authorization": "Token x"},
            )
    redactor.remove(["hunter2-hunter2"])

    (call,) = calls
    assert (call.method, call.status, call.response) == ("POST", 200, "{}")
    assert call.url.endswith("/a?token=[hidden]&page=2")
    assert call.request == '{"password":"[hidden]","title":"key is [hidden]"}'


async def test_a_call_without_an_answer_is_recorded_with_its_reason() -> None:
    calls: list[Call] = []
    async with server(cut) as url, make_http(HttpOptions()) as http:
        with recording(calls.append), pytest.raises(httpx.RequestError):
            await http.post(url, content=b"x")

    assert (calls[0].status, bool(calls[0].error)) == (None, True)


async def test_hosts_can_be_routed_to_a_sandbox() -> None:
    seen: list[bytes] = []

    async def noting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK)
        await writer.drain()

    async with server(noting) as url:
        options = HttpOptions(routes={"api.vendor.example": f"{url}/pd"})
        async with make_http(options) as http:
            answer = await http.get("https://api.vendor.example/users?limit=1")

    assert answer.status_code == 200
    assert seen[0].startswith(b"GET /pd/users?limit=1 HTTP/1.1")


async def test_one_connector_keeps_few_connections() -> None:
    open_now = most = 0

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.02)
        writer.write(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        await writer.drain()
        open_now -= 1

    async with server(slow) as url, make_http(HttpOptions()) as http:
        await asyncio.gather(*(http.get(url) for _ in range(30)))

    assert most == 8
