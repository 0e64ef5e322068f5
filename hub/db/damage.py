"""A database file that is none any more."""

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Final

from sqlalchemy.exc import DatabaseError

from hub.errors import StartRefused

_DAMAGED: Final = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT})


@contextlib.contextmanager
def refusing_damage() -> Iterator[None]:
    """Turn what SQLite says of a damaged file into StartRefused, with what to do."""
    try:
        yield
    except DatabaseError as error:
        if getattr(error.orig, "sqlite_errorcode", None) not in _DAMAGED:
            raise
        raise StartRefused(
            f"The database file is damaged ({error.orig}). "
            "Restore hub.db in the data folder from a backup, with the master.key beside it."
        ) from error
