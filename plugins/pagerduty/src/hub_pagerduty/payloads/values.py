"""Single values and references, as tolerant as PagerDuty is loose."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from hub import Value

Json = Mapping[str, Any]
_NUMBERS: Final = (int, float)


def as_object(value: object) -> Json:
    """Return the object, or an empty one for anything else."""
    if isinstance(value, dict):  # far quicker to see than a Mapping
        return value
    return value if value is not None and isinstance(value, Mapping) else {}


def as_objects(value: object) -> list[Json]:
    """Return the objects of a list; anything else counts as none."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text(value: object) -> str | None:
    """Return text for text and numbers; None for what is empty or something else."""
    if isinstance(value, str):
        if value.isascii() and "\x00" not in value:
            return value or None
        return _storable(value) or None
    if value is None or isinstance(value, bool) or not isinstance(value, _NUMBERS):
        return None
    return str(value)


def _storable(value: str) -> str:
    # A lone surrogate has no UTF-8, and PostgreSQL keeps no NUL: neither may stop an event.
    return value.encode("utf-8", "replace").decode().replace("\x00", "")


def integer(value: object) -> int | None:
    """Return a whole number, also from text; None otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        return int(value)
    except ValueError:
        return None


def moment(value: object) -> datetime | None:
    """Return an aware time in UTC; None for what is no time."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    if read.tzinfo is UTC:
        return read
    aware = read if read.tzinfo else read.replace(tzinfo=UTC)
    try:
        return aware.astimezone(UTC)
    except OverflowError:
        return None


def id_of(reference: object) -> str | None:
    """Return the id of a reference or full object."""
    return text(as_object(reference).get("id"))


def name_of(reference: object) -> str | None:
    """Return what people call it: its summary, or its name where the object came whole."""
    read = as_object(reference)
    return text(read.get("summary")) or text(read.get("name"))


def ids_and_names(references: Iterable[Json]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the ids and the names of references, in their order."""
    ids, names = [], []
    for one in references:
        found, name = text(one.get("id")), text(one.get("summary")) or text(one.get("name"))
        if found:
            ids.append(found)
        if name:
            names.append(name)
    return tuple(ids), tuple(names)


def ids_of(references: Iterable[Json]) -> tuple[str, ...]:
    """Return the ids of references, in their order."""
    return tuple(found for one in references if (found := id_of(one)))


def custom_value(field: Json) -> Value:
    """Return the value of a custom field by its declared data type."""
    value = field.get("value")
    if isinstance(value, list):
        return tuple(one for item in value if (one := _plain(item)))
    return _typed(str(field.get("data_type")), value)


def _typed(data_type: str, value: object) -> Value:
    if value is None:
        return None
    read = _BY_TYPE.get(data_type)
    if read:
        return read(value)
    # A change in the log does not name the type.
    untyped = data_type == "None"
    return value if untyped and isinstance(value, bool | int) else _plain(value)


def _boolean(value: object) -> bool:
    return value if isinstance(value, bool) else str(value).lower() == "true"


def _decimal(value: object) -> Decimal | None:
    try:
        read = Decimal(str(value))
    except InvalidOperation:
        return None
    return read if read.is_finite() else None


def _plain(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return text(value)


_BY_TYPE: Final[Mapping[str, Callable[[object], Value]]] = {
    "boolean": _boolean,
    "integer": integer,
    "float": _decimal,
    "datetime": moment,
}
