"""Facts: what the rules see of one event."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from hub.rules.schema import EVENT, Schema, object_of
from hub.rules.values import MAX_TEXT, Json, NotOfType, coerce, json_value
from hub.sdk.events import Event, RecordRef
from hub.sdk.vocabulary import FieldSchema, FieldType, Value

MAX_VIEWS: Final = 20
CUT: Final = "text cut at 64 KiB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """A record of the same matter; give the oldest link first.

    `values` are the last-seen ones, `precise` the last exact ones of many-to-one fields,
    both by field key. `made_by_ruleset` is the ruleset whose run made the record.
    """

    ref: RecordRef
    connector: str
    values: Mapping[str, Value] = field(default_factory=dict)
    precise: Mapping[str, Value] = field(default_factory=dict)
    url: str | None = None
    human_id: str | None = None
    made_by_ruleset: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One immutable picture of an event: what conditions and templates read.

    Values are by whole field name and of their field's type. `new` holds the record after
    the change, the first linked record of each other object, and `hub.event.*`. `prior` is
    the record before: None = unknown, {} = there was nothing. `changed` names what the
    vendor said changed; None = compare. `notes` says which values could not be read.
    """

    event_id: str
    tenant: str
    trigger: str
    connector: str
    record: RecordRef
    at: datetime
    new: Mapping[str, Value]
    prior: Mapping[str, Value] | None = None
    changed: frozenset[str] | None = None
    linked: Mapping[str, tuple[Linked, ...]] = field(default_factory=dict)
    hops: int = 0
    origin: str | None = None
    url: str | None = None
    human_id: str | None = None
    correlation: str | None = None
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the hub adds to an event: who it is for, how it came, what belongs to it.

    `source` is how it came: webhook, poll, timer, replay, hand or desk.
    """

    event_id: str
    tenant: str
    connector: str
    connector_type: str = ""
    source: str = "webhook"
    last_seen: Mapping[str, Value] | None = None
    linked: Iterable[Linked] = ()
    hops: int = 0
    correlation: str | None = None


def build_facts(event: Event, around: Surroundings, schema: Schema) -> Facts:
    """Make the facts of an event: values of unknown fields dropped, the rest coerced once.

    Where nothing is known of the past, the fields that the trigger is about have changed.

    `around.last_seen` are the record's values (by key) as the event before left them: they
    fill what the event does not say, and stand for prior values the vendor does not tell.
    """
    notes: dict[str, str] = {}
    reader = _Reader(schema, notes)
    owner = event.record.source_object
    seen = reader.read(owner, around.last_seen or {})
    said = reader.read(owner, event.record.values)
    linked = _by_object(around.linked, reader)
    new = _event_values(event, around, reader) | _first_of_each(linked, owner) | seen | said
    prior, changed = _before(event, around, reader)
    return Facts(
        event_id=around.event_id,
        tenant=around.tenant,
        trigger=event.trigger,
        connector=around.connector,
        record=event.record.ref,
        at=event.occurred_at,
        new=new,
        prior=prior,
        changed=changed,
        linked=linked,
        hops=around.hops,
        origin=event.origin,
        url=event.record.url,
        human_id=event.record.human_id,
        correlation=around.correlation,
        notes=notes,
    )


class _Reader:
    def __init__(self, schema: Schema, notes: dict[str, str]) -> None:
        self._schema = schema
        self._notes = notes

    def read(self, source_object: str, values: Mapping[str, Any]) -> dict[str, Value]:
        read: dict[str, Value] = {}
        for key, raw in values.items():
            known = self._schema.fields.get(f"{source_object}.{key}")
            if known is not None:
                read[known.name] = self._value(known, raw)
        return read

    def reported(self, trigger: str) -> frozenset[str] | None:
        """Name the fields whose change the trigger itself reports, if it does."""
        known = self._schema.triggers.get(trigger)
        about = known.about if known is not None else ()
        return frozenset(f"{object_of(trigger)}.{key}" for key in about) or None

    def _value(self, known: FieldSchema, raw: Json) -> Value:
        try:
            if isinstance(raw, str) and len(raw) > MAX_TEXT:
                self._notes[known.name] = CUT
            return coerce(raw, known.type)
        except NotOfType as fault:
            self._notes[known.name] = str(fault)
            return None


def _before(
    event: Event, around: Surroundings, reader: _Reader
) -> tuple[dict[str, Value] | None, frozenset[str] | None]:
    owner = event.record.source_object
    seen = None if around.last_seen is None else reader.read(owner, around.last_seen)
    if event.before is None:
        return seen, None if seen is not None else reader.reported(event.trigger)
    if not event.before:
        return {}, None
    told = reader.read(owner, event.before)
    return (seen or {}) | told, frozenset(told)


def _by_object(linked: Iterable[Linked], reader: _Reader) -> dict[str, tuple[Linked, ...]]:
    grouped: dict[str, list[Linked]] = {}
    for one in linked:
        listed = grouped.setdefault(one.ref.source_object, [])
        if len(listed) < MAX_VIEWS:
            read = reader.read(one.ref.source_object, one.values)
            precise = reader.read(one.ref.source_object, one.precise)
            listed.append(replace(one, values=read, precise=precise))
    return {name: tuple(listed) for name, listed in grouped.items()}


def _first_of_each(linked: Mapping[str, tuple[Linked, ...]], owner: str) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, listed in linked.items():
        if name != owner:
            values |= listed[0].values
    return values


def _event_values(event: Event, around: Surroundings, reader: _Reader) -> dict[str, Value]:
    return reader.read(
        EVENT,
        {
            "id": around.event_id,
            "trigger": event.trigger,
            "at": event.occurred_at,
            "connector": around.connector,
            "connector_type": around.connector_type,
            "actor": event.actor,
            "actor_name": event.actor_name,
            "hops": around.hops,
            "source": around.source,
        },
    )


def dump_facts(facts: Facts) -> dict[str, Any]:
    """Give the facts as JSON can carry them, so that they can be stored with the event."""
    return {
        "event": facts.event_id,
        "tenant": facts.tenant,
        "trigger": facts.trigger,
        "connector": facts.connector,
        "record": [facts.record.source_object, facts.record.id],
        "at": facts.at.isoformat(),
        "new": _dumped(facts.new),
        "prior": None if facts.prior is None else _dumped(facts.prior),
        "changed": None if facts.changed is None else sorted(facts.changed),
        "linked": [_dumped_link(one) for listed in facts.linked.values() for one in listed],
        "hops": facts.hops,
        "origin": facts.origin,
        "url": facts.url,
        "human_id": facts.human_id,
        "correlation": facts.correlation,
        "notes": dict(facts.notes),
    }


def load_facts(stored: Mapping[str, Any], schema: Schema) -> Facts:
    """Read stored facts; fields that are unknown today are left out."""
    links: dict[str, list[Linked]] = {}
    for one in stored["linked"]:
        link = _loaded_link(one, schema)
        links.setdefault(link.ref.source_object, []).append(link)
    prior, changed = stored["prior"], stored["changed"]
    return Facts(
        event_id=stored["event"],
        tenant=stored["tenant"],
        trigger=stored["trigger"],
        connector=stored["connector"],
        record=_ref(stored["record"]),
        at=datetime.fromisoformat(stored["at"]),
        new=_loaded(stored["new"], schema),
        prior=None if prior is None else _loaded(prior, schema),
        changed=None if changed is None else frozenset(changed),
        linked={name: tuple(listed) for name, listed in links.items()},
        hops=stored["hops"],
        origin=stored["origin"],
        url=stored["url"],
        human_id=stored["human_id"],
        correlation=stored["correlation"],
        notes=stored["notes"],
    )


def _dumped(values: Mapping[str, Value]) -> dict[str, Any]:
    return {name: json_value(value) for name, value in values.items()}


def _dumped_link(link: Linked) -> dict[str, Any]:
    return {
        "record": [link.ref.source_object, link.ref.id],
        "connector": link.connector,
        "values": _dumped(link.values),
        "precise": _dumped(link.precise),
        "url": link.url,
        "human_id": link.human_id,
        "made_by_ruleset": link.made_by_ruleset,
    }


def _loaded_link(stored: Mapping[str, Any], schema: Schema) -> Linked:
    return Linked(
        ref=_ref(stored["record"]),
        connector=stored["connector"],
        values=_loaded(stored["values"], schema),
        precise=_loaded(stored["precise"], schema),
        url=stored["url"],
        human_id=stored["human_id"],
        made_by_ruleset=stored["made_by_ruleset"],
    )


def _loaded(stored: Mapping[str, Any], schema: Schema) -> dict[str, Value]:
    read: dict[str, Value] = {}
    for name, raw in stored.items():
        known = schema.fields.get(name)
        if known is not None:
            read[name] = _readable(raw, known.type)
    return read


def _readable(raw: Json, type: FieldType) -> Value:
    try:
        return coerce(raw, type)
    except NotOfType:
        return None


def _ref(stored: list[str]) -> RecordRef:
    return RecordRef(source_object=stored[0], id=stored[1])
