"""Deliveries whose events have all been worked, for those who observe."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from hub import ids
from hub.db.bulk import Kind, as_time, write_rows
from hub.sdk.events import DeliverySettled

_SETTLED: Final = """
SELECT d.id, c.type, d.received_at, count(e.id), max(e.state) FROM {rows}
JOIN deliveries d ON d.id = v.id JOIN connectors c ON c.id = d.connector_id
JOIN events e ON e.delivery_id = d.id
GROUP BY d.id, c.type, d.received_at
HAVING sum(CASE WHEN e.state = 'pending' THEN 1 ELSE 0 END) = 0"""


def settled(
    connection: Connection, deliveries: Iterable[int], now: datetime
) -> list[DeliverySettled]:
    """Return those of the deliveries that have nothing pending any more."""
    rows = write_rows(
        connection, _SETTLED, {"id": Kind.INT}, [(one,) for one in sorted(set(deliveries))]
    )
    found = []
    for number, kind, received, events, outcome in rows:
        received_at = as_time(received) or now
        found.append(
            DeliverySettled(
                id=ids.shown("dlv", number),
                connector_type=kind,
                events=events,
                outcome=outcome,
                took=(now - received_at).total_seconds(),
            )
        )
    return found
