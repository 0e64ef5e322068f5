"""Timers that come due, each handed to what registered for its kind."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from hub.db.commits import Connection
from hub.deliveries.filing import Filing
from hub.deliveries.intake import Intake
from hub.dispatch.timers import Due, due_timers, put_off, rearm
from hub.worker.parts import Parts

_log = logging.getLogger(__name__)
Handler: TypeAlias = Callable[[Due], Filing | None]
"""Returns the delivery that a due timer is; None: there is nothing to file."""


@dataclass(slots=True)
class Timing:
    """The timers of a process. A timer's event and its next time are one transaction."""

    parts: Parts
    intake: Intake
    handlers: dict[str, Handler] = field(default_factory=dict)

    def on(self, kind: str, handler: Handler) -> None:
        """Have timers of a kind made into deliveries by this function."""
        self.handlers[kind] = handler

    async def tick(self) -> None:
        """File what is due."""
        now = self.parts.now()
        for due in await self.parts.store.read(lambda connection: due_timers(connection, now)):
            await self._fire(due)

    async def _fire(self, due: Due) -> None:
        now = self.parts.now()
        handler = self.handlers.get(due.kind)
        try:
            filing = handler(due) if handler is not None else None
        except Exception:  # noqa: BLE001 - a handler's bug must not stop the others
            _log.exception("timer failed", extra={"kind": due.kind, "key": due.key})
            await self.parts.store.write(lambda connection: put_off(connection, due, now))
            return

        def over(connection: Connection) -> None:
            rearm(connection, due, now)

        if filing is None:
            await self.parts.store.write(over)
            return
        accepted = await self.intake.file(_marked(filing, due, over))
        if accepted.repeated:
            await self.parts.store.write(over)


def _marked(filing: Filing, due: Due, over: Callable[[Connection], None]) -> Filing:
    return Filing(
        tenant_id=filing.tenant_id,
        connector_id=filing.connector_id,
        key=due.mark,
        received_at=filing.received_at,
        source="timer",
        body=filing.body,
        events=filing.events,
        also=over,
    )
