"""Who works on an incident."""

import pytest
from pydantic import ValidationError

import hub
from hub_pagerduty.actions.people import Escalate, Reassign, find_escalation, find_responders

NEW, WORKED_ON, DONE = "QDEMO000000123", "QDEMO000000122", "QDEMO000000121"


@pytest.mark.covers("RF-088")
async def test_an_incident_is_given_to_people(do, sim):
    await do("reassign_incident", NEW, users=["jane.smith@company.com", "PUSER04"])

    assert [user for _, user in sim.world.incidents[NEW].assigned] == ["PUSER03", "PUSER04"]


async def test_an_incident_is_given_to_a_policy(do, sim):
    await do("reassign_incident", NEW, escalation_policy="PXXXXXX")

    assert sim.world.incidents[NEW].policy == "PXXXXXX"


@pytest.mark.parametrize("given", [{}, {"users": ["P1"], "escalation_policy": "P2"}])
def test_either_people_or_a_policy_are_named(given):
    with pytest.raises(ValidationError):
        Reassign.model_validate(given)


async def test_somebody_unknown_is_named(do):
    with pytest.raises(hub.Rejected, match=r"nobody@company\.com"):
        await do("reassign_incident", NEW, users=["nobody@company.com"])
    with pytest.raises(hub.Rejected, match="PNOBODY"):
        await do("reassign_incident", NEW, users=["PNOBODY"])


async def test_escalating_goes_to_the_next_level(do, sim):
    result = await do("escalate_incident", NEW)

    assert sim.world.incidents[NEW].level == 2
    assert result.summary == "Escalated incident #123 to level 2"


async def test_low_urgency_is_raised_before_escalating(do, sim):
    sim.world.incidents[NEW].urgency = "low"

    await do("escalate_incident", NEW, escalation_policy="PXXXXXX")

    it = sim.world.incidents[NEW]
    assert (it.urgency, it.policy) == ("high", "PXXXXXX")


async def test_beyond_the_last_level_pagerduty_says_no(do):
    with pytest.raises(hub.Rejected, match="Cannot Escalate"):
        await do("escalate_incident", NEW, level=9)


async def test_a_resolved_incident_is_not_escalated(do, sim):
    assert (await do("escalate_incident", DONE)).changed is False


async def test_an_escalation_is_found_so_that_none_is_skipped(do, client, call_for):
    call = call_for("escalate_incident", client, NEW)
    assert await find_escalation(call) is None

    await do("escalate_incident", NEW)

    assert (await find_escalation(call)).record.id == NEW
    assert Escalate.model_validate({}).level == 0


async def test_snoozing_acknowledges_first(do, sim):
    await do("snooze_incident", NEW, duration="4h")

    it = sim.world.incidents[NEW]
    assert it.status == "acknowledged"
    assert (it.snoozed_until - sim.clock.now()).total_seconds() == 4 * 3600


@pytest.mark.parametrize("duration", ["0s", "8d", "soon"])
async def test_a_snooze_that_pagerduty_would_refuse_is_refused_at_once(do, duration):
    with pytest.raises(ValidationError):
        await do("snooze_incident", NEW, duration=duration)


async def test_merging_resolves_the_source_into_the_target(do, sim):
    result = await do("merge_incident", WORKED_ON, into=NEW)

    it = sim.world.incidents[WORKED_ON]
    assert (it.status, it.merged_into) == ("resolved", NEW)
    assert result.record.values["merged_into"] == NEW


async def test_merging_again_is_done_already(do):
    await do("merge_incident", WORKED_ON, into=NEW)

    assert (await do("merge_incident", WORKED_ON, into=NEW)).changed is False


async def test_merged_elsewhere_is_told(do):
    await do("merge_incident", WORKED_ON, into=NEW)
    other = await do("create_incident", title="Third")

    with pytest.raises(hub.Rejected, match="merged into QDEMO000000123"):
        await do("merge_incident", WORKED_ON, into=other.record.id)


async def test_an_incident_is_not_merged_into_itself(do):
    with pytest.raises(hub.Rejected):
        await do("merge_incident", NEW, into=NEW)


async def test_responders_are_asked_once(do, sim):
    given = {"users": ["jane.smith@company.com"], "escalation_policies": ["PXXXXXX"]}
    await do("add_responders", NEW, **given)
    again = await do("add_responders", NEW, **given)

    asked = [(one.target.kind, one.target.id) for one in sim.world.incidents[NEW].responders]
    assert asked == [("user", "PUSER03"), ("escalation_policy", "PXXXXXX")]
    assert again.changed is False


async def test_responders_are_told_each_so_that_each_webhook_is_known(do, client, sim, call_for):
    given = {"users": ["jane.smith@company.com"], "escalation_policies": ["PXXXXXX"]}
    asking = call_for("add_responders", client, NEW, **given)
    assert await find_responders(asking) is None

    asked = await do("add_responders", NEW, **given)

    found = await find_responders(asking)
    assert asked.wrote_each == {"responder": ("PUSER03", "PXXXXXX")}
    assert found.wrote_each == asked.wrote_each
    assert found.changed


async def test_a_plan_without_responders_is_told(do, sim):
    sim.world.abilities.remove("coordinated_responding")

    with pytest.raises(hub.Rejected, match="coordinated_responding"):
        await do("add_responders", NEW, users=["PUSER03"])
