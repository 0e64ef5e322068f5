"""The Remedyforce incident, declared: hub names beside the package's API names."""

from hub import FieldType
from hub_remedyforce import lookups
from hub_remedyforce.history import HISTORY
from hub_remedyforce.names import INCIDENT_API, api
from hub_salesforce import kit
from hub_salesforce.kit import Lookup, SField

_TIME, _REF, _YES = FieldType.TIMESTAMP, FieldType.REFERENCE, FieldType.BOOLEAN
_CHOICE, _WHOLE = FieldType.CHOICE, FieldType.INTEGER
LONG = 32_000


def _text(key: str, label: str, name: str, longest: int = 255) -> SField:
    return SField(key, label, api(name), writable=True, max_length=longest)


def _time(key: str, label: str, name: str) -> SField:
    return SField(key, label, api(name), _TIME, writable=True)


def _list(key: str, label: str, name: str) -> SField:
    return SField(key, label, api(name), _CHOICE, choice_source=key, writable=True)


def _points(
    key: str, label: str, name: str, source: str | None = None, lookup: Lookup | None = None
) -> SField:
    return SField(key, label, api(name), _REF, choice_source=source, writable=True, lookup=lookup)


def _computed(
    key: str, label: str, name: str, type: FieldType = FieldType.TEXT, *, noise: bool = False
) -> SField:
    return SField(key, label, api(name), type, computed=True, noise=noise)


def _shown(key: str, label: str, name: str, *follows: str) -> SField:
    """Return a formula that shows something of the record that another field points at."""
    return SField(key, label, api(name), computed=True, follows=follows)


def _kept(key: str, label: str, name: str, type: FieldType, *, noise: bool = False) -> SField:
    """Return a field that the package itself keeps: read, never written."""
    return SField(key, label, api(name), type, noise=noise)


def _by_status(key: str, label: str, name: str, type: FieldType) -> SField:
    """Return a field that the package keeps in step with the status."""
    return SField(key, label, api(name), type, follows=("status", "status_name"))


