"""The connector type `remedyforce`, made with Salesforce's kit."""

from collections.abc import Mapping
from typing import Any

from hub import Check, ConnectorType, Simulator
from hub_remedyforce import lookups
from hub_remedyforce.category import mapped_categories
from hub_remedyforce.history import action_fields
from hub_remedyforce.installing import APEX
from hub_remedyforce.names import INCIDENT_API, api
from hub_remedyforce.objects import INCIDENT
from hub_remedyforce.settings import RemedyforceSettings
from hub_remedyforce.status import STATUSES, statuses_usable
from hub_salesforce import kit
from hub_salesforce.kit import SalesforceClient

_TREE, _DESCRIPTION = api("parentTree__c"), api("description__c")


def _simulator() -> Simulator:
    from hub_remedyforce.testing import simulator  # noqa: PLC0415 - production never loads it

    return simulator()


async def notes_writable(client: SalesforceClient) -> str:
    """Check that the action that notes are written with is there."""
    await action_fields(client)
    name = getattr(client.settings, "note_action", "")
    return f"Notes are written with the action {name!r}"


def _category(row: Mapping[str, Any]) -> str:
    return f"{row[_TREE]} ({row['Name']})" if row[_TREE] else str(row["Name"])


def _priority(row: Mapping[str, Any]) -> str:
    return f"{row['Name']} - {row[_DESCRIPTION]}" if row[_DESCRIPTION] else str(row["Name"])


def _person(row: Mapping[str, Any]) -> str:
    return f"{row['Name']} ({row['Username']})"


REMEDYFORCE: ConnectorType[RemedyforceSettings, SalesforceClient] = ConnectorType(
    name="remedyforce",
    label="BMC Remedyforce",
    settings=RemedyforceSettings,
    connect=SalesforceClient,
    checks=(
        *kit.checks(INCIDENT),
        Check(
            name="statuses",
            label="Statuses",
            run=statuses_usable,
            fix="Remedyforce Administration, Configure Application, Statuses: one that applies to "
            "incidents must mean open, and one closed.",
        ),
        Check(
            name="note_action",
            label="Action of notes",
            run=notes_writable,
            fix="Change 'Action of notes', or activate that action for incidents.",
        ),
        Check(
            name="categories",
            label="Categories with a service",
            run=mapped_categories,
            fix="Correct PagerDuty Service ID in the category; each service in one category only.",
        ),
    ),
    pollers=kit.pollers(INCIDENT),
    choices=(
        *kit.choices(INCIDENT),
        STATUSES,
        kit.lookup("categories", lookups.CATEGORY, reads=(_TREE,), label=_category),
        kit.lookup("templates", lookups.TEMPLATE),
        kit.lookup("impacts", lookups.IMPACT),
        kit.lookup("urgencies", lookups.URGENCY),
        kit.lookup("priorities", lookups.PRIORITY, reads=(_DESCRIPTION,), label=_priority),
        kit.lookup("note_actions", lookups.ACTION),
        kit.lookup("staff", lookups.STAFF, label=_person),
        kit.lookup("services", lookups.SERVICE),
        kit.lookup("elements", lookups.ELEMENT),
        kit.picklist("source", INCIDENT_API, api("contactType__c")),
        kit.picklist("incident_type", INCIDENT_API, api("IncidentType__c")),
        kit.picklist("closure_category", INCIDENT_API, api("ClosureCategory__c")),
    ),
    queries=(*(one for one in kit.queries(INCIDENT) if one.name != APEX.name), APEX),
    receiver=kit.receiver(INCIDENT),
    discovery=kit.discovery(INCIDENT),
    simulator=_simulator,
    quota=kit.quota,
    poll_every=lambda settings: settings.poll_interval_seconds,
    demanded=kit.demanded,
    handshake=kit.handshake(),
    vault=kit.vault,
)
