"""The lines of a connector's test, in the order in which a failure explains the next."""

from difflib import SequenceMatcher
from typing import Final
from urllib.parse import urlsplit

import hub
from hub import Check
from hub_pagerduty import choices, errors, events_api, lookups, subscription
from hub_pagerduty.client import PagerDutyClient
from hub_pagerduty.settings import EventsKey, events_keys, is_eu

KEY_LENGTH: Final = 32
_NEAREST: Final = 3
_CURL: Final = (
    'curl -H "Authorization: Token token=YOUR_API_KEY" '
    '-H "Accept: application/vnd.pagerduty+json;version=2" https://api.pagerduty.com'
)
_NOBODYS_ALERT: Final = "integration-hub-check"
_TRY_THE_KEY: Final = (
    f"Try the key: {_CURL}/users. Refused there, too? Make a new key (Integrations, API Access "
    "Keys), then: hub connector update NAME --set api_key=-. Accepted? Then base_url is not "
    "that of the account."
)
_FIND_THE_SERVICE: Final = (
    f"hub connector choices NAME services lists what there is, as does {_CURL}/services. "
    "Then: hub connector update NAME --set service_id=…"
)
_FIT_THE_ACCOUNT: Final = (
    "Set subdomain to the first word of the account's web address; accounts in the EU need "
    "base_url=https://api.eu.pagerduty.com."
)
_UNUSABLE: Final = {"disabled", "maintenance"}


async def connected(client: PagerDutyClient) -> str:
    """Reach the API with the key."""
    if not client.has_rest:
        return "Events API only: no REST key to test"
    await client.get("/abilities")
    return "Connected to PagerDuty API"


async def authorised(client: PagerDutyClient) -> str:
    """Say which kind of key it is, and whether it may do what is needed."""
    if client.settings.client_id:
        return await _scopes(client)
    if not client.has_rest:
        return "Not needed: Events API only"
    try:
        me = await client.get_one("/users/me", "user")
    except errors.Refused as refused:
        if refused.answer.status != 400:
            raise
        return "Valid account API key"
    role = str(me.get("role") or "unknown")
    remark = "" if role in {"admin", "owner"} else ": webhooks may need a higher role"
    return f"Valid API key of user {me.get('email')} ({role}){remark}"


async def account_fits(client: PagerDutyClient) -> str:
    """Compare the account's own address with the subdomain and the region that are set."""
    if not client.has_rest:
        return "Not needed: Events API only"
    listed = await client.get("/users", [("limit", "1")])
    addresses = [urlsplit(str(one.get("html_url"))).hostname for one in listed.get("users") or ()]
    host = addresses[0] if addresses else None
    if host is None or not host.endswith(".pagerduty.com"):
        return "PagerDuty tells no address of the account"
    settings, subdomain = client.settings, host.partition(".")[0]
    if settings.subdomain and settings.subdomain != subdomain:
        raise hub.Rejected(f"The key belongs to account {subdomain!r}, not {settings.subdomain!r}.")
    region = "EU" if ".eu." in host else "US"
    if region != ("EU" if is_eu(settings) else "US"):
        raise hub.Rejected(f"The account lives in the {region}: base_url is the other region's.")
    return f"Account {subdomain} ({region})"


async def plan_allows(client: PagerDutyClient) -> str:
    """Name what the account's plan lacks."""
    if not client.has_rest:
        return "Not needed: Events API only"
    abilities = set((await client.get("/abilities")).get("abilities") or ())
    useful = ("urgencies", "teams", "coordinated_responding")
    lacking = [one for one in useful if one not in abilities]
    if not await lookups.priorities(client):
        lacking.append("priorities")
    if not lacking:
        return "The plan has everything the hub can use"
    return f"The plan lacks {', '.join(lacking)}: actions that need them are refused"


async def service_accessible(client: PagerDutyClient) -> str:
    """Find the default service."""
    wanted = client.settings.service_id
    if not wanted:
        return "No default service is set"
    try:
        found = await client.get_one(f"/services/{wanted}", "service")
    except hub.Gone as gone:
        nearest = await _nearest_service(client)
        raise hub.Gone(f"404, no such service.{nearest}") from gone
    if found.get("status") in _UNUSABLE:
        raise hub.Rejected(f"Service {wanted} is {found['status']}: it opens no incidents.")
    return f"Service {wanted} accessible"


async def from_user_valid(client: PagerDutyClient) -> str:
    """Find the user that the hub acts as."""
    email = client.settings.from_email
    if not email:
        return "No From e-mail is set: fine for a user's key only"
    if await client.person(email) is None:
        raise hub.Rejected(f"{email} is no user of this account.")
    return f"User {email} valid"


async def policy_found(client: PagerDutyClient) -> str:
    """Find the escalation policy."""
    wanted = client.settings.escalation_policy_id
    if not wanted:
        return "No escalation policy is set: each service's own is used"
    try:
        found = await client.get_one(f"/escalation_policies/{wanted}", "escalation_policy")
    except hub.Gone as gone:
        raise hub.Gone(f"404, no escalation policy {wanted}.") from gone
    return f"Escalation policy {found['id']} found"


