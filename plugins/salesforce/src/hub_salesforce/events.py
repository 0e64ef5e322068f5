"""Rows that Salesforce sent, turned into the hub's records and events."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from hub import Event, Record, Told, Value
from hub_salesforce.ids import is_id, to_18
from hub_salesforce.sobjects import (
    COMMENT,
    COMMENT_KIND,
    NOISE,
    NoteShape,
    SObject,
    note_values,
)
from hub_salesforce.values import instant, to_value

Row = Mapping[str, Any]
READ: Final = Told(way="read", window=timedelta(0))
"""A change that is told by the row as it was left; HEARD: by a change event of its own."""
HEARD: Final = Told(way="heard", window=timedelta(0))
_OUR_KEY = re.compile(r"h[a-z2-7]{32}")


def record_of(declared: SObject, row: Row, instance_url: str | None = None) -> Record:
    """Return a row as a record; only what the row says."""
    own = to_18(str(row["Id"]))
    number = row.get(declared.number)
    return Record(
        source_object=declared.name,
        id=own,
        url=_page(instance_url, _api_name(declared, row), own),
        human_id=str(number) if number else None,
        values=values_of(declared, row),
    )


def values_of(declared: SObject, row: Row) -> dict[str, Value]:
    """Return a row's values by key; relationship fields are read from their nested row."""
    found = {
        declared.key_of(name): to_value(raw, _type(declared, name))
        for name, raw in row.items()
        if name not in {"attributes", "Id"} and not isinstance(raw, Mapping | list)
    }
    for path in (one for one in declared.by_api_name if "." in one):
        parent, _, leaf = path.partition(".")
        if parent in row:
            nested = row[parent]
            raw = nested.get(leaf) if isinstance(nested, Mapping) else None
            found[declared.key_of(path)] = to_value(raw)
    return found


def created(declared: SObject, row: Row, *, actor_name: str | None, url: str | None) -> Event:
    """Return the event of a new record; its key is the record's id alone."""
    record = record_of(declared, row, url)
    return Event(
        trigger=declared.trigger("created").name,
        record=record,
        occurred_at=_moment(row, "CreatedDate", "SystemModstamp", "LastModifiedDate"),
        key=f"{declared.api_name}:{record.id}:created",
        before={},
        actor=_person(row.get("CreatedById")),
        actor_name=actor_name,
        actor_email=_address(record),
        origin=our_key(row),
    )


def updated(
    declared: SObject,
    row: Row,
    *,
    before: Mapping[str, Value] | None,
    actor_name: str | None,
    url: str | None,
) -> Event:
    """Return the event of a changed record; its key is the stamp and what the row holds.

    Whoever reads the row as the change left it tells the same key. Who hears of a change when
    later ones have followed has another key for it, and is the other way of `told`.
    """
    record = record_of(declared, row, url)
    at = _moment(row, "SystemModstamp", "LastModifiedDate", "CreatedDate")
    return Event(
        trigger=declared.trigger("updated").name,
        record=record,
        occurred_at=at,
        key=f"{declared.api_name}:{record.id}:{at:%Y%m%dT%H%M%S}:{_digest(declared, record)}",
        told=READ,
        before=before,
        actor=_person(row.get("LastModifiedById")),
        actor_name=actor_name,
        actor_email=_address(record),
    )


def _address(record: Record) -> str | None:
    """Return the e-mail address of who changed the record last, where the object tells it."""
    address = record.values.get("changed_by_email")
    return address if isinstance(address, str) and "@" in address else None


def deleted(declared: SObject, row: Row, *, at: datetime, actor: str | None) -> Event:
    """Return the event of a deleted record."""
    record = record_of(declared, row)
    return Event(
        trigger=declared.trigger("deleted").name,
        record=record,
        occurred_at=at,
        key=f"{declared.api_name}:{record.id}:deleted",
        actor=actor,
    )


def commented(
    declared: SObject, shape: NoteShape, row: Row, *, author: str | None, url: str | None = None
) -> Event:
    """Return the event of a note written on a record; the record is the one it is about."""
    own, parent = to_18(str(row["Id"])), to_18(str(row[shape.parent]))
    text = str(to_value(shape.text_of(row)) or "")
    public = bool(row.get(shape.public)) if shape.public else None
    kind = {COMMENT_KIND.key: to_value(row.get(shape.kind))} if shape.kind else {}
    about = row.get("Parent")
    number = about.get(declared.number) if isinstance(about, Mapping) else None
    return Event(
        trigger=declared.trigger("commented").name,
        record=Record(
            source_object=declared.name,
            id=parent,
            url=_page(url, declared.api_name, parent),
            human_id=str(number) if number else None,
            values={**note_values(text, author, public=public), **kind},
        ),
        occurred_at=_moment(row, "CreatedDate", "SystemModstamp"),
        key=f"{shape.api_name}:{own}:created",
        before={COMMENT.key: None},
        actor=_person(row.get("CreatedById")),
        actor_name=author,
        note=own,
    )


def changed_values(declared: SObject, old: Row, new: Row) -> dict[str, Value]:
    """Return the prior values of the fields that differ; what is left out of a row is empty."""
    names = {*old, *new} - {"attributes", "Id"}
    return {
        declared.key_of(name): to_value(old.get(name), _type(declared, name))
        for name in sorted(names)
        if old.get(name) != new.get(name) and not isinstance(new.get(name), Mapping | list)
    }


def our_key(row: Row) -> str | None:
    """Return the key that an action of the hub wrote into a custom field of the record."""
    for name, raw in row.items():
        if name.endswith("__c") and isinstance(raw, str) and _OUR_KEY.fullmatch(raw):
            return raw
    return None


def _type(declared: SObject, api_name: str) -> Any:  # noqa: ANN401 - FieldType or None
    known = declared.by_api_name.get(api_name)
    return known.type if known else None


def _api_name(declared: SObject, row: Row) -> str:
    """Return the object's API name as Salesforce writes it."""
    attributes = row.get("attributes")
    named = attributes.get("type") if isinstance(attributes, Mapping) else None
    return str(named or declared.api_name)


def _page(instance_url: str | None, api_name: str, id: str) -> str | None:
    return f"{instance_url.rstrip('/')}/lightning/r/{api_name}/{id}/view" if instance_url else None


def _moment(row: Row, *names: str) -> datetime:
    for name in names:
        if row.get(name):
            return instant(str(row[name]))
    raise ValueError(f"the row has none of {', '.join(names)}")


def _person(raw: object) -> str | None:
    return to_18(str(raw)) if raw and is_id(str(raw)) else None


def _digest(declared: SObject, record: Record) -> str:
    """Return a hash of what every way of hearing of the change reports alike."""
    known = declared.by_key
    noise = {declared.key_of(name) for name in NOISE}
    noise |= {one.key for one in known.values() if one.computed}
    kept = {
        key: str(value)
        for key, value in record.values.items()
        if value is not None and key not in noise and (key in known or not known)
    }
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]
