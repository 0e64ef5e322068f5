"""Ready-made rules at work: priorities choose policies, and accounts are kept in step."""

import pytest

from hub_pagerduty.testing import settings_for, simulator
from tests.acceptance.world import JANE, JOHN, at_work, listen, serving

KEY = {
    "Authorization": "Token token=demo-key",
    "Accept": "application/vnd.pagerduty+json;version=2",
    "From": "ops@company.com",
}


@pytest.fixture
async def world(tmp_path):
    async with at_work(tmp_path) as made:
        await made.connect_pagerduty()
        yield made


async def change(world, incident, **fields):
    body = {"incident": {"type": "incident_reference", **fields}}
    url = f"{world.paging.url}/incidents/{incident}"
    assert (await world.http.put(url, json=body, headers=KEY)).status_code == 200


async def opened(world, title):
    made = await world.http.post(
        f"{world.paging.url}/web/incidents", data={"title": title, "service": "PAPI001"}
    )
    return str(made.headers["location"]).rsplit("/", 1)[-1]


@pytest.mark.covers("IM-126")
async def test_a_priority_brings_its_escalation_policy(world):
    params = {"policies": [{"priority": "P1", "escalation_policy": "PAPI_ESCALATION"}]}
    await world.template("pagerduty.policy_by_priority", {"paging": "pagerduty"}, params)
    incident = await opened(world, "Grave")

    await change(world, incident, priority={"id": "PPRIO01", "type": "priority_reference"})

    async def moved():
        found = await world.pagerduty.incident(incident)
        return found["escalation_policy"]["id"] == "PAPI_ESCALATION"

    assert await world.until(moved)


async def test_an_important_incident_gets_a_conference_and_people(world):
    params = {
        "users": ["jane.smith@company.com"],
        "conference_url": "https://meet.example.com/war",
        "status_update": "{{ pagerduty.incident.title }}: we are on it",
        "workflow": "PWORK01",
    }
    await world.template("pagerduty.first_response", {"paging": "pagerduty"}, params)
    incident = await opened(world, "Major")

    await change(world, incident, priority={"id": "PPRIO01", "type": "priority_reference"})

    async def told():
        return await world.paging.requests(f"/incidents/{incident}/status_updates", method="POST")

    (update,) = await world.until(told)
    state = await world.paging.state()
    (found,) = [one for one in state["incidents"] if one["id"] == incident]
    assert update["body"]["message"] == "Major: we are on it"
    assert found["conference_bridge"]["conference_url"] == "https://meet.example.com/war"
    assert [one["user"]["id"] for one in found["incidents_responders"]] == [JANE]
    assert [run["incident"] for run in state["workflow_runs"]] == [incident]


async def test_two_accounts_are_kept_in_step(world):
    other = simulator()
    async with serving(other.app, listen()) as url:
        await world.connect_pagerduty("partner", **settings_for(url))
        params = {"service": "PWEB001"}
        roles = {"source": "pagerduty", "copy": "partner"}
        await world.template("pagerduty.mirror", roles, params)

        incident = await opened(world, "In both")
        world_of = other.app.sim.world

        async def copied():
            return next(
                (one for one in world_of.incidents.values() if one.title == "In both"), None
            )

        copy = await world.until(copied)
        await world.quiet()
        await world.pagerduty.acknowledge(incident, by=JOHN)
        await world.until(lambda: _is(copy, "acknowledged"))
        await world.pagerduty.add_note(incident, "Looking", by=JOHN)

        async def noted():
            return [note.content for note in copy.notes if "Looking" in note.content]

        assert len(await world.until(noted)) == 1
        resolved = {"do": "resolve"}
        await world.http.post(f"{url}/web/incidents/{copy.id}", data=resolved)

        async def back():
            return (await world.pagerduty.incident(incident))["status"] == "resolved"

        assert await world.until(back)
        assert len([one for one in world_of.incidents.values() if one.title == "In both"]) == 1


async def _is(incident, status):
    return incident.status == status
