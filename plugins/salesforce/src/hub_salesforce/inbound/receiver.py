"""The receiver of a Salesforce connector: who sent it, and what does it say."""

import hashlib
import hmac
from collections.abc import Sequence

import hub
from hub import Event, WebhookReceiver, WebhookRequest
from hub_salesforce.ids import same_id
from hub_salesforce.inbound import apex
from hub_salesforce.inbound import outbound_message as messages
from hub_salesforce.settings import SalesforceSettings
from hub_salesforce.sobjects import Objects

SIGNATURE = "x-hub-signature"
DELIVERY = "x-hub-delivery"
_UNMERGED = "{!$credential"


def receiver_of(objects: Objects) -> WebhookReceiver[SalesforceSettings]:
    """Return the receiver of Apex pushes and Outbound Messages about these objects."""

    def parse(request: WebhookRequest) -> Sequence[Event]:
        if messages.is_outbound_message(request):
            return messages.read_messages(objects, request)
        return apex.read_push(objects, request)

    return WebhookReceiver(
        verify=verify,
        parse=parse,
        delivery_key=delivery_key,
        answer=messages.ACK,
        answer_type="text/xml; charset=UTF-8",
    )


def verify(settings: SalesforceSettings, request: WebhookRequest) -> None:
    """Accept what proves one of the push keys and comes from the connector's org.

    Proofs: `X-Hub-Signature: sha256=<HMAC of the body>`, `Authorization: Bearer <key>`, and
    for Outbound Messages, which can't be signed, `?token=<key>` in the address.
    """
    if not settings.push_secrets:
        raise hub.InvalidSignature("no push key is set at this connector: set one, then push")
    _prove(settings.push_secrets, request)
    _same_org(settings.organization_id, request)


def delivery_key(request: WebhookRequest) -> str:
    """Return the Apex job's id, or the notification ids of an Outbound Message."""
    if not messages.is_outbound_message(request):
        return request.headers.get(DELIVERY, "")
    try:
        ids = messages.notification_ids(request.body)
    except hub.InvalidPayload:
        return ""
    return hashlib.sha256(",".join(ids).encode()).hexdigest() if ids else ""


def _prove(secrets: Sequence[str], request: WebhookRequest) -> None:
    authorization = request.headers.get("authorization", "")
    if SIGNATURE in request.headers:
        proved = any(_signed(one, request) for one in secrets)
    elif authorization:
        proved = any(_equal(one, _bearer(authorization)) for one in secrets)
    else:
        given = request.query.get("token", "")
        proved = bool(given) and any(_equal(one, given) for one in secrets)
    if not proved:
        raise hub.InvalidSignature(_why(request))


def _signed(secret: str, request: WebhookRequest) -> bool:
    wanted = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    given = request.headers[SIGNATURE].strip().lower().removeprefix("sha256=")
    return _equal(wanted, given)


def _bearer(authorization: str) -> str:
    kind, _, key = authorization.partition(" ")
    if kind.lower() == "basic":
        raise hub.InvalidSignature(
            "the push has an 'Authorization: Basic' header: uncheck 'Generate Authorization "
            "Header' in the named credential"
        )
    if _UNMERGED in key.lower():
        raise hub.InvalidSignature(
            "the push key was not filled in: check 'Allow Merge Fields in HTTP Header' in the "
            "named credential"
        )
    return key.strip() if kind.lower() == "bearer" else ""


def _equal(wanted: str, given: str) -> bool:
    return hmac.compare_digest(wanted.encode(), given.encode())


def _why(request: WebhookRequest) -> str:
    if SIGNATURE in request.headers:
        return "the X-Hub-Signature is not that of this body with the connector's push key"
    if "authorization" in request.headers:
        return "the key in the Authorization header is not the connector's push key"
    return (
        "the push proves nothing: it needs 'X-Hub-Signature: sha256=…', "
        "'Authorization: Bearer …', or ?token=… for an Outbound Message"
    )


def _same_org(wanted: str, request: WebhookRequest) -> None:
    if not wanted:
        return
    given = _organization(request)
    if given and not same_id(wanted, given):
        raise hub.InvalidSignature(f"the push comes from org {given}, not from {wanted}")


def _organization(request: WebhookRequest) -> str | None:
    if not messages.is_outbound_message(request):
        return apex.organization_of(request.body)
    try:
        return messages.organization_of(request.body)
    except hub.InvalidPayload:
        return None
