"""What the vendors are asked about a service mapping: names become ids, doubts become flags."""

from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from hub.sdk.connector_types import ChoiceSource
from hub.sdk.vocabulary import Choice, FieldType
from tests.api.rules_world import CASE, add_connectors, api, catalog_of

QUEUES = [Choice(value="00G5e000001", label="Hardware"), Choice(value="00G5e000002", label="Web")]
FORCED = {"If-Match": "*"}
LIST = "/service-mappings"
ROW = {"connector": "prod-pagerduty", "object": "salesforce.case", "service": "PAPI001"}


async def _moods(_client: Any, _search: str) -> list[Choice]:
    return [Choice(value="good", label="Good")]


async def _queues(_client: Any, _search: str) -> list[Choice]:
    return QUEUES


def world():
    """The catalog whose Case has a mood and a queue, and the connector types."""
    fields = [
        CASE.field("mood", "Mood", FieldType.CHOICE, choice_source="moods"),
        CASE.field("queue", "Queue", FieldType.REFERENCE, choice_source="queues"),
    ]
    catalog = catalog_of(more_fields=fields)
    kinds = dict(catalog.connector_types)
    listed = (
        ChoiceSource(name="moods", fetch=_moods), ChoiceSource(name="queues", fetch=_queues),
    )  # fmt: skip
    kinds["salesforce"] = replace(kinds["salesforce"], choices=listed)
    return replace(catalog, connector_types=kinds), kinds


@pytest.fixture
async def hub(database, tenant) -> AsyncIterator[httpx.AsyncClient]:
    catalog, kinds = world()

    async def opened(_, name):
        kind = kinds[name.partition("-")[2]]
        return SimpleNamespace(type=kind, working_type=kind, client=None, is_ready=True)

    await add_connectors(database, tenant)
    clients = SimpleNamespace(by_name=opened, database=database)
    async with api(database, tenant, catalog=catalog, clients=clients) as hub:
        yield hub


async def added(hub, **row):
    answer = await hub.post(LIST, json=ROW | row)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def changed(hub, row, **changes):
    answer = await hub.patch(f"{LIST}/{row['id']}", json=changes, headers=FORCED)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_row_that_the_vendors_do_not_know_is_made_and_flagged(hub):
    odd = await added(hub, field="mood", service="NOPE", value="glod")
    well = await added(hub, field="mood", value="good")

    assert odd["flags"] == ["service_unknown", "value_unknown"]
    assert well["flags"] == []


async def test_a_change_that_the_vendors_do_not_know_is_made_and_flagged(hub):
    row = await added(hub, field="mood", value="good")

    odd = await changed(hub, row, service="NOPE", value="glod")
    other = await changed(hub, row, value="good")
    well = await changed(hub, row, service="PAPI001")
    untouched = await changed(hub, row, inbound=True)

    assert odd["flags"] == ["service_unknown", "value_unknown"]
    assert other["flags"] == ["service_unknown"]
    assert well["flags"] == []
    assert untouched["flags"] == []


async def test_a_record_may_be_named_in_a_change_as_in_a_new_row(hub):
    row = await added(hub, field="queue", value="hardware")
    assert (row["value"], row["name"]) == ("00G5e000001", "Hardware")

    other = await changed(hub, row, value="Web")
    assert (other["value"], other["name"]) == ("00G5e000002", "Web")

    named = await changed(hub, row, value="Hardware", name="Desks")
    assert (named["value"], named["name"]) == ("00G5e000001", "Desks")

    kept = await changed(hub, row, value="Web")
    assert (kept["value"], kept["name"]) == ("00G5e000002", "Desks")

    unknown = await changed(hub, row, value="Nobody")
    assert unknown["value"] == "Nobody"


async def test_a_change_of_another_field_looks_its_value_up(hub):
    row = await added(hub, field="mood", value="good", name="Mine")

    other = await changed(hub, row, field="queue", value="web")

    assert (other["field"], other["value"], other["name"]) == ("queue", "00G5e000002", "Mine")


async def test_a_change_that_does_not_fit_is_refused_as_ever(hub):
    row = await added(hub, field="mood", value="good")

    wrong = await hub.patch(f"{LIST}/{row['id']}", json={"value": None}, headers=FORCED)
    stale = await hub.patch(
        f"{LIST}/{row['id']}", json={"value": None}, headers={"If-Match": '"99"'}
    )

    assert wrong.status_code == 422
    assert stale.status_code == 409


async def test_a_row_is_read_with_its_doubts_when_they_are_asked_for(hub):
    row = await added(hub, field="mood", service="NOPE", value="glod")
    await added(hub, field="mood", service="NOPE", value="good")

    plain = (await hub.get(f"{LIST}/{row['id']}")).json()
    asked = (await hub.get(f"{LIST}/{row['id']}?ask_vendors=true")).json()

    assert plain["flags"] == []
    assert asked["flags"] == ["service_unknown", "value_unknown"]
