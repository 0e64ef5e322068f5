"""Deliveries that came before: counted at the first one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from hub.db.bulk import Kind, write_rows

_REPEATED: Final = """
UPDATE deliveries SET repeats = deliveries.repeats + v.times, repeated_at = v.at FROM {rows}
WHERE deliveries.id = v.id"""


def count_repeats(connection: Connection, times: Mapping[int, int], at: datetime | None) -> None:
    """Add how often each first delivery came again; it may have been stored just before."""
    if times:
        columns = {"id": Kind.INT, "at": Kind.TIME, "times": Kind.INT}
        write_rows(connection, _REPEATED, columns, sorted((one, at, n) for one, n in times.items()))
