"""Custom fields of the account."""

from hub import FieldType
from hub_pagerduty.discovery import DISCOVERY
from hub_pagerduty.testing.model import CustomField
from hub_pagerduty.vocabulary import INCIDENT, SERVICE


async def test_custom_fields_become_fields(client):
    found = {one.key: one for one in await DISCOVERY.fields(client, INCIDENT)}

    assert found["environment"].name == "pagerduty.incident.environment"
    assert found["environment"].writable
    assert found["affected_users"].type is FieldType.INTEGER
    assert [one.value for one in found["region"].choices] == ["US", "EU"]


async def test_a_custom_field_named_like_ours_keeps_its_own_place(client, sim):
    sim.world.custom_fields.append(CustomField(id="PF", name="title", display_name="Title"))
    sim.world.custom_fields.append(
        CustomField(id="PG", name="tags", display_name="Tags", field_type="multi_value")
    )

    found = {one.key: one for one in await DISCOVERY.fields(client, INCIDENT)}

    assert found["custom_title"].vendor_name == "title"
    assert found["tags"].type is FieldType.LIST


async def test_other_objects_have_none(client):
    assert await DISCOVERY.fields(client, SERVICE) == []
    assert await DISCOVERY.objects(client, "") == []
