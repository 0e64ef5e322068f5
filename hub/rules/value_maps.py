"""Value maps: a tenant's named tables, forth and back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from hub.rules.values import text_of
from hub.sdk.templates import Filter
from hub.sdk.vocabulary import Value


class NoRow(LookupError):
    """The table has no row for the value, and says that this is an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapRow:
    """One row; `back` marks the key that stands for its value on the way back."""

    key: str
    value: str
    back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueMap:
    """A table of values; what happens without a row is `on_missing`."""

    name: str
    rows: tuple[MapRow, ...] = ()
    on_missing: Literal["error", "keep", "default"] = "error"
    default_value: str | None = None

    @classmethod
    def of(cls, name: str, pairs: Mapping[str, str]) -> "ValueMap":
        """Make a table of plain pairs."""
        return cls(name=name, rows=tuple(MapRow(key=k, value=v) for k, v in pairs.items()))

    def forth(self, value: Value) -> Value:
        """Map a value; an empty one stays empty; NoRow where the table insists on a row."""
        if value is None:
            return None
        wanted = text_of(value)
        for row in self.rows:
            if row.key == wanted:
                return row.value
        return self._missing(value, wanted)

    def back(self, value: Value, precise: Value = None) -> tuple[Value, str]:
        """Map a value back, and say how: "kept", "marked", "first" or what was missing.

        `precise` is the last known value of the field that is written: it is kept while the
        table maps it to `value`.
        """
        if value is None:
            return None, "empty"
        wanted = text_of(value)
        fitting = [row for row in self.rows if row.value == wanted]
        if precise is not None and any(row.key == text_of(precise) for row in fitting):
            return precise, "kept"
        for row in fitting:
            if row.back:
                return row.key, "marked"
        return (fitting[0].key, "first") if fitting else (self._missing(value, wanted), "missing")

    def _missing(self, value: Value, wanted: str) -> Value:
        if self.on_missing == "keep":
            return value
        if self.on_missing == "default":
            return self.default_value
        raise NoRow(f"no row for '{wanted}' in {self.name}")


def tables(maps: Iterable[ValueMap]) -> dict[str, ValueMap]:
    """Index tables by name."""
    return {one.name: one for one in maps}


def _by_table(value: Value, name: str) -> Value:
    raise LookupError(f"no tenant's table {name} for {value}")


def _back_by_table(value: Value, name: str, field: str = "") -> Value:
    raise LookupError(f"no tenant's table {name} for {value} of {field}")


MAP = Filter(name="map", label="Through a value map", apply=_by_table)
UNMAP = Filter(name="unmap", label="Back through a value map", apply=_back_by_table)
"""Declared for lists and checks; templates do them with the tenant's tables."""
