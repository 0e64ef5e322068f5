"""Rules offered ready-made are rules that a tenant can have."""

import itertools

import pytest
from pydantic import BaseModel

import hub
from hub import builtins
from hub.catalog import load_plugins
from hub.rules import Schema, ValueMap, check_rule
from hub_pagerduty.actions import ACTIONS
from hub_pagerduty.templates import MAPS, TEMPLATES, Inbound, Outbound, TwoWay
from hub_pagerduty.vocabulary import FIELDS, OBJECTS, TRIGGERS

ROLES = {"desk": "desk", "paging": "prod-pagerduty"}
BUILD = {one.name: one for one in TEMPLATES}


class Anything(BaseModel):
    model_config = {"extra": "allow"}


async def nothing(_call):
    return hub.ActionResult(summary="Nothing")


def desk():
    """Return the incident desk's vocabulary, as far as these rules use it."""
    incident = hub.SourceObject(name="im.incident", label="Incident")
    im = hub.ConnectorType(
        name="im", label="Desk", settings=Anything, connect=lambda _settings, _http: None
    )
    keys = ("title", "description", "severity", "status", "service", "note", "note_author")
    return (
        [incident.field(key, key.capitalize(), writable=True) for key in keys],
        [incident.trigger(verb, verb.capitalize()) for verb in ("created", "updated", "annotated")],
        [
            im.action(
                verb, verb, Anything, nothing, target=incident, creates=verb == "create_incident"
            )
            for verb in ("create_incident", "set_status", "set_assignee", "add_note")
        ],
        incident,
    )


@pytest.fixture(scope="module")
def schema():
    found = load_plugins(builtins.modules(), entry_points=[]).catalog
    fields, triggers, actions, incident = desk()
    return Schema(
        fields=[*FIELDS, *fields, *found.fields.values()],
        triggers=[*TRIGGERS, *triggers, *found.triggers.values()],
        operators=found.operators.values(),
        actions=[*ACTIONS, *actions],
        filters=found.filters.values(),
        objects=[*OBJECTS, incident, *found.objects.values()],
        value_maps=[ValueMap.of(name, pairs) for name, pairs in MAPS.items()],
        connectors={"desk": "im", "prod-pagerduty": "pagerduty"},
    )


def built():
    for auto_resolve, sync_notes in itertools.product((True, False), repeat=2):
        params = Outbound(auto_resolve=auto_resolve, sync_notes=sync_notes)
        yield BUILD["pagerduty.outbound"].build(params, ROLES)
    for merged, sync_notes in itertools.product(("follow", "ignore", "resolve"), (True, False)):
        params = Inbound(merged=merged, sync_notes=sync_notes, create=sync_notes)
        yield BUILD["pagerduty.inbound"].build(params, ROLES)
    yield BUILD["pagerduty.two_way"].build(TwoWay(), ROLES)


@pytest.mark.parametrize("rules", built())
def test_each_rule_is_one_that_the_hub_takes(rules, schema):
    for rule in rules:
        bare = {name: value for name, value in rule.items() if name != "key"}
        problems = [one for one in check_rule(bare, schema) if one.severity == "error"]
        assert [f"{rule['key']}{one.pointer}: {one.message}" for one in problems] == []


def test_keys_are_stable_and_single():
    for rules in built():
        keys = [rule["key"] for rule in rules]
        assert len(keys) == len(set(keys))


def test_the_guides_numbers_of_rules_are_kept():
    outbound = BUILD["pagerduty.outbound"].build(Outbound(), ROLES)
    inbound = BUILD["pagerduty.inbound"].build(Inbound(), ROLES)

    assert (len(outbound), len(inbound)) == (6, 7)


def test_switches_leave_rules_out():
    rules = BUILD["pagerduty.outbound"].build(Outbound(auto_resolve=False, sync_notes=False), ROLES)

    names = {rule["key"] for rule in rules}
    assert "out.resolved" not in names
    assert "out.note" not in names
