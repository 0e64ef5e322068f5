"""Looking after webhooks: whether the vendor's subscription is there, and enabled."""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from hub.connectors.clients import OpenConnector
from hub.connectors.transport import vendor_call
from hub.deliveries.polls import Candidate, claim_watching
from hub.sdk.connector_types import Subscription
from hub.sdk.errors import ConnectorError
from hub.worker.parts import Parts

_log = logging.getLogger(__name__)
EVERY: Final = timedelta(minutes=1)
_AT_ONCE: Final = 8
_PATIENCE_S: Final = 15.0


@dataclass(slots=True)
class Watching:
    """Asks vendors once a minute; a subscription out of order is told, and polled around."""

    parts: Parts
    public_url: str
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def tick(self) -> None:
        """Begin to ask about connectors whose turn it is."""
        now, free = self.parts.now(), _AT_ONCE - len(self.tasks)
        types = self._types()
        if free <= 0 or not types:
            return
        found = await self.parts.store.write(
            lambda connection: claim_watching(connection, types, (now - EVERY, now), free)
        )
        for one in found:
            task = asyncio.create_task(self._look(one, now))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def stop(self) -> None:
        """Ask no more."""
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def _types(self) -> list[str]:
        types = self.parts.catalog.connector_types.values()
        return [one.name for one in types if one.subscription is not None]

    async def _look(self, one: Candidate, now: datetime) -> None:
        connector = await self.parts.connectors.by_id(one.tenant_id, one.connector_id)
        if connector is None or connector.type is None or not connector.is_ready:
            return
        if connector.type.subscription is None or not connector.enabled_webhook:
            return
        try:
            ok, detail = await self._inspect(connector, connector.type.subscription)
        except (ConnectorError, TimeoutError) as error:
            _log.info("no word of the webhook", extra={"connector": connector.name}, exc_info=error)
            return
        except Exception:  # noqa: BLE001 - a plugin's bug: shown, asked again later
            _log.exception("inspecting the webhook failed", extra={"connector": connector.name})
            return
        if ok is not connector.webhook_ok:
            await self._seen(connector, now, ok=ok, detail=detail)
        if not ok:
            await self._wake(connector, connector.type.subscription, now)

    async def _wake(
        self, connector: OpenConnector, subscription: Subscription[Any], now: datetime
    ) -> None:
        """Switch it on again where the vendor switched it off; what was missed is polled."""
        if subscription.wake is None:
            return
        try:
            with vendor_call():
                async with asyncio.timeout(_PATIENCE_S):
                    state = await subscription.wake(connector.client, self._url(connector))
        except (ConnectorError, TimeoutError) as error:
            _log.info("not woken", extra={"connector": connector.name}, exc_info=error)
            return
        if state is not None and state.active:
            await self._seen(connector, now, ok=True, detail="The hub switched it on again.")

    def _url(self, connector: OpenConnector) -> str:
        return f"{self.public_url}/t/{connector.tenant}/connectors/{connector.name}/webhook"

    async def _inspect(
        self, connector: OpenConnector, subscription: Subscription[Any]
    ) -> tuple[bool, str]:
        with vendor_call():
            async with asyncio.timeout(_PATIENCE_S):
                state = await subscription.inspect(connector.client, self._url(connector))
        if state is None:
            return False, "The vendor has no subscription to this hub."
        if not state.active:
            return False, f"The subscription is disabled at the vendor. {state.detail}".strip()
        return True, "The vendor's subscription is enabled."

    async def _seen(
        self, connector: OpenConnector, now: datetime, *, ok: bool, detail: str
    ) -> None:
        async with self.parts.database.transaction() as transaction:
            await self.parts.clients.states.webhook_seen(
                transaction, (connector.tenant_id, connector.id), ok=ok, detail=detail, now=now
            )
        self.parts.connectors.changed(connector.id)
