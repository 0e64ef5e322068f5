"""Notes on incidents, and status updates for stakeholders."""

from typing import Any, Final

from pydantic import Field

from hub import Action, ActionResult, Repeat
from hub_pagerduty.actions.shared import BOTH, USERS, Acting, Call, acting, incident_id, since_event
from hub_pagerduty.client import Json
from hub_pagerduty.connector import PAGERDUTY
from hub_pagerduty.payloads.values import as_object
from hub_pagerduty.text import cut_note
from hub_pagerduty.vocabulary import INCIDENT

_PUBLISHED: Final = frozenset({"status_update_log_entry", "incident_status_update_log_entry"})


class Note(Acting):
    """Parameters of `add_note`."""

    content: str = Field(
        min_length=1,
        title="Note",
        description="Cut at 65,535 bytes.",
        json_schema_extra={"x-hub": {"widget": "template"}},
    )
    author: str = Field(
        default="",
        title="Author",
        description="Who wrote it, put before the text.",
        json_schema_extra={"x-hub": {"widget": "template"}},
    )
    link: str = Field(
        default="",
        title="Link",
        description="Where the whole text is found, should it be cut.",
        json_schema_extra={"x-hub": {"advanced": True}},
    )


class StatusUpdate(Acting):
    """Parameters of `publish_status_update`."""

    message: str = Field(
        min_length=1,
        title="Message",
        description="What stakeholders read.",
        json_schema_extra={"x-hub": {"widget": "template"}},
    )
    subject: str = Field(default="", title="Subject", description="Of the e-mail, if one is sent.")


async def add_note(call: Call[Note]) -> ActionResult:
    """Add a note."""
    note = await _add(call, _content(call.params))
    return ActionResult(summary="Added a note", note=note)


async def find_note(call: Call[Note]) -> ActionResult | None:
    """Look for the note that an earlier send of the same run added."""
    note = await find_note_like(call, _content(call.params))
    return ActionResult(summary="Found the note, added before", note=note) if note else None


async def note_once(call: Call[Any], content: str) -> str | None:
    """Add a note unless one with this very text is there; return its id."""
    text = cut_note(content)
    return await find_note_like(call, text) or await _add(call, text)


async def publish_status_update(call: Call[StatusUpdate]) -> ActionResult:
    """Publish a status update."""
    sent = {"message": call.params.message, "subject": call.params.subject}
    body = {name: text for name, text in sent.items() if text}
    path = f"/incidents/{incident_id(call)}/status_updates"
    await call.client.post(path, body, by=await acting(call))
    return ActionResult(summary="Published a status update")


async def find_status_update(call: Call[StatusUpdate]) -> ActionResult | None:
    """Look in the incident's log for the update that an earlier send of the same run published.

    There is no list of status updates. The log has them, under a type that the published
    document does not name: where an account shows none, the update is published again.
    """
    wanted = call.params.message.strip()
    path = f"/incidents/{incident_id(call)}/log_entries"
    async for entry in call.client.pages(path, "log_entries", [since_event(call)]):
        if entry.get("type") in _PUBLISHED and wanted in _texts(entry):
            return ActionResult(summary="Found the status update, published before")
    return None


def _texts(entry: Json) -> set[str]:
    channel = as_object(entry.get("channel"))
    told = (entry.get("message"), channel.get("message"), channel.get("summary"))
    return {one.strip() for one in told if isinstance(one, str)}


async def _add(call: Call[Any], content: str) -> str | None:
    path = f"/incidents/{incident_id(call)}/notes"
    body = {"note": {"content": content}}
    made = await call.client.post_one(path, "note", body, by=await acting(call))
    return str(made["id"]) if made.get("id") else None


async def find_note_like(call: Call[Any], content: str) -> str | None:
    """Return the id of the latest note with this very text."""
    found = await call.client.get(f"/incidents/{incident_id(call)}/notes")
    same = [note for note in found.get("notes") or [] if note.get("content") == content]
    return str(same[-1]["id"]) if same else None


def _content(params: Note) -> str:
    text = f"{params.author}: {params.content}" if params.author else params.content
    return cut_note(text, params.link)


NOTE_ACTIONS: list[Action[Any, Any]] = [
    PAGERDUTY.action(
        "add_note",
        "Add note",
        Note,
        add_note,
        target=INCIDENT,
        repeat=Repeat.FIND_FIRST,
        find=find_note,
        notes=True,
        scopes=(*BOTH, *USERS),
    ),
    PAGERDUTY.action(
        "publish_status_update",
        "Publish status update",
        StatusUpdate,
        publish_status_update,
        target=INCIDENT,
        repeat=Repeat.FIND_FIRST,
        find=find_status_update,
        writes=lambda params: {"status_update": params.message},
        scopes=(*BOTH, *USERS),
    ),
]
