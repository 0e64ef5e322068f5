"""The simulated account and what arrives at it."""

import secrets
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from hub_pagerduty.testing.clock import SimClock
from hub_pagerduty.testing.dispatch import Dispatcher
from hub_pagerduty.testing.faults import Faults
from hub_pagerduty.testing.lifecycle import Lifecycle, Refusal
from hub_pagerduty.testing.messages import Messages
from hub_pagerduty.testing.model import (
    Ids,
    Incident,
    Json,
    Key,
    LogEntry,
    Ref,
    Service,
    Subscription,
    World,
)
from hub_pagerduty.testing.routes import Asked, find_route
from hub_pagerduty.testing.seed import add_incidents, demo_world
from hub_pagerduty.testing.show import Show

if TYPE_CHECKING:
    from hub_pagerduty.testing.consents import Consent

_KEPT: Final = 20_000
_OLD: Final = timedelta(minutes=2)
CUSTOM: Final = "incident.custom"
"""A custom action has a V2 message and no v3 event."""


class FakePagerDuty:
    """One PagerDuty account in memory.

    `requests` holds every request to the vendor's APIs, `dispatcher.deliveries` every webhook,
    `events` what came by the Events APIs and why it was dropped, if it was. With `fresh` what is
    made has ids that no earlier run had, as a hub that keeps its data knows those.
    """

    def __init__(
        self, world: World | None = None, *, fixed: datetime | None = None, fresh: bool = False
    ) -> None:
        self._fresh = fresh
        self.clock = SimClock(fixed)
        self.faults = Faults()
        self.requests: list[Json] = []
        self.events: list[Json] = []
        self.consents: dict[str, Consent] = {}
        self.refreshes: dict[str, Consent] = {}
        if world is None:
            self._begin_with_demo()
        else:
            self._begin(world)

    def _begin(self, world: World) -> None:
        self.world = world
        self.show = Show(world)
        self.messages = Messages(self.show)
        self.dispatcher = Dispatcher(world, self.clock)
        self.lifecycle = Lifecycle(world, self.clock, self._emit)

    def _begin_with_demo(self) -> None:
        self._begin(demo_world())
        if not self._fresh:
            add_incidents(self.lifecycle)
            return
        with self.clock.behind(_OLD):  # before any connector that is added now
            add_incidents(self.lifecycle)
        self.world.ids = Ids(secrets.token_hex(8))

    def reset(self) -> None:
        """Begin again with the demo account and its settings; recordings go too."""
        switches, origin = self.world.switches, self.show.origin
        sender = self.dispatcher.client
        self.dispatcher.forget()
        self.clock.clear()
        self.faults.clear()
        self.requests.clear()
        self.events.clear()
        self._begin_with_demo()
        self.world.switches, self.show.origin, self.dispatcher.client = switches, origin, sender

    async def close(self) -> None:
        """Stop timers and deliveries."""
        self.clock.stop()
        await self.dispatcher.close()

    # ---------------------------------------------------------------- REST calls

    def answer(self, asked: Asked, sender: str) -> tuple[int, Json | None, str]:
        """Answer a REST request: status, body, and the operation's template."""
        found = find_route(asked.method, asked.path)
        if found is None:
            return 404, error(404, 2100, "Not Found"), ""
        route, asked.params = found
        name = f"{route.method} {route.template}"
        try:
            self._permit(asked, route.scope)
            asked.actor = self._actor(asked.key, sender, needed=route.needs_from)
            status, body = route.run(asked)
        except Refusal as refusal:
            body = error(refusal.status, refusal.code, refusal.message, refusal.errors)
            return refusal.status, body, name
        return status, body, name

    def key_of(self, authorization: str) -> Key | None:
        """Return the key of an Authorization header; None when it opens nothing."""
        scheme, _, rest = authorization.partition(" ")
        token = rest.removeprefix("token=") if rest.startswith("token=") else rest
        found = self.world.keys.get(token)
        if found is None or (found.expires and found.expires <= self.clock.now()):
            return None
        exact = "Bearer" if found.bearer else "Token"
        if scheme != exact or (not found.bearer and not rest.startswith("token=")):
            return None
        return found

    def limited(self, key: Key) -> dict[str, str] | None:
        """Count a request; return the rate headers, or None when it is one too many."""
        now, limit = self.clock.now(), self.world.switches.rate_limit
        key.used = [at for at in key.used if now - at < timedelta(seconds=60)]
        reset = 60 - int((now - key.used[0]).total_seconds()) if key.used else 60
        if len(key.used) >= limit:
            return None
        key.used.append(now)
        return self.rate_headers(limit - len(key.used), reset)

    def rate_headers(self, remaining: int, reset: int) -> dict[str, str]:
        """Return the three headers."""
        if not self.world.switches.rate_headers:
            return {}
        return {
            "ratelimit-limit": str(self.world.switches.rate_limit),
            "ratelimit-remaining": str(remaining),
            "ratelimit-reset": str(reset),
        }

    def wait_of(self, key: Key) -> int:
        """Return after how many seconds the key may ask again."""
        if not key.used:
            return 1
        return max(1, 60 - int((self.clock.now() - key.used[0]).total_seconds()))

    def record(self, **request: Any) -> None:  # noqa: ANN401 - the log's columns
        """Keep a request for whoever looks."""
        number = self.requests[-1]["n"] + 1 if self.requests else 1
        self.requests.append({"n": number, "at": self.clock.now().isoformat(), **request})
        del self.requests[:-_KEPT]

    def _permit(self, asked: Asked, scope: str) -> None:
        key = asked.key
        if key.kind == "read_only" and asked.method != "GET":
            raise Refusal(403, 2010, "Access Denied")
        if key.bearer and scope and scope not in key.scopes:
            raise Refusal(403, 2010, "Access Denied", f"Scope {scope} is required")

    def _actor(self, key: Key, sender: str, *, needed: bool) -> Ref | None:
        if key.kind == "user" and key.user:
            return Ref("user", key.user)
        if not sender:
            if needed:
                text = (
                    'You must specify a user\'s email address in the "From" header to perform '
                    "this action"
                )
                raise Refusal(400, 2016, text)
            return None
        user = self.world.user_by_email(sender)
        if user:
            return Ref("user", user.id)
        if not needed:
            return None
        if "@" not in sender:
            raise Refusal(400, 1028, 'Malformed "From" header')
        raise Refusal(400, 1008, "Requester User Not Found")

    # ------------------------------------------------------------------- emitting

    def _emit(
        self,
        kind: str,
        it: Incident,
        agent: Ref | None,
        more: Json | None,
        entries: Sequence[LogEntry],
    ) -> None:
        now = self.clock.now()
        if kind != CUSTOM:
            event = self.messages.event(
                kind, self._event_id(kind), now, agent, self.messages.data(it, more)
            )
            self._send_v3(kind, it.id, it.service, event)
        for extension in list(self.world.extensions.values()):
            if it.service not in extension.services:
                continue
            message = self.messages.older(extension, kind, now, it, entries)
            if message:
                self.dispatcher.send(extension, kind, it.id, message)

    def custom_action(self, it: Incident, agent: Ref, name: str) -> None:
        """Press the button of a custom action."""
        entry = self.lifecycle.log(it, "custom", agent, title=name)
        self._emit(CUSTOM, it, agent, None, [entry])

    def emit_service(
        self, kind: str, it: Service, agent: Ref | None, data: Json | None = None
    ) -> None:
        """Send a service event."""
        content = data or self.messages.service(it)
        event = self.messages.event(kind, self.world.ids.event(), self.clock.now(), agent, content)
        self._send_v3(kind, it.id, it.id, event)

    def ping(self, subscription: Subscription, agent: Ref | None) -> None:
        """Send a test event to one subscription."""
        data = {"message": "Hello from your friend Pagey!", "type": "ping"}
        event = self.messages.event(
            "pagey.ping", self.world.ids.event(), self.clock.now(), agent, data
        )
        self.dispatcher.send(subscription, "pagey.ping", "ping", event)

    def _event_id(self, kind: str) -> str:
        if kind.startswith("incident.workflow."):
            return str(int(self.world.ids.hexadecimal(15), 16))
        return self.world.ids.event()

    def _send_v3(self, kind: str, about: str, service: str, event: Json) -> None:
        for one in list(self.world.subscriptions.values()):
            if one.active and kind in one.events and self._wants(one, service):
                self.dispatcher.send(one, kind, about, event)

    def _wants(self, it: Subscription, service: str) -> bool:
        kind, wanted = it.filter.get("type"), it.filter.get("id")
        if kind == "service_reference":
            return bool(wanted == service)
        if kind == "team_reference":
            found = self.world.services.get(service)
            return bool(found and wanted in found.teams)
        return True


def error(status: int, code: int, message: str, errors: Sequence[str] = ()) -> Json:
    """Return an error body in its usual shape."""
    body: Json = {"message": message, "code": code}
    if errors:
        body["errors"] = list(errors)
    return {"error": body} if status else {}


def elapsed(began: float) -> int:
    """Return the milliseconds since a moment of the monotonic clock."""
    return round((time.monotonic() - began) * 1000)
