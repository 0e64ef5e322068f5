"""Webhooks that really go out: signed, in order, tried again, given up."""

import asyncio
import hashlib
import hmac
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from hub_pagerduty.testing.clock import SimClock
from hub_pagerduty.testing.model import Extension, Json, Subscription, World

if TYPE_CHECKING:
    import httpx

OUT_OF_ORDER: Final = 56_320
LARGEST: Final = 262_144
GIVE_UP: Final = timedelta(hours=48)
DISABLED: Final = timedelta(hours=24)
DROPS: Final = 3

Tampering = Callable[["Delivery", dict[str, str], bytes], tuple[dict[str, str], bytes] | None]


@dataclass(slots=True)
class Delivery:
    """A webhook on its way, with its attempts."""

    id: str
    target: Subscription | Extension
    kind: str
    body: bytes
    queue: tuple[str, str]
    first_at: datetime
    attempts: list[Json] = field(default_factory=list)
    state: str = "waiting"

    def shown(self) -> Json:
        """Return it as the control API shows it."""
        return {
            "id": self.id,
            "target": self.target.id,
            "url": self.target.url,
            "event_type": self.kind,
            "state": self.state,
            "attempts": self.attempts,
            "body": json.loads(self.body),
        }


class Dispatcher:
    """Delivers with PagerDuty's rules: one queue for each subscription and incident."""

    def __init__(self, world: World, clock: SimClock) -> None:
        self.world, self._clock = world, clock
        self.deliveries: list[Delivery] = []
        self.paused = False
        self.tamper: list[Tampering] = []
        self.client: Callable[[], httpx.AsyncClient] | None = None
        self._queues: dict[tuple[str, str], deque[Delivery]] = {}
        self._busy: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._resting: set[tuple[str, str]] = set()
        self._http: httpx.AsyncClient | None = None

    def send(self, target: Subscription | Extension, kind: str, about: str, content: Json) -> None:
        """Queue a webhook; nothing is queued for a target that is disabled."""
        if self._is_disabled(target):
            return
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        if len(body) > LARGEST:
            return
        own_queue = about if len(body) <= OUT_OF_ORDER else self.world.ids.hexadecimal()
        delivery = Delivery(
            id=self.world.ids.uuid(),
            target=target,
            kind=kind,
            body=body,
            queue=(target.id, own_queue),
            first_at=self._clock.now(),
        )
        self.deliveries.append(delivery)
        self._queues.setdefault(delivery.queue, deque()).append(delivery)
        if delivery.queue not in self._resting:
            self.kick(delivery.queue)

    def replay(self, id: str) -> None:
        """Send a delivery once more, with its id."""
        for one in self.deliveries:
            if one.id == id:
                one.state, one.first_at = "waiting", self._clock.now()
                self._queues.setdefault(one.queue, deque()).append(one)
                self.kick(one.queue)

    def kick(self, queue: tuple[str, str] | None = None) -> None:
        """Let a queue, or all of them, go on."""
        for one in [queue] if queue else list(self._queues):
            if self.paused or one in self._busy or not self._queues.get(one):
                continue
            if one in self._resting and queue is None:
                continue
            try:
                self._busy[one] = asyncio.get_running_loop().create_task(self._drain(one))
            except RuntimeError:  # no loop runs: the next request kicks
                return

    async def settle(self, seconds: float = 5.0) -> None:
        """Wait until nothing is on its way; what waits for a retry stays."""
        until = time.monotonic() + seconds
        while self._busy and time.monotonic() < until:
            await asyncio.wait(list(self._busy.values()), timeout=0.05)

    async def close(self) -> None:
        """Drop everything and let go of connections."""
        for task in list(self._busy.values()):
            task.cancel()
        await asyncio.gather(*self._busy.values(), return_exceptions=True)
        self._busy.clear()
        self._queues.clear()
        if self._http:
            await self._http.aclose()
            self._http = None

    def forget(self) -> None:
        """Drop what waits and what went out."""
        self._queues.clear()
        self._resting.clear()
        self.deliveries.clear()

    # ------------------------------------------------------------------- inside

    async def _drain(self, queue: tuple[str, str]) -> None:
        try:
            while self._queues.get(queue) and not self.paused:
                delivery = self._queues[queue][0]
                again = await self._attempt(delivery)
                waiting = self._queues.get(queue)
                if again is not None:
                    self._rest(queue, again)
                    return
                if waiting and waiting[0] is delivery:
                    waiting.popleft()
        finally:
            self._busy.pop(queue, None)

    def _rest(self, queue: tuple[str, str], seconds: float) -> None:
        """Leave a queue alone until it is time to try again."""
        self._resting.add(queue)

        def go_on() -> None:
            self._resting.discard(queue)
            self.kick(queue)

        self._clock.after(seconds, go_on)

    async def _attempt(self, delivery: Delivery) -> float | None:
        """Try once; return the seconds to wait before trying again, None when it is over."""
        began = time.monotonic()
        status, error = await self._post(delivery)
        delivery.attempts.append(
            {
                "at": self._clock.now().isoformat(),
                "status": status,
                "error": error,
                "took_ms": round((time.monotonic() - began) * 1000),
            }
        )
        if status and 200 <= status < 300:
            delivery.state, delivery.target.drops = "delivered", 0
            return None
        retried = status is None or status >= 500 or status == 429
        if retried and self._clock.now() - delivery.first_at < GIVE_UP:
            waits = self.world.switches.retry_after
            delivery.state = "retrying"
            return waits[min(len(delivery.attempts), len(waits)) - 1]
        self._drop(delivery)
        return None

    def _drop(self, delivery: Delivery) -> None:
        delivery.state = "dropped"
        target = delivery.target
        target.drops += 1
        if target.drops < DROPS:
            return
        target.disabled_until = self._clock.now() + DISABLED
        for queue, waiting in self._queues.items():
            if queue[0] == target.id:
                waiting.clear()

    async def _post(self, delivery: Delivery) -> tuple[int | None, str | None]:
        import httpx  # noqa: PLC0415 - only a simulator that sends needs it

        headers, body = self._headers(delivery), delivery.body
        for tamper in list(self.tamper):
            changed = tamper(delivery, headers, body)
            if changed is None:
                return None, "lost"
            headers, body = changed
        if self._http is None:
            self._http = self.client() if self.client else httpx.AsyncClient(trust_env=False)
        try:
            answer = await self._http.post(
                delivery.target.url,
                content=body,
                headers=headers,
                timeout=self.world.switches.timeout,
            )
        except httpx.HTTPError as error:
            return None, f"{type(error).__name__}: {error}"
        except httpx.InvalidURL as error:
            return 400, str(error)
        return answer.status_code, None

    def _headers(self, delivery: Delivery) -> dict[str, str]:
        target = delivery.target
        headers = {
            "Content-Type": "application/json",
            "X-Webhook-Id": delivery.id,
            **{str(one["name"]): str(one["value"]) for one in target.headers},
        }
        if isinstance(target, Extension):
            return headers | {"User-Agent": "PagerDuty-Webhook/V2.0"}
        signatures = [
            "v1=" + hmac.new(secret.encode(), delivery.body, hashlib.sha256).hexdigest()
            for secret in target.secrets
        ]
        return headers | {
            "User-Agent": "PagerDuty-Webhook/V3.0",
            "X-PagerDuty-Signature": ",".join(signatures),
            "X-Webhook-Subscription": target.id,
        }

    def _is_disabled(self, target: Subscription | Extension) -> bool:
        if target.disabled_until and target.disabled_until > self._clock.now():
            return True
        if target.disabled_until:
            target.disabled_until, target.drops = None, 0
        return False
