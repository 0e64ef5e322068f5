"""Compiled rules stay new: at once in the process that changed them, soon in the others."""

import asyncio
import sys
import time
from dataclasses import replace
from types import MappingProxyType
from uuid import UUID

import pytest

from hub import clock
from hub.connectors.fields import digest_of
from hub.connectors.models import Connector
from hub.connectors.repository import Fields
from hub.http.actor import Actor
from hub.rules import Surroundings, build_facts
from hub.rules.model import UPGRADES
from hub.rulesets.plans import Plans
from hub.rulesets.repository import Versions
from hub.sdk.operators import Operator
from hub.sdk.vocabulary import FieldType
from hub.tenants.schemas import TenantPatch
from hub.tenants.service import TenantsService
from tests.api.rules_world import add_connectors, api, catalog_of, event, rule


@pytest.fixture
async def connectors(database, tenant):
    return await add_connectors(database, tenant)


async def live(hub, *rules, name="live") -> str:
    made = (await hub.post("/rulesets", json={"name": name, "rules": list(rules)})).json()
    await hub.post(f"/rulesets/{name}/draft:publish", json={"accept_warnings": True})
    await hub.patch(f"/rulesets/{name}", json={"state": "enabled"}, headers={"If-Match": "*"})
    return made["id"]


async def edit(hub, name, *rules):
    any_match = {"If-Match": "*"}
    await hub.put(f"/rulesets/{name}/draft", json={"rules": list(rules)}, headers=any_match)
    answer = await hub.post(f"/rulesets/{name}/draft:publish", json={"accept_warnings": True})
    assert answer.status_code == 200, answer.text


def matched(plan, **values) -> list[str]:
    facts = build_facts(
        event(**values),
        Surroundings(event_id="evt_1", tenant="acme", connector="prod-salesforce"),
        plan.schema,
    )
    names = {one.rule: one.name for one in plan.explain(facts)}
    return [names[match.rule] for match in plan.match(facts)]


async def test_a_change_is_used_at_once_by_the_process_that_made_it(database, tenant, connectors):
    plans = Plans(database, catalog_of(), poll_s=3600)
    async with api(database, tenant, plans=plans) as hub:
        assert matched(await plans.plan_for(tenant.id), priority="P1") == []

        await live(hub, rule("one"))
        assert matched(await plans.plan_for(tenant.id), priority="P1") == ["one"]

        await edit(hub, "live", rule("two"))
        assert matched(await plans.plan_for(tenant.id), priority="P1") == ["two"]

        await hub.patch("/rulesets/live", json={"state": "disabled"}, headers={"If-Match": "*"})
        assert matched(await plans.plan_for(tenant.id), priority="P1") == []

        await hub.delete("/rulesets/live?name=live", headers={"If-Match": "*"})
        assert len(await plans.plan_for(tenant.id)) == 0


async def test_another_process_follows_within_two_seconds(database, tenant, connectors):
    other = Plans(database, catalog_of())
    async with api(database, tenant) as hub:
        await live(hub, rule("one"))
        assert matched(await other.plan_for(tenant.id), priority="P1") == ["one"]
        await edit(hub, "live", rule("two"))
        changed = time.monotonic()

        while matched(await other.plan_for(tenant.id), priority="P1") != ["two"]:
            assert time.monotonic() - changed < 2
            await asyncio.sleep(0.05)


async def test_an_unchanged_plan_costs_one_query_a_poll(database, tenant, connectors):
    now = [0.0]
    plans = Plans(database, catalog_of(), monotonic=lambda: now[0])
    first = await plans.plan_for(tenant.id)

    for now[0] in (0.1, 0.9, 1.5, 3.0):
        assert await plans.plan_for(tenant.id) is first


async def test_fields_of_an_account_are_known_elsewhere_a_second_later(
    database, tenant, connectors
):
    now = [0.0]
    other = Plans(database, catalog_of(), monotonic=lambda: now[0])
    assert "salesforce.case.Mood__c" not in (await other.plan_for(tenant.id)).schema.fields

    await keep_fields(database, tenant, connectors, "Mood__c")

    now[0] = 1.0
    assert "salesforce.case.Mood__c" in (await other.plan_for(tenant.id)).schema.fields


