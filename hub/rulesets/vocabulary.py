"""All that an editor needs to write rules for a tenant, in one answer. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from hub.catalog.catalog import Catalog
from hub.rules import Schema, rule_schema
from hub.rules.schema import takes_field, takes_null
from hub.rules.templates import LINK_PARTS, OUTCOME_PARTS
from hub.sdk.actions import Action
from hub.sdk.operators import Operator
from hub.sdk.vocabulary import FieldSchema, FieldType

Json = dict[str, Any]


def rule_vocabulary(schema: Schema, catalog: Catalog, source_object: str | None) -> Json:
    """Return fields by group, operators by type, triggers, actions, filters, tables, connectors.

    With an object only its fields, those of objects whose records can be linked to it, and the
    event's own are told.
    """
    wanted = _objects(schema, source_object)
    return {
        "objects": [_object(name, schema) for name in sorted(schema.objects)],
        "groups": [_group(name, schema, catalog) for name in wanted],
        "operators": {
            kind.value: [_operator(one) for one in schema.operators.values() if kind in one.types]
            for kind in FieldType
        },
        "run_on": [_run_on(name, schema) for name in wanted if _triggers(name, schema)],
        "triggers": [
            {"name": one.name, "object": one.source_object, "label": one.label}
            for one in schema.triggers.values()
            if one.source_object in wanted
        ],
        "actions": [_action(one) for one in schema.actions.values()],
        "filters": [{"name": one.name, "label": one.label} for one in schema.filters.values()],
        "paths": _paths(wanted, schema),
        "specials": [
            {"key": "$field", "label": "The value of a field, with its type"},
            {"key": "$service", "label": "By service mapping", "values": ["outbound", "inbound"]},
        ],
        "value_maps": [
            {
                "name": one.name,
                "on_missing": one.on_missing,
                "rows": [{"key": r.key, "value": r.value, "back": r.back} for r in one.rows],
            }
            for one in schema.value_maps.values()
        ],
        "connectors": [
            {"name": name, "type": kind} for name, kind in sorted(schema.connectors.items())
        ],
        **_MODES,
    }


_MODES: Final[Json] = {
    "run": [
        {"value": "every_time", "label": "Each time the conditions hold"},
        {"value": "becomes_true", "label": "Only when they become true"},
    ],
    "after": [
        {"value": "continue", "label": "Go on with the next rule"},
        {"value": "stop", "label": "Stop this ruleset for the event"},
    ],
}


def editor_schema(schema: Schema, catalog: Catalog, source_object: str | None) -> Json:
    """Return the JSON schema of a rule beside the vocabulary."""
    vocabulary = rule_vocabulary(schema, catalog, source_object)
    return {"schema": rule_schema(), "vocabulary": vocabulary}


def _objects(schema: Schema, source_object: str | None) -> list[str]:
    everything = sorted(schema.objects)
    if source_object is None:
        return everything
    own_type = source_object.partition(".")[0]
    return [
        name
        for name in everything
        if name == source_object or name.startswith("hub.") or name.partition(".")[0] != own_type
    ]


def _object(name: str, schema: Schema) -> Json:
    return {
        "name": name,
        "label": schema.label_of(name),
        "has_triggers": bool(_triggers(name, schema)),
    }


def _group(name: str, schema: Schema, catalog: Catalog) -> Json:
    return {
        "object": name,
        "label": schema.label_of(name),
        "fields": [_field(one, catalog) for one in schema.fields_of(name)],
    }


def _field(field: FieldSchema, catalog: Catalog) -> Json:
    return {
        "name": field.name,
        "key": field.key,
        "label": field.label,
        "type": field.type.value,
        "choices": [{"value": one.value, "label": one.label} for one in field.choices],
        "choice_source": field.choice_source,
        "writable": field.writable,
        "required": field.required,
        "secret": field.secret,
        "noise": field.noise,
        "max_length": field.max_length,
        "vendor_name": field.vendor_name or None,
        "declared": field.name in catalog.fields,
    }


def _operator(operator: Operator) -> Json:
    return {
        "name": operator.name,
        "label": operator.label,
        "sentence": operator.sentence,
        "operand": operator.operand.value,
        "takes_null": takes_null(operator),
        "takes_field": takes_field(operator),
        "needs_prior": operator.needs_prior,
        "at_change": operator.changes,
        "inverse": operator.inverse,
    }


def _action(action: Action[Any, Any]) -> Json:
    return {
        "name": action.name,
        "label": action.label,
        "connector_type": action.connector_type,
        "target": action.target or None,
        "creates": action.creates,
        "calls": action.calls,
        "params": action.params.model_json_schema(),
    }


def _triggers(name: str, schema: Schema) -> list[str]:
    return [one.name for one in schema.triggers.values() if one.source_object == name]


def _run_on(name: str, schema: Schema) -> Json:
    """Return the guides' choice: "[object] create or update", written as triggers."""
    triggers = _triggers(name, schema)
    usual = [f"{name}.{verb}" for verb in ("created", "updated")]
    both = [one for one in usual if one in triggers]
    return {
        "object": name,
        "label": f"{schema.label_of(name)} create or update",
        "on": both if len(both) == 2 else [f"{name}.*"],
    }


def _paths(wanted: Iterable[str], schema: Schema) -> list[Json]:
    """Return the paths that templates may use, beside the fields themselves."""
    fixed: Mapping[str, str] = {
        "hub.correlation.code": "The matter's code",
        "hub.rule.name": "The rule's name",
        "hub.tenant.name": "The tenant's name",
    }
    found = [{"path": path, "label": label} for path, label in fixed.items()]
    for name in wanted:
        if name.startswith("hub."):
            continue
        label = schema.label_of(name)
        found += [
            {"path": f"hub.link.{name}.{part}", "label": f"{label}: {part.replace('_', ' ')}"}
            for part in LINK_PARTS
        ]
    found += [
        {"path": f"hub.action.0.{part}", "label": f"Result of the first action: {part}"}
        for part in OUTCOME_PARTS
    ]
    return found
