"""Where a plugin's client leaves secrets that the vendor replaced while it was used."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hub import logs

if TYPE_CHECKING:
    from hub.connectors.clients import Clients

BY: Final = "the vendor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """One connector's secrets, for its client.

    The connector's row stays as it is: nobody opens it anew, for the client that has the new
    secret goes on with its session. Other processes find it here when their own is refused.
    """

    clients: "Clients"
    tenant_id: uuid.UUID
    connector_id: uuid.UUID

    async def keep(self, secrets: Mapping[str, str]) -> None:
        """Seal and store the secrets; one that lay elsewhere lies in the hub from now on."""
        async with self.clients.database.writing() as session:
            store = self.clients.store(session, self.tenant_id)
            for name, value in secrets.items():
                await store.put(self.connector_id, name, value, by=BY, backends={})
        logs.redactor.add(tuple(secrets.values()))

    async def current(self) -> Mapping[str, str]:
        """Return the secrets as they are stored now, references followed."""
        async with self.clients.database.reading() as session:
            opened = await self.clients.store(session, self.tenant_id).opened(self.connector_id)
        return await self.clients.resolved(opened, fresh=True)
