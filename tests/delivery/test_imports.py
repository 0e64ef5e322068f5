"""Existing records, read on request: progress, taking over, stopping, after what happens now."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, ConfigDict

from hub.imports import endpoints as imports
from hub.sdk.connector_types import Batch, Import, Poller
from hub.sdk.errors import Rejected, Unavailable
from hub.sdk.events import Event, Record
from hub.testing.rig import Rig, item, posting, running_rig
from hub.testing.sink import Sink
from hub.testing.workload import LoadPlugin
from tests.delivery.app import app_of

HOME = "/api/v1/tenants/load/connectors/load/imports"
FIRST = datetime(2025, 1, 1, tzinfo=UTC)


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    lanes: list[str] = []


class Archive:
    """A vendor with existing records: one a day from 2025 on, so many a page."""

    def __init__(self, count: int, page: int = 10) -> None:
        self.count, self.page = count, page
        self.fetched: list[str] = []
        self.errors: list[Exception] = []
        self.gate = asyncio.Event()
        self.gate.set()

    def poller(self) -> Poller:
        return Poller(
            source_object="load.item",
            fetch=self.fetch,
            imports=Import(params=Asked, cursor=lambda params, *_: "".join(["0", *params.lanes])),
        )

    async def fetch(self, _client: Any, cursor: str | None) -> Batch:
        if cursor is None:
            return Batch(events=[], cursor="now")
        if cursor == "now":
            return Batch(events=[], cursor=cursor)
        await self.gate.wait()
        self.fetched.append(cursor)
        if self.errors:
            raise self.errors.pop(0)
        start = int(cursor)
        end = min(self.count, start + self.page)
        return Batch(
            events=[record(number) for number in range(start, end)],
            cursor=str(end),
            more=end < self.count,
        )


def record(number: int) -> Event:
    return Event(
        trigger="load.item.created",
        record=Record(
            source_object="load.item", id=f"r{number}", values={"lane": f"r{number}", "seq": number}
        ),
        occurred_at=FIRST + timedelta(days=number),
        key=f"read/{number}",
    )


@asynccontextmanager
async def importing(url: str, sink: Sink, archive: Archive) -> AsyncIterator[tuple[Rig, Any]]:
    plugin = LoadPlugin((archive.poller(),))
    async with running_rig(url, sink.url, rules=[posting()], plugin=plugin) as rig:
        app = app_of(rig)
        app.include_router(imports.router)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as api:
            yield rig, api


async def ended(api: httpx.AsyncClient, number: str, state: str = "done") -> dict:
    deadline = asyncio.get_running_loop().time() + 15
    while True:
        found = (await api.get(f"{HOME}/{number}")).json()
        if found["state"] == state:
            return found
        assert asyncio.get_running_loop().time() < deadline, found
        await asyncio.sleep(0.05)


async def until(found) -> None:
    while not found():  # noqa: ASYNC110 - what is waited for has no event of its own
        await asyncio.sleep(0.005)


async def begin(api: httpx.AsyncClient, **asked: Any) -> str:
    answer = await api.post(HOME, json={"object": "load.item", **asked})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_existing_records_are_worked_once_page_by_page(engine_url: str, sink: Sink) -> None:
    archive = Archive(25)
    async with importing(engine_url, sink, archive) as (rig, api):
        number = await begin(api)
        done = await ended(api, number)
        await rig.settled()

        assert sorted(one.seq for one in sink.counted) == list(range(25))
        assert archive.fetched == ["0", "10", "20"]
        assert (done["pages"], done["found"], done["filed"]) == (3, 25, 25)
        assert [one["id"] for one in (await api.get(HOME)).json()["items"]] == [number]
        assert await rig.rows("SELECT DISTINCT source FROM deliveries") == [("import",)]


async def test_only_what_lies_in_the_time_is_read(sqlite_url: str, sink: Sink) -> None:
    async with importing(sqlite_url, sink, Archive(20)) as (rig, api):
        asked = {"from": "2025-01-05T00:00:00Z", "to": "2025-01-08T00:00:00Z"}
        done = await ended(api, await begin(api, **asked))
        await rig.settled()

    assert sorted(one.seq for one in sink.counted) == [4, 5, 6, 7]
    assert (done["from"], done["to"]) == ("2025-01-05T00:00:00Z", "2025-01-08T00:00:00Z")


async def test_an_import_goes_on_where_a_killed_process_was(engine_url: str, sink: Sink) -> None:
    archive = Archive(30)
    async with importing(engine_url, sink, archive) as (rig, api):
        archive.errors = []
        number = await begin(api)
        await until(lambda: len(archive.fetched) > 1)
        archive.gate.clear()
        await rig.engine.importing.stop()
        # A process that is killed leaves the lease behind, and pages without their cursor.
        async with rig.database.transaction() as connection:
            later = "'2999-01-01T00:00:00.000000Z'"
            await connection.exec_driver_sql(f"UPDATE imports SET next_at = {later}")
    archive.gate.set()
    async with importing(engine_url, sink, archive) as (rig, api):
        if not rig.database.is_sqlite:
            past = "'2020-01-01T00:00:00.000000Z'"  # the lease is over
            async with rig.database.transaction() as connection:
                await connection.exec_driver_sql(f"UPDATE imports SET next_at = {past}")
        done = await ended(api, number)
        await rig.settled()

    assert sorted(one.seq for one in sink.counted) == list(range(30))
    assert done["found"] == 30


async def test_what_happens_now_does_not_wait_for_an_import(sqlite_url: str, sink: Sink) -> None:
    archive = Archive(400, page=200)
    async with importing(sqlite_url, sink, archive) as (rig, api):
        number = await begin(api)
        await until(lambda: sink.counted)
        await rig.send(item("live", 1))
        await until(lambda: any(one.lane == "live" for one in sink.counted))
        before = len(sink.counted)
        await ended(api, number)
        await rig.settled()

    assert before < 200
    assert len(sink.counted) == 401


async def test_an_import_can_be_stopped(sqlite_url: str, sink: Sink) -> None:
    archive = Archive(30)
    archive.gate.clear()
    async with importing(sqlite_url, sink, archive) as (_, api):
        number = await begin(api)
        second = await api.post(HOME, json={"object": "load.item"})
        stopped = await api.post(f"{HOME}/{number}/stop")
        archive.gate.set()
        await asyncio.sleep(0.7)
        again = await api.post(f"{HOME}/{number}/stop")

        assert (second.status_code, again.status_code) == (409, 409)
        assert stopped.json()["state"] == "stopped"
        assert len(archive.fetched) <= 1
        assert sink.counted == []


async def test_a_vendor_that_is_away_is_asked_again_and_one_that_refuses_is_not(
    sqlite_url: str, sink: Sink
) -> None:
    archive = Archive(5)
    archive.errors = [Unavailable("away")]
    async with importing(sqlite_url, sink, archive) as (rig, api):
        first = await ended(api, await begin(api))
        await rig.settled()
        archive.errors = [Rejected("no such thing")]
        second = await ended(api, await begin(api), "failed")

        assert (first["found"], first["error"]) == (5, None)
        assert second["error"] == "Rejected: no such thing"
        lines = await rig.rows("SELECT text FROM activity WHERE level = 'error'")
        assert any("was given up" in line[0] for line in lines)


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"object": "load.nothing"}, "/object"),
        ({"object": "other.item"}, "/object"),
        ({"object": "load.item", "filters": {"colour": "red"}}, "/filters/colour"),
        ({"object": "load.item", "from": "2025-02-01T00:00:00Z", "to": "2025-01-01T00:00:00Z"}, ""),
        ({"object": "load.item", "from": "yesterday"}, "/from"),
        ({"object": "load.item", "from": "2025-01-01T00:00:00"}, "/from"),
    ],
)
async def test_what_can_not_be_imported_is_said(
    sqlite_url: str, sink: Sink, asked: dict, pointer: str
) -> None:
    async with importing(sqlite_url, sink, Archive(1)) as (_, api):
        answer = await api.post(HOME, json=asked)

    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
