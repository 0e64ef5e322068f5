"""Rows of the incident history: which are notes, and what their text is."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hub_remedyforce.lookups import ACTION
from hub_remedyforce.names import HISTORY_API, api
from hub_salesforce.kit import NoteShape, id_of, plain_text

if TYPE_CHECKING:
    from hub_salesforce.kit import SalesforceClient

PARENT, TEXT, RICH, SUMMARY = (
    api("FKIncident__c"),
    api("note__c"),
    api("RichTextNote__c"),
    api("description__c"),
)
ACTION_FIELD, ACTION_NAME, SYSTEM = api("FKAction__c"), api("actionId__c"), api("system__c")
LONGEST = 131_072
NOTES = "Notes"
"""The action that Remedyforce itself gives to notes."""


async def action_fields(client: "SalesforceClient", name: str = "") -> dict[str, Any]:
    """Return what makes a history row a note: the action of that name, else the configured one."""
    wanted = name or getattr(client.settings, "note_action", "") or NOTES
    return {ACTION_FIELD: await id_of(client, ACTION, wanted)}


def note_text(row: Mapping[str, Any]) -> str:
    """Return a row's text: its rich text without the markup, else its note, else its summary."""
    rich = str(row.get(RICH) or "")
    if rich:
        rich = plain_text(rich)
    return rich or str(row.get(TEXT) or "").strip() or str(row.get(SUMMARY) or "").strip()


def is_note(row: Mapping[str, Any]) -> bool:
    """Tell what people wrote from what the package records about status changes and e-mails."""
    return str(row.get(SYSTEM) or "").lower() != "true" and bool(note_text(row))


HISTORY = NoteShape(
    api_name=HISTORY_API,
    parent=PARENT,
    text=TEXT,
    longest=LONGEST,
    kind=ACTION_NAME,
    reads=(RICH, SUMMARY, SYSTEM),
    read_text=note_text,
    counts=is_note,
    complete=action_fields,
)
