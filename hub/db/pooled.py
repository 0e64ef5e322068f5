"""PostgreSQL behind a pooler in transaction mode: each transaction may meet another session.

Nothing is kept in a session then: no prepared statements (asyncpg parses each anew, without a
name, in one message with what runs it), no settings (they come with each BEGIN), no listening.
"""

from typing import Any, Final

import asyncpg

_UNNAMED: Final = {"statement_cache_size": 0}


class CleanConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg tells no types
    """A connection of a pool in whose sessions nobody sets anything: none is to be reset."""

    def get_reset_query(self) -> str:
        """Return nothing: it would be a round trip after each statement."""
        return ""


class PooledConnection(CleanConnection):
    """A connection whose transactions bring the server's settings along, at no further cost."""

    idle_ms = "60000"

    async def execute(self, query: str, *args: object, **how: Any) -> str:  # noqa: ANN401 - asyncpg's own
        """Run it; a BEGIN says, too, how long the transaction may stand still."""
        if query.startswith("BEGIN"):
            query += f" SET LOCAL idle_in_transaction_session_timeout = {self.idle_ms}"
        told: str = await super().execute(query, *args, **how)
        return told


def options(idle_ms: str = PooledConnection.idle_ms) -> dict[str, Any]:
    """Return what `asyncpg.connect` is told, so that it gets on with a pooler."""
    kind = type("PooledConnection", (PooledConnection,), {"idle_ms": idle_ms})
    return {**_UNNAMED, "connection_class": kind}
