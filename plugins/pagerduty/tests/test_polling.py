"""What no webhook told is found, in order, once."""

import json
from datetime import timedelta

import pytest

import hub
from hub_pagerduty.client import PagerDutyClient
from hub_pagerduty.imports import Existing, existing, import_cursor
from hub_pagerduty.polling import fetch, fetch_one, since
from hub_pagerduty.settings import PagerDutySettings

NEW, WORKED_ON, DONE = "QDEMO000000123", "QDEMO000000122", "QDEMO000000121"


@pytest.fixture(autouse=True)
def poll_clock(sim, monkeypatch):
    """The hub's clock goes with the simulator's."""
    monkeypatch.setattr("hub_pagerduty.polling.clock.now", sim.clock.now)


async def started(client, sim):
    """Return a cursor from which nothing that is there already is read."""
    sim.clock.advance(600)
    return (await fetch(client, None)).cursor


def told(batch):
    return [event.trigger.removeprefix("pagerduty.incident.") for event in batch.events]


async def test_it_begins_with_now(client, sim):
    batch = await fetch(client, None)

    assert (batch.events, batch.more) == ((), False)
    assert sim.requests == []


async def test_changes_come_in_their_order(client, do, sim):
    cursor = await started(client, sim)
    made = await do("create_incident", title="Missed")
    for verb, given in (
        ("acknowledge_incident", {}),
        ("add_note", {"content": "Looking"}),
        ("reassign_incident", {"users": ["PUSER03"]}),
        ("escalate_incident", {}),
        ("set_urgency", {"urgency": "low"}),
        ("set_title", {"title": "Renamed"}),
        ("set_custom_fields", {"fields": {"environment": "staging"}}),
        ("reassign_incident", {"escalation_policy": "PDATPOL"}),
        ("resolve_incident", {}),
    ):
        sim.clock.advance(2)
        await do(verb, made.record.id, **given)

    batch = await fetch(client, cursor)

    assert told(batch) == [
        "triggered",
        "acknowledged",
        "annotated",
        "reassigned",
        "escalated",
        "updated",
        "updated",
        "custom_field_values.updated",
        "delegated",
        "resolved",
    ]
    assert batch.events[0].record.values["status"] == "triggered"
    assert batch.events[0].before == {}
    assert batch.events[-1].record.values["status"] == "resolved"
    assert {event.record.id for event in batch.events} == {made.record.id}


async def test_nothing_is_told_twice(client, do, sim):
    cursor = await started(client, sim)
    await do("acknowledge_incident", NEW)
    first = await fetch(client, cursor)
    sim.clock.advance(1)
    await do("add_note", NEW, content="Later")

    second = await fetch(client, first.cursor)
    third = await fetch(client, second.cursor)

    assert told(first) == ["acknowledged"]
    assert told(second) == ["annotated"]
    assert told(third) == []


async def test_a_note_found_late_has_its_own_id(client, do, sim):
    cursor = await started(client, sim)
    note = await do("add_note", NEW, content="Looking")

    (event,) = (await fetch(client, cursor)).events

    assert event.note == note.note
    assert (event.record.values["note"], event.before) == ("Looking", {"note": None})


async def test_a_merge_is_told_as_one(client, do, sim):
    cursor = await started(client, sim)
    await do("merge_incident", WORKED_ON, into=NEW)

    (event,) = (await fetch(client, cursor)).events

    assert event.trigger == "pagerduty.incident.merged"
    assert event.record.values["merged_into"] == NEW


async def test_old_values_of_custom_fields_are_told(client, do, sim):
    await do("set_custom_fields", NEW, fields={"environment": "staging"})
    cursor = await started(client, sim)
    await do("set_custom_fields", NEW, fields={"environment": "production"})

    (event,) = (await fetch(client, cursor)).events

    assert event.before == {"environment": "staging"}
    assert event.record.values["environment"] == "production"


async def test_who_did_it_is_told(client, do, sim):
    cursor = await started(client, sim)
    await do("acknowledge_incident", NEW, from_email="jane.smith@company.com")

    (event,) = (await fetch(client, cursor)).events

    assert (event.actor, event.actor_name) == ("PUSER03", "Jane Smith")


async def test_a_log_of_many_pages_is_read_whole(client, do, sim):
    cursor = await started(client, sim)
    for number in range(120):
        await do("add_note", NEW, content=f"Note {number}")
        sim.clock.advance(1)

    batch = await fetch(client, cursor)

    assert [event.record.values["note"] for event in batch.events] == [
        f"Note {number}" for number in range(120)
    ]


async def test_too_long_a_log_is_read_in_halves_of_time(client, do, sim, monkeypatch):
    monkeypatch.setattr("hub_pagerduty.polling.DEEPEST", 110)
    cursor = await started(client, sim)
    for number in range(40):
        await do("add_note", NEW, content=f"Note {number}")
        sim.clock.advance(60)

    found, more, turns = [], True, 0
    while more:
        batch = await fetch(client, cursor)
        found += [event.record.values["note"] for event in batch.events if event.note]
        cursor, more, turns = batch.cursor, batch.more, turns + 1

    assert found == [f"Note {number}" for number in range(40)]
    assert turns > 1


