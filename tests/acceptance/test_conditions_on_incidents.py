"""The fields of a PagerDuty incident that people write conditions about, each judged."""

import importlib
import json
import pkgutil
from pathlib import Path
from typing import Any

import pytest

import hub.builtins
from hub import Event
from hub.catalog.plugins import load_plugins
from hub.rules import Ruleset, Schema, Surroundings, build_facts, check_ruleset, compile_plan
from hub.sdk.connector_types import WebhookRequest

PAYLOADS = Path(__file__).parents[2] / "plugins" / "pagerduty" / "tests" / "payloads"
FIELD = "pagerduty.incident."


@pytest.fixture(scope="module")
def catalog() -> Any:
    inside = [
        (one.name, importlib.import_module(f"hub.builtins.{one.name}"))
        for one in pkgutil.iter_modules(hub.builtins.__path__)
    ]
    return load_plugins(inside).catalog


@pytest.fixture(scope="module")
def schema(catalog: Any) -> Schema:
    return Schema(
        fields=catalog.fields.values(),
        triggers=catalog.triggers.values(),
        operators=catalog.operators.values(),
        actions=catalog.actions.values(),
        filters=catalog.filters.values(),
        objects=catalog.objects.values(),
        connectors={"pagerduty": "pagerduty", "salesforce": "salesforce"},
    )


@pytest.fixture(scope="module")
def triggered(catalog: Any) -> Event:
    """An incident as PagerDuty's webhook tells of it."""
    delivered = json.loads((PAYLOADS / "triggered.json").read_text())
    request = WebhookRequest(headers={}, body=delivered["body"].encode())
    event: Event = catalog.connector_types["pagerduty"].receiver.parse(request)[0]
    return event


def _ruleset(when: dict[str, Any]) -> dict[str, Any]:
    note = {"do": "pagerduty.add_note", "connector": "pagerduty", "with": {"content": "met"}}
    rule = {"format": 1, "name": "Met", "object": "pagerduty.incident",
            "on": ["pagerduty.incident.triggered"],
            "when": when, "then": [note]}  # fmt: skip
    return {"format": 1, "name": "Conditions", "rules": [rule]}


@pytest.mark.parametrize(
    ("field", "op", "no"),
    [
        pytest.param("event_type", "is", "resolve", marks=pytest.mark.covers("RF-071")),
        pytest.param("title", "contains", "nothing", marks=pytest.mark.covers("RF-072")),
        pytest.param("title", "starts_with", "nothing", marks=pytest.mark.covers("RF-072")),
        pytest.param("status", "is", "resolved", marks=pytest.mark.covers("RF-073")),
        pytest.param("service", "is", "PNONE00", marks=pytest.mark.covers("RF-074")),
        pytest.param("service_name", "is", "nobody's", marks=pytest.mark.covers("RF-075")),
        pytest.param("service_name", "ends_with", "zzz", marks=pytest.mark.covers("RF-075")),
        pytest.param("escalation_policy", "is", "PNONE00", marks=pytest.mark.covers("RF-076")),
        pytest.param("escalation_policy_name", "is", "zzz", marks=pytest.mark.covers("RF-077")),
        pytest.param(
            "escalation_policy_name", "contains", "zz", marks=pytest.mark.covers("RF-077")
        ),
        pytest.param("priority", "is", "P9", marks=pytest.mark.covers("RF-078")),
        pytest.param("urgency", "is", "low", marks=pytest.mark.covers("RF-079")),
    ],
)
def test_a_condition_is_met_by_what_the_webhook_told(
    schema: Schema, triggered: Event, field: str, op: str, no: str
) -> None:
    told = str(triggered.record.values[field])

    def met(value: str) -> bool:
        given = _ruleset({"all": [{"field": f"{FIELD}{field}", "op": op, "value": value}]})
        assert check_ruleset(given, schema) == []
        rules = [{**one, "id": "11111111-1111-7111-8111-111111111111"} for one in given["rules"]]
        stored = {**given, "id": "set", "state": "enabled", "rules": rules}
        enabled = Ruleset.model_validate(stored)
        around = Surroundings(event_id="evt_1", tenant="acme", connector="pagerduty")
        plan, facts = compile_plan([enabled], schema, 1), build_facts(triggered, around, schema)
        return bool(list(plan.match(facts)))

    assert met(told)
    assert not met(no)


@pytest.mark.covers("RF-073", "RF-079")
def test_status_and_urgency_offer_what_pagerduty_has(schema: Schema) -> None:
    def offered(field: str) -> list[str]:
        return [one.value for one in schema.fields[f"{FIELD}{field}"].choices]

    assert offered("status") == ["triggered", "acknowledged", "resolved"]
    assert offered("urgency") == ["high", "low"]
