"""A small made-up vocabulary: tickets at one vendor, pages at another."""

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field

from hub.builtins import facts as builtin_facts
from hub.builtins.filters import FILTERS
from hub.builtins.operators import OPERATORS
from hub.rules import Facts, Ruleset, Schema, Surroundings, ValueMap, build_facts
from hub.sdk.actions import Action
from hub.sdk.events import Event, Record
from hub.sdk.vocabulary import Choice, FieldType, SourceObject

TICKET = SourceObject(name="desk.ticket", label="Ticket")
PAGE = SourceObject(name="pager.page", label="Page")
PRIORITIES = ("P1", "P2", "P3", "P4")
FIELDS = (
    TICKET.field("subject", "Subject", writable=True, required=True, max_length=40),
    TICKET.field("status", "Status", choices=("New", "Working", "Escalated", "Closed")),
    TICKET.field("priority", "Priority", choices=[Choice(value=p, label=p) for p in PRIORITIES]),
    TICKET.field("origin", "Origin", required=True, writable=True),
    TICKET.field("owner", "Owner", FieldType.REFERENCE),
    TICKET.field("amount", "Amount", FieldType.DECIMAL),
    TICKET.field("age", "Age", FieldType.INTEGER),
    TICKET.field("waiting", "Waiting", FieldType.DURATION),
    TICKET.field("due", "Due", FieldType.DATE),
    TICKET.field("opened", "Opened", FieldType.TIMESTAMP),
    TICKET.field("closed", "Closed at", FieldType.TIMESTAMP),
    TICKET.field("vip", "VIP", FieldType.BOOLEAN),
    TICKET.field("tags", "Tags", FieldType.LIST),
    TICKET.field("number", "Number", FieldType.ID),
    TICKET.field("touched", "Last change", FieldType.TIMESTAMP, noise=True),
    TICKET.field("token", "Token", secret=True),
    PAGE.field("title", "Title"),
    PAGE.field("urgency", "Urgency", choices=("high", "low")),
    PAGE.field("service", "Service", FieldType.REFERENCE),
    PAGE.field("level", "Level", FieldType.INTEGER),
)
TRIGGERS = (
    TICKET.trigger("created", "Ticket created"),
    TICKET.trigger("updated", "Ticket updated"),
    PAGE.trigger("triggered", "Page triggered"),
    PAGE.trigger("acknowledged", "Page acknowledged"),
)
AT = datetime(2024, 5, 14, 12, 0, tzinfo=UTC)


class Page(BaseModel, extra="forbid"):
    service: str
    title: str = Field(max_length=60)
    urgency: str = "high"
    body: Any = None
    level: int = 0


class NoteOf(BaseModel, extra="forbid"):
    content: str


class SetField(BaseModel, extra="forbid"):
    field: str
    value: Any


class Ticket(BaseModel, extra="forbid"):
    object: str
    fields: dict[str, Any]


async def nothing(call: Any) -> Any:
    raise NotImplementedError


def _action(connector_type: str, verb: str, params: type[BaseModel], **more: Any) -> Action:
    label = verb.replace("_", " ").capitalize()
    return Action(
        connector_type=connector_type,
        verb=verb,
        label=label,
        params=params,
        perform=nothing,
        **more,
    )


ACTIONS = (
    _action("pager", "create_page", Page, target=PAGE.name, creates=True),
    _action("pager", "add_note", NoteOf, target=PAGE.name),
    _action("desk", "set_field", SetField),
    _action("desk", "create_ticket", Ticket, creates=True, calls=2),
    _action("mail", "send", NoteOf),
)
CONNECTORS = {"my-desk": "desk", "my-pager": "pager", "other-pager": "pager", "post": "mail"}
MAPS = (ValueMap.of("priority_to_urgency", {"P1": "high", "P2": "high", "P3": "low", "P4": "low"}),)


def schema(**changes: Any) -> Schema:
    builtin = builtin_facts
    known = {
        "fields": [*FIELDS, *builtin.hub_register_fields()],
        "triggers": [*TRIGGERS, *builtin.hub_register_triggers()],
        "objects": [TICKET, PAGE, *builtin.hub_register_source_objects()],
        "actions": ACTIONS,
        "operators": OPERATORS,
        "filters": FILTERS,
        "value_maps": MAPS,
        "connectors": CONNECTORS,
    }
    return Schema(**(known | changes))


def rule(when: Any = None, number: int = 1, **changes: Any) -> dict[str, Any]:
    made = {
        "format": 1,
        "id": f"00000000-0000-7000-8000-{number:012x}",
        "name": f"Rule {number}",
        "object": "desk.ticket",
        "on": ["desk.ticket.created", "desk.ticket.updated"],
        "when": when or {},
        "then": [note()],
    }
    return {name: one for name, one in (made | changes).items() if one is not ...}


def note(content: Any = "hello", **changes: Any) -> dict[str, Any]:
    return {"do": "pager.add_note", "connector": "my-pager", "with": {"content": content}} | changes


def ruleset(*rules: dict[str, Any], id: str = "set", **changes: Any) -> Ruleset:
    made = {"id": id, "name": f"Set {id}", "state": "enabled", "rules": list(rules)}
    return Ruleset.model_validate(made | changes)


def facts(
    values: dict[str, Any],
    before: dict[str, Any] | None = None,
    known: Schema | None = None,
    *,
    object: str = "desk.ticket",
    verb: str = "updated",
    at: datetime = AT,
    **around: Any,
) -> Facts:
    record = Record(source_object=object, id="T1", url="https://desk.example/T1", values=values)
    event = Event(
        trigger=f"{object}.{verb}", record=record, occurred_at=at, key="k", before=before,
        actor="U1",
    )  # fmt: skip
    given = {"event_id": "evt_1", "tenant": "acme", "connector": "my-desk"} | around
    return build_facts(event, Surroundings(**given), known or schema())
