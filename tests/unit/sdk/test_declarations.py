"""Names are derived by the declaring object, and declarations never change."""

import dataclasses
import re
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

import hub
from hub.sdk.vocabulary import DECLARED_NAME


class Nothing(BaseModel):
    pass


async def perform(call):
    return hub.ActionResult(summary="Done")


ACME = hub.ConnectorType(name="acme", label="Acme", settings=Nothing, connect=lambda *given: given)
TICKET = ACME.source_object("ticket", "Ticket", vendor_name="Ticket__c")


def test_names_grow_from_the_connector_type():
    assert TICKET.name == "acme.ticket"
    assert TICKET.field("subject", "Subject").name == "acme.ticket.subject"
    assert TICKET.trigger("created", "Created").name == "acme.ticket.created"
    assert ACME.action("create", "Create", Nothing, perform).name == "acme.create"


def test_an_action_without_a_target_acts_on_the_rules_own_object():
    assert ACME.action("create", "Create", Nothing, perform).target == ""
    assert ACME.action("create", "Create", Nothing, perform, target=TICKET).target == "acme.ticket"


def test_choices_make_a_choice_field_and_words_make_labels():
    field = TICKET.field(
        "status", "Status", choices=("in_progress", hub.Choice(value="x", label="Y"))
    )

    assert field.type is hub.FieldType.CHOICE
    assert [one.label for one in field.choices] == ["In progress", "Y"]


def test_a_live_list_makes_a_choice_field():
    assert TICKET.field("service", "Service", choice_source="services").type is hub.FieldType.CHOICE


def test_a_reference_with_a_live_list_stays_a_reference():
    field = TICKET.field("owner", "Owner", hub.FieldType.REFERENCE, choice_source="users")

    assert field.type is hub.FieldType.REFERENCE


def test_a_record_knows_which_it_is():
    record = hub.Record(source_object="acme.ticket", id="1", values={"subject": None})

    assert record.ref == hub.RecordRef(source_object="acme.ticket", id="1")


@pytest.mark.parametrize("name", hub.__all__)
def test_dataclasses_of_the_sdk_are_frozen_slotted_and_by_keyword(name):
    member = getattr(hub, name)
    if not dataclasses.is_dataclass(member):
        return

    assert member.__dataclass_params__.frozen
    assert "__slots__" in vars(member)
    assert all(one.kw_only for one in dataclasses.fields(member))


def test_every_public_name_exists_and_is_sorted():
    assert sorted(hub.__all__) == sorted(set(hub.__all__))
    assert all(hasattr(hub, name) for name in hub.__all__)


def test_the_default_message_of_an_error_is_its_docstring():
    assert str(hub.Gone()) == (
        "The record does not exist any more: its link is broken and the run skipped."
    )


def test_errors_carry_what_happens_next():
    until = datetime(2025, 3, 1, tzinfo=UTC)

    assert hub.QuotaExhausted("used up", until=until).until == until
    assert hub.RateLimited(retry_after=3).retry_after == 3
    assert hub.InvalidPayload("no id", pointer="/event/id").pointer == "/event/id"


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("acme", True),
        ("acme.ticket_1.x", True),
        ("Acme", False),
        ("acme..x", False),
        (".acme", False),
        ("acme.1x", False),
        ("acme x", False),
    ],
)
def test_the_form_of_declared_names(name, good):
    assert bool(re.fullmatch(DECLARED_NAME, name)) is good