async def test_fields_that_are_the_same_as_before_renew_no_plan(database, tenant, connectors):
    await keep_fields(database, tenant, connectors, "Mood__c")
    plans = Plans(database, catalog_of(), poll_s=0)
    first = await plans.plan_for(tenant.id)

    await keep_fields(database, tenant, connectors, "Mood__c")

    assert await plans.plan_for(tenant.id) is first


async def test_the_time_zone_is_followed_elsewhere_a_second_later(database, tenant):
    now = [0.0]
    other = Plans(database, catalog_of(), monotonic=lambda: now[0])
    assert (await other.plan_for(tenant.id)).schema.zone.key == "UTC"

    async with database.writing() as session:
        actor = Actor(
            name="op", tenant_id=None, tenant=None, permissions=frozenset(), is_operator=True
        )
        asked = TenantPatch(time_zone="Europe/Berlin")
        await TenantsService(session, actor, clock.now).update("acme", asked, "*")

    now[0] = 1.0
    assert (await other.plan_for(tenant.id)).schema.zone.key == "Europe/Berlin"


async def keep_fields(database, tenant, connectors, *keys):
    stored = [{"key": key, "label": key, "type": "text"} for key in keys]
    async with database.writing() as session:
        await Fields(session, tenant.id).keep(
            {
                "connector_id": connectors["prod-salesforce"],
                "source_object": "salesforce.case",
                "fields": stored,
                "digest": digest_of(stored),
                "fetched_at": clock.now(),
            }
        )


async def test_rulesets_match_in_their_order(database, tenant, connectors):
    async with api(database, tenant) as hub:
        first = await live(hub, rule("a"), name="first")
        second = await live(hub, rule("b"), name="second")
        plans = Plans(database, catalog_of(), poll_s=0)
        assert matched(await plans.plan_for(tenant.id), priority="P1") == ["a", "b"]

        await hub.put("/rulesets/order", json={"ids": [second, first]})

        assert matched(await plans.plan_for(tenant.id), priority="P1") == ["b", "a"]


async def test_a_vanished_field_turns_the_rule_off_with_the_reason_and_back_on(
    database, tenant, connectors
):
    by_category = rule(
        "by category",
        when={"all": [{"field": "salesforce.case.category", "op": "is", "value": "db"}]},
    )
    async with api(database, tenant) as hub:
        ruleset = await live(hub, by_category, rule("other"))
        poorer = catalog_of(without=("salesforce.case.category",))

        plan = await Plans(database, poorer).plan_for(tenant.id)

        assert matched(plan, priority="P1", category="db") == ["other"]
        async with api(database, tenant, catalog=poorer) as later:
            shown = (await later.get(f"/rulesets/{ruleset}")).json()
        (problem,) = shown["problems"]
        assert shown["state"] == "enabled"
        assert (problem["name"], problem["code"]) == ("by category", "field.unknown")
        assert problem["message"] == "No field 'category' on Case."

        again = await Plans(database, catalog_of()).plan_for(tenant.id)
        assert matched(again, priority="P1", category="db") == ["by category", "other"]
        assert (await hub.get(f"/rulesets/{ruleset}")).json()["problems"] == []


SHOUT = Operator(
    name="salesforce.shouts",
    label="shouts",
    sentence="{field} shouts {value}",
    types=frozenset({FieldType.TEXT}),
    compile=lambda operand, _field: lambda actual, *_: (actual or "").endswith(operand),
)
LOUD = {"all": [{"field": "salesforce.case.subject", "op": "salesforce.shouts", "value": "!"}]}
WITH_SHOUT = {"more_operators": [SHOUT]}


def poorer_by(kind, name, **more):
    """A catalog in which one thing is not there."""
    whole = catalog_of(**more)
    kept = {key: one for key, one in getattr(whole, kind).items() if key != name}
    return replace(whole, **{kind: MappingProxyType(kept)})


PAGE = rule()["then"][0]
TITLE = PAGE["with"] | {"title": "{{ salesforce.case.subject | upper }}"}


