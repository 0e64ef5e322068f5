"""Parameters of the actions that change an incident."""

from typing import Any, Literal

from pydantic import Field

from hub_pagerduty.actions.shared import Acting


class Resolve(Acting):
    """Parameters of `resolve_incident`."""

    resolution: str = Field(
        default="",
        title="Resolution note",
        description="Added as a note before resolving.",
        json_schema_extra={"x-hub": {"widget": "template"}},
    )


class Priority(Acting):
    """Parameters of `set_priority`."""

    priority: str = Field(
        min_length=1,
        title="Priority",
        description="Name of a priority of the account, such as P1.",
        json_schema_extra={"x-hub": {"source": "priorities"}},
    )


class Urgency(Acting):
    """Parameters of `set_urgency`."""

    urgency: Literal["high", "low"] = Field(title="Urgency", description="How people are notified.")


class Title(Acting):
    """Parameters of `set_title`."""

    title: str = Field(
        min_length=1,
        title="Title",
        description="Cut at 1024 characters.",
        json_schema_extra={"x-hub": {"widget": "template"}},
    )


class Description(Acting):
    """Parameters of `set_description`."""

    description: str = Field(
        title="Description",
        description="PagerDuty lets it be changed only on incidents made by hand; a note is "
        "added otherwise.",
        json_schema_extra={"x-hub": {"widget": "template"}},
    )


class Conference(Acting):
    """Parameters of `set_conference`."""

    conference_number: str = Field(
        default="", title="Conference number", description="Such as +1 415-555-1212,,,,1234#."
    )
    conference_url: str = Field(
        default="", title="Conference link", description="A web conference or chat room."
    )


class Fields(Acting):
    """Parameters of `set_custom_fields`."""

    fields: dict[str, Any] = Field(
        title="Custom fields", description="Values by name; null clears a field."
    )


class IncidentType(Acting):
    """Parameters of `set_incident_type`."""

    incident_type: str = Field(
        min_length=1,
        title="Incident type",
        description="Name of an incident type of the account.",
        json_schema_extra={"x-hub": {"source": "incident_types"}},
    )


class Service(Acting):
    """Parameters of `move_incident`."""

    service: str = Field(
        min_length=1,
        title="Service",
        description="The service to move the incident to.",
        json_schema_extra={"x-hub": {"source": "services", "resolve": "service"}},
    )
