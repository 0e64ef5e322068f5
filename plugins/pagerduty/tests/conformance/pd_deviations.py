"""Where the simulator or the plugin differs from the published documents, and why.

A repair changes the published document before anything is judged by it: each is a defect of
the document, not of what went over the wire. A deviation allows one finding; a line that no
longer meets a finding is itself a fault. What holds for every operation is repaired by the
oracle: fields documented as never null come as null, branches of oneOf overlap, references
have read-only ids that must be sent, and include[] puts full objects where references are
declared.
"""

from typing import Any, NamedTuple


class Repair(NamedTuple):
    """One defect of the published document."""

    pointer: str
    value: Any
    reason: str


class Deviation(NamedTuple):
    """One allowed difference."""

    operation: str
    about: str
    reason: str


REPAIRS = (
    Repair(
        "/components/schemas/IncidentBody/properties/details",
        {"type": "string"},
        "The schema says object; the documentation says that only strings are accepted, and "
        "every example sends one.",
    ),
    Repair(
        "/components/schemas/AcknowledgeLogEntry/allOf/1/properties/type",
        {"type": "string", "enum": ["acknowledge_log_entry"]},
        "The type is acknowledge_log_entry in LogEntry, which the same schema includes, and "
        "acknowledgement_log_entry here: nothing can be both.",
    ),
    Repair(
        "/components/schemas/Channel/properties/changeset/properties/customer_fields/items"
        "/properties/value",
        {},
        "Declared as integer or list of strings, although custom fields may hold text.",
    ),
    *(
        Repair(
            "/paths/~1log_entries/get/responses/200/content/application~1json/schema/allOf/1"
            "/properties/log_entries/items/oneOf/-",
            {"$ref": f"#/components/schemas/{name}"},
            "The account's log lists all kinds of entry but this one, which LogEntry and the log "
            "of one incident have.",
        )
        for name in ("FieldValueChangeLogEntry", "CustomFieldValueChangeLogEntry")
    ),
    *(
        Repair(
            f"/paths/{path}/get/responses/200/content/application~1json/schema/allOf/1"
            "/properties/log_entries/items/oneOf/-",
            {
                "type": "object",
                "properties": {
                    "type": {"type": "string", "enum": ["status_update_log_entry"]},
                    "message": {"type": "string"},
                },
                "required": ["type", "message"],
            },
            "The log of accounts has status updates, which the document names nowhere: its "
            "readers in public know them by this type, with the text as message.",
        )
        for path in ("~1log_entries", "~1incidents~1{id}~1log_entries")
    ),
)

DEVIATIONS: tuple[Deviation, ...] = (
    Deviation(
        "GET /incident_workflows/triggers",
        "workflow/type",
        "The schema wants workflow_reference; the document's own example says incident_workflow.",
    ),
)