@pytest.mark.parametrize(
    ("changes", "whole", "poorer", "said"),
    [
        ({"when": LOUD}, catalog_of(**WITH_SHOUT), catalog_of(),
         ("op.unknown", "No operator 'salesforce.shouts'.")),
        ({"then": [PAGE | {"with": TITLE}]}, catalog_of(), poorer_by("filters", "upper"),
         ("template.filter", "No filter 'upper'.")),
        ({}, catalog_of(), poorer_by("actions", "pagerduty.create_incident"),
         ("action.unknown", "No action 'pagerduty.create_incident'.")),
        ({}, catalog_of(), poorer_by("triggers", "salesforce.case.created"),
         ("trigger.unknown", "No trigger 'salesforce.case.created'.")),
        ({}, catalog_of(), catalog_of(without=("salesforce.case.priority",)),
         ("field.unknown", "No field 'priority' on Case.")),
        ({}, catalog_of(), catalog_of(without=("salesforce.case.subject",)),
         ("template.path", "salesforce.case.subject")),
    ],
)  # fmt: skip
async def test_whatever_vanishes_the_rule_is_kept_and_comes_back_by_itself(
    sqlite_database, tenant, changes, whole, poorer, said
):
    await add_connectors(sqlite_database, tenant)
    event = {"priority": "P1", "subject": "help!"}
    other = rule("other", when={}, then=[NOTE])
    async with api(sqlite_database, tenant, catalog=whole) as hub:
        await live(hub, rule("asked", **changes), other)
        first = await Plans(sqlite_database, whole).plan_for(tenant.id)
        assert matched(first, **event) == ["asked", "other"]

        without = await Plans(sqlite_database, poorer).plan_for(tenant.id)

        assert "asked" not in matched(without, **event)
        async with api(sqlite_database, tenant, catalog=poorer) as later:
            shown = (await later.get("/rulesets/live")).json()
        found = [one for one in shown["problems"] if one["name"] == "asked"]
        assert shown["state"] == "enabled"
        assert said[0] in {one["code"] for one in found}
        assert any(said[1] in one["message"] for one in found)
        assert (await hub.get("/rulesets/live/draft")).json()["rules"][0]["name"] == "asked"

        again = await Plans(sqlite_database, whole).plan_for(tenant.id)
        assert matched(again, **event) == ["asked", "other"]
        assert (await hub.get("/rulesets/live")).json()["problems"] == []


@pytest.mark.covers("RF-017")
async def test_rules_of_an_older_format_are_read_as_they_were_meant(
    database, tenant, connectors, monkeypatch
):
    async with api(database, tenant) as hub:
        ruleset = await live(hub, rule("kept"))
        (now,) = (await hub.get("/rulesets/live/draft")).json()["rules"]
        older = {("subject" if key == "object" else key): one for key, one in now.items()}
        older |= {"format": 0}
        async with database.writing() as session:
            version = await Versions(session, tenant.id).of(UUID(ruleset), 1)
            version.body = {"format": 1, "rules": [older]}
        before = await Plans(database, catalog_of()).plan_for(tenant.id)
        assert matched(before, priority="P1") == []

        def from_0_to_1(old):
            return {**{key: one for key, one in old.items() if key != "subject"},
                    "object": old["subject"], "format": 1}  # fmt: skip

        monkeypatch.setitem(UPGRADES, 0, from_0_to_1)

        plan = await Plans(database, catalog_of()).plan_for(tenant.id)
        assert matched(plan, priority="P1") == ["kept"]
        kept = (await hub.get(f"/rulesets/{ruleset}/versions/1")).json()["body"]["rules"]
        assert kept == [older], "what is stored is not rewritten by reading it"
        checked = await hub.post(f"/rulesets/{ruleset}/draft:check")
        assert checked.json()["problems"] == []


async def test_a_rule_whose_value_map_or_connector_is_deleted_is_off_and_says_so(
    database, tenant, connectors
):
    table = {"rows": [{"key": "P1", "value": "high"}]}
    urgency = {"urgency": '{{ salesforce.case.priority | map: "urgency" }}'}
    mapped = rule("mapped", then=[PAGE | {"with": PAGE["with"] | urgency}])
    async with api(database, tenant) as hub:
        plans = Plans(database, catalog_of(), poll_s=0)
        await hub.put("/value-maps/urgency", json=table)
        await live(hub, mapped, rule("plain"))
        assert matched(await plans.plan_for(tenant.id), priority="P1") == ["mapped", "plain"]

        await hub.delete("/value-maps/urgency", headers={"If-Match": "*"})
        assert matched(await plans.plan_for(tenant.id), priority="P1") == ["plain"]
        (problem,) = (await hub.get("/rulesets/live")).json()["problems"]
        assert (problem["name"], problem["code"]) == ("mapped", "template.map")

        await hub.put("/value-maps/urgency", json=table)
        assert matched(await plans.plan_for(tenant.id), priority="P1") == ["mapped", "plain"]
        await rename_connector(database, connectors["prod-pagerduty"], "gone")
        away = Plans(database, catalog_of())
        assert matched(await away.plan_for(tenant.id), priority="P1") == []
        problems = (await hub.get("/rulesets/live")).json()["problems"]
        assert all(one["message"].startswith("No connector 'prod-pagerduty'.") for one in problems)
        assert [one["name"] for one in problems] == ["mapped", "plain"]
        await rename_connector(database, connectors["prod-pagerduty"], "prod-pagerduty")
        back = Plans(database, catalog_of())
        assert matched(await back.plan_for(tenant.id), priority="P1") == ["mapped", "plain"]


