"""Opening incidents: once, on the right service, with what the account knows."""

import httpx
import pytest

import hub
from hub_pagerduty.actions import create
from hub_pagerduty.client import PagerDutyClient
from hub_pagerduty.settings import PagerDutySettings
from hub_pagerduty.testing import settings_for

KEY = "h" + "a" * 32
DATABASE = f"2{3:031x}"
DATABASE_V1 = f"1{3:031x}"


def posted(sim, path="/incidents"):
    return [one["body"] for one in sim.requests if one["method"] == "POST" and one["path"] == path]


def with_settings(http, **more):
    given = {**settings_for("https://pagerduty.test"), **more}
    return PagerDutyClient(PagerDutySettings.model_validate(given), http)


@pytest.mark.covers("SF-053")
async def test_everything_a_rule_says_reaches_pagerduty(do, sim):
    result = await do(
        "create_incident",
        title="Database performance issue",
        body="Queries take seconds",
        service="PDAT001",
        urgency="low",
        priority="P1",
        escalation_policy="PXXXXXX",
        incident_type="major_default",
        conference_number="+1 415-555-0100",
        conference_url="https://meet.example.com",
    )

    made = sim.world.incidents[result.record.id]
    assert (made.title, made.service, made.urgency) == (
        "Database performance issue",
        "PDAT001",
        "low",
    )
    assert (made.priority, made.policy, made.type) == ("PPRIO01", "PXXXXXX", "major_default")
    assert (made.details, made.key) == ("Queries take seconds", KEY)
    assert made.conference_url == "https://meet.example.com"
    assert result.summary == "Created incident #124"
    assert result.record.human_id == "#124"


async def test_the_connectors_own_service_is_the_last_resort(do, sim):
    result = await do("create_incident", title="Anything")

    assert sim.world.incidents[result.record.id].service == "PXXXXXX"


async def test_without_any_service_nothing_is_guessed(http, do_with):
    client = with_settings(http, service_id="")

    with pytest.raises(hub.Rejected, match="No service"):
        await do_with(client)("create_incident", title="Anything")


async def test_the_connectors_policy_overrides_the_services(http, sim, do_with):
    client = with_settings(http, escalation_policy_id="PDATPOL")

    result = await do_with(client)("create_incident", title="Anything")

    assert sim.world.incidents[result.record.id].policy == "PDATPOL"


async def test_an_assignee_goes_instead_of_a_policy(http, sim, do_with):
    client = with_settings(http, escalation_policy_id="PDATPOL")

    result = await do_with(client)(
        "create_incident", title="Anything", assignee="jane.smith@company.com"
    )

    made = sim.world.incidents[result.record.id]
    assert [user for _, user in made.assigned] == ["PUSER03"]
    assert "escalation_policy" not in posted(sim)[0]["incident"]


@pytest.mark.covers("RF-083")
async def test_a_second_create_with_the_key_adopts_the_first(do, sim):
    first = await do("create_incident", title="Once")
    second = await do("create_incident", title="Once")

    assert first.record.id == second.record.id
    assert second.changed is False
    assert len([one for one in sim.world.incidents.values() if one.title == "Once"]) == 1


async def test_another_key_makes_another_incident(do):
    first = await do("create_incident", title="Once")
    second = await do("create_incident", title="Once", key="h" + "b" * 32)

    assert first.record.id != second.record.id


@pytest.mark.parametrize("effect", ["cut_after", "truncated", "wrong_type", "empty"])
async def test_an_answer_that_was_lost_is_looked_for(client, do, sim, call_for, effect):
    sim.faults.add(effect, method="POST", path="^/incidents$")
    with pytest.raises((hub.OutcomeUnknown, httpx.ReadError)):
        await do("create_incident", title="Once")

    found = await create.find_incident(call_for("create_incident", client, title="Once"))

    assert found is not None
    assert found.record.values["title"] == "Once"


async def test_what_was_never_made_is_not_found(client, call_for):
    assert await create.find_incident(call_for("create_incident", client, title="Once")) is None


async def test_one_that_was_resolved_meanwhile_is_found(client, do, call_for):
    made = await do("create_incident", title="Once")
    await do("resolve_incident", made.record.id)

    found = await create.find_incident(call_for("create_incident", client, title="Once"))

    assert found.record.id == made.record.id


async def test_a_long_title_is_cut_before_it_is_refused(do, sim):
    sim.world.switches.title_refused = True

    result = await do("create_incident", title="x" * 2000)

    assert len(result.record.values["title"]) == 1024


@pytest.mark.parametrize(("name", "id"), [("p2", "PPRIO02"), ("P3", "PPRIO03")])
async def test_priorities_go_by_name(do, sim, name, id):
    result = await do("create_incident", title="Anything", priority=name)

    assert sim.world.incidents[result.record.id].priority == id


