"""Many rows at once, the same way on both databases.

The inbox and the ledger write hundreds of rows a transaction, without the ORM. PostgreSQL
gets one statement over arrays: a round trip costs more than a row. SQLite gets one prepared
statement for each row on the driver's own cursor: there a statement costs a few microseconds.
"""

import json
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import Connection

Rows: TypeAlias = Sequence[Sequence[Any]]


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

    `{rows}` in the template stands for a table `v` with these columns, to be selected from.
    On SQLite the statement runs once for each row, so it must not depend on the others.
    """
    if not rows:
        return []
    if connection.dialect.name == "postgresql":
        return _returned(connection, _postgres(template, tuple(columns.items())), _arrays(rows))
    sql = _sqlite(template, tuple(columns))
    return _each(connection, sql, _converted(rows, tuple(columns.values())))


def insert_rows(
    connection: Connection, table: str, columns: Columns, rows: Rows, *, suffix: str = ""
) -> list[Any]:
    """Insert the rows; `suffix` is what follows (ON CONFLICT …, RETURNING …)."""
    if not rows:
        return []
    if connection.dialect.name == "postgresql":
        template = _insert_select(table, tuple(columns), suffix)
        return write_rows(connection, template, columns, rows)
    sql = _insert_values(table, tuple(columns), suffix)
    return _each(connection, sql, _converted(rows, tuple(columns.values())))


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
    return _each(connection, sql, [tuple(_sqlite_value(value) for value in values)])


@lru_cache(maxsize=8192)
def as_uuid(value: Any) -> uuid.UUID:  # noqa: ANN401 - UUID or hex, by database
    """Read a UUID column."""
    return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))


def as_time(value: Any) -> datetime | None:  # noqa: ANN401 - datetime or text, by database
    """Read a time column."""
    return value if value is None or isinstance(value, datetime) else datetime.fromisoformat(value)


def as_json(value: Any) -> Any:  # noqa: ANN401 - whatever was stored
    """Read a JSON column."""
    return json.loads(value) if isinstance(value, str | bytes) else value


def _cursor(connection: Connection) -> Any:  # noqa: ANN401 - sqlite3's, or aiosqlite's behind SQLAlchemy
    return connection.connection.cursor()


def _each(connection: Connection, sql: str, rows: list[tuple[Any, ...]]) -> list[Any]:
    cursor = _cursor(connection)
    if not _returns(sql):
        cursor.executemany(sql, rows)
        return []
    found: list[Any] = []
    for row in rows:
        cursor.execute(sql, row)
        found += cursor.fetchall()
    return found


@lru_cache(maxsize=2048)
def _returns(sql: str) -> bool:
    return "RETURNING" in sql or sql.lstrip().startswith(("SELECT", "WITH"))


def _returned(connection: Connection, sql: str, values: Sequence[Any]) -> list[Any]:
    result = connection.exec_driver_sql(sql, tuple(values))
    if not result.returns_rows:
        return []
    return list(result.fetchall())


@lru_cache(maxsize=512)
def _insert_values(table: str, columns: tuple[str, ...], suffix: str) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({names}) VALUES ({marks}) {suffix}"  # noqa: S608 - our own names


@lru_cache(maxsize=512)
def _insert_select(table: str, columns: tuple[str, ...], suffix: str) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    chosen = ", ".join(f'v."{name}"' for name in columns)
    return f"INSERT INTO {table} ({names}) SELECT {chosen} FROM {{rows}} {suffix}"  # noqa: S608 - our own names


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


@lru_cache(maxsize=512)
def _sqlite(template: str, columns: tuple[str, ...]) -> str:
    chosen = ", ".join(f'? AS "{name}"' for name in columns)
    return template.replace("{rows}", f"(SELECT {chosen}) AS v")


_Converter: TypeAlias = Callable[[Any], Any]


@lru_cache(maxsize=512)
def _places(kinds: tuple[Kind, ...]) -> tuple[tuple[int, _Converter], ...]:
    wanted: dict[Kind, _Converter] = {Kind.UUID: _sqlite_uuid, Kind.TIME: _sqlite_time}
    return tuple((place, wanted[kind]) for place, kind in enumerate(kinds) if kind in wanted)


def _converted(rows: Rows, kinds: tuple[Kind, ...]) -> list[tuple[Any, ...]]:
    places = _places(kinds)
    if not places:
        return [tuple(row) for row in rows]
    converted = []
    for row in rows:
        values = list(row)
        for place, convert in places:
            values[place] = convert(values[place])
        converted.append(tuple(values))
    return converted


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
