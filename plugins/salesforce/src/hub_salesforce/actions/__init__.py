"""What rules can do in Salesforce, for any object."""

from typing import Any

from hub import Action, ConnectorType
from hub_salesforce.actions import create, forward, links, notes, people, records, upserts
from hub_salesforce.sobjects import Objects


def actions_of(connector_type: ConnectorType[Any, Any], objects: Objects) -> list[Action[Any, Any]]:
    """Return all actions of a connector type on these objects."""
    made = [
        *create.actions(connector_type, objects),
        *records.actions(connector_type, objects),
        *upserts.actions(connector_type, objects),
        *links.actions(connector_type, objects),
        *people.actions(connector_type, objects),
        *forward.actions(connector_type),
    ]
    if any(one.notes for one in objects.declared):
        made += notes.actions(connector_type, objects)
    return made
