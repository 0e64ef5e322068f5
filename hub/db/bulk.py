"""Many rows at once, the same way on both databases.

The inbox and the ledger write hundreds of rows a transaction, without the ORM. PostgreSQL
gets one statement over arrays: a round trip costs more than a row. SQLite gets tables of
values in a few fixed sizes, so that every statement is prepared only once, on the driver's
own cursor.
"""

import json
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.util import await_only

Rows: TypeAlias = Sequence[Sequence[Any]]
_SIZES: Final = (64, 32, 16, 8, 4, 2, 1)
"""How many rows one of SQLite's statements takes: few sizes are few statements to prepare."""


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
    On SQLite many rows take several statements, so none may depend on the others.
    """
    if not rows:
        return []
    if connection.dialect.name == "postgresql":
        return _returned(connection, _postgres(template, tuple(columns.items())), _arrays(rows))
    found: list[Any] = []
    names, converters = tuple(columns), _converters(tuple(columns.values()))
    for part in _parts(rows):
        found += _run(connection, _sqlite(template, names, len(part)), _flat(part, converters))
    return found


class Write(NamedTuple):
    """A statement over rows, as `write_rows` takes it, whose result nobody needs."""

    template: str
    columns: Columns
    rows: Rows


def inserting(table: str, columns: Columns, rows: Rows, *, suffix: str = "") -> Write:
    """Return the insertion of rows; `suffix` is what follows (ON CONFLICT …)."""
    return Write(_insert(table, tuple(columns), suffix), columns, rows)


def write_all(connection: Connection, writes: Iterable[Write]) -> None:
    """Run statements of which none may need another's effect, nor touch the same rows.

    PostgreSQL gets them as one: a round trip costs more than most of them.
    """
    wanted = [one for one in writes if one.rows]
    if connection.dialect.name != "postgresql":
        for one in wanted:
            write_rows(connection, *one)
    elif wanted:
        sql = _bundle(tuple((one.template, tuple(one.columns.items())) for one in wanted))
        _returned(connection, sql, [array for one in wanted for array in _arrays(one.rows)])


def insert_rows(
    connection: Connection, table: str, columns: Columns, rows: Rows, *, suffix: str = ""
) -> list[Any]:
    """Insert the rows; `suffix` is what follows (ON CONFLICT …, RETURNING …)."""
    return write_rows(connection, *inserting(table, columns, rows, suffix=suffix))


def insert_counted(connection: Connection, table: str, columns: Columns, rows: Rows) -> int:
    """Insert the rows that are not there yet; return how many those were."""
    if connection.dialect.name == "postgresql":
        suffix = "ON CONFLICT DO NOTHING RETURNING 1"
        return len(insert_rows(connection, table, columns, rows, suffix=suffix))
    template = _insert(table, tuple(columns), "ON CONFLICT DO NOTHING")
    names, converters = tuple(columns), _converters(tuple(columns.values()))
    return sum(
        _run(connection, _sqlite(template, names, len(part)), _flat(part, converters), _changed)
        for part in _parts(rows)
    )


def take_ids(connection: Connection, table: str, count: int) -> list[int]:
    """Return the next ids of a table, ascending; nobody else gets them."""
    if not count:
        return []
    if connection.dialect.name == "postgresql":
        sql = "SELECT nextval(pg_get_serial_sequence($1, 'id')) FROM generate_series(1, $2::bigint)"
        return sorted(row[0] for row in _returned(connection, sql, (table, count)))
    rows = query(connection, "SELECT seq FROM sqlite_sequence WHERE name = ?", table)
    first = rows[0][0] if rows else 0
    return list(range(first + 1, first + 1 + count))


def query(connection: Connection, sql: str, *values: Any) -> list[Any]:  # noqa: ANN401 - bound values
    """Run a statement written with `?`; return its rows."""
    if connection.dialect.name == "postgresql":
        return _returned(connection, _numbered(sql), values)
    found: list[Any] = _run(connection, sql, [_sqlite_value(value) for value in values])
    return found


def execute(connection: Connection, sql: str, *values: Any) -> list[Any]:  # noqa: ANN401 - bound values
    """Run a statement of PostgreSQL's own, written with `$1`; return its rows."""
    return _returned(connection, sql, values)


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


def _fetched(cursor: Any) -> list[Any]:  # noqa: ANN401 - a driver's cursor
    return list(cursor.fetchall())


def _changed(cursor: Any) -> int:  # noqa: ANN401 - a driver's cursor
    return int(cursor.rowcount)


