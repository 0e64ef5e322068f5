"""What PagerDuty's records are made of, and what can happen to them."""

from typing import Final

import hub
from hub import Choice, FieldType

INCIDENT: Final = hub.SourceObject(name="pagerduty.incident", label="PagerDuty incident")
SERVICE: Final = hub.SourceObject(name="pagerduty.service", label="PagerDuty service")

TITLE_LENGTH: Final = 1024
NOTE_BYTES: Final = 65_535

EVENT_TYPES: Final = (
    Choice(value="trigger", label="Trigger"),
    Choice(value="acknowledge", label="Acknowledge"),
    Choice(value="resolve", label="Resolve"),
    Choice(value="assign", label="Assign"),
    Choice(value="escalate", label="Escalate"),
    Choice(value="custom", label="Custom"),
    Choice(value="delegate", label="Delegate"),
)
"""The older names of what happens, offered whatever the webhook's version."""

_CONDITION_FIELDS: Final = [
    INCIDENT.field("event_type", "Event type", choices=EVENT_TYPES, noise=True),
    INCIDENT.field("title", "Title", writable=True, required=True, max_length=TITLE_LENGTH),
    INCIDENT.field(
        "status", "Status", choices=("triggered", "acknowledged", "resolved"), writable=True
    ),
    INCIDENT.field(
        "service",
        "Service",
        FieldType.REFERENCE,
        choice_source="services",
        writable=True,
        required=True,
    ),
    INCIDENT.field("service_name", "Service name"),
    INCIDENT.field(
        "escalation_policy",
        "Escalation policy",
        FieldType.REFERENCE,
        choice_source="escalation_policies",
        writable=True,
    ),
    INCIDENT.field("escalation_policy_name", "Escalation policy name"),
    INCIDENT.field("priority", "Priority", choice_source="priorities", writable=True),
    INCIDENT.field("urgency", "Urgency", choices=("high", "low"), writable=True),
]

_OWN_FIELDS: Final = [
    INCIDENT.field("number", "Number", FieldType.INTEGER),
    INCIDENT.field("url", "Link", noise=True),
    INCIDENT.field("incident_key", "Incident key", FieldType.ID),
    INCIDENT.field("alert_key", "Alert key", FieldType.ID),
    INCIDENT.field("description", "Description", writable=True),
    INCIDENT.field("priority_id", "Priority id", FieldType.ID),
    INCIDENT.field("assignees", "Assignees", FieldType.LIST, choice_source="users", writable=True),
    INCIDENT.field("assignee_names", "Names of the assignees", FieldType.LIST),
    INCIDENT.field("teams", "Teams", FieldType.LIST, choice_source="teams"),
    INCIDENT.field("team_names", "Names of the teams", FieldType.LIST),
    INCIDENT.field("incident_type", "Incident type", choice_source="incident_types", writable=True),
    INCIDENT.field("conference_number", "Conference number", writable=True),
    INCIDENT.field("conference_url", "Conference link", writable=True),
    INCIDENT.field("resolve_reason", "Resolve reason"),
    INCIDENT.field("merged_into", "Merged into", FieldType.REFERENCE),
    INCIDENT.field("created_at", "Created at", FieldType.TIMESTAMP),
    INCIDENT.field("reopened_at", "Reopened at", FieldType.TIMESTAMP),
    INCIDENT.field("resolved_at", "Resolved at", FieldType.TIMESTAMP),
    INCIDENT.field("updated_at", "Updated at", FieldType.TIMESTAMP, noise=True),
]

_EVENT_FIELDS: Final = [
    INCIDENT.field("vendor_event", "PagerDuty's event type", noise=True),
    INCIDENT.field("agent", "Agent", FieldType.REFERENCE, noise=True),
    INCIDENT.field("agent_name", "Name of the agent", noise=True),
    INCIDENT.field("agent_type", "Kind of agent", noise=True),
    INCIDENT.field("note", "Note"),
    INCIDENT.field("note_author", "Author of the note", noise=True),
    INCIDENT.field("note_trimmed", "Note was cut", FieldType.BOOLEAN, noise=True),
    INCIDENT.field("status_update", "Status update"),
    INCIDENT.field("responder", "Responder", FieldType.REFERENCE),
    INCIDENT.field("responder_name", "Name of the responder"),
    INCIDENT.field(
        "responder_state",
        "Answer of the responder",
        choices=("pending", "joined", "declined", "user_cancelled"),
    ),
    INCIDENT.field("responder_message", "Message to the responder"),
    INCIDENT.field("role", "Role", FieldType.REFERENCE),
    INCIDENT.field("role_name", "Name of the role"),
    INCIDENT.field("role_assignee", "Holder of the role", FieldType.REFERENCE),
    INCIDENT.field("role_assignee_name", "Name of the role's holder"),
    INCIDENT.field("task", "Task", FieldType.REFERENCE),
    INCIDENT.field("task_name", "Name of the task"),
    INCIDENT.field("task_description", "Description of the task"),
    INCIDENT.field("task_status", "Status of the task"),
    INCIDENT.field("task_assignees", "Assignees of the task", FieldType.LIST),
    INCIDENT.field("automation_action", "Automation action"),
    INCIDENT.field("automation_state", "State of the automation action"),
    INCIDENT.field("workflow", "Workflow", FieldType.REFERENCE, choice_source="workflows"),
    INCIDENT.field("workflow_name", "Name of the workflow"),
    INCIDENT.field("custom_action", "Custom action"),
]

_SERVICE_FIELDS: Final = [
    SERVICE.field("name", "Name"),
    SERVICE.field("url", "Link", noise=True),
    SERVICE.field("alert_creation", "Alert creation"),
    SERVICE.field("teams", "Teams", FieldType.LIST, choice_source="teams"),
    SERVICE.field("team_names", "Names of the teams", FieldType.LIST),
    SERVICE.field("vendor_event", "PagerDuty's event type", noise=True),
]

