"""What every action needs: its record, its object, its values."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import hub
from hub import ActionCall, ActionResult, RecordRef, Value
from hub_salesforce.client import SalesforceClient
from hub_salesforce.ids import is_id, to_18
from hub_salesforce.rows import as_stored
from hub_salesforce.sobjects import Objects, SObject

if TYPE_CHECKING:
    from hub_salesforce.rows import Body

JsonValue: TypeAlias = str | int | float | bool | list[str] | None


def target_of(
    call: ActionCall[SalesforceClient, Any], objects: Objects
) -> tuple[SObject, RecordRef]:
    """Return the object and the record that a run acts on; Rejected when there is none."""
    if call.record is None:
        raise hub.Rejected("there is no record to act on: the event has no linked record")
    whole = to_18(call.record.id) if is_id(call.record.id) else call.record.id
    declared = objects.named(call.record.source_object)
    return declared, RecordRef(source_object=declared.name, id=whole)


def value_of(given: object) -> Value:
    """Return a parameter's JSON as the hub's value."""
    if isinstance(given, list | tuple):
        return tuple(str(one) for one in given)
    return given if isinstance(given, str | int | bool) or given is None else str(given)


def written(declared: SObject, given: Mapping[str, JsonValue]) -> Mapping[str, Value]:
    """Return what a write of parameters means, by key, as Salesforce will report it back."""
    return as_stored(declared, {key: value_of(value) for key, value in given.items()})


def label_of(body: "Body", api_name: str) -> str:
    """Return what people call a field."""
    info = body.describe.field(api_name)
    return info.label if info else api_name


def done(summary: str, *, changed: bool = True) -> ActionResult:
    """Return a result that names no record."""
    return ActionResult(summary=summary, changed=changed)
