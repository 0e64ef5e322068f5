"""Source objects of the hub itself: the event, the schedule, the connectors' health."""

from collections.abc import Sequence
from typing import Final

from hub.sdk.hookspecs import hookimpl
from hub.sdk.vocabulary import FieldSchema, FieldType, SourceObject, Trigger

EVENT: Final = SourceObject(name="hub.event", label="Event")
SCHEDULE: Final = SourceObject(name="hub.schedule", label="Schedule")
CONNECTOR: Final = SourceObject(name="hub.connector", label="Connector")

EVENT_FIELDS: Final = (
    EVENT.field("id", "Event", FieldType.ID),
    EVENT.field("trigger", "Trigger", FieldType.ID),
    EVENT.field("at", "Time of the change", FieldType.TIMESTAMP),
    EVENT.field("connector", "Connector", FieldType.ID),
    EVENT.field("connector_type", "Connector type", FieldType.ID),
    EVENT.field("actor", "Changed by", FieldType.REFERENCE),
    EVENT.field("actor_name", "Changed by (name)"),
    EVENT.field("hops", "Hops", FieldType.INTEGER),
    EVENT.field(
        "source", "How it came", choices=("webhook", "poll", "timer", "replay", "hand", "desk")
    ),
)
SCHEDULE_FIELDS: Final = (
    SCHEDULE.field("name", "Schedule"),
    SCHEDULE.field("at", "Due", FieldType.TIMESTAMP),
)
CONNECTOR_FIELDS: Final = (
    CONNECTOR.field("name", "Connector", FieldType.ID),
    CONNECTOR.field("type", "Connector type", FieldType.ID),
    CONNECTOR.field("state", "State", FieldType.ID),
    CONNECTOR.field("detail", "Detail"),
    CONNECTOR.field("secret_age_days", "Age of the secret in days", FieldType.INTEGER),
    CONNECTOR.field("usage_percent", "Usage in percent of what is usual", FieldType.DECIMAL),
)
TRIGGERS: Final = (
    SCHEDULE.trigger("due", "Schedule due"),
    CONNECTOR.trigger("unhealthy", "Connector unhealthy"),
    CONNECTOR.trigger("recovered", "Connector recovered"),
    CONNECTOR.trigger("secret_aging", "Connector's secret is getting old"),
    CONNECTOR.trigger("usage_unusual", "Connector's usage is unusual"),
)


@hookimpl
def hub_register_source_objects() -> Sequence[SourceObject]:
    """Declare the hub's own objects."""
    return [EVENT, SCHEDULE, CONNECTOR]


@hookimpl
def hub_register_fields() -> Sequence[FieldSchema]:
    """Declare the fields of the hub's own objects."""
    return [*EVENT_FIELDS, *SCHEDULE_FIELDS, *CONNECTOR_FIELDS]


@hookimpl
def hub_register_triggers() -> Sequence[Trigger]:
    """Declare what the hub itself can run rules on."""
    return list(TRIGGERS)
