"""The hooks of the Integration Hub.

All are sync and need no I/O. The `register` hooks are called once, when the hub starts;
what takes time hangs as an `async def` on the objects they return.
"""

from collections.abc import Sequence
from typing import Any

import pluggy

from hub.sdk.actions import Action, RunSettled
from hub.sdk.connector_types import ConnectorType
from hub.sdk.events import DeliverySettled
from hub.sdk.mappings import ServiceResolver
from hub.sdk.operators import Operator
from hub.sdk.secrets import SecretBackend
from hub.sdk.templates import Filter, RulesetTemplate
from hub.sdk.vocabulary import FieldSchema, SourceObject, Trigger

PROJECT = "hub"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


# --------------------------------------------------------------------------- vocabulary


@hookspec
def hub_register_connector_types() -> Sequence[ConnectorType[Any, Any]]:
    """Return the connector types that this plugin brings.

    Called once, when the hub starts.

    :returns: Connector types. Of several plugins that declare one name, a built-in keeps it,
        then the plugin that is called like it; where there is none, all are quarantined.

    Example::

        @hookimpl
        def hub_register_connector_types():
            return [ConnectorType(name="zendesk", label="Zendesk", settings=Settings,
                                  connect=Client)]
    """


@hookspec
def hub_register_source_objects() -> Sequence[SourceObject]:
    """Return the kinds of record that this plugin knows.

    Called once, when the hub starts.

    :returns: Source objects, whose names begin with a connector type of this plugin.

    Example::

        @hookimpl
        def hub_register_source_objects():
            return [ZENDESK.source_object("ticket", "Zendesk ticket")]
    """


@hookspec
def hub_register_fields() -> Sequence[FieldSchema]:
    """Return the fields of source objects.

    Called once, when the hub starts.

    :returns: Fields of this plugin's objects, or of another plugin's.

    Example::

        @hookimpl
        def hub_register_fields():
            return [TICKET.field("subject", "Subject", writable=True, required=True)]
    """


@hookspec
def hub_register_triggers() -> Sequence[Trigger]:
    """Return the kinds of change that rules can run on.

    Called once, when the hub starts.

    :returns: Triggers of this plugin's objects.

    Example::

        @hookimpl
        def hub_register_triggers():
            return [TICKET.trigger("created", "Ticket created")]
    """


@hookspec
def hub_register_actions() -> Sequence[Action[Any, Any]]:
    """Return the actions that rules can take.

    Called once, when the hub starts.

    :returns: Actions of this plugin's connector types, or of another plugin's.

    Example::

        @hookimpl
        def hub_register_actions():
            return [ZENDESK.action("add_comment", "Add comment", Comment, add_comment,
                                   target=TICKET)]
    """


# --------------------------------------------------------------------------- rules


@hookspec
def hub_register_operators() -> Sequence[Operator]:
    """Return operators for conditions.

    Called once, when the hub starts.

    :returns: Operators; a plugin's have dotted names that begin with an own connector type.

    Example::

        @hookimpl
        def hub_register_operators():
            return [Operator(name="zendesk.is_vip", label="is a VIP", sentence="{field} is a VIP",
                             types=frozenset({FieldType.TEXT}), operand=Operand.NONE,
                             compile=lambda operand, field: is_vip)]
    """


@hookspec
def hub_register_filters() -> Sequence[Filter]:
    """Return filters for templates.

    Called once, when the hub starts.

    :returns: Filters, pure and sync; names begin with an own connector type.

    Example::

        @hookimpl
        def hub_register_filters():
            return [Filter(name="salesforce.id15", label="15-character id", apply=id15)]
    """


@hookspec
def hub_register_ruleset_templates() -> Sequence[RulesetTemplate[Any]]:
    """Return rules that tenants can take ready-made.

    Called once, when the hub starts.

    :returns: Ruleset templates.

    Example::

        @hookimpl
        def hub_register_ruleset_templates():
            return [RulesetTemplate(name="zendesk.two_way", version=1, label="Two-way sync",
                                    description="Tickets page, incidents answer.",
                                    roles={"itsm": "zendesk", "paging": "pagerduty"},
                                    params=TwoWay, build=two_way)]
    """


@hookspec
def hub_register_service_resolvers() -> Sequence[ServiceResolver[Any]]:
    """Return ways of finding the service of a record that go before the tenant's table.

    Called once, when the hub starts. The first resolver that answers wins.

    :returns: Service resolvers, in the order in which they are asked.

    Example::

        @hookimpl
        def hub_register_service_resolvers():
            return [ServiceResolver(name="remedyforce.category",
                                    source_object="remedyforce.incident",
                                    outbound=service_of_category)]
    """


# --------------------------------------------------------------------------- surroundings


@hookspec
def hub_register_secret_backends() -> Sequence[SecretBackend]:
    """Return places where secrets may lie, by the scheme that refers to them.

    Called once, when the hub starts.

    :returns: Secret backends; several schemes are in use at once.

    Example::

        @hookimpl
        def hub_register_secret_backends():
            return [VaultBackend()]
    """


@hookspec
def hub_delivery_settled(delivery: DeliverySettled) -> None:
    """Observe a delivery whose events have all been worked.

    Called after the commit, in the worker; it must not block. An exception is logged and
    counted against the plugin.

    :param delivery: What was delivered and how it ended.

    Example::

        @hookimpl
        def hub_delivery_settled(delivery):
            COUNTER.labels(delivery.connector_type).inc()
    """


@hookspec
def hub_run_settled(run: RunSettled) -> None:
    """Observe a run that ended.

    Called after the commit, in the worker; it must not block. An exception is logged and
    counted against the plugin.

    :param run: Which action, how it ended, after how many attempts.

    Example::

        @hookimpl
        def hub_run_settled(run):
            LATENCY.labels(run.action).observe(run.took)
    """
