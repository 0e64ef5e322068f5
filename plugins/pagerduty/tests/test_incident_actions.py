"""Changing incidents, without surprises for whoever works on them."""

import pytest

import hub
from hub_pagerduty.client import PagerDutyClient
from hub_pagerduty.settings import PagerDutySettings

NEW, WORKED_ON, DONE = "QDEMO000000123", "QDEMO000000122", "QDEMO000000121"


def written(sim):
    return [one for one in sim.requests if one["method"] in {"PUT", "POST"}]


@pytest.mark.covers("RF-084")
async def test_acknowledging_makes_it_acknowledged(do, sim):
    result = await do("acknowledge_incident", NEW)

    assert sim.world.incidents[NEW].status == "acknowledged"
    assert result.record.values["status"] == "acknowledged"


async def test_acknowledging_never_reopens(do, sim):
    result = await do("acknowledge_incident", DONE)

    assert sim.world.incidents[DONE].status == "resolved"
    assert result.changed is False
    assert written(sim) == []


async def test_acknowledging_twice_does_not_restart_the_clock(do, sim):
    result = await do("acknowledge_incident", WORKED_ON)

    assert result.changed is False
    assert written(sim) == []


async def test_the_acting_person_gets_the_incident(do, sim):
    await do("acknowledge_incident", NEW, from_email="jane.smith@company.com")

    assert [user for _, user in sim.world.incidents[NEW].assigned] == ["PUSER03"]


@pytest.mark.covers("RF-085")
async def test_resolving_leaves_a_note_first(do, sim):
    result = await do("resolve_incident", NEW, resolution="Index rebuilt")

    it = sim.world.incidents[NEW]
    assert it.status == "resolved"
    assert [(one.id, one.content) for one in it.notes] == [(result.note, "Index rebuilt")]
    assert it.log[-1].more == {"note": "Index rebuilt"}


async def test_resolving_again_adds_no_second_note(do, sim):
    first = await do("resolve_incident", NEW, resolution="Index rebuilt")
    second = await do("resolve_incident", NEW, resolution="Index rebuilt")

    assert first.note == second.note
    assert len(sim.world.incidents[NEW].notes) == 1


async def test_a_note_that_arrived_before_the_answer_was_lost_stays_single(do, sim):
    sim.faults.add("status", method="PUT", status=500)
    with pytest.raises(hub.OutcomeUnknown):
        await do("resolve_incident", NEW, resolution="Index rebuilt")

    await do("resolve_incident", NEW, resolution="Index rebuilt")

    assert len(sim.world.incidents[NEW].notes) == 1


async def test_resolved_by_somebody_else_meanwhile_is_done(do, sim):
    sim.world.switches.repeat_is_error = True
    sim.faults.add(
        "status",
        method="PUT",
        status=400,
        body={"error": {"message": "Incident Already Resolved", "code": 1001}},
    )

    result = await do("resolve_incident", NEW)

    assert result.changed is False


async def test_reopening_triggers_it_again(do, sim):
    await do("reopen_incident", DONE)

    assert sim.world.incidents[DONE].status == "triggered"


async def test_where_reopening_is_refused_a_new_one_is_opened(do, sim):
    sim.world.switches.reopen = False

    result = await do("reopen_incident", DONE)

    assert result.record.id != DONE
    new = sim.world.incidents[result.record.id]
    assert new.title == sim.world.incidents[DONE].title
    assert "#121" in new.details


async def test_reopening_an_open_one_changes_nothing(do, sim):
    assert (await do("reopen_incident", WORKED_ON)).changed is False
    assert sim.world.incidents[WORKED_ON].status == "acknowledged"


@pytest.mark.covers("RF-086")
async def test_priority_is_set_by_name(do, sim):
    result = await do("set_priority", NEW, priority="P4")

    assert sim.world.incidents[NEW].priority == "PPRIO04"
    assert result.record.values["priority"] == "P4"


async def test_a_priority_that_nobody_has_is_refused(do):
    with pytest.raises(hub.Rejected, match="no priority 'High'"):
        await do("set_priority", NEW, priority="High")


async def test_priorities_that_changed_are_read_again(do, client, sim):
    await do("set_priority", NEW, priority="P1")
    sim.world.priorities[0].id = "PNEWP01"
    with pytest.raises(hub.Rejected):
        await do("set_priority", NEW, priority="P1")

    await do("set_priority", NEW, priority="P1")

    assert sim.world.incidents[NEW].priority == "PNEWP01"


async def test_urgency_title_type_service_and_conference_are_set(do, sim):
    await do("set_urgency", NEW, urgency="low")
    await do("set_title", NEW, title="Other title")
    await do("set_incident_type", NEW, incident_type="major_default")
    await do("move_incident", NEW, service="PAPI001")
    await do("set_conference", NEW, conference_number="+1 415-555-0100")

    it = sim.world.incidents[NEW]
    assert (it.urgency, it.title, it.type, it.service, it.conference_number) == (
        "low",
        "Other title",
        "major_default",
        "PAPI001",
        "+1 415-555-0100",
    )


async def test_the_description_of_a_hand_made_incident_changes(do, sim):
    await do("set_description", NEW, description="Known now")

    assert sim.world.incidents[NEW].details == "Known now"
    assert sim.world.incidents[NEW].notes == []


async def test_the_description_of_others_becomes_a_note(do, sim):
    made = await do("create_incident", title="By the hub")

    result = await do("set_description", made.record.id, description="Known now")

    (note,) = sim.world.incidents[made.record.id].notes
    assert (note.id, note.content) == (result.note, "Description: Known now")


async def test_custom_fields_are_set_and_cleared(do, sim):
    await do("set_custom_fields", NEW, fields={"custom_details.environment": "x", "region": "EU"})
    await do("set_custom_fields", NEW, fields={"environment": None, "affected_users": 5})

    assert sim.world.incidents[NEW].custom == {
        "environment": None,
        "region": "EU",
        "affected_users": 5,
    }


async def test_an_incident_that_is_gone_breaks_the_link(do):
    with pytest.raises(hub.Gone):
        await do("acknowledge_incident", "QNOTHERE000000")


async def test_without_an_incident_nothing_is_done(do):
    with pytest.raises(hub.Rejected, match="no PagerDuty incident"):
        await do("acknowledge_incident")


@pytest.mark.parametrize("verb", ["acknowledge_incident", "resolve_incident", "reopen_incident"])
async def test_a_read_only_key_is_explained(http, do_with, verb):
    settings = PagerDutySettings(api_key="read-only-key", base_url="https://pagerduty.test")
    target = DONE if verb == "reopen_incident" else NEW

    with pytest.raises(hub.Rejected, match="read-only"):
        await do_with(PagerDutyClient(settings, http))(verb, target)
