"""The Events APIs: v2, v1 and change events. A 202 proves nothing but receipt."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

import hub
from hub_pagerduty import errors
from hub_pagerduty.client import Json, PagerDutyClient
from hub_pagerduty.text import cut_title

if TYPE_CHECKING:
    import httpx

V2_PATH: Final = "/v2/enqueue"
CHANGE_PATH: Final = "/v2/change/enqueue"
V1_PATH: Final = "/generic/2010-04-15/create_event.json"
KEY_LENGTH: Final = 255
_LINKS: Final = 50

Verb = Literal["trigger", "acknowledge", "resolve"]


async def send_v2(client: PagerDutyClient, body: Mapping[str, Any]) -> str:
    """Send a v2 event; return its dedup key."""
    answer = await client.events(V2_PATH, dict(body))
    _check(answer, limit=429)
    return str(_content(answer).get("dedup_key") or body.get("dedup_key") or "")


async def send_v1(client: PagerDutyClient, body: Mapping[str, Any]) -> str:
    """Send a v1 event; return its incident key. 403 is v1's rate limit."""
    answer = await client.events(V1_PATH, dict(body))
    _check(answer, limit=403)
    return str(_content(answer).get("incident_key") or body.get("incident_key") or "")


async def send_change(client: PagerDutyClient, body: Mapping[str, Any]) -> None:
    """Send a change event."""
    answer = await client.events(CHANGE_PATH, dict(body))
    if answer.status_code == 408 or answer.status_code >= 500:
        said = errors.read_answer(answer.status_code, answer.text).said
        raise hub.OutcomeUnknown(said)  # there is no key that makes a second one harmless
    _check(answer, limit=429)
    _content(answer)


def v2_event(key: str, verb: Verb, dedup_key: str, payload: Mapping[str, Any]) -> Json:
    """Return the body of a v2 event; only a trigger has a payload."""
    event: Json = {"routing_key": key, "event_action": verb, "dedup_key": dedup_key[:KEY_LENGTH]}
    if verb != "trigger":
        return event
    inside = ("source", "severity", "timestamp", "component", "group", "class", "custom_details")
    event["payload"] = {
        "summary": cut_title(str(payload["summary"])),
        **{name: payload[name] for name in inside if payload.get(name)},
    }
    for name in ("client", "client_url"):
        if payload.get(name):
            event[name] = payload[name]
    for name in ("links", "images"):
        if payload.get(name):
            event[name] = list(payload[name])[:_LINKS]
    return event


def v1_event(key: str, verb: Verb, incident_key: str, payload: Mapping[str, Any]) -> Json:
    """Return the body of a v1 event; the vendor goes along where it is known."""
    event: Json = {
        "service_key": key,
        "event_type": verb,
        "incident_key": incident_key[:KEY_LENGTH],
        "description": cut_title(str(payload.get("summary") or "")),
    }
    if payload.get("vendor"):
        event["vendor"] = payload["vendor"]
    if payload.get("custom_details"):
        event["details"] = payload["custom_details"]
    if verb == "trigger":
        for name in ("client", "client_url"):
            if payload.get(name):
                event[name] = payload[name]
        contexts = _contexts(payload)
        if contexts:
            event["contexts"] = contexts
    if not event["description"]:
        del event["description"]
    return event


def _contexts(payload: Mapping[str, Any]) -> list[Json]:
    links = [{"type": "link", **one} for one in payload.get("links") or ()]
    images = [{"type": "image", **one} for one in payload.get("images") or ()]
    return (links + images)[:_LINKS]


def _check(answer: "httpx.Response", *, limit: int) -> None:
    if answer.is_success:
        return
    read = errors.read_answer(answer.status_code, answer.text)
    if answer.status_code == limit:
        raise hub.RateLimited(read.said, retry_after=errors.reset_after(answer.headers))
    if answer.status_code == 401:
        raise hub.AuthenticationFailed(read.said)
    if answer.status_code == 408 or answer.status_code >= 500:
        raise hub.Unavailable(read.said)  # the dedup key makes a second one harmless
    if "routing key" in read.said.lower() or "routing_key" in read.said:
        raise errors.Refused(read, f"The integration key is not valid ({read.said})")
    raise errors.Refused(read)


def _content(answer: "httpx.Response") -> Json:
    try:
        content = answer.json() if answer.content.strip() else {}
    except ValueError as error:
        raise hub.OutcomeUnknown("The answer to the event is no JSON.") from error
    return content if isinstance(content, dict) else {}
