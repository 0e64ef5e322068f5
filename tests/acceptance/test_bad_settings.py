"""Settings, rules and keys that are wrong get an answer that says what to do."""

import asyncio

from hub.connectors.clients import SEEN_FOR_S
from tests.acceptance.webhooks import is_problem
from tests.acceptance.world import (
    CASE_CREATED,
    HIGH,
    World,
    act,
    all_,
    is_,
    page,
    rule,
)

# ------------------------------------------------------------------- settings and rules


async def test_settings_that_are_wrong_are_told_all_at_once_with_a_pointer_each(
    empty_world: World,
) -> None:
    body = {
        "type": "pagerduty",
        "name": "pd",
        "settings": {
            "api_key": "with blanks in it",
            "from_email": "nobody",
            "sync_interval": "1s",
            "sync_direction": "sideways",
            "colour": "red",
        },
    }

    answer = await empty_world.ask("POST", "connectors", body)

    faults = {one["pointer"] for one in is_problem(answer, 422)["errors"]}
    assert faults == {
        f"/settings/{name}"
        for name in ("api_key", "from_email", "sync_interval", "sync_direction", "colour")
    }
    assert "with blanks in it" not in answer.text
    assert await empty_world.items("connectors") == []


async def test_a_rule_with_unknown_words_is_refused_all_at_once(world: World) -> None:
    bad = rule(
        "Bad",
        ["salesforce.case.created", "salesforce.case.vanished"],
        act("pagerduty.dance", title="x"),
        act("pagerduty.create_incident", title="x", colour="red"),
        when=all_(
            is_("salesforce.case.wish", "x"),
            is_("salesforce.case.subject", "x", "resembles"),
            is_("pagerduty.incident.urgency", "enormous"),
        ),
    )

    answer = await world.ask("POST", "rulesets", {"name": "Bad", "rules": [bad]})

    faults = {one["pointer"] for one in is_problem(answer, 422)["errors"]}
    assert {
        "/rules/0/on/1",
        "/rules/0/when/all/0/field",
        "/rules/0/when/all/1/op",
        "/rules/0/when/all/2/value",
        "/rules/0/then/0/do",
        "/rules/0/then/1/with/colour",
    } <= faults


# ------------------------------------------------------------------- credentials


async def test_a_wrong_key_is_told_and_what_came_is_held_until_it_is_right(world: World) -> None:
    await world.rules(rule("High pages", CASE_CREATED, page(), when=HIGH))
    await world.api("PATCH", "connectors/pagerduty", {"settings": {"api_key": "not-a-key"}})

    checks = await world.checks("pagerduty")

    assert checks["api"]["ok"] is False
    assert checks["api"]["text"]
    assert "api_key" in checks["api"]["fix"]
    marked = await world.connector_is("pagerduty", "needs_credentials")
    assert marked["state_detail"]
    await asyncio.sleep(SEEN_FOR_S + 0.2)  # until then a worker may still have the former key

    case = await world.salesforce.create_case(Subject="Held, not lost", Priority="High")
    waiting = await world.held("connector")
    assert waiting["connector"] == "pagerduty"
    assert await world.incidents("Held") == []

    await world.api("PATCH", "connectors/pagerduty", {"settings": {"api_key": "your-api-key"}})

    await world.the_incident("Held, not lost")
    await world.connector_is("pagerduty", "active")
    assert (await world.event("salesforce.case.created", case))["state"] == "done"


async def test_a_key_that_is_revoked_while_working_holds_what_comes(world: World) -> None:
    await world.rules(rule("All page", CASE_CREATED, page()))
    await world.paging.fault("status", path="^/incidents", method="POST", status=401, times=1)

    await world.salesforce.create_case(Subject="First")
    await world.connector_is("pagerduty", "needs_credentials")
    await world.salesforce.create_case(Subject="Second")
    await world.held("connector")

    checks = await world.checks("pagerduty")

    assert checks["api"]["ok"] is True
    await world.the_incident("First")
    await world.the_incident("Second")
    assert len(await world.incidents("First")) == 1
