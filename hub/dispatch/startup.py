"""What must be true before work begins."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from hub.db.bulk import Kind, as_json, as_time, insert_rows, query
from hub.errors import StartRefused

_KEY: Final = "shards"


def check_shards(connection: Connection, shards: int) -> None:
    """StartRefused when the inbox was filed with another number of shards; notes it if new."""
    rows = query(connection, "SELECT value FROM hub_meta WHERE key = ?", _KEY)
    if not rows:
        columns = {"key": Kind.TEXT, "value": Kind.JSON}
        row = (_KEY, f'{{"count": {shards}}}')
        insert_rows(connection, "hub_meta", columns, [row], suffix="ON CONFLICT DO NOTHING")
        return
    stored = as_json(rows[0][0])["count"]
    if stored != shards:
        raise StartRefused(
            f"The inbox has {stored} shards, the settings say {shards}. "
            f"Set HUB_DISPATCH__SHARDS={stored}, or stop all processes and run: "
            f"hub migrate --reshard {shards}"
        )


def weak_settings(connection: Connection) -> list[str]:
    """Return what in PostgreSQL's settings could lose accepted deliveries."""
    found = []
    for name in ("synchronous_commit", "fsync"):
        value = query(connection, f"SHOW {name}")[0][0]
        if value == "off":
            found.append(f"PostgreSQL has {name} off: a crash may lose accepted deliveries.")
    return found


def database_time(connection: Connection) -> datetime:
    """Return the database's clock."""
    found = as_time(query(connection, "SELECT clock_timestamp()")[0][0])
    assert found is not None  # noqa: S101 - a clock always answers
    return found
