"""Service mappings as CSV, and what an import would change: pure."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from hub.errors import BadRequest, Fault, Invalid
from hub.http.faults import fault_of
from hub.mappings.precedence import folded
from hub.mappings.schemas import MappingsDocument, NamedValueMap, ServiceMappingIn

COLUMNS: Final = (
    "connector",
    "name",
    "object",
    "field",
    "value",
    "service",
    "service_name",
    "outbound",
    "inbound",
    "default",
    "extra",
)
_YES: Final = frozenset({"true", "yes", "1", "x", "y", "on"})
_NO: Final = frozenset({"false", "no", "0", "", "n", "off"})
_FLAGS: Final = ("outbound", "inbound", "default")


def to_csv(rows: Iterable[ServiceMappingIn]) -> str:
    """Write rows as CSV, header first; cells that a spreadsheet would run are quoted."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        given = row.model_dump()
        given["extra"] = json.dumps(row.extra, ensure_ascii=False) if row.extra else ""
        writer.writerow({name: _cell(given[name]) for name in COLUMNS})
    return out.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r", "'"} else text


def from_csv(text: str) -> list[ServiceMappingIn]:
    """Read rows of CSV or of cells pasted from a spreadsheet; Invalid lists every fault."""
    text = text.removeprefix("\ufeff")
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text), delimiter=_delimiter(first))
    try:
        lines = [line for line in reader if any(cell.strip() for cell in line)]
    except csv.Error as error:
        raise Invalid(f"The CSV can't be read: {error}.") from error
    if not lines:
        raise Invalid("The CSV is empty; its first line names the columns.")
    header = [cell.strip().lower().replace(" ", "_") for cell in lines[0]]
    faults = [
        Fault(f"/header/{at}", f"unknown column {name!r}", "csv.column")
        for at, name in enumerate(header)
        if name not in COLUMNS
    ]
    if faults:
        raise Invalid(f"Columns are: {', '.join(COLUMNS)}.", errors=faults)
    return _read_lines([dict(zip(header, line, strict=False)) for line in lines[1:]])


def from_json(raw: bytes) -> MappingsDocument:
    """Read a document of JSON; BadRequest when it is none, Invalid lists every fault."""
    try:
        given = json.loads(raw)
    except ValueError as error:
        raise BadRequest(f"The body is not JSON: {error}.") from error
    try:
        return MappingsDocument.model_validate(given)
    except ValidationError as error:
        faults = [fault_of(one, model=MappingsDocument) for one in error.errors()]
        raise Invalid(f"{len(faults)} things can't be used.", errors=faults) from error


def _delimiter(first: str) -> str:
    return max("\t;,", key=lambda mark: (first.count(mark), mark == ","))


def _read_lines(lines: Sequence[Mapping[str, str]]) -> list[ServiceMappingIn]:
    rows: list[ServiceMappingIn] = []
    faults: list[Fault] = []
    for at, line in enumerate(lines):
        try:
            rows.append(ServiceMappingIn.model_validate(_members(line)))
        except ValidationError as error:
            faults.extend(_faults(at, error))
        except ValueError as error:
            faults.append(Fault(f"/service_mappings/{at}", str(error), "csv.value"))
    if faults:
        raise Invalid(f"{len(faults)} cells can't be used.", errors=faults)
    return rows


def _faults(at: int, error: ValidationError) -> Iterable[Fault]:
    for one in error.errors():
        yield fault_of(one, model=ServiceMappingIn, before=f"/service_mappings/{at}")


