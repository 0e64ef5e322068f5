"""The vendor's subscription that sends to this hub: make, look at, test, remove."""

from dataclasses import dataclass

from hub.connectors.calls import answered
from hub.connectors.clients import OpenConnector
from hub.connectors.service import ConnectorsService
from hub.errors import NotFound
from hub.sdk.connector_types import Subscription, SubscriptionState


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """One connector's subscription."""

    connector: OpenConnector
    service: ConnectorsService
    url: str

    async def ensure(self) -> SubscriptionState:
        """Make the subscription or keep the existing one; its secret is stored at once.

        A vendor shows the secret only when it makes the subscription, so storing it comes
        before everything else.
        """
        subscription = self._subscription
        async with answered(self.connector.name):
            state = await subscription.ensure(self.connector.client, self.url)
        await self.service.take_webhook_secret(
            self.connector.name, subscription.secret_field, state.secret
        )
        return state

    async def inspect(self) -> SubscriptionState | None:
        """Return the subscription as the vendor has it, or None."""
        async with answered(self.connector.name):
            return await self._subscription.inspect(self.connector.client, self.url)

    async def ping(self) -> str:
        """Have the vendor send a test event."""
        async with answered(self.connector.name):
            return await self._subscription.ping(self.connector.client, self.url)

    async def remove(self) -> None:
        """Remove the subscription at the vendor and accept no more webhooks."""
        async with answered(self.connector.name):
            await self._subscription.remove(self.connector.client, self.url)
        await self.service.webhook_removed(self.connector.name)

    @property
    def _subscription(self) -> Subscription[object]:
        subscription = self.connector.working_type.subscription
        if subscription is None:
            raise NotFound(
                f"{self.connector.type_name!r} can't make subscriptions: enter the webhook URL "
                f"{self.url} at the vendor."
            )
        return subscription
