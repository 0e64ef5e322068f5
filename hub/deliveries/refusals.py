"""What the activity tells of deliveries that were refused, or could not be read."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from hub import ids
from hub.activity import journal

if TYPE_CHECKING:
    from hub.deliveries.filing import Filing

_EVERY: Final = timedelta(minutes=1)


@dataclass(slots=True)
class _Refused:
    tenant_id: uuid.UUID
    count: int = 0
    detail: str = ""
    told_at: datetime | None = None


@dataclass(slots=True)
class Refusals:
    """Counts refused deliveries; tells of them at most once a minute, connector and reason.

    So nobody who sends rubbish can fill the activity.
    """

    _seen: dict[tuple[uuid.UUID, str], _Refused] = field(default_factory=dict)

    def note(self, tenant_id: uuid.UUID, connector_id: uuid.UUID, reason: str, detail: str) -> None:
        """Count a delivery that was refused; the last detail is told."""
        one = self._seen.setdefault((connector_id, reason), _Refused(tenant_id))
        one.count, one.detail = one.count + 1, detail

    def due(self, now: datetime) -> list[dict[str, Any]]:
        """Return the activity's lines that are due, and forget what is long told."""
        lines = []
        for (connector, reason), one in list(self._seen.items()):
            if one.told_at is not None and now - one.told_at < _EVERY:
                continue
            if not one.count:
                del self._seen[connector, reason]
                continue
            many = "A delivery was" if one.count == 1 else f"{one.count} deliveries were"
            lines.append(
                journal.line(
                    one.tenant_id,
                    "delivery",
                    f"{many} refused ({reason}): {one.detail}",
                    level="warning",
                    connector_id=connector,
                    facts={"reason": reason, "count": one.count},
                )
            )
            one.told_at, one.count = now, 0
        return lines


def unreadable_lines(filings: Sequence[tuple[int, "Filing"]]) -> list[dict[str, Any]]:
    """Return a line for each new delivery (id, filing) that could not be read."""
    return [
        journal.line(
            filing.tenant_id,
            "delivery",
            f"The delivery {ids.shown('dlv', number)} can't be read: {filing.detail} "
            "It is kept, and can be replayed.",
            level="warning",
            connector_id=filing.connector_id,
            facts={"delivery": ids.shown("dlv", number), "reason": "unreadable"},
        )
        for number, filing in filings
        if filing.state == "unreadable"
    ]
