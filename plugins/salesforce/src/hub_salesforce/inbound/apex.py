"""Pushes of the Apex triggers: old and new maps of up to 200 records."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import hub
from hub import Event, WebhookRequest
from hub_salesforce import events
from hub_salesforce.ids import is_id, to_18
from hub_salesforce.sobjects import NoteShape, Objects, SObject
from hub_salesforce.values import instant

Row = Mapping[str, Any]
LIMIT = 2000
"""Records a push may hold; Apex sends at most 200."""


def read_push(objects: Objects, request: WebhookRequest) -> Sequence[Event]:
    """Return the events of a push; InvalidPayload names the part that can't be read."""
    envelope = _envelope(request)
    rows, old = _rows(envelope, "new"), _rows(envelope, "old")
    gone = str(envelope.get("operation", "")) == "delete"
    found: list[Event] = []
    for key, row in (old if gone else rows).items():
        try:
            found += _events(objects, envelope, row, old.get(key))
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise hub.InvalidPayload(f"record {key}: {error}", pointer=f"/new/{key}") from error
    return found


def organization_of(body: bytes) -> str | None:
    """Return the organisation that a push says it comes from."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return str(found["orgId"]) if isinstance(found, dict) and found.get("orgId") else None


def _events(objects: Objects, envelope: Row, row: Row, old: Row | None) -> Iterator[Event]:
    api_name = _object_of(envelope, row)
    noted = objects.with_notes_in(api_name)
    if noted:
        yield from _note(*noted, envelope, row)
        return
    yield from _change(objects.of(api_name), envelope, row, old)


def _change(declared: SObject, envelope: Row, row: Row, old: Row | None) -> Iterator[Event]:
    url, name = _said(envelope, "instanceUrl"), _said(envelope, "userName")
    operation = str(envelope.get("operation") or _guessed(row, old))
    if operation == "delete":
        at = instant(str(envelope.get("sentAt") or row["SystemModstamp"]))
        yield events.deleted(declared, row, at=at, actor=_actor(envelope))
        return
    row = _whole(declared, row, old or {}, envelope)
    if operation == "insert":
        yield events.created(declared, row, actor_name=name, url=url)
        return
    before = events.changed_values(declared, old, row) if old is not None else None
    if operation == "undelete":
        before = {**(before or {}), declared.key_of("IsDeleted"): True}
    if before is None or before:
        yield events.updated(declared, row, before=before, actor_name=name, url=url)


def _note(declared: SObject, shape: NoteShape, envelope: Row, row: Row) -> Iterator[Event]:
    if str(envelope.get("operation") or "insert") not in {"insert", "comment"}:
        return
    if not shape.is_note(row):
        return
    author = _said(envelope, "userName") or _said(envelope, "userEmail")
    url = _said(envelope, "instanceUrl")
    yield events.commented(declared, shape, row, author=author, url=url)


def _guessed(row: Row, old: Row | None) -> str:
    """Return the operation of a push that does not name it."""
    made = row.get("CreatedDate")
    is_new = old is None and made and made == row.get("SystemModstamp")
    return "insert" if is_new else "update"


def _whole(declared: SObject, row: Row, old: Row, envelope: Row) -> Row:
    """Return the row with what Apex leaves out: empty fields, and the acting person's e-mail."""
    plain = (name for name, one in declared.by_api_name.items() if not one.computed)
    empty = {name: None for name in (*plain, *old) if "." not in name}
    email = _said(envelope, "actingEmail") or _said(envelope, "userEmail")
    acting = {"LastModifiedBy": {"Email": email}} if email else {}
    return {**empty, **row, **acting}


def _object_of(envelope: Row, row: Row) -> str:
    attributes = row.get("attributes")
    named = attributes.get("type") if isinstance(attributes, Mapping) else None
    found = named or envelope.get("object")
    if not found:
        raise ValueError("neither the push nor the record says of what object it is")
    return str(found)


def _envelope(request: WebhookRequest) -> Row:
    found = request.json()
    if not isinstance(found, dict):
        raise hub.InvalidPayload("the push is no JSON object")
    return found if {"new", "old", "ids"} & found.keys() else {"new": found}


def _rows(envelope: Row, part: str) -> dict[str, Row]:
    """Return the rows of a part by id of 18 characters; maps and lists are both taken."""
    given = envelope.get(part)
    if isinstance(given, str):
        given = _inner(given, part)
    rows = list(given.values()) if isinstance(given, dict) else given or []
    if not isinstance(rows, list) or len(rows) > LIMIT:
        raise hub.InvalidPayload(
            f"{part} is no list of at most {LIMIT} records", pointer=f"/{part}"
        )
    found: dict[str, Row] = {}
    for at, row in enumerate(rows):
        if not isinstance(row, dict) or not is_id(str(row.get("Id", ""))):
            raise hub.InvalidPayload(
                f"{part}[{at}] is no record with an Id", pointer=f"/{part}/{at}"
            )
        found[to_18(str(row["Id"]))] = row
    return found


def _inner(text: str, part: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise hub.InvalidPayload(f"{part} is text, but no JSON", pointer=f"/{part}") from error


def _said(envelope: Row, name: str) -> str | None:
    """Return a text of the envelope; None for what is no text."""
    found = envelope.get(name)
    return found if found and isinstance(found, str) else None


def _actor(envelope: Row) -> str | None:
    user = str(envelope.get("userId") or "")
    return to_18(user) if is_id(user) else None
