"""Notes and status updates."""

import httpx
import pytest

import hub
from hub_pagerduty.actions import ACTIONS
from hub_pagerduty.actions.notes import find_note, find_status_update

NEW = "QDEMO000000123"


async def test_a_note_says_who_wrote_it(do, sim):
    result = await do("add_note", NEW, content="Looking ✓", author="Ana")

    (note,) = sim.world.incidents[NEW].notes
    assert (note.id, note.content) == (result.note, "Ana: Looking ✓")


async def test_a_note_that_is_too_long_is_cut_with_its_link(do, sim):
    await do("add_note", NEW, content="ü" * 70_000, link="https://sf.test/500x")

    (note,) = sim.world.incidents[NEW].notes
    assert len(note.content.encode()) <= 65_535
    assert note.content.endswith("…(cut) https://sf.test/500x")


async def test_a_note_whose_answer_was_lost_is_found(do, client, sim, call_for):
    sim.faults.add("empty", method="POST")
    with pytest.raises(Exception, match="note"):
        await do("add_note", NEW, content="Once")

    found = await find_note(call_for("add_note", client, NEW, content="Once"))

    assert found.note == sim.world.incidents[NEW].notes[0].id


async def test_other_notes_are_not_taken_for_it(do, client, call_for):
    await do("add_note", NEW, content="Another")

    assert await find_note(call_for("add_note", client, NEW, content="Once")) is None


async def test_a_status_update_is_published(do, sim, receiver, subscribed):
    await do("publish_status_update", NEW, message="A fix is on its way", subject="Outage")
    await sim.dispatcher.settle()

    assert receiver.triggers() == ["incident.status_update_published"]
    assert receiver.events[0].record.values["status_update"] == "A fix is on its way"


async def test_a_status_update_whose_answer_was_lost_is_found_in_the_log(do, client, sim, call_for):
    sim.faults.add("cut_after", method="POST")
    with pytest.raises(httpx.ReadError):
        await do("publish_status_update", NEW, message="Soon")

    found = await find_status_update(call_for("publish_status_update", client, NEW, message="Soon"))
    other = await find_status_update(call_for("publish_status_update", client, NEW, message="Now"))

    assert found.summary == "Found the status update, published before"
    assert other is None


async def test_a_status_update_is_published_again_only_when_it_did_not_arrive(client, call_for):
    call = call_for("publish_status_update", client, NEW, message="Soon")
    declared = next(one for one in ACTIONS if one.verb == "publish_status_update")

    assert declared.repeat is hub.Repeat.FIND_FIRST
    assert await find_status_update(call) is None
