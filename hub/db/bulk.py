"""Many rows in one statement, the same way on both databases.

The inbox and the ledger write hundreds of rows a transaction. One statement each, without
the ORM: rows come in as a table of values (`VALUES` in SQLite, arrays in PostgreSQL).
"""

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection

Rows: TypeAlias = Sequence[Sequence[Any]]

_VARIABLES: Final = 30_000
"""SQLite's limit of bound values in one statement is 32,766."""


class Kind(StrEnum):
    """The type of a column of rows that come in."""

    INT = "bigint"
    TEXT = "text"
    UUID = "uuid"
    TIME = "timestamptz"
    BOOL = "boolean"
    BYTES = "bytea"
    JSON = "jsonb"
    """Already JSON text."""
    FLOAT = "double precision"


Columns: TypeAlias = dict[str, Kind]


def write_rows(connection: Connection, template: str, columns: Columns, rows: Rows) -> list[Any]:
    """Run the statement over the rows; return what it returns.

    `{rows}` in the template stands for a table with these columns, to be selected from.
    """
    if not rows:
        return []
    if connection.dialect.name == "postgresql":
        return _returned(connection, _postgres(template, tuple(columns.items())), _arrays(rows))
    found: list[Any] = []
    converters = _converters(tuple(columns.values()))
    for part in _parts(rows, len(columns)):
        sql = _sqlite(template, tuple(columns), len(part))
        found += _returned(connection, sql, _flat(part, converters))
    return found


def insert_rows(
    connection: Connection, table: str, columns: Columns, rows: Rows, *, suffix: str = ""
) -> list[Any]:
    """Insert the rows; `suffix` is what follows (ON CONFLICT …, RETURNING …)."""
    names = ", ".join(f'"{name}"' for name in columns)
    chosen = ", ".join(f'v."{name}"' for name in columns)
    template = (
        f"INSERT INTO {table} ({names}) "  # noqa: S608 - names come from our own modules
        f"SELECT {chosen} FROM {{rows}} WHERE true {suffix}"
    )
    return write_rows(connection, template, columns, rows)


def take_ids(connection: Connection, table: str, count: int) -> list[int]:
    """Return the next ids of a table, ascending; nobody else gets them."""
    if not count:
        return []
    if connection.dialect.name == "postgresql":
        sql = "SELECT nextval(pg_get_serial_sequence($1, 'id')) FROM generate_series(1, $2::bigint)"
        return sorted(row[0] for row in connection.exec_driver_sql(sql, (table, count)))
    row = connection.exec_driver_sql(
        "SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)
    ).first()
    first = row[0] if row else 0
    return list(range(first + 1, first + 1 + count))


def query(connection: Connection, sql: str, *values: Any) -> list[Any]:  # noqa: ANN401 - bound values
    """Run a statement written with `?`; return its rows."""
    if connection.dialect.name == "postgresql":
        return _returned(connection, _numbered(sql), values)
    return _returned(connection, sql, tuple(_sqlite_value(value) for value in values))


@lru_cache(maxsize=1024)
def as_uuid(value: Any) -> uuid.UUID:  # noqa: ANN401 - UUID or hex, by database
    """Read a UUID column."""
    return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))


def as_time(value: Any) -> datetime | None:  # noqa: ANN401 - datetime or text, by database
    """Read a time column."""
    return value if value is None or isinstance(value, datetime) else datetime.fromisoformat(value)


def as_json(value: Any) -> Any:  # noqa: ANN401 - whatever was stored
    """Read a JSON column."""
    return json.loads(value) if isinstance(value, str | bytes) else value


def _returned(connection: Connection, sql: str, values: Sequence[Any]) -> list[Any]:
    result = connection.exec_driver_sql(sql, tuple(values))
    if not result.returns_rows:
        return []
    return list(result.fetchall())


@lru_cache(maxsize=512)
def _postgres(template: str, columns: tuple[tuple[str, Kind], ...]) -> str:
    arrays = ", ".join(
        f"${n}::{'text' if kind is Kind.JSON else kind}[]" for n, (_, kind) in enumerate(columns, 1)
    )
    names = ", ".join(f'"{name}"' for name, _ in columns)
    chosen = ", ".join(
        f'"{name}"::jsonb AS "{name}"' if kind is Kind.JSON else f'"{name}"'
        for name, kind in columns
    )
    table = f"(SELECT {chosen} FROM unnest({arrays}) AS u({names})) AS v"  # noqa: S608 - our names
    return template.replace("{rows}", table)


def _arrays(rows: Rows) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


@lru_cache(maxsize=4096)
def _sqlite(template: str, columns: tuple[str, ...], count: int) -> str:
    chosen = ", ".join(f'column{n} AS "{name}"' for n, name in enumerate(columns, 1))
    row = "(" + ", ".join("?" * len(columns)) + ")"
    values = ", ".join([row] * count)
    table = f"(SELECT {chosen} FROM (VALUES {values})) AS v"  # noqa: S608 - our names, "?"
    return template.replace("{rows}", table)


def _parts(rows: Rows, width: int) -> Iterator[Rows]:
    most = max(1, _VARIABLES // width)
    for start in range(0, len(rows), most):
        yield rows[start : start + most]


_Converter: TypeAlias = Callable[[Any], Any] | None


@lru_cache(maxsize=512)
def _converters(kinds: tuple[Kind, ...]) -> tuple[_Converter, ...]:
    return tuple(
        _sqlite_uuid if kind is Kind.UUID else _sqlite_time if kind is Kind.TIME else None
        for kind in kinds
    )


def _flat(rows: Rows, converters: tuple[_Converter, ...]) -> list[Any]:
    return [
        value if convert is None else convert(value)
        for row in rows
        for value, convert in zip(row, converters, strict=True)
    ]


def _sqlite_uuid(value: uuid.UUID | None) -> str | None:
    return None if value is None else value.hex


def _sqlite_time(value: datetime | None) -> str | None:
    if value is None:
        return None
    moment = value if value.tzinfo is UTC else value.astimezone(UTC)
    return f"{moment.isoformat(timespec='microseconds')[:26]}Z"


def _sqlite_value(value: Any) -> Any:  # noqa: ANN401 - a bound value
    if isinstance(value, uuid.UUID):
        return value.hex
    return _sqlite_time(value) if isinstance(value, datetime) else value


@lru_cache(maxsize=512)
def _numbered(sql: str) -> str:
    parts = sql.split("?")
    return "".join(part + (f"${n}" if n < len(parts) else "") for n, part in enumerate(parts, 1))
