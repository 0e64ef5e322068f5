"""The catalog as JSON, for the API and whoever builds forms from it."""

from typing import Any

from pydantic import BaseModel

from hub.catalog.catalog import Catalog
from hub.catalog.plugins import PluginReport
from hub.sdk.actions import Action
from hub.sdk.connector_types import ConnectorType
from hub.sdk.operators import Operator
from hub.sdk.templates import Filter, RulesetTemplate
from hub.sdk.vocabulary import FieldSchema, FieldType, SourceObject, Trigger

Json = dict[str, Any]


def describe(catalog: Catalog) -> Json:
    """Return the whole catalog: lists of declarations, in the order they were declared."""
    return {
        "connector_types": [
            describe_connector_type(catalog, one) for one in catalog.connector_types.values()
        ],
        "objects": [describe_object(catalog, one) for one in catalog.objects.values()],
        "actions": [describe_action(catalog, one) for one in catalog.actions.values()],
        "operators": [describe_operator(catalog, one) for one in catalog.operators.values()],
        "filters": [_filter(catalog, one) for one in catalog.filters.values()],
        "templates": [describe_template(catalog, one) for one in catalog.templates.values()],
        "resolvers": [
            {
                "name": one.name,
                "plugin": catalog.owner("resolvers", one.name),
                "source_object": one.source_object,
                "inbound": one.inbound is not None,
            }
            for one in catalog.resolvers.values()
        ],
        "secret_backends": [
            {"scheme": scheme, "plugin": catalog.owner("secret_backends", scheme)}
            for scheme in catalog.secret_backends
        ],
    }


def describe_connector_type(catalog: Catalog, declared: ConnectorType[Any, Any]) -> Json:
    """Return a connector type: its form, and what it can do."""
    return {
        "name": declared.name,
        "label": declared.label,
        "plugin": catalog.owner("connector_types", declared.name),
        "settings": form(declared.settings),
        "checks": [
            {"name": one.name, "label": one.label, "fix": one.fix} for one in declared.checks
        ],
        "choices": [one.name for one in declared.choices],
        "queries": [
            {"name": one.name, "label": one.label, "params": form(one.params)}
            for one in declared.queries
        ],
        "polls": list(dict.fromkeys(one.source_object for one in declared.pollers)),
        "receives_webhooks": declared.receiver is not None,
        "subscribes": declared.subscription is not None,
        "discovers": declared.discovery is not None,
        "handshake": declared.handshake is not None,
        "reads_config": declared.read_config is not None,
        "simulated": declared.simulator is not None,
        "requests_per_minute": declared.requests_per_minute,
    }


def describe_object(catalog: Catalog, declared: SourceObject) -> Json:
    """Return a source object with its fields and triggers."""
    return {
        "name": declared.name,
        "label": declared.label,
        "plugin": catalog.owner("objects", declared.name),
        "vendor_name": declared.vendor_name,
        "fields": [describe_field(catalog, one) for one in catalog.fields_of(declared.name)],
        "triggers": [_trigger(catalog, one) for one in catalog.triggers_of(declared.name)],
    }


def describe_field(catalog: Catalog, declared: FieldSchema) -> Json:
    """Return a field; one that discovery found has no plugin."""
    return {
        "name": declared.name,
        "key": declared.key,
        "label": declared.label,
        "plugin": catalog.owner("fields", declared.name),
        "type": declared.type.value,
        "choices": [{"value": one.value, "label": one.label} for one in declared.choices],
        "choice_source": declared.choice_source,
        "writable": declared.writable,
        "required": declared.required,
        "secret": declared.secret,
        "noise": declared.noise,
        "max_length": declared.max_length,
        "vendor_name": declared.vendor_name,
    }


def describe_action(catalog: Catalog, declared: Action[Any, Any]) -> Json:
    """Return an action with the form of its parameters."""
    return {
        "name": declared.name,
        "label": declared.label,
        "plugin": catalog.owner("actions", declared.name),
        "connector_type": declared.connector_type,
        "target": declared.target,
        "creates": declared.creates,
        "repeat": declared.repeat.value,
        "calls": declared.calls,
        "scopes": list(declared.scopes),
        "abilities": list(declared.abilities),
        "params": form(declared.params),
    }


def describe_operator(catalog: Catalog, declared: Operator) -> Json:
    """Return an operator, its types in the order of the list of types."""
    return {
        "name": declared.name,
        "label": declared.label,
        "plugin": catalog.owner("operators", declared.name),
        "sentence": declared.sentence,
        "types": [one.value for one in FieldType if one in declared.types],
        "operand": declared.operand.value,
        "needs_prior": declared.needs_prior,
        "inverse": declared.inverse,
    }


def describe_template(catalog: Catalog, declared: RulesetTemplate[Any]) -> Json:
    """Return a ruleset template with the form of its parameters."""
    return {
        "name": declared.name,
        "label": declared.label,
        "plugin": catalog.owner("templates", declared.name),
        "description": declared.description,
        "version": declared.version,
        "roles": dict(declared.roles),
        "params": form(declared.params),
        "value_maps": {name: dict(table) for name, table in declared.value_maps.items()},
    }


def describe_report(report: PluginReport) -> Json:
    """Return what became of a plugin."""
    return {
        "name": report.name,
        "state": report.state.value,
        "builtin": report.builtin,
        "distribution": report.distribution,
        "version": report.version,
        "module": report.module,
        "reason": report.reason,
        "hook": report.hook,
        "traceback": report.traceback,
        "problems": [
            {"kind": one.kind, "name": one.name, "detail": one.detail} for one in report.problems
        ],
        "warnings": list(report.warnings),
        "connector_types": list(report.connector_types),
    }


def form(model: type[BaseModel]) -> Json:
    """Return the JSON schema that a form is made of; secrets are `writeOnly`."""
    return model.model_json_schema()


def _trigger(catalog: Catalog, declared: Trigger) -> Json:
    return {
        "name": declared.name,
        "label": declared.label,
        "plugin": catalog.owner("triggers", declared.name),
    }


def _filter(catalog: Catalog, declared: Filter) -> Json:
    return {
        "name": declared.name,
        "label": declared.label,
        "plugin": catalog.owner("filters", declared.name),
    }
