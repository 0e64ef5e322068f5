"""Ready-made rules that need nothing but PagerDuty name only what is there."""

import pytest
from pydantic import ValidationError

from hub import builtins
from hub.catalog import load_plugins
from hub.rules import Schema, check_rule
from hub_pagerduty.actions import ACTIONS
from hub_pagerduty.playbooks import PLAYBOOKS, FirstResponse, Mirror, Policies
from hub_pagerduty.vocabulary import FIELDS, OBJECTS, TRIGGERS

BUILD = {one.name.partition(".")[2]: one.build for one in PLAYBOOKS}
ONE, BOTH = {"paging": "prod"}, {"source": "prod", "copy": "partner"}
POLICIES = {"policies": [{"priority": "P1", "escalation_policy": "PPOL"}]}
ALL = FirstResponse(
    workflow="PWORK01",
    users=["jane.smith@company.com"],
    escalation_policies=["PXXXXXX"],
    conference_url="https://meet.example.com",
    status_update="{{ pagerduty.incident.title }}: we are on it",
)
BUILT = [
    BUILD["policy_by_priority"](Policies.model_validate(POLICIES), ONE),
    BUILD["first_response"](ALL, ONE),
    BUILD["first_response"](FirstResponse(workflow="PWORK01"), ONE),
    BUILD["mirror"](Mirror(service="PAPI001"), BOTH),
    BUILD["mirror"](Mirror(service="PAPI001", notes=False, back=False), BOTH),
]


@pytest.fixture(scope="module")
def schema():
    found = load_plugins(builtins.modules(), entry_points=[]).catalog
    return Schema(
        fields=[*FIELDS, *found.fields.values()],
        triggers=[*TRIGGERS, *found.triggers.values()],
        operators=found.operators.values(),
        actions=ACTIONS,
        filters=found.filters.values(),
        objects=[*OBJECTS, *found.objects.values()],
        connectors={"prod": "pagerduty", "partner": "pagerduty"},
    )


@pytest.mark.parametrize("rules", BUILT)
def test_each_rule_is_one_that_the_hub_takes(rules, schema):
    for rule in rules:
        bare = {name: value for name, value in rule.items() if name != "key"}
        problems = [one for one in check_rule(bare, schema) if one.severity == "error"]
        assert [f"{rule['key']}{one.pointer}: {one.message}" for one in problems] == []


@pytest.mark.parametrize("rules", BUILT)
def test_keys_are_single(rules):
    keys = [rule["key"] for rule in rules]
    assert len(keys) == len(set(keys))


def test_a_priority_has_one_policy():
    twice = [{"priority": name, "escalation_policy": "P"} for name in ("P1", "p1")]
    with pytest.raises(ValidationError, match="one escalation policy"):
        Policies.model_validate({"policies": twice})


def test_a_response_without_anything_to_do_is_refused():
    with pytest.raises(ValidationError, match="nothing is chosen"):
        FirstResponse(status_update="")


def test_a_mirror_without_the_way_back_has_no_rules_for_it():
    assert [rule["key"] for rule in BUILT[-1]] == [
        "mirror.triggered",
        "mirror.acknowledged",
        "mirror.resolved",
        "mirror.reopened",
    ]
