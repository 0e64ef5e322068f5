"""A test event, to be seen, acknowledged and resolved in PagerDuty."""

from hub import clock
from hub_pagerduty import events_api
from hub_pagerduty.client import Json, PagerDutyClient
from hub_pagerduty.errors import Refused
from hub_pagerduty.settings import events_keys

TITLE = "Test event of the Integration Hub"


async def send_test(client: PagerDutyClient, service: str) -> str:
    """Send an event where the service has an Events key, else open an incident."""
    wanted = service or client.settings.service_id
    mark = f"hub-test-{clock.now().strftime('%Y%m%d%H%M%S')}"
    keys = events_keys(client.settings)
    key = keys.get(wanted) or (None if client.has_rest else keys.get(""))
    if key is None:
        return await _by_rest(client, wanted, mark)
    secret, payload = key.key.get_secret_value(), _payload(client)
    if key.version == "v1":
        await events_api.send_v1(client, events_api.v1_event(secret, "trigger", mark, payload))
    else:
        await events_api.send_v2(client, events_api.v2_event(secret, "trigger", mark, payload))
    return f"Sent a test event ({mark}): acknowledge and resolve it in PagerDuty"


async def _by_rest(client: PagerDutyClient, service: str, mark: str) -> str:
    incident = {
        "type": "incident",
        "title": TITLE,
        "service": {"id": service, "type": "service_reference"},
        "urgency": "low",
        "incident_key": mark,
    }
    try:
        made = await client.post_one("/incidents", "incident", {"incident": incident})
    except Refused as refused:
        if not refused.answer.is_duplicate_key:
            raise
        return "A test incident was opened in this very second"
    number = made.get("incident_number")
    return f"Opened test incident #{number}: acknowledge and resolve it in PagerDuty"


def _payload(client: PagerDutyClient) -> Json:
    return {
        "summary": TITLE,
        "source": client.settings.client_name,
        "severity": "info",
        "client": client.settings.client_name,
        "vendor": client.settings.vendor_key,
    }
