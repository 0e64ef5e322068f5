"""PagerDuty's webhooks as a test makes them: rightly signed, wrongly, not at all."""

import hashlib
import hmac
import json
import uuid

import httpx

from tests.acceptance.world import JOHN, Json, World

SECRET = "a-secret-of-the-subscription"


def annotated(incident: str = "Q1A2B3C4D5E6F7", **event: object) -> Json:
    """Return a note's webhook, as PagerDuty's v3 webhooks are."""
    return {
        "event": {
            "id": f"01{uuid.uuid4().hex[:20].upper()}",
            "event_type": "incident.annotated",
            "resource_type": "incident",
            "occurred_at": "2025-08-23T14:13:00.250Z",
            "agent": {"id": JOHN, "summary": "John Doe", "type": "user_reference"},
            "client": None,
            "data": {
                "incident": {
                    "id": incident,
                    "summary": "Locks",
                    "html_url": f"https://demo.pagerduty.com/incidents/{incident}",
                    "type": "incident_reference",
                },
                "id": f"PN{uuid.uuid4().hex[:6].upper()}",
                "content": "Locks cleared",
                "trimmed": False,
                "type": "incident_note",
            },
            **event,
        }
    }


async def send(
    world: World, body: bytes | Json, *, secret: str | None = SECRET, id: str = "", **more: str
) -> httpx.Response:
    """Send a webhook as PagerDuty does, signed with the secret (None: unsigned)."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "X-Webhook-Id": id or str(uuid.uuid4()), **more}
    if secret is not None:
        signature = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
        headers["X-PagerDuty-Signature"] = f"v1={signature}"
    url = f"{world.url}/t/{world.tenant}/connectors/pagerduty/webhook"
    return await world.http.post(url, content=content, headers=headers)


def is_problem(answer: httpx.Response, status: int) -> Json:
    """See that the answer is a problem of RFC 9457; return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    found: Json = answer.json()
    assert found["status"] == status
    assert found["detail"]
    return found