async def webhook_secret_known(client: PagerDutyClient) -> str:
    """See that deliveries can be verified."""
    if not client.settings.enable_webhook:
        return "Webhooks are switched off"
    if client.settings.webhook_secret:
        return "Webhook secret set"
    if client.settings.webhook_legacy and client.settings.webhook_token:
        return "Token for V1 and V2 webhooks set; no secret for v3"
    raise hub.Rejected("No webhook secret is set.")


async def subscriptions_healthy(client: PagerDutyClient) -> str:
    """Find subscriptions that PagerDuty disabled, and legacy extensions that double events."""
    if not client.settings.enable_webhook or not client.has_rest:
        return "Not checked"
    subscribed = [one async for one in client.pages(subscription.PATH, "webhook_subscriptions")]
    disabled = [
        one["id"]
        for one in subscribed
        if (one.get("delivery_method") or {}).get("temporarily_disabled")
    ]
    if disabled:
        raise hub.Rejected(f"PagerDuty has disabled subscription {', '.join(disabled)} for a day.")
    urls = {(one.get("delivery_method") or {}).get("url") for one in subscribed}
    async for one in client.pages("/extensions", "extensions"):
        if one.get("endpoint_url") in urls:
            raise hub.Rejected(
                f"Extension {one.get('name')!r} delivers to the same URL: each change comes twice."
            )
    return f"Webhook subscriptions: {len(subscribed)}, none disabled"


async def events_keys_valid(client: PagerDutyClient) -> str:
    """Ask PagerDuty about the Events keys, by an event that changes nothing."""
    keys = events_keys(client.settings)
    if not keys:
        return "No Events API key is set"
    for service, one in keys.items():
        await _try_key(client, service or "default", one)
    return f"Events API keys: {len(keys)}, all valid"


async def _try_key(client: PagerDutyClient, service: str, one: EventsKey) -> None:
    # PagerDuty takes an acknowledgement of an alert that nobody has, and drops it.
    key = one.key.get_secret_value()
    if len(key) != KEY_LENGTH:
        raise hub.Rejected(f"The integration key of {service} is not 32 characters long.")
    try:
        if one.version == "v1":
            event = events_api.v1_event(key, "acknowledge", _NOBODYS_ALERT, {})
            await events_api.send_v1(client, event)
        else:
            event = events_api.v2_event(key, "acknowledge", _NOBODYS_ALERT, {})
            await events_api.send_v2(client, event)
    except errors.Refused as refused:
        said = refused.answer.said
        raise hub.Rejected(f"The integration key of {service} is not valid: {said}") from refused


async def rate_limit_left(client: PagerDutyClient) -> str:
    """Say how much of the rate limit is used."""
    if not client.has_rest:
        return "Not checked"
    await client.get("/abilities")
    quota = client.quota
    if quota is None or not quota.limit or quota.remaining is None:
        return "PagerDuty tells no rate limit"
    used = round(100 * (1 - quota.remaining / quota.limit))
    return f"Rate limit usage {used}% of {quota.limit} a minute"


async def _scopes(client: PagerDutyClient) -> str:
    await client.get("/abilities")
    missing = client.missing_scopes()
    if missing:
        raise hub.Rejected(f"The app was not granted: {', '.join(missing)}")
    return "Valid app token with all scopes"


async def _nearest_service(client: PagerDutyClient) -> str:
    wanted = client.settings.service_id.casefold()

    def likeness(one: hub.Choice) -> float:
        names = (one.value.casefold(), one.label.casefold())
        return max(SequenceMatcher(None, wanted, name).ratio() for name in names)

    found = sorted(await choices.services(client, ""), key=likeness, reverse=True)
    nearest = ", ".join(f"{one.value} {one.label}" for one in found[:_NEAREST])
    return f" Nearest: {nearest}" if nearest else ""


CHECKS: Final[tuple[Check[PagerDutyClient], ...]] = tuple(
    Check(name=name, label=label, run=run, fix=fix)
    for name, label, run, fix in (
        (
            "api",
            "PagerDuty API",
            connected,
            _TRY_THE_KEY,
        ),
        (
            "authentication",
            "Authentication",
            authorised,
            "Make a new key under Integrations, API Access Keys, and set api_key.",
        ),
        (
            "account",
            "Account",
            account_fits,
            _FIT_THE_ACCOUNT,
        ),
        ("plan", "Plan", plan_allows, "Ask PagerDuty about your plan."),
        (
            "service",
            "Default service",
            service_accessible,
            _FIND_THE_SERVICE,
        ),
        (
            "from_user",
            "From user",
            from_user_valid,
            "Set from_email to the e-mail of a PagerDuty user.",
        ),
        (
            "escalation_policy",
            "Escalation policy",
            policy_found,
            "Set escalation_policy_id to a policy of the account, or leave it empty.",
        ),
        (
            "webhook_secret",
            "Webhook secret",
            webhook_secret_known,
            "Enable the webhook, or set webhook_secret to the secret that PagerDuty showed.",
        ),
        (
            "subscriptions",
            "Webhook subscriptions",
            subscriptions_healthy,
            "Enable the subscription again; remove the extension that delivers to the same URL.",
        ),
        (
            "events_key",
            "Events API key",
            events_keys_valid,
            "Copy the integration key again from the service's integration.",
        ),
        ("rate_limit", "Rate limit", rate_limit_left, "Give each program its own key."),
    )
)
