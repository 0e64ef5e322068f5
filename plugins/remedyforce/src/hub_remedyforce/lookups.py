"""What an incident's lookups may point at, as the package's own forms filter it."""

from hub_remedyforce.names import ACTION_API, CATEGORY_API, STATUS_API, USER, api
from hub_salesforce.kit import Lookup

_ACTIVE = f"{api('inactive__c')} = false"
STATUS = Lookup(
    api_name=STATUS_API,
    label="status",
    conditions=(f"{api('appliesToIncident__c')} = true", _ACTIVE),
    shown_by="status_name",
)
CATEGORY = Lookup(
    api_name=CATEGORY_API,
    label="category",
    conditions=(f"{api('AvailableForIncidents__c')} = true", _ACTIVE),
    shown_by="category_name",
)
TEMPLATE = Lookup(
    api_name=api("SYSTemplate__c"),
    label="template",
    conditions=(
        f"{api('templateFor__c')} = 'Incident'",
        f"{api('systemTemplate__c')} = false",
        _ACTIVE,
    ),
)
IMPACT = Lookup(
    api_name=api("Impact__c"), label="impact", conditions=(_ACTIVE,), shown_by="impact_name"
)
URGENCY = Lookup(
    api_name=api("Urgency__c"), label="urgency", conditions=(_ACTIVE,), shown_by="urgency_name"
)
PRIORITY = Lookup(
    api_name=api("Priority__c"), label="priority", conditions=(_ACTIVE,), shown_by="priority_name"
)
ACTION = Lookup(
    api_name=ACTION_API,
    label="action of the incident history",
    conditions=(f"{api('appliesToIncident__c')} = true", _ACTIVE),
)
PEOPLE = Lookup(
    api_name=USER,
    label="active user",
    names=("Name", "Username", "Email"),
    conditions=("IsActive = true",),
)
STAFF = Lookup(
    api_name=USER,
    label="staff member",
    names=("Name", "Username", "Email"),
    conditions=("IsActive = true", f"{api('IsStaffUser__c')} = true"),
)
SERVICE = Lookup(
    api_name=api("BMC_BaseElement__c"),
    label="business service",
    conditions=(
        f"{api('ClassID__c')} = 'BMC_BUSINESSSERVICE'",
        f"{api('MarkAsDeleted__c')} = false",
    ),
)
ELEMENT = Lookup(
    api_name=api("BMC_BaseElement__c"),
    label="configuration item",
    conditions=(f"{api('MarkAsDeleted__c')} = false",),
)
