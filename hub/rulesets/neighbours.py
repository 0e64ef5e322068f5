"""Tables that other domains keep and this one reads: found by name, never imported.

Their domains stand beside or above this one; their tables are fixed, their code is not.
"""

from sqlalchemy import Table

from hub.db.base import Base


def table(name: str) -> Table:
    """Return the table; every domain's models are loaded by whoever puts the hub together."""
    return Base.metadata.tables[name]


def is_there(name: str) -> bool:
    """Whether a domain that keeps this table is loaded."""
    return name in Base.metadata.tables
