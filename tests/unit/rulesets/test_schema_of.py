"""A tenant's schema: what plugins declare, completed by what its accounts were seen to have."""

import pytest

from hub.rulesets.repository import Vocabulary
from hub.rulesets.schema_of import schema_of
from tests.api.rules_world import catalog_of

CATALOG = catalog_of()


def schema_with(*accounts: list[dict]):
    return schema_of(
        Vocabulary(
            zone="UTC",
            connectors=[(None, "prod-salesforce", "salesforce", "active")],
            fields=[("salesforce.case", str(at), one) for at, one in enumerate(accounts)],
            objects=[],
            maps=[],
            map_rows=[],
        ),
        CATALOG,
    )


def test_what_an_account_has_beside_the_declared_fields_is_there():
    schema = schema_with([{"key": "Mood__c", "label": "Mood", "type": "choice", "choices": ["a"]}])

    assert schema.fields["salesforce.case.Mood__c"].label == "Mood"
    assert [one.value for one in schema.fields["salesforce.case.Mood__c"].choices] == ["a"]


@pytest.mark.parametrize(
    "seen",
    [
        {"key": "priority", "required": True},
        {"key": "Priority", "vendor_name": "Priority", "required": True, "choices": ["X"]},
        {"key": "Priority", "required": True},
    ],
)
def test_a_declared_field_is_required_where_the_account_requires_it(seen):
    schema = schema_with([seen])
    field = schema.fields["salesforce.case.priority"]

    assert field.required
    assert [one.value for one in field.choices] == ["P1", "P2", "P3", "P4"]
    assert "salesforce.case.Priority" not in schema.fields


def test_a_field_is_required_only_if_every_account_that_has_it_requires_it():
    schema = schema_with([{"key": "category", "required": True}], [{"key": "category"}])

    assert not schema.fields["salesforce.case.category"].required
