"""`hub plugins`: what a plugin declares, and one group under two names."""

import json
from typing import Any

import pytest

from hub import builtins
from hub.catalog import load_plugins
from hub.catalog.describe import describe, describe_report
from hub.cli.commands.plugin_declares import kind


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    loaded = load_plugins(builtins.modules())
    reports = {one.name: describe_report(one) for one in loaded.reports}
    return {"catalog": describe(loaded.catalog), "reports": reports}


@pytest.fixture
def plugin_api(api, told):
    api.answer("GET", "/api/v1/catalog", told["catalog"])
    for name, report in told["reports"].items():
        api.answer("GET", f"/api/v1/plugins/{name}", report)
    return api


def test_a_plugin_shows_all_that_it_declares(hub, plugin_api) -> None:
    shown = hub("plugins", "show", "pagerduty").out

    assert "Connector type pagerduty (PagerDuty)" in shown
    assert "  api_key " in shown
    assert "text; secret" in shown
    assert "Source object pagerduty.incident" in shown
    assert "    pagerduty.incident.acknowledged - " in shown
    assert "Action pagerduty.create_incident" in shown
    assert "one of bidirectional, outbound, inbound" in shown
    assert "  Choices: " in shown


def test_the_hubs_own_operators_and_filters_are_shown(hub, plugin_api, told) -> None:
    listed = told["catalog"]["operators"] + told["catalog"]["filters"]
    owners = {one["plugin"] for one in listed}

    shown = "".join(hub("plugins", "show", name).out for name in owners)

    for one in listed:
        assert f"  {one['name']} - " in shown


def test_programs_get_the_declarations_too(hub, plugin_api) -> None:
    found = json.loads(hub("plugins", "show", "pagerduty", "--json").out)

    declares = found["declares"]
    assert [one["name"] for one in declares["connector_types"]] == ["pagerduty"]
    assert {one["plugin"] for one in declares["actions"]} == {"pagerduty"}
    assert "api_key" in declares["connector_types"][0]["settings"]["properties"]


@pytest.mark.parametrize("group", ["plugin", "plugins"])
def test_both_names_are_one_group(group, hub, plugin_api, tmp_path) -> None:
    shown = hub(group, "show", "pagerduty")
    written = hub(group, "new", "zendesk", "--into", str(tmp_path))

    assert (shown.status, written.status) == (0, 0)
    root = tmp_path / "hub-zendesk"
    assert f"pip install -e '{root}[testing]' && python -m pytest {root}" in written.out


@pytest.mark.parametrize(
    ("member", "words"),
    [
        ({"type": "integer"}, "whole number"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "text"),
        ({"type": "array", "items": {"type": "string"}}, "list of text"),
        ({"$ref": "#/$defs/Auth"}, "one of a, b"),
        ({"const": "x"}, "x"),
        ({}, "anything"),
    ],
)
def test_the_kind_of_a_setting_is_told_in_words(member, words) -> None:
    assert words == kind(member, {"Auth": {"enum": ["a", "b"]}})
