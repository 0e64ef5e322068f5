"""Trying rules: dry runs, why not, what if."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from hub import clock, ids
from hub.correlations.models import Correlation, LastSeen, Link
from hub.correlations.values import pack_event
from hub.deliveries.models import Delivery, InboxEvent
from hub.mappings.resolve import Resolver
from hub.rules import Linked, Surroundings, build_facts, dump_facts
from hub.rulesets.schema_of import schema_for
from hub.rulesets.whatif import Whatifs
from hub.runs.models import RuleBreaker, Run
from hub.sdk.connector_types import ChoiceSource
from hub.sdk.events import RecordRef
from hub.sdk.vocabulary import Choice, FieldType
from tests.api.rules_world import CASE, Clients, add_connectors, api, catalog_of, event, rule

CATALOG = catalog_of()


@pytest.fixture
async def world(database, tenant):
    connectors = await add_connectors(database, tenant)
    whatifs = Whatifs(database, CATALOG)
    resolver = Resolver(database, CATALOG, clients=None)
    state = {"whatifs": whatifs, "resolver": resolver, "clients": Clients()}
    async with api(database, tenant, catalog=CATALOG, **state) as hub:
        yield SimpleNamespace(
            hub=hub, database=database, tenant=tenant, connectors=connectors, whatifs=whatifs
        )
    await whatifs.close()


async def live(hub, *rules, name="live", state="enabled"):
    made = (await hub.post("/rulesets", json={"name": name, "rules": list(rules)})).json()
    await hub.post(f"/rulesets/{name}/draft:publish", json={"accept_warnings": True})
    await hub.patch(f"/rulesets/{name}", json={"state": state}, headers={"If-Match": "*"})
    return made["id"]


async def rule_id(hub, name, at=0):
    return (await hub.get(f"/rulesets/{name}/draft")).json()["rules"][at]["id"]


async def store(world, happened, *, state="done", facts=True, linked=(), at=None) -> int:
    """Store an event as the worker would: with what the rules saw."""
    async with world.database.writing() as session:
        source = world.connectors["prod-salesforce"]
        delivery = Delivery(tenant_id=world.tenant.id, connector_id=source, key=happened.key)
        session.add(delivery)
        await session.flush()
        row = InboxEvent(
            tenant_id=world.tenant.id,
            delivery_id=delivery.id,
            connector_id=source,
            trigger=happened.trigger,
            source_object=happened.record.source_object,
            record_id=happened.record.id,
            lane="lane",
            shard=1,
            body=json.loads(pack_event(happened)),
            state=state,
            outcome="echo: our own write" if state == "echo" else None,
            plan_version=1,
            created_at=at or clock.now(),
        )
        session.add(row)
        await session.flush()
        if facts:
            around = Surroundings(
                event_id=ids.shown("evt", row.id),
                tenant="acme",
                connector="prod-salesforce",
                linked=linked,
            )
            schema = await schema_for(session, world.tenant.id, CATALOG)
            row.facts = dump_facts(build_facts(happened, around, schema))
        return row.id


async def test_a_sample_is_explained_condition_by_condition_and_nothing_is_sent(world):
    await live(world.hub, rule("P1 cases page"), rule("P4 cases page", when={
        "all": [{"field": "salesforce.case.priority", "op": "is", "value": "P4"}]}))  # fmt: skip
    sample = {
        "trigger": "salesforce.case.created",
        "connector": "prod-salesforce",
        "record": {"id": "500", "values": {"priority": "P1", "subject": "Database is down"}},
        "before": {},
    }

    answer = await world.hub.post("/rules:explain", json={"sample": sample})

    assert answer.status_code == 200, answer.text
    found = answer.json()
    fired, not_fired = found["traces"]
    assert (fired["rule"]["name"], fired["fired"]) == ("P1 cases page", True)
    assert fired["because"] == "Priority is any of P1, P2"
    assert not_fired["because"] == "Priority P1 is not P4"
    assert not_fired["conditions"]["children"][0]["actual"] == "P1"
    (action,) = found["actions"]
    assert (action["do"], action["outcome"]) == ("pagerduty.create_incident", "planned")
    assert action["with"] == {"service": "PAPI001", "title": "Database is down"}
    assert found["calls"] == {"prod-pagerduty": 2}


async def test_a_draft_is_tried_as_if_it_were_enabled_and_an_active_one_as_it_is(world):
    await world.hub.post("/rulesets", json={"name": "new", "rules": [rule("draft")]})
    await live(world.hub, rule("off"), name="off", state="disabled")
    sample = {
        "trigger": "salesforce.case.created",
        "connector": "prod-salesforce",
        "record": {"values": {"salesforce.case.priority": "P1"}},
    }

    draft = await world.hub.post(
        "/rules:explain", json={"sample": sample, "ruleset": "new", "draft": True}
    )
    off = await world.hub.post("/rules:explain", json={"sample": sample, "ruleset": "off"})
    unsaved = await world.hub.post(
        "/rules:explain", json={"sample": sample, "rules": [rule("unsaved")]}
    )
    unpublished = await world.hub.post("/rules:explain", json={"sample": sample, "ruleset": "new"})

    assert [one["fired"] for one in draft.json()["traces"]] == [True]
    assert [one["skipped"] for one in off.json()["traces"]] == ["ruleset disabled"]
    assert [one["fired"] for one in unsaved.json()["traces"]] == [True]
    assert unpublished.status_code == 422


async def test_a_stored_event_and_its_delivery_are_explained_with_what_was_seen_then(world):
    await live(world.hub, rule("page"))
    number = await store(world, event(priority="P1", subject="then", token="x"))

    one = await world.hub.post("/rules:explain", json={"event": f"evt_{number}"})
    whole = await world.hub.post("/rules:explain", json={"delivery": "dlv_1"})
    listed = await world.hub.get(f"/events/evt_{number}/explain")

    assert one.json()["actions"][0]["with"]["title"] == "then"
    assert [trace["fired"] for trace in whole.json()["traces"]] == [True]
    assert [trace["rule"]["name"] for trace in listed.json()] == ["page"]
    assert (await world.hub.post("/rules:explain", json={"event": "evt_999"})).status_code == 404
    assert (await world.hub.post("/rules:explain", json={})).status_code == 422


async def test_an_echo_is_told_as_the_reason(world):
    await live(world.hub, rule("page"))
    number = await store(world, event(priority="P1"), state="echo", facts=False)

    answer = await world.hub.post("/rules:explain", json={"event": f"evt_{number}"})

    (trace,) = answer.json()["traces"]
    assert (trace["fired"], trace["skipped"]) == (False, "echo")
    assert answer.json()["actions"] == []


async def test_what_stands_in_the_way_of_an_action_is_told(world):
    paging = rule("page")
    working = rule("working", on=["salesforce.case.updated"], when={}, then=[{
        "do": "salesforce.set_field", "connector": "prod-salesforce",
        "with": {"field": "salesforce.case.status", "value": "Working"}}])  # fmt: skip
    await live(world.hub, paging, working)
    pagerduty, salesforce = (
        world.connectors["prod-pagerduty"],
        world.connectors["prod-salesforce"],
    )
    async with world.database.writing() as session:
        matter = Correlation(id=ids.new_id(), tenant_id=world.tenant.id, code="M-1", lane="l")
        session.add(matter)
        for connector, name, record in (
            (salesforce, "salesforce.case", "500"),
            (pagerduty, "pagerduty.incident", "PINC1"),
        ):
            session.add(
                Link(
                    tenant_id=world.tenant.id,
                    correlation_id=matter.id,
                    connector_id=connector,
                    source_object=name,
                    record_id=record,
                    human_id=f"#{record}",
                )
            )
        session.add(
            LastSeen(
                tenant_id=world.tenant.id,
                connector_id=salesforce,
                source_object="salesforce.case",
                record_id="500",
                values={"status": "Working"},
                occurred_at=clock.now(),
            )
        )
        session.add(
            RuleBreaker(
                tenant_id=world.tenant.id,
                rule_id=await rule_id(world.hub, "live", 1),
                connector_id=salesforce,
                record_id="501",
                firings=11,
                open_until=clock.now() + timedelta(hours=1),
            )
        )

    async def outcome(trigger, record, **values):
        sample = {
            "trigger": trigger,
            "connector": "prod-salesforce",
            "record": {"id": record, "values": values},
        }
        answer = await world.hub.post("/rules:explain", json={"sample": sample})
        return [one["outcome"] for one in answer.json()["actions"]]

    created, updated = "salesforce.case.created", "salesforce.case.updated"
    assert await outcome(created, "500", priority="P1") == ["already linked to #PINC1"]
    assert await outcome(created, "700", priority="P1") == ["planned"]
    assert await outcome(updated, "500", status="Working") == ["no change: it is so already"]
    assert await outcome(updated, "500", status="New") == ["planned"]
    assert await outcome(updated, "501", status="New") == ["breaker open for this rule and record"]
    listed = (await world.hub.get("/rule-breakers")).json()["items"]
    assert [(one["record"], one["firings"]) for one in listed] == [("501", 11)]
    gone = await world.hub.delete(f"/rule-breakers/{listed[0]['rule']}?record=501")
    assert gone.status_code == 204
    assert await outcome(updated, "501", status="New") == ["planned"]


async def test_services_are_filled_in_from_the_table(world):
    mapped = rule(then=[{
        "do": "pagerduty.create_incident", "connector": "prod-pagerduty",
        "with": {"service": {"$service": "outbound"}, "title": "x"}}])  # fmt: skip
    await live(world.hub, mapped)
    for body in (
        {"object": "salesforce.case", "field": "category", "value": "api", "service": "PAPI001"},
        {"default": True, "service": "PGEN001"},
    ):
        made = await world.hub.post(
            "/service-mappings", json={"connector": "prod-pagerduty", **body}
        )
        assert made.status_code == 201, made.text
    sample = {
        "trigger": "salesforce.case.created",
        "connector": "prod-salesforce",
        "record": {"values": {"priority": "P1", "category": "API"}},
    }

    (action,) = (await world.hub.post("/rules:explain", json={"sample": sample})).json()["actions"]

    assert action["with"]["service"] == "PAPI001"
    assert action["notes"] == ["service: row 'api': category is 'api' → PAPI001"]


async def test_secret_fields_are_masked(world):
    await live(world.hub, rule("page", on=["pagerduty.incident.triggered"], when={}, then=[{
        "do": "salesforce.add_comment", "connector": "prod-salesforce",
        "with": {"content": "x"}}]))  # fmt: skip
    sample = {
        "trigger": "pagerduty.incident.triggered",
        "connector": "prod-pagerduty",
        "record": {"values": {"token": "hunter2"}},
    }

    answer = await world.hub.post("/rules:explain", json={"sample": sample})

    assert "hunter2" not in answer.text
    assert answer.json()["events"][0]["values"]["pagerduty.incident.token"] == "•••"


@pytest.mark.parametrize("op", ["is", "contains", "starts_with", "changed_to", "changed_from"])
async def test_conditions_on_secret_fields_are_told_without_their_values(world, op):
    asked = {"field": "pagerduty.incident.token", "op": op, "value": "s3cret"}
    await live(world.hub, rule("page", on=["pagerduty.incident.triggered"], when={"all": [asked]},
                               then=[{"do": "salesforce.add_comment",
                                      "connector": "prod-salesforce",
                                      "with": {"content": "x"}}]))  # fmt: skip
    sample = {
        "trigger": "pagerduty.incident.triggered",
        "connector": "prod-pagerduty",
        "record": {"values": {"token": "hunter2"}},
        "before": {"token": "hunter1"},
    }

    answer = await world.hub.post("/rules:explain", json={"sample": sample})

    (trace,) = answer.json()["traces"]
    assert trace["fired"] is False
    assert "hunter" not in answer.text


async def test_why_not_answers_with_the_condition_that_failed(world):
    await live(world.hub, rule("page"))
    await store(world, event(record="500", priority="P3"))

    answer = await world.hub.post(
        "/rules:why-not",
        json={"rule": "page", "record": {"object": "salesforce.case", "id": "500"}},
    )

    found = answer.json()
    assert found["answer"] == "the rule does not match: Priority P3 is not any of P1, P2"
    assert [one["ok"] for one in found["steps"]] == [True, True, False]
    assert found["traces"][0]["fired"] is False


async def test_why_not_of_a_record_that_never_came_looks_at_the_way_there(world):
    await live(world.hub, rule("page"))
    asked = {"rule": "page", "record": {"object": "salesforce.case", "id": "999"}}

    found = (await world.hub.post("/rules:why-not", json=asked)).json()

    assert found["answer"] == "no event of salesforce.case 999 has arrived"
    assert found["steps"][-1]["text"] == ("it has never delivered anything; is its webhook set up?")
    missing = await world.hub.post("/rules:why-not", json={**asked, "rule": "nope"})
    assert missing.status_code == 404


async def test_why_not_of_an_event_from_before_the_rule_says_so(world):
    number = await store(world, event(priority="P1"))
    await live(world.hub, rule("page"))

    found = await world.hub.post("/rules:why-not", json={"rule": "page", "event": f"evt_{number}"})

    assert found.json()["answer"] == (
        f"the rule was not published yet when evt_{number} arrived; "
        "a replay of its delivery would use it"
    )
    assert found.json()["steps"][-1]["text"].startswith("the rule fires")


async def test_breakers_of_a_rule_that_is_not_there_cannot_be_reset(world):
    await live(world.hub, rule("page"))

    missing = await world.hub.delete("/rule-breakers/nope")

    assert (missing.status_code, missing.json()["detail"]) == (404, "There is no rule 'nope'.")
    assert (await world.hub.delete("/rule-breakers/page")).status_code == 204


async def test_why_not_tells_of_runs_that_were_given_up_and_of_echoes(world):
    ruleset = await live(world.hub, rule("page"))
    page = await rule_id(world.hub, "live")
    number = await store(world, event(priority="P1"))
    echo = await store(world, event(priority="P1"), state="echo", facts=False)
    async with world.database.writing() as session:
        session.add(run_of(world, number, ruleset, page, state="dead", error="422: no such user"))

    dead = await world.hub.post("/rules:why-not", json={"rule": page, "event": f"evt_{number}"})
    ours = await world.hub.post("/rules:why-not", json={"rule": page, "event": f"evt_{echo}"})

    assert dead.json()["answer"] == ("pagerduty.create_incident was given up: 422: no such user")
    assert ours.json()["answer"] == "it was not matched: echo: our own write"


def run_of(world, number, ruleset, rule_id, **more):
    return Run(
        tenant_id=world.tenant.id,
        event_id=number,
        ruleset_id=ruleset,
        rule_id=rule_id,
        action="pagerduty.create_incident",
        action_index=0,
        connector_id=world.connectors["prod-pagerduty"],
        key=str(ids.new_id())[:33],
        base_key=str(ids.new_id())[:33],
        **{"state": "done", **more},
    )


async def finished(world, asked) -> dict:
    made = await world.hub.post("/whatif", json=asked)
    assert made.status_code == 202, made.text
    for _ in range(200):
        found = (await world.hub.get(f"/whatif/{made.json()['id']}")).json()
        if found["state"] not in {"waiting", "running"}:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(found)


async def test_what_if_counts_what_a_draft_would_have_done_beside_what_was_done(world):
    ruleset = await live(world.hub, rule("page"))
    page = await rule_id(world.hub, "live")
    since = clock.now() - timedelta(days=1)
    for at, priority in enumerate(["P1", "P3", "P3", "P4"]):
        number = await store(world, event(record=f"50{at}", priority=priority))
        if priority == "P1":
            async with world.database.writing() as session:
                session.add(run_of(world, number, ruleset, page))
    await store(world, event(record="600", priority="P1"), facts=False)
    wider = rule("wider", when={"all": [
        {"field": "salesforce.case.priority", "op": "is", "value": "P3"}]})  # fmt: skip
    never = rule("never", when={"all": [
        {"field": "salesforce.case.category", "op": "is", "value": "?"}]})  # fmt: skip

    found = await finished(
        world, {"ruleset": "live", "rules": [wider, never], "since": since.isoformat()}
    )

    assert found["state"] == "done", found
    report = found["report"]
    assert (report["events"], report["without_facts"]) == (4, 1)
    assert report["matches"] == {"then": 1, "now": 2}
    assert report["effects"] == [
        {"action": "pagerduty.create_incident", "then": 1, "now": 2, "difference": 1}
    ]
    assert report["calls"][0]["total"] == 4
    assert report["never_matched"] == ["never"]
    assert len(report["different"]) == 3
    assert report["warnings"][0] == "100% of the events that were acted on would not be any more."
    assert found["progress"] == {"events": 5, "of": 5, "matches": 2}


async def test_what_if_takes_a_record_that_it_would_have_made_as_linked(world):
    await live(world.hub, rule("page", on=["salesforce.case.*"]))
    for _ in range(3):
        await store(world, event("salesforce.case.updated", record="500", priority="P1"))
    ref = RecordRef(source_object="pagerduty.incident", id="P9")
    linked = [Linked(ref=ref, connector="prod-pagerduty")]
    await store(world, event("salesforce.case.updated", record="900", priority="P1"), linked=linked)
    since = (clock.now() - timedelta(days=1)).isoformat()

    simulated = await finished(world, {"ruleset": "live", "since": since})
    as_was = await finished(world, {"ruleset": "live", "since": since, "links": "as_was"})

    assert simulated["report"]["effects"][0]["now"] == 1
    assert simulated["report"]["skipped"] == {"already linked": 3}
    assert as_was["report"]["effects"][0]["now"] == 3


async def test_what_if_is_told_as_it_goes_on_and_can_be_cancelled(world):
    await live(world.hub, rule("page"))
    await store(world, event(priority="P1"))
    since = (clock.now() - timedelta(days=1)).isoformat()
    made = (await world.hub.post("/whatif", json={"ruleset": "live", "since": since})).json()

    answer = await world.hub.get(
        f"/whatif/{made['id']}", headers={"Accept": "application/x-ndjson"}
    )

    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines[-1]["state"] == "done"
    listed = (await world.hub.get("/whatif")).json()["items"]
    assert [one["id"] for one in listed] == [made["id"]]
    assert (await world.hub.delete(f"/whatif/{made['id']}")).status_code == 204
    assert (await world.hub.get(f"/whatif/{made['id']}")).status_code == 404
    wrong = await world.hub.post(
        "/whatif", json={"ruleset": "live", "since": since, "until": since}
    )
    assert wrong.json()["errors"][0]["pointer"] == "/until"


async def test_the_vocabulary_is_all_that_an_editor_needs(world):
    await world.hub.put("/value-maps/urgency", json={"rows": [{"key": "P1", "value": "high"}]})

    found = (await world.hub.get("/rule-vocabulary?object=salesforce.case")).json()
    schema = (await world.hub.get("/rule-schema")).json()

    labels = {one["label"] for group in found["groups"] for one in group["fields"]}
    assert {"Priority", "Urgency", "Time of the change"} <= labels
    assert {"name": "is", "label": "is"}.items() <= found["operators"]["choice"][0].items()
    run_on = {one["object"]: one for one in found["run_on"]}
    assert run_on["salesforce.case"]["label"] == "Case create or update"
    assert run_on["pagerduty.incident"]["on"] == ["pagerduty.incident.*"]
    create = next(one for one in found["actions"] if one["name"] == "pagerduty.create_incident")
    assert "service" in create["params"]["properties"]
    assert [one["name"] for one in found["value_maps"]] == ["urgency"]
    assert {"name": "prod-pagerduty", "type": "pagerduty"} in found["connectors"]
    assert "hub.link.pagerduty.incident.url" in {one["path"] for one in found["paths"]}
    assert schema["schema"]["$id"] == "urn:integration-hub:rule:1"


async def test_literals_are_compared_with_the_vendor_s_live_lists_unless_left_out(world):
    gone = rule("gone", then=[{
        "do": "pagerduty.create_incident", "connector": "prod-pagerduty",
        "with": {"service": "PGONE", "title": "x"}}])  # fmt: skip
    await world.hub.post("/rulesets", json={"name": "x", "rules": [rule("there"), gone]})

    unasked = await world.hub.post("/rulesets/x/draft:check?live=false")
    live_ = await world.hub.post("/rulesets/x/draft:check")

    assert [one["code"] for one in unasked.json()["lint"]] == []
    assert [(one["pointer"], one["detail"]) for one in live_.json()["lint"]] == [
        ("/rules/1/then/0/with/service", "'PGONE' is not among the services of prod-pagerduty.")
    ]


def taught(fields=(), **of_salesforce):
    """Return the catalog with other abilities of the Salesforce connector type."""
    made = catalog_of(more_fields=fields)
    kinds = dict(made.connector_types)
    kinds["salesforce"] = replace(kinds["salesforce"], **of_salesforce)
    return replace(made, connector_types=kinds)


async def test_choices_of_fields_are_compared_with_live_lists_too(database, tenant):
    async def moods(client, search):
        return [Choice(value="good", label="Good")]

    mood = CASE.field("mood", "Mood", FieldType.CHOICE, choice_source="moods", writable=True)
    catalog = taught([mood], choices=(ChoiceSource(name="moods", fetch=moods),))

    async def by_name(_, name):
        kind = catalog.connector_types[name.partition("-")[2]]
        return SimpleNamespace(working_type=kind, client=None)

    await add_connectors(database, tenant)
    to_good = {"field": "salesforce.case.mood", "op": "is_any_of", "value": ["good", "gloomy"]}
    write = {"do": "salesforce.set_field", "connector": "prod-salesforce",
             "with": {"field": "salesforce.case.mood", "value": "sour"}}  # fmt: skip
    asked = rule("moods", on=["salesforce.case.updated"], when={"all": [to_good]}, then=[write])
    clients = SimpleNamespace(by_name=by_name)
    async with api(database, tenant, catalog=catalog, clients=clients) as hub:
        await hub.post("/rulesets", json={"name": "x", "rules": [asked]})

        found = (await hub.post("/rulesets/x/draft:check?live=true")).json()["lint"]

    assert {(one["pointer"], one["detail"]) for one in found if one["code"] == "L102"} == {
        ("/rules/0/then/0/with/value", "'sour' is not among the moods of prod-salesforce."),
        ("/rules/0/when", "'gloomy' is not among the moods of prod-salesforce."),
    }


async def test_the_linter_learns_required_fields_from_refusals(database, tenant):
    catalog = taught(demanded=lambda words: words.removeprefix("missing: ").split(", "))
    connectors = await add_connectors(database, tenant)
    world = SimpleNamespace(tenant=tenant, connectors=connectors)
    create = {"do": "salesforce.create_record", "connector": "prod-salesforce"}
    made = rule("make", on=["pagerduty.incident.triggered"], when={},
                then=[create | {"with": {"fields": {"subject": "x"}}}])  # fmt: skip
    async with api(database, tenant, catalog=catalog) as hub:
        await hub.post("/rulesets", json={"name": "x", "rules": [made]})
        before = (await hub.post("/rulesets/x/draft:check")).json()["lint"]
        async with database.writing() as session:
            refused = run_of(world, 1, "r", "r", state="dead", error="missing: category, Priority")
            refused.action = "salesforce.create_record"
            refused.params = {"object": "salesforce.case", "fields": {"subject": "x"}}
            refused.connector_id = connectors["prod-salesforce"]
            session.add(refused)

        after = (await hub.post("/rulesets/x/draft:check")).json()["lint"]

    assert [one["code"] for one in before] == ["L402"]
    assert [one["detail"] for one in after if one["code"] == "L101"] == [
        "'prod-salesforce' refused a Case without Priority before, and nothing sets it.",
        "'prod-salesforce' refused a Case without Category before, and nothing sets it.",
    ]


async def test_rows_whose_service_is_gone_are_found(world):
    for service in ("PAPI001", "PGONE"):
        await world.hub.post("/service-mappings", json={
            "connector": "prod-pagerduty", "object": "salesforce.case", "field": "category",
            "value": service, "service": service})  # fmt: skip

    found = await world.hub.post("/service-mappings:check?connector=prod-pagerduty")

    assert [(one["service"], one["flags"]) for one in found.json()] == [("PGONE", ["dead"])]


async def test_a_pasted_delivery_is_read_by_its_plugin(world):
    await live(world.hub, rule("page"))
    receiver = CATALOG.connector_types["salesforce"].receiver

    def parse(request):
        body = json.loads(request.body)
        return [event(priority=body["priority"], subject=request.headers["x-subject"])]

    object.__setattr__(receiver, "parse", parse)
    pasted = {
        "connector": "prod-salesforce",
        "headers": {"X-Subject": "pasted"},
        "body": {"priority": "P1"},
    }

    found = (await world.hub.post("/rules:explain", json={"webhook": pasted})).json()

    assert found["actions"][0]["with"]["title"] == "pasted"
