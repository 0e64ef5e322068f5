"""The start of a process that has the database for itself."""

from datetime import datetime

from sqlalchemy import Connection

from hub.db.bulk import query
from hub.dispatch import shards
from hub.dispatch.port import Driver, Inbox


def restart(connection: Connection, driver: Driver, inbox: Inbox, now: datetime) -> int:
    """Forget what a former process had in work and wake every shard that has something.

    Return how many shards are woken, now or when the first of their holds ends.
    """
    query(connection, "UPDATE shards SET scheduled = false, owner = NULL, due_at = NULL")
    workable, sleeping = [], []
    for (shard,) in query(connection, "SELECT id FROM shards"):
        if inbox.workable(connection, shard, now):
            workable.append(shard)
            continue
        due = shards.next_due(connection, shard, now)
        if due is not None:
            sleeping.append((shard, due))
    shards.schedule(connection, driver, workable, now)
    for shard, due in sleeping:
        shards.renew(connection, driver, shard, now, due)
    return len(workable) + len(sleeping)
