"""Integration Hub: what a plugin author imports."""

from hub._version import __version__
from hub.sdk.actions import Action, ActionCall, ActionResult, Repeat, RunSettled
from hub.sdk.answers import json_of, raise_for_answer
from hub.sdk.connector_types import (
    Batch,
    Check,
    ChoiceSource,
    ConnectorConfig,
    ConnectorType,
    Handshake,
    Import,
    Poller,
    Query,
    Quota,
    SchemaDiscovery,
    Simulator,
    Subscription,
    SubscriptionState,
    WebhookReceiver,
    WebhookRequest,
)
from hub.sdk.errors import (
    AuthenticationFailed,
    ConnectorError,
    Gone,
    InvalidPayload,
    InvalidSignature,
    OutcomeUnknown,
    QuotaExhausted,
    RateLimited,
    Rejected,
    Unavailable,
)
from hub.sdk.events import DeliverySettled, Event, Record, RecordRef
from hub.sdk.hookspecs import hookimpl
from hub.sdk.mappings import ServiceResolver
from hub.sdk.operators import AccessKey, KeyKind, Operand, Operator, Test
from hub.sdk.secrets import SecretBackend
from hub.sdk.templates import Filter, RulesetTemplate
from hub.sdk.vocabulary import Choice, FieldSchema, FieldType, SourceObject, Trigger, Value

__all__ = [
    "AccessKey",
    "Action",
    "ActionCall",
    "ActionResult",
    "AuthenticationFailed",
    "Batch",
    "Check",
    "Choice",
    "ChoiceSource",
    "ConnectorConfig",
    "ConnectorError",
    "ConnectorType",
    "DeliverySettled",
    "Event",
    "FieldSchema",
    "FieldType",
    "Filter",
    "Gone",
    "Handshake",
    "Import",
    "InvalidPayload",
    "InvalidSignature",
    "KeyKind",
    "Operand",
    "Operator",
    "OutcomeUnknown",
    "Poller",
    "Query",
    "Quota",
    "QuotaExhausted",
    "RateLimited",
    "Record",
    "RecordRef",
    "Rejected",
    "Repeat",
    "RulesetTemplate",
    "RunSettled",
    "SchemaDiscovery",
    "SecretBackend",
    "ServiceResolver",
    "Simulator",
    "SourceObject",
    "Subscription",
    "SubscriptionState",
    "Test",
    "Trigger",
    "Unavailable",
    "Value",
    "WebhookReceiver",
    "WebhookRequest",
    "__version__",
    "hookimpl",
    "json_of",
    "raise_for_answer",
]
