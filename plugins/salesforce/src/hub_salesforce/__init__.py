"""Salesforce Service Cloud, and any object of a Salesforce org."""

from typing import Any

import hub
from hub import hookimpl
from hub_salesforce import kit
from hub_salesforce.case import CASE
from hub_salesforce.connector_type import SALESFORCE
from hub_salesforce.templates import templates


@hookimpl
def hub_register_connector_types() -> list[hub.ConnectorType[Any, Any]]:
    """Bring the connector type `salesforce`."""
    return [SALESFORCE]


@hookimpl
def hub_register_source_objects() -> list[hub.SourceObject]:
    """Bring the Case."""
    return kit.source_objects(CASE)


@hookimpl
def hub_register_fields() -> list[hub.FieldSchema]:
    """Bring the Case's standard fields; an org's own are discovered."""
    return kit.fields(CASE)


@hookimpl
def hub_register_triggers() -> list[hub.Trigger]:
    """Bring created, updated, deleted and commented."""
    return kit.triggers(CASE)


@hookimpl
def hub_register_actions() -> list[hub.Action[Any, Any]]:
    """Bring the actions on records of any object."""
    return kit.actions(SALESFORCE, CASE)


@hookimpl
def hub_register_ruleset_templates() -> list[hub.RulesetTemplate[Any]]:
    """Bring "Case and PagerDuty" and "Create a Case for incidents on a service"."""
    return templates()
