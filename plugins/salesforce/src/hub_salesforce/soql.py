"""SOQL text: literals and statements, always well quoted."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from hub_salesforce.values import stamp

PAGE = 2000
_ESCAPES = str.maketrans(
    {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"'}
)


def literal(value: str | int | Decimal | date | datetime | None) -> str:
    """Return a value as SOQL takes it: text in quotes, times and numbers without."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | Decimal):
        return str(value)
    return f"'{value.translate(_ESCAPES)}'"


def like(text: str) -> str:
    """Return the literal of a LIKE that finds `text` anywhere.

    A per cent sign in it matches any one character: not every reader of SOQL knows its escape.
    """
    return f"'%{text.translate(_ESCAPES).replace('%', '_')}%'"


def select(
    fields: Sequence[str],
    source: str,
    *conditions: str,
    order: str = "",
    limit: int | None = None,
) -> str:
    """Return a SELECT; the conditions all must hold."""
    parts = ["SELECT", ", ".join(fields), "FROM", source]
    if conditions:
        parts += ["WHERE", " AND ".join(conditions)]
    if order:
        parts.append(f"ORDER BY {order}")
    if limit is not None:
        parts.append(f"LIMIT {limit}")
    return " ".join(parts)


def window(start: datetime, end: datetime) -> str:
    """Return the condition "stamped in [start, end)"."""
    return f"SystemModstamp >= {literal(start)} AND SystemModstamp < {literal(end)}"


def after(moment: datetime, last_id: str, end: datetime) -> str:
    """Return the condition of the next page by key: later than the last row that was read."""
    at = literal(moment)
    return (
        f"(SystemModstamp > {at} OR (SystemModstamp = {at} AND Id > {literal(last_id)}))"
        f" AND SystemModstamp < {literal(end)}"
    )
