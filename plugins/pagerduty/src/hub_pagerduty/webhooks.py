"""Deliveries from PagerDuty: who sent them, and what they say."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from typing import Final

import hub
from hub import Event, WebhookRequest
from hub_pagerduty.payloads.v2 import read_messages
from hub_pagerduty.payloads.v3 import read_event
from hub_pagerduty.settings import PagerDutySettings, webhook_secrets

SIGNATURE = "x-pagerduty-signature"


def verify(settings: PagerDutySettings, request: WebhookRequest) -> None:
    """Raise InvalidSignature unless one signature fits one secret, over the raw body.

    A delivery without a signature header passes only as a V1 or V2 one: these must be allowed
    by `webhook_legacy` and carry the legacy token.
    """
    header = request.headers.get(SIGNATURE)
    if header is None:
        _verify_token(settings, request)
        return
    secrets = webhook_secrets(settings)
    if not secrets:
        raise hub.InvalidSignature("No webhook secret is set, so nothing can be verified.")
    wanted = [hmac.digest(secret, request.body, "sha256").hex().encode() for secret in secrets]
    given = [_hex(part) for part in header.split(",")]
    matches = [hmac.compare_digest(one, sent) for one in wanted for sent in given]
    if not any(matches):
        raise hub.InvalidSignature(f"No signature in {SIGNATURE} fits the webhook secret.")


def parse(request: WebhookRequest) -> Sequence[Event]:
    """Return the events of a v3, V2 or V1 delivery; [] for a ping and for what is not ours."""
    content = request.json()
    if not isinstance(content, dict):
        raise hub.InvalidPayload("The body is no JSON object.")
    if "messages" in content:
        return read_messages(content["messages"])
    if not isinstance(content.get("event"), dict):
        raise hub.InvalidPayload("The body has neither an event nor messages.", pointer="/event")
    return read_event(content["event"], request.body)


def delivery_key(request: WebhookRequest) -> str:
    """Return the id that PagerDuty repeats with each attempt."""
    return request.headers.get("x-webhook-id", "")


def _hex(part: str) -> bytes:
    version, _, value = part.strip().partition("=")
    return value.strip().encode() if version == "v1" else b""


def _verify_token(settings: PagerDutySettings, request: WebhookRequest) -> None:
    if not settings.webhook_legacy or not settings.webhook_token:
        raise hub.InvalidSignature(f"The header {SIGNATURE} is missing.")
    if not _is_legacy(request):
        raise hub.InvalidSignature(f"Only V1 and V2 webhooks may come without {SIGNATURE}.")
    wanted = settings.webhook_token.get_secret_value().encode()
    given = (
        request.query.get("token", ""),
        request.headers.get("x-hub-token", ""),
        _password(request.headers.get("authorization", "")),
    )
    matches = [hmac.compare_digest(wanted, one.encode()) for one in given]
    if not any(matches):
        raise hub.InvalidSignature("The legacy token is missing or wrong.")


def _is_legacy(request: WebhookRequest) -> bool:
    try:
        content = request.json()
    except hub.InvalidPayload:
        return False
    return isinstance(content, dict) and "messages" in content


def _password(authorization: str) -> str:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


RECEIVER: Final[hub.WebhookReceiver[PagerDutySettings]] = hub.WebhookReceiver(
    verify=verify, parse=parse, delivery_key=delivery_key
)
