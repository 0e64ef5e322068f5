"""BMC Remedyforce: incidents, on the kit of the Salesforce plugin."""

from typing import Any

import hub
from hub import hookimpl
from hub_remedyforce.actions import actions
from hub_remedyforce.category import RESOLVER
from hub_remedyforce.connector_type import REMEDYFORCE
from hub_remedyforce.objects import INCIDENT
from hub_remedyforce.templates import templates
from hub_salesforce import kit


@hookimpl
def hub_register_connector_types() -> list[hub.ConnectorType[Any, Any]]:
    """Bring the connector type `remedyforce`."""
    return [REMEDYFORCE]


@hookimpl
def hub_register_source_objects() -> list[hub.SourceObject]:
    """Bring the incident."""
    return kit.source_objects(INCIDENT)


@hookimpl
def hub_register_fields() -> list[hub.FieldSchema]:
    """Bring the incident's fields; an org's own are discovered."""
    return kit.fields(INCIDENT)


@hookimpl
def hub_register_triggers() -> list[hub.Trigger]:
    """Bring created, updated, deleted and commented."""
    return kit.triggers(INCIDENT)


@hookimpl
def hub_register_actions() -> list[hub.Action[Any, Any]]:
    """Bring the kit's actions, closing and reopening, and notes in the incident history."""
    return actions()


@hookimpl
def hub_register_service_resolvers() -> list[hub.ServiceResolver[Any]]:
    """Bring the category's own service, asked before the table."""
    return [RESOLVER]


@hookimpl
def hub_register_ruleset_templates() -> list[hub.RulesetTemplate[Any]]:
    """Bring "Remedyforce incident and PagerDuty" and "Create an incident for a service"."""
    return templates()
