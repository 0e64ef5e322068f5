"""Records that are one matter: links, lanes, our own writes coming back, notes."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from hub import ids
from hub.testing.rig import Rig, running_rig
from hub.testing.sink import Fault, Sink
from tests.delivery.app import api_of

NOW = datetime(2025, 11, 21, 9, 0, tzinfo=UTC)


@pytest.fixture
async def both(engine_url: str, sink: Sink) -> AsyncIterator[Rig]:
    async with running_rig(engine_url, sink.url, connectors=("load", "other")) as rig:
        yield rig


def case(kind: str, key: str, **more):
    values = {"title": "T", "status": "New"} | more.pop("values", {})
    told = {"kind": kind, "object": "load.case", "id": "C1", "key": key, "values": values}
    return told | {"at": at(0)} | more


def item(kind: str, key: str, number: str, **more):
    told = {"kind": kind, "object": "load.item", "id": number, "key": key}
    return told | {"at": at(0)} | more


def at(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


PAGE = {
    "name": "Page",
    "object": "load.case",
    "on": ["load.case.created", "load.case.updated"],
    "when": {"all": [{"field": "load.case.status", "op": "is", "value": "New"}]},
    "then": [
        {
            "do": "load.create_item",
            "connector": "other",
            "unless_linked": True,
            "with": {"title": "{{ load.case.title }}"},
        }
    ],
}
SYNC_STATUS = {
    "name": "Sync status to the item",
    "object": "load.case",
    "on": ["load.case.updated"],
    "when": {"all": [{"field": "load.case.status", "op": "changed"}]},
    "then": [
        {
            "do": "load.set_status",
            "connector": "other",
            "with": {"status": "{{ load.case.status }}"},
        }
    ],
}
SYNC_BACK = {
    "name": "Sync status to the case",
    "object": "load.case",
    "on": ["load.item.updated"],
    "when": {"all": [{"field": "load.item.status", "op": "changed"}]},
    "then": [
        {
            "do": "load.set_case_status",
            "connector": "load",
            "with": {"status": "{{ load.item.status }}"},
        }
    ],
}
NOTES = {
    "name": "Notes",
    "object": "load.case",
    "on": ["load.case.annotated"],
    "then": [
        {"do": "load.add_note", "connector": "other", "with": {"content": "{{ load.case.note }}"}}
    ],
}


async def made_item(rig: Rig) -> str:
    rows = await rig.rows(
        "SELECT record_id FROM links WHERE source_object = 'load.item' AND state = 'live'"
    )
    assert len(rows) == 1
    return rows[0][0]


async def outcomes(rig: Rig) -> list[tuple[str, str | None]]:
    return [tuple(row) for row in await rig.rows("SELECT state, outcome FROM events ORDER BY id")]


def paths(sink: Sink) -> list[str]:
    return [one.path for one in sink.counted]


async def test_a_created_record_is_linked_and_made_once(both: Rig, sink: Sink) -> None:
    both.use(PAGE)

    await both.send(case("created", "1"))
    await both.settled()
    await both.send(case("updated", "2", values={"title": "U"}))
    await both.settled()

    assert paths(sink) == ["/items"]
    rows = await both.rows("SELECT outcome, summary FROM runs ORDER BY id")
    assert [row[0] for row in rows] == ["done", "already_linked"]
    lanes = await both.rows("SELECT DISTINCT lane FROM events")
    assert len(lanes) == 1
    assert (await both.rows("SELECT count(*) FROM links WHERE state = 'reserved'"))[0][0] == 0


async def test_two_creates_in_one_event_make_one_record(both: Rig, sink: Sink) -> None:
    both.use(PAGE, PAGE | {"name": "Page again"})

    await both.send(case("created", "1"))
    await both.settled()

    assert paths(sink) == ["/items"]


async def test_a_dead_create_frees_its_place(both: Rig, sink: Sink) -> None:
    both.use(PAGE)
    sink.faults.append(Fault(status=400))

    await both.send(case("created", "1"))
    await both.settled()
    await both.send(case("updated", "2"))
    await both.settled()

    assert paths(sink) == ["/items"]


async def retry(rig: Rig, number: int) -> None:
    """Try a dead run again, as a person does."""
    async with api_of(rig) as api:
        answer = await api.post(f"/api/v1/tenants/load/runs/{ids.shown('run', number)}/retry")
    assert answer.status_code == 200, answer.text


async def test_a_dead_create_that_is_tried_again_makes_no_second_record(
    both: Rig, sink: Sink
) -> None:
    both.use(PAGE)
    sink.faults.append(Fault(status=400))
    await both.send(case("created", "1"))
    await both.settled()
    await both.send(case("updated", "2"))
    await both.settled()

    await retry(both, 1)
    await both.settled()

    assert paths(sink) == ["/items"]
    rows = await both.rows("SELECT state, outcome FROM runs ORDER BY id")
    assert [tuple(row) for row in rows] == [("skipped", "already_linked"), ("done", "done")]


async def test_a_dead_create_that_is_tried_again_takes_its_place_at_once(
    both: Rig, sink: Sink
) -> None:
    both.use(PAGE)
    sink.faults.append(Fault(status=400))
    await both.send(case("created", "1"))
    await both.settled()

    await both.send(case("updated", "2"))
    await retry(both, 1)
    await both.settled()

    assert paths(sink) == ["/items"]
    assert (await both.rows("SELECT count(*) FROM links WHERE state = 'reserved'"))[0][0] == 0


async def test_events_of_linked_records_share_a_lane(both: Rig) -> None:
    both.use(PAGE)
    await both.send(case("created", "1"))
    await both.settled()
    number = await made_item(both)

    await both.send(item("updated", "2", number, values={"status": "ok"}), to="other")
    await both.settled()

    assert len(await both.rows("SELECT DISTINCT lane FROM events")) == 1


async def test_our_own_write_coming_back_is_an_echo(both: Rig, sink: Sink) -> None:
    both.use(PAGE, SYNC_STATUS, SYNC_BACK)
    await both.send(case("created", "1"))
    await both.settled()
    number = await made_item(both)

    await both.send(
        case("updated", "2", values={"status": "Working"}, before={"status": "New"}, at=at(0.1))
    )
    await both.settled()
    values = {"title": "T", "status": "Working"}
    await both.send(item("updated", "3", number, values=values, at=at(0.2)), to="other")
    await both.settled()

    assert paths(sink) == ["/items", "/status"]
    assert (await outcomes(both))[-1] == ("echo", "echo: the hub wrote status")


async def test_a_person_beside_our_echo_is_a_genuine_change(both: Rig, sink: Sink) -> None:
    both.use(PAGE, SYNC_STATUS, SYNC_BACK)
    await both.send(case("created", "1"))
    await both.settled()
    number = await made_item(both)
    await both.send(
        case("updated", "2", values={"status": "Working"}, before={"status": "New"}, at=at(0.1))
    )
    await both.settled()

    values = {"title": "T", "status": "Working"}
    await both.send(item("updated", "3", number, values=values, at=at(0.2)), to="other")
    values = {"title": "T", "status": "Closed"}
    await both.send(item("updated", "4", number, values=values, at=at(0.3)), to="other")
    await both.settled()

    assert paths(sink) == ["/items", "/status", "/status"]
    assert sink.counted[-1].body["status"] == "Closed"


async def test_the_webhook_of_a_create_may_come_before_its_answer(both: Rig, sink: Sink) -> None:
    both.use(PAGE, PAGE | {"object": "load.item", "on": ["load.item.created"], "when": {}})
    sink.after_s = 0.3

    await both.send(case("created", "1"))
    while not sink.counted:
        assert await both.pending()
    key = sink.counted[0].key
    await both.send(
        item("created", "2", f"made-{key}", origin=key, before={}, values={"title": "T"}),
        to="other",
    )
    await both.settled()

    assert paths(sink) == ["/items"]
    assert (await outcomes(both))[-1] == ("echo", "echo: a record that the hub made")
    assert await made_item(both) == f"made-{key}"
    assert len(await both.rows("SELECT id FROM correlations WHERE merged_into IS NULL")) == 1


async def test_a_note_of_ours_is_known_by_its_id(both: Rig, sink: Sink) -> None:
    back = {
        "name": "Back",
        "object": "load.case",
        "on": ["load.item.annotated"],
        "then": [{"do": "load.post", "connector": "load", "with": {"text": "back"}}],
    }
    both.use(PAGE, NOTES, back)
    await both.send(case("created", "1"))
    await both.settled()
    number = await made_item(both)

    await both.send(
        case("annotated", "2", values={"note": "Hello"}, before={"note": None}, note="n1")
    )
    await both.settled()
    note = f"note-{sink.counted[-1].key}"
    ours = {"values": {"note": "Hello"}, "before": {"note": None}}
    await both.send(item("annotated", "3", number, note=note, **ours), to="other")
    await both.settled()
    theirs = {"values": {"note": "Hello"}, "before": {"note": None}}
    await both.send(item("annotated", "4", number, note="typed", **theirs), to="other")
    await both.settled()

    assert paths(sink) == ["/items", "/notes", "/post"]
    assert [row[0] for row in await outcomes(both)] == ["done", "done", "echo", "done"]


async def test_what_is_so_already_is_not_written(both: Rig, sink: Sink) -> None:
    both.use(PAGE, SYNC_STATUS)
    await both.send(case("created", "1"))
    await both.settled()
    number = await made_item(both)
    values = {"title": "T", "status": "Working"}
    await both.send(item("updated", "2", number, values=values, at=at(0.1)), to="other")
    await both.settled()

    await both.send(
        case("updated", "3", values={"status": "Working"}, before={"status": "New"}, at=at(0.2))
    )
    await both.settled()

    assert paths(sink) == ["/items"]
    assert (await both.rows("SELECT outcome FROM runs ORDER BY id DESC LIMIT 1"))[0][
        0
    ] == "already_so"


async def test_a_record_that_is_gone_breaks_its_link(both: Rig, sink: Sink) -> None:
    both.use(PAGE, SYNC_STATUS)
    await both.send(case("created", "1"))
    await both.settled()
    sink.faults.append(Fault(status=404))

    await both.send(
        case("updated", "2", values={"status": "Working"}, before={"status": "New"}, at=at(0.1))
    )
    await both.settled()

    assert (await both.rows("SELECT state, outcome FROM runs ORDER BY id DESC LIMIT 1"))[0][:2] == (
        "skipped",
        "gone",
    )
    assert await both.rows("SELECT state FROM links WHERE source_object = 'load.item'") == [
        ("gone",)
    ]


async def linked_items(rig: Rig) -> list[str]:
    rows = await rig.rows(
        "SELECT record_id FROM links WHERE source_object = 'load.item' AND state = 'live' "
        "ORDER BY record_id"
    )
    return [row[0] for row in rows]


async def test_what_was_linked_to_a_record_follows_it_into_another(both: Rig, sink: Sink) -> None:
    both.use(PAGE, SYNC_BACK)
    await both.send(case("created", "1"))
    await both.settled()
    first = await made_item(both)

    gone = item("updated", "2", first, values={"title": "T"}, joins=["load.item", "I-other"])
    await both.send(gone, to="other")
    await both.settled()
    told = item("updated", "3", "I-other", values={"status": "Open"})
    await both.send(told, to="other")
    closed = item("updated", "4", "I-other", values={"status": "Closed"}, before={"status": "Open"})
    await both.send(closed, to="other")
    await both.settled()

    assert await linked_items(both) == ["I-other"]
    assert paths(sink) == ["/items", "/status"]


async def test_records_of_both_sides_of_a_join_are_one_matter(both: Rig) -> None:
    both.use(PAGE)
    await both.send(case("created", "1"))
    await both.send(case("created", "2", id="C2"))
    await both.settled()
    one, other = await linked_items(both)

    gone = item("updated", "3", one, values={"title": "T"}, joins=["load.item", other])
    await both.send(gone, to="other")
    await both.settled()

    rows = await both.rows(
        "SELECT correlation_id, record_id FROM links WHERE state = 'live' ORDER BY record_id"
    )
    assert [row[1] for row in rows] == sorted(["C1", "C2", other])
    assert len({row[0] for row in rows}) == 1