async def test_it_may_begin_at_a_time_and_never_tells_what_was_before(client, do, sim):
    sim.clock.advance(30)
    cursor = since(sim.clock.now())
    await do("acknowledge_incident", NEW)
    sim.clock.advance(1)

    first = await fetch(client, cursor)
    await do("add_note", NEW, content="Later")
    sim.clock.advance(1)
    second = await fetch(client, first.cursor)
    sim.clock.advance(600)
    third = await fetch(client, second.cursor)

    assert (told(first), told(second), told(third)) == (["acknowledged"], ["annotated"], [])
    assert "floor" not in json.loads(third.cursor)


async def test_an_import_asks_for_what_its_form_says(client):
    asked = Existing(statuses=["triggered"], services=["PDAT001"])

    batch = await fetch(client, existing(asked, None, None))

    assert [event.record.id for event in batch.events] == [NEW]


async def test_existing_incidents_are_imported_page_by_page(client, do, sim):
    sim.world.switches.page_limit = 2
    cursor = import_cursor(statuses=["triggered", "acknowledged", "resolved"])

    first = await fetch(client, cursor)
    second = await fetch(client, first.cursor)

    found = [event.record.id for event in [*first.events, *second.events]]
    assert found == [DONE, WORKED_ON, NEW]
    assert (first.more, second.more) == (True, False)
    assert "import" not in json.loads(second.cursor)


async def test_an_import_may_be_narrowed(client):
    cursor = import_cursor(services=["PDAT001"], statuses=["triggered"])

    batch = await fetch(client, cursor)

    assert [event.record.id for event in batch.events] == [NEW]


async def test_an_old_open_incident_is_imported(client, sim):
    sim.clock.advance(90 * 24 * 3600)

    batch = await fetch(client, import_cursor(statuses=["triggered"]))

    assert NEW in [event.record.id for event in batch.events]


async def test_one_incident_is_read_with_all_it_has(client, do):
    await do("set_custom_fields", NEW, fields={"environment": "staging"})
    await do("set_conference", NEW, conference_url="https://meet.example.com")

    event = await fetch_one(client, NEW)

    values = event.record.values
    assert (event.trigger, event.record.human_id) == ("pagerduty.incident.updated", "#123")
    assert values["description"].startswith("Replication lag")
    assert values["conference_url"] == "https://meet.example.com"
    assert values["environment"] == "staging"


async def test_an_incident_that_is_gone_is_told(client):
    with pytest.raises(hub.Gone):
        await fetch_one(client, "QNOTHERE000000")


async def everything(client, cursor):
    """Read an import to its end; return the ids in their order and the last cursor."""
    found, more = [], True
    while more:
        batch = await fetch(client, cursor)
        found += [event.record.id for event in batch.events]
        cursor, more = batch.cursor, batch.more
    return found, cursor


async def test_an_import_goes_on_where_pagerdutys_cap_ends(client, do, sim, monkeypatch):
    monkeypatch.setattr("hub_pagerduty.imports.DEEPEST", 104)
    sim.world.switches.page_limit = 2
    made = []
    for number in range(9):
        sim.clock.advance(60)
        made.append((await do("create_incident", key=f"k{number}", title=f"{number}")).record.id)

    found, cursor = await everything(client, import_cursor(statuses=["triggered", "acknowledged"]))

    assert list(dict.fromkeys(found)) == [WORKED_ON, NEW, *made]
    assert "import" not in json.loads(cursor)


async def test_an_import_from_long_ago_misses_no_month(client, do, sim):
    made = []
    for number in range(5):
        made.append((await do("create_incident", key=f"m{number}", title=f"{number}")).record.id)
        sim.clock.advance(70 * 86_400)
    asked = Existing(statuses=["triggered"])

    found, _ = await everything(
        client, existing(asked, sim.clock.now() - timedelta(days=5 * 70), None)
    )

    assert [one for one in found if one in made] == made


async def test_a_reopened_incident_is_told_from_one_with_another_alert(client, do, sim):
    await do("resolve_incident", NEW)
    sim.clock.advance(600)
    cursor = await started(client, sim)
    await do("reopen_incident", NEW)
    sim.clock.advance(1)
    await do("resolve_incident", NEW)
    sim.clock.advance(1)
    await do("reopen_incident", NEW)

    batch = await fetch(client, cursor)

    assert told(batch) == ["reopened", "resolved", "reopened"]
    assert [one.record.values["status"] for one in batch.events] == [
        "triggered",
        "resolved",
        "triggered",
    ]


async def test_a_connector_without_a_rest_key_has_nothing_to_poll(http):
    only_events = PagerDutySettings(integration_key="2" + "0" * 31)
    client = PagerDutyClient(only_events, http)

    first = await fetch(client, None)
    second = await fetch(client, first.cursor)

    assert (first.events, second.events, second.cursor) == ((), (), first.cursor)


async def test_earlier_entries_do_not_tell_what_came_later(client, do, sim):
    cursor = await started(client, sim)
    await do("add_note", NEW, content="Before")
    await do("acknowledge_incident", NEW)
    await do("add_note", NEW, content="Between")
    await do("resolve_incident", NEW)
    sim.clock.advance(1)
    await do("add_note", NEW, content="After")

    batch = await fetch(client, cursor)

    assert [
        (event.trigger.rpartition(".")[2], event.record.values.get("status"))
        for event in batch.events
    ] == [
        ("annotated", None),
        ("acknowledged", "acknowledged"),
        ("annotated", "acknowledged"),
        ("resolved", "resolved"),
        ("annotated", "resolved"),
    ]
    assert ["assignees" in event.record.values for event in batch.events] == [False] * 4 + [True]