OBJECTS: Final = [INCIDENT, SERVICE]
FIELDS: Final = [*_CONDITION_FIELDS, *_OWN_FIELDS, *_EVENT_FIELDS, *_SERVICE_FIELDS]

TRIGGERED: Final = INCIDENT.trigger("triggered", "Incident triggered", about=["status"])
ACKNOWLEDGED: Final = INCIDENT.trigger("acknowledged", "Incident acknowledged", about=["status"])
UNACKNOWLEDGED: Final = INCIDENT.trigger(
    "unacknowledged", "Incident unacknowledged", about=["status"]
)
RESOLVED: Final = INCIDENT.trigger("resolved", "Incident resolved", about=["status"])
MERGED: Final = INCIDENT.trigger(
    "merged", "Incident merged into another", about=["status", "resolve_reason"]
)
REOPENED: Final = INCIDENT.trigger("reopened", "Incident reopened", about=["status"])
ESCALATED: Final = INCIDENT.trigger("escalated", "Incident escalated", about=["assignees"])
DELEGATED: Final = INCIDENT.trigger(
    "delegated", "Incident delegated to another policy", about=["escalation_policy"]
)
REASSIGNED: Final = INCIDENT.trigger("reassigned", "Incident reassigned", about=["assignees"])
ANNOTATED: Final = INCIDENT.trigger("annotated", "Note added to incident", about=["note"])
CUSTOM: Final = INCIDENT.trigger(
    "custom_action_run", "Custom action pressed", about=["custom_action"]
)
PRIORITY_UPDATED: Final = INCIDENT.trigger(
    "priority_updated", "Priority changed", about=["priority"]
)
FIELD_VALUES: Final = INCIDENT.trigger("custom_field_values.updated", "Custom fields changed")
UPDATED: Final = INCIDENT.trigger("updated", "Incident changed otherwise")
SERVICE_FIELD_VALUES: Final = SERVICE.trigger(
    "custom_field_values.updated", "Custom fields of service changed"
)

TRIGGERS: Final = [
    TRIGGERED,
    ACKNOWLEDGED,
    UNACKNOWLEDGED,
    RESOLVED,
    MERGED,
    REOPENED,
    ESCALATED,
    DELEGATED,
    REASSIGNED,
    ANNOTATED,
    PRIORITY_UPDATED,
    INCIDENT.trigger("service_updated", "Incident moved to another service", about=["service"]),
    INCIDENT.trigger("incident_type.changed", "Incident type changed", about=["incident_type"]),
    INCIDENT.trigger("status_update_published", "Status update published", about=["status_update"]),
    INCIDENT.trigger("responder.added", "Responder asked", about=["responder"]),
    INCIDENT.trigger("responder.replied", "Responder replied", about=["responder_state"]),
    INCIDENT.trigger(
        "conference_bridge.updated",
        "Conference bridge changed",
        about=["conference_number", "conference_url"],
    ),
    FIELD_VALUES,
    INCIDENT.trigger("role.assigned", "Incident role assigned", about=["role_assignee"]),
    INCIDENT.trigger("task.created", "Task created", about=["task"]),
    INCIDENT.trigger(
        "task.updated", "Task changed", about=["task_name", "task_description", "task_status"]
    ),
    INCIDENT.trigger("task.completed", "Task completed", about=["task_status"]),
    INCIDENT.trigger(
        "action_invocation.created", "Automation action invoked", about=["automation_action"]
    ),
    INCIDENT.trigger(
        "action_invocation.updated", "Automation action changed", about=["automation_state"]
    ),
    INCIDENT.trigger(
        "action_invocation.terminated", "Automation action ended", about=["automation_state"]
    ),
    INCIDENT.trigger("workflow.started", "Workflow started", about=["workflow"]),
    INCIDENT.trigger("workflow.completed", "Workflow completed", about=["workflow"]),
    CUSTOM,
    UPDATED,
    SERVICE.trigger("created", "Service created"),
    SERVICE.trigger("updated", "Service changed"),
    SERVICE.trigger("deleted", "Service deleted"),
    SERVICE_FIELD_VALUES,
]

IN_ALL_WAYS: Final = frozenset(
    trigger.name
    for trigger in (
        TRIGGERED,
        ACKNOWLEDGED,
        UNACKNOWLEDGED,
        RESOLVED,
        MERGED,
        REOPENED,
        ESCALATED,
        DELEGATED,
        REASSIGNED,
        ANNOTATED,
    )
)
"""What webhooks of every generation and the log tell of: each under a key of its own."""

TRIGGER_NAMES: Final = frozenset(trigger.name for trigger in TRIGGERS)

OLDER_NAMES: Final = {
    TRIGGERED.name: "trigger",
    ACKNOWLEDGED.name: "acknowledge",
    RESOLVED.name: "resolve",
    MERGED.name: "resolve",
    REASSIGNED.name: "assign",
    ESCALATED.name: "escalate",
    DELEGATED.name: "delegate",
    CUSTOM.name: "custom",
}
"""Trigger name -> the choice of `event_type`; the other triggers had no name then."""

_DECLARED_KEYS: Final = frozenset(field.key for field in FIELDS)


def custom_key(name: str) -> str:
    """Return the field key of a custom field: its own name, unless that means something else."""
    return f"custom_{name}" if name in _DECLARED_KEYS else name


def custom_name(key: str) -> str:
    """Return the custom field's name that `custom_key` made this key of."""
    name = key.removeprefix("custom_")
    return name if name in _DECLARED_KEYS and key.startswith("custom_") else key
