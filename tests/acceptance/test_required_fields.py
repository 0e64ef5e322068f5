"""What an org demands of a new record is asked of the rule, before it pages anybody."""

import pytest

from hub_salesforce.testing.schema import field
from tests.acceptance.world import Json, World, act, rule

TRIGGERED = "pagerduty.incident.triggered"


def _create(**fields: str) -> Json:
    return rule(
        "Case for incidents",
        (TRIGGERED,),
        act("salesforce.create_record", object="salesforce.case", fields=fields),
        object="salesforce.case",
    )


async def _saved(world: World, name: str, *rules: Json) -> tuple[Json, list[str]]:
    """Save a ruleset: what was answered, and what was wrong with it."""
    answer = await world.ask("POST", "rulesets", {"format": 1, "name": name, "rules": rules})
    body: Json = answer.json()
    return body, [one["detail"] for one in body.get("errors", ())]


@pytest.mark.covers("SF-056", "RF-128")
async def test_a_rule_that_sets_not_all_required_fields_can_not_be_saved(world: World) -> None:
    org = world.crm.app.world
    org.add_field("Case", field("Region__c", "Region", nillable=False))
    org.remove_field("Case", "Origin")
    org.add_field("Case", field("Origin", "Case Origin", nillable=False))
    await world.get("connectors/salesforce/fields", object="salesforce.case", refresh=True)

    _, lacking = await _saved(world, "Lacking", _create(subject="Down"))
    whole = _create(subject="Down", origin="Web", Region__c="EU")
    _, complete = await _saved(world, "Complete", whole)

    assert lacking == ["Case needs Case origin and Region, and nothing sets them."]
    assert complete == []


async def test_what_only_forms_demand_is_warned_of(world: World) -> None:
    world.crm.app.world.layout_required["Case"] = ("Reason",)
    await world.get("connectors/salesforce/fields", object="salesforce.case", refresh=True)
    made, wrong = await _saved(world, "Form", _create(subject="Down"))

    found = await world.post(f"rulesets/{made['id']}/draft:check")

    assert "Case reason" in str(found)
    assert "L101" in str(found)
    assert wrong == []
