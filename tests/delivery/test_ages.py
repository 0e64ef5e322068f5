"""Age, place and outcome are asked of the busy tables without an index for each."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from hub import clock
from hub.db import moments
from hub.db.bulk import Columns, Kind, insert_rows, query
from hub.db.commits import Store, open_store
from hub.db.engine import Database
from hub.deliveries import retention
from hub.deliveries.walks import Walk
from hub.testing.rig import Rig, item

NOW = clock.now()
OLD = NOW - timedelta(days=40)
TENANT, CONNECTOR = uuid.UUID(int=1), uuid.UUID(int=2)
MANY = 4000
VALUES: dict[str, Any] = {
    "tenant_id": TENANT,
    "connector_id": CONNECTOR,
    "source": "manual",
    "key": "k",
    "headers": "{}",
    "size": 1,
    "state": "ignored",
    "delivery_id": 1,
    "delivery_index": 0,
    "trigger": "load.item.created",
    "source_object": "load.item",
    "record_id": "r",
    "lane": "l",
    "shard": 1,
    "body": "{}",
    "hops": 0,
    "event_id": 1,
    "ruleset_id": "s",
    "ruleset_version": 1,
    "rule_id": "r",
    "action": "a",
    "action_index": 0,
    "base_key": "k",
    "params": "{}",
    "late": "{}",
    "unless_linked": False,
    "on_error": "stop",
    "attempts": 0,
    "values": "{}",
    "written": "{}",
    "occurred_at": NOW,
    "run_id": 1,
    "n": 1,
    "method": "GET",
    "url": "",
    "took_ms": 1,
    "fired": True,
    "because": "",
    "about": "",
    "kind": "k",
    "level": "info",
    "text": "",
    "facts": "{}",
}
OF: dict[str, str] = {
    "deliveries": "tenant_id connector_id source key headers size state received_at",
    "events": "tenant_id connector_id delivery_id delivery_index trigger source_object record_id "
    "lane shard body hops state created_at",
    "runs": "tenant_id event_id ruleset_id ruleset_version rule_id action action_index key "
    "base_key params late unless_linked on_error hops state attempts error_class created_at",
    "attempts": "tenant_id run_id n at method url took_ms",
    "traces": "tenant_id event_id rule_id about fired because body created_at",
    "activity": "tenant_id at kind level text facts",
    "seen_keys": "tenant_id connector_id key_hash delivery_id seen_at",
    "last_seen": "tenant_id connector_id source_object record_id values written occurred_at "
    "seen_at",
}
KINDS = {
    "size delivery_id delivery_index shard hops event_id ruleset_version action_index attempts "
    "run_id n took_ms": Kind.INT,
    "tenant_id connector_id": Kind.UUID,
    "headers body params late values written facts": Kind.JSON,
    "received_at created_at at seen_at occurred_at": Kind.TIME,
    "unless_linked fired": Kind.BOOL,
    "key_hash": Kind.BYTES,
}
KIND = {name: kind for names, kind in KINDS.items() for name in names.split()}


def fill(connection: Connection, table: str, rows: list[dict[str, Any]]) -> None:
    names = OF[table].split()
    columns: Columns = {name: KIND.get(name, Kind.TEXT) for name in names}
    made = [tuple((VALUES | row).get(name) for name in names) for row in rows]
    insert_rows(connection, table, columns, made)


@pytest.fixture
async def store(database: Database):
    opened = open_store(database)
    yield opened
    await opened.close()


def keys(count: int, seen_at: datetime, first: int) -> list[dict[str, Any]]:
    return [
        {"key_hash": (n * 2654435761 % 2**32).to_bytes(16), "seen_at": seen_at}
        for n in range(first, first + count)
    ]


async def left(store: Store, table: str) -> int:
    rows = await store.read(lambda c: query(c, f"SELECT count(*) FROM {table}"))
    return int(rows[0][0])


async def test_a_walk_forgets_what_is_old_slice_by_slice_from_where_it_was(store) -> None:
    await store.write(lambda c: fill(c, "seen_keys", keys(60, OLD, 0) + keys(40, NOW, 60)))
    deleted = []
    for _ in range(5):  # each as after a restart
        walk = Walk(table="seen_keys", before=NOW - timedelta(days=7), slice=11, left=2)
        while not walk.is_over:
            deleted.append(await store.write(walk))

    assert sum(deleted) == 60
    assert max(deleted) <= 11
    assert await left(store, "seen_keys") == 40

    await store.write(lambda c: fill(c, "seen_keys", keys(30, OLD, 100)))
    walk = Walk(table="seen_keys", before=NOW - timedelta(days=7))
    again = [await store.write(walk), await store.write(walk)]  # the rest, then from the start

    assert sum(again) == 30
    assert walk.is_over


async def test_a_walk_leaves_the_values_of_linked_records(rig: Rig) -> None:
    connector = await rig.connector()
    rows = [
        {"tenant_id": rig.tenant_id, "connector_id": connector.id, "record_id": f"r{n}"}
        | {"seen_at": NOW - timedelta(days=100 if n < 4 else 1)}
        for n in range(6)
    ]

    def work(connection: Connection) -> None:
        fill(connection, "last_seen", rows)
        columns: Columns = {
            "correlation_id": Kind.UUID,
            "tenant_id": Kind.UUID,
            "connector_id": Kind.UUID,
            "source_object": Kind.TEXT,
            "record_id": Kind.TEXT,
            "state": Kind.TEXT,
            "precise": Kind.JSON,
            "created_at": Kind.TIME,
        }
        link = (TENANT, rig.tenant_id, connector.id, "load.item", "r2", "live", "{}", NOW)
        insert_rows(connection, "links", columns, [link])

    await rig.engine.store.write(work)
    await rig.engine.housekeeping.retain()

    found = await rig.rows("SELECT record_id FROM last_seen WHERE record_id LIKE 'r%' ORDER BY 1")
    assert [row[0] for row in found] == ["r2", "r4", "r5"]


async def test_old_keys_are_forgotten_by_retention(rig: Rig) -> None:
    await rig.send(item("a", 1))
    await rig.engine.housekeeping.retain()
    kept = await rig.rows("SELECT count(*) FROM seen_keys")
    rig.engine.time.ahead = timedelta(days=8)

    await rig.engine.housekeeping.retain()

    assert kept[0][0] == 1
    assert (await rig.rows("SELECT count(*) FROM seen_keys"))[0][0] == 0


def plans(connection: Connection, sql: str, *values: Any) -> str:
    word = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    return "\n".join(str(tuple(row)) for row in query(connection, f"{word} {sql}", *values))


def many(connection: Connection) -> None:
    step = timedelta(minutes=15)
    at = [OLD + n * step for n in range(MANY)]
    fill(connection, "deliveries", [{"received_at": one} for one in at])
    fill(connection, "events", [{"created_at": one, "state": "done"} for one in at])
    states = [{"state": "dead", "error_class": "E"}, *[{"state": "done"}] * 99]
    runs = [{"key": f"k{n}", "created_at": one} | states[n % 100] for n, one in enumerate(at)]
    fill(connection, "runs", runs)
    fill(connection, "attempts", [{"at": one} for one in at])
    fill(connection, "activity", [{"at": one} for one in at])
    fill(connection, "traces", [{"event_id": n, "created_at": one} for n, one in enumerate(at)])
    if connection.dialect.name == "postgresql":
        for table in ("deliveries", "events", "runs", "attempts", "activity", "traces"):
            query(connection, f"ANALYZE {table}")


async def test_what_is_asked_by_age_reads_a_range_of_ids(store, database: Database) -> None:
    await store.write(many)
    before = NOW - timedelta(days=39)
    scan = "SCAN" if database.is_sqlite else "Seq Scan on"
    for table in ("deliveries", "events", "runs", "attempts", "activity", "traces"):
        sql = retention._OLD[table]
        plan = await store.read(lambda c, q=sql: plans(c, q, TENANT, before, 100, 1000))
        assert f"{scan} {table}" not in plan, (table, plan)
    old = [retention.Old(table=one, tenant_id=TENANT, before=before) for one in retention._TIMED]
    assert [await store.write(one) for one in old] == [
        sum(OLD + n * timedelta(minutes=15) < before for n in range(MANY))
        - (1 if one.table in ("runs", "events", "deliveries") else 0)
        for one in old
    ]
    listed = "SELECT id FROM deliveries WHERE tenant_id = ? AND id >= ? AND id < ? LIMIT 50"
    since = await store.read(lambda c: moments.since_id(c, moments.DELIVERIES, NOW))
    plan = await store.read(lambda c: plans(c, listed, TENANT, since, 2**62))
    assert f"{scan} deliveries" not in plan


async def test_dead_letters_are_found_among_many_runs(store, database: Database) -> None:
    await store.write(many)
    wanted = "FROM runs WHERE tenant_id = ? AND state = 'dead' AND error_class > ''"

    plan = await store.read(lambda c: plans(c, f"SELECT count(*) {wanted}", TENANT))
    assert "ix_runs_tenant_id_error_class" in plan


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("table", "row", "change"),
    [
        ("runs", {"state": "intent", "created_at": NOW}, "state = 'done', done_at = now()"),
        ("events", {"state": "pending", "created_at": NOW}, "plan_version = 1, facts = '{}'"),
        ("last_seen", {"seen_at": NOW}, "seen_at = now(), values = '{\"a\": 1}'"),
    ],
)
async def test_what_changes_with_every_event_touches_no_index(
    postgres_database: Database, table: str, row: dict[str, Any], change: str
) -> None:
    hot = f"SELECT pg_stat_get_xact_tuples_hot_updated('{table}'::regclass)"

    def work(connection: Connection) -> int:
        fill(connection, table, [row])
        query(connection, f"UPDATE {table} SET {change}")
        return int(query(connection, hot)[0][0])

    async with postgres_database.transaction() as transaction:
        assert await transaction.run_sync(work) == 1


@pytest.mark.postgres
async def test_an_ordinary_delivery_is_stored_without_compressing_it(
    postgres_database: Database,
) -> None:
    body = b'{"an": "incident"}' * 150

    def work(connection: Connection) -> int:
        fill(connection, "deliveries", [{"received_at": NOW}])
        query(connection, "UPDATE deliveries SET body = ?", body)
        return int(query(connection, "SELECT pg_column_size(body) FROM deliveries")[0][0])

    async with postgres_database.transaction() as transaction:
        assert await transaction.run_sync(work) >= len(body)
