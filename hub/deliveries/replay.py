"""Working a stored delivery again: read anew by today's plugin, at the end of its lanes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from hub.connectors.clients import Clients, OpenConnector
from hub.correlations.values import pack, unpack_event
from hub.deliveries.filing import Accepted, Filing, NewEvent
from hub.deliveries.models import Delivery, InboxEvent
from hub.deliveries.reading import ReadDelivery, new_event, read_delivery
from hub.errors import ConnectorBroken
from hub.ids import NewId, new_id
from hub.sdk.connector_types import WebhookRequest


class Files(Protocol):
    """Stores deliveries; the intake does."""

    async def file(self, filing: Filing) -> Accepted:
        """Store one."""
        ...


@dataclass(frozen=True, slots=True)
class Replays:
    """Files stored deliveries anew."""

    clients: Clients
    files: Files
    new_id: NewId = new_id

    async def again(self, delivery: Delivery, events: Sequence[InboxEvent], mode: str) -> Accepted:
        """File a delivery anew; its events repeat the stored ones in their order.

        A webhook is read again by today's plugin, other deliveries repeat their events.
        """
        connector = await self.clients.by_id(delivery.tenant_id, delivery.connector_id)
        mark = f"replay/{delivery.id}/{self.new_id().hex}"
        read = _read_anew(connector, delivery, events)
        return await self.files.file(
            Filing(
                tenant_id=delivery.tenant_id,
                connector_id=delivery.connector_id,
                key=mark,
                received_at=self.clients.clock(),
                source="replay",
                headers=pack(delivery.headers),
                body=delivery.body,
                state=read.state,
                detail=read.detail,
                events=_marked(read.events, events, mark, mode),
                replay_of=delivery.replay_of or delivery.id,
            )
        )


def _read_anew(
    connector: OpenConnector, delivery: Delivery, events: Sequence[InboxEvent]
) -> ReadDelivery:
    if delivery.body is None:
        stored = tuple(new_event(unpack_event(event.body)) for event in events)
        return ReadDelivery(
            key="", state="accepted" if stored else "ignored", detail=None, events=stored
        )
    if connector.type is None or connector.type.receiver is None:
        raise ConnectorBroken(f"Nothing in working order reads deliveries of {connector.name!r}.")
    request = WebhookRequest(headers=delivery.headers, body=delivery.body)
    return read_delivery(connector.type.receiver, request)


def _marked(
    read: Sequence[NewEvent], stored: Sequence[InboxEvent], mark: str, mode: str
) -> tuple[NewEvent, ...]:
    by_place = {(event.delivery_index, event.trigger, event.record_id): event for event in stored}
    marked = []
    for index, event in enumerate(read):
        first = by_place.get((index, event.trigger, event.record.id))
        marked.append(
            replace(
                event,
                key=f"{mark}/{event.key}",
                mark=None,
                replay_of=(first.replay_of or first.id) if first is not None else None,
                replay_mode=mode if first is not None else None,
            )
        )
    return tuple(marked)