async def test_priorities_with_other_names_go_by_their_place(do, sim):
    for place, one in enumerate(sim.world.priorities, 1):
        one.name = f"SEV-{place}"

    result = await do("create_incident", title="Anything", priority="P2")

    assert sim.world.incidents[result.record.id].priority == "PPRIO02"


@pytest.mark.parametrize("off", [True, False])
async def test_a_priority_that_nobody_has_never_stops_a_page(do, sim, off):
    sim.world.switches.priorities = not off

    result = await do("create_incident", title="Anything", priority="Whatever")

    assert "without priority" in result.summary


async def test_custom_fields_are_set_and_unknown_ones_are_told(do, sim):
    result = await do(
        "create_incident",
        title="Anything",
        body="Text",
        custom_fields={"custom_details.environment": "production", "shard": 7},
    )

    made = sim.world.incidents[result.record.id]
    assert made.custom == {"environment": "production"}
    assert made.details == "Text\nshard: 7"


async def test_a_refused_custom_field_does_not_lose_the_incident(do, sim):
    result = await do("create_incident", title="Anything", custom_fields={"region": "Mars"})

    assert result.record.id in sim.world.incidents
    assert "custom fields were refused" in result.summary


async def test_a_missing_service_is_the_rules_fault_not_a_lost_record(do):
    with pytest.raises(hub.Rejected, match="PNOTHERE"):
        await do("create_incident", title="Anything", service="PNOTHERE")


async def test_nobody_on_call_is_told(do, sim):
    sim.world.policies["PXXXXXX"].rules.clear()

    with pytest.raises(hub.Rejected, match="Nobody is on call"):
        await do("create_incident", title="Anything")


async def test_the_acting_person_is_credited_where_known(do, sim):
    result = await do("create_incident", title="Anything", actor="john.doe@company.com")

    entry = sim.world.incidents[result.record.id].log[0]
    assert entry.agent.id == "PUSER02"


# ------------------------------------------------------------------------ events


@pytest.mark.parametrize(
    ("key", "path"),
    [(DATABASE, "/v2/enqueue"), (DATABASE_V1, "/generic/2010-04-15/create_event.json")],
)
async def test_a_service_with_a_key_is_paged_by_an_event(http, sim, do_with, key, path):
    version = "v1" if path.startswith("/generic") else "v2"
    client = with_settings(http, integration_keys={"PDAT001": {"key": key, "version": version}})

    result = await do_with(client)(
        "create_incident",
        title="Slow",
        service="PDAT001",
        priority="P1",
        escalation_policy="PXXXXXX",
        custom_fields={"environment": "production"},
    )

    made = sim.world.incidents[result.record.id]
    assert [one.key for one in made.alerts] == [KEY]
    assert made.alerts[0].details == {"environment": "production"}
    assert (made.priority, made.policy) == ("PPRIO01", "PXXXXXX")
    assert len(posted(sim, path)) == 1


async def test_other_services_of_that_connector_are_paged_by_rest(http, sim, do_with):
    client = with_settings(http, integration_keys={"PDAT001": DATABASE})

    await do_with(client)("create_incident", title="Slow", service="PAPI001")

    assert len(posted(sim)) == 1


async def test_an_event_that_vanishes_is_noticed(http, sim, do_with, monkeypatch):
    monkeypatch.setattr(create, "_LOOKS", (0, 0))
    sim.world.services["PDAT001"].suppressed = "orchestration"
    client = with_settings(http, integration_keys={"PDAT001": DATABASE})

    with pytest.raises(hub.Unavailable, match="no incident has appeared"):
        await do_with(client)("create_incident", title="Slow", service="PDAT001")


async def test_an_event_is_not_sent_again_once_its_incident_is_there(http, sim, do_with):
    client = with_settings(http, integration_keys={"PDAT001": DATABASE})
    run = do_with(client)

    first = await run("create_incident", title="Slow", service="PDAT001")
    second = await run("create_incident", title="Slow", service="PDAT001")

    assert first.record.id == second.record.id
    assert len(posted(sim, "/v2/enqueue")) == 1


async def test_a_connector_with_nothing_but_a_key_pages_and_resolves(http, sim, do_with):
    settings = PagerDutySettings(integration_key=DATABASE, base_url="https://pagerduty.test")
    run = do_with(PagerDutyClient(settings, http))

    made = await run("create_incident", title="Slow")
    await run("acknowledge_incident", made.record.id)
    await run("resolve_incident", made.record.id)

    (incident,) = [one for one in sim.world.incidents.values() if one.title == "Slow"]
    assert incident.status == "resolved"


async def test_a_wrong_key_says_where_the_fault_is(http, do_with):
    client = with_settings(http, integration_keys={"PDAT001": "0" * 32})

    with pytest.raises(hub.Rejected, match="integration key"):
        await do_with(client)("create_incident", title="Slow", service="PDAT001")
