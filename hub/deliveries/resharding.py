"""Filing the inbox anew for another number of shards, while no process works."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from hub.db.bulk import Kind, insert_rows, query, write_rows
from hub.dispatch.lanes import shard_of

_MOVED: Final = (
    "UPDATE events SET shard = v.shard FROM {rows} "
    "WHERE events.shard IN (SELECT id FROM shards) AND events.lane = v.lane "
    "AND events.state = 'pending'"
)
_HELD: Final = "UPDATE holds SET shard = v.shard FROM {rows} WHERE holds.lane = v.lane"


def reshard(connection: Connection, shards: int, now: datetime) -> int:
    """Give every waiting lane its place among so many shards; return how many lanes there are.

    All processes have to be stopped. Shards keep their numbers, so old wake-ups stay harmless;
    the next process wakes what waits.
    """
    rows = query(
        connection,
        "SELECT lane FROM events WHERE state = 'pending' UNION SELECT lane FROM holds",
    )
    placed = [(row[0], shard_of(row[0], shards)) for row in rows]
    columns = {"lane": Kind.TEXT, "shard": Kind.INT}
    write_rows(connection, _MOVED, columns, placed)
    write_rows(connection, _HELD, columns, placed)
    query(
        connection,
        "UPDATE shards SET scheduled = false, owner = NULL, due_at = NULL, "
        "wake_no = wake_no + 1, epoch = epoch + 1, updated_at = ?",
        now,
    )
    known = {"id": Kind.INT, "scheduled": Kind.BOOL, "updated_at": Kind.TIME}
    fresh = [(number, False, now) for number in range(shards)]
    insert_rows(connection, "shards", known, fresh, suffix="ON CONFLICT DO NOTHING")
    insert_rows(
        connection,
        "hub_meta",
        {"key": Kind.TEXT, "value": Kind.JSON},
        [("shards", f'{{"count": {shards}}}')],
        suffix="ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )
    return len(placed)
