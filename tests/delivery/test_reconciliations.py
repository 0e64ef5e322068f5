"""Linked records read anew: what differs is told, and worked where a person asks for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from hub.connectors.models import Connector
from hub.reconciliations import endpoints as reconciliations
from hub.sdk.connector_types import Batch, Poller
from hub.sdk.errors import Gone, Unavailable
from hub.sdk.events import Event, Record
from hub.testing.rig import Rig, running_rig
from hub.testing.sink import Fault, Sink
from hub.testing.workload import LoadPlugin
from tests.delivery.app import app_of
from tests.delivery.test_matters import PAGE, SYNC_STATUS, case, made_item, paths

HOME = "/api/v1/tenants/load/connectors/load"


class Vendor:
    """What a vendor has, read record by record."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, Any] | Exception] = {}
        self.read: list[str] = []

    def poller(self) -> Poller:
        return Poller(source_object="load.case", fetch=self.fetch, fetch_one=self.fetch_one)

    async def fetch(self, _client: Any, cursor: str | None) -> Batch:
        return Batch(events=[], cursor=cursor or "now")

    async def fetch_one(self, _client: Any, number: str) -> Event:
        self.read.append(number)
        found = self.values.get(number, {})
        if isinstance(found, Exception):
            raise found
        name = "case" if number.startswith("C") else "item"
        return Event(
            trigger=f"load.{name}.updated",
            record=Record(source_object=f"load.{name}", id=number, values=found),
            occurred_at=datetime.now(UTC),
            key=f"read/{number}/{len(self.read)}",
        )


@asynccontextmanager
async def linked(url: str, sink: Sink, vendor: Vendor) -> AsyncIterator[tuple[Rig, Any, str]]:
    """Run an engine with a case that has an item at another connector."""
    plugin = LoadPlugin((vendor.poller(),))
    connectors = ("load", "other")
    async with running_rig(url, sink.url, connectors=connectors, plugin=plugin) as rig:
        rig.use(PAGE, SYNC_STATUS)
        await rig.send(case("created", "1"))
        await rig.settled()
        app = app_of(rig)
        app.include_router(reconciliations.router)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as api:
            yield rig, api, await made_item(rig)


async def compared(api: httpx.AsyncClient, path: str = "reconciliations", **asked: Any) -> dict:
    begun = await api.post(f"{HOME}/{path}", json=asked)
    assert begun.status_code == 202, begun.text
    return await ended(api, begun.json()["id"])


async def ended(api: httpx.AsyncClient, number: str) -> dict:
    deadline = asyncio.get_running_loop().time() + 15
    while True:
        found = (await api.get(f"{HOME}/reconciliations/{number}")).json()
        if found["state"] != "running":
            return found
        assert asyncio.get_running_loop().time() < deadline, found
        await asyncio.sleep(0.05)


async def test_what_differs_is_told_and_left_alone(engine_url: str, sink: Sink) -> None:
    vendor = Vendor()
    async with linked(engine_url, sink, vendor) as (rig, api, number):
        vendor.values = {"C1": {"title": "T", "status": "Closed"}, number: {"title": "T"}}
        found = await compared(api)
        await rig.settled()

        (drift,) = found["drifts"]
        assert (found["compared"], found["unchanged"], found["came_in"]) == (2, 1, 1)
        assert (drift["kind"], drift["connector"], drift["record"]) == ("changed", "load", "C1")
        assert drift["fields"] == {"status": {"known": "New", "there": "Closed"}}
        assert "the hub knew 'New'" in drift["text"]
        assert drift["correlation"].startswith("M-")
        assert not drift["repaired"]
        assert paths(sink) == ["/items"]
        lines = await rig.rows("SELECT text FROM activity WHERE level = 'warning'")
        assert [line[0] for line in lines] == [
            "Linked records differ from what the hub knows: 1 changed."
        ]


async def test_a_sync_works_what_was_missed_once(engine_url: str, sink: Sink) -> None:
    vendor = Vendor()
    async with linked(engine_url, sink, vendor) as (rig, api, _):
        vendor.values = {"C1": {"title": "T", "status": "Closed"}}
        first = await compared(api, "sync")
        await rig.settled()
        second = await compared(api, "sync")
        await rig.settled()

        assert [one["repaired"] for one in first["drifts"]] == [True]
        assert second["drifts"] == []
        assert paths(sink) == ["/items", "/status"]


async def test_records_that_are_gone_or_unreadable_and_dead_letters_are_told(
    engine_url: str, sink: Sink
) -> None:
    vendor = Vendor()
    async with linked(engine_url, sink, vendor) as (rig, api, number):
        sink.faults.append(Fault(status=400))
        await rig.send(case("updated", "2", values={"status": "W"}, before={"status": "New"}))
        await rig.settled()
        vendor.values = {"C1": Unavailable("away"), number: Gone("404")}
        found = await compared(api, "sync")

        kinds = sorted((one["kind"], one["record"]) for one in found["drifts"])
        assert kinds == [("given_up", number), ("gone", number), ("unreadable", "C1")]
        assert (found["errors"], found["went_out"]) == (1, 1)
        states = await rig.rows("SELECT state FROM links ORDER BY id")
        assert [row[0] for row in states] == ["live", "gone"]


async def test_one_matter_is_compared_alone_and_the_same_comparison_is_joined(
    sqlite_url: str, sink: Sink
) -> None:
    vendor = Vendor()
    async with linked(sqlite_url, sink, vendor) as (rig, api, _):
        await rig.send(case("created", "9", id="C9"))
        await rig.settled()
        ((code,),) = await rig.rows("SELECT code FROM correlations ORDER BY created_at LIMIT 1")
        answers = [await api.post(f"{HOME}/sync", json={"correlation": code}) for _ in range(2)]
        missing = await api.post(f"{HOME}/sync", json={"correlation": "M-NOTHING"})
        found = await ended(api, answers[0].json()["id"])

        assert answers[0].json()["id"] == answers[1].json()["id"]
        assert missing.status_code == 404
        assert found["compared"] == 2
        assert "C9" not in vendor.read


async def test_comparisons_come_by_their_schedule(engine_url: str, sink: Sink) -> None:
    vendor = Vendor()
    async with linked(engine_url, sink, vendor) as (rig, api, _):
        await rig.engine.reconciling.each_minute()
        assert (await api.get(f"{HOME}/reconciliations")).json()["items"] == []

        async with rig.database.writing() as session:
            for name in ("load", "other"):
                row = await session.get(Connector, (await rig.connector(name)).id)
                row.created_at = datetime.now(UTC) - timedelta(hours=25)
                row.reconcile_every_h = 24 if name == "load" else 0
        await rig.engine.reconciling.each_minute()
        await rig.engine.reconciling.each_minute()

        (begun,) = (await api.get(f"{HOME}/reconciliations")).json()["items"]
        assert begun["created_by"] == "schedule"
        assert not begun["repair"]
        assert (await ended(api, begun["id"]))["compared"] == 2
        assert (await rig.rows("SELECT count(*) FROM reconciliations")) == [(1,)]
