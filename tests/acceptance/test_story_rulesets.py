"""The demo's rulesets are valid for the plugins that are installed."""

import importlib
import pkgutil

import pytest

import hub.builtins
from hub.catalog.plugins import load_plugins
from hub.rules import Schema, check_ruleset
from hub.sandbox.setting_up import RULESETS, ruleset


@pytest.fixture(scope="module")
def schema() -> Schema:
    inside = [
        (one.name, importlib.import_module(f"hub.builtins.{one.name}"))
        for one in pkgutil.iter_modules(hub.builtins.__path__)
    ]
    catalog = load_plugins(inside).catalog
    return Schema(
        fields=catalog.fields.values(),
        triggers=catalog.triggers.values(),
        operators=catalog.operators.values(),
        actions=catalog.actions.values(),
        filters=catalog.filters.values(),
        objects=catalog.objects.values(),
        connectors={"pagerduty": "pagerduty", "salesforce": "salesforce"},
    )


@pytest.mark.parametrize("name", RULESETS)
def test_a_ruleset_of_the_demo_has_no_problems(schema: Schema, name: str) -> None:
    assert check_ruleset(ruleset(name), schema) == []
