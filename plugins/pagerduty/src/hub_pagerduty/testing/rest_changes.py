"""The REST API's change events: what was sent by the Events API, read back."""

from collections.abc import Iterable

from hub_pagerduty.payloads.values import moment
from hub_pagerduty.testing.model import Json
from hub_pagerduty.testing.references import stamp
from hub_pagerduty.testing.routes import Answer, Asked, page, route


@route("GET", "/change_events", scope="change_events.read")
def list_changes(asked: Asked) -> Answer:
    """List the account's change events, the newest first."""
    return page(asked, "change_events", list(_shown(asked, "")))


@route("GET", "/services/{id}/change_events", scope="services.read")
def list_changes_of_service(asked: Asked) -> Answer:
    """List a service's change events, the newest first."""
    return page(asked, "change_events", list(_shown(asked, asked.params["id"])))


def _shown(asked: Asked, service: str) -> Iterable[Json]:
    show, since = asked.sim.show, moment(asked.first("since"))
    for number, body in reversed(list(enumerate(asked.sim.world.changes))):
        integration = asked.sim.world.integrations.get(str(body.get("routing_key")))
        if integration is None:
            continue
        payload = body["payload"]
        at = moment(payload.get("timestamp")) or asked.sim.clock.now()
        if (service and integration.service != service) or (since and at < since):
            continue
        yield {
            "id": f"01CHANGE{number:018d}",
            "type": "change_event",
            "summary": payload["summary"],
            "source": payload.get("source"),
            "timestamp": stamp(at),
            "custom_details": payload.get("custom_details") or {},
            "links": body.get("links") or [],
            "images": body.get("images") or [],
            "services": [show.ref("service", integration.service)],
            "integration": show.ref("inbound_integration", integration.id),
            "routing_key": integration.key,
        }
