"""Who is on call, now and next."""

from datetime import UTC, datetime, timedelta

import pytest

import hub
from hub_pagerduty.client import PagerDutyClient
from hub_pagerduty.on_call import QUERIES
from hub_pagerduty.testing.model import Override, Target

RUN = {query.name: query for query in QUERIES}


async def ask(client, name="on_call", **given):
    query = RUN[name]
    return await query.run(client, query.params.model_validate(given))


@pytest.mark.covers("IM-094")
async def test_now_next_and_the_escalation_are_as_the_guide_prints_them(client):
    found = await ask(client, service="PAPI001")

    assert [(one["email"], one["until"]) for one in found["current"]] == [
        ("john.doe@company.com", "2025-08-24T09:00:00Z")
    ]
    assert [(one["email"], one["from"]) for one in found["next"]] == [
        ("jane.smith@company.com", "2025-08-24T09:00:00Z")
    ]
    (step,) = found["escalation"]
    assert (step["after_minutes"], step["to"][0]["email"]) == (15, "team-lead@company.com")
    assert found["service"]["name"] == "API Service"


async def test_somebody_who_is_always_on_call_has_no_end(client, sim):
    sim.world.policies["PXXXXXX"].rules[0].targets = [Target("user", "PUSER04")]

    found = await ask(client)

    assert [(one["email"], one["until"]) for one in found["current"]] == [
        ("team-lead@company.com", None)
    ]
    assert found["next"] == []


async def test_nobody_is_an_answer(client, sim):
    sim.world.policies["PXXXXXX"].rules[0].targets = []

    assert (await ask(client))["current"] == []


async def test_an_override_is_on_call(client, sim):
    now = datetime(2025, 8, 23, 15, tzinfo=UTC)
    sim.world.schedules["PSCHED2"].overrides = [
        Override(start=now, end=now + timedelta(hours=2), user="PUSER01")
    ]

    found = await ask(client, service="PAPI001")

    assert found["current"][0]["email"] == "ops@company.com"
    assert found["next"][0]["email"] == "john.doe@company.com"


async def test_several_people_share_a_level(client, sim):
    sim.world.policies["PXXXXXX"].rules[0].targets.append(Target("user", "PUSER01"))

    found = await ask(client, escalation_policy="PXXXXXX")

    assert len(found["current"]) == 2
    assert found["service"] is None


async def test_asking_again_costs_little(client, sim):
    await ask(client)
    before = len(sim.requests)
    await ask(client)

    assert len(sim.requests) - before == 1


async def test_without_a_service_the_question_is_refused(http, settings):
    client = PagerDutyClient(settings.model_copy(update={"service_id": ""}), http)

    with pytest.raises(hub.Rejected):
        await ask(client)


async def test_an_incidents_log_is_told_oldest_first(client, do):
    await do("add_note", "QDEMO000000123", content="Looking")

    found = await ask(client, "log", incident="QDEMO000000123")

    kinds = [one["type"] for one in found["entries"]]
    assert kinds[0] == "trigger"
    assert kinds[-1] == "annotate"
    notified = next(one for one in found["entries"] if one["type"] == "notify")
    assert notified["at"] == "2025-08-23T15:00:00Z"


async def test_people_read_it_as_the_guide_prints_it(client):
    found = await ask(client, service="PAPI001")

    assert found["text"].splitlines() == [
        "Service: API Service",
        "Current On-Call: John Doe (john.doe@company.com) until 2025-08-24 09:00 UTC",
        "Next On-Call: Jane Smith (jane.smith@company.com) from 2025-08-24 09:00 UTC",
        "Escalation:",
        "  After 15 minutes → Team Lead (team-lead@company.com)",
    ]


async def test_nobody_is_said_in_words(client, sim):
    sim.world.policies["PXXXXXX"].rules[0].targets = []

    text = (await ask(client, escalation_policy="PXXXXXX"))["text"]

    assert text.startswith("Escalation policy: Default\nCurrent On-Call: nobody\n")
