"""An operator that kept failing is off: its rules say so, the others go on, and it comes back."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from hub import clock
from hub.http.actor import Actor
from hub.rules import Surroundings, build_facts
from hub.rulesets import operators_off
from hub.rulesets.operators_off import OperatorOff
from hub.rulesets.plans import Plans
from hub.sdk.operators import Operator
from hub.sdk.vocabulary import FieldType
from tests.api.rules_world import add_connectors, app_of, catalog_of, event, rule

SHAKY = Operator(
    name="salesforce.shaky",
    label="is shaky",
    sentence="{field} is shaky like {value}",
    types=frozenset({FieldType.TEXT}),
    compile=lambda operand, _field: lambda actual, *_: (actual or "").endswith(operand),
)
USES_IT = {"all": [{"field": "salesforce.case.subject", "op": "salesforce.shaky", "value": "!"}]}
NOTE = {
    "do": "salesforce.add_comment",
    "connector": "prod-salesforce",
    "with": {"content": "seen"},
}
FORCED = {"If-Match": "*"}


def catalog(version: str = "1.0"):
    whole = catalog_of(more_operators=[SHAKY])
    owners = {("operators", "salesforce.shaky"): "salesforce"}
    return replace(whole, declared_by=owners, versions={"salesforce": version})


OFF = OperatorOff(
    operator="salesforce.shaky", plugin="salesforce", version="1.0",
    since=clock.now(), failures=100, minutes=5, error="ValueError",
)  # fmt: skip


async def switched_off(database) -> None:
    async with database.writing() as session:
        await operators_off.switch_off(session, [OFF])


def facts(plan):
    around = Surroundings(event_id="evt_1", tenant="acme", connector="prod-salesforce")
    return build_facts(event(priority="P1", subject="help!"), around, plan.schema)


async def told(plans: Plans, tenant) -> dict[str, tuple[bool, str | None]]:
    plan = await plans.plan_for(tenant.id)
    return {one.name: (one.fired, one.skipped) for one in plan.explain(facts(plan))}


@pytest.fixture
async def hub(database, tenant) -> AsyncIterator[httpx.AsyncClient]:
    """The API, with the rules "shaky" and "other" in use; who asks operates the hub."""
    await add_connectors(database, tenant)
    app = app_of(database, tenant, catalog())
    asks = app.state.authenticate

    async def as_operator(request) -> Actor:
        return replace(await asks(request), is_operator=request.headers.get("As") == "op")

    app.state.authenticate = as_operator
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://hub.test/api/v1",
        headers={"As": "op"},
    ) as client:
        base = f"/tenants/{tenant.slug}/rulesets"
        rules = [rule("shaky", when=USES_IT), rule("other", when={}, then=[NOTE])]
        made = await client.post(base, json={"name": "live", "rules": rules})
        assert made.status_code == 201, made.text
        await client.post(f"{base}/live/draft:publish", json={"accept_warnings": True})
        await client.patch(f"{base}/live", json={"state": "enabled"}, headers=FORCED)
        yield client


async def test_its_rules_are_off_with_the_reason_and_the_others_go_on(database, tenant, hub):
    plans = Plans(database, catalog(), poll_s=0)
    assert await told(plans, tenant) == {"shaky": (True, None), "other": (True, None)}

    await switched_off(database)
    fresh = Plans(database, catalog(), poll_s=0)

    found = await told(fresh, tenant)
    assert found["other"] == (True, None)
    fired, skipped = found["shaky"]
    assert not fired
    assert skipped.startswith("rule invalid: The operator is off: 'salesforce.shaky' of the plugin")
    assert "failed on 100 events within 5 minutes (ValueError)" in skipped
    plan = await fresh.plan_for(tenant.id)
    assert [one.name for one in plan.explain_matches(facts(plan), plan.match(facts(plan)))] == [
        "other"
    ]
    shown = (await hub.get(f"/tenants/{tenant.slug}/rulesets/live")).json()
    assert [(one["name"], one["code"]) for one in shown["problems"]] == [("shaky", "op.off")]


async def test_a_process_that_keeps_its_plan_follows_within_seconds(database, tenant, hub):
    now = [0.0]
    plans = Plans(database, catalog(), monotonic=lambda: now[0])
    assert (await told(plans, tenant))["shaky"] == (True, None)

    await switched_off(database)
    now[0] = 6.0
    assert not (await told(plans, tenant))["shaky"][0]

    answer = await hub.post("/operators-off/salesforce.shaky/switch-on")
    assert answer.status_code == 204
    now[0] = 12.0
    assert (await told(plans, tenant))["shaky"] == (True, None)


async def test_another_version_of_the_plugin_has_another_chance(database, tenant, hub):
    await switched_off(database)

    repaired = catalog(version="1.1")

    assert (await told(Plans(database, repaired), tenant))["shaky"] == (True, None)
    async with database.reading() as session:
        assert await operators_off.listed(session, repaired) == []


async def test_it_is_listed_and_switched_on_by_who_operates_the_hub(database, tenant, hub):
    assert (await hub.get("/operators-off")).json()["items"] == []
    await switched_off(database)

    (listed,) = (await hub.get("/operators-off")).json()["items"]

    assert (
        listed["operator"], listed["failures"], listed["error"],
    ) == ("salesforce.shaky", 100, "ValueError")  # fmt: skip
    assert "hub plugins switch-on salesforce.shaky" in listed["reason"]
    ana = {"As": "ana"}
    assert (await hub.get("/operators-off", headers=ana)).status_code == 403
    refused = await hub.post("/operators-off/salesforce.shaky/switch-on", headers=ana)
    assert refused.status_code == 403
    assert (await hub.post("/operators-off/salesforce.other/switch-on")).status_code == 404
    assert (await hub.post("/operators-off/salesforce.shaky/switch-on")).status_code == 204
    assert (await hub.get("/operators-off")).json()["items"] == []


async def test_a_rule_that_would_use_it_is_refused_with_the_reason(database, tenant, hub):
    await switched_off(database)
    asked = {"name": "new", "rules": [rule("again", when=USES_IT)]}

    answer = await hub.post(f"/tenants/{tenant.slug}/rulesets", json=asked)

    assert answer.status_code == 422
    (problem,) = answer.json()["errors"]
    assert (problem["pointer"], problem["code"]) == ("/rules/0/when/all/0/op", "op.off")