def _run(
    connection: Connection,
    sql: str,
    values: list[Any],
    result: Callable[[Any], Any] = _fetched,
) -> Any:  # noqa: ANN401 - what `result` reads of the cursor
    """Run a statement on SQLite's own cursor; its errors are SQLAlchemy's."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(sql, values)
        return result(cursor)
    except sqlite3.Error as error:
        raise DBAPIError.instance(sql, None, error, sqlite3.Error, hide_parameters=True) from error
    except (ValueError, TypeError, OverflowError) as error:
        raise StatementError(str(error), sql, None, error, hide_parameters=True) from error
    finally:
        cursor.close()


def _returned(connection: Connection, sql: str, values: Sequence[Any]) -> list[Any]:
    """Run a statement on PostgreSQL: by the driver itself where SQLAlchemy has begun already.

    Its own way round a statement costs as much CPU as the statement.
    """
    raw = _driver_of(connection)
    if raw is None:
        result = connection.exec_driver_sql(sql, tuple(values))
        return list(result.fetchall()) if result.returns_rows else []
    try:
        return list(await_only(raw.fetch(sql, *values)))
    except Exception as error:
        raise _as_sqlalchemy(connection, sql, error) from error


def _driver_of(connection: Connection) -> Any:  # noqa: ANN401 - asyncpg's, which is an extra
    """Return the driver's connection when it is in the connection's transaction, or needs none."""
    raw = connection.connection.driver_connection
    assert raw is not None  # noqa: S101 - a connection that was closed has raised before
    if raw.is_in_transaction():
        return raw
    autocommit = connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
    return raw if autocommit else None


def _as_sqlalchemy(connection: Connection, sql: str, error: Exception) -> Exception:
    """Return a driver's error as SQLAlchemy would raise it; a lost connection is given up."""
    adapted: Any = connection.connection.dbapi_connection
    dbapi: Any = connection.dialect.loaded_dbapi
    try:
        adapted._handle_exception(error)  # noqa: SLF001 - its table of errors has no other door
    except dbapi.Error as known:
        lost = connection.dialect.is_disconnect(known, adapted, None)
        told = DBAPIError.instance(
            sql,
            None,
            known,
            dbapi.Error,
            hide_parameters=True,
            connection_invalidated=lost,
            dialect=connection.dialect,
        )
        if lost:
            connection.invalidate(known)
        assert isinstance(told, Exception)  # noqa: S101 - it was made from one
        return told
    except Exception as other:  # noqa: BLE001 - what the table does not know stays what it is
        return other
    return error


@lru_cache(maxsize=512)
def _insert(table: str, columns: tuple[str, ...], suffix: str) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    chosen = ", ".join(f'v."{name}"' for name in columns)
    # "WHERE true": SQLite could take ON CONFLICT for the condition of a join.
    return f"INSERT INTO {table} ({names}) SELECT {chosen} FROM {{rows}} WHERE true {suffix}"  # noqa: S608 - our own names


@lru_cache(maxsize=512)
def _postgres(template: str, columns: tuple[tuple[str, Kind], ...], start: int = 1) -> str:
    arrays = ", ".join(
        f"${n}::{'text' if kind is Kind.JSON else kind}[]"
        for n, (_, kind) in enumerate(columns, start)
    )
    names = ", ".join(f'"{name}"' for name, _ in columns)
    chosen = ", ".join(
        f'"{name}"::jsonb AS "{name}"' if kind is Kind.JSON else f'"{name}"'
        for name, kind in columns
    )
    table = f"(SELECT {chosen} FROM unnest({arrays}) AS u({names})) AS v"  # noqa: S608 - our names
    return template.replace("{rows}", table)


@lru_cache(maxsize=256)
def _bundle(writes: tuple[tuple[str, tuple[tuple[str, Kind], ...]], ...]) -> str:
    parts, number = [], 1
    for template, columns in writes:
        parts.append(_postgres(template, columns, number))
        number += len(columns)
    first = ", ".join(f"w{place} AS ({part})" for place, part in enumerate(parts[:-1]))
    return f"WITH {first} {parts[-1]}" if first else parts[-1]


def _arrays(rows: Rows) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


@lru_cache(maxsize=2048)
def _sqlite(template: str, columns: tuple[str, ...], count: int) -> str:
    chosen = ", ".join(f'column{n} AS "{name}"' for n, name in enumerate(columns, 1))
    row = "(" + ", ".join("?" * len(columns)) + ")"
    values = ", ".join([row] * count)
    table = f"(SELECT {chosen} FROM (VALUES {values})) AS v"  # noqa: S608 - our names, "?"
    return template.replace("{rows}", table)


def _parts(rows: Rows) -> Iterator[Rows]:
    start, left = 0, len(rows)
    for size in _SIZES:
        while left >= size:
            yield rows[start : start + size]
            start, left = start + size, left - size


_Converter: TypeAlias = Callable[[Any], Any]


@lru_cache(maxsize=512)
def _converters(kinds: tuple[Kind, ...]) -> tuple[tuple[int, _Converter], ...]:
    wanted: dict[Kind, _Converter] = {Kind.UUID: _sqlite_uuid, Kind.TIME: _sqlite_time}
    return tuple((place, wanted[kind]) for place, kind in enumerate(kinds) if kind in wanted)


def _flat(rows: Rows, converters: tuple[tuple[int, _Converter], ...]) -> list[Any]:
    """Return all values in one list, converted column by column; the same value only once."""
    values, width = list(chain.from_iterable(rows)), len(rows[0])
    for place, convert in converters:
        column = values[place::width]
        known = {id(value): value for value in column}
        converted = {number: convert(value) for number, value in known.items()}
        values[place::width] = [converted[id(value)] for value in column]
    return values


def _sqlite_uuid(value: uuid.UUID | None) -> str | None:
    return None if value is None else value.hex


@lru_cache(maxsize=1024)  # a row and what belongs to it are of the same moment
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
