"""Notes and status updates."""

import pytest

from hub_pagerduty.actions.notes import find_note

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
