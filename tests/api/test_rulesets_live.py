"""Typos in what only the vendor knows: told by check, publish and import, with the age."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest

from hub.db.engine import Database
from hub.errors import VendorAway
from hub.sdk.connector_types import ChoiceSource
from hub.sdk.vocabulary import Choice, FieldType
from tests.api.rules_world import CASE, Tenant, add_connectors, api, catalog_of, rule

MOOD = CASE.field("mood", "Mood", FieldType.CHOICE, choice_source="moods", writable=True,
                  vendor_name="Mood__c")  # fmt: skip
WRITE = {"do": "salesforce.set_field", "connector": "prod-salesforce"}


def writing(field: str, value: str):
    return rule(
        "moods",
        on=["salesforce.case.updated"],
        when={"all": [{"field": "salesforce.case.mood", "op": "is", "value": "good"}]},
        then=[WRITE | {"with": {"field": field, "value": value}}],
    )


def serving(database: Database, tenant: Tenant, moods, age=lambda _client, _search: 180.0):
    catalog = catalog_of(more_fields=[MOOD])
    kinds = dict(catalog.connector_types)
    lists = (ChoiceSource(name="moods", fetch=moods, age=age),)
    kinds["salesforce"] = replace(kinds["salesforce"], choices=lists)
    catalog = replace(catalog, connector_types=kinds)

    async def by_name(_, name):
        return SimpleNamespace(working_type=kinds[name.partition("-")[2]], client=None)

    return api(database, tenant, catalog=catalog, clients=SimpleNamespace(by_name=by_name))


async def moods(_client, _search):
    return [Choice(value="good", label="Good"), Choice(value="gloomy", label="Gloomy")]


async def test_a_typo_in_a_live_choice_must_be_accepted_to_be_published(
    database: Database, tenant: Tenant
) -> None:
    await add_connectors(database, tenant)
    async with serving(database, tenant, moods) as hub:
        await hub.post(
            "/rulesets", json={"name": "x", "rules": [writing("salesforce.case.mood", "Glomy")]}
        )

        checked = (await hub.post("/rulesets/x/draft:check")).json()
        refused = await hub.post("/rulesets/x/draft:publish", json={})
        accepted = await hub.post("/rulesets/x/draft:publish", json={"accept_warnings": True})

    text = (
        "'Glomy' is not among the moods of prod-salesforce (as read 3 min ago). "
        "Did you mean 'gloomy'?"
    )
    assert [text] == [one["detail"] for one in checked["lint"] if one["code"] == "L102"]
    assert refused.status_code == 409
    assert text in refused.json()["errors"][0]["detail"]
    assert text in [one["detail"] for one in accepted.json()["lint"]]


async def test_an_import_tells_typos_too_and_live_false_leaves_them_out(
    database: Database, tenant: Tenant
) -> None:
    await add_connectors(database, tenant)
    document = {"rulesets": [{"name": "x", "rules": [writing("salesforce.case.mood", "sour")]}]}
    async with serving(database, tenant, moods) as hub:
        told = await hub.post("/rulesets/import?plan=true", json=document)
        silent = await hub.post("/rulesets/import?plan=true&live=false", json=document)

    codes = [[one["code"] for one in answer.json()["rulesets"][0]["lint"]]
             for answer in (told, silent)]  # fmt: skip
    assert ("L102" in codes[0], "L102" in codes[1]) == (True, False)


async def silent_vendor(_client, _search):
    await asyncio.sleep(60)


async def away(_client, _search):
    raise VendorAway("gone fishing")


@pytest.mark.parametrize(
    ("vendor", "said"), [(silent_vendor, "no answer within 0.05 s"), (away, "gone fishing")]
)
async def test_a_vendor_that_does_not_answer_is_noted_once_and_publishing_goes_on(
    database: Database, tenant: Tenant, vendor, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.rulesets.dependencies.PATIENCE_S", 0.05)
    await add_connectors(database, tenant)
    async with serving(database, tenant, vendor) as hub:
        made = writing("salesforce.case.mood", "sour")
        await hub.post("/rulesets", json={"name": "x", "rules": [made]})
        published = await hub.post("/rulesets/x/draft:publish", json={})

    assert published.status_code == 200, published.text
    assert [(one["severity"], one["detail"]) for one in published.json()["lint"]
            if one["code"] == "L102"] == [
        ("info", f"prod-salesforce could not be asked for its moods: {said}")
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["mood", "Mood__c"])
async def test_a_field_is_known_by_its_key_and_by_the_vendor_s_name(
    database: Database, tenant: Tenant, name: str
) -> None:
    await add_connectors(database, tenant)
    create = WRITE | {
        "do": "salesforce.create_record",
        "with": {"fields": {"subject": "x", name: "sour"}},
    }
    async with serving(database, tenant, moods) as hub:
        made = writing("salesforce.case.mood", "good") | {"then": [create]}
        await hub.post("/rulesets", json={"name": "x", "rules": [made]})
        found = (await hub.post("/rulesets/x/draft:check")).json()["lint"]

    assert [one["pointer"] for one in found if one["code"] == "L102"] == [
        f"/rules/0/then/0/with/fields/{name}"
    ]
