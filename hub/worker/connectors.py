"""The connectors that lanes use again and again, looked at twice a second and not each time."""

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from typing import Final

from hub.connectors.clients import Clients, OpenConnector
from hub.errors import NotFound

_KEPT_S: Final = 0.5


@dataclass(slots=True)
class _Kept:
    open: OpenConnector | None
    at: float


@dataclass(slots=True)
class Connectors:
    """Open connectors of a process; many lanes that ask at once cause one look."""

    clients: Clients
    _kept: dict[object, _Kept] = field(default_factory=dict)
    _looking: dict[object, asyncio.Task[OpenConnector | None]] = field(default_factory=dict)

    async def by_id(self, tenant_id: uuid.UUID, connector_id: uuid.UUID) -> OpenConnector | None:
        """Return a connector; None when it is gone."""
        kept = self._kept.get(connector_id)
        if kept is not None and time.monotonic() - kept.at < _KEPT_S:
            return kept.open
        return await self._look(connector_id, tenant_id, "")

    async def by_name(self, tenant: str, name: str) -> OpenConnector | None:
        """Return a connector by its name; None when there is none."""
        kept = self._kept.get((tenant, name))
        if kept is not None and time.monotonic() - kept.at < _KEPT_S:
            return kept.open
        return await self._look((tenant, name), None, tenant, name)

    def changed(self, connector_id: uuid.UUID) -> None:
        """Look at a connector anew before it is used again."""
        self.clients.changed(connector_id)
        for key, kept in list(self._kept.items()):
            if kept.open is not None and kept.open.id == connector_id:
                del self._kept[key]

    async def _look(
        self, key: object, tenant_id: uuid.UUID | None, tenant: str, name: str = ""
    ) -> OpenConnector | None:
        task = self._looking.get(key)
        if task is None:
            task = asyncio.create_task(self._open(key, tenant_id, tenant, name))
            self._looking[key] = task
            task.add_done_callback(lambda _: self._looking.pop(key, None))
        return await asyncio.shield(task)

    async def _open(
        self, key: object, tenant_id: uuid.UUID | None, tenant: str, name: str
    ) -> OpenConnector | None:
        opened: OpenConnector | None = None
        try:
            if tenant_id is not None and isinstance(key, uuid.UUID):
                opened = await self.clients.by_id(tenant_id, key)
            else:
                opened = await self.clients.by_name(tenant, name)
        except NotFound:
            opened = None
        self._kept[key] = _Kept(opened, time.monotonic())
        return opened