def _members(line: Mapping[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, cell in line.items():
        text = cell.strip()
        text = text[1:] if text[:1] == "'" else text
        if name in _FLAGS:
            given[name] = _flag(name, text)
        elif name == "extra":
            given[name] = _extra(text)
        elif text:
            given[name] = text
    return given


def _flag(name: str, text: str) -> bool:
    word = text.casefold()
    if word in _YES | _NO:
        return word in _YES
    raise ValueError(f"{name}: {text!r} is neither true nor false")


def _extra(text: str) -> Any:  # noqa: ANN401 - JSON, checked by the model
    try:
        return json.loads(text) if text else {}
    except ValueError as error:
        raise ValueError(f"extra: not JSON: {error}") from error


Identity = tuple[str, str | None, str | None, str | None]


def identity(row: ServiceMappingIn) -> Identity:
    """Return what makes two rows the same one: where it is searched, not where it leads."""
    value = None if row.value is None else folded(row.value)
    return (row.connector, row.object, row.field, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What turns the kept rows into the wanted ones; keys are identities."""

    added: tuple[ServiceMappingIn, ...]
    changed: tuple[tuple[ServiceMappingIn, ServiceMappingIn], ...]
    removed: tuple[ServiceMappingIn, ...]
    unchanged: int


def difference(
    kept: Sequence[ServiceMappingIn], wanted: Sequence[ServiceMappingIn], *, mode: str = "merge"
) -> Difference:
    """Compare rows by identity; in mode `replace` what is not wanted goes."""
    known = {identity(row): row for row in kept}
    asked = {identity(row): row for row in wanted}
    named = {row.connector for row in wanted}
    added = tuple(row for key, row in asked.items() if key not in known)
    both = [(known[key], row) for key, row in asked.items() if key in known]
    changed = tuple((old, new) for old, new in both if old != new)
    removed = tuple(
        row
        for key, row in known.items()
        if mode == "replace" and key not in asked and row.connector in named
    )
    return Difference(
        added=added, changed=changed, removed=removed, unchanged=len(both) - len(changed)
    )


def repeated(rows: Sequence[ServiceMappingIn]) -> list[Fault]:
    """Return a fault for each row that says again where an earlier one is searched."""
    seen: dict[Identity, int] = {}
    inbound: dict[tuple[str, str | None, str | None, str], int] = {}
    faults = []
    for at, row in enumerate(rows):
        first = seen.setdefault(identity(row), at)
        if first != at:
            what = "the default row" if row.default else f"'{row.value or row.object}'"
            text = f"{what} is mapped already, in row {first}"
            faults.append(Fault(f"/service_mappings/{at}", text, "mapping.twice"))
        if row.inbound and not row.default:
            first = inbound.setdefault((row.connector, row.object, row.field, row.service), at)
            if first != at:
                text = f"service {row.service} has an inbound row for it already, row {first}"
                faults.append(
                    Fault(f"/service_mappings/{at}/inbound", text, "mapping.inbound_twice")
                )
    return faults


def members_changed(old: ServiceMappingIn, new: ServiceMappingIn) -> dict[str, list[Any]]:
    """Return the members that differ, as [before, after]."""
    before, after = old.model_dump(), new.model_dump()
    return {name: [before[name], after[name]] for name in before if before[name] != after[name]}


def value_map_changes(old: NamedValueMap, new: NamedValueMap) -> list[str]:
    """Return in words what differs between two states of a table; [] = nothing."""
    lines = [
        f"{name}: {getattr(old, name)!r} → {getattr(new, name)!r}"
        for name in ("label", "on_missing", "default_value")
        if getattr(old, name) != getattr(new, name)
    ]
    before = {row.key: row for row in old.rows}
    after = {row.key: row for row in new.rows}
    lines.extend(f"+ {key} → {row.value}" for key, row in after.items() if key not in before)
    lines.extend(f"- {key} → {row.value}" for key, row in before.items() if key not in after)
    lines.extend(
        f"{key}: {_row(before[key])} → {_row(row)}"
        for key, row in after.items()
        if key in before and before[key] != row
    )
    if not lines and list(before) != list(after):
        lines.append("the order of the rows")
    return lines


def _row(row: Any) -> str:  # noqa: ANN401 - a row of either state
    return f"{row.value}{' (back)' if row.back else ''}"


def value_map_faults(table: NamedValueMap, prefix: str = "") -> list[Fault]:
    """Return what is wrong with a table beyond its form."""
    faults = []
    if table.on_missing == "default" and not table.default_value:
        text = "needs a value, since on_missing is default"
        faults.append(Fault(f"{prefix}/default_value", text, "value_map.default"))
    keys: set[str] = set()
    marked: set[str] = set()
    for at, row in enumerate(table.rows):
        if row.key in keys:
            faults.append(
                Fault(f"{prefix}/rows/{at}/key", f"'{row.key}' is there twice", "value_map.key")
            )
        if row.back and row.value in marked:
            text = f"another row is marked back for '{row.value}'"
            faults.append(Fault(f"{prefix}/rows/{at}/back", text, "value_map.back"))
        keys.add(row.key)
        marked |= {row.value} if row.back else set()
    return faults