NOTE = {
    "do": "salesforce.add_comment",
    "connector": "prod-salesforce",
    "with": {"content": "seen"},
}


async def rename_connector(database, key, name):
    async with database.writing() as session:
        (await session.get(Connector, key)).name = name


async def test_a_ruleset_that_can_t_be_compiled_keeps_its_old_rules_and_the_others(
    database, tenant, connectors, monkeypatch
):
    plans_module = sys.modules[Plans.__module__]
    compile_plan = plans_module.compile_plan

    def buggy(rulesets, *rest):
        if any(one.name == "new" for listed in rulesets for one in listed.rules):
            raise TypeError("a bug")
        return compile_plan(rulesets, *rest)

    plans = Plans(database, catalog_of(), poll_s=0)
    async with api(database, tenant) as hub:
        await live(hub, rule("old"), name="odd")
        await live(hub, rule("fine"), name="fine")
        await plans.plan_for(tenant.id)
        monkeypatch.setattr(plans_module, "compile_plan", buggy)
        await edit(hub, "odd", rule("new"))

        plan = await plans.plan_for(tenant.id)
        fresh = await Plans(database, catalog_of()).plan_for(tenant.id)

        (problem,) = (await hub.get("/rulesets/odd")).json()["problems"]
        assert (problem["code"], problem["message"]) == ("ruleset.compile", "TypeError: a bug")
        assert matched(plan, priority="P1") == ["old", "fine"]
        assert matched(fresh, priority="P1") == ["fine"]


async def test_a_value_map_and_the_time_zone_are_followed(database, tenant, connectors):
    mapped = rule(then=[{
        "do": "pagerduty.create_incident", "connector": "prod-pagerduty",
        "with": {"service": "P1", "title": "x",
                 "urgency": '{{ salesforce.case.priority | map: "urgency" }}'},
    }])  # fmt: skip
    plans = Plans(database, catalog_of(), poll_s=3600)
    async with api(database, tenant, plans=plans) as hub:
        refused = await hub.post("/rulesets", json={"name": "m", "rules": [mapped]})
        assert refused.json()["errors"][0]["code"] == "template.map"

        rows = [{"key": "P1", "value": "high"}, {"key": "P2", "value": "low"}]
        await hub.put("/value-maps/urgency", json={"rows": rows})
        await live(hub, mapped, name="m")
        plan = await plans.plan_for(tenant.id)
        around = Surroundings(event_id="evt_1", tenant="acme", connector="prod-salesforce")
        facts = build_facts(event(priority="P2"), around, plan.schema)
        assert plan.match(facts)[0].actions[0].params["urgency"] == "low"

        await hub.put(
            "/value-maps/urgency",
            json={"rows": [{"key": "P2", "value": "high"}]},
            headers={"If-Match": "*"},
        )
        plan = await plans.plan_for(tenant.id)
        assert plan.match(facts)[0].actions[0].params["urgency"] == "high"


async def test_the_least_used_plans_make_room(database, tenant, other_tenant):
    plans = Plans(database, catalog_of(), memory=1)

    await plans.plan_for(tenant.id)
    await plans.plan_for(other_tenant.id)

    assert list(plans.versions()) == [other_tenant.id]


async def test_two_who_ask_at_once_get_one_plan(database, tenant, connectors):
    plans = Plans(database, catalog_of())

    one, other = await asyncio.gather(plans.plan_for(tenant.id), plans.plan_for(tenant.id))

    assert one is other
