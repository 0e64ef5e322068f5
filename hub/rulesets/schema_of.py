"""One tenant's schema: what the plugins declare, what its accounts have, its value maps."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from hub.catalog.catalog import Catalog
from hub.rules.schema import Schema
from hub.rules.value_maps import MapRow, ValueMap
from hub.rulesets.repository import Vocabulary, vocabulary
from hub.sdk.vocabulary import Choice, FieldSchema, FieldType, SourceObject, Trigger

_TYPES = {one.value: one for one in FieldType}


async def schema_for(session: AsyncSession, tenant_id: uuid.UUID, catalog: Catalog) -> Schema:
    """Return what the tenant's rules may name at the moment."""
    return schema_of(await vocabulary(session, tenant_id), catalog)


def schema_of(found: Vocabulary, catalog: Catalog) -> Schema:
    """Put a tenant's schema together; pure."""
    adopted = [_object(name, label, vendor) for name, label, vendor in found.objects]
    return Schema(
        fields=_fields(found, catalog),
        triggers=(*catalog.triggers.values(), *_triggers(adopted, catalog)),
        operators=catalog.operators.values(),
        actions=catalog.actions.values(),
        filters=catalog.filters.values(),
        objects=(*catalog.objects.values(), *adopted),
        value_maps=_value_maps(found),
        connectors={name: kind for _, name, kind, _ in found.connectors},
        zone=found.zone,
        off={name: one.reason for name, one in found.operators_off.items() if one.still(catalog)},
    )


def _object(name: str, label: str, vendor: str) -> SourceObject:
    return SourceObject(name=name, label=label, vendor_name=vendor)


def _fields(found: Vocabulary, catalog: Catalog) -> Iterator[FieldSchema]:
    """Yield declared fields, then those that accounts have beside them; the declared ones win."""
    discovered: dict[str, FieldSchema] = {}
    for source_object, _, listed in found.fields:
        for raw in listed:
            one = field_of(source_object, raw)
            known = discovered.get(one.name)
            discovered[one.name] = one if known is None else _both(known, one)
    at_vendor = {
        (one.source_object, one.vendor_name or one.key): one.name for one in discovered.values()
    }
    for name, one in catalog.fields.items():
        elsewhere = at_vendor.get((one.source_object, one.vendor_name), "")
        seen = [
            discovered.pop(key) for key in dict.fromkeys((name, elsewhere)) if key in discovered
        ]
        yield _seen(one, seen[0]) if seen else one
    yield from discovered.values()


def _seen(declared: FieldSchema, seen: FieldSchema) -> FieldSchema:
    """Take from the account what a declaration can't know: its choices and what it requires."""
    choices = declared.choices or seen.choices
    return _changed(
        declared,
        choices=choices,
        required=declared.required or seen.required,
        expected=declared.expected or seen.expected,
    )


def _both(one: FieldSchema, other: FieldSchema) -> FieldSchema:
    """Join what two accounts say of a field: either's choices may be used."""
    more = [choice for choice in other.choices if choice not in one.choices]
    return _changed(
        one,
        choices=(*one.choices, *more),
        required=one.required and other.required,
        expected=one.expected and other.expected,
    )


def _changed(
    field: FieldSchema, *, choices: Iterable[Choice], required: bool, expected: bool
) -> FieldSchema:
    members = {name: getattr(field, name) for name in FieldSchema.__dataclass_fields__}
    changes = {"choices": tuple(choices), "required": required, "expected": expected}
    return FieldSchema(**members | changes)


def field_of(source_object: str, raw: Mapping[str, Any]) -> FieldSchema:
    """Return a stored discovered field; an unknown type is text."""
    return FieldSchema(
        source_object=source_object,
        key=str(raw["key"]),
        label=str(raw.get("label") or raw["key"]),
        type=_TYPES.get(str(raw.get("type", "text")), FieldType.TEXT),
        choices=tuple(_choice(one) for one in raw.get("choices") or ()),
        choice_source=raw.get("choice_source"),
        writable=bool(raw.get("writable", False)),
        required=bool(raw.get("required", False)),
        expected=bool(raw.get("expected", False)),
        secret=bool(raw.get("secret", False)),
        noise=bool(raw.get("noise", False)),
        max_length=raw.get("max_length"),
        vendor_name=str(raw.get("vendor_name") or ""),
    )


def _choice(raw: Any) -> Choice:  # noqa: ANN401 - JSON: a value, or value and label
    if isinstance(raw, Mapping):
        return Choice(value=str(raw["value"]), label=str(raw.get("label") or raw["value"]))
    return Choice(value=str(raw), label=str(raw))


def _triggers(adopted: Iterable[SourceObject], catalog: Catalog) -> Iterator[Trigger]:
    for one in adopted:
        kind = catalog.connector_types.get(one.name.partition(".")[0])
        if kind is None or kind.discovery is None:
            continue
        for verb in kind.discovery.verbs:
            made = one.trigger(verb, f"{one.label} {verb.replace('_', ' ')}")
            if made.name not in catalog.triggers:
                yield made


def _value_maps(found: Vocabulary) -> Iterator[ValueMap]:
    rows: dict[str, list[MapRow]] = {}
    for table, key, value, back in found.map_rows:
        rows.setdefault(table, []).append(MapRow(key=key, value=value, back=back))
    for name, on_missing, default, _ in found.maps:
        yield ValueMap(
            name=name,
            rows=tuple(rows.get(name, ())),
            on_missing=on_missing,  # type: ignore[arg-type]  # a CHECK keeps it to the three words
            default_value=default,
        )
