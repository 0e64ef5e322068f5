"""Rulesets in a hub at work: in shadow, without a field that they name, switched off by guards."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub import clock
from hub.connectors.fields import digest_of
from hub.connectors.repository import Fields
from tests.acceptance.world import (
    CASE_CHANGES,
    CASE_CREATED,
    HIGH,
    Json,
    World,
    act,
    all_,
    at_work,
    is_,
    page,
    rule,
)

MOOD = "salesforce.case.Mood__c"
WORKING = act("salesforce.set_field", field="salesforce.case.status", value="Working")


async def planned(world: World, case: str) -> Json:
    """Return the one run of a case's first event."""
    event = await world.event("salesforce.case.created", case)
    run: Json
    (run,) = event["runs"]
    return run


async def test_a_ruleset_in_shadow_is_matched_and_recorded_and_sends_nothing(world: World) -> None:
    made = await world.rules(rule("Page", CASE_CREATED, page()), enable=False)
    await world.api("PATCH", f"rulesets/{made['id']}", {"state": "shadow"})

    case = await world.salesforce.create_case(Subject="Only looked at", Priority="High")

    run = await planned(world, case)
    await world.quiet()
    assert (run["state"], run["outcome"]) == ("skipped", "shadow")
    assert run["rule"]["name"] == "Page"
    assert await world.incidents("Only looked at") == []
    assert await world.paging.requests("/incidents", method="POST") == []

    await world.api("PATCH", f"rulesets/{made['id']}", {"state": "enabled"})
    await world.salesforce.create_case(Subject="Meant", Priority="High")
    await world.the_incident("Meant")


async def test_a_rule_whose_field_is_gone_is_off_with_the_reason_until_it_is_back(
    world: World,
) -> None:
    await keep_fields(world, "Mood__c")
    by_mood = rule("By mood", CASE_CREATED, page(), when={"none": [is_(MOOD, "cheerful")]})
    plain = rule("Plain", CASE_CREATED, WORKING)
    made = await world.rules(by_mood, plain)

    await keep_fields(world)
    problems = await world.until(lambda: problems_of(world, made["id"]))
    case = await world.salesforce.create_case(Subject="Moodless", Priority="High")
    await world.case_with(case, Status="Working")
    await world.quiet()

    assert [(one["name"], one["code"]) for one in problems] == [("By mood", "field.unknown")]
    assert "Mood__c" in problems[0]["message"]
    assert (await world.get(f"rulesets/{made['id']}"))["state"] == "enabled"
    assert await world.incidents("Moodless") == []

    await keep_fields(world, "Mood__c")
    await world.until(lambda: no_problems(world, made["id"]))
    await world.salesforce.create_case(Subject="Moody", Priority="High")
    await world.the_incident("Moody")


async def problems_of(world: World, ruleset: str) -> list[Json]:
    await world.post("rules:explain", sample("High"))
    await world.app.state.plans.plan_for(await tenant_id(world))
    found: list[Json] = (await world.get(f"rulesets/{ruleset}"))["problems"]
    return found


async def no_problems(world: World, ruleset: str) -> bool:
    return await problems_of(world, ruleset) == []


async def tenant_id(world: World) -> Any:
    return (await world.app.state.clients.by_name(world.tenant, "salesforce")).tenant_id


async def keep_fields(world: World, *keys: str) -> None:
    """Keep what the org has beside the declared fields, as a renewal does."""
    clients = world.app.state.clients
    connector = await clients.by_name(world.tenant, "salesforce")
    stored = [{"key": key, "label": key, "type": "text"} for key in keys]
    async with world.app.state.database.writing() as session:
        await Fields(session, connector.tenant_id).keep(
            {
                "connector_id": connector.id,
                "source_object": "salesforce.case",
                "fields": stored,
                "digest": digest_of(stored),
                "fetched_at": clock.now(),
            }
        )


def sample(priority: str) -> Json:
    values = {"priority": priority, "subject": "Database is down", "number": "00001"}
    return {
        "sample": {
            "trigger": "salesforce.case.created",
            "connector": "salesforce",
            "record": {"id": "500000000000001AAA", "values": values},
            "before": {},
        }
    }


async def written(world: World) -> list[str]:
    """Return what was written at both vendors; the hub may read beside a test."""
    found = [*await world.paging.requests(), *await world.crm.requests("/services/data")]
    return [one["path"] for one in found if one["method"] != "GET"]


async def test_a_dry_run_counts_the_calls_at_each_vendor_and_makes_none(world: World) -> None:
    both = rule("Page and note", CASE_CREATED, page(), WORKING, when=HIGH)
    await world.rules(both)
    before = await written(world)

    found = await world.post("rules:explain", sample("High"))
    nothing = await world.post("rules:explain", sample("Low"))

    assert found["calls"]["pagerduty"] >= 1
    assert found["calls"]["salesforce"] >= 1
    assert nothing["calls"] == {}
    assert before == await written(world)


async def test_what_if_is_told_line_by_line_over_what_really_came(world: World) -> None:
    made = await world.rules(rule("Page high", CASE_CREATED, page(), when=HIGH))
    for priority in ("High", "Low", "Medium"):
        await world.salesforce.create_case(Subject=f"{priority} case", Priority=priority)
    await world.the_incident("High case")
    await world.quiet()
    wider = rule("Page all", CASE_CREATED, page())
    await world.api("PUT", f"rulesets/{made['id']}/draft", {"rules": [wider]})
    before = len(await world.paging.requests("/incidents", method="POST"))
    since = (clock.now() - timedelta(hours=1)).isoformat()

    asked = await world.post("whatif", {"ruleset": made["id"], "since": since})
    streamed = await world.ask(
        "GET", f"whatif/{asked['id']}", headers={"Accept": "application/x-ndjson"}
    )

    lines = [json.loads(one) for one in streamed.text.splitlines()]
    assert lines[-1]["state"] == "done"
    assert before == len(await world.paging.requests("/incidents", method="POST"))
    (effect,) = [
        one for one in lines[-1]["report"]["effects"]
        if one["action"] == "pagerduty.create_incident"
    ]  # fmt: skip
    assert effect["now"] - effect["then"] == 2


@pytest.mark.slow
async def test_a_rule_that_fires_too_often_is_off_for_the_record_until_it_is_reset(
    tmp_path: Path,
) -> None:
    async with at_work(tmp_path, dispatch={"breaker_firings": 2}) as world:
        await world.connect()
        shout = act("pagerduty.create_incident", service="PAPI001",
                    title="{{ salesforce.case.subject }}")  # fmt: skip
        made = await world.rules(rule("Shouts", CASE_CHANGES, shout, when=all_(
            is_("salesforce.case.subject", "Loud", "starts_with"))))  # fmt: skip
        case = await world.salesforce.create_case(Subject="Loud 1", Priority="High")
        await world.the_incident("Loud 1")
        for number in (2, 3, 4):
            await world.salesforce.change_case(case, Subject=f"Loud {number}")
            await world.quiet()
        (open_,) = await world.items("rule-breakers")
        assert await world.incidents("Loud 4") == []

        await world.api("DELETE", f"rule-breakers/{open_['rule']}")

        assert await world.items("rule-breakers") == []
        await world.until(lambda: fires_again(world, case))
        assert made["id"]


async def fires_again(world: World, case: str) -> bool:
    await world.salesforce.change_case(case, Subject=f"Loud again {clock.now():%S%f}")
    await world.quiet()
    return bool(await world.incidents("Loud again"))
