"""The public kit: describe an sObject, get declarations.

Everything a plugin for another product on the Salesforce platform needs. Names here follow
the deprecation rule of the SDK; all else in this package may change.
"""

from typing import Any, TypeVar, cast

from hub import (
    Action,
    Check,
    ChoiceSource,
    ConnectorType,
    Handshake,
    Poller,
    Query,
    SchemaDiscovery,
    SecretVault,
    WebhookReceiver,
)
from hub_salesforce.actions import actions_of
from hub_salesforce.actions.notes import fitted, made_note, own_note
from hub_salesforce.actions.records import write
from hub_salesforce.actions.targets import JsonValue, target_of, value_of, written
from hub_salesforce.apex import sources as apex_sources
from hub_salesforce.apex import trigger_for as apex_trigger
from hub_salesforce.auth import redirect
from hub_salesforce.checks import checks_of
from hub_salesforce.choices import choices_of, picklist
from hub_salesforce.client import SalesforceClient
from hub_salesforce.discovery import discovery_of
from hub_salesforce.errors import Conflict, Duplicate, Fault, SalesforceRejected, demanded
from hub_salesforce.forms import Form
from hub_salesforce.ids import is_id, same_id, to_18
from hub_salesforce.inbound.receiver import receiver_of
from hub_salesforce.limits import quota_of as quota
from hub_salesforce.lookups import Lookup, id_of
from hub_salesforce.lookups import choices_of as lookup
from hub_salesforce.polling import poller_of
from hub_salesforce.pubsub import listener_of
from hub_salesforce.queries import queries_of
from hub_salesforce.settings import SalesforceSettings
from hub_salesforce.sobjects import (
    NoteShape,
    Objects,
    SField,
    SObject,
    fields,
    objects,
    sobject,
    source_objects,
    triggers,
)

__all__ = [
    "Conflict",
    "Duplicate",
    "Fault",
    "Form",
    "JsonValue",
    "Lookup",
    "NoteShape",
    "Objects",
    "SField",
    "SObject",
    "SalesforceClient",
    "SalesforceRejected",
    "SalesforceSettings",
    "actions",
    "apex_sources",
    "apex_trigger",
    "checks",
    "choices",
    "demanded",
    "discovery",
    "fields",
    "fitted",
    "handshake",
    "id_of",
    "is_id",
    "lookup",
    "made_note",
    "objects",
    "own_note",
    "picklist",
    "plain_text",
    "pollers",
    "queries",
    "quota",
    "receiver",
    "same_id",
    "sobject",
    "source_objects",
    "target_of",
    "to_18",
    "triggers",
    "value_of",
    "vault",
    "write",
    "written",
]


Settings = TypeVar("Settings", bound=SalesforceSettings)


def handshake() -> Handshake[Settings]:
    """Return the set-up by redirect: the administrator approves the app in the browser."""
    return cast(
        "Handshake[Settings]",
        Handshake(start=redirect.start, complete=redirect.complete, label="Connect Salesforce"),
    )


def plain_text(html: str) -> str:
    """Return the text of a rich text field: blocks are lines, links keep their address."""
    from hub_salesforce.markup import plain_text as text_of  # noqa: PLC0415 - rarely needed

    return text_of(html)


def vault(client: SalesforceClient, kept: SecretVault) -> None:
    """Let the client leave refresh tokens in the hub that Salesforce replaces."""
    client.session.keeps_in(kept)


def receiver(*declared: SObject) -> WebhookReceiver[Settings]:
    """Return the receiver of Apex pushes and Outbound Messages about the objects."""
    return cast("WebhookReceiver[Settings]", receiver_of(objects(*declared)))


def pollers(*declared: SObject) -> tuple[Poller[SalesforceClient], ...]:
    """Return the poller of all objects that a connector's settings name, notes included.

    And what hears their change events, where the settings name some.
    """
    return (poller_of(objects(*declared)), listener_of(objects(*declared)))


def actions(connector_type: ConnectorType[Any, Any], *declared: SObject) -> list[Action[Any, Any]]:
    """Return the actions on records of any object.

    They act on the object that their parameters name, else on the rule's own; comments on the
    first declared one that has notes.
    """
    return actions_of(connector_type, objects(*declared))


def checks(*declared: SObject) -> tuple[Check[SalesforceClient], ...]:
    """Return the checks: sign-in, API access, objects, fields, limits."""
    return checks_of(objects(*declared))


def choices(*declared: SObject) -> tuple[ChoiceSource[SalesforceClient], ...]:
    """Return the choice sources that every org has: objects, owners, users, queues, fields."""
    return choices_of(objects(*declared))


def discovery(*declared: SObject) -> SchemaDiscovery[SalesforceClient]:
    """Return the discovery of the org's objects and of fields that are not declared."""
    return discovery_of(objects(*declared))


def queries(*declared: SObject) -> tuple[Query[SalesforceClient, Any], ...]:
    """Return the queries for setting up: a key pair, the Apex to install, an object's mapping."""
    return queries_of(objects(*declared))
