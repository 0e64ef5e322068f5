"""Integration Hub plugin for PagerDuty."""

from typing import Any

import hub
from hub_pagerduty.actions import ACTIONS
from hub_pagerduty.connector import PAGERDUTY
from hub_pagerduty.playbooks import PLAYBOOKS
from hub_pagerduty.vocabulary import FIELDS, OBJECTS, TRIGGERS


@hub.hookimpl
def hub_register_connector_types() -> list[hub.ConnectorType[Any, Any]]:
    """Bring the connector type `pagerduty`."""
    return [PAGERDUTY]


@hub.hookimpl
def hub_register_source_objects() -> list[hub.SourceObject]:
    """Bring incidents and services."""
    return OBJECTS


@hub.hookimpl
def hub_register_fields() -> list[hub.FieldSchema]:
    """Bring their fields."""
    return FIELDS


@hub.hookimpl
def hub_register_triggers() -> list[hub.Trigger]:
    """Bring a trigger for every event that PagerDuty publishes."""
    return TRIGGERS


@hub.hookimpl
def hub_register_actions() -> list[hub.Action[Any, Any]]:
    """Bring the actions."""
    return ACTIONS


@hub.hookimpl
def hub_register_ruleset_templates() -> list[hub.RulesetTemplate[Any]]:
    """Bring rules that need nothing but PagerDuty."""
    return PLAYBOOKS
