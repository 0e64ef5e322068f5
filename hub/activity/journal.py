"""One way to write a line of the activity: a row for a Core insert, in the caller's commit."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from sqlalchemy import Connection, insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from hub import clock
from hub.activity.models import Activity
from hub.db.base import to_json
from hub.db.bulk import Columns, Kind, Write, inserting, write_all
from hub.logs import redactor

Level = Literal["debug", "info", "warning", "error"]
_COLUMNS: Final[Columns] = {
    "tenant_id": Kind.UUID,
    "at": Kind.TIME,
    "kind": Kind.TEXT,
    "level": Kind.TEXT,
    "connector_id": Kind.UUID,
    "correlation_id": Kind.UUID,
    "event_id": Kind.INT,
    "run_id": Kind.INT,
    "text": Kind.TEXT,
    "facts": Kind.JSON,
}
_LONGEST: Final = 4000


def line(  # noqa: PLR0913 - the columns of a line; all but the first three are optional
    tenant_id: uuid.UUID,
    kind: str,
    text: str,
    *,
    level: Level = "info",
    connector_id: uuid.UUID | None = None,
    correlation_id: uuid.UUID | None = None,
    event_id: int | None = None,
    run_id: int | None = None,
    facts: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the row of a line for people: what happened and why, without any secret."""
    shown = redactor.text(text)
    return {
        "tenant_id": tenant_id,
        "at": clock.now(),
        "kind": kind,
        "level": level,
        "connector_id": connector_id,
        "correlation_id": correlation_id,
        "event_id": event_id,
        "run_id": run_id,
        "text": shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…",
        "facts": redactor.value("", facts or {}),
    }


def new_lines(lines: Iterable[Mapping[str, Any]]) -> Write:
    """Insert lines: for transactions that write many rows at once."""
    rows = [
        (*(one[name] for name in _COLUMNS if name != "facts"), to_json(one["facts"]))
        for one in lines
    ]
    return inserting("activity", _COLUMNS, rows)


def store(connection: Connection, lines: Sequence[Mapping[str, Any]]) -> None:
    """Insert lines in the transaction of a plain connection."""
    write_all(connection, [new_lines(lines)])


async def write(transaction: AsyncSession | AsyncConnection, *lines: Mapping[str, Any]) -> None:
    """Insert lines in the caller's transaction."""
    if lines:
        await transaction.execute(insert(Activity), [dict(one) for one in lines])