INCIDENT = kit.sobject(
    "remedyforce.incident",
    "Incident",
    INCIDENT_API,
    [
        SField("number", "Incident number", "Name"),
        _text("short_description", "Short description", "shortDescription__c"),
        _text("description", "Description", "incidentDescription__c", LONG),
        _text("resolution", "Resolution", "incidentResolution__c", LONG),
        _text("note", "Note", "note__c", LONG),
        _points("status", "Status", "FKStatus__c", "statuses", lookups.STATUS),
        _shown("status_name", "Status: name", "Status_ID__c", "status"),
        _by_status("is_open", "Open", "state__c", _YES),
        _points("category", "Category", "FKCategory__c", "categories", lookups.CATEGORY),
        _shown("category_name", "Category: name", "Category_ID__c", "category"),
        _points("template", "Template", "FKTemplate__c", "templates", lookups.TEMPLATE),
        _points("request_definition", "Request definition", "FKRequestDefinition__c"),
        _points("impact", "Impact", "FKImpact__c", "impacts", lookups.IMPACT),
        _shown("impact_name", "Impact: name", "Impact_Id__c", "impact"),
        _points("urgency", "Urgency", "FKUrgency__c", "urgencies", lookups.URGENCY),
        _shown("urgency_name", "Urgency: name", "Urgency_ID__c", "urgency"),
        SField(
            "priority",
            "Priority (from impact and urgency)",
            api("FKPriority__c"),
            _REF,
            choice_source="priorities",
            follows=("impact", "urgency", "impact_name", "urgency_name"),
        ),
        _shown(
            "priority_name",
            "Priority: number",
            "Priority_ID__c",
            "impact",
            "urgency",
            "impact_name",
            "urgency_name",
        ),
        _points("client", "Client", "FKClient__c", "users", lookups.PEOPLE),
        _shown("client_username", "Client: username", "clientId__c", "client"),
        _shown("client_email", "Client: e-mail", "clientEmail__c", "client"),
        _text("client_name", "Client: name", "Client_Name__c"),
        SField("client_phone", "Client: phone", api("Client_Phone__c"), writable=True),
        _points("contact", "Contact", "FKContact__c"),
        _points("account", "Account", "FKAccount__c"),
        _shown("account_name", "Account: name", "Client_Account__c", "client", "account"),
        _points("staff", "Staff", "FKOpenBy__c", "staff", lookups.STAFF),
        SField("owner", "Owner", "OwnerId", _REF, choice_source="owners", writable=True),
        _shown("queue", "Queue", "Queue__c", "owner"),
        SField("last_queue", "Last queue", api("queueName__c"), writable=True, max_length=40),
        _list("source", "Incident source", "contactType__c"),
        _list("incident_type", "Incident type", "IncidentType__c"),
        _list("closure_category", "Closure category", "ClosureCategory__c"),
        _computed("record_kind", "Incident or service request", "Type__c"),
        _points("service", "Service", "FKBusinessService__c", "services", lookups.SERVICE),
        _points(
            "service_offering",
            "Service offering",
            "FKServiceOffering__c",
            "services",
            lookups.SERVICE,
        ),
        _points(
            "configuration_item",
            "Configuration item",
            "FKBMC_BaseElement__c",
            "elements",
            lookups.ELEMENT,
        ),
        _time("opened_at", "Opened at", "openDateTime__c"),
        _time("responded_at", "Responded at", "respondedDateTime__c"),
        _time("due_at", "Due at", "dueDateTime__c"),
        _time("outage_from", "Outage start", "outageFrom__c"),
        _time("outage_to", "Outage end", "outageTo__c"),
        _time("follow_up_at", "Follow up at", "followUpDateTime__c"),
        _by_status("closed_at", "Closed at", "closeDateTime__c", _TIME),
        _by_status("closed_by", "Closed by", "FKClosedBy__c", _REF),
        SField(
            "closed_by_name",
            "Closed by: name",
            api("Closed_By__c"),
            computed=True,
            follows=("status", "status_name"),
        ),
        SField("event_id", "Event ID", api("Event_ID__c"), writable=True, max_length=255),
        SField("inactive", "Inactive", api("inactive__c"), _YES, writable=True),
        _kept("update_count", "Record update count", "UpdateCount__c", _WHOLE, noise=True),
        _kept("status_changed_at", "Status changed at", "StatusChangeDate__c", _TIME, noise=True),
        _kept("work_minutes", "Total work time", "TotalWorkTime__c", _WHOLE, noise=True),
        _kept(
            "locked_stamp",
            "Locked record stamp",
            "LockedRecordTimestamp__c",
            FieldType.TEXT,
            noise=True,
        ),
        _computed("compliant", "Compliant with the due date", "Compliant__c", noise=True),
        _computed("clock_status", "Work clock status", "Clock_Status__c", noise=True),
        _computed("due_progress", "Due date progress", "Due_Date_Progress__c", noise=True),
        _computed(
            "minutes_in_status",
            "Minutes in the current status",
            "TimeSpentInCurrentStatus__c",
            FieldType.DECIMAL,
            noise=True,
        ),
        _computed(
            "time_remaining",
            "Time remaining in percent",
            "Time_Remaining_Percentage__c",
            FieldType.DECIMAL,
            noise=True,
        ),
        _computed(
            "minutes_worked", "Total duration", "Total_Duration__c", FieldType.DECIMAL, noise=True
        ),
        SField("created_at", "Created at", "CreatedDate", _TIME),
        SField("created_by", "Created by", "CreatedById", _REF),
        SField("changed_at", "Changed at", "LastModifiedDate", _TIME, noise=True),
        SField("changed_by", "Changed by", "LastModifiedById", _REF, noise=True),
        SField("changed_by_email", "Changed by: e-mail", "LastModifiedBy.Email", noise=True),
        SField("stamped_at", "System stamp", "SystemModstamp", _TIME, noise=True),
    ],
    notes=[HISTORY],
    polled_if=[f"{api('inactive__c')} = false"],
)
OBJECTS = kit.objects(INCIDENT)
