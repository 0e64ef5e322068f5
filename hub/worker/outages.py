"""What attempts tell of a connector as a whole: away, back, credentials refused."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from hub.connectors.clients import OpenConnector
from hub.connectors.states import ConnectorState
from hub.sdk.errors import AuthenticationFailed
from hub.worker.parts import Parts

_QUOTA_WAIT: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class ConnectorStates:
    """Sets the state of connectors after attempts."""

    parts: Parts

    async def answered(self, connector: OpenConnector) -> None:
        """Note that the vendor is there; a parked connector is used again."""
        was_parked = self.parts.limits.succeeded(connector.id)
        if not was_parked and connector.state is not ConnectorState.PARKED:
            return
        async with self.parts.database.transaction() as transaction:
            await self.parts.clients.states.unpark(transaction, connector.tenant_id, connector.id)
        self.parts.connectors.changed(connector.id)

    async def refused(self, connector: OpenConnector, error: Exception) -> None:
        """Hold the connector as a whole: credentials refused, or the quota used up."""
        states, until = self.parts.clients.states, getattr(error, "until", None)
        async with self.parts.database.transaction() as transaction:
            if isinstance(error, AuthenticationFailed):
                await states.needs_credentials(
                    transaction, connector.tenant_id, connector.id, str(error)
                )
            else:
                await states.park(
                    transaction,
                    connector.tenant_id,
                    connector.id,
                    until=until or self.parts.now() + _QUOTA_WAIT,
                    detail=str(error),
                )
        self.parts.connectors.changed(connector.id)

    async def met_outage(self, connector: OpenConnector, lane: str, error: Exception) -> bool:
        """Count a vendor that is away; True when the connector is parked by now."""
        park_s = self.parts.limits.failed(connector.id, lane)
        if park_s is None:
            return connector.state is ConnectorState.PARKED
        async with self.parts.database.transaction() as transaction:
            await self.parts.clients.states.park(
                transaction,
                connector.tenant_id,
                connector.id,
                until=self.parts.now() + timedelta(seconds=park_s),
                detail=str(error),
            )
        self.parts.connectors.changed(connector.id)
        return True
