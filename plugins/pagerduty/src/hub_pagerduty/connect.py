"""Set-up by redirect: PagerDuty Connect, and the Simple Install Flow that followed it.

Neither echoes a state parameter, so the call-back URL itself carries it: `STATE` stands for it.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import hub
from hub import Handshake
from hub_pagerduty.client import PagerDutyClient
from hub_pagerduty.payloads.values import as_object, as_objects, text
from hub_pagerduty.settings import PagerDutySettings, app_host, connect_address, events_keys

if TYPE_CHECKING:
    import httpx

STATE: Final = "{state}"
_USABLE: Final = {"service", ""}


_CANCELLED: Final = "You cancelled at PagerDuty; nothing was changed."


def start(settings: PagerDutySettings, call_back: str) -> str:
    """Return PagerDuty's page: Connect with a vendor key, Simple Install with an app id."""
    target = quote(_with_state(call_back), safe="{}")
    if settings.app_id:
        asked = urlencode({"app_id": settings.app_id, "version": 2})
        return f"{app_host(settings)}/install/integration?{asked}&redirect_url={target}"
    if settings.vendor_key:
        vendor = urlencode({"vendor": settings.vendor_key})
        return f"{connect_address(settings)}?{vendor}&callback={target}"
    raise hub.Rejected("Set a vendor key for Connect, or an app id for Simple Install, first.")


async def complete(
    http: "httpx.AsyncClient", settings: PagerDutySettings, query: Mapping[str, str]
) -> PagerDutySettings:
    """Return the settings with the keys that PagerDuty gave."""
    if query.get("error"):
        if query["error"] == "cancelled":
            raise hub.Cancelled(_CANCELLED)
        raise hub.Rejected(f"PagerDuty answered: {query['error']}")
    if query.get("service_key"):
        return _connected(settings, query, await _service_of(http, settings, query))
    if query.get("config"):
        return _installed(settings, query["config"])
    raise hub.Cancelled(_CANCELLED)


async def _service_of(
    http: "httpx.AsyncClient", settings: PagerDutySettings, query: Mapping[str, str]
) -> str:
    """Return the service's id where the API can tell it: Connect names the service only."""
    name = query.get("service_name") or "connect"
    if not settings.api_key and not settings.client_id:
        return name
    client = PagerDutyClient(settings, http)
    try:
        found = [
            str(one["id"])
            async for one in client.pages("/services", "services", [("query", name)])
            if one.get("name") == name
        ]
    except hub.ConnectorError:
        return name  # the key is what counts: it is stored under the name then
    return found[0] if len(found) == 1 else name


def _connected(
    settings: PagerDutySettings, query: Mapping[str, str], service: str
) -> PagerDutySettings:
    name = query.get("service_name", "")
    given = {"key": query["service_key"], "version": "v1", "name": name}
    kept = _kept(settings) | {service: given}
    return _updated(settings, kept, query.get("account", ""), query["service_key"], "v1")


def _installed(settings: PagerDutySettings, config: str) -> PagerDutySettings:
    try:
        read = as_object(json.loads(config))
    except ValueError as error:
        raise hub.Rejected("PagerDuty's configuration cannot be read.") from error
    usable = [
        one
        for one in as_objects(read.get("integration_keys"))
        if (text(one.get("type")) or "") in _USABLE and text(one.get("integration_key"))
    ]
    if not usable:
        raise hub.Rejected("PagerDuty gave no integration key of a service.")
    given = {
        str(one.get("id") or one["integration_key"]): {
            "key": one["integration_key"],
            "version": "v2",
            "name": text(one.get("name")) or text(one.get("Name")) or "",
        }
        for one in usable
    }
    account = text(as_object(read.get("account")).get("subdomain")) or ""
    first = str(usable[0]["integration_key"])
    return _updated(settings, _kept(settings) | given, account, first, "v2")


def _updated(
    settings: PagerDutySettings, keys: Mapping[str, Any], account: str, first: str, version: str
) -> PagerDutySettings:
    changed: dict[str, Any] = {"integration_keys": json.dumps(keys, ensure_ascii=False)}
    if not settings.integration_key:
        changed |= {"integration_key": first, "events_version": version}
    if account:
        changed["subdomain"] = account
    shown = {name: getattr(settings, name) for name in type(settings).model_fields}
    return PagerDutySettings.model_validate(shown | changed)


def _kept(settings: PagerDutySettings) -> dict[str, Any]:
    kept = json.loads(settings.integration_keys.get_secret_value() or "{}")
    return dict(kept)


def _with_state(call_back: str) -> str:
    parts = urlsplit(call_back)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != "state"]
    joined = urlencode(query)
    own = f"{joined}&state={STATE}" if joined else f"state={STATE}"
    return urlunsplit(parts._replace(query=own))


def services(settings: PagerDutySettings) -> Mapping[str, str]:
    """Return the services that have an Events key of their own: id -> name."""
    keys = events_keys(settings)
    return {service: keys[service].name or service for service in keys if service}


HANDSHAKE: Final[Handshake[PagerDutySettings]] = Handshake(
    start=start, complete=complete, services=services, label="Alert With PagerDuty"
)
